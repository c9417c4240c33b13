//! On PostgreSQL the program is not the owner of its tables: it lives the year, and cannot lift what freezes rows.

use diesel::RunQueryDsl as _;
use ent_backoffice::platform::db::{Database, idempotency};
use serde_json::json;

use crate::support::databases::open;
use crate::support::databases::text_rows;
use crate::support::year::{active_campaign, register_communes, register_seed};
use crate::support::{Base, PASSWORD, Program, TestApp};

/// Two roles of the server, removed with the test.
struct Roles {
    server: String,
    owner: String,
    program: String,
}

fn execute(db: &Database, sql: &str) -> diesel::QueryResult<usize> {
    db.read(|tx| Ok(diesel::sql_query(sql).execute(tx.conn()))).unwrap()
}

impl Roles {
    /// Makes them, and gives the base to the owner.
    fn of(base: &Base) -> Self {
        let url = base.url();
        let (server, name) = url.rsplit_once('/').unwrap();
        let roles = Self {
            server: format!("{server}/postgres"),
            owner: format!("owner_{name}"),
            program: format!("program_{name}"),
        };
        let admin = open(&roles.server);
        for role in [&roles.owner, &roles.program] {
            execute(&admin, &format!("CREATE ROLE {role} LOGIN")).unwrap();
        }
        execute(&admin, &format!("ALTER DATABASE {name} OWNER TO {}", roles.owner)).unwrap();
        roles
    }

    fn url(base: &Base, role: &str) -> String {
        base.url().replacen("postgres://postgres@", &format!("postgres://{role}@"), 1)
    }
}

impl Drop for Roles {
    fn drop(&mut self) {
        let admin = open(&self.server);
        for role in [&self.program, &self.owner] {
            let _ = execute(&admin, &format!("DROP ROLE IF EXISTS {role}"));
        }
    }
}

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An empty base migrated by its owner, and what the program's role was given.
fn granted() -> (Roles, Base) {
    let base = Base::postgres_empty();
    let roles = Roles::of(&base);
    let owner = Roles::url(&base, &roles.owner);
    let done = Program::run(&owner, &["migrate", "--grant-to", &roles.program], "");
    assert!(done.status.success(), "{}", told(&done));
    assert!(told(&done).contains("figée"), "{}", told(&done));
    (roles, base)
}

#[test]
fn a_role_without_ownership_lives_the_year() {
    let (roles, base) = granted();
    let url = Roles::url(&base, &roles.program);
    let app = TestApp::with(base, |config| config.database.url = url);
    assert!(!app.db.owns_its_tables().unwrap());
    register_seed(&app);
    register_communes(&app, 2);
    // Accounts and sessions.
    let email = "zoe.martin@exemple.invalid";
    app.add_user(email, ent_backoffice::kernel::Role::Lecteur);
    let opened = app.anonymous().post("/auth/login", json!({"email": email, "password": PASSWORD})).expect(200).json;
    let renewed =
        app.anonymous().post("/auth/refresh", json!({"refresh_token": opened["refresh_token"]})).expect(200).json;
    app.anonymous().with_token(renewed["access_token"].as_str().unwrap()).get("/me").expect(200);
    // A payer is replaced, a school enrolled and withdrawn.
    let g = app.gestionnaire();
    g.put("/schools/0301023Z/payer", json!({"siret": "21300278500011", "from": "2025-01-01"}));
    let ids = active_campaign(&app, "issue");
    let g = app.gestionnaire();
    let year = "/campaigns/2025-2026";
    let key = [("idempotency-key", "une-cle")];
    g.json("POST", &format!("{year}/perception-titles"), &key, &json!({})).expect(200);
    g.json("POST", &format!("{year}/perception-titles"), &key, &json!({})).expect(200);
    let o = app.ordonnateur();
    o.post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
    let batch = o.post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201).json;
    assert_eq!(batch["count"], ids.len());
    assert!(app.run_jobs() >= 2 * ids.len());
    g.get(&format!("/conventions/{}/document", ids[0])).expect(200);
    app.comptable().get(&format!("/accounting-batches/{}/files/csv", batch["number"].as_str().unwrap())).expect(200);
    g.post(&format!("{year}/transitions"), json!({"action": "close"})).expect(200);
    app.set_time("2025-08-30T09:00:00Z");
    assert!(app.db.write(idempotency::purge).unwrap() >= 1);
    let ready = app.anonymous().send("GET", "/health/ready", &[], Vec::new()).expect(200).json;
    assert_eq!(ready["checks"]["writes"], json!({"status": "ok"}));

    // Nothing lifts what freezes rows.
    let refused = |sql: &str, why: &[&str]| {
        let cause = app.sql(sql).expect_err(sql).to_string();
        assert!(why.iter().any(|why| cause.contains(why)), "{sql}: {cause}");
    };
    let tables = text_rows(
        &app.db,
        "SELECT relname::text AS line FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
    );
    assert!(tables.len() > 20, "{tables:?}");
    for table in &tables {
        refused(&format!("TRUNCATE {table} CASCADE"), &["permission denied"]);
        refused(&format!("ALTER TABLE {table} DISABLE TRIGGER ALL"), &["must be owner"]);
        refused(&format!("DROP TABLE {table}"), &["must be owner"]);
        refused(
            &format!("CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION refuse_change()"),
            &["permission denied"],
        );
    }
    let frozen = text_rows(
        &app.db,
        "SELECT DISTINCT tgrelid::regclass::text AS line FROM pg_trigger t JOIN pg_proc p ON p.oid = tgfoid \
         WHERE p.proname = 'refuse_change' AND tgtype & 24 = 24 AND tgqual IS NULL AND tgattr::text = ''",
    );
    assert!(frozen.len() >= 10, "{frozen:?}");
    for table in frozen.iter().map(String::as_str).chain(["__diesel_schema_migrations"]) {
        refused(&format!("DELETE FROM {table}"), &["permission denied"]);
        let column = text_rows(
            &app.db,
            &format!(
                "SELECT attname::text AS line FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attnum = 1"
            ),
        );
        refused(&format!("UPDATE {table} SET {0} = {0}", column[0]), &["permission denied"]);
    }
    refused("SET session_replication_role = replica", &["permission denied"]);
    refused("CREATE TABLE mine (id TEXT)", &["permission denied"]);
    refused(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        &["permission denied", "must be owner"],
    );
    refused("ALTER FUNCTION refuse_change() RENAME TO allow_change", &["must be owner"]);
    refused(&format!("SET ROLE {}", roles.owner), &["permission denied"]);
    drop(app);
    drop(roles);
}

