//! Draws a prompt into a file: `draw PROMPT FILE.png`.

use std::{env, error::Error, ops::ControlFlow};

use atelier_sketch::Sketch;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [prompt, file] = &arguments[..] else {
        return Err("usage: draw PROMPT FILE.png".into());
    };
    let picture = Sketch::new(prompt, 1024, 1024).draw(|_| ControlFlow::Continue(()))?;
    picture.save(file)?;
    Ok(())
}
