//! What a long act is, and where one stands.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::access::Permission;
use crate::kernel::Actor;
use crate::platform::{Outcome, Tx};
use crate::text_enum;

text_enum!(
    /// État d'un travail.
    ActState {
        Waiting => "waiting",
        Running => "running",
        Done => "done",
        Refused => "refused",
        Failed => "failed",
        Cancelled => "cancelled",
    }
);

/// An act in number: what is asked, as the caller wrote it.
///
/// Declared by its room; done at once, or later by its job.
pub trait LongAct: Serialize + DeserializeOwned + Send + 'static {
    /// What doing it needs besides the transaction.
    type World: Send + Sync + 'static;
    /// Who may do it.
    type Permission: Permission;
    /// What it answers; its `items` are one outcome each.
    type View: Serialize;
    /// The operation of the API, which is also how the act is named in `/jobs`.
    const OPERATION: &'static str;
    /// The kind of its job.
    const KIND: &'static str;

    /// Does it: the one command of both forms.
    ///
    /// # Errors
    /// As the act has them.
    fn act(self, tx: &mut Tx<'_>, actor: &Actor, world: &Self::World) -> Outcome<Self::View>;
}
