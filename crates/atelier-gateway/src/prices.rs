//! What models cost.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Usage;

/// A million: prices are for as many tokens.
const MILLION: f64 = 1e6;
/// What Anthropic charges for keeping input an hour, as a multiple of the price of input.
const HOUR_WRITE: f64 = 2.0;

static SHIPPED: LazyLock<Prices> =
    LazyLock::new(|| toml::from_str(include_str!("prices.toml")).unwrap_or_default());

/// The prices of a model, in US dollars: of a million tokens, if nothing else is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// The model's name, in which `*` stands for anything.
    pub model: String,
    /// Tokens of the request.
    pub input: f64,
    /// Those read from the provider's cache; like `input`, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<f64>,
    /// Those written to that cache for minutes; like `input`, if it is not given. Keeping them
    /// for an hour costs twice the price of input then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
    /// Those of pictures; like `input`, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_input: Option<f64>,
    /// Those of audio; like `input`, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<f64>,
    /// Tokens of the answer.
    #[serde(default)]
    pub output: f64,
    /// Those of audio; like `output`, if it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<f64>,
    /// Each picture that is made, besides its tokens.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub image: f64,
    /// Each minute of audio that is heard, besides its tokens.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub minute: f64,
    /// Each call, besides everything else.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub call: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_nothing(price: &f64) -> bool {
    *price == 0.0
}

impl Price {
    /// Returns the price of a call in US dollars: what the upstream says, or else what its
    /// usage amounts to.
    pub fn cost(&self, usage: &Usage) -> f64 {
        if let Some(usd) = usage.usd {
            return usd;
        }
        let tokens = self.input_cost(usage) + self.output_cost(usage);
        let minutes = usage.seconds as f64 / 60.0;
        tokens / MILLION + self.image * usage.images as f64 + self.minute * minutes + self.call
    }

    fn input_cost(&self, usage: &Usage) -> f64 {
        let long = usage.long_cache_writes;
        let hour = self
            .cache_write
            .map_or(self.input, |_| self.input * HOUR_WRITE);
        let rates = [
            (usage.cached_input, self.cached_input.unwrap_or(self.input)),
            (long, hour),
            (
                usage.cache_writes.saturating_sub(long),
                self.cache_write.unwrap_or(self.input),
            ),
            (usage.image_input, self.image_input.unwrap_or(self.input)),
            (usage.audio_input, self.audio_input.unwrap_or(self.input)),
        ];
        shared(usage.input, self.input, &rates)
    }

    fn output_cost(&self, usage: &Usage) -> f64 {
        let audio = self.audio_output.unwrap_or(self.output);
        shared(usage.output, self.output, &[(usage.audio_output, audio)])
    }

    /// Names a price that is less than nothing or no number.
    ///
    /// # Errors
    /// The name of the field.
    pub fn check(&self) -> Result<(), &'static str> {
        let optional = [
            ("cached_input", self.cached_input),
            ("cache_write", self.cache_write),
            ("image_input", self.image_input),
            ("audio_input", self.audio_input),
            ("audio_output", self.audio_output),
        ];
        let fields = [
            ("input", self.input),
            ("output", self.output),
            ("image", self.image),
            ("minute", self.minute),
            ("call", self.call),
        ];
        let given = optional
            .into_iter()
            .map(|(name, price)| (name, price.unwrap_or(0.0)));
        let mut all = fields.into_iter().chain(given);
        let is_wrong = |price: f64| !price.is_finite() || price < 0.0;
        all.find(|(_, price)| is_wrong(*price))
            .map_or(Ok(()), |(name, _)| Err(name))
    }

    /// What a million tokens in and out, a picture, a minute and a call cost together: a
    /// measure of which model is dearer.
    fn weight(&self) -> f64 {
        self.input + self.output + self.image + self.minute + self.call
    }
}

/// Prices tokens of which some have rates of their own. Tokens can be told under two headings
/// (pictures from the cache); they are charged under the first.
fn shared(total: u64, rate: f64, parts: &[(u64, f64)]) -> f64 {
    let (mut left, mut cost) = (total, 0.0);
    for (tokens, rate) in parts {
        let tokens = left.min(*tokens);
        cost += tokens as f64 * rate;
        left -= tokens;
    }
    cost + left as f64 * rate
}

/// A table of prices. The first entry counts that fits a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// When the shipped part was collected, as `YYYY-MM-DD`.
    #[serde(default)]
    pub as_of: String,
    /// The entries in their order.
    #[serde(default)]
    pub models: Vec<Price>,
}

/// A price, and whether it is known to be the model's.
#[derive(Debug, Clone, PartialEq)]
pub struct Quote<'a> {
    /// The price to charge.
    pub price: &'a Price,
    /// Whether the table has the model. Otherwise the price is that of the dearest one.
    pub is_known: bool,
}

impl Prices {
    /// The table that comes with the crate.
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// The shipped table behind entries of one's own.
    pub fn with(own: Vec<Price>) -> Self {
        let shipped = Self::shipped();
        let mut models = own;
        models.extend(shipped.models.iter().cloned());
        Self {
            as_of: shipped.as_of.clone(),
            models,
        }
    }

    /// Returns the price of a model. A vendor before the name (`openai/gpt-5`) and a date or
    /// a choice of provider behind it (`-2025-08-07`, `:nitro`) do not count, unless an entry
    /// has them.
    pub fn of(&self, model: &str) -> Option<&Price> {
        let name = model.rsplit_once('/').map_or(model, |(_, name)| name);
        let plain = name.split_once(':').map_or(name, |(name, _)| name);
        let mut spellings = [model, name, plain, undated(plain)].into_iter();
        spellings.find_map(|name| self.models.iter().find(|one| fits(&one.model, name)))
    }

    /// Returns the dearest of the models that an upstream serves, or of all if the table has
    /// none of them. `None` if it has no entry at all.
    pub fn dearest(&self, serves: impl Fn(&str) -> bool) -> Option<&Price> {
        let served = self.models.iter().filter(|one| serves(&one.model));
        let dearest = served.max_by(|a, b| a.weight().total_cmp(&b.weight()));
        let all = self.models.iter();
        dearest.or_else(|| all.max_by(|a, b| a.weight().total_cmp(&b.weight())))
    }

    /// Returns the price of a model, or the dearest of those that its upstream serves.
    pub fn quote(&self, model: &str, serves: impl Fn(&str) -> bool) -> Option<Quote<'_>> {
        if let Some(price) = self.of(model) {
            return Some(Quote {
                price,
                is_known: true,
            });
        }
        let price = self.dearest(serves)?;
        Some(Quote {
            price,
            is_known: false,
        })
    }
}

/// Whether a name fits a pattern in which `*` stands for any letters.
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// The name without a date at its end, written `-2025-08-07` or `-20250807`.
fn undated(name: &str) -> &str {
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let Some((rest, last)) = name.rsplit_once('-') else {
        return name;
    };
    if digits(last, 8) {
        return rest;
    }
    let parts = rest.rsplit_once('-').and_then(|(rest, month)| {
        let (rest, year) = rest.rsplit_once('-')?;
        (digits(year, 4) && digits(month, 2) && digits(last, 2)).then_some(rest)
    });
    parts.unwrap_or(name)
}

#[cfg(test)]
mod tests;
