//! Whole bodies, with errors as problem documents.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};

use crate::http::{Error, State};

/// axum's extractor for a body in memory, with our errors.
#[derive(Debug)]
pub(crate) struct WholeBody(pub(crate) Bytes);

impl FromRequest<State> for WholeBody {
    type Rejection = Error;

    async fn from_request(request: Request, state: &State) -> Result<Self, Error> {
        Ok(Self(Bytes::from_request(request, state).await?))
    }
}
