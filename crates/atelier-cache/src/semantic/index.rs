//! An in-process index: vectors with one byte per number, searched exhaustively.
//!
//! 100,000 vectors of 384 numbers are 38 MB, which two cores scan in about a
//! millisecond, so the search is exact.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use jiff::Timestamp;
use rayon::prelude::*;
use simsimd::SpatialSimilarity as _;
use uuid::Uuid;

use super::{
    super::WORTH_NOTING,
    record::{Record, Scope},
};

/// Number of vectors per unit of parallel work.
const PART: usize = 8192;

/// A neighbour.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Cosine similarity.
    pub similarity: f32,
}

/// The vectors of all scopes.
pub struct Index {
    most: usize,
    shelves: RwLock<Shelves>,
}

#[derive(Default)]
struct Shelves {
    by_scope: HashMap<Scope, Shelf>,
    /// The position of each id's vector.
    places: HashMap<Uuid, Scope>,
}

/// The vectors of one scope, contiguous.
#[derive(Default)]
struct Shelf {
    width: usize,
    numbers: Vec<i8>,
    rows: Vec<Row>,
    at: HashMap<Uuid, u32>,
}

#[derive(Clone, Copy)]
struct Row {
    id: Uuid,
    scale: f32,
    /// Unix seconds.
    expires_at: i64,
    used_at: i64,
}

