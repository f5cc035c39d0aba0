//! Queries, with errors as problem documents.

use std::{borrow::Cow, convert::Infallible, fmt::Display};

use axum::{extract::FromRequestParts, http::request::Parts};
use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, Error as _,
        value::{Error as Mistake, MapDeserializer},
    },
};
use url::form_urlencoded;

use crate::http::{Error, Result};

/// A query as a value. Each field of that is a [`value`], or ignored.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> Query<T> {
    fn read(query: Option<&str>) -> Result<Self> {
        let fields = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let value = T::deserialize(MapDeserializer::new(fields));
        value.map(Self).map_err(|mistake| detail(&mistake))
    }

    #[cfg(test)]
    pub(crate) fn of(query: &str) -> Result<T> {
        Self::read(Some(query)).map(|Self(value)| value)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        Self::read(parts.uri.query())
    }
}

/// What a field says is a sentence; what serde says is not.
fn detail(mistake: &Mistake) -> Error {
    let mistake = mistake.to_string();
    Error::Malformed(if mistake.ends_with('.') {
        mistake
    } else {
        format!("The query is not right: {mistake}.")
    })
}

/// A field that `read` understands, or says in a sentence what is expected.
pub(crate) fn value<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, D::Error> {
    let text = Cow::<str>::deserialize(deserializer)?;
    read(&text).map_err(D::Error::custom)
}

/// The same for a field that counts as absent if it is empty.
pub(crate) fn optional<'de, D: Deserializer<'de>, T, E: Display>(
    deserializer: D,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, D::Error> {
    value(deserializer, |text| match text {
        "" => Ok(None),
        text => read(text).map(Some),
    })
}

/// A text, unless it is empty.
pub(crate) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    optional(deserializer, |text| Ok::<_, Infallible>(text.to_owned()))
}

/// The value of a parameter of any query, unless it is empty.
pub(crate) fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<Cow<'a, str>> {
    let mut fields = form_urlencoded::parse(query?.as_bytes());
    let (_, value) = fields.find(|(field, _)| field == name)?;
    Some(value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        #[serde(default, deserialize_with = "text")]
        cursor: Option<String>,
        #[serde(default, deserialize_with = "even")]
        even: Option<u8>,
    }

    fn even<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
        optional(deserializer, |text| {
            let number: Option<u8> = text.parse().ok();
            let number = number.filter(|number| number % 2 == 0);
            number.ok_or("even is an even number.")
        })
    }

    #[test]
    fn a_query_is_read_or_the_mistake_is_named() {
        let wanted = Query::<Wanted>::of("cursor=a%20b&even=2").unwrap();
        assert_eq!(
            (wanted.cursor.as_deref(), wanted.even),
            (Some("a b"), Some(2))
        );
        let wanted = Query::<Wanted>::of("cursor=&even=").unwrap();
        assert_eq!((wanted.cursor, wanted.even), (None, None));
        for (query, mistake) in [
            ("even=3", "even is an even number."),
            (
                "evne=2",
                "The query is not right: unknown field `evne`, expected `cursor` or `even`.",
            ),
            (
                "even=2&even=4",
                "The query is not right: duplicate field `even`.",
            ),
        ] {
            let Err(Error::Malformed(detail)) = Query::<Wanted>::of(query) else {
                panic!("{query} is read");
            };
            assert_eq!(detail, mistake);
        }
    }

    #[test]
    fn a_parameter_is_found_among_others() {
        let query = Some("a=1&key=x_%2D&key=y");
        assert_eq!(parameter(query, "key").as_deref(), Some("x_-"));
        for query in [None, Some(""), Some("key="), Some("keys=1")] {
            assert_eq!(parameter(query, "key"), None);
        }
    }
}
