//! How upstreams differ that speak OpenAI's API, or Anthropic's: one file for each, which is
//! a row of data and the few functions that it needs besides.

mod anthropic;
mod azure;
mod deepseek;
mod gemini;
mod groq;
mod huggingface;
mod llamacpp;
mod lmstudio;
mod localai;
mod mistral;
mod ollama;
mod openai;
mod openrouter;
mod row;
mod sdcpp;
mod vertex;
mod vllm;
mod watsonx;
mod watsonx_gateway;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::row::{Auth, Listing, StreamUsage};
pub(crate) use self::row::{Base, Row};
use crate::{Endpoint, Wire, sse::Event};

/// What an upstream is: whose API it speaks, and how its own differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// OpenAI, and whatever does as OpenAI does.
    #[default]
    OpenAi,
    /// Azure OpenAI, version 1 of its API.
    Azure,
    /// Google AI Studio.
    Gemini,
    /// Google Vertex AI, which takes the tokens of a service account only.
    Vertex,
    /// IBM watsonx.ai, its own API.
    Watsonx,
    /// The model gateway of IBM watsonx.ai.
    #[serde(rename = "watsonx-gateway")]
    WatsonxGateway,
    /// Hugging Face's Inference Providers.
    HuggingFace,
    /// Anthropic.
    Anthropic,
    /// Mistral.
    Mistral,
    /// Groq.
    Groq,
    /// OpenRouter.
    OpenRouter,
    /// DeepSeek.
    DeepSeek,
    /// Ollama, on a machine of one's own or in its cloud.
    Ollama,
    /// vLLM.
    Vllm,
    /// The server of llama.cpp.
    LlamaCpp,
    /// LM Studio.
    LmStudio,
    /// LocalAI.
    LocalAi,
    /// The server of stable-diffusion.cpp, which makes pictures only.
    SdCpp,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::OpenAi,
        Self::Azure,
        Self::Gemini,
        Self::Vertex,
        Self::Watsonx,
        Self::WatsonxGateway,
        Self::HuggingFace,
        Self::Anthropic,
        Self::Mistral,
        Self::Groq,
        Self::OpenRouter,
        Self::DeepSeek,
        Self::Ollama,
        Self::Vllm,
        Self::LlamaCpp,
        Self::LmStudio,
        Self::LocalAi,
        Self::SdCpp,
    ];

    /// Its name in the configuration.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// Whose format it has.
    pub const fn wire(self) -> Wire {
        self.row().wire
    }

    /// How its key is sent.
    pub const fn auth(self) -> Auth {
        self.row().auth
    }

    /// How its models are known.
    pub const fn listing(self) -> Listing {
        self.row().listing
    }

    /// Where streams tell their usage.
    pub const fn stream_usage(self) -> StreamUsage {
        self.row().usage
    }

    /// Whether it has no models that speak.
    pub const fn makes_pictures_only(self) -> bool {
        matches!(self, Self::SdCpp)
    }

    /// Makes OpenAI's of an answer of this dialect. Returns whether it had to be changed.
    pub fn read_answer(self, endpoint: Endpoint, answer: &mut Value) -> bool {
        let change = self.row().answer;
        if let Some(change) = change {
            change(answer, endpoint, false);
        }
        change.is_some()
    }

    /// Makes OpenAI's of an event of a stream of this dialect; nothing else is changed.
    pub fn read_event(self, endpoint: Endpoint, event: Event) -> Event {
        let read = |data: &Bytes| serde_json::from_slice::<Value>(data).ok();
        let Some(change) = self.row().answer else {
            return event;
        };
        let Some(mut value) = event.data.as_ref().and_then(read) else {
            return event;
        };
        change(&mut value, endpoint, true);
        let data = Bytes::from(value.to_string());
        let raw = [b"data: ", &*data, b"\n\n"].concat();
        Event {
            raw: raw.into(),
            name: event.name,
            data: Some(data),
        }
    }

    pub(crate) const fn row(self) -> &'static Row {
        match self {
            Self::OpenAi => &openai::ROW,
            Self::Azure => &azure::ROW,
            Self::Gemini => &gemini::ROW,
            Self::Vertex => &vertex::ROW,
            Self::Watsonx => &watsonx::ROW,
            Self::WatsonxGateway => &watsonx_gateway::ROW,
            Self::HuggingFace => &huggingface::ROW,
            Self::Anthropic => &anthropic::ROW,
            Self::Mistral => &mistral::ROW,
            Self::Groq => &groq::ROW,
            Self::OpenRouter => &openrouter::ROW,
            Self::DeepSeek => &deepseek::ROW,
            Self::Ollama => &ollama::ROW,
            Self::Vllm => &vllm::ROW,
            Self::LlamaCpp => &llamacpp::ROW,
            Self::LmStudio => &lmstudio::ROW,
            Self::LocalAi => &localai::ROW,
            Self::SdCpp => &sdcpp::ROW,
        }
    }
}

#[cfg(test)]
mod tests;
