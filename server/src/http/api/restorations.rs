//! `POST /api/restorations`: a photo in a multipart form.

use std::io::{BufReader, Seek as _, Write as _};

use atelier_api::Kind;
use atelier_webhook::ssrf;
use axum::{
    body::Bytes,
    extract::{
        FromRequest, Multipart, Request, State as AxumState,
        multipart::{Field, MultipartError},
    },
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use image::RgbImage;
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;
use tracing::warn;

use crate::http::{
    Error, Result, State,
    api::enlarging::Made,
    api::jobs::{boolean, own_named},
    api::submission::{Submission, hooks},
    error::too_slow,
    pools::Origin,
    site::assets,
};
use crate::{
    app::{self, Accepted, Caller, Order},
    blob,
    job::{Outcome, Picture, RestorationTask, Visibility, hex},
    photo::{self, Mask},
    queue::{self, Hooks, Job},
};

/// Maximum length of a field other than the photo: a URL.
const MAX_VALUE: usize = ssrf::MAX_URL_LENGTH;

/// Maximum size of a mask in bytes; a few strokes take some ten thousand.
const MAX_MASK: usize = 4_000_000;

pub(crate) async fn submit(
    AxumState(state): AxumState<State>,
    caller: Caller,
    request: Request,
) -> Result<Response> {
    let origin = Origin::from(&caller);
    let submission = Submission::new(state, caller, request.headers())?;
    if let Some(answer) = submission.answered_before(Kind::Restoration).await? {
        return Ok(answer);
    }
    let (state, caller) = (&submission.state, &submission.caller);
    // A caller over a limit is refused before the body is read.
    let _permit = (state.pools.upload_permits.try_acquire(&origin)).ok_or(app::Error::Busy)?;
    state.studio.check_room_for_photo(caller).await?;
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| Error::Unsupported {
            expected: "multipart/form-data with a field \"photo\"",
        })?;
    let upload = Upload::read(state, caller, &mut form).await?;
    let enlarging = upload
        .enlarging
        .map(|(made, times)| made.enlarged(state, times));
    let enlarging = enlarging.transpose()?;
    let submission = submission.under(upload.fresh, upload.hooks);
    let work = async move |mut submission: Submission| {
        let accepted = match enlarging {
            Some(order) => submission.hand_in(order).await?,
            None => take(&mut submission, &origin, upload.order).await?,
        };
        Ok(submission.answer(accepted))
    };
    submission.carry_out(work).await
}

/// Keeps the photo and submits the order. A photo that no job refers to is discarded.
async fn take(submission: &mut Submission, origin: &Origin, wanted: Wanted) -> Result<Accepted> {
    let (photo, wishes) = (wanted.photo, wanted.wishes);
    let kept = keep(submission, origin, photo, wanted.mask, wishes.enlarge).await?;
    let original = kept.original.clone();
    let accepted = match submission.left.is_cancelled() {
        true => Err(Error::Left),
        false => submission.hand_in(wishes.order(kept)).await,
    };
    if !may_refer_to(&original, &accepted) {
        submission.state.studio.discard(&original.key).await;
    }
    if let Err(Error::Left | Error::Studio(app::Error::Limited(_))) = &accepted {
        charge_for_decoding(submission).await;
    }
    accepted
}

/// Charges a request for an upload that was decoded but led to no job: nothing else
/// limits how often a caller can cause that work.
async fn charge_for_decoding(submission: &Submission) {
    let studio = &submission.state.studio;
    let charged = studio.charge_failed_request(&submission.caller, Kind::Restoration);
    match charged.await {
        // The caller has no requests left anyway.
        Ok(()) | Err(app::Error::Limited(_)) => {}
        Err(error) => warn!(%error, "a failed upload could not be charged"),
    }
}

/// Whether a job refers to the photo. If the store failed, there may be one.
fn may_refer_to(photo: &Picture, accepted: &Result<Accepted>) -> bool {
    match accepted {
        Ok(Accepted { job, .. }) => job.request.task.original() == Some(photo),
        Err(error) => matches!(
            error,
            Error::Studio(app::Error::Queue(queue::Error::Store(_)))
        ),
    }
}

struct Upload {
    order: Wanted,
    /// A picture made from words that is only to be enlarged.
    enlarging: Option<(Made, u32)>,
    fresh: bool,
    hooks: Hooks,
}

