//! People and addresses.

use super::bare::bare;
use super::refused::FieldFault;
use super::text::check_line;
use crate::{string_newtype, text_enum};

string_newtype!(
    /// Adresse de courriel : un `@`, un domaine à point, sans espace ; gardée en minuscules.
    EmailAddress, example: "mairie@saint-laurent-des-arbres.invalid",
    pattern: r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
    max: 254
);

impl EmailAddress {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let fault = |why: &str| FieldFault::new("email_format", format!("Adresse de courriel refusée : {why}."));
        let address = raw.trim().to_lowercase();
        if address.len() > 254 {
            return Err(fault("254 caractères au plus"));
        }
        let (local, domain) = address.split_once('@').ok_or_else(|| fault("il manque « @ »"))?;
        let local_ok = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~.-".contains(&b));
        let label_ok = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if !local_ok {
            return Err(fault("la partie avant « @ » n'est pas admise"));
        }
        if !domain.contains('.') || !domain.split('.').all(label_ok) {
            return Err(fault("le domaine après « @ » n'est pas admis"));
        }
        Ok(address)
    }
}

text_enum!(
    /// Civilité imprimée ; elle règle l'accord des participes.
    Civility { Madame => "madame", Monsieur => "monsieur" }
);

string_newtype!(
    /// Code postal français, cinq chiffres. Les espaces ne comptent pas.
    PostalCode, example: "30126", pattern: "^[0-9]{5}$"
);

impl PostalCode {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let code = bare(raw);
        if code.len() == 5 && code.bytes().all(|b| b.is_ascii_digit()) {
            Ok(code.into_owned())
        } else {
            Err(FieldFault::new("postal_code_format", "Code postal attendu : cinq chiffres."))
        }
    }
}

string_newtype!(
    /// Numéro de téléphone : chiffres, espaces, points, tirets et `+` initial ; de 6 à 20 caractères.
    Phone, example: "04 65 71 00 01",
    pattern: r"^\+?[0-9 .-]{6,19}$",
    max: 20
);

impl Phone {
    fn check(raw: &str) -> Result<String, FieldFault> {
        let phone = check_line(raw, 20)?;
        let digits = phone.bytes().filter(u8::is_ascii_digit).count();
        let allowed =
            phone.chars().enumerate().all(|(i, c)| c.is_ascii_digit() || " .-".contains(c) || (c == '+' && i == 0));
        if allowed && digits >= 6 {
            Ok(phone)
        } else {
            Err(FieldFault::new(
                "phone_format",
                "Numéro de téléphone attendu : chiffres, espaces, points, « + » initial.",
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_case_and_checked() {
        assert_eq!(
            EmailAddress::parse(" Ce.0301023Z@AC-Montpellier.FR ").unwrap().as_str(),
            "ce.0301023z@ac-montpellier.fr"
        );
        for bad in ["mairie", "a@b", "a b@c.fr", "a@@c.fr", "a@c..fr", "@c.fr", "a@-c.fr", "a\r\nBcc:x@y.fr"] {
            assert_eq!(EmailAddress::parse(bad).unwrap_err().code, "email_format", "{bad}");
        }
    }

    #[test]
    fn postal_codes_and_phones() {
        assert!(PostalCode::parse("09240").is_ok());
        assert!(PostalCode::parse("9240").is_err());
        assert!(Phone::parse("+33 4 65 71 00 01").is_ok());
        assert!(Phone::parse("appeler le 12").is_err());
    }
}
