//! The secret of a link, or of a session: 256 bits, told once, of which only the digest is kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::platform::db::blobs::digest;

/// Characters of a secret.
const LENGTH: usize = 43;

/// A secret as it stands in an address or a cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Makes one.
    #[must_use]
    pub fn new(bits: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bits))
    }

    /// Reads one; none when it cannot be one.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let shaped = raw.len() == LENGTH && raw.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        shaped.then(|| Self(raw.to_owned()))
    }

    /// The secret itself: for the one place it goes to.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> String {
        digest(self.0.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bits in proptest::array::uniform32(0_u8..)) {
            let secret = Secret::new(bits);
            prop_assert_eq!(Secret::parse(secret.reveal()).unwrap(), secret.clone());
            let shown = format!("{secret:?}");
            prop_assert!(!shown.contains(secret.reveal()));
        }
    }

    #[test]
    fn nothing_else_is_a_secret() {
        for raw in ["", "a", &"a".repeat(42), &"a".repeat(44), &"é".repeat(43), &format!("{}/", "a".repeat(42))] {
            assert!(Secret::parse(raw).is_none(), "{raw}");
        }
    }
}
