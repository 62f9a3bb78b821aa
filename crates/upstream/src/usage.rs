//! What a provider says a generation used, in whichever dialect of the chat format it speaks.
//! Figures that do not add up are no figures: the caller then settles as if none had come.

use serde::Deserialize;

use crate::Surface;

/// No figure is larger; more is a provider's mistake, and could overflow a cost.
pub const USAGE_TOKENS_MAX: u64 = 1 << 40;

/// The tokens of one generation, each counted by the provider's own tokenizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All tokens of the prompt, those of the cache included.
    pub prompt_tokens: u64,
    /// All tokens of the completion, those of reasoning included.
    pub completion_tokens: u64,
    /// Of the prompt: read from the provider's cache.
    pub cached_tokens: u64,
    /// Of the prompt: written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Of the prompt: sound.
    pub audio_prompt_tokens: u64,
    /// Of the completion: reasoning.
    pub reasoning_tokens: u64,
    /// Of the completion: sound.
    pub audio_completion_tokens: u64,
    /// Pictures in the prompt. Providers do not report it: it is 0 until the caller, who has
    /// counted them ([`Media::images`](crate::Media::images)), sets it.
    pub images: u64,
}

/// What an answer or a piece of it said of its usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reported {
    /// Nothing, or `null`.
    #[default]
    Nothing,
    /// Something that does not add up. It counts as absent, and takes the place of what came
    /// before it in a stream, which was for a shorter answer.
    Unusable,
    /// These figures; a reported zero is a zero.
    Usage(Usage),
}

impl Reported {
    /// Reads the value of a `usage` member in an answer to what was asked for.
    pub fn read(value: &str, surface: Surface) -> Reported {
        if value == "null" {
            return Reported::Nothing;
        }
        let usage = match surface {
            Surface::Chat => Usage::parse(value),
            Surface::Embeddings => Usage::of_embeddings(value),
        };
        usage.map_or(Reported::Unusable, Reported::Usage)
    }

    /// What stands once `later` has come too: in a stream the last usage wins (DESIGN step 6).
    #[must_use]
    pub fn then(self, later: Reported) -> Reported {
        if later == Reported::Nothing { self } else { later }
    }
}

impl Usage {
    /// The figures of a `usage` object, or `None` where they are incomplete or do not add up.
    ///
    /// Read are the OpenAI shape, DeepSeek's and Moonshot's names for cached tokens, and the
    /// `input_tokens` dialects. Anthropic's counts cached tokens beside the input, so they are
    /// added to it (SEMANTICS 13.3). A total above prompt and completion means that the provider
    /// counts reasoning beside the completion, as xAI and Google do: the difference is billed as
    /// completion, so it is added to that.
    ///
    /// `None` is what is negative, fractional, a string, above [`USAGE_TOKENS_MAX`], without
    /// either count, cached and written above the prompt, reasoning and sound above the completion.
    pub fn parse(usage: &str) -> Option<Usage> {
        let wire: Wire = serde_json::from_str(usage).ok()?;
        let prompt_details = wire.prompt_tokens_details.or(wire.input_tokens_details);
        let prompt_details = prompt_details.unwrap_or_default();
        let details = wire.completion_tokens_details.or(wire.output_tokens_details);
        let details = details.unwrap_or_default();

        let cached = prompt_details
            .cached_tokens
            .or(wire.prompt_cache_hit_tokens)
            .or(wire.cache_read_input_tokens)
            .or(wire.cached_tokens)
            .unwrap_or(0);
        let written = prompt_details
            .cache_write_tokens
            .or(prompt_details.cache_creation_tokens)
            .or(wire.cache_creation_input_tokens)
            .unwrap_or(0);
        let prompt = match (wire.prompt_tokens, wire.input_tokens) {
            (Some(prompt), _) => prompt,
            (None, Some(input)) => input
                .checked_add(wire.cache_read_input_tokens.unwrap_or(0))?
                .checked_add(wire.cache_creation_input_tokens.unwrap_or(0))?,
            (None, None) => return None,
        };
        let completion = wire.completion_tokens.or(wire.output_tokens)?;
        let reasoning = details.reasoning_tokens.or(wire.reasoning_tokens).unwrap_or(0);
        let beside = wire.total_tokens.unwrap_or(0).saturating_sub(prompt.checked_add(completion)?);

        let usage = Usage {
            prompt_tokens: prompt,
            completion_tokens: completion.checked_add(beside)?,
            cached_tokens: cached,
            cache_write_tokens: written,
            audio_prompt_tokens: prompt_details.audio_tokens.unwrap_or(0),
            reasoning_tokens: reasoning.max(beside),
            audio_completion_tokens: details.audio_tokens.unwrap_or(0),
            images: 0,
        };
        usage.adds_up().then_some(usage)
    }

    /// The figures of a `usage` object of embeddings, which have a prompt and nothing else.
    ///
    /// A total above the prompt, or in its place, is the prompt: some providers report nothing but
    /// `total_tokens`, and some count pictures there alone. `None` as for [`Usage::parse`].
    pub fn of_embeddings(usage: &str) -> Option<Usage> {
        let wire: Wire = serde_json::from_str(usage).ok()?;
        let prompt = wire.prompt_tokens.or(wire.input_tokens).max(wire.total_tokens)?;
        let details = wire.prompt_tokens_details.unwrap_or_default();
        let usage = Usage {
            prompt_tokens: prompt,
            cached_tokens: details.cached_tokens.unwrap_or(0),
            audio_prompt_tokens: details.audio_tokens.unwrap_or(0),
            ..Usage::default()
        };
        usage.adds_up().then_some(usage)
    }

    fn adds_up(&self) -> bool {
        let is_within = |parts: [u64; 2], whole: u64| {
            parts[0].checked_add(parts[1]).is_some_and(|sum| sum <= whole)
        };
        self.prompt_tokens <= USAGE_TOKENS_MAX
            && self.completion_tokens <= USAGE_TOKENS_MAX
            && self.audio_prompt_tokens <= self.prompt_tokens
            && is_within([self.cached_tokens, self.cache_write_tokens], self.prompt_tokens)
            && is_within(
                [self.reasoning_tokens, self.audio_completion_tokens],
                self.completion_tokens,
            )
    }
}

/// The dialects side by side. A whole number is all that `u64` reads: `24.0` is none.
#[derive(Deserialize)]
struct Wire {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    reasoning_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    input_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    output_tokens_details: Option<CompletionDetails>,
}

#[derive(Default, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
    cache_creation_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}

#[derive(Default, Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
    audio_tokens: Option<u64>,
}
