//! Uploads that are too large, broken, unusual or not photos.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::{
    DynamicImage, Frame, ImageDecoder as _, ImageEncoder as _, ImageFormat, ImageReader, Rgb,
    RgbImage, Rgba, RgbaImage,
    codecs::{gif::GifEncoder, png::PngEncoder},
};
use serde_json::Value;

use super::{by_browser, hostile::claim_png_size, page, studio};
use crate::support::{Atelier, Setup, blobs, encode, form, photo, problem, taken, text};

/// 32 x 24 pixels, red on the left and blue on the right, made with Pillow:
/// `Image.new("CMYK", ...).save(..., quality=50, optimize=True)`.
const CMYK: &str = "\
/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAQCwwODAoQDg0OEhEQExgoGhgWFhgxIyUdKDozPTw5Mzg3QEhcTkBEV0U3OFBtUVdf\
YmdoZz5NcXlwZHhcZWdj/8AAFAgAGAAgBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAIB//EABQQAQAAAAAA\
AAAAAAAAAAAAAAD/2gAOBEMATQBZAEsAAD8A0Bn7P2gACfxQAAKAE/gAn8UAACgBP4AJ/FAAA//Z";

async fn refused(server: &Atelier, file: Vec<u8>) -> (u16, String, String) {
    let (status, problem) = problem(server.restore(file).await).await;
    (
        status,
        text(&problem["code"]).to_owned(),
        text(&problem["detail"]).to_owned(),
    )
}

/// Nothing of a refused upload stays.
pub(super) fn nothing_left(setup: &Setup) {
    assert_eq!(blobs(&setup.data()), Vec::<String>::new());
    assert_eq!(
        std::fs::read_dir(setup.data().join("uploads"))
            .unwrap()
            .count(),
        0
    );
}

/// The photo restored; the copy of it that was kept.
async fn restored(server: &Atelier, file: Vec<u8>) -> (Value, Vec<u8>) {
    let job = server
        .succeeded(&taken(server.restore(file).await).await)
        .await;
    let original = server
        .get(text(&job["original"]["url"]))
        .send()
        .await
        .unwrap();
    assert_eq!(original.headers()["content-type"], "image/jpeg");
    let bytes = original.bytes().await.unwrap().to_vec();
    (job, bytes)
}

/// Orange in Display P3 is a stronger one in sRGB.
#[tokio::test]
async fn colours_of_an_embedded_profile_are_converted() {
    let (_setup, _openai, server) = studio().await;
    let orange = RgbImage::from_pixel(64, 48, Rgb([200, 120, 60]));
    let mut file = Vec::new();
    let mut encoder = PngEncoder::new(&mut file);
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    encoder.set_icc_profile(profile).unwrap();
    orange.write_with_encoder(encoder).unwrap();
    let (_, kept) = restored(&server, file).await;
    let kept = image::load_from_memory(&kept).unwrap().into_rgb8();
    let Rgb([red, _, blue]) = *kept.get_pixel(30, 20);
    assert!(red > 206 && blue < 52, "{red} {blue}");
}

fn is_nearly(pixel: Rgb<u8>, expected: [u8; 3]) -> bool {
    pixel
        .0
        .iter()
        .zip(expected)
        .all(|(found, wanted)| found.abs_diff(wanted) < 40)
}

#[tokio::test]
async fn an_upload_of_60_megabytes_is_refused_and_forgotten() {
    let (setup, _openai, server) = studio().await;
    let mut large = photo(64, 48, ImageFormat::Jpeg);
    large.resize(60_000_000, 0);
    let (status, code, detail) = refused(&server, large.clone()).await;
    assert_eq!((status, code.as_str()), (413, "too_large"));
    assert!(detail.contains("25 MB"), "{detail}");
    let request = by_browser(server.post("/api/restorations")).multipart(form(large));
    let (status, page) = page(request.send().await.unwrap()).await;
    assert_eq!(status, 413);
    assert!(page.contains("25 MB"), "{page}");
    nothing_left(&setup);
    let memory = server.memory();
    assert!(memory < 200_000_000, "{memory} bytes");
}

/// The largest picture taken, sent by several at once: decoded one at a time.
#[tokio::test]
async fn large_photos_at_once_do_not_add_up_in_memory() {
    let (_setup, _openai, server) = studio().await;
    let grey = DynamicImage::ImageRgb8(RgbImage::from_pixel(7000, 7000, Rgb([120, 110, 100])));
    let file = encode(&grey, ImageFormat::Png);
    let uploads = (0..4).map(|_| server.restore(file.clone()));
    for response in futures::future::join_all(uploads).await {
        assert!(response.status().is_success(), "{}", response.status());
    }
    let peak = server.peak_memory();
    assert!(peak < 1_000_000_000, "{peak} bytes");
}

