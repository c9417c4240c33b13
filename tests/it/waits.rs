//! Waits for the database end: in an answer that says when to come back, never in an incident, never without end.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use diesel::RunQueryDsl as _;
use ent_backoffice::config::Config;
use ent_backoffice::platform::Error;
use ent_backoffice::platform::db::Database;
use serde_json::json;

use crate::support::databases::open;
use crate::support::{Base, Client, Response, TestApp};

fn impatient(config: &mut Config) {
    config.database.pool_timeout_seconds = 1;
    config.database.busy_timeout_milliseconds = 300;
    config.database.postgres_lock_timeout_seconds = 1;
    config.database.postgres_statement_timeout_seconds = 2;
    config.database.postgres_idle_timeout_seconds = 1;
}

fn on_both(body: impl Fn(&TestApp)) {
    for base in [Base::sqlite(), Base::postgres()] {
        body(&TestApp::with(base, impatient));
    }
}

fn commune() -> serde_json::Value {
    json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"})
}

fn ready(client: &Client) -> Response {
    client.send("GET", "/health/ready", &[], Vec::new())
}

/// Another process of the same base holds what whoever registers a commune needs.
struct Holder {
    release: mpsc::Sender<()>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Holder {
    fn of(db: Database, count: u32) -> Self {
        let (release, released) = mpsc::channel::<()>();
        let (ready, held) = mpsc::channel();
        let thread = std::thread::spawn(move || hold(&db, count, &ready, &released));
        held.recv().unwrap();
        Self { release, thread: Some(thread) }
    }

    fn release(mut self) {
        self.release.send(()).unwrap();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Holds `count` writing transactions, one inside the other; the first locks the table.
fn hold(db: &Database, count: u32, ready: &mpsc::Sender<()>, released: &mpsc::Receiver<()>) {
    if count == 0 {
        ready.send(()).unwrap();
        released.recv().unwrap();
        return;
    }
    db.write(|tx| {
        if !db.is_sqlite() {
            // The holder stands still for longer than the program would let it.
            diesel::sql_query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(tx.conn())?;
        }
        if !db.is_sqlite() && count == 1 {
            diesel::sql_query("LOCK TABLE collectivites IN EXCLUSIVE MODE").execute(tx.conn())?;
        }
        hold(db, count - 1, ready, released);
        Ok(())
    })
    .unwrap();
}

#[test]
fn what_another_process_holds_too_long_is_a_busy_database_and_readings_go_on() {
    on_both(|app| {
        let (gestionnaire, lecteur) = (app.gestionnaire(), app.lecteur());
        let holder = Holder::of(open(&app.database_url()), 1);
        let started = Instant::now();
        let answer = gestionnaire.post("/collectivites", commune()).problem(503, "database_busy");
        assert_eq!(answer.header("retry-after"), "2");
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        lecteur.get("/collectivites").expect(200);
        let told = ready(&app.anonymous()).expect(200).json;
        assert_eq!(told["checks"]["base"], json!({"status": "ok"}));
        // On SQLite the writer is held: nothing is known of it, and nothing is wrong.
        assert_eq!(told["checks"]["writes"]["status"], if app.db.is_sqlite() { "busy" } else { "ok" });
        holder.release();
        gestionnaire.post("/collectivites", commune()).expect(201);
    });
}

#[test]
fn writers_that_wait_leave_readings_their_connections() {
    on_both(|app| {
        let (gestionnaire, lecteur) = (app.gestionnaire(), app.lecteur());
        // Every connection that writes is in use, by this process itself.
        let most = app.db.pools()[0].max;
        let holder = Holder::of(app.db.clone(), most);
        let answer = gestionnaire.post("/collectivites", commune()).problem(503, "database_busy");
        assert_eq!(answer.header("retry-after"), "2");
        lecteur.get("/collectivites").expect(200);
        assert_eq!(ready(&app.anonymous()).expect(200).json["checks"]["writes"], json!({"status": "busy"}));
        holder.release();
        gestionnaire.post("/collectivites", commune()).expect(201);
    });
}

#[test]
fn postgresql_ends_a_statement_that_runs_too_long_and_a_transaction_that_stands_still() {
    let app = TestApp::with(Base::postgres(), impatient);
    let started = Instant::now();
    let run = |sql: &str| app.db.write(|tx| Ok(diesel::sql_query(sql).execute(tx.conn())?));
    assert!(matches!(run("SELECT pg_sleep(20)"), Err(Error::Busy)));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    let stood_still = app.db.write(|tx| {
        diesel::sql_query("SELECT 1").execute(tx.conn())?;
        std::thread::sleep(Duration::from_millis(2_500));
        Ok(diesel::sql_query("SELECT 1").execute(tx.conn())?)
    });
    assert!(
        matches!(&stood_still, Err(Error::Database(cause)) if ent_backoffice::platform::db::is_lost(cause)),
        "{stood_still:?}"
    );
    // Its connection is not used again, and the others serve.
    app.gestionnaire().post("/collectivites", commune()).expect(201);
}

#[test]
fn postgresql_that_does_not_answer_is_not_waited_for() {
    // Accepts connections and never says a word.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ent@{}/ent", mute.local_addr().unwrap());
    let started = Instant::now();
    let mut settings = ent_backoffice::platform::db::DatabaseSettings::new(url);
    settings.wait = Duration::from_secs(3);
    settings.postgres.connect = Duration::from_secs(2);
    let clock = ent_backoffice::kernel::Clock::system();
    let fault = Database::open(&settings, clock, ent_backoffice::kernel::Ids::default()).err().unwrap();
    assert!(fault.to_string().contains("ne répond pas"), "{fault}");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
