//! `GET /images/{key}`: an immutable picture, whole or in part; with `?width=` a smaller copy for pages,
//! with `?preview=jpeg` one for other sites.

use anyhow::anyhow;
use atelier_api::{PREVIEW_SIDE, WIDTHS};
use axum::{
    body::{Body, Bytes},
    extract::State as AxumState,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer};
use tracing::warn;

use crate::http::{
    Error, Result, State, conditional, error,
    extract::path::Path,
    extract::query::{self, Query},
    middleware::caller::Address,
    pools::{Origin, Turn},
};
use crate::{
    app,
    blob::{Blob, BlobKey, Part, Variant},
    job::{self, Visibility},
    photo,
};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// Revalidated each time, so that deleted pictures disappear.
const PRIVATE: &str = "private, no-cache";
const NONE: Error = Error::NotFound(error::NO_PICTURE);

/// The query of a picture.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// For a smaller copy, one of [`WIDTHS`].
    #[serde(default, deserialize_with = "width")]
    width: Option<u32>,
    /// For the copy that other sites show.
    #[serde(default, deserialize_with = "preview")]
    preview: bool,
}

impl Wanted {
    fn copy(&self) -> Option<Smaller> {
        match (self.preview, self.width) {
            (true, _) => Some(Smaller::Preview),
            (false, width) => width.map(Smaller::Scaled),
        }
    }
}

/// A copy of a picture.
#[derive(Debug, Clone, Copy)]
enum Smaller {
    /// No wider than this.
    Scaled(u32),
    Preview,
}

impl Smaller {
    fn variant(self) -> Variant {
        match self {
            Self::Scaled(width) => job::scaled(width),
            Self::Preview => job::preview(),
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Scaled(_) => "image/webp",
            Self::Preview => "image/jpeg",
        }
    }

    fn make(self, picture: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Scaled(width) => photo::encode_scaled(picture, width),
            Self::Preview => photo::encode_preview(picture, PREVIEW_SIDE),
        }
    }
}

fn preview<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    query::value(deserializer, |text| match text {
        "jpeg" => Ok(true),
        _ => Err("preview is jpeg."),
    })
}

fn width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    query::optional(deserializer, |text| {
        let known = text.parse().ok().filter(|width| WIDTHS.contains(width));
        known.ok_or_else(|| format!("width is one of {WIDTHS:?}."))
    })
}

pub(crate) async fn serve(
    AxumState(state): AxumState<State>,
    Address(address): Address,
    Path(key): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response> {
    let key = BlobKey::parse(&key).ok_or(NONE)?;
    let media_type = key.media_type().ok_or(NONE)?;
    let copy = wanted.copy();
    let etag = match copy {
        Some(Smaller::Scaled(width)) => format!("\"{key}-{width}\""),
        Some(Smaller::Preview) => format!("\"{key}-preview\""),
        None => format!("\"{key}\""),
    };
    let visibility = key.visibility();
    let caching = match visibility {
        Visibility::Everybody => IMMUTABLE,
        Visibility::Owner => PRIVATE,
    };
    if visibility == Visibility::Owner && state.studio.is_discarded(&key).await? {
        return Err(NONE);
    }
    let size = state
        .studio
        .stores
        .blobs
        .size(&key)
        .await
        .map_err(app::Error::from)?
        .ok_or(NONE)?;
    let tag = etag.parse().map_err(|_| NONE)?;
    if conditional::wanted(&headers, &tag)? == conditional::Wanted::NotModified {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        tell_browser(response.headers_mut(), visibility, caching, &etag);
        return Ok(response);
    }
    if let Some(copy) = copy {
        let origin = Origin::address(address);
        let (turn, variant) = (state.pools.thumbnails.turn(&origin), copy.variant());
        let make = move |picture: Bytes| copy.make(&picture);
        let bytes = variant_of(&state, &key, variant, turn, make).await?;
        let media_type = [(header::CONTENT_TYPE, copy.media_type())];
        let mut response = (media_type, bytes).into_response();
        tell_browser(response.headers_mut(), visibility, caching, &etag);
        return Ok(response);
    }
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok())
        .and_then(part)
        .filter(|_| conditional::range_applies(&headers, &tag));
    if range.is_some_and(|part| !satisfiable(part, size)) {
        return Err(Error::OutOfRange { size });
    }
    let blob = state
        .studio
        .stores
        .blobs
        .open(&key, range.unwrap_or(Part::All))
        .await
        .map_err(app::Error::from)?;
    let mut response = body(blob.ok_or(NONE)?, range.is_some());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    tell_browser(headers, visibility, caching, &etag);
    Ok(response)
}

