//! What the plumbing's tables hold of persons.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Rows, SECURITY, Term};

pub const DECLARED: Declared = Declared {
    room: "platform",
    personal: &[
        Entry {
            key: "papers",
            what: "Ce dont chaque papier est fait : représentant, signataires, agents, tels qu'il les imprime",
            places: &["papers.content"],
            purpose: "Produire le papier, et montrer que ses octets en viennent",
            basis: EVIDENCE,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
        Entry {
            key: "answers",
            what: "Réponses gardées sous une Idempotency-Key : ce que l'appel avait répondu, noms compris",
            places: &["idempotency_keys.body", "idempotency_keys.headers"],
            purpose: "Répéter la réponse d'un appel refait, sans agir deux fois",
            basis: SECURITY,
            term: Term::Answers,
            from: "de l'appel",
            end: End::Removed(Rows { table: "idempotency_keys", key: None, since: "r.created_at", only: "TRUE" }),
        },
    ],
    impersonal: &[
        ("blobs", &["sha256", "media_type"]),
        ("stored_files", &["sha256", "media_type"]),
        ("stored_file_parts", &["sha256", "part_sha256"]),
        // Ids, and what the program itself says of a failure.
        ("jobs", &["id", "queue", "kind", "payload", "dedup_key", "state", "last_error"]),
        (
            "papers",
            &[
                "subject_kind",
                "subject_id",
                "kind",
                "content_sha256",
                "template_sha256",
                "status",
                "sha256",
                "cause",
                "made_by",
            ],
        ),
        ("daily_runs", &["name"]),
        ("idempotency_keys", &["scope", "route", "key", "body_sha256"]),
        ("base_identity", &["id"]),
        ("counters", &["name"]),
    ],
    named: &[],
    needs: &[],
};
