//! Headers of all responses, and the check that changes are requested by our own
//! pages.

use axum::{
    extract::{Request, State as AxumState},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, predicate::Predicate},
};

use crate::http::{Error, State};

/// Sets the headers of every response, unless the handler has set them.
pub(crate) async fn secure(
    AxumState(state): AxumState<State>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if state.https {
        let year = HeaderValue::from_static("max-age=31536000");
        headers
            .entry(header::STRICT_TRANSPORT_SECURITY)
            .or_insert(year);
    }
    response
}

/// Compresses pages, to less than half of their bytes. What else there is to be had is packed already, or short.
pub(crate) fn pages_compressed() -> CompressionLayer<impl Predicate> {
    let page = |_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let media_type = headers.get(header::CONTENT_TYPE);
        media_type.is_some_and(|text| text.as_bytes().starts_with(b"text/html"))
    };
    CompressionLayer::new()
        .quality(CompressionLevel::Fastest)
        .compress_when(page)
}

/// Refuses encoded bodies (RFC 9110, 15.5.16), and lower-cases their media types, as not
/// every parser ignores case.
pub(crate) async fn plain_bodies(mut request: Request, next: Next) -> Response {
    let coding = request.headers().get(header::CONTENT_ENCODING);
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let expected = "a body without Content-Encoding";
        let identity = [(header::ACCEPT_ENCODING, "identity")];
        return (identity, Error::Unsupported { expected }).into_response();
    }
    if let Some(value) = request.headers_mut().get_mut(header::CONTENT_TYPE)
        && let Some(lower) = in_lower_case(value)
    {
        *value = lower;
    }
    next.run(request).await
}

/// The media type in lower case, with its parameters unchanged: a boundary is case-sensitive.
fn in_lower_case(value: &HeaderValue) -> Option<HeaderValue> {
    let text = value.to_str().ok()?;
    let end = text.find(';').unwrap_or(text.len());
    let (media_type, parameters) = text.split_at(end);
    HeaderValue::try_from(media_type.to_ascii_lowercase() + parameters).ok()
}

/// Refuses changes requested by pages of other sites. Browsers report the origin of a
/// request; other clients have no cookies of visitors.
pub(crate) async fn same_origin(
    AxumState(state): AxumState<State>,
    request: Request,
    next: Next,
) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if safe || ours(request.headers(), state.origin.as_deref()) {
        next.run(request).await
    } else {
        Error::CrossOrigin.into_response()
    }
}

/// Over plain HTTP browsers send no `Sec-Fetch-Site`, but the page's `Origin`. A
/// proxy may have replaced the `Host` that it should be; then it is the site's
/// `public` one.
fn ours(headers: &HeaderMap, public: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text("origin") else {
        return true;
    };
    let host = origin.split_once("://").map(|(_, host)| host);
    (host.is_some() && host == text("host")) || public == Some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(headers: &[(&'static str, &str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        ours(&headers.collect(), Some("http://atelier.example"))
    }

    #[test]
    fn only_our_own_pages_and_plain_clients_may_change_things() {
        assert!(from(&[]));
        assert!(from(&[("sec-fetch-site", "same-origin")]));
        assert!(!from(&[("sec-fetch-site", "cross-site")]));
        assert!(!from(&[("sec-fetch-site", "same-site")]));
        assert!(from(&[
            ("origin", "https://a.example"),
            ("host", "a.example")
        ]));
        assert!(!from(&[
            ("origin", "https://b.example"),
            ("host", "a.example")
        ]));
        assert!(!from(&[("origin", "null"), ("host", "a.example")]));
    }

    #[test]
    fn a_proxy_may_replace_the_host() {
        let inner = ("host", "127.0.0.1:3000");
        assert!(from(&[("origin", "http://atelier.example"), inner]));
        for origin in [
            "https://atelier.example",
            "http://atelier.example:8080",
            "http://atelier.example.evil.example",
            "http://evil.example",
            "null",
            "",
        ] {
            assert!(!from(&[("origin", origin), inner]), "{origin}");
        }
        let site = ("sec-fetch-site", "cross-site");
        assert!(!from(&[("origin", "http://atelier.example"), site]));
    }
}
