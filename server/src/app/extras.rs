//! The operator's styles and presets, with their thumbnails as pages show them.

use std::{collections::HashMap, fs::File, io::BufReader, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use atelier_app::data::{Preset, Style};
use bytes::Bytes;
use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};
use sha2::{Digest as _, Sha256};

use crate::{config::StudioConfig, job::hex, photo};

/// The side of a thumbnail in pixels: twice that at which it is shown.
const SIDE: u32 = 144;
/// The largest picture that is read.
const MAX_PIXELS: u64 = 50_000_000;

/// What the configuration adds to the form.
#[derive(Debug, Default)]
pub struct Extras {
    pub(crate) styles: Arc<[Style]>,
    pub(crate) presets: Arc<[Preset]>,
    thumbnails: HashMap<String, Bytes>,
}

impl Extras {
    /// Reads the thumbnails.
    ///
    /// # Errors
    /// If one is no picture that can be read; the setting is named.
    pub fn read(config: &StudioConfig) -> Result<Self> {
        let mut thumbnails = HashMap::new();
        let mut thumbnail = |setting: &str, name: &str, path: Option<&Path>| {
            let Some(path) = path else { return Ok(None) };
            let bytes = small(path).with_context(|| {
                format!("{setting}: the thumbnail {} of {name:?}", path.display())
            })?;
            let file = format!("{}.jpg", &hex(&Sha256::digest(&bytes))[..16]);
            let address = format!("/thumbnails/{file}");
            thumbnails.insert(file, bytes);
            anyhow::Ok(Some(address))
        };
        let styles = config.styles.iter().map(|style| {
            let path = style.thumbnail.as_deref();
            Ok(Style {
                thumbnail: thumbnail("studio.styles", &style.name, path)?,
                name: style.name.clone(),
                words: style.words.clone(),
            })
        });
        let styles = styles.collect::<Result<_>>()?;
        let presets = config.presets.iter().map(|preset| {
            let path = preset.thumbnail.as_deref();
            Ok(Preset {
                thumbnail: thumbnail("studio.presets", &preset.name, path)?,
                name: preset.name.clone(),
                words: preset.words.clone(),
                style: preset.style.clone().unwrap_or_default(),
            })
        });
        Ok(Self {
            presets: presets.collect::<Result<_>>()?,
            styles,
            thumbnails,
        })
    }

    /// The words of a style.
    pub(crate) fn words(&self, style: &str) -> Option<&str> {
        let style = self.styles.iter().find(|known| known.name == style)?;
        Some(&style.words)
    }

    /// A thumbnail, a JPEG, by the name of its file.
    pub(crate) fn thumbnail(&self, file: &str) -> Option<Bytes> {
        self.thumbnails.get(file).cloned()
    }
}

/// The square in the middle of a picture, as a small JPEG.
fn small(path: &Path) -> Result<Bytes> {
    let file = File::open(path).context("cannot be read")?;
    let picture = photo::decode(BufReader::new(file), MAX_PIXELS)?;
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
    square(&picture).write_with_encoder(encoder)?;
    Ok(bytes.into())
}

fn square(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let side = width.min(height);
    let (left, top) = ((width - side) / 2, (height - side) / 2);
    let middle = imageops::crop_imm(picture, left, top, side, side).to_image();
    imageops::resize(&middle, SIDE, SIDE, imageops::FilterType::Triangle)
}
