//! What comes in a multipart form: fields, and photos from strangers, which are decoded within bounds, encoded anew
//! and kept.

use std::io::{BufReader, Seek as _, Write as _};

use atelier_api::Kind;
use atelier_webhook::ssrf;
use axum::{
    body::Bytes,
    extract::{
        FromRequest as _, Multipart, Request,
        multipart::{Field, MultipartError},
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::RgbImage;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::http::{
    Error, Result, State,
    api::jobs::boolean,
    api::submission::Submission,
    error::too_slow,
    pools::{Origin, Turn},
};
use crate::{
    app, blob,
    job::{Picture, Visibility, hex},
    photo::{self, Mask},
};

/// Maximum length of a field other than a photo: a URL.
const MAX_VALUE: usize = ssrf::MAX_URL_LENGTH;

/// Maximum size of a mask in bytes; a few strokes take some ten thousand.
const MAX_MASK: usize = 4_000_000;

/// The form in a request's body, with a file in the field of this name.
pub(crate) async fn form(request: Request, expected: &'static str) -> Result<Multipart> {
    let form = Multipart::from_request(request, &()).await;
    form.map_err(|_| Error::Unsupported { expected })
}

#[expect(clippy::needless_pass_by_value, reason = "reads best in map_err")]
pub(crate) fn broken(error: MultipartError) -> Error {
    if too_slow(&error) {
        return Error::Slow;
    }
    Error::Malformed(format!(
        "The form could not be read: {}.",
        error.body_text()
    ))
}

pub(crate) fn flag(name: &'static str, text: &str) -> Result<bool> {
    // An empty form field counts as absent.
    if text.is_empty() {
        return Ok(false);
    }
    boolean(text).ok_or_else(|| Error::invalid(name, format!("{name} is true or false.")))
}

/// An empty form field counts as absent.
pub(crate) fn filled(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// Reads a field into memory.
async fn small(mut field: Field<'_>, max: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > max {
            return Err(Error::Malformed("A field of the form is too long.".into()));
        }
    }
    Ok(bytes)
}

/// Reads a mask, a file or a data URL; `None` if it is empty.
pub(crate) async fn mask(field: Field<'_>) -> Result<Option<Vec<u8>>> {
    let bytes = small(field, MAX_MASK).await?;
    let encoded = bytes.strip_prefix(b"data:image/png;base64,");
    let decoded = encoded.and_then(|text| BASE64.decode(text).ok());
    Ok(Some(decoded.unwrap_or(bytes)).filter(|mask| !mask.is_empty()))
}

/// Reads a short text.
pub(crate) async fn value(field: Field<'_>) -> Result<String> {
    long_value(field, MAX_VALUE).await
}

/// Reads a text of so many bytes.
pub(crate) async fn long_value(field: Field<'_>, max: usize) -> Result<String> {
    String::from_utf8(small(field, max).await?)
        .map_err(|_| Error::Malformed("A field of the form is not text.".into()))
}

/// Streams a photo to an unnamed temporary file.
pub(crate) async fn receive(state: &State, field: Field<'_>) -> Result<std::fs::File> {
    received(state, Bytes::new(), field).await
}

/// The same, if it has been begun.
pub(crate) async fn received(
    state: &State,
    begun: Bytes,
    mut field: Field<'_>,
) -> Result<std::fs::File> {
    let max = state.photos.max_bytes;
    let mut length = begun.len() as u64;
    let mut file = write(blob::nameless(&state.uploads)?, begun).await?;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        length += chunk.len() as u64;
        if length > max {
            return Err(Error::TooLarge { max_bytes: max });
        }
        file = write(file, chunk).await?;
    }
    Ok(file)
}

pub(crate) async fn write(mut file: std::fs::File, chunk: Bytes) -> Result<std::fs::File> {
    let written = spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await;
    Ok(written
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?)
}

/// Charges a request for an upload that was decoded but led to no job: nothing else
/// limits how often a caller can cause that work.
pub(crate) async fn charge_for_decoding(submission: &Submission, kind: Kind) {
    let studio = &submission.state.studio;
    let charged = studio.charge_failed_request(&submission.caller, kind);
    match charged.await {
        // The caller has no requests left anyway.
        Ok(()) | Err(app::Error::Limited(_)) => {}
        Err(error) => warn!(%error, "a failed upload could not be charged"),
    }
}

/// An upload that waits to be decoded.
pub(crate) struct Received {
    pub(crate) file: std::fs::File,
    pub(crate) mask: Option<Vec<u8>>,
    /// How many times as wide and high the result is to be.
    pub(crate) enlarge: u32,
}

/// A decoded and re-encoded upload.
pub(crate) struct Kept {
    /// The re-encoded photo.
    pub(crate) original: Picture,
    /// The SHA-256 of that.
    pub(crate) digest: String,
    pub(crate) exif: Option<Vec<u8>>,
    pub(crate) mask: Option<String>,
}

/// Waits for a permit to decode. A client that has hung up leaves the queue.
pub(crate) async fn turn(submission: &Submission, origin: &Origin) -> Result<Turn> {
    tokio::select! {
        turn = submission.state.pools.uploads.turn(origin) => Ok(turn?),
        () = submission.left.cancelled() => Err(Error::Left),
    }
}

/// Waits for a permit, decodes the upload and keeps it.
pub(crate) async fn keep(
    submission: &Submission,
    origin: &Origin,
    kind: Kind,
    Received {
        file,
        mask,
        enlarge,
    }: Received,
) -> Result<Kept> {
    let state = &submission.state;
    let max_pixels = state.photos.max_pixels;
    let turn = turn(submission, origin).await?;
    // The caller's other uploads may have been accepted or refused while this one waited.
    let caller = &submission.caller;
    state.studio.check_room_for_photo(caller, kind).await?;
    let decoded = turn.clone().work(move || {
        let (photo, exif) = decode(file, max_pixels)?;
        photo::fits(&photo, enlarge)?;
        let mask = mask.map(|mask| as_text(&mask, photo.dimensions(), max_pixels));
        let mask = mask.transpose()?;
        let bytes = photo::encode_original(&photo).map_err(anyhow::Error::from)?;
        drop(photo);
        let description = photo::describe(&bytes)?;
        Ok::<_, Error>((Bytes::from(bytes), description, exif, mask))
    });
    let decoded = decoded.await?;
    if let Err(Error::Photo(_)) = &decoded {
        // Before the caller's next upload is decoded.
        charge_for_decoding(submission, kind).await;
    }
    drop(turn);
    let (bytes, description, exif, mask) = decoded?;
    let (size, digest) = (bytes.len() as u64, hex(&Sha256::digest(&bytes)));
    let key = state
        .studio
        .stores
        .blobs
        .keep(bytes, description.extension, Visibility::Owner)
        .await
        .map_err(app::Error::from)?;
    Ok(Kept {
        original: Picture::kept(description, key, size),
        digest,
        exif,
        mask,
    })
}

/// A mask as a record holds it.
pub(crate) fn as_text(mask: &[u8], photo: (u32, u32), max_pixels: u64) -> Result<String> {
    let mask = Mask::read(mask, photo, max_pixels)?;
    Ok(mask.to_text().map_err(anyhow::Error::from)?)
}

fn decode(mut file: std::fs::File, max_pixels: u64) -> Result<(RgbImage, Option<Vec<u8>>)> {
    file.rewind().map_err(anyhow::Error::from)?;
    Ok(photo::decode_with_exif(BufReader::new(file), max_pixels)?)
}
