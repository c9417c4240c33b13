//! The house's rules, read from the source: who imports whom, and where databases, HTTP, clock and chance are touched.

use std::path::Path;

/// Left never imports right.
const ORDER: &[&str] = &[
    "kernel",
    "platform",
    "audit",
    "access",
    "tasks",
    "acts",
    "registry",
    "campaigns",
    "conventions",
    "invitations",
    "claims",
    "titles",
    "accounting",
    "reminders",
    "portal",
    "oversight",
];
/// These may import everything, and only each other may import them.
const OUTSIDE: &[&str] = &["app", "cli", "config", "demo", "main", "lib"];

/// Every source file: path below `src`, text.
pub fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort();
    assert!(found.len() > 30, "the sources were not found");
    found
}

/// Lines of code, numbered; comments left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn room(path: &str) -> &str {
    let first = path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

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

#[test]
fn the_reader_of_imports_reads_groups_and_paths() {
    let text = "use crate::{access, kernel};\n// crate::titles\nfn f() { crate::audit::record(); }\nuse crate::platform::{\n    Tx,\n};\n";
    let read: Vec<(usize, String)> = imports(text);
    let expected = [(1, "access"), (1, "kernel"), (3, "audit"), (4, "platform")];
    assert_eq!(read, expected.map(|(n, name)| (n, name.to_owned())));
}

#[test]
fn left_never_imports_right() {
    let rank = |name: &str| ORDER.iter().position(|r| *r == name);
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
            || path == "access/permission.rs"
    });
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
