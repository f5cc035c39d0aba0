//! `GET /jobs/{id}/download`: a picture as a file, named after its prompt, or a restored photo, named
//! after the original.

use std::{num::NonZero, time::Duration};

use axum::{
    body::Bytes,
    extract::State as AxumState,
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use crate::http::{
    Error, Result, State,
    api::jobs::{NO_JOB, no_store},
    extract::path::Path,
    extract::query::{self, Query},
    pools::Origin,
    site::pictures::variant_of,
};
use crate::{
    app::{self, Caller},
    job::{self, ImageTask, JobId, Outcome, Picture, RestorationTask, Task},
    photo::{self, Caption, Format},
    queue::Job,
};

/// The query.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// `jpeg` or `png`; by default a photo is a JPEG and a picture keeps its format.
    #[serde(default, deserialize_with = "format")]
    format: Option<Format>,
    /// Whether it is to be left out: `keep` (default) or `strip`. A picture's metadata is its prompt; a photo's
    /// are date, place and description, for its owner only.
    #[serde(default, rename = "metadata", deserialize_with = "metadata")]
    strip: bool,
    /// Which of several, counted from 1; here from 0.
    #[serde(default, rename = "picture", deserialize_with = "picture")]
    index: usize,
    /// Of a restored photo, how much of the repair: per cent, the rest being the original.
    #[serde(default, deserialize_with = "strength")]
    strength: Option<u8>,
    /// The key of a link, or of the owner, which is read with the caller.
    #[serde(default, deserialize_with = "query::text")]
    key: Option<String>,
    /// The key of a link beside the owner's.
    #[serde(default)]
    link: IgnoredAny,
}

fn format<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Format>, D::Error> {
    query::optional(deserializer, |text| match text {
        "jpeg" => Ok(Format::Jpeg),
        "png" => Ok(Format::Png),
        _ => Err("format is jpeg or png."),
    })
}

fn strength<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    query::optional(deserializer, |text| {
        let percent = text.parse().ok().filter(|percent| *percent <= 100);
        percent.ok_or("strength is a whole number from 0 to 100.")
    })
}

fn metadata<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    query::value(deserializer, |text| match text {
        "" | "keep" => Ok(false),
        "strip" => Ok(true),
        _ => Err("metadata is keep or strip."),
    })
}

fn picture<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = query::optional(deserializer, |text| {
        let number: Option<NonZero<usize>> = text.parse().ok();
        number.ok_or("picture is a number from 1.")
    })?;
    Ok(number.map_or(0, |number| number.get() - 1))
}

pub(crate) async fn serve(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
    Query(wanted): Query<Wanted>,
) -> Result<Response> {
    let key = wanted.key.as_deref();
    let invited = key.is_some_and(|key| state.links.opens(&id, key));
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
        Task::Notice(_) | Task::Call(_) | Task::Message(_) => return Err(NO_JOB),
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
    Ok(if wanted.strip {
        file
    } else {
        with_words(job, file)
    })
}

/// A picture with its prompt as metadata.
pub(crate) fn with_words(job: &Job, picture: Bytes) -> Bytes {
    let made = job.request.as_made(job.outcome.as_ref());
    match &job.request.task {
        Task::Image(task) => photo::captioned(
            picture,
            Caption {
                prompt: &task.prompt,
                model: &made.model,
                by_rules: made.provider == "local",
            },
        ),
        Task::Restoration(_) | Task::Notice(_) | Task::Call(_) | Task::Message(_) => picture,
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
    let exif = task.exif.as_deref().filter(|_| own && !wanted.strip);
    let exif = exif.and_then(|exif| BASE64.decode(exif).ok());
    let format = wanted.format.unwrap_or(Format::Jpeg);
    let file = match wanted.strength {
        Some(percent) if percent < 100 => {
            mixed(state, origin, [&task.original, picture], percent, format).await?
        }
        _ => encoded(state, origin, picture, format).await?,
    };
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
    let (turn, variant) = (state.pools.downloads.turn(origin), job::encoded(format));
    variant_of(state, &picture.key, variant, turn, encode).await
}

/// A photo between the original and the result. It is not kept: another click wants another.
async fn mixed(
    state: &State,
    origin: &Origin,
    both: [&Picture; 2],
    percent: u8,
    format: Format,
) -> Result<Bytes> {
    let turn = state.pools.downloads.turn(origin).await?;
    let blobs = &state.studio.stores.blobs;
    let [original, result] = both.map(|picture| blobs.read(&picture.key));
    let original = original.await.map_err(app::Error::from)?;
    let result = result.await.map_err(app::Error::from)?;
    let mixed = turn.work(move || photo::encode_between(&original, &result, percent, format));
    Ok(mixed.await?.map_err(anyhow::Error::from)?.into())
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
        for query in ["", "format=&metadata=keep&picture=1", "link=a"] {
            assert_eq!(
                Query::<Wanted>::of(query).unwrap(),
                Wanted::default(),
                "{query}"
            );
        }
        let other = Wanted {
            format: Some(Format::Png),
            strip: true,
            index: 2,
            strength: Some(40),
            key: Some("a".into()),
            ..Wanted::default()
        };
        let query = "format=png&metadata=strip&picture=3&strength=40&key=a";
        assert_eq!(Query::<Wanted>::of(query).unwrap(), other);
        for wrong in [
            "format=gif",
            "metadata=some",
            "picture=0",
            "picture=-1",
            "width=320",
            "strength=101",
        ] {
            assert!(Query::<Wanted>::of(wrong).is_err(), "{wrong}");
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
