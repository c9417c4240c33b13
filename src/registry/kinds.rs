//! The closed vocabularies of the registry.

use crate::text_enum;

text_enum!(
    /// Nature of a party that signs and pays. Stored, never guessed from the SIREN's prefix.
    CollectiviteKind {
        Commune => "commune",
        /// Établissement public de coopération intercommunale à fiscalité propre.
        Epci => "epci",
        Syndicat => "syndicat",
        Autre => "autre",
    }
);

text_enum!(
    /// Levels a school teaches.
    SchoolKind { Maternelle => "maternelle", Elementaire => "elementaire", Primaire => "primaire" }
);

text_enum!(
    /// Public or private (under contract or not).
    Sector { Public => "public", Private => "private" }
);

text_enum!(
    /// Who last decided a fact: a person's word outlives every import.
    SetBy { Person => "person", Import => "import" }
);

text_enum!(
    /// Why one collectivité takes the place of another.
    SuccessionKind {
        /// Commune nouvelle: takes the place of the merged communes in all their acts (CGCT art. L2113-5).
        CommuneNouvelle => "commune_nouvelle",
        /// Transfer of the school competence to another body.
        Transfer => "transfer",
        /// Dissolution of a syndicat or EPCI, its members or another body taking over.
        Dissolution => "dissolution",
    }
);
