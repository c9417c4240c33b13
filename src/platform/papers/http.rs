//! What a room's route answers with a paper.

use std::sync::LazyLock;

use actix_web::web;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::kind::Kind;
use super::making::{Answer as Found, serve_or_stamp};
use crate::platform::Error;
use crate::platform::documents::Renderer;
use crate::platform::error::Outcome;
use crate::platform::web::{Answer, Problem, Reply, State};

/// Stamped papers made at once: one per core. Who waits costs no thread.
static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get)));

/// Which form of a paper is asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OriginalQuery {
    /// `true` : les octets d'origine, même quand l'acte est depuis annulé, retiré, rapporté ou échu ; sinon chaque page porte alors cette mention.
    original: Option<bool>,
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Outcome<T> + Send + 'static) -> Result<T, Problem> {
    let lost = || Problem::from(Error::Incident("blocking thread lost".into()));
    Ok(web::block(work).await.map_err(|_| lost())??)
}

/// The paper of a subject as a download, its digest as `ETag`.
///
/// # Errors
/// What the room refuses, a template that does not compose, something falsified.
pub async fn answer(
    state: &State,
    renderer: web::Data<Renderer>,
    kind: &'static Kind,
    subject: String,
    query: OriginalQuery,
) -> Answer {
    let db = state.confirmed().await?;
    let own = renderer.clone();
    let made = match aside(move || serve_or_stamp(&db, &own, kind, &subject, query.original.unwrap_or(false))).await? {
        Found::Kept(served) => served,
        Found::ToStamp(paper) => {
            // The semaphore is never closed.
            let _turn = TURNS.acquire().await;
            aside(move || paper.make(&renderer)).await?
        }
    };
    Ok(Reply::file("application/pdf", &made.file_name, &made.sha256, made.bytes))
}
