//! What an approval freezes besides the words of its paper: the figures, who owes them, and why. Pure.
//!
//! ```text
//!   approve ──▶ content = paper's words + settlement, in papers; its digest in title_approvals (frozen)
//!                                        │
//!   seal, print, read ◀── digest, sum of lines, reference, approver, row: all compared again ── any differs: alarm
//! ```
//! Sealing takes every figure from here, never from the row, which moves. An approval of before settlements were frozen
//! is held to what its paper prints: the digest of reference, convention, SIRET, amount and lines, and the debtor.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::TitlePaper;
use super::paper;
use super::title::{Reference, Title, TitleKind, TitleLine};
use crate::access::Signatory;
use crate::claims::{Debtor, Ground};
use crate::kernel::ids::{CollectiviteId, ConventionId, ParticipationId, UserId};
use crate::kernel::{Instant, Money};
use crate::platform::db::blobs::digest;
use crate::platform::documents;

/// What was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    pub reference: String,
    pub exercice: i64,
    pub convention_id: ConventionId,
    pub participation_id: ParticipationId,
    pub debtor_id: CollectiviteId,
    pub kind: TitleKind,
    pub debtor: Debtor,
    pub ground: Ground,
    pub lines: Vec<TitleLine>,
    pub amount: Money,
    pub small_claim: bool,
    pub prepared_by: String,
    pub prepared_at: Instant,
    pub approved_by: Signatory,
    pub approved_on: NaiveDate,
    /// Absent of approvals of before it was frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Given>,
}

/// What of an approval its paper does not print: whose account, the instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub user: UserId,
    pub at: Instant,
}

/// The approval as stored, beside which the title moves.
#[derive(Debug, Clone, Copy)]
pub struct Stored<'a> {
    pub reference: &'a str,
    pub exercice: i64,
    pub approver: &'a Signatory,
    pub approved_on: NaiveDate,
    pub approved_by: UserId,
    pub approved_at: Instant,
    pub content: &'a str,
    pub content_sha256: &'a str,
}

/// What an approval keeps as its content: the input of the paper's template, and the settlement.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(flatten)]
    paper: Value,
    settlement: &'a Settlement,
}

/// What of a content is read again.
#[derive(Deserialize)]
struct Read {
    settlement: Option<Settlement>,
    digest: Option<String>,
    total: String,
    debtor: Printed,
}

#[derive(Deserialize)]
struct Printed {
    name: String,
    address: String,
    substitution: Option<String>,
}

impl Settlement {
    /// The settlement of a title as its row has it.
    #[must_use]
    pub fn of(title: &Title, lines: Vec<TitleLine>, reference: &Reference, by: &Signatory, on: NaiveDate) -> Self {
        Self {
            reference: reference.text.clone(),
            exercice: reference.exercice,
            convention_id: title.convention_id,
            participation_id: title.participation_id,
            debtor_id: title.debtor_id,
            kind: title.kind,
            debtor: title.debtor.clone(),
            ground: title.ground.clone(),
            lines,
            amount: title.amount,
            small_claim: title.small_claim,
            prepared_by: title.prepared_by_label.clone(),
            prepared_at: title.prepared_at,
            approved_by: by.clone(),
            approved_on: on,
            given: None,
        }
    }

    /// Whether the lines make the amount.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        adds_up(self.amount, &self.lines)
    }

    /// The content of an approval.
    ///
    /// # Errors
    /// Never for these types.
    pub fn content(&self, paper: &TitlePaper) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Written { paper: documents::frozen(paper)?, settlement: self })
    }
}

/// Whether some lines make an amount.
#[must_use]
pub fn adds_up(amount: Money, lines: &[TitleLine]) -> bool {
    lines.iter().map(|l| l.amount).sum::<Money>() == amount
}

/// What was approved, once everything that says so agrees: the content and its digest, the lines and their sum, the
/// approval's own columns, and the title's row.
///
/// # Errors
/// What disagrees, in French.
pub fn verified(stored: Stored<'_>, title: &Title, lines: &[TitleLine]) -> Result<Settlement, &'static str> {
    if digest(stored.content.as_bytes()) != stored.content_sha256 {
        return Err("le contenu approuvé n'a plus son empreinte");
    }
    let reference = title.reference().ok_or("le titre approuvé n'a plus sa référence")?;
    let given = Given { user: stored.approved_by, at: stored.approved_at };
    let row = Settlement::of(title, lines.to_vec(), reference, stored.approver, stored.approved_on);
    let mut row = Settlement { given: Some(given), ..row };
    // Text for text what was approved, as all of them are but those that another version of the program wrote.
    let same = serde_json::to_string(&row).is_ok_and(|text| {
        let rest = stored.content.strip_suffix('}').and_then(|content| content.strip_suffix(text.as_str()));
        rest.is_some_and(|rest| rest.ends_with(r#""settlement":"#))
    });
    if same && row.adds_up() && (stored.reference, stored.exercice) == (row.reference.as_str(), row.exercice) {
        return Ok(row);
    }
    let read: Read = serde_json::from_str(stored.content).map_err(|_| "le contenu approuvé ne se lit plus")?;
    let approved = match read.settlement {
        Some(settlement) => settlement,
        None if Some(paper::settlement_digest(title, reference, lines)) != read.digest
            || !printed_alike(title, &read) =>
        {
            return Err("le titre n'est plus celui dont le contenu a été approuvé");
        }
        None => Settlement { given: None, ..row.clone() },
    };
    if approved.given.is_none() {
        row.given = None;
    }
    if !approved.adds_up() {
        return Err("la somme des lignes n'est plus le montant approuvé");
    }
    let differs = [
        (approved.amount != row.amount, "le montant du titre n'est plus celui qui a été approuvé"),
        (approved.lines != row.lines, "les lignes du titre ne sont plus celles qui ont été approuvées"),
        (
            (approved.debtor_id, &approved.debtor) != (row.debtor_id, &row.debtor),
            "le débiteur du titre n'est plus celui qui a été approuvé",
        ),
        (
            (stored.reference, stored.exercice) != (approved.reference.as_str(), approved.exercice)
                || (&approved.reference, approved.exercice) != (&row.reference, row.exercice),
            "la référence du titre n'est plus celle qui a été approuvée",
        ),
        (
            (&approved.approved_by, approved.approved_on, &approved.given)
                != (&row.approved_by, row.approved_on, &row.given),
            "l'approbation n'est plus celle qui a été donnée",
        ),
        (approved != row, "le titre n'est plus celui qui a été approuvé"),
    ];
    match differs.iter().find(|(differs, _)| *differs) {
        Some((_, what)) => Err(what),
        None => Ok(approved),
    }
}

fn printed_alike(title: &Title, read: &Read) -> bool {
    let debtor = paper::debtor(&title.debtor);
    (&debtor.name, &debtor.address, &debtor.substitution)
        == (&read.debtor.name, &read.debtor.address, &read.debtor.substitution)
        && paper::total(title) == read.total
}
