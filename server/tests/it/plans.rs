//! What is asked of the embedded store takes as long with a million rows as
//! with a hundred: every statement in the sources is planned, and none may read
//! through a whole table.

use std::{collections::HashMap, fs, path::Path};

use atelier::app::schema;
use regex::Regex;
use rusqlite::Connection;

/// Statements that read through a table all the same, and why.
const MEANT: &[(&str, &str)] = &[
    ("DELETE FROM cache", "everything is to be forgotten"),
    (
        "DELETE FROM cache WHERE key IN (SELECT key FROM cache ORDER BY used_at, stored_at \
         LIMIT max(0, (SELECT rows FROM counts WHERE name = 'cache') - ?1))",
        "stops at the limit, which is how many are too many",
    ),
    ("SELECT digest, record FROM keys", "all keys are wanted"),
    (
        "SELECT subject, record FROM denials",
        "the whole list is wanted",
    ),
    (
        "SELECT key FROM discards ORDER BY random() LIMIT ?1",
        "holds only what could not be discarded yet; not on the writer",
    ),
    (
        "SELECT id FROM jobs INDEXED BY jobs_unknown WHERE status NOT IN ('queued', 'running', 'delivering', \
         'succeeded', 'failed', 'cancelled') OR cache NOT IN ('miss', 'exact', 'semantic', 'joined')",
        "the index has only what was damaged",
    ),
    (
        "SELECT key FROM limits WHERE expires_at <= ?1",
        "once in ten minutes, not on the writer; an index would be written with every charge",
    ),
];

/// What the placeholders in statements stand for: constants of the same name.
type Constants = HashMap<String, String>;

/// The text without its line breaks and indentation.
fn plain(literal: &str) -> String {
    let joined = literal.replace("\\\n", "\n");
    joined.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The texts in a source file, comments and its tests left out.
fn literals(source: &str) -> Vec<String> {
    let literal = r###"(?s)//[^\n]*|r#".*?"#|'"'|"((?:[^"\\]|\\.)*)""###;
    let code = source.split("#[cfg(test)]").next().unwrap_or_default();
    let found = Regex::new(literal).unwrap();
    let texts = found.captures_iter(code).filter_map(|found| found.get(1));
    texts.map(|text| plain(text.as_str())).collect()
}

fn constants(source: &str) -> Constants {
    let constant = Regex::new(r#"(?s)const (\w+): &str =\s*"(.*?)";"#).unwrap();
    let found = constant.captures_iter(source);
    found
        .map(|found| (found[1].to_owned(), plain(&found[2])))
        .collect()
}

/// The statements of a source file. `jobs` selects the rows of jobs, for which
/// some places give a condition alone.
fn statements(source: &str, jobs: &str) -> Vec<String> {
    let constants = constants(source);
    let verbs = [
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "{SELECT}",
    ];
    let mut found = Vec::new();
    for text in literals(source) {
        let whole = verbs.iter().any(|verb| text.starts_with(verb));
        let mut statement = match text.strip_prefix("WHERE ") {
            Some(_) => format!("{jobs} {text}"),
            None if whole && text != jobs && text != "{SELECT} {condition}" => text,
            None => continue,
        };
        for (name, value) in &constants {
            statement = statement.replace(&format!("{{{name}}}"), value);
        }
        found.push(statement);
    }
    found
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            let tests = path.ends_with("tests.rs");
            let asks = source.contains("rusqlite") || path.to_string_lossy().contains("sqlite");
            found.extend(Some(source).filter(|_| asks && !tests));
        }
    }
}

/// How SQLite calls a search in a full-text index, which is no reading from end to end.
const FULL_TEXT: &str = "VIRTUAL TABLE INDEX 0:M";

/// The tables that the statement reads from end to end.
fn scanned(c: &Connection, statement: &str) -> Vec<String> {
    let mut plan = c
        .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
        .unwrap_or_else(|error| panic!("{error}: {statement}"));
    let mut steps = plan.raw_query();
    let mut scanned = Vec::new();
    while let Some(step) = steps.next().unwrap() {
        let step: String = step.get("detail").unwrap();
        // A subquery in brackets has been planned by itself.
        if let Some(table) = step
            .strip_prefix("SCAN ")
            .filter(|table| !table.starts_with('(') && !table.contains(FULL_TEXT))
        {
            scanned.push(table.to_owned());
        }
    }
    scanned
}

#[test]
fn no_statement_reads_through_a_whole_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plans.db");
    drop(schema::open(&path).unwrap());
    let database = Connection::open(&path).unwrap();
    let mut files = Vec::new();
    let server = Path::new(env!("CARGO_MANIFEST_DIR"));
    sources(&server.join("src"), &mut files);
    for entry in fs::read_dir(server.join("../crates")).unwrap() {
        sources(&entry.unwrap().path().join("src"), &mut files);
    }
    let all = files
        .iter()
        .flat_map(|source| constants(source))
        .collect::<Constants>();
    let jobs = &all["SELECT"];
    let statements: Vec<String> = files
        .iter()
        .flat_map(|source| statements(source, jobs))
        .collect();
    assert!(
        statements.len() > 60,
        "only {} were found",
        statements.len()
    );
    for statement in &statements {
        let scanned = scanned(&database, statement);
        let meant = MEANT.iter().any(|(meant, _)| meant == statement);
        assert_eq!(
            !scanned.is_empty(),
            meant,
            "{statement}\nreads all of {scanned:?}"
        );
    }
    for (meant, _) in MEANT {
        assert!(
            statements.iter().any(|statement| statement == meant),
            "{meant} is asked no more"
        );
    }
}
