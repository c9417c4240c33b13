//! What mails hold of persons: addresses, and what was written to them.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Term};

pub const DECLARED: Declared = Declared {
    room: "mail",
    personal: &[Entry {
        key: "emails",
        what: "Courriels écrits aux collectivités et aux agents : adresse, texte envoyé, réponse du serveur, qui les a causés",
        places: &[
            "emails.address",
            "emails.payload",
            "emails.cause",
            "emails.queued_by",
            "email_attempts.subject",
            "email_attempts.body",
            "email_attempts.html",
            "email_attempts.files",
            "email_attempts.answer",
            "email_attempts.sender",
            "mail_blocks.address",
            "mail_blocks.reason",
            "mail_blocks.blocked_by",
            "mail_templates.author",
            "mail_templates.reason",
            "base_lives.released_by",
        ],
        purpose: "Montrer ce qui a été écrit, à qui, quand, et si c'est parti",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        ("emails", &["id", "kind", "domain", "state", "resent_of", "dedup_key"]),
        ("email_dossiers", &["email_id", "payer_id", "campaign_id"]),
        ("email_attempts", &["email_id", "message_id", "domain", "outcome", "stage"]),
        ("mail_templates", &["kind", "source"]),
        ("mail_gate", &["cause"]),
        ("base_lives", &["id"]),
    ],
    named: &[],
    needs: &[],
};
