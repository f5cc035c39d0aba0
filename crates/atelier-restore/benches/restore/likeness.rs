//! How like two pictures are.

use image::RgbImage;

/// Peak signal-to-noise ratio over all three channels, decibels; 99 for equal pictures.
pub(crate) fn psnr(a: &RgbImage, b: &RgbImage) -> f64 {
    let square = |(a, b): (&u8, &u8)| (f64::from(*a) - f64::from(*b)).powi(2);
    let sum: f64 = a.as_raw().iter().zip(b.as_raw()).map(square).sum();
    let error = sum / a.as_raw().len() as f64;
    (10.0 * (255.0 * 255.0 / error.max(1e-9)).log10()).min(99.0)
}

/// Structural similarity of luminance with the window of its authors, 11 x 11, Gaussian of 1.5
/// pixels (Wang, Bovik, Sheikh and Simoncelli, 2004).
pub(crate) fn ssim(a: &RgbImage, b: &RgbImage) -> f64 {
    let (one, two) = ((0.01 * 255.0_f64).powi(2), (0.03 * 255.0_f64).powi(2));
    let (width, height) = (a.width() as usize, a.height() as usize);
    let (a, b) = (luminance(a), luminance(b));
    let product = |p: &[f64], q: &[f64]| p.iter().zip(q).map(|(p, q)| p * q).collect::<Vec<_>>();
    let mean = |values: &[f64]| windowed(values, width, height);
    let (ma, mb) = (mean(&a), mean(&b));
    let (aa, bb, ab) = (
        mean(&product(&a, &a)),
        mean(&product(&b, &b)),
        mean(&product(&a, &b)),
    );
    let sum: f64 = (0..ma.len())
        .map(|i| {
            let (x, y) = (ma[i], mb[i]);
            let (xx, yy, xy) = (aa[i] - x * x, bb[i] - y * y, ab[i] - x * y);
            (2.0 * x * y + one) * (2.0 * xy + two) / ((x * x + y * y + one) * (xx + yy + two))
        })
        .sum();
    sum / ma.len() as f64
}

fn luminance(picture: &RgbImage) -> Vec<f64> {
    let grey = |p: &image::Rgb<u8>| {
        0.299 * f64::from(p[0]) + 0.587 * f64::from(p[1]) + 0.114 * f64::from(p[2])
    };
    picture.pixels().map(grey).collect()
}

/// Means under the window wherever it lies inside the picture.
fn windowed(values: &[f64], width: usize, height: usize) -> Vec<f64> {
    const REACH: usize = 5;
    let weight = |i: usize| (-(i as f64 - REACH as f64).powi(2) / (2.0 * 1.5 * 1.5)).exp();
    let sum: f64 = (0..=2 * REACH).map(weight).sum();
    let kernel: Vec<f64> = (0..=2 * REACH).map(|i| weight(i) / sum).collect();
    let (columns, rows) = (width - 2 * REACH, height - 2 * REACH);
    let across: Vec<f64> = (0..columns * height)
        .map(|i| {
            let start = i / columns * width + i % columns;
            let window = &values[start..start + kernel.len()];
            window.iter().zip(&kernel).map(|(v, k)| v * k).sum()
        })
        .collect();
    (0..columns * rows)
        .map(|i| {
            let taps = kernel.iter().enumerate();
            taps.map(|(row, k)| across[i + row * columns] * k).sum()
        })
        .collect()
}
