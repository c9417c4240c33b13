//! Schools a person took out of a campaign: no filter and no list brings them back, only a person who names them.

use std::collections::HashMap;

use super::enrolment::Enrolment;
use super::store_withdrawals as store;
use super::withdrawal::Withdrawal;
use crate::kernel::ids::CampaignId;
use crate::kernel::{Actor, Uai};
use crate::platform::{Outcome, Tx};

/// What was taken out of a campaign and not named since.
pub fn of(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<HashMap<Uai, Withdrawal>> {
    Ok(store::withdrawals(tx, campaign)?.into_iter().map(|w| (w.uai.clone(), w)).collect())
}

/// Notes that a person takes a school out.
pub fn note(tx: &mut Tx<'_>, actor: &Actor, campaign: CampaignId, uai: &Uai) -> Outcome<()> {
    let withdrawal = Withdrawal { uai: uai.clone(), by: actor.label.clone(), at: tx.now() };
    store::insert_withdrawal(tx, campaign, &withdrawal)
}

/// Notes that some of those taken out are enrolled again.
pub fn reinstate(tx: &mut Tx<'_>, actor: &Actor, campaign: CampaignId, enrolled: &[Enrolment]) -> Outcome<()> {
    store::reinstate(tx, actor, campaign, &enrolled.iter().map(|e| &e.uai).collect())
}
