//! What conventions hold of persons: what an act says, and who did what to it.
//!
//! The names an act bears are the act's: the paper that was signed keeps them as long as it is kept, and the columns
//! that repeat them say nothing more. They go with the file, by decision of the Archives.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Rows, Term};

pub const DECLARED: Declared = Declared {
    room: "conventions",
    personal: &[
        Entry {
            key: "files",
            what: "Dossier d'une convention : représentant, signataires, motifs, agents",
            places: &[
                "conventions.party#/representative",
                "conventions.issued_by",
                "conventions.signed_name",
                "conventions.signed_title",
                "conventions.signed_evidence",
                "conventions.countersigned_name",
                "conventions.countersigned_title",
                "conventions.acknowledged#/by",
                "conventions.exit_reason",
                "conventions.sequence_reason",
            ],
            purpose: "Prouver l'accord dont vient la participation",
            basis: EVIDENCE,
            term: Term::Accounting,
            from: "de la fin de la convention ; jamais avant le terme comptable de ses titres",
            end: End::WithTheFile(Rows { table: "conventions", key: Some("r.id"), since: "r.ends_on", only: "TRUE" }),
        },
        Entry {
            key: "refusals",
            what: "Qui a refusé pour la collectivité, pourquoi, quel agent l'a enregistré ou levé",
            places: &[
                "convention_refusals.declined_by",
                "convention_refusals.reason",
                "convention_refusals.recorded_by_label",
                "convention_reopenings.reason",
                "convention_reopenings.reopened_by_label",
            ],
            purpose: "Ne pas réémettre à qui a refusé",
            basis: EVIDENCE,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
    ],
    impersonal: &[
        (
            "conventions",
            &[
                "id",
                "campaign_id",
                "collectivite_id",
                "number",
                "state",
                "party_siret",
                "party_fold",
                "party_departement",
            ],
        ),
        ("convention_seals", &["participation_id", "sha256"]),
        ("convention_unsealed", &["participation_id"]),
        ("convention_refusals", &["id", "convention_id", "recorded_by"]),
        ("convention_reopenings", &["refusal_id", "reopened_by"]),
        ("participations", &["id", "convention_id", "tariff", "steps"]),
        (
            "participation_lines",
            &[
                "participation_id",
                "uai",
                "name",
                "label",
                "kind",
                "insee_code",
                "commune_name",
                "departement",
                "waiver",
            ],
        ),
    ],
    named: &[
        Named { field: "signatory", what: "nom et qualité de qui a signé" },
        Named { field: "evidence", what: "ce qui montre la signature" },
        Named { field: "declined_by", what: "qui a refusé pour la collectivité" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[],
};
