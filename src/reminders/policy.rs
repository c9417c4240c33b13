//! What a campaign decides of its reminders: which steps, when nothing leaves, how many at most. Pure.
//!
//! ```text
//!   what a step counts from      the steps of a policy nobody changed
//!   issued_on     convention issued          +30, +60    no answer yet
//!   wished_on     answer wished for          −15, −3     the date comes near
//!   council_on    council told by the town   +10         the council has met
//!   executory_on  deliberation executory     +15, +30    the convention is still to be signed
//! ```
//! **Offsets are calendar days**, moved to a day on which mail may leave. A step after its date leaves on the first such
//! day from its own on. A step before its date steps back over a weekend or a public holiday, so that what it announces
//! is never nearer than it says; out of a quiet period it comes forward like the others; and it lapses once its date has
//! passed, for it would ask for something by a day gone by.
//!
//! A key is for ever: what was sent is known by it. A step may change its offset; under another name it is another step.
//! Comments of public fields are in French: the API reference publishes them.

use std::collections::BTreeSet;
use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::kernel::french::day_and_month;
use crate::kernel::{FieldError, FieldFault};
use crate::{string_newtype, text_enum};

text_enum!(
    /// Date à laquelle une étape se rapporte ; elle dit aussi ce que le rappel demande.
    Anchor {
        /// The convention was issued.
        IssuedOn => "issued_on",
        /// The answer is wished for by then.
        WishedOn => "wished_on",
        /// The municipal council meets, as the collectivité told.
        CouncilOn => "council_on",
        /// The deliberation is executory: the signature alone is missing.
        ExecutoryOn => "executory_on",
    }
);

impl Anchor {
    /// Offsets a step may have, both included: only a date that is wished for can be announced.
    #[must_use]
    pub const fn offsets(self) -> (i16, i16) {
        match self {
            Self::WishedOn => (-90, 365),
            Self::IssuedOn | Self::CouncilOn | Self::ExecutoryOn => (1, 365),
        }
    }
}

string_newtype!(
    /// Clé d'une étape : minuscules, chiffres et « _ », 40 caractères au plus. Elle ne change jamais : ce qui est parti
    /// est connu par elle.
    StepKey, example: "issued_30", pattern: "^[a-z][a-z0-9_]{0,39}$"
);

impl StepKey {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let letters = raw.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if raw.len() <= 40 && letters && raw.starts_with(|c: char| c.is_ascii_lowercase()) {
            return Ok(raw.to_owned());
        }
        Err(FieldFault::new(
            "step_key_format",
            "Clé d'étape attendue comme « issued_30 » : minuscules, chiffres, « _ ».",
        ))
    }
}

/// Étape d'une politique de rappels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReminderStep {
    pub key: StepKey,
    pub anchor: Anchor,
    /// Jours de calendrier après la date, ou avant si négatif (seulement pour `wished_on`). Le rappel part un jour ouvré,
    /// hors des périodes calmes.
    #[schema(example = 30, minimum = -90, maximum = 365)]
    pub offset_days: i16,
}

/// A day of every year. 29 February is 28 February where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, example = "07-14", pattern = "^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
pub struct MonthDay(NaiveDate);

impl MonthDay {
    /// # Errors
    /// `month_day_format`.
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let shaped = raw.len() == 5 && raw.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        // A leap year has every day of any year.
        let day = shaped.then(|| format!("2000-{raw}").parse().ok()).flatten();
        day.map(Self).ok_or_else(|| {
            FieldFault::new("month_day_format", "Jour de l'année attendu au format MM-JJ (ex. 07-14), et qui existe.")
        })
    }

    fn of(day: NaiveDate) -> Self {
        Self(day.with_year(2000).unwrap_or(day))
    }

    fn in_year(self, year: i32) -> NaiveDate {
        let eve = || self.0.pred_opt().and_then(|eve| eve.with_year(year));
        self.0.with_year(year).or_else(eve).unwrap_or(self.0)
    }
}

impl fmt::Display for MonthDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}-{:02}", self.0.month(), self.0.day())
    }
}

