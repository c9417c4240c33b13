//! Identifiers of the French administration. Stored as given, never derived from one another.
//!
//! Spaces, marks that show nothing and case never count, at any door: each is read from its [`bare`] form.
//!
//! Each door checks what can be checked for certain (length, key) and no more: the link between a SIREN and an
//! INSEE code, say, fails for one commune in six and is only ever a finding.

use super::bare::bare;
use super::refused::FieldFault;
use crate::string_newtype;

/// Digits of `text`, or none if another character stands in it.
fn digits(text: &str) -> Option<Vec<u32>> {
    text.chars().map(|c| c.to_digit(10)).collect()
}

/// Luhn's check over decimal digits, the rightmost being the key.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, d)| {
            if i % 2 == 0 {
                *d
            } else if *d > 4 {
                d * 2 - 9
            } else {
                d * 2
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// True when a spreadsheet has turned the identifier into a number such as `2,13003E+13`.
#[must_use]
pub fn is_scientific(raw: &str) -> bool {
    let Some((mantissa, exponent)) = raw.split_once(['E', 'e']) else { return false };
    let number = |s: &str| {
        s.contains(|c: char| c.is_ascii_digit())
            && s.chars().all(|c| c.is_ascii_digit() || matches!(c, ',' | '.' | '+' | '-'))
    };
    number(mantissa) && number(exponent) && (mantissa.contains([',', '.']) || exponent.starts_with(['+', '-']))
}

string_newtype!(
    /// SIRET : un SIREN puis 5 chiffres, avec une clé de Luhn (La Poste, SIREN 356000000 : ou une somme divisible par 5).
    /// Les espaces ne comptent pas.
    Siret, example: "21300278500011", pattern: "^[0-9]{14}$"
);

impl Siret {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let siret = bare(raw);
        if is_scientific(&siret) {
            return Err(FieldFault::new(
                "scientific_notation",
                "SIRET abîmé par un tableur (notation scientifique) : reprendre le fichier d'origine.",
            ));
        }
        let Some(d) = digits(&siret).filter(|d| d.len() == 14) else {
            return Err(FieldFault::new("siret_length", "Un SIRET a exactement 14 chiffres."));
        };
        let la_poste = siret.starts_with("356000000") && d.iter().sum::<u32>() % 5 == 0;
        if !luhn(&d) && !la_poste {
            return Err(FieldFault::new(
                "siret_key",
                "La clé de contrôle du SIRET est fausse (Luhn) : un chiffre est mal recopié.",
            ));
        }
        // Its first nine digits are a SIREN, with a key of their own.
        Siren::check(siret.get(..9).unwrap_or_default())?;
        Ok(siret.into_owned())
    }

    /// The legal unit: the first nine digits.
    #[must_use]
    pub fn siren(&self) -> Siren {
        Siren(self.0.chars().take(9).collect())
    }

    /// Grouped for reading: `213 002 785 00011`.
    #[must_use]
    pub fn grouped(&self) -> String {
        let mut out = String::new();
        for (i, c) in self.0.chars().enumerate() {
            if matches!(i, 3 | 6 | 9) {
                out.push(' ');
            }
            out.push(c);
        }
        out
    }
}

string_newtype!(
    /// SIREN : 9 chiffres avec une clé de Luhn. Les espaces ne comptent pas.
    Siren, example: "213002785", pattern: "^[0-9]{9}$"
);

impl Siren {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let siren = bare(raw);
        match digits(&siren) {
            Some(d) if d.len() == 9 && luhn(&d) => Ok(siren.into_owned()),
            Some(d) if d.len() == 9 => {
                Err(FieldFault::new("siren_key", "La clé de contrôle du SIREN est fausse (Luhn)."))
            }
            _ => Err(FieldFault::new("siren_length", "Un SIREN a exactement 9 chiffres.")),
        }
    }

    /// Whether this is the SIREN a commune of this INSEE code usually has: `21`, department (20 in Corsica), `0`,
    /// rank. The pattern fails for 16 % of metropolitan communes: good for an information finding, nothing else.
    #[must_use]
    pub fn usual_for(&self, commune: &InseeCode) -> bool {
        let Some((departement, rank)) = commune.as_str().split_at_checked(2) else { return true };
        match departement {
            // Overseas follows several patterns: nothing can be said.
            "97" | "98" => true,
            "2A" | "2B" => self.0.starts_with(&format!("21200{rank}")),
            _ => self.0.starts_with(&format!("21{departement}0{rank}")),
        }
    }
}

/// Key letters of a UAI: I, O and Q are never used.
const UAI_KEYS: &str = "ABCDEFGHJKLMNPRSTUVWXYZ";

string_newtype!(
    /// UAI d'une école : sept chiffres et une lettre clé. Les espaces et la casse ne comptent pas ; un zéro
    /// initial perdu est rendu.
    Uai, example: "0301023Z", pattern: "^[0-9]{7}[A-HJ-NPR-Z]$"
);

