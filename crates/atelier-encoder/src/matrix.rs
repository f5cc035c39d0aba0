//! What passes through the layers: a row for each token.

pub(crate) struct Matrix {
    width: usize,
    data: Vec<f32>,
}

impl Matrix {
    /// Zeros.
    pub(crate) fn new(rows: usize, width: usize) -> Self {
        Self {
            width,
            data: vec![0.0; rows * width],
        }
    }

    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn rows(&self) -> usize {
        self.data.len() / self.width
    }

    /// All numbers, row by row.
    pub(crate) fn data(&self) -> &[f32] {
        &self.data
    }

    pub(crate) fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.width)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.data.chunks_exact_mut(self.width)
    }

    pub(crate) fn row_mut(&mut self, row: usize) -> Option<&mut [f32]> {
        let start = row * self.width;
        self.data.get_mut(start..start + self.width)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (number, other) in self.data.iter_mut().zip(&other.data) {
            *number += other;
        }
    }
}
