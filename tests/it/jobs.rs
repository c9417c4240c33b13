//! The queue, and the harness's rule about it.

use ent_backoffice::platform::jobs;
use serde_json::json;

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
}
