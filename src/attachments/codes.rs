//! The refusals of attachments.

crate::problem_codes! {
    ALREADY_ATTACHED = "already_attached", 409, "Pièce déjà jointe",
        "Les mêmes fichiers sont déjà joints à cet objet, pour la même raison : rien n'est ajouté.";
    ATTACHMENT_STATE = "attachment_state", 409, "État de la pièce incompatible",
        "L'action demandée ne va pas avec l'état de la pièce ; `allowed_actions` dit ce qui est possible.";
}
