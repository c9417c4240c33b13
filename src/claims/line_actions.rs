//! Use cases of lines whose school has closed: which wait for a word, and the word given, one or many at a time.

use std::collections::HashSet;

use chrono::NaiveDate;
use serde::Serialize;

use super::codes::PREPARER_UNKNOWN;
use super::events::ClaimEvent;
use super::lines::{DecideLines, LineChoice, LineDecision};
use super::scene::{Called, Scene};
use super::store;
use crate::audit::{self, Entry};
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView, Selection};
use crate::campaigns::{self, Defaults};
use crate::conventions::{self, Convention, ConventionState, PayerSelection};
use crate::kernel::ids::ConventionId;
use crate::kernel::text::Note;
use crate::kernel::{Actor, Instant, Money, Refused, SchoolYear, Siret, Uai};
use crate::platform::{Outcome, Tx};

/// Une ligne de convention dont l'école a fermé.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ClosedLineView {
    pub uai: Uai,
    pub label: String,
    /// Jour de fermeture, tel que le registre le connaît ; null : rouverte depuis que la ligne a été décidée.
    pub closed_on: Option<NaiveDate>,
    pub convention_id: ConventionId,
    pub convention_number: String,
    pub siret: Siret,
    pub amount: Money,
    /// Ce qu'une personne a décidé ; null : la ligne attend.
    pub decision: Option<LineDecisionView>,
    /// Un titre existe : la ligne ne se décide plus.
    pub titled: bool,
}

/// Ce qu'une personne a décidé d'une ligne.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct LineDecisionView {
    pub choice: LineChoice,
    pub reason: Note,
    pub decided_by: String,
    pub decided_at: Instant,
}

/// A line of a living convention whose school closed before the school year ended, or of which a person decided.
struct ClosedLine<'s> {
    convention: &'s Convention,
    view: ClosedLineView,
}

fn closed_lines(scene: &Scene) -> Vec<ClosedLine<'_>> {
    let ends_on = scene.campaign.said.school_year.ends_on();
    let over = [ConventionState::Cancelled, ConventionState::Declined];
    let mut found = Vec::new();
    for convention in scene.conventions.iter().filter(|c| !over.contains(&c.state())) {
        for line in scene.listed(convention) {
            let uai = &line.school.uai;
            let closed_on = scene.closed.get(uai).copied().filter(|day| *day <= ends_on);
            let decision = scene.line_decisions.get(&convention.id).and_then(|d| d.get(uai));
            if closed_on.is_none() && decision.is_none() {
                continue;
            }
            let view = ClosedLineView {
                uai: uai.clone(),
                label: line.school.label.clone(),
                closed_on,
                convention_id: convention.id,
                convention_number: convention.number.clone(),
                siret: convention.party.siret.clone(),
                amount: line.amount.amount,
                decision: decision.map(|d| LineDecisionView {
                    choice: d.choice,
                    reason: d.reason.clone(),
                    decided_by: d.decided_by_label.clone(),
                    decided_at: d.decided_at,
                }),
                titled: scene.titled(convention.id) > Money::ZERO,
            };
            found.push(ClosedLine { convention, view });
        }
    }
    found.sort_by(|a, b| a.view.uai.cmp(&b.view.uai));
    found
}

/// The lines of some payers of a campaign whose school has closed, by UAI.
pub fn list(
    tx: &mut Tx<'_>,
    year: &SchoolYear,
    (defaults, called): (&Defaults, Called),
    of: PayerSelection,
) -> Outcome<Vec<ClosedLineView>> {
    let campaign = campaigns::find(tx, year)?;
    let payers = conventions::payers::among(tx, of)?;
    let scene = Scene::load(tx, campaign, defaults, called)?;
    let taken = |l: &ClosedLine<'_>| payers.contains(&l.convention.collectivite_id);
    Ok(closed_lines(&scene).into_iter().filter(taken).map(|l| l.view).collect())
}

/// What may become of a line of a bulk decision.
pub const LINE_OUTCOMES: &[&str] = &["decided", "unchanged", "refused"];

/// Says what becomes of some lines.
pub fn decide(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: DecideLines,
    (defaults, called): (&Defaults, Called),
) -> Outcome<BulkView> {
    let by =
        actor.user().ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Une décision demande un compte nominatif."))?;
    let campaign = campaigns::find_and_hold(tx, year)?;
    campaign.while_not_closed()?;
    let bulk = BulkRequest { filter: request.filter, keys: request.keys, dry_run: request.dry_run };
    let (selection, dry_run) = bulk.selection(false)?;
    let scene = Scene::load(tx, campaign, defaults, called)?;
    let closed = closed_lines(&scene);
    let mut items = Vec::new();
    let chosen: Vec<&ClosedLine<'_>> = match selection {
        Selection::All => Vec::new(),
        Selection::Filter(filter) => {
            let payers = conventions::payers::among(tx, filter)?;
            let takes = |l: &&ClosedLine<'_>| {
                let waiting = l.view.decision.is_none() && !l.view.titled;
                waiting && payers.contains(&l.convention.collectivite_id)
            };
            closed.iter().filter(takes).collect()
        }
        Selection::Keys(keys) => {
            let (mut chosen, mut seen) = (Vec::new(), HashSet::new());
            for key in keys {
                match Uai::parse(&key) {
                    Ok(uai) if !seen.insert(uai.clone()) => {}
                    Ok(uai) => match closed.iter().find(|l| l.view.uai == uai) {
                        Some(line) => chosen.push(line),
                        None => {
                            let message =
                                "Aucune ligne de convention de cette campagne pour une école fermée sous cet UAI.";
                            items.push(BulkItem::refused(key, "line_not_closed", message));
                        }
                    },
                    Err(fault) => items.push(BulkItem::refused(key, fault.code, fault.message)),
                }
            }
            chosen
        }
    };
    let mut entries = Vec::new();
    for line in chosen {
        let (uai, view) = (&line.view.uai, &line.view);
        if view.titled {
            let message = "Un titre existe pour cette convention : le retirer d'abord.";
            items.push(BulkItem::refused(uai, "line_titled", message));
        } else if view.decision.as_ref().is_some_and(|d| d.choice == request.choice && d.reason == request.reason) {
            items.push(BulkItem::new(uai, "unchanged").with_id(view.convention_id));
        } else {
            let word = LineDecision {
                convention_id: view.convention_id,
                uai: uai.clone(),
                choice: request.choice,
                reason: request.reason.clone(),
                decided_by: by,
                decided_by_label: actor.label.clone(),
                decided_at: tx.now(),
                version: 1,
            };
            store::save_line_decision(tx, &word)?;
            let event = ClaimEvent::LineDecided {
                uai: uai.clone(),
                choice: request.choice,
                reason: request.reason.to_string().into(),
            };
            entries.push(Entry::new(conventions::subject(line.convention), event));
            items.push(BulkItem::new(uai, "decided").with_id(view.convention_id).with_amount(view.amount));
        }
    }
    audit::record_all(tx, actor, &entries)?;
    if dry_run {
        tx.discard();
    }
    Ok(BulkView::of(items, LINE_OUTCOMES, dry_run))
}
