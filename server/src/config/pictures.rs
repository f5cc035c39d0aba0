//! Which models make the studio's pictures, and what they cost.

use std::{collections::HashSet, fmt, str::FromStr};

use anyhow::{Result, bail, ensure};
use atelier_gateway::{Auth, Dialect, upstream::UpstreamConfig};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use super::{Config, Estimate, Prices, ProviderName, StudioConfig, find_estimate};
use crate::limit::Unit;

/// The built-in engines.
const SKETCH: &str = "sketch-1";
const RESTORER: &str = "restorer-1";

/// The most models that visitors choose from; a form has room for no more.
const MOST_OFFERED: usize = 8;

/// A model by the name of whoever has it: `openai/gpt-image-2`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModelName {
    /// `openai`, `replicate`, `local`, or an upstream.
    pub provider: String,
    /// As the provider calls it; may have slashes.
    pub model: String,
}

/// What the pictures of a model cost, in US dollars.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PicturePrice {
    /// A model, or an upstream and its model, or the beginning of either and `*`.
    pub model: String,
    /// One of 1024 x 1024 pixels.
    pub picture: f64,
    /// The additional cost of reading a picture.
    #[serde(default)]
    pub photo: f64,
    /// Where the provider tells how many tokens it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Prices>,
}

impl PicturePrice {
    /// The same in the form of the table of OpenAI's models.
    pub fn estimate(&self) -> Estimate {
        Estimate {
            model: self.model.clone(),
            low: self.picture,
            medium: self.picture,
            high: self.picture,
            photo: self.photo,
        }
    }
}

/// Returns the first price of an upstream's model.
pub fn find_price<'a>(
    table: &'a [PicturePrice],
    upstream: &str,
    model: &str,
) -> Option<&'a PicturePrice> {
    let whole = format!("{upstream}/{model}");
    // OpenRouter's and Hugging Face's names begin with the maker.
    let last = model.rsplit('/').next().unwrap_or(model);
    let names = [&whole, model, last];
    table.iter().find(|price| {
        let prefix = price.model.strip_suffix('*');
        names.iter().any(|name| match prefix {
            Some(prefix) => name.starts_with(prefix),
            None => price.model == *name,
        })
    })
}

impl ModelName {
    fn new(provider: &str, model: &str) -> Self {
        Self {
            provider: provider.to_owned(),
            model: model.to_owned(),
        }
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.provider, self.model)
    }
}

impl FromStr for ModelName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        match text.split_once('/') {
            Some((provider, model)) if is_plain(provider) && is_plain(model) => {
                Ok(Self::new(provider, model))
            }
            _ => Err(format!(
                "{text:?} is no model. Write who has it, a slash and its name, such as \"openai/gpt-image-2\""
            )),
        }
    }
}

impl Serialize for ModelName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Reads one name, or several.
pub(super) fn names<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ModelName>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "the name of a model, or a list of names")]
    enum Names {
        One(String),
        Several(Vec<String>),
    }
    let names = match Names::deserialize(deserializer)? {
        Names::One(name) => vec![name],
        Names::Several(names) => names,
    };
    let names = names.iter().map(|name| name.parse());
    let names: Vec<ModelName> = names
        .collect::<Result<_, String>>()
        .map_err(D::Error::custom)?;
    if names.is_empty() {
        return Err(D::Error::custom("a list of models is empty"));
    }
    Ok(names)
}

impl Config {
    /// The models for pictures, in the order in which they are asked; at least one.
    pub fn pictures(&self) -> Vec<ModelName> {
        if !self.studio.pictures.is_empty() {
            return self.studio.pictures.clone();
        }
        vec![match self.provider() {
            ProviderName::OpenAi => ModelName::new("openai", &self.openai.model),
            ProviderName::Replicate => ModelName::new("replicate", &self.replicate.image_model),
            ProviderName::Local => ModelName::new("local", SKETCH),
        }]
    }

    /// The models for photos, in the order in which they are asked; at least one.
    pub fn photos(&self) -> Vec<ModelName> {
        if !self.studio.photos.is_empty() {
            return self.studio.photos.clone();
        }
        vec![match self.provider() {
            ProviderName::OpenAi => ModelName::new("openai", &self.openai.model),
            ProviderName::Replicate => {
                ModelName::new("replicate", &self.replicate.restoration_model)
            }
            ProviderName::Local => ModelName::new("local", RESTORER),
        }]
    }

    /// The models for pictures that visitors may choose instead of the first.
    pub fn picture_choices(&self) -> Vec<ModelName> {
        besides_first(&self.pictures(), &self.studio.picture_choices)
    }

    /// The same for photos.
    pub fn photo_choices(&self) -> Vec<ModelName> {
        besides_first(&self.photos(), &self.studio.photo_choices)
    }

    pub(super) fn check_pictures(&self) -> Result<()> {
        let (pictures, photos) = (self.pictures(), self.photos());
        let StudioConfig {
            picture_choices,
            photo_choices,
            ..
        } = &self.studio;
        let lists = [
            ("pictures", &pictures, SKETCH),
            ("photos", &photos, RESTORER),
            ("picture_choices", picture_choices, SKETCH),
            ("photo_choices", photo_choices, RESTORER),
        ];
        for (list, models, engine) in lists {
            let mut names = HashSet::new();
            for name in models {
                ensure!(
                    names.insert(name),
                    "studio.{list} has {:?} twice. Name each model once.",
                    name.to_string()
                );
                self.check_model(list, name, engine)?;
            }
        }
        for (list, choices) in [
            ("picture_choices", self.picture_choices()),
            ("photo_choices", self.photo_choices()),
        ] {
            ensure!(
                choices.len() < MOST_OFFERED,
                "studio.{list} offers {} models with the usual one. At most {MOST_OFFERED} are shown.",
                choices.len() + 1
            );
        }
        let chosen = picture_choices.iter().chain(photo_choices);
        self.check_picture_prices(pictures.iter().chain(&photos).chain(chosen))
    }