impl Index {
    /// Creates an index of at most `most` vectors.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            shelves: RwLock::default(),
        }
    }

    /// Adds or replaces the vector of an id. Returns the evicted ids: the least recently
    /// used.
    pub fn put(&self, id: &str, record: &Record) -> Vec<String> {
        let Ok(id) = Uuid::parse_str(id) else {
            return Vec::new();
        };
        let mut shelves = self.write();
        shelves.remove(id);
        let shelf = shelves.by_scope.entry(record.scope).or_default();
        if shelf.rows.is_empty() {
            shelf.width = record.vector.len();
        }
        if shelf.width != record.vector.len() || record.vector.is_empty() {
            return Vec::new();
        }
        shelf.push(
            Row {
                id,
                scale: record.scale,
                expires_at: record.expires_at,
                used_at: record.used_at,
            },
            &record.vector,
        );
        shelves.places.insert(id, record.scope);
        let mut gone = Vec::new();
        while shelves.places.len() > self.most {
            let Some(oldest) = shelves.oldest() else {
                break;
            };
            shelves.remove(oldest);
            gone.push(oldest.simple().to_string());
        }
        gone
    }

    /// Removes the vector of an id.
    pub fn remove(&self, id: &str) {
        if let Ok(id) = Uuid::parse_str(id) {
            self.write().remove(id);
        }
    }

    /// Removes all vectors.
    pub fn clear(&self) {
        *self.write() = Shelves::default();
    }

    /// Removes expired vectors.
    pub fn sweep(&self, now: Timestamp) {
        let mut shelves = self.write();
        let expired: Vec<Uuid> = shelves
            .by_scope
            .values()
            .flat_map(|shelf| &shelf.rows)
            .filter(|row| row.expires_at <= now.as_second())
            .map(|row| row.id)
            .collect();
        for id in expired {
            shelves.remove(id);
        }
    }

    /// Notes the use of a vector. Returns the record to be shared with other processes, if
    /// it had not been used for an hour.
    pub fn touch(&self, id: &str, now: Timestamp) -> Option<Record> {
        let id = Uuid::parse_str(id).ok()?;
        let mut shelves = self.write();
        let scope = *shelves.places.get(&id)?;
        let shelf = shelves.by_scope.get_mut(&scope)?;
        let at = *shelf.at.get(&id)? as usize;
        let stale = now.as_second() - shelf.rows[at].used_at >= WORTH_NOTING.as_secs() as i64;
        shelf.rows[at].used_at = now.as_second();
        stale.then(|| shelf.record(at, scope))
    }

    /// The ids of all vectors.
    pub fn ids(&self) -> Vec<String> {
        let shelves = self.read();
        shelves
            .places
            .keys()
            .map(|id| id.simple().to_string())
            .collect()
    }

    /// The number of vectors.
    pub fn len(&self) -> usize {
        self.read().places.len()
    }

    /// Whether the index is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the nearest vectors of a scope, at most `most`, none below `threshold`,
    /// nearest first.
    pub fn nearest(
        &self,
        scope: Scope,
        vector: &[f32],
        threshold: f32,
        most: usize,
        now: Timestamp,
    ) -> Vec<Candidate> {
        let (query, scale) = quantize(vector);
        let shelves = self.read();
        let Some(shelf) = shelves
            .by_scope
            .get(&scope)
            .filter(|shelf| shelf.width == query.len())
        else {
            return Vec::new();
        };
        let now = now.as_second();
        let parts = shelf
            .rows
            .par_chunks(PART)
            .zip(shelf.numbers.par_chunks(PART * shelf.width));
        let found = parts
            .map(|(rows, numbers)| {
                let near = |row: &Row, numbers: &[i8]| {
                    let dot = i8::dot(&query, numbers).unwrap_or_default() as f32;
                    let similarity = dot * scale * row.scale;
                    (similarity >= threshold && row.expires_at > now)
                        .then_some((similarity, row.id))
                };
                let all = rows.iter().zip(numbers.chunks_exact(shelf.width));
                best(all.filter_map(|(row, numbers)| near(row, numbers)), most)
            })
            .reduce(Vec::new, |one, other| {
                best(one.into_iter().chain(other), most)
            });
        let candidate = |(similarity, id): (f32, Uuid)| Candidate {
            id: id.simple().to_string(),
            similarity: similarity.clamp(0.0, 1.0),
        };
        found.into_iter().map(candidate).collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, Shelves> {
        self.shelves.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shelves> {
        self.shelves.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shelves {
    fn remove(&mut self, id: Uuid) {
        let Some(scope) = self.places.remove(&id) else {
            return;
        };
        if let Some(shelf) = self.by_scope.get_mut(&scope) {
            shelf.remove(id);
            if shelf.rows.is_empty() {
                self.by_scope.remove(&scope);
            }
        }
    }

    fn oldest(&self) -> Option<Uuid> {
        let rows = self.by_scope.values().flat_map(|shelf| &shelf.rows);
        rows.min_by_key(|row| row.used_at).map(|row| row.id)
    }
}

impl Shelf {
    fn push(&mut self, row: Row, numbers: &[i8]) {
        self.at.insert(row.id, self.rows.len() as u32);
        self.rows.push(row);
        self.numbers.extend_from_slice(numbers);
    }

    fn record(&self, at: usize, scope: Scope) -> Record {
        let row = self.rows[at];
        Record {
            scope,
            scale: row.scale,
            vector: self.numbers[at * self.width..(at + 1) * self.width].to_vec(),
            expires_at: row.expires_at,
            used_at: row.used_at,
        }
    }

    /// Removes a vector; the last one takes its position.
    fn remove(&mut self, id: Uuid) {
        let Some(at) = self.at.remove(&id) else {
            return;
        };
        let (at, width) = (at as usize, self.width);
        self.rows.swap_remove(at);
        let last = self.rows.len() * width;
        self.numbers.copy_within(last..last + width, at * width);
        self.numbers.truncate(last);
        if let Some(moved) = self.rows.get(at) {
            self.at.insert(moved.id, at as u32);
        }
    }
}

/// The most similar ones, best first.
fn best(all: impl Iterator<Item = (f32, Uuid)>, most: usize) -> Vec<(f32, Uuid)> {
    let mut best: Vec<(f32, Uuid)> = Vec::with_capacity(most + 1);
    for (similarity, id) in all {
        let full = best.len() == most;
        if full && best.last().is_none_or(|(least, _)| *least >= similarity) {
            continue;
        }
        let at = best.partition_point(|(other, _)| *other >= similarity);
        best.insert(at, (similarity, id));
        best.truncate(most);
    }
    best
}

/// A vector with one byte per number, and its scale.
pub fn quantize(vector: &[f32]) -> (Vec<i8>, f32) {
    let largest = vector
        .iter()
        .fold(0.0_f32, |largest, x| largest.max(x.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let numbers = vector.iter().map(|x| (x / scale).round() as i8);
    (numbers.collect(), scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(seed: u64) -> Vec<f32> {
        let mut random = fastrand::Rng::with_seed(seed);
        let vector: Vec<f32> = (0..384).map(|_| random.f32() - 0.5).collect();
        let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
        vector.into_iter().map(|x| x / norm).collect()
    }

    fn record(seed: u64, used_at: i64) -> Record {
        let (vector, scale) = quantize(&unit(seed));
        Record {
            scope: 1,
            scale,
            vector,
            expires_at: 1000,
            used_at,
        }
    }

    fn id(number: u128) -> String {
        Uuid::from_u128(number).simple().to_string()
    }

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    #[test]
    fn the_nearest_are_those_of_an_exact_search() {
        let index = Index::new(1000);
        for seed in 0..500 {
            index.put(&id(seed.into()), &record(seed, 0));
        }
        for probe in 500..550 {
            let query = unit(probe);
            let dot = |seed: &u64| {
                unit(*seed)
                    .iter()
                    .zip(&query)
                    .map(|(a, b)| a * b)
                    .sum::<f32>()
            };
            let best = (0..500).max_by(|a, b| dot(a).total_cmp(&dot(b))).unwrap();
            let found = index.nearest(1, &query, 0.0, 8, NOW);
            assert!(found.iter().take(2).any(|c| c.id == id(best.into())));
            assert!((found[0].similarity - dot(&best)).abs() < 0.01);
            assert!(found.is_sorted_by(|a, b| a.similarity >= b.similarity));
        }
    }

    #[test]
    fn what_is_removed_expired_or_of_another_scope_is_not_found() {
        let index = Index::new(10);
        for seed in 0..5 {
            index.put(&id(seed.into()), &record(seed, 0));
        }
        index.remove(&id(2));
        let nearest =
            |seed, at| index.nearest(1, &unit(seed), 0.9, 3, Timestamp::from_second(at).unwrap());
        assert_eq!(nearest(2, 0), []);
        for seed in [0, 1, 3, 4] {
            assert_eq!(nearest(seed, 0)[0].id, id(seed.into()));
            assert_eq!(nearest(seed, 1000), []);
        }
        assert_eq!(index.nearest(2, &unit(0), 0.0, 3, NOW), []);
        index.sweep(Timestamp::from_second(1000).unwrap());
        assert!(index.is_empty());
    }

    #[test]
    fn the_longest_unused_makes_room() {
        let index = Index::new(3);
        for seed in 0..3 {
            index.put(&id(seed.into()), &record(seed, seed as i64));
        }
        let noted = index.touch(&id(0), Timestamp::from_second(7200).unwrap());
        assert_eq!(noted, Some(record(0, 7200)));
        assert_eq!(index.put(&id(9), &record(9, 7200)), [id(1)]);
        assert_eq!(index.len(), 3);
    }
}
