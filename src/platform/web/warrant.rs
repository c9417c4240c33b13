//! What a request was admitted on, confirmed inside the transaction that acts on it.
//!
//! ```text
//!   Can<P> ── Warrants::give ──▶ the request ◀── Warrants::of ── State ──▶ first statement of every transaction
//! ```
//! A token says what was true when it was issued. Between then and the transaction the person may have logged out, been
//! dismissed or given another role: the proof leaves a [`Warrant`] with the request, and [`super::State`] asks it before
//! any use case runs, a repeated answer included. A handler that asks for no proof has no warrant, and reaches no data
//! unless it says so ([`super::State::open_to_all`]): forgetting it closes the route instead of opening it.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpMessage as _, HttpRequest};

use crate::platform::{Error, Outcome, Tx};

/// The reason why a request may act.
pub trait Warrant: Send + Sync {
    /// Whether the reason still holds; `acting` holds it until the end of the transaction.
    ///
    /// # Errors
    /// The refusal, or the database's own error.
    fn confirm(&self, tx: &mut Tx<'_>, acting: bool) -> Outcome<()>;
}

/// The warrants of one request. Proof and state are made in the order of a handler's parameters: both share the list.
#[derive(Clone, Default)]
pub struct Warrants {
    given: Arc<Mutex<Vec<Arc<dyn Warrant>>>>,
    open: bool,
}

impl Warrants {
    /// The list of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let mut extensions = request.extensions_mut();
        if extensions.get::<Self>().is_none() {
            extensions.insert(Self::default());
        }
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// Leaves a warrant with the request.
    pub fn give(request: &HttpRequest, warrant: Arc<dyn Warrant>) {
        Self::of(request).given.lock().unwrap_or_else(PoisonError::into_inner).push(warrant);
    }

    /// For routes that admit everybody.
    pub(super) fn open() -> Self {
        Self { open: true, ..Self::default() }
    }

    /// Asks every warrant.
    pub(super) fn confirm(&self, tx: &mut Tx<'_>, acting: bool) -> Outcome<()> {
        let given = self.given.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if given.is_empty() && !self.open {
            return Err(Error::Incident("a handler reached the database without asking who calls".into()));
        }
        given.iter().try_for_each(|warrant| warrant.confirm(tx, acting))
    }
}
