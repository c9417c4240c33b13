//! The accountant's side: sealed batches and their files.
//!
//! ```text
//!   titles approved ──seal──▶ batch (number, count, total, digest) ──▶ CSV, JSON: stored bytes, identical ever after
//!                               └─ sealed ──▶ signed
//! ```

mod batch;
mod codes;
mod events;
mod http;
mod http_transitions;
mod seal;
mod sealed;
mod sheet;
mod sign;
mod store;
mod store_retention;
mod store_signatures;

pub use batch::{Batch, BatchNumber, BatchState, FileFormat};
pub use codes::CODES;
pub use events::BatchEvent;
pub use seal::{Seal, seal};
pub use sheet::{read_amount, read_identifier};

use crate::audit::Tellers;
use crate::capability::Capability;

/// What this room gives the program.
#[must_use]
pub fn capability() -> Capability {
    Capability {
        tags: &[("Bordereaux", "Titres scellés pour le comptable, et leurs fichiers.")],
        routes,
        codes: CODES,
        tells: Tellers::with::<BatchEvent>,
        rows: store::ROWS,
        personal: Some(&store_retention::DECLARED),
        ..Capability::named("accounting")
    }
}

/// Mounts the routes.
fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    http::routes(cfg);
    http_transitions::routes(cfg);
}

/// The stored bytes of a batch's file.
pub fn file(
    tx: &mut crate::platform::Tx<'_>,
    number: &BatchNumber,
    format: FileFormat,
) -> crate::platform::Outcome<Vec<u8>> {
    sealed::stored(tx, number, format).map(|(_, bytes)| bytes)
}
