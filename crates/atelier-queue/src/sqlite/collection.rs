//! What owners find among their jobs: a full-text index (FTS5).

use std::fmt::Write as _;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    super::{
        Collection, Error, Folder, Job, MOST_FOLDERS, Marking, Marks, Payload, Result, Search,
        collection::Indexed, words,
    },
    LAST, SqliteQueue,
    lists::newest,
    row,
    table::{cached, execute, find},
};
use atelier_store::sqlite::Database;

/// Jobs from before there were entries that are read at a time.
const BATCH: usize = 500;

/// Adds a job's entry, unless it is there.
pub(super) fn add(c: &Connection, id: &str, owner: &str, entry: Option<&Indexed>) -> Result<()> {
    let Some(Indexed { kind, words }) = entry else {
        return Ok(());
    };
    const ENTRY: &str = "INSERT INTO entries (job, owner, kind) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING RETURNING n";
    let n: Option<i64> = cached(c, ENTRY, |insert| {
        insert
            .query_row([id, owner, kind], |row| row.get(0))
            .optional()
    })?;
    match n {
        Some(n) => execute(
            c,
            "INSERT INTO entry_words (rowid, owner, words) VALUES (?1, ?2, ?3)",
            params![n, token(owner), words],
        ),
        None => Ok(()),
    }
}

/// Adds the entries of jobs from before there were any, once.
pub(super) async fn add_missing<P: Payload>(database: &Database) -> Result<()> {
    const PENDING: &str = "SELECT 1 FROM marks WHERE name = 'entries'";
    if !database.read_inline(|c| cached(c, PENDING, |query| query.exists([])))? {
        return Ok(());
    }
    let mut after = String::new();
    while let Some(last) = add_batch::<P>(database, after).await? {
        after = last;
    }
    let done = |c: &Connection| execute(c, "DELETE FROM marks WHERE name = 'entries'", &[]);
    database.write(done).await
}

/// Returns the last job of the batch, `None` if there are no more.
async fn add_batch<P: Payload>(database: &Database, after: String) -> Result<Option<String>> {
    let read = move |c: &Connection| {
        const NEXT: &str = "SELECT id, owner, request FROM jobs WHERE id > ?1 ORDER BY id LIMIT ?2";
        cached(c, NEXT, |query| {
            let jobs = query.query_map(params![after, BATCH], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            });
            jobs?.collect::<rusqlite::Result<Vec<(String, String, String)>>>()
        })
    };
    let jobs = database.read(read).await?;
    let last = jobs.last().map(|(id, ..)| id.clone());
    let entries = jobs.into_iter().filter_map(|(id, owner, request)| {
        // An unreadable one is found by nothing.
        let entry = Indexed::of(&owner, &row::parse::<P>(&request).ok()?)?;
        Some((id, owner, entry))
    });
    let entries: Vec<_> = entries.collect();
    let write = move |c: &Connection| {
        let mut entries = entries.iter();
        entries.try_for_each(|(id, owner, entry)| add(c, id, owner, Some(entry)))
    };
    database.write(write).await?;
    Ok(last)
}

/// An owner as a word of the index.
fn token(owner: &str) -> String {
    owner.bytes().fold(String::from("o"), |mut token, byte| {
        // Writing to a String cannot fail.
        let _ = write!(token, "{byte:02x}");
        token
    })
}

/// The words in the language of FTS5; `None` if all match.
fn query(owner: &str, text: &str) -> Option<String> {
    let words = words(text);
    let begin = |word: &String| format!(" AND words : \"{word}\" *");
    let rest: String = words.iter().map(begin).collect();
    (!words.is_empty()).then(|| format!("owner : \"{}\"{rest}", token(owner)))
}

