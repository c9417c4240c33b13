//! A person's account, and what gives that person's signature its force.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::passwords::PasswordHash;
use super::problems::{DELEGATION_NOT_IN_FORCE, SIGNATORY_INCOMPLETE};
use crate::kernel::contact::EmailAddress;
use crate::kernel::dates::{Bounds, placed, refuse, years_after};
use crate::kernel::placeholder::is_blank;
use crate::kernel::text::Line;
use crate::kernel::{FieldFault, Instant, Refused, Role, ids::UserId};
use crate::text_enum;

/// Une délégation de signature, publiée au recueil des actes administratifs (RAA).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Delegation {
    /// Référence de l'arrêté et de sa publication.
    #[schema(value_type = String, example = "Arrêté R76-2025-03-14-00002, RAA du 14 mars 2025")]
    pub reference: Line,
    /// Jour de publication au recueil des actes administratifs ; la délégation vaut à compter du lendemain.
    #[schema(example = "2025-03-14")]
    #[serde(with = "crate::kernel::dates::day")]
    pub published_on: NaiveDate,
    /// Dernier jour de validité, inclus ; absent : sans terme.
    #[serde(default, with = "crate::kernel::dates::some_day")]
    #[schema(example = "2026-08-31")]
    pub ends_on: Option<NaiveDate>,
}

impl Delegation {
    /// Code de l'éducation, art. D222-20: in force from the day after publication, to its end included.
    #[must_use]
    pub fn in_force_on(&self, day: NaiveDate) -> bool {
        day > self.published_on && self.ends_on.is_none_or(|end| day <= end)
    }

    /// Whether its dates can be: published already, thirty years ago at most, and ending after it began, within ten
    /// years.
    ///
    /// # Errors
    /// `invalid_value`, each date on its field.
    pub fn check(&self, today: NaiveDate) -> Result<(), Refused> {
        let published = Bounds::happened(years_after(today, -30), today);
        let mut errors: Vec<_> = published.error("/delegation/published_on", self.published_on).into_iter().collect();
        if let Some(end) = self.ends_on {
            let pointer = "/delegation/ends_on";
            if end <= self.published_on {
                let message = format!(
                    "Publiée le {}, la délégation vaut à compter du lendemain : elle finit après.",
                    self.published_on
                );
                errors.push(placed(pointer, FieldFault::new("date_order", message), end));
            } else {
                errors.extend(Bounds { from: self.published_on, until: years_after(today, 10) }.error(pointer, end));
            }
        }
        refuse(errors)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: UserId,
    pub email: EmailAddress,
    pub role: Role,
    pub first_name: Line,
    pub last_name: Line,
    /// As printed under a signature, e.g. « Secrétaire générale ».
    pub capacity: Option<String>,
    pub delegation: Option<Delegation>,
    pub active: bool,
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// None while the account waits for its first password, or for a new one after a reset.
    pub password_set_at: Option<Instant>,
    /// No part of the version.
    pub last_login_at: Option<Instant>,
    /// Who issued the last one-time code.
    pub invited_by: Option<String>,
}

text_enum!(
    /// Ce qu'il en est d'un compte : `invited`, la personne doit encore choisir son mot de passe, par le code qu'elle a reçu ;
    /// `inactive`, désactivé par un administrateur.
    AccountState { Invited => "invited", Active => "active", Inactive => "inactive" }
);

/// Qui engage l'État par sa signature, tel que noté sur ce qui a été signé.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ApproverView)]
pub struct Signatory {
    pub user: UserId,
    /// « Prénom Nom ».
    pub name: String,
    pub capacity: String,
    pub delegation: Delegation,
}

/// Why a person may not sign on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatoryFault {
    /// The account lacks its capacity, its delegation, or both.
    Incomplete {
        name: String,
        missing: Vec<&'static str>,
    },
    NotInForce {
        name: String,
        day: NaiveDate,
        delegation: Delegation,
    },
}

impl User {
    #[must_use]
    pub fn state(&self) -> AccountState {
        match (self.active, self.password_set_at) {
            (false, _) => AccountState::Inactive,
            (true, None) => AccountState::Invited,
            (true, Some(_)) => AccountState::Active,
        }
    }

    /// « Prénom Nom ».
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The person as signatory on a business day.
    ///
    /// # Errors
    /// `signatory_incomplete` or `delegation_not_in_force`.
    pub fn signatory_on(&self, day: NaiveDate) -> Result<Signatory, SignatoryFault> {
        let name = self.full_name();
        // A word that waits for the real one (« À COMPLÉTER ») would be printed under the signature.
        let said = self.capacity.as_ref().filter(|c| !is_blank(c));
        let given = self.delegation.as_ref().filter(|d| !is_blank(d.reference.as_str()));
        let named = ![&self.first_name, &self.last_name].into_iter().any(|n| is_blank(n.as_str()));
        let (Some(capacity), Some(delegation), true) = (said, given, named) else {
            let missing = [(!named, "nom"), (said.is_none(), "qualité"), (given.is_none(), "délégation de signature")];
            let missing = missing.into_iter().filter_map(|(absent, what)| absent.then_some(what)).collect();
            return Err(SignatoryFault::Incomplete { name, missing });
        };
        if !delegation.in_force_on(day) {
            return Err(SignatoryFault::NotInForce { name, day, delegation: delegation.clone() });
        }
        Ok(Signatory { user: self.id, name, capacity: capacity.clone(), delegation: delegation.clone() })
    }
}

