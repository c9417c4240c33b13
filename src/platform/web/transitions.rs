//! What a caller may do now, and why not: the list of `GET …/transitions`, made of the refusals that the `POST` gives.

use serde::Serialize;

use crate::kernel::Refused;

/// Une action et si l'appelant peut la faire maintenant.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransitionView<A> {
    pub action: A,
    pub allowed: bool,
    /// Code du refus que recevrait l'action, sinon ; il figure dans /problems.
    #[schema(example = "same_person")]
    pub code: Option<String>,
    /// Pourquoi pas, sinon.
    pub reason: Option<String>,
}

/// Les actions d'un objet, depuis son état présent.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct TransitionsView<S, A> {
    pub current_state: S,
    pub actions: Vec<TransitionView<A>>,
}

impl<S, A: Copy> TransitionsView<S, A> {
    /// Asks `refusal` of each action.
    ///
    /// # Errors
    /// Those of `refusal`.
    pub fn of<E>(
        current_state: S,
        actions: &[A],
        mut refusal: impl FnMut(A) -> Result<Option<Refused>, E>,
    ) -> Result<Self, E> {
        let view = |action: &A| {
            let refused = refusal(*action)?;
            Ok(TransitionView {
                action: *action,
                allowed: refused.is_none(),
                code: refused.as_ref().map(|r| r.code.code.to_owned()),
                reason: refused.map(|r| r.detail),
            })
        };
        Ok(Self { current_state, actions: actions.iter().map(view).collect::<Result<_, E>>()? })
    }
}
