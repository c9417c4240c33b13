//! The tables of decisions: acts that leave small claims untitled, and the words on single lines.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::decision::{Decision, DecisionState, Origin, Revocation};
use super::lines::{LineChoice, LineDecision};
use crate::conventions::Reach;
use crate::kernel::ids::{CampaignId, ConventionId, DecisionId, ParticipationId, SmallClaimActId, UserId};
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::{Note, SearchText};
use crate::kernel::{Departement, InseeCode, Instant, Money, Refused, Siret, Uai};
use crate::platform::db::schema::{
    conventions, line_decisions as words, small_claim_acts as acts, small_claim_decisions as decisions,
};
use crate::platform::db::unreadable::Rows;
use crate::platform::db::{BATCH, search};
use crate::platform::page::{Page, PageView};
use crate::platform::{Error, Outcome, Tx, on_unique};
use crate::registry;
use crate::registry::kinds::CollectiviteKind;
use crate::{insert_batches, keyset, rows};

/// An act, frozen.
#[derive(Insertable, Queryable, Debug, Clone)]
#[diesel(table_name = acts, treat_none_as_default_value = false)]
pub struct ActRow {
    pub id: SmallClaimActId,
    pub number: String,
    pub exercice: i64,
    pub number_rank: i64,
    pub campaign_id: CampaignId,
    pub threshold_cents: Money,
    pub claim_count: i64,
    pub total_cents: Money,
    pub reason: String,
    pub decided_by: UserId,
    pub decided_by_label: String,
    pub decided_on: NaiveDate,
    pub decided_at: Instant,
    pub content_sha256: String,
}

#[derive(Insertable, Queryable)]
#[diesel(table_name = decisions, treat_none_as_default_value = false)]
struct DecisionRow {
    id: DecisionId,
    convention_id: ConventionId,
    participation_id: ParticipationId,
    amount_cents: Money,
    threshold_cents: Money,
    reason: String,
    decided_by: UserId,
    decided_by_label: String,
    decided_at: Instant,
    revoked_by: Option<UserId>,
    revoked_at: Option<Instant>,
    act_id: Option<SmallClaimActId>,
    origin: Origin,
    revoked_by_label: Option<String>,
    revoked_reason: Option<String>,
    revoked_origin: Option<Origin>,
    updated_at: Instant,
}

impl DecisionRow {
    fn new(d: &Decision) -> Self {
        let r = d.revoked.as_ref();
        Self {
            id: d.id,
            convention_id: d.convention_id,
            participation_id: d.participation_id,
            amount_cents: d.amount,
            threshold_cents: d.threshold,
            reason: d.reason.clone(),
            decided_by: d.decided_by,
            decided_by_label: d.decided_by_label.clone(),
            decided_at: d.decided_at,
            revoked_by: r.map(|r| r.by),
            revoked_at: r.map(|r| r.at),
            act_id: d.act,
            origin: d.origin,
            revoked_by_label: r.map(|r| r.by_label.clone()),
            revoked_reason: r.map(|r| r.reason.clone()),
            revoked_origin: r.map(|r| r.origin),
            updated_at: d.updated_at,
        }
    }

    fn into_domain(self) -> Decision {
        let revoked = match (self.revoked_by, self.revoked_at) {
            (Some(by), Some(at)) => Some(Revocation {
                by,
                at,
                // Those revoked before reasons were kept followed a change of policy.
                by_label: self.revoked_by_label.unwrap_or_default(),
                reason: self.revoked_reason.unwrap_or_default(),
                origin: self.revoked_origin.unwrap_or(Origin::Policy),
            }),
            _ => None,
        };
        Decision {
            id: self.id,
            act: self.act_id,
            convention_id: self.convention_id,
            participation_id: self.participation_id,
            amount: self.amount_cents,
            threshold: self.threshold_cents,
            reason: self.reason,
            origin: self.origin,
            decided_by: self.decided_by,
            decided_by_label: self.decided_by_label,
            decided_at: self.decided_at,
            revoked,
            updated_at: self.updated_at,
        }
    }
}

