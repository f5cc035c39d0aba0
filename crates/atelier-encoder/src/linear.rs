//! Products with the layers' weights, where nearly all the time goes.
//!
//! The weights stay in four bits: 32 columns at a time are made floats, which the
//! nearest cache holds while every row of the input passes by. That is faster than
//! floats out of memory, of which there would be eight times as much.

use pulp::{Arch, Simd, WithSimd};

use crate::{
    Error,
    matrix::Matrix,
    weights::{GROUP, Packed, signed},
};

/// Columns that are made floats together.
const PANEL: usize = 32;

/// Rows of the input that pass together: with two registers a row they fill the
/// registers of every processor, and none has to wait for the sum before.
const ROWS: usize = 6;

/// `input · weights + bias`
pub(crate) struct Linear {
    inputs: usize,
    tiles: Vec<Tile>,
    bias: Vec<f32>,
}

/// The weights from [`GROUP`] inputs to [`PANEL`] outputs.
struct Tile {
    scales: [f32; PANEL],
    /// For each input the outputs' weights, the second half of them in the high bits.
    numbers: [[u8; PANEL / 2]; GROUP],
}

impl Linear {
    /// A product whose outputs are those of several, one after the other.
    pub(crate) fn new(parts: &[(Packed, Vec<f32>)]) -> Result<Self, Error> {
        let inputs = parts.first().map_or(0, |(weights, _)| weights.width);
        let fits = |(weights, _): &(Packed, _)| {
            weights.width == inputs && weights.width % GROUP == 0 && weights.rows % PANEL == 0
        };
        if !parts.iter().all(fits) {
            return Err(Error::Weights("a layer is not of whole tiles".into()));
        }
        let tiles = |(weights, _): &_| tiles(weights).collect::<Vec<_>>();
        Ok(Self {
            inputs,
            tiles: parts.iter().flat_map(tiles).collect(),
            bias: parts.iter().flat_map(|(_, bias)| bias.clone()).collect(),
        })
    }

    pub(crate) fn apply(&self, arch: Arch, input: &Matrix) -> Matrix {
        let mut output = Matrix::new(input.rows(), self.bias.len());
        arch.dispatch(Product {
            linear: self,
            blocks: &blocks(input),
            output: &mut output,
        });
        output
    }
}

/// Panel by panel, each from the first input to the last.
fn tiles(weights: &Packed) -> impl Iterator<Item = Tile> {
    let panels = (0..weights.rows).step_by(PANEL);
    panels
        .flat_map(move |row| (0..weights.width / GROUP).map(move |group| tile(weights, row, group)))
}

fn tile(weights: &Packed, row: usize, group: usize) -> Tile {
    let rows: [_; PANEL] = std::array::from_fn(|n| weights.group(row + n, group));
    let pair = |input: usize, n: usize| rows[n].0[input] | rows[n + PANEL / 2].0[input] << 4;
    Tile {
        scales: rows.map(|(_, scale)| scale),
        numbers: std::array::from_fn(|input| std::array::from_fn(|n| pair(input, n))),
    }
}

/// [`ROWS`] rows of the input beside each other, padded with zeros.
fn blocks(input: &Matrix) -> Vec<[f32; ROWS]> {
    let width = input.width();
    let block = |rows: &[f32]| {
        let at = |n| rows.get(n).copied().unwrap_or(0.0);
        (0..width)
            .map(|column| std::array::from_fn(|row| at(row * width + column)))
            .collect::<Vec<_>>()
    };
    input.data().chunks(ROWS * width).flat_map(block).collect()
}

struct Product<'a> {
    linear: &'a Linear,
    blocks: &'a [[f32; ROWS]],
    output: &'a mut Matrix,
}

impl WithSimd for Product<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match S::F32_LANES {
            16 => self.compute::<S, 2>(simd),
            8 => self.compute::<S, 4>(simd),
            4 => self.compute::<S, 8>(simd),
            _ => self.compute::<S, PANEL>(simd),
        }
    }
}

