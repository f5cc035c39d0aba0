//! The map of the project is true: modules and crates depend on each other in one
//! direction, `docs/ARCHITECTURE.md` names all of them and nothing that is not
//! there, and every file is short enough to be read.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;
use toml::Table;

/// The most lines of a source file.
const MOST_LINES: usize = 400;

/// Kinds of files that people write and read as programs.
const SOURCES: [&str; 6] = ["rs", "lua", "sql", "ts", "js", "css"];

/// Folders of what is built or fetched.
const FOREIGN: [&str; 4] = ["target", "node_modules", "results", "peers"];

/// What any crate below `crates/` may be built on.
const FOUNDATIONS: [&str; 2] = ["atelier-api", "atelier-store"];

/// What single crates may be built on besides.
const FURTHER: [(&str, &str); 4] = [
    ("atelier-access", "atelier-limit"),
    ("atelier-cache", "atelier-encoder"),
    ("atelier-restore", "atelier-photo"),
    ("atelier-sketch", "atelier-photo"),
];

/// Which files of a module use which other module.
type Edges = BTreeMap<(String, String), BTreeSet<PathBuf>>;

fn root() -> PathBuf {
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    server.parent().unwrap().to_owned()
}

/// The files below a folder whose names end like this, without what is built or fetched.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !FOREIGN.contains(&name.as_str()) {
                found.extend(files(&path, endings));
            }
        } else if endings.iter().any(|end| name.ends_with(&format!(".{end}"))) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The names of the modules that `server/src/lib.rs` declares.
fn modules() -> BTreeSet<String> {
    let library = fs::read_to_string(root().join("server/src/lib.rs")).unwrap();
    let declared = Regex::new(r"(?m)^(?:pub(?:\(crate\))? )?mod (\w+);").unwrap();
    let names = declared.captures_iter(&library);
    names.map(|found| found[1].to_owned()).collect()
}

/// A file's code without its comments and without what is compiled for tests alone.
fn code(source: &str) -> String {
    let comment = Regex::new(r"//[^\n]*").unwrap();
    let mut in_test = false;
    let mut kept = String::new();
    for line in source.lines() {
        in_test |= line == "#[cfg(test)]";
        if !in_test {
            kept.push_str(&comment.replace(line, ""));
            kept.push('\n');
        }
        // rustfmt leaves the end of an item at the margin.
        let ends = line == "}" || (line.ends_with(';') && !line.starts_with([' ', '#']));
        in_test &= !ends;
    }
    kept
}

/// The first names of paths that begin at the crate's root: `crate::a::b` and
/// `crate::{a, b::c}` name `a` and `b`. `depth` is how many `super` lead there.
fn named(code: &str, depth: usize) -> BTreeSet<String> {
    let code = code.replace(&"super::".repeat(depth), "crate::");
    let word = Regex::new(r"^\s*(\w+)").unwrap();
    let first = |text: &str| word.captures(text).map(|found| found[1].to_owned());
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(members(group).into_iter().filter_map(first)),
            None => names.extend(first(rest)),
        }
    }
    names
}

/// The members of a group, which begins behind its brace.
fn members(group: &str) -> Vec<&str> {
    let (mut depth, mut from, mut found) = (0, 0, Vec::new());
    for (at, letter) in group.char_indices() {
        match (letter, depth) {
            ('{', _) => depth += 1,
            (',', 0) => {
                found.push(&group[from..at]);
                from = at + 1;
            }
            ('}', 0) => {
                found.push(&group[from..at]);
                break;
            }
            ('}', _) => depth -= 1,
            _ => {}
        }
    }
    found
}

/// How the top-level modules of the server use each other.
fn edges() -> Edges {
    let (source, modules) = (root().join("server/src"), modules());
    let mut edges = Edges::new();
    for file in files(&source, &["rs"]) {
        let path = file.strip_prefix(&source).unwrap().with_extension("");
        let mut parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        parts.retain(|part| part != "mod");
        let own = parts[0].clone().into_owned();
        if !modules.contains(&own) || parts.iter().any(|part| part == "tests") {
            continue;
        }
        let used = named(&code(&fs::read_to_string(&file).unwrap()), parts.len());
        for other in used.into_iter().filter(|name| modules.contains(name)) {
            if other != own {
                let users = edges.entry((own.clone(), other)).or_default();
                users.insert(path.clone());
            }
        }
    }
    edges
}

/// Those that lie in circles, or between two of them.
fn circles(mut edges: Edges) -> Edges {
    loop {
        let before = edges.len();
        let used: BTreeSet<_> = edges.keys().map(|(_, used)| used.clone()).collect();
        edges.retain(|(user, _), _| used.contains(user));
        let users: BTreeSet<_> = edges.keys().map(|(user, _)| user.clone()).collect();
        edges.retain(|(_, used), _| users.contains(used));
        if edges.len() == before {
            return edges;
        }
    }
}

#[test]
fn the_modules_of_the_server_form_no_circle() {
    let edges = edges();
    assert!(edges.len() > 20, "only {} were found", edges.len());
    let circles = circles(edges);
    assert!(circles.is_empty(), "modules use each other: {circles:#?}");
}

#[test]
fn a_circle_is_found_in_groups_in_paths_and_by_super() {
    let source = "
use std::fmt; // crate::comment
use crate::{a::{x, y}, b};
fn f() { crate::c::g(super::d::Z); }
#[cfg(test)]
mod tests;
use crate::e;
#[cfg(test)]
mod more {
    use crate::f;
}
use crate::g;
";
    let names = named(&code(source), 1);
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "g"]);
    assert!(named("use super::super::a;", 2).contains("a"));
    assert!(named("use super::a;", 2).is_empty());
    let edge = |user: &str, used: &str| ((user.into(), used.into()), BTreeSet::new());
    let all = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")];
    let found = circles(
        all.into_iter()
            .map(|(user, used)| edge(user, used))
            .collect(),
    );
    let found: Vec<_> = found.into_keys().collect();
    assert_eq!(found, [edge("b", "c").0, edge("c", "b").0]);
}

