//! The house's rules, read from the source: who imports whom, and where databases, HTTP, clock and chance are touched.

use std::path::Path;

use crate::support::sources::{code, order, room, sources};

/// These may import everything, and only each other may import them.
const OUTSIDE: &[&str] = &["app", "cli", "config", "demo", "main", "lib"];

/// Top-level modules named in the code after `crate::`, groups in braces included.
fn imports(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let all: String = code(text).map(|(n, line)| format!("\u{1}{n}\u{1}{line}\n")).collect();
    let line_of = |at: usize| -> usize {
        let before = &all[..at];
        let end = before.rfind('\u{1}').unwrap();
        let start = before[..end].rfind('\u{1}').unwrap();
        before[start + 1..end].parse().unwrap()
    };
    for (at, _) in all.match_indices("crate::") {
        let rest = &all[at + "crate::".len()..];
        let names: Vec<&str> = if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 1;
            let end = group
                .find(|c: char| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    depth == 0
                })
                .unwrap();
            group[..end].split(',').collect()
        } else {
            vec![rest]
        };
        for name in names {
            let name = name.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{1}' || c.is_ascii_digit());
            let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
            found.push((line_of(at), name[..end].to_owned()));
        }
    }
    found
}

/// Every test file: path below `tests/it`, text.
fn tests() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let files = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: std::path::PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(if path.is_dir() { path.join("mod.rs") } else { path }).ok()?;
        Some((name, text))
    };
    let found: Vec<_> = files.filter_map(read).filter(|(name, _)| name != "support").collect();
    assert!(found.len() > 30, "the tests were not found");
    found
}

#[test]
fn no_test_file_uses_another() {
    let mut wrong = Vec::new();
    for (name, text) in tests() {
        for (n, line) in code(&text) {
            let mut rest = line;
            while let Some((_, after)) = rest.split_once("crate::") {
                if !after.starts_with("support::") && !rest.contains("$crate::") {
                    wrong.push(format!("{name}:{n}: {line}"));
                }
                rest = after;
            }
        }
    }
    // Their own readers of sources are tried on made-up ones.
    let readers = ["architecture.rs", "circles.rs", "ownership.rs"];
    wrong.retain(|line| !readers.iter().any(|name| line.starts_with(name)));
    assert!(wrong.is_empty(), "what two tests need stands in `support`: {wrong:#?}");
}

#[test]
fn tests_bring_nothing_to_a_state_by_hand() {
    // Those that try it to see it refused.
    let falsifiers =
        ["falsified.rs", "frozen.rs", "journal.rs", "lifecycles.rs", "architecture.rs", "batches.rs", "unreadable.rs"];
    let mut wrong = Vec::new();
    for (name, text) in tests() {
        for (n, line) in code(&text).filter(|_| !falsifiers.contains(&name.as_str())) {
            let moves = ["conventions", "perception_titles", "small_claim_decisions", "accounting_batch_progress"]
                .iter()
                .any(|table| line.contains(&format!("UPDATE {table} SET state")));
            if moves {
                wrong.push(format!("{name}:{n}: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "the verbs of `support::year` bring things to a state: {wrong:#?}");
}

#[test]
fn the_reader_of_imports_reads_groups_and_paths() {
    let text = "use crate::{access, kernel};\n// crate::titles\nfn f() { crate::audit::record(); }\nuse crate::platform::{\n    Tx,\n};\n";
    let read: Vec<(usize, String)> = imports(text);
    let expected = [(1, "access"), (1, "kernel"), (3, "audit"), (4, "platform")];
    assert_eq!(read, expected.map(|(n, name)| (n, name.to_owned())));
}

#[test]
fn left_never_imports_right() {
    let order = order();
    let rank = |name: &str| order.iter().position(|r| *r == name);
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let here = room(&path);
        if OUTSIDE.contains(&here) {
            continue;
        }
        let mine = rank(here).unwrap_or_else(|| panic!("src/{path}: « {here} » has no place in the import order"));
        for (line, name) in imports(&text) {
            // Names that are no module are macros of the crate.
            if OUTSIDE.contains(&name.as_str()) || rank(&name).is_some_and(|theirs| theirs > mine) {
                broken.push(format!("src/{path}:{line} imports {name}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn nobody_imports_the_composition_root() {
    for (path, text) in sources() {
        let may = ["main", "cli", "demo", "app"].contains(&room(&path));
        assert!(may || imports(&text).iter().all(|(_, name)| name != "app"), "src/{path} imports app");
    }
}

fn nowhere_but(words: &[&str], allowed: impl Fn(&str, &str) -> bool) {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let file = path.rsplit('/').next().unwrap().to_owned();
        if allowed(&path, &file) {
            continue;
        }
        for (line, text) in code(&text) {
            // A capability's `routes` names the type it is mounted on, which speaks no HTTP.
            let text = text.replace("utoipa_actix_web", "");
            if let Some(word) = words.iter().find(|word| text.contains(**word)) {
                broken.push(format!("src/{path}:{line} has {word}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn queries_are_written_in_stores() {
    // Newtypes of the kernel and the error type know diesel's traits, and query nothing.
    let types = ["kernel/text.rs", "kernel/ids.rs", "kernel/clock.rs", "kernel/money.rs", "platform/error.rs"];
    nowhere_but(&["diesel::"], |path, file| {
        file.starts_with("store") || path.starts_with("platform/db/") || types.contains(&path)
    });
}

#[test]
fn http_is_spoken_at_the_edge() {
    nowhere_but(&["actix_web", "actix_multipart", "HttpRequest", "HttpResponse"], |path, file| {
        file.starts_with("http")
            || file.starts_with("pages")
            || path.starts_with("platform/web/")
            || path.starts_with("app")
    });
}

/// A change of the wire changes nothing that is stored or done: what the rooms know, and what they are told to do, has
/// names and shapes of its own.
#[test]
fn requests_are_known_at_the_edge_only() {
    let declares = regex::Regex::new(r"\b(?:struct|enum|type) (\w*Request)\b").unwrap();
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let file = path.rsplit('/').next().unwrap();
        if file.starts_with("http") || file.starts_with("views") || path.starts_with("platform/web/") {
            continue;
        }
        for found in declares.captures_iter(&text) {
            // The shape that all acts in number share: which things, and whether it is a trial.
            if &found[1] != "BulkRequest" {
                broken.push(format!("src/{path} declares {}", &found[1]));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn time_and_chance_have_one_door() {
    nowhere_but(&["Utc::now", "Local::now", "SystemTime", "now_v7", "new_v4", "rand::"], |path, _| {
        path == "kernel/clock.rs"
    });
    nowhere_but(&["std::env::", "env::var", "from_default_env"], |path, _| path.starts_with("config/"));
}

#[test]
fn a_long_file_says_why_it_is_long() {
    for (path, text) in sources().into_iter().filter(|(_, text)| !text.is_empty()) {
        let story: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(!story.is_empty(), "src/{path} opens without its story (//!)");
        let lines = text.lines().count();
        assert!(
            lines <= 400 || story.contains("400 lines"),
            "src/{path} has {lines} lines and its story does not say why"
        );
    }
}
