//! A campaign: one school year's tariff, dates, texts and policies. Pure.
//!
//! ```text
//!   preparing ──open──▶ open ──────────close──────────▶ closed
//!   everything may      tariff and dates are frozen     no convention, title or decision any more
//!   change   ◀─unopen── texts may be corrected ──until the first convention──▶ frozen   ◀──reopen, reason──
//! ```
//! No campaign opens on a text still to be written (« EXEMPLE »). Until a first convention is issued, texts are
//! corrected with a reason, or the campaign goes back to its preparation, or is deleted; after, nothing of it changes.
//! Nothing is refused because it is late: the response deadline is a wish, and closing only asks that no title be
//! left half way. A debt found after closing is titled once the campaign is open again, with a reason.

use chrono::NaiveDate;

use super::codes::{CAMPAIGN_ISSUED, CAMPAIGN_STATE, PLACEHOLDER_TEXTS};
use super::terms::{CampaignTerms, told};
use super::texts::CampaignTexts;
use super::thresholds::Thresholds;
use crate::kernel::ids::CampaignId;
use crate::kernel::text::excerpt;
use crate::kernel::{FieldError, FieldFault, Instant, Refused};
use crate::text_enum;

text_enum!(
    /// Où en est une campagne.
    CampaignState { Preparing => "preparing", Open => "open", Closed => "closed" }
);

text_enum!(
    /// Ce qui peut être fait d'une campagne.
    CampaignAction { Open => "open", Close => "close", Reopen => "reopen", Unopen => "unopen" }
);

/// What a change of a campaign rests on.
#[derive(Debug, Clone, Copy)]
pub struct Rewriting<'f> {
    /// A convention was issued, were it cancelled since.
    pub issued: bool,
    /// The caller said why.
    pub reasoned: bool,
    /// Papers carry « SPÉCIMEN ».
    pub specimen: bool,
    pub thresholds: &'f Thresholds,
    pub today: NaiveDate,
}

/// A campaign as known today.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    pub id: CampaignId,
    pub said: CampaignTerms,
    pub state: CampaignState,
    pub opened_at: Option<Instant>,
    pub closed_at: Option<Instant>,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
}

/// Fields that may still change once the campaign is open.
const FREE_WHEN_OPEN: [&str; 3] = ["response_deadline", "small_claims", "countersign_policy"];

/// What an action on a campaign rests on beside the campaign.
#[derive(Debug, Clone)]
pub struct CampaignFacts<'f> {
    /// Texts of the configuration, taken at opening where the campaign has none.
    pub texts: &'f CampaignTexts,
    /// Whether every paper says « SPÉCIMEN »: examples may then be printed.
    pub specimen: bool,
    /// Whether a convention was ever issued.
    pub issued: bool,
    /// What closing would leave half way, in words.
    pub half_way: Vec<String>,
    pub now: Instant,
}

impl Campaign {
    /// What the state lets a person do.
    #[must_use]
    pub fn allowed(&self) -> Vec<CampaignAction> {
        CampaignAction::ALL.iter().copied().filter(|action| self.in_state_for(*action).is_ok()).collect()
    }

