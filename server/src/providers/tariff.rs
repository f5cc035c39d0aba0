//! What calls cost, by the price tables in the configuration.

use atelier_api::{Quality, Size};

use super::Work;
use crate::config::{Estimate, PicturePrice, Prices, find_estimate, find_price};

/// The pixels that the table's prices are for.
const SQUARE: f64 = 1024.0 * 1024.0;

/// The largest size that the provider chooses for `auto`, in squares.
const LARGEST_AUTO: f64 = 1.5;

/// What a provider's pictures cost.
pub(super) enum Tariff {
    /// Tokens cost the same with all models.
    Tokens(Prices, Vec<Estimate>),
    /// The models of the upstream of this name in the studio's table.
    Listed(String, Vec<PicturePrice>),
}

impl Tariff {
    /// The expected cost of a call in US dollars; nothing for a model of which none is known.
    pub(super) fn estimate(&self, model: &str, work: Work<'_>) -> f64 {
        match self {
            Self::Tokens(_, estimates) => {
                find_estimate(estimates, model).map_or(0.0, |entry| estimate(entry, work))
            }
            Self::Listed(upstream, prices) => {
                let price = find_price(prices, upstream, model);
                price.map_or(0.0, |price| estimate(&price.estimate(), work))
            }
        }
    }

    /// What tokens cost, where the provider tells them.
    pub(super) fn prices(&self, model: &str) -> Option<Prices> {
        match self {
            Self::Tokens(prices, _) => Some(*prices),
            Self::Listed(upstream, prices) => find_price(prices, upstream, model)?.tokens,
        }
    }
}

/// US dollars.
fn estimate(entry: &Estimate, work: Work<'_>) -> f64 {
    match work {
        Work::Images {
            size,
            quality,
            n,
            sources,
        } => {
            let seen = entry.photo * sources as f64;
            picture(entry, quality) * squares(size) * f64::from(n) + seen
        }
        Work::Restoration => picture(entry, &Quality::High) * LARGEST_AUTO + entry.photo,
        Work::Nothing => 0.0,
    }
}

/// The price of one square.
fn picture(entry: &Estimate, quality: &Quality) -> f64 {
    match quality {
        Quality::Low => entry.low,
        Quality::Medium => entry.medium,
        Quality::High | Quality::Auto | Quality::Other(_) => entry.high,
    }
}

/// Prices grow with the number of pixels, and are assumed not to be lower than a square's.
fn squares(size: &Size) -> f64 {
    let squares = |(width, height)| f64::from(width) * f64::from(height) / SQUARE;
    size.sides()
        .map_or(LARGEST_AUTO, |sides| squares(sides).max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(model: &str, high: f64) -> Estimate {
        Estimate {
            model: model.into(),
            low: 0.01,
            medium: 0.05,
            high,
            photo: 0.02,
        }
    }

    #[test]
    fn the_price_follows_size_quality_and_number() {
        let entry = entry("gpt-image-2", 0.2);
        for (size, quality, n, usd) in [
            ("1024x1024", "low", 1, 0.01),
            ("1024x1024", "high", 3, 0.6),
            ("1536x1024", "medium", 1, 0.075),
            ("auto", "auto", 1, 0.3),
            ("1024x640", "high", 1, 0.2),
        ] {
            for (sources, usd) in [(0, usd), (1, usd + 0.02), (3, usd + 0.06)] {
                let work = Work::Images {
                    size: &size.into(),
                    quality: &quality.into(),
                    n,
                    sources,
                };
                let estimated = estimate(&entry, work);
                assert!(
                    (estimated - usd).abs() < 1e-9,
                    "{size} {quality}: {estimated}"
                );
            }
        }
        assert!((estimate(&entry, Work::Restoration) - 0.32).abs() < 1e-9);
    }
}
