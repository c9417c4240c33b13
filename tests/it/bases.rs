//! Which base is opened: never an empty one where one was expected, never another, never one that is gone.

use std::time::{Duration, Instant};

use ent_backoffice::kernel::Role;
use serde_json::json;

use crate::support::databases::open;
use crate::support::databases::text_rows;
use crate::support::{Base, Client, PASSWORD, Program, Response, TestApp};

const PUBLIC: (&str, &str) = ("ENT__SERVER__LISTEN", "0.0.0.0:0");

fn ready(client: &Client) -> Response {
    client.send("GET", "/health/ready", &[], Vec::new())
}

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn id_of(url: &str) -> String {
    text_rows(&open(url), "SELECT id AS line FROM base_identity").remove(0)
}

#[test]
fn beyond_this_machine_a_new_base_is_made_on_demand_only() {
    for base in [Base::sqlite_empty(), Base::postgres_empty()] {
        let url = base.url();
        let account = [
            "user",
            "add",
            "--email",
            "a@exemple.invalid",
            "--role",
            "admin",
            "--first-name",
            "A",
            "--last-name",
            "B",
            "--password-stdin",
        ];
        for command in [vec!["migrate"], vec!["serve", "--migrate"], vec!["work"], account.to_vec()] {
            let refused = Program::run_with(&url, &command, "cheval-agrafe-pile-1825\n", &[PUBLIC]);
            assert_eq!(refused.status.code(), Some(69), "{command:?}: {}", told(&refused));
            assert!(told(&refused).contains("migrate --create"), "{command:?}: {}", told(&refused));
        }
        if let Some(path) = url.strip_prefix("sqlite://") {
            assert!(!std::path::Path::new(path).exists(), "refusing leaves no file");
        }
        let made = Program::run_with(&url, &["migrate", "--create"], "", &[PUBLIC]);
        assert!(made.status.success() && told(&made).contains(&id_of(&url)), "{}", told(&made));
        // From then on it is there, and nobody needs to ask.
        assert!(Program::run_with(&url, &["migrate"], "", &[PUBLIC]).status.success());
    }
}

#[test]
fn on_this_machine_a_first_try_needs_no_ceremony() {
    for base in [Base::sqlite_empty(), Base::postgres_empty()] {
        let made = Program::run(&base.url(), &["migrate"], "");
        assert!(made.status.success(), "{}", told(&made));
    }
}

#[test]
fn the_base_that_is_expected_is_the_one_opened() {
    for (right, empty) in [(Base::sqlite(), Base::sqlite_empty()), (Base::postgres(), Base::postgres_empty())] {
        let id = id_of(&right.url());
        let run = |url: &str, id: &str, command: &[&str]| {
            Program::run_with(url, command, "", &[("ENT__DATABASE__EXPECTED_ID", id)])
        };
        assert!(run(&right.url(), &id, &["migrate"]).status.success());
        assert!(run(&right.url(), &id.to_uppercase(), &["migrate"]).status.success());
        let other = "019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e";
        let refused = run(&right.url(), other, &["migrate"]);
        assert_eq!(refused.status.code(), Some(69));
        assert!(told(&refused).contains(&id) && told(&refused).contains(other), "{}", told(&refused));
        // An empty base has no id to be recognised by, even where one may be made.
        for command in [vec!["migrate"], vec!["migrate", "--create"]] {
            let refused = run(&empty.url(), &id, &command);
            assert_eq!(refused.status.code(), Some(69), "{}", told(&refused));
        }
        assert_eq!(run(&right.url(), "12", &["migrate"]).status.code(), Some(78));
    }
}

#[test]
fn two_bases_never_have_the_same_id_and_a_migration_gives_one_to_an_old_base() {
    let (one, other) = (Base::sqlite_empty(), Base::sqlite_empty());
    for base in [&one, &other] {
        open(&base.url()).migrate().unwrap();
    }
    let ids = [id_of(&one.url()), id_of(&other.url())];
    assert_ne!(ids[0], ids[1]);
    for id in ids.iter().chain([&id_of(&Base::postgres().url())]) {
        assert_eq!(uuid::Uuid::try_parse(id).unwrap().get_version_num(), 4, "{id}");
    }
}

