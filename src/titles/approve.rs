//! Approval by another person than the preparer, with a gap-free reference, and withdrawal.
//!
//! By filter, what an ordonnateur said no to once (returned, withdrawn) is left and counted; by its key it is taken.
//!
//! ```text
//!   lock the exercice's counter ─▶ read the titles ─▶ decide each ─▶ number in convention order ─▶ one transaction
//! ```
//! The counter's row is locked before the titles are read: whoever comes second waits, then sees them approved.

use std::collections::{HashMap, HashSet, hash_map};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::codes::TITLE_STATE;
use super::events::{self, TitleEvent};
use super::paper;
use super::prepared;
use super::printing::PAPER;
use super::settlement::{Given, Settlement};
use super::store::{self, ApprovalRow, TitleFilter};
use super::title::{RETURNED_BEFORE, Reference, Title, TitleAct, TitleAction, TitleLine, TitleState, WITHDRAWN_BEFORE};
use crate::access::{self, User};
use crate::audit::{self, Entry};
use crate::campaigns::bulk::{BulkItem, BulkRequest, BulkView, Selection};
use crate::campaigns::{self, Campaign, Defaults};
use crate::claims::PREPARER_UNKNOWN;
use crate::conventions::{self, ParticipationLine};
use crate::kernel::dates::exercice;
use crate::kernel::ids::{CampaignId, ConventionId, ParticipationId, TitleId, UserId};
use crate::kernel::text::{Note, SearchText};
use crate::kernel::{Actor, Departement, InseeCode, Refused, SchoolYear, Siret, Version};
use crate::platform::db::json::Json;
use crate::platform::db::{blobs, counters};
use crate::platform::papers::{self, NewPaper, Templates};
use crate::platform::{Error, Outcome, Tx};
use crate::registry;
use crate::registry::kinds::CollectiviteKind;

/// Les titres d'une approbation en nombre ; les champs sont ceux de `GET /perception-titles`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TitleSelection {
    #[serde(default)]
    pub campaign: Option<SchoolYear>,
    /// Département du débiteur.
    #[serde(default)]
    pub departement: Option<Departement>,
    #[serde(default)]
    pub collectivite: Option<Siret>,
    #[serde(default)]
    pub kind: Option<CollectiviteKind>,
    #[serde(default)]
    pub insee_code: Option<InseeCode>,
    #[serde(default)]
    pub status: Option<TitleState>,
    #[serde(default)]
    pub reference: Option<String>,
    /// Number of the convention.
    #[serde(default)]
    pub number: Option<String>,
    #[serde(default)]
    pub convention: Option<ConventionId>,
    #[serde(default)]
    pub q: Option<SearchText>,
}

/// The selection as the store reads it, the same for the list and for approvals.
pub(super) fn filter(tx: &mut Tx<'_>, f: TitleSelection) -> Outcome<TitleFilter> {
    let campaign = f.campaign.map(|year| campaigns::find(tx, &year)).transpose()?;
    Ok(TitleFilter {
        campaign: campaign.map(|c| c.id),
        collectivite: f.collectivite,
        departement: f.departement,
        kind: f.kind,
        insee_code: f.insee_code,
        status: f.status,
        reference: f.reference,
        number: f.number,
        convention: f.convention,
        q: f.q,
        updated_since: None,
    })
}

/// Request of a bulk approval: one of `filter` and `keys` (title ids) is required.
pub type Approve = BulkRequest<TitleSelection>;

/// What the configuration and the renderer give approvals.
pub struct Making<'a> {
    pub defaults: &'a Defaults,
    pub templates: &'a Templates,
}

/// What may become of a title of a bulk approval.
pub const APPROVE_OUTCOMES: &[&str] =
    &["approved", "already_approved", "skipped_flagged", "returned", RETURNED_BEFORE, WITHDRAWN_BEFORE, "refused"];

