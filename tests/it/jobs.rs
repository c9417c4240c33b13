//! The queue, and the harness's rule about it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ent_backoffice::platform::jobs::{self, Job, JobEnd, JobError, Queue};

use crate::support::databases::text_rows;
use crate::support::jobs::running;
use crate::support::{Base, TestApp};

test_job!(NobodyRunsThis, "nobody_runs_this", Default);
test_job!(Fine, "fine", Default);
test_job!(Slow, "slow", Papers);

fn enqueue(app: &TestApp) {
    app.db.write(|tx| jobs::enqueue(tx, &NobodyRunsThis { n: 0 })).unwrap();
}

/// A row as another program, or another version of this one, may have left it.
fn insert(app: &TestApp, columns: &str, values: &str) {
    app.sql(&format!(
        "INSERT INTO jobs (state, attempts, run_at, created_at, {columns}) \
         VALUES ('queued', 0, '2025-06-05 07:00:00', '2025-06-05 07:00:00', {values})"
    ))
    .unwrap();
}

const ID: &str = "'019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e'";

#[test]
#[should_panic(expected = "call run_jobs() or forget_jobs()")]
fn a_test_that_leaves_a_job_behind_fails() {
    enqueue(&TestApp::new(Base::sqlite()));
}

#[test]
#[should_panic(expected = "call run_jobs() or forget_jobs()")]
fn a_test_whose_job_was_given_up_fails() {
    let app = TestApp::new(Base::sqlite());
    enqueue(&app);
    assert_eq!(app.run_jobs(), 1);
}

