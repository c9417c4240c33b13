//! The refusals of files.

crate::problem_codes! {
    FILE_REFUSED = "file_refused", 422, "Fichier refusé",
        "Le fichier entier est refusé et rien n'est écrit ; `errors` nomme jusqu'à 20 cellules (ligne, colonne, valeur).";
    FILE_TOO_HEAVY = "file_too_heavy", 422, "Fichier trop lourd",
        "Lire le fichier coûterait plus que ce qui est accordé à un import ; rien n'est écrit, et `errors` nomme la borne \
         rencontrée (mémoire, temps, taille, lignes, colonnes, longueur d'une ligne ou d'une cellule). L'alléger ou le \
         partager.";
    NO_ROWS = "no_rows", 422, "Fichier sans ligne",
        "Le fichier n'a qu'un en-tête, ou des lignes vides : rien n'y est à importer, et rien n'est écrit.";
    FILE_READER_BUSY = "file_reader_busy", 503, "Lecture de fichiers occupée",
        "Autant de fichiers qu'il est permis (`config` : imports.at_once) sont en cours de lecture ; rien n'est fait : \
         renvoyer le fichier après `Retry-After` secondes.";
}