/// A photo, and what is to be done with it.
struct Wanted {
    photo: std::fs::File,
    mask: Option<Vec<u8>>,
    wishes: Wishes,
}

struct Wishes {
    name: Option<String>,
    enlarge: u32,
    strength: u8,
    monochrome: bool,
}

impl Wishes {
    fn order(self, kept: Kept) -> Order {
        Order::Restoration(RestorationTask {
            digest: kept.digest,
            enlarge: self.enlarge,
            strength: self.strength,
            monochrome: self.monochrome,
            name: self.name,
            mask: kept.mask,
            exif: kept.exif.map(|exif| BASE64.encode(exif)),
            original: kept.original,
        })
    }
}

impl Upload {
    async fn read(state: &State, caller: &Caller, form: &mut Multipart) -> Result<Self> {
        let (mut photo, mut mask, mut name, mut fresh) = (None, None, None, false);
        let (mut enlarge, mut strength, mut monochrome) = (1, None, false);
        let mut made = None;
        let (mut callback, mut failure_callback) = (None, None);
        while let Some(field) = form.next_field().await.map_err(broken)? {
            match field.name().unwrap_or_default() {
                "photo" if photo.is_none() => {
                    name = field.file_name().and_then(stem);
                    photo = Some(receive(state, field).await?);
                }
                "from" if photo.is_none() => {
                    let (id, job) = own_named(state, caller, &value(field).await?).await?;
                    photo = Some(made_here(state, &job).await?);
                    made = Made::of(id, job, 1)?;
                }
                "sample" if photo.is_none() => {
                    let chosen = value(field).await?;
                    let file = blob::nameless(&state.uploads)?;
                    photo = Some(write(file, assets::sample(&chosen)?).await?);
                    name = Some(chosen);
                }
                "photo" | "from" | "sample" => {
                    return Err(Error::invalid("photo", "Send one photo at a time."));
                }
                "mask" if !state.studio.provider.offers().masks => {
                    return Err(Error::invalid(
                        "mask",
                        "The model in use repairs whole photos only.",
                    ));
                }
                "mask" => mask = Some(small(field, MAX_MASK).await?),
                "enlarge" => enlarge = factor(&value(field).await?)?,
                "strength" => strength = percent(&value(field).await?)?,
                "monochrome" => monochrome = flag("monochrome", &value(field).await?)?,
                "fresh" => fresh = flag("fresh", &value(field).await?)?,
                "callback_url" => callback = filled(value(field).await?),
                "failure_callback_url" => failure_callback = filled(value(field).await?),
                other => {
                    return Err(Error::invalid(
                        "unknown_field",
                        format!("There is no field {other:?}."),
                    ));
                }
            }
        }
        let photo =
            photo.ok_or_else(|| Error::invalid("photo", "The field \"photo\" is missing."))?;
        let mask = mask.filter(|mask| !mask.is_empty());
        let enlarges = enlarge > 1 && state.studio.provider.offers().enlarges;
        let repairs = strength.is_some_and(|strength| strength > 0) || monochrome || mask.is_some();
        Ok(Self {
            enlarging: made
                .filter(|_| enlarges && !repairs)
                .map(|made| (made, enlarge)),
            order: Wanted {
                photo,
                mask,
                wishes: Wishes {
                    name,
                    enlarge,
                    strength: strength.unwrap_or(100),
                    monochrome,
                },
            },
            fresh,
            hooks: hooks(state, caller, callback, failure_callback)?,
        })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "reads best in map_err")]
fn broken(error: MultipartError) -> Error {
    if too_slow(&error) {
        return Error::Slow;
    }
    Error::Malformed(format!(
        "The form could not be read: {}.",
        error.body_text()
    ))
}

fn factor(text: &str) -> Result<u32> {
    match text {
        "" | "1" => Ok(1),
        "2" => Ok(2),
        "4" => Ok(4),
        _ => Err(Error::invalid("enlarge", "enlarge is 1, 2 or 4.")),
    }
}

fn percent(text: &str) -> Result<Option<u8>> {
    match text {
        "" => Ok(None),
        text => (text.parse().ok())
            .filter(|percent| *percent <= 100)
            .map(Some)
            .ok_or_else(|| Error::invalid("strength", "strength is a whole number from 0 to 100.")),
    }
}

