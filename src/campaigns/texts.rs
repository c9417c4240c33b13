//! The words and addresses a campaign prints: who issues, who signs, which accountants, which courts.
//!
//! They start in the configuration file and are copied into the campaign when it opens: a later
//! change of rectrice or of address touches the next campaign, never papers already prepared.
//! Two questions are answered here: which texts are still to be written ([`mod@crate::kernel::placeholder`]), and what is
//! missing before a paper may be headed « TITRE DE PERCEPTION ».
//! Comments of public fields are in French: the API reference publishes them.

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::kernel::dates::day;
use crate::kernel::{Placeholder, placeholder};

/// Textes d'une campagne, figés à son ouverture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignTexts {
    /// Nature du document financier : demande d'émission (par défaut) ou titre de perception.
    pub document_kind: DocumentKind,
    /// Une école ou une commune publie-t-elle un portail ? L'article 6 n'est imprimé que dans ce cas.
    pub has_portal: bool,
    /// Fondement juridique de la créance ; exigé pour un titre de perception.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub legal_basis: Option<String>,
    /// Clause imprimée après le nom du débiteur quand la compétence scolaire lui a été transférée ou que la collectivité signataire a été dissoute ; `{collectivite}` et `{acte}` y sont remplacés. Vide : rien n'est imprimé, un constat le dit.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub transfer_clause: Option<String>,
    /// Comment signer et renvoyer la convention, une phrase par élément : exemplaires, délibération qui autorise la signature, adresse de retour. `{date_limite}` y est remplacé par la date de réponse souhaitée ; sans elle, la phrase n'est pas imprimée. Vide : rien n'est imprimé.
    #[serde(default)]
    pub return_instructions: Vec<String>,
    /// Région académique émettrice.
    pub issuer: Issuer,
    /// Signataire des conventions pour la région académique.
    pub signatory: Signatory,
    /// Comptable assignataire, qui prend le titre en charge.
    pub comptable_assignataire: ComptableAssignataire,
    /// Comptable chargé du recouvrement.
    pub comptable_recouvrement: ComptableRecouvrement,
    /// Juridictions compétentes et texte des voies de recours.
    pub courts: Courts,
    /// Contact du délégué à la protection des données.
    pub dpo: Dpo,
    /// Imputation comptable ; une valeur vide est imprimée « à compléter ».
    pub imputation: Imputation,
}

/// Nature du document financier produit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DocumentKind {
    /// Demande d'émission d'un titre de perception : document préparatoire, sans effet juridique.
    Demande,
    /// Titre de perception : seulement si toutes les mentions obligatoires sont réunies.
    Titre,
}

/// Région académique émettrice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// Nom, par exemple « Région académique Occitanie ».
    pub name: String,
    /// Autres noms sous lesquels une délibération peut la désigner.
    pub aliases: Vec<String>,
    /// Adresse, une ligne par élément.
    pub address_lines: Vec<String>,
    /// Service prescripteur.
    pub service: String,
    /// Adresse électronique donnée aux communes.
    pub contact_email: String,
    /// Téléphone donné aux communes.
    pub contact_phone: String,
    /// Site où une commune peut vérifier l'authenticité d'un message.
    pub website: String,
}

/// Signataire des conventions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Signatory {
    /// « Madame » ou « Monsieur ».
    pub civility: String,
    /// Prénom.
    pub first_name: String,
    /// Nom.
    pub last_name: String,
    /// Qualité ; peut tenir sur plusieurs lignes.
    pub title: String,
    /// Lieu de signature.
    pub place: String,
    /// Référence de la délégation de signature et de sa publication au recueil des actes administratifs.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub delegation: Option<String>,
}

/// Comptable assignataire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComptableAssignataire {
    /// Nom du comptable ou de sa direction.
    pub name: String,
    /// Adresse, une ligne par élément.
    pub address_lines: Vec<String>,
}

/// Comptable chargé du recouvrement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ComptableRecouvrement {
    /// Règle imprimée lorsque le comptable n'est pas nommé.
    pub rule: String,
    /// Nom, s'il est le même pour toutes les communes.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub name: Option<String>,
    /// Adresse, une ligne par élément.
    pub address_lines: Vec<String>,
}

