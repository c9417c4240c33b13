//! Memory the program holds 30 seconds after its demonstration, documents included, is done.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::base::{on, open};
use crate::documents::{Process, on_two_cores};
use crate::measure::{load, megabytes, memory, verdict};
use crate::rows;

const WAIT: Duration = Duration::from_secs(30);

pub fn run() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = on_two_cores(env!("CARGO_BIN_EXE_ent-backoffice"))
        .args(["demo", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env_remove("DATABASE_URL")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap());
    let process = Process(child);
    let pid = process.0.id();
    let since = Instant::now();
    let mut lines = said.lines();
    let listening = lines.by_ref().map_while(Result::ok).any(|line| line.contains("À l'écoute"));
    assert!(listening, "the demonstration does not serve");
    let took = since.elapsed();
    // What it says afterwards must be read, or it would wait.
    std::thread::spawn(move || lines.for_each(drop));
    let documents = wait_for_the_queue(folder.path());
    std::thread::sleep(WAIT);
    let held = memory(pid, "VmRSS");
    println!(
        "\nIdle: demonstration done in {:.1} s, its documents made {:.0} s later; {} s after VmRSS {:.1} MB ({:.1} anonymous, {:.1} of files), \
         most ever {:.0} MB, load {} (< 60 MB: {})",
        took.as_secs_f64(),
        documents.as_secs_f64(),
        WAIT.as_secs(),
        megabytes(held),
        megabytes(memory(pid, "RssAnon")),
        megabytes(memory(pid, "RssFile")),
        megabytes(memory(pid, "VmHWM")),
        load(),
        verdict(megabytes(held) < 60.0),
    );
}

/// Before it rests the program makes the documents of its year, which takes a busy machine minutes.
fn wait_for_the_queue(folder: &Path) -> Duration {
    let since = Instant::now();
    let db = open(&format!("sqlite://{}", folder.join("data/demo.sqlite").display()));
    while !on(&db, |c| rows::read(c, "SELECT 1 FROM jobs WHERE state IN ('queued', 'running')")).is_empty() {
        assert!(since.elapsed() < Duration::from_secs(600), "the queue does not empty");
        std::thread::sleep(Duration::from_millis(500));
    }
    since.elapsed()
}
