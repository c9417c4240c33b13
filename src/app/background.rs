//! What runs beside the requests: the workers of each queue, and the watch over each new day.
//!
//! ```text
//!   job-papers-0, job-papers-1 ──▶ renders        a queue has threads of its own, and none when no kind of job waits in it
//!   job-default-0 ───────────────▶ short work
//!   mail-0 ──────────────────────▶ mails
//!   daily ── the clock looked at, each minute and at each new day ── believed ──▶ what the day asks for
//! ```
//! Threads share the pools of the database: they add neither connection nor descriptor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant as Stopwatch};

use chrono::NaiveDate;

use super::{App, daily};
use crate::audit;
use crate::platform::Database;
use crate::platform::jobs::daily::run_due;
use crate::platform::jobs::pause;

/// Between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Starts the threads; they end once told to stop, after the job under way.
pub fn start(app: &App, stop: &Arc<AtomicBool>) -> std::io::Result<Vec<JoinHandle<()>>> {
    let poll = Duration::from_millis(app.config.jobs.poll_milliseconds);
    let (db, told) = (app.db.clone(), Arc::clone(stop));
    let mut threads = vec![Builder::new().name("daily".into()).spawn(move || watch(&db, &told))?];
    for rank in 0..app.config.mail.connections {
        let (postman, db, stop) = (app.postman.clone(), app.db.clone(), Arc::clone(stop));
        threads.push(Builder::new().name(format!("mail-{rank}")).spawn(move || postman.work(&db, &stop, poll))?);
    }
    for queue in app.handlers.queues() {
        for rank in 0..app.config.jobs.workers.of(queue) {
            let (handlers, db, stop) = (app.handlers.clone(), app.db.clone(), Arc::clone(stop));
            let named = Builder::new().name(format!("job-{queue}-{rank}"));
            threads.push(named.spawn(move || handlers.work(&db, queue, &stop, poll))?);
        }
    }
    Ok(threads)
}

/// Looks at the clock each minute, and at each new day.
#[derive(Default)]
struct Watchman {
    looked: Option<(Stopwatch, NaiveDate)>,
}

impl Watchman {
    /// Whether it looked now, and found the clock sound.
    fn finds_sound(&mut self, db: &Database) -> bool {
        let today = db.clock().now().day();
        if self.looked.is_some_and(|(at, day)| at.elapsed() < LOOK_EVERY && day == today) {
            return false;
        }
        self.looked = Some((Stopwatch::now(), today));
        db.write(audit::look_at_clock).map(|sight| sight.is_sound()).unwrap_or_else(|cause| {
            tracing::error!(%cause, "the clock was not looked at");
            false
        })
    }
}

/// Runs what each day asks for. A day that comes by a jump of the clock waits for a second look (see `clock_watch`).
fn watch(db: &Database, stop: &AtomicBool) {
    let mut watchman = Watchman::default();
    while !stop.load(Ordering::Relaxed) {
        if watchman.finds_sound(db) {
            run_due(db, &daily());
        }
        pause(Duration::from_millis(500), stop);
    }
}