/// Where a row that cannot be read is looked for.
pub(super) const ROWS: &[Rows] = &[
    rows!("small_claim_acts": acts as ActRow, "small_claim_act",
        "SELECT id, number AS key FROM small_claim_acts ORDER BY id", acts::id),
    rows!("small_claim_decisions": decisions as DecisionRow, "small_claim_decision",
        "SELECT id, id AS key FROM small_claim_decisions ORDER BY id", decisions::id),
    rows!("line_decisions": words as LineDecisionRow, "convention",
        "SELECT DISTINCT v.id, v.number AS key FROM line_decisions d JOIN conventions v ON v.id = d.convention_id ORDER BY v.id",
        words::convention_id),
];

/// Stores an act and its decisions.
pub(super) fn insert(tx: &mut Tx<'_>, act: &ActRow, new: &[Decision]) -> Outcome<()> {
    diesel::insert_into(acts::table).values(act.clone()).execute(tx.conn())?;
    let rows: Vec<DecisionRow> = new.iter().map(DecisionRow::new).collect();
    insert_batches!(tx, decisions::table, rows);
    Ok(())
}

/// Writes how a decision ended, if nobody ended it meanwhile.
pub(super) fn save_revocation(tx: &mut Tx<'_>, d: &Decision) -> Outcome<()> {
    let Some(r) = &d.revoked else { return Ok(()) };
    let done = diesel::update(decisions::table.find(d.id).filter(decisions::revoked_at.is_null()))
        .set((
            decisions::revoked_by.eq(r.by),
            decisions::revoked_at.eq(r.at),
            decisions::revoked_by_label.eq(&r.by_label),
            decisions::revoked_reason.eq(&r.reason),
            decisions::revoked_origin.eq(r.origin),
            decisions::updated_at.eq(r.at),
        ))
        .execute(tx.conn())?;
    if done == 1 {
        return Ok(());
    }
    Err(Refused::new(&CONCURRENT_CHANGE, "La décision a été rapportée entre-temps.").into())
}