    /// The one table of the lifecycle: why the state does not bear an action.
    fn in_state_for(&self, action: CampaignAction) -> Result<(), &'static str> {
        use CampaignAction::{Close, Open, Reopen, Unopen};
        match (self.state, action) {
            (CampaignState::Preparing, Open)
            | (CampaignState::Open, Close | Unopen)
            | (CampaignState::Closed, Reopen) => Ok(()),
            (CampaignState::Open | CampaignState::Closed, Open) => {
                Err("Seule une campagne en préparation peut être ouverte.")
            }
            (CampaignState::Preparing | CampaignState::Closed, Close) => {
                Err("Seule une campagne ouverte peut être close.")
            }
            (CampaignState::Preparing | CampaignState::Closed, Unopen) => {
                Err("Seule une campagne ouverte peut revenir en préparation.")
            }
            (CampaignState::Preparing | CampaignState::Open, Reopen) => {
                Err("Seule une campagne close peut être rouverte.")
            }
        }
    }

    /// Does it: the campaign as it becomes. Nothing is written beside it.
    ///
    /// # Errors
    /// The state does not bear the action. To open: a text still to be written, or texts that do not hold. To go back to
    /// preparation: a convention was issued. To close: titles are half way.
    pub fn apply(mut self, action: CampaignAction, facts: &CampaignFacts<'_>) -> Result<Self, Refused> {
        self.in_state_for(action).map_err(|detail| self.refuse(detail.into()))?;
        match action {
            CampaignAction::Open => {
                let texts = self.said.texts.get_or_insert_with(|| facts.texts.clone()).clone();
                self.said.check(facts.now.day())?;
                self.printable(&texts, facts.specimen)?;
                self.state = CampaignState::Open;
                self.opened_at = Some(facts.now);
            }
            CampaignAction::Unopen => {
                self.never_issued(facts.issued)?;
                self.state = CampaignState::Preparing;
                self.opened_at = None;
            }
            CampaignAction::Close => {
                if !facts.half_way.is_empty() {
                    return Err(self.refuse(facts.half_way.join(" ")));
                }
                self.state = CampaignState::Closed;
                self.closed_at = Some(facts.now);
            }
            CampaignAction::Reopen => {
                self.state = CampaignState::Open;
                self.closed_at = None;
            }
        }
        Ok(self)
    }

    fn refuse(&self, detail: String) -> Refused {
        Refused::state(&CAMPAIGN_STATE, detail, self.state, self.allowed())
    }

    /// Takes a person's new word.
    ///
    /// # Errors
    /// Frozen fields once open; texts once a convention is issued, or without a reason; anything once closed.
    pub fn rewritten(mut self, said: CampaignTerms, patched: &[String], facts: Rewriting<'_>) -> Result<Self, Refused> {
        // Dates kept as they were are not judged again: a campaign of before the bounds can still be changed.
        let mut errors = if said.same_dates(&self.said) { Vec::new() } else { said.date_faults(facts.today) };
        errors.extend(said.faults());
        if said.small_claims.threshold != self.said.small_claims.threshold {
            errors.extend(said.small_claims.fault(facts.today, facts.thresholds));
        }
        told(errors)?;
        if said.school_year != self.said.school_year {
            let fault = FieldFault::new("school_year_immutable", "L'année scolaire d'une campagne ne change pas.");
            return Err(Refused::field("/school_year", &fault, Some(said.school_year.to_string())));
        }
        match self.state {
            CampaignState::Preparing => {}
            CampaignState::Open => {
                // Texts that were never written, of before campaigns were held to them, may be at any time.
                let written = self.said.texts.as_ref().is_none_or(|t| t.unprintable(facts.specimen).is_empty());
                let texts = !facts.issued || !written;
                let free = |field: &str| FREE_WHEN_OPEN.contains(&field) || field == "texts" && texts;
                if let Some(field) = patched.iter().find(|f| !free(f)) {
                    let since =
                        if field == "texts" { "l'émission d'une convention" } else { "l'ouverture de la campagne" };
                    return Err(self.refuse(format!("Le champ « {field} » est figé depuis {since}.")));
                }
                if patched.iter().any(|f| f == "texts") {
                    self.corrected_texts(&said, facts)?;
                }
            }
            CampaignState::Closed => return Err(self.refuse("La campagne est close : elle ne change plus.".into())),
        }
        self.said = said;
        Ok(self)
    }

    /// Whether the texts of an open campaign may become these.
    fn corrected_texts(&self, said: &CampaignTerms, facts: Rewriting<'_>) -> Result<(), Refused> {
        if !facts.reasoned {
            let message = "Corriger les textes d'une campagne ouverte demande un motif (`reason`).";
            return Err(Refused::field("/reason", &FieldFault::new("missing_field", message), None));
        }
        let Some(texts) = &said.texts else {
            let fault = FieldFault::new("texts_needed", "Une campagne ouverte a ses textes : ils ne s'effacent pas.");
            return Err(Refused::field("/texts", &fault, None));
        };
        self.printable(texts, facts.specimen)
    }

    /// Whether no text is still to be written.
    ///
    /// # Errors
    /// `placeholder_texts`, naming each.
    pub fn printable(&self, texts: &CampaignTexts, specimen: bool) -> Result<(), Refused> {
        let barred = texts.unprintable(specimen);
        if barred.is_empty() {
            return Ok(());
        }
        let paths: std::collections::BTreeSet<&str> = barred.iter().map(|(path, _)| *path).collect();
        let detail = format!(
            "Des textes sont encore à écrire (EXEMPLE, À COMPLÉTER, adresse réservée) : {}.",
            paths.into_iter().collect::<Vec<_>>().join(", ")
        );
        let mut refused = Refused::state(&PLACEHOLDER_TEXTS, detail, self.state, self.allowed());
        refused.errors = barred
            .into_iter()
            .map(|(path, text)| FieldError {
                pointer: format!("/texts/{}", path.replace('.', "/")),
                code: "placeholder_text".into(),
                message: format!("Le texte « {path} » est encore à écrire."),
                value: Some(excerpt(&text)),
            })
            .collect();
        Err(refused)
    }

    /// Whether nothing was issued that would lose its campaign.
    ///
    /// # Errors
    /// `campaign_issued`.
    pub fn never_issued(&self, issued: bool) -> Result<(), Refused> {
        if !issued {
            return Ok(());
        }
        let detail = "Une convention a été émise dans cette campagne : elle ne peut plus être défaite.";
        Err(Refused::state(&CAMPAIGN_ISSUED, detail, self.state, self.allowed()))
    }

    /// The campaign, if titles may be prepared and decisions taken: closing ends both.
    ///
    /// # Errors
    /// Closed.
    pub fn while_not_closed(&self) -> Result<(), Refused> {
        if self.state == CampaignState::Closed {
            return Err(self.refuse("La campagne est close : la rouvrir, avec un motif, pour y revenir.".into()));
        }
        Ok(())
    }

    /// The texts in force; only once open.
    ///
    /// # Errors
    /// The campaign is not open.
    pub fn opened_texts(&self) -> Result<&CampaignTexts, Refused> {
        match (&self.said.texts, self.state) {
            (Some(texts), CampaignState::Open) => Ok(texts),
            (_, CampaignState::Closed) => Err(self.refuse("La campagne est close.".into())),
            _ => Err(self.refuse("La campagne n'est pas ouverte.".into())),
        }
    }

    /// The texts of a trial, which leaves nothing behind: also while the campaign is in preparation.
    ///
    /// # Errors
    /// The campaign is closed.
    pub fn trial_texts<'t>(&'t self, defaults: &'t CampaignTexts) -> Result<&'t CampaignTexts, Refused> {
        match self.state {
            CampaignState::Preparing => Ok(self.said.texts.as_ref().unwrap_or(defaults)),
            _ => self.opened_texts(),
        }
    }
}
