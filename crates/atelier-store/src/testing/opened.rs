//! What is tested, opened in an empty store.

use std::{ops::Deref, sync::Arc};

use tempfile::TempDir;

use crate::{
    redis::Redis,
    sqlite::{Database, Schema},
};

/// A trait's implementation in an empty store, which is gone with it.
pub struct Opened<T: ?Sized> {
    tested: Arc<T>,
    _folder: Option<TempDir>,
}

impl<T: ?Sized> Deref for Opened<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        &self.tested
    }
}

impl<T: ?Sized> Opened<T> {
    /// Opens one in a new database with these tables.
    pub fn in_sqlite(schema: Schema, open: impl FnOnce(Database) -> Arc<T>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let database = Database::open(&folder.path().join("test.db"), &[schema]);
        Self {
            tested: open(database.expect("a database")),
            _folder: Some(folder),
        }
    }

    /// Opens one in a Redis.
    pub fn in_redis(redis: Redis, open: impl FnOnce(Redis) -> Arc<T>) -> Self {
        Self {
            tested: open(redis),
            _folder: None,
        }
    }
}

/// Declares `Store`, a trait's implementation in any store, and the functions
/// `sqlite`, `redis`, `cluster` and `redis_8` that open one, for
/// [`conformance`](crate::conformance).
#[macro_export]
macro_rules! stores {
    ($tested:ty: $sqlite:ident, $redis:ident) => {
        type Store = $crate::testing::Opened<$tested>;

        async fn sqlite() -> Store {
            let open = |database| ::std::sync::Arc::new($sqlite::new(database)) as _;
            Store::in_sqlite($sqlite::SCHEMA, open)
        }

        fn over_redis(redis: $crate::redis::Redis) -> Store {
            Store::in_redis(redis, |redis| {
                ::std::sync::Arc::new($redis::new(redis)) as _
            })
        }

        async fn redis() -> Store {
            over_redis($crate::testing::redis())
        }

        async fn cluster() -> Store {
            over_redis($crate::testing::redis_cluster())
        }

        async fn redis_8() -> Store {
            over_redis($crate::testing::redis_8())
        }
    };
}
