//! A set of pixels.

/// One flag per pixel, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mask {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) data: Vec<bool>,
}

impl Mask {
    /// The empty set.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            data: vec![false; width * height],
        }
    }

    /// With all pixels at most `steps` rows and columns away from one of it.
    pub(super) fn grown_by(&self, steps: usize) -> Self {
        (0..steps).fold(self.clone(), |mask, _| mask.grown())
    }

    /// Without what is not in `other`, a set of the same size.
    pub(super) fn keep(&mut self, other: &Self) {
        for (set, stays) in self.data.iter_mut().zip(&other.data) {
            *set &= stays;
        }
    }

    fn grown(&self) -> Self {
        let mut out = self.clone();
        for (index, _) in self.data.iter().enumerate().filter(|(_, set)| **set) {
            for near in neighbours(index, self.width, self.height) {
                out.data[near] = true;
            }
        }
        out
    }

    /// The same set on a grid `scale` times finer, `width` x `height`.
    pub(super) fn enlarged(&self, scale: usize, width: usize, height: usize) -> Self {
        if scale == 1 {
            return self.clone();
        }
        let mut out = Self::new(width, height);
        for (y, row) in out.data.chunks_mut(width).enumerate() {
            let from = (y / scale).min(self.height - 1) * self.width;
            for (x, set) in row.iter_mut().enumerate() {
                *set = self.data[from + (x / scale).min(self.width - 1)];
            }
        }
        out
    }
}

/// Indices of the up to eight pixels around one.
pub(super) fn neighbours(index: usize, width: usize, height: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (index % width, index / width);
    let rows = y.saturating_sub(1)..=(y + 1).min(height - 1);
    rows.flat_map(move |row| {
        (x.saturating_sub(1)..=(x + 1).min(width - 1)).map(move |column| row * width + column)
    })
    .filter(move |near| *near != index)
}

/// Collects what `joins` accepts and is connected to `seed`, marking it in `seen`; stops growing
/// beyond `limit` pixels.
pub(super) fn flood(
    seed: usize,
    seen: &mut Mask,
    limit: usize,
    joins: impl Fn(usize, usize) -> bool,
) -> Vec<usize> {
    let mut found = vec![seed];
    seen.data[seed] = true;
    let mut next = 0;
    while next < found.len() && found.len() <= limit {
        let from = found[next];
        next += 1;
        for near in neighbours(from, seen.width, seen.height) {
            if !seen.data[near] && joins(from, near) {
                seen.data[near] = true;
                found.push(near);
            }
        }
    }
    found
}
