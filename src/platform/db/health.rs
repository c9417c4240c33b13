//! What an error of the database says of it: gone, busy, or full.

use diesel::result::DatabaseErrorKind::{ClosedConnection, SerializationFailure, UnableToSendCommand, Unknown};
use diesel::result::Error;

/// Whether an error means that the connection leads nowhere any more.
#[must_use]
pub fn is_lost(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(ClosedConnection | UnableToSendCommand, _))
}

/// The words of an error that has no kind of its own: drivers tell no code, and PostgreSQL speaks the language of its
/// server (`lc_messages`), English or French where this program is used.
fn says(error: &Error, words: &[&str]) -> bool {
    matches!(error, Error::DatabaseError(Unknown, told) if words.iter().any(|words| told.message().contains(words)))
}

/// Whether somebody else held what was asked for, longer than we wait: nothing is wrong, later it will do.
#[must_use]
pub fn is_busy(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(SerializationFailure, _))
        || says(
            error,
            &[
                "database is locked",
                "database table is locked",
                "due to lock timeout",
                "due to statement timeout",
                "deadlock detected",
                "pour l'obtention des verrous",
                "pour l'exécution de l'instruction",
                "interblocage",
                "too many clients",
                "trop de clients",
            ],
        )
}

/// Whether the disk of the base has no room left.
#[must_use]
pub fn is_full(error: &Error) -> bool {
    says(error, &["database or disk is full", "No space left on device", "Aucun espace disponible"])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(words: &str) -> Error {
        Error::DatabaseError(Unknown, Box::new(words.to_owned()))
    }

    #[test]
    fn waits_that_ran_out_are_known_in_both_languages() {
        for words in [
            "database is locked",
            "canceling statement due to lock timeout",
            "annulation de la requête à cause du délai écoulé pour l'obtention des verrous",
            "annulation de la requête à cause du délai écoulé pour l'exécution de l'instruction",
            "interblocage (deadlock) détecté",
        ] {
            assert!(is_busy(&told(words)) && !is_full(&told(words)), "{words}");
        }
        assert!(!is_busy(&told("no such table: locked")) && !is_busy(&Error::NotFound));
        assert!(is_full(&told("database or disk is full")));
    }
}
