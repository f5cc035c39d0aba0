//! API keys and their holders.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use atelier_limit::Policy;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{ModelPattern, Scope};

/// The prefix of every key's text.
pub const KEY: &str = "atl_";
/// The prefix of every key's id.
pub const ID: &str = "key_";

/// The record of an API key. Only the holder has its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Record", into = "Record")]
pub struct Key {
    /// Names the key without revealing it.
    pub id: String,
    /// For the operator; the id if none was given.
    pub name: String,
    /// When.
    pub created_at: Timestamp,
    /// When it became invalid, if it did.
    pub revoked_at: Option<Timestamp>,
    /// What it permits.
    pub terms: Terms,
}

/// What a key permits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
    /// The models that it may ask for; empty for all.
    pub models: Vec<ModelPattern>,
    /// Its own limits, which replace those of all keys.
    pub policies: Vec<Policy>,
    /// When it becomes invalid by itself.
    pub expires_at: Option<Timestamp>,
    /// For the operator, such as a team or a customer.
    pub tags: BTreeMap<String, String>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            scopes: Scope::usual(),
            models: Vec::new(),
            policies: Vec::new(),
            expires_at: None,
            tags: BTreeMap::new(),
        }
    }
}

/// An API key's holder, as long as the key is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The key's id.
    pub id: String,
    /// The key's name.
    pub name: String,
    /// What the key opens.
    pub scopes: BTreeSet<Scope>,
    /// The models that may be asked for; empty for all.
    pub models: Vec<ModelPattern>,
    /// Limits of the key's own, which replace those of all keys.
    pub policies: Vec<Arc<Policy>>,
    /// When the key becomes invalid.
    pub expires_at: Option<Timestamp>,
    /// For the operator.
    pub tags: BTreeMap<String, String>,
}

impl Holder {
    /// Whether the key opens this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the model may be asked for.
    pub fn allows_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|pattern| pattern.matches(model))
    }

    pub(super) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

impl Key {
    /// Creates a key. Returns it and its text.
    pub fn new(name: Option<&str>, terms: Terms, now: Timestamp) -> (Self, String) {
        let random = [*Uuid::new_v4().as_bytes(), *Uuid::new_v4().as_bytes()].concat();
        let text = format!("{KEY}{}", BASE64.encode(random));
        // Independent of the text, so that the id reveals nothing of it.
        let id = format!("{ID}{}", &Uuid::new_v4().simple().to_string()[..10]);
        let key = Self {
            name: name.unwrap_or(&id).to_owned(),
            id,
            created_at: now,
            revoked_at: None,
            terms,
        };
        (key, text)
    }

    pub(super) fn holder(self) -> Option<Holder> {
        let Terms {
            scopes,
            models,
            policies,
            expires_at,
            tags,
        } = self.terms;
        self.revoked_at.is_none().then(|| Holder {
            id: self.id,
            name: self.name,
            scopes,
            models,
            policies: policies.into_iter().map(Arc::new).collect(),
            expires_at,
            tags,
        })
    }
}

/// The digest under which the store has a key. Keys are 244 random bits, so a single
/// round of a hash is enough; and comparing digests need not take constant time, as
/// nobody can choose a key's digest.
pub fn digest(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

/// A key as it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Record {
    id: String,
    name: String,
    created_at: Timestamp,
    revoked_at: Option<Timestamp>,
    own: Option<Own>,
    /// A key from before there were scopes has none of these fields, and opens what there
    /// was then.
    scopes: Option<BTreeSet<Scope>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    models: Vec<ModelPattern>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

/// The key's own limits. A program from before there were scopes, which would not hold a
/// key to them, cannot read a list, and so does not admit the key at all.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Own {
    Several(Vec<Policy>),
    /// The only one that a key could have then.
    One(Policy),
}

impl From<Record> for Key {
    fn from(record: Record) -> Self {
        let policies = match record.own {
            None => Vec::new(),
            Some(Own::One(policy)) => vec![policy],
            Some(Own::Several(policies)) => policies,
        };
        Self {
            id: record.id,
            name: record.name,
            created_at: record.created_at,
            revoked_at: record.revoked_at,
            terms: Terms {
                scopes: record.scopes.unwrap_or_else(|| [Scope::Studio].into()),
                models: record.models,
                policies,
                expires_at: record.expires_at,
                tags: record.tags,
            },
        }
    }
}

