//! Bulk issue: one convention per payer with at least one enrolled school. Decision first, writing after.
//!
//! ```text
//!   enrolments + schools + payers ──group──▶ payer → schools ──decide──▶ issued | already_issued | refused …
//!                                                                └─▶ numbers in order ─▶ batches, one transaction
//! ```
//! One bad payer never stops the rest; what is accepted is written all or none. A payer who declined, or whose convention
//! was cancelled, is issued to again only when named: a person's no outlives every act in number.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::convention::{Convention, ConventionState, Party, Stage, number};
use super::events::{self, ConventionEvent};
use super::paper;
use super::participation::{Counts, ListedSchool, Participation, compute};
use super::payers::{self, PayerSelection, Payers};
use super::printing::PAPER;
use super::store::{self, Issued};
use crate::audit::{self, Entry};
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView};
use crate::campaigns::{self, Campaign, Defaults, Enrolment, Exemption, SmallClaimsForecast, Tariff};
use crate::kernel::ids::{CollectiviteId, ConventionId, ParticipationId};
use crate::kernel::placeholder::is_blank;
use crate::kernel::refused::CONCURRENT_CHANGE;
use crate::kernel::text::fold;
use crate::kernel::{Actor, Finding, Refused, SchoolYear, Uai};
use crate::platform::db::counters;
use crate::platform::papers::{self, NewPaper, Templates};
use crate::platform::{Outcome, Tx, documents};
use crate::registry::{self, Collectivite};

/// Request of a bulk issue: absent `filter` and `keys` (SIRET) mean every payer.
pub type Issue = BulkRequest<PayerSelection>;

/// A payer's enrolled schools, told apart by whether a living convention covers them.
#[derive(Default)]
struct Share {
    waiting: Vec<(ListedSchool, Counts)>,
    covered: usize,
}

struct Landscape {
    payers: HashMap<CollectiviteId, Collectivite>,
    shares: BTreeMap<CollectiviteId, Share>,
    orphans: Vec<Uai>,
}

/// Groups the campaign's enrolments by who pays for the school that year.
fn landscape(tx: &mut Tx<'_>, campaign: &Campaign) -> Outcome<Landscape> {
    let enrolments: Vec<Enrolment> = campaigns::enrolments(tx, campaign.id)?;
    let uais: Vec<Uai> = enrolments.iter().map(|e| e.uai.clone()).collect();
    let schools: HashMap<Uai, _> =
        registry::schools_by_uai(tx, &uais)?.into_iter().map(|s| (s.said.uai.clone(), s)).collect();
    let periods = registry::payers(tx)?;
    let payers = registry::collectivites(tx)?;
    let mut shares: BTreeMap<CollectiviteId, Share> = BTreeMap::new();
    let mut orphans = Vec::new();
    for enrolment in enrolments {
        let payer = periods.get(&enrolment.uai).and_then(|p| registry::payer_for_year(p, &campaign.said.school_year));
        match (payer, schools.get(&enrolment.uai)) {
            (Some(period), Some(school)) => {
                let share = shares.entry(period.collectivite_id).or_default();
                if enrolment.convention_id.is_some() {
                    share.covered += 1;
                } else {
                    share.waiting.push((paper::listed(school), Counts::from(school)));
                }
            }
            _ if enrolment.convention_id.is_none() => orphans.push(enrolment.uai),
            _ => {}
        }
    }
    for share in shares.values_mut() {
        share.waiting.sort_by_cached_key(|(s, _)| (fold(s.commune_name.as_str()), s.label.clone(), s.uai.clone()));
    }
    Ok(Landscape { payers, shares, orphans })
}

pub(super) fn party(c: &Collectivite) -> Party {
    Party {
        siret: c.said.siret.clone(),
        kind: c.said.kind,
        name: c.said.name.clone(),
        insee_code: c.said.insee_code.clone(),
        departement: c.departement.clone(),
        address: c.said.address.clone(),
        representative: c.said.representative.clone(),
        chorus: c.said.chorus.clone(),
    }
}

