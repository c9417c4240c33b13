//! The SIREN or SIRET the official directory gives a school: its own, never its payer's. Pure.

use crate::kernel::bare::bare;
use crate::kernel::{FieldFault, Siren, Siret};
use crate::string_newtype;

/// More than any number: what somebody wrote instead is shown, not kept whole.
const LONGEST: usize = 40;

string_newtype!(
    /// What the directory gives as the school's SIREN or SIRET, spaces and marks left out, right or wrong: six official ones
    /// of one region have a false key.
    OfficialSiret, example: "21300278500037"
);

impl OfficialSiret {
    fn check(raw: &str) -> Result<String, FieldFault> {
        Ok(bare(raw).chars().take(LONGEST).collect())
    }

    fn has_digits(&self, count: usize) -> bool {
        self.as_str().len() == count && self.as_str().bytes().all(|b| b.is_ascii_digit())
    }

    /// Nine digits: the body the school belongs to, and no establishment.
    #[must_use]
    pub fn is_siren(&self) -> bool {
        self.has_digits(9)
    }

    /// The SIREN it tells, even when its key is false: it is compared with the payer's. None of what has neither the length
    /// of a SIREN nor of a SIRET.
    #[must_use]
    pub fn siren(&self) -> Option<Self> {
        let told = self.has_digits(9) || self.has_digits(14);
        told.then(|| Self(self.as_str().chars().take(9).collect()))
    }

    /// Why it is no sound SIREN or SIRET.
    #[must_use]
    pub fn fault(&self) -> Option<FieldFault> {
        if self.as_str().len() == 9 { Siren::parse(self.as_str()).err() } else { Siret::parse(self.as_str()).err() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> OfficialSiret {
        OfficialSiret::parse(raw).unwrap()
    }

    #[test]
    fn the_siren_is_told_whatever_stands_between_its_digits() {
        for raw in ["213 002 785 00037", "213\u{a0}002\u{202f}785\u{200b}00037", "213002785", "\u{feff}213 002 785"] {
            assert_eq!(read(raw).siren(), Some(read("213002785")), "{raw:?}");
            assert_eq!(read(raw).fault(), None, "{raw:?}");
        }
        assert!(read("213 002 785").is_siren() && !read("213 002 785 00037").is_siren());
    }

    #[test]
    fn a_false_key_tells_a_siren_and_a_false_length_none() {
        assert_eq!(read("21120288800042").siren(), Some(read("211202888")));
        assert_eq!(read("21120288800042").fault().unwrap().code, "siret_key");
        for odd in ["2130027850003", "213002785000371", "21300278A00037", "néant"] {
            assert_eq!((read(odd).siren(), read(odd).fault().unwrap().code), (None, "siret_length"), "{odd}");
        }
    }
}
