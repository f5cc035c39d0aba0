//! What keys open.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A part of a service that a key may open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Pictures and restorations as jobs.
    Studio,
    /// Calls of models in the formats of their providers.
    Gateway,
    /// Messages that are delivered later.
    Messages,
    /// Limits and caches for calls that the holder makes elsewhere.
    Blocks,
    /// What operators do.
    Admin,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 5] = [
        Self::Studio,
        Self::Gateway,
        Self::Messages,
        Self::Blocks,
        Self::Admin,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::Gateway => "gateway",
            Self::Messages => "messages",
            Self::Blocks => "blocks",
            Self::Admin => "admin",
        }
    }

    /// What an application calls, and so what a new key opens if nothing else is said.
    pub fn usual() -> BTreeSet<Self> {
        BTreeSet::from([Self::Studio, Self::Gateway, Self::Messages])
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not the name of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no scope has this name")]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        let named = Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        named.ok_or(UnknownScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_records() {
        for scope in Scope::ALL {
            let record = format!("\"{scope}\"");
            assert_eq!(serde_json::to_string(&scope).unwrap(), record);
            assert_eq!(serde_json::from_str::<Scope>(&record).unwrap(), scope);
            assert_eq!(scope.as_str().parse(), Ok(scope));
        }
        assert_eq!("root".parse::<Scope>(), Err(UnknownScope));
    }

    #[test]
    fn nothing_that_an_application_does_not_need_is_given_unasked() {
        let usual = Scope::usual();
        assert!(!usual.contains(&Scope::Admin) && !usual.contains(&Scope::Blocks));
        assert!(usual.contains(&Scope::Studio) && usual.contains(&Scope::Gateway));
    }
}
