//! What becomes of each top-level field of a request: acted on here, replaced, or passed on.
//! A name is compared as the most lenient provider would, or a spelling could slip past the cap.

use std::borrow::Cow;

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// The gateway acts on it; it is not passed on (SEMANTICS 12.1).
    Gateway,
    /// A spelling of the completion's maximum; it is replaced by the one the endpoint obeys.
    Maximum,
    /// Passed on; steers sampling or transport, and is no part of what the model reads.
    Unread,
    /// Passed on; the model may read it, so its bytes bound the prompt's tokens.
    Read,
}

/// Sorts a folded name into its place; what nobody has heard of counts as read by the model.
pub(super) fn field(name: &str) -> Field {
    match name {
        "model" | "models" | "route" | "provider" | "preset" | "plugins" | "transforms"
        | "stream" | "stream_options" | "usage" | "user" | "session_id" | "trace" | "metadata"
        | "debug" | "cache_control" => Field::Gateway,
        "max_tokens"
        | "max_completion_tokens"
        | "max_output_tokens"
        | "max_new_tokens"
        | "max_tokens_to_sample"
        | "max_length"
        | "max_gen_len"
        | "max_decode_tokens"
        | "maxtokens"
        | "maxcompletiontokens"
        | "maxoutputtokens"
        | "maxnewtokens"
        | "n_predict"
        | "num_predict" => Field::Maximum,
        "temperature"
        | "top_p"
        | "top_k"
        | "top_a"
        | "min_p"
        | "typical_p"
        | "seed"
        | "stop"
        | "frequency_penalty"
        | "presence_penalty"
        | "repetition_penalty"
        | "logprobs"
        | "top_logprobs"
        | "logit_bias"
        | "parallel_tool_calls"
        | "min_tokens"
        | "n"
        | "store"
        | "prompt_cache_key"
        | "safety_identifier" => Field::Unread,
        _ => Field::Read,
    }
}

/// The name in the form in which two spellings of one field are equal.
///
/// Some providers (those whose JSON library is Go's) match names without regard to case, and fold
/// two letters beyond ASCII into it: the long s, and the Kelvin sign. To them `MAX_TO\u{212A}ENS`
/// is `max_tokens`, and the last one wins; so it is that to the gateway too.
pub(super) fn fold(name: Cow<'_, str>) -> Cow<'_, str> {
    if name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase()) {
        return name;
    }
    let fold_one = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    Cow::Owned(name.chars().map(fold_one).collect())
}
