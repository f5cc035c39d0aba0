mod contrast;
mod damage;
mod enlarge;
mod sharpen;
mod dct;
mod denoise;
mod noise;
mod photo;
mod plane;
mod tone;
mod toning;
pub use photo::Photo;
pub use noise::Noise;
pub use plane::{quantile};
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options { pub enlarge: u32 }
pub fn restore(photo: image::RgbImage, options: &Options, progress: &mut dyn FnMut(f32) -> Option<()>) -> Option<image::RgbImage> {
    let mut photo = photo;
    let damage = damage::repair(&mut photo);
    let mut p = Photo::from_rgb(&photo);
    let grain = Noise::of(&p.luma).level();
    let wear = plane::smoothstep(2.0, 4.5, grain).max(damage.wear());
    let aged = damage.wear().max(tone::Ends::of(&p).fading(wear));
    denoise::denoise(&mut p, aged);
    let ends = tone::Ends::of(&p);
    let fading = ends.fading(wear);
    let tint = toning::Tint::of(&p);
    if std::env::var("TALK").is_ok() { eprintln!("{damage:?} grain {grain:.1} black {:.0?} white {:.0?} fading {fading:.2} mono {}", ends.black, ends.white, tint.is_some()); }
    tone::correct(&mut p, &ends, fading, tint.is_some());
    if let Some(t) = tint { t.apply(&mut p, fading); }
    contrast::lift(&mut p, fading);
    sharpen::sharpen(&mut p, grain);
    let out = p.to_rgb();
    drop(p);
    Some(if options.enlarge >= 2 { enlarge::doubled(&out) } else { out })
}

pub fn marked(photo: &image::RgbImage) -> image::RgbImage {
    let m = damage::dev(photo);
    let mut o = photo.clone();
    for (p, s) in o.pixels_mut().zip(&m) { if *s { *p = image::Rgb([255, 0, 255]); } }
    o
}
