//! Daily work: once per business day, whatever the number of instances, and what becomes of the days that were missed.

use std::sync::Barrier;

use chrono::NaiveDate;
use ent_backoffice::kernel::{Clock, Ids};
use ent_backoffice::platform::db::{Database, DatabaseSettings};
use ent_backoffice::platform::jobs::daily::run_due;
use ent_backoffice::platform::jobs::{self, Daily, Missed};
use ent_backoffice::platform::{Outcome, Tx};

use crate::support::databases::text_rows;
use crate::support::{TestApp, at};

test_job!(Day, "day", Default);

/// Leaves a job for each run.
fn note(tx: &mut Tx<'_>, _: NaiveDate) -> Outcome<()> {
    jobs::enqueue(tx, &Day { n: 0 })
}

const ONCE: Daily = Daily::new("test.once", note);
const EACH: Daily = Daily { missed: Missed::EachDay, ..Daily::new("test.each", note) };
const AFTERNOON: Daily = Daily { from_hour: 14, ..Daily::new("test.afternoon", note) };
const BROKEN: Daily = Daily::new("test.broken", |tx, day| {
    note(tx, day)?;
    Err(ent_backoffice::platform::Error::Incident("on purpose".into()))
});

fn days(app: &TestApp, name: &str) -> Vec<String> {
    text_rows(&app.db, &format!("SELECT CAST(day AS TEXT) AS line FROM daily_runs WHERE name = '{name}' ORDER BY day"))
}

fn noted(app: &TestApp) -> usize {
    text_rows(&app.db, "SELECT id AS line FROM jobs WHERE kind = 'day'").len()
}

on_both_databases! {
    fn two_instances_run_it_once(app: &TestApp) {
        app.forget_jobs();
        let url = app.database_url();
        let instance = || Database::open(&DatabaseSettings { connections: 2, readers: 2, ..DatabaseSettings::new(&url) }, Clock::fixed(at("2025-06-05T08:00:00Z")), Ids::default()).unwrap();
        let barrier = Barrier::new(4);
        let ran: usize = std::thread::scope(|scope| {
            let all: Vec<_> = (0..4).map(|_| scope.spawn(|| {
                let db = instance();
                barrier.wait();
                run_due(&db, &[ONCE, EACH])
            })).collect();
            all.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!((ran, noted(app)), (2, 2));
        assert_eq!(run_due(&instance(), &[ONCE, EACH]), 0, "an instance started again the same day runs nothing twice");
    }

    fn days_that_were_missed_are_caught_up_once_or_each(app: &TestApp) {
        app.forget_jobs();
        assert_eq!(run_due(&app.db, &[ONCE, EACH]), 2);
        app.set_time("2025-06-09T06:00:00Z");
        assert_eq!(run_due(&app.db, &[ONCE, EACH]), 5);
        assert_eq!(days(app, "test.once"), ["2025-06-05", "2025-06-09"]);
        assert_eq!(days(app, "test.each"), ["2025-06-05", "2025-06-06", "2025-06-07", "2025-06-08", "2025-06-09"]);
        assert_eq!((run_due(&app.db, &[ONCE, EACH]), noted(app)), (0, 7));
        // A clock that was ahead for a while, and was believed, does not silence the days it comes back to.
        app.set_time("2025-06-07T06:00:00Z");
        assert_eq!(run_due(&app.db, &[ONCE]), 1);
    }

    fn the_day_is_that_of_paris_and_begins_at_its_hour(app: &TestApp) {
        app.forget_jobs();
        app.set_time("2025-12-31T22:59:00Z");
        assert_eq!(run_due(&app.db, &[ONCE, AFTERNOON]), 2);
        app.set_time("2025-12-31T23:00:00Z");
        assert_eq!(run_due(&app.db, &[ONCE, AFTERNOON]), 1);
        assert_eq!(days(app, "test.once"), ["2025-12-31", "2026-01-01"]);
        app.set_time("2026-01-01T12:59:00Z");
        assert_eq!(run_due(&app.db, &[AFTERNOON]), 0);
        app.set_time("2026-01-01T13:00:00Z");
        assert_eq!(run_due(&app.db, &[AFTERNOON]), 1);
    }

    fn a_run_that_fails_is_undone_tried_again_and_keeps_no_other_from_running(app: &TestApp) {
        app.forget_jobs();
        assert_eq!(run_due(&app.db, &[BROKEN, ONCE]), 1);
        assert_eq!((days(app, "test.broken").len(), noted(app)), (0, 1));
        // Mended: the same name, the same day.
        assert_eq!(run_due(&app.db, &[Daily { run: note, ..BROKEN }]), 1);
    }

    /// What the program itself declares, through a real process: a restart on the same day runs nothing twice.
    fn the_program_runs_its_daily_work_at_its_start_and_not_again(app: &TestApp) {
        app.forget_jobs();
        let names = || text_rows(&app.db, "SELECT name AS line FROM daily_runs ORDER BY name");
        let mut declared: Vec<&str> = ent_backoffice::app::daily().iter().map(|daily| daily.name).collect();
        declared.sort_unstable();
        assert!(declared.contains(&"conventions.expire"), "{declared:?}");
        let instants = || text_rows(&app.db, "SELECT CAST(ran_at AS TEXT) AS line FROM daily_runs ORDER BY name");
        let start = || {
            let program = crate::support::Program::serve(&app.database_url(), &[], &[("ENT__JOBS__POLL_MILLISECONDS", "50")]);
            let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
            while names().len() < declared.len() && std::time::Instant::now() < until {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            std::thread::sleep(std::time::Duration::from_millis(700));
            assert_eq!(program.stop().0, Some(0));
        };
        start();
        assert_eq!(names(), declared);
        let first = instants();
        start();
        assert_eq!(instants(), first, "run twice in a day");
    }
}
