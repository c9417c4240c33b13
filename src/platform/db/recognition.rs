//! The base asked for its id: at start, and again each time somebody asks whether the program is ready.

use super::identity::read;
use super::{Database, DatabaseFault, migrations};
use crate::platform::error::Outcome;

fn fault(cause: &dyn std::fmt::Display) -> DatabaseFault {
    DatabaseFault::new(
        format!("La base ne se laisse pas lire : {cause}"),
        "Vérifier l'adresse, les droits du compte, et qu'il s'agit bien d'une base de ce programme.",
    )
}

impl Database {
    /// The id of the base; none before its migrations.
    ///
    /// # Errors
    /// The database's own.
    pub fn base_id(&self) -> Outcome<Option<String>> {
        self.read(|tx| Ok(read(tx.conn())?))
    }

    /// Whether no migration ever ran here.
    ///
    /// # Errors
    /// The base cannot be read.
    pub fn is_new(&self) -> Result<bool, DatabaseFault> {
        self.read(|tx| Ok(migrations::applied(tx.conn())?.is_empty())).map_err(|e| fault(&e))
    }

    /// Compares the id of the base with the one expected, if any, and remembers it.
    ///
    /// # Errors
    /// It is another base, or cannot be read.
    pub fn recognise(&self, expected: Option<&str>) -> Result<Option<String>, DatabaseFault> {
        let found = self.base_id().map_err(|e| fault(&e))?;
        if let (Some(found), Some(expected)) = (&found, expected)
            && !found.eq_ignore_ascii_case(expected)
        {
            return Err(DatabaseFault::new(
                format!("La base porte l'identifiant {found}, et non {expected} que demande database.expected_id"),
                "Corriger database.url (DATABASE_URL), ou database.expected_id si c'est bien cette base qui est voulue.",
            ));
        }
        if let Some(found) = &found {
            // The first start wins: later calls find the same.
            let _ = self.identity.id.set(found.clone());
        }
        Ok(found)
    }

    /// Whether this is still the base of the start; else what became of it, in French.
    ///
    /// # Errors
    /// The database's own.
    pub fn is_the_same(&self) -> Outcome<Result<(), &'static str>> {
        if let Err(gone) = self.identity.file_is_there() {
            tracing::error!(%gone, "the base is no longer the one the program opened");
            return Ok(Err(
                "Le fichier de la base a été supprimé ou remplacé : relancer le programme une fois le bon \
                           fichier remis à sa place.",
            ));
        }
        let now = self.base_id()?;
        match self.identity.id.get() {
            Some(known) if now.as_ref() != Some(known) => {
                tracing::error!(%known, ?now, "the address leads to another base");
                Ok(Err("L'adresse mène désormais à une autre base : la corriger, ou relancer le programme."))
            }
            _ => Ok(Ok(())),
        }
    }
}
