//! Filters that several manners share. All cost the same per pixel whatever their radius.

use image::RgbaImage;

use crate::colour::{self, Rgb};

/// One value for each pixel.
pub(crate) struct Plane {
    pub(crate) w: usize,
    pub(crate) h: usize,
    pub(crate) data: Vec<f32>,
}

impl Plane {
    pub(crate) fn luma(picture: &RgbaImage) -> Self {
        let data = picture
            .pixels()
            .map(|p| colour::luma([p[0], p[1], p[2]].map(f32::from)))
            .collect();
        Self {
            w: picture.width() as usize,
            h: picture.height() as usize,
            data,
        }
    }

    /// Places outside answer with the nearest edge.
    pub(crate) fn get(&self, x: i32, y: i32) -> f32 {
        let x = x.clamp(0, self.w as i32 - 1) as usize;
        let y = y.clamp(0, self.h as i32 - 1) as usize;
        self.data[y * self.w + x]
    }

    /// Box blur, twice: close to a Gaussian and independent of the radius.
    pub(crate) fn blurred(&self, radius: f32) -> Self {
        let mut data = self.data.clone();
        let mut other = vec![0.0; data.len()];
        let r = (radius as usize).max(1);
        for _ in 0..2 {
            box_rows(&data, &mut other, self.w, r);
            box_columns(&other, &mut data, self.w, r);
        }
        Self {
            w: self.w,
            h: self.h,
            data,
        }
    }
}

fn box_rows(from: &[f32], to: &mut [f32], w: usize, r: usize) {
    let share = 1.0 / (2 * r + 1) as f32;
    for (row, out) in from.chunks_exact(w).zip(to.chunks_exact_mut(w)) {
        let at = |i: isize| row[i.clamp(0, w as isize - 1) as usize];
        let r = r as isize;
        let mut sum: f32 = (-r..=r).map(at).sum();
        for (x, value) in out.iter_mut().enumerate() {
            *value = sum * share;
            sum += at(x as isize + r + 1) - at(x as isize - r);
        }
    }
}

fn box_columns(from: &[f32], to: &mut [f32], w: usize, r: usize) {
    let share = 1.0 / (2 * r + 1) as f32;
    let (h, r) = ((from.len() / w) as isize, r as isize);
    let row = |y: isize| &from[y.clamp(0, h - 1) as usize * w..][..w];
    let mut sums = vec![0.0f32; w];
    for y in -r..=r {
        sums.iter_mut().zip(row(y)).for_each(|(sum, v)| *sum += v);
    }
    for (y, out) in to.chunks_exact_mut(w).enumerate() {
        let (next, last) = (row(y as isize + r + 1), row(y as isize - r));
        for x in 0..w {
            out[x] = sums[x] * share;
            sums[x] += next[x] - last[x];
        }
    }
}

pub(crate) fn pixel(picture: &RgbaImage, x: f32, y: f32) -> Rgb {
    let x = (x.max(0.0) as u32).min(picture.width() - 1);
    let y = (y.max(0.0) as u32).min(picture.height() - 1);
    let p = picture.get_pixel(x, y);
    [p[0], p[1], p[2]].map(f32::from)
}

/// Replaces every pixel by a function of its place and colour.
pub(crate) fn map(picture: &mut RgbaImage, mut f: impl FnMut(u32, u32, Rgb) -> Rgb) {
    for (x, y, p) in picture.enumerate_pixels_mut() {
        let c = f(x, y, [p[0], p[1], p[2]].map(f32::from));
        p.0 = bytes(c);
    }
}

pub(crate) fn bytes(c: Rgb) -> [u8; 4] {
    // `as` saturates, so no clamp is needed.
    [
        (c[0] + 0.5) as u8,
        (c[1] + 0.5) as u8,
        (c[2] + 0.5) as u8,
        255,
    ]
}

/// A box blur of the picture itself.
pub(crate) fn blur(picture: &RgbaImage, radius: f32) -> RgbaImage {
    let mut out = picture.clone();
    for channel in 0..3 {
        let data = picture.pixels().map(|p| f32::from(p[channel])).collect();
        let plane = Plane {
            w: picture.width() as usize,
            h: picture.height() as usize,
            data,
        };
        let soft = plane.blurred(radius);
        for (p, v) in out.pixels_mut().zip(&soft.data) {
            p[channel] = (v + 0.5) as u8;
        }
    }
    out
}

/// Kuwahara's filter (1976): each pixel takes the mean of the calmest of four neighbourhoods, which
/// flattens areas and keeps edges. Means and variances come from box blurs, so any radius costs the same.
pub(crate) fn kuwahara(picture: &RgbaImage, radius: f32) -> RgbaImage {
    let r = (radius / 2.0).max(1.0);
    let luma = Plane::luma(picture);
    let square = Plane {
        w: luma.w,
        h: luma.h,
        data: luma.data.iter().map(|v| v * v).collect(),
    };
    let (mean, mut variance) = (luma.blurred(r), square.blurred(r));
    drop((luma, square));
    variance
        .data
        .iter_mut()
        .zip(&mean.data)
        .for_each(|(v, m)| *v -= m * m);
    drop(mean);
    let soft = blur(picture, r);
    let reach = r.round() as i32;
    let corners = [
        (-reach, -reach),
        (reach, -reach),
        (-reach, reach),
        (reach, reach),
    ];
    let mut out = picture.clone();
    map(&mut out, |x, y, _| {
        let (x, y) = (x as i32, y as i32);
        let mut best = (f32::MAX, (0, 0));
        for (dx, dy) in corners {
            let v = variance.get(x + dx, y + dy);
            if v < best.0 {
                best = (v, (x + dx, y + dy));
            }
        }
        pixel(&soft, best.1.0 as f32, best.1.1 as f32)
    });
    out
}

/// Dark lines where the picture turns dark: a difference of two blurs (after Winnemöller's XDoG, 2012).
/// 0 no line, 1 full line.
pub(crate) fn contours(luma: &Plane, width: f32, sharp: f32) -> Plane {
    let (fine, wide) = (luma.blurred(width * 0.5), luma.blurred(width * 1.6));
    let data = fine.data.iter().zip(&wide.data);
    let data = data
        .map(|(a, b)| ((b - a - 0.012) * sharp).clamp(0.0, 1.0))
        .collect();
    Plane {
        w: luma.w,
        h: luma.h,
        data,
    }
}
