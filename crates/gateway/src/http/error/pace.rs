//! Refusals of a key that goes too fast: which limit, its number, and when to come back.
//! The headers are those of SEMANTICS 6.7; the body repeats them for whoever can't read headers.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::time::Duration;

use api::Utc;
use api::error::ErrorType;
use http::header::{HeaderName, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use ledger::{Measure, TooFast};

use super::{ApiError, whole_seconds};

/// When to come back where that is up to others' answers.
const OTHERS: SignedDuration = SignedDuration::from_secs(1);

impl ApiError {
    /// 429: a limit on how fast the key may go is reached at `now`. Where tokens are in the way,
    /// `affordable` is how many of completion would fit now.
    pub fn too_fast(pace: &TooFast, affordable: Option<u64>, now: Timestamp) -> ApiError {
        let TooFast { measure, limit, free, free_at } = *pace;
        let back_at = free_at.or(now.checked_add(OTHERS).ok()).unwrap_or(now).max(now);
        let back_at = whole_millisecond(back_at);
        let wait = Duration::try_from(back_at.duration_since(now)).unwrap_or_default();
        let message = format!(
            "Rate limit exceeded: this key may {} (`{}`). Try again in {}, at {:.3}{}.",
            allowance(measure, limit, free),
            name(measure),
            counted(whole_seconds(wait), "second"),
            back_at,
            otherwise(measure, affordable),
        );
        let headers = BTreeMap::from([
            ("X-RateLimit-Limit", limit.to_string()),
            ("X-RateLimit-Remaining", free.to_string()),
            ("X-RateLimit-Reset", back_at.as_millisecond().to_string()),
        ]);
        let mut error = ApiError::new(ErrorType::RateLimitExceeded, message)
            .with("rate_limit", name(measure))
            .with("resets_at", Utc(back_at))
            .with("headers", &headers)
            .retry_after(wait);
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes());
            if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&value)) {
                error.0.headers.insert(name, value);
            }
        }
        error
    }

    /// 400: `used`, the tokens of the request at worst, are above what its key may use in a minute.
    /// `affordable` is how many of completion would fit.
    pub fn too_many_tokens(limit: NonZeroU64, used: u64, affordable: Option<u64>) -> ApiError {
        let (remedy, hint) = match affordable.filter(|tokens| *tokens > 0) {
            Some(most) => (format!("Set `max_tokens` to at most {most}"), "lower_max_tokens"),
            None => ("Shorten the prompt".to_owned(), "shorten_prompt"),
        };
        let name = name(Measure::Tokens);
        let message = format!(
            "This request could use {}, and this key may use {limit} a minute (`{name}`). {remedy}.",
            counted(used, "token"),
        );
        ApiError::new(ErrorType::TokenLimitExceeded, message)
            .with("rate_limit", name)
            .with("remedy_hint", hint)
    }
}

/// The first whole millisecond from `moment` on.
fn whole_millisecond(moment: Timestamp) -> Timestamp {
    let has_rest = moment.subsec_nanosecond() % 1_000_000 > 0;
    let millisecond = moment.as_millisecond() + i64::from(has_rest);
    Timestamp::from_millisecond(millisecond).unwrap_or(moment)
}

/// The setting that sets the limit.
fn name(measure: Measure) -> &'static str {
    match measure {
        Measure::Requests => "requests_per_minute",
        Measure::Tokens => "tokens_per_minute",
        Measure::Concurrent => "concurrent_requests",
    }
}

fn allowance(measure: Measure, limit: NonZeroU64, free: u64) -> String {
    match measure {
        Measure::Requests => format!("make {} a minute", counted(limit.get(), "request")),
        Measure::Tokens => {
            format!("use {} a minute, of which {free} are free", counted(limit.get(), "token"))
        }
        Measure::Concurrent => {
            format!("have {} in flight at once", counted(limit.get(), "request"))
        }
    }
}

/// What else would help than to wait.
fn otherwise(measure: Measure, affordable: Option<u64>) -> String {
    match (measure, affordable.filter(|tokens| *tokens > 0)) {
        (Measure::Tokens, Some(most)) => format!(", or now with `max_tokens` of at most {most}"),
        (Measure::Concurrent, _) => ", or when one of them has ended".to_owned(),
        _ => String::new(),
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
