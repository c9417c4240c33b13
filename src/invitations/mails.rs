//! The mails that carry links: composed when they leave, a link made in each, and nowhere else.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::codes::NOTHING_TO_OPEN;
use super::context::{self, DossierContext, Reason};
use super::store::{self, NewLink};
use crate::campaigns;
use crate::kernel::Refused;
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{CampaignId, CollectiviteId};
use crate::platform::mail::{
    self, AttemptOutcome, Composed, Dossier, Draft, Kind, NewMail, Posted, Rules, Settled, Source,
};
use crate::platform::{Outcome, Tx};

/// The first mail: the convention is ready.
pub static INVITATION: Kind = Kind {
    name: "invitations.invitation",
    french: "Invitation",
    source: Source(include_str!("mail_invitation.txt")),
    sample,
    accounts: false,
    preview: Some(preview),
    compose: |tx, rules, posted| compose(tx, rules, posted, (&INVITATION, Reason::Awaited)),
    settled,
};

/// A link asked for again.
pub static FRESH_LINK: Kind = Kind {
    name: "invitations.fresh_link",
    french: "Nouveau lien",
    source: Source(include_str!("mail_fresh_link.txt")),
    sample,
    accounts: false,
    preview: Some(preview),
    compose: |tx, rules, posted| compose(tx, rules, posted, (&FRESH_LINK, Reason::Exists)),
    settled,
};

/// What is kept of a mail about dossiers: ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    pub campaign: CampaignId,
    pub payers: Vec<CollectiviteId>,
}

impl Payload {
    /// A mail of a kind to an address, about these dossiers.
    ///
    /// # Errors
    /// Never in practice: ids serialise.
    pub fn mail(&self, kind: &'static Kind, to: EmailAddress, by: &str) -> Outcome<NewMail> {
        let dossiers = self.payers.iter().map(|payer| Dossier { payer: *payer, campaign: self.campaign }).collect();
        let payload = serde_json::to_string(self)?;
        Ok(NewMail { kind, to, payload, dossiers, by: by.to_owned(), dedup_key: None, resent_of: None })
    }
}

