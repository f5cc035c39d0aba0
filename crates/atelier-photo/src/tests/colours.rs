//! Colours are those that LittleCMS makes of them, within three steps of 255.

use image::{ExtendedColorType, GrayImage, LumaA, codecs::tiff::TiffEncoder};
use img_parts::{
    ImageICC as _,
    jpeg::Jpeg,
    png::{Png, PngChunk},
};
use lcms2::ToneCurve;

use super::{profiles::*, tiffs::Tiff, *};

fn near(found: Rgb<u8>, right: [u8; 3]) -> bool {
    found.0.iter().zip(right).all(|(a, b)| a.abs_diff(b) <= 3)
}

fn seen(file: &[u8]) -> Rgb<u8> {
    *decode_bytes(file).unwrap().get_pixel(2, 2)
}

#[track_caller]
fn is(file: &[u8], right: [u8; 3]) {
    let found = seen(file);
    assert!(near(found, right), "{found:?} found, {right:?} right");
}

/// One colour as PNG, JPEG and TIFF with this profile.
fn files(pixel: &[u8], color: ExtendedColorType, profile: &[u8]) -> Vec<Vec<u8>> {
    let pixels = pixel.repeat(64);
    let mut files = vec![Vec::new(); 2];
    let mut png = PngEncoder::new(&mut files[0]);
    png.set_icc_profile(profile.to_vec()).unwrap();
    png.write_image(&pixels, 8, 8, color).unwrap();
    let mut jpeg = JpegEncoder::new_with_quality(&mut files[1], 100);
    jpeg.set_icc_profile(profile.to_vec()).unwrap();
    jpeg.write_image(&pixels, 8, 8, color).unwrap();
    let mut tiff = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut tiff);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    encoder.write_image(&pixels, 8, 8, color).unwrap();
    files.push(tiff.into_inner());
    files
}

#[test]
fn grey_is_as_light_as_its_profile_says() {
    let linear = grey(&ToneCurve::new(1.0));
    for (profile, values) in [
        (dot_gain(), [(64, 89), (128, 149), (200, 211)]),
        (linear, [(64, 137), (128, 188), (200, 229)]),
    ] {
        for (value, right) in values {
            for file in files(&[value], ExtendedColorType::L8, &profile) {
                is(&file, [right; 3]);
            }
        }
    }
}

#[test]
fn grey_of_other_depths_follows_its_profile() {
    let profile = dot_gain();
    let with = |picture: DynamicImage| {
        let mut png = Png::from_bytes(encoded(&picture, ImageFormat::Png).into()).unwrap();
        png.set_icc_profile(Some(profile.clone().into()));
        png.encoder().bytes()
    };
    let deep = image::ImageBuffer::from_pixel(8, 8, image::Luma([128 * 257_u16]));
    is(&with(DynamicImage::ImageLuma16(deep)), [149; 3]);
    // Half of it on white.
    let sheer = image::ImageBuffer::from_pixel(8, 8, LumaA([128_u8, 128]));
    is(&with(DynamicImage::ImageLumaA8(sheer)), [202; 3]);
}

#[test]
fn wide_colours_are_brought_to_srgb() {
    for file in files(&[200, 80, 60], ExtendedColorType::Rgb8, &display_p3()) {
        is(&file, [216, 69, 50]);
    }
    // Larger than the pixels of their picture.
    let large = padded(display_p3(), 900_000);
    for file in files(&[200, 80, 60], ExtendedColorType::Rgb8, &large) {
        is(&file, [216, 69, 50]);
    }
}

#[test]
fn inks_are_as_their_press_prints_them() {
    for (inks, right) in [
        ([255, 0, 0, 0], [0, 161, 223]),
        ([0, 255, 255, 0], [196, 0, 0]),
        ([255, 0, 255, 0], [78, 132, 55]),
        ([0, 0, 0, 128], [118, 118, 118]),
        ([0, 0, 0, 0], [255, 255, 255]),
    ] {
        let tiff = Tiff::new(4, 4, 5, &inks.repeat(16))
            .with(258, &[8; 4])
            .with(277, &[4]);
        is(&tiff.clone().profile(&press()).file(), right);
        let [c, m, y, k] = inks.map(|ink| u32::from(255 - ink));
        let plain = [c, m, y].map(|left| (left * k / 255) as u8);
        is(&tiff.file(), plain);
    }
}

/// 32 x 24 pixels, red on the left and blue on the right, by Pillow.
const CMYK_JPEG: &str = "\
/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdf\
YmdoZz5NcXlwZHhcZWdj/8AAFAgAGAAgBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAIB//EABQQAQAAAAAA\
AAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A0Bn7P2gACfxQAAKAE/gAn8UAACgBP4AJ/FAAA//Z";