    fn check_model(&self, list: &str, name: &ModelName, engine: &str) -> Result<()> {
        let ModelName { provider, model } = name;
        match provider.as_str() {
            "openai" => self.check_openai(),
            "replicate" => self.check_replicate(model),
            "local" => {
                ensure!(
                    model == engine,
                    "studio.{list}: the built-in engine is called \"local/{engine}\"."
                );
                Ok(())
            }
            _ => self.check_upstream_model(list, name, engine == RESTORER),
        }
    }

    fn check_upstream_model(&self, list: &str, name: &ModelName, for_photos: bool) -> Result<()> {
        let ModelName { provider, model } = name;
        let Some(upstream) = self.upstreams.iter().find(|one| one.name == *provider) else {
            let known = self.upstreams.iter().map(|upstream| upstream.name.as_str());
            let known: Vec<_> = ["openai", "replicate", "local"]
                .into_iter()
                .chain(known)
                .collect();
            bail!(
                "studio.{list}: there is no upstream {provider:?} for {:?}. There are {}; others are described \
                 by [[upstreams]].",
                name.to_string(),
                known.join(", ")
            );
        };
        let kind = upstream.kind.name();
        ensure!(
            draws(upstream.kind),
            "studio.{list}: the upstream {provider:?} is of the kind {kind:?}, which makes no pictures."
        );
        ensure!(
            !for_photos || restores(upstream.kind),
            "studio.{list}: the upstream {provider:?} is of the kind {kind:?}, which makes no pictures from photos."
        );
        ensure!(
            upstream.api_key.is_some() || !needs_key(upstream),
            "studio.{list}: the upstream {provider:?} has no key. Put it into an environment variable, and name \
             that by api_key_env."
        );
        if matches!(upstream.kind, Dialect::Gemini | Dialect::Vertex) {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            ensure!(
                model.chars().all(plain),
                "studio.{list}: {model:?} is no model of Google. Write such as \"{provider}/gemini-3-pro-image\"."
            );
        }
        Ok(())
    }

    /// Whoever limits money has to know what is spent.
    fn check_picture_prices<'a>(&self, models: impl Iterator<Item = &'a ModelName>) -> Result<()> {
        for price in &self.studio.prices {
            let is_price = |usd: f64| usd.is_finite() && usd >= 0.0;
            let tokens = price.tokens.iter().flat_map(Prices::all);
            let all = [price.picture, price.photo].into_iter().chain(tokens);
            ensure!(
                all.into_iter().all(is_price),
                "studio.prices: {:?} has a price that is none.",
                price.model
            );
        }
        let money = self.limits.iter().find(|policy| policy.unit == Unit::Usd);
        let Some(policy) = money else {
            return Ok(());
        };
        for name in models {
            let (table, is_known) = self.is_priced(name);
            ensure!(
                is_known,
                "the limit {:?} counts money, but {table} has no price for the model {:?}. Add an entry for it.",
                policy.name,
                name.model
            );
        }
        Ok(())
    }

    /// The table that has the model's price, and whether it does.
    fn is_priced(&self, ModelName { provider, model }: &ModelName) -> (&'static str, bool) {
        let kind = match provider.as_str() {
            "openai" => Dialect::OpenAi,
            "local" | "replicate" => return ("", true),
            provider => {
                let upstream = self.upstreams.iter().find(|one| one.name == provider);
                upstream.map_or(Dialect::OpenAi, |upstream| upstream.kind)
            }
        };
        match kind {
            Dialect::OpenAi | Dialect::Azure => {
                let entry = find_estimate(&self.openai.estimates, model);
                ("openai.estimates", entry.is_some())
            }
            Dialect::Vllm | Dialect::LocalAi | Dialect::SdCpp => ("", true),
            _ => {
                let price = find_price(&self.studio.prices, provider, model);
                ("studio.prices", price.is_some())
            }
        }
    }
}

/// The choices without the model that is the usual one.
fn besides_first(models: &[ModelName], choices: &[ModelName]) -> Vec<ModelName> {
    let others = choices.iter().filter(|name| models.first() != Some(name));
    others.cloned().collect()
}

/// Whether an upstream of this kind makes pictures.
const fn draws(kind: Dialect) -> bool {
    restores(kind) || matches!(kind, Dialect::HuggingFace | Dialect::LocalAi)
}

/// Whether it makes them from photos.
const fn restores(kind: Dialect) -> bool {
    matches!(
        kind,
        Dialect::OpenAi
            | Dialect::Azure
            | Dialect::Gemini
            | Dialect::Vertex
            | Dialect::OpenRouter
            | Dialect::Vllm
            | Dialect::SdCpp
    )
}

/// Whether it is somebody else's, who wants to know who calls.
fn needs_key(upstream: &UpstreamConfig) -> bool {
    let own = matches!(upstream.kind, Dialect::Vllm | Dialect::LocalAi);
    // A server of one's own may do as OpenAI does.
    let compatible = upstream.kind == Dialect::OpenAi && upstream.base_url.is_some();
    upstream.kind.auth() != Auth::Nothing && !own && !compatible
}

#[cfg(test)]
mod tests;
