//! The tariff of a campaign: what is counted, at what price, within which bounds, and who is spared. Pure.
//!
//! ```text
//!   unit × unit_amount ──tiers──▶ subtotal ──minimum, cap (per payer)──▶ total        exempted or first year: 0
//! ```
//! The convention copies the tariff when it is issued: a later campaign's price never touches it. How a list of
//! schools is priced stands in [`super::pricing`]; here are the data, their rules, and the words article 4 prints.

use serde::{Deserialize, Serialize};

use crate::kernel::text::Note;
use crate::kernel::{FieldError, Money, Siret, Uai, french};
use crate::text_enum;

text_enum!(
    /// Ce qui est compté.
    TariffUnit {
        /// Chaque école inscrite (convention, art. 3.2 et 4).
        School => "school",
        /// Chaque élève des écoles inscrites, selon l'effectif connu à l'émission de la convention.
        Pupil => "pupil",
        /// Chaque classe des écoles inscrites, selon le nombre connu à l'émission de la convention.
        Class => "class",
        /// Un montant par payeur, quel que soit le nombre d'écoles.
        Flat => "flat",
    }
);

text_enum!(
    /// Comment les tranches s'appliquent.
    TierMode {
        /// Le prix de la tranche atteinte vaut pour toutes les unités.
        Bracket => "bracket",
        /// Chaque unité est comptée au prix de sa tranche.
        Marginal => "marginal",
    }
);

/// Un prix à partir d'un nombre d'unités.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Première unité de la tranche, comptée par payeur à partir de 1.
    #[schema(minimum = 2, maximum = 1_000_000, example = 11)]
    pub from: i64,
    pub unit_amount: Money,
}

/// Une école, ou un payeur avec toutes ses écoles, qui ne doit rien cette année, et pourquoi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exemption {
    /// L'école ; donner soit `uai`, soit `siret`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uai: Option<Uai>,
    /// Le payeur, par son SIRET présent ou un ancien.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub siret: Option<Siret>,
    /// Imprimé dans l'explication du montant.
    pub reason: Note,
}

/// Prix d'une année scolaire, toutes taxes comprises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    pub unit: TariffUnit,
    /// Prix d'une unité, sous la première tranche s'il y en a ; du payeur pour `flat`.
    pub unit_amount: Money,
    /// Prix à partir de nombres d'unités plus grands, en ordre croissant ; aucun pour `flat`.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub tiers: Vec<Tier>,
    /// Obligatoire avec `tiers`.
    #[serde(default)]
    pub tier_mode: Option<TierMode>,
    /// Total minimal d'un payeur dont une école au moins est facturée.
    #[serde(default)]
    pub minimum: Option<Money>,
    /// Total maximal d'un payeur.
    #[serde(default)]
    pub cap: Option<Money>,
    /// Une école ne doit rien pour sa première année scolaire d'inscription.
    #[serde(default)]
    pub first_year_free: bool,
    #[serde(default)]
    #[schema(max_items = 5_000)]
    pub exemptions: Vec<Exemption>,
}

/// Most tiers, and most exemptions, of a tariff.
const MAX_TIERS: usize = 50;
const MAX_EXEMPTIONS: usize = 5_000;

impl Tariff {
    /// The plain tariff: so much per school.
    #[must_use]
    pub fn per_school(unit_amount: Money) -> Self {
        Self {
            unit: TariffUnit::School,
            unit_amount,
            tiers: Vec::new(),
            tier_mode: None,
            minimum: None,
            cap: None,
            first_year_free: false,
            exemptions: Vec::new(),
        }
    }

