//! ICC profiles made for the tests; what they make of a colour was asked of LittleCMS by its own tools.

use lcms2::{CIExyY, CIExyYTRIPLE, Profile, ToneCurve};

const D50: CIExyY = CIExyY {
    x: 0.3457,
    y: 0.3585,
    Y: 1.0,
};

pub(super) fn grey(curve: &ToneCurve) -> Vec<u8> {
    Profile::new_gray(&D50, curve).unwrap().icc().unwrap()
}

/// Ink spreads on paper: half of it covers 70 %.
pub(super) fn dot_gain() -> Vec<u8> {
    let light = |value: u16| {
        let ink = 1.0 - f64::from(value) / 255.0;
        (1.0 - ink - 0.8 * ink * (1.0 - ink)) * 65_535.0
    };
    let curve: Vec<u16> = (0..256).map(|value| light(value) as u16).collect();
    grey(&ToneCurve::new_tabulated(&curve))
}

pub(super) fn display_p3() -> Vec<u8> {
    let light = |x, y| CIExyY { x, y, Y: 1.0 };
    let primaries = CIExyYTRIPLE {
        Red: light(0.68, 0.32),
        Green: light(0.265, 0.69),
        Blue: light(0.15, 0.06),
    };
    let curve = [2.4, 1.0 / 1.055, 0.055 / 1.055, 1.0 / 12.92, 0.04045];
    let curve = ToneCurve::new_parametric(4, &curve).unwrap();
    let profile = Profile::new_rgb(&light(0.3127, 0.3290), &primaries, &[&curve; 3]).unwrap();
    profile.icc().unwrap()
}

/// A press (ICC.1:2001-04), whose table to L*a*b* has but the corners: each ink alone and all mixtures.
pub(super) fn press() -> Vec<u8> {
    let mut table = Vec::new();
    for corner in 0..16_u8 {
        let [c, m, y, k] = [8, 4, 2, 1].map(|bit| f64::from(u8::from(corner & bit > 0)));
        let left = 1.0 - k;
        let (l, a, b) = (
            left * (100.0 - 40.0 * c - 50.0 * m - 10.0 * y),
            left * (70.0 * m - 30.0 * c),
            left * (80.0 * y - 45.0 * c),
        );
        for value in [l * 652.8, (a + 128.0) * 256.0, (b + 128.0) * 256.0] {
            table.extend((value.round() as u16).to_be_bytes());
        }
    }
    let fixed = |value: u32| (value << 16).to_be_bytes();
    let mut lut = b"mft2\0\0\0\0\x04\x03\x02\0".to_vec();
    lut.extend([1, 0, 0, 0, 1, 0, 0, 0, 1].map(fixed).concat());
    lut.extend([0, 2, 0, 2]);
    lut.extend([0, 0, 255, 255].repeat(4));
    lut.extend(table);
    lut.extend([0, 0, 255, 255].repeat(3));
    let size = 128 + 4 + 12 + lut.len();
    let mut profile = vec![0; 128];
    profile[..4].copy_from_slice(&u32::try_from(size).unwrap().to_be_bytes());
    profile[8..24].copy_from_slice(b"\x02\x40\0\0prtrCMYKLab ");
    profile[36..40].copy_from_slice(b"acsp");
    // D50, the light under which all profiles meet.
    profile[68..80].copy_from_slice(b"\0\0\xF6\xD6\0\x01\0\0\0\0\xD3\x2D");
    profile.extend(1_u32.to_be_bytes());
    profile.extend(b"A2B0");
    profile.extend(144_u32.to_be_bytes());
    profile.extend(u32::try_from(lut.len()).unwrap().to_be_bytes());
    profile.extend(lut);
    profile
}

/// The same profile, larger.
pub(super) fn padded(mut profile: Vec<u8>, size: u32) -> Vec<u8> {
    profile.resize(size as usize, 0);
    profile[..4].copy_from_slice(&size.to_be_bytes());
    profile
}
