//! A school takes part in a campaign: who asked, when, and which convention covers it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use super::enrolment_import::EnrolmentOrigin;
use crate::kernel::ids::{CampaignId, ConventionId, EnrolmentId};
use crate::kernel::text::{Line, SearchText};
use crate::kernel::{Departement, InseeCode, Instant, Siret, Uai};
use crate::registry::kinds::{SchoolKind, Sector};

/// A school enrolled in a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    pub id: EnrolmentId,
    pub campaign_id: CampaignId,
    pub uai: Uai,
    pub origin: EnrolmentOrigin,
    pub requester: Option<Line>,
    pub requested_on: Option<NaiveDate>,
    /// The living convention that covers it.
    pub convention_id: Option<ConventionId>,
    pub created_by: String,
    pub created_at: Instant,
    pub version: i64,
    pub updated_at: Instant,
}

/// D'où vient une inscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolmentRequest)]
pub struct EnrolmentDetails {
    #[serde(default)]
    pub origin: Option<EnrolmentOrigin>,
    #[serde(default)]
    pub requester: Option<Line>,
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub requested_on: Option<NaiveDate>,
}

/// Les écoles à inscrire ; les champs sont ceux de `GET /schools`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SchoolSelection {
    #[serde(default)]
    pub departement: Option<Departement>,
    #[serde(default)]
    pub sector: Option<Sector>,
    #[serde(default)]
    pub kind: Option<SchoolKind>,
    #[serde(default)]
    pub insee_code: Option<InseeCode>,
    #[serde(default)]
    pub collectivite: Option<Siret>,
    #[serde(default)]
    pub q: Option<SearchText>,
}

/// Inscription en nombre : par `filter` ou `keys` (UAI), avec l'origine à retenir.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EnrolRequest)]
pub struct Enrol {
    #[serde(default)]
    pub filter: Option<SchoolSelection>,
    #[serde(default)]
    pub keys: Option<Vec<String>>,
    #[serde(default)]
    pub dry_run: bool,
    #[serde(default)]
    pub origin: Option<EnrolmentOrigin>,
    #[serde(default)]
    pub requester: Option<Line>,
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub requested_on: Option<NaiveDate>,
}

/// Une inscription.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct EnrolmentView {
    pub uai: Uai,
    pub name: Line,
    pub commune_name: Line,
    pub departement: Departement,
    pub origin: EnrolmentOrigin,
    pub requester: Option<Line>,
    pub requested_on: Option<NaiveDate>,
    pub convention_id: Option<ConventionId>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}
