//! Why generation ended, from each provider's words into the API's.

/// The API's word for a provider's `native` one; `None` for a word that is not known, which says
/// nothing that could be relied on.
///
/// ```
/// # use upstream::finish_reason;
/// assert_eq!(finish_reason("end_turn"), Some("stop"));
/// assert_eq!(finish_reason("MAX_TOKENS"), Some("length"));
/// assert_eq!(finish_reason("moon_phase"), None);
/// ```
pub fn finish_reason(native: &str) -> Option<&'static str> {
    let word = native.to_ascii_lowercase();
    Some(match word.strip_prefix("finish_reason_").unwrap_or(&word) {
        "stop" | "end_turn" | "stop_sequence" | "pause_turn" | "eos" | "eos_token" | "end"
        | "complete" | "completed" => "stop",
        "length"
        | "max_tokens"
        | "max_output_tokens"
        | "max_length"
        | "model_length"
        | "model_context_window_exceeded" => "length",
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => "tool_calls",
        "content_filter"
        | "content_filtered"
        | "safety"
        | "image_safety"
        | "recitation"
        | "language"
        | "blocklist"
        | "prohibited_content"
        | "spii"
        | "refusal"
        | "guardrail_intervened" => "content_filter",
        "error"
        | "malformed_function_call"
        | "unexpected_tool_call"
        | "insufficient_system_resource" => "error",
        _ => return None,
    })
}