fn manifest(folder: &Path) -> Table {
    let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}

/// The folders of our crates by name.
fn crates() -> BTreeMap<String, PathBuf> {
    let root = root();
    let mut folders: Vec<_> = ["app", "frontend", "later", "server", "xtask"]
        .map(|name| root.join(name))
        .into();
    for group in ["crates", "examples"] {
        let entries = fs::read_dir(root.join(group)).into_iter().flatten();
        folders.extend(entries.map(|entry| entry.unwrap().path()));
    }
    let named = folders.into_iter().map(|folder| {
        let name = manifest(&folder)["package"]["name"].clone();
        (name.as_str().unwrap().to_owned(), folder)
    });
    named.collect()
}

/// Whether a crate may be built on another of ours.
fn may_use(user: (&str, &Path), used: (&str, &Path)) -> bool {
    let lies_in = |folder: &Path, group| folder.parent().unwrap().ends_with(group);
    let ((user, folder), (used, other)) = (user, used);
    if lies_in(folder, "examples") {
        return lies_in(other, "crates");
    }
    if user != "atelier-app" && !lies_in(folder, "crates") {
        return true;
    }
    FOUNDATIONS.contains(&used) || FURTHER.contains(&(user, used))
}

#[test]
fn crates_are_built_on_the_foundations_alone() {
    let crates = crates();
    for (name, folder) in &crates {
        let manifest = manifest(folder);
        let needed = manifest.get("dependencies").and_then(|all| all.as_table());
        for other in needed.into_iter().flat_map(Table::keys) {
            let Some(place) = crates.get(other) else {
                continue;
            };
            let may = may_use((name, folder), (other, place));
            assert!(may, "{name} must not depend on {other}");
        }
    }
}

fn map() -> String {
    fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap()
}

/// What stands between backquotes.
fn quoted(text: &str) -> Vec<&str> {
    let code = Regex::new(r"`([^`\n]+)`").unwrap();
    let found = code.captures_iter(text);
    found.map(|found| found.get(1).unwrap().as_str()).collect()
}

#[test]
fn the_map_names_every_crate_and_every_module() {
    let text = map();
    let quoted = quoted(&text);
    for name in crates().into_keys() {
        assert!(quoted.contains(&name.as_str()), "{name} is not on the map");
    }
    for name in modules() {
        let (folder, file) = (
            format!("server/src/{name}"),
            format!("server/src/{name}.rs"),
        );
        let is_named = quoted.contains(&folder.as_str()) || quoted.contains(&file.as_str());
        assert!(is_named, "{folder} is not on the map");
    }
}

#[test]
fn what_the_map_names_is_there() {
    let (root, text) = (root(), map());
    // Paths are written from the root of the project; addresses begin with a slash.
    let path = Regex::new(r"^[\w.-]+(/[\w.-]+)+/?$|^[\w.-]+\.(rs|md|toml|lua|sql|ts|js|css)$");
    let path = path.unwrap();
    let quoted = quoted(&text).into_iter();
    let paths: Vec<_> = quoted.filter(|text| path.is_match(text)).collect();
    assert!(paths.len() > 40, "only {} were found", paths.len());
    for path in paths {
        assert!(
            root.join(path).exists(),
            "{path} is on the map, but not there"
        );
    }
    let link = Regex::new(r"\]\(([^)#]+)[^)]*\)").unwrap();
    for found in link.captures_iter(&text) {
        let there = found[1].starts_with("https://") || root.join("docs").join(&found[1]).exists();
        assert!(there, "the map leads to {}, which is not there", &found[1]);
    }
}

#[test]
fn functions_are_where_the_map_says() {
    let (root, text) = (root(), map());
    let place = Regex::new(r"`\w+::(\w+)`\s+in\s+`([^`]+)`").unwrap();
    let found: Vec<_> = place.captures_iter(&text).collect();
    assert!(found.len() > 1, "only {} were found", found.len());
    for place in found {
        let source = fs::read_to_string(root.join(&place[2])).unwrap();
        let is_there = source.contains(&format!("fn {}(", &place[1]));
        assert!(is_there, "{} is not in {}", &place[1], &place[2]);
    }
}

#[test]
fn what_operators_look_for_in_the_log_is_logged() {
    let operations = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let quoted = Regex::new(r#"log says "([^"]+)""#).unwrap();
    let found: Vec<_> = quoted.captures_iter(&operations).collect();
    assert!(!found.is_empty());
    let sources = ["server/src", "crates"].map(|folder| files(&root().join(folder), &["rs"]));
    let sources = sources.concat().into_iter();
    let sources: Vec<_> = sources
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    for words in found {
        let is_logged = sources.iter().any(|source| source.contains(&words[1]));
        assert!(is_logged, "nothing logs {:?}", &words[1]);
    }
}

#[test]
fn no_source_file_is_longer_than_400_lines() {
    let mut long = Vec::new();
    let all = files(&root(), &SOURCES);
    assert!(all.len() > 400, "only {} were found", all.len());
    for file in all {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        if lines > MOST_LINES {
            long.push((file, lines));
        }
    }
    assert!(long.is_empty(), "these are to be split: {long:#?}");
}