/// What of a payer is still to be written, and would be printed on the convention.
fn placeholders(payer: &Collectivite) -> Vec<Finding> {
    let (said, address, who) = (&payer.said, &payer.said.address, &payer.said.representative);
    [
        ("name", Some(&said.name)),
        ("address.line1", address.line1.as_ref()),
        ("address.line2", address.line2.as_ref()),
        ("address.city", address.city.as_ref()),
        ("representative.first_name", who.first_name.as_ref()),
        ("representative.last_name", who.last_name.as_ref()),
        ("representative.title", who.title.as_ref()),
    ]
    .into_iter()
    .filter_map(|(field, text)| text.filter(|t| is_blank(t.as_str())).map(|t| (field, t)))
    .map(|(field, text)| {
        let message = format!("Le champ « {field} » de la collectivité est encore à écrire : il serait imprimé.");
        let mut finding = Finding::blocking("placeholder_text", message);
        finding.found = Some(text.to_string());
        finding
    })
    .collect()
}

/// What stands for a payer in this campaign already.
#[derive(Default, Clone)]
struct Before {
    live: Option<(ConventionId, String)>,
    last_sequence: i64,
    last_number: Option<String>,
    /// The no that stands: nothing was issued since.
    ended: Option<Ended>,
}

/// A convention a person put an end to.
#[derive(Clone)]
struct Ended {
    id: ConventionId,
    outcome: &'static str,
    finding: Finding,
}

impl Ended {
    fn of(c: &Convention) -> Option<Self> {
        let (outcome, code, message) = match &c.stage {
            Stage::Declined { on, reason, .. } => {
                ("declined", "declined_before", format!("La collectivité a refusé {} le {on} : {reason}", c.number))
            }
            Stage::Cancelled { on, reason, .. } => (
                "cancelled",
                "cancelled_before",
                format!("La convention {} a été annulée le {on} : {reason}", c.number),
            ),
            _ => return None,
        };
        let mut finding = Finding::to_acknowledge(code, message);
        finding.found = Some(c.number.clone());
        Some(Self { id: c.id, outcome, finding })
    }
}

fn before(conventions: &[Convention]) -> HashMap<CollectiviteId, Before> {
    let mut known: HashMap<CollectiviteId, Before> = HashMap::new();
    for c in conventions {
        let entry = known.entry(c.collectivite_id).or_default();
        if c.sequence > entry.last_sequence {
            entry.last_sequence = c.sequence;
            entry.last_number = Some(c.number.clone());
            entry.ended = Ended::of(c);
        }
        if !matches!(c.state(), ConventionState::Cancelled | ConventionState::Declined) {
            entry.live = Some((c.id, c.number.clone()));
        }
    }
    known
}

/// What may become of a payer of a bulk issue.
pub const ISSUE_OUTCOMES: &[&str] = &["issued", "already_issued", "no_enrolment", "declined", "cancelled", "refused"];

/// Ce qu'une émission en nombre a fait, et ce que chaque politique des petites créances en laisserait sans titre.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct IssueView {
    #[serde(flatten)]
    pub bulk: BulkView,
    pub small_claims: SmallClaimsForecast,
}

/// Why each payer the tariff exempts owes nothing: by its present or a former SIRET.
fn exempted(tx: &mut Tx<'_>, tariff: &Tariff) -> Outcome<HashMap<CollectiviteId, String>> {
    if tariff.exemptions.iter().all(|e| e.siret.is_none()) {
        return Ok(HashMap::new());
    }
    let known = registry::payers_by_siret(tx)?;
    let named = |e: &Exemption| Some((*known.get(e.siret.as_ref()?)?, e.reason.to_string()));
    Ok(tariff.exemptions.iter().filter_map(named).collect())
}

/// The tariff as one convention keeps it: with the exemptions that concern it.
fn kept(tariff: &Tariff, exempted: Option<&String>, participation: &Participation) -> Tariff {
    let listed = |uai: &Uai| participation.lines.iter().any(|l| l.school.uai == *uai);
    tariff.kept(|e| match &e.uai {
        Some(uai) => listed(uai),
        None => exempted.is_some_and(|reason| e.reason.as_str() == reason),
    })
}

