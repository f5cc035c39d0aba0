//! Conditional requests (RFC 9110, 13) for what has an entity tag and no date.

use axum::http::{HeaderMap, header};
use axum_extra::headers::{ETag, HeaderMapExt as _, IfMatch, IfNoneMatch, IfRange};

use crate::http::{Error, Result};

/// What is to be sent after evaluating the preconditions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Content,
    /// The client has this version: 304.
    NotModified,
}

/// Evaluates `If-Match` and `If-None-Match` in this order (13.2.2), ignoring unreadable ones. Errors if
/// `If-Match` names another version.
pub(crate) fn wanted(headers: &HeaderMap, etag: &ETag) -> Result<Wanted> {
    let matches = headers.typed_get::<IfMatch>();
    if matches.is_some_and(|matches| !matches.precondition_passes(etag)) {
        return Err(Error::PreconditionFailed);
    }
    let differs = headers.typed_get::<IfNoneMatch>();
    Ok(
        if differs.is_none_or(|known| known.precondition_passes(etag)) {
            Wanted::Content
        } else {
            Wanted::NotModified
        },
    )
}

/// Whether a range of this version may be sent: `If-Range` with another tag, a weak one or a date requires
/// the whole (13.1.5).
pub(crate) fn range_applies(headers: &HeaderMap, etag: &ETag) -> bool {
    !headers.contains_key(header::IF_RANGE)
        || headers
            .typed_get::<IfRange>()
            .is_some_and(|known| !known.is_modified(Some(etag), None))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn sent(name: &HeaderName, values: &[&'static str]) -> HeaderMap {
        let values = values.iter().map(|value| HeaderValue::from_static(value));
        values.map(|value| (name.clone(), value)).collect()
    }

    fn tag() -> ETag {
        "\"a.png-320\"".parse().unwrap()
    }

    #[test]
    fn a_tag_that_is_known_is_not_sent_again() {
        for (values, known) in [
            (&["\"a.png-320\""][..], true),
            (&["W/\"a.png-320\""], true),
            (&["\"x\", W/\"y\",\"a.png-320\" , \"z\""], true),
            (&["\"x\"", "\"a.png-320\""], true),
            (&["*"], true),
            (&["\"a.png-640\""], false),
            (&["\"a.png-3\""], false),
            (&["a.png-320"], false),
            (&["\"x,a.png-320\""], false),
            (&[""], false),
        ] {
            let found = wanted(&sent(&header::IF_NONE_MATCH, values), &tag()).unwrap();
            assert_eq!(found == Wanted::NotModified, known, "{values:?}");
        }
        assert_eq!(wanted(&HeaderMap::new(), &tag()).unwrap(), Wanted::Content);
    }

    #[test]
    fn another_version_is_not_what_was_asked_for() {
        for (value, passes) in [
            ("\"a.png-320\"", true),
            ("\"x\", \"a.png-320\"", true),
            ("*", true),
            ("W/\"a.png-320\"", false),
            ("\"x\"", false),
        ] {
            let found = wanted(&sent(&header::IF_MATCH, &[value]), &tag());
            assert_eq!(found.is_ok(), passes, "{value}");
        }
    }

    #[test]
    fn a_range_is_of_one_version() {
        for (value, applies) in [
            ("\"a.png-320\"", true),
            ("W/\"a.png-320\"", false),
            ("\"x\"", false),
            ("Wed, 21 Oct 2015 07:28:00 GMT", false),
            ("never", false),
        ] {
            let headers = sent(&header::IF_RANGE, &[value]);
            assert_eq!(range_applies(&headers, &tag()), applies, "{value}");
        }
        assert!(range_applies(&HeaderMap::new(), &tag()));
    }
}
