//! A bounded number of places for each of many.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So many places for everybody, by name.
pub struct Places {
    each: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A place taken, free again when this is dropped.
pub struct Place {
    places: Arc<Places>,
    who: String,
}

impl Places {
    /// `each` places for everybody.
    pub fn new(each: usize) -> Arc<Self> {
        Arc::new(Self {
            each,
            taken: Mutex::default(),
        })
    }

    /// A place for `who`, if one is free.
    pub fn take(self: &Arc<Self>, who: &str) -> Option<Place> {
        let mut taken = self.lock();
        match taken.get_mut(who) {
            Some(count) if *count >= self.each => return None,
            Some(count) => *count += 1,
            None => {
                taken.insert(who.to_owned(), 1);
            }
        }
        Some(Place {
            places: Arc::clone(self),
            who: who.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        match taken.get_mut(&self.who) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                taken.remove(&self.who);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let places = Places::new(2);
        let first = places.take("ada");
        let second = places.take("ada");
        assert!(first.is_some() && second.is_some());
        assert!(places.take("ada").is_none());
        assert!(places.take("ben").is_some());
        drop(first);
        let third = places.take("ada");
        assert!(third.is_some() && places.take("ada").is_none());
        drop((second, third));
        assert!(places.lock().is_empty());
    }
}
