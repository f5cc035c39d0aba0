//! Whether the second prompt would be answered with what was made for the first.

use std::{error::Error, io::Write as _, sync::Arc, time::Duration};

use atelier_cache::{
    SqliteCache,
    guard::Kind,
    semantic::{Backend, Pocket, Semantic, explain},
};
use atelier_store::{clock::Clock, redis::Redis, sqlite::Database};

const THRESHOLD: f32 = 0.5;
const ID: &str = "0190163d8694739baea5966c26f8ad91";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [first, second] = arguments.as_slice() else {
        return Err("usage: ask FIRST SECOND".into());
    };
    let folder = tempfile::tempdir()?;
    let backend = match std::env::var("REDIS_URL") {
        Ok(url) => Backend::Redis(Redis::open(url.parse()?)),
        Err(_) => {
            let file = folder.path().join("cache.db");
            Backend::Sqlite(Database::open(&file, &[SqliteCache::SCHEMA])?)
        }
    };
    let encoder = Arc::new(Pocket::new());
    let cache = Semantic::new(encoder.clone(), backend, THRESHOLD, 1_000);

    let now = Clock::system().now();
    let until = now + Duration::from_secs(60);
    cache
        .remember(Kind::Picture, "example", first, ID, now, until)
        .await;
    let earlier = async |id| (id == ID).then(|| first.clone());
    let answer = match cache
        .find(Kind::Picture, "example", second, now, earlier)
        .await
    {
        Some(found) => format!("{:.3}: {}", found.similarity, found.reason),
        None => {
            explain(&*encoder, THRESHOLD, Kind::Picture, first, second)
                .await?
                .reason
        }
    };
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}
