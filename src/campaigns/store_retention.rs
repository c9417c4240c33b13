//! What campaigns hold of persons.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, PUBLIC_MISSION, Term};

pub const DECLARED: Declared = Declared {
    room: "campaigns",
    personal: &[
        Entry {
            key: "campaign_texts",
            what: "Signataire de la région académique, délégué à la protection des données, contacts imprimés",
            places: &["campaigns.texts#/signatory", "campaigns.texts#/dpo", "campaigns.texts#/issuer"],
            purpose: "Imprimer la convention et la demande de titre",
            basis: EVIDENCE,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
        Entry {
            key: "enrolments",
            what: "Qui a demandé l'inscription d'une école, qui l'a enregistrée, qui l'a retirée",
            places: &[
                "enrolments.requester",
                "enrolments.created_by",
                "enrolment_withdrawals.withdrawn_by_label",
                "enrolment_reinstatements.reinstated_by_label",
            ],
            purpose: "Établir d'où vient une inscription, dont vient la participation",
            basis: PUBLIC_MISSION,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
    ],
    impersonal: &[
        ("campaigns", &["id", "school_year", "state", "tariff", "small_claims_policy", "countersign_policy"]),
        ("enrolments", &["id", "campaign_id", "uai", "origin", "convention_id"]),
        ("enrolment_withdrawals", &["campaign_id", "uai"]),
        ("enrolment_reinstatements", &["campaign_id", "uai"]),
    ],
    named: &[
        Named { field: "texts", what: "signataire, délégué à la protection des données, contacts d'une campagne" },
        Named { field: "reason", what: "motif, qui peut nommer quelqu'un" },
    ],
    needs: &[],
};
