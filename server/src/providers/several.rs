//! Several pictures of a provider that makes one with each call.

use futures::{StreamExt as _, stream};

use super::{Answer, Error};
use crate::job::Cost;

/// Calls for one order at a time.
const ABREAST: usize = 3;

/// Makes so many calls, each of which makes a picture and is expected to cost so much. The first one is made
/// alone: what is refused is refused once. The pictures that were made are the answer, whatever became of
/// the others.
pub(super) async fn several<F>(n: u32, estimate: f64, call: impl Fn() -> F) -> Result<Answer, Error>
where
    F: Future<Output = Result<Answer, Error>>,
{
    let mut answer = call().await?;
    let others = stream::iter(1..n).map(|_| call());
    let others: Vec<_> = others.buffer_unordered(ABREAST).collect().await;
    for other in others {
        match other {
            Ok(other) => {
                answer.pictures.extend(other.pictures);
                let costs = answer.cost_usd.zip(other.cost_usd);
                answer.cost_usd = costs.map(|(usd, other)| usd + other);
                let tokens = answer.tokens.zip(other.tokens);
                answer.tokens = tokens.map(|(tokens, other)| tokens.plus(other));
            }
            Err(error) => {
                tracing::warn!(code = error.code, "one of several pictures was not made");
                let lost = match error.cost {
                    Cost::Nothing => 0.0,
                    Cost::Usd(usd) => usd,
                    Cost::Estimate => estimate,
                };
                answer.cost_usd = answer.cost_usd.map(|usd| usd + lost);
            }
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use bytes::Bytes;

    use super::*;

    fn one(usd: Option<f64>) -> Answer {
        Answer::of(vec![Bytes::from_static(b"a")], usd)
    }

    #[tokio::test]
    async fn pictures_and_costs_are_added_up() {
        let answer = several(3, 9.0, async || Ok(one(Some(0.5)))).await.unwrap();
        assert_eq!((answer.pictures.len(), answer.cost_usd), (3, Some(1.5)));
        let answer = several(2, 9.0, async || Ok(one(None))).await.unwrap();
        assert_eq!((answer.pictures.len(), answer.cost_usd), (2, None));
    }

    #[tokio::test]
    async fn a_refusal_of_the_first_is_the_answer_and_of_others_is_not() {
        let calls = Cell::new(0);
        let refused = several(4, 9.0, async || {
            calls.set(calls.get() + 1);
            Err(Error::last("content_refused", "no"))
        });
        assert_eq!(refused.await.unwrap_err().code, "content_refused");
        assert_eq!(calls.get(), 1);
        let calls = Cell::new(0);
        let some = several(4, 0.25, async || {
            calls.set(calls.get() + 1);
            match calls.get() {
                2 => Err(Error::passing("answer_lost", "gone").lost()),
                3 => Err(Error::passing("provider_failed", "no")),
                _ => Ok(one(Some(1.0))),
            }
        });
        let some = some.await.unwrap();
        assert_eq!((some.pictures.len(), some.cost_usd), (2, Some(2.25)));
    }
}
