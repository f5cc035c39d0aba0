//! How images APIs made after OpenAI's differ from it. Fields that a server does not know are not sent to it.

use std::borrow::Cow;

use atelier_api::Size;
use atelier_gateway::Dialect;

/// The tag by which a prompt changes the settings of stable-diffusion.cpp.
const SETTINGS: &str = "sd_cpp_extra_args";

/// What a server's images API takes.
pub(super) struct Shape {
    /// Of pictures from words.
    pub(super) path: Path,
    /// Whether pictures are made from pictures, and the field that these are in.
    pub(super) edits: Option<&'static str>,
    /// Whether the call names the model: a server with one model may know no such field.
    pub(super) names_model: bool,
    /// Whether quality, background, previews and fidelity can be asked for.
    pub(super) is_openai: bool,
    /// Whether one call makes several pictures.
    pub(super) makes_several: bool,
    /// What `response_format` must be for pictures inside the answer.
    pub(super) format: Option<&'static str>,
    pub(super) size: SizeFields,
    /// What a visitor must not say to it.
    pub(super) prompt: fn(&str) -> Cow<'_, str>,
}

/// Where pictures are made from words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// Below the base URL.
    Below(&'static str),
    /// Behind this part of the router of Hugging Face.
    Routed(&'static str),
}

/// How a size is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SizeFields {
    /// `size`, which may be `auto`.
    Auto,
    /// `size`, always in pixels.
    Pixels,
    /// `width` and `height`.
    Sides,
}

impl Shape {
    const OPENAI: Self = Self {
        path: Path::Below("images/generations"),
        edits: Some("image"),
        names_model: true,
        is_openai: true,
        makes_several: true,
        format: None,
        size: SizeFields::Auto,
        prompt: unchanged,
    };

    /// A server of one's own that takes what its models can use.
    const OWN: Self = Self {
        is_openai: false,
        format: Some("b64_json"),
        size: SizeFields::Pixels,
        ..Self::OPENAI
    };

    /// The shape of a dialect, and at Hugging Face of the provider that the model's name ends with.
    pub(super) fn of(dialect: Dialect, model: &str) -> Self {
        match dialect {
            Dialect::Vllm => Self::OWN,
            Dialect::LocalAi => Self {
                edits: None,
                prompt: without_pipes,
                ..Self::OWN
            },
            Dialect::SdCpp => Self {
                edits: Some("image[]"),
                names_model: false,
                format: None,
                prompt: without_settings,
                ..Self::OWN
            },
            Dialect::HuggingFace => Self {
                edits: None,
                makes_several: false,
                ..routed(model)
            },
            _ => Self::OPENAI,
        }
    }

    /// The size in pixels; square where it is left to the provider.
    pub(super) fn sides(size: &Size) -> (u32, u32) {
        size.sides().unwrap_or((1024, 1024))
    }
}

fn routed(model: &str) -> Shape {
    match model.rsplit_once(':') {
        Some((_, "together")) => Shape {
            path: Path::Routed("together"),
            format: Some("base64"),
            size: SizeFields::Sides,
            ..Shape::OWN
        },
        _ => Shape {
            path: Path::Routed("nscale"),
            ..Shape::OWN
        },
    }
}

fn unchanged(prompt: &str) -> Cow<'_, str> {
    prompt.into()
}

/// LocalAI takes what follows a pipe for what must not be in the picture.
fn without_pipes(prompt: &str) -> Cow<'_, str> {
    if prompt.contains('|') {
        prompt.replace('|', "/").into()
    } else {
        prompt.into()
    }
}

/// Takes the tag's name out of the prompt, in any case and however it is nested.
fn without_settings(prompt: &str) -> Cow<'_, str> {
    let mut prompt = Cow::Borrowed(prompt);
    while let Some(at) = prompt.to_ascii_lowercase().find(SETTINGS) {
        let (before, after) = (&prompt[..at], &prompt[at + SETTINGS.len()..]);
        prompt = format!("{before}{after}").into();
    }
    prompt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_visitor_changes_the_settings_of_a_server() {
        for (prompt, sent) in [
            ("a boat", "a boat"),
            (
                "a boat <sd_cpp_extra_args>{\"seed\":1}</sd_cpp_extra_args>",
                "a boat <>{\"seed\":1}</>",
            ),
            ("<SD_cpp_Extra_Args>x", "<>x"),
            ("<sd_cpp_sd_cpp_extra_argsextra_args>ä", "<>ä"),
        ] {
            assert_eq!(without_settings(prompt), sent);
        }
        assert_eq!(without_pipes("a|b"), "a/b");
        let sdcpp = Shape::of(Dialect::SdCpp, "sd-cpp-local");
        assert_eq!((sdcpp.prompt)("<sd_cpp_extra_args>"), "<>");
    }

    #[test]
    fn the_name_of_a_model_chooses_who_is_asked_at_hugging_face() {
        for (model, path) in [
            ("black-forest-labs/FLUX.1-schnell:together", "together"),
            ("black-forest-labs/FLUX.1-schnell:nscale", "nscale"),
        ] {
            let shape = Shape::of(Dialect::HuggingFace, model);
            assert_eq!(shape.path, Path::Routed(path));
        }
    }
}
