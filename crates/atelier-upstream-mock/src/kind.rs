//! Whom a stand-in stands for, and what is peculiar about each.

use crate::manner::{Form, Manner, Shown, UsageAt};

/// Whom a stand-in stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// OpenAI and Anthropic at once, below `/v1`.
    #[default]
    OpenAi,
    Azure,
    Gemini,
    Vertex,
    Watsonx,
    WatsonxGateway,
    HuggingFace,
    Anthropic,
    Mistral,
    Groq,
    OpenRouter,
    DeepSeek,
    Ollama,
    Vllm,
    LlamaCpp,
    LmStudio,
    LocalAi,
    SdCpp,
}

/// What Mistral knows of the fields of a chat; it refuses others.
const MISTRAL: &[&str] = &[
    "frequency_penalty",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_mode",
    "random_seed",
    "response_format",
    "safe_prompt",
    "stop",
    "stream",
    "temperature",
    "tool_choice",
    "tools",
    "top_p",
];

/// What watsonx.ai knows of them.
const WATSONX: &[&str] = &[
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "messages",
    "model_id",
    "n",
    "presence_penalty",
    "project_id",
    "response_format",
    "seed",
    "space_id",
    "stop",
    "temperature",
    "time_limit",
    "tool_choice",
    "tool_choice_option",
    "tools",
    "top_logprobs",
    "top_p",
];

/// What stable-diffusion.cpp makes of a picture's fields.
const SDCPP: &[&str] = &[
    "model",
    "n",
    "output_compression",
    "output_format",
    "prompt",
    "response_format",
    "size",
];

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 18] = [
        Kind::OpenAi,
        Kind::Azure,
        Kind::Gemini,
        Kind::Vertex,
        Kind::Watsonx,
        Kind::WatsonxGateway,
        Kind::HuggingFace,
        Kind::Anthropic,
        Kind::Mistral,
        Kind::Groq,
        Kind::OpenRouter,
        Kind::DeepSeek,
        Kind::Ollama,
        Kind::Vllm,
        Kind::LlamaCpp,
        Kind::LmStudio,
        Kind::LocalAi,
        Kind::SdCpp,
    ];

    /// As the gateway's configuration names it.
    pub fn name(self) -> &'static str {
        self.manner().name
    }

    /// A model that it has.
    pub fn model(self) -> &'static str {
        self.manner().model
    }

    /// What stands before the paths of its operations.
    pub fn base(self) -> &'static str {
        self.manner().base
    }

    pub(crate) fn manner(self) -> Manner {
        let plain = Manner::OPENAI;
        match self {
            Kind::OpenAi => plain,
            Kind::Azure => Manner {
                name: "azure",
                base: "/openai/v1",
                shown: Shown::In("api-key"),
                model: "our-deployment",
                ..plain
            },
            Kind::Gemini => Manner {
                name: "gemini",
                base: "/v1beta/openai",
                model: "gemini-3.8-flash",
                usage: UsageAt::EveryChunk,
                form: Form::Google,
                ..plain
            },
            Kind::Vertex => Manner {
                name: "vertex",
                base: "/v1/projects/ours/locations/global/endpoints/openapi",
                shown: Shown::Token,
                model: "google/gemini-3.5-flash",
                usage: UsageAt::EveryChunk,
                form: Form::Google,
                lists: false,
                embeds: false,
                ..plain
            },
            Kind::Watsonx => Manner {
                name: "watsonx",
                base: "/ml/v1",
                shown: Shown::Token,
                query: Some("version"),
                model: "ibm/granite-4-h-small",
                known: Some(WATSONX),
                usage: UsageAt::OwnChunk,
                form: Form::Ibm,
                ..plain
            },
            Kind::WatsonxGateway => Manner {
                name: "watsonx-gateway",
                base: "/ml/gateway/v1",
                shown: Shown::Token,
                model: "azure/gpt-4o",
                form: Form::Ibm,
                ..plain
            },
            Kind::HuggingFace => Manner {
                name: "huggingface",
                model: "openai/gpt-oss-120b:cheapest",
                form: Form::Text,
                ..plain
            },
            Kind::Anthropic => Manner {
                name: "anthropic",
                model: "claude-sonnet-5",
                shown: Shown::Anthropic,
                form: Form::Anthropic,
                embeds: false,
                ..plain
            },
            Kind::Mistral => Manner {
                name: "mistral",
                model: "mistral-small-latest",
                known: Some(MISTRAL),
                usage: UsageAt::LastChunk,
                form: Form::FastApi,
                ..plain
            },
            Kind::Groq => Manner {
                name: "groq",
                base: "/openai/v1",
                model: "llama-3.3-70b-versatile",
                refuses: &["logit_bias", "logprobs", "top_logprobs"],
                usage: UsageAt::XGroq,
                embeds: false,
                ..plain
            },
            Kind::OpenRouter => Manner {
                name: "openrouter",
                base: "/api/v1",
                model: "openai/gpt-5-mini",
                usage: UsageAt::WithCost,
                form: Form::Number,
                ..plain
            },
            Kind::DeepSeek => Manner {
                name: "deepseek",
                base: "",
                model: "deepseek-flash",
                embeds: false,
                ..plain
            },
            Kind::Ollama => Manner {
                name: "ollama",
                shown: Shown::Anything,
                model: "llama3.2",
                ..plain
            },
            Kind::Vllm => Manner {
                name: "vllm",
                model: "Qwen/Qwen3-8B",
                form: Form::Number,
                ..plain
            },
            Kind::LlamaCpp => Manner {
                name: "llamacpp",
                shown: Shown::Nothing,
                model: "gpt-oss-20b.gguf",
                form: Form::Number,
                ..plain
            },
            Kind::LmStudio => Manner {
                name: "lmstudio",
                shown: Shown::Anything,
                model: "qwen3-8b",
                form: Form::Text,
                ..plain
            },
            Kind::LocalAi => Manner {
                name: "localai",
                model: "phi-4",
                form: Form::Number,
                ..plain
            },
            Kind::SdCpp => Manner {
                name: "sdcpp",
                shown: Shown::Nothing,
                model: "sd-cpp-local",
                known: Some(SDCPP),
                form: Form::Text,
                chats: false,
                embeds: false,
                ..plain
            },
        }
    }
}
