//! What accounts and sessions hold of persons.

use crate::platform::retention::{Declared, End, Entry, Named, PUBLIC_MISSION, Rows, SECURITY, Term};

pub const DECLARED: Declared = Declared {
    room: "access",
    personal: &[
        Entry {
            key: "accounts",
            what: "Agents dont le compte est désactivé : nom, adresse, qualité, délégation",
            places: &[
                "users.email",
                "users.first_name",
                "users.last_name",
                "users.capacity",
                "users.delegation_reference",
                "users.password_hash",
                "users.invited_by",
            ],
            purpose: "Donner accès, dire qui agit, établir la force d'une signature",
            basis: PUBLIC_MISSION,
            term: Term::Accounts,
            from: "de la désactivation ; jamais avant le terme comptable de ce que la personne a préparé, décidé, approuvé \
                   ou scellé",
            end: End::Emptied(
                Rows {
                    table: "users",
                    key: Some("r.id"),
                    since: "r.updated_at",
                    only: "NOT r.active AND r.email NOT LIKE '%@efface.invalid'",
                },
                "email = id || '@efface.invalid', first_name = 'Compte', last_name = 'effacé', capacity = NULL, \
                 delegation_reference = NULL, delegation_published_on = NULL, delegation_ends_on = NULL, \
                 password_hash = 'none', password_set_at = NULL, invited_by = NULL, version = version + 1, \
                 updated_at = '{now}'",
            ),
        },
        Entry {
            key: "sessions",
            what: "Sessions closes : adresse de l'appelant, navigateur",
            places: &["sessions.address", "sessions.user_agent"],
            purpose: "Montrer à chacun ses sessions, reconnaître une intrusion",
            basis: SECURITY,
            term: Term::Connections,
            from: "de la fin de la session",
            end: End::Removed(Rows { table: "sessions", key: Some("r.id"), since: "r.ends_at", only: "TRUE" }),
        },
        Entry {
            key: "refresh_tokens",
            what: "Jetons de renouvellement expirés (leur empreinte) d'une personne",
            places: &["refresh_tokens.token_sha256"],
            purpose: "Reconnaître un jeton rejoué",
            basis: SECURITY,
            term: Term::Connections,
            from: "de l'expiration",
            end: End::Removed(Rows { table: "refresh_tokens", key: None, since: "r.expires_at", only: "TRUE" }),
        },
        Entry {
            key: "known_sources",
            what: "Adresses d'où une personne s'est connectée",
            places: &["known_sources.source"],
            purpose: "Ne pas freiner une personne connue pour les échecs d'un autre",
            basis: SECURITY,
            term: Term::Connections,
            from: "de la dernière connexion réussie",
            end: End::Removed(Rows { table: "known_sources", key: None, since: "r.last_success_at", only: "TRUE" }),
        },
        Entry {
            key: "brakes",
            what: "Compteurs d'échecs de connexion : adresse de l'appelant, empreinte du compte",
            places: &["brakes.key"],
            purpose: "Freiner qui devine un mot de passe",
            basis: SECURITY,
            term: Term::Answers,
            from: "de l'oubli du compteur",
            end: End::Removed(Rows { table: "brakes", key: None, since: "r.forget_at", only: "TRUE" }),
        },
        Entry {
            key: "password_codes",
            what: "Codes de mot de passe expirés : qui les avait remis",
            places: &["password_codes.code_sha256", "password_codes.issued_by_label"],
            purpose: "Laisser une personne choisir son mot de passe",
            basis: SECURITY,
            term: Term::Connections,
            from: "de l'expiration",
            end: End::Removed(Rows { table: "password_codes", key: None, since: "r.expires_at", only: "TRUE" }),
        },
    ],
    impersonal: &[
        ("users", &["id", "role"]),
        ("known_sources", &["user_id"]),
        ("password_codes", &["user_id", "issued_by"]),
        ("refresh_tokens", &["family", "user_id"]),
        ("sessions", &["id", "user_id", "request_id"]),
    ],
    named: &[
        Named { field: "email", what: "adresse essayée" },
        Named { field: "address", what: "adresse de l'appelant" },
        Named { field: "source", what: "adresse de l'appelant, telle qu'elle est comptée" },
        Named { field: "person", what: "nom, adresse, qualité et délégation d'un compte" },
        Named { field: "issued_by", what: "qui avait remis un code" },
    ],
    needs: &[],
};