    /// Checks what no single field can; each rule broken is told on its field, below `/tariff`.
    #[must_use]
    pub fn faults(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut refuse = |pointer: String, code: &str, message: &str, value: String| {
            errors.push(FieldError {
                pointer: format!("/tariff/{pointer}"),
                code: code.into(),
                message: message.into(),
                value: Some(value),
            });
        };
        if self.unit_amount.is_zero() && self.tiers.iter().all(|t| t.unit_amount.is_zero()) {
            let message = "Le tarif doit être supérieur à zéro.";
            refuse("unit_amount".into(), "amount_zero", message, self.unit_amount.to_string());
        }
        if self.unit == TariffUnit::Flat && !self.tiers.is_empty() {
            let message = "Un forfait par payeur n'a pas de tranches.";
            refuse("tiers".into(), "tiers_not_for_flat", message, self.tiers.len().to_string());
        }
        if self.tiers.len() > MAX_TIERS {
            refuse("tiers".into(), "too_many", "Cinquante tranches au plus.", self.tiers.len().to_string());
        }
        if !self.tiers.is_empty() && self.tier_mode.is_none() {
            let message = "Avec des tranches, dire comment elles s'appliquent : bracket (le prix de la tranche atteinte \
                           vaut pour toutes les unités) ou marginal (chaque unité au prix de sa tranche).";
            refuse("tier_mode".into(), "missing_field", message, "null".into());
        }
        let mut floor = 1;
        for (i, tier) in self.tiers.iter().enumerate() {
            if tier.from <= floor || tier.from > 1_000_000 {
                let message = "Chaque tranche commence après la précédente, au plus tôt à 2, au plus tard à 1000000.";
                refuse(format!("tiers/{i}/from"), "tier_order", message, tier.from.to_string());
            }
            floor = tier.from.max(floor);
        }
        if self.cap.is_some_and(Money::is_zero) {
            let message = "Un plafond nul rendrait tout gratuit : utiliser les exonérations.";
            refuse("cap".into(), "amount_zero", message, "0.00".into());
        }
        if let (Some(minimum), Some(cap)) = (self.minimum, self.cap)
            && minimum > cap
        {
            let message = format!("Le minimum ne peut dépasser le plafond ({cap}).");
            refuse("minimum".into(), "minimum_above_cap", &message, minimum.to_string());
        }
        if self.exemptions.len() > MAX_EXEMPTIONS {
            let message = "Cinq mille exonérations au plus.";
            refuse("exemptions".into(), "too_many", message, self.exemptions.len().to_string());
        }
        let mut seen = std::collections::HashSet::new();
        for (i, exemption) in self.exemptions.iter().enumerate() {
            match (&exemption.uai, &exemption.siret) {
                (Some(_), None) | (None, Some(_)) => {
                    let key = exemption.key();
                    if !seen.insert(key.clone()) {
                        refuse(format!("exemptions/{i}"), "duplicate", "Exonération donnée deux fois.", key);
                    }
                }
                (uai, _) => {
                    let message = "Une exonération nomme soit une école (uai), soit un payeur (siret).";
                    let given = if uai.is_some() { "uai, siret" } else { "" };
                    refuse(format!("exemptions/{i}"), "uai_or_siret", message, given.into());
                }
            }
        }
        errors
    }

    /// The price of the unit of a rank (from 1), and the tier it comes from.
    #[must_use]
    pub fn price_at(&self, rank: i64) -> (Money, Option<&Tier>) {
        match self.tiers.iter().rev().find(|t| t.from <= rank) {
            Some(tier) => (tier.unit_amount, Some(tier)),
            None => (self.unit_amount, None),
        }
    }

    /// The first rank at which paying for one unit more costs less in all, if the tiers make one: a bracket effect
    /// worth showing to who writes the tariff.
    #[must_use]
    pub fn bracket_drop(&self) -> Option<i64> {
        if self.tier_mode != Some(TierMode::Bracket) {
            return None;
        }
        self.tiers.iter().find_map(|tier| {
            let before = self.price_at(tier.from - 1).0.checked_times(tier.from - 1)?;
            (tier.unit_amount.checked_times(tier.from)? < before).then_some(tier.from)
        })
    }

    /// The tariff as one payer's convention keeps it: without the exemptions of others.
    #[must_use]
    pub fn kept(&self, concerns: impl Fn(&Exemption) -> bool) -> Self {
        let exemptions = self.exemptions.iter().filter(|e| concerns(e)).cloned().collect();
        Self { exemptions, ..self.clone() }
    }

