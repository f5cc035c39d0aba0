//! `POST /api/jobs/zip`, `POST /api/jobs/delete` and `POST /api/jobs/mark`: several of the caller's jobs at once, as
//! `id=…&id=…`; each by its id, or by its address with its key.

use std::{collections::HashSet, fs::File, io::Write as _};

use atelier_api::MAX_FOLDER_CHARS;
use atelier_app::words;
use axum::{
    body::{Body, Bytes},
    extract::{RawQuery, State as AxumState},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use tokio::task::spawn_blocking;
use tokio_util::io::ReaderStream;
use unicode_normalization::UnicodeNormalization as _;
use url::form_urlencoded;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::http::{
    Error, Result, State,
    api::jobs::{boolean, call_off, no_store, seen},
    extract::accept::wants_page,
    extract::body::WholeBody,
    job_keys,
    pools::Origin,
    site::download::with_words,
};
use crate::{
    app::{self, Caller},
    blob,
    job::{Outcome, Picture, Task},
    queue::{self, Job, Marking},
};

/// Maximum number of jobs in one request.
const MAX_JOBS: usize = 200;

pub(crate) async fn delete(
    AxumState(state): AxumState<State>,
    caller: Caller,
    headers: HeaderMap,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    for id in chosen(&body)? {
        let (caller, id) = job_keys::named(&state, &caller, &id);
        match call_off(&state, &caller, &id, false).await {
            // Deletion is idempotent.
            Ok(_) | Err(Error::Studio(app::Error::Queue(queue::Error::NotFound))) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done(&headers, &body))
}

/// Makes jobs favourites (`favourite=true`), or moves them into a folder (`folder=…`, out of theirs if that is empty).
/// What the query says comes before what the form does, so that each button can say something else.
pub(crate) async fn mark(
    AxumState(state): AxumState<State>,
    caller: Caller,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let marking = match marking(query.unwrap_or_default().as_bytes())? {
        nothing if nothing == Marking::default() => marking(&body)?,
        marking => marking,
    };
    if marking == Marking::default() {
        let detail = "Say favourite or folder.";
        return Err(Error::invalid("nothing_to_mark", detail));
    }
    let ids = chosen(&body)?;
    let ids = ids
        .iter()
        .map(|id| job_keys::named(&state, &caller, id).1.to_string());
    let ids: Vec<String> = ids.collect();
    match state.studio.mark(&caller, &ids, &marking).await? {
        0 => Err(Error::NotFound(
            "None of these is a finished picture of yours.",
        )),
        _ => Ok(done(&headers, &body)),
    }
}

/// What the fields say of marks.
fn marking(fields: &[u8]) -> Result<Marking> {
    let mut marking = Marking::default();
    for (name, value) in form_urlencoded::parse(fields) {
        match &*name {
            "favourite" => {
                let said = boolean(&value);
                let said =
                    said.ok_or_else(|| Error::invalid("favourite", "favourite is true or false."));
                marking.favourite = Some(said?);
            }
            "folder" => marking.folder = Some(folder(&value)?),
            _ => {}
        }
    }
    Ok(marking)
}

/// A folder's name: one line, in Unicode NFC.
fn folder(text: &str) -> Result<String> {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.nfc().collect())
        .collect();
    let name = words.join(" ");
    if name.chars().any(char::is_control) || name.chars().count() > MAX_FOLDER_CHARS {
        return Err(Error::invalid(
            "folder",
            format!(
                "A folder's name has at most {MAX_FOLDER_CHARS} characters, none of them a control character."
            ),
        ));
    }
    Ok(name)
}

/// The answer when all is done: back to the page that the form names, if there is one.
fn done(headers: &HeaderMap, body: &[u8]) -> Response {
    if !wants_page(headers) {
        return StatusCode::NO_CONTENT.into_response();
    }
    let back = form_urlencoded::parse(body).find(|(name, _)| name == "back");
    let back = back.map(|(_, page)| page.into_owned());
    // `//` at its beginning would lead to another site.
    let own = |page: &String| {
        let plain = page
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        plain && (page.starts_with("/gallery") || page.starts_with("/jobs/"))
    };
    Redirect::to(&back.filter(own).unwrap_or_else(|| "/gallery".into())).into_response()
}

pub(crate) async fn zip(
    AxumState(state): AxumState<State>,
    caller: Caller,
    WholeBody(body): WholeBody,
) -> Result<Response> {
    let chosen = chosen(&body)?;
    let _turn = state.pools.archives.turn(&Origin::from(&caller)).await?;
    let (mut archive, mut empty) = (Archive::new(&state)?, true);
    for id in chosen {
        let (caller, id) = job_keys::named(&state, &caller, &id);
        let job = match seen(&state, &caller, &id).await {
            // What was deleted meanwhile does not keep back the others.
            Err(Error::NotFound(_)) => continue,
            job => job?,
        };
        let Some(Outcome::Succeeded { pictures, .. }) = &job.outcome else {
            continue;
        };
        for (index, picture) in pictures.iter().enumerate() {
            let bytes = match state.studio.stores.blobs.read(&picture.key).await {
                Err(error) if error.is_missing() => continue,
                bytes => with_words(&job, bytes.map_err(app::Error::from)?),
            };
            archive = archive.with(file_name(&job, picture, index), bytes).await?;
            empty = false;
        }
    }
    if empty {
        return Err(Error::NotFound("None of these has a picture."));
    }
    let (file, length) = archive.finish().await?;
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_LENGTH, length.to_string()),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"atelier.zip\"".to_owned(),
        ),
    ];
    let stream = ReaderStream::new(tokio::fs::File::from_std(file));
    Ok(no_store((headers, Body::from_stream(stream))))
}

