//! Lanes, and the order in them.

/// So far a job's position is counted.
pub const MOST_AHEAD: u64 = 1000;

/// Stands in an owner's name before what tells it from others that share one
/// place in the fair order, and no list.
pub const PART: char = '#';

/// Whom the fair order counts a job of this owner to.
pub(super) fn place_of(owner: &str) -> &str {
    owner
        .split_once(PART)
        .map_or(owner, |(together, _)| together)
}

/// Which jobs of a lane go first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// After all others.
    Low,
    /// As most.
    #[default]
    Normal,
    /// Before all others.
    High,
}

/// A provider's jobs and how fast they may be called, over all processes.
#[derive(Debug, Clone, PartialEq)]
pub struct Lane {
    /// The provider's name.
    pub name: String,
    /// Calls in progress at once; unset: no bound.
    pub parallel: Option<u32>,
    /// Calls begun per second, evenly spaced; unset: no bound.
    pub per_second: Option<f64>,
}

impl Priority {
    /// 0 is served first.
    pub(super) const fn band(self) -> u8 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }
}

impl Lane {
    /// A lane without bounds.
    pub fn open(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            parallel: None,
            per_second: None,
        }
    }

    /// Milliseconds between two calls' beginnings.
    pub(super) fn spacing(&self) -> i64 {
        self.per_second
            .map_or(0, |rate| (1000.0 / rate).ceil() as i64)
    }
}
