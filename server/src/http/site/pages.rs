//! The pages: everything a browser without JavaScript can reach.

use std::{future::ready, pin::Pin, slice, sync::Arc, time::Duration};

use atelier_api::{Job, Kind, Limit};
use atelier_app::{
    Language, Page,
    data::{self, About, Answer, Data, Seen, Shelf, Unavailable, Wanted},
};
use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::{FromRequestParts as _, Request, State as AxumState},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::SignedCookieJar;
use futures::{Stream, stream::once};
use leptos::{nonce::use_nonce, prelude::*};
use leptos_axum::ResponseOptions;

use crate::http::{
    Error, Result, State,
    api::limits,
    error,
    extract::accept::wants_page,
    middleware::caller::{from_this_machine, new_session},
    problem::Problem,
    site::assets,
    site::language::{self, language},
    site::offered::offered,
};
use crate::{
    app::view,
    app::{self, Caller, Studio},
    cache,
    job::{JobId, Owner},
    providers::Models,
};

/// Serves every path that no other route matches.
pub(crate) async fn serve(
    AxumState(state): AxumState<State>,
    Extension(language): Extension<Language>,
    caller: Caller,
    request: Request,
) -> Result<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(([(header::ALLOW, "GET,HEAD")], Error::MethodNotAllowed).into_response());
    }
    let uri = request.uri();
    if let Some(page) = without_slash(uri) {
        return Ok(Redirect::permanent(&page).into_response());
    }
    if let Some(file) = assets::plain(uri.path(), request.headers()) {
        return file;
    }
    let page = Page::for_path(uri.path(), uri.query());
    if page == Page::NotFound && !wants_page(request.headers()) {
        return Err(Error::NotFound("There is nothing at this address."));
    }
    if let Some(choice) = language::choose(uri, state.https) {
        return Ok(choice);
    }
    let address = language::address(uri);
    let (parts, _) = request.into_parts();
    let data = PageData::new(state, caller, &parts, address, language);
    Ok(render(data, page).await)
}

/// The address of a page that was requested with a trailing slash.
fn without_slash(uri: &Uri) -> Option<String> {
    let path = uri.path().strip_suffix('/').filter(|path| path.len() > 1)?;
    // `//` at its beginning would lead to another site.
    let known = !path.starts_with("//") && Page::for_path(path, None) != Page::NotFound;
    let query = uri.query().map(|query| format!("?{query}"));
    known.then(|| format!("{path}{}", query.unwrap_or_default()))
}

async fn render(data: PageData, page: Page) -> Response {
    let content = atelier_app::load(page, &data).await;
    let document = move || {
        set_status_and_policy(content.status);
        if content.private {
            let noindex = HeaderValue::from_static("noindex");
            let answer = expect_context::<ResponseOptions>();
            answer.insert_header(HeaderName::from_static("x-robots-tag"), noindex);
        }
        atelier_app::shell(content, &assets::ASSETS)
    };
    let request = Request::new(Body::empty());
    let rendered = leptos_axum::handle_response_inner(|| {}, document, request, in_one_piece);
    let (mut parts, body) = rendered.await.into_parts();
    let no_store = HeaderValue::from_static("no-store");
    parts.headers.insert(header::CACHE_CONTROL, no_store);
    if let Some(link) = &*assets::STYLE_FIRST {
        parts.headers.insert(header::LINK, link.clone());
    }
    // Buffered, for `Content-Length`. The body is in memory already, so this cannot fail.
    let html = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let response = Response::from_parts(parts, Body::from(html));
    match data.session {
        Some((_, cookie)) => (cookie, response).into_response(),
        None => response,
    }
}

fn set_status_and_policy(status: u16) {
    let answer = expect_context::<ResponseOptions>();
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    answer.set_status(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.insert_header(header::RETRY_AFTER, error::SOON);
    }
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    let policy = content_security_policy(&nonce.unwrap_or_default());
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}

type Chunks = Pin<Box<dyn Stream<Item = String> + Send>>;

/// Rendering waits for nothing, so pages need neither streaming nor its scripts.
fn in_one_piece<V: IntoView + 'static>(
    page: V,
    _scripts: Box<dyn FnOnce() -> Chunks + Send>,
    _: bool,
) -> Pin<Box<dyn Future<Output = Chunks> + Send>> {
    let html = page.to_html();
    Box::pin(async { Box::pin(once(ready(html))) as Chunks })
}

/// Allows nothing from other sites, and only our own scripts and styles.
fn content_security_policy(nonce: &str) -> String {
    format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self' blob: data:; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; \
         frame-ancestors 'none'"
    )
}

/// Translates problems into the visitor's language, and renders them as pages for browsers.
pub(crate) async fn problems_for_people(
    AxumState(state): AxumState<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let language = language(request.headers());
    request.extensions_mut().insert(language);
    if !wants_page(request.headers()) {
        let mut response = next.run(request).await;
        if language != Language::default()
            && let Some(problem) = problem(&response, language)
        {
            *response.body_mut() = problem.respond().into_body();
        }
        return response;
    }
    let back = back(request.uri().path());
    let (parts, body) = request.into_parts();
    let mut asked = parts.clone();
    let response = next.run(Request::from_parts(parts, body)).await;
    let Some(problem) = problem(&response, language) else {
        return response;
    };
    let Ok(caller) = Caller::from_request_parts(&mut asked, &state).await else {
        return response;
    };
    let page = Page::Problem(data::Problem {
        status: problem.status,
        title: problem.title.into(),
        detail: problem.detail,
        back: back.clone(),
    });
    let data = PageData::new(state, caller, &asked, back, language);
    let mut shown = render(data, page).await;
    for name in [
        "allow",
        "content-range",
        "retry-after",
        "ratelimit",
        "ratelimit-policy",
        "www-authenticate",
    ] {
        if let Some(value) = response.headers().get(name) {
            shown.headers_mut().insert(name, value.clone());
        }
    }
    shown
}

