//! "Repair only here": what was not painted over stays as it is, whoever repairs the rest.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use reqwest::{Response, multipart::Part};
use serde_json::json;

use crate::support::{
    Atelier, OpenAi, Replicate, Setup, encode, form, photo, problem, taken, text,
};

/// A PNG that is transparent where x lies in `painted`.
pub(super) fn mask(width: u32, height: u32, painted: std::ops::Range<u32>) -> Vec<u8> {
    let alpha = |x: u32| if painted.contains(&x) { 0 } else { 255 };
    let picture = RgbaImage::from_fn(width, height, |x, _| Rgba([0, 0, 0, alpha(x)]));
    encode(&DynamicImage::ImageRgba8(picture), ImageFormat::Png)
}

async fn restore(server: &Atelier, photo: Vec<u8>, mask: Vec<u8>) -> Response {
    let form = form(photo).part("mask", Part::bytes(mask).file_name("mask.png"));
    let request = server.post("/api/restorations").multipart(form);
    request.send().await.unwrap()
}

/// Grey with a white line down its middle.
fn scratched() -> Vec<u8> {
    let shade = |x: u32| if (79..81).contains(&x) { 255 } else { 120 };
    let photo = RgbImage::from_fn(160, 120, |x, _| Rgb([shade(x); 3]));
    encode(&DynamicImage::ImageRgb8(photo), ImageFormat::Png)
}

#[tokio::test]
async fn the_built_in_restorer_closes_what_was_painted_over() {
    let setup = Setup::new();
    let server = setup.start();
    let painted = mask(320, 240, 150..170);
    let job = taken(restore(&server, scratched(), painted).await).await;
    let job = server.succeeded(&job).await;
    assert_eq!(job["params"]["mask"], true);
    let made = image::load_from_memory(&server.picture(&job).await).unwrap();
    let made = made.into_rgb8();
    let far = |pixel: &Rgb<u8>| pixel[1].abs_diff(120) > 12;
    assert_eq!(made.pixels().filter(|pixel| far(pixel)).count(), 0);

    // The same photo without a mask is another request.
    let whole = taken(server.restore(scratched()).await).await;
    assert_eq!(whole["cache"], "miss");
    assert_eq!(whole["params"]["mask"], json!(null));
    server.succeeded(&whole).await;
}

#[tokio::test]
async fn openai_is_told_where_and_the_rest_is_put_back() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let plain = RgbImage::from_pixel(160, 120, Rgb([10, 200, 30]));
    let plain = encode(&DynamicImage::ImageRgb8(plain), ImageFormat::Png);
    let job = taken(restore(&server, plain, mask(160, 120, 0..80)).await).await;
    let job = server.succeeded(&job).await;
    let [call] = &openai.calls()[..] else {
        panic!("one call is made")
    };
    let open = call["mask"]["open"].as_u64().unwrap();
    assert!((48..=51).contains(&open), "{open} % may be drawn");
    let image = &job["images"][0];
    assert_eq!(
        (&image["width"], &image["height"]),
        (&json!(160), &json!(120))
    );
    let made = image::load_from_memory(&server.picture(&job).await).unwrap();
    let made = made.into_rgb8();
    let kept = |x: u32| made.get_pixel(x, 60)[1].abs_diff(200) < 12;
    assert!(kept(150) && kept(100), "the right half is as it was");
    assert!(!kept(10) && !kept(60), "the left one is the model's");
}

/// The lower right quarter, so that neither a side taken for the other nor a mask turned over passes.
#[tokio::test]
async fn a_quarter_that_is_painted_over_is_that_quarter() {
    let openai = OpenAi::start(vec![]).await;
    let setup = Setup::with_file("limits = []").openai(&openai);
    let server = setup.start();
    let (width, height) = (160, 120);
    let quarter = RgbaImage::from_fn(320, 240, |x, y| {
        let painted = x >= 160 && y >= 120;
        Rgba([9, 9, 9, if painted { 0 } else { 255 }])
    });
    let quarter = encode(&DynamicImage::ImageRgba8(quarter), ImageFormat::Png);
    let green = RgbImage::from_pixel(width, height, Rgb([10, 200, 30]));
    let green = encode(&DynamicImage::ImageRgb8(green), ImageFormat::Png);
    let job = taken(restore(&server, green, quarter).await).await;
    let job = server.succeeded(&job).await;
    let open = openai.calls()[0]["mask"]["open"].as_u64().unwrap();
    assert!((23..=26).contains(&open), "{open} % may be drawn");
    let made = image::load_from_memory(&server.picture(&job).await).unwrap();
    let made = made.into_rgb8();
    for (x, y) in [
        (8, 8),
        (40, 30),
        (72, 52),
        (88, 8),
        (150, 30),
        (8, 68),
        (40, 110),
        (72, 112),
    ] {
        assert!(
            made.get_pixel(x, y)[1].abs_diff(200) < 12,
            "{x}, {y} is as it was"
        );
    }
    for (x, y) in [(88, 68), (120, 90), (150, 110), (88, 112), (152, 68)] {
        assert!(
            made.get_pixel(x, y)[1].abs_diff(200) >= 12,
            "{x}, {y} is the model's"
        );
    }
}

#[tokio::test]
async fn a_mask_that_is_none_is_refused_in_words() {
    let setup = Setup::new();
    let server = setup.start();
    let file = || photo(160, 120, ImageFormat::Png);
    for (mask, words) in [
        (mask(160, 120, 0..0), "nothing of it is transparent"),
        (mask(120, 160, 0..9), "not the shape"),
        (b"white on black".to_vec(), "not a PNG"),
        (mask(160, 120, 0..9)[..90].to_vec(), "damaged"),
    ] {
        let (status, problem) = problem(restore(&server, file(), mask).await).await;
        assert_eq!((status, text(&problem["code"])), (422, "mask"));
        assert!(text(&problem["detail"]).contains(words), "{problem}");
    }
    let (status, _) = problem(restore(&server, file(), vec![0; 4_000_001]).await).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn who_cannot_repair_a_part_says_so() {
    let replicate = Replicate::start(vec![]).await;
    let setup = Setup::with_file("limits = []").replicate(&replicate);
    let server = setup.start();
    let file = photo(160, 120, ImageFormat::Png);
    let refused = restore(&server, file, mask(160, 120, 0..9)).await;
    let (status, problem) = problem(refused).await;
    assert_eq!((status, text(&problem["code"])), (422, "mask"));
    assert!(
        text(&problem["detail"]).contains("whole photos"),
        "{problem}"
    );
}
