//! How often the semantic cache is right, on labelled pairs of prompts: one JSON
//! object `{a, b, same, kind}` per line of the file named on the command line. `pictures`
//! or `questions` before it says what they are. `cargo xtask eval semantic` and
//! `cargo xtask eval questions` run this.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an evaluation that fails should say where"
)]

use std::collections::BTreeMap;

use atelier_cache::{
    guard::Kind,
    semantic::{Encoder, Pocket, explain},
};
use serde::Deserialize;

/// What others decide by: the similarity of the prompts as they are.
const ALONE: [f32; 3] = [0.80, 0.90, 0.95];

/// Thresholds to choose from where it is chosen by the other folds.
const GRID: [f32; 9] = [0.0, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85];
const FOLDS: usize = 5;

/// The default of `semantic.threshold`.
const DEFAULT: f32 = 0.5;

/// The least that precision may be where a threshold is chosen.
const PRECISE: f64 = 0.99;

#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
    same: bool,
    kind: String,
}

struct Judged {
    pair: Pair,
    /// Of the prompts as they are.
    alone: f32,
    /// Of what the encoder is given to read.
    similarity: f32,
    agree: bool,
    reason: String,
}

#[derive(Default, Clone, Copy)]
struct Counts {
    /// Right and wrong matches, and what should have matched.
    hits: usize,
    wrong: usize,
    same: usize,
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench");
    let kind = match arguments.next().as_deref() {
        Some("questions") => Kind::Question,
        _ => Kind::Picture,
    };
    let file = arguments.next().unwrap();
    let show = arguments.next().is_some();
    let judged = judge(kind, &std::fs::read_to_string(file).unwrap()).await;
    println!("{} pairs", judged.len());
    for threshold in ALONE {
        let counts = count(&judged, |pair| pair.alone >= threshold);
        println!("similarity >= {threshold:.2} alone   {}", counts.told());
    }
    let ours = |pair: &Judged| pair.agree && pair.similarity >= DEFAULT;
    println!(
        "guard, similarity >= {DEFAULT:.2}   {}",
        count(&judged, ours).told()
    );
    println!(
        "guard, threshold by the other folds   {}",
        cross_validated(&judged).told()
    );
    let mut kinds: BTreeMap<(bool, &str), (usize, usize)> = BTreeMap::new();
    for pair in &judged {
        let (matched, all) = kinds.entry((!pair.pair.same, &pair.pair.kind)).or_default();
        *matched += usize::from(ours(pair));
        *all += 1;
    }
    println!("\nmatched  of  should    kind");
    for ((other, kind), (matched, all)) in kinds {
        println!(
            "{matched:7} {all:3}  {:8}  {kind}",
            if other { "not" } else { "all" }
        );
    }
    for pair in judged
        .iter()
        .filter(|pair| show && ours(pair) != pair.pair.same)
    {
        let Pair { a, b, kind, .. } = &pair.pair;
        println!(
            "\n[{kind}] {:.2} {}\n  {a}\n  {b}",
            pair.similarity, pair.reason
        );
    }
}

async fn judge(kind: Kind, file: &str) -> Vec<Judged> {
    let encoder = Pocket::new();
    let mut judged = Vec::new();
    for line in file.lines() {
        let pair: Pair = serde_json::from_str(line).unwrap();
        let (a, b) = (
            encoder.encode(&pair.a).await.unwrap(),
            encoder.encode(&pair.b).await.unwrap(),
        );
        let explained = explain(&encoder, 0.0, kind, &pair.a, &pair.b)
            .await
            .unwrap();
        judged.push(Judged {
            pair,
            alone: a.iter().zip(&b).map(|(x, y)| x * y).sum(),
            similarity: explained.similarity,
            agree: explained.matches,
            reason: explained.reason,
        });
    }
    judged
}

fn count<'a>(
    judged: impl IntoIterator<Item = &'a Judged>,
    matches: impl Fn(&Judged) -> bool,
) -> Counts {
    let mut counts = Counts::default();
    for pair in judged {
        counts.add(pair.pair.same, matches(pair));
    }
    counts
}

/// Every fold is judged by the threshold that is best on the others.
fn cross_validated(judged: &[Judged]) -> Counts {
    let mut counts = Counts::default();
    for fold in 0..FOLDS {
        let (inside, outside): (Vec<_>, Vec<_>) = judged
            .iter()
            .enumerate()
            .partition(|(n, _)| n % FOLDS == fold);
        let on = |threshold: f32| {
            let others = outside.iter().map(|(_, pair)| *pair);
            count(others, |pair| pair.agree && pair.similarity >= threshold)
        };
        let precise = |threshold: &f32| on(*threshold).precision() >= PRECISE;
        let best = GRID
            .into_iter()
            .find(precise)
            .unwrap_or(GRID[GRID.len() - 1]);
        for (_, pair) in inside {
            counts.add(pair.pair.same, pair.agree && pair.similarity >= best);
        }
    }
    counts
}

impl Counts {
    fn add(&mut self, same: bool, matched: bool) {
        self.same += usize::from(same);
        self.hits += usize::from(same && matched);
        self.wrong += usize::from(!same && matched);
    }

    fn precision(self) -> f64 {
        self.hits as f64 / (self.hits + self.wrong).max(1) as f64
    }

    fn told(self) -> String {
        let recall = self.hits as f64 / self.same.max(1) as f64;
        let (precision, Self { hits, wrong, .. }) = (self.precision(), self);
        format!(
            "precision {precision:.3}  recall {recall:.3}  ({hits} right, {wrong} wrong matches)"
        )
    }
}
