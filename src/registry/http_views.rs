//! Collectivités and schools, as answered.

use chrono::NaiveDate;
use serde::Serialize;

use super::collectivite::Collectivite;
use super::http_requests::{CollectiviteRequest, SchoolRequest};
use super::kinds::SetBy;
use super::official_siret::OfficialSiret;
use crate::kernel::ids::CollectiviteId;
use crate::kernel::text::Line;
use crate::kernel::{Departement, Finding, Instant, Siren, Siret};

/// Une collectivité.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CollectiviteView {
    pub id: CollectiviteId,
    #[serde(flatten)]
    pub said: CollectiviteRequest,
    pub siren: Siren,
    pub departement: Option<Departement>,
    pub population: Option<i64>,
    pub findings: Vec<Finding>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl From<Collectivite> for CollectiviteView {
    fn from(c: Collectivite) -> Self {
        Self {
            findings: c.findings(),
            siren: c.siren(),
            id: c.id,
            said: c.said.into(),
            departement: c.departement,
            population: c.population,
            version: c.version,
            created_at: c.created_at,
            updated_at: c.updated_at,
        }
    }
}

/// Une période de paiement.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PayerView {
    pub siret: Siret,
    pub name: Line,
    /// Nul : depuis l'origine.
    pub from: Option<NaiveDate>,
    /// Premier jour où elle ne paie plus ; nul : sans fin connue.
    pub until: Option<NaiveDate>,
    pub set_by: SetBy,
}

/// Une école.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct SchoolView {
    #[serde(flatten)]
    pub said: SchoolRequest,
    pub departement: Departement,
    #[schema(value_type = Option<String>)]
    pub official_siret: Option<OfficialSiret>,
    /// Qui paie aujourd'hui.
    pub payer: Option<PayerView>,
    pub findings: Vec<Finding>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl SchoolView {
    /// Fields left out when there is nothing to say; every other field is always there, null or not.
    pub const SOMETIMES: &[&str] = &["payer_siret", "payer_from"];
}
