//! Sizes as aspect ratios, for models that take no others.

use atelier_api::Size;

/// The nearest of these aspect ratios; `None` if the size is left to the provider.
pub(super) fn nearest(ratios: &[(u32, u32)], size: &Size) -> Option<(u32, u32)> {
    let (width, height) = size.sides()?;
    nearest_to(ratios, f64::from(width) / f64::from(height))
}

/// The nearest of these aspect ratios to width / height; `None` if that is no ratio.
pub(super) fn nearest_to(ratios: &[(u32, u32)], ratio: f64) -> Option<(u32, u32)> {
    let asked = Some(ratio).filter(|ratio| ratio.is_normal())?.ln();
    let distance = |(width, height): &(u32, u32)| {
        (f64::from(*width).ln() - f64::from(*height).ln() - asked).abs()
    };
    let ratios = ratios.iter().copied();
    ratios.min_by(|a, b| distance(a).total_cmp(&distance(b)))
}
