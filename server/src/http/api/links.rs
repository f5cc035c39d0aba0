//! Links to jobs that otherwise only their owners see: the page's URL with a key. Only
//! the withholding of a job is stored; a link ends with its job.

use axum::{
    Json,
    extract::State as AxumState,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Redirect, Response},
};
use serde_json::json;

use crate::http::{Result, State, api::jobs, extract::accept::wants_page, extract::path::Path};
use crate::{
    app::Caller,
    job::{JobId, Visibility},
};

/// `POST /api/jobs/{id}/link`: returns the link, to the owner only.
pub(crate) async fn make(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
    headers: HeaderMap,
) -> Result<Response> {
    let job = jobs::own(&state, &caller, &id).await?;
    state.studio.share(&job, true).await?;
    let page = format!("/jobs/{id}");
    let url = match job.request.task.visibility() {
        Visibility::Everybody => page,
        Visibility::Owner => state.links.address(&page, &id),
    };
    if !wants_page(&headers) {
        return Ok(Json(json!({ "url": url })).into_response());
    }
    // An owner by key alone would lose the job on the page that others see.
    let shown = if caller.holds(&job) {
        state.links.beside(state.page_of(&caller, &job), &job)
    } else {
        url
    };
    Ok(Redirect::to(&shown).into_response())
}

/// `POST /api/jobs/{id}/share`: shows the job to others again.
pub(crate) async fn share(
    state: AxumState<State>,
    caller: Caller,
    id: Path<JobId>,
    headers: HeaderMap,
) -> Result<Response> {
    show(state, caller, id, headers, true).await
}

/// `POST /api/jobs/{id}/unshare`: withholds the job from others, even from those with a link.
pub(crate) async fn unshare(
    state: AxumState<State>,
    caller: Caller,
    id: Path<JobId>,
    headers: HeaderMap,
) -> Result<Response> {
    show(state, caller, id, headers, false).await
}

async fn show(
    AxumState(state): AxumState<State>,
    caller: Caller,
    Path(id): Path<JobId>,
    headers: HeaderMap,
    shared: bool,
) -> Result<Response> {
    let job = jobs::own(&state, &caller, &id).await?;
    state.studio.share(&job, shared).await?;
    Ok(if wants_page(&headers) {
        Redirect::to(&state.page_of(&caller, &job)).into_response()
    } else {
        StatusCode::NO_CONTENT.into_response()
    })
}
