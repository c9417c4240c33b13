//! What titles hold of persons, and what they need of other rooms.
//!
//! A title is a piece of account: it is needed until 31 December of its exercice, `accounting_years` later. A title not yet approved has no exercice, and is needed. With them what proves them: the
//! journal of their campaign, the agents who prepared and approved, the debtor's representative.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Need, Term};

pub const DECLARED: Declared = Declared {
    room: "titles",
    personal: &[Entry {
        key: "titles",
        what: "Agents qui ont préparé, rendu, représenté, approuvé ou retiré un titre ; motifs ; représentant du débiteur",
        places: &[
            "perception_titles.debtor#/representative",
            "perception_titles.ground",
            "perception_titles.prepared_by_label",
            "perception_titles.withdrawn_reason",
            "title_approvals.approver",
            "title_returns.reason",
            "title_returns.returned_by_label",
            "title_resubmissions.reason",
            "title_resubmissions.resubmitted_by_label",
        ],
        purpose: "Demander le titre de perception, et en répondre",
        basis: EVIDENCE,
        term: Term::Accounting,
        from: "de la fin de la convention",
        end: End::With("files"),
    }],
    impersonal: &[
        (
            "perception_titles",
            &[
                "id",
                "campaign_id",
                "convention_id",
                "participation_id",
                "debtor_id",
                "debtor_siret",
                "debtor_departement",
                "kind",
                "corrects_id",
                "state",
                "findings",
                "prepared_by",
                "reference",
                "batch_id",
                "batch_number",
                "chorus_number",
            ],
        ),
        ("title_lines", &["title_id", "uai", "label", "commune_name", "departement", "waiver"]),
        ("title_approvals", &["title_id", "reference", "approved_by", "content_sha256"]),
        ("title_returns", &["id", "title_id", "returned_by"]),
        ("title_resubmissions", &["return_id", "resubmitted_by"]),
    ],
    named: &[Named { field: "reason", what: "motif, qui peut nommer quelqu'un" }],
    needs: &[
        Need {
            entry: "journal_acts",
            rows: "COALESCE(r.campaign_id, r.subject_id) IN (SELECT t.campaign_id FROM perception_titles t \
                   WHERE t.state NOT IN ('withdrawn', 'rejected') AND COALESCE(t.exercice, {exercice}) >= {exercice})",
        },
        Need {
            entry: "accounts",
            rows: "r.id IN (SELECT t.prepared_by FROM perception_titles t \
                   WHERE t.state NOT IN ('withdrawn', 'rejected') AND COALESCE(t.exercice, {exercice}) >= {exercice} \
                   UNION SELECT p.approved_by FROM title_approvals p WHERE p.exercice >= {exercice})",
        },
        Need {
            entry: "contacts",
            rows: "r.id IN (SELECT t.debtor_id FROM perception_titles t \
                   WHERE t.state NOT IN ('withdrawn', 'rejected') AND COALESCE(t.exercice, {exercice}) >= {exercice})",
        },
        Need {
            entry: "files",
            rows: "r.id IN (SELECT t.convention_id FROM perception_titles t \
                   WHERE t.state NOT IN ('withdrawn', 'rejected') AND COALESCE(t.exercice, {exercice}) >= {exercice})",
        },
    ],
};
