//! What the program measures of itself, in the text format of Prometheus.
//!
//! ```text
//!   edge ──request(route template, status, duration)──┐
//!   jobs ──ran(queue, kind, end, duration)────────────┼─▶ Metrics ──render──▶ /metrics
//!   scrape ──queue and pools as they stand now────────┘
//! ```
//! Every label has a bounded set of values: methods and routes the program knows, kinds of jobs it registered. No label
//! holds a key, a name or an address: nothing here is about a person.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{
    Encoder, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::db::PoolUse;
use super::jobs::{Backlog, JobEnd, Queue};
use super::mail::{AttemptOutcome, MailBacklog};
use crate::kernel::Instant;

/// Durations of requests and jobs, in seconds: from a lookup by key to an act in number.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The measures; cheap to clone, shared by every thread.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    in_flight: IntGauge,
    connections_open: IntGauge,
    connections_closed: IntCounterVec,
    falsified: IntCounterVec,
    jobs_run: IntCounterVec,
    job_seconds: HistogramVec,
    jobs: IntGaugeVec,
    oldest_due: IntGaugeVec,
    mails_tried: IntCounterVec,
    mails: IntGaugeVec,
    mails_oldest_due: IntGauge,
    connections: IntGaugeVec,
    database_up: IntGauge,
}

/// Why the program closed a connection on its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionEnd {
    /// The caller kept it waiting for too long.
    Stalled,
    /// There was no place left.
    Crowded,
}

impl ConnectionEnd {
    const fn label(self) -> &'static str {
        match self {
            Self::Stalled => "stalled",
            Self::Crowded => "crowded",
        }
    }
}

fn registered<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    collector: prometheus::Result<C>,
) -> prometheus::Result<C> {
    let collector = collector?;
    registry.register(Box::new(collector.clone()))?;
    Ok(collector)
}

