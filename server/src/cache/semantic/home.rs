//! Where vectors are kept and searched.

use super::{
    super::Error, indexed::Indexed, redis::RedisMeanings, sqlite::SqliteMeanings,
    vector_set::VectorSet, vectors::Vectors,
};
use crate::store::{redis::Redis, sqlite::Database};

/// The store that vectors go to.
#[derive(Clone)]
pub enum Home {
    Sqlite(Database),
    Redis(Redis),
}

impl Home {
    /// The vectors there: in a Redis with vector sets they are searched by Redis,
    /// else in the process. Fails while Redis is away.
    pub async fn open(&self, entries: usize) -> Result<Box<dyn Vectors>, Error> {
        Ok(match self {
            Self::Sqlite(database) => {
                Box::new(Indexed::new(SqliteMeanings::new(database.clone()), entries))
            }
            Self::Redis(redis) if VectorSet::is_known_to(redis).await? => {
                let meanings = RedisMeanings::new(redis.clone());
                meanings.drop_all().await?;
                Box::new(VectorSet::new(redis.clone(), entries))
            }
            Self::Redis(redis) => {
                Box::new(Indexed::new(RedisMeanings::new(redis.clone()), entries))
            }
        })
    }
}