impl Product<'_> {
    /// `VECTORS` registers make a panel.
    #[inline(always)]
    fn compute<S: Simd, const VECTORS: usize>(self, simd: S) {
        let Linear {
            inputs,
            tiles,
            bias,
        } = self.linear;
        let mut weights = vec![0.0; inputs * PANEL];
        for (panel, tiles) in tiles.chunks_exact(inputs / GROUP).enumerate() {
            unpack(tiles, &mut weights);
            let (weights, _) = S::as_simd_f32s(&weights).0.as_chunks::<VECTORS>();
            for (block, input) in self.blocks.chunks_exact(*inputs).enumerate() {
                for pair in (0..VECTORS).step_by(2) {
                    let column = panel * PANEL + pair * S::F32_LANES;
                    let (bias, _) = S::as_simd_f32s(&bias[column..]);
                    let sums = sums(simd, input, weights, pair);
                    for (n, sums) in sums.iter().enumerate() {
                        let Some(row) = self.output.row_mut(block * ROWS + n) else {
                            break;
                        };
                        let (output, _) = S::as_mut_simd_f32s(&mut row[column..]);
                        for ((output, sum), bias) in output.iter_mut().zip(sums).zip(bias) {
                            *output = simd.add_f32s(*sum, *bias);
                        }
                    }
                }
            }
        }
    }
}

/// What [`ROWS`] rows make of two registers' columns.
#[inline(always)]
fn sums<S: Simd, const VECTORS: usize>(
    simd: S,
    input: &[[f32; ROWS]],
    weights: &[[S::f32s; VECTORS]],
    pair: usize,
) -> [[S::f32s; 2]; ROWS] {
    let mut sums = [[simd.splat_f32s(0.0); 2]; ROWS];
    for (input, weights) in input.iter().zip(weights) {
        let (left, right) = (weights[pair], weights[pair + 1]);
        for (sums, input) in sums.iter_mut().zip(input) {
            let input = simd.splat_f32s(*input);
            sums[0] = simd.mul_add_e_f32s(input, left, sums[0]);
            sums[1] = simd.mul_add_e_f32s(input, right, sums[1]);
        }
    }
    sums
}

/// The floats of a panel, input by input.
#[inline(always)]
fn unpack(tiles: &[Tile], weights: &mut [f32]) {
    let (rows, _) = weights.as_chunks_mut::<PANEL>();
    for (tile, rows) in tiles.iter().zip(rows.chunks_exact_mut(GROUP)) {
        for (numbers, row) in tile.numbers.iter().zip(rows) {
            for n in 0..PANEL / 2 {
                row[n] = signed(numbers[n] & 15) * tile.scales[n];
                row[n + PANEL / 2] = signed(numbers[n] >> 4) * tile.scales[n + PANEL / 2];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::{Linear, ROWS};
    use crate::{attention::HIDDEN, matrix::Matrix, weights::Weights};

    /// As many rows as fit and as do not, against the plain sum in double precision.
    #[test]
    fn products_are_those_of_the_definition() {
        let name = "encoder.layer.0.attention.self.key";
        let weights = Weights::open().unwrap();
        let matrix = || weights.matrix(&format!("{name}.weight"), HIDDEN, HIDDEN);
        let bias = weights.vector(&format!("{name}.bias"), HIDDEN).unwrap();
        let linear = Linear::new(&[(matrix().unwrap(), bias.clone())]).unwrap();
        for rows in [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS] {
            let mut input = Matrix::new(rows, HIDDEN);
            for (n, x) in input.data_mut().iter_mut().enumerate() {
                *x = ((n * 37) % 101) as f32 / 101.0 - 0.5;
            }
            let output = linear.apply(Arch::new(), &input);
            assert_eq!((output.rows(), output.width()), (rows, HIDDEN));
            for (input, output) in input.iter().zip(output.iter()) {
                for column in (0..HIDDEN).step_by(7) {
                    let mut weights = vec![0.0; HIDDEN];
                    matrix().unwrap().add_row(column, &mut weights);
                    let products = input.iter().zip(&weights);
                    let sum: f64 = products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
                    let exact = sum + f64::from(bias[column]);
                    assert!((f64::from(output[column]) - exact).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn what_is_not_of_whole_tiles_is_refused() {
        let weights = Weights::open().unwrap();
        let kinds = weights.matrix("embeddings.token_type_embeddings.weight", 2, HIDDEN);
        assert!(Linear::new(&[(kinds.unwrap(), vec![0.0; 2])]).is_err());
    }
}
