//! The orthonormal 8 x 8 discrete cosine transform (type II), as eight-wide row operations.

/// Side of a block.
pub(super) const SIDE: usize = 8;

/// Eight rows of eight samples or coefficients.
pub(super) type Block = [[f32; SIDE]; SIDE];

/// Even rows of the transform, on the sums of mirrored samples; `cos(k * pi / 16) / 2`.
const EVEN: [[f32; 4]; 4] = [
    [0.353_553_4, 0.353_553_4, 0.353_553_4, 0.353_553_4],
    [0.461_939_8, 0.191_341_7, -0.191_341_7, -0.461_939_8],
    [0.353_553_4, -0.353_553_4, -0.353_553_4, 0.353_553_4],
    [0.191_341_7, -0.461_939_8, 0.461_939_8, -0.191_341_7],
];

/// Odd rows, on the differences of mirrored samples.
const ODD: [[f32; 4]; 4] = [
    [0.490_392_6, 0.415_734_8, 0.277_785_1, 0.097_545_16],
    [0.415_734_8, -0.097_545_16, -0.490_392_6, -0.277_785_1],
    [0.277_785_1, -0.490_392_6, 0.097_545_16, 0.415_734_8],
    [0.097_545_16, -0.277_785_1, 0.415_734_8, -0.490_392_6],
];

/// Samples to coefficients; `[0][0]` is eight times the mean.
pub(super) fn forward(block: &Block) -> Block {
    transpose(&analyse(&transpose(&analyse(block))))
}

/// Coefficients to samples.
pub(super) fn inverse(block: &Block) -> Block {
    transpose(&synthesise(&transpose(&synthesise(block))))
}

/// One-dimensional transform down the columns.
fn analyse(x: &Block) -> Block {
    let mut out = [[0.0; SIDE]; SIDE];
    for k in 0..4 {
        let (sum, difference) = (add(&x[k], &x[7 - k]), sub(&x[k], &x[7 - k]));
        for row in 0..4 {
            accumulate(&mut out[2 * row], &sum, EVEN[row][k]);
            accumulate(&mut out[2 * row + 1], &difference, ODD[row][k]);
        }
    }
    out
}

/// Its inverse, which is its transpose.
fn synthesise(c: &Block) -> Block {
    let mut out = [[0.0; SIDE]; SIDE];
    for k in 0..4 {
        let (mut even, mut odd) = ([0.0; SIDE], [0.0; SIDE]);
        for row in 0..4 {
            accumulate(&mut even, &c[2 * row], EVEN[row][k]);
            accumulate(&mut odd, &c[2 * row + 1], ODD[row][k]);
        }
        out[k] = add(&even, &odd);
        out[7 - k] = sub(&even, &odd);
    }
    out
}

fn transpose(x: &Block) -> Block {
    std::array::from_fn(|i| std::array::from_fn(|j| x[j][i]))
}

fn add(a: &[f32; SIDE], b: &[f32; SIDE]) -> [f32; SIDE] {
    std::array::from_fn(|i| a[i] + b[i])
}

fn sub(a: &[f32; SIDE], b: &[f32; SIDE]) -> [f32; SIDE] {
    std::array::from_fn(|i| a[i] - b[i])
}

fn accumulate(out: &mut [f32; SIDE], x: &[f32; SIDE], factor: f32) {
    for i in 0..SIDE {
        out[i] += x[i] * factor;
    }
}