/// Approves titles in number.
pub fn approve(tx: &mut Tx<'_>, actor: &Actor, request: Approve, making: &Making<'_>) -> Outcome<BulkView> {
    let approver = named(actor)?;
    let (selection, dry_run) = request.selection(false)?;
    let year = hold_exercice(tx)?;
    let user = access::find_user(tx, approver)?;
    let signatory = user.signatory_on(tx.today())?;

    let by_filter = matches!(selection, Selection::Filter(_));
    let (mut items, mut titles) = choose(tx, selection)?;
    titles.sort_by(|a, b| (&a.ground.convention_number, a.id).cmp(&(&b.ground.convention_number, b.id)));
    let mut accepted = Vec::new();
    for title in titles {
        if matches!(title.state(), TitleState::Approved | TitleState::Transmitted) {
            items.push(BulkItem::new(title.id, "already_approved").with_id(title.id));
        } else if let Some((outcome, finding)) = title.left_by_filter().filter(|_| by_filter) {
            let mut item = BulkItem::new(title.id, outcome).with_id(title.id);
            item.findings.extend(finding);
            items.push(item);
        } else {
            match title.admits(TitleAction::Approve, approver) {
                Ok(()) => {
                    items.push(BulkItem::new(title.id, "approved").with_id(title.id).with_amount(title.amount));
                    accepted.push(title);
                }
                Err(refused) => items.push(BulkItem::refused(title.id, refused.code.code, refused.detail)),
            }
        }
    }
    write(tx, actor, accepted, &Approver { user, signatory, exercice: i64::from(year) }, making)?;
    if dry_run {
        tx.discard();
    }
    Ok(BulkView::of(items, APPROVE_OUTCOMES, dry_run))
}

/// Holds the series of the exercice of today; the lock may have been waited for over midnight.
pub(super) fn hold_exercice(tx: &mut Tx<'_>) -> Outcome<i32> {
    loop {
        let year = exercice(tx.today());
        counters::lock(tx, &format!("title:{year}"))?;
        if exercice(tx.today()) == year {
            return Ok(year);
        }
    }
}

struct Approver {
    user: User,
    signatory: access::Signatory,
    exercice: i64,
}

