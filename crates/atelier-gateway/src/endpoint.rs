//! The operations of the two APIs.

/// An operation that the gateway knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    ChatCompletions,
    /// `POST /v1/completions`
    Completions,
    /// `POST /v1/responses`
    Responses,
    /// `POST /v1/embeddings`
    Embeddings,
    /// `POST /v1/moderations`
    Moderations,
    /// `POST /v1/images/generations`
    ImageGenerations,
    /// `POST /v1/images/edits`
    ImageEdits,
    /// `POST /v1/audio/speech`
    Speech,
    /// `POST /v1/audio/transcriptions`
    Transcriptions,
    /// `POST /v1/audio/translations`
    Translations,
    /// `POST /v1/messages`, of Anthropic
    Messages,
    /// `POST /v1/messages/count_tokens`, of Anthropic
    CountTokens,
}

/// Whose format requests, answers and errors have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wire {
    /// OpenAI's, which most providers and local servers speak.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

impl Endpoint {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::ChatCompletions,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Moderations,
        Self::ImageGenerations,
        Self::ImageEdits,
        Self::Speech,
        Self::Transcriptions,
        Self::Translations,
        Self::Messages,
        Self::CountTokens,
    ];

    /// Returns the operation whose [path](Self::path) this is.
    pub fn from_path(path: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.path() == path)
    }

    /// The path below `/v1`, which is where base URLs of upstreams end as well.
    pub const fn path(self) -> &'static str {
        match self {
            Self::ChatCompletions => "/chat/completions",
            Self::Completions => "/completions",
            Self::Responses => "/responses",
            Self::Embeddings => "/embeddings",
            Self::Moderations => "/moderations",
            Self::ImageGenerations => "/images/generations",
            Self::ImageEdits => "/images/edits",
            Self::Speech => "/audio/speech",
            Self::Transcriptions => "/audio/transcriptions",
            Self::Translations => "/audio/translations",
            Self::Messages => "/messages",
            Self::CountTokens => "/messages/count_tokens",
        }
    }

    /// The action that policies name.
    pub const fn action(self) -> &'static str {
        match self {
            Self::ChatCompletions | Self::Completions | Self::Responses | Self::Messages => "chat",
            Self::Embeddings => "embedding",
            Self::ImageGenerations | Self::ImageEdits => "image",
            Self::Speech | Self::Transcriptions | Self::Translations => "audio",
            Self::Moderations | Self::CountTokens => "other",
        }
    }

    /// Whose format it has.
    pub const fn wire(self) -> Wire {
        match self {
            Self::Messages | Self::CountTokens => Wire::Anthropic,
            _ => Wire::OpenAi,
        }
    }

    /// Whether answers are JSON objects, or streams that amount to one. Speech is not, and
    /// transcriptions can be asked for as text.
    pub const fn answers_json(self) -> bool {
        !matches!(self, Self::Speech)
    }

    /// Whether it asks a model to speak, so that its output is counted in tokens.
    pub(crate) const fn is_generation(self) -> bool {
        matches!(
            self,
            Self::ChatCompletions | Self::Completions | Self::Responses | Self::Messages
        )
    }

    pub(crate) const fn is_image(self) -> bool {
        matches!(self, Self::ImageGenerations | Self::ImageEdits)
    }

    /// Whether a call must name its model. The others have a default at OpenAI.
    pub(crate) const fn needs_model(self) -> bool {
        !matches!(
            self,
            Self::Responses | Self::Moderations | Self::ImageGenerations | Self::ImageEdits
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_leads_back() {
        for endpoint in Endpoint::ALL {
            assert_eq!(Endpoint::from_path(endpoint.path()), Some(endpoint));
        }
        for other in [
            "",
            "/",
            "/chat",
            "/chat/completions/",
            "chat/completions",
            "/files",
        ] {
            assert_eq!(Endpoint::from_path(other), None, "{other}");
        }
    }
}