#[tokio::test]
async fn what_is_no_photo_is_refused_in_words() {
    let (setup, _openai, server) = studio().await;
    let jpeg = photo(64, 48, ImageFormat::Jpeg);
    let png = photo(64, 48, ImageFormat::Png);
    for (file, status, code, words) in [
        (vec![], 422, "photo_empty", "empty"),
        (
            b"Dear grandmother, this is your photo.".to_vec(),
            415,
            "photo_type",
            "text file",
        ),
        (
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            415,
            "photo_type",
            "JPEG",
        ),
        (b"%PDF-1.7 \x00\x01".to_vec(), 415, "photo_type", "PDF"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(),
            415,
            "photo_type",
            "HEIC",
        ),
        (
            jpeg[..jpeg.len() / 2].to_vec(),
            422,
            "photo_damaged",
            "JPEG",
        ),
        (jpeg[..3].to_vec(), 422, "photo_damaged", "JPEG"),
        (
            arithmetic(&jpeg),
            415,
            "photo_kind",
            "this kind of JPEG is not read",
        ),
        (
            b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf".to_vec(),
            415,
            "photo_type",
            "AVIF",
        ),
        (png[..png.len() / 2].to_vec(), 422, "photo_damaged", "PNG"),
        (png[..8].to_vec(), 422, "photo_damaged", "PNG"),
        (b"GIF89a".to_vec(), 422, "photo_damaged", "GIF"),
        (b"RIFF\0\0\0\0WEBP".to_vec(), 422, "photo_damaged", "WebP"),
    ] {
        let head = file.iter().take(12).copied().collect::<Vec<u8>>();
        let (found, name, detail) = refused(&server, file).await;
        assert_eq!((found, name.as_str()), (status, code), "{head:?}: {detail}");
        assert!(detail.contains(words), "{detail}");
    }
    nothing_left(&setup);
}

/// A JPEG that says its codes are arithmetic.
fn arithmetic(jpeg: &[u8]) -> Vec<u8> {
    let mut file = jpeg.to_vec();
    let frame = file.windows(2).position(|two| two == [0xFF, 0xC0]).unwrap();
    file[frame + 1] = 0xC9;
    file
}

#[tokio::test]
async fn a_huge_picture_of_few_bytes_is_refused_unread() {
    let (setup, _openai, server) = studio().await;
    let mut bomb = photo(64, 48, ImageFormat::Png);
    claim_png_size(&mut bomb, 30_000, 30_000);
    let (status, code, detail) = refused(&server, bomb).await;
    assert_eq!((status, code.as_str()), (422, "photo_pixels"));
    assert!(detail.contains("30000 x 30000"), "{detail}");
    let peak = server.peak_memory();
    assert!(peak < 200_000_000, "{peak} bytes");
    nothing_left(&setup);
}

#[tokio::test]
async fn of_an_animation_the_first_frame_is_taken() {
    let (_setup, _openai, server) = studio().await;
    let mut file = Vec::new();
    let frames = [[200, 20, 20, 255], [20, 20, 200, 255]];
    let frames = frames.map(|colour| Frame::new(RgbaImage::from_pixel(40, 30, Rgba(colour))));
    GifEncoder::new(&mut file).encode_frames(frames).unwrap();
    let (job, original) = restored(&server, file).await;
    assert_eq!(
        (
            job["original"]["width"].as_u64(),
            job["original"]["height"].as_u64()
        ),
        (Some(40), Some(30))
    );
    let seen = *image::load_from_memory(&original)
        .unwrap()
        .into_rgb8()
        .get_pixel(20, 15);
    assert!(is_nearly(seen, [200, 20, 20]), "{seen:?}");
}