fn choose(tx: &mut Tx<'_>, selection: Selection<TitleSelection>) -> Outcome<(Vec<BulkItem>, Vec<Title>)> {
    match selection {
        Selection::All => Ok((Vec::new(), Vec::new())),
        Selection::Filter(f) => {
            let filter = filter(tx, f)?;
            let mut found = store::select(tx, &filter)?;
            if filter.status.is_none() {
                // A filter takes what waits: what was withdrawn is not asked for, unless by its state.
                found.retain(|t| t.state() != TitleState::Withdrawn);
            }
            Ok((Vec::new(), found))
        }
        Selection::Keys(keys) => {
            let (mut items, mut ids, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
            for key in keys {
                match TitleId::parse(&key) {
                    Ok(id) if seen.insert(id) => ids.push(id),
                    Ok(_) => {}
                    Err(fault) => items.push(BulkItem::refused(key, fault.code, fault.message)),
                }
            }
            let found = store::by_ids(tx, &ids)?;
            found.iter().for_each(|t| _ = seen.remove(&t.id));
            for id in ids {
                if seen.contains(&id) {
                    items.push(BulkItem::refused(id, "not_found", "Titre introuvable."));
                }
            }
            Ok((items, found))
        }
    }
}

/// Whether prepared titles are still what was prepared: their conventions whole, and each with what it rests on.
fn still_claims(tx: &mut Tx<'_>, titles: &[Title], lines: &HashMap<TitleId, Vec<TitleLine>>) -> Outcome<()> {
    let conventions: Vec<ConventionId> = titles.iter().map(|t| t.convention_id).collect();
    conventions::verify(tx, &conventions)?;
    let known: HashMap<ConventionId, _> =
        conventions::by_ids(tx, &conventions)?.into_iter().map(|c| (c.id, c)).collect();
    let ids: Vec<ParticipationId> = titles.iter().map(|t| t.participation_id).collect();
    let participations: HashMap<ParticipationId, _> =
        conventions::participations_by_ids(tx, &ids)?.into_iter().map(|p| (p.id, p)).collect();
    let mut listed: HashMap<ParticipationId, Vec<ParticipationLine>> = HashMap::new();
    for (id, line) in conventions::participation_lines(tx, &ids)? {
        listed.entry(id).or_default().push(line);
    }
    let successions = registry::successions(tx)?;
    for title in titles {
        let own = lines.get(&title.id).map(Vec::as_slice).unwrap_or_default();
        let found = known.get(&title.convention_id).zip(participations.get(&title.participation_id));
        let held = match found {
            None => Err("le titre préparé n'a plus sa convention"),
            Some((convention, participation)) => {
                let lines = listed.get(&participation.id).map(Vec::as_slice).unwrap_or_default();
                let base = prepared::Base { convention, participation, lines, successions: &successions };
                prepared::holds(title, own, &base)
            }
        };
        held.map_err(|fault| Error::falsified("perception_title", title.key(), fault))?;
    }
    Ok(())
}

fn write(tx: &mut Tx<'_>, actor: &Actor, accepted: Vec<Title>, by: &Approver, making: &Making<'_>) -> Outcome<()> {
    let count = i64::try_from(accepted.len()).unwrap_or(i64::MAX);
    let first = counters::take(tx, &format!("title:{}", by.exercice), count)?;
    let template_sha256 = papers::keep_template(tx, &making.templates.of(&PAPER))?;
    let ids: Vec<TitleId> = accepted.iter().map(|t| t.id).collect();
    let mut lines: HashMap<TitleId, Vec<TitleLine>> = HashMap::new();
    for (id, line) in store::lines(tx, &ids)? {
        lines.entry(id).or_default().push(line);
    }
    still_claims(tx, &accepted, &lines)?;
    let mut campaigns: HashMap<CampaignId, Campaign> = HashMap::new();
    let mut preparers: HashMap<UserId, User> = HashMap::new();
    let (now, today) = (tx.now(), tx.today());
    let mut printed = Vec::with_capacity(accepted.len());
    let mut approvals = Vec::with_capacity(accepted.len());
    let mut entries = Vec::with_capacity(accepted.len());
    for (rank, title) in (first..).zip(accepted) {
        if let hash_map::Entry::Vacant(slot) = campaigns.entry(title.campaign_id) {
            let campaign = campaigns::by_id(tx, title.campaign_id)?;
            let texts = campaign.said.texts.as_ref().unwrap_or(&making.defaults.texts);
            campaign.printable(texts, making.defaults.specimen)?;
            slot.insert(campaign);
        }
        if let hash_map::Entry::Vacant(slot) = preparers.entry(title.prepared_by) {
            slot.insert(access::find_user(tx, title.prepared_by)?);
        }
        let (Some(campaign), Some(preparer)) = (campaigns.get(&title.campaign_id), preparers.get(&title.prepared_by))
        else {
            continue;
        };
        let texts = campaign.said.texts.as_ref().unwrap_or(&making.defaults.texts);
        let reference = Reference::new(by.exercice, rank);
        let (title, _) = title.apply(TitleAct::Approve { by: by.user.id, reference: reference.clone() })?;
        let own = lines.get(&title.id).map(Vec::as_slice).unwrap_or_default();
        let context = paper::Context {
            texts,
            lines: own,
            preparer,
            approver: &by.user,
            signatory: &by.signatory,
            approved_at: now,
            specimen: making.defaults.specimen,
        };
        let paper = paper::compose(&title, &reference, &context);
        let given = Given { user: by.user.id, at: now };
        let settlement = Settlement::of(&title, own.to_vec(), &reference, &by.signatory, today);
        let settlement = Settlement { given: Some(given), ..settlement };
        if !settlement.adds_up() {
            let fault = "la somme des lignes n'est pas le montant du titre préparé";
            return Err(Error::falsified("perception_title", title.id, fault));
        }
        let content = settlement.content(&paper)?;
        let content_sha256 = blobs::digest(content.as_bytes());
        let approved = TitleEvent::Approved {
            reference: reference.text.clone(),
            siret: title.debtor.siret.clone(),
            amount: title.amount,
            sha256: content_sha256.clone(),
        };
        entries.push(Entry::new(events::of(&title), approved));
        printed.push(NewPaper { subject: title.id.to_string(), input: content });
        approvals.push(ApprovalRow {
            title_id: title.id,
            reference: reference.text,
            exercice: by.exercice,
            number_rank: rank,
            approved_by: by.user.id,
            approver: Json::new(by.signatory.clone())?,
            approved_on: today,
            approved_at: now,
            content_sha256,
        });
    }
    store::approve(tx, &approvals)?;
    audit::record_all(tx, actor, &entries)?;
    papers::freeze(tx, &PAPER, &template_sha256, printed)
}

/// One title.
pub fn find(tx: &mut Tx<'_>, id: TitleId) -> Outcome<Title> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Titre", id))?)
}

/// What stands between this person and the approval of this title: its state, who prepared it, the delegation.
fn may_approve(title: &Title, user: &User, today: NaiveDate) -> Result<access::Signatory, Refused> {
    title.admits(TitleAction::Approve, user.id)?;
    Ok(user.signatory_on(today)?)
}

/// Why an action on a title would be refused to this person now.
pub fn refusal(tx: &mut Tx<'_>, actor: &Actor, title: &Title, action: TitleAction) -> Outcome<Option<Refused>> {
    let who = named(actor)?;
    if action == TitleAction::Approve {
        let user = access::find_user(tx, who)?;
        return Ok(may_approve(title, &user, tx.today()).err());
    }
    Ok(title.admits(action, who).err())
}

pub(super) fn named(actor: &Actor) -> Result<UserId, Refused> {
    actor.user().ok_or_else(|| Refused::new(&PREPARER_UNKNOWN, "Approuver un titre demande un compte nominatif."))
}

/// Approves one title: the bulk command with one key, whose refusal is the caller's answer.
pub fn approve_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: TitleId,
    read: Option<&Version>,
    making: &Making<'_>,
) -> Outcome<Title> {
    // In turn with every other approval: who comes second is told what became of the title.
    hold_exercice(tx)?;
    let title = find(tx, id)?;
    read.map_or(Ok(()), |read| read.admits(title.version))?;
    may_approve(&title, &access::find_user(tx, named(actor)?)?, tx.today())?;
    let request = Approve { filter: None, keys: Some(vec![id.to_string()]), dry_run: false };
    approve(tx, actor, request, making)?;
    let title = find(tx, id)?;
    if title.reference().is_none() {
        // Cannot be: what refuses one title was asked above.
        return Err(Refused::new(&TITLE_STATE, "Le titre n'a pu être approuvé.").into());
    }
    Ok(title)
}

/// Withdraws one title before sealing.
pub fn withdraw(tx: &mut Tx<'_>, actor: &Actor, id: TitleId, read: Option<&Version>, reason: Note) -> Outcome<Title> {
    let title = find(tx, id)?;
    // In turn with approvals and sealings, which would otherwise fail whole for one title that goes.
    let year = title.reference().map_or_else(|| i64::from(exercice(tx.today())), |r| r.exercice);
    counters::lock(tx, &format!("title:{year}"))?;
    let title = find(tx, id)?;
    read.map_or(Ok(()), |read| read.admits(title.version))?;
    let act = TitleAct::Withdraw { by: named(actor)?, reason: reason.clone() };
    let (mut next, _) = title.apply(act)?;
    store::save(tx, &mut next)?;
    let convention = next.ground.convention_number.clone();
    let event = TitleEvent::Withdrawn { convention, reason: reason.to_string().into() };
    audit::record(tx, actor, events::of(&next), event)?;
    Ok(next)
}
