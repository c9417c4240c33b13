//! No circle joins two files of the source: each file stands on others, down to the kernel, and can be read alone once
//! those are known.
//!
//! Who needs whom is read from `use` lines and from paths in the code. A path is followed to the file that *defines*
//! what it names: `crate::room::Item` goes through the `pub use` of the room's `mod.rs`, which is a signpost: it
//! needs nobody, unless the code of `mod.rs` says the name itself. What `mod.rs` defines is its own. Tests are left out, and so are
//! methods: they come with their type.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::sources;

/// Steps that still go round, each with its reason. It only gets shorter: a step that is on no circle is refused here.
const KNOWN: &[(&str, &str, &str)] = &[
    ("app/openapi/answers.rs", "app/mod.rs", LISTS),
    ("app/openapi/mod.rs", "app/mod.rs", LISTS),
    ("app/problems.rs", "app/mod.rs", LISTS),
    ("app/health.rs", "app/openapi/mod.rs", TOOLS),
    ("app/metrics.rs", "app/openapi/mod.rs", TOOLS),
    ("app/problems.rs", "app/openapi/mod.rs", TOOLS),
    ("app/openapi/answers.rs", "app/openapi/mod.rs", TOOLS),
    ("app/openapi/examples.rs", "app/openapi/mod.rs", TOOLS),
    ("app/openapi/shapes.rs", "app/openapi/mod.rs", TOOLS),
    ("conventions/store.rs", "conventions/store_seals.rs", "what a seal covers is read with the row it covers"),
];
const LISTS: &str = "the lists of rooms stand in the composition root itself";
const TOOLS: &str = "what takes the document apart stands where it is put together";

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Sign(char),
    /// `::`
    Of,
}

/// The words and signs of a source, without comments, strings, characters, lifetimes and what only tests compile.
fn tokens(text: &str) -> Vec<Token> {
    let c: Vec<char> = text.chars().collect();
    let (mut found, mut at) = (Vec::new(), 0);
    let word = |c: char| c.is_alphanumeric() || c == '_';
    while at < c.len() {
        let next = c.get(at + 1).copied().unwrap_or(' ');
        match c[at] {
            '/' if next == '/' => at += c[at..].iter().position(|c| *c == '\n').unwrap_or(c.len() - at),
            '"' => {
                at += 1;
                while c[at] != '"' {
                    at += if c[at] == '\\' { 2 } else { 1 };
                }
                at += 1;
            }
            'r' if next == '"' || next == '#' && c.get(at + 2).is_some_and(|c| *c == '"' || *c == '#') => {
                let hashes = c[at + 1..].iter().take_while(|c| **c == '#').count();
                let end: String = format!("\"{}", "#".repeat(hashes));
                let rest: String = c[at + 2 + hashes..].iter().collect();
                at += 2 + hashes + rest[..rest.find(&end).unwrap()].chars().count() + end.len();
            }
            '\'' if next == '\\' => at += 3 + c[at + 3..].iter().position(|c| *c == '\'').unwrap(),
            '\'' if c.get(at + 2) == Some(&'\'') => at += 3,
            '\'' => at += 1 + c[at + 1..].iter().take_while(|c| word(**c)).count(),
            ':' if next == ':' => {
                found.push(Token::Of);
                at += 2;
            }
            first if word(first) => {
                let end = at + c[at..].iter().take_while(|c| word(**c)).count();
                found.push(Token::Word(c[at..end].iter().collect()));
                at = end;
            }
            space if space.is_whitespace() => at += 1,
            sign => {
                found.push(Token::Sign(sign));
                at += 1;
            }
        }
    }
    untested(found)
}

/// Leaves out each item under `#[cfg(test)]`.
fn untested(all: Vec<Token>) -> Vec<Token> {
    let is = |at: usize, text: &str| matches!(all.get(at), Some(Token::Word(w)) if w == text);
    let sign = |at: usize, s: char| all.get(at) == Some(&Token::Sign(s));
    let mut drop = vec![false; all.len()];
    for at in 0..all.len() {
        if !(sign(at, '#') && is(at + 2, "cfg") && is(at + 4, "test") && sign(at + 5, ')')) {
            continue;
        }
        let mut end = at + 7;
        // Other attributes, then the item as far as its semicolon or its last brace.
        while !(sign(end, ';') || sign(end, '{')) {
            end += 1;
        }
        let mut depth = 0;
        while end < all.len() {
            depth += i32::from(sign(end, '{')) - i32::from(sign(end, '}'));
            if depth == 0 {
                break;
            }
            end += 1;
        }
        drop[at..=end.min(all.len() - 1)].fill(true);
    }
    all.into_iter().zip(drop).filter(|(_, drop)| !drop).map(|(t, _)| t).collect()
}

