//! `make bench`: what the program costs beside the barest thing that would do the same.
//!
//! ```text
//!   acts        import, issue, prepare, approve, seal     beside   the same rows by bare batched SQL
//!   documents   ent-backoffice work                       beside   Typst alone, same template and inputs
//!   reading     ent-backoffice serve                      beside   a bare actix handler, same token and SQL
//!   nation      the same on seven Occitanies, and how much longer each answer takes there
//!   idle        memory of the demonstration, 30 s after it began to serve
//! ```
//! Always ratios, on the same machine, server and minute: figures of one machine say little about another.
//! `make bench ARGS="acts sqlite 9"` chooses parts, databases and how many runs. It fails when the two sides did not
//! do the same, never because something was slow.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    clippy::as_conversions,
    reason = "a benchmark stops at the first surprise, and its figures are no amounts"
)]

mod acts;
mod bare_http;
mod base;
mod documents;
mod idle;
mod load;
mod measure;
mod nation;
mod reading;
mod rows;
mod typst_alone;

use std::path::Path;

use base::Kind;

const PARTS: [&str; 5] = ["acts", "documents", "reading", "nation", "idle"];

fn main() {
    // Cargo adds --bench.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words[..] {
        ["typst-alone", order, threads] => return typst_alone::serve(Path::new(order), threads.parse().unwrap()),
        ["bare-http", url, key, token, addresses] => {
            return bare_http::serve(url, Path::new(key), token, Path::new(addresses));
        }
        _ => {}
    }
    let known =
        |word: &&str| PARTS.contains(word) || ["sqlite", "postgres"].contains(word) || word.parse::<usize>().is_ok();
    if let Some(unknown) = words.iter().find(|word| !known(word)) {
        eprintln!(
            "« {unknown} »: parts are {}; databases sqlite, postgres; a number is how many runs",
            PARTS.join(", ")
        );
        std::process::exit(64);
    }
    let chosen = |part: &str| words.contains(&part) || !words.iter().any(|word| PARTS.contains(word));
    let kinds: Vec<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| {
            let name = if *kind == Kind::Sqlite { "sqlite" } else { "postgres" };
            words.contains(&name) || !words.iter().any(|word| ["sqlite", "postgres"].contains(word))
        })
        .collect();
    let runs = |usual: usize| words.iter().find_map(|word| word.parse().ok()).unwrap_or(usual).max(1);
    for kind in kinds {
        if chosen("acts") {
            acts::run(kind, runs(5));
        }
        if chosen("documents") {
            documents::run(kind, runs(3));
        }
        if chosen("reading") {
            reading::run(kind, runs(3), &[1]);
        }
        if chosen("nation") {
            reading::run(kind, runs(3), &[1, nation::COPIES]);
        }
    }
    if chosen("idle") {
        idle::run();
    }
}