fn tell_browser(
    headers: &mut HeaderMap,
    visibility: Visibility,
    caching: &'static str,
    etag: &str,
) {
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if visibility == Visibility::Owner {
        headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    }
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(header::ETAG, etag);
    }
}

/// The picture in another size or format, made now unless it exists, once it has a
/// permit. Concurrent requests for the same variant wait for it.
pub(crate) async fn variant_of(
    state: &State,
    key: &BlobKey,
    variant: Variant,
    turn: impl Future<Output = anyhow::Result<Turn>>,
    make: impl FnOnce(Bytes) -> Option<Vec<u8>> + Send + 'static,
) -> Result<Bytes> {
    let blobs = &state.studio.stores.blobs;
    let kept = async || blobs.read_variant(key, &variant).await;
    if let Some(bytes) = kept().await.map_err(app::Error::from)? {
        return Ok(bytes);
    }
    let turn = turn.await?;
    if let Some(bytes) = kept().await.map_err(app::Error::from)? {
        return Ok(bytes);
    }
    let (blobs, key, variant) = (blobs.clone(), key.clone(), variant.clone());
    // Once started it is completed and kept, even if its client hangs up.
    let made = tokio::spawn(async move {
        let picture = blobs.read(&key).await.map_err(app::Error::from)?;
        let made = turn.work(move || make(picture)).await?;
        let made =
            Bytes::from(made.ok_or_else(|| anyhow!("{key} cannot be made into {variant:?}"))?);
        // If it cannot be kept, the next request makes it again.
        if let Err(error) = blobs.keep_variant(&key, &variant, made.clone()).await {
            warn!(%error, key = &*key, "a variant of a picture could not be kept");
        }
        Ok(made)
    });
    made.await.map_err(anyhow::Error::from)?
}

/// A single byte range (RFC 9110, 14.1.2); anything else is ignored, as the
/// specification allows.
fn part(range: &str) -> Option<Part> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (first.trim(), last.trim()) {
        ("", last) => Some(Part::Last(number(last)?)),
        (first, "") => Some(Part::From(number(first)?, None)),
        (first, last) => Some(Part::From(number(first)?, Some(number(last)?)))
            .filter(|_| number(first) <= number(last)),
    }
}

fn satisfiable(part: Part, size: u64) -> bool {
    match part {
        Part::All => true,
        Part::From(first, _) => first < size,
        Part::Last(count) => count > 0 && size > 0,
    }
}

fn body(blob: Blob, partial: bool) -> Response {
    let (range, size) = (blob.range.clone(), blob.size);
    let length = [(
        header::CONTENT_LENGTH,
        (range.end - range.start).to_string(),
    )];
    let body = Body::from_stream(blob.stream);
    if !partial {
        return (length, body).into_response();
    }
    let range = [(
        header::CONTENT_RANGE,
        format!("bytes {}-{}/{size}", range.start, range.end - 1),
    )];
    (StatusCode::PARTIAL_CONTENT, length, range, body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(part("bytes=0-99"), Some(Part::From(0, Some(99))));
        assert_eq!(part("bytes=100-"), Some(Part::From(100, None)));
        assert_eq!(part("bytes=-5"), Some(Part::Last(5)));
        for ignored in [
            "bytes=9-3",
            "bytes=a-b",
            "lines=1-2",
            "bytes=0-1,3-4",
            "bytes=-",
        ] {
            assert_eq!(part(ignored), None, "{ignored}");
        }
    }
}
