//! One digest over everything a convention was issued on, and whether it still holds.
//!
//! ```text
//!   issue ──▶ rows: convention (what never moves of it), paper, participation, lines ──▶ digest ──▶ convention_seals
//!   print, title ──▶ the same rows as they are now ──▶ digest, sums ──▶ differ: alarm
//! ```
//! The digest is over what is stored, text for text: a later version of the program that reads more or less in a JSON
//! column finds the same digest. A field is never taken out of [`Sealed`], nor its order changed.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Serialize;

use super::document;
use super::store::{ConventionRow, LineRow, ParticipationRow};
use crate::insert_batches;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId, ParticipationId};
use crate::kernel::{Instant, Money};
use crate::platform::db::blobs::digest;
use crate::platform::db::schema::{
    convention_seals as seals, convention_unsealed as unsealed, conventions, participation_lines, participations,
};
use crate::platform::papers;
use crate::platform::{Error, Outcome, Tx};
use crate::registry::kinds::SchoolKind;

#[derive(Insertable)]
#[diesel(table_name = seals, treat_none_as_default_value = false)]
pub(super) struct NewSeal {
    participation_id: ParticipationId,
    sha256: String,
}

/// What a paper is made of.
#[derive(Clone, Copy)]
pub(super) struct Printed<'a> {
    pub(super) input: &'a str,
    pub(super) template_sha256: &'a str,
}

