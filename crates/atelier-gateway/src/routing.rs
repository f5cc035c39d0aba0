//! Which upstreams serve a model, and in which order they are tried.

use std::{collections::HashMap, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{fits, upstream::Upstream};

/// The name of a model, with `*` for any characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Whether the name matches. Case matters.
    ///
    /// ```
    /// use atelier_gateway::routing::Pattern;
    ///
    /// let pattern = Pattern::from("gpt-*-mini");
    /// assert!(pattern.matches("gpt-5-mini") && !pattern.matches("gpt-5"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        fits(&self.0, name)
    }

    /// The pattern as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the name of one model.
    pub fn is_name(&self) -> bool {
        !self.0.contains('*')
    }
}

impl<T: Into<String>> From<T> for Pattern {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A model under a name of its own, with fallbacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// The name that clients send.
    pub name: String,
    /// `UPSTREAM/MODEL` or the name of a model, tried in this order.
    pub targets: Vec<String>,
}

/// A model at an upstream.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who is called.
    pub upstream: Arc<Upstream>,
    /// The model's name there.
    pub model: String,
}

/// All upstreams, and the models under names of their own.
#[derive(Debug, Default)]
pub struct Routes {
    upstreams: Vec<Arc<Upstream>>,
    aliases: HashMap<String, Vec<String>>,
}

impl Routes {
    /// Routes to these upstreams.
    pub fn new(upstreams: Vec<Arc<Upstream>>, models: &[ModelConfig]) -> Self {
        let aliases = models
            .iter()
            .map(|model| (model.name.clone(), model.targets.clone()));
        Self {
            upstreams,
            aliases: aliases.collect(),
        }
    }

    /// All upstreams.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// Returns whom to ask for the model, in the order in which they are to be tried; nobody if
    /// no upstream has it. Among upstreams of equal priority the one with the fewest calls in
    /// flight for its weight is first.
    pub fn targets(&self, model: &str) -> Vec<Target> {
        match self.aliases.get(model) {
            Some(targets) => targets.iter().flat_map(|name| self.named(name)).collect(),
            None => self.named(model),
        }
    }

    /// The targets of `UPSTREAM/MODEL`, or of a model that upstreams list.
    fn named(&self, name: &str) -> Vec<Target> {
        if let Some((upstream, model)) = name.split_once('/')
            && let Some(upstream) = self.upstreams.iter().find(|one| one.name() == upstream)
        {
            return vec![Target {
                upstream: Arc::clone(upstream),
                model: model.to_owned(),
            }];
        }
        let mut serving: Vec<_> = self
            .upstreams
            .iter()
            .filter(|upstream| upstream.serves(name))
            .map(|upstream| (upstream, fastrand::u32(..)))
            .collect();
        serving.sort_by(|(a, chance_a), (b, chance_b)| {
            let priority = a.priority().cmp(&b.priority());
            let load = a.load().total_cmp(&b.load());
            priority.then(load).then(chance_a.cmp(chance_b))
        });
        serving
            .into_iter()
            .map(|(upstream, _)| Target {
                upstream: Arc::clone(upstream),
                model: name.to_owned(),
            })
            .collect()
    }

    /// Returns the names of the models that clients can ask for, sorted, each with the name of
    /// the upstream that serves it.
    pub fn models(&self) -> Vec<(String, String)> {
        let aliases = self.aliases.iter().map(|(name, targets)| {
            let first = targets.first().map_or("", |target| target.as_str());
            let owner = first.split_once('/').map_or(first, |(owner, _)| owner);
            (name.clone(), owner.to_owned())
        });
        let listed = self.upstreams.iter().flat_map(|upstream| {
            let names = upstream.listed().into_iter();
            names.map(|name| (name, upstream.name().to_owned()))
        });
        let mut models: Vec<_> = aliases.chain(listed).collect();
        models.sort();
        models.dedup_by(|(a, _), (b, _)| a == b);
        models
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::UpstreamConfig;

    fn upstream(name: &str, models: &[&str], priority: u32, weight: u32) -> Arc<Upstream> {
        let base_url = "http://127.0.0.1:9/v1".parse().unwrap();
        let config = UpstreamConfig {
            models: models.iter().copied().map(Pattern::from).collect(),
            priority,
            weight,
            ..UpstreamConfig::new(name, base_url)
        };
        Arc::new(Upstream::new(config).unwrap())
    }

    fn asked(routes: &Routes, model: &str) -> Vec<String> {
        let targets = routes.targets(model).into_iter();
        targets
            .map(|target| format!("{}/{}", target.upstream.name(), target.model))
            .collect()
    }

    #[test]
    fn patterns_match_from_the_first_to_the_last_character() {
        for (pattern, name, matches) in [
            ("gpt-5", "gpt-5", true),
            ("gpt-5", "gpt-5-mini", false),
            ("gpt-*", "gpt-5", true),
            ("gpt-*", "GPT-5", false),
            ("*", "", true),
            ("*-mini", "gpt-5-mini", true),
            ("*-mini", "gpt-5-mini-2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c", false),
            ("a*a", "a", false),
            ("", "", true),
        ] {
            assert_eq!(
                Pattern::from(pattern).matches(name),
                matches,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn an_alias_is_tried_in_its_order() {
        let upstreams = vec![upstream("a", &["x-*"], 0, 1), upstream("b", &["y"], 0, 1)];
        let small = ModelConfig {
            name: "small".into(),
            targets: vec!["b/llama".into(), "a/x-1".into(), "y".into(), "none".into()],
        };
        let routes = Routes::new(upstreams, &[small]);
        assert_eq!(asked(&routes, "small"), ["b/llama", "a/x-1", "b/y"]);
        assert_eq!(asked(&routes, "x-2"), ["a/x-2"]);
        // A name with its upstream needs no listing there.
        assert_eq!(asked(&routes, "b/anything/else"), ["b/anything/else"]);
        assert!(asked(&routes, "z").is_empty());
        let owners = [("small", "b"), ("y", "b")];
        let owners = owners.map(|(name, owner)| (name.to_owned(), owner.to_owned()));
        assert_eq!(routes.models(), owners);
    }

    #[test]
    fn priority_goes_before_load_and_load_counts_by_weight() {
        let (one, two, last) = (
            upstream("one", &["m"], 0, 1),
            upstream("two", &["m"], 0, 2),
            upstream("last", &["m"], 1, 9),
        );
        let routes = Routes::new(
            vec![Arc::clone(&last), Arc::clone(&one), Arc::clone(&two)],
            &[],
        );
        let _first = two.begin();
        assert_eq!(asked(&routes, "m"), ["one/m", "two/m", "last/m"]);
        let _second = one.begin();
        assert_eq!(asked(&routes, "m"), ["two/m", "one/m", "last/m"]);
    }
}
