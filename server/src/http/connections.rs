//! How connections are limited, and what they are answered where no handler is asked.

use std::net::IpAddr;

use atelier_connections::{Answers, Limits, Server};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use ipnet::IpNet;

use crate::{
    config::ConnectionsConfig,
    http::{Error, middleware::client::network, problem::Problem},
    telemetry::metrics,
};

/// Creates the server of the site.
pub fn server(router: Router, settings: &ConnectionsConfig, trusted_proxies: Vec<IpNet>) -> Server {
    let limits = Limits {
        most: settings.most,
        per_address: settings.per_address,
        head: settings.head,
        idle: settings.idle,
        body: settings.body,
        body_rate: settings.body_rate,
        write: settings.write,
    };
    let answers = Answers {
        crowded,
        unread_head,
        address: |ip: IpAddr| network(ip),
    };
    Server::new(router, limits, answers, trusted_proxies)
}

fn crowded() -> Response {
    metrics::connection_refused();
    Error::Crowded.into_response()
}

fn unread_head(status: StatusCode) -> (&'static str, Vec<u8>) {
    let (code, title, detail) = match status {
        StatusCode::URI_TOO_LONG => ("address_too_long", "Too long", "The address is too long."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
            "head_too_large",
            "Too large",
            "The header fields are too many, or too large.",
        ),
        _ => (
            "malformed",
            "Malformed request",
            "This is not HTTP/1.1 as we understand it.",
        ),
    };
    let problem = Problem::new(status, code, title, detail);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    ("application/problem+json", body)
}
