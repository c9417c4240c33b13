//! Conventions and participations, as answered.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::NaiveDate;
use serde::Serialize;

use super::convention::{Acknowledgement, Convention, ConventionState, Party, Signature, Stage};
use super::document;
use super::participation::ParticipationLine;
use super::store::{self, StoredParticipation};
use super::store_refusals::{self as refusals, Refusal};
use crate::campaigns::{Step, Tariff};
use crate::kernel::ids::{ConventionId, ParticipationId};
use crate::kernel::{Departement, Finding, Instant, Money, SchoolYear, Uai};
use crate::platform::papers::{self, DocumentStatus};
use crate::platform::{Outcome, Tx};

/// Une école de l'article 9.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ConventionLineView)]
pub struct LineView {
    pub uai: Uai,
    #[schema(example = "ECOLE ELEMENTAIRE PUBLIQUE CHARLES ODOYER")]
    pub label: String,
    #[schema(example = "Saint-Laurent-des-Arbres")]
    pub commune_name: String,
    pub departement: Departement,
    /// Unités comptées : 1 par école, ou ses élèves, ou ses classes.
    pub quantity: i64,
    /// Prix d'une unité ; null quand le montant n'est pas un produit (répartition, gratuité).
    pub unit_amount: Option<Money>,
    pub amount: Money,
    /// Pourquoi rien n'est dû pour cette école, le cas échéant.
    pub waiver: Option<String>,
}

impl From<&ParticipationLine> for LineView {
    fn from(line: &ParticipationLine) -> Self {
        Self {
            uai: line.school.uai.clone(),
            label: line.school.label.clone(),
            commune_name: line.school.commune_name.to_string(),
            departement: line.school.departement.clone(),
            quantity: line.amount.quantity,
            unit_amount: line.amount.unit_amount,
            amount: line.amount.amount,
            waiver: line.waiver.clone(),
        }
    }
}

/// Une signature enregistrée.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SignatureView {
    pub signed_on: NaiveDate,
    pub name: String,
    pub title: String,
    pub evidence: Option<String>,
}

impl From<&Signature> for SignatureView {
    fn from(s: &Signature) -> Self {
        Self {
            signed_on: s.on,
            name: s.name.to_string(),
            title: s.title.to_string(),
            evidence: s.evidence.as_ref().map(ToString::to_string),
        }
    }
}

/// Le refus de la collectivité.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RefusalView {
    pub declined_on: NaiveDate,
    /// Qui l'a dit pour elle.
    #[schema(example = "Sylvie BARRIEU VIGNAL, maire")]
    pub declined_by: String,
    pub reason: String,
    pub recorded_by: String,
    pub recorded_at: Instant,
}

impl From<&Refusal> for RefusalView {
    fn from(r: &Refusal) -> Self {
        Self {
            declined_on: r.on,
            declined_by: r.by.to_string(),
            reason: r.reason.to_string(),
            recorded_by: r.recorded_by.clone(),
            recorded_at: r.recorded_at,
        }
    }
}

/// Le document PDF.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ConventionDocumentView)]
pub struct DocumentView {
    pub status: DocumentStatus,
    pub sha256: Option<String>,
}

/// Une convention.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ConventionView {
    pub id: ConventionId,
    #[schema(example = "ENT-C-2025-2026-00001")]
    pub number: String,
    pub status: ConventionState,
    pub campaign: SchoolYear,
    pub sequence: i64,
    pub sequence_reason: Option<String>,
    pub collectivite: Party,
    pub total: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub lines: Vec<LineView>,
    pub signature: Option<SignatureView>,
    pub countersignature: Option<SignatureView>,
    /// Jour de la dernière signature.
    pub took_effect_on: Option<NaiveDate>,
    pub ends_on: NaiveDate,
    pub cancellation_reason: Option<String>,
    /// Le refus de la collectivité, tant qu'il tient.
    pub refusal: Option<RefusalView>,
    pub acknowledged: Vec<Acknowledgement>,
    pub document: DocumentView,
    /// Constats ; seulement sur la lecture d'une seule convention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
    pub issued_by: String,
    pub issued_at: Instant,
    pub version: i64,
    pub updated_at: Instant,
}

impl ConventionView {
    /// Fields left out when there is nothing to say; every other field is always there, null or not.
    pub const SOMETIMES: &[&str] = &["findings"];
}

