//! The language of a response: the visitor's choice, else the browser's preference.

use atelier_app::Language;
use axum::{
    http::{HeaderMap, Uri, header},
    response::{IntoResponse as _, Redirect, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use crate::http::{extract::accept::weighted, extract::query::parameter};

/// The cookie of the visitor's choice. It identifies nobody, so it needs no signature.
const COOKIE: &str = "atelier_language";

/// The query parameter of a page that chooses a language.
const FIELD: &str = "lang";

/// The language of the page whose script makes the request: another may have been chosen in another tab.
const OF_PAGE: &str = "x-atelier-language";

/// The language of the response.
pub(crate) fn language(headers: &HeaderMap) -> Language {
    let of_page = headers.get(OF_PAGE).and_then(|tag| tag.to_str().ok());
    let cookies = CookieJar::from_headers(headers);
    let chosen = cookies.get(COOKIE).map(Cookie::value);
    [of_page, chosen]
        .into_iter()
        .flatten()
        .find_map(Language::tagged)
        .or_else(|| preferred(headers))
        .unwrap_or_default()
}

/// The best of `Accept-Language` (RFC 9110, 12.5.4) that the site has.
fn preferred(headers: &HeaderMap) -> Option<Language> {
    let spoken = weighted(headers, header::ACCEPT_LANGUAGE)
        .filter_map(|(tag, weight)| Some((Language::tagged(tag)?, weight)))
        .filter(|(_, weight)| *weight > 0.0);
    // The first of equals: `max_by` would take the last.
    let best = spoken.reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map(|(language, _)| language)
}

/// If the page's query chooses a language, stores the choice and redirects to the page.
pub(crate) fn choose(uri: &Uri, https: bool) -> Option<Response> {
    let language = Language::tagged(&parameter(uri.query(), FIELD)?)?;
    // `//` at its beginning would lead to another site.
    if uri.path().starts_with("//") || uri.path().contains('\\') {
        return None;
    }
    let cookie = Cookie::build((COOKIE, language.tag()))
        .path("/")
        .same_site(SameSite::Lax)
        .secure(https)
        .permanent();
    let page = Redirect::to(&address(uri));
    Some((CookieJar::new().add(cookie), page).into_response())
}

/// A page's path and query, without a choice of language.
pub(crate) fn address(uri: &Uri) -> String {
    let fields = uri.query().unwrap_or_default().split('&');
    let others = fields.filter(|field| !field.is_empty() && field.split('=').next() != Some(FIELD));
    let query = others.collect::<Vec<_>>().join("&");
    match query.as_str() {
        "" => uri.path().to_owned(),
        query => format!("{}?{query}", uri.path()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: header::HeaderName, value: &str) -> Language {
        language(&HeaderMap::from_iter([(name, value.parse().unwrap())]))
    }

    #[test]
    fn browsers_are_answered_in_the_best_language_we_share() {
        let accepted = |value: &str| asked(header::ACCEPT_LANGUAGE, value).tag();
        for (value, tag) in [
            ("de", "de"),
            ("de-CH, en;q=0.9", "de"),
            ("en-GB,en;q=0.9,de;q=0.8", "en"),
            ("fr, de;q=0.7, en;q=0.3", "de"),
            ("en;q=0.5,de;q=0.5", "en"),
            ("de;q=0", "en"),
            ("fr, *;q=0.5", "en"),
            ("de;q=loud, en", "en"),
            ("", "en"),
        ] {
            assert_eq!(accepted(value), tag, "{value}");
        }
        assert_eq!(language(&HeaderMap::new()).tag(), "en");
        assert_eq!(
            asked(header::COOKIE, "a=b; atelier_language=de").tag(),
            "de"
        );
        assert_eq!(asked(header::COOKIE, "atelier_language=xx").tag(), "en");
    }

    #[test]
    fn a_page_goes_on_in_its_language() {
        let asked = |of_page: &str| {
            let of_page = (OF_PAGE.parse().unwrap(), of_page.parse().unwrap());
            let cookie = (header::COOKIE, "atelier_language=de".parse().unwrap());
            language(&HeaderMap::from_iter([of_page, cookie])).tag()
        };
        assert_eq!(asked("en"), "en");
        assert_eq!(asked("xx"), "de");
    }

    #[test]
    fn the_choice_is_no_part_of_the_address() {
        for (uri, plain) in [
            ("/?lang=de", "/"),
            ("/gallery?q=a&lang=de&kind=image", "/gallery?q=a&kind=image"),
            ("/jobs/7?key=x", "/jobs/7?key=x"),
            ("/?language=x", "/?language=x"),
        ] {
            assert_eq!(address(&uri.parse().unwrap()), plain);
        }
    }
}
