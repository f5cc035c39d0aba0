//! Functions of single numbers, from additions and multiplications alone, so that the
//! compiler can work on a register of them at a time. It does so where they are inlined
//! into what [`pulp::Arch::dispatch`] is given.

use pulp::{Simd, WithSimd};

/// The Gaussian error linear unit, exact but for rounding: `x · (1 + erf(x / √2)) / 2`.
pub(crate) struct Gelu<'a>(pub(crate) &'a mut [f32]);

impl WithSimd for Gelu<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for x in self.0 {
            *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    }
}

/// The error function as a ratio of polynomials, within 4e-7, as Eigen and XLA have it.
#[inline(always)]
fn erf(x: f32) -> f32 {
    const ABOVE: [f32; 7] = [
        -2.726_142_4e-10,
        2.770_681_5e-8,
        -2.101_024e-6,
        -5.692_506_2e-5,
        -7.349_906e-4,
        -2.954_6e-3,
        -1.609_603_3e-2,
    ];
    const BELOW: [f32; 5] = [
        -1.456_607_1e-5,
        -2.133_740_5e-4,
        -1.682_827e-3,
        -7.373_329_3e-3,
        -1.426_473_9e-2,
    ];
    let x = x.clamp(-4.0, 4.0);
    x * polynomial(x * x, &ABOVE) / polynomial(x * x, &BELOW)
}

/// `e` to the power of a number from -87 to 0, within 3e-7 of it.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    /// Added to a small number this leaves it rounded, in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    /// The natural logarithm of two in two parts, of which the first has few bits.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    const TAYLOR: [f32; 7] = [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let twos = shifted - ROUND;
    let rest = x - twos * LN_2[0] - twos * LN_2[1];
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1f32.to_bits()));
    polynomial(rest, &TAYLOR) * power
}

/// The coefficient of the highest power comes first.
#[inline(always)]
fn polynomial(x: f32, coefficients: &[f32]) -> f32 {
    coefficients.iter().fold(0.0, |sum, c| sum * x + c)
}

/// The sum of `of` over numbers, sixteen at a time.
#[inline(always)]
pub(crate) fn sum(numbers: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = numbers.as_chunks::<16>();
    let mut sums = [0.0; 16];
    for chunk in chunks {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum += of(*x);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| of(*x)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::{Gelu, exp, sum};

    /// The error function by its series, in double precision.
    fn erf(x: f64) -> f64 {
        let mut term = x;
        let mut sum = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        sum * std::f64::consts::FRAC_2_SQRT_PI
    }

    #[test]
    fn gelu_is_that_of_its_definition() {
        for n in -4_000..4_000 {
            let x = n as f32 / 1_000.0;
            let exact = 0.5 * f64::from(x) * (1.0 + erf(f64::from(x) / 2f64.sqrt()));
            let mut ours = [x];
            Arch::new().dispatch(Gelu(&mut ours));
            assert!((f64::from(ours[0]) - exact).abs() < 2e-6, "{x}");
        }
    }

    #[test]
    fn gelu_of_large_numbers_is_the_number_or_nothing() {
        let mut ours = [9.0, 40.0, -9.0, -40.0];
        Arch::new().dispatch(Gelu(&mut ours));
        let exact = [9.0, 40.0, 0.0, 0.0];
        for (ours, exact) in ours.iter().zip(exact) {
            assert!((ours - exact).abs() < 1e-5, "{ours} {exact}");
        }
    }

    #[test]
    fn exp_is_that_of_the_standard_library() {
        for n in 0..=8_700 {
            let x = -(n as f32) / 100.0;
            assert!((exp(x) / x.exp() - 1.0).abs() < 1e-6, "{x}");
        }
        assert!(exp(-1e30) < 1e-37);
    }

    #[test]
    fn sums_take_in_what_is_left_over() {
        let numbers: Vec<f32> = (0..37u8).map(f32::from).collect();
        assert_eq!(sum(&numbers, |x| 2.0 * x), 2.0 * 666.0);
    }
}
