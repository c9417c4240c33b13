//! The titles' refusals.

crate::problem_codes! {
    TITLE_STATE = "title_state", 409, "État du titre incompatible",
        "L'action demandée ne va pas avec l'état du titre ; `allowed_actions` dit ce qui est possible.";
    SAME_PERSON = "same_person", 403, "Même personne",
        "Qui prépare un titre ne l'approuve pas : une autre personne doit le faire.";
    TITLE_DOCUMENT_FAILED = "title_document_failed", 409, "Document non produit",
        "Le modèle de la demande d'émission ne se laisse pas composer ; voir le journal technique.";
    NOT_APPROVED_YET = "not_approved_yet", 409, "Titre pas encore approuvé",
        "Le document existe à partir de l'approbation.";
}