/// Issues conventions in number.
pub fn issue(
    tx: &mut Tx<'_>,
    actor: &Actor,
    year: &SchoolYear,
    request: Issue,
    defaults: &Defaults,
    templates: &Templates,
) -> Outcome<IssueView> {
    let campaign = campaigns::find_and_hold(tx, year)?;
    // Thousands of rows will point at payers and schools: not while an import rewrites them.
    registry::hold(tx)?;
    let (selection, dry_run) = request.selection(true)?;
    // A trial leaves nothing behind: it may be made while the campaign is in preparation.
    let texts = if dry_run { campaign.trial_texts(&defaults.texts)? } else { campaign.opened_texts()? };
    let texts = texts.clone();
    if !dry_run {
        campaign.printable(&texts, defaults.specimen)?;
    }
    let scene = landscape(tx, &campaign)?;
    let known = before(&store::of_campaign(tx, campaign.id)?);
    let (payers, mut items) = payers::chosen(tx, selection)?;
    let named = matches!(payers, Payers::Named(_));
    let chosen = choose(&scene, &payers);
    let today = tx.today();

    let tariff = &campaign.said.tariff;
    let exempted = exempted(tx, tariff)?;
    let nothing = Share::default();
    let mut accepted: Vec<(&Collectivite, Participation)> = Vec::new();
    for payer in chosen {
        let siret = &payer.said.siret;
        let share = scene.shares.get(&payer.id).unwrap_or(&nothing);
        let past = known.get(&payer.id);
        let live = past.and_then(|b| b.live.clone());
        let ended = past.and_then(|b| b.ended.as_ref());
        match (live, share.waiting.is_empty()) {
            (Some((id, number)), _) => {
                let mut item = BulkItem::new(siret, "already_issued").with_id(id);
                for (school, _) in &share.waiting {
                    let message = format!("École inscrite après la convention {number} : un avenant est nécessaire.");
                    let mut finding = Finding::to_acknowledge("enrolment_not_covered", message);
                    finding.found = Some(school.uai.to_string());
                    item = item.with(finding);
                }
                items.push(item);
            }
            (None, true) => items.push(BulkItem::new(siret, "no_enrolment")),
            (None, false) if let Some(ended) = ended.filter(|_| !named) => {
                items.push(BulkItem::new(siret, ended.outcome).with_id(ended.id).with(ended.finding.clone()));
            }
            (None, false) if payer.is_closed_on(today) => {
                let message = "La collectivité n'existe plus et aucun successeur ne paie à sa place.";
                items.push(BulkItem::refused(siret, "payer_closed", message));
            }
            (None, false) if !placeholders(payer).is_empty() => {
                let mut item = BulkItem::new(siret, "refused");
                item.findings = placeholders(payer);
                items.push(item);
            }
            (None, false) => {
                let reason = exempted.get(&payer.id).map(String::as_str);
                match compute(tariff, year, reason, share.waiting.clone()) {
                    Ok(participation) => accepted.push((payer, participation)),
                    Err(findings) => {
                        let mut item = BulkItem::new(siret, "refused");
                        item.findings = findings;
                        items.push(item);
                    }
                }
            }
        }
    }
    // Who names payers does not ask about schools that have none.
    items.extend(scene.orphans.iter().filter(|_| !named).map(|uai| {
        BulkItem::refused(uai, "payer_missing", "Aucune collectivité ne paie pour cette école cette année-là.")
    }));
    accepted.sort_by_cached_key(|(c, _)| {
        (c.departement.as_ref().map(ToString::to_string), c.name_fold(), c.said.siret.clone())
    });

    let count = i64::try_from(accepted.len()).unwrap_or(i64::MAX);
    let first = counters::take(tx, &format!("convention:{year}"), count)?;
    let template_sha256 = papers::keep_template(tx, &templates.of(&PAPER))?;
    let mut issued = Vec::with_capacity(accepted.len());
    let small_claims = SmallClaimsForecast::of(
        accepted.iter().map(|(_, p)| p.total),
        campaign.said.small_claims.threshold_on(today, &defaults.thresholds),
        campaign.said.small_claims.policy,
    );
    for (rank, (payer, participation)) in (first..).zip(accepted) {
        let number = number(year, rank);
        let party = party(payer);
        let paper = paper::compose(&number, &campaign, &texts, &party, &participation, defaults.specimen);
        let past = known.get(&payer.id).cloned().unwrap_or_default();
        let now = tx.now();
        let convention = Convention {
            id: ConventionId::new(tx.uuid()),
            campaign_id: campaign.id,
            collectivite_id: payer.id,
            sequence: past.last_sequence + 1,
            sequence_reason: past.last_number.as_ref().map(|n| format!("remplace {n}")),
            number,
            rank,
            school_count: i64::try_from(participation.lines.len()).unwrap_or(i64::MAX),
            total: participation.total,
            party,
            ends_on: campaign.said.ends_on,
            issued_by: actor.label.clone(),
            issued_at: now,
            stage: Stage::Issued,
            acknowledged: Vec::new(),
            version: 1,
            updated_at: now,
        };
        let mut item =
            BulkItem::new(&payer.said.siret, "issued").with_id(convention.id).with_amount(participation.total);
        item.findings = payer.findings();
        item.findings.extend(past.ended.map(|e| e.finding));
        item.findings.extend(participation.findings.iter().cloned());
        items.push(item);
        issued.push(Issued {
            convention,
            paper_input: documents::input(&paper)?,
            participation_id: ParticipationId::new(tx.uuid()),
            tariff: kept(tariff, exempted.get(&payer.id), &participation),
            lines: participation.lines,
            steps: participation.steps,
        });
    }
    write(tx, actor, &campaign, issued, &template_sha256)?;
    if dry_run {
        tx.discard();
    }
    Ok(IssueView { bulk: BulkView::of(items, ISSUE_OUTCOMES, dry_run), small_claims })
}

