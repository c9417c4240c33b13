//! An account, as answered.

use serde::Serialize;

use super::user::{AccountState, Delegation, User};
use crate::kernel::contact::EmailAddress;
use crate::kernel::text::Line;
use crate::kernel::{Instant, Role, ids::UserId};

/// Un compte. Le mot de passe n'en sort jamais.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct UserView {
    pub id: UserId,
    pub email: EmailAddress,
    pub role: Role,
    #[schema(value_type = String, example = "Zoé")]
    pub first_name: Line,
    #[schema(value_type = String, example = "Martin")]
    pub last_name: Line,
    /// Qualité imprimée sous la signature.
    #[schema(example = "Secrétaire générale de région académique")]
    pub capacity: Option<String>,
    pub delegation: Option<Delegation>,
    pub active: bool,
    pub status: AccountState,
    /// Depuis quand le mot de passe est celui-ci ; absent tant que la personne n'en a pas choisi.
    pub password_set_at: Option<Instant>,
    /// Dernière connexion ; elle ne change pas la version du compte.
    pub last_login_at: Option<Instant>,
    /// Qui a émis le dernier code de mot de passe ; absent si le compte n'en a jamais eu.
    #[schema(example = "Sacha Camargue")]
    pub invited_by: Option<String>,
    pub created_at: Instant,
    pub updated_at: Instant,
}

impl From<&User> for UserView {
    fn from(user: &User) -> Self {
        Self {
            id: user.id,
            email: user.email.clone(),
            role: user.role,
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
            capacity: user.capacity.clone(),
            delegation: user.delegation.clone(),
            active: user.active,
            status: user.state(),
            password_set_at: user.password_set_at,
            last_login_at: user.last_login_at,
            invited_by: user.invited_by.clone(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