impl Serialize for MonthDay {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MonthDay {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// Période de chaque année où aucun rappel ne part, ses deux bornes comprises ; elle peut passer le Nouvel An.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuietPeriod {
    pub from: MonthDay,
    pub until: MonthDay,
}

impl QuietPeriod {
    /// The last day of the period that a day is in, if it is.
    #[must_use]
    pub fn last_day(&self, day: NaiveDate) -> Option<NaiveDate> {
        let here = MonthDay::of(day);
        let (begun, not_over) = (self.from <= here, here <= self.until);
        match self.from <= self.until {
            true if begun && not_over => Some(self.until.in_year(day.year())),
            false if not_over => Some(self.until.in_year(day.year())),
            false if begun => Some(self.until.in_year(day.year().saturating_add(1))),
            true | false => None,
        }
    }
}

impl fmt::Display for QuietPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "du {} au {}", day_and_month(self.from.0), day_and_month(self.until.0))
    }
}

/// Heures d'envoi, à Paris : de `from` comprise à `until` exclue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Hours {
    #[schema(example = 9, minimum = 7, maximum = 19)]
    pub from: u8,
    #[schema(example = 17, minimum = 8, maximum = 20)]
    pub until: u8,
}

impl Hours {
    /// Whether mail may leave at an hour of Paris (0 to 23).
    #[must_use]
    pub fn hold(&self, hour: u32) -> bool {
        (u32::from(self.from)..u32::from(self.until)).contains(&hour)
    }
}

/// Rappels d'une campagne. Ce qui n'est pas dit garde sa valeur par défaut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReminderPolicy {
    /// Par défaut : 30 et 60 jours après l'émission, 15 et 3 jours avant la date de réponse souhaitée, 10 jours après le
    /// conseil municipal annoncé, 15 et 30 jours après que la délibération est exécutoire.
    pub steps: Vec<ReminderStep>,
    /// Par défaut : du 14 juillet au 25 août et du 20 décembre au 3 janvier.
    pub quiet_periods: Vec<QuietPeriod>,
    /// Par défaut : de 9 h à 17 h.
    pub hours: Hours,
    /// Rappels au plus par convention, refusés par le serveur non compris. Par défaut : 6.
    #[schema(example = 6, minimum = 1, maximum = 12)]
    pub maximum: u8,
    /// Jours au moins entre deux courriels au même payeur, et depuis ses dernières nouvelles. Par défaut : 7.
    #[schema(example = 7, minimum = 1, maximum = 60)]
    pub cooldown_days: u8,
    /// Rappels restés sans réponse après lesquels un courrier postal est à faire. Par défaut : 2.
    #[schema(example = 2, minimum = 1, maximum = 12)]
    pub letter_after: u8,
    /// Rappels de la campagne en pause. Par défaut : non.
    pub paused: bool,
}

impl Default for ReminderPolicy {
    fn default() -> Self {
        let step = |key: &str, anchor, offset_days| ReminderStep { key: StepKey(key.to_owned()), anchor, offset_days };
        let on = |month, day| MonthDay(NaiveDate::from_ymd_opt(2000, month, day).unwrap_or_default());
        Self {
            steps: vec![
                step("issued_30", Anchor::IssuedOn, 30),
                step("issued_60", Anchor::IssuedOn, 60),
                step("wished_15_before", Anchor::WishedOn, -15),
                step("wished_3_before", Anchor::WishedOn, -3),
                step("council_10", Anchor::CouncilOn, 10),
                step("executory_15", Anchor::ExecutoryOn, 15),
                step("executory_30", Anchor::ExecutoryOn, 30),
            ],
            // Town halls at half strength, councils that do not meet.
            quiet_periods: vec![
                QuietPeriod { from: on(7, 14), until: on(8, 25) },
                QuietPeriod { from: on(12, 20), until: on(1, 3) },
            ],
            hours: Hours { from: 9, until: 17 },
            // What a town hall that never answers can get before its act: four, and one for each council it tells of.
            maximum: 6,
            cooldown_days: 7,
            letter_after: 2,
            paused: false,
        }
    }
}

/// Steps, and quiet periods, at most.
const LIST_MAX: usize = 12;
/// Days of the year that quiet periods must leave: what is held back has to leave some day, one at a time.
const OPEN_DAYS_MIN: usize = 30;

