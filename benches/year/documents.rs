//! Documents per second: `ent-backoffice work` emptying the queue of the issue, beside bare Typst.
//!
//! ```text
//!   subject   ent-backoffice work: lease ─▶ read ─▶ render ─▶ store ─▶ done, two workers, a process of its own
//!   floor     same template, same inputs, two plain threads, bytes thrown away, a process of its own
//! ```
//! The peak is the most each process ever held (`VmHWM`).

use std::io::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ent_backoffice::platform::db::AnyConnection;

use crate::base::{Base, Kind, UNTIL_ISSUE, World, key, on, open};
use crate::measure::{load, median, megabytes, memory, process_cpu, verdict};
use crate::rows::{self, Value};
use crate::typst_alone::{Made, Order};

/// Documents of one run: the first of the queue.
const DOCUMENTS: usize = 240;
const CORES: usize = 2;

/// Runs a program on the two cores measured, wherever it is.
pub fn on_two_cores(program: &str) -> Command {
    if std::thread::available_parallelism().is_ok_and(|cores| cores.get() <= CORES) {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", "0,1", program]);
    command
}

/// A child that does not outlive what is measured.
pub struct Process(pub Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program itself, as shipped, on a database.
pub fn program(base: &Base, key: &std::path::Path, command: &[&str]) -> Command {
    let mut program = on_two_cores(env!("CARGO_BIN_EXE_ent-backoffice"));
    program.args(command).env("DATABASE_URL", &base.url).env("ENT__JOBS__POLL_MILLISECONDS", "50");
    program.env("ENT__ACCESS__SIGNING_KEY_FILES", key).stdin(Stdio::null());
    program.stdout(Stdio::null()).stderr(Stdio::null());
    program
}

pub fn run(kind: Kind, runs: usize) {
    let (mut subject, mut floor) = (Vec::new(), Vec::new());
    for rank in 0..runs {
        let base = Base::new(kind);
        let world = World::new(&base);
        world.advance(UNTIL_ISSUE);
        drop(world);
        let order = order(&base);
        for first in [rank % 2 == 0, rank % 2 != 0] {
            if first {
                subject.push(by_the_program(&base));
            } else {
                floor.push(by_typst_alone(&order));
            }
        }
    }
    let rate = |side: &[Made]| median(side.iter().map(|m| DOCUMENTS as f64 / m.seconds));
    let cpu = |side: &[Made]| median(side.iter().map(|m| m.cpu_seconds * 1_000.0 / DOCUMENTS as f64));
    let peak = |side: &[Made]| side.iter().map(|m| m.peak_kib).max().map_or(0.0, megabytes);
    let (ours, bare) = (rate(&subject), rate(&floor));
    println!(
        "\n{} documents ({DOCUMENTS} conventions a run, median of {runs}, {CORES} workers on {CORES} cores; load {})\n\n\
         | | documents/s | CPU ms per document | peak MB |\n|---|---|---|---|\n\
         | ent-backoffice work | {ours:.1} | {:.1} | {:.0} |\n| bare Typst | {bare:.1} | {:.1} | {:.0} |\n\n\
         {:.0} % of bare Typst (≥ 80 %: {}; by CPU {:.0} %), {ours:.1}/s (≥ 25: {}), peak {:.0} MB (< 150: {})",
        kind.name(),
        load(),
        cpu(&subject),
        peak(&subject),
        cpu(&floor),
        peak(&floor),
        100.0 * ours / bare,
        verdict(ours >= 0.8 * bare),
        100.0 * cpu(&floor) / cpu(&subject),
        verdict(ours >= 25.0),
        peak(&subject),
        verdict(peak(&subject) < 150.0),
    );
}

/// What bare Typst is given: the inputs of the jobs left in the queue, which are put to sleep.
fn order(base: &Base) -> Order {
    on(&open(&base.url), |c| {
        let kept = rows::execute(
            c,
            &format!("DELETE FROM jobs WHERE id NOT IN (SELECT id FROM jobs ORDER BY run_at, id LIMIT {DOCUMENTS})"),
        );
        assert_eq!(kept, 2386 - DOCUMENTS);
        rows::execute(c, "UPDATE jobs SET run_at = '2099-01-01 00:00:00'");
        let decoded =
            if matches!(c, AnyConnection::Sqlite(_)) { "CAST(bytes AS TEXT)" } else { "convert_from(bytes, 'UTF8')" };
        let template = text(
            &rows::read(
                c,
                &format!("SELECT {decoded} FROM blobs WHERE sha256 = (SELECT min(template_sha256) FROM papers)"),
            )[0][0],
        );
        // The key names the convention.
        let rows = rows::read(
            c,
            "SELECT p.content, CAST(c.issued_at AS TEXT), c.number FROM jobs j \
             JOIN papers p ON j.dedup_key = 'papers.render:convention:' || p.subject_id || ':1' JOIN conventions c ON p.subject_id = c.id ORDER BY j.run_at, j.id",
        );
        assert_eq!(rows.len(), DOCUMENTS);
        let documents =
            rows.iter().map(|row| (text(&row[0]), text(&row[1])[..10].parse().unwrap(), text(&row[2]))).collect();
        Order { template, documents }
    })
}

fn text(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        other => panic!("a text was expected: {other:?}"),
    }
}

fn by_the_program(base: &Base) -> Made {
    let key = key();
    let child = Process(program(base, key.path(), &["work"]).spawn().unwrap());
    let pid = child.0.id();
    let db = open(&base.url);
    let left = |c: &mut AnyConnection| match rows::read(
        c,
        "SELECT count(*) FROM jobs WHERE kind = 'papers.render' AND state <> 'done'",
    )[0][0]
    {
        Value::Int(left) => left,
        ref other => panic!("{other:?}"),
    };
    // Until its own daily work is done the program is starting.
    let started = "SELECT 1 FROM jobs WHERE kind = 'conventions.expire' AND state = 'done'";
    let patience = Instant::now();
    while on(&db, |c| rows::read(c, started)).is_empty() {
        assert!(patience.elapsed() < Duration::from_secs(60), "ent-backoffice work does not work");
        std::thread::sleep(Duration::from_millis(50));
    }
    let cpu = process_cpu(pid);
    db.write(|tx| Ok(rows::execute(tx.conn(), "UPDATE jobs SET run_at = created_at WHERE state = 'queued'"))).unwrap();
    let since = Instant::now();
    while on(&db, left) > 0 {
        assert!(since.elapsed() < Duration::from_secs(300), "the queue does not empty");
        std::thread::sleep(Duration::from_millis(25));
    }
    let seconds = since.elapsed().as_secs_f64();
    let made = Made { seconds, cpu_seconds: (process_cpu(pid) - cpu).as_secs_f64(), peak_kib: memory(pid, "VmHWM") };
    let ready = "SELECT 1 FROM papers WHERE status = 'ready'";
    assert_eq!(on(&db, |c| rows::read(c, ready)).len(), DOCUMENTS, "documents are missing");
    made
}

fn by_typst_alone(order: &Order) -> Made {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&serde_json::to_vec(order).unwrap()).unwrap();
    let exe = std::env::current_exe().unwrap();
    let output = on_two_cores(exe.to_str().unwrap())
        .args(["typst-alone", file.path().to_str().unwrap(), &CORES.to_string()])
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success(), "bare Typst failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
