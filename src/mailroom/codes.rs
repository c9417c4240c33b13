//! The refusals of the mail room.

crate::problem_codes! {
    EMAIL_STATE = "email_state", 409, "Courriel encore en route",
        "Le courriel attend ou part : seul celui qui est parti, refusé, annulé ou dont la réponse est perdue se renvoie.";
    EMAIL_TOO_RECENT = "email_too_recent", 409, "Courriel trop récent",
        "Un courriel du même genre est parti vers la même adresse il y a moins d'une heure ; attendre avant d'en renvoyer un.";
    MAIL_TEMPLATE_REFUSED = "mail_template_refused", 422, "Texte de courriel refusé",
        "Le texte ne se lit pas, ou imprime un nom que ce courriel ne connaît pas ; `errors` dit la ligne.";
}