type Names = Vec<String>;

/// One name that a `use` brings: `*` for all of a module's.
#[derive(Debug)]
struct Brought {
    name: String,
    path: Names,
    /// `pub use`: a signpost.
    public: bool,
}

#[derive(Debug)]
struct Source {
    path: String,
    module: Names,
    uses: Vec<Brought>,
    /// Paths in the code, outside of `use`.
    paths: Vec<Names>,
    /// Every word outside of `use`: a signpost whose name the file itself says is a need, too.
    words: BTreeSet<String>,
    defines: BTreeSet<String>,
}

/// Reads the tree of a `use`, from the token after it; gives where it ends.
fn tree(t: &[Token], mut at: usize, before: &Names, public: bool, found: &mut Vec<Brought>) -> usize {
    let mut path = before.clone();
    loop {
        match &t[at] {
            Token::Word(word) if word == "as" => {
                if let (Token::Word(name), Some(last)) = (&t[at + 1], found.last_mut()) {
                    last.name.clone_from(name);
                }
                at += 2;
            }
            Token::Word(word) => {
                path.push(word.clone());
                at += 1;
                if t[at] != Token::Of {
                    // `a::{self}` brings `a`.
                    if word == "self" && path.len() > 1 {
                        path.pop();
                    }
                    let name = path.last().unwrap().clone();
                    found.push(Brought { name, path: path.clone(), public });
                }
            }
            Token::Of => at += 1,
            Token::Sign('*') => {
                found.push(Brought { name: "*".into(), path: path.clone(), public });
                at += 1;
            }
            Token::Sign('{') => {
                at += 1;
                while t[at] != Token::Sign('}') {
                    at = tree(t, at, &path, public, found);
                    if t[at] == Token::Sign(',') {
                        at += 1;
                    }
                }
                at += 1;
            }
            Token::Sign(_) => return at,
        }
    }
}

fn read(path: &str, text: &str) -> Source {
    let t = tokens(text);
    let stem = path.strip_suffix(".rs").unwrap();
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    let module = if stem == "lib" { Names::new() } else { stem.split('/').map(str::to_owned).collect() };
    let (path, words) = (path.to_owned(), BTreeSet::new());
    let mut source = Source { path, module, uses: Vec::new(), paths: Vec::new(), words, defines: BTreeSet::new() };
    let mut at = 0;
    while at < t.len() {
        let Token::Word(word) = &t[at] else {
            at += 1;
            continue;
        };
        let after = t.get(at + 1);
        match word.as_str() {
            // `use<'_>` captures lifetimes and brings nothing.
            "use" if after != Some(&Token::Sign('<')) => {
                let before = at.checked_sub(1).map(|before| &t[before]);
                let public = match before {
                    Some(Token::Word(word)) => word == "pub",
                    other => other == Some(&Token::Sign(')')),
                };
                at = tree(&t, at + 1, &Names::new(), public, &mut source.uses);
                continue;
            }
            "struct" | "enum" | "fn" | "trait" | "type" | "const" | "static" | "union" => {
                if let Some(Token::Word(name)) = after {
                    source.defines.insert(name.clone());
                }
            }
            "macro_rules" => {
                if let Some(Token::Word(name)) = t.get(at + 2) {
                    source.defines.insert(format!("{name}!"));
                }
            }
            _ => {}
        }
        source.words.insert(word.clone());
        let free = at == 0 || t[at - 1] != Token::Of && t[at - 1] != Token::Sign('.');
        if free && after == Some(&Token::Of) {
            let mut path = vec![word.clone()];
            while let (Some(Token::Of), Some(Token::Word(next))) = (t.get(at + 1), t.get(at + 2)) {
                path.push(next.clone());
                at += 2;
            }
            source.paths.push(path);
        }
        at += 1;
    }
    source
}

/// All files, and how names lead from one to the other.
struct House {
    sources: Vec<Source>,
    by_module: BTreeMap<Names, usize>,
    macros: BTreeMap<String, usize>,
}

/// Where a path leads.
#[derive(Clone, Debug)]
enum Place {
    Module(usize),
    Item(usize),
}