#[test]
fn a_migration_is_the_owners_and_opens_what_it_adds_to_the_program() {
    let (roles, base) = granted();
    let owner = Roles::url(&base, &roles.owner);
    // As it was before the last migration: the tables it made are gone.
    let db = open(&owner);
    for sql in [
        "DROP TABLE write_probe",
        "DROP TABLE base_identity",
        "DELETE FROM __diesel_schema_migrations WHERE version = '00000000000009'",
    ] {
        execute(&db, sql).unwrap();
    }
    let by_the_program = Program::run(&Roles::url(&base, &roles.program), &["migrate"], "");
    assert_eq!(by_the_program.status.code(), Some(69));
    assert!(told(&by_the_program).contains("propriétaire"), "{}", told(&by_the_program));
    let serving = Program::run(&Roles::url(&base, &roles.program), &["serve", "--listen", "127.0.0.1:0"], "");
    assert!(told(&serving).contains("migrations"), "{}", told(&serving));
    // Without naming the role again.
    let by_the_owner = Program::run(&owner, &["migrate"], "");
    assert!(by_the_owner.status.success(), "{}", told(&by_the_owner));
    let program = open(&Roles::url(&base, &roles.program));
    assert_eq!(program.try_write(), ent_backoffice::platform::db::probe::Writing::Works);
    assert!(program.base_id().unwrap().is_some());
    drop((db, program));
    drop(base);
    drop(roles);
}

#[test]
fn a_role_that_could_lift_the_rules_is_refused_with_the_remedy() {
    let (roles, base) = granted();
    let owner = Roles::url(&base, &roles.owner);
    let refused = |role: &str, word: &str| {
        let ran = Program::run(&owner, &["migrate", "--grant-to", role], "");
        assert_eq!(ran.status.code(), Some(69), "{role}");
        assert!(told(&ran).contains(word), "{role}: {}", told(&ran));
    };
    refused("nobody_of_that_name", "CREATE ROLE");
    refused("postgres", "superutilisateur");
    refused(&roles.owner, "possède");
    execute(&open(&roles.server), &format!("GRANT {} TO {}", roles.owner, roles.program)).unwrap();
    refused(&roles.program, "membre");
    let sqlite = Program::run(&Base::sqlite().url(), &["migrate", "--grant-to", "x"], "");
    assert_eq!(sqlite.status.code(), Some(69));
    assert!(told(&sqlite).contains("SQLite"), "{}", told(&sqlite));
    drop(base);
    drop(roles);
}