impl Uai {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let mut uai = bare(raw);
        if uai.len() == 7 && uai.is_ascii() && uai.ends_with(|c: char| c.is_ascii_alphabetic()) {
            // Hand-typed or passed through a spreadsheet: the department lost its leading zero.
            uai.to_mut().insert(0, '0');
        }
        Self::check_strict(&uai)
    }

    fn check_strict(uai: &str) -> Result<String, FieldFault> {
        let shape = || FieldFault::new("uai_format", "Un UAI a 7 chiffres puis une lettre clé (ex. 0301023Z).");
        let (number, key) = uai.split_at_checked(7).ok_or_else(shape)?;
        let mut letters = key.chars();
        let (Some(letter), None) = (letters.next(), letters.next()) else { return Err(shape()) };
        if digits(number).is_none() || !letter.is_ascii_alphabetic() {
            return Err(shape());
        }
        let rest = number.parse::<usize>().map_err(|_| shape())? % 23;
        let expected = UAI_KEYS.chars().nth(rest).ok_or_else(shape)?;
        if letter != expected {
            return Err(FieldFault::new(
                "uai_key",
                format!("La lettre clé de l'UAI est fausse : « {letter} » reçue, « {expected} » attendue."),
            ));
        }
        Ok(uai.to_owned())
    }

    /// As [`Uai::parse`], but a lost leading zero is an error: in a file it shows that a spreadsheet damaged it.
    ///
    /// # Errors
    /// `leading_zero_lost`, or as `parse`.
    pub fn parse_in_file(raw: &str) -> Result<Self, FieldFault> {
        let uai = bare(raw);
        if uai.len() == 7 && Self::parse(&uai).is_ok() {
            return Err(FieldFault::new(
                "leading_zero_lost",
                "L'UAI a perdu son zéro initial (fichier réenregistré par un tableur) : reprendre l'original.",
            ));
        }
        Self::check_strict(&uai).map(Self)
    }

    /// Department as the UAI tells it (three digits; Corsica 620 and 720).
    #[must_use]
    pub fn departement(&self) -> Option<Departement> {
        match self.0.get(..3)? {
            "620" => Departement::parse("2A").ok(),
            "720" => Departement::parse("2B").ok(),
            code => Departement::parse(code).ok(),
        }
    }
}

string_newtype!(
    /// Code INSEE d'une commune : cinq caractères, `2A`/`2B` en Corse. Les espaces et la casse ne comptent pas.
    InseeCode, example: "30278", pattern: "^((0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5])[0-9]{3}|9[78][0-9]{3})$"
);

impl InseeCode {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let code = bare(raw);
        let shape = || FieldFault::new("insee_format", "Un code INSEE de commune a 5 caractères (ex. 30278, 2A004).");
        let (head, tail) = code.split_at_checked(2).ok_or_else(shape)?;
        let head_ok = head == "2A" || head == "2B" || head.chars().all(|c| c.is_ascii_digit());
        if !head_ok || tail.len() != 3 || !tail.chars().all(|c| c.is_ascii_digit()) {
            return Err(shape());
        }
        // A commune is in a department: `00000` is in none.
        Departement::check(Self(code.to_string()).departement().as_str()).map_err(|_| {
            FieldFault::new("insee_departement", "Ce code INSEE ne commence par aucun département (ex. 30278, 2A004).")
        })?;
        Ok(code.into_owned())
    }

    /// Department of the commune: `30`, `2A`, `971`.
    #[must_use]
    pub fn departement(&self) -> Departement {
        let length = if self.0.starts_with("97") || self.0.starts_with("98") { 3 } else { 2 };
        Departement(self.0.chars().take(length).collect())
    }
}

string_newtype!(
    /// Département : `30`, `2A`, `971`. La forme à trois caractères de l'annuaire (`030`, `02A`) est admise.
    /// Les espaces et la casse ne comptent pas.
    Departement, example: "30", pattern: "^(0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|9[78][0-9])$"
);

