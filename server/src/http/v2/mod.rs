//! The door for messages, as the official clients of QStash speak: publish, and look after
//! what was published.

mod asker;
mod dlq;
mod error;
mod events;
mod flow;
mod keys;
mod messages;
mod publish;
mod query;
mod queues;
mod schedules;
mod topics;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::StatusCode,
    middleware::{from_fn, from_fn_with_state},
    response::Response,
    routing::{any, delete, get, post},
};
use tower_http::catch_panic::CatchPanicLayer;

use self::asker::Asker;
use crate::{
    http::{State, error as problems, middleware::caller},
    messages::Error,
};

type Result<T, E = Error> = std::result::Result<T, E>;

/// What is said of whatever belongs to workflows.
const NO_WORKFLOWS: &str = "Workflows are not offered here: this server delivers messages, \
                            with schedules, queues and callbacks.";

/// The routes below `/v2`.
pub(super) fn routes(state: &State) -> Router<State> {
    let published = Router::new()
        .route("/v2/publish/{*destination}", post(publish::publish))
        .route("/v2/enqueue/{*destination}", post(publish::enqueue))
        .route("/v2/batch", post(publish::publish_batch));
    let kept = Router::new()
        .route("/v2/messages", delete(messages::cancel_many))
        .route(
            "/v2/messages/{id}",
            get(messages::show).delete(messages::cancel),
        )
        .route("/v2/dlq", get(dlq::list).delete(dlq::remove_many))
        .route("/v2/dlq/retry", post(dlq::retry_many))
        .route("/v2/dlq/retry/{id}", post(dlq::retry))
        .route("/v2/dlq/{id}", get(dlq::show).delete(dlq::remove))
        .route("/v2/events", get(events::events))
        .route("/v2/logs", get(events::logs));
    let arranged = Router::new()
        .route("/v2/queues", get(queues::list).post(queues::put))
        .route(
            "/v2/queues/{name}",
            get(queues::show).delete(queues::remove),
        )
        .route("/v2/queues/{name}/pause", post(queues::pause))
        .route("/v2/queues/{name}/resume", post(queues::resume))
        .route("/v2/schedules", get(schedules::list))
        .route(
            "/v2/schedules/{*rest}",
            get(schedules::show)
                .delete(schedules::remove)
                .patch(schedules::switch)
                .post(schedules::create_or_switch),
        )
        .route("/v2/topics", get(topics::list))
        .route(
            "/v2/topics/{name}",
            get(topics::show)
                .delete(topics::remove)
                .patch(topics::set_headers),
        )
        .route(
            "/v2/topics/{name}/endpoints",
            post(topics::add).delete(topics::remove_endpoints),
        )
        .route("/v2/flowControl", get(flow::list))
        .route("/v2/flowControl/{key}", get(flow::show))
        .route("/v2/flowControl/{key}/{change}", post(flow::change))
        .route("/v2/globalParallelism", get(flow::global))
        .route("/v2/keys", get(keys::show))
        .route("/v2/keys/rotate", post(keys::rotate));
    published
        .merge(kept)
        .merge(arranged)
        .route("/v2/workflows", any(workflows))
        .route("/v2/workflows/{*rest}", any(workflows))
        .route("/v2/notify/{*rest}", any(workflows))
        .route("/v2/waiters/{*rest}", any(workflows))
        .route("/v2", any(unknown))
        .route("/v2/{*rest}", any(unknown))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(state.clone(), caller::turn_away))
        .layer(CatchPanicLayer::custom(problems::panicked))
        .layer(from_fn(error::shape))
}

/// A part of QStash that belongs to another product.
async fn workflows(_: Asker) -> Error {
    Error::Unsupported(NO_WORKFLOWS)
}

async fn unknown(request: Request) -> Response {
    let text = format!(
        "There is nothing at {} {}.",
        request.method(),
        request.uri().path()
    );
    error::told(StatusCode::NOT_FOUND, &text)
}
