//! What the registry holds of persons.

use crate::platform::retention::{Declared, End, Entry, Named, PUBLIC_MISSION, Rows, Term};

pub const DECLARED: Declared = Declared {
    room: "registry",
    personal: &[
        Entry {
            key: "contacts",
            what: "Élus et contacts d'une collectivité qui n'existe plus : nom, qualité, courriel, téléphone",
            places: &[
                "collectivites.civility",
                "collectivites.first_name",
                "collectivites.last_name",
                "collectivites.representative_title",
                "collectivites.contact_email",
                "collectivites.contact_phone",
            ],
            purpose: "Nommer le représentant sur la convention, écrire à la collectivité ; tenu à jour tant qu'elle existe",
            basis: PUBLIC_MISSION,
            term: Term::Contacts,
            from: "de la fin de la collectivité ; jamais avant le terme comptable de ses titres",
            end: End::Emptied(
                Rows {
                    table: "collectivites",
                    key: Some("r.id"),
                    since: "r.closed_on",
                    only: "r.closed_on IS NOT NULL AND COALESCE(r.civility, r.first_name, r.last_name, \
                           r.representative_title, r.contact_email, r.contact_phone) IS NOT NULL",
                },
                "civility = NULL, first_name = NULL, last_name = NULL, representative_title = NULL, \
                 contact_email = NULL, contact_phone = NULL, version = version + 1, updated_at = '{now}'",
            ),
        },
        Entry {
            key: "registry_authors",
            what: "Agents qui ont enregistré une succession",
            places: &["successions.recorded_by"],
            purpose: "Savoir à qui demander l'acte dont vient le débiteur",
            basis: PUBLIC_MISSION,
            term: Term::Accounting,
            from: "de la fin de la convention",
            end: End::With("files"),
        },
    ],
    impersonal: &[
        // Of a public body and of its town hall, not of a person; the routing is an office's.
        (
            "collectivites",
            &[
                "id",
                "siret",
                "siren",
                "kind",
                "name",
                "name_fold",
                "insee_code",
                "departement",
                "address_line1",
                "address_line2",
                "postal_code",
                "city",
                "chorus_service_code",
                "chorus_commitment_number",
                "chorus_third_party_number",
                "person_fields",
            ],
        ),
        ("collectivite_sirets", &["siret", "collectivite_id"]),
        ("collectivite_communes", &["insee_code", "collectivite_id"]),
        ("successions", &["predecessor_id", "successor_id", "kind", "act_reference"]),
        (
            "schools",
            &[
                "uai",
                "name",
                "name_fold",
                "kind",
                "sector",
                "insee_code",
                "commune_name",
                "commune_fold",
                "departement",
                "official_siret",
                "official_siren",
                "first_school_year",
                "person_fields",
            ],
        ),
        ("school_payers", &["uai", "collectivite_id", "set_by"]),
    ],
    named: &[Named { field: "contact", what: "représentant et contact d'une collectivité" }],
    needs: &[],
};
