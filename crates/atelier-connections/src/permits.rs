//! A limited number of permits for each of many names.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// A counting semaphore per name.
pub struct Permits {
    each: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A permit, released when dropped.
pub struct Permit {
    permits: Arc<Permits>,
    who: String,
}

impl Permits {
    /// `each` permits for every name.
    pub fn new(each: usize) -> Arc<Self> {
        Arc::new(Self {
            each,
            taken: Mutex::default(),
        })
    }

    /// Returns a permit for `who`, or `None` if all are taken.
    pub fn try_acquire(self: &Arc<Self>, who: &str) -> Option<Permit> {
        let mut taken = self.lock();
        match taken.get_mut(who) {
            Some(count) if *count >= self.each => return None,
            Some(count) => *count += 1,
            None => {
                taken.insert(who.to_owned(), 1);
            }
        }
        Some(Permit {
            permits: Arc::clone(self),
            who: who.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut taken = self.permits.lock();
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
    fn a_permit_is_free_again_once_it_is_dropped() {
        let permits = Permits::new(2);
        let first = permits.try_acquire("ada");
        let second = permits.try_acquire("ada");
        assert!(first.is_some() && second.is_some());
        assert!(permits.try_acquire("ada").is_none());
        assert!(permits.try_acquire("ben").is_some());
        drop(first);
        let third = permits.try_acquire("ada");
        assert!(third.is_some() && permits.try_acquire("ada").is_none());
        drop((second, third));
        assert!(permits.lock().is_empty());
    }
}