impl Departement {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let code = bare(raw);
        let short = if code.len() == 3 { code.strip_prefix('0').unwrap_or(&code) } else { &code };
        let two = short == "2A" || short == "2B" || (short.len() == 2 && short.chars().all(|c| c.is_ascii_digit()));
        let three = short.len() == 3
            && (short.starts_with("97") || short.starts_with("98"))
            && short.chars().all(|c| c.is_ascii_digit());
        if (two && !matches!(short, "00" | "20" | "96" | "97" | "98" | "99")) || three {
            Ok(short.to_owned())
        } else {
            Err(FieldFault::new("departement_format", "Département attendu sous la forme 30, 2A ou 971."))
        }
    }

    /// Three characters, as official files print it: `030`, `02A`, `971`.
    #[must_use]
    pub fn long(&self) -> String {
        format!("{:0>3}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_la_poste_rule_completes_luhn() {
        for good in ["35600000000048", "35600000009075", "35600000009093", "21300278500011"] {
            assert!(Siret::parse(good).is_ok(), "{good}");
        }
        for bad in ["35600000009090", "21300278500012", "2130027850001", "213002785000111", ""] {
            assert!(Siret::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_siret_begins_with_a_siren() {
        // The key of the whole is right, that of its first nine digits is not.
        let fault = Siret::parse("63535963977110").unwrap_err();
        assert_eq!(fault.code, "siren_key");
    }

    #[test]
    fn a_siret_in_scientific_notation_is_recognised() {
        assert_eq!(Siret::parse("2,13003E+13").unwrap_err().code, "scientific_notation");
        assert_eq!(Siret::parse("2.13003e13").unwrap_err().code, "scientific_notation");
        assert!(!is_scientific(",e,") && !is_scientific("1e2") && !is_scientific("E+"));
    }

    #[test]
    fn the_seed_schools_have_their_key_letter() {
        assert_eq!(Uai::parse("0301023z").unwrap().as_str(), "0301023Z");
        assert_eq!(Uai::parse("301015R").unwrap().as_str(), "0301015R");
        let fault = Uai::parse("0301023A").unwrap_err();
        assert_eq!(fault.code, "uai_key");
        assert!(fault.message.contains("« Z » attendue"));
        assert_eq!(Uai::parse_in_file("301023Z").unwrap_err().code, "leading_zero_lost");
    }

    #[test]
    fn departments_of_corsica_and_overseas() {
        assert_eq!(Departement::parse("02A").unwrap().as_str(), "2A");
        assert_eq!(Departement::parse("030").unwrap().as_str(), "30");
        assert_eq!(Departement::parse("971").unwrap().as_str(), "971");
        assert!(Departement::parse("100").is_err());
        for nowhere in ["00000", "20004", "96001", "99999"] {
            assert_eq!(InseeCode::parse(nowhere).unwrap_err().code, "insee_departement", "{nowhere}");
        }
        assert_eq!(InseeCode::parse("2a004").unwrap().departement().as_str(), "2A");
        assert_eq!(InseeCode::parse("97105").unwrap().departement().as_str(), "971");
        let corsican = ('A'..='Z').find_map(|k| Uai::parse(&format!("6200001{k}")).ok()).unwrap();
        assert_eq!(corsican.departement().unwrap().as_str(), "2A");
        let (siren, insee) = (Siren::parse("212000046").unwrap(), InseeCode::parse("2A004").unwrap());
        assert!(siren.usual_for(&insee));
        assert!(Siren::parse("213002785").unwrap().usual_for(&InseeCode::parse("30278").unwrap()));
        assert!(!Siren::parse("213002785").unwrap().usual_for(&InseeCode::parse("30001").unwrap()));
    }

    /// A SIREN from its first eight digits.
    fn with_key(head: &str) -> String {
        (0..10).map(|k| format!("{head}{k}")).find(|siren| Siren::parse(siren).is_ok()).unwrap()
    }

    proptest! {
        #[test]
        fn exactly_one_key_makes_a_siret_valid(head in "[0-9]{8}", tail in "[0-9]{4}") {
            let body = format!("{}{tail}", with_key(&head));
            prop_assume!(!body.starts_with("356000000"));
            let valid = (0..10).filter(|k| Siret::parse(&format!("{body}{k}")).is_ok()).count();
            prop_assert_eq!(valid, 1);
        }
        #[test]
        fn exactly_one_letter_makes_a_uai_valid(number in "[0-9]{7}") {
            let valid = ('A'..='Z').filter(|k| Uai::parse(&format!("{number}{k}")).is_ok()).count();
            prop_assert_eq!(valid, 1);
        }
        #[test]
        fn one_wrong_digit_is_always_caught(head in "[0-9]{8}", tail in "[0-9]{4}", place in 0usize..14, add in 1u32..10) {
            let body = format!("{}{tail}", with_key(&head));
            prop_assume!(!body.starts_with("356000000"));
            let good = (0..10).map(|k| format!("{body}{k}")).find(|s| Siret::parse(s).is_ok()).unwrap();
            let bad: String = good.chars().enumerate()
                .map(|(i, c)| if i == place { char::from_digit((c.to_digit(10).unwrap() + add) % 10, 10).unwrap() } else { c })
                .collect();
            prop_assume!(!bad.starts_with("356000000"));
            prop_assert!(Siret::parse(&bad).is_err());
        }
        #[test]
        fn parsing_what_was_printed_gives_the_same(number in "[0-9]{7}") {
            let uai = ('A'..='Z').find_map(|k| Uai::parse(&format!("{number}{k}")).ok()).unwrap();
            prop_assert_eq!(Uai::parse(uai.as_str()).unwrap(), uai);
        }
    }
}
