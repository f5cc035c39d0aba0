//! Pictures in their frames.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use leptos::prelude::*;

use super::{
    compare::compare,
    viewer::{View, saved},
};
use crate::{data::Seen, texts::Texts, words};
use atelier_api::{Image, Job, Kind, Size, WIDTHS};

/// The alternative text.
pub(crate) fn describe(job: &Job, index: usize, t: &Texts) -> String {
    match job.kind {
        Kind::Restoration => t.photo_restored.into(),
        Kind::Image if job.images.len() > 1 => {
            let prompt = words::clip(&job.prompt, 250);
            (t.picture_of)(&prompt, index + 1, job.images.len())
        }
        Kind::Image => words::clip(&job.prompt, 250),
    }
}

/// `square`, `wide` or `tall`; a `strip` as well if it is so tall that it has to be fitted to the screen.
pub(crate) fn shape(width: u32, height: u32) -> &'static str {
    match (width, height) {
        _ if width * 9 > height * 10 => "wide",
        _ if height > width * 2 => "tall strip",
        _ if height * 9 > width * 10 => "tall",
        _ => "square",
    }
}

/// The shape of a picture that does not exist yet.
pub(crate) fn expected(size: Option<&Size>) -> &'static str {
    let sides = size.and_then(Size::sides);
    sides.map_or("square", |(width, height)| shape(width, height))
}

/// Smaller copies of a picture, for `srcset`.
fn copies(image: &Image) -> String {
    let copy = |width: u32| format!("{}?width={width} {width}w", image.url);
    WIDTHS.map(copy).join(", ")
}

/// The placeholder while the picture loads, from its ThumbHash; none if it is transparent.
fn ground(image: &Image) -> Option<impl IntoView + use<>> {
    let mut svg = format!("<svg viewBox=\"0 0 {GRID} {GRID}\" preserveAspectRatio=\"none\">");
    for (at, colour) in grid(&image.thumbhash, GRID)?.into_iter().enumerate() {
        let (x, y) = (at % GRID, at / GRID);
        // One hex digit per channel is enough for a blurred placeholder.
        let [r, g, b] = colour.map(|channel| channel >> 4);
        svg += &format!("<path fill=\"#{r:x}{g:x}{b:x}\" d=\"M{x} {y}h1v1h-1z\"/>");
    }
    svg += "</svg>";
    Some(view! { <div class="ground" aria-hidden="true" inner_html=svg></div> })
}

/// Squares to a side of [`ground`].
const GRID: usize = 5;

/// The colours of a ThumbHash in so many squares a side, row by row; none if it is transparent.
fn grid(hash: &str, side: usize) -> Option<Vec<[u8; 3]>> {
    let hash = BASE64.decode(hash).ok()?;
    let (width, height, pixels) = thumbhash::thumb_hash_to_rgba(&hash).ok()?;
    let middle = |at: usize, length: usize| (2 * at + 1) * length / (2 * side);
    let squares = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
    let colours = squares.map(|(x, y)| {
        let at = 4 * (middle(y, height) * width + middle(x, width));
        let [r, g, b, alpha] = *pixels.get(at..)?.first_chunk()?;
        (alpha >= 250).then_some([r, g, b])
    });
    colours.collect()
}

/// The class of a picture's ratio: one of 25, a twelfth of an octave apart, from a half (`r0`) over a square (`r12`) to
/// twice as wide as high (`r24`). A picture beyond that is fitted in.
pub(crate) fn ratio(image: &Image) -> String {
    let octaves = (f64::from(image.width.max(1)) / f64::from(image.height.max(1))).log2();
    let step = (12.0 * octaves).round();
    let fitted = if step.abs() > 12.0 { " fitted" } else { "" };
    format!("r{}{fitted}", step.clamp(-12.0, 12.0) + 12.0)
}

/// The colours of a thumbnail until it is there, from its ThumbHash: so few pixels that a browser blends them. None if
/// it is transparent.
pub(crate) fn veil(image: &Image) -> Option<impl IntoView + use<>> {
    let address = known_bitmap(&image.thumbhash)?;
    Some(view! {
        <svg class="veil" aria-hidden="true">
            <image href=address.to_string() width="100%" height="100%" preserveAspectRatio="none" />
        </svg>
    })
}

/// The bitmap of a ThumbHash. To decode one takes longer than to render the rest of a tile, so they are kept.
fn known_bitmap(hash: &str) -> Option<Arc<str>> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Option<Arc<str>>>>> =
        LazyLock::new(Mutex::default);
    let known = || KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bitmap) = known().get(hash) {
        return bitmap.clone();
    }
    let bitmap = bitmap(hash).map(Arc::from);
    let mut known = known();
    if known.len() >= MOST_KNOWN {
        known.clear();
    }
    known.insert(hash.to_owned(), bitmap.clone());
    bitmap
}

