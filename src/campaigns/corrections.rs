//! What can still be put right in a campaign while no convention was issued: its texts, its opening, its very being.

use super::actions::find_and_hold;
use super::campaign::{Campaign, Rewriting};
use super::events::{self, CampaignEvent};
use super::terms::CampaignTerms;
use super::{Defaults, store};
use crate::audit::{self, Changes};
use crate::kernel::Version;
use crate::kernel::text::Note;
use crate::kernel::{Actor, SchoolYear};
use crate::platform::db::counters;
use crate::platform::{Outcome, Tx};

/// Whether a convention was ever issued in a campaign: its numbers were begun.
pub fn issued(tx: &mut Tx<'_>, year: &SchoolYear) -> Outcome<bool> {
    Ok(counters::value(tx, &format!("convention:{year}"))? > 0)
}

/// A change asked of the terms of a campaign.
pub struct Change<'c> {
    /// Why, when the caller said it.
    pub reason: Option<Note>,
    /// The terms as they become, from those that stand, and the fields it names.
    pub of: &'c dyn Fn(CampaignTerms) -> Outcome<(CampaignTerms, Vec<String>)>,
}

/// Changes what may still change.
pub fn patch(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    read: &Version,
    change: Change<'_>,
    defaults: &Defaults,
) -> Outcome<Campaign> {
    let found = find_and_hold(tx, year)?;
    read.admits(found.version)?;
    let (said, fields) = (change.of)(found.said.clone())?;
    let reason = change.reason;
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
