//! `POST /api/images`: JSON from programs and islands, a form from a browser
//! without JavaScript, and one with files where pictures are attached.

use std::sync::LazyLock;

use atelier_api::{Background, Extend, Kind, MAX_PROMPT_CHARS, Quality, STYLES, Size};
use axum::{
    Form,
    body::Bytes,
    extract::{FromRequest, Request, State as AxumState},
    http::{HeaderMap, header},
    response::Response,
};
use regex::Regex;
use serde::{Deserialize, Deserializer};

use crate::http::{
    Error, Result, State,
    api::attaching::{self, Sent},
    api::choosing::choose,
    api::enlarging::{Made, NO_PICTURE},
    api::sizes::{checked, size_of},
    api::submission::{Submission, hooks},
    pools::Origin,
};
use crate::{
    app::{self, Caller, Order, extras::Extras},
    job::{ImageTask, Source},
    providers::Offers,
};

/// Largest JSON or form body in bytes: the longest prompt, escaped.
pub(crate) const MAX_BODY: usize = 512 * 1024;

/// The most pictures one request may ask for (OpenAI's own limit).
const MAX_IMAGES: u32 = 10;

/// Why nothing else is taken with `enlarge` and `extend`.
const KEEPS_ALL: &str = "The picture keeps its words, its style and its shape: leave those out.";

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    prompt: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none")]
    size: Option<Size>,
    #[serde(default, deserialize_with = "blank_is_none")]
    quality: Option<Quality>,
    n: Option<u32>,
    #[serde(default, deserialize_with = "blank_is_none")]
    style: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none")]
    background: Option<Background>,
    /// One of those that are offered.
    #[serde(default, deserialize_with = "blank_is_none")]
    model: Option<String>,
    /// A job, by id or address, whose picture is changed as the prompt says.
    #[serde(default, deserialize_with = "blank_is_none")]
    from: Option<String>,
    /// Which of its pictures, counted from 1.
    picture: Option<usize>,
    /// A job, by id or address, whose attached pictures are attached again.
    #[serde(default, deserialize_with = "blank_is_none")]
    attached: Option<String>,
    /// How many times as wide and high that picture is to be, as it is otherwise.
    enlarge: Option<u32>,
    /// Where that picture is to be continued beyond its frame.
    #[serde(default, deserialize_with = "blank_is_none")]
    extend: Option<Extend>,
    #[serde(default)]
    fresh: bool,
    #[serde(default, deserialize_with = "blank_is_none")]
    callback_url: Option<String>,
    #[serde(default, deserialize_with = "blank_is_none")]
    failure_callback_url: Option<String>,
}

/// An empty form field counts as absent.
fn blank_is_none<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.filter(|text| !text.is_empty()).map(T::from))
}

pub(crate) async fn submit(
    AxumState(state): AxumState<State>,
    caller: Caller,
    request: Request,
) -> Result<Response> {
    let submission = Submission::new(state, caller, request.headers())?;
    if let Some(answer) = submission.answered_before(Kind::Image).await? {
        return Ok(answer);
    }
    let origin = Origin::from(&submission.caller);
    let (state, caller) = (&submission.state, &submission.caller);
    let _permit;
    let (mut body, sent) = if media_type(request.headers()) == "multipart/form-data" {
        _permit = (state.pools.upload_permits.try_acquire(&origin)).ok_or(app::Error::Busy)?;
        let (fields, sent) = attaching::read(state, caller, request).await?;
        (filled_in(fields, state).await?, sent)
    } else {
        (read(request, state).await?, Sent::default())
    };
    let hooks = hooks(
        state,
        caller,
        body.callback_url.take(),
        body.failure_callback_url.take(),
    )?;
    let fresh = body.fresh;
    let earlier = body.attached.take();
    let chosen = choose(state, Kind::Image, body.model.as_deref())?;
    let offers = chosen.model.offers();
    let order = body.order(state, caller, offers).await?;
    let order = attaching::earlier(state, caller, order, offers, earlier, &sent).await?;
    let submission = submission.under(fresh, hooks, chosen.name);
    let work = async move |mut submission: Submission| {
        let accepted = attaching::hand_in(&mut submission, &origin, order, sent).await?;
        Ok(submission.answer(accepted))
    };
    submission.carry_out(work).await
}

