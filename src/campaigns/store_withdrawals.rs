//! The table of schools a person took out of a campaign.

use diesel::prelude::*;

use super::withdrawal::Withdrawal;
use crate::kernel::ids::CampaignId;
use crate::kernel::{Instant, Uai};
use crate::platform::db::schema::enrolment_withdrawals;
use crate::platform::{Outcome, Tx};

/// What was taken out of a campaign.
pub(super) fn withdrawals(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Withdrawal>> {
    let rows: Vec<(Uai, String, Instant)> = enrolment_withdrawals::table
        .filter(enrolment_withdrawals::campaign_id.eq(campaign))
        .select((
            enrolment_withdrawals::uai,
            enrolment_withdrawals::withdrawn_by_label,
            enrolment_withdrawals::withdrawn_at,
        ))
        .load(tx.conn())?;
    Ok(rows.into_iter().map(|(uai, by, at)| Withdrawal { uai, by, at }).collect())
}

pub(super) fn insert_withdrawal(tx: &mut Tx<'_>, campaign: CampaignId, w: &Withdrawal) -> Outcome<()> {
    forget_withdrawals(tx, campaign, std::slice::from_ref(&w.uai))?;
    diesel::insert_into(enrolment_withdrawals::table)
        .values((
            enrolment_withdrawals::campaign_id.eq(campaign),
            enrolment_withdrawals::uai.eq(&w.uai),
            enrolment_withdrawals::withdrawn_by_label.eq(&w.by),
            enrolment_withdrawals::withdrawn_at.eq(w.at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

pub(super) fn forget_withdrawals(tx: &mut Tx<'_>, campaign: CampaignId, uais: &[Uai]) -> Outcome<()> {
    for chunk in uais.chunks(5000) {
        diesel::delete(
            enrolment_withdrawals::table
                .filter(enrolment_withdrawals::campaign_id.eq(campaign))
                .filter(enrolment_withdrawals::uai.eq_any(chunk)),
        )
        .execute(tx.conn())?;
    }
    Ok(())
}
