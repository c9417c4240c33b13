//! What mails and pages say of dossiers: read in number, worded once.

use std::collections::HashMap;

use serde::Serialize;

use super::secret::Secret;
use crate::campaigns::{self, Campaign};
use crate::conventions::{self, Convention, ConventionState, Reach};
use crate::kernel::contact::EmailAddress;
use crate::kernel::ids::{CampaignId, CollectiviteId, ConventionId};
use crate::kernel::text::Line;
use crate::kernel::{Departement, Siret, french};
use crate::platform::mail::{Dossier, Rules};
use crate::platform::{Outcome, Tx};
use crate::registry;

/// What must be true of a dossier for a mail about it to be owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A convention waits for the collectivité's answer.
    Awaited,
    /// There is a convention to open.
    Exists,
}

/// An école d'une convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SchoolContext {
    pub nom: String,
    pub uai: String,
    pub montant: String,
}

/// One convention, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConventionContext {
    #[serde(skip)]
    pub id: ConventionId,
    #[serde(skip)]
    pub state: ConventionState,
    pub numero: String,
    pub ecoles: Vec<SchoolContext>,
    pub nombre: String,
    /// « 2 × 40,00 € = 80,00 € », or the sum alone where lines differ.
    pub calcul: String,
    pub montant: String,
}

/// One dossier, in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DossierContext {
    #[serde(skip)]
    pub dossier: Dossier,
    #[serde(skip)]
    pub siret: Siret,
    #[serde(skip)]
    pub contact: Option<EmailAddress>,
    #[serde(skip)]
    pub departement: Option<Departement>,
    #[serde(skip)]
    pub payer_name: Line,
    pub commune: String,
    /// « d’Alès », « du Vigan ».
    pub de_commune: String,
    pub conventions: Vec<ConventionContext>,
    /// Where its link leads; made when the mail leaves.
    pub lien: String,
    pub valable: String,
}

/// What a mail about dossiers prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailContext {
    pub annee: String,
    pub region: String,
    pub service: String,
    pub contact_courriel: String,
    pub contact_telephone: String,
    pub site: String,
    /// Until when an answer is wished; null: no wish.
    pub date_souhaitee: Option<String>,
    /// Numbers and names, for the subject.
    pub dossiers_en_bref: String,
    pub plusieurs: bool,
    pub dossiers: Vec<DossierContext>,
    pub lien_perdu: String,
}

/// Characters of the names in a subject.
const BRIEF: usize = 110;

impl DossierContext {
    /// Puts the link in.
    pub(super) fn linked(&mut self, rules: &Rules, secret: &Secret, expires_at: crate::kernel::Instant) {
        self.lien = format!("{}/i/{}", rules.public_url, secret.reveal());
        let last = expires_at.plus(chrono::Duration::seconds(-1)).utc().date_naive();
        self.valable = french::date_long(last);
    }

    fn brief(&self) -> String {
        let number = self.conventions.first().map_or("", |convention| convention.numero.as_str());
        format!("{number} - {}", self.commune)
    }
}

/// The mail of some dossiers of one campaign.
#[must_use]
pub fn mail(campaign: &Campaign, dossiers: Vec<DossierContext>, rules: &Rules) -> MailContext {
    let issuer = campaign.said.texts.as_ref().map(|texts| texts.issuer.clone());
    let text = |of: fn(&campaigns::texts::Issuer) -> &String| issuer.as_ref().map(of).cloned().unwrap_or_default();
    let mut brief = String::new();
    for (rank, dossier) in dossiers.iter().enumerate() {
        let next = dossier.brief();
        if rank > 0 && brief.chars().count() + next.chars().count() > BRIEF {
            brief.push_str(&format!(" et {}", french::count(dossiers.len() - rank, "autre")));
            break;
        }
        if rank > 0 {
            brief.push_str(", ");
        }
        brief.push_str(&next);
    }
    MailContext {
        annee: campaign.said.school_year.to_string(),
        region: text(|issuer| &issuer.name),
        service: text(|issuer| &issuer.service),
        contact_courriel: text(|issuer| &issuer.contact_email),
        contact_telephone: text(|issuer| &issuer.contact_phone),
        site: text(|issuer| &issuer.website),
        date_souhaitee: campaign.said.response_deadline.map(french::date_long),
        dossiers_en_bref: brief,
        plusieurs: dossiers.len() > 1,
        dossiers,
        lien_perdu: format!("{}/i", rules.public_url),
    }
}

