//! What attachments hold of persons: a deed shows signatures, a file's name may name who sent it.
//!
//! The bytes stand in the platform's table of stored parts; they go with the file of the convention they prove.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Term};

pub const DECLARED: Declared = Declared {
    room: "attachments",
    personal: &[Entry {
        key: "attachments",
        what: "Pièces jointes : ce qu'elles montrent, leurs noms de fichier, qui les a jointes ou détachées, pourquoi",
        places: &[
            "attachments.file_name",
            "attachments.attached_by_label",
            "attachment_sources.file_name",
            "attachment_detachments.reason",
            "attachment_detachments.detached_by_label",
        ],
        purpose: "Prouver ce que la pièce montre : une signature, un refus",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        (
            "attachments",
            &[
                "id",
                "subject_kind",
                "subject_id",
                "purpose",
                "media_type",
                "sha256",
                "given_sha256",
                "scan",
                "attached_by",
            ],
        ),
        ("attachment_sources", &["attachment_id", "media_type", "sha256"]),
        ("attachment_detachments", &["attachment_id", "detached_by"]),
    ],
    named: &[
        Named { field: "file_name", what: "nom d'un fichier donné" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[],
};
