//! What claims hold of persons: who decided of them, why; and what these decisions need of other rooms.
//!
//! An act that leaves claims untitled is a piece of account, as a title would be: it is needed until 31 December of its
//! exercice, `accounting_years` later.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Need, Term};

pub const DECLARED: Declared = Declared {
    room: "claims",
    personal: &[Entry {
        key: "decisions",
        what: "Agents qui ont décidé d'une petite créance ou d'une ligne ; motifs",
        places: &[
            "small_claim_decisions.reason",
            "small_claim_decisions.decided_by_label",
            "small_claim_decisions.revoked_by_label",
            "small_claim_decisions.revoked_reason",
            "small_claim_acts.reason",
            "small_claim_acts.decided_by_label",
            "line_decisions.reason",
            "line_decisions.decided_by_label",
        ],
        purpose: "Répondre de ce qui n'a pas été titré",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        (
            "small_claim_decisions",
            &[
                "id",
                "convention_id",
                "participation_id",
                "decided_by",
                "revoked_by",
                "act_id",
                "origin",
                "revoked_origin",
            ],
        ),
        ("small_claim_acts", &["id", "number", "campaign_id", "decided_by", "content_sha256"]),
        ("line_decisions", &["convention_id", "uai", "choice", "decided_by"]),
    ],
    named: &[Named { field: "reason", what: "motif, qui peut nommer quelqu'un" }],
    needs: &[
        Need {
            entry: "journal_acts",
            rows: "COALESCE(r.campaign_id, r.subject_id) IN (SELECT a.campaign_id FROM small_claim_acts a \
                   WHERE a.exercice >= {exercice})",
        },
        Need {
            entry: "accounts",
            rows: "r.id IN (SELECT a.decided_by FROM small_claim_acts a WHERE a.exercice >= {exercice})",
        },
        Need {
            entry: "files",
            rows: "r.id IN (SELECT d.convention_id FROM small_claim_decisions d JOIN small_claim_acts a ON a.id = d.act_id \
                   WHERE a.exercice >= {exercice})",
        },
    ],
};
