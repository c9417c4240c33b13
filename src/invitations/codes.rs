//! The refusals of links.

crate::problem_codes! {
    LINK_GONE = "link_gone", 410, "Lien qui n'ouvre plus rien",
        "Le lien est inconnu, trop ancien ou retiré ; demander un nouveau lien à l'adresse `/i`, ou au rectorat. Les pages d'un \
         lien le disent ; l'API ne le répond pas.";
    LINK_OVER = "link_over", 409, "Lien déjà retiré ou expiré",
        "Le lien n'ouvre plus rien : il n'y a rien à retirer. `replace` en donne un autre.";
    NO_ADDRESS = "no_address", 409, "Pas d'adresse de courriel",
        "La collectivité n'a pas d'adresse de contact, ou son adresse est signalée : l'enregistrer d'abord, ou montrer le \
         lien (`deliver`: `show`) et le remettre autrement.";
    NOTHING_TO_OPEN = "nothing_to_open", 409, "Aucune convention à ouvrir",
        "La collectivité n'a pas de convention vivante dans cette campagne : un lien n'ouvrirait rien.";
}
