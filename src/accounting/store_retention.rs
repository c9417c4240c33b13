//! What batches hold of persons, and whom they need.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Need, Term};

pub const DECLARED: Declared = Declared {
    room: "accounting",
    personal: &[Entry {
        key: "batches",
        what: "Agent qui a scellé un bordereau, qui l'a signé, qui l'a enregistré ; comptable destinataire",
        places: &[
            "accounting_batches.sealed_by_label",
            "accounting_batches.comptable",
            "accounting_batch_signatures.name",
            "accounting_batch_signatures.title",
            "accounting_batch_signatures.evidence",
            "accounting_batch_signatures.reason",
            "accounting_batch_signatures.recorded_by_label",
        ],
        purpose: "Répondre de ce qui a été transmis au comptable",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        ("accounting_batches", &["id", "number", "campaign_id", "nature", "content_sha256", "sealed_by"]),
        ("accounting_batch_progress", &["batch_id", "state"]),
        ("accounting_batch_files", &["batch_id", "format", "sha256"]),
        ("accounting_batch_signatures", &["batch_id", "recorded_by"]),
        ("accounting_batch_titles", &["batch_id", "title_id"]),
    ],
    named: &[
        Named { field: "name", what: "qui a signé un bordereau" },
        Named { field: "title", what: "sa qualité" },
        Named { field: "evidence", what: "ce qui montre la signature" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[Need {
        entry: "accounts",
        rows: "r.id IN (SELECT b.sealed_by FROM accounting_batches b WHERE b.exercice >= {exercice})",
    }],
};
