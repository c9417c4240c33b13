//! Sealing: approved titles become a batch whose files never change.
//!
//! ```text
//!   what was approved ─▶ one exercice ─▶ number ─▶ rows ─▶ CSV and JSON bytes ─▶ blobs, batch, titles transmitted
//! ```
//! Every figure, name and date comes from the frozen content of the approvals; one that disagrees with its title stops the
//! sealing whole, with an alarm.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::batch::{Batch, BatchFile, BatchNature, BatchNumber, BatchStage, FileFormat};
use super::codes::{EXERCICE_REQUIRED, NOTHING_TO_SEAL, SEALER_UNKNOWN};
use super::events::{self, BatchEvent};
use super::sheet::{self, Cell, Row};
use super::store;
use crate::access::Signatory;
use crate::audit;
use crate::campaigns::texts::{CampaignTexts, ComptableAssignataire, ComptableRecouvrement, Imputation};
use crate::campaigns::{self, Campaign};
use crate::claims::{Debtor, Ground};
use crate::kernel::ids::{BatchId, TitleId};
use crate::kernel::{Actor, FieldError, Instant, Money, Refused, SchoolYear, french};
use crate::platform::db::{blobs, counters};
use crate::platform::{Error, Outcome, Tx};
use crate::titles::{self, Approved, Settlement, TitleLine};

/// Sceller les titres approuvés d'une campagne.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SealRequest)]
pub struct Seal {
    pub campaign: SchoolYear,
    /// Exercice ; nécessaire seulement quand des titres de plusieurs exercices attendent.
    #[serde(default)]
    #[schema(minimum = 2000, maximum = 2099)]
    pub exercice: Option<i64>,
}

/// Seals.
pub fn seal(tx: &mut Tx<'_>, actor: &Actor, request: &Seal) -> Outcome<Batch> {
    let sealer = actor
        .user()
        .ok_or_else(|| Refused::new(&SEALER_UNKNOWN, "Sceller un bordereau demande un compte nominatif."))?;
    let campaign = campaigns::find_and_hold(tx, &request.campaign)?;
    let exercice = one_exercice(&titles::exercices_awaiting_batch(tx, campaign.id)?, request.exercice)?;
    // The same lock as approvals': none is added or withdrawn while the batch is written.
    counters::lock(tx, &format!("title:{exercice}"))?;
    let entered = titles::awaiting_batch(tx, campaign.id, exercice)?;
    if entered.is_empty() {
        return Err(Refused::new(&NOTHING_TO_SEAL, "Aucun titre approuvé n'attend de bordereau.").into());
    }
    let rank = counters::take(tx, &format!("batch:{exercice}"), 1)?;
    let texts = campaign.said.texts.clone().ok_or_else(|| Error::Incident("open campaign without texts".into()))?;
    let batch = Batch {
        id: BatchId::new(tx.uuid()),
        number: BatchNumber::of(exercice, rank),
        rank,
        campaign_id: campaign.id,
        exercice,
        nature: BatchNature::Issue,
        comptable: texts.comptable_assignataire.name.clone(),
        count: i64::try_from(entered.len()).unwrap_or(i64::MAX),
        total: entered.iter().map(|e| e.settlement.amount).sum(),
        content_sha256: content_digest(entered.iter().map(|e| (&e.settlement.reference, &e.content_sha256))),
        sealed_by_label: actor.label.clone(),
        sealed_at: tx.now(),
        stage: BatchStage::Sealed,
        version: 1,
        updated_at: tx.now(),
    };
    let rows: Vec<Row> = entered.iter().map(|e| row(&e.settlement, &batch, &texts)).collect();
    let csv = sheet::csv(&rows)?;
    let json = serde_json::to_vec(&machine_file(&entered, &batch, &campaign, &texts))?;
    let mut files = Vec::new();
    for (format, bytes) in [(FileFormat::Csv, csv), (FileFormat::Json, json)] {
        let sha256 = blobs::put(tx, format.media_type(), &bytes)?;
        files.push(BatchFile { format, sha256, length: i64::try_from(bytes.len()).unwrap_or(i64::MAX) });
    }
    let ids: Vec<TitleId> = entered.iter().map(|e| e.title_id).collect();
    store::insert(tx, &batch, sealer, &ids, &files)?;
    let sealed = BatchEvent::Sealed { count: entered.len(), total: batch.total, sha256: batch.content_sha256.clone() };
    audit::record(tx, actor, events::of(&batch), sealed)?;
    titles::transmit(tx, actor, campaign.id, (batch.id, batch.number.as_str()), &entered)?;
    Ok(batch)
}

/// The exercice to seal: the one asked for, or the only one waiting.
fn one_exercice(years: &BTreeSet<i64>, asked: Option<i64>) -> Result<i64, Refused> {
    match (asked, years.len(), years.first()) {
        (Some(year), ..) if years.contains(&year) => Ok(year),
        (None, 1, Some(year)) => Ok(*year),
        (None, n, Some(_)) if n > 1 => {
            let list = years.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let message = format!("Des titres de plusieurs exercices attendent : {list}.");
            let mut refused = Refused::new(&EXERCICE_REQUIRED, message.clone());
            refused.errors.push(FieldError {
                pointer: "/exercice".into(),
                code: "exercice_required".into(),
                message,
                value: None,
            });
            Err(refused)
        }
        _ => Err(Refused::new(&NOTHING_TO_SEAL, "Aucun titre approuvé n'attend de bordereau.")),
    }
}

/// What the batch vouches for: each reference with the digest of its frozen content, in order.
pub(super) fn content_digest<'a>(titles: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let list: String = titles.map(|(reference, sha256)| format!("{reference} {sha256}\n")).collect();
    blobs::digest(list.as_bytes())
}

