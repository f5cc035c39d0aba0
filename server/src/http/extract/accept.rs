//! What a client accepts: the weighted lists of `Accept`, `Accept-Encoding` and
//! `Accept-Language` (RFC 9110, 12.4.2).

use axum::http::{HeaderMap, HeaderName, header};

/// The items of all fields of that name, each with its weight from 0 to 1, without
/// malformed ones.
pub(crate) fn weighted(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = (&str, f32)> {
    let fields = headers.get_all(name).into_iter();
    fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .filter_map(item)
}

fn item(text: &str) -> Option<(&str, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let value = parts.next().filter(|value| !value.is_empty())?;
    let weight = parts.find_map(|part| {
        let (name, weight) = part.split_once('=')?;
        name.eq_ignore_ascii_case("q").then_some(weight)
    });
    let weight: f32 = weight.map_or(Some(1.0), |weight| weight.parse().ok())?;
    (0.0..=1.0).contains(&weight).then_some((value, weight))
}

/// Whether the client prefers a page: browsers accept HTML by name, programs JSON or
/// anything.
pub(crate) fn wants_page(headers: &HeaderMap) -> bool {
    let weight = |media_type: &str| {
        let named = weighted(headers, header::ACCEPT)
            .filter(|(value, _)| value.eq_ignore_ascii_case(media_type));
        named.map(|(_, weight)| weight).fold(0.0, f32::max)
    };
    let html = weight("text/html");
    html > 0.0 && html >= weight("application/json") && html >= weight("application/problem+json")
}

/// Whether the client decodes this content coding.
pub(crate) fn takes(headers: &HeaderMap, coding: &str) -> bool {
    weighted(headers, header::ACCEPT_ENCODING)
        .any(|(value, weight)| value.eq_ignore_ascii_case(coding) && weight > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn browsers_get_pages_and_programs_get_json() {
        for (accept, page) in [
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                true,
            ),
            ("Text/HTML", true),
            ("text/html;level=1;q=0.4", true),
            ("text/html, application/json;q=0.9", true),
            ("*/*", false),
            ("application/json", false),
            ("application/json, text/html;q=0.9", false),
            ("text/html;q=0", false),
            ("text/html;q=0.0, */*", false),
            ("text/html;q=nonsense", false),
            ("text/htmlish", false),
            ("", false),
        ] {
            assert_eq!(wants_page(&with(header::ACCEPT, accept)), page, "{accept}");
        }
    }

    #[test]
    fn a_coding_of_weight_zero_is_not_taken() {
        for (accept, takes_it) in [
            ("gzip, br", true),
            ("BR;q=0.1", true),
            ("br;q=0", false),
            ("br; Q=0.000", false),
            ("gzip", false),
        ] {
            let headers = with(header::ACCEPT_ENCODING, accept);
            assert_eq!(takes(&headers, "br"), takes_it, "{accept}");
        }
    }
}