fn flag(name: &'static str, text: &str) -> Result<bool> {
    // An empty form field counts as absent.
    if text.is_empty() {
        return Ok(false);
    }
    boolean(text).ok_or_else(|| Error::invalid(name, format!("{name} is true or false.")))
}

/// A file's name without folders and extension, without characters that any system forbids.
fn stem(name: &str) -> Option<String> {
    const LONGEST: usize = 80;
    let name = name.rsplit(['/', '\\']).next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')');
    let stem: String = stem.chars().filter(plain).take(LONGEST).collect();
    filled(stem.trim_matches([' ', '.']).to_owned())
}

/// An empty form field counts as absent.
fn filled(text: String) -> Option<String> {
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

async fn value(field: Field<'_>) -> Result<String> {
    String::from_utf8(small(field, MAX_VALUE).await?)
        .map_err(|_| Error::Malformed("A field of the form is not text.".into()))
}

/// Streams the photo to an unnamed temporary file.
async fn receive(state: &State, mut field: Field<'_>) -> Result<std::fs::File> {
    let max = state.photos.max_bytes;
    let mut file = blob::nameless(&state.uploads)?;
    let mut length = 0;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        length += chunk.len() as u64;
        if length > max {
            return Err(Error::TooLarge { max_bytes: max });
        }
        file = write(file, chunk).await?;
    }
    Ok(file)
}

/// Uses a picture that the caller had made here instead of an upload.
async fn made_here(state: &State, job: &Job) -> Result<std::fs::File> {
    let picture = match &job.outcome {
        Some(Outcome::Succeeded { pictures, .. }) => pictures.first(),
        _ => None,
    };
    let picture = picture.ok_or_else(|| Error::invalid("from", "That job has no picture yet."))?;
    let bytes = state.studio.stores.blobs.read(&picture.key).await;
    let file = blob::nameless(&state.uploads)?;
    write(file, bytes.map_err(app::Error::from)?).await
}

async fn write(mut file: std::fs::File, chunk: Bytes) -> Result<std::fs::File> {
    let written = spawn_blocking(move || file.write_all(&chunk).map(|()| file)).await;
    Ok(written
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?)
}

/// A decoded and re-encoded upload.
struct Kept {
    /// The re-encoded photo.
    original: Picture,
    /// The SHA-256 of that.
    digest: String,
    exif: Option<Vec<u8>>,
    mask: Option<String>,
}

/// Waits for a permit, decodes the upload and keeps it.
async fn keep(
    submission: &Submission,
    origin: &Origin,
    file: std::fs::File,
    mask: Option<Vec<u8>>,
    enlarge: u32,
) -> Result<Kept> {
    let state = &submission.state;
    let max_pixels = state.photos.max_pixels;
    let turn = tokio::select! {
        turn = state.pools.uploads.turn(origin) => turn?,
        // A client that has hung up leaves the queue.
        () = submission.left.cancelled() => return Err(Error::Left),
    };
    // The caller's other uploads may have been accepted or refused while this one waited.
    let caller = &submission.caller;
    state.studio.check_room_for_photo(caller).await?;
    let decoded = turn.clone().work(move || {
        let (photo, exif) = decode(file, max_pixels)?;
        photo::fits(&photo, enlarge)?;
        let mask = mask.map(|mask| Mask::read(&mask, photo.dimensions(), max_pixels));
        let mask = mask.transpose()?.map(|mask| mask.to_text()).transpose();
        let mask = mask.map_err(anyhow::Error::from)?;
        let bytes = photo::encode_original(&photo).map_err(anyhow::Error::from)?;
        drop(photo);
        let description = photo::describe(&bytes)?;
        Ok::<_, Error>((Bytes::from(bytes), description, exif, mask))
    });
    let decoded = decoded.await?;
    if let Err(Error::Photo(_)) = &decoded {
        // Before the caller's next upload is decoded.
        charge_for_decoding(submission).await;
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

fn decode(mut file: std::fs::File, max_pixels: u64) -> Result<(RgbImage, Option<Vec<u8>>)> {
    file.rewind().map_err(anyhow::Error::from)?;
    Ok(photo::decode_with_exif(BufReader::new(file), max_pixels)?)
}
