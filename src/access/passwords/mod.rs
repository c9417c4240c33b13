//! Passwords: argon2id, so slow on purpose that hashing never happens inside a transaction, and never more than a few at
//! a time (`gate.rs`).
//!
//! A new password is judged twice: by itself when it is read ([`NewPassword::parse`]), and against the person who chooses
//! it ([`NewPassword::suits`]). Length counts, composition does not (ANSSI, NIST SP 800-63B): what is refused besides is
//! what somebody would try first. Text is kept in its NFKC form, so that one keyboard's « é » is every keyboard's.

mod weakness;

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use serde::{Deserialize, Deserializer};
use unicode_normalization::UnicodeNormalization as _;

use crate::kernel::FieldFault;
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Line;
use crate::platform::{Error, Outcome};
use weakness::Weakness;

/// Fewest characters of a new password (ANSSI: length rather than composition).
pub const MIN_LENGTH: usize = 12;
/// Most characters: nobody makes the program hash a book.
pub const MAX_LENGTH: usize = 128;

/// Verified when there is no account, so that an unknown address takes as long as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5LW5vYm9keQ$Y5s1QbVn7uTqkIK0cLQF6mVqQ9mYtq7dC9Zr0xk1oXQ";

/// Un mot de passe choisi : de 12 à 128 caractères, ni courant, ni suite de touches, ni fait du nom ou de l'adresse de la
/// personne, de noms de lieux ou des mots du service.
#[derive(Clone, utoipa::ToSchema)]
#[schema(value_type = String, format = Password, min_length = 12, max_length = 128, example = "cheval-agrafe-pile-1825")]
pub struct NewPassword(String);

/// Whose words a password must not be made of.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    pub email: &'a EmailAddress,
    pub first_name: &'a Line,
    pub last_name: &'a Line,
}

const ADVICE: &str = "Prendre par exemple quatre mots sans lien entre eux.";

fn fault_of(weakness: Weakness) -> FieldFault {
    let (code, why) = match weakness {
        Weakness::Predictable => (
            "password_predictable",
            "Mot de passe trop prévisible : il se répète, ou suit les touches, l'alphabet ou les chiffres.",
        ),
        Weakness::Common => (
            "password_common",
            "Mot de passe trop courant : aux chiffres, aux signes et à la casse près, c'est l'un de ceux qu'on essaie d'abord.",
        ),
        Weakness::Personal => (
            "password_personal",
            "Mot de passe trop facile à deviner : il n'est fait que du nom ou de l'adresse de la personne, de noms de lieux \
             ou des mots du service.",
        ),
    };
    FieldFault::new(code, format!("{why} {ADVICE}"))
}

/// One text for all the ways to type it.
fn normal(text: &str) -> String {
    text.nfkc().collect()
}

impl NewPassword {
    /// Takes a password.
    ///
    /// # Errors
    /// `password_length`, `password_predictable`, `password_common`, `password_personal`.
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let text = normal(raw);
        let length = text.chars().count();
        if !(MIN_LENGTH..=MAX_LENGTH).contains(&length) {
            let rule =
                format!("Mot de passe de {MIN_LENGTH} à {MAX_LENGTH} caractères attendu : {length} reçus. {ADVICE}");
            return Err(FieldFault::new("password_length", rule));
        }
        match weakness::of(&text) {
            Some(weakness) => Err(fault_of(weakness)),
            None => Ok(Self(text)),
        }
    }

    /// Whether it is good for this person.
    ///
    /// # Errors
    /// `password_personal`.
    pub fn suits(&self, owner: Owner<'_>) -> Result<(), FieldFault> {
        let words = [owner.email.as_str(), owner.first_name.as_str(), owner.last_name.as_str()];
        if weakness::is_personal(&self.0, &words) { Err(fault_of(Weakness::Personal)) } else { Ok(()) }
    }

    /// Whether somebody typed this very password.
    #[must_use]
    pub fn is(&self, typed: &str) -> bool {
        self.0 == normal(typed)
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
    let is = |text: &str| Argon2::default().verify_password(text.as_bytes(), phc).is_ok();
    let normal = normal(password);
    // Passwords chosen before they were normalised were hashed as they were typed.
    let right = is(&normal) || normal != password && is(password);
    right && hash.is_some()
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
    fn length_is_counted_in_characters_once_normal() {
        assert_eq!(NewPassword::parse("un deux six").unwrap_err().code, "password_length");
        assert!(NewPassword::parse("été à vélos!").is_ok());
        // « e » and an accent make one « é ».
        assert_eq!(NewPassword::parse("e\u{301}te\u{301} a ve\u{301}lo").unwrap_err().code, "password_length");
        let long = "le chat de la voisine ".repeat(6);
        assert_eq!(NewPassword::parse(&long).unwrap_err().code, "password_length");
    }

    #[test]
    fn what_is_typed_on_another_keyboard_is_the_same_password() {
        let composed = NewPassword::parse("l'été dernier à Uzès").unwrap();
        let kept = hash(&composed, [7; 32]).unwrap();
        let decomposed = "l'e\u{301}te\u{301} dernier a\u{300} Uze\u{300}s";
        assert!(verify(decomposed, Some(&kept)) && composed.is(decomposed));
        // One that was hashed before texts were made normal still opens.
        let old = Argon2::default().hash_password_with_salt(decomposed.as_bytes(), &[7; 32]).unwrap().to_string();
        assert!(verify(decomposed, Some(&PasswordHash::from_phc(old))));
    }

    #[test]
    fn each_refusal_says_why_and_what_to_do() {
        for (password, code) in [
            ("            ", "password_predictable"),
            ("aaaaaaaaaaaa", "password_predictable"),
            ("password1234", "password_common"),
            ("Rectorat2026!", "password_personal"),
        ] {
            let fault = NewPassword::parse(password).unwrap_err();
            assert_eq!(fault.code, code, "{password}");
            assert!(fault.message.ends_with(ADVICE) && !fault.message.contains(password), "{}", fault.message);
        }
        let email = EmailAddress::parse("zoe.martin@exemple.invalid").unwrap();
        let (first_name, last_name) = (Line::parse("Zoé").unwrap(), Line::parse("Martin").unwrap());
        let owner = Owner { email: &email, first_name: &first_name, last_name: &last_name };
        let own = NewPassword::parse("zoe.martin@exemple.invalid").unwrap();
        assert_eq!(own.suits(owner).unwrap_err().code, "password_personal");
        assert!(NewPassword::parse("cheval-agrafe-pile").unwrap().suits(owner).is_ok());
    }
}
