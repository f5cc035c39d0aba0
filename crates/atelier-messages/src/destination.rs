//! Where a message goes: a URL, a URL group, or an API.

use std::{borrow::Cow, fmt};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::names;

/// Maximum length of a URL, in bytes.
pub const MAX_URL: usize = 2048;

/// What the names of APIs begin with.
const API: &str = "api/";

/// The name of the token in a query.
const TOKEN: &str = "qstash_token";

/// What the names of options in a query begin with.
const OPTION: &str = "upstash-";

/// Where a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A URL, as it is called.
    Url(String),
    /// The URL group of that name.
    Group(String),
    /// An API of that name, for example `llm` for `api/llm`.
    Api(String),
}

/// Why a text is not a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDestination {
    /// There is none.
    #[error("a destination is missing: a URL or the name of a URL group")]
    Missing,
    /// It exceeds [`MAX_URL`].
    #[error("the destination is longer than {MAX_URL} bytes")]
    TooLong,
    /// It is not UTF-8.
    #[error("the destination is not valid UTF-8")]
    Encoding,
    /// It is no URL.
    #[error("the destination {0:?} cannot be read: {1}")]
    Malformed(String, url::ParseError),
    /// Its scheme is neither `https` nor `http`.
    #[error(
        "the destination must begin with https:// or http://, or be the name of a URL group; it is {0:?}"
    )]
    Scheme(String),
    /// It contains a user name or a password.
    #[error(
        "the destination must not contain a user name or a password: send them as Upstash-Forward-Authorization"
    )]
    Credentials,
}

impl Destination {
    /// Reads the destination in the path of a request: `path` is the undecoded rest of the path
    /// behind `/v2/publish/` and the like, `query` the request's query, which belongs to the
    /// destination but for the token and the options in it.
    ///
    /// `https:/host` is taken for `https://host`, as proxies that clean paths make it of that; and
    /// a URL may be percent-encoded as a whole.
    ///
    /// # Errors
    ///
    /// An [`InvalidDestination`].
    ///
    /// # Examples
    ///
    /// ```
    /// use atelier_messages::destination::Destination;
    ///
    /// let query = Some("page=2&upstash-retries=3");
    /// let destination = Destination::from_path("https://example.com/a//b", query)?;
    /// assert_eq!(destination.to_string(), "https://example.com/a//b?page=2");
    /// # Ok::<(), atelier_messages::destination::InvalidDestination>(())
    /// ```
    pub fn from_path(path: &str, query: Option<&str>) -> Result<Self, InvalidDestination> {
        if path.len() > MAX_URL {
            return Err(InvalidDestination::TooLong);
        }
        if !has_scheme(path) {
            return Self::parse(&decode(path)?);
        }
        let query = query.map(own_query).unwrap_or_default();
        let separator = if query.is_empty() { "" } else { "?" };
        Self::parse(&format!("{path}{separator}{query}"))
    }

    /// Reads a destination as it stands in a body or a header.
    ///
    /// # Errors
    ///
    /// An [`InvalidDestination`].
    pub fn parse(text: &str) -> Result<Self, InvalidDestination> {
        let text = text.trim();
        if let Some(name) = text.strip_prefix(API) {
            let name =
                names::word(name).map_err(|_| InvalidDestination::Scheme(names::shorten(text)))?;
            return Ok(Self::Api(name.to_owned()));
        }
        match names::word(text) {
            Ok(name) => Ok(Self::Group(name.to_owned())),
            Err(_) => url(text).map(Self::Url),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(text) | Self::Group(text) => f.write_str(text),
            Self::Api(name) => write!(f, "{API}{name}"),
        }
    }
}