fn view(
    c: Convention,
    campaign: SchoolYear,
    lines: Vec<LineView>,
    refusal: Option<&Refusal>,
    document: DocumentView,
) -> ConventionView {
    let (signed, effect, reason) = match &c.stage {
        Stage::Issued => (None, None, None),
        Stage::Signed(signed) => (Some(signed), None, None),
        Stage::Active(effect) | Stage::Expired(effect, _) => (Some(&effect.signed), Some(effect), None),
        Stage::Declined { signed, .. } => (signed.as_ref(), None, None),
        Stage::Cancelled { signed, effect, reason, .. } => (signed.as_ref(), effect.as_ref(), Some(reason.to_string())),
    };
    ConventionView {
        id: c.id,
        status: c.state(),
        campaign,
        sequence: c.sequence,
        sequence_reason: c.sequence_reason.clone(),
        total: c.total,
        currency: "EUR",
        lines,
        signature: signed.map(Into::into),
        countersignature: effect.map(|e| (&e.countersigned).into()),
        took_effect_on: effect.map(|e| e.took_effect_on),
        ends_on: c.ends_on,
        cancellation_reason: reason,
        refusal: refusal.map(Into::into),
        document,
        findings: None,
        issued_by: c.issued_by.clone(),
        issued_at: c.issued_at,
        version: c.version,
        updated_at: c.updated_at,
        acknowledged: c.acknowledged,
        collectivite: c.party,
        number: c.number,
    }
}

/// Views of some conventions, with their lines.
pub(super) fn views(tx: &mut Tx<'_>, conventions: Vec<Convention>) -> Outcome<Vec<ConventionView>> {
    let ids: Vec<ConventionId> = conventions.iter().map(|c| c.id).collect();
    let latest: HashMap<ConventionId, ParticipationId> = store::latest_participation_ids(tx, &ids)?;
    let participation_ids: Vec<ParticipationId> = latest.values().copied().collect();
    let mut lines: HashMap<ParticipationId, Vec<LineView>> = HashMap::new();
    for (id, line) in store::lines(tx, &participation_ids)? {
        lines.entry(id).or_default().push(LineView::from(&line));
    }
    let declined = |c: &&Convention| c.state() == ConventionState::Declined;
    let declined: Vec<ConventionId> = conventions.iter().filter(declined).map(|c| c.id).collect();
    let refusals = refusals::standing(tx, &declined)?;
    let subjects: Vec<&str> = ids.iter().map(ConventionId::as_str).collect();
    let mut documents = papers::states(tx, document::KIND, &subjects)?;
    let mut years: HashMap<_, SchoolYear> = HashMap::new();
    for c in &conventions {
        if let Entry::Vacant(slot) = years.entry(c.campaign_id) {
            slot.insert(crate::campaigns::school_year(tx, c.campaign_id)?);
        }
    }
    Ok(conventions
        .into_iter()
        .filter_map(|c| {
            let year = years.get(&c.campaign_id)?.clone();
            let own = latest.get(&c.id).and_then(|p| lines.remove(p)).unwrap_or_default();
            let refusal = refusals.get(&c.id);
            let paper = documents.remove(c.id.as_str())?;
            let document = DocumentView { status: paper.status, sha256: paper.sha256 };
            Some(view(c, year, own, refusal, document))
        })
        .collect())
}

/// The full view of one convention, with its findings.
pub(super) fn detail(tx: &mut Tx<'_>, convention: Convention) -> Outcome<ConventionView> {
    let id = convention.id;
    let mut view = views(tx, vec![convention.clone()])?
        .pop()
        .ok_or_else(|| crate::kernel::Refused::not_found("Convention", id))?;
    let uais: Vec<Uai> = view.lines.iter().map(|l| l.uai.clone()).collect();
    view.findings = Some(super::actions::findings_about(tx, &convention, &uais)?);
    Ok(view)
}

/// Ce qu'une convention rend exigible, et pourquoi.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ParticipationView {
    pub convention_id: ConventionId,
    pub number: String,
    /// 1 à l'émission, +1 par avenant.
    pub version: i64,
    pub tariff: Tariff,
    pub total: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub lines: Vec<LineView>,
    /// Chaque étape du calcul et l'article qui la fonde.
    pub steps: Vec<Step>,
    pub computed_at: Instant,
}

impl ParticipationView {
    /// A participation with its lines, of the convention that has this number.
    #[must_use]
    pub fn of(number: &str, found: &StoredParticipation, lines: &[ParticipationLine]) -> Self {
        Self {
            convention_id: found.convention_id,
            number: number.to_owned(),
            version: found.version,
            tariff: found.tariff.clone(),
            total: found.total,
            currency: "EUR",
            lines: lines.iter().map(Into::into).collect(),
            steps: found.steps.clone(),
            computed_at: found.computed_at,
        }
    }
}
