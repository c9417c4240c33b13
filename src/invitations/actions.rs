//! Use cases of one link: given to one payer, shown, revoked, replaced, asked for again.

use super::codes::{LINK_OVER, NO_ADDRESS, NOTHING_TO_OPEN};
use super::context::{self, DossierContext, Reason};
use super::events::{self, InvitationEvent};
use super::mails::{FRESH_LINK, Payload};
use super::secret::Secret;
use super::standing::{InvitationAction, Standing};
use super::store::{self, Link, NewLink};
use crate::audit;
use crate::campaigns;
use crate::conventions::Convention;
use crate::kernel::ids::{CampaignId, CollectiviteId, EmailId, InvitationId};
use crate::kernel::text::Note;
use crate::kernel::{Actor, Instant, Refused};
use crate::platform::db::lives;
use crate::platform::mail::{self, Dossier, Post, Rules};
use crate::platform::{Error, Outcome, Tx};
use crate::text_enum;

text_enum!(
    /// Comment un lien est remis : `mail` par courriel à l'adresse de contact, `show` montré une fois à qui le demande.
    Deliver { Mail => "mail", Show => "show" }
);

/// A link shown once.
pub(super) struct ShownLink {
    pub id: InvitationId,
    pub secret: Secret,
    pub expires_at: Instant,
}

/// What came of giving a link.
pub(super) enum Given {
    Queued(EmailId),
    Shown(ShownLink),
}

fn dossier_of(tx: &mut Tx<'_>, campaign: CampaignId, payer: CollectiviteId) -> Outcome<DossierContext> {
    match context::dossiers(tx, campaign, &[payer], Reason::Exists)?.remove(&payer) {
        Some(Ok(dossier)) => Ok(dossier),
        Some(Err(why)) => Err(Refused::new(&NOTHING_TO_OPEN, why).into()),
        None => Err(Error::Incident("a payer without its account".into())),
    }
}

/// Gives a payer a link to its dossier.
///
/// # Errors
/// `nothing_to_open`; by mail, `no_address`.
pub(super) fn give(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (campaign, payer): (CampaignId, CollectiviteId),
    deliver: Deliver,
) -> Outcome<Given> {
    let dossier = dossier_of(tx, campaign, payer)?;
    let (of, siret) = (dossier.dossier, dossier.siret.clone());
    let subject = events::of(payer, &siret, campaign);
    match deliver {
        Deliver::Mail => {
            let blocked = mail::blocked_addresses(tx)?;
            let Some(contact) = dossier.contact.filter(|contact| !blocked.contains(contact)) else {
                let detail = format!("La collectivité {siret} n'a pas d'adresse à laquelle écrire.");
                return Err(Refused::new(&NO_ADDRESS, detail).into());
            };
            let new = Payload { campaign, payers: vec![payer] }.mail(&FRESH_LINK, contact, &actor.label)?;
            match mail::post(tx, new)? {
                Post::Queued(id) => {
                    audit::record(tx, actor, subject, InvitationEvent::OneQueued { siret })?;
                    Ok(Given::Queued(id))
                }
                Post::Already => Err(Error::Incident("a mail without a key was found written".into())),
            }
        }
        Deliver::Show => {
            let campaign = campaigns::by_id(tx, campaign)?;
            let link = NewLink { dossier: of, campaign: &campaign, mail: None, by: &actor.label };
            let minted = store::mint_all(tx, &[link])?.into_iter().next();
            let (id, secret, expires_at) = minted.ok_or_else(|| Error::Incident("no link was made".into()))?;
            audit::record(tx, actor, subject, InvitationEvent::LinkShown { invitation: id, siret, expires_at })?;
            Ok(Given::Shown(ShownLink { id, secret, expires_at }))
        }
    }
}

/// Gives the payer of a convention a link.
///
/// # Errors
/// As [`give`].
pub(super) fn give_for(tx: &mut Tx<'_>, actor: &Actor, convention: &Convention, deliver: Deliver) -> Outcome<Given> {
    give(tx, actor, (convention.campaign_id, convention.collectivite_id), deliver)
}

/// Shows a link of the payer of a convention; its address, told this once.
///
/// # Errors
/// `nothing_to_open`.
pub fn show(tx: &mut Tx<'_>, actor: &Actor, convention: &Convention, rules: &Rules) -> Outcome<String> {
    match give_for(tx, actor, convention, Deliver::Show)? {
        Given::Shown(shown) => Ok(format!("{}/i/{}", rules.public_url, shown.secret.reveal())),
        Given::Queued(_) => Err(Error::Incident("a link to show was mailed".into())),
    }
}

pub(super) fn find(tx: &mut Tx<'_>, id: InvitationId) -> Outcome<Link> {
    Ok(store::find(tx, id)?.ok_or_else(|| Refused::not_found("Lien", id))?)
}

/// Why an action would be refused now.
pub(super) fn refusal(link: &Link, life: &str, now: Instant, action: InvitationAction) -> Option<Refused> {
    let standing = link.standing(life, now);
    match action {
        InvitationAction::Revoke if standing == Standing::Revoked => {
            Some(Refused::state(&LINK_OVER, "Le lien est déjà retiré.", standing, [InvitationAction::Replace]))
        }
        InvitationAction::Revoke | InvitationAction::Replace => None,
    }
}

/// Revokes a link, with the sessions begun by it; `replace` gives another in its place.
///
/// # Errors
/// `link_over`; those of [`give`].
pub(super) fn transition(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: InvitationId,
    (action, reason, deliver): (InvitationAction, Note, Option<Deliver>),
) -> Outcome<(Link, Option<Given>)> {
    let link = store::hold(tx, id)?.ok_or_else(|| Refused::not_found("Lien", id))?;
    let life = lives::current(tx)?.id;
    refusal(&link, &life, tx.now(), action).map_or(Ok(()), Err)?;
    if action == InvitationAction::Revoke && deliver.is_some() {
        return Err(Refused::not_for(action, "/deliver").into());
    }
    if store::revoke(tx, id, &actor.label, &reason)? {
        let siret = siret_of(tx, link.payer)?;
        let subject = events::of(link.payer, &siret, link.campaign);
        let event = InvitationEvent::Revoked { invitation: id, siret, reason: reason.to_string().into() };
        audit::record(tx, actor, subject, event)?;
    }
    let given = match action {
        InvitationAction::Revoke => None,
        InvitationAction::Replace => {
            Some(give(tx, actor, (link.campaign, link.payer), deliver.unwrap_or(Deliver::Mail))?)
        }
    };
    Ok((find(tx, id)?, given))
}

fn siret_of(tx: &mut Tx<'_>, payer: CollectiviteId) -> Outcome<crate::kernel::Siret> {
    let found = crate::registry::collectivites_by_id(tx, &[payer])?.remove(&payer);
    Ok(found.map(|c| c.said.siret).ok_or_else(|| Refused::not_found("Collectivité", payer))?)
}

/// What a link opens, in words.
pub(super) fn opened(tx: &mut Tx<'_>, link: &Link) -> Outcome<(DossierContext, campaigns::Campaign)> {
    let Dossier { payer, campaign } = Dossier { payer: link.payer, campaign: link.campaign };
    Ok((dossier_of(tx, campaign, payer)?, campaigns::by_id(tx, campaign)?))
}