/// The last decision on each participation.
pub(super) fn latest(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<HashMap<ParticipationId, Decision>> {
    let order = (decisions::decided_at.asc(), decisions::id.asc());
    let rows: Vec<DecisionRow> = match reach {
        Reach::Campaign(campaign) => decisions::table
            .inner_join(conventions::table.on(conventions::id.eq(decisions::convention_id)))
            .filter(conventions::campaign_id.eq(campaign))
            .order(order)
            .select(decisions::all_columns)
            .load(tx.conn())?,
        Reach::These([id]) => decisions::table.filter(decisions::convention_id.eq(*id)).order(order).load(tx.conn())?,
        Reach::These(ids) => {
            decisions::table.filter(decisions::convention_id.eq_any(ids)).order(order).load(tx.conn())?
        }
    };
    Ok(rows.into_iter().map(|r| (r.participation_id, r.into_domain())).collect())
}

pub(super) fn find(tx: &mut Tx<'_>, id: DecisionId) -> Outcome<Option<Decision>> {
    let row: Option<DecisionRow> = decisions::table.find(id).first(tx.conn()).optional()?;
    Ok(row.map(DecisionRow::into_domain))
}

/// Which decisions a list shows.
#[derive(Debug, Clone, Default)]
pub struct DecisionFilter {
    pub status: Option<DecisionState>,
    pub departement: Option<Departement>,
    /// SIRET, present or former, of the payer.
    pub collectivite: Option<Siret>,
    pub kind: Option<CollectiviteKind>,
    pub insee_code: Option<InseeCode>,
    pub q: Option<SearchText>,
    pub updated_since: Option<Instant>,
}

crate::sort_keys!(DecisionSort, DecisionOrder of "small_claim_decisions" {
    Decided => "decided_at", Amount => "amount", Updated => "updated_at",
});

/// A page of a campaign's decisions. Their ids sort as they were taken.
pub(super) fn list(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    filter: &DecisionFilter,
    page: &Page<DecisionSort>,
) -> Outcome<PageView<Decision>> {
    let mut query = decisions::table
        .inner_join(conventions::table.on(conventions::id.eq(decisions::convention_id)))
        .filter(conventions::campaign_id.eq(campaign))
        .select(decisions::all_columns)
        .into_boxed();
    match filter.status {
        Some(DecisionState::InForce) => query = query.filter(decisions::revoked_at.is_null()),
        Some(DecisionState::Revoked) => query = query.filter(decisions::revoked_at.is_not_null()),
        None => {}
    }
    if let Some(departement) = &filter.departement {
        query = query.filter(conventions::party_departement.eq(departement.clone()));
    }
    if let Some(kind) = filter.kind {
        query = query.filter(conventions::collectivite_id.eq_any(registry::of_kind(kind)));
    }
    if let Some(code) = &filter.insee_code {
        query = query.filter(conventions::collectivite_id.eq_any(registry::holders_of_commune(code)));
    }
    if let Some(siret) = &filter.collectivite {
        query = query.filter(conventions::collectivite_id.eq_any(registry::holders_of_siret(siret)));
    }
    if let Some(q) = &filter.q {
        let name = conventions::party_fold.like(search::name(q.as_str())).escape(search::ESCAPE);
        query = query.filter(name.or(conventions::number.like(search::code(q.as_str())).escape(search::ESCAPE)));
    }
    if let Some(since) = filter.updated_since {
        query = query.filter(decisions::updated_at.ge(since));
    }
    keyset!(query, page, decisions::id, {
        DecisionSort::Decided => decisions::id, String;
        DecisionSort::Amount => decisions::amount_cents, i64;
        DecisionSort::Updated => decisions::updated_at, Instant;
    });
    let rows: Vec<DecisionRow> = query.load(tx.conn())?;
    let place = |by, d: &Decision| {
        let value = match by {
            DecisionSort::Decided => d.id.to_string(),
            DecisionSort::Amount => d.amount.cents().to_string(),
            DecisionSort::Updated => d.updated_at.to_string(),
        };
        (value, d.id.to_string())
    };
    Ok(page.cut(rows.into_iter().map(DecisionRow::into_domain).collect(), tx.now(), place))
}

/// Number, SIRET and name of the party of some conventions.
pub(super) fn parties(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<HashMap<ConventionId, (String, Siret)>> {
    let rows: Vec<(ConventionId, String, Siret)> = conventions::table
        .filter(conventions::id.eq_any(ids))
        .select((conventions::id, conventions::number, conventions::party_siret))
        .load(tx.conn())?;
    Ok(rows.into_iter().map(|(id, number, siret)| (id, (number, siret))).collect())
}

pub(super) fn act_numbers(tx: &mut Tx<'_>, ids: &[SmallClaimActId]) -> Outcome<HashMap<SmallClaimActId, String>> {
    let rows: Vec<(SmallClaimActId, String)> =
        acts::table.filter(acts::id.eq_any(ids)).select((acts::id, acts::number)).load(tx.conn())?;
    Ok(rows.into_iter().collect())
}

pub(super) fn act(tx: &mut Tx<'_>, id: SmallClaimActId) -> Outcome<ActRow> {
    acts::table
        .find(id)
        .first(tx.conn())
        .optional()?
        .ok_or_else(|| Error::falsified("small_claim_act", id, "l'acte n'est plus là"))
}

/// The acts of a campaign.
pub(super) fn acts_of(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<ActRow>> {
    Ok(acts::table.filter(acts::campaign_id.eq(campaign)).load(tx.conn())?)
}

/// The first of some acts that no longer has the decisions it was taken with: as many, and of that sum.
pub(super) fn unsound<'a>(tx: &mut Tx<'_>, taken: &'a [ActRow]) -> Outcome<Option<&'a ActRow>> {
    let mut sums: HashMap<SmallClaimActId, (i64, i64)> = HashMap::new();
    for some in taken.chunks(BATCH) {
        let ids: Vec<SmallClaimActId> = some.iter().map(|act| act.id).collect();
        let kept: Vec<(Option<SmallClaimActId>, Money)> = decisions::table
            .filter(decisions::act_id.eq_any(ids))
            .select((decisions::act_id, decisions::amount_cents))
            .load(tx.conn())?;
        for (act, amount) in kept.into_iter().filter_map(|(act, amount)| Some((act?, amount))) {
            let (count, cents) = sums.entry(act).or_default();
            (*count, *cents) = (*count + 1, *cents + amount.cents());
        }
    }
    let differs =
        |act: &&ActRow| sums.get(&act.id).copied().unwrap_or_default() != (act.claim_count, act.total_cents.cents());
    Ok(taken.iter().find(differs))
}

/// When decisions of an act were revoked, those that were.
pub(super) fn revoked_at(tx: &mut Tx<'_>, id: SmallClaimActId) -> Outcome<Vec<Instant>> {
    let all: Vec<Option<Instant>> =
        decisions::table.filter(decisions::act_id.eq(id)).select(decisions::revoked_at).load(tx.conn())?;
    Ok(all.into_iter().flatten().collect())
}

#[derive(Queryable, Insertable)]
#[diesel(table_name = words, treat_none_as_default_value = false)]
struct LineDecisionRow {
    convention_id: ConventionId,
    uai: Uai,
    choice: LineChoice,
    reason: Note,
    decided_by: UserId,
    decided_by_label: String,
    decided_at: Instant,
    version: i64,
}

impl From<LineDecisionRow> for LineDecision {
    fn from(r: LineDecisionRow) -> Self {
        Self {
            convention_id: r.convention_id,
            uai: r.uai,
            choice: r.choice,
            reason: r.reason,
            decided_by: r.decided_by,
            decided_by_label: r.decided_by_label,
            decided_at: r.decided_at,
            version: r.version,
        }
    }
}

/// The last words on lines of conventions.
pub(super) fn line_decisions(tx: &mut Tx<'_>, reach: Reach<'_>) -> Outcome<Vec<LineDecision>> {
    let rows: Vec<LineDecisionRow> = match reach {
        Reach::Campaign(campaign) => words::table
            .inner_join(conventions::table.on(conventions::id.eq(words::convention_id)))
            .filter(conventions::campaign_id.eq(campaign))
            .order(words::version.asc())
            .select(words::all_columns)
            .load(tx.conn())?,
        Reach::These([id]) => {
            words::table.filter(words::convention_id.eq(*id)).order(words::version.asc()).load(tx.conn())?
        }
        Reach::These(ids) => {
            words::table.filter(words::convention_id.eq_any(ids)).order(words::version.asc()).load(tx.conn())?
        }
    };
    let last: HashMap<_, LineDecision> =
        rows.into_iter().map(|row| ((row.convention_id, row.uai.clone()), row.into())).collect();
    Ok(last.into_values().collect())
}

/// Conventions of a campaign of which a person left a line out, once at least.
pub(super) fn reduced(tx: &mut Tx<'_>, campaign: CampaignId) -> Outcome<Vec<ConventionId>> {
    Ok(words::table
        .inner_join(conventions::table.on(conventions::id.eq(words::convention_id)))
        .filter(conventions::campaign_id.eq(campaign))
        .filter(words::choice.eq(LineChoice::Reduce))
        .select(words::convention_id)
        .distinct()
        .load(tx.conn())?)
}

/// Writes the last word on a line, after those before it.
pub(super) fn save_line_decision(tx: &mut Tx<'_>, d: &LineDecision) -> Outcome<()> {
    let last: Option<i64> = words::table
        .filter(words::convention_id.eq(d.convention_id).and(words::uai.eq(&d.uai)))
        .select(diesel::dsl::max(words::version))
        .first(tx.conn())?;
    let row = LineDecisionRow {
        convention_id: d.convention_id,
        uai: d.uai.clone(),
        choice: d.choice,
        reason: d.reason.clone(),
        decided_by: d.decided_by,
        decided_by_label: d.decided_by_label.clone(),
        decided_at: d.decided_at,
        version: last.unwrap_or(0) + 1,
    };
    let written = diesel::insert_into(words::table).values(row).execute(tx.conn());
    on_unique(written, || Refused::new(&CONCURRENT_CHANGE, "La ligne a été décidée entre-temps."))?;
    Ok(())
}
