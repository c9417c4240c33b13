//! Schools a person took out of a campaign: no filter and no list brings them back, only a person who names them.

use std::collections::HashMap;

use super::enrolment::Enrolment;
use super::store_withdrawals as store;
use crate::kernel::ids::CampaignId;
use crate::kernel::{Actor, Finding, Instant, Uai};
use crate::platform::{Outcome, Tx};

/// Who took a school out, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    pub uai: Uai,
    pub by: String,
    pub at: Instant,
}

impl Withdrawal {
    /// What an act in number says of a school it leaves out.
    #[must_use]
    pub fn finding(&self) -> Finding {
        let message = format!(
            "École retirée de la campagne le {} par {} : seule une inscription qui la nomme la fait revenir.",
            self.at.day(),
            self.by
        );
        let mut finding = Finding::to_acknowledge("enrolment_withdrawn", message);
        finding.found = Some(self.uai.to_string());
        finding
    }
}

/// What was taken out of a campaign and not named since.
pub fn of(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<HashMap<Uai, Withdrawal>> {
    Ok(store::withdrawals(tx, campaign)?.into_iter().map(|w| (w.uai.clone(), w)).collect())
}

/// Notes that a person takes a school out.
pub fn note(tx: &mut Tx<'_>, actor: &Actor, campaign: CampaignId, uai: &Uai) -> Outcome<()> {
    let withdrawal = Withdrawal { uai: uai.clone(), by: actor.label.clone(), at: tx.now() };
    store::insert_withdrawal(tx, campaign, &withdrawal)
}

/// Forgets what was taken out of those enrolled again; the journal keeps it.
pub fn forget(tx: &mut Tx<'_>, campaign: CampaignId, enrolled: &[Enrolment]) -> Outcome<()> {
    let uais: Vec<Uai> = enrolled.iter().map(|e| e.uai.clone()).collect();
    store::forget_withdrawals(tx, campaign, &uais)
}
