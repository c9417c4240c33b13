//! The shape shared by acts in number: what they take, what they answer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::codes::KEYS_OR_FILTER;
use crate::kernel::{Finding, Level, Money, Refused};

/// Which items an act in number takes.
#[derive(Debug, Clone)]
pub enum Selection<F> {
    All,
    Filter(F),
    Keys(Vec<String>),
}

/// Un acte en nombre : `filter` ou `keys`, et `dry_run`.
#[derive(Debug, Clone, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest<F> {
    #[serde(default = "Option::default")]
    pub filter: Option<F>,
    #[serde(default = "Option::default")]
    pub keys: Option<Vec<String>>,
    /// `true` : même traitement, rien n'est écrit.
    #[serde(default)]
    pub dry_run: bool,
}

impl<F> BulkRequest<F> {
    /// What is asked; nothing given means everything only where `all_allowed`.
    ///
    /// # Errors
    /// Both given, or none where one is required.
    pub fn selection(self, all_allowed: bool) -> Result<(Selection<F>, bool), Refused> {
        let selection = match (self.filter, self.keys) {
            (Some(_), Some(_)) => {
                return Err(Refused::new(&KEYS_OR_FILTER, "Donner `keys` ou `filter`, pas les deux."));
            }
            (Some(filter), None) => Selection::Filter(filter),
            (None, Some(keys)) => Selection::Keys(keys),
            (None, None) if all_allowed => Selection::All,
            (None, None) => return Err(Refused::new(&KEYS_OR_FILTER, "Donner `keys` ou `filter`.")),
        };
        Ok((selection, self.dry_run))
    }
}

/// Ce qu'il est advenu d'un objet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct BulkItem {
    /// UAI, SIRET ou identifiant, selon l'acte.
    pub key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub outcome: &'static str,
    pub findings: Vec<Finding>,
    /// Montant compté dans `total` quand l'objet a abouti.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

impl BulkItem {
    /// Fields left out when there is nothing to say; every other field is always there, null or not.
    pub const SOMETIMES: &[&str] = &["id", "amount"];

    #[must_use]
    pub fn new(key: impl ToString, outcome: &'static str) -> Self {
        Self { key: key.to_string(), id: None, outcome, findings: Vec::new(), amount: None }
    }

    /// An item refused for one reason.
    #[must_use]
    pub fn refused(key: impl ToString, code: &str, message: impl Into<String>) -> Self {
        let mut item = Self::new(key, "refused");
        item.findings.push(Finding::new(code, Level::Blocking, message));
        item
    }

    #[must_use]
    pub fn with_id(mut self, id: impl ToString) -> Self {
        self.id = Some(id.to_string());
        self
    }

    #[must_use]
    pub fn with_amount(mut self, amount: Money) -> Self {
        self.amount = Some(amount);
        self
    }

    #[must_use]
    pub fn with(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self
    }
}

/// What an act in number did: a count per outcome, the amount of what succeeded, and each item.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct BulkView {
    /// One count per outcome of the act, zero included.
    #[serde(flatten)]
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub counts: BTreeMap<&'static str, usize>,
    pub dry_run: bool,
    pub total: Money,
    #[schema(example = "EUR")]
    pub currency: &'static str,
    pub items: Vec<BulkItem>,
}

impl BulkView {
    /// Counts items by outcome; `outcomes` lists those that must show even at zero.
    #[must_use]
    pub fn of(items: Vec<BulkItem>, outcomes: &[&'static str], dry_run: bool) -> Self {
        let mut counts: BTreeMap<&'static str, usize> = outcomes.iter().map(|o| (*o, 0)).collect();
        for item in &items {
            *counts.entry(item.outcome).or_default() += 1;
        }
        let total = items.iter().filter_map(|i| i.amount).sum();
        Self { counts, dry_run, total, currency: "EUR", items }
    }

    /// How many items had an outcome.
    #[must_use]
    pub fn count(&self, outcome: &str) -> usize {
        self.counts.get(outcome).copied().unwrap_or(0)
    }
}