/// How many are kept, some 300 bytes each.
const MOST_KNOWN: usize = 4096;

fn bitmap(hash: &str) -> Option<String> {
    let mut bitmap = BITMAP.to_vec();
    // A bitmap begins at the bottom.
    for row in grid(hash, VEIL)?.chunks(VEIL).rev() {
        bitmap.extend(row.iter().flat_map(|[r, g, b]| [b, g, r]));
    }
    Some(format!("data:image/bmp;base64,{}", BASE64.encode(bitmap)))
}

/// Pixels to a side of [`veil`].
const VEIL: usize = 4;

/// The header of a bitmap of so many pixels in 24 bits each; a row has a multiple of four bytes, as it must.
const BITMAP: [u8; 54] = {
    let mut header = [0; 54];
    (header[0], header[1]) = (b'B', b'M');
    header[2] = 54 + (3 * VEIL * VEIL) as u8;
    (header[10], header[14]) = (54, 40);
    (header[18], header[22]) = (VEIL as u8, VEIL as u8);
    (header[26], header[28]) = (1, 24);
    header
};

/// A picture as large as the page is wide.
pub(super) fn img(image: &Image, alt: String, view: Option<View>) -> impl IntoView + use<> {
    let (page, file, again) = View::parts(view);
    view! {
        <img
            src=image.url.clone()
            srcset=copies(image)
            sizes="(width < 60rem) 81vw, 46rem"
            alt=alt
            width=image.width.to_string()
            height=image.height.to_string()
            data-page=page
            data-file=file
            data-again=again
        />
    }
}

/// A picture of a job in its frame, which opens it.
fn framed(job: &Job, index: usize, t: &Texts) -> Option<impl IntoView + use<>> {
    let image = job.images.get(index)?;
    let class = format!("frame {}", shape(image.width, image.height));
    let img = img(image, describe(job, index, t), Some(View::of(job, index)));
    Some(view! {
        <a class=class href=image.url.clone() aria-label=t.view_large data-view>
            <div class="window">{ground(image)} {img}</div>
        </a>
    })
}

/// A picture of a job as a thumbnail; one that is `seen` at once does not wait for the page to be laid out.
pub(crate) fn small(
    job: &Job,
    index: usize,
    seen: bool,
    t: &Texts,
) -> Option<impl IntoView + use<>> {
    let image = job.images.get(index)?;
    let (page, file, again) = View::parts(Some(View::of(job, index)));
    Some(view! {
        <img
            src=format!("{}?width=320", image.url)
            srcset=copies(image)
            sizes="(width < 32rem) 45vw, 15rem"
            alt=describe(job, index, t)
            width=image.width.to_string()
            height=image.height.to_string()
            loading=(!seen).then_some("lazy")
            decoding="async"
            data-page=page
            data-file=file
            data-again=again
        />
    })
}

/// The framed pictures of a finished job, or the photo before and after.
pub(crate) fn frames(seen: &Seen, edits: bool, t: &'static Texts) -> AnyView {
    let job = &seen.job;
    match (&job.images[..], &job.original) {
        ([restored, ..], Some(original)) => compare(seen, original, restored, t).into_any(),
        ([_], None) => framed(job, 0, t).into_any(),
        _ => several(job, edits, t).into_any(),
    }
}

/// Pictures of one order, one of which is chosen: the form that edits one learns which.
fn several(job: &Job, edits: bool, t: &'static Texts) -> impl IntoView + use<> {
    let (name, form) = if edits {
        ("picture".to_owned(), Some(edit_form(job)))
    } else {
        (format!("picture-{}", job.id), None)
    };
    let frames = job.images.iter().enumerate().map(|(index, image)| {
        let class = format!("frame {}", shape(image.width, image.height));
        view! {
            <div class=class>
                <label>
                    <input
                        type="radio"
                        name=name.clone()
                        value=(index + 1).to_string()
                        form=form.clone()
                        checked=index == 0
                        autocomplete="off"
                    />
                    <div class="window">
                        {ground(image)} {img(image, describe(job, index, t), Some(View::of(job, index)))}
                    </div>
                </label>
                <a class="open" href=image.url.clone() aria-label=t.view_large data-view>"⤢"</a>
            </div>
        }
    });
    view! {
        <fieldset class="several">
            <legend class="unseen">{t.choose_picture}</legend>
            {frames.collect_view()}
        </fieldset>
    }
}

/// The id of the form that edits a picture of a job.
pub(crate) fn edit_form(job: &Job) -> String {
    format!("edit-of-{}", job.id)
}

