//! What owners find among their jobs, and how they mark it. An entry is the kind, a line break, and the words, each after
//! a blank. It is noted when the owner's jobs are searched for the first time since the job was added, by whichever
//! process: so adding a job takes no longer, and jobs of earlier versions have entries as well. What is found by nothing
//! has an empty one.

use std::collections::BTreeMap;

use ::redis::{Cmd, Value};
use async_trait::async_trait;

use super::{
    super::{
        Collection, Error, Folder, Job, MOST_FOLDERS, Marking, Marks, Payload, Result, Search,
        collection::Indexed, words,
    },
    RedisQueue, batch, most, reply, scripts, seen,
};

#[async_trait]
impl<P: Payload> Collection<P> for RedisQueue<P> {
    async fn search(
        &self,
        owner: &str,
        search: &Search,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Job<P>>> {
        let words = words(&search.text);
        let mut before = before.map_or_else(|| "+".into(), |id| format!("({id}"));
        let (mut jobs, mut noted) = (Vec::new(), false);
        while jobs.len() < limit {
            let call = self.script(&scripts::SEARCH).arg(owner).arg(&before);
            let call = call.arg(most(limit - jobs.len())).arg(u8::from(noted));
            let call = call.arg(search.kind.as_deref().unwrap_or_default());
            let call = call.arg(u8::from(search.favourites));
            let call = call.arg(search.folder.as_deref().unwrap_or_default());
            let [last, unknown, records] = reply::array(call.arg(&words).run().await?)?;
            let unknown = reply::texts(unknown)?;
            noted = !unknown.is_empty();
            if noted {
                self.note_entries(owner, unknown).await?;
                continue;
            }
            for record in reply::records(records)? {
                jobs.extend(seen(record)?);
            }
            let last = String::from_utf8_lossy(&reply::bytes(last)?).into_owned();
            if last.is_empty() {
                break;
            }
            before = format!("({last}");
        }
        Ok(jobs)
    }

    async fn mark(&self, owner: &str, ids: &[String], marking: &Marking) -> Result<usize> {
        if ids.is_empty() {
            return Ok(0);
        }
        // Only what has an entry is marked.
        self.note_entries(owner, ids.to_vec()).await?;
        let favourite = marking
            .favourite
            .map_or("", |is| if is { "y" } else { "n" });
        let folder = marking.folder.as_ref().map(|name| format!("={name}"));
        let call = self.script(&scripts::MARK).arg(owner).arg(favourite);
        let call = call
            .arg(folder.unwrap_or_default())
            .arg(MOST_FOLDERS)
            .arg(ids);
        let marked: i64 = call.run().await?;
        usize::try_from(marked).map_err(|_| Error::TooManyFolders)
    }

    async fn marks(&self, owner: &str, ids: &[String]) -> Result<Vec<Marks>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let command = Cmd::hmget(self.key(&format!("marks:{owner}")), ids);
        let marks: Vec<Option<String>> = self.redis.query(&command).await?;
        let read = |marks: Option<String>| {
            let marks = marks.unwrap_or_default();
            let folder = marks.get(1..).filter(|name| !name.is_empty());
            Marks {
                favourite: marks.starts_with('y'),
                folder: folder.map(str::to_owned),
            }
        };
        Ok(marks.into_iter().map(read).collect())
    }

    async fn folders(&self, owner: &str) -> Result<Vec<Folder>> {
        let command = Cmd::hgetall(self.key(&format!("folders:{owner}")));
        let folders: BTreeMap<String, u64> = self.redis.query(&command).await?;
        let folders = folders.into_iter();
        Ok(folders.map(|(name, jobs)| Folder { name, jobs }).collect())
    }
}

impl<P: Payload> RedisQueue<P> {
    async fn note_entries(&self, owner: &str, ids: Vec<String>) -> Result<()> {
        let mut call = self.script(&scripts::INDEX).arg(owner);
        let records = batch::get(self.redis.clone(), ids.clone()).await?;
        for (id, record) in ids.into_iter().zip(records) {
            let job = record.ok().flatten().map(seen::<P>);
            // An unreadable one is found by nothing.
            let job = job.transpose().ok().flatten().flatten();
            if job.as_ref().is_some_and(|job| job.owner != owner) {
                continue;
            }
            let entry = job.and_then(|job| Indexed::of(owner, &job.request));
            let entry = entry.map_or_else(String::new, |Indexed { kind, words }| {
                format!("{kind}\n {words}")
            });
            call = call.arg(id).arg(entry);
        }
        let _: Value = call.run().await?;
        Ok(())
    }
}
