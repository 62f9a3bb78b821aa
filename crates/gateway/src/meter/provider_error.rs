//! A provider's error answer as the client may see it: its status where it is about the request,
//! another where it is about the gateway's own credential (SEMANTICS 6.4).

use std::time::Duration;

use api::error::ErrorType;
use http::StatusCode;
use serde::Deserialize;

use super::bound::Candidate;
use crate::http::error::ApiError;

/// What an error answer means for the call.
pub(super) struct ProviderError {
    /// What the client is told if no other endpoint answers.
    pub error: ApiError,
    /// What may do better.
    pub next: Next,
    /// Whether it lies with the endpoint, and not with what was asked of it.
    pub is_fault: bool,
    /// Whether the gateway's credential was refused.
    pub is_credential: bool,
}

/// What may do better after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Another endpoint.
    Endpoint,
    /// Another endpoint, where it has more context.
    LongerContext,
    /// Another model: every endpoint of this one would say the same.
    Model,
    /// Nothing.
    Nothing,
}

/// The error that a complete answer of `status` and `body` stands for.
pub(super) fn answered(
    candidate: &Candidate,
    status: StatusCode,
    body: &[u8],
    retry_after: Option<Duration>,
) -> ProviderError {
    let provider = &candidate.endpoint.provider;
    let raw = candidate.redacted(&String::from_utf8_lossy(body));
    let own_words = words(body).map(|words| candidate.redacted(&words));
    let message = || own_words.clone().unwrap_or_else(|| "Provider returned error".to_owned());
    let is_flagged = status == StatusCode::FORBIDDEN && is_flagged(body);
    let is_too_long = status == StatusCode::BAD_REQUEST && is_too_long(body);
    let is_credential = matches!(status.as_u16(), 401 | 403) && !is_flagged;
    let wait = retry_after.unwrap_or(Duration::from_secs(1));
    let error = match status.as_u16() {
        403 if is_flagged => ApiError::new(ErrorType::ContentPolicyViolation, message()),
        400 if is_too_long => ApiError::new(ErrorType::ContextLengthExceeded, message()),
        413 => ApiError::new(ErrorType::PayloadTooLarge, message()),
        404 | 300..=399 => ApiError::new(
            ErrorType::NotFound,
            "No endpoints found: the provider does not serve this model where it is asked for",
        ),
        408 | 504 | 524 => ApiError::new(ErrorType::Timeout, "Request timed out at the provider"),
        429 => ApiError::new(ErrorType::RateLimitExceeded, "Rate limit exceeded at the provider")
            .retry_after(wait),
        503 | 529 => ApiError::new(ErrorType::ProviderOverloaded, "Provider returned error")
            .retry_after(wait),
        // About the gateway's own account, which is not the client's business to mend.
        401..=403 => ApiError::new(ErrorType::ProviderUnavailable, "Provider returned error"),
        // About the request, and the same the next time: never a status that is tried again.
        400..=499 => ApiError::new(ErrorType::InvalidRequest, message()),
        _ => ApiError::new(ErrorType::ProviderUnavailable, "Provider returned error"),
    };
    let error = error.with("provider_name", &provider.name);
    // What a provider says of the gateway's account is nobody else's business.
    let is_account = is_credential || status == StatusCode::PAYMENT_REQUIRED;
    let error = if is_account { error } else { error.with("raw", raw) };
    let error = error.with("provider_code", status.as_u16().to_string());
    ProviderError {
        error,
        next: match status.as_u16() {
            400 if is_too_long => Next::LongerContext,
            400 | 413 | 422 => Next::Model,
            _ => Next::Endpoint,
        },
        is_fault: match status.as_u16() {
            // What is said of an account that was brought says nothing of the endpoint.
            401..=404 | 429 if candidate.credential.is_some() => false,
            401..=404 | 408 | 429 => !is_flagged,
            400..=499 => false,
            _ => true,
        },
        is_credential,
    }
}

/// The request did not reach the provider.
pub(super) fn not_sent(
    candidate: &Candidate,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ProviderError {
    let error = unanswered(candidate, false, cause);
    ProviderError { error, next: Next::Endpoint, is_fault: true, is_credential: false }
}

/// Whether a 400 is about the length of the prompt, in the word that providers share for it.
fn is_too_long(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        error: Details,
    }
    #[derive(Deserialize)]
    struct Details {
        code: Option<serde_json::Value>,
        r#type: Option<serde_json::Value>,
    }
    let Ok(Body { error }) = serde_json::from_slice(body) else { return false };
    [error.code, error.r#type].iter().flatten().any(|word| word == "context_length_exceeded")
}

/// Whether a 403 is about what the request says, as moderation answers it, and not about who sent
/// it. Looked for where providers put it, not in their words.
fn is_flagged(body: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Body {
        error: Details,
    }
    #[derive(Deserialize)]
    struct Details {
        code: Option<serde_json::Value>,
        r#type: Option<serde_json::Value>,
        metadata: Option<serde_json::Value>,
    }
    let Ok(Body { error }) = serde_json::from_slice(body) else { return false };
    let names = |value: &Option<serde_json::Value>| {
        let name = value.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
        ["moderation", "content_policy", "content_filter"].iter().any(|word| name.contains(word))
    };
    let has = |fact: &str| error.metadata.as_ref().is_some_and(|facts| facts.get(fact).is_some());
    names(&error.code) || names(&error.r#type) || has("flagged_input") || has("reasons")
}

/// The error that a provider put into an answer of status 200, given as JSON.
pub(super) fn embedded(candidate: &Candidate, error: &str) -> ProviderError {
    #[derive(Deserialize)]
    struct Code {
        code: Option<serde_json::Value>,
    }
    let code = serde_json::from_str::<Code>(error).ok().and_then(|code| code.code?.as_u64());
    let status = code
        .and_then(|code| StatusCode::from_u16(u16::try_from(code).ok()?).ok())
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::BAD_GATEWAY);
    answered(candidate, status, format!(r#"{{"error":{error}}}"#).as_bytes(), None)
}

/// No answer came: the connection failed or timed out.
pub(super) fn unanswered(
    candidate: &Candidate,
    is_timeout: bool,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ApiError {
    let error = if is_timeout {
        ApiError::new(ErrorType::Timeout, "Request timed out at the provider")
    } else {
        ApiError::new(ErrorType::ProviderUnavailable, "Provider returned error")
    };
    error.with("provider_name", &candidate.endpoint.provider.name).because(cause)
}

/// The message in a provider's error body, in the shapes that are common.
fn words(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Body {
        error: Option<serde_json::Value>,
        message: Option<String>,
    }
    let body: Body = serde_json::from_slice(body).ok()?;
    match body.error {
        Some(serde_json::Value::String(words)) => Some(words),
        Some(serde_json::Value::Object(error)) => {
            error.get("message").and_then(|words| words.as_str()).map(str::to_owned)
        }
        _ => body.message,
    }
}

#[cfg(test)]
mod tests;