fn subject(title: &Settlement) -> String {
    format!("Participation au financement de l'ENT-école, année scolaire {}", title.ground.school_year)
}

fn basis(title: &Settlement) -> String {
    format!(
        "Convention n° {} signée le {}, art. 4",
        title.ground.convention_number,
        french::date_short(title.ground.took_effect_on)
    )
}

fn row(title: &Settlement, batch: &Batch, texts: &CampaignTexts) -> Row {
    let debtor = &title.debtor;
    let imputation = &texts.imputation;
    let charged = || title.lines.iter().filter(|l| l.waiver.is_none());
    let units: i64 = charged().map(|l| l.quantity).sum();
    // The price when the amount is units × price; blank rather than wrong otherwise (tiers, minimum, cap, flat).
    let prices: BTreeSet<Option<Money>> = charged().map(|l| l.unit_amount).collect();
    let price = if prices.len() == 1 { prices.first().copied().flatten() } else { None };
    let name = match &debtor.substitution {
        Some(substitution) => format!("{}, {substitution}", debtor.name),
        None => debtor.name.clone(),
    };
    [
        Cell::Identifier(title.reference.clone()),
        Cell::Identifier(batch.number.to_string()),
        Cell::Count(batch.exercice),
        Cell::Text(title.ground.school_year.to_string()),
        Cell::Text(debtor.kind.to_string()),
        Cell::Text(name),
        Cell::Identifier(debtor.siret.to_string()),
        Cell::identifier(debtor.chorus.third_party_number.as_ref()),
        Cell::text(debtor.address.line1.as_ref()),
        Cell::text(debtor.address.line2.as_ref()),
        Cell::identifier(debtor.address.postal_code.as_ref()),
        Cell::text(debtor.address.city.as_ref().map(ToString::to_string).or_else(|| debtor.town.clone())),
        Cell::identifier(debtor.chorus.service_code.as_ref()),
        Cell::identifier(debtor.chorus.commitment_number.as_ref()),
        Cell::Text(subject(title)),
        Cell::Text(basis(title)),
        Cell::Blank,
        Cell::Text(title.ground.legal_basis.clone()),
        Cell::Count(units),
        price.map_or(Cell::Blank, Cell::Amount),
        Cell::Amount(title.amount),
        Cell::Blank,
        Cell::Date(title.ground.took_effect_on),
        Cell::identifier(imputation.domaine_fonctionnel.as_ref()),
        Cell::identifier(imputation.centre_financier.as_ref()),
        Cell::identifier(imputation.centre_couts.as_ref()),
        Cell::identifier(imputation.activite.as_ref()),
        Cell::identifier(imputation.compte_general.as_ref()),
        Cell::identifier(imputation.groupe_marchandises.as_ref()),
        Cell::identifier(imputation.fonds.as_ref()),
        Cell::Text(texts.comptable_assignataire.name.clone()),
        Cell::Text(recovery(texts).to_owned()),
        Cell::Text(title.approved_by.name.clone()),
        Cell::Text(title.approved_by.capacity.clone()),
        Cell::Text(format!("convention n° {}", title.ground.convention_number)),
    ]
}

fn recovery(texts: &CampaignTexts) -> &str {
    texts.comptable_recouvrement.name.as_deref().unwrap_or(&texts.comptable_recouvrement.rule)
}

/// The same content for machines: raw digits, amounts as strings with a point, dates in ISO.
#[derive(Serialize)]
struct MachineFile<'b> {
    format: &'static str,
    number: &'b BatchNumber,
    campaign: &'b SchoolYear,
    exercice: i64,
    nature: BatchNature,
    comptable_assignataire: &'b ComptableAssignataire,
    comptable_recouvrement: &'b ComptableRecouvrement,
    imputation: &'b Imputation,
    count: i64,
    total: Money,
    currency: &'static str,
    content_sha256: &'b str,
    sealed_at: Instant,
    sealed_by: &'b str,
    titles: Vec<MachineTitle<'b>>,
}

#[derive(Serialize)]
struct MachineTitle<'b> {
    reference: &'b str,
    content_sha256: &'b str,
    debtor: &'b Debtor,
    subject: String,
    ground: &'b Ground,
    lines: &'b [TitleLine],
    amount: Money,
    small_claim: bool,
    prepared_by: &'b str,
    approved_by: &'b Signatory,
    approved_on: NaiveDate,
}

fn machine_file<'b>(
    entered: &'b [Approved],
    batch: &'b Batch,
    campaign: &'b Campaign,
    texts: &'b CampaignTexts,
) -> MachineFile<'b> {
    let title = |e: &'b Approved| MachineTitle {
        reference: &e.settlement.reference,
        content_sha256: &e.content_sha256,
        debtor: &e.settlement.debtor,
        subject: subject(&e.settlement),
        ground: &e.settlement.ground,
        lines: &e.settlement.lines,
        amount: e.settlement.amount,
        small_claim: e.settlement.small_claim,
        prepared_by: &e.settlement.prepared_by,
        approved_by: &e.settlement.approved_by,
        approved_on: e.settlement.approved_on,
    };
    MachineFile {
        format: "ent-backoffice/accounting-batch/1",
        number: &batch.number,
        campaign: &campaign.said.school_year,
        exercice: batch.exercice,
        nature: batch.nature,
        comptable_assignataire: &texts.comptable_assignataire,
        comptable_recouvrement: &texts.comptable_recouvrement,
        imputation: &texts.imputation,
        count: batch.count,
        total: batch.total,
        currency: "EUR",
        content_sha256: &batch.content_sha256,
        sealed_at: batch.sealed_at,
        sealed_by: &batch.sealed_by_label,
        titles: entered.iter().map(title).collect(),
    }
}