/// Checks a URL that is to be called, and returns it as it was given, as receivers compare it with
/// what they know; only what no request can carry is replaced. Whether it may be called, that is
/// whether its address is a public one, is not looked at here.
///
/// # Errors
///
/// An [`InvalidDestination`].
pub fn url(text: &str) -> Result<String, InvalidDestination> {
    let text = text.trim();
    if text.is_empty() {
        return Err(InvalidDestination::Missing);
    }
    if text.len() > MAX_URL {
        return Err(InvalidDestination::TooLong);
    }
    let text = repair(text);
    let malformed = |error| InvalidDestination::Malformed(names::shorten(&text), error);
    let url = match Url::parse(&text) {
        Ok(url) => url,
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            return Err(InvalidDestination::Scheme(names::shorten(&text)));
        }
        Err(error) => return Err(malformed(error)),
    };
    if !matches!(url.scheme(), "https" | "http") {
        return Err(InvalidDestination::Scheme(names::shorten(&text)));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(InvalidDestination::Credentials);
    }
    let is_plain = text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"\\#".contains(&byte));
    if is_plain {
        return Ok(text.into_owned());
    }
    let mut url = url;
    url.set_fragment(None);
    let written = String::from(url);
    (written.len() <= MAX_URL)
        .then_some(written)
        .ok_or(InvalidDestination::TooLong)
}

/// The token in the query of a request, where it is given there.
pub fn token(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs
        .find(|(name, _)| name == TOKEN)
        .map(|(_, value)| value.into_owned())
}

/// The options in the query of a request, with names in lower case: `?upstash-retries=3`.
pub fn options(query: &str) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(query.as_bytes());
    let named = pairs.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned()));
    named.filter(|(name, _)| name.starts_with(OPTION)).collect()
}

/// A query without the token and the options, otherwise byte for byte as it was.
fn own_query(query: &str) -> String {
    let is_own = |part: &&str| {
        let name = form_urlencoded::parse(part.as_bytes()).next();
        let name = name
            .map(|(name, _)| name.to_ascii_lowercase())
            .unwrap_or_default();
        name != TOKEN && !name.starts_with(OPTION)
    };
    let parts: Vec<&str> = query.split('&').filter(is_own).collect();
    parts.join("&")
}

/// Whether it begins with a scheme, and is not encoded as a whole.
fn has_scheme(path: &str) -> bool {
    path.split_once(':')
        .is_some_and(|(scheme, _)| names::word(scheme).is_ok())
}

fn decode(path: &str) -> Result<Cow<'_, str>, InvalidDestination> {
    let decoded = percent_decode_str(path).decode_utf8();
    decoded.map_err(|_| InvalidDestination::Encoding)
}

