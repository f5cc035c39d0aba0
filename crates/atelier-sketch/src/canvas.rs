//! The surface: opaque pixels, painted by path or by a function of place.

use image::RgbaImage;
use tiny_skia::{
    FillRule, GradientStop, LineCap, LinearGradient, Mask, Paint, Path, Pixmap, Point,
    RadialGradient, Shader, SpreadMode, Stroke, Transform,
};

use crate::colour::{self, Lab, Rgb};
use crate::noise::smoothstep;

pub(crate) struct Canvas {
    pub(crate) w: f32,
    pub(crate) h: f32,
    /// The length that sizes are shares of: the short side, a little longer in wide and tall pictures.
    pub(crate) unit: f32,
    pixels: Pixmap,
}

/// What a path is filled with.
pub(crate) struct Ink(Shader<'static>);

impl Ink {
    pub(crate) fn flat(c: Lab, alpha: f32) -> Self {
        Self(Shader::SolidColor(skia(c, alpha)))
    }

    pub(crate) fn linear(from: (f32, f32), to: (f32, f32), a: Lab, b: Lab) -> Self {
        Self::fading(from, to, (a, 1.0), (b, 1.0))
    }

    /// A linear gradient between two colours with their opacities.
    pub(crate) fn fading(from: (f32, f32), to: (f32, f32), a: (Lab, f32), b: (Lab, f32)) -> Self {
        let middle = (a.0.mix(b.0, 0.5), (a.1 + b.1) / 2.0);
        let stops = vec![stop(0.0, a), stop(0.5, middle), stop(1.0, b)];
        let (from, to) = (Point::from_xy(from.0, from.1), Point::from_xy(to.0, to.1));
        let shader = LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity());
        shader.map_or_else(|| Self::flat(a.0, a.1), Self)
    }

    pub(crate) fn radial(centre: (f32, f32), radius: f32, a: (Lab, f32), b: (Lab, f32)) -> Self {
        let stops = vec![stop(0.0, a), stop(1.0, b)];
        let at = Point::from_xy(centre.0, centre.1);
        let flat = Transform::identity();
        let shader = RadialGradient::new(at, 0.0, at, radius, stops, SpreadMode::Pad, flat);
        shader.map_or_else(|| Self::flat(a.0, a.1), Self)
    }
}

fn stop(at: f32, (c, alpha): (Lab, f32)) -> GradientStop {
    GradientStop::new(at, skia(c, alpha))
}

fn skia(c: Lab, alpha: f32) -> tiny_skia::Color {
    let [r, g, b] = c.rgb().map(|v| (v / 255.0).clamp(0.0, 1.0));
    let fallback = tiny_skia::Color::BLACK;
    tiny_skia::Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(fallback)
}

/// A rectangle of whole pixels inside the canvas.
struct Area {
    x: std::ops::Range<usize>,
    y: std::ops::Range<usize>,
}

impl Canvas {
    /// `None` where no picture of that size can be held.
    pub(crate) fn new(width: u32, height: u32) -> Option<Self> {
        let pixels = Pixmap::new(width, height)?;
        let (w, h) = (width as f32, height as f32);
        let unit = w.min(h) * (w.max(h) / w.min(h)).powf(0.3);
        Some(Self { w, h, unit, pixels })
    }

    pub(crate) fn into_image(self) -> Option<RgbaImage> {
        let (w, h) = (self.pixels.width(), self.pixels.height());
        RgbaImage::from_raw(w, h, self.pixels.take())
    }

    pub(crate) fn fill(&mut self, path: &Path, ink: &Ink) {
        self.fill_at(path, ink, Transform::identity());
    }

    pub(crate) fn fill_at(&mut self, path: &Path, ink: &Ink, at: Transform) {
        let paint = Paint {
            shader: ink.0.clone(),
            anti_alias: true,
            ..Paint::default()
        };
        self.pixels
            .fill_path(path, &paint, FillRule::Winding, at, None);
    }

    pub(crate) fn stroke(&mut self, path: &Path, ink: &Ink, width: f32) {
        let paint = Paint {
            shader: ink.0.clone(),
            anti_alias: true,
            ..Paint::default()
        };
        let stroke = Stroke {
            width,
            line_cap: LineCap::Round,
            ..Stroke::default()
        };
        self.pixels
            .stroke_path(path, &paint, &stroke, Transform::identity(), None);
    }

    /// The colour now at a pixel; places outside answer with the nearest edge.
    pub(crate) fn get(&self, x: f32, y: f32) -> Rgb {
        let x = x.clamp(0.0, self.w - 1.0) as usize;
        let y = y.clamp(0.0, self.h - 1.0) as usize;
        let at = (y * self.pixels.width() as usize + x) * 4;
        let p = &self.pixels.data()[at..at + 3];
        [f32::from(p[0]), f32::from(p[1]), f32::from(p[2])]
    }

