//! `POST /api/restorations`: a photo in a multipart form.

use atelier_api::Kind;
use atelier_queue::Payload as _;
use axum::{
    extract::{Multipart, Request, State as AxumState},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::http::{
    Error, Result, State,
    api::adjusting::Earlier,
    api::choosing::choose,
    api::enlarging::Made,
    api::jobs::own_named,
    api::submission::{Submission, hooks},
    api::uploads::{self, Kept, Received, broken, filled, flag, receive, value, write},
    pools::Origin,
    site::assets,
};
use crate::{
    app::{self, Accepted, Caller, Order},
    blob,
    config::ModelName,
    job::{Outcome, Picture, RestorationTask},
    queue::{self, Hooks, Job},
};

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
    state
        .studio
        .check_room_for_photo(caller, Kind::Restoration)
        .await?;
    let mut form = uploads::form(request, "multipart/form-data with a field \"photo\"").await?;
    let upload = Upload::read(state, caller, &mut form).await?;
    let submission = submission.under(upload.fresh, upload.hooks, upload.model);
    let work = async move |mut submission: Submission| {
        let accepted = match upload.wanted {
            Wanted::Larger(order) => submission.hand_in(order).await?,
            Wanted::Again(earlier, wishes, mask) => {
                let order = earlier.order(&submission, &origin, wishes, mask).await?;
                submission.hand_in(order).await?
            }
            Wanted::Restored(photo, wishes, name) => {
                take(&mut submission, &origin, photo, wishes, name).await?
            }
        };
        Ok(submission.answer(accepted))
    };
    submission.carry_out(work).await
}

/// Keeps the photo and submits the order. A photo that no job refers to is discarded.
async fn take(
    submission: &mut Submission,
    origin: &Origin,
    photo: Received,
    wishes: Wishes,
    name: Option<String>,
) -> Result<Accepted> {
    let kept = uploads::keep(submission, origin, Kind::Restoration, photo).await?;
    let original = kept.original.clone();
    let accepted = match submission.left.is_cancelled() {
        true => Err(Error::Left),
        false => submission.hand_in(wishes.order(kept, name)).await,
    };
    if !may_refer_to(&original, &accepted) {
        submission.state.studio.discard(&original.key).await;
    }
    if let Err(Error::Left | Error::Studio(app::Error::Limited(_))) = &accepted {
        uploads::charge_for_decoding(submission, Kind::Restoration).await;
    }
    accepted
}

/// Whether a job refers to the photo. If the store failed, there may be one.
fn may_refer_to(photo: &Picture, accepted: &Result<Accepted>) -> bool {
    match accepted {
        Ok(Accepted { job, .. }) => job.request.blobs().contains(&&*photo.key),
        Err(error) => matches!(
            error,
            Error::Studio(app::Error::Queue(queue::Error::Store(_)))
        ),
    }
}

struct Upload {
    wanted: Wanted,
    fresh: bool,
    hooks: Hooks,
    /// The model that was chosen.
    model: Option<ModelName>,
}

enum Wanted {
    /// A picture made from words that is only to be enlarged.
    Larger(Order),
    /// The photo of an earlier restoration, with the mask that was sent, which may be empty.
    Again(Earlier, Wishes, Option<Option<Vec<u8>>>),
    /// A photo, with the name of its file.
    Restored(Received, Wishes, Option<String>),
}

/// What is to be done with a photo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wishes {
    pub(crate) enlarge: u32,
    pub(crate) strength: u8,
    pub(crate) monochrome: bool,
}

impl Wishes {
    fn order(self, kept: Kept, name: Option<String>) -> Order {
        Order::Restoration(RestorationTask {
            digest: kept.digest,
            enlarge: self.enlarge,
            strength: self.strength,
            monochrome: self.monochrome,
            name,
            mask: kept.mask,
            base: None,
            exif: kept.exif.map(|exif| BASE64.encode(exif)),
            original: kept.original,
        })
    }
}

