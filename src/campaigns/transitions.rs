//! Use case: a campaign along its lifecycle.
//!
//! What closing waits for lives to the right of here (titles half way): it is told by [`Others`].

use super::actions::find_and_hold;
use super::campaign::{Campaign, CampaignAction, CampaignFacts};
use super::corrections::issued;
use super::events::{self, CampaignEvent};
use super::{Defaults, store};
use crate::audit::{self, Moment, Others};
use crate::kernel::text::Note;
use crate::kernel::{Actor, FieldFault, Refused, SchoolYear, Version};
use crate::platform::{Outcome, Tx};

/// When others have their word on a campaign's action: what they have against `close` is asked.
#[must_use]
pub const fn moment(action: CampaignAction) -> Moment {
    Moment(match action {
        CampaignAction::Open => "campaign.open",
        CampaignAction::Unopen => "campaign.unopen",
        CampaignAction::Close => "campaign.close",
        CampaignAction::Reopen => "campaign.reopen",
    })
}

/// What a campaign's action rests on beside the campaign.
#[derive(Clone, Copy)]
pub struct Rests<'r> {
    pub defaults: &'r Defaults,
    pub others: &'r Others,
}

impl<'r> Rests<'r> {
    fn facts(&self, tx: &mut Tx<'_>, campaign: &Campaign) -> Outcome<CampaignFacts<'r>> {
        let half_way = self.others.vetoes(tx, moment(CampaignAction::Close), &events::of(campaign))?;
        Ok(CampaignFacts {
            texts: &self.defaults.texts,
            specimen: self.defaults.specimen,
            issued: issued(tx, &campaign.said.school_year)?,
            half_way,
            now: tx.now(),
        })
    }
}

/// Moves a campaign. `reopen` and `unopen` go back on something, and say why.
///
/// # Errors
/// `missing_field` or `field_not_for_action` on `/reason`; those of [`Campaign::apply`].
pub fn transition(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    read: Option<&Version>,
    (action, reason): (CampaignAction, Option<Note>),
    rests: Rests<'_>,
) -> Outcome<Campaign> {
    let found = find_and_hold(tx, year)?;
    read.map_or(Ok(()), |read| read.admits(found.version))?;
    let reason = reason.map(|reason| reason.to_string());
    let event = match (action, reason) {
        (CampaignAction::Open, None) => CampaignEvent::Opened {},
        (CampaignAction::Close, None) => CampaignEvent::Closed {},
        (CampaignAction::Unopen, Some(reason)) => CampaignEvent::Unopened { reason: reason.into() },
        (CampaignAction::Reopen, Some(reason)) => CampaignEvent::Reopened { reason: reason.into() },
        (CampaignAction::Open | CampaignAction::Close, Some(_)) => {
            let fault = FieldFault::new("field_not_for_action", "Champ sans objet pour cette action.");
            return Err(Refused::field("/reason", &fault, None).into());
        }
        (CampaignAction::Unopen | CampaignAction::Reopen, None) => {
            let message = "Revenir sur une clôture ou une ouverture demande un motif.";
            return Err(Refused::field("/reason", &FieldFault::new("missing_field", message), None).into());
        }
    };
    let facts = rests.facts(tx, &found)?;
    let mut next = found.apply(action, &facts)?;
    store::save(tx, &mut next)?;
    audit::record(tx, actor, events::of(&next), event)?;
    rests.others.follow(tx, actor, moment(action), &events::of(&next))?;
    Ok(next)
}

/// Why each action would be refused now: the very action, tried on a copy.
///
/// # Errors
/// Those of the database.
pub fn refusals<'c>(
    tx: &mut Tx<'_>,
    campaign: &'c Campaign,
    rests: Rests<'c>,
) -> Outcome<impl Fn(CampaignAction) -> Option<Refused> + use<'c>> {
    let facts = rests.facts(tx, campaign)?;
    Ok(move |action| campaign.clone().apply(action, &facts).err())
}