impl ReminderPolicy {
    /// Every rule broken, each on its field below `at` (`/reminders`, say, or nothing).
    #[must_use]
    pub fn validate(&self, at: &str) -> Vec<FieldError> {
        let mut errors = self.step_faults();
        let mut refuse = |pointer: &str, code: &str, message: String, value: String| {
            errors.push(FieldError { pointer: pointer.into(), code: code.into(), message, value: Some(value) });
        };
        for (pointer, length) in [("/steps", self.steps.len()), ("/quiet_periods", self.quiet_periods.len())] {
            if length > LIST_MAX {
                let message = format!("{LIST_MAX} éléments au plus : {length} reçus.");
                refuse(pointer, "too_many", message, length.to_string());
            }
        }
        let open = self.open_days();
        if open < OPEN_DAYS_MIN {
            let message = format!(
                "Les périodes calmes laissent {open} jour(s) par an pour écrire : {OPEN_DAYS_MIN} au moins attendus."
            );
            refuse("/quiet_periods", "no_day_left", message, open.to_string());
        }
        let numbers = [
            ("/hours/from", self.hours.from, 7, 19),
            ("/hours/until", self.hours.until, 8, 20),
            ("/maximum", self.maximum, 1, 12),
            ("/cooldown_days", self.cooldown_days, 1, 60),
            ("/letter_after", self.letter_after, 1, 12),
        ];
        for (pointer, value, least, most) in numbers {
            if !(least..=most).contains(&value) {
                let message = format!("Nombre attendu entre {least} et {most} : {value} reçu.");
                refuse(pointer, "number_range", message, value.to_string());
            }
        }
        if self.hours.from >= self.hours.until {
            let message = format!("L'heure de fin attendue après celle de début ({} h).", self.hours.from);
            refuse("/hours/until", "hours_order", message, self.hours.until.to_string());
        }
        errors.iter_mut().for_each(|error| error.pointer.insert_str(0, at));
        errors
    }

    fn step_faults(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let (mut keys, mut days) = (BTreeSet::new(), BTreeSet::new());
        for (i, step) in self.steps.iter().enumerate() {
            let mut refuse = |field: &str, code: &str, message: String, value: String| {
                let pointer = format!("/steps/{i}/{field}");
                errors.push(FieldError { pointer, code: code.into(), message, value: Some(value) });
            };
            let (least, most) = step.anchor.offsets();
            if !(least..=most).contains(&step.offset_days) {
                let message = format!(
                    "Décalage d'une étape relative à {} attendu entre {least} et {most} jours : {} reçu.",
                    step.anchor, step.offset_days
                );
                refuse("offset_days", "offset_range", message, step.offset_days.to_string());
            }
            if !keys.insert(&step.key) {
                let message = format!("Deux étapes ont la clé « {} ».", step.key);
                refuse("key", "duplicate_step", message, step.key.to_string());
            }
            if !days.insert((step.anchor, step.offset_days)) {
                let message = format!("Une autre étape est déjà à {} jours de {}.", step.offset_days, step.anchor);
                refuse("offset_days", "duplicate_step_day", message, step.offset_days.to_string());
            }
        }
        errors
    }

    /// How many days of a leap year are in no quiet period.
    fn open_days(&self) -> usize {
        let year = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
        let days = year.iter_days().take_while(|day| day.year() == 2000);
        days.filter(|day| self.quiet(*day).is_none()).count()
    }

    /// The quiet period a day is in.
    #[must_use]
    pub fn quiet(&self, day: NaiveDate) -> Option<&QuietPeriod> {
        self.quiet_periods.iter().find(|period| period.last_day(day).is_some())
    }

    /// The step of that key.
    ///
    /// # Errors
    /// `unknown_step`, naming those there are.
    pub fn step(&self, key: &StepKey) -> Result<&ReminderStep, FieldFault> {
        self.steps.iter().find(|step| step.key == *key).ok_or_else(|| {
            let known: Vec<_> = self.steps.iter().map(|step| step.key.as_str()).collect();
            FieldFault::new("unknown_step", format!("Étape inconnue ; étapes de la campagne : {}.", known.join(", ")))
        })
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
