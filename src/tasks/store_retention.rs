//! What tasks hold of persons: who had one, the words with which it was closed.

use crate::platform::retention::{Declared, End, Entry, Named, PUBLIC_MISSION, Rows, Term};

pub const DECLARED: Declared = Declared {
    room: "tasks",
    personal: &[Entry {
        key: "tasks",
        what: "Tâches closes : leur raison, à qui elles étaient confiées, le mot de qui les a closes",
        places: &["tasks.why", "tasks.subject_key", "tasks.closing_word"],
        purpose: "Savoir ce qui restait à faire, et ce qui en a été fait",
        basis: PUBLIC_MISSION,
        term: Term::Journal,
        from: "de la clôture",
        end: End::Removed(Rows { table: "tasks", key: Some("r.id"), since: "r.closed_at", only: "r.state = 'closed'" }),
    }],
    impersonal: &[(
        "tasks",
        &[
            "id",
            "kind",
            "subject_kind",
            "subject_id",
            "campaign_id",
            "payer_id",
            "convention_id",
            "state",
            "assignee_id",
            "closed_by",
        ],
    )],
    named: &[
        Named { field: "name", what: "agent à qui une tâche est confiée" },
        Named { field: "word", what: "mot avec lequel une tâche est close ou rouverte" },
    ],
    needs: &[],
};
