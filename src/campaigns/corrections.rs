//! What can still be put right in a campaign while no convention was issued: its texts, its opening, its very being.

use serde_json::{Map, Value};

use super::actions::find_and_hold;
use super::campaign::{Campaign, Rewriting};
use super::events::{self, CampaignEvent};
use super::{Defaults, store};
use crate::audit::{self, Changes};
use crate::kernel::text::{Note, excerpt};
use crate::kernel::{Actor, FieldFault, Refused, SchoolYear};
use crate::platform::db::counters;
use crate::platform::web::{IfMatch, merged};
use crate::platform::{Outcome, Tx};

/// Whether a convention was ever issued in a campaign: its numbers were begun.
pub fn issued(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<bool> {
    Ok(counters::value(tx, &format!("convention:{year}"))? > 0)
}

/// Takes the caller's reason out of a merge patch: it is no field of the campaign.
fn reason_of(patch: &Value) -> Result<(Value, Option<Note>), Refused> {
    let Some(fields) = patch.as_object() else { return Ok((patch.clone(), None)) };
    let mut fields: Map<String, Value> = fields.clone();
    let reason = match fields.remove("reason") {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => {
            let read = Note::parse(&text);
            Some(read.map_err(|fault| Refused::field("/reason", &fault, Some(excerpt(&text))))?)
        }
        Some(other) => {
            let fault = FieldFault::new("wrong_type", "Motif attendu : un texte.");
            return Err(Refused::field("/reason", &fault, Some(excerpt(&other))));
        }
    };
    Ok((Value::Object(fields), reason))
}

/// Changes what may still change.
pub fn patch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    read: &IfMatch,
    patch: &Value,
    defaults: &Defaults,
) -> Outcome<Campaign> {
    let found = find_and_hold(tx, year)?;
    read.admits(found.version)?;
    let (patch, reason) = reason_of(patch)?;
    let (said, fields) = merged(&found.said, &patch)?;
    let facts = Rewriting {
        issued: issued(tx, year)?,
        reasoned: reason.is_some(),
        specimen: defaults.specimen,
        thresholds: &defaults.thresholds,
        today: tx.today(),
    };
    let before = found.said.clone();
    let mut changed = found.rewritten(said, &fields, facts)?;
    store::save(tx, &mut changed)?;
    let changes = Changes::between(&before, &changed.said, events::PERSONAL)?;
    let reason = reason.map(|reason| reason.to_string()).into();
    audit::record(tx, actor, events::of(&changed), CampaignEvent::Changed { changes, reason })?;
    Ok(changed)
}

/// Deletes a campaign in which nothing was issued, with its enrolments.
pub fn delete(tx: &mut Tx<'_>, actor: &Actor, year: &SchoolYear) -> Outcome<()> {
    let found = find_and_hold(tx, year)?;
    found.never_issued(issued(tx, year)?)?;
    let enrolments = store::delete(tx, found.id)?;
    let (terms, texts) = events::terms(&found.said)?;
    let deleted = CampaignEvent::Deleted { state: found.state.to_string(), enrolments, terms, texts };
    audit::record(tx, actor, events::of(&found), deleted)
}
