//! The campaigns' refusals.

crate::problem_codes! {
    CAMPAIGN_EXISTS = "campaign_exists", 409, "Campagne déjà créée",
        "Il y a une campagne par année scolaire.";
    CAMPAIGN_STATE = "campaign_state", 409, "État de la campagne incompatible",
        "L'action demandée ne va pas avec l'état de la campagne ; `allowed_actions` dit ce qui est possible.";
    CAMPAIGN_ISSUED = "campaign_issued", 409, "Conventions émises",
        "Une convention a été émise dans la campagne : elle ne revient plus en préparation et ne se supprime plus.";
    PLACEHOLDER_TEXTS = "placeholder_texts", 409, "Textes à écrire",
        "Des textes de la campagne sont encore des exemples (EXEMPLE, À COMPLÉTER, adresse réservée) ; `errors` les nomme. Les écrire dans la configuration ou dans `texts`.";
    ENROLMENT_COVERED = "enrolment_covered", 409, "École déjà conventionnée",
        "L'école figure dans une convention vivante : la retirer demande un avenant.";
    KEYS_OR_FILTER = "keys_or_filter", 422, "Clés ou filtre",
        "Un acte en nombre prend soit `keys`, soit `filter`, jamais les deux ; il est obligatoire pour les inscriptions et les approbations.";
}
