//! The weights inside the binary, in the four bits that they were packed in.

use safetensors::{SafeTensors, tensor::Dtype};

use crate::Error;

static FILE: &[u8] = include_bytes!("../assets/model.safetensors");

/// Numbers that share a scale.
pub(crate) const GROUP: usize = 32;

/// Subtracted from four bits to make them a signed number.
pub(crate) const ZERO: i8 = 8;

/// The tensors by name.
pub(crate) struct Weights(SafeTensors<'static>);

impl Weights {
    pub(crate) fn open() -> Result<Self, Error> {
        let tensors = SafeTensors::deserialize(FILE);
        tensors
            .map(Self)
            .map_err(|error| Error::Weights(error.to_string()))
    }

    /// A tensor of `length` floats.
    pub(crate) fn vector(&self, name: &str, length: usize) -> Result<Vec<f32>, Error> {
        let data = self.data(name, Dtype::F32, 4 * length)?;
        let (numbers, _) = data.as_chunks();
        Ok(numbers
            .iter()
            .map(|bytes| f32::from_le_bytes(*bytes))
            .collect())
    }

    /// A tensor of four bits a number, with a scale for every [`GROUP`] of a row.
    pub(crate) fn matrix(&self, name: &str, rows: usize, width: usize) -> Result<Packed, Error> {
        let groups = rows * width / GROUP;
        let numbers = self.data(&format!("{name}.q4"), Dtype::U8, groups * GROUP / 2)?;
        let scales = self.data(&format!("{name}.scales"), Dtype::F16, 2 * groups)?;
        Ok(Packed {
            rows,
            width,
            numbers: numbers.as_chunks().0,
            scales: scales.as_chunks().0,
        })
    }

    fn data(&self, name: &str, dtype: Dtype, bytes: usize) -> Result<&'static [u8], Error> {
        let tensor = self.0.tensor(name);
        let tensor = tensor.map_err(|error| Error::Weights(error.to_string()))?;
        if tensor.dtype() != dtype || tensor.data().len() != bytes {
            return Err(Error::Weights(format!(
                "{name} is not of the expected size"
            )));
        }
        Ok(tensor.data())
    }
}

/// A matrix as it lies in the file.
pub(crate) struct Packed {
    pub(crate) rows: usize,
    pub(crate) width: usize,
    /// Two numbers a byte, the first in the low half.
    numbers: &'static [[u8; GROUP / 2]],
    /// Half-precision floats.
    scales: &'static [[u8; 2]],
}

impl Packed {
    /// A group of a row, each number in four bits, and its scale.
    pub(crate) fn group(&self, row: usize, group: usize) -> ([u8; GROUP], f32) {
        let at = row * (self.width / GROUP) + group;
        let pairs = self.numbers[at];
        let number = |n: usize| (pairs[n / 2] >> (4 * (n % 2))) & 15;
        (std::array::from_fn(number), half(self.scales[at]))
    }

    /// Adds a row to as many floats.
    pub(crate) fn add_row(&self, row: usize, to: &mut [f32]) {
        for (group, to) in to.chunks_exact_mut(GROUP).enumerate() {
            let (numbers, scale) = self.group(row, group);
            for (to, number) in to.iter_mut().zip(numbers) {
                *to += signed(number) * scale;
            }
        }
    }
}

/// The number that four bits stand for.
#[inline(always)]
pub(crate) fn signed(number: u8) -> f32 {
    f32::from(number.cast_signed() - ZERO)
}

/// A finite half-precision float: its exponent is 112 less than that of a float with
/// the same bits ten places lower.
fn half(bytes: [u8; 2]) -> f32 {
    let bits = u32::from(u16::from_le_bytes(bytes));
    let magnitude = f32::from_bits((bits & 0x7fff) << 13) * 2f32.powi(112);
    if bits >> 15 == 1 {
        -magnitude
    } else {
        magnitude
    }
}

#[cfg(test)]
mod tests {
    use super::{GROUP, Weights, half};

    #[test]
    fn half_precision_is_read() {
        for (bits, number) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0400, 2f32.powi(-14)),
            (0x0001, 2f32.powi(-24)),
            (0x0000, 0.0),
        ] {
            assert_eq!(half(u16::to_le_bytes(bits)), number);
        }
    }

    #[test]
    fn a_tensor_of_another_size_or_name_is_refused() {
        let weights = Weights::open().unwrap();
        assert!(weights.vector("embeddings.LayerNorm.bias", 384).is_ok());
        assert!(weights.vector("embeddings.LayerNorm.bias", 385).is_err());
        assert!(weights.vector("embeddings.LayerNorm.wait", 384).is_err());
        let words = "embeddings.word_embeddings.weight";
        assert!(weights.matrix(words, 30_522, 384).is_ok());
        assert!(weights.matrix(words, 384, 384).is_err());
    }

    #[test]
    fn a_row_is_its_groups() {
        let weights = Weights::open().unwrap();
        let words = weights.matrix("embeddings.word_embeddings.weight", 30_522, 384);
        let words = words.unwrap();
        let mut row = vec![1.0; 384];
        words.add_row(4419, &mut row);
        let (numbers, scale) = words.group(4419, 2);
        for (n, number) in numbers.iter().enumerate() {
            assert_eq!(row[2 * GROUP + n], 1.0 + (f32::from(*number) - 8.0) * scale);
        }
    }
}