impl From<SignatoryFault> for Refused {
    fn from(fault: SignatoryFault) -> Self {
        match fault {
            SignatoryFault::Incomplete { name, missing } => {
                Self::new(&SIGNATORY_INCOMPLETE, format!("Le compte de {name} ne dit pas : {}.", missing.join(", ")))
            }
            SignatoryFault::NotInForce { name, day, delegation } => {
                let end = delegation.ends_on.map_or_else(String::new, |end| format!(" et prend fin le {end}"));
                Self::new(
                    &DELEGATION_NOT_IN_FORCE,
                    format!(
                        "La délégation de {name} ({}), publiée le {}, vaut à compter du lendemain{end} : elle n'est pas \
                         en vigueur le {day}.",
                        delegation.reference, delegation.published_on
                    ),
                )
            }
        }
    }
}

impl From<SignatoryFault> for crate::platform::Error {
    fn from(fault: SignatoryFault) -> Self {
        Refused::from(fault).into()
    }
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub email: EmailAddress,
    pub role: Role,
    pub first_name: Line,
    pub last_name: Line,
    pub capacity: Option<Line>,
    pub delegation: Option<Delegation>,
    /// None for a person who is invited, and chooses it alone.
    pub password_hash: Option<PasswordHash>,
}

/// What changes on an account; an outer `None` leaves as is, an inner `None` clears.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    pub email: Option<EmailAddress>,
    pub role: Option<Role>,
    pub first_name: Option<Line>,
    pub last_name: Option<Line>,
    pub capacity: Option<Option<Line>>,
    pub delegation: Option<Option<Delegation>>,
    pub active: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Ids;
    use chrono::Days;
    use proptest::prelude::*;

    fn day(raw: &str) -> NaiveDate {
        raw.parse().unwrap()
    }

    fn user(capacity: Option<&str>, delegation: Option<Delegation>) -> User {
        let at = Instant::parse("2025-06-05T08:00:00Z").unwrap();
        User {
            id: UserId::new(Ids::default().uuid(at)),
            email: EmailAddress::parse("ordo@exemple.invalid").unwrap(),
            role: Role::Ordonnateur,
            first_name: Line::parse("Anne").unwrap(),
            last_name: Line::parse("Durand").unwrap(),
            capacity: capacity.map(str::to_owned),
            delegation,
            active: true,
            version: 1,
            created_at: at,
            updated_at: at,
            password_set_at: Some(at),
            last_login_at: None,
            invited_by: None,
        }
    }

    fn delegation(published_on: &str, ends_on: Option<&str>) -> Delegation {
        Delegation {
            reference: Line::parse("RAA 12").unwrap(),
            published_on: day(published_on),
            ends_on: ends_on.map(day),
        }
    }

    #[test]
    fn a_delegation_takes_effect_on_the_day_after_its_publication_and_ends_at_its_end() {
        let person = user(Some("Secrétaire générale"), Some(delegation("2025-03-14", Some("2025-06-30"))));
        assert!(matches!(person.signatory_on(day("2025-03-14")), Err(SignatoryFault::NotInForce { .. })));
        let signatory = person.signatory_on(day("2025-03-15")).unwrap();
        assert_eq!((signatory.name.as_str(), signatory.capacity.as_str()), ("Anne Durand", "Secrétaire générale"));
        assert!(person.signatory_on(day("2025-06-30")).is_ok());
        let refused = Refused::from(person.signatory_on(day("2025-07-01")).unwrap_err());
        assert_eq!((refused.code.code, refused.code.status), ("delegation_not_in_force", 409));
    }

    #[test]
    fn what_waits_to_be_written_is_missing() {
        let blank =
            Delegation { reference: Line::parse("Arrêté À COMPLÉTER").unwrap(), ..delegation("2025-03-14", None) };
        let missing = |user: User| match user.signatory_on(day("2025-06-05")) {
            Err(SignatoryFault::Incomplete { missing, .. }) => missing,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing(user(Some("XXX"), Some(blank))), ["qualité", "délégation de signature"]);
        let mut nobody = user(Some("SG"), Some(delegation("2025-03-14", None)));
        nobody.last_name = Line::parse("EXEMPLE").unwrap();
        assert_eq!(missing(nobody), ["nom"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let refused = Refused::from(user(None, None).signatory_on(day("2025-06-05")).unwrap_err());
        assert_eq!(refused.code.code, "signatory_incomplete");
        assert!(refused.detail.contains("qualité, délégation de signature"), "{}", refused.detail);
        let half = user(Some("SG"), None).signatory_on(day("2025-06-05")).unwrap_err();
        assert!(matches!(half, SignatoryFault::Incomplete { missing, .. } if missing == ["délégation de signature"]));
    }

    proptest! {
        #[test]
        fn only_days_after_publication_up_to_the_end_are_signed(
            published in 0_u64..4_000, lasts in proptest::option::of(0_u64..1_000), asked in 0_u64..6_000,
        ) {
            let origin = day("2020-01-01");
            let at = |days: u64| origin + Days::new(days);
            let mut act = delegation("2020-01-01", None);
            act.published_on = at(published);
            act.ends_on = lasts.map(|days| at(published + days));
            let expected = asked > published && lasts.is_none_or(|days| asked <= published + days);
            prop_assert_eq!(user(Some("SG"), Some(act)).signatory_on(at(asked)).is_ok(), expected);
        }
    }
}
