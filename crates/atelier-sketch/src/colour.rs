//! Colour in OKLab (Björn Ottosson, 2020), where equal steps look equal and mixtures stay clean.

use serde::Deserialize;

/// Display-encoded sRGB, each channel `0.0..=255.0`: what a pixel is blended in.
pub(crate) type Rgb = [f32; 3];

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(try_from = "String")]
pub(crate) struct Lab {
    pub(crate) l: f32,
    pub(crate) a: f32,
    pub(crate) b: f32,
}

impl Lab {
    /// Lightness `0..=1`, chroma (about `0..=0.3`), hue in degrees.
    pub(crate) fn lch(l: f32, chroma: f32, hue: f32) -> Self {
        let (sin, cos) = hue.to_radians().sin_cos();
        Self {
            l,
            a: chroma * cos,
            b: chroma * sin,
        }
    }

    pub(crate) fn grey(l: f32) -> Self {
        Self { l, a: 0.0, b: 0.0 }
    }

    pub(crate) fn from_rgb([r, g, b]: Rgb) -> Self {
        let (r, g, b) = (to_linear(r), to_linear(g), to_linear(b));
        let l = (0.412_221_46 * r + 0.536_332_55 * g + 0.051_445_995 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
        Self {
            l: 0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
            a: 1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
            b: 0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        }
    }

    pub(crate) fn rgb(self) -> Rgb {
        let l = (self.l + 0.396_337_78 * self.a + 0.215_803_76 * self.b).powi(3);
        let m = (self.l - 0.105_561_346 * self.a - 0.063_854_17 * self.b).powi(3);
        let s = (self.l - 0.089_484_18 * self.a - 1.291_485_5 * self.b).powi(3);
        [
            to_display(4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s),
            to_display(-1.268_438 * l + 2.609_757_4 * m - 0.341_319_4 * s),
            to_display(-0.004_196_086 * l - 0.703_418_6 * m + 1.707_614_7 * s),
        ]
    }

    pub(crate) fn mix(self, other: Self, t: f32) -> Self {
        let t = t.clamp(0.0, 1.0);
        Self {
            l: self.l + (other.l - self.l) * t,
            a: self.a + (other.a - self.a) * t,
            b: self.b + (other.b - self.b) * t,
        }
    }

    pub(crate) fn lighter(self, by: f32) -> Self {
        Self {
            l: (self.l + by).clamp(0.0, 1.0),
            ..self
        }
    }

    pub(crate) fn chroma(self, factor: f32) -> Self {
        Self {
            l: self.l,
            a: self.a * factor,
            b: self.b * factor,
        }
    }

    pub(crate) fn turned(self, degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self {
            l: self.l,
            a: self.a * cos - self.b * sin,
            b: self.a * sin + self.b * cos,
        }
    }

    /// Squared perceptual distance.
    pub(crate) fn distance(self, other: Self) -> f32 {
        (self.l - other.l).powi(2) + (self.a - other.a).powi(2) + (self.b - other.b).powi(2)
    }
}

impl TryFrom<String> for Lab {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix('#').filter(|d| d.len() == 6);
        let value = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        let value = value.ok_or_else(|| format!("not a #rrggbb colour: {text}"))?;
        let channel = |shift: u32| ((value >> shift) & 255) as f32;
        Ok(Self::from_rgb([channel(16), channel(8), channel(0)]))
    }
}

fn to_linear(channel: f32) -> f32 {
    let c = channel / 255.0;
    if c <= 0.040_45 {
        c / 12.92
    } else {
        ((c + 0.055) / 1.055).powf(2.4)
    }
}

fn to_display(linear: f32) -> f32 {
    let c = linear.clamp(0.0, 1.0);
    let c = if c <= 0.003_130_8 {
        c * 12.92
    } else {
        1.055 * c.powf(1.0 / 2.4) - 0.055
    };
    c * 255.0
}

pub(crate) fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [
        a[0] + (b[0] - a[0]) * t,
        a[1] + (b[1] - a[1]) * t,
        a[2] + (b[2] - a[2]) * t,
    ]
}

pub(crate) fn scale(c: Rgb, k: f32) -> Rgb {
    [c[0] * k, c[1] * k, c[2] * k]
}

/// Rec. 709 luma of display-encoded sRGB, `0.0..=1.0`.
pub(crate) fn luma(c: Rgb) -> f32 {
    (0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]) / 255.0
}

/// A gradient worked out once in OKLab, so that a pixel costs one look-up.
pub(crate) struct Ramp(Vec<Rgb>);

impl Ramp {
    const STEPS: usize = 512;

    /// Evenly spaced stops; `stops` must not be empty.
    pub(crate) fn new(stops: &[Lab]) -> Self {
        let last = stops.len() - 1;
        let entry = |i: usize| {
            let t = i as f32 / (Self::STEPS - 1) as f32 * last as f32;
            let k = (t as usize).min(last.saturating_sub(1));
            stops[k].mix(stops[(k + 1).min(last)], t - k as f32).rgb()
        };
        Self((0..Self::STEPS).map(entry).collect())
    }

    pub(crate) fn at(&self, t: f32) -> Rgb {
        let i = (t.clamp(0.0, 1.0) * (Self::STEPS - 1) as f32) as usize;
        self.0[i]
    }
}
