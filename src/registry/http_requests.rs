//! What callers send of collectivités and schools, and its words for what the house knows.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::collectivite::{Address, Chorus, CollectiviteIdentity, Representative};
use super::kinds::{CollectiviteKind, SchoolKind, Sector};
use super::school::{Count, SaidSchool, SchoolIdentity};
use crate::kernel::contact::{EmailAddress, Phone};
use crate::kernel::text::Line;
use crate::kernel::{InseeCode, SchoolYear, Siret, Uai};

/// Ce qu'une personne dit d'une collectivité, à la création puis par fusion JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CollectiviteRequest {
    pub siret: Siret,
    pub kind: CollectiviteKind,
    pub name: Line,
    /// Code INSEE, pour une commune : c'est par lui que ses écoles trouvent leur payeur.
    #[serde(default)]
    pub insee_code: Option<InseeCode>,
    #[serde(default)]
    pub address: Address,
    #[serde(default)]
    pub representative: Representative,
    #[serde(default)]
    pub contact_email: Option<EmailAddress>,
    #[serde(default)]
    pub contact_phone: Option<Phone>,
    #[serde(default)]
    pub chorus: Chorus,
    /// Dernier jour d'existence, quand elle a cessé.
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub closed_on: Option<NaiveDate>,
}

/// Ce qu'une personne dit d'une école.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchoolRequest {
    pub uai: Uai,
    pub name: Line,
    pub kind: SchoolKind,
    pub sector: Sector,
    /// Commune où elle se trouve.
    pub insee_code: InseeCode,
    pub commune_name: Line,
    /// SIRET de la collectivité qui paie ; absent : la commune enregistrée sous `insee_code`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_siret: Option<Siret>,
    /// Premier jour où ce payeur paie ; absent : depuis l'origine.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::kernel::dates::some_day")]
    pub payer_from: Option<NaiveDate>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 5000)]
    pub pupils: Option<Count>,
    #[serde(default)]
    #[schema(minimum = 0, maximum = 5000)]
    pub classes: Option<Count>,
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub opened_on: Option<NaiveDate>,
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub closed_on: Option<NaiveDate>,
    /// Première année scolaire de participation.
    #[serde(default)]
    pub first_school_year: Option<SchoolYear>,
}

impl From<CollectiviteRequest> for CollectiviteIdentity {
    fn from(said: CollectiviteRequest) -> Self {
        Self {
            siret: said.siret,
            kind: said.kind,
            name: said.name,
            insee_code: said.insee_code,
            address: said.address,
            representative: said.representative,
            contact_email: said.contact_email,
            contact_phone: said.contact_phone,
            chorus: said.chorus,
            closed_on: said.closed_on,
        }
    }
}

impl From<CollectiviteIdentity> for CollectiviteRequest {
    fn from(known: CollectiviteIdentity) -> Self {
        Self {
            siret: known.siret,
            kind: known.kind,
            name: known.name,
            insee_code: known.insee_code,
            address: known.address,
            representative: known.representative,
            contact_email: known.contact_email,
            contact_phone: known.contact_phone,
            chorus: known.chorus,
            closed_on: known.closed_on,
        }
    }
}

impl From<SchoolRequest> for SaidSchool {
    fn from(said: SchoolRequest) -> Self {
        let identity = SchoolIdentity {
            uai: said.uai,
            name: said.name,
            kind: said.kind,
            sector: said.sector,
            insee_code: said.insee_code,
            commune_name: said.commune_name,
            pupils: said.pupils,
            classes: said.classes,
            opened_on: said.opened_on,
            closed_on: said.closed_on,
            first_school_year: said.first_school_year,
        };
        Self { identity, payer: said.payer_siret, payer_from: said.payer_from }
    }
}

impl From<SchoolIdentity> for SchoolRequest {
    /// Without its payer, which is told apart.
    fn from(known: SchoolIdentity) -> Self {
        Self {
            uai: known.uai,
            name: known.name,
            kind: known.kind,
            sector: known.sector,
            insee_code: known.insee_code,
            commune_name: known.commune_name,
            pupils: known.pupils,
            classes: known.classes,
            opened_on: known.opened_on,
            closed_on: known.closed_on,
            first_school_year: known.first_school_year,
            payer_siret: None,
            payer_from: None,
        }
    }
}
