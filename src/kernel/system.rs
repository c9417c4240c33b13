//! What the system refuses, in French: its own words are in English, and often say nothing to who reads them.

use std::io::{Error, ErrorKind};

/// Why the system refused, as the end of a sentence; the number of the error stays for who looks it up.
#[must_use]
pub fn said(error: &Error) -> String {
    let known = match error.kind() {
        ErrorKind::NotFound => "fichier ou dossier introuvable",
        ErrorKind::PermissionDenied => "droits insuffisants",
        ErrorKind::AlreadyExists => "il existe déjà",
        ErrorKind::AddrInUse => "l'adresse est déjà prise par un autre programme",
        ErrorKind::AddrNotAvailable => "cette machine n'a pas cette adresse",
        ErrorKind::ConnectionRefused => "connexion refusée",
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => "connexion interrompue",
        ErrorKind::TimedOut => "délai dépassé",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "plus de place sur le disque",
        ErrorKind::FileTooLarge => "fichier trop grand pour ce qui est admis",
        ErrorKind::ReadOnlyFilesystem => "disque en lecture seule",
        ErrorKind::IsADirectory => "c'est un dossier",
        ErrorKind::NotADirectory => "ce n'est pas un dossier",
        ErrorKind::DirectoryNotEmpty => "le dossier n'est pas vide",
        ErrorKind::InvalidData => "contenu illisible, ou qui n'est pas en UTF-8",
        ErrorKind::UnexpectedEof => "fichier incomplet",
        ErrorKind::OutOfMemory => "mémoire insuffisante",
        ErrorKind::InvalidFilename => "nom de fichier refusé",
        _ => "refus du système",
    };
    match error.raw_os_error() {
        Some(number) => format!("{known}, erreur {number}"),
        None => known.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_english_is_left_and_the_number_stays() {
        assert_eq!(said(&Error::from_raw_os_error(98)), "l'adresse est déjà prise par un autre programme, erreur 98");
        assert_eq!(said(&Error::from_raw_os_error(2)), "fichier ou dossier introuvable, erreur 2");
        assert_eq!(said(&Error::from(ErrorKind::InvalidData)), "contenu illisible, ou qui n'est pas en UTF-8");
        for number in 1..=133 {
            let text = said(&Error::from_raw_os_error(number));
            assert!(text.ends_with(&format!(", erreur {number}")) && !text.contains("os error"), "{text}");
        }
    }
}