impl From<Key> for Record {
    fn from(key: Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            own: Some(Own::Several(key.terms.policies)),
            scopes: Some(key.terms.scopes),
            models: key.terms.models,
            expires_at: key.terms.expires_at,
            tags: key.terms.tags,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As it was written before keys had scopes.
    const OLD: &str = r#"{"id":"key_0123456789","name":"Ada","created_at":"2026-11-20T08:00:00Z",
        "revoked_at":null,"own":{"name":"key-quota","scope":"user","unit":"images",
        "algorithm":"fixed_window","quota":500.0,"window":"1day","on_error":"allow"}}"#;

    fn holder(terms: Terms) -> Holder {
        let (key, _) = Key::new(None, terms, Timestamp::UNIX_EPOCH);
        key.holder().unwrap()
    }

    #[test]
    fn a_key_from_before_there_were_scopes_goes_on_opening_what_it_did() {
        let key: Key = serde_json::from_str(OLD).unwrap();
        let quotas: Vec<_> = key.terms.policies.iter().map(|own| own.quota).collect();
        assert_eq!((key.name.as_str(), quotas), ("Ada", vec![500]));
        let same: Key = serde_json::from_str(&serde_json::to_string(&key).unwrap()).unwrap();
        assert_eq!(same, key);
        let holder = key.holder().unwrap();
        let opened: Vec<_> = Scope::ALL
            .into_iter()
            .filter(|one| holder.may(*one))
            .collect();
        assert_eq!(opened, [Scope::Studio]);
        assert!(holder.allows_model("gpt-5"));
        assert!(!holder.is_expired(Timestamp::MAX));
        let without = OLD.replace(r#""own":{"#, r#""other":{"#);
        let key: Key = serde_json::from_str(&without).unwrap();
        assert_eq!(key.terms.policies, []);
    }

    #[test]
    fn a_key_that_a_newer_program_restricted_is_not_read_as_less_restricted() {
        #[derive(Deserialize)]
        struct Older {
            #[serde(rename = "own")]
            _own: Option<Policy>,
        }
        let (key, _) = Key::new(None, Terms::default(), Timestamp::UNIX_EPOCH);
        let record = serde_json::to_string(&key).unwrap();
        assert!(serde_json::from_str::<Older>(&record).is_err(), "{record}");
        assert!(serde_json::from_str::<Older>(OLD).is_ok());
        for unknown in [r#""scopes":["moon"]"#, r#""models":[""]"#, r#""own":[{}]"#] {
            let record = OLD.replace(r#""own":{"#, &format!(r#"{unknown},"other":{{"#));
            assert!(serde_json::from_str::<Key>(&record).is_err(), "{record}");
        }
    }

    #[test]
    fn a_holder_may_what_the_terms_say() {
        let models = ["gpt-*", "small"].map(|text| text.parse().unwrap());
        let holder = holder(Terms {
            scopes: [Scope::Gateway].into(),
            models: models.into(),
            expires_at: Some(Timestamp::from_second(9).unwrap()),
            ..Terms::default()
        });
        assert!(holder.may(Scope::Gateway) && !holder.may(Scope::Studio));
        assert!(holder.allows_model("gpt-5") && holder.allows_model("small"));
        assert!(!holder.allows_model("large"));
        for (second, expired) in [(8, false), (9, true), (10, true)] {
            let now = Timestamp::from_second(second).unwrap();
            assert_eq!(holder.is_expired(now), expired, "{second}");
        }
    }

    #[test]
    fn a_key_is_named_by_its_id_if_by_nothing_else_and_is_never_the_same() {
        let now = Timestamp::UNIX_EPOCH;
        let (one, text) = Key::new(None, Terms::default(), now);
        let (two, other) = Key::new(Some("Ada"), Terms::default(), now);
        assert_eq!((&one.name, two.name.as_str()), (&one.id, "Ada"));
        assert!(one.id.starts_with(ID) && one.id.len() == 14 && one.id != two.id);
        assert!(text.starts_with(KEY) && text.len() == 47 && text != other);
        assert_ne!(digest(&text), digest(&other));
    }
}
