//! The journal of what was refused: log-ins that failed, routes that stayed shut. Bounded, whoever asks and how often.
//!
//! ```text
//!   refusal ──▶ counted in memory: what, who, from where, this hour ──1st, 2nd, 4th, 8th…──▶ a line of the journal
//!                                                                   └─ the others: counted only
//! ```
//! A line says how many there were so far this hour. A thousand refusals of one kind leave ten lines, and no more than
//! 256 kinds an hour are told apart in one process: a flood cannot fill the disk. A restart begins anew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::events::{self, AccessEvent, WrongSecret};
use super::origin::Origin;
use crate::audit::{self, Subject, SubjectKind};
use crate::kernel::contact::EmailAddress;
use crate::kernel::{Actor, Instant, Role, ids::UserId};
use crate::platform::{Outcome, Tx};

/// Kinds told apart in an hour, by one process; those that come later are counted together.
const MOST_KINDS: usize = 256;

/// What was refused, to whom, from where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Kind {
    what: &'static str,
    who: String,
    place: String,
}

#[derive(Default)]
struct Hour {
    began: i64,
    counts: HashMap<Kind, u64>,
}

/// The refusals of this hour. Cheap to clone, shared by every HTTP thread.
#[derive(Clone, Default)]
pub struct Refusals(Arc<Mutex<Hour>>);

/// A refusal worth a line: how many of its kind there were this hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due(u64);

impl Refusals {
    fn note(&self, now: Instant, what: &'static str, who: &str, place: &str) -> Option<Due> {
        let hour = now.timestamp().div_euclid(3_600);
        // Counts only: whole whatever happened to the thread that held them.
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.began != hour {
            *current = Hour { began: hour, counts: HashMap::new() };
        }
        let mut kind = Kind { what, who: who.to_owned(), place: place.to_owned() };
        if current.counts.len() >= MOST_KINDS && !current.counts.contains_key(&kind) {
            kind = Kind { what, who: String::new(), place: String::new() };
        }
        let count = current.counts.entry(kind).or_default();
        *count = count.saturating_add(1);
        count.is_power_of_two().then_some(Due(*count))
    }

    /// Counts a route that stayed shut to somebody.
    #[must_use]
    pub fn shut(&self, now: Instant, shut: &Shut) -> Option<Due> {
        let who = shut.actor.user().map_or_else(String::new, |user| user.to_string());
        self.note(now, "access.refused", &who, &shut.route)
    }

    /// Journals a secret that was wrong, if it is worth a line. An address without an account is told by its ends only,
    /// for it may be anything somebody typed, and is counted by source: a list of invented ones is one kind.
    pub(super) fn wrong(&self, tx: &mut Tx<'_>, wrong: &Wrong<'_>, origin: &Origin) -> Outcome<()> {
        let source = origin.source();
        let who = wrong.account.map_or_else(String::new, |user| user.to_string());
        let Some(Due(count)) = self.note(tx.now(), wrong.what.action(), &who, &source.to_string()) else {
            return Ok(());
        };
        let email = wrong.email.map(|email| if wrong.account.is_some() { email.to_string() } else { masked(email) });
        let actor = Actor { request_id: origin.request_id.clone(), ..Actor::program("connexion") };
        let told = WrongSecret {
            account: wrong.account,
            email: email.into(),
            address: origin.caller.to_string().into(),
            source: source.to_string().into(),
            count,
        };
        let subject = wrong.account.map_or_else(|| Subject::known_by(SubjectKind::User, "inconnu"), events::of);
        let event = match wrong.what {
            Secret::LogIn => AccessEvent::SessionRefused(told),
            Secret::Password => AccessEvent::PasswordRefused(told),
            Secret::Code => AccessEvent::CodeRefused(told),
        };
        audit::record(tx, &actor, subject, event)
    }
}

/// What somebody tried to prove themselves with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Secret {
    /// A password, to open a session.
    LogIn,
    /// The present password, to choose another.
    Password,
    /// A one-time code.
    Code,
}

impl Secret {
    const fn action(self) -> &'static str {
        match self {
            Self::LogIn => "session.refused",
            Self::Password => "password.refused",
            Self::Code => "password_code.refused",
        }
    }
}

/// A secret that was wrong.
pub(super) struct Wrong<'a> {
    pub what: Secret,
    pub email: Option<&'a EmailAddress>,
    /// Whose it would have been.
    pub account: Option<UserId>,
}

/// `p…@….fr`: enough to see a habit, too little to be a password typed in the wrong place.
fn masked(email: &EmailAddress) -> String {
    let first: String = email.as_str().chars().take(1).collect();
    let last = email.as_str().rsplit('.').next().filter(|label| label.len() <= 7).unwrap_or("…");
    format!("{first}…@….{last}")
}

/// A route that stayed shut: who asked, and what they would have needed.
#[derive(Debug, Clone)]
pub struct Shut {
    pub actor: Actor,
    pub role: Role,
    /// Name of the permission the route asks for.
    pub permission: &'static str,
    /// Method and template.
    pub route: String,
    /// Code of the refusal.
    pub code: &'static str,
    pub address: Option<IpAddr>,
}

/// Journals a route that stayed shut.
pub fn record_shut(tx: &mut Tx<'_>, shut: &Shut, Due(count): Due) -> Outcome<()> {
    let event = AccessEvent::AccessRefused {
        code: shut.code.to_owned(),
        needed: shut.permission.to_owned(),
        role: shut.role,
        address: shut.address.map(|address| address.to_string()).into(),
        count,
    };
    audit::record(tx, &shut.actor, Subject::known_by(SubjectKind::Route, &shut.route), event)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str) -> Instant {
        Instant::parse(raw).unwrap()
    }

    #[test]
    fn a_thousand_of_a_kind_make_ten_lines_and_the_next_hour_begins_anew() {
        let refusals = Refusals::default();
        let note = |now: &str| refusals.note(at(now), "access.refused", "zoe", "GET /users");
        let lines: Vec<u64> = (0..1_000).filter_map(|_| note("2025-06-05T08:59:59Z")).map(|Due(count)| count).collect();
        assert_eq!(lines, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        assert_eq!(note("2025-06-05T09:00:00Z"), Some(Due(1)));
    }

    #[test]
    fn kinds_without_number_are_counted_together() {
        let refusals = Refusals::default();
        let lines = (0..100_000)
            .filter(|n| refusals.note(at("2025-06-05T08:00:00Z"), "session.refused", "", &n.to_string()).is_some())
            .count();
        assert!(lines <= MOST_KINDS + 18, "{lines}");
        assert!(refusals.0.lock().unwrap().counts.len() <= MOST_KINDS + 1);
    }

    #[test]
    fn an_address_that_may_be_a_password_is_not_told() {
        let mask = |raw: &str| masked(&EmailAddress::parse(raw).unwrap());
        assert_eq!(mask("P@ssw0rd-de-zoe.fr"), "p…@….fr");
        assert_eq!(mask("qui@exemple.invalid"), "q…@….invalid");
    }
}
