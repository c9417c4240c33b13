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
    FILE_REFUSED = "file_refused", 422, "Fichier refusé",
        "Le fichier entier est refusé et rien n'est écrit ; `errors` nomme jusqu'à 20 cellules (ligne, colonne, valeur).";
    FILE_TOO_HEAVY = "file_too_heavy", 422, "Fichier trop lourd",
        "Lire le fichier coûterait plus que ce qui est accordé à un import ; rien n'est écrit, et `errors` nomme la borne \
         rencontrée (taille, lignes, colonnes, longueur d'une ligne ou d'une cellule…). L'alléger ou le partager.";
    NO_ROWS = "no_rows", 422, "Fichier sans ligne",
        "Le fichier n'a qu'un en-tête, ou des lignes vides : rien n'y est à importer, et rien n'est écrit.";
}
