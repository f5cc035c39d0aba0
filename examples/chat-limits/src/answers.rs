//! What was answered before. Both caches lead to the job whose answer it was.

use atelier_cache::{digest, guard::Kind};
use atelier_queue::{Cache, Ending};

use crate::{
    stores::{KEPT, Stores},
    work::{Question, Task},
};

impl Question {
    /// What tells this question from all others. Everybody has their own answers; leave
    /// the owner out here and in [`Self::scope`] to share them.
    pub(crate) fn digest(&self, owner: &str) -> String {
        digest(&[owner, &self.model, &self.text])
    }

    /// Only questions of one scope are compared by their meaning.
    fn scope(&self, owner: &str) -> String {
        digest(&[owner, &self.model])
    }
}

impl Stores {
    /// Returns the answer to the same question, or to one that means the same. A cache
    /// that cannot be asked has none.
    pub(crate) async fn find(
        &self,
        owner: &str,
        question: &Question,
    ) -> Option<(Ending<String>, Cache)> {
        let now = self.clock.now();
        let exact = self.cache.get(&question.digest(owner), now).await;
        if let Ok(Some(entry)) = exact
            && let Some((_, answer)) = self.answered(&entry.value).await
        {
            return Some((answer, Cache::Exact));
        }
        let earlier = async |id: String| Some(self.answered(&id).await?.0.text);
        let scope = question.scope(owner);
        let semantic = self
            .semantic
            .find(Kind::Question, &scope, &question.text, now, earlier);
        let (_, answer) = self.answered(&semantic.await?.id).await?;
        Some((answer, Cache::Semantic))
    }

    /// Lets the answer to this question be found under the id of its job.
    pub(crate) async fn remember(&self, owner: &str, question: &Question, id: &str) {
        let now = self.clock.now();
        let digest = question.digest(owner);
        // Without it the question is answered anew, no more.
        let _ = self.cache.put(&digest, id, now, KEPT).await;
        let scope = question.scope(owner);
        self.semantic
            .remember(Kind::Question, &scope, &question.text, id, now, now + KEPT)
            .await;
    }

    async fn answered(&self, id: &str) -> Option<(Question, Ending<String>)> {
        let job = self.queue.get(id).await.ok()??;
        match (job.request, job.outcome?) {
            (Task::Ask(question), answer @ Ending::Succeeded { .. }) => Some((question, answer)),
            _ => None,
        }
    }
}