impl House {
    fn build(files: Vec<(String, String)>) -> Self {
        let test = |path: &str| path.ends_with("/tests.rs") || path.ends_with("_tests.rs");
        let sources: Vec<Source> =
            files.iter().filter(|(path, _)| !test(path)).map(|(path, text)| read(path, text)).collect();
        let by_module = sources.iter().enumerate().map(|(n, s)| (s.module.clone(), n)).collect();
        let macros = sources
            .iter()
            .enumerate()
            .flat_map(|(n, s)| s.defines.iter().filter_map(move |d| Some((d.strip_suffix('!')?.to_owned(), n))))
            .collect();
        Self { sources, by_module, macros }
    }

    fn child(&self, of: usize, name: &str) -> Option<usize> {
        let mut module = self.sources[of].module.clone();
        module.push(name.to_owned());
        self.by_module.get(&module).copied()
    }

    /// Follows a path written in a file; none when it leaves the crate or names something of the file itself.
    fn follow(&self, from: usize, path: &[String], left: usize) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        if left == 0 {
            return None;
        }
        match first.as_str() {
            "crate" => self.walk(*self.by_module.get(&Names::new())?, rest, left),
            "self" => self.walk(from, rest, left),
            "super" => {
                let mut module = self.sources[from].module.clone();
                module.pop();
                let mut rest = rest;
                while rest.first().is_some_and(|r| r == "super") {
                    module.pop();
                    rest = &rest[1..];
                }
                self.walk(*self.by_module.get(&module)?, rest, left)
            }
            name => match self.child(from, name) {
                Some(module) => self.walk(module, rest, left),
                None => self.brought(from, name, rest, left),
            },
        }
    }

    /// From a module on.
    fn walk(&self, module: usize, path: &[String], left: usize) -> Option<Place> {
        let Some((name, rest)) = path.split_first() else { return Some(Place::Module(module)) };
        if let Some(child) = self.child(module, name) {
            return self.walk(child, rest, left);
        }
        if let Some(place) = self.brought(module, name, rest, left) {
            return Some(place);
        }
        if self.sources[module].module.is_empty() {
            return self.macros.get(name).map(|n| Place::Item(*n));
        }
        Some(Place::Item(module))
    }

    /// Through the `use` lines of a file.
    fn brought(&self, file: usize, name: &str, rest: &[String], left: usize) -> Option<Place> {
        for brought in &self.sources[file].uses {
            if brought.name == name && brought.path.first().is_some_and(|first| first != name || brought.path.len() > 1)
            {
                let path: Names = brought.path.iter().chain(rest).cloned().collect();
                return self.follow(file, &path, left - 1);
            }
            if brought.name == "*"
                && let Some(Place::Module(module)) = self.follow(file, &brought.path, left - 1)
                && self.sources[module].defines.contains(name)
            {
                return Some(Place::Item(module));
            }
        }
        None
    }

    /// What each file needs, and by which words.
    fn needs(&self) -> BTreeMap<(usize, usize), String> {
        let mut needs = BTreeMap::new();
        for (n, source) in self.sources.iter().enumerate() {
            let said = |u: &&Brought| u.name != "*" && (!u.public || source.words.contains(&u.name));
            let uses = source.uses.iter().filter(said).map(|u| &u.path);
            for path in uses.chain(&source.paths) {
                // A module that is named and nothing of it: its uses say what is needed of it.
                if let Some(Place::Item(other)) = self.follow(n, path, 8)
                    && other != n
                {
                    needs.entry((n, other)).or_insert_with(|| path.join("::"));
                }
            }
        }
        needs
    }
}

/// Which files can be reached from each.
fn circles(count: usize, steps: &BTreeSet<(usize, usize)>) -> Vec<Vec<usize>> {
    let mut onward: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (from, to) in steps {
        onward.entry(*from).or_default().push(*to);
    }
    let reach: Vec<BTreeSet<usize>> = (0..count)
        .map(|from| {
            let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
            while let Some(at) = todo.pop() {
                todo.extend(
                    onward
                        .get(&at)
                        .into_iter()
                        .flatten()
                        .filter(|next| seen.insert(**next))
                        .copied()
                        .collect::<Vec<_>>(),
                );
            }
            seen
        })
        .collect();
    let mut found: Vec<Vec<usize>> = Vec::new();
    for from in 0..count {
        let ring: Vec<usize> = (0..count).filter(|to| reach[from].contains(to) && reach[*to].contains(&from)).collect();
        if !ring.is_empty() && !found.contains(&ring) {
            found.push(ring);
        }
    }
    found
}