fn mark(c: &Connection, owner: &str, ids: &[String], marking: &Marking) -> Result<usize> {
    const MARK: &str = "UPDATE entries SET favourite = coalesce(?3, favourite),
            folder = CASE WHEN ?4 IS NULL THEN folder ELSE nullif(?4, '') END
        WHERE job = ?1 AND owner = ?2
        AND EXISTS (SELECT 1 FROM jobs WHERE id = ?1 AND status = 'succeeded' AND withdrawn = 0)";
    let Marking { favourite, folder } = marking;
    if let Some(name) = folder.as_ref().filter(|name| !name.is_empty()) {
        let there = folders(c, owner)?;
        if there.len() >= MOST_FOLDERS && !there.iter().any(|folder| folder.name == *name) {
            return Err(Error::TooManyFolders);
        }
    }
    let marked = ids.iter().map(|id| {
        cached(c, MARK, |update| {
            update.execute(params![id, owner, favourite, folder])
        })
    });
    marked.sum()
}

fn folders(c: &Connection, owner: &str) -> Result<Vec<Folder>> {
    const FOLDERS: &str =
        "SELECT folder, count(*) FROM entries WHERE owner = ?1 AND folder IS NOT NULL
        GROUP BY folder ORDER BY folder";
    cached(c, FOLDERS, |query| {
        let folders = query.query_map([owner], |row| {
            Ok(Folder {
                name: row.get(0)?,
                jobs: row.get(1)?,
            })
        });
        folders?.collect()
    })
}

/// Looks at no more entries than it takes to fill a page.
const ALL: &str = "WHERE owner = ?1 AND id < ?2 AND status = 'succeeded' AND withdrawn = 0
    AND EXISTS (SELECT 1 FROM entries WHERE job = jobs.id AND (?4 IS NULL OR kind = ?4)
        AND (NOT ?6 OR favourite) AND (?7 IS NULL OR folder = ?7) AND ?5 IS NULL)
    ORDER BY id DESC LIMIT ?3";

const WITH_WORDS: &str = "WHERE owner = ?1 AND id < ?2 AND status = 'succeeded' AND withdrawn = 0
    AND id IN (SELECT job FROM entries WHERE owner = ?1 AND (?4 IS NULL OR kind = ?4)
        AND (NOT ?6 OR favourite) AND (?7 IS NULL OR folder = ?7)
        AND n IN (SELECT rowid FROM entry_words WHERE entry_words MATCH ?5))
    ORDER BY id DESC LIMIT ?3";

#[async_trait]
impl<P: Payload> Collection<P> for SqliteQueue<P> {
    async fn search(
        &self,
        owner: &str,
        search: &Search,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>> {
        let (query, search) = (query(owner, &search.text), search.clone());
        let (owner, before) = (owner.to_owned(), before.unwrap_or(LAST).to_owned());
        let condition = if query.is_some() { WITH_WORDS } else { ALL };
        let read = move |c: &Connection| {
            newest(c, &before, limit, |before, limit| {
                let Search {
                    kind,
                    favourites,
                    folder,
                    ..
                } = &search;
                let values = params![owner, before, limit, kind, query, favourites, folder];
                find(c, condition, values)
            })
        };
        self.database.read(read).await
    }

    async fn mark(&self, owner: &str, ids: &[String], marking: &Marking) -> Result<usize> {
        let (owner, ids, marking) = (owner.to_owned(), ids.to_vec(), marking.clone());
        let write = move |c: &Connection| mark(c, &owner, &ids, &marking);
        self.database.write(write).await
    }

    async fn marks(&self, owner: &str, ids: &[String]) -> Result<Vec<Marks>> {
        const MARKS: &str = "SELECT favourite, folder FROM entries WHERE job = ?1 AND owner = ?2";
        let (owner, ids) = (owner.to_owned(), ids.to_vec());
        let read = move |c: &Connection| {
            let marks = ids.iter().map(|id| {
                let marks = cached(c, MARKS, |query| {
                    query
                        .query_row([id, &owner], |row| {
                            Ok(Marks {
                                favourite: row.get(0)?,
                                folder: row.get(1)?,
                            })
                        })
                        .optional()
                });
                Ok(marks?.unwrap_or_default())
            });
            marks.collect()
        };
        self.database.read(read).await
    }

    async fn folders(&self, owner: &str) -> Result<Vec<Folder>> {
        let owner = owner.to_owned();
        self.database.read(move |c| folders(c, &owner)).await
    }
}
