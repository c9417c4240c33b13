//! The queue, and the harness's rule about it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ent_backoffice::platform::jobs::{self, Handlers};
use serde_json::json;

use crate::schema::text_rows;
use crate::support::{Base, TestApp};

fn enqueue(app: &TestApp) {
    app.db.write(|tx| jobs::enqueue(tx, "nobody_runs_this", &json!({}), None)).unwrap();
}

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
            app.db.write(|tx| jobs::enqueue(tx, "x", &json!({}), Some("same"))).unwrap();
        }
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (1, 0));
        app.forget_jobs();
    }

    fn a_row_that_is_no_job_is_set_aside_and_the_queue_goes_on(app: &TestApp) {
        app.forget_jobs();
        let ran = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&ran);
        let handlers = Handlers::default().on("fine", move |_, _| {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        let insert = |id: &str, created_at: &str| {
            app.sql(&format!(
                "INSERT INTO jobs (id, kind, payload, dedup_key, state, attempts, run_at, created_at) \
                 VALUES ({id}, 'fine', '{{}}', 'key of ' || coalesce({id}, 'nobody'), 'queued', 0, '2025-06-05 07:00:00', {created_at})"
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
        app.db.write(|tx| jobs::enqueue(tx, "fine", &json!({}), None)).unwrap();
        assert_eq!(handlers.drain(&app.db).unwrap(), 1);
        assert_eq!(ran.load(Ordering::SeqCst), 1, "the job behind them ran");
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, broken));
        let causes = text_rows(&app.db, "SELECT last_error AS line FROM jobs WHERE state = 'failed' AND dedup_key IS NULL AND finished_at IS NOT NULL");
        assert_eq!(causes.len(), usize::try_from(broken).unwrap());
        assert!(causes.iter().all(|cause| cause.starts_with("unreadable row: ")), "{causes:?}");
        assert!(!handlers.run_one(&app.db).unwrap(), "they are not taken again");
    }

    fn one_convention_that_cannot_be_read_keeps_no_other_from_expiring(app: &TestApp) {
        crate::titles::register_communes(app, 2);
        let ids = crate::titles::active_campaign(app, "issue");
        app.tamper("conventions", &format!("UPDATE conventions SET signed_name = NULL WHERE id = '{}'", ids[0]));
        app.set_time("2026-09-06T08:00:00Z");
        app.db.write(ent_backoffice::conventions::enqueue_expiry).unwrap();
        app.run_jobs();
        assert_eq!(app.gestionnaire().get(&format!("/conventions/{}", ids[1])).json["status"], "expired");
    }

    fn a_payload_that_cannot_be_read_is_given_up_at_once(app: &TestApp) {
        app.forget_jobs();
        app.db.write(|tx| jobs::enqueue_all(tx, "conventions.render", &[("{".to_owned(), None), ("{\"other\":1}".to_owned(), None)])).unwrap();
        assert_eq!(app.run_jobs(), 2);
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 2));
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