/// Puts the second slash back that proxies take away.
fn repair(text: &str) -> Cow<'_, str> {
    for scheme in ["https:/", "http:/"] {
        let (start, rest) = text.split_at_checked(scheme.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(scheme) && !rest.starts_with(['/', '\\']) {
            return format!("{start}/{rest}").into();
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(path: &str, query: &str) -> Result<Destination, InvalidDestination> {
        Destination::from_path(path, (!query.is_empty()).then_some(query))
    }

    fn called(path: &str, query: &str) -> String {
        match read(path, query) {
            Ok(Destination::Url(url)) => url,
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn urls_are_called_as_they_were_given() {
        for url in [
            "https://example.com",
            "https://example.com/",
            "https://example.com/123/",
            "http://localhost:3000/a//b/../c",
            "https://example.com/%2Fa%20b/%FF",
            "HTTPS://Example.com/A",
            "https://[::1]:8080/x",
            "https://example.com/http://other.example/",
        ] {
            assert_eq!(called(url, ""), url);
        }
    }

    #[test]
    fn the_query_is_the_destinations_but_for_token_and_options() {
        assert_eq!(
            called("https://example.com/123/", "asdasd=ooo"),
            "https://example.com/123/?asdasd=ooo"
        );
        assert_eq!(
            called(
                "https://e.com",
                "a=1&upstash-retries=3&b=%2F+%20&qstash_token=x&Upstash-Delay=5s&a&&c=é"
            ),
            "https://e.com/?a=1&b=%2F+%20&a&&c=%C3%A9"
        );
        assert_eq!(
            called("https://e.com/x", "upstash%2Dretries=3"),
            "https://e.com/x"
        );
        assert_eq!(
            called("https://e.com/x", "callback=upstash-1&q=qstash_token"),
            "https://e.com/x?callback=upstash-1&q=qstash_token"
        );
    }

    #[test]
    fn token_and_options_are_read_from_the_query() {
        let query = "a=1&qstash_token=k%20y&upstash-Retries=3&upstash-delay=1m";
        assert_eq!(token(query), Some("k y".to_owned()));
        assert_eq!(token("a=1"), None);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(
            options(query),
            [pair("upstash-retries", "3"), pair("upstash-delay", "1m")]
        );
    }

    #[test]
    fn what_proxies_do_to_paths_is_undone() {
        assert_eq!(called("https:/example.com/a", ""), "https://example.com/a");
        assert_eq!(called("http:/example.com", ""), "http://example.com");
        assert_eq!(
            called("https%3A%2F%2Fexample.com%2Fa%3Fb%3D1", ""),
            "https://example.com/a?b=1"
        );
    }

    #[test]
    fn other_names_are_groups_and_apis() {
        let group = |name: &str| Ok(Destination::Group(name.to_owned()));
        assert_eq!(read("my-group_1.x", "a=1"), group("my-group_1.x"));
        assert_eq!(read("my%2Dgroup", ""), group("my-group"));
        assert_eq!(read("api", ""), group("api"));
        for path in ["api/llm", "api%2Fllm"] {
            assert_eq!(read(path, ""), Ok(Destination::Api("llm".to_owned())));
        }
        assert_eq!(Destination::Api("llm".to_owned()).to_string(), "api/llm");
    }

    #[test]
    fn hostile_destinations_are_refused() {
        use InvalidDestination::{Credentials, Encoding, Malformed, Missing, Scheme, TooLong};

        let long = format!("https://example.com/{}", "a".repeat(100_000));
        assert_eq!(read(&long, ""), Err(TooLong));
        assert_eq!(
            read("https://example.com/", &"a".repeat(MAX_URL)),
            Err(TooLong)
        );
        assert_eq!(read(&"a".repeat(100_000), ""), Err(TooLong));
        for path in ["", "%20"] {
            assert_eq!(read(path, ""), Err(Missing), "{path:?}");
        }
        for path in [
            "https://user:pass@example.com/",
            "https://user@example.com",
            "https://:p@e.com",
            "http:/u@e.com",
        ] {
            assert_eq!(read(path, ""), Err(Credentials), "{path:?}");
        }
        for path in [
            "ftp://example.com/",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "data:text/plain,x",
            "gopher://e.com:70/1",
            "//example.com/a",
            "example.com/a",
            "a b",
            "api/",
            "api/a/b",
            "../x",
        ] {
            assert!(
                matches!(read(path, ""), Err(Scheme(_))),
                "{path:?}: {:?}",
                read(path, "")
            );
        }
        for path in [
            "https://",
            "https:///",
            "http://a b/",
            "https://exa mple.com",
            "https://e.com:99999/",
            "https://[::1/",
        ] {
            assert!(
                matches!(read(path, ""), Err(Malformed(..))),
                "{path:?}: {:?}",
                read(path, "")
            );
        }
        assert_eq!(read("%FF%FE", ""), Err(Encoding));
        assert_eq!(read("https%3A%2F%2Fe.com%2F%FF", ""), Err(Encoding));
    }

    #[test]
    fn what_no_request_can_carry_is_replaced() {
        assert_eq!(
            url(" https://e.com/a\r\nb#c "),
            Ok("https://e.com/ab".to_owned())
        );
        assert_eq!(
            url("https://e.com/é"),
            Ok("https://e.com/%C3%A9".to_owned())
        );
        assert_eq!(url("https:\\\\e.com\\a"), Ok("https://e.com/a".to_owned()));
        assert_eq!(url("https://e.com/{a}"), Ok("https://e.com/{a}".to_owned()));
    }

    proptest! {
        #[test]
        fn any_path_is_answered(path in ".*", query in proptest::option::of(".*")) {
            if let Ok(Destination::Url(url)) = Destination::from_path(&path, query.as_deref()) {
                prop_assert!(url.len() <= MAX_URL);
                prop_assert!(!url.contains(|char: char| char.is_control() || char == ' '));
                // What was accepted once is accepted unchanged.
                prop_assert_eq!(super::url(&url), Ok(url.clone()));
            }
        }

        #[test]
        fn anything_like_a_url_is_answered(
            scheme in "(https?|HTTP|ftp):/{0,3}",
            host in "[a-z0-9@:.%\\[\\]-]{0,20}",
            path in "[/a-z%?#&=\\\\ é]{0,20}",
        ) {
            let _ = Destination::from_path(&format!("{scheme}{host}{path}"), None);
        }
    }
}