fn told(house: &House, needs: &BTreeMap<(usize, usize), String>, known: &[(&str, &str, &str)]) -> Vec<String> {
    let path = |n: &usize| house.sources[*n].path.as_str();
    let excused = |(from, to): &(usize, usize)| known.iter().any(|(f, t, _)| (*f, *t) == (path(from), path(to)));
    let steps = needs.keys().filter(|step| !excused(step)).copied().collect();
    let mut broken = Vec::new();
    for ring in circles(house.sources.len(), &steps) {
        let steps = needs.iter().filter(|(step, _)| ring.contains(&step.0) && ring.contains(&step.1) && !excused(step));
        let steps: Vec<String> =
            steps.map(|((from, to), by)| format!("  src/{} needs src/{} ({by})", path(from), path(to))).collect();
        broken.push(format!("a circle of {} files:\n{}", ring.len(), steps.join("\n")));
    }
    let all = circles(house.sources.len(), &needs.keys().copied().collect());
    for (from, to, _) in known {
        let round = |ring: &Vec<usize>| [from, to].iter().all(|f| ring.iter().any(|n| path(n) == **f));
        let there = needs.keys().any(|(a, b)| (path(a), path(b)) == (*from, *to));
        if !there || !all.iter().any(round) {
            broken.push(format!("src/{from} → src/{to} goes round no more: take it off the list"));
        }
    }
    broken
}

#[test]
fn no_circle_joins_two_files() {
    let house = House::build(sources());
    let needs = house.needs();
    assert!(needs.len() > house.sources.len(), "the needs of files were not read");
    let broken = told(&house, &needs, KNOWN);
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_reader_of_needs_follows_names_to_their_file() {
    let files = [
        ("lib.rs", "pub mod low; pub mod room;"),
        ("low.rs", "#[macro_export] macro_rules! made { () => {} }\npub struct Low; // crate::room::Title"),
        (
            "room/mod.rs",
            "mod acts; mod store; mod title;\npub use title::{Title, State as Stage};\npub struct Own;\n\
             pub fn routes() { acts::go(); }",
        ),
        (
            "room/title.rs",
            "use crate::low::Low; pub struct Title; pub enum State {}\n\
             #[cfg(test)] mod tests { use super::super::acts::go; }",
        ),
        (
            "room/store.rs",
            "use super::{Title, store_more as _}; use crate::made;\nfn f<'a>() -> &'a str { \"super::Own\" }",
        ),
        (
            "room/acts.rs",
            "use super::store; pub fn go() { store::f(); let _: super::Stage; x.map(crate::room::Own::new) }",
        ),
    ];
    let house = House::build(files.map(|(p, t)| (p.to_owned(), t.to_owned())).to_vec());
    let needs = house.needs();
    let name = |n: usize| house.sources[n].path.as_str();
    let read: Vec<(&str, &str)> = needs.keys().map(|(a, b)| (name(*a), name(*b))).collect();
    let expected = [
        ("room/mod.rs", "room/acts.rs"),
        ("room/title.rs", "low.rs"),
        ("room/store.rs", "low.rs"),
        ("room/store.rs", "room/mod.rs"),
        ("room/store.rs", "room/title.rs"),
        ("room/acts.rs", "room/mod.rs"),
        ("room/acts.rs", "room/store.rs"),
        ("room/acts.rs", "room/title.rs"),
    ];
    let sorted = |mut all: Vec<(&str, &str)>| {
        all.sort_unstable();
        all.iter().map(|(a, b)| format!("{a} {b}")).collect::<Vec<_>>()
    };
    assert_eq!(sorted(read), sorted(expected.to_vec()));
    let told = told(&house, &needs, &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("src/room/mod.rs needs src/room/acts.rs (acts::go)"), "{told:?}");
    let excused =
        self::told(&house, &needs, &[("room/acts.rs", "room/mod.rs", "why"), ("low.rs", "room/mod.rs", "why")]);
    assert_eq!(excused.len(), 2, "{excused:?}");
    assert!(excused[0].starts_with("a circle of 3 files"), "{excused:?}");
    assert!(excused[1].starts_with("src/low.rs → src/room/mod.rs goes round no more"), "{excused:?}");
}