/// Frames without their pictures: the photo as it was sent or empty mats of the
/// shape to come, with a note in the window or across them.
pub(crate) fn vacant(job: &Job, note: AnyView, t: &Texts) -> AnyView {
    let blank = |preview: Option<&String>| match preview.cloned() {
        Some(src) => view! { <img class="blank" src=src alt="" /> }.into_any(),
        None => view! { <div class="blank"></div> }.into_any(),
    };
    let (shape, back) = match &job.original {
        Some(photo) => {
            // It lies on the photo: what answers comes on a canvas of another shape, the photo in its middle.
            let preview =
                (job.preview.clone()).map(|src| view! { <img class="preview" src=src alt="" /> });
            let photo_sent = img(photo, t.photo_as_sent.into(), None);
            (
                shape(photo.width, photo.height),
                view! { <div class="sketch">{photo_sent} {preview}</div> }.into_any(),
            )
        }
        None => (
            expected(job.params.size.as_ref()),
            blank(job.preview.as_ref()),
        ),
    };
    let class = format!("frame {shape}");
    let slip = view! { <div class="slip">{note}</div> };
    let others = 1..job.params.n.unwrap_or(1);
    if others.is_empty() {
        let class = class + " vacant";
        return view! { <div class=class><div class="window">{back} {slip}</div></div> }.into_any();
    }
    let frames = std::iter::once(back).chain(others.map(|_| blank(None)));
    let frames = frames.map(|back| view! { <div class=class.clone()>{back}</div> });
    view! { <div class="several vacant">{frames.collect_view()} {slip}</div> }.into_any()
}

/// A link that saves a picture, its words inside.
pub(crate) fn download(job: &Job, index: usize, t: &Texts) -> impl IntoView + use<> {
    let address = saved(job, &format!("picture={}", index + 1));
    view! { <a class="button main" href=address download>{t.download}</a> }
}

/// Links to the other formats of a picture, and to itself.
pub(crate) fn other_downloads(job: &Job, index: usize, t: &Texts) -> impl IntoView + use<> {
    let number = index + 1;
    let jpeg = saved(job, &format!("picture={number}&format=jpeg"));
    let bare = saved(job, &format!("picture={number}&metadata=strip"));
    view! {
        <a class="button" href=jpeg download>{t.bring.save_jpeg}</a>
        <a class="button" href=bare download>{t.without_words}</a>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ground_has_the_colours_of_the_picture() {
        let (width, height) = (8, 6);
        let pixel = |i: usize| {
            if i % width < 4 {
                [255, 0, 0, 255]
            } else {
                [0, 0, 255, 255]
            }
        };
        let pixels: Vec<u8> = (0..width * height).flat_map(pixel).collect();
        let hash = thumbhash::rgba_to_thumb_hash(width, height, &pixels);
        let image = Image {
            url: "/images/a.png".into(),
            width: 8,
            height: 6,
            media_type: "image/png".into(),
            bytes: 1,
            thumbhash: BASE64.encode(hash),
        };
        let html = ground(&image).to_html();
        assert_eq!(html.matches("<path").count(), GRID * GRID, "{html}");
        let html = veil(&image).to_html();
        let bitmap = html.split("base64,").nth(1).unwrap();
        let bitmap = BASE64.decode(bitmap.split('"').next().unwrap()).unwrap();
        assert_eq!(bitmap.len(), usize::from(bitmap[2]));
        let rows = bitmap[54..].chunks(3 * VEIL);
        for row in rows {
            assert!(row[2] > 200 && row[0] < 60, "red at the left: {row:?}");
            assert!(row[9] > 200 && row[11] < 60, "blue at the right: {row:?}");
        }
        let broken = Image {
            thumbhash: "?".into(),
            ..image
        };
        assert!(ground(&broken).is_none() && veil(&broken).is_none());
    }

    #[test]
    fn ratios_are_told_in_steps() {
        let of = |width, height| {
            ratio(&Image {
                width,
                height,
                url: String::new(),
                media_type: String::new(),
                bytes: 1,
                thumbhash: String::new(),
            })
        };
        for (width, height, class) in [
            (1024, 1024, "r12"),
            (1536, 1024, "r19"),
            (1024, 1536, "r5"),
            (2000, 1000, "r24"),
            (60, 6000, "r0 fitted"),
            (6000, 60, "r24 fitted"),
            (0, 0, "r12"),
        ] {
            assert_eq!(of(width, height), class);
        }
    }

    #[test]
    fn shapes_follow_the_sides() {
        assert_eq!(shape(1024, 1024), "square");
        assert_eq!(shape(1000, 1050), "square");
        assert_eq!(shape(1536, 1024), "wide");
        assert_eq!(shape(60, 6000), "tall strip");
        assert_eq!(expected(Some(&Size::pixels(1024, 1536))), "tall");
        assert_eq!(expected(Some(&Size::Auto)), "square");
        assert_eq!(expected(None), "square");
    }
}
