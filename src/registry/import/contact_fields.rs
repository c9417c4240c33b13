//! Who answers for a collectivité and where: what both files of contacts tell.
//!
//! A school's mail is refused by its shape, whatever the file: a convention sent to the school is a convention nobody signs.

use super::says;
use crate::kernel::FieldFault;
use crate::kernel::contact::{Civility, EmailAddress, Phone};
use crate::kernel::text::Line;

/// Who answers, and where. What is none was blank or in no column: it changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Contact {
    pub civility: Option<Civility>,
    pub first_name: Option<Line>,
    pub last_name: Option<Line>,
    pub capacity: Option<Line>,
    pub email: Option<EmailAddress>,
    pub phone: Option<Phone>,
}

pub(super) fn parse_civility(raw: &str) -> Result<Civility, FieldFault> {
    if says(raw, &["madame", "mme", "mme le maire", "mme la maire", "mlle", "f"]) {
        Ok(Civility::Madame)
    } else if says(raw, &["monsieur", "m", "mr", "m le maire", "h"]) {
        Ok(Civility::Monsieur)
    } else {
        Err(FieldFault::new("unknown_value", "Civilité attendue : Madame (Mme) ou Monsieur (M.)."))
    }
}

pub(super) fn parse_email(raw: &str) -> Result<EmailAddress, FieldFault> {
    let address = EmailAddress::parse(raw)?;
    if is_school_mail(&address) {
        return Err(FieldFault::new(
            "school_email",
            "Adresse d'une école : indiquer celle de la mairie ou du groupement, l'école ne signe pas la convention.",
        ));
    }
    Ok(address)
}

/// `ce.0301023Z@…` anywhere, `0301023Z@ac-…` too.
fn is_school_mail(address: &EmailAddress) -> bool {
    let Some((local, domain)) = address.as_str().split_once('@') else { return false };
    let short = local.strip_prefix("ce.");
    let number = short.unwrap_or(local);
    let shaped = number.split_at_checked(7).is_some_and(|(digits, letter)| {
        digits.bytes().all(|b| b.is_ascii_digit())
            && letter.len() == 1
            && letter.bytes().all(|b| b.is_ascii_alphabetic())
    });
    shaped && (short.is_some() || domain.starts_with("ac-"))
}

pub(super) fn parse_phone(raw: &str) -> Result<Phone, FieldFault> {
    if raw.len() == 9 && raw.bytes().all(|b| b.is_ascii_digit()) && !raw.starts_with('0') {
        return Err(FieldFault::new(
            "leading_zero_lost",
            format!("Zéro initial perdu (« 0{raw} » attendu) : colonne à mettre au format texte."),
        ));
    }
    Phone::parse(raw)
}