    /// The rate, as article 4 states it: « 40 € TTC par école et par an ».
    #[must_use]
    pub fn rate(&self) -> String {
        let price = french::euros_short(self.unit_amount.cents());
        match self.unit {
            TariffUnit::Flat => {
                format!("{price} TTC par collectivité et par an, quel que soit le nombre de ses écoles inscrites")
            }
            unit => format!("{price} TTC par {} et par an", unit.noun()),
        }
    }

    /// The other rules of the rate, one sentence each, as article 4 lists them.
    #[must_use]
    pub fn rules(&self) -> Vec<String> {
        let mut rules = Vec::new();
        if matches!(self.unit, TariffUnit::Pupil | TariffUnit::Class) {
            rules.push(format!(
                "Le nombre {} retenu est celui que le service connaît le jour où la convention est établie.",
                self.unit.of_many()
            ));
        }
        if let (Some(mode), Some(first)) = (self.tier_mode, self.tiers.first()) {
            let noun = self.unit.noun();
            let mut steps =
                vec![format!("de 1 à {} : {}", first.from - 1, french::euros_short(self.unit_amount.cents()))];
            for (i, tier) in self.tiers.iter().enumerate() {
                let price = french::euros_short(tier.unit_amount.cents());
                steps.push(match self.tiers.get(i + 1) {
                    Some(next) => format!("de {} à {} : {price}", tier.from, next.from - 1),
                    None => format!("à partir de {} : {price}", tier.from),
                });
            }
            let how = match mode {
                TierMode::Bracket => format!("le prix de la tranche atteinte vaut pour chaque {noun}"),
                TierMode::Marginal => format!("chaque {noun} est comptée au prix de sa tranche"),
            };
            let how = if self.unit == TariffUnit::Pupil { how.replace("comptée", "compté") } else { how };
            rules.push(format!("Ce prix dépend du nombre {} ({}) ; {how}.", self.unit.of_many(), steps.join(" ; ")));
        }
        if let Some(minimum) = self.minimum {
            let minimum = french::euros_short(minimum.cents());
            rules.push(format!("La participation d’une collectivité n’est jamais inférieure à {minimum}."));
        }
        if let Some(cap) = self.cap {
            let cap = french::euros_short(cap.cents());
            rules.push(format!("La participation d’une collectivité n’excède jamais {cap}."));
        }
        if self.first_year_free {
            rules.push("La première année scolaire d’inscription d’une école est gratuite.".into());
        }
        rules
    }
}

impl TariffUnit {
    /// The thing counted, in French, singular.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::School => "école",
            Self::Pupil => "élève",
            Self::Class => "classe",
            Self::Flat => "collectivité",
        }
    }

    /// « d’écoles », « de classes »: after « nombre ».
    #[must_use]
    pub fn of_many(self) -> &'static str {
        match self {
            Self::School => "d’écoles",
            Self::Pupil => "d’élèves",
            Self::Class => "de classes",
            Self::Flat => "de collectivités",
        }
    }

    /// What the collectivité's share depends on, as article 3.2 says it after « Sa part ».
    #[must_use]
    pub fn basis(self) -> &'static str {
        match self {
            Self::School => "dépend du nombre d’écoles à sa charge qui y sont inscrites pour l’année en cours",
            Self::Pupil => {
                "dépend du nombre d’élèves des écoles à sa charge qui y sont inscrites pour l’année en cours"
            }
            Self::Class => {
                "dépend du nombre de classes des écoles à sa charge qui y sont inscrites pour l’année en cours"
            }
            Self::Flat => "est un forfait, dû dès lors qu’une école à sa charge y est inscrite pour l’année en cours",
        }
    }
}

impl Exemption {
    /// The UAI or the SIRET it names.
    #[must_use]
    pub fn key(&self) -> String {
        let uai = self.uai.as_ref().map(ToString::to_string);
        uai.or_else(|| self.siret.as_ref().map(ToString::to_string)).unwrap_or_default()
    }
}

#[cfg(test)]
#[path = "tariff_tests.rs"]
mod tests;
