//! Every door of imports, and the command line, with files that strangers send: each is answered as it should be, by a
//! process that stays as small as it was, and nothing of them is left behind.
//!
//! The program is a process of its own here, for its memory is measured.

#[path = "../../../src/platform/tabular/archive.rs"]
mod archive;
mod corpus;
mod deflate;

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ent_backoffice::kernel::Role;
use serde_json::{Value, json};

use self::corpus::{Answer, Hostile};
use crate::support::DOORS;
use crate::support::year::campaign;
use crate::support::{Client, PASSWORD, Program, Response, TestApp};

/// Most that the process which serves may grow by, in kB.
const GROWTH: u64 = 150_000;

/// The program serving, its folder of temporary files, and somebody who may import.
struct Served {
    program: Program,
    client: Client,
    temporary: tempfile::TempDir,
}

fn serve(app: &TestApp, settings: &[(&str, &str)]) -> Served {
    app.gestionnaire().post("/campaigns", campaign("issue")).expect(201);
    let email = "zoe.martin@exemple.invalid";
    app.add_user(email, Role::Gestionnaire);
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path().to_str().unwrap().to_owned();
    let all = [&[("TMPDIR", folder.as_str())], settings].concat();
    let program = Program::serve(&app.database_url(), &["--no-worker"], &all);
    let session = program.client().post("/auth/login", json!({"email": email, "password": PASSWORD})).expect(200);
    let client = program.client().with_token(session.json["access_token"].as_str().unwrap());
    Served { program, client, temporary }
}

/// Processes that a process has started, and that are still there.
fn children(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(|pid| pid.parse().unwrap()).collect::<Vec<u32>>()).collect()
}

/// What the descriptors of a process lead to.
fn descriptors(process: &str) -> Vec<String> {
    let open = std::fs::read_dir(format!("/proc/{process}/fd")).unwrap();
    open.filter_map(|fd| Some(std::fs::read_link(fd.unwrap().path()).ok()?.display().to_string())).collect()
}

fn left_in(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

impl Served {
    /// Nothing of the files is left: no process, no copy.
    #[track_caller]
    fn is_clean(&self) {
        assert_eq!(children(self.program.pid()), Vec::<u32>::new());
        assert_eq!(left_in(self.temporary.path()), Vec::<PathBuf>::new());
    }

    /// The process that reads a file, once there is one and it has bounded itself: before, it is still being started.
    fn child(&self) -> u32 {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let [child, ..] = children(self.program.pid())[..]
                && limit(child, "Max address space").is_some_and(|most| most != "unlimited")
            {
                return child;
            }
            assert!(Instant::now() < until, "no file is being read");
            std::thread::yield_now();
        }
    }
}

/// A bound of a process, if it is still there.
fn limit(pid: u32, name: &str) -> Option<String> {
    let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.split_whitespace().next()?.to_owned())
}

fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(sent.success());
}

#[track_caller]
fn answered(response: &Response) -> Answer {
    let code = |known: &[&'static str]| {
        let said = response.json["errors"][0]["code"].as_str().unwrap();
        *known.iter().find(|code| **code == said).unwrap_or_else(|| panic!("{}", response.text()))
    };
    match (response.status, response.json["code"].as_str()) {
        (200, _) => Answer::Read,
        (422, Some("no_rows")) => Answer::NoRows,
        (422, Some("file_too_heavy")) => Answer::Heavy(code(&[
            "workbook_bound",
            "inflated_bound",
            "columns_bound",
            "rows_bound",
            "line_bound",
            "cell_bound",
            "text_bound",
            "memory_bound",
            "time_bound",
        ])),
        (422, Some("file_refused")) => Answer::Refused(code(&[
            "empty_file",
            "binary_file",
            "unreadable_encoding",
            "no_header",
            "missing_column",
            "doubled_column",
            "unclosed_quote",
            "unreadable_workbook",
            // Of cells.
            "ragged_row",
            "identifier_as_number",
        ])),
        _ => panic!("{}: {}", response.status, response.text()),
    }
}