/// Composes mails that carry a link per dossier. A dossier that is no longer owed leaves its mail; one whose contact is
/// another by now leaves it for a mail of its own.
///
/// # Errors
/// Those of the database; ids that are none.
pub fn compose(
    tx: &mut Tx<'_>,
    rules: &Rules,
    posted: &[Posted],
    (kind, reason): (&'static Kind, Reason),
) -> Outcome<Vec<Composed>> {
    let payloads: Vec<Payload> = posted.iter().map(Posted::read).collect::<Outcome<_>>()?;
    let mut of_campaign: HashMap<CampaignId, Vec<CollectiviteId>> = HashMap::new();
    for payload in &payloads {
        of_campaign.entry(payload.campaign).or_default().extend(&payload.payers);
    }
    let mut scenes = HashMap::new();
    for (id, mut payers) in of_campaign {
        payers.sort_unstable();
        payers.dedup();
        let facts = context::dossiers(tx, id, &payers, reason)?;
        scenes.insert(id, (campaigns::by_id(tx, id)?, facts));
    }
    let (mut moved, mut left, mut parts) = (Vec::new(), Vec::new(), Vec::with_capacity(posted.len()));
    for (posted, payload) in posted.iter().zip(&payloads) {
        let mut why = "Il n'y a rien à dire à cette adresse.".to_owned();
        let mut kept: Vec<DossierContext> = Vec::new();
        let Some((_, facts)) = scenes.get(&payload.campaign) else { continue };
        for payer in &payload.payers {
            match facts.get(payer) {
                Some(Ok(dossier)) if dossier.contact.as_ref() == Some(&posted.to) => kept.push(dossier.clone()),
                Some(Ok(dossier)) => {
                    why = "L'adresse de contact a changé : un autre courriel y est envoyé.".to_owned();
                    match &dossier.contact {
                        Some(contact) => {
                            let alone = Payload { campaign: payload.campaign, payers: vec![*payer] };
                            let mut mail = alone.mail(kind, contact.clone(), "envoi")?;
                            mail.dedup_key = Some(format!("moved:{}:{payer}", posted.id));
                            moved.push(mail);
                        }
                        None => "La collectivité n'a plus d'adresse de contact.".clone_into(&mut why),
                    }
                }
                Some(Err(cause)) => why.clone_from(cause),
                None => {}
            }
        }
        if !kept.is_empty() {
            let gone =
                payload.payers.iter().filter(|payer| kept.iter().all(|dossier| dossier.dossier.payer != **payer));
            left.extend(gone.map(|payer| (posted.id, Dossier { payer: *payer, campaign: payload.campaign })));
        }
        parts.push((payload.campaign, kept, why));
    }
    mail::post_all(tx, moved)?;
    mail::leave_out(tx, &left)?;
    let links: Vec<NewLink<'_>> = posted
        .iter()
        .zip(&parts)
        .flat_map(|(posted, (campaign, kept, _))| {
            let campaign = scenes.get(campaign).map(|(campaign, _)| campaign);
            kept.iter().filter_map(move |dossier| {
                let mail = Some((posted.id, posted.attempt));
                Some(NewLink { dossier: dossier.dossier, campaign: campaign?, mail, by: "envoi" })
            })
        })
        .collect();
    let mut minted = store::mint_all(tx, &links)?.into_iter();
    let mut composed = Vec::with_capacity(parts.len());
    for (campaign, mut kept, why) in parts {
        let Some((campaign, _)) = scenes.get(&campaign).filter(|_| !kept.is_empty()) else {
            composed.push(Composed::Gone(why));
            continue;
        };
        let mut secrets = Vec::with_capacity(kept.len());
        for (dossier, (_, secret, expires_at)) in kept.iter_mut().zip(&mut minted) {
            dossier.linked(rules, &secret, expires_at);
            secrets.push(secret.reveal().to_owned());
        }
        let first = kept.first().map(|dossier| (dossier.payer_name.clone(), dossier.departement.clone()));
        let (name, departement) = first.map_or((None, None), |(name, departement)| (Some(name), departement));
        let alone = kept.len() == 1;
        let draft = Draft::of(&context::mail(campaign, kept, rules))?;
        composed.push(Composed::Owed(Box::new(Draft {
            to_name: name.filter(|_| alone),
            departement,
            secrets,
            ..draft
        })));
    }
    Ok(composed)
}

/// Links of tries that did not leave are nobody's.
///
/// # Errors
/// Those of the database.
pub fn settled(tx: &mut Tx<'_>, all: &[Settled]) -> Outcome<()> {
    let unsent: Vec<_> = all
        .iter()
        .filter(|s| !matches!(s.outcome, AttemptOutcome::Accepted | AttemptOutcome::Uncertain))
        .map(|s| (s.id, s.attempt))
        .collect();
    store::unsent(tx, &unsent)
}

/// What a mail about one dossier would print now; its link leads nowhere.
///
/// # Errors
/// `nothing_to_open`; those of the database.
pub fn preview(tx: &mut Tx<'_>, rules: &Rules, of: Dossier) -> Outcome<Value> {
    let found = context::dossiers(tx, of.campaign, &[of.payer], Reason::Exists)?.remove(&of.payer);
    let mut dossier = match found {
        Some(Ok(dossier)) => dossier,
        Some(Err(why)) => return Err(Refused::new(&NOTHING_TO_OPEN, why).into()),
        None => return Err(Refused::not_found("Collectivité", of.payer).into()),
    };
    dossier.lien = format!("{}/i/(lien-fait-au-depart)", rules.public_url);
    dossier.valable = "(date-du-lien)".to_owned();
    let campaign = campaigns::by_id(tx, of.campaign)?;
    Ok(serde_json::to_value(context::mail(&campaign, vec![dossier], rules))?)
}

/// A made-up mail, for tests and for who edits its text.
#[must_use]
pub fn sample() -> Value {
    json!({
        "annee": "2025-2026",
        "region": "Région académique Occitanie",
        "service": "Délégation régionale académique au numérique éducatif",
        "contact_courriel": "ent-ecole@region-academique.invalid",
        "contact_telephone": "04 67 00 00 00",
        "site": "https://www.region-academique.invalid/ent-ecole",
        "date_souhaitee": "15 octobre 2025",
        "dossiers_en_bref": "ENT-C-2025-2026-00012 - Saint-Laurent-des-Arbres",
        "plusieurs": false,
        "lien_perdu": "https://ent.region-academique.invalid/i",
        "dossiers": [{
            "commune": "Saint-Laurent-des-Arbres",
            "de_commune": "de Saint-Laurent-des-Arbres",
            "lien": "https://ent.region-academique.invalid/i/exemple",
            "valable": "4 novembre 2026",
            "conventions": [{
                "numero": "ENT-C-2025-2026-00012",
                "nombre": "2 écoles",
                "calcul": "2 × 40,00\u{202f}€ = 80,00\u{202f}€",
                "montant": "80,00\u{202f}€",
                "ecoles": [
                    {"nom": "École maternelle des Arbres", "uai": "0301023Z", "montant": "40,00\u{202f}€"},
                    {"nom": "École élémentaire Charles Odoyer", "uai": "0300744P", "montant": "40,00\u{202f}€"},
                ],
            }],
        }],
    })
}
