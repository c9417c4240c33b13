//! Passwords: argon2id, so slow on purpose that hashing never happens inside a transaction.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Deserializer};

use crate::kernel::FieldFault;
use crate::platform::{Error, Outcome};

/// Fewest characters of a new password (ANSSI: length rather than composition).
pub const MIN_LENGTH: usize = 12;
/// Most characters: nobody makes the program hash a book.
pub const MAX_LENGTH: usize = 200;
/// Passwords verified at the same time: each takes 19 MiB.
const AT_ONCE: usize = 16;

/// Verified when there is no account, so that an unknown address takes as long as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$Y5s1QbVn7uTqkIK0cLQF6mVqQ9mYtq7dC9Zr0xk1oXQ";

/// Un mot de passe choisi : de 12 à 200 caractères.
#[derive(Clone, utoipa::ToSchema)]
#[schema(value_type = String, format = Password, min_length = 12, max_length = 200, example = "cheval-agrafe-pile-1825")]
pub struct NewPassword(String);

impl NewPassword {
    /// Takes a password.
    ///
    /// # Errors
    /// `password_length`.
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let length = raw.chars().count();
        if (MIN_LENGTH..=MAX_LENGTH).contains(&length) {
            Ok(Self(raw.to_owned()))
        } else {
            let rule = format!("Mot de passe de {MIN_LENGTH} à {MAX_LENGTH} caractères attendu : {length} reçus.");
            Err(FieldFault::new("password_length", rule))
        }
    }
}

impl fmt::Debug for NewPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewPassword(***)")
    }
}

impl<'de> Deserialize<'de> for NewPassword {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// What is kept of a password: an argon2id PHC string.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a hash made elsewhere.
    #[must_use]
    pub fn from_phc(phc: impl Into<String>) -> Self {
        Self(phc.into())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(phc: String) -> Self {
        Self(phc)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

/// Hashes a new password (about 30 ms); the salt comes from `Ids::secret`.
///
/// # Errors
/// An incident of the library.
pub fn hash(password: &NewPassword, salt: [u8; 32]) -> Outcome<PasswordHash> {
    Argon2::default()
        .hash_password_with_salt(password.0.as_bytes(), &salt)
        .map(|phc| PasswordHash(phc.to_string()))
        .map_err(|e| Error::Incident(format!("argon2: {e}")))
}

/// Whether the password is the one that was hashed; without a hash, works as long and answers no.
#[must_use]
pub fn verify(password: &str, hash: Option<&PasswordHash>) -> bool {
    let phc = hash.map_or(NOBODY, PasswordHash::as_str);
    let right = Argon2::default().verify_password(password.as_bytes(), phc).is_ok();
    right && hash.is_some()
}

/// Keeps the number of passwords verified at once, hence the memory, bounded.
#[derive(Clone, Default)]
pub struct Gate(Arc<AtomicUsize>);

/// A place in the gate, given back when dropped.
pub struct Place(Arc<AtomicUsize>);

impl Gate {
    /// A place, or none when too many are busy.
    #[must_use]
    pub fn enter(&self) -> Option<Place> {
        let busy = self.0.fetch_add(1, Ordering::SeqCst);
        let place = Place(Arc::clone(&self.0));
        (busy < AT_ONCE).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_verified_and_its_hash_says_nothing_of_it() {
        let password = NewPassword::parse("cheval-agrafe-pile").unwrap();
        let kept = hash(&password, [7; 32]).unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("cheval-agrafe-pile", Some(&kept)));
        assert!(!verify("cheval-agrafe-pilE", Some(&kept)));
        assert!(!verify("cheval-agrafe-pile", None));
        assert_eq!(format!("{password:?} {kept:?}"), "NewPassword(***) PasswordHash(***)");
    }

    #[test]
    fn an_unknown_account_costs_a_whole_hash() {
        // A PHC string that could not be read would be refused at once, and tell strangers who has an account.
        let wrong = Argon2::default().verify_password(b"x", NOBODY).unwrap_err();
        assert_eq!(wrong, argon2::password_hash::Error::PasswordInvalid);
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert_eq!(NewPassword::parse(&"é".repeat(11)).unwrap_err().code, "password_length");
        assert!(NewPassword::parse(&"é".repeat(12)).is_ok());
        assert!(NewPassword::parse(&"x".repeat(201)).is_err());
    }

    #[test]
    fn the_gate_gives_its_places_back() {
        let gate = Gate::default();
        let places: Vec<_> = (0..AT_ONCE).filter_map(|_| gate.enter()).collect();
        assert_eq!(places.len(), AT_ONCE);
        assert!(gate.enter().is_none());
        drop(places);
        assert!(gate.enter().is_some());
    }
}
