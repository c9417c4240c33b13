//! What links hold of persons: who opened them, from where, and who gave or took them.

use crate::platform::retention::{Declared, EVIDENCE, End, Entry, Named, Rows, SECURITY, Term};

pub const DECLARED: Declared = Declared {
    room: "invitations",
    personal: &[
        Entry {
            key: "invitations",
            what: "Liens d'invitation : qui les a donnés ou retirés, pourquoi",
            places: &["invitations.created_by", "invitations.revoked_by", "invitations.revoked_reason"],
            purpose: "Savoir par quel lien un dossier a été ouvert, et qui l'a donné",
            basis: EVIDENCE,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
        Entry {
            key: "invitation_uses",
            what: "Usages des liens : adresse IP, navigateur",
            places: &["invitation_uses.address", "invitation_uses.agent"],
            purpose: "Reconnaître un lien passé en d'autres mains",
            basis: SECURITY,
            term: Term::Connections,
            from: "de l'usage",
            end: End::Removed(Rows { table: "invitation_uses", key: Some("id"), since: "r.at", only: "TRUE" }),
        },
        Entry {
            key: "lost_links",
            what: "Demandes de liens perdus : adresse IP, adresse de courriel",
            places: &["lost_links.key"],
            purpose: "Limiter le nombre de courriels que des inconnus peuvent faire envoyer",
            basis: SECURITY,
            term: Term::Answers,
            from: "de la demande",
            end: End::Removed(Rows { table: "lost_links", key: Some("id"), since: "r.at", only: "TRUE" }),
        },
    ],
    impersonal: &[
        ("invitations", &["id", "payer_id", "campaign_id", "secret_sha256", "life_id", "origin", "email_id"]),
        ("invitation_uses", &["id", "invitation_id", "kind"]),
        ("invitation_sessions", &["id", "invitation_id", "secret_sha256"]),
        ("lost_links", &["id", "scope"]),
    ],
    named: &[Named { field: "reason", what: "motif, qui peut nommer quelqu'un" }],
    needs: &[],
};
