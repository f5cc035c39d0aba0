//! Prints how alike the two texts on the command line are.

#![expect(clippy::print_stdout, reason = "what it finds is to be seen")]

use std::error::Error;

use atelier_encoder::Encoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut texts = std::env::args().skip(1);
    let (Some(a), Some(b)) = (texts.next(), texts.next()) else {
        return Err("two texts, please".into());
    };
    let encoder = Encoder::new()?;
    let (a, b) = (encoder.encode(&a)?, encoder.encode(&b)?);
    let similarity: f32 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
    println!("{similarity:.3}");
    Ok(())
}