/// Codes of rows and cells stand for the file's own.
fn fits(file: &Hostile, answer: Answer) -> bool {
    let named = match answer {
        Answer::Refused("ragged_row") => Answer::Refused("ragged_rows"),
        Answer::Refused("identifier_as_number") => Answer::Refused("damaged_cells"),
        other => other,
    };
    file.answers.contains(&named)
}

/// A file of 12 MB takes its reader a moment.
fn long_file() -> Vec<u8> {
    let (_, header, _) = DOORS[2];
    format!(
        "{header}\n{}",
        "x;yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\n".repeat(150_000)
    )
    .into()
}

on_both_databases! {
    fn no_file_harms_the_program_that_serves(app: &TestApp) {
        let served = serve(app, &[]);
        // The first answers of a program fill what it keeps.
        served.client.upload(DOORS[0].0, "f.csv", b"x");
        let (_, before) = served.program.holds();
        let (mut most, mut faults, mut count) = (before, Vec::new(), 0);
        for (path, header, row) in DOORS {
            for file in corpus::all(header, row) {
                let start = Instant::now();
                let response = served.client.upload(path, "fichier", &file.bytes);
                let (took, (_, now)) = (start.elapsed(), served.program.holds());
                most = most.max(now).max(served.program.peak());
                let answer = answered(&response);
                if !fits(&file, answer) || took > Duration::from_secs(40) {
                    faults.push(format!("{path}, {}: {answer:?} in {took:?}, expected {:?}", file.name, file.answers));
                }
                if took > Duration::from_secs(2) {
                    eprintln!("{path}, {}: {answer:?} in {took:?}", file.name);
                }
                count += 1;
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert!(count >= 4 * 30, "{count} files");
        eprintln!("{count} files; memory from {before} kB to {most} kB at most");
        assert!(most - before < GROWTH, "from {before} kB to {most} kB");
        served.is_clean();
        served.client.get("/collectivites").expect(200);
    }

    fn the_account_of_a_file_is_bounded(app: &TestApp) {
        let served = serve(app, &[]);
        let view = served.client.upload(DOORS[2].0, "f.csv", &long_file()).expect(200);
        let rows = view.json["rows"].as_array().unwrap().len();
        assert_eq!((&view.json["rejected"], rows, &view.json["rows_omitted"]), (&json!(150_000), 10_000, &json!(140_000)));
        assert_eq!(view.json["findings"]["siret_length"], 150_000);
        assert!(view.bytes.len() < 10_000_000, "{} bytes", view.bytes.len());
    }

    fn who_reads_a_file_has_nothing_of_the_program(app: &TestApp) {
        let served = serve(app, &[]);
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| served.client.upload(DOORS[2].0, "f.csv", &long_file()));
            let child = served.child();
            signal(child, "STOP");
            let limit = |name: &str| limit(child, name).unwrap();
            let bytes: u64 = limit("Max address space").parse().unwrap();
            assert!(bytes < 2_000_000_000, "{bytes}");
            assert_eq!((limit("Max core file size"), limit("Max cpu time"), limit("Max open files")), ("0".into(), "30".into(), "16".into()));
            let environment = std::fs::read_to_string(format!("/proc/{child}/environ")).unwrap();
            assert_eq!(environment, "MIMALLOC_ARENA_RESERVE=0\0");
            // What these tests were themselves started with is nothing of the program's.
            let (open, outside) = (descriptors(&child.to_string()), descriptors("self"));
            let fine = |name: &&String| name.starts_with("pipe:") || name.ends_with("(deleted)") || outside.contains(name);
            let others: Vec<_> = open.iter().filter(|name| !fine(name)).collect();
            assert!(others.is_empty() && !open.is_empty(), "{open:?}");
            assert!(open.iter().all(|name| !name.contains("socket:") && !name.contains("sqlite")), "{open:?}");
            signal(child, "CONT");
            upload.join().unwrap().expect(200);
        });
        served.is_clean();
    }

    fn so_many_files_are_read_at_once_and_for_so_long(app: &TestApp) {
        let served = serve(app, &[("ENT__IMPORTS__AT_ONCE", "1"), ("ENT__IMPORTS__SECONDS", "4")]);
        let file = long_file();
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| served.client.upload(DOORS[2].0, "f.csv", &file));
            let child = served.child();
            signal(child, "STOP");
            let busy = served.client.upload(DOORS[0].0, "f.csv", b"insee;siret;nom\n30278;21300278500011;A\n");
            let busy = busy.problem(503, "file_reader_busy");
            assert_eq!(busy.header("retry-after"), "5");
            // It does nothing more: the clock counts none the less.
            let late = upload.join().unwrap().problem(422, "file_too_heavy");
            assert_eq!(late.json["errors"][0]["code"], "time_bound");
            assert!(late.json["detail"].as_str().unwrap().contains("4 secondes"), "{}", late.text());
        });
        served.is_clean();
        // Killed by the system, which had no memory left.
        std::thread::scope(|scope| {
            let upload = scope.spawn(|| served.client.upload(DOORS[2].0, "f.csv", &file));
            signal(served.child(), "KILL");
            let killed = upload.join().unwrap().problem(422, "file_too_heavy");
            assert_eq!(killed.json["errors"][0]["code"], "memory_bound");
        });
        served.is_clean();
        // A short one: on a busy machine the long one may well take more than four seconds.
        served.client.upload(DOORS[0].0, "f.csv", b"insee;siret;nom\n30278;21300278500011;A\n").expect(200);
    }

    fn a_reader_does_not_outlive_the_program(app: &TestApp) {
        let served = serve(app, &[]);
        let file = long_file();
        let client = served.client.clone();
        let child = std::thread::scope(|scope| {
            let upload = scope.spawn(|| std::panic::catch_unwind(AssertUnwindSafe(|| client.upload(DOORS[2].0, "f.csv", &file))));
            let child = served.child();
            signal(child, "STOP");
            served.program.signal("KILL");
            assert!(upload.join().unwrap().is_err(), "nobody answers");
            child
        });
        let until = Instant::now() + Duration::from_secs(10);
        while Path::new(&format!("/proc/{child}/fd/0")).exists() {
            assert!(Instant::now() < until, "the reader is still there");
        }
        assert_eq!(left_in(served.temporary.path()), Vec::<PathBuf>::new());
    }

    fn the_command_line_refuses_the_same_files(app: &TestApp) {
        let (temporary, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let settings = [("TMPDIR", temporary.path().to_str().unwrap())];
        let path = folder.path().join("fichier");
        let kinds = ["collectivites", "schools", "contacts"];
        let mut faults = Vec::new();
        for (at, (kind, (_, header, row))) in kinds.into_iter().zip(DOORS).enumerate() {
            // Each file once; what reads them is the same for all.
            let mine = corpus::all(header, row).into_iter().enumerate().filter(|(n, _)| n % kinds.len() == at);
            for (_, file) in mine {
                std::fs::write(&path, &file.bytes).unwrap();
                let arguments = ["import", kind, path.to_str().unwrap(), "--dry-run"];
                let output = Program::run_with(&app.database_url(), &arguments, "", &settings);
                let read = file.answers.contains(&Answer::Read);
                let (code, said) = (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned());
                let account: Option<Value> = serde_json::from_slice(&output.stdout).ok();
                let fine = match code {
                    Some(0) => read && account.is_some(),
                    Some(1) => file.answers.iter().any(|answer| *answer != Answer::Read) && account.is_none() && !said.is_empty(),
                    _ => false,
                };
                if !fine {
                    faults.push(format!("{kind}, {}: {code:?} {said}", file.name));
                }
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        assert_eq!(left_in(temporary.path()), Vec::<PathBuf>::new());
    }
}
