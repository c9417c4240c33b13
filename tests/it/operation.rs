//! The program in operation: health, measures, logs, stops, limits, and a database that goes away and comes back.

use std::sync::mpsc;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use ent_backoffice::platform::jobs::{self, JobError, Patience};
use serde_json::{Value, json};

use crate::support::jobs::running;
use crate::support::year::{open_campaign, register_communes, register_seed};
use crate::support::{Base, Client, PASSWORD, Program, Response, TestApp, raw};

test_job!(NobodyRunsThis, "nobody_runs_this", Default);
test_job!(Panics, "panics", Default);
test_job!(Deadly, "deadly", Default);
test_job!(Slow, "slow", Default);

fn get(client: &Client, path: &str) -> Response {
    client.send("GET", path, &[], Vec::new())
}

/// A measure's value, by its name and labels as written.
fn measure(text: &str, series: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(str::to_owned)
}

/// Holds the right to log in for as long as told: whoever logs in meanwhile waits.
fn hold_log_ins(app: &TestApp) -> (mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let (db, sqlite) = (app.db.clone(), app.db.is_sqlite());
    let (release, released) = mpsc::channel::<()>();
    let (ready, held) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        db.write(|tx| {
            // SQLite has one writer.
            if !sqlite {
                diesel::sql_query("LOCK TABLE users IN EXCLUSIVE MODE").execute(tx.conn())?;
            }
            ready.send(()).unwrap();
            let _ = released.recv();
            Ok(())
        })
        .unwrap();
    });
    held.recv().unwrap();
    (release, thread)
}

fn log_in(client: &Client, email: &str, password: &str) -> Response {
    client.post("/auth/login", json!({"email": email, "password": password}))
}