fn media_type(headers: &HeaderMap) -> &str {
    let named = headers.get(header::CONTENT_TYPE);
    let named = named.and_then(|value| value.to_str().ok()?.split(';').next());
    named.unwrap_or_default().trim()
}

/// Reads the fields of a form that has files, too.
async fn filled_in(fields: String, state: &State) -> Result<Body> {
    let request = Request::post("/").header(header::CONTENT_TYPE, FORM);
    let request = request.body(fields.into()).map_err(anyhow::Error::from)?;
    read(request, state).await
}

async fn read(request: Request, state: &State) -> Result<Body> {
    let media_type = media_type(request.headers());
    match media_type {
        "application/json" => {
            let bytes = Bytes::from_request(request, state).await?;
            serde_json::from_slice(&bytes)
                .map_err(|error| Error::Malformed(format!("The JSON is not right: {error}.")))
        }
        FORM => Ok(Form::<Body>::from_request(request, state).await?.0),
        _ => Err(Error::Unsupported {
            expected: "application/json, or a form, with files where pictures are attached",
        }),
    }
}

impl Body {
    async fn order(mut self, state: &State, caller: &Caller, offers: Offers) -> Result<Order> {
        if let Some(times) = self.enlarge {
            return self.enlarged(state, caller, times).await;
        }
        let made = self.source(state, caller, offers).await?;
        let task = match (self.extend.take(), made) {
            (None, made) => self.task(state, offers, made.map(|made| made.source))?,
            (Some(extend), Some(made)) if self.keeps_all_of(&made) => {
                made.extended(offers, extend)?
            }
            (Some(_), Some(_)) => return Err(Error::invalid("extend", KEEPS_ALL)),
            (Some(_), None) => return Err(Error::invalid("from", "Say which picture, by `from`.")),
        };
        Ok(Order::Image(task))
    }

    /// Whether nothing is asked for but the picture itself.
    fn keeps_all_of(&self, made: &Made) -> bool {
        let other = self.size.is_some()
            || self.quality.is_some()
            || self.style.is_some()
            || self.background.is_some()
            || self.n.is_some_and(|n| n != 1);
        !other && made.has_words(self.prompt.as_deref())
    }

    /// An enlarged picture keeps everything else.
    async fn enlarged(self, state: &State, caller: &Caller, times: u32) -> Result<Order> {
        let from = self.from.as_deref().unwrap_or_default();
        let made = Made::find(state, caller, from, self.picture.unwrap_or(1)).await?;
        let made = made.ok_or_else(|| {
            Error::invalid("from", "Only pictures made from words are enlarged here.")
        })?;
        if self.model.is_some() || !self.keeps_all_of(&made) {
            return Err(Error::invalid("enlarge", KEEPS_ALL));
        }
        let model = state.studio.models.of(Kind::Restoration);
        made.enlarged(model.offers(), times)
    }

    /// The source picture: one of the caller's own that was made from a prompt.
    async fn source(&self, state: &State, caller: &Caller, offers: Offers) -> Result<Option<Made>> {
        let Some(id) = &self.from else {
            return Ok(None);
        };
        if !offers.edits {
            let detail = "The model in use makes no pictures from pictures.";
            return Err(Error::invalid("from", detail));
        }
        let made = Made::find(state, caller, id, self.picture.unwrap_or(1)).await?;
        let made = made.ok_or_else(|| Error::invalid("from", NO_PICTURE))?;
        Ok(Some(made))
    }

    fn task(self, state: &State, offers: Offers, source: Option<Source>) -> Result<ImageTask> {
        let missing = || Error::Malformed("The JSON is not right: missing field `prompt`.".into());
        let asked = self.prompt.ok_or_else(missing)?;
        let quality = quality(self.quality)?;
        let style = self.style.map(|asked| style(asked, &state.extras));
        let (style, style_words) = style.transpose()?.unzip();
        let background = background(self.background, offers)?;
        let n = number(self.n)?;
        let size = match (self.size, &source) {
            (Some(size), _) => checked(size)?,
            (None, Some(source)) => size_of(&source.picture),
            (None, None) => Size::Auto,
        };
        Ok(ImageTask {
            quality,
            style,
            style_words: style_words.flatten(),
            background,
            source,
            ..ImageTask::of(prompt(&asked)?, size, n)
        })
    }
}