/// Juridictions et voies de recours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Courts {
    /// Tribunal désigné par l'article 11 de la convention.
    pub convention: String,
    /// Texte des voies et délais de recours d'un titre de perception.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub title_recourse_text: Option<String>,
    /// Personne ou service qui a validé ce texte.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub validated_by: Option<String>,
    /// Date de cette validation.
    #[serde(default, deserialize_with = "blank_is_no_date")]
    pub validated_on: Option<NaiveDate>,
}

/// Délégué à la protection des données.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Dpo {
    /// Nom, facultatif.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub name: Option<String>,
    /// Adresse électronique.
    pub email: String,
}

/// Imputation comptable dans Chorus ; chaque axe est facultatif.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Imputation {
    /// Domaine fonctionnel.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub domaine_fonctionnel: Option<String>,
    /// Centre financier.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub centre_financier: Option<String>,
    /// Centre de coûts.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub centre_couts: Option<String>,
    /// Activité (référentiel de programmation).
    #[serde(default, deserialize_with = "blank_is_none")]
    pub activite: Option<String>,
    /// Compte général.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub compte_general: Option<String>,
    /// Groupe de marchandises.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub groupe_marchandises: Option<String>,
    /// Fonds.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub fonds: Option<String>,
}

fn blank_is_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

fn blank_is_no_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<NaiveDate>, D::Error> {
    match blank_is_none(deserializer)? {
        None => Ok(None),
        Some(text) => day::parse(text.trim()).map(Some).map_err(serde::de::Error::custom),
    }
}

impl Default for CampaignTexts {
    /// The shipped texts: wherever a real one is needed, it carries [`crate::kernel::placeholder::EXAMPLE`].
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            document_kind: DocumentKind::Demande,
            has_portal: true,
            legal_basis: None,
            transfer_clause: None,
            return_instructions: Vec::new(),
            issuer: Issuer {
                name: text("Région académique EXEMPLE"),
                aliases: Vec::new(),
                address_lines: vec![text("1, rue EXEMPLE"), text("00000 EXEMPLE Cedex")],
                service: text("Direction de région académique du numérique pour l'éducation (EXEMPLE)"),
                contact_email: text("ent-ecole@EXEMPLE.invalid"),
                contact_phone: text("00 00 00 00 00 (EXEMPLE)"),
                website: text("https://www.EXEMPLE.invalid/ent-ecole"),
            },
            signatory: Signatory {
                civility: text("Madame"),
                first_name: text("Prénom"),
                last_name: text("EXEMPLE"),
                title: text(
                    "Rectrice de la région académique EXEMPLE,\nRectrice de l'académie d'EXEMPLE,\nChancelière des universités",
                ),
                place: text("EXEMPLE"),
                delegation: None,
            },
            comptable_assignataire: ComptableAssignataire {
                name: text("Direction régionale des finances publiques (EXEMPLE)"),
                address_lines: vec![text("1, place EXEMPLE"), text("00000 EXEMPLE")],
            },
            comptable_recouvrement: ComptableRecouvrement {
                rule: text("celui du domicile du débiteur"),
                name: None,
                address_lines: Vec::new(),
            },
            courts: Courts {
                convention: text("tribunal administratif d'EXEMPLE"),
                title_recourse_text: None,
                validated_by: None,
                validated_on: None,
            },
            dpo: Dpo { name: None, email: text("dpd@EXEMPLE.invalid") },
            imputation: Imputation::default(),
        }
    }
}

/// Texts without which a sentence of a paper says nothing (« soumis au . »); the others are left out when blank.
const NEEDED: [&str; 8] = [
    "issuer.name",
    "issuer.service",
    "signatory.last_name",
    "signatory.title",
    "signatory.place",
    "comptable_assignataire.name",
    "courts.convention",
    "dpo.email",
];

/// Why a text is not to be printed: a placeholder, or nothing where something is needed.
fn kind(path: &str, text: &str) -> Option<Placeholder> {
    let nothing = NEEDED.contains(&path) && !text.chars().any(char::is_alphanumeric);
    if nothing { Some(Placeholder::Blank) } else { placeholder(text) }
}

impl CampaignTexts {
    /// Texts still to be written: the setting's path below `texts`, and the text.
    #[must_use]
    pub fn placeholders(&self) -> Vec<(&'static str, &str)> {
        self.printed().into_iter().filter(|(path, text)| kind(path, text).is_some()).collect()
    }

