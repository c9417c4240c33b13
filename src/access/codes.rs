//! One-time codes: how a person sets a password that nobody else ever knew.
//!
//! ```text
//!   issued (invitation, reset) ──used once──▶ gone, the password is set
//!        │                     └─72 h────────▶ worth nothing
//!        └── another is issued: this one is worth nothing
//! ```
//! 125 bits, written so that they can be told on the telephone: five groups of five digits and letters without I, L, O
//! and U (Crockford's base 32). Only its digest is kept.

use std::fmt;

use serde::{Deserialize, Deserializer};

use crate::kernel::FieldFault;
use crate::platform::db::blobs::digest;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 25;
const GROUP: usize = 5;

/// Le code à usage unique reçu d'un administrateur : 25 lettres et chiffres ; casse, espaces et tirets sont indifférents.
#[derive(Clone, PartialEq, Eq, utoipa::ToSchema)]
#[schema(value_type = String, format = Password, min_length = 25, max_length = 64, example = "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WG")]
pub struct PasswordCode(String);

impl PasswordCode {
    /// Makes one of a secret.
    #[must_use]
    pub fn new(secret: [u8; 32]) -> Self {
        let letter = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().map_or('0', char::from);
        Self(secret.iter().take(LENGTH).map(letter).collect())
    }

    /// Reads one as a person types it.
    ///
    /// # Errors
    /// `password_code_format`.
    pub fn parse(raw: &str) -> Result<Self, FieldFault> {
        let typed = raw.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH + 1);
        let read = typed.map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        });
        let code: String = read.collect();
        let known = |byte: u8| ALPHABET.contains(&byte);
        if code.chars().count() == LENGTH && code.bytes().all(known) {
            Ok(Self(code))
        } else {
            let message = "Code attendu : 25 lettres et chiffres, en cinq groupes de cinq, comme il a été reçu.";
            Err(FieldFault::new("password_code_format", message))
        }
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> String {
        digest(self.0.as_bytes())
    }
}

impl fmt::Display for PasswordCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rank, letter) in self.0.chars().enumerate() {
            let dash = if rank > 0 && rank % GROUP == 0 { "-" } else { "" };
            write!(f, "{dash}{letter}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for PasswordCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordCode(***)")
    }
}

impl<'de> Deserialize<'de> for PasswordCode {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_written_or_told(secret in proptest::array::uniform32(0_u8..)) {
            let code = PasswordCode::new(secret);
            let written = code.to_string();
            prop_assert_eq!(written.len(), LENGTH + 4);
            let told = written.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
            prop_assert_eq!(&PasswordCode::parse(&told).unwrap(), &code);
            prop_assert_eq!(&PasswordCode::parse(&written).unwrap(), &code);
        }
    }

    #[test]
    fn what_is_no_code_is_refused_without_being_repeated() {
        for bad in [
            "",
            "7K3QF",
            "7K3QF-9TZ2M-4HXVC-0PB8D-RN6W",
            "7K3QF-9TZ2M-4HXVC-0PB8D-RN6WGG",
            "7K3QF-9TZ2M-4HXVC-0PB8D-RN6W!",
            "é".repeat(25).as_str(),
        ] {
            let fault = PasswordCode::parse(bad).unwrap_err();
            assert_eq!(fault.code, "password_code_format", "{bad}");
        }
        let code = PasswordCode::new([200; 32]);
        assert_eq!((format!("{code:?}"), code.sha256().len()), ("PasswordCode(***)".to_owned(), 64));
    }
}
