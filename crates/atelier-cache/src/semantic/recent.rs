//! The vectors of the texts encoded last: an order's vector is needed on arrival and again
//! once it has been answered.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// About as many as there are orders in progress.
const MOST: usize = 256;

/// The latest texts with their vectors, newest first.
#[derive(Default)]
pub(super) struct Recent(Mutex<VecDeque<(String, Vec<f32>)>>);

impl Recent {
    pub(super) fn find(&self, text: &str) -> Option<Vec<f32>> {
        let kept = self.kept();
        let found = kept.iter().find(|(known, _)| known == text);
        found.map(|(_, vector)| vector.clone())
    }

    pub(super) fn keep(&self, text: &str, vector: &[f32]) {
        let mut kept = self.kept();
        kept.push_front((text.to_owned(), vector.to_owned()));
        kept.truncate(MOST);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<(String, Vec<f32>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[test]
fn the_latest_are_kept() {
    let recent = Recent::default();
    for number in 0..=MOST {
        recent.keep(&number.to_string(), &[number as f32]);
    }
    assert_eq!(recent.find("0"), None);
    assert_eq!(recent.find("1"), Some(vec![1.0]));
}
