//! The problem codes of access.

use crate::kernel::ProblemCode;
pub use crate::kernel::refused::FORBIDDEN;

pub const UNAUTHENTICATED: ProblemCode = ProblemCode {
    code: "unauthenticated",
    status: 401,
    title: "Authentification requise",
    meaning: "Il manque un jeton d'accès valable : se connecter par `POST /api/v1/auth/login`.",
};

pub const TOKEN_EXPIRED: ProblemCode = ProblemCode {
    code: "token_expired",
    status: 401,
    title: "Jeton d'accès expiré",
    meaning: "Renouveler le jeton par `POST /api/v1/auth/refresh`, puis refaire l'appel.",
};

pub const INVALID_CREDENTIALS: ProblemCode = ProblemCode {
    code: "invalid_credentials",
    status: 401,
    title: "Identifiants refusés",
    meaning: "L'adresse ou le mot de passe est faux, ou le compte est désactivé ; la réponse ne dit pas lequel.",
};

pub const REFRESH_TOKEN_INVALID: ProblemCode = ProblemCode {
    code: "refresh_token_invalid",
    status: 401,
    title: "Jeton de renouvellement refusé",
    meaning: "Le jeton est inconnu, expiré ou révoqué : se connecter de nouveau.",
};

pub const REFRESH_TOKEN_REUSED: ProblemCode = ProblemCode {
    code: "refresh_token_reused",
    status: 401,
    title: "Jeton de renouvellement déjà utilisé",
    meaning: "Un jeton ne sert qu'une fois ; un second usage trahit un vol possible, et toute la session est révoquée : \
              se connecter de nouveau.",
};

pub const TOO_MANY_ATTEMPTS: ProblemCode = ProblemCode {
    code: "too_many_attempts",
    status: 429,
    title: "Trop d'essais",
    meaning: "Trop d'essais faux, sur ce compte ou depuis cette adresse : attendre `Retry-After` secondes. L'attente \
              s'allonge d'échec en échec ; elle vaut pour un compte qui existe comme pour un autre.",
};

pub const PASSWORD_CODE_INVALID: ProblemCode = ProblemCode {
    code: "password_code_invalid",
    status: 401,
    title: "Code refusé",
    meaning: "Le code est inconnu, trop vieux, déjà utilisé ou remplacé par un autre, ou le compte est désactivé ; la \
              réponse ne dit pas lequel. Demander un nouveau code à un administrateur.",
};

pub const ACCOUNT_INACTIVE: ProblemCode = ProblemCode {
    code: "account_inactive",
    status: 409,
    title: "Compte désactivé",
    meaning: "Un compte désactivé n'a ni mot de passe ni code à recevoir : le réactiver d'abord par \
              `PATCH /api/v1/users/{id}`.",
};

pub const EMAIL_TAKEN: ProblemCode = ProblemCode {
    code: "email_taken",
    status: 409,
    title: "Adresse déjà utilisée",
    meaning: "Un compte, actif ou non, porte déjà cette adresse de courriel.",
};

pub const LAST_ADMIN: ProblemCode = ProblemCode {
    code: "last_admin",
    status: 409,
    title: "Dernier administrateur",
    meaning: "Le dernier administrateur actif ne peut être désactivé ni changer de rôle : en nommer un autre d'abord.",
};

pub const SIGNATORY_INCOMPLETE: ProblemCode = ProblemCode {
    code: "signatory_incomplete",
    status: 409,
    title: "Signataire incomplet",
    meaning: "La qualité ou la délégation de signature du compte manque : un administrateur les complète par \
              `PATCH /api/v1/users/{id}`.",
};

pub const DELEGATION_NOT_IN_FORCE: ProblemCode = ProblemCode {
    code: "delegation_not_in_force",
    status: 409,
    title: "Délégation hors vigueur",
    meaning: "Une délégation de signature vaut du lendemain de sa publication au recueil des actes administratifs \
              (code de l'éducation, art. D222-20) jusqu'à son terme inclus.",
};

pub const PASSWORD_SET: ProblemCode = ProblemCode {
    code: "password_set",
    status: 409,
    title: "Mot de passe déjà choisi",
    meaning: "La personne a choisi son mot de passe ; s'il est oublié, le remettre à zéro, puis envoyer un nouveau code.",
};

/// The codes of this capability.
pub const CODES: &[&ProblemCode] = &[
    &UNAUTHENTICATED,
    &TOKEN_EXPIRED,
    &INVALID_CREDENTIALS,
    &REFRESH_TOKEN_INVALID,
    &REFRESH_TOKEN_REUSED,
    &TOO_MANY_ATTEMPTS,
    &PASSWORD_CODE_INVALID,
    &ACCOUNT_INACTIVE,
    &PASSWORD_SET,
    &EMAIL_TAKEN,
    &LAST_ADMIN,
    &SIGNATORY_INCOMPLETE,
    &DELEGATION_NOT_IN_FORCE,
];