/// The problem of a response, in a language.
fn problem(response: &Response, language: Language) -> Option<Problem> {
    let problem = response.extensions().get::<Problem>()?.clone();
    let wait = response.headers().get(header::RETRY_AFTER);
    let wait = wait.and_then(|value| value.to_str().ok()?.parse().ok());
    Some(problem.spoken(language, wait))
}

fn back(path: &str) -> String {
    let page = match path {
        "/api/jobs/zip" | "/api/jobs/delete" | "/api/jobs/mark" => "/gallery",
        _ if path.starts_with("/api/restorations") => "/restore",
        _ => "/",
    };
    page.into()
}

/// Maximum number of batches read to find jobs of one kind.
const LOOKS: usize = 8;

/// The pages' data for one caller.
struct PageData {
    state: State,
    caller: Caller,
    /// That of a visitor who had none.
    session: Option<(Owner, SignedCookieJar)>,
    origin: String,
    /// The page's path and query.
    address: String,
    language: Language,
    operator: bool,
}

/// The site's origin: as configured, else from the request's `Host`.
fn origin(state: &State, headers: &HeaderMap) -> String {
    if let Some(url) = &state.studio.settings.public_url {
        return url.as_str().trim_end_matches('/').to_owned();
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or_default())
}

impl PageData {
    fn new(
        state: State,
        caller: Caller,
        asked: &Parts,
        address: String,
        language: Language,
    ) -> Self {
        Self {
            caller,
            session: new_session(&asked.headers, &state),
            origin: origin(&state, &asked.headers),
            operator: from_this_machine(&asked.headers, &asked.extensions),
            address,
            language,
            state,
        }
    }

    /// A name for whom jobs of the page will belong to, which nothing else can be read from.
    fn owner(&self) -> String {
        let new = self.session.as_ref().map(|(owner, _)| owner);
        let owner = self.caller.owner.as_ref().or(new).map(ToString::to_string);
        let mut name = cache::digest(&["page", &owner.unwrap_or_default()]);
        name.truncate(16);
        name
    }

    fn ask<T, F>(&self, question: impl FnOnce(Arc<Studio>, Caller) -> F) -> Answer<T>
    where
        F: Future<Output = Result<T, app::Error>> + Send + 'static,
    {
        let asked = question(self.state.studio.clone(), self.caller.clone());
        Box::pin(async move {
            asked.await.map_err(|error| {
                error::log(&error);
                Unavailable
            })
        })
    }
}

impl Data for PageData {
    fn about(&self) -> About {
        let Models { pictures, photos } = &self.state.studio.models;
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        About {
            owner: self.owner(),
            origin: self.origin.clone(),
            address: self.address.clone(),
            language: self.language,
            pictures: offered(pictures),
            photos: offered(photos),
            operator: self.operator,
            styles: Arc::clone(&self.state.extras.styles),
            presets: Arc::clone(&self.state.extras.presets),
            photo_max_bytes: self.state.photos.max_bytes,
            photo_max_pixels: self.state.photos.max_pixels,
            photo_kept_seconds: self.state.photos.keep.as_secs(),
            typical_image_seconds: seconds(pictures.first.typical(Kind::Image)),
            typical_restoration_seconds: seconds(photos.first.typical(Kind::Restoration)),
        }
    }

    fn job(&self, id: &str, key: Option<&str>) -> Answer<Option<Seen>> {
        let key = key.filter(|key| self.state.links.opens(id, key));
        let (id, key) = (JobId::from(id), key.map(str::to_owned));
        let state = self.state.clone();
        self.ask(async move |studio, caller| {
            let job = studio
                .status(&caller, key.is_some(), &id, None, Duration::ZERO)
                .await?;
            let Some(job) = job else {
                return Ok(None);
            };
            let mine = caller.owns(&job);
            let withheld = mine && studio.stores.access.withheld(&job.id).await?;
            let Some(mut job) = state.tell(&caller, &job) else {
                return Ok(None);
            };
            studio.add_marks(&caller, slice::from_mut(&mut job)).await?;
            Ok(Some(Seen {
                job,
                mine,
                withheld,
                key,
            }))
        })
    }

    fn recent(&self, kind: Kind, limit: usize) -> Answer<Vec<Job>> {
        self.ask(async move |studio, caller| {
            let (mut found, mut before) = (Vec::new(), None);
            for _ in 0..LOOKS {
                let jobs = studio.jobs(&caller, before.as_deref(), limit).await?;
                let kinds = jobs
                    .iter()
                    .filter(|job| job.request.task.kind() == Some(kind));
                found.extend(kinds.filter_map(view::own_job));
                before = jobs.last().map(|job| job.id.clone());
                if found.len() >= limit || jobs.len() < limit {
                    break;
                }
            }
            found.truncate(limit);
            Ok(found)
        })
    }

    fn gallery(&self, wanted: Wanted) -> Answer<Shelf> {
        self.ask(async move |studio, caller| studio.gallery(&caller, wanted).await)
    }

    fn limits(&self, kind: Kind) -> Answer<Vec<Limit>> {
        self.ask(async move |studio, caller| {
            Ok(studio
                .standings(&caller, kind)
                .await?
                .iter()
                .map(limits::view)
                .collect())
        })
    }
}