/// The ids in the form, without duplicates.
fn chosen(body: &[u8]) -> Result<Vec<String>> {
    let mut seen = HashSet::new();
    let ids: Vec<String> = form_urlencoded::parse(body)
        .filter(|(name, _)| name == "id")
        .map(|(_, id)| id.into_owned())
        .filter(|id| seen.insert(id.clone()))
        .collect();
    match ids.len() {
        0 => Err(Error::invalid(
            "nothing_chosen",
            "Choose one or more first.",
        )),
        1..=MAX_JOBS => Ok(ids),
        many => Err(Error::invalid(
            "too_many",
            format!("{many} are chosen; at most {MAX_JOBS} go at once."),
        )),
    }
}

/// A file name from the prompt or the photo's name, and part of the id to make it unique.
fn file_name(job: &Job, picture: &Picture, index: usize) -> String {
    let slug = |text: &str, otherwise: &str| match words::slug(text) {
        slug if slug.is_empty() => otherwise.to_owned(),
        slug => slug,
    };
    let name = match &job.request.task {
        Task::Image(task) => slug(&task.prompt, "picture"),
        Task::Restoration(task) => {
            slug(task.name.as_deref().unwrap_or_default(), "photo") + "-restored"
        }
        Task::Notice(_) | Task::Call(_) | Task::Message(_) => String::new(),
    };
    let ending = picture.extension();
    let short = &job.id[job.id.len().saturating_sub(8)..];
    format!("{name}-{short}-{}.{ending}", index + 1)
}

/// A ZIP in an unnamed temporary file; memory holds one picture at a time.
struct Archive(ZipWriter<File>);

impl Archive {
    fn new(state: &State) -> Result<Self> {
        let file = blob::nameless(&state.uploads)?;
        Ok(Self(ZipWriter::new(file)))
    }

    async fn with(mut self, name: String, bytes: Bytes) -> Result<Self> {
        let written = spawn_blocking(move || {
            // Pictures are compressed already.
            let options =
                SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
            self.0.start_file(name, options)?;
            self.0.write_all(&bytes)?;
            anyhow::Ok(self)
        });
        Ok(written.await.map_err(anyhow::Error::from)??)
    }

    /// The file from its beginning, and its length.
    async fn finish(self) -> Result<(File, u64)> {
        let finished = spawn_blocking(move || {
            use std::io::Seek as _;
            let mut file = self.0.finish()?;
            let length = file.stream_position()?;
            file.rewind()?;
            anyhow::Ok((file, length))
        });
        Ok(finished.await.map_err(anyhow::Error::from)??)
    }
}