#[tokio::test]
async fn a_photo_of_sixteen_bits_is_restored() {
    let setup = Setup::new();
    let server = setup.start();
    let deep = image::load_from_memory(&photo(64, 48, ImageFormat::Png))
        .unwrap()
        .into_rgb16();
    let file = encode(&DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    let (job, _) = restored(&server, file).await;
    assert_eq!(
        (
            job["images"][0]["width"].as_u64(),
            job["images"][0]["height"].as_u64()
        ),
        (Some(64), Some(48))
    );
    let picture = image::load_from_memory(&server.picture(&job).await).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
}

#[tokio::test]
async fn a_photo_in_four_inks_keeps_its_colours() {
    let setup = Setup::new();
    let server = setup.start();
    let (_, original) = restored(&server, BASE64.decode(CMYK).unwrap()).await;
    let seen = image::load_from_memory(&original).unwrap().into_rgb8();
    let (left, right) = (*seen.get_pixel(6, 12), *seen.get_pixel(26, 12));
    assert!(
        is_nearly(left, [255, 0, 0]) && is_nearly(right, [0, 0, 255]),
        "{left:?} {right:?}"
    );
}

#[tokio::test]
async fn a_photo_stands_upright_and_tells_nothing_of_its_maker() {
    let setup = Setup::new();
    let server = setup.start();
    let (job, original) = restored(&server, sideways(&photo(64, 48, ImageFormat::Jpeg))).await;
    for picture in [&job["original"], &job["images"][0]] {
        assert_eq!(
            (picture["width"].as_u64(), picture["height"].as_u64()),
            (Some(48), Some(64))
        );
    }
    for bytes in [original, server.picture(&job).await] {
        let picture = image::load_from_memory(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (48, 64));
        let told = |words: &[u8]| bytes.windows(words.len()).any(|window| window == words);
        assert!(
            !told(b"Exif") && !told(b"grandmother"),
            "metadata is stripped"
        );
    }
}

/// The JPEG with Exif in front: turned by 90 degrees, and an artist's name.
fn sideways(jpeg: &[u8]) -> Vec<u8> {
    let artist = b"grandmother\0";
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    // Tag, type, count, value: orientation 6; artist, 12 bytes at offset 38.
    exif.extend_from_slice(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    exif.extend_from_slice(b"\x01\x3b\0\x02\0\0\0\x0c\0\0\0\x26");
    exif.extend_from_slice(b"\0\0\0\0");
    exif.extend_from_slice(artist);
    let length = u16::try_from(exif.len() + 2).unwrap();
    [
        &jpeg[..2],
        &[0xFF, 0xE1],
        &length.to_be_bytes(),
        &exif,
        &jpeg[2..],
    ]
    .concat()
}

/// A JPEG with EXIF in front: turned by 90 degrees, in Adobe RGB, 64 x 48 pixels.
fn measured(jpeg: &[u8]) -> Vec<u8> {
    let exif = [
        &b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02"[..],
        b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0",
        b"\x87\x69\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0",
        b"\0\x03\xA0\x01\0\x03\0\0\0\x01\xFF\xFF\0\0",
        b"\xA0\x02\0\x03\0\0\0\x01\0\x40\0\0",
        b"\xA0\x03\0\x03\0\0\0\x01\0\x30\0\0\0\0\0\0",
    ];
    let exif = exif.concat();
    let length = u16::try_from(exif.len() + 2).unwrap();
    [
        &jpeg[..2],
        &[0xFF, 0xE1],
        &length.to_be_bytes(),
        &exif,
        &jpeg[2..],
    ]
    .concat()
}

#[tokio::test]
async fn the_metadata_of_a_download_is_true_of_it() {
    let setup = Setup::new();
    let server = setup.start();
    let form = form(measured(&photo(64, 48, ImageFormat::Jpeg))).text("enlarge", "2");
    let order = server.post("/api/restorations").multipart(form);
    let job = taken(order.send().await.unwrap()).await;
    let job = server.succeeded(&job).await;
    for format in ["jpeg", "png"] {
        let address = format!("/jobs/{}/download?format={format}", text(&job["id"]));
        let file = server.get(&address).send().await.unwrap();
        let file = file.bytes().await.unwrap();
        let reader = ImageReader::new(std::io::Cursor::new(file)).with_guessed_format();
        let mut decoder = reader.unwrap().into_decoder().unwrap();
        assert_eq!(decoder.dimensions(), (96, 128));
        let exif = decoder.exif_metadata().unwrap().unwrap();
        let says = |entry: &[u8]| exif.windows(12).any(|window| window == entry);
        assert!(says(b"\x01\x12\0\x03\0\0\0\x01\0\x01\0\0"), "it is upright");
        assert!(says(b"\xA0\x01\0\x03\0\0\0\x01\0\x01\0\0"), "it is sRGB");
        assert!(says(b"\xA0\x02\0\x04\0\0\0\x01\0\0\0\x60"), "96 wide");
        assert!(says(b"\xA0\x03\0\x04\0\0\0\x01\0\0\0\x80"), "128 high");
    }
}
