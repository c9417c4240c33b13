//! Routes that stayed shut are journaled: who asked, for what, and what they would have needed.
//!
//! Told by the answer, so that every 403 is one: a role that was never enough, a role lost since the token, a person who
//! may not do this to their own work. What is written is bounded ([`crate::access::refusals`]).

use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::{Error, HttpMessage as _, web};

use crate::access::refusals::{self, Shut};
use crate::access::{Asked, LoginService};
use crate::kernel::refused::NOT_FOUND;
use crate::platform::web::{CallerAddress, Problem, State};

/// Around the handlers.
pub fn journal<S, B>(
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse<B>, Error>> + use<S, B>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
{
    let answer = next.call(request);
    async move {
        let response = answer.await?;
        if response.status() == StatusCode::FORBIDDEN
            && let Some(shut) = shut(&response)
        {
            note(&response, shut).await;
        }
        Ok(response)
    }
}

fn shut<B>(response: &ServiceResponse<B>) -> Option<Shut> {
    let request = response.request();
    let Asked { actor, role, permission } = request.extensions().get::<Asked>().cloned()?;
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    Some(Shut {
        actor,
        role,
        permission,
        route: format!("{} {}", request.method(), request.match_pattern().unwrap_or_default()),
        code: problem.map_or(NOT_FOUND.code, |problem| problem.refused.code.code),
        address: request.extensions().get::<CallerAddress>().map(|caller| caller.0),
    })
}

/// A line that cannot be written changes nothing of the refusal.
async fn note<B>(response: &ServiceResponse<B>, shut: Shut) {
    let request = response.request();
    let (Some(state), Some(service)) =
        (request.app_data::<web::Data<State>>(), request.app_data::<web::Data<LoginService>>())
    else {
        return;
    };
    let db = state.machinery().clone();
    let Some(due) = service.refusals().shut(db.clock().now(), &shut) else { return };
    let written = web::block(move || db.write(|tx| refusals::record_shut(tx, &shut, due))).await;
    if !matches!(written, Ok(Ok(()))) {
        tracing::warn!("a refusal could not be journaled");
    }
}