impl Metrics {
    /// The measures, all at zero. `database` is `sqlite` or `postgres`.
    ///
    /// # Errors
    /// Never with the names written here; the crate's constructors say so by a `Result`.
    pub fn new(database: &str, started: Instant) -> prometheus::Result<Self> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            registered(&registry, IntCounterVec::new(Opts::new(name, help), labels))
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            registered(&registry, IntGaugeVec::new(Opts::new(name, help), labels))
        };
        let gauge = |name: &str, help: &str| registered(&registry, IntGauge::new(name, help));
        let seconds = |name: &str, help: &str, labels: &[&str]| {
            let options = HistogramOpts::new(name, help).buckets(BUCKETS.to_vec());
            registered(&registry, HistogramVec::new(options, labels))
        };
        let inner = Inner {
            requests: counters(
                "ent_http_requests_total",
                "Requests answered, by method, route template and status.",
                &["method", "route", "status"],
            )?,
            request_seconds: seconds(
                "ent_http_request_duration_seconds",
                "Time from the head of a request to the head of its answer.",
                &["method", "route"],
            )?,
            in_flight: gauge("ent_http_requests_in_flight", "Requests being answered now.")?,
            connections_open: gauge("ent_http_connections", "Connections of callers open now.")?,
            connections_closed: counters(
                "ent_http_connections_closed_total",
                "Connections closed on their caller: it kept them waiting (stalled), or there was no place (crowded).",
                &["reason"],
            )?,
            falsified: counters(
                "ent_integrity_faults_total",
                "Times something frozen was found falsified, by kind of thing; any is one too many.",
                &["kind"],
            )?,
            jobs_run: counters(
                "ent_jobs_run_total",
                "Runs of jobs, by queue, kind and end.",
                &["queue", "kind", "end"],
            )?,
            job_seconds: seconds("ent_job_duration_seconds", "Time a job ran, by queue and kind.", &["queue", "kind"])?,
            jobs: gauges("ent_jobs", "Jobs not done, by queue, kind and state.", &["queue", "kind", "state"])?,
            oldest_due: gauges(
                "ent_jobs_oldest_due_seconds",
                "Age of the oldest job that is due and that no worker has taken, by queue; 0 when none waits.",
                &["queue"],
            )?,
            mails_tried: counters(
                "ent_mail_attempts_total",
                "Tries to hand a mail over, by what came of them.",
                &["outcome"],
            )?,
            mails: gauges("ent_mails", "Mails not sent, by state.", &["state"])?,
            mails_oldest_due: gauge(
                "ent_mails_oldest_due_seconds",
                "Age of the oldest mail that is due and has not left; 0 when none waits.",
            )?,
            connections: gauges(
                "ent_database_connections",
                "Connections to the database, by pool and state (in_use, idle, max).",
                &["pool", "state"],
            )?,
            database_up: gauge("ent_database_up", "1 when the database answered this scrape.")?,
            registry: registry.clone(),
        };
        gauges("ent_build_info", "Always 1; version of the program and its database.", &["version", "database"])?
            .with_label_values(&[env!("CARGO_PKG_VERSION"), database])
            .set(1);
        gauge("ent_start_time_seconds", "When the process started, in seconds since 1970.")?.set(started.timestamp());
        Ok(Self(Arc::new(inner)))
    }

    /// A request begins; it ends when the guard is dropped, whatever happens to it.
    #[must_use]
    pub fn request_begins(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    /// A request was answered.
    pub fn request_ended(&self, method: &str, route: &str, status: u16, took: Duration) {
        self.0.requests.with_label_values(&[method, route, &status.to_string()]).inc();
        self.0.request_seconds.with_label_values(&[method, route]).observe(took.as_secs_f64());
    }

    /// So many connections are open.
    pub fn connections(&self, open: usize) {
        self.0.connections_open.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A connection was closed on its caller.
    pub fn connection_closed(&self, why: ConnectionEnd) {
        self.0.connections_closed.with_label_values(&[why.label()]).inc();
    }

    /// Something frozen was found falsified.
    pub fn falsified(&self, kind: &str) {
        self.0.falsified.with_label_values(&[kind]).inc();
    }

    /// A job ran.
    pub fn job_ran(&self, queue: Queue, kind: &str, end: JobEnd, took: Duration) {
        self.0.jobs_run.with_label_values(&[queue.as_str(), kind, end.label()]).inc();
        self.0.job_seconds.with_label_values(&[queue.as_str(), kind]).observe(took.as_secs_f64());
    }

    /// A mail was handed over, or not.
    pub fn mail_tried(&self, outcome: AttemptOutcome) {
        self.0.mails_tried.with_label_values(&[outcome.as_str()]).inc();
    }

    /// The text of a scrape; what waits is none when the database did not answer.
    #[must_use]
    pub fn render(&self, pools: &[PoolUse], waiting: Option<(&Backlog, &MailBacklog)>) -> Vec<u8> {
        let backlog = waiting.map(|(jobs, _)| jobs);
        let inner = &self.0;
        inner.database_up.set(i64::from(backlog.is_some()));
        // A kind and state that emptied since the last scrape must not keep its last figure.
        inner.jobs.reset();
        if let Some(backlog) = backlog {
            for waiting in &backlog.waiting {
                let labels = [waiting.queue.as_str(), waiting.kind.as_str(), waiting.state.as_str()];
                inner.jobs.with_label_values(&labels).set(waiting.count);
            }
            for queue in Queue::ALL {
                inner.oldest_due.with_label_values(&[queue.as_str()]).set(0);
            }
            for (queue, age) in &backlog.oldest_due {
                inner.oldest_due.with_label_values(&[queue.as_str()]).set(*age);
            }
        }
        inner.mails.reset();
        if let Some((_, mails)) = waiting {
            for (state, count) in &mails.waiting {
                inner.mails.with_label_values(&[state.as_str()]).set(*count);
            }
            inner.mails_oldest_due.set(mails.oldest_due_seconds.unwrap_or(0));
        }
        for pool in pools {
            for (state, count) in [("in_use", pool.in_use), ("idle", pool.idle), ("max", pool.max)] {
                inner.connections.with_label_values(&[pool.name, state]).set(i64::from(count));
            }
        }
        let mut text = Vec::new();
        if let Err(cause) = TextEncoder::new().encode(&inner.registry.gather(), &mut text) {
            tracing::error!(%cause, "metrics");
        }
        text
    }
}

/// A request under way.
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