on_both_databases! {
    fn a_late_queue_is_said_and_keeps_nobody_out(app: &TestApp) {
        let client = app.anonymous();
        let ready = get(&client, "/health/ready").expect(200).json;
        assert_eq!(ready["status"], "ok");
        assert_eq!(ready["checks"]["database"], json!({"status": "ok"}));
        assert_eq!(ready["checks"]["jobs"], json!({"status": "ok", "oldest_due_seconds": 0, "late_after_seconds": 600,
                                                     "queued": 0, "running": 0, "failed": 0}));
        app.db.write(|tx| jobs::enqueue(tx, &NobodyRunsThis { n: 0 })).unwrap();
        app.set_time("2025-06-05T08:10:01Z");
        let late = get(&client, "/health/ready").expect(200).json;
        assert_eq!((&late["status"], &late["checks"]["jobs"]["status"]), (&json!("degraded"), &json!("late")));
        assert_eq!((&late["checks"]["jobs"]["oldest_due_seconds"], &late["checks"]["jobs"]["queued"]), (&json!(601), &json!(1)));
        let text = get(&client, "/metrics").expect(200).text();
        assert_eq!(measure(&text, "ent_jobs_oldest_due_seconds{queue=\"default\"}").unwrap(), "601");
        assert_eq!(measure(&text, "ent_jobs_oldest_due_seconds{queue=\"papers\"}").unwrap(), "0");
        assert_eq!(measure(&text, "ent_jobs{kind=\"nobody_runs_this\",queue=\"default\",state=\"queued\"}").unwrap(), "1");
        // A job given up waits for a person, not for a worker.
        assert_eq!(app.run_jobs(), 1);
        let after = get(&client, "/health/ready").expect(200).json;
        assert_eq!((&after["status"], &after["checks"]["jobs"]["failed"]), (&json!("ok"), &json!(1)));
        app.forget_jobs();
    }

    fn a_busy_writer_does_not_make_an_instance_unready(app: &TestApp) {
        let (release, thread) = hold_log_ins(app);
        let ready = get(&app.anonymous(), "/health/ready").expect(200).json;
        assert_eq!(ready["checks"]["migrations"]["status"], "ok");
        get(&app.anonymous(), "/metrics").expect(200);
        release.send(()).unwrap();
        thread.join().unwrap();
    }

    fn missing_migrations_make_it_unready_and_say_which_check_failed(app: &TestApp) {
        app.sql("DELETE FROM __diesel_schema_migrations WHERE version = '00000000000004'").unwrap();
        let answer = get(&app.anonymous(), "/health/ready").problem(503, "unavailable");
        assert_eq!(answer.json["checks"]["migrations"]["status"], "failed");
        assert_eq!(answer.json["checks"]["database"]["status"], "ok");
        get(&app.anonymous(), "/health/live").expect(200);
    }

    fn the_measures_count_requests_by_template_and_hold_nothing_personal(app: &TestApp) {
        register_seed(app);
        app.person(ent_backoffice::kernel::Role::Gestionnaire);
        let (gestionnaire, client) = (app.gestionnaire(), app.anonymous());
        for _ in 0..3 {
            gestionnaire.get("/collectivites/21300278500011").expect(200);
        }
        gestionnaire.get("/collectivites/21300278500012").problem(422, "invalid_value");
        get(&client, "/api/v1/nowhere/madame.martin@exemple.invalid").problem(404, "not_found");
        raw(&app.url, &[(b"BREW /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Duration::ZERO)]);
        log_in(&client, "inconnue@exemple.invalid", "mot-de-passe-perdu").problem(401, "invalid_credentials");
        let answer = get(&client, "/metrics").expect(200);
        assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
        let text = answer.text();
        let template = "ent_http_requests_total{method=\"GET\",route=\"/api/v1/collectivites/{siret}\",status=";
        assert_eq!(measure(&text, &format!("{template}\"200\"}}")).as_deref(), Some("3"), "{text}");
        assert_eq!(measure(&text, &format!("{template}\"422\"}}")).as_deref(), Some("1"));
        assert_eq!(measure(&text, "ent_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}").as_deref(), Some("1"), "{text}");
        assert!(text.contains("method=\"other\""), "{text}");
        assert_eq!(measure(&text, "ent_http_request_duration_seconds_count{method=\"GET\",route=\"/api/v1/collectivites/{siret}\"}").as_deref(), Some("4"));
        // The scrape itself is under way.
        assert_eq!(measure(&text, "ent_http_requests_in_flight").as_deref(), Some("1"));
        assert_eq!(measure(&text, "ent_database_up").as_deref(), Some("1"));
        assert!(text.contains("ent_build_info{database=\"") && text.contains("ent_database_connections{pool=\""));
        for personal in ["21300278500011", "exemple.invalid", "Camille", "BREW", "nowhere"] {
            assert!(!text.contains(personal), "{personal} in\n{text}");
        }
    }

    fn jobs_are_counted_by_kind_and_end(app: &TestApp) {
        let config = ent_backoffice::config::Config::default();
        assert_eq!(config.jobs.late_after_seconds, 600);
        register_seed(app);
        open_campaign(app, "issue");
        app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200);
        assert_eq!(app.run_jobs(), 1);
        let text = get(&app.anonymous(), "/metrics").expect(200).text();
        assert_eq!(measure(&text, "ent_jobs_run_total{end=\"done\",kind=\"papers.render\",queue=\"papers\"}").as_deref(), Some("1"), "{text}");
        assert_eq!(measure(&text, "ent_job_duration_seconds_count{kind=\"papers.render\",queue=\"papers\"}").as_deref(), Some("1"));
    }

    fn a_job_that_panics_is_tried_again_and_ends_no_worker(app: &TestApp) {
        app.forget_jobs();
        let handlers = running::<Panics>(|_, _| panic!("on purpose"));
        app.db.write(|tx| jobs::enqueue(tx, &Panics { n: 0 })).unwrap();
        assert!(handlers.run_one(&app.db).unwrap());
        assert!(!handlers.run_one(&app.db).unwrap(), "it waits before it is tried again");
        app.set_time("2025-06-05T09:00:00Z");
        assert!(handlers.run_one(&app.db).unwrap());
    }

    fn a_job_whose_worker_dies_each_time_is_given_up(app: &TestApp) {
        app.forget_jobs();
        let patience = Patience { lease: chrono::Duration::seconds(60), max_attempts: 3, ..Patience::USUAL };
        app.db.write(|tx| jobs::enqueue(tx, &Deadly { n: 0 })).unwrap();
        // What a worker killed in the middle of its job leaves behind, three times.
        app.sql("UPDATE jobs SET state = 'running', attempts = 3, lease_until = '2025-06-05 07:59:00'").unwrap();
        let handlers = running::<Deadly>(|_, _| unreachable!()).patient(patience);
        assert!(!handlers.run_one(&app.db).unwrap());
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 1));
    }

    fn a_worker_that_comes_back_too_late_leaves_the_job_to_the_other(app: &TestApp) {
        app.forget_jobs();
        app.db.write(|tx| jobs::enqueue(tx, &Slow { n: 0 })).unwrap();
        let fast = running::<Slow>(|_, _| Ok(()));
        let clock = app.clock.clone();
        let slow = running::<Slow>(move |db, _| {
            // Its lease runs out while it works; the other takes the job and does it.
            clock.set(crate::support::at("2025-06-05T10:00:00Z"));
            assert!(fast.run_one(db).unwrap());
            Err(JobError::GiveUp("too late to say so".into()))
        });
        assert!(slow.run_one(&app.db).unwrap());
        assert_eq!(app.db.read(jobs::backlog).unwrap(), (0, 0), "done by the other, and not failed after that");
    }

    fn no_secret_and_no_address_is_ever_logged(app: &TestApp) {
        let email = "zoe.martin@exemple.invalid";
        let admin = app.add_user(email, ent_backoffice::kernel::Role::Admin);
        let database = app.database_url();
        // The most talkative log: what a person would set to look for a fault.
        let program = Program::serve(&database, &["--no-worker"], &[("RUST_LOG", "debug")]);
        let client = program.client();
        let opened = log_in(&client, email, PASSWORD).expect(200).json;
        log_in(&client, email, "mot-de-passe-errone-4711").problem(401, "invalid_credentials");
        client.post("/auth/login", json!({"email": email, "password": "x", "surplus-inattendu": "valeur-secrete"}));
        let renewed = client.post("/auth/refresh", json!({"refresh_token": opened["refresh_token"]})).expect(200).json;
        client.post("/auth/refresh", json!({"refresh_token": opened["refresh_token"]})).problem(401, "refresh_token_reused");
        // The reuse has ended that session.
        client.with_token(renewed["access_token"].as_str().unwrap()).get("/me").problem(401, "unauthenticated");
        let again = log_in(&client, email, PASSWORD).expect(200).json;
        let token = again["access_token"].as_str().unwrap();
        let person = client.with_token(token);
        person.patch(&format!("/users/{}", admin.id), 1, json!({"email": "nouvelle.adresse@exemple.invalid"})).expect(200);
        person.put("/auth/password", json!({"current_password": PASSWORD, "new_password": "un-tout-nouveau-secret-9"})).expect(204);
        let last = log_in(&client, "nouvelle.adresse@exemple.invalid", "un-tout-nouveau-secret-9").expect(200).json;
        let person = client.with_token(last["access_token"].as_str().unwrap());
        let key = "cle-idempotente-8f14e45f";
        let new = json!({"email": "p.dupont@exemple.invalid", "role": "lecteur", "first_name": "P", "last_name": "Dupont"});
        let invited = person.json("POST", "/users", &[("idempotency-key", key), ("x-request-id", "appel-du-test-1")], &new).expect(201);
        let one_time = invited.json["password_code"]["code"].as_str().unwrap();
        client.post("/auth/password", json!({"code": one_time, "new_password": "password1234"})).problem(422, "invalid_value");
        client.post("/auth/password", json!({"code": one_time, "new_password": "cheval-agrafe-pile-1826"})).expect(204);
        person.json("POST", "/users", &[("idempotency-key", "autre-cle")], &new).problem(409, "email_taken");
        person.get("/users?cursor=p.dupont@exemple.invalid");
        get(&person, "/api/v1/users/p.dupont@exemple.invalid").problem(422, "invalid_value");
        client.with_token("jeton-invente-de-toutes-pieces").get("/me").problem(401, "unauthenticated");
        let (code, log) = program.stop();
        assert_eq!(code, Some(0));
        let text = log.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let refresh = [&opened["refresh_token"], &renewed["refresh_token"]].map(|t| t.as_str().unwrap().to_owned());
        let secrets = [PASSWORD, "mot-de-passe-errone-4711", "valeur-secrete", "un-tout-nouveau-secret-9", "cheval-agrafe-pile-1826", one_time, "password1234",
                       last["access_token"].as_str().unwrap(), last["refresh_token"].as_str().unwrap(), token, again["refresh_token"].as_str().unwrap(), renewed["access_token"].as_str().unwrap(), opened["access_token"].as_str().unwrap(), refresh[0].as_str(), refresh[1].as_str(), key, "autre-cle",
                       "jeton-invente", "Bearer ", "$argon2", "@exemple.invalid", "Dupont"];
        for secret in secrets {
            let told = log.iter().find(|line| line.to_string().contains(secret));
            assert!(told.is_none(), "{secret} in {}", told.unwrap());
        }
        // Every request has its line, and every line of a request its id.
        let answered: Vec<&Value> = log.iter().filter(|line| line["message"] == "answered").collect();
        assert_eq!(answered.len(), 17, "{text}");
        for line in &answered {
            let span = &line["span"];
            assert!(span["request_id"].as_str().is_some_and(|id| id.len() >= 8), "{line}");
            assert!(line["status"].is_u64() && line["milliseconds"].is_u64() && span["method"].is_string());
        }
        assert!(answered.iter().any(|line| line["span"]["request_id"] == "appel-du-test-1" && line["status"] == 201));
    }

    fn a_line_written_deep_inside_a_request_holds_its_id(app: &TestApp) {
        let email = "zoe.martin@exemple.invalid";
        app.add_user(email, ent_backoffice::kernel::Role::Admin);
        let mut program = Program::serve(&app.database_url(), &["--no-worker"], &[]);
        let token = log_in(&program.client(), email, PASSWORD).expect(200).json["access_token"].as_str().unwrap().to_owned();
        // A table that is not there any more: the cause is for the log, not for the caller.
        app.sql("ALTER TABLE accounting_batch_progress RENAME TO elsewhere").unwrap();
        let path = "/api/v1/accounting-batches";
        let answer = program.client().with_token(&token).send("GET", path, &[("x-request-id", "appel-en-panne")], Vec::new());
        // An administrator reads no batch; somebody who does sees the incident.
        if answer.status == 403 {
            let other = app.add_user("comptable.x@exemple.invalid", ent_backoffice::kernel::Role::Comptable);
            let token = log_in(&program.client(), &other.email.to_string(), PASSWORD).expect(200).json["access_token"].as_str().unwrap().to_owned();
            let answer = program.client().with_token(&token).send("GET", path, &[("x-request-id", "appel-en-panne-2")], Vec::new());
            let answer = answer.problem(500, "internal_error");
            assert!(!answer.text().contains("accounting_batch_progress"));
            let line = program.wait_for("the cause", |line| (line["level"] == "ERROR").then(|| line.clone()));
            assert_eq!(line["span"]["request_id"], "appel-en-panne-2", "{line}");
            assert!(line["cause"].as_str().unwrap().contains("accounting_batch_progress"), "{line}");
        } else {
            answer.problem(500, "internal_error");
            let line = program.wait_for("the cause", |line| (line["level"] == "ERROR").then(|| line.clone()));
            assert_eq!(line["span"]["request_id"], "appel-en-panne", "{line}");
        }
        app.sql("ALTER TABLE elsewhere RENAME TO accounting_batch_progress").unwrap();
    }

    fn a_stop_lets_the_request_under_way_end(app: &TestApp) {
        let email = "zoe.martin@exemple.invalid";
        app.add_user(email, ent_backoffice::kernel::Role::Admin);
        let database = app.database_url();
        let mut program = Program::serve(&database, &[], &[]);
        // A second instance on the same database serves meanwhile.
        let second = Program::serve(&database, &["--no-worker"], &[]);
        let (release, thread) = hold_log_ins(app);
        let client = program.client();
        // Its threads answer: what comes next is under way, and not still at the door.
        get(&client, "/health/live").expect(200);
        let slow = std::thread::spawn(move || log_in(&client, email, PASSWORD));
        // It hashes, then waits for its turn.
        std::thread::sleep(Duration::from_millis(1_500));
        program.signal("TERM");
        program.wait_for("the stop", |line| (line["message"] == "stopping after the requests under way").then_some(()));
        std::thread::sleep(Duration::from_millis(300));
        let url = program.url.strip_prefix("http://").unwrap().to_owned();
        assert!(std::net::TcpStream::connect(url).is_err(), "no new connection once it stops");
        get(&second.client(), "/health/ready").expect(200);
        get(&second.client(), "/api/v1/me").problem(401, "unauthenticated");
        assert!(!slow.is_finished());
        release.send(()).unwrap();
        thread.join().unwrap();
        let token = slow.join().unwrap().expect(200).json["access_token"].as_str().unwrap().to_owned();
        let (code, _) = program.wait();
        assert_eq!(code, Some(0));
        let (code, _) = {
            second.client().with_token(&token).get("/me");
            second.stop()
        };
        assert_eq!(code, Some(0));
        // The one worker was held from writing and then told to stop: its daily job may wait for the next start.
        app.forget_jobs();
    }

    fn a_stop_in_the_middle_of_jobs_loses_none_and_leaves_no_lease(app: &TestApp) {
        register_communes(app, 30);
        open_campaign(app, "issue");
        app.gestionnaire().post("/campaigns/2025-2026/conventions", json!({})).expect(200);
        let states = || {
            let backlog = app.db.read(jobs::overview).unwrap();
            let renders = |state| backlog.waiting.iter().filter(|w| w.kind == "papers.render" && w.state == state).map(|w| w.count).sum::<i64>();
            (renders(jobs::JobState::Queued), renders(jobs::JobState::Running), renders(jobs::JobState::Failed))
        };
        assert_eq!(states(), (30, 0, 0));
        let program = Program::serve(&app.database_url(), &[], &[("ENT__JOBS__POLL_MILLISECONDS", "50")]);
        let until = std::time::Instant::now() + Duration::from_secs(60);
        while states().0 > 27 {
            assert!(std::time::Instant::now() < until, "no job ran: {}", program.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        let (code, _) = program.stop();
        assert_eq!(code, Some(0));
        let (queued, running, failed) = states();
        assert_eq!((running, failed), (0, 0), "no lease is left behind");
        let list = app.gestionnaire().get("/conventions?limit=200").expect(200).json;
        let ready = list["data"].as_array().unwrap().iter().filter(|c| c["document"]["status"] == "ready").count();
        assert_eq!(i64::try_from(ready).unwrap() + queued, 30, "each document is made or still queued");
        assert!(queued > 0, "the stop came in the middle");
        app.forget_jobs();
    }

    fn a_head_that_never_ends_is_hung_up_on(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[("ENT__SERVER__HEADER_TIMEOUT_SECONDS", "1")]);
        let started = std::time::Instant::now();
        let answer = raw(&program.url, &[(b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ", Duration::ZERO)]);
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        get(&program.client(), "/health/live").expect(200);
    }

    fn a_body_that_never_ends_is_answered_when_time_is_up(app: &TestApp) {
        let program = Program::serve(&app.database_url(), &["--no-worker"], &[("ENT__SERVER__REQUEST_TIMEOUT_SECONDS", "1")]);
        let head = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"email\":";
        let answer = raw(&program.url, &[(head, Duration::ZERO)]);
        assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"code\":\"timed_out\""), "{answer}");
        get(&program.client(), "/health/live").expect(200);
    }
}

#[test]
fn two_instances_that_migrate_at_once_take_turns() {
    let base = Base::postgres_empty();
    let url = base.url();
    let ran: Vec<_> = std::thread::scope(|scope| {
        let both: Vec<_> = (0..3).map(|_| scope.spawn(|| Program::run(&url, &["migrate"], ""))).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for one in &ran {
        assert!(one.status.success(), "{}", String::from_utf8_lossy(&one.stderr));
    }
}

#[test]
fn the_program_survives_a_postgresql_that_drops_every_connection() {
    let app = TestApp::new(Base::postgres());
    let admin = app.admin();
    for _ in 0..3 {
        // What a restart of the server does to the sessions of this database.
        let drop_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let _ = app.sql(drop_all);
        // A write looks before it acts: none is lost. A read may be the one that finds out, and says 503.
        let mut refused = 0;
        for n in 0..12_u32 {
            if n.is_multiple_of(2) {
                let answer = admin.get("/users");
                if answer.status != 200 {
                    answer.problem(503, "unavailable");
                    refused += 1;
                }
            } else {
                app.anonymous()
                    .post("/auth/refresh", json!({"refresh_token": "x"}))
                    .problem(401, "refresh_token_invalid");
            }
        }
        assert!(refused <= 1, "{refused} requests paid for connections known to be lost");
        get(&app.anonymous(), "/health/ready").expect(200);
    }
}

#[test]
fn the_measures_are_for_this_machine_or_for_their_own_address() {
    let app = TestApp::new(Base::sqlite());
    let client = app.anonymous();
    get(&client, "/metrics").expect(200);
    // Relayed by a proxy on this machine: the caller is not.
    client.send("GET", "/metrics", &[("x-forwarded-for", "203.0.113.7")], Vec::new()).problem(404, "not_found");
    for (name, value) in [
        ("forwarded", "for=203.0.113.7"),
        ("via", "1.1 relais"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "ent.exemple.fr"),
        ("x-real-ip", "203.0.113.7"),
        ("cf-connecting-ip", "203.0.113.7"),
        ("true-client-ip", "203.0.113.7"),
        ("x-original-forwarded-for", "203.0.113.7"),
        ("host", "ent.exemple.fr"),
    ] {
        client.send("GET", "/metrics", &[(name, value)], Vec::new()).problem(404, "not_found");
    }
    let public = TestApp::with(Base::sqlite(), |config| config.server.public_url = "https://ent.exemple.fr".into());
    get(&public.anonymous(), "/metrics").problem(404, "not_found");

    let base = Base::sqlite();
    let mut program = Program::serve(&base.url(), &["--no-worker"], &[("ENT__METRICS__LISTEN", "127.0.0.1:0")]);
    let side = program.wait_for("the side address", |line| {
        (line["message"] == "metrics").then(|| format!("http://{}", line["address"].as_str().unwrap()))
    });
    get(&program.client(), "/metrics").problem(404, "not_found");
    let nothing = raw(&side, &[(b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", Duration::ZERO)]);
    assert!(nothing.starts_with("HTTP/1.1 404"), "nothing else is served there: {nothing}");
    let side = Client::new(&side, None);
    assert!(get(&side, "/metrics").expect(200).text().contains("ent_http_requests_total"));
    get(&side, "/health/ready").expect(200);
    assert_eq!(program.stop().0, Some(0));
}

#[test]
fn check_config_says_when_a_public_program_has_no_address_for_its_measures() {
    let mut config = ent_backoffice::config::Config::default();
    let about =
        |config: &ent_backoffice::config::Config| config.check().iter().filter(|f| f.key == "metrics.listen").count();
    assert_eq!(about(&config), 0);
    config.server.public_url = "https://ent.exemple.fr".into();
    assert_eq!(about(&config), 1);
    config.metrics.listen = Some("127.0.0.1:9464".parse().unwrap());
    assert_eq!(about(&config), 0);
    config.metrics.listen = Some(config.server.listen);
    assert_eq!(about(&config), 1);
}

#[test]
fn long_json_is_compressed_and_a_pdf_is_not() {
    let app = TestApp::new(Base::sqlite());
    register_seed(&app);
    open_campaign(&app, "issue");
    let gestionnaire = app.gestionnaire();
    gestionnaire.post("/campaigns/2025-2026/conventions", json!({})).expect(200);
    app.run_jobs();
    let email = "zoe.martin@exemple.invalid";
    app.add_user(email, ent_backoffice::kernel::Role::Lecteur);
    let token = log_in(&app.anonymous(), email, PASSWORD).expect(200).json["access_token"].as_str().unwrap().to_owned();
    // As bytes: the client of the tests reads JSON, not what is wrapped around it.
    let fetch = |encoding: &str| {
        let request = format!(
            "GET /api/v1/conventions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Accept-Encoding: {encoding}\r\nConnection: close\r\n\r\n"
        );
        raw(&app.url, &[(request.as_bytes(), Duration::ZERO)]).to_lowercase()
    };
    let (packed, plain) = (fetch("gzip"), fetch("identity"));
    assert!(packed.contains("content-encoding: gzip\r\n") && packed.contains("vary: accept-encoding\r\n"), "{packed}");
    assert!(!plain.contains("content-encoding") && plain.chars().count() > packed.chars().count(), "{plain}");
    let id = gestionnaire.get("/conventions").json["data"][0]["id"].as_str().unwrap().to_owned();
    let gzip = [("accept-encoding", "gzip")];
    let paper = gestionnaire.send("GET", &format!("/api/v1/conventions/{id}/document"), &gzip, Vec::new()).expect(200);
    assert_eq!((paper.header("content-encoding"), paper.header("content-type")), ("", "application/pdf"));
    assert!(paper.bytes.starts_with(b"%PDF"));
}

#[test]
fn every_kind_of_answer_carries_the_security_headers() {
    let app = TestApp::with(Base::sqlite(), |config| config.server.request_timeout_seconds = 1);
    let client = app.anonymous();
    let comptable = app.comptable();
    app.sql("ALTER TABLE accounting_batch_progress RENAME TO elsewhere").unwrap();
    let (release, thread) = hold_log_ins(&app);
    let answers = [
        ("200", get(&client, "/health/live")),
        ("page", client.send("GET", "/problems", &[("accept", "text/html")], Vec::new())),
        ("redirection", get(&client, "/api/docs")),
        ("401", get(&client, "/api/v1/me")),
        ("404", get(&client, "/nowhere")),
        ("405", client.send("DELETE", "/health/ready", &[], Vec::new())),
        ("413", client.post("/auth/refresh", json!({"refresh_token": "x".repeat(1_100_000)}))),
        ("500", comptable.get("/accounting-batches")),
        ("503", client.post("/auth/refresh", json!({"refresh_token": "x"}))),
        ("metrics", get(&client, "/metrics")),
    ];
    release.send(()).unwrap();
    thread.join().unwrap();
    for (kind, answer) in &answers {
        if kind.bytes().all(|b| b.is_ascii_digit()) {
            assert_eq!(answer.status.to_string(), *kind);
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{kind}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{kind}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{kind}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{kind}");
        assert!(!answer.header("x-request-id").is_empty(), "{kind}");
        assert_eq!(answer.header("strict-transport-security"), "", "{kind}: not behind TLS");
    }
    assert_eq!(answers[5].1.header("allow"), "GET, HEAD");
    let tls = TestApp::with(Base::sqlite(), |config| config.server.public_url = "https://ent.exemple.fr".into());
    for path in ["/health/live", "/nowhere"] {
        assert_eq!(get(&tls.anonymous(), path).header("strict-transport-security"), "max-age=31536000");
    }
    let never = TestApp::with(Base::sqlite(), |config| {
        config.server.public_url = "https://ent.exemple.fr".into();
        config.server.hsts_seconds = 0;
    });
    assert_eq!(get(&never.anonymous(), "/health/live").header("strict-transport-security"), "");
}

#[test]
fn sqlite_waits_for_a_lock_as_long_as_it_is_told() {
    let app = TestApp::with(Base::sqlite(), |config| config.database.busy_timeout_milliseconds = 1_234);
    let told =
        crate::support::databases::text_rows(&app.db, "SELECT CAST(timeout AS TEXT) AS line FROM pragma_busy_timeout");
    assert_eq!(told, ["1234"]);
}
