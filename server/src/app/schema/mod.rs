//! The database in the data folder: which parts of the program have tables in it.

use std::path::Path;

use atelier_messages::SqliteMessageStore;

use crate::{
    access::SqliteAccessStore,
    cache::SqliteCache,
    calls::SqliteCallStore,
    limit::SqliteLimiter,
    queue::SqliteQueue,
    store::{
        Error,
        sqlite::{Database, Schema},
    },
};

const SCHEMAS: &[Schema] = &[
    SqliteQueue::SCHEMA,
    SqliteLimiter::SCHEMA,
    SqliteCache::SCHEMA,
    SqliteAccessStore::SCHEMA,
    SqliteCallStore::SCHEMA,
    SqliteMessageStore::SCHEMA,
];

/// The migrations of files from before each part had a schema of its own.
const EARLIER: &[&str] = &[
    include_str!("001.sql"),
    include_str!("002.sql"),
    include_str!("003.sql"),
    include_str!("004.sql"),
    include_str!("005.sql"),
    include_str!("006.sql"),
    include_str!("007.sql"),
    include_str!("008.sql"),
    include_str!("009.sql"),
    include_str!("010.sql"),
    include_str!("011.sql"),
    include_str!("012.sql"),
];

/// Opens or creates the database and brings its tables up to date.
///
/// # Errors
/// As [`Database::open`].
pub fn open(path: &Path) -> Result<Database, Error> {
    Database::open_earlier(path, EARLIER, SCHEMAS)
}