on_both_databases! {
    fn a_test_may_forget_its_jobs(app: &TestApp) {
        enqueue(app);
        app.forget_jobs();
    }

    fn a_dedup_key_queues_once(app: &TestApp) {
        for _ in 0..3 {
            app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        }
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (1, 0));
        assert_eq!(app.run_jobs(), 1);
        app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        assert_eq!(app.run_jobs(), 1, "what is done may be asked for again");
    }

    fn a_row_that_is_no_job_is_set_aside_and_the_queue_goes_on(app: &TestApp) {
        app.forget_jobs();
        let ran = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ran);
        let handlers = running::<Fine>(move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let insert = |id: &str, created_at: &str| {
            app.sql(&format!(
                "INSERT INTO jobs (id, kind, payload, dedup_key, state, attempts, run_at, created_at) \
                 VALUES ({id}, 'fine', '{{\"n\":0}}', 'key of ' || coalesce({id}, 'nobody'), 'queued', 0, '2025-06-05 07:00:00', {created_at})"
            )).unwrap();
        };
        // What a hand in the database, or a damaged page, may leave: due before everybody else.
        insert("'pas un identifiant'", "'2025-06-05 07:00:00'");
        insert("''", "'2025-06-05 07:00:00'");
        let mut broken = 2;
        if app.db.is_sqlite() {
            insert("NULL", "'2025-06-05 07:00:00'");
            insert("CAST(x'fffe' AS TEXT)", "'2025-06-05 07:00:00'");
            insert("'019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e'", "'hier'");
            broken += 3;
        }
        app.db.write(|tx| jobs::enqueue(tx, &Fine { n: 0 })).unwrap();
        assert_eq!(handlers.drain(&app.db).unwrap(), 1);
        assert_eq!(ran.load(Ordering::SeqCst), 1, "the job behind them ran");
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, broken));
        let causes = text_rows(&app.db, "SELECT last_error AS line FROM jobs WHERE state = 'failed' AND dedup_key IS NULL AND finished_at IS NOT NULL");
        assert_eq!(causes.len(), usize::try_from(broken).unwrap());
        assert!(causes.iter().all(|cause| cause.starts_with("unreadable row: ")), "{causes:?}");
        assert!(!handlers.run_one(&app.db).unwrap(), "they are not taken again");
    }


    fn a_payload_that_cannot_be_read_is_given_up_at_once(app: &TestApp) {
        app.forget_jobs();
        insert(app, "id, kind, payload", &format!("{ID}, 'papers.render', '{{'"));
        insert(app, "id, kind, payload", "'019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4f', 'papers.render', '{\"other\":1}'");
        assert_eq!(app.run_jobs(), 2);
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 2));
    }

    /// What was queued before jobs had queues and versions: the bare day, in no queue.
    fn what_an_older_program_queued_is_run(app: &TestApp) {
        crate::support::year::register_communes(app, 1);
        let id = crate::support::year::active_campaign(app, "issue").remove(0);
        app.set_time("2026-09-06T08:00:00Z");
        insert(app, "id, kind, payload, dedup_key", &format!("{ID}, 'conventions.expire', '\"2026-09-06\"', 'conventions.expire:2026-09-06'"));
        assert!(app.run_jobs() >= 1);
        assert_eq!(app.gestionnaire().get(&format!("/conventions/{id}")).json["status"], "expired");
    }

    fn what_a_newer_program_queued_waits_for_one_that_knows_it(app: &TestApp) {
        app.forget_jobs();
        insert(app, "id, kind, payload, version", &format!("{ID}, 'fine', '{{\"m\":[]}}', 2"));
        let handlers = running::<Fine>(|_, _| unreachable!());
        assert!(handlers.run_one(&app.db).unwrap());
        assert_eq!(text_rows(&app.db, "SELECT state || ' ' || last_error AS line FROM jobs"), ["queued written by a later program, as version 2"]);
    }

    /// One worker holds the only thread of a queue of two hundred; another queue's job runs meanwhile.
    fn a_full_slow_queue_keeps_no_other_queue_waiting(app: &TestApp) {
        app.forget_jobs();
        let slow: Vec<_> = (0..200).map(|n| Slow { n }).collect();
        app.db.write(|tx| jobs::enqueue_all(tx, &slow)).unwrap();
        app.db.write(|tx| jobs::enqueue(tx, &Fine { n: 7 })).unwrap();
        let (entered, inside) = std::sync::mpsc::sync_channel(1);
        let (release, released) = std::sync::mpsc::channel::<()>();
        let released = std::sync::Mutex::new(released);
        let done = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&done);
        let handlers = running::<Slow>(move |_, _| {
            entered.send(()).unwrap();
            let _ = released.lock().unwrap().recv();
            Ok(())
        });
        let handlers = handlers.with::<Fine>(Box::new(move |_, n| {
            seen.store(n as usize, Ordering::SeqCst);
            Ok(())
        }));
        assert_eq!(handlers.queues().into_iter().collect::<Vec<_>>(), [Queue::Default, Queue::Papers], "nothing waits in the others");
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for queue in [Queue::Papers, Queue::Default] {
                let (handlers, stop, db) = (&handlers, &stop, &app.db);
                scope.spawn(move || handlers.work(db, queue, stop, Duration::from_millis(20)));
            }
            inside.recv().unwrap();
            let until = std::time::Instant::now() + Duration::from_secs(10);
            while done.load(Ordering::SeqCst) != 7 && std::time::Instant::now() < until {
                std::thread::sleep(Duration::from_millis(10));
            }
            let backlog = app.db.read(jobs::overview).unwrap();
            stop.store(true, Ordering::SeqCst);
            drop(release);
            assert_eq!(done.load(Ordering::SeqCst), 7, "it waited behind another queue's jobs: {backlog:?}");
            assert_eq!(backlog.oldest_due, [(Queue::Papers, 0)], "199 wait, and nothing in the other queue");
        });
    }

    fn a_kind_has_a_patience_of_its_own(app: &TestApp) {
        app.forget_jobs();
        app.db.write(|tx| jobs::enqueue(tx, &Hasty {})).unwrap();
        let ends = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&ends);
        let handlers = jobs::Handlers::default()
            .with::<Hasty>(())
            .measured(move |ended| noted.lock().unwrap().push((ended.end, ended.queue, ended.cause.clone())));
        assert!(handlers.run_one_of(&app.db, Queue::Acts).unwrap());
        assert!(!handlers.run_one_of(&app.db, Queue::Acts).unwrap());
        app.set_time("2025-06-05T08:00:01Z");
        assert!(handlers.run_one_of(&app.db, Queue::Acts).unwrap());
        let later = |end| (end, Queue::Acts, Some("later".to_owned()));
        assert_eq!(*ends.lock().unwrap(), [later(JobEnd::Retried), later(JobEnd::Failed)]);
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 1));
    }

    fn what_follows_a_job_given_up_is_written_with_it_and_its_failure_stops_nobody(app: &TestApp) {
        app.forget_jobs();
        let handlers = || running::<Fine>(|_, _| Err(JobError::GiveUp("never".into())));
        let told = handlers().followed(|tx, ended| {
            use diesel::RunQueryDsl as _;
            assert_eq!((ended.end, ended.kind, ended.cause.as_deref()), (JobEnd::Failed, "fine", Some("never")));
            diesel::sql_query("INSERT INTO daily_runs (name, day, ran_at) VALUES ('told', '2025-06-05', '2025-06-05 08:00:00')").execute(tx.conn())?;
            Ok(())
        });
        app.db.write(|tx| jobs::enqueue_all(tx, &[Fine { n: 1 }, Fine { n: 2 }])).unwrap();
        assert!(told.run_one(&app.db).unwrap());
        assert_eq!(text_rows(&app.db, "SELECT name AS line FROM daily_runs"), ["told"]);
        // The second time the row is there already: the follower fails, the job is given up all the same.
        assert!(told.run_one(&app.db).unwrap());
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 2));
    }
}

/// Tries twice, a second apart.
#[derive(serde::Serialize, serde::Deserialize)]
struct Hasty {}

impl Job for Hasty {
    type World = ();
    const KIND: &'static str = "hasty";
    const QUEUE: Queue = Queue::Acts;
    const PATIENCE: Option<jobs::Patience> = Some(jobs::Patience {
        lease: chrono::Duration::seconds(30),
        max_attempts: 2,
        first_wait: chrono::Duration::seconds(1),
        longest_wait: chrono::Duration::seconds(1),
    });

    fn run(&self, _: &ent_backoffice::platform::Database, (): &()) -> Result<(), JobError> {
        Err(JobError::Retry("later".into()))
    }
}

#[test]
fn an_instant_that_cannot_be_read_hides_nothing_of_the_queue() {
    let app = TestApp::new(Base::sqlite());
    app.forget_jobs();
    app.sql(
        "INSERT INTO jobs (id, kind, payload, state, attempts, run_at, created_at) \
         VALUES ('019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e', 'fine', '{}', 'queued', 0, '2025-06-05 hier', '2025-06-05 07:00:00')",
    )
    .unwrap();
    app.set_time("2025-06-06T08:00:00Z");
    let ready = app.anonymous().send("GET", "/health/ready", &[], Vec::new()).expect(200).json;
    assert_eq!(ready["checks"]["jobs"]["queued"], 1);
    assert_eq!(app.run_jobs(), 0);
    assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 1));
}