/// What is sealed, in the order in which it is.
#[derive(Serialize)]
struct Sealed<'a> {
    convention: (ConventionId, CampaignId, CollectiviteId, i64, Option<&'a str>, &'a str, i64),
    party: (&'a str, &'a str),
    issue: (i64, Money, NaiveDate, &'a str, Instant),
    paper: (String, &'a str),
    participation: (ParticipationId, i64, Money, &'a str, &'a str, Instant),
    lines: Vec<SealedLine<'a>>,
}

#[derive(Serialize)]
struct SealedLine<'a> {
    place: (i64, &'a str),
    school: (&'a str, &'a str, SchoolKind, &'a str, &'a str, &'a str),
    amount: (i64, Option<Money>, Money, Option<&'a str>),
}

/// What of a convention's row is sealed; its JSON is text here, as stored.
#[derive(Queryable, Selectable)]
#[diesel(table_name = conventions)]
struct Issued {
    id: ConventionId,
    campaign_id: CampaignId,
    collectivite_id: CollectiviteId,
    sequence: i64,
    sequence_reason: Option<String>,
    number: String,
    number_rank: i64,
    party: String,
    party_siret: String,
    school_count: i64,
    total_cents: Money,
    ends_on: NaiveDate,
    issued_by: String,
    issued_at: Instant,
}

impl From<&ConventionRow> for Issued {
    fn from(c: &ConventionRow) -> Self {
        Self {
            id: c.id,
            campaign_id: c.campaign_id,
            collectivite_id: c.collectivite_id,
            sequence: c.sequence,
            sequence_reason: c.sequence_reason.clone(),
            number: c.number.clone(),
            number_rank: c.number_rank,
            party: c.party.text().to_owned(),
            party_siret: c.party_siret.to_string(),
            school_count: c.school_count,
            total_cents: c.total_cents,
            ends_on: c.ends_on,
            issued_by: c.issued_by.clone(),
            issued_at: c.issued_at,
        }
    }
}

/// One version of a participation, its JSON as stored.
#[derive(Queryable)]
struct Version {
    id: ParticipationId,
    convention_id: ConventionId,
    version: i64,
    total_cents: Money,
    tariff: String,
    steps: String,
    computed_at: Instant,
}

impl From<&ParticipationRow> for Version {
    fn from(p: &ParticipationRow) -> Self {
        Self {
            id: p.id,
            convention_id: p.convention_id,
            version: p.version,
            total_cents: p.total_cents,
            tariff: p.tariff.text().to_owned(),
            steps: p.steps.text().to_owned(),
            computed_at: p.computed_at,
        }
    }
}

fn seal(c: &Issued, paper: Printed<'_>, p: &Version, lines: &[&LineRow]) -> Outcome<String> {
    let sealed = Sealed {
        convention: (
            c.id,
            c.campaign_id,
            c.collectivite_id,
            c.sequence,
            c.sequence_reason.as_deref(),
            &c.number,
            c.number_rank,
        ),
        party: (&c.party, &c.party_siret),
        issue: (c.school_count, c.total_cents, c.ends_on, &c.issued_by, c.issued_at),
        paper: (digest(paper.input.as_bytes()), paper.template_sha256),
        participation: (p.id, p.version, p.total_cents, &p.tariff, &p.steps, p.computed_at),
        lines: lines
            .iter()
            .map(|l| SealedLine {
                place: (l.position, l.uai.as_str()),
                school: (
                    l.name.as_str(),
                    &l.label,
                    l.kind,
                    l.insee_code.as_str(),
                    l.commune_name.as_str(),
                    l.departement.as_str(),
                ),
                amount: (l.quantity, l.unit_amount_cents, l.amount_cents, l.waiver.as_deref()),
            })
            .collect(),
    };
    Ok(digest(&serde_json::to_vec(&sealed)?))
}

fn by_participation(lines: &[LineRow]) -> HashMap<ParticipationId, Vec<&LineRow>> {
    let mut grouped: HashMap<ParticipationId, Vec<&LineRow>> = HashMap::new();
    for line in lines {
        grouped.entry(line.participation_id).or_default().push(line);
    }
    grouped
}

/// The seals of conventions about to be stored; the rows of each come in the same order.
pub(super) fn seals(
    conventions: &[ConventionRow],
    papers: &[Printed<'_>],
    participations: &[ParticipationRow],
    lines: &[LineRow],
) -> Outcome<Vec<NewSeal>> {
    let lines = by_participation(lines);
    let rows = conventions.iter().zip(papers).zip(participations);
    rows.map(|((convention, paper), participation)| {
        let own = lines.get(&participation.id).map(Vec::as_slice).unwrap_or_default();
        let sha256 = seal(&convention.into(), *paper, &participation.into(), own)?;
        Ok(NewSeal { participation_id: participation.id, sha256 })
    })
    .collect()
}

/// One version of what a convention makes due, with all it is sealed with, as the rows are now.
struct Whole<'a> {
    convention: &'a Issued,
    paper: Option<Printed<'a>>,
    participation: &'a Version,
    lines: &'a [&'a LineRow],
    kept: Option<&'a String>,
}

/// Reads every version of some conventions again.
fn read(tx: &mut Tx<'_>, ids: &[ConventionId], mut look: impl FnMut(&Whole<'_>) -> Outcome<()>) -> Outcome<()> {
    for chunk in ids.chunks(500) {
        let issued: Vec<Issued> =
            conventions::table.filter(conventions::id.eq_any(chunk)).select(Issued::as_select()).load(tx.conn())?;
        let issued: HashMap<ConventionId, Issued> = issued.into_iter().map(|c| (c.id, c)).collect();
        let subjects: Vec<&str> = chunk.iter().map(ConventionId::as_str).collect();
        let papers = papers::frozen(tx, document::KIND, &subjects)?;
        let versions: Vec<Version> =
            participations::table.filter(participations::convention_id.eq_any(chunk)).load(tx.conn())?;
        let all: Vec<ParticipationId> = versions.iter().map(|p| p.id).collect();
        let kept: Vec<(ParticipationId, String)> =
            seals::table.filter(seals::participation_id.eq_any(&all)).load(tx.conn())?;
        let kept: HashMap<ParticipationId, String> = kept.into_iter().collect();
        let lines: Vec<LineRow> = participation_lines::table
            .filter(participation_lines::participation_id.eq_any(&all))
            .order((participation_lines::participation_id.asc(), participation_lines::position.asc()))
            .load(tx.conn())?;
        let lines = by_participation(&lines);
        for participation in &versions {
            let Some(convention) = issued.get(&participation.convention_id) else { continue };
            let paper = papers.get(convention.id.as_str());
            let paper = paper.map(|p| Printed { input: &p.input, template_sha256: &p.template_sha256 });
            look(&Whole {
                convention,
                paper,
                participation,
                lines: lines.get(&participation.id).map(Vec::as_slice).unwrap_or_default(),
                kept: kept.get(&participation.id),
            })?;
        }
    }
    Ok(())
}

impl Whole<'_> {
    fn falsified(&self, what: &str) -> Error {
        Error::falsified("convention", &self.convention.number, what)
    }

    /// The digest of the rows as they are now, if their sums hold.
    fn digest(&self) -> Outcome<String> {
        let Self { convention, participation, lines, .. } = self;
        let sum: Money = lines.iter().map(|l| l.amount_cents).sum();
        if sum != participation.total_cents {
            return Err(self.falsified("la somme des lignes n'est plus la participation émise"));
        }
        if participation.version == 1 && participation.total_cents != convention.total_cents {
            return Err(self.falsified("le total de la convention n'est plus la participation émise"));
        }
        let paper = self.paper.ok_or_else(|| self.falsified("ce que le document imprime n'est plus dans la base"))?;
        seal(convention, paper, participation, lines)
    }
}

