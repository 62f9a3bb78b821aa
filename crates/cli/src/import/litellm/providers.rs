//! LiteLLM's names of providers, and where each is here.
//! What speaks another format than OpenAI's, and has no address that speaks it, can't be served.

/// Where a provider of LiteLLM's is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A built-in provider of that slug.
    BuiltIn(&'static str),
    /// At this address, unless another is given.
    At(&'static str),
    /// At the address that is given, with this behind it.
    Given(&'static str),
}

/// A provider of LiteLLM's.
#[derive(Clone, Copy, Debug)]
pub(super) struct Provider {
    pub(super) name: &'static str,
    pub(super) place: Place,
    /// The variable LiteLLM takes its key from where none is named; none where it needs no key.
    pub(super) key: Option<&'static str>,
}

const fn at(name: &'static str, place: Place, key: &'static str) -> Provider {
    Provider { name, place, key: Some(key) }
}

const fn open(name: &'static str, place: Place) -> Provider {
    Provider { name, place, key: None }
}

/// Those that speak OpenAI's format.
const PROVIDERS: &[Provider] = &[
    at("openai", Place::BuiltIn("openai"), "OPENAI_API_KEY"),
    at("anthropic", Place::BuiltIn("anthropic"), "ANTHROPIC_API_KEY"),
    at("azure", Place::Given("/openai/v1"), "AZURE_API_KEY"),
    at("cerebras", Place::BuiltIn("cerebras"), "CEREBRAS_API_KEY"),
    at("custom_openai", Place::Given(""), "OPENAI_API_KEY"),
    at("deepinfra", Place::BuiltIn("deepinfra"), "DEEPINFRA_API_KEY"),
    at("deepseek", Place::BuiltIn("deepseek"), "DEEPSEEK_API_KEY"),
    at("fireworks_ai", Place::BuiltIn("fireworks"), "FIREWORKS_API_KEY"),
    at("gemini", Place::BuiltIn("google-ai-studio"), "GEMINI_API_KEY"),
    at("groq", Place::BuiltIn("groq"), "GROQ_API_KEY"),
    open("hosted_vllm", Place::Given("")),
    at("hyperbolic", Place::At("https://api.hyperbolic.xyz/v1"), "HYPERBOLIC_API_KEY"),
    at("litellm_proxy", Place::Given(""), "LITELLM_PROXY_API_KEY"),
    open("llamafile", Place::At("http://127.0.0.1:8080/v1")),
    open("lm_studio", Place::Given("")),
    at("mistral", Place::BuiltIn("mistral"), "MISTRAL_API_KEY"),
    at("moonshot", Place::BuiltIn("moonshotai"), "MOONSHOT_API_KEY"),
    at("nebius", Place::At("https://api.studio.nebius.ai/v1"), "NEBIUS_API_KEY"),
    at("novita", Place::At("https://api.novita.ai/v3/openai"), "NOVITA_API_KEY"),
    at("nvidia_nim", Place::At("https://integrate.api.nvidia.com/v1"), "NVIDIA_NIM_API_KEY"),
    open("ollama", Place::Given("/v1")),
    open("ollama_chat", Place::Given("/v1")),
    at("openai_like", Place::Given(""), "OPENAI_LIKE_API_KEY"),
    at("openrouter", Place::BuiltIn("openrouter"), "OPENROUTER_API_KEY"),
    at("perplexity", Place::At("https://api.perplexity.ai"), "PERPLEXITYAI_API_KEY"),
    at("sambanova", Place::At("https://api.sambanova.ai/v1"), "SAMBANOVA_API_KEY"),
    at("together_ai", Place::BuiltIn("together"), "TOGETHERAI_API_KEY"),
    at("xai", Place::BuiltIn("xai"), "XAI_API_KEY"),
    at("zai", Place::BuiltIn("z-ai"), "ZAI_API_KEY"),
];

/// Where Ollama listens unless it is told otherwise.
pub(super) const OLLAMA: &str = "http://127.0.0.1:11434";

/// The provider of that name; `None` where it speaks another format.
pub(super) fn provider(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|known| known.name == name)
}
