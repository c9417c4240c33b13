//! The accounting's refusals.

crate::problem_codes! {
    BATCH_STATE = "batch_state", 409, "État du bordereau incompatible",
        "Cette action n'est pas possible dans l'état du bordereau ; `allowed_actions` liste les actions possibles.";
    NOTHING_TO_SEAL = "nothing_to_seal", 409, "Rien à sceller",
        "Aucun titre approuvé de cette campagne et de cet exercice n'attend de bordereau.";
    EXERCICE_REQUIRED = "exercice_required", 422, "Exercice à préciser",
        "Des titres de plusieurs exercices attendent : un bordereau n'en porte qu'un, le nommer dans `exercice`.";
    SEALER_UNKNOWN = "sealer_unknown", 403, "Compte nominatif requis",
        "Sceller un bordereau demande un compte nominatif.";
}