fn quality(asked: Option<Quality>) -> Result<Quality> {
    match asked.unwrap_or_default() {
        Quality::Other(_) => Err(none_of("quality", Quality::ALL.iter().map(Quality::as_str))),
        quality => Ok(quality),
    }
}

/// The style, and its words if it is the operator's own.
fn style(asked: String, extras: &Extras) -> Result<(String, Option<String>)> {
    if STYLES.iter().any(|known| known.id == asked) {
        return Ok((asked, None));
    }
    if let Some(words) = extras.words(&asked) {
        let words = words.to_owned();
        return Ok((asked, Some(words)));
    }
    let own = extras.styles.iter().map(|style| style.name.as_str());
    Err(none_of(
        "style",
        STYLES.iter().map(|style| style.id).chain(own),
    ))
}

fn background(asked: Option<Background>, offers: Offers) -> Result<Background> {
    match asked.unwrap_or_default() {
        Background::Other(_) => {
            let known = Background::ALL.iter().map(Background::as_str);
            Err(none_of("background", known))
        }
        background if background != Background::Auto && !offers.backgrounds => {
            let detail = "The model in use chooses the background itself.";
            Err(Error::invalid("background", detail))
        }
        background => Ok(background),
    }
}

fn number(asked: Option<u32>) -> Result<u32> {
    let n = asked.unwrap_or(1);
    if (1..=MAX_IMAGES).contains(&n) {
        return Ok(n);
    }
    let detail = format!("n is a number from 1 to {MAX_IMAGES}.");
    Err(Error::invalid("n", detail))
}

pub(crate) fn none_of<'a>(name: &'static str, known: impl Iterator<Item = &'a str>) -> Error {
    let known: Vec<_> = known.collect();
    Error::invalid(name, format!("The {name} is one of {}.", known.join(", ")))
}

/// Whether the character is a space or has no glyph (Unicode's Default_Ignorable_Code_Point, and the blank
/// Braille pattern).
#[expect(clippy::unwrap_used, reason = "the pattern is a constant, and tested")]
static INVISIBLE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\s\p{Default_Ignorable_Code_Point}\u{2800}]*$").unwrap());

fn prompt(text: &str) -> Result<String> {
    // Forms send line breaks as CRLF, scripts as LF.
    let text = text.trim().replace("\r\n", "\n");
    if INVISIBLE.is_match(&text) {
        return Err(Error::invalid(
            "prompt",
            "The prompt is empty. Say what the picture should show.",
        ));
    }
    let length = text.chars().count();
    if length > MAX_PROMPT_CHARS {
        let detail =
            format!("The prompt has {length} characters; at most {MAX_PROMPT_CHARS} are taken.");
        return Err(Error::invalid("prompt", detail));
    }
    if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        let detail = "The prompt contains control characters. Type or paste it as plain text.";
        return Err(Error::invalid("prompt", detail));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_are_checked() {
        assert_eq!(prompt("  a boat\r\n at sea ").unwrap(), "a boat\n at sea");
        assert!(prompt(" \n\t ").is_err());
        for nothing in [
            "\u{200b}",
            "\u{feff}\u{2060} \u{ad}",
            "\u{200d}\u{fe0f}",
            "\u{3164}\u{2800}",
        ] {
            assert!(prompt(nothing).is_err(), "{nothing:?}");
        }
        assert!(prompt("\u{200b}a").is_ok() && prompt("\u{1f408}\u{fe0f}").is_ok());
        assert!(prompt("a\u{0}b").is_err());
        assert!(prompt("a\u{1b}[31mb").is_err());
        assert!(prompt(&"ä".repeat(32_000)).is_ok());
        assert!(prompt(&"ä".repeat(32_001)).is_err());
    }
}
