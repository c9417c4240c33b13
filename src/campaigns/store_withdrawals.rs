//! The tables of schools a person took out of a campaign, and of what brought them back: facts that nobody changes.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::withdrawal::Withdrawal;
use crate::insert_batches;
use crate::kernel::ids::CampaignId;
use crate::kernel::{Actor, Instant, Uai};
use crate::platform::db::schema::{enrolment_reinstatements as back, enrolment_withdrawals as taken};
use crate::platform::{Outcome, Tx};

/// A withdrawal that stands.
#[derive(Queryable)]
struct Standing {
    uai: Uai,
    rank: i64,
    by: String,
    at: Instant,
}

#[derive(Insertable)]
#[diesel(table_name = back)]
struct Back {
    campaign_id: CampaignId,
    uai: Uai,
    rank: i64,
    reinstated_by_label: String,
    reinstated_at: Instant,
}

fn standing(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Standing>> {
    let ended = back::campaign_id.eq(taken::campaign_id).and(back::uai.eq(taken::uai)).and(back::rank.eq(taken::rank));
    Ok(taken::table
        .left_join(back::table.on(ended))
        .filter(taken::campaign_id.eq(campaign))
        .filter(back::rank.nullable().is_null())
        .order((taken::uai.asc(), taken::rank.asc()))
        .select((taken::uai, taken::rank, taken::withdrawn_by_label, taken::withdrawn_at))
        .load(tx.conn())?)
}

/// What was taken out of a campaign and not brought back.
pub(super) fn withdrawals(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<Withdrawal>> {
    Ok(standing(tx, campaign)?.into_iter().map(|w| Withdrawal { uai: w.uai, by: w.by, at: w.at }).collect())
}

pub(super) fn insert_withdrawal(tx: &mut Tx<'_>, campaign: CampaignId, w: &Withdrawal) -> Outcome<()> {
    let last: Option<i64> = taken::table
        .filter(taken::campaign_id.eq(campaign).and(taken::uai.eq(&w.uai)))
        .select(diesel::dsl::max(taken::rank))
        .first(tx.conn())?;
    diesel::insert_into(taken::table)
        .values((
            taken::campaign_id.eq(campaign),
            taken::uai.eq(&w.uai),
            taken::rank.eq(last.unwrap_or(0) + 1),
            taken::withdrawn_by_label.eq(&w.by),
            taken::withdrawn_at.eq(w.at),
        ))
        .execute(tx.conn())?;
    Ok(())
}

/// Writes what brings schools back, beside the withdrawals that stand.
pub(super) fn reinstate(tx: &mut Tx<'_>, actor: &Actor, campaign: CampaignId, uais: &BTreeSet<&Uai>) -> Outcome<()> {
    let now = tx.now();
    let mut rows: Vec<Back> = Vec::new();
    for w in standing(tx, campaign)?.into_iter().filter(|w| uais.contains(&w.uai)) {
        let by = actor.label.clone();
        rows.push(Back {
            campaign_id: campaign,
            uai: w.uai,
            rank: w.rank,
            reinstated_by_label: by,
            reinstated_at: now,
        });
    }
    insert_batches!(tx, back::table, rows);
    Ok(())
}
