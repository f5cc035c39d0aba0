//! The built site, embedded in the binary: hashed names, compressed once.

use std::sync::LazyLock;

use atelier_app::{Assets, SAMPLES};
use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::http::{
    self, Error, Result,
    conditional::{self, Wanted},
    extract::accept::takes,
    extract::path::Path,
};
use crate::job::hex;

#[derive(RustEmbed)]
#[folder = "../target/site"]
struct Site;

const NONE: Error = Error::NotFound("There is no such file.");

/// Files whose names change with their content may be cached for ever.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

pub(crate) async fn hashed(Path(name): Path<String>, headers: HeaderMap) -> Result<Response> {
    file(&name, &headers, FOR_EVER).unwrap_or(Err(NONE))
}

/// A thumbnail of the operator's.
pub(crate) async fn thumbnail(
    State(state): State<http::State>,
    Path(name): Path<String>,
) -> Result<Response> {
    let picture = state.extras.thumbnail(&name).ok_or(NONE)?;
    let fields = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, FOR_EVER),
    ];
    Ok((fields, picture).into_response())
}

/// A file in the site's root, such as `/robots.txt`.
pub(crate) fn plain(path: &str, headers: &HeaderMap) -> Option<Result<Response>> {
    let name = path
        .strip_prefix('/')
        .filter(|name| !name.ends_with(".br") && *name != "site.json")?;
    file(name, headers, "public, max-age=3600")
}

/// A photo that visitors may try, as a file.
pub(crate) fn sample(name: &str) -> Result<Bytes> {
    let known = SAMPLES.contains(&name);
    let file = known.then(|| Site::get(&format!("samples/{name}.jpg")));
    let file = file.flatten().ok_or_else(|| {
        let names = SAMPLES.join(", ");
        Error::invalid("sample", format!("The sample is one of {names}."))
    })?;
    Ok(Bytes::from_owner(file.data))
}

/// Addresses of the hashed files.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let names: serde_json::Value = Site::get("site.json")
        .and_then(|file| serde_json::from_slice(&file.data).ok())
        .unwrap_or_default();
    let address = |key: &str| format!("/assets/{}", names[key].as_str().unwrap_or("missing"));
    let scripts = ["js", "wasm", "later_js", "later_wasm"].map(address);
    Assets::new(
        scripts.each_ref().map(String::as_str),
        address("css"),
        address("font"),
    )
});

/// A page's `Link`: lets browsers request the style sheet before parsing the document, some 50 ms sooner on a phone,
/// and the font of the headings before they know that the style sheet needs it.
pub(crate) static STYLE_FIRST: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let Assets { css, font, .. } = &*ASSETS;
    let link = format!(
        "<{css}>; rel=preload; as=style, <{font}>; rel=preload; as=font; type=\"font/woff2\"; crossorigin"
    );
    HeaderValue::from_str(&link).ok()
});

fn file(name: &str, headers: &HeaderMap, caching: &'static str) -> Option<Result<Response>> {
    let media_type = media_type(name)?;
    let plain = Site::get(name)?;
    let etag = format!("\"{}\"", &hex(&plain.metadata.sha256_hash())[..16]);
    let common = [
        (header::ETAG, HeaderValue::from_str(&etag).ok()?),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::VARY, HeaderValue::from_static("accept-encoding")),
    ];
    let wanted = conditional::wanted(headers, &etag.parse().ok()?);
    Some(wanted.map(|wanted| match wanted {
        Wanted::NotModified => (StatusCode::NOT_MODIFIED, common).into_response(),
        Wanted::Content => {
            let encoded = Site::get(&format!("{name}.br")).filter(|_| takes(headers, "br"));
            let media_type = [(header::CONTENT_TYPE, media_type)];
            match encoded {
                Some(EmbeddedFile { data, .. }) => {
                    let encoding = [(header::CONTENT_ENCODING, "br")];
                    (common, media_type, encoding, data).into_response()
                }
                None => (common, media_type, plain.data).into_response(),
            }
        }
    }))
}

/// `None` for files that are not meant to be served.
fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "wasm" => Some("application/wasm"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "jpg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        "ico" => Some("image/x-icon"),
        "txt" => Some("text/plain; charset=utf-8"),
        "woff2" => Some("font/woff2"),
        "webmanifest" => Some("application/manifest+json"),
        _ => None,
    }
}
