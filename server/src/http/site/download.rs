//! `GET /jobs/{id}/download`: a picture as a file, named after its prompt, or a restored photo, named
//! after the original.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{RawQuery, State as AxumState},
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use crate::http::{
    Error, Result, State,
    api::jobs::{NO_JOB, no_store, parameter},
    extract::path::Path,
    pools::Origin,
    site::pictures::variant_of,
};
use crate::{
    app::{self, Caller},
    blob::Variant,
    job::{ImageTask, Outcome, Picture, RestorationTask, Task},
    photo::{self, Caption, Format},
    queue::Job,
};

/// The query.
#[derive(Debug, PartialEq)]
struct Wanted {
    /// `format`: `jpeg` or `png`; by default a photo is a JPEG and a picture keeps its format.
    format: Option<Format>,
    /// `metadata`: `keep` (default) or `strip`. A picture's metadata is its prompt; a photo's are date, place
    /// and description, for its owner only.
    metadata: bool,
    /// `picture`: which of several, counted from 1.
    index: usize,
}

pub(crate) async fn serve(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let wanted = Wanted::read(query.as_deref())?;
    let invited = state.links.key_in(query.as_deref(), &id).is_some();
    let job = state
        .studio
        .status(&caller, invited, &id, None, Duration::ZERO)
        .await?
        .ok_or(NO_JOB)?;
    let Some(Outcome::Succeeded { pictures, .. }) = &job.outcome else {
        return Err(Error::NotFound("There is no picture here yet."));
    };
    let origin = Origin::from(&caller);
    let several = pictures.len() > 1;
    let picture = pictures.get(wanted.index).ok_or(NO_JOB)?;
    let (name, file) = match &job.request.task {
        Task::Image(task) => {
            let number = several.then_some(wanted.index + 1);
            let file = drawn(&state, &origin, &job, picture, &wanted).await?;
            (name_of(task, number), file)
        }
        Task::Restoration(task) => {
            let own = caller.owns(&job);
            let file = restored(&state, &origin, task, picture, &wanted, own).await?;
            (name_of_photo(task), file)
        }
        Task::Notice(_) => return Err(NO_JOB),
    };
    let (media_type, ending) = kind(&job.request.task, picture, wanted.format);
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            disposition(&format!("{name}.{ending}")),
        ),
    ];
    Ok(no_store(
        (headers, [("x-robots-tag", "noindex")], file).into_response(),
    ))
}

impl Wanted {
    fn read(query: Option<&str>) -> Result<Self> {
        let field = |name| parameter(query, name);
        let wrong = |what: &str| Err(Error::Malformed(what.into()));
        let format = match field("format") {
            None => None,
            Some("jpeg") => Some(Format::Jpeg),
            Some("png") => Some(Format::Png),
            Some(_) => return wrong("format is jpeg or png."),
        };
        let metadata = match field("metadata") {
            None | Some("keep") => true,
            Some("strip") => false,
            Some(_) => return wrong("metadata is keep or strip."),
        };
        let number = field("picture").unwrap_or("1").parse::<usize>().ok();
        match number.and_then(|number| number.checked_sub(1)) {
            Some(index) => Ok(Self {
                format,
                metadata,
                index,
            }),
            None => wrong("picture is a number from 1."),
        }
    }
}

/// A picture, re-encoded only if necessary.
async fn drawn(
    state: &State,
    origin: &Origin,
    job: &Job,
    picture: &Picture,
    wanted: &Wanted,
) -> Result<Bytes> {
    let other = |format: &Format| format.media_type() != picture.media_type;
    let file = match wanted.format.filter(other) {
        Some(format) => encoded(state, origin, picture, format).await?,
        None => {
            let file = state.studio.stores.blobs.read(&picture.key).await;
            file.map_err(app::Error::from)?
        }
    };
    Ok(if wanted.metadata {
        with_words(job, file)
    } else {
        file
    })
}

/// A picture with its prompt as metadata.
pub(crate) fn with_words(job: &Job, picture: Bytes) -> Bytes {
    match &job.request.task {
        Task::Image(task) => photo::captioned(
            picture,
            Caption {
                prompt: &task.prompt,
                model: &job.request.model,
                by_rules: job.request.provider == "local",
            },
        ),
        Task::Restoration(_) | Task::Notice(_) => picture,
    }
}

async fn restored(
    state: &State,
    origin: &Origin,
    task: &RestorationTask,
    picture: &Picture,
    wanted: &Wanted,
    own: bool,
) -> Result<Bytes> {
    let exif = task.exif.as_deref().filter(|_| wanted.metadata && own);
    let exif = exif.and_then(|exif| BASE64.decode(exif).ok());
    let format = wanted.format.unwrap_or(Format::Jpeg);
    let file = encoded(state, origin, picture, format).await?;
    Ok(match exif {
        Some(exif) => photo::with_exif(file, exif),
        None => file,
    })
}

/// The picture in this format, without any metadata.
async fn encoded(
    state: &State,
    origin: &Origin,
    picture: &Picture,
    format: Format,
) -> Result<Bytes> {
    let encode = move |picture: Bytes| photo::encode_download(&picture, format).ok();
    let (turn, variant) = (state.pools.downloads.turn(origin), Variant::Encoded(format));
    variant_of(state, &picture.key, variant, turn, encode).await
}

/// Media type and ending of the file.
fn kind<'a>(task: &Task, picture: &'a Picture, format: Option<Format>) -> (&'a str, &'a str) {
    match (format, task) {
        (Some(Format::Png), _) => ("image/png", "png"),
        (Some(Format::Jpeg), _) | (None, Task::Restoration(_)) => ("image/jpeg", "jpg"),
        (None, _) => (&picture.media_type, picture.extension()),
    }
}

fn name_of(task: &ImageTask, number: Option<usize>) -> String {
    let slug = atelier_app::words::slug(&task.prompt);
    let stem = if slug.is_empty() { "picture" } else { &slug };
    number.map_or_else(|| stem.to_owned(), |number| format!("{stem}-{number}"))
}

fn name_of_photo(task: &RestorationTask) -> String {
    match &task.name {
        Some(name) => format!("{name}-restored"),
        None => "restored-photo".to_owned(),
    }
}

/// `Content-Disposition` (RFC 6266), with an ASCII name for clients that read no other.
fn disposition(name: &str) -> String {
    let plain = name.replace(|c: char| !c.is_ascii(), "_");
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).into(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read() {
        let usual = Wanted {
            format: None,
            metadata: true,
            index: 0,
        };
        assert_eq!(Wanted::read(None).unwrap(), usual);
        let other = Wanted {
            format: Some(Format::Png),
            metadata: false,
            index: 2,
        };
        let query = "format=png&metadata=strip&picture=3";
        assert_eq!(Wanted::read(Some(query)).unwrap(), other);
        for wrong in ["format=gif", "metadata=some", "picture=0", "picture=-1"] {
            assert!(Wanted::read(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_are_plain_for_old_clients() {
        assert_eq!(
            disposition("röd.png"),
            "attachment; filename=\"r_d.png\"; filename*=UTF-8''r%C3%B6d.png"
        );
    }
}
