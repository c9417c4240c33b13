//! Titles, as answered.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::approved::verified;
use super::document;
use super::store;
use super::title::{Return, Stage, Title, TitleKind, TitleLine, TitleState, Word};
use crate::access::Signatory;
use crate::claims::Debtor;
use crate::kernel::ids::{ConventionId, TitleId};
use crate::kernel::{Finding, Instant, Money, SchoolYear};
use crate::platform::papers::{self, DocumentStatus};
use crate::platform::{Outcome, Tx};
use crate::text_enum;

/// Un titre : notre liquidation et demande d'émission.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TitleView {
    pub id: TitleId,
    #[schema(example = "ENT-T-2025-000001")]
    pub reference: Option<String>,
    pub status: TitleState,
    pub kind: TitleKind,
    pub exercice: Option<i64>,
    pub campaign: SchoolYear,
    pub convention_id: ConventionId,
    pub convention_number: String,
    pub debtor: Debtor,
    pub amount: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub lines: Vec<TitleLine>,
    /// Bases de liquidation (décret 2012-1246, art. 24).
    pub legal_basis: String,
    /// Sous le seuil d'émission (décret 2012-1246, art. 114).
    pub small_claim: bool,
    pub flagged: bool,
    pub threshold: Money,
    pub findings: Vec<Finding>,
    pub prepared_by: String,
    pub prepared_at: Instant,
    pub approved_by: Option<Signatory>,
    pub approved_on: Option<NaiveDate>,
    pub withdrawal_reason: Option<String>,
    /// Le dernier retour de l'ordonnateur à qui prépare, et comment le titre a été présenté de nouveau.
    pub returned: Option<ReturnView>,
    pub batch_number: Option<String>,
    /// Numéro du titre dans Chorus, une fois le retour lu.
    pub chorus_number: Option<String>,
    pub document: DocumentView,
    pub version: i64,
    pub updated_at: Instant,
}

/// Ce qu'une personne a dit d'un titre.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct WordView {
    pub by: String,
    pub at: Instant,
    pub reason: String,
}

impl From<Word> for WordView {
    fn from(w: Word) -> Self {
        Self { by: w.by_label, at: w.at, reason: w.reason.to_string() }
    }
}

/// Un retour à qui prépare.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ReturnView {
    pub by: String,
    pub at: Instant,
    pub reason: String,
    /// Null tant que le titre reste rendu.
    pub resubmitted: Option<WordView>,
}

impl From<Return> for ReturnView {
    fn from(r: Return) -> Self {
        let WordView { by, at, reason } = r.said.into();
        Self { by, at, reason, resubmitted: r.resubmitted.map(Into::into) }
    }
}

text_enum!(
    /// Si le document existe.
    TitleDocument { None => "none", Pending => "pending", Ready => "ready", Failed => "failed", Falsified => "falsified" }
);

impl From<DocumentStatus> for TitleDocument {
    fn from(status: DocumentStatus) -> Self {
        match status {
            DocumentStatus::Pending => Self::Pending,
            DocumentStatus::Ready => Self::Ready,
            DocumentStatus::Failed => Self::Failed,
            DocumentStatus::Falsified => Self::Falsified,
        }
    }
}

/// Le document PDF : `none` avant l'approbation.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = TitleDocumentView)]
pub struct DocumentView {
    pub status: TitleDocument,
    pub sha256: Option<String>,
}

/// Views of some titles, with lines and approvals.
pub(super) fn views(tx: &mut Tx<'_>, titles: Vec<Title>) -> Outcome<Vec<TitleView>> {
    let ids: Vec<TitleId> = titles.iter().map(|t| t.id).collect();
    let mut lines: HashMap<TitleId, Vec<TitleLine>> = HashMap::new();
    for (id, line) in store::lines(tx, &ids)? {
        lines.entry(id).or_default().push(line);
    }
    let subjects: Vec<&str> = ids.iter().map(TitleId::as_str).collect();
    let mut papers = papers::states(tx, document::KIND, &subjects)?;
    let mut approvals: HashMap<TitleId, _> =
        store::approvals_in_short(tx, &ids)?.into_iter().map(|a| (a.title_id, a)).collect();
    Ok(titles
        .into_iter()
        .map(|t| {
            let approval = approvals.remove(&t.id);
            let (document, sha256) = match papers.remove(t.id.as_str()) {
                Some(paper) => (paper.status.into(), paper.sha256),
                None => (TitleDocument::None, None),
            };
            let (status, reference) = (t.state(), t.reference().cloned());
            let (batch_number, withdrawal_reason) = match &t.stage {
                Stage::Transmitted(_, _, number) => (Some(number.clone()), None),
                Stage::Withdrawn { reason, .. } => (None, Some(reason.to_string())),
                _ => (None, None),
            };
            TitleView {
                id: t.id,
                status,
                exercice: reference.as_ref().map(|r| r.exercice),
                reference: reference.map(|r| r.text),
                kind: t.kind,
                campaign: t.ground.school_year,
                convention_id: t.convention_id,
                convention_number: t.ground.convention_number,
                debtor: t.debtor,
                amount: t.amount,
                currency: "EUR",
                lines: lines.remove(&t.id).unwrap_or_default(),
                legal_basis: t.ground.legal_basis,
                small_claim: t.small_claim,
                flagged: t.flagged,
                threshold: t.threshold,
                findings: t.findings,
                prepared_by: t.prepared_by_label,
                prepared_at: t.prepared_at,
                approved_on: approval.as_ref().map(|a| a.approved_on),
                approved_by: approval.map(|a| a.approver),
                withdrawal_reason,
                returned: t.returned.map(Into::into),
                batch_number,
                chorus_number: None,
                document: DocumentView { status: document, sha256 },
                version: t.version,
                updated_at: t.updated_at,
            }
        })
        .collect())
}

/// The view of one title; one that was approved is shown as approved, or not at all.
pub(super) fn detail(tx: &mut Tx<'_>, title: Title) -> Outcome<TitleView> {
    if title.reference().is_some() {
        verified(tx, std::slice::from_ref(&title))?;
    }
    let id = title.id;
    Ok(views(tx, vec![title])?.pop().ok_or_else(|| crate::kernel::Refused::not_found("Titre", id))?)
}