on_both_databases! {
    fn readiness_notices_that_the_address_leads_to_another_base(app: &TestApp) {
        let client = app.anonymous();
        assert_eq!(ready(&client).expect(200).json["checks"]["base"], json!({"status": "ok"}));
        let id = id_of(&app.database_url());
        app.tamper("base_identity", "UPDATE base_identity SET id = '019832f0-1c7a-7bd2-9d3e-5a4f1c2b3d4e'");
        let answer = ready(&client).problem(503, "unavailable");
        assert_eq!(answer.json["checks"]["base"]["status"], "failed", "{}", answer.text());
        app.sql(&format!("UPDATE base_identity SET id = '{id}'")).unwrap();
        ready(&client).expect(200);
    }

    fn readiness_notices_a_base_that_can_no_longer_be_written(app: &TestApp) {
        let client = app.anonymous();
        app.sql("ALTER TABLE write_probe RENAME TO elsewhere").unwrap();
        let answer = ready(&client).problem(503, "unavailable");
        assert_eq!((&answer.json["checks"]["database"]["status"], &answer.json["checks"]["writes"]["status"]), (&json!("ok"), &json!("failed")));
        app.sql("ALTER TABLE elsewhere RENAME TO write_probe").unwrap();
        // A failure is never remembered.
        assert_eq!(ready(&client).expect(200).json["checks"]["writes"], json!({"status": "ok"}));
        let written = text_rows(&app.db, "SELECT CAST(written_at AS TEXT) AS line FROM write_probe");
        assert!(written[0].starts_with("2025-06-05"), "{written:?}");
    }
}

#[test]
fn a_base_that_was_removed_or_replaced_is_neither_ready_nor_written() {
    let app = TestApp::new(Base::sqlite());
    let (client, gestionnaire) = (app.anonymous(), app.gestionnaire());
    let commune = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"});
    let url = app.database_url();
    let path = std::path::PathBuf::from(url.strip_prefix("sqlite://").unwrap());
    let away = path.with_extension("away");
    std::fs::rename(&path, &away).unwrap();
    for replaced in [false, true] {
        if replaced {
            std::fs::copy(&away, &path).unwrap();
        }
        let answer = ready(&client).problem(503, "unavailable");
        assert_eq!(answer.json["checks"]["base"]["status"], "failed", "{}", answer.text());
        // What would be written there would be lost with it.
        gestionnaire.post("/collectivites", commune.clone()).problem(503, "unavailable");
    }
    std::fs::rename(&away, &path).unwrap();
    ready(&client).expect(200);
    gestionnaire.post("/collectivites", commune).expect(201);
}

#[test]
fn a_disk_without_room_makes_an_instance_unready_until_there_is_room_again() {
    let app = TestApp::new(Base::sqlite());
    let email = "zoe.martin@exemple.invalid";
    app.add_user(email, Role::Gestionnaire);
    let program = Program::serve(&app.database_url(), &["--no-worker"], &[]);
    let client = program.client();
    let token = client.post("/auth/login", json!({"email": email, "password": PASSWORD})).expect(200).json;
    let person = client.with_token(token["access_token"].as_str().unwrap());
    ready(&client).expect(200);
    program.bound_files("4096");
    let until = Instant::now() + Duration::from_secs(30);
    // What was found is believed for a few seconds.
    let answer = loop {
        let answer = ready(&client);
        if answer.status == 503 {
            break answer.problem(503, "unavailable");
        }
        assert!(Instant::now() < until, "a full disk is not noticed: {}", answer.text());
        std::thread::sleep(Duration::from_millis(200));
    };
    assert_eq!(answer.json["checks"]["writes"]["status"], "failed", "{}", answer.text());
    let commune = json!({"siret": "21300001100014", "kind": "commune", "name": "Aigaliers", "insee_code": "30001"});
    let refused = person.post("/collectivites", commune.clone());
    assert!(refused.status >= 500, "{}", refused.text());
    person.get("/collectivites").expect(200);
    program.bound_files("unlimited");
    ready(&client).expect(200);
    person.post("/collectivites", commune).expect(201);
    assert_eq!(program.stop().0, Some(0));
}
