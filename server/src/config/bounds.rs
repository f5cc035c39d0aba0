//! Validates each setting. A value that would only fail later, in the middle of a job,
//! is refused at start, with the setting's name.

use std::{fmt::Display, ops::RangeInclusive, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use atelier_webhook::Secret as WebhookSecret;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use humantime::format_duration;
use tracing_subscriber::filter::{LevelFilter, Targets};
use url::Url;

use super::{Config, Secret, print::REDACTED};

const MILLISECOND: Duration = Duration::from_millis(1);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Ten years, so that instants stay well within the range that can be computed with.
const LONGEST: Duration = Duration::from_secs(3650 * 24 * 60 * 60);

/// Heartbeats are sent after every third of a lease, and take time themselves.
const SHORTEST_LEASE: Duration = Duration::from_millis(300);

const CALLS_PER_SECOND: RangeInclusive<f64> = 0.001..=100_000.0;
const PARALLEL: RangeInclusive<u32> = 1..=10_000;
const DOLLARS: RangeInclusive<f64> = 0.0..=1000.0;
const ENTRIES: u64 = 100_000_000;

impl Config {
    pub(super) fn check_bounds(&self) -> Result<()> {
        self.log_filter()?;
        within("workers (ATELIER_WORKERS)", self.workers, 0..=10_000)?;
        self.bound_addresses()?;
        self.bound_secrets()?;
        self.bound_caches()?;
        self.bound_queue()?;
        self.bound_photos()?;
        self.bound_openai()?;
        self.bound_replicate()?;
        duration("figures.keep", self.figures.keep, HOUR..=LONGEST)
    }

    /// The log filter.
    ///
    /// # Errors
    /// If `log` is not a valid filter. A single word that is no level would be taken for a
    /// module, and nothing else would be logged.
    pub fn log_filter(&self) -> Result<Targets> {
        let form = "Write a level (off, error, warn, info, debug, trace), or levels by module: \
                    \"warn,atelier::worker=debug\".";
        for part in self.log.split(',').map(str::trim) {
            let level = part.rsplit('=').next().unwrap_or_default();
            ensure!(
                !level.is_empty() && level.parse::<LevelFilter>().is_ok(),
                "log (RUST_LOG) is {:?}, and {part:?} names no level. {form}",
                self.log
            );
        }
        self.log
            .parse()
            .with_context(|| format!("log (RUST_LOG) is {:?}. {form}", self.log))
    }

    fn bound_addresses(&self) -> Result<()> {
        if let Some(url) = &self.public_url {
            let name = "public_url (ATELIER_PUBLIC_URL)";
            http_address(name, url)?;
            ensure!(
                url.path() == "/" && url.username().is_empty() && url.password().is_none(),
                "{name} is {url}. The site is served at the root of its host: write \
                 \"https://atelier.example\", without a path, a user name or a password."
            );
        }
        if let Some(url) = &self.callback_url {
            http_address("callback_url (ATELIER_CALLBACK_URL)", url)?;
        }
        http_address("openai.base_url (OPENAI_BASE_URL)", &self.openai.base_url)?;
        http_address(
            "replicate.base_url (REPLICATE_BASE_URL)",
            &self.replicate.base_url,
        )
    }

    fn bound_secrets(&self) -> Result<()> {
        secret(
            "secret (ATELIER_SECRET)",
            self.secret.as_ref(),
            16,
            "Set a longer one, or unset it to have one made.",
        )?;
        if let Some(Secret(text)) = &self.secret
            && let Some(encoded) = text.strip_prefix("whsec_")
        {
            ensure!(
                BASE64.decode(encoded).is_ok_and(|key| key.len() >= 16),
                "secret (ATELIER_SECRET) begins with \"whsec_\", but what follows is not the base64 \
                 of 16 bytes or more. Copy it whole, or unset it to have one made."
            );
        }
        let name = "admin_token (ATELIER_ADMIN_TOKEN)";
        let hint = "Set a longer one, or unset it to have no admin routes.";
        secret(name, self.admin_token.as_ref(), 16, hint)?;
        sendable(name, self.admin_token.as_ref())?;
        for (name, key) in [
            ("openai.api_key (OPENAI_API_KEY)", &self.openai.api_key),
            (
                "replicate.api_token (REPLICATE_API_TOKEN)",
                &self.replicate.api_token,
            ),
        ] {
            secret(name, key.as_ref(), 1, "Set it, or unset it.")?;
            sendable(name, key.as_ref())?;
        }
        let name = "replicate.webhook_secret (REPLICATE_WEBHOOK_SECRET)";
        if let Some(Secret(text)) = &self.replicate.webhook_secret {
            ensure!(
                text != REDACTED && text.parse::<WebhookSecret>().is_ok(),
                "{name} is no such secret. It begins with \"whsec_\", and base64 follows."
            );
        }
        Ok(())
    }

    fn bound_caches(&self) -> Result<()> {
        duration("cache.ttl", self.cache.ttl, Duration::ZERO..=LONGEST)?;
        within("cache.entries", self.cache.entries, 1..=ENTRIES)?;
        let semantic = &self.semantic;
        within("semantic.entries", semantic.entries as u64, 1..=ENTRIES)
            .context("to compare no meanings, set semantic.mode to \"off\"")?;
        within("semantic.threshold", semantic.threshold, 0.0..=1.0)
            .context("it is a cosine similarity")?;
        name("semantic.model", &semantic.model)
    }

    fn bound_queue(&self) -> Result<()> {
        let queue = &self.queue;
        duration("queue.lease", queue.lease, SHORTEST_LEASE..=DAY)?;
        within("queue.attempts", queue.attempts, 1..=1000)?;
        duration("queue.retry_base", queue.retry_base, MILLISECOND..=DAY)?;
        duration("queue.retry_cap", queue.retry_cap, MILLISECOND..=DAY)?;
        duration("queue.grace", queue.grace, Duration::ZERO..=HOUR)?;
        duration("queue.keep", queue.keep, MILLISECOND..=LONGEST)
    }

    fn bound_photos(&self) -> Result<()> {
        let photos = &self.photos;
        within("photos.max_bytes", photos.max_bytes, 1..=1_000_000_000)?;
        within("photos.max_pixels", photos.max_pixels, 1..=1_000_000_000)?;
        duration("photos.keep", photos.keep, Duration::ZERO..=LONGEST)
    }

    fn bound_openai(&self) -> Result<()> {
        let openai = &self.openai;
        name("openai.model", &openai.model)?;
        within("openai.parallel", openai.parallel, PARALLEL)?;
        within("openai.partial_images", openai.partial_images, 0..=3)?;
        rate("openai.calls_per_second", openai.calls_per_second)?;
        duration("openai.timeout", openai.timeout, MILLISECOND..=DAY)?;
        let prices = &openai.prices;
        for (what, price) in [
            ("text_input", prices.text_input),
            ("image_input", prices.image_input),
            ("image_output", prices.image_output),
        ] {
            within(&format!("openai.prices.{what}"), price, 0.0..=1_000_000.0)?;
        }
        for entry in &openai.estimates {
            let model = &entry.model;
            name("openai.estimates: model", model)?;
            for (what, price) in [
                ("low", entry.low),
                ("medium", entry.medium),
                ("high", entry.high),
                ("photo", entry.photo),
            ] {
                let name = format!("openai.estimates: {what} of {model:?}");
                within(&name, price, DOLLARS)?;
            }
        }
        Ok(())
    }

    fn bound_replicate(&self) -> Result<()> {
        let replicate = &self.replicate;
        within("replicate.parallel", replicate.parallel, PARALLEL)?;
        rate("replicate.calls_per_second", replicate.calls_per_second)?;
        duration("replicate.timeout", replicate.timeout, MILLISECOND..=DAY)?;
        within("replicate.image_usd", replicate.image_usd, DOLLARS)?;
        within(
            "replicate.restoration_usd",
            replicate.restoration_usd,
            DOLLARS,
        )
    }
}

/// Checks that a number is in its range; NaN is in none.
pub(super) fn within<T: Copy + PartialOrd + Display>(
    name: &str,
    value: T,
    range: RangeInclusive<T>,
) -> Result<()> {
    ensure!(
        range.contains(&value),
        "{name} is {value}. It must be at least {} and at most {}.",
        range.start(),
        range.end()
    );
    Ok(())
}

pub(super) fn duration(name: &str, value: Duration, range: RangeInclusive<Duration>) -> Result<()> {
    ensure!(
        range.contains(&value),
        "{name} is \"{}\". It must be at least \"{}\" and at most \"{}\".",
        format_duration(value),
        format_duration(*range.start()),
        days(*range.end())
    );
    Ok(())
}

/// Formats whole days as days: years and months have varying lengths.
fn days(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds > 0 && seconds.is_multiple_of(DAY.as_secs()) {
        format!("{}d", seconds / DAY.as_secs())
    } else {
        format_duration(duration).to_string()
    }
}

fn rate(name: &str, value: Option<f64>) -> Result<()> {
    value
        .map_or(Ok(()), |value| within(name, value, CALLS_PER_SECOND))
        .context("leave it out for no bound")
}

/// Checks a base URL to which paths can be joined.
fn http_address(name: &str, url: &Url) -> Result<()> {
    let plain = url.query().is_none() && url.fragment().is_none();
    ensure!(
        matches!(url.scheme(), "http" | "https") && url.has_host() && plain,
        "{name} is {:?}. It must begin with http:// or https:// and have neither a query nor a fragment.",
        url.as_str()
    );
    Ok(())
}

/// Checks a name that is sent in requests unchanged.
fn name(setting: &str, value: &str) -> Result<()> {
    let fit =
        !value.is_empty() && value.len() <= 200 && value.chars().all(|c| c.is_ascii_graphic());
    ensure!(
        fit,
        "{setting} is {value:?}. A model's name has 1 to 200 printable ASCII characters and no spaces."
    );
    Ok(())
}

fn secret(name: &str, secret: Option<&Secret>, shortest: usize, hint: &str) -> Result<()> {
    let Some(Secret(text)) = secret else {
        return Ok(());
    };
    if text == REDACTED {
        bail!(
            "{name} is what `atelier config` prints instead of a secret. Put the secret there, or remove the line."
        );
    }
    ensure!(!text.trim().is_empty(), "{name} is blank. {hint}");
    ensure!(
        text.len() >= shortest,
        "{name} is shorter than {shortest} characters. {hint}"
    );
    ensure!(
        !text.chars().any(char::is_control),
        "{name} contains a line break or another control character. Is there one at its end?"
    );
    Ok(())
}

/// Checks a secret that is sent in a header, where surrounding blanks would be lost.
fn sendable(name: &str, secret: Option<&Secret>) -> Result<()> {
    let plain = |c: char| c == ' ' || c.is_ascii_graphic();
    ensure!(
        secret.is_none_or(|Secret(text)| text.chars().all(plain) && text.trim() == text),
        "{name} contains a character that no HTTP header can carry, or a blank at an end. Copy it again."
    );
    Ok(())
}
