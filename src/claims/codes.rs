//! The claims' refusals.

crate::problem_codes! {
    PREPARER_UNKNOWN = "preparer_unknown", 403, "Compte nominatif requis",
        "Préparer et approuver demandent un compte nominatif, pour que l'acte ait un auteur.";
    DECISION_STATE = "decision_state", 409, "État de la décision incompatible",
        "L'action demandée ne va pas avec l'état de la décision de ne pas émettre ; `allowed_actions` dit ce qui est possible.";
    DECISION_DOCUMENT_FAILED = "decision_document_failed", 409, "Document non produit",
        "Le modèle de la décision ne se laisse pas composer ; voir le journal technique.";
}
