//! Makes a key, admits its holder, and turns away whoever is denied. The store is the
//! Redis that `REDIS_URL` names, or a SQLite file for the moment.

use std::{env, error::Error, sync::Arc, time::Duration};

use atelier_access::{
    AccessStore, Denial, Gate, Key, RedisAccessStore, Scope, SqliteAccessStore, Subject, Terms,
    digest,
};
use atelier_store::{clock::Clock, redis::Redis, sqlite::Database};

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (store, clock): (Arc<dyn AccessStore>, Clock) = match env::var("REDIS_URL") {
        Ok(url) => {
            let redis = Redis::open(url.parse()?);
            let clock = redis.clock().await?;
            (Arc::new(RedisAccessStore::new(redis)), clock)
        }
        Err(_) => {
            let file = folder.path().join("access.db");
            let database = Database::open(&file, &[SqliteAccessStore::SCHEMA])?;
            (Arc::new(SqliteAccessStore::new(database)), Clock::system())
        }
    };

    let now = clock.now();
    let terms = Terms {
        scopes: [Scope::Gateway].into(),
        models: vec!["gpt-*".parse()?],
        expires_at: Some(now + Duration::from_secs(60)),
        ..Terms::default()
    };
    let (key, text) = Key::new(Some("Ada"), terms, now);
    store.put(&digest(&text), &key).await?;
    println!("{} is {text}", key.id);

    let gate = Gate::new(Arc::clone(&store), vec![]);
    let network = "203.0.113.7";
    let holder = gate.admit(&text, network, now).await?;
    for model in ["gpt-5", "claude-4"] {
        println!("may ask for {model}: {}", holder.allows_model(model));
    }
    let later = now + Duration::from_secs(60);
    let expired = gate.admit(&text, network, later).await;
    println!("after a minute: {expired:?}");

    // Every other gate knows within two seconds; this one at once.
    let subject = Subject::key(&key.id)?;
    let denial = Denial {
        subject: subject.clone(),
        until: None,
    };
    store.deny(&denial).await?;
    gate.renew().await?;
    let denied = gate.admit(&text, network, now).await;
    println!("while on the deny list: {denied:?}");
    store.allow(&subject).await?;
    Ok(())
}