impl Upload {
    async fn read(state: &State, caller: &Caller, form: &mut Multipart) -> Result<Self> {
        let (mut photo, mut mask, mut name, mut fresh) = (None, None, None, false);
        let (mut enlarge, mut strength, mut monochrome) = (1, None, false);
        let (mut made, mut earlier, mut named) = (None, None, None);
        let (mut callback, mut failure_callback) = (None, None);
        while let Some(field) = form.next_field().await.map_err(broken)? {
            match field.name().unwrap_or_default() {
                "photo" if photo.is_none() && earlier.is_none() => {
                    name = field.file_name().and_then(stem);
                    photo = Some(receive(state, field).await?);
                }
                "from" if photo.is_none() && earlier.is_none() => {
                    let (id, job) = own_named(state, caller, &value(field).await?).await?;
                    photo = Some(made_here(state, &job).await?);
                    made = Made::of(id, job, 1)?;
                }
                "original" if photo.is_none() && earlier.is_none() => {
                    let job = value(field).await?;
                    earlier = Some(Earlier::find(state, caller, &job).await?);
                }
                "sample" if photo.is_none() && earlier.is_none() => {
                    let chosen = value(field).await?;
                    let file = blob::nameless(&state.uploads)?;
                    photo = Some(write(file, assets::sample(&chosen)?).await?);
                    name = Some(chosen);
                }
                "photo" | "from" | "original" | "sample" => {
                    return Err(Error::invalid("photo", "Send one photo at a time."));
                }
                "mask" => mask = Some(uploads::mask(field).await?),
                "enlarge" => enlarge = factor(&value(field).await?)?,
                "strength" => strength = percent(&value(field).await?)?,
                "monochrome" => monochrome = flag("monochrome", &value(field).await?)?,
                "model" => named = filled(value(field).await?),
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
        let chosen = choose(state, Kind::Restoration, named.as_deref())?;
        let offers = chosen.model.offers();
        if (mask.is_some() || earlier.as_ref().is_some_and(Earlier::has_mask)) && !offers.masks {
            return Err(Error::invalid(
                "mask",
                "The model in use repairs whole photos only.",
            ));
        }
        if chosen.name.is_some() {
            // A form has dials for all models: what this one does not do is not asked of it.
            enlarge = if offers.enlarges { enlarge } else { 1 };
            strength = strength.filter(|_| offers.strengths);
        }
        let enlarges = enlarge > 1 && offers.enlarges;
        let sent = mask.as_ref().is_some_and(Option::is_some);
        let repairs = strength.is_some_and(|strength| strength > 0) || monochrome || sent;
        let larger = made.filter(|_| enlarges && !repairs);
        let wishes = Wishes {
            enlarge,
            strength: strength.unwrap_or(100),
            monochrome,
        };
        let wanted = match (earlier, larger, photo) {
            (Some(earlier), ..) => Wanted::Again(earlier, wishes, mask),
            (None, Some(made), _) => Wanted::Larger(made.enlarged(offers, enlarge)?),
            (None, None, Some(file)) => {
                let mask = mask.flatten();
                let photo = Received {
                    file,
                    mask,
                    enlarge,
                };
                Wanted::Restored(photo, wishes, name)
            }
            (None, None, None) => {
                return Err(Error::invalid("photo", "The field \"photo\" is missing."));
            }
        };
        Ok(Self {
            wanted,
            fresh,
            hooks: hooks(state, caller, callback, failure_callback)?,
            model: chosen.name,
        })
    }
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

/// A file's name without folders and extension, without characters that any system forbids.
fn stem(name: &str) -> Option<String> {
    const LONGEST: usize = 80;
    let name = name.rsplit(['/', '\\']).next()?;
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '(' | ')');
    let stem: String = stem.chars().filter(plain).take(LONGEST).collect();
    filled(stem.trim_matches([' ', '.']).to_owned())
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
