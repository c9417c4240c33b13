//! Who uses which table, read from the source: one room writes it, and only rooms to its right read it.
//!
//! ```text
//!   schema.rs ──▶ tables        use …schema::{t as a}; a::table        reads and joins
//!                               insert_into(a::table), update(…), insert_batches!(tx, a::table, …), "UPDATE t …"   writes
//! ```
//! There is no list to keep: the owner of a table is the room that writes it. A macro given to other rooms opens no table by
//! itself, for whoever calls it would read it unseen.

use std::collections::{BTreeMap, BTreeSet};

use ent_backoffice::app;
use regex::Regex;

use crate::support::sources::{code, order, room, sources};

/// What a file does with tables.
#[derive(Debug, Default, PartialEq)]
struct Uses {
    named: BTreeSet<String>,
    written: BTreeSet<String>,
}

fn tables() -> BTreeSet<String> {
    let (_, schema) = sources().into_iter().find(|(path, _)| path == "platform/db/schema.rs").unwrap();
    let declared = Regex::new(r"(?m)^\s*(\w+) \([\w, ]+\) \{$").unwrap();
    let found: BTreeSet<String> = declared.captures_iter(&schema).map(|c| c[1].to_owned()).collect();
    assert!(found.len() > 40 && found.contains("perception_titles"), "{found:?}");
    found
}

fn uses(text: &str, tables: &BTreeSet<String>) -> Uses {
    let text: String = code(text).map(|(_, line)| format!("{line}\n")).collect();
    let mut found = Uses::default();
    let mut aliases: BTreeMap<String, String> = tables.iter().map(|t| (t.clone(), t.clone())).collect();
    let imported = Regex::new(r"schema::(?:\{([^}]*)\}|(\w+(?:\s+as\s+\w+)?))").unwrap();
    for import in imported.captures_iter(&text) {
        let names = import.get(1).or(import.get(2)).unwrap().as_str();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let mut words = name.split_whitespace();
            let table = words.next().unwrap().to_owned();
            if let Some(alias) = words.nth(1) {
                aliases.insert(alias.to_owned(), table.clone());
            }
            if tables.contains(&table) {
                found.named.insert(table);
            }
        }
    }
    let written = Regex::new(
        r"(?:insert_into|insert_or_ignore_into|replace_into|update|delete)\(\s*(\w+)(?:::table|\.)|insert_batches!\(\s*[\w.]+,\s*(\w+)::table",
    )
    .unwrap();
    for write in written.captures_iter(&text) {
        let name = write.get(1).or(write.get(2)).unwrap().as_str();
        if let Some(table) = aliases.get(name) {
            found.written.insert(table.clone());
        }
    }
    let sql = Regex::new(r"\b(FROM|JOIN|INTO|UPDATE|DELETE FROM)\s+(\w+)").unwrap();
    for words in sql.captures_iter(&text) {
        let table = words[2].to_owned();
        if tables.contains(&table) {
            if matches!(&words[1], "INTO" | "UPDATE" | "DELETE FROM") || text.contains(&format!("DELETE FROM {table}"))
            {
                found.written.insert(table.clone());
            }
            found.named.insert(table);
        }
    }
    found.named.extend(found.written.iter().cloned());
    found
}

#[test]
fn the_reader_of_tables_sees_imports_aliases_macros_and_raw_queries() {
    let tables = tables();
    let text = "use crate::platform::db::schema::{\n    conventions, perception_titles as titles,\n};\nuse super::schema::users as people;\n\
                // use crate::platform::db::schema::schools;\n\
                fn f() { insert_batches!(tx, titles::table, rows); diesel::update(people::table.find(id)); }\n\
                const A: &str = \"UPDATE campaigns SET x\";\nconst B: &str = \"SELECT 1 FROM enrolments e JOIN blobs b\";";
    let read = uses(text, &tables);
    let names = |list: &[&str]| list.iter().map(|&t| t.to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(read.written, names(&["campaigns", "perception_titles", "users"]));
    assert_eq!(read.named, names(&["blobs", "campaigns", "conventions", "enrolments", "perception_titles", "users"]));
}

#[test]
fn a_table_is_written_by_one_room_and_read_from_its_right() {
    let tables = tables();
    let mut writers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut readers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (path, text) in sources() {
        if path == "platform/db/schema.rs" {
            continue;
        }
        let found = uses(&text, &tables);
        for table in found.written {
            writers.entry(table).or_default().insert(room(&path).to_owned());
        }
        for table in found.named {
            readers.entry(table).or_default().insert(path.clone());
        }
    }
    let order = order();
    let rank = |room: &str| order.iter().position(|r| *r == room);
    let mut broken = Vec::new();
    for table in &tables {
        // What only a migration writes belongs to the one room that reads it.
        let reading = || readers.get(table).into_iter().flatten().map(|path| room(path).to_owned()).collect();
        let owners = writers.get(table).cloned().unwrap_or_else(reading);
        if owners.is_empty() {
            broken.push(format!("{table}: nobody uses it"));
            continue;
        }
        if owners.len() > 1 {
            broken.push(format!("{table}: belongs to {owners:?}"));
            continue;
        }
        let owner = owners.first().unwrap();
        for path in readers.get(table).into_iter().flatten() {
            if rank(room(path)) < rank(owner) {
                broken.push(format!("{table}, of {owner}: read from its left by src/{path}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn a_macro_given_to_others_opens_no_table_by_itself() {
    // What it names stands in the `use` lines of whoever calls it, where the reader sees it.
    for (path, text) in sources() {
        for exported in text.split("#[macro_export]").skip(1) {
            let body = exported.split("\n}").next().unwrap();
            assert!(!body.contains("db::schema"), "src/{path}: a macro opens tables that its callers do not name");
        }
    }
}

#[test]
fn no_web_type_is_known_below_http() {
    let named = Regex::new(r"platform::web|platform::\{[^;]*\bweb\b").unwrap();
    for (path, text) in sources() {
        let file = path.rsplit('/').next().unwrap();
        let may = file.starts_with("http")
            || file.starts_with("pages")
            || path.starts_with("platform/web/")
            // Names the settings of the edge.
            || ["app", "config"].contains(&room(&path));
        let text: String = code(&text).map(|(_, line)| format!("{line}\n")).collect();
        assert!(may || !named.is_match(&text), "src/{path} knows a type of the web");
    }
}

#[test]
fn each_room_that_gives_a_capability_is_in_the_one_list() {
    let listed: Vec<&str> = app::rooms().iter().map(|room| room.name).collect();
    let giving: BTreeSet<String> = sources()
        .into_iter()
        .filter(|(_, text)| text.contains("pub fn capability() -> Capability"))
        .map(|(path, _)| room(&path).to_owned())
        .collect();
    assert_eq!(listed.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>(), giving);
    // Whoever speaks HTTP of its own gives it through its capability.
    for (path, text) in sources() {
        let speaks = path.rsplit('/').next().unwrap().starts_with("http") && text.contains("#[utoipa::path(");
        assert!(!speaks || giving.contains(room(&path)), "src/{path}: its room gives no capability");
    }
}
