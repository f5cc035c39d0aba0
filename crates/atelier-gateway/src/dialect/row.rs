//! What a dialect is made of.

use std::borrow::Cow;

use serde_json::Value;

use crate::{Endpoint, Wire, call::Rewrite, upstream::UpstreamConfig};

/// What is known of a dialect: data, and functions where data is not enough.
pub(crate) struct Row {
    /// Its name in the configuration.
    pub(crate) name: &'static str,
    /// Whose format it has.
    pub(crate) wire: Wire,
    pub(crate) base: Base,
    pub(crate) auth: Auth,
    /// Of every address, made of the settings.
    pub(crate) query: fn(&UpstreamConfig) -> Option<String>,
    /// Of every request, made of the settings.
    pub(crate) headers: fn(&UpstreamConfig) -> Vec<(&'static str, String)>,
    /// Where it has an operation of OpenAI's, if not at the same path; and whether it streams.
    pub(crate) path: fn(&str, bool) -> Option<&'static str>,
    pub(crate) usage: StreamUsage,
    /// Fields that it refuses, and that change nothing about the answer.
    pub(crate) drops: &'static [&'static str],
    /// Fields that it knows by another name.
    pub(crate) renames: &'static [(&'static str, &'static str)],
    /// Whatever else it wants to be different in a body.
    pub(crate) rewrite: Option<fn(&mut Rewrite<'_>, Endpoint, &UpstreamConfig)>,
    /// What it must not be told in the words of a prompt.
    pub(crate) prompt: Option<fn(&str) -> Cow<'_, str>>,
    /// Makes OpenAI's of its answers, and of the events of its streams.
    pub(crate) answer: Option<fn(&mut Value, Endpoint, bool)>,
    pub(crate) listing: Listing,
    /// Words in errors that say that no other try can help, whatever their status.
    pub(crate) finals: &'static [&'static str],
    /// Words in errors that say that the key is wrong, whatever their status.
    pub(crate) bad_keys: &'static [&'static str],
}

/// Where a dialect is to be found.
#[derive(Clone, Copy)]
pub(crate) enum Base {
    /// The same for everybody.
    At(&'static str),
    /// As the settings say; else the name of the one that is missing.
    Of(fn(&UpstreamConfig) -> Result<String, &'static str>),
}

/// How a key is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// `Authorization: Bearer`.
    Bearer,
    /// `api-key`, of Azure.
    ApiKey,
    /// `x-api-key`, of Anthropic; its chat completions take a bearer's.
    XApiKey,
    /// A bearer's token that IBM's IAM gives for the key.
    Ibm,
    /// A bearer's token that Google gives for what a service account has signed.
    Google,
    /// There is none.
    Nothing,
}

/// How the models of an upstream are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    /// It lists them.
    Listed {
        /// Below its base.
        path: &'static str,
        /// The member of the answer that has the list.
        list: &'static str,
        /// The member of each that has its name.
        id: &'static str,
        /// What stands before each name there and not in calls.
        prefix: &'static str,
        /// Beginnings of names that are of no use here.
        without: &'static [&'static str],
        /// What the request needs besides the key.
        headers: &'static [(&'static str, &'static str)],
    },
    /// The operator names them. There may be a path that shows whether a key is accepted.
    Named(Option<&'static str>),
}

/// Where a stream of chunks tells its usage. Figures of several chunks are totals: the last
/// ones count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamUsage {
    /// Where `stream_options` asks for it.
    Asked,
    /// Without being asked, and `stream_options` is refused or of no use.
    Told,
    /// Nowhere: it is estimated.
    Never,
}

impl Listing {
    /// As OpenAI lists them.
    pub(crate) const OPENAI: Self = Self::Listed {
        path: "/models",
        list: "data",
        id: "id",
        prefix: "",
        without: &[],
        headers: &[],
    };

    /// The names in an answer; `None` if it is no list.
    pub fn names(self, answer: &Value) -> Option<Vec<String>> {
        let Self::Listed {
            list,
            id,
            prefix,
            without,
            ..
        } = self
        else {
            return None;
        };
        // Together answers with the bare list.
        let listed = answer.get(list).unwrap_or(answer).as_array()?;
        let names = listed.iter().filter_map(|one| one[id].as_str());
        let names = names.map(|name| name.strip_prefix(prefix).unwrap_or(name));
        let names = names.filter(|name| !without.iter().any(|start| name.starts_with(start)));
        Some(names.map(str::to_owned).collect())
    }

    /// Where it is asked for, or where a key can be tried.
    pub const fn path(self) -> Option<&'static str> {
        match self {
            Self::Listed { path, .. } => Some(path),
            Self::Named(path) => path,
        }
    }

    /// What the request needs besides the key.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Listed { headers, .. } => headers,
            Self::Named(_) => &[],
        }
    }
}

impl Row {
    /// A row that does as OpenAI does, for those that differ in a few things.
    pub(crate) const OPENAI: Self = Self {
        name: "openai",
        wire: Wire::OpenAi,
        base: Base::At("https://api.openai.com/v1"),
        auth: Auth::Bearer,
        query: |_| None,
        headers: |_| Vec::new(),
        path: |_, _| None,
        usage: StreamUsage::Asked,
        drops: &[],
        renames: &[],
        rewrite: None,
        prompt: None,
        answer: None,
        listing: Listing::OPENAI,
        finals: &[],
        bad_keys: &[],
    };

    /// The name of the most tokens of an answer, where only the older one is known.
    pub(crate) const MAX_TOKENS: &'static [(&'static str, &'static str)] =
        &[("max_completion_tokens", "max_tokens")];
}
