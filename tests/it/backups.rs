//! A backup taken while people work gives back the same answers, and says so before anybody needs it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use ent_backoffice::kernel::Role;
use ent_backoffice::platform::db::counters;
use serde_json::json;

use crate::support::databases::text_rows;
use crate::support::samples;
use crate::support::year::{active_campaign, register_communes, register_seed};
use crate::support::{Base, Program, TestApp};

fn told(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Counts as fast as it can until told to stop; the number it reached.
fn count(app: &TestApp) -> (Arc<AtomicBool>, Arc<AtomicI64>, std::thread::JoinHandle<()>) {
    let (stop, reached) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let (db, until, number) = (app.db.clone(), Arc::clone(&stop), Arc::clone(&reached));
    let thread = std::thread::spawn(move || {
        while !until.load(Ordering::Relaxed) {
            let taken = db.write(|tx| counters::take(tx, "of the test", 1)).unwrap();
            number.store(taken, Ordering::SeqCst);
        }
    });
    (stop, reached, thread)
}

const COUNTED: &str = "SELECT CAST(value AS TEXT) AS line FROM counters WHERE name = 'of the test'";

/// A scan of two parts, attached to a convention: its address.
fn attach(app: &TestApp, convention: &str) -> String {
    let noise: Vec<u8> =
        (0..1_500_000_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let scan = samples::pdf(&[samples::stream("", &noise)], "");
    let path = format!("/conventions/{convention}/attachments");
    let answer = app.gestionnaire().attach(&path, "signature", &[("a.pdf", &scan)], &[]).expect(201);
    answer.header("location").trim_start_matches("/api/v1").to_owned()
}

/// Expects that no backup of this base is trusted.
#[track_caller]
fn refused_by_name(app: &TestApp, table: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ent.backup");
    let name = file.to_str().unwrap();
    let saved = Program::run(&app.database_url(), &["backup", name], "");
    let refused = if app.db.is_sqlite() {
        assert!(!file.exists());
        saved
    } else {
        // What an archive of PostgreSQL holds is known once it is restored.
        assert!(saved.status.success(), "{}", told(&saved));
        Program::run(&Base::postgres_empty().url(), &["restore", name], "")
    };
    assert_eq!(refused.status.code(), Some(69));
    assert!(told(&refused).contains(table), "{}", told(&refused));
}

fn is_private(path: &Path) -> bool {
    path.metadata().unwrap().permissions().mode() & 0o777 == 0o600
}

on_both_databases! {
    fn a_backup_taken_while_others_write_gives_back_the_same_answers(app: &TestApp) {
        register_seed(app);
        register_communes(app, 3);
        let ids = active_campaign(app, "issue");
        app.gestionnaire().post("/campaigns/2025-2026/perception-titles", json!({})).expect(200);
        app.ordonnateur().post("/perception-titles/approvals", json!({"filter": {"campaign": "2025-2026"}})).expect(200);
        app.ordonnateur().post("/accounting-batches", json!({"campaign": "2025-2026"})).expect(201);
        app.run_jobs();
        let attached = attach(app, &ids[0]);
        let people = [Role::Gestionnaire, Role::Comptable, Role::Admin].map(|role| app.person(role));

        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ent.backup");
        let name = file.to_str().unwrap();
        let run = |url: &str, command: &[&str]| Program::run(url, command, "");
        let (stop, reached, thread) = count(app);
        while reached.load(Ordering::SeqCst) < 5 {
            std::thread::yield_now();
        }
        let before = reached.load(Ordering::SeqCst);
        let saved = run(&app.database_url(), &["backup", name]);
        let after = reached.load(Ordering::SeqCst);
        stop.store(true, Ordering::Relaxed);
        thread.join().unwrap();
        assert!(saved.status.success(), "{}", told(&saved));
        assert!(after > before, "somebody wrote meanwhile");
        assert!(is_private(&file) && is_private(&folder.path().join("ent.backup.sha256")));
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left.len(), 2, "nothing else is left behind: {left:?}");

        // Nothing is overwritten: neither the backup, nor a base that is there.
        let again = run(&app.database_url(), &["backup", name]);
        assert!(again.status.code() == Some(69) && told(&again).contains("existe déjà"), "{}", told(&again));
        let onto = run(&app.database_url(), &["restore", name]);
        assert_eq!(onto.status.code(), Some(69), "{}", told(&onto));

        let checked = run("sqlite:///nowhere/to/be/found.sqlite", &["restore", name, "--check"]);
        assert!(checked.status.success(), "{}", told(&checked));
        let target = if app.db.is_sqlite() { Base::sqlite_empty() } else { Base::postgres_empty() };
        let restored = run(&target.url(), &["restore", name]);
        assert!(restored.status.success(), "{}", told(&restored));
        let id = text_rows(&app.db, "SELECT id AS line FROM base_identity").remove(0);
        assert!(told(&restored).contains(&id), "{}", told(&restored));
        if let Some(path) = target.url().strip_prefix("sqlite://") {
            assert!(is_private(Path::new(path)));
        }

        let other = TestApp::new(target);
        other.set_time("2025-07-28T09:00:00Z");
        let counted: i64 = text_rows(&other.db, COUNTED)[0].parse().unwrap();
        assert!((before..=after + 1).contains(&counted), "{before} ≤ {counted} ≤ {after}");
        let mut paths = vec![
            (0, "/collectivites?limit=200".to_owned()),
            (0, "/schools?limit=200".to_owned()),
            (0, "/conventions?limit=200".to_owned()),
            (0, "/campaigns/2025-2026".to_owned()),
            (0, attached.clone()),
            (0, format!("{attached}/content")),
            (1, "/perception-titles?limit=200".to_owned()),
            (1, "/accounting-batches/ENT-B-2025-0001".to_owned()),
            (1, "/accounting-batches/ENT-B-2025-0001/files/csv".to_owned()),
            (1, "/accounting-batches/ENT-B-2025-0001/files/json".to_owned()),
            (2, "/audit-events?limit=200".to_owned()),
        ];
        paths.extend(ids.iter().map(|id| (0, format!("/conventions/{id}/document"))));
        for (who, path) in paths {
            let [here, there] = [app, &other].map(|app| app.client_of(&people[who]).get(&path).expect(200));
            assert!(!here.bytes.is_empty());
            assert_eq!(here.bytes, there.bytes, "{path}");
        }
        assert_eq!(other.db.read(ent_backoffice::platform::jobs::backlog).unwrap(), (0, 0));
    }

    fn a_backup_that_was_touched_is_no_backup(app: &TestApp) {
        register_seed(app);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ent.backup");
        let run = |command: &[&str]| Program::run(&app.database_url(), command, "");
        let saved = run(&["backup", file.to_str().unwrap()]);
        assert!(saved.status.success(), "{}", told(&saved));
        let check = || run(&["restore", file.to_str().unwrap(), "--check"]);
        assert!(check().status.success());
        let whole = std::fs::read(&file).unwrap();
        let mut touched = whole.clone();
        let middle = touched.len() / 2;
        touched[middle] ^= 1;
        std::fs::write(&file, &touched).unwrap();
        assert!(check().status.code() == Some(69) && told(&check()).contains("empreinte"), "{}", told(&check()));
        std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
        assert_eq!(check().status.code(), Some(69));
        std::fs::write(&file, "n'importe quoi").unwrap();
        assert!(told(&check()).contains("n'est pas une sauvegarde"), "{}", told(&check()));
        std::fs::write(&file, &whole).unwrap();
        assert!(check().status.success());
        std::fs::remove_file(folder.path().join("ent.backup.sha256")).unwrap();
        assert_eq!(check().status.code(), Some(69), "{}", told(&check()));
    }

    fn a_base_whose_papers_were_falsified_is_refused_by_name(app: &TestApp) {
        app.db.write(|tx| ent_backoffice::platform::db::blobs::put(tx, "text/plain", "pièce".as_bytes())).unwrap();
        let bytes = if app.db.is_sqlite() { "x'00'" } else { "'\\x00'" };
        app.tamper("blobs", &format!("UPDATE blobs SET bytes = {bytes}, length = 1"));
        refused_by_name(app, "table blobs");
    }

    fn a_base_where_a_file_lost_a_part_is_refused_by_name(app: &TestApp) {
        register_seed(app);
        register_communes(app, 1);
        let ids = active_campaign(app, "issue");
        attach(app, &ids[0]);
        app.tamper("stored_file_parts", "DELETE FROM stored_file_parts WHERE position = 1");
        refused_by_name(app, "table stored_files");
    }
}

#[test]
fn a_missing_tool_of_postgresql_is_named_with_the_remedy() {
    let app = TestApp::new(Base::postgres());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ent.backup");
    let command = ["backup", file.to_str().unwrap()];
    let ran = Program::run_with(&app.database_url(), &command, "", &[("PATH", "/nowhere")]);
    assert_eq!(ran.status.code(), Some(69));
    assert!(told(&ran).contains("pg_dump") && told(&ran).contains("postgresql-client"), "{}", told(&ran));
    assert!(!file.exists());
}

#[test]
fn a_backup_of_one_kind_is_not_restored_into_a_base_of_the_other() {
    let (sqlite, postgres) = (Base::sqlite(), Base::postgres());
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [(&sqlite, Base::postgres_empty()), (&postgres, Base::sqlite_empty())] {
        let file = folder.path().join(format!("{}.backup", from.url().split(':').next().unwrap()));
        let name = file.to_str().unwrap();
        assert!(Program::run(&from.url(), &["backup", name], "").status.success());
        let refused = Program::run(&to.url(), &["restore", name], "");
        assert_eq!(refused.status.code(), Some(69), "{}", told(&refused));
    }
}