/// Whether the rows still answer to their seal.
fn holds(whole: &Whole<'_>) -> Outcome<()> {
    let digest = whole.digest()?;
    let kept = whole.kept.ok_or_else(|| whole.falsified("la convention n'a plus son sceau"))?;
    if *kept == digest { Ok(()) } else { Err(whole.falsified("la convention n'est plus ce qui a été émis")) }
}

/// Whether some conventions are still what was issued: the seal of each version of their participation, and its sum.
///
/// # Errors
/// The first that is not.
pub(super) fn verify(tx: &mut Tx<'_>, ids: &[ConventionId]) -> Outcome<()> {
    read(tx, ids, holds)
}

/// Whether something issued before seals were kept awaits its own.
pub(super) fn any_unsealed(tx: &mut Tx<'_>) -> Outcome<bool> {
    Ok(diesel::select(diesel::dsl::exists(unsealed::table.select(unsealed::participation_id))).get_result(tx.conn())?)
}

/// Seals what was issued before seals were kept, as the migration that asks for seals found it; returns how many. What
/// does not add up stays without, and is an alarm whenever it is looked at.
pub(super) fn seal_unsealed(tx: &mut Tx<'_>) -> Outcome<usize> {
    let waiting: Vec<(ParticipationId, ConventionId)> = unsealed::table
        .inner_join(participations::table.on(participations::id.eq(unsealed::participation_id)))
        .select((participations::id, participations::convention_id))
        .load(tx.conn())?;
    let ids: Vec<ConventionId> = waiting.iter().map(|(_, convention)| *convention).collect();
    let waiting: HashSet<ParticipationId> = waiting.into_iter().map(|(id, _)| id).collect();
    if diesel::delete(unsealed::table).execute(tx.conn())? == 0 {
        // Another instance, started together, had them first.
        return Ok(0);
    }
    let mut new = Vec::new();
    read(tx, &ids, |whole| {
        let id = whole.participation.id;
        if waiting.contains(&id) && whole.kept.is_none() {
            match whole.digest() {
                Ok(sha256) => new.push(NewSeal { participation_id: id, sha256 }),
                Err(cause) => tracing::error!(%cause, "issued before seals were kept, and left without"),
            }
        }
        Ok(())
    })?;
    let sealed = new.len();
    insert_batches!(tx, seals::table, new);
    Ok(sealed)
}
