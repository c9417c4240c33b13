//! The sources of the program, for the tests that read them.

use std::path::Path;

use ent_backoffice::app;

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
pub fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

pub fn room(path: &str) -> &str {
    let first = path.split('/').next().unwrap();
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Left never imports right: the floor under the rooms, then the rooms as the program lists them.
pub fn order() -> Vec<&'static str> {
    let floor = ["kernel", "platform", "audit", "capability"];
    floor.into_iter().chain(app::rooms().iter().map(|room| room.name)).collect()
}
