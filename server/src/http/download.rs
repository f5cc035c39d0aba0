//! `GET /jobs/{id}/download`: a restored photo as a file, named after the original.

use std::time::Duration;

use axum::{
    extract::{Path, RawQuery, State as AxumState},
    http::header,
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::task::spawn_blocking;

use super::{
    Error, Result, State,
    jobs::{NO_JOB, no_store, parameter},
};
use crate::{
    job::{Outcome, RestorationTask, Task},
    photo::{self, Format},
    studio::{self, Caller},
};

/// `?format=jpeg` (default) or `png`; `metadata=keep` (default) or `strip`. Date, place and description
/// of the original go to its owner only, whatever is asked for.
pub(super) async fn serve(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let field = |name| parameter(query.as_deref(), name);
    let format = match field("format") {
        None | Some("jpeg") => Format::Jpeg,
        Some("png") => Format::Png,
        Some(_) => return Err(Error::Malformed("format is jpeg or png.".into())),
    };
    let keep = match field("metadata") {
        None | Some("keep") => true,
        Some("strip") => false,
        Some(_) => return Err(Error::Malformed("metadata is keep or strip.".into())),
    };
    let invited = state.links.key_in(query.as_deref(), &id).is_some();
    let job = state
        .studio
        .status(&caller, invited, &id, None, Duration::ZERO)
        .await?
        .ok_or(NO_JOB)?;
    let (Task::Restoration(task), Some(Outcome::Succeeded { pictures, .. })) =
        (&job.request.task, &job.outcome)
    else {
        return Err(Error::NotFound("There is no restored photo here yet."));
    };
    let picture = pictures.first().ok_or(NO_JOB)?;
    let bytes = state.studio.blobs.read(&picture.key).await;
    let bytes = bytes.map_err(studio::Error::from)?;
    let exif = task.exif.as_deref().filter(|_| keep && caller.owns(&job));
    let exif = exif.and_then(|exif| BASE64.decode(exif).ok());
    let permit = state
        .decoding
        .acquire()
        .await
        .map_err(anyhow::Error::from)?;
    let file = spawn_blocking(move || photo::encode_download(&bytes, format, exif)).await;
    drop(permit);
    let file = file
        .map_err(anyhow::Error::from)?
        .map_err(anyhow::Error::from)?;
    let (media_type, ending) = match format {
        Format::Jpeg => ("image/jpeg", "jpg"),
        Format::Png => ("image/png", "png"),
    };
    let headers = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition(task, ending)),
    ];
    Ok(no_store(
        (headers, [("x-robots-tag", "noindex")], file).into_response(),
    ))
}

/// Asks to be saved (RFC 6266), with a plain name for clients that read no other.
fn disposition(task: &RestorationTask, ending: &str) -> String {
    let name = match &task.name {
        Some(name) => format!("{name}-restored.{ending}"),
        None => format!("restored-photo.{ending}"),
    };
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
