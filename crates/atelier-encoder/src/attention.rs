//! Every token looks at every token, through twelve heads.

use pulp::{Arch, Simd, WithSimd};

use crate::{
    DIMENSIONS,
    functions::{exp, sum},
    matrix::Matrix,
};

pub(crate) const HIDDEN: usize = DIMENSIONS;
pub(crate) const HEADS: usize = 12;
const HEAD: usize = HIDDEN / HEADS;

/// What the tokens see. A row of `input` holds a token's query, key and value.
pub(crate) fn attend(arch: Arch, input: &Matrix) -> Matrix {
    let mut seen = Matrix::new(input.rows(), HIDDEN);
    arch.dispatch(Attention {
        input,
        seen: &mut seen,
    });
    seen
}

struct Attention<'a> {
    input: &'a Matrix,
    seen: &'a mut Matrix,
}

impl WithSimd for Attention<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for head in 0..HEADS {
            look(self.input, head * HEAD, self.seen);
        }
    }
}

/// The head whose first column is `at`.
#[inline(always)]
fn look(input: &Matrix, at: usize, seen: &mut Matrix) {
    let keys = keys(input, HIDDEN + at);
    let mut weights = vec![0.0; input.rows()];
    for (row, seen) in input.iter().zip(seen.iter_mut()) {
        weights.fill(0.0);
        for (query, keys) in row[at..at + HEAD].iter().zip(keys.iter()) {
            add_scaled(&mut weights, *query, keys);
        }
        softmax(&mut weights);
        let seen = &mut seen[at..at + HEAD];
        for (weight, row) in weights.iter().zip(input.iter()) {
            add_scaled(seen, *weight, &row[2 * HIDDEN + at..][..HEAD]);
        }
    }
}

/// The columns of the keys, so that tokens lie beside each other.
fn keys(input: &Matrix, at: usize) -> Matrix {
    let mut keys = Matrix::new(HEAD, input.rows());
    for (column, keys) in (at..).zip(keys.iter_mut()) {
        for (key, row) in keys.iter_mut().zip(input.iter()) {
            *key = row[column];
        }
    }
    keys
}

#[inline(always)]
fn add_scaled(to: &mut [f32], scale: f32, numbers: &[f32]) {
    for (to, number) in to.iter_mut().zip(numbers) {
        *to += scale * number;
    }
}

/// Similarities become shares of one.
#[inline(always)]
fn softmax(similarities: &mut [f32]) {
    let scale = (HEAD as f32).sqrt().recip();
    let most = similarities.iter().copied().fold(f32::MIN, f32::max);
    for similarity in similarities.iter_mut() {
        *similarity = exp(scale * (*similarity - most));
    }
    let share = sum(similarities, |x| x).recip();
    for similarity in similarities {
        *similarity *= share;
    }
}
