//! Memory the program holds 30 seconds after its demonstration began to serve.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::documents::{Process, on_two_cores};
use crate::measure::{load, megabytes, memory, verdict};

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
    std::thread::sleep(WAIT);
    let held = memory(pid, "VmRSS");
    println!(
        "\nIdle: demonstration done in {:.1} s; {} s later VmRSS {:.1} MB ({:.1} anonymous, {:.1} of files), \
         most ever {:.0} MB, load {} (< 60 MB: {})",
        took.as_secs_f64(),
        WAIT.as_secs(),
        megabytes(held),
        megabytes(memory(pid, "RssAnon")),
        megabytes(memory(pid, "RssFile")),
        megabytes(memory(pid, "VmHWM")),
        load(),
        verdict(megabytes(held) < 60.0),
    );
}
