//! What callers send of a campaign, and its words for what the house knows.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::tariff::Tariff;
use super::terms::{CampaignTerms, CountersignPolicy, SmallClaims};
use super::texts::CampaignTexts;
use crate::kernel::SchoolYear;

fn record() -> CountersignPolicy {
    CountersignPolicy::Record
}

/// Ce qu'une personne décide d'une campagne, à la création puis par fusion JSON.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignRequest {
    pub school_year: SchoolYear,
    pub tariff: Tariff,
    /// Date en tête des conventions.
    #[serde(with = "crate::kernel::dates::day")]
    pub convention_date: NaiveDate,
    /// Dernier jour des conventions.
    #[serde(with = "crate::kernel::dates::day")]
    pub ends_on: NaiveDate,
    /// Un souhait dit aux communes ; rien n'est refusé après.
    #[serde(default, with = "crate::kernel::dates::some_day")]
    pub response_deadline: Option<NaiveDate>,
    #[serde(default)]
    pub small_claims: SmallClaims,
    #[serde(default = "record")]
    pub countersign_policy: CountersignPolicy,
    /// Textes des documents ; absents : ceux de la configuration à l'ouverture.
    #[serde(default)]
    pub texts: Option<CampaignTexts>,
}

macro_rules! same_fields {
    ($from:ty => $to:ident) => {
        impl From<$from> for $to {
            fn from(said: $from) -> Self {
                Self {
                    school_year: said.school_year,
                    tariff: said.tariff,
                    convention_date: said.convention_date,
                    ends_on: said.ends_on,
                    response_deadline: said.response_deadline,
                    small_claims: said.small_claims,
                    countersign_policy: said.countersign_policy,
                    texts: said.texts,
                }
            }
        }
    };
}

same_fields!(CampaignRequest => CampaignTerms);
same_fields!(CampaignTerms => CampaignRequest);
