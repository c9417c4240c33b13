//! The conventions' refusals.

crate::problem_codes! {
    CONVENTION_STATE = "convention_state", 409, "État de la convention incompatible",
        "L'action demandée ne va pas avec l'état de la convention ; `allowed_actions` dit ce qui est possible.";
    CONVENTION_ENDED = "convention_ended", 409, "Signature après la fin de la convention",
        "La dernière signature est postérieure à la date de fin : la convention n'aurait aucune durée.";
    CONVENTION_TITLED = "convention_titled", 409, "Un titre existe",
        "Une convention dont un titre est préparé ou émis ne s'annule plus et ses signatures ne se corrigent plus : retirer le titre d'abord.";
    CONVENTION_REPLACED = "convention_replaced", 409, "Convention remplacée",
        "La collectivité, ou l'une des écoles, figure depuis dans une autre convention : le refus ne se reprend plus.";
    DATE_IN_FUTURE = "date_in_future", 422, "Date future",
        "Un acte s'enregistre après qu'il a eu lieu : la date ne peut être postérieure à aujourd'hui (Paris).";
    FINDINGS_OPEN = "findings_open", 409, "Points à vérifier",
        "La campagne exige que chaque constat à lever le soit, nommément et avec un motif, dans `acknowledged` ; ceux des dates de signature le sont toujours.";
    DOCUMENT_FAILED = "document_failed", 409, "Document non produit",
        "Le modèle de document ne se laisse pas composer ; l'administrateur en trouve la cause au journal technique.";
}
