//! Decodes a photo and writes it upright, in sRGB and without metadata: `upright PHOTO UPRIGHT.jpg`.

use std::{env, error::Error, fs, fs::File};

use atelier_photo::{decode, encode_original};

/// The most pixels that are taken.
const MAX_PIXELS: u64 = 50_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        return Err("usage: upright PHOTO UPRIGHT.jpg".into());
    };
    let photo = decode(File::open(from)?, MAX_PIXELS)?;
    fs::write(to, encode_original(&photo)?)?;
    Ok(())
}
