//! Invitations in number: whom to write to, decided first, queued after; one mail for a mailbox that serves several.
//!
//! ```text
//!   conventions of the campaign ──▶ payers chosen ──▶ queued | already_invited | answered | declined | no_address | …
//!                                                       └─▶ grouped by address and department ─▶ mails
//! ```

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::events::InvitationEvent;
use super::mails::{INVITATION, Payload};
use super::store_board;
use crate::audit::{self, Subject, SubjectKind};
use crate::campaigns::bulk::{BulkItem, BulkView, Selection};
use crate::campaigns::{self, bulk::BulkRequest};
use crate::conventions::payers::{self, PayerSelection, Payers};
use crate::conventions::{self, Convention, ConventionState};
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Actor, Departement, SchoolYear};
use crate::platform::mail;
use crate::platform::{Outcome, Tx};
use crate::registry::{self, Collectivite};

/// Invitations en nombre, par `filter` ou `keys` (SIRET) ; ni l'un ni l'autre : toutes les collectivités de la campagne.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvitationsRequest)]
pub struct Invite {
    #[serde(default)]
    pub filter: Option<PayerSelection>,
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    /// `true` : même traitement, rien n'est écrit.
    #[serde(default)]
    pub dry_run: bool,
    /// Les premières seulement, dans l'ordre des numéros de convention : de quoi essayer avant les autres. De 1 à 10 000.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 10_000, example = 10)]
    pub first: Option<u32>,
}

/// What may become of a payer.
pub const INVITE_OUTCOMES: &[&str] = &[
    "queued",
    "already_invited",
    "answered",
    "declined",
    "no_convention",
    "no_address",
    "address_blocked",
    "later",
    "refused",
];

/// What stands of a payer's conventions: whether one waits for an answer, and what was answered otherwise.
fn standing(own: &[&Convention]) -> Result<(), &'static str> {
    let any = |state: ConventionState| own.iter().any(|c| c.state() == state);
    if any(ConventionState::Issued) {
        Ok(())
    } else if any(ConventionState::Declined) {
        Err("declined")
    } else if own.iter().any(|c| c.state() != ConventionState::Cancelled) {
        Err("answered")
    } else {
        Err("no_convention")
    }
}

/// Queues the invitations of payers whose convention waits for an answer.
///
/// # Errors
/// `not_found`; keys and filter together.
pub fn invite(tx: &mut Tx<'_>, actor: &Actor, year: &SchoolYear, asked: Invite) -> Outcome<BulkView> {
    let campaign = campaigns::find_and_hold(tx, year)?;
    let first = asked.first.map_or(usize::MAX, |first| usize::try_from(first).unwrap_or(usize::MAX));
    let request = BulkRequest { filter: asked.filter, keys: asked.keys, dry_run: asked.dry_run };
    let (selection, dry_run): (Selection<PayerSelection>, bool) = request.selection(true)?;
    let (chosen, mut items) = payers::chosen(tx, selection)?;
    let all = conventions::of_campaign(tx, campaign.id)?;
    let mut of_payer: HashMap<CollectiviteId, Vec<&Convention>> = HashMap::new();
    // In the order of numbers, each payer where its first convention stands.
    let mut order: Vec<CollectiviteId> = Vec::new();
    for convention in &all {
        let own = of_payer.entry(convention.collectivite_id).or_default();
        if own.is_empty() {
            order.push(convention.collectivite_id);
        }
        own.push(convention);
    }
    let wanted: Vec<CollectiviteId> = match &chosen {
        Payers::All => order,
        Payers::Among(ids) => order.into_iter().filter(|id| ids.contains(id)).collect(),
        Payers::Named(named) => named.iter().map(|(id, _)| *id).collect(),
    };
    let known: HashMap<CollectiviteId, Collectivite> = registry::collectivites_by_id(tx, &wanted)?;
    let invited = store_board::invited(tx, campaign.id)?;
    let blocked: HashSet<EmailAddress> = mail::blocked_addresses(tx)?;
    let mut groups: BTreeMap<(EmailAddress, Option<Departement>), Vec<CollectiviteId>> = BTreeMap::new();
    let mut queued = 0;
    for id in wanted {
        let Some(payer) = known.get(&id) else { continue };
        let siret = &payer.said.siret;
        let own = of_payer.get(&id).map_or(&[][..], Vec::as_slice);
        let mut item = |outcome| {
            let item = BulkItem::new(siret, outcome);
            items.push(match own.last() {
                Some(convention) => item.with_id(convention.id),
                None => item,
            });
        };
        if let Err(outcome) = standing(own) {
            item(outcome);
            continue;
        }
        if invited.contains(&id) {
            item("already_invited");
            continue;
        }
        match &payer.said.contact_email {
            None => item("no_address"),
            Some(address) if blocked.contains(address) => item("address_blocked"),
            Some(_) if queued >= first => item("later"),
            Some(address) => {
                queued += 1;
                item("queued");
                groups.entry((address.clone(), payer.departement.clone())).or_default().push(id);
            }
        }
    }
    let mut mails = Vec::with_capacity(groups.len());
    for ((address, _), payers) in groups {
        mails.push(Payload { campaign: campaign.id, payers }.mail(&INVITATION, address, &actor.label)?);
    }
    let view = BulkView::of(items, INVITE_OUTCOMES, dry_run);
    let event = InvitationEvent::Queued { payers: queued, mails: mails.len() };
    mail::post_all(tx, mails)?;
    if dry_run {
        tx.discard();
    } else if queued > 0 {
        audit::record(
            tx,
            actor,
            Subject::new(SubjectKind::Campaign, campaign.id, year).of_campaign(campaign.id),
            event,
        )?;
    }
    Ok(view)
}
