//! What acts asked for later hold of persons: the request, and what the act answered, names of payers included.
//!
//! The daily work of the room removes them by itself; what it left is listed like anything else.

use crate::platform::retention::{Declared, End, Entry, Rows, SECURITY, Term};

pub const DECLARED: Declared = Declared {
    room: "acts",
    personal: &[Entry {
        key: "acts",
        what: "Actes demandés sans attendre : la demande, la réponse, le refus, et les issues objet par objet",
        places: &["acts.request", "acts.result", "acts.problem", "act_items.item"],
        purpose: "Rendre à l'agent le résultat de ce qu'il a demandé",
        basis: SECURITY,
        term: Term::Acts,
        from: "de la fin de l'acte",
        end: End::Removed(Rows { table: "acts", key: Some("r.id"), since: "r.ended_at", only: "TRUE" }),
    }],
    impersonal: &[("acts", &["id", "operation", "author_id", "request_id", "state"]), ("act_items", &["act_id"])],
    named: &[],
    needs: &[],
};