#[test]
fn inks_of_a_jpeg_are_stored_inverted() {
    let file = BASE64.decode(CMYK_JPEG).unwrap();
    is(&file, [255, 0, 0]);
    let mut printed = Jpeg::from_bytes(file.clone().into()).unwrap();
    printed.set_icc_profile(Some(press().into()));
    is(&printed.encoder().bytes(), [196, 0, 0]);
    // The same numbers, told to be light and colour: Adobe's marker says which of the two.
    let mut file = file;
    let told = file.windows(5).position(|five| five == b"Adobe").unwrap() + 11;
    file[told] = 2;
    is(&file, [179, 0, 227]);
}

#[test]
fn a_profile_that_is_none_is_ignored() {
    let cut = display_p3()[..200].to_vec();
    for profile in [b"none".to_vec(), vec![0; 500], cut, dot_gain(), press()] {
        for file in files(&[200, 80, 60], ExtendedColorType::Rgb8, &profile) {
            is(&file, [200, 80, 60]);
        }
    }
    // Grey may be given as red, green and blue that are alike.
    for file in files(&[100], ExtendedColorType::L8, &display_p3()) {
        is(&file, [100; 3]);
    }
}

fn chunk(kind: &[u8; 4], contents: &[u8]) -> PngChunk {
    PngChunk::new(*kind, contents.to_vec().into())
}

/// One colour as a PNG with these chunks after its header.
fn png(color: [u8; 3], chunks: Vec<PngChunk>) -> Vec<u8> {
    let picture = DynamicImage::ImageRgb8(RgbImage::from_pixel(8, 8, Rgb(color)));
    let mut png = Png::from_bytes(encoded(&picture, ImageFormat::Png).into()).unwrap();
    png.chunks_mut().splice(1..1, chunks);
    png.encoder().bytes().to_vec()
}

#[test]
fn a_png_is_believed_in_the_order_of_its_standard() {
    let p3 = || chunk(b"cICP", &[12, 13, 0, 1]);
    let gamma = |gamma: u32| chunk(b"gAMA", &gamma.to_be_bytes());
    let light = |points: [u32; 8]| chunk(b"cHRM", &points.map(u32::to_be_bytes).concat());
    let wide = || {
        light([
            31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000,
        ])
    };
    let usual = || {
        light([
            31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000,
        ])
    };
    let srgb = || chunk(b"sRGB", &[0]);
    let (orange, converted, grey) = ([200, 80, 60], [216, 69, 50], [128; 3]);
    for (color, chunks, right) in [
        (orange, vec![p3()], converted),
        (orange, vec![p3(), gamma(100_000), usual()], converted),
        (orange, vec![chunk(b"cICP", &[1, 13, 0, 1]), wide()], orange),
        // Of luma and chroma, of half the range, of unknown colours: not for a PNG.
        (orange, vec![chunk(b"cICP", &[12, 13, 1, 1])], orange),
        (orange, vec![chunk(b"cICP", &[12, 13, 0, 0])], orange),
        (orange, vec![chunk(b"cICP", &[2, 2, 0, 1])], orange),
        (grey, vec![gamma(100_000)], [188; 3]),
        (grey, vec![gamma(45_455), usual()], grey),
        (grey, vec![gamma(0)], grey),
        (grey, vec![srgb(), gamma(100_000)], grey),
        (orange, vec![wide()], converted),
        (orange, vec![srgb(), wide()], orange),
    ] {
        is(&png(color, chunks), right);
    }
    // A profile counts for less than code points, and for more than the rest.
    let profiled = |chunks: Vec<PngChunk>| {
        let mut file = Png::from_bytes(png(orange, chunks).into()).unwrap();
        file.set_icc_profile(Some(display_p3().into()));
        file.encoder().bytes()
    };
    is(&profiled(vec![]), converted);
    is(&profiled(vec![gamma(100_000)]), converted);
    is(&profiled(vec![chunk(b"cICP", &[1, 13, 0, 1])]), orange);
}

#[test]
fn sixteen_bits_keep_their_gamma() {
    let deep = image::ImageBuffer::from_pixel(8, 8, Rgb([128 * 257_u16; 3]));
    let file = encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    let mut png = Png::from_bytes(file.into()).unwrap();
    let gamma = chunk(b"gAMA", &100_000_u32.to_be_bytes());
    png.chunks_mut().insert(1, gamma);
    is(&png.encoder().bytes(), [188; 3]);
}

#[test]
fn grey_without_a_profile_stays() {
    let grey = DynamicImage::ImageLuma8(GrayImage::from_pixel(8, 8, image::Luma([77])));
    for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Tiff] {
        is(&encoded(&grey, format), [77; 3]);
    }
}