/// The payers asked for, in a stable order; all and a filter mean those who have a school enrolled.
fn choose<'s>(scene: &'s Landscape, payers: &Payers) -> Vec<&'s Collectivite> {
    let concerned = scene.shares.keys();
    match payers {
        Payers::All => concerned.filter_map(|id| scene.payers.get(id)).collect(),
        Payers::Among(ids) => concerned.filter(|id| ids.contains(id)).filter_map(|id| scene.payers.get(id)).collect(),
        Payers::Named(named) => {
            let mut found: Vec<_> = named.iter().filter_map(|(id, _)| scene.payers.get(id)).collect();
            found.sort_by_key(|c| &c.said.siret);
            found
        }
    }
}

fn write(
    tx: &mut Tx<'_>,
    actor: &Actor,
    campaign: &Campaign,
    issued: Vec<Issued>,
    template_sha256: &str,
) -> Outcome<()> {
    store::insert(tx, &issued, template_sha256, || {
        Refused::new(&CONCURRENT_CHANGE, "Une convention vient d'être émise pour l'un de ces payeurs.")
    })?;
    let covered = |i: &Issued| i.lines.iter().map(|l| (l.school.uai.clone(), i.convention.id)).collect::<Vec<_>>();
    let covered: Vec<(Uai, ConventionId)> = issued.iter().flat_map(covered).collect();
    if campaigns::pin(tx, campaign.id, &covered)? != covered.len() {
        return Err(Refused::new(&CONCURRENT_CHANGE, "Une inscription a changé pendant l'émission.").into());
    }
    let mut entries = Vec::with_capacity(issued.len());
    for i in &issued {
        let schools: Vec<Uai> = i.lines.iter().map(|l| l.school.uai.clone()).collect();
        let (siret, total) = (i.convention.party.siret.clone(), i.convention.total);
        entries.push(Entry::new(events::of(&i.convention), ConventionEvent::Issued { siret, schools, total }));
    }
    audit::record_all(tx, actor, &entries)?;
    let paper = |i: Issued| NewPaper { subject: i.convention.id.to_string(), input: i.paper_input };
    papers::freeze(tx, &PAPER, template_sha256, issued.into_iter().map(paper).collect())
}
