//! Lanes, and the order in them.

/// Maximum position that is counted.
pub const MOST_AHEAD: u64 = 1000;

/// Separates, in an owner's name, the part that is shared in the fair order from the part
/// that distinguishes owners. Such owners have no lists of jobs.
pub const PART: char = '#';

/// The name under which the fair order counts this owner's jobs.
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
    /// The default.
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
    /// Maximum number of concurrent calls; `None` for no limit.
    pub parallel: Option<u32>,
    /// Maximum number of calls started per second, evenly spaced; `None` for no limit.
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
    /// A lane without limits.
    pub fn open(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            parallel: None,
            per_second: None,
        }
    }

    /// Minimum time between the starts of two calls, in milliseconds.
    pub(super) fn spacing(&self) -> i64 {
        self.per_second
            .map_or(0, |rate| (1000.0 / rate).ceil() as i64)
    }
}
