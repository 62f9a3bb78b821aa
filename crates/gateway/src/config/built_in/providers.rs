//! The providers whose address is known by their slug, each speaking OpenAI's wire format there.

/// A provider that needs no `base_url`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuiltInProvider {
    /// Its name in routing, rows and metrics.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    /// Where it is.
    pub base_url: &'static str,
}

const fn at(slug: &'static str, name: &'static str, base_url: &'static str) -> BuiltInProvider {
    BuiltInProvider { slug, name, base_url }
}

/// All of them, by slug, as OpenRouter writes slugs and names.
pub const PROVIDERS: [BuiltInProvider; 14] = [
    at("anthropic", "Anthropic", "https://api.anthropic.com/v1"),
    at("cerebras", "Cerebras", "https://api.cerebras.ai/v1"),
    at("deepinfra", "DeepInfra", "https://api.deepinfra.com/v1/openai"),
    at("deepseek", "DeepSeek", "https://api.deepseek.com/v1"),
    at("fireworks", "Fireworks", "https://api.fireworks.ai/inference/v1"),
    at(
        "google-ai-studio",
        "Google AI Studio",
        "https://generativelanguage.googleapis.com/v1beta/openai",
    ),
    at("groq", "Groq", "https://api.groq.com/openai/v1"),
    at("mistral", "Mistral", "https://api.mistral.ai/v1"),
    at("moonshotai", "Moonshot AI", "https://api.moonshot.ai/v1"),
    at("openai", "OpenAI", "https://api.openai.com/v1"),
    at("openrouter", "OpenRouter", "https://openrouter.ai/api/v1"),
    at("together", "Together", "https://api.together.xyz/v1"),
    at("xai", "xAI", "https://api.x.ai/v1"),
    at("z-ai", "Z.AI", "https://api.z.ai/api/paas/v4"),
];

/// The built-in provider of that slug.
pub fn provider(slug: &str) -> Option<&'static BuiltInProvider> {
    PROVIDERS.iter().find(|known| known.slug == slug)
}
