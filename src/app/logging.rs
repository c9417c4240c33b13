//! The technical log, on standard error: compact for a person, or one JSON object per line for a collector.
//!
//! A line written while a request or a job is under way holds its span, with `request_id` or `job_id`. Nothing is
//! logged of a request but its method, path and status: see `edge`.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What is logged when RUST_LOG says nothing. Bytes that are no HTTP are no error of ours, and anybody can send them by
/// the thousand: the layer that reads them is not heard.
const USUAL: &str = "info,actix_server=warn,actix_http::h1::dispatcher=off";

/// Starts the log; `wanted` is the filter of RUST_LOG.
pub fn start(wanted: Option<&str>, json: bool) {
    let filter = EnvFilter::try_new(wanted.unwrap_or(USUAL)).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    // A second subscriber in one process is refused; the first stays.
    let _ = if json {
        builder.json().flatten_event(true).with_current_span(true).with_span_list(false).try_init()
    } else {
        builder.compact().try_init()
    };
    // What the standard hook prints would be no JSON; and a panic belongs to its request.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(%place, cause = panic.payload_as_str().unwrap_or("?"), "panic");
    }));
}
