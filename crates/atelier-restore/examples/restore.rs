//! Restores a photo into another file: `restore PHOTO RESTORED`, each a JPEG or a PNG.

use std::{env, error::Error, ops::ControlFlow};

use atelier_restore::{Options, restore};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [from, to] = &arguments[..] else {
        return Err("usage: restore PHOTO RESTORED".into());
    };
    let photo = image::open(from)?.into_rgb8();
    let restored = restore(photo, &Options::default(), |_| ControlFlow::Continue(()))?;
    restored.save(to)?;
    Ok(())
}
