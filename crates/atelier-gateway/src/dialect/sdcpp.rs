//! The server of stable-diffusion.cpp: pictures only, no key, no usage. A tag in a prompt
//! changes its settings, which is not for visitors to do.

use std::borrow::Cow;

use super::{Auth, Base, Row, StreamUsage};

const OPEN: &str = "<sd_cpp_extra_args>";
const CLOSE: &str = "</sd_cpp_extra_args>";

pub(super) const ROW: Row = Row {
    name: "sdcpp",
    base: Base::At("http://127.0.0.1:1234/v1"),
    auth: Auth::Nothing,
    usage: StreamUsage::Never,
    prompt: Some(without_settings),
    ..Row::OPENAI
};

/// The prompt without its settings. What is left never holds the tag, however it was nested.
pub(super) fn without_settings(prompt: &str) -> Cow<'_, str> {
    let mut prompt = Cow::Borrowed(prompt);
    while let Some((before, rest)) = prompt.split_once(OPEN) {
        let after = rest.split_once(CLOSE).map_or("", |(_, after)| after);
        prompt = Cow::Owned(format!("{before}{after}"));
    }
    prompt
}
