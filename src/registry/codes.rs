//! The registry's refusals.

crate::problem_codes! {
    SIRET_TAKEN = "siret_taken", 409, "SIRET déjà enregistré",
        "Une collectivité porte déjà ce SIRET, ou l'a porté : la modifier plutôt que la créer.";
    UAI_TAKEN = "uai_taken", 409, "École déjà enregistrée",
        "Une école porte déjà cet UAI : la modifier plutôt que la créer.";
    PAYER_UNKNOWN = "payer_unknown", 422, "Payeur inconnu",
        "Le SIRET du payeur ne correspond à aucune collectivité : l'enregistrer d'abord.";
    SUCCESSION_EXISTS = "succession_exists", 409, "Succession déjà enregistrée",
        "Une collectivité n'a qu'un successeur.";
    SUCCESSION_LOOP = "succession_loop", 422, "Succession circulaire",
        "Le successeur désigné est déjà remplacé, directement ou non, par la collectivité.";
}
