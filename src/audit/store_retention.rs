//! What the journal holds of persons: all of it stands in one column, beside its salt.

use crate::platform::retention::{Declared, End, Entry, PUBLIC_MISSION, Rows, SECURITY, Term};

/// Persons and salt go together; the commitment stays, and the entry answers to its digest as before.
const EMPTIED: &str = "persons = NULL, salt = NULL";

pub const DECLARED: Declared = Declared {
    room: "audit",
    personal: &[
        Entry {
            key: "journal_connections",
            what: "Journal, connexions et refus : qui, de quelle adresse",
            places: &["audit_events.persons", "audit_events.salt"],
            purpose: "Reconnaître une intrusion, et en répondre",
            basis: SECURITY,
            term: Term::Connections,
            from: "de la ligne",
            end: End::Emptied(
                Rows {
                    table: "audit_events",
                    key: Some("r.id"),
                    since: "r.at",
                    only: "r.persons IS NOT NULL AND (r.action LIKE 'session.%' OR r.action IN \
                           ('password.refused', 'password_code.refused', 'access.refused'))",
                },
                EMPTIED,
            ),
        },
        Entry {
            key: "journal_acts",
            what: "Journal, tous les autres actes : qui a agi, personnes nommées, motifs",
            places: &["audit_events.persons", "audit_events.salt"],
            purpose: "Répondre de chaque acte : qui l'a fait, pourquoi",
            basis: PUBLIC_MISSION,
            term: Term::Journal,
            from: "de la ligne ; jamais avant le terme comptable des titres de la campagne",
            end: End::Emptied(
                Rows {
                    table: "audit_events",
                    key: Some("r.id"),
                    since: "r.at",
                    only: "r.persons IS NOT NULL AND r.action NOT LIKE 'session.%' AND r.action NOT IN \
                           ('password.refused', 'password_code.refused', 'access.refused')",
                },
                EMPTIED,
            ),
        },
    ],
    impersonal: &[(
        "audit_events",
        &[
            "id",
            // Ids: an account's names nobody once the account is emptied.
            "actor_id",
            "request_id",
            "action",
            "subject_kind",
            "subject_id",
            "subject_key",
            "campaign_id",
            "payer_id",
            "convention_id",
            "data",
            "commitment",
            "digest",
            "actor_kind",
            "actor_invitation_id",
            "actor_payer_id",
        ],
    )],
    named: &[],
    needs: &[],
};
