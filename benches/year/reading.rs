//! Reading one convention, one participation, and lists of 50, over HTTP: the program as shipped beside a bare actix
//! server, on one Occitanie or on several.
//!
//! The load generator shares the two cores with the servers, which brings the rates together; the processor time of
//! each server per request does not count it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use ent_backoffice::access::SessionRules;
use ent_backoffice::access::sessions::{self, Origin};
use ent_backoffice::app::App;
use ent_backoffice::kernel::{Clock, Ids, Role};

use crate::base::{Base, Kind, World, YEAR, key, on, open, person, settings};
use crate::documents::{Process, on_two_cores, program};
use crate::load::{Answered, ask, get};
use crate::measure::{load, median, process_cpu, verdict};
use crate::rows::{self, Value};

const CONNECTIONS: usize = 8;
const TIME: Duration = Duration::from_secs(3);
const CONVENTIONS: &str = "/api/v1/conventions?campaign=2025-2026&limit=50";
const PARTICIPATIONS: &str = "/api/v1/campaigns/2025-2026/participations?limit=50";

/// One measure of one server.
struct Measure {
    answered: Answered,
    /// Microseconds of processor per request.
    cpu: f64,
}

/// What one answer costs the program: processor and median wait.
struct Cost {
    name: &'static str,
    cpu: f64,
    p50: f64,
}

pub fn run(kind: Kind, runs: usize, sizes: &[usize]) {
    let costs: Vec<Vec<Cost>> = sizes.iter().map(|copies| on_size(kind, runs, *copies)).collect();
    let [small, large] = &costs[..] else { return };
    println!("\n{}, from one Occitanie to {}\n\n| | CPU | p50 | target |\n|---|---|---|---|", kind.name(), sizes[1]);
    for (one, many) in small.iter().zip(large) {
        let grown = many.cpu / one.cpu;
        println!(
            "| {} | × **{grown:.2}** | × {:.2} | ≤ × 1.2: {} |",
            one.name,
            many.p50 / one.p50,
            verdict(grown <= 1.2)
        );
    }
}

fn on_size(kind: Kind, runs: usize, copies: usize) -> Vec<Cost> {
    let base = Base::new(kind);
    let world = World::of(&base, copies);
    world.advance(YEAR.len());
    drop(world);
    let key = key();
    let token = token(&base, key.path());
    // From the middle of the campaign.
    let middle = "SELECT id FROM conventions ORDER BY number LIMIT 200 OFFSET 1000";
    let ids: Vec<String> = on(&open(&base.url), |c| rows::read(c, middle))
        .iter()
        .map(|row| match &row[0] {
            Value::Text(id) => id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    let conventions: Vec<String> = ids.iter().map(|id| format!("/api/v1/conventions/{id}")).collect();
    let participations: Vec<String> = ids.iter().map(|id| format!("/api/v1/conventions/{id}/participation")).collect();
    let asked = [
        ("one convention", conventions),
        ("one participation", participations),
        ("a list of 50 conventions", vec![CONVENTIONS.to_owned()]),
        ("a list of 50 participations", vec![PARTICIPATIONS.to_owned()]),
    ];
    let all: Vec<String> = asked.iter().flat_map(|(_, addresses)| addresses.clone()).collect();

    let (ours, our_port) = shipped(&base, key.path());
    let (bare, bare_port, counts) = bare(&base, key.path(), &token, &all);
    println!(
        "\n{} by HTTP, {} conventions ({CONNECTIONS} connections, median of {runs} alternated runs of {} s, load generator on the same cores; load {})\n\n\
         | | statements | bytes | ent-backoffice req/s | bare actix req/s | ratio | CPU µs per request | p50 ms | p99 ms | target |\n\
         |---|---|---|---|---|---|---|---|---|---|",
        kind.name(),
        2386 * copies,
        TIME.as_secs(),
        load(),
    );
    let mut costs = Vec::new();
    let mut before = 0;
    for (name, addresses) in &asked {
        let statements = counts[before];
        before += addresses.len();
        let bytes = |port| get(port, &addresses[0], &token).len();
        let bytes = [bytes(our_port), bytes(bare_port)];
        let (mut subject, mut floor) = (Vec::new(), Vec::new());
        for port in [our_port, bare_port] {
            ask(port, addresses, &token, CONNECTIONS, Duration::from_millis(500));
        }
        for rank in 0..runs {
            for first in [rank % 2 == 0, rank % 2 != 0] {
                let (side, process, port) =
                    if first { (&mut subject, &ours, our_port) } else { (&mut floor, &bare, bare_port) };
                let cpu = process_cpu(process.0.id());
                let answered = ask(port, addresses, &token, CONNECTIONS, TIME);
                let cpu = process_cpu(process.0.id()) - cpu;
                side.push(Measure { cpu: cpu.as_secs_f64() * 1e6 / answered.requests as f64, answered });
            }
        }
        let of = |side: &[Measure], what: fn(&Measure) -> f64| median(side.iter().map(what));
        let both = |what: fn(&Measure) -> f64| (of(&subject, what), of(&floor, what));
        let (rate, bare_rate) = both(|m| m.answered.per_second);
        let (cpu, bare_cpu) = both(|m| m.cpu);
        let (p50, bare_p50) = both(|m| m.answered.median);
        let (p99, bare_p99) = both(|m| m.answered.percentile_99);
        println!(
            "| {name} | {statements} | {} / {} | {rate:.0} | {bare_rate:.0} | **{:.0} %** | {cpu:.0} / {bare_cpu:.0} | \
             {p50:.1} / {bare_p50:.1} | {p99:.1} / {bare_p99:.1} | ≥ 70 %: {} |",
            bytes[0],
            bytes[1],
            100.0 * rate / bare_rate,
            verdict(rate >= 0.7 * bare_rate),
        );
        costs.push(Cost { name, cpu, p50 });
    }
    costs
}

fn token(base: &Base, key: &Path) -> String {
    let app = App::build(settings(&base.url, key), Clock::system(), Ids::default()).unwrap();
    let user = person(&app, Role::Lecteur);
    let rules = SessionRules { refresh_token_days: 14, session_days: 30 };
    let opened = app.db.write(|tx| sessions::open(tx, rules, &user, Origin::default())).unwrap();
    app.tokens.issue(&opened.bearer).unwrap()
}

/// The program as shipped.
fn shipped(base: &Base, key: &Path) -> (Process, u16) {
    // Freed at once: nobody else asks for ports in between.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("127.0.0.1:{port}");
    let child = Process(program(base, key, &["serve", "--no-worker", "--listen", &address]).spawn().unwrap());
    let patience = Instant::now();
    while std::net::TcpStream::connect(&address).is_err() {
        assert!(patience.elapsed() < Duration::from_secs(60), "ent-backoffice serve does not serve");
        std::thread::sleep(Duration::from_millis(50));
    }
    (child, port)
}

/// The bare server; how many statements each address costs.
fn bare(base: &Base, key: &Path, token: &str, addresses: &[String]) -> (Process, u16, Vec<usize>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&serde_json::to_vec(addresses).unwrap()).unwrap();
    let exe = std::env::current_exe().unwrap();
    let mut child = on_two_cores(exe.to_str().unwrap())
        .args(["bare-http", &base.url, key.to_str().unwrap(), token, file.path().to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let (port, counts) = serde_json::from_str(&line).expect("the bare server does not start");
    (Process(child), port, counts)
}