/// Why nothing is owed about a dossier any more, or none yet.
fn unowed(conventions: &[&Convention], reason: Reason) -> Option<String> {
    let any = |states: &[ConventionState]| conventions.iter().any(|c| states.contains(&c.state()));
    let living = [ConventionState::Issued, ConventionState::Signed, ConventionState::Active, ConventionState::Expired];
    match reason {
        Reason::Exists if any(&living) || any(&[ConventionState::Declined]) => None,
        Reason::Awaited if any(&[ConventionState::Issued]) => None,
        _ if any(&[ConventionState::Declined]) => Some("La collectivité a répondu non.".to_owned()),
        _ if any(&living) => Some("La collectivité a déjà répondu.".to_owned()),
        _ => Some("Il n'y a pas de convention à signer.".to_owned()),
    }
}

fn convention_context(c: &Convention, lines: Vec<conventions::ParticipationLine>) -> ConventionContext {
    let amounts: Vec<_> = lines.iter().map(|line| line.amount.amount).collect();
    let one = amounts.first().copied().filter(|first| amounts.iter().all(|amount| amount == first));
    let total = french::euros(c.total.cents());
    let calcul = match one {
        Some(one) if amounts.len() > 1 => format!("{} × {} = {total}", amounts.len(), french::euros(one.cents())),
        _ => total.clone(),
    };
    ConventionContext {
        id: c.id,
        state: c.state(),
        numero: c.number.clone(),
        nombre: french::count(lines.len(), "école"),
        ecoles: lines
            .into_iter()
            .map(|line| SchoolContext {
                nom: line.school.label.to_string(),
                uai: line.school.uai.to_string(),
                montant: french::euros(line.amount.amount.cents()),
            })
            .collect(),
        calcul,
        montant: total,
    }
}

/// What is to be said of dossiers of one campaign now; of each, or why a mail about it is not owed.
///
/// # Errors
/// Those of the database.
pub fn dossiers(
    tx: &mut Tx<'_>,
    campaign: CampaignId,
    payers: &[CollectiviteId],
    reason: Reason,
) -> Outcome<HashMap<CollectiviteId, Result<DossierContext, String>>> {
    let known = registry::collectivites_by_id(tx, payers)?;
    let all = conventions::of_payers(tx, campaign, payers)?;
    let shown: Vec<&Convention> = all.iter().filter(|c| c.state() != ConventionState::Cancelled).collect();
    let ids: Vec<ConventionId> = shown.iter().map(|c| c.id).collect();
    let mut latest = HashMap::new();
    for participation in conventions::participations(tx, Reach::These(&ids))? {
        latest.insert(participation.convention_id, participation.id);
    }
    let wanted: Vec<_> = latest.values().copied().collect();
    let mut lines: HashMap<_, Vec<_>> = HashMap::new();
    for (participation, line) in conventions::participation_lines(tx, &wanted)? {
        lines.entry(participation).or_default().push(line);
    }
    let mut found = HashMap::new();
    for payer in payers {
        let own: Vec<&Convention> = shown.iter().filter(|c| c.collectivite_id == *payer).copied().collect();
        let said = match (unowed(&own, reason), known.get(payer)) {
            (Some(why), _) => Err(why),
            (None, None) => Err("La collectivité n'est plus au registre.".to_owned()),
            (None, Some(payer)) => Ok(DossierContext {
                dossier: Dossier { payer: payer.id, campaign },
                siret: payer.said.siret.clone(),
                contact: payer.said.contact_email.clone(),
                departement: payer.departement.clone(),
                payer_name: payer.said.name.clone(),
                commune: payer.designation().place().map_or_else(|| payer.said.name.to_string(), str::to_owned),
                de_commune: match payer.designation().place() {
                    Some(place) => french::de_place(place),
                    None => french::de(payer.said.name.as_str()),
                },
                conventions: own
                    .iter()
                    .filter(|c| reason == Reason::Exists || c.state() == ConventionState::Issued)
                    .map(|c| {
                        let lines = latest.get(&c.id).and_then(|id| lines.get(id)).cloned().unwrap_or_default();
                        convention_context(c, lines)
                    })
                    .collect(),
                lien: String::new(),
                valable: String::new(),
            }),
        };
        found.insert(*payer, said);
    }
    Ok(found)
}
