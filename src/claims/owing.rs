//! Who owes at liquidation: the live successor of the signatory, with the words that say so. Pure.
//!
//! CGCT L2113-5: a commune nouvelle takes the place of those it is made of in all their acts, and contracts run on: no
//! amendment, the debtor is the successor. For a transfer of competence or a dissolution the clause is a text of the
//! campaign, printed only once somebody wrote it. A debtor that no longer exists, without a successor, stops the title.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::conventions::{self, Convention, Party};
use crate::kernel::ids::CollectiviteId;
use crate::kernel::{Departement, Finding, Siret, french};
use crate::platform::{Outcome, Tx};
use crate::registry::kinds::{CollectiviteKind, SuccessionKind};
use crate::registry::{self, Address, Chorus, Collectivite, Succession};

/// The registry as liquidation sees it.
pub struct Registry {
    pub payers: HashMap<CollectiviteId, Collectivite>,
    pub successions: HashMap<CollectiviteId, Succession>,
}

impl Registry {
    /// Everything of it.
    ///
    /// # Errors
    /// Those of the database.
    pub fn load(tx: &mut Tx<'_>) -> Outcome<Self> {
        Ok(Self { payers: registry::collectivites(tx)?, successions: registry::successions(tx)? })
    }
}

/// Qui doit, tel que connu à la liquidation : le successeur vivant du signataire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Debtor {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    /// Tel qu'imprimé : « COMMUNE DE … ».
    pub name: String,
    pub departement: Option<Departement>,
    pub address: Address,
    /// Nom de la commune, imprimé après le code postal quand l'adresse ne donne pas de ville.
    #[serde(default)]
    pub town: Option<String>,
    pub chorus: Chorus,
    /// « substituée de plein droit à … (arrêté du …) », quand un successeur doit.
    pub substitution: Option<String>,
}

/// The clause of a commune that took the place of another (CGCT L2113-5):
/// `substitution("la commune d’Aulas", Some("arrêté du 12 décembre 2025"))`.
#[must_use]
pub fn substitution(predecessor: &str, act: Option<&str>) -> String {
    let act = act.map(|act| format!(" ({act})")).unwrap_or_default();
    format!("{}{act}", french::fill("substituée de plein droit à {}", "{}", predecessor))
}

/// Who owes, and what is worth telling of it.
pub struct Owing<'r> {
    pub collectivite: &'r Collectivite,
    substitution: Option<String>,
    pub findings: Vec<Finding>,
}

/// Who owes for a convention on a day.
///
/// # Errors
/// `debtor_unknown`, or `debtor_closed` when nobody succeeds.
pub fn owing<'r>(
    registry: &'r Registry,
    convention: &Convention,
    transfer_clause: Option<&str>,
    today: NaiveDate,
) -> Result<Owing<'r>, Finding> {
    let (live, link) = registry::last_successor(&registry.successions, convention.collectivite_id, Some(today));
    let Some(collectivite) = registry.payers.get(&live) else {
        return Err(Finding::blocking("debtor_unknown", "Le débiteur n'est plus au registre."));
    };
    if collectivite.is_closed_on(today) {
        let message = "La collectivité n'existe plus et aucun successeur n'est enregistré.";
        return Err(Finding::blocking("debtor_closed", message).compared(&collectivite.said.siret, "fermée"));
    }
    let mut findings = Vec::new();
    let mut substitution = None;
    if let (Some(link), true) = (link, live != convention.collectivite_id) {
        let message = "Le débiteur est le successeur de la collectivité signataire.";
        findings.push(
            Finding::to_acknowledge("debtor_changed", message)
                .compared(&convention.party.siret, &collectivite.said.siret),
        );
        let predecessor = conventions::designation(&convention.party).spoken();
        substitution = match (link.kind, transfer_clause) {
            (SuccessionKind::CommuneNouvelle, _) => {
                Some(self::substitution(&predecessor, Some(link.act_reference.as_str())))
            }
            (_, Some(clause)) => {
                let clause = french::fill(clause, "{collectivite}", &predecessor);
                Some(french::clause(&french::fill(&clause, "{acte}", link.act_reference.as_str())))
            }
            (_, None) => {
                let message = "Aucune clause n'est écrite pour un transfert ou une dissolution (texts.transfer_clause) : \
                               le titre ne dira pas pourquoi le débiteur n'est pas le signataire.";
                findings.push(Finding::to_acknowledge("transfer_clause_missing", message));
                None
            }
        };
    }
    findings.extend(collectivite.said.address.finding(collectivite.designation().place()));
    let chorus = &collectivite.said.chorus;
    if chorus.service_code.is_none() && chorus.commitment_number.is_none() && chorus.third_party_number.is_none() {
        let message = "Aucun élément de routage Chorus (à renseigner seulement si la structure en exige un).";
        findings.push(Finding::info("chorus_routing_missing", message));
    }
    Ok(Owing { collectivite, substitution, findings })
}

impl Owing<'_> {
    /// The debtor, as the title freezes it.
    #[must_use]
    pub fn debtor(&self) -> Debtor {
        let said = self.collectivite.said.clone();
        let party = Party {
            siret: said.siret.clone(),
            kind: said.kind,
            name: said.name,
            insee_code: said.insee_code,
            departement: self.collectivite.departement.clone(),
            address: said.address.clone(),
            representative: said.representative,
            chorus: said.chorus.clone(),
        };
        Debtor {
            name: conventions::legal_name(&party),
            town: conventions::town(&party),
            siret: said.siret,
            kind: said.kind,
            departement: party.departement,
            address: said.address,
            chorus: said.chorus,
            substitution: self.substitution.clone(),
        }
    }
}