    /// What keeps these texts off a paper: a specimen may carry addresses that reach nobody, and only it.
    #[must_use]
    pub fn unprintable(&self, specimen: bool) -> Vec<(&'static str, &str)> {
        let barred = |path: &str, text: &str| match kind(path, text) {
            Some(Placeholder::Blank) => true,
            Some(Placeholder::ReservedDomain) => !specimen,
            None => false,
        };
        self.printed().into_iter().filter(|(path, text)| barred(path, text)).collect()
    }

    /// What is missing (paths below `texts`) before a paper may be headed « TITRE DE PERCEPTION »:
    /// legal basis, delegation, accountant, and a recourse text somebody validated at a known date.
    #[must_use]
    pub fn missing_for_title(&self) -> Vec<&'static str> {
        let wanted = [
            ("legal_basis", self.legal_basis.as_deref()),
            ("signatory.delegation", self.signatory.delegation.as_deref()),
            ("comptable_assignataire.name", Some(self.comptable_assignataire.name.as_str())),
            (
                "comptable_assignataire.address_lines",
                self.comptable_assignataire.address_lines.first().map(String::as_str),
            ),
            ("courts.title_recourse_text", self.courts.title_recourse_text.as_deref()),
            ("courts.validated_by", self.courts.validated_by.as_deref()),
        ];
        let blank = |text: Option<&str>| text.is_none_or(|text| text.trim().is_empty() || placeholder(text).is_some());
        let mut missing: Vec<_> = wanted.into_iter().filter(|(_, text)| blank(*text)).map(|(path, _)| path).collect();
        if self.courts.validated_on.is_none() {
            missing.push("courts.validated_on");
        }
        missing
    }

    fn printed(&self) -> Vec<(&'static str, &str)> {
        let Self { issuer, signatory, comptable_assignataire, comptable_recouvrement, courts, dpo, imputation, .. } =
            self;
        let mut texts = vec![
            ("issuer.name", issuer.name.as_str()),
            ("issuer.service", &issuer.service),
            ("issuer.contact_email", &issuer.contact_email),
            ("issuer.contact_phone", &issuer.contact_phone),
            ("issuer.website", &issuer.website),
            ("signatory.civility", &signatory.civility),
            ("signatory.first_name", &signatory.first_name),
            ("signatory.last_name", &signatory.last_name),
            ("signatory.title", &signatory.title),
            ("signatory.place", &signatory.place),
            ("comptable_assignataire.name", &comptable_assignataire.name),
            ("comptable_recouvrement.rule", &comptable_recouvrement.rule),
            ("courts.convention", &courts.convention),
            ("dpo.email", &dpo.email),
        ];
        let optional = [
            ("legal_basis", &self.legal_basis),
            ("transfer_clause", &self.transfer_clause),
            ("signatory.delegation", &signatory.delegation),
            ("comptable_recouvrement.name", &comptable_recouvrement.name),
            ("courts.title_recourse_text", &courts.title_recourse_text),
            ("courts.validated_by", &courts.validated_by),
            ("dpo.name", &dpo.name),
            ("imputation.domaine_fonctionnel", &imputation.domaine_fonctionnel),
            ("imputation.centre_financier", &imputation.centre_financier),
            ("imputation.centre_couts", &imputation.centre_couts),
            ("imputation.activite", &imputation.activite),
            ("imputation.compte_general", &imputation.compte_general),
            ("imputation.groupe_marchandises", &imputation.groupe_marchandises),
            ("imputation.fonds", &imputation.fonds),
        ];
        texts.extend(optional.into_iter().filter_map(|(path, text)| Some((path, text.as_deref()?))));
        let lists = [
            ("return_instructions", &self.return_instructions),
            ("issuer.aliases", &issuer.aliases),
            ("issuer.address_lines", &issuer.address_lines),
            ("comptable_assignataire.address_lines", &comptable_assignataire.address_lines),
            ("comptable_recouvrement.address_lines", &comptable_recouvrement.address_lines),
        ];
        texts.extend(lists.into_iter().flat_map(|(path, list)| list.iter().map(move |line| (path, line.as_str()))));
        texts
    }
}

#[cfg(test)]
#[path = "texts_tests.rs"]
mod tests;