    /// Paints every pixel of a rectangle with the colour and opacity `f` gives for its centre.
    pub(crate) fn shade(&mut self, box_: [f32; 4], mut f: impl FnMut(f32, f32) -> (Rgb, f32)) {
        let area = self.area(box_);
        for y in area.y {
            let row = self.row(y, area.x.clone());
            for (pixel, x) in row.as_chunks_mut::<4>().0.iter_mut().zip(area.x.clone()) {
                let (colour, alpha) = f(x as f32, y as f32);
                put(pixel, colour, alpha);
            }
        }
    }

    pub(crate) fn shade_all(&mut self, f: impl FnMut(f32, f32) -> (Rgb, f32)) {
        self.shade([0.0, 0.0, self.w, self.h], f);
    }

    /// Land: everything under the line `top(x)`. `f` also gets how far under it a pixel lies.
    pub(crate) fn terrain(
        &mut self,
        top: impl Fn(f32) -> f32,
        mut f: impl FnMut(f32, f32, f32) -> Rgb,
    ) {
        let line: Vec<f32> = (0..self.w as usize).map(|x| top(x as f32)).collect();
        let highest = line.iter().copied().fold(self.h, f32::min);
        self.shade([0.0, highest, self.w, self.h], |x, y| {
            let under = y - line[x as usize];
            if under <= -1.0 {
                return ([0.0; 3], 0.0);
            }
            (f(x, y, under.max(0.0)), (under + 1.0).min(1.0))
        });
    }

    /// Fills a path pixel by pixel, for surfaces with a texture of their own.
    pub(crate) fn texture(&mut self, path: &Path, mut f: impl FnMut(f32, f32) -> Rgb) {
        let b = path.bounds();
        let area = self.area([
            b.left() - 1.0,
            b.top() - 1.0,
            b.right() + 1.0,
            b.bottom() + 1.0,
        ]);
        let (w, h) = (area.x.len() as u32, area.y.len() as u32);
        let Some(mut mask) = Mask::new(w, h) else {
            return;
        };
        let (left, top) = (area.x.start, area.y.start);
        let shift = Transform::from_translate(-(left as f32), -(top as f32));
        mask.fill_path(path, FillRule::Winding, true, shift);
        let box_ = [
            left as f32,
            top as f32,
            area.x.end as f32,
            area.y.end as f32,
        ];
        self.shade(box_, |x, y| {
            let at = (y as usize - top) * w as usize + (x as usize - left);
            match mask.data()[at] {
                0 => ([0.0; 3], 0.0),
                cover => (f(x, y), f32::from(cover) / 255.0),
            }
        });
    }

    /// Adds light round a point, fading to nothing at `radius`; never washes out what is bright.
    pub(crate) fn glow(&mut self, (cx, cy): (f32, f32), radius: f32, c: Lab, strength: f32) {
        let [r, g, b] = c.rgb();
        let area = self.area([cx - radius, cy - radius, cx + radius, cy + radius]);
        for y in area.y {
            let row = self.row(y, area.x.clone());
            for (pixel, x) in row.as_chunks_mut::<4>().0.iter_mut().zip(area.x.clone()) {
                let d = ((x as f32 - cx).powi(2) + (y as f32 - cy).powi(2)).sqrt() / radius;
                let k = strength * smoothstep(1.0, 0.0, d).powi(2);
                pixel[0] = screen(pixel[0], r * k);
                pixel[1] = screen(pixel[1], g * k);
                pixel[2] = screen(pixel[2], b * k);
            }
        }
    }

    /// A veil of one colour between two heights, thickest at `thick`.
    pub(crate) fn veil(&mut self, top: f32, thick: f32, bottom: f32, c: Lab, alpha: f32) {
        let rgb = c.rgb();
        self.shade([0.0, top, self.w, bottom], |_, y| {
            (
                rgb,
                alpha * smoothstep(top, thick, y) * smoothstep(bottom, thick, y),
            )
        });
    }

    fn area(&self, [left, top, right, bottom]: [f32; 4]) -> Area {
        let range = |from: f32, to: f32, size: f32| {
            let from = from.floor().clamp(0.0, size) as usize;
            from..(to.ceil().clamp(0.0, size) as usize).max(from)
        };
        Area {
            x: range(left, right, self.w),
            y: range(top, bottom, self.h),
        }
    }

    fn row(&mut self, y: usize, x: std::ops::Range<usize>) -> &mut [u8] {
        let start = y * self.pixels.width() as usize;
        &mut self.pixels.data_mut()[(start + x.start) * 4..(start + x.end) * 4]
    }
}

fn put(pixel: &mut [u8; 4], c: Rgb, alpha: f32) {
    if alpha <= 0.0 {
        return;
    }
    let under = [
        f32::from(pixel[0]),
        f32::from(pixel[1]),
        f32::from(pixel[2]),
    ];
    let [r, g, b] = colour::blend(under, c, alpha.min(1.0));
    *pixel = [(r + 0.5) as u8, (g + 0.5) as u8, (b + 0.5) as u8, 255];
}

fn screen(under: u8, light: f32) -> u8 {
    let under = f32::from(under);
    (under + light * (1.0 - under / 255.0) + 0.5) as u8
}
