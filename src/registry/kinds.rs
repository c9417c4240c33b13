//! The closed vocabularies of the registry.

use crate::text_enum;

text_enum!(
    /// Nature de qui signe et paie.
    CollectiviteKind {
        Commune => "commune",
        /// Établissement public de coopération intercommunale à fiscalité propre.
        Epci => "epci",
        Syndicat => "syndicat",
        Autre => "autre",
    }
);

text_enum!(
    /// Niveaux d'une école.
    SchoolKind { Maternelle => "maternelle", Elementaire => "elementaire", Primaire => "primaire" }
);

text_enum!(
    /// Public ou privé (sous contrat ou non).
    Sector { Public => "public", Private => "private" }
);

text_enum!(
    /// Qui a décidé en dernier : ce qu'une personne a écrit survit à tout import.
    SetBy { Person => "person", Import => "import" }
);

text_enum!(
    /// Pourquoi une collectivité prend la place d'une autre.
    SuccessionKind {
        /// Commune nouvelle: takes the place of the merged communes in all their acts (CGCT art. L2113-5).
        CommuneNouvelle => "commune_nouvelle",
        /// Transfer of the school competence to another body.
        Transfer => "transfer",
        /// Dissolution of a syndicat or EPCI, its members or another body taking over.
        Dissolution => "dissolution",
    }
);
