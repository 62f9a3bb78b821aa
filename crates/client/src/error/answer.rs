//! What an answer says besides its data: status, headers, and the envelope of an error.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A body that is no envelope is quoted up to here.
const QUOTED_CHARS_MAX: usize = 200;

/// The facts of an answer; all empty where there was none.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: Option<u16>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) code: Option<i64>,
    pub(crate) message: Option<String>,
    /// As JSON texts, so that amounts among them stay exact.
    pub(crate) metadata: BTreeMap<String, Box<RawValue>>,
}

/// What every server sends at least, and those that are no Tollgate send in other types.
#[derive(Deserialize)]
struct Envelope {
    error: Body,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Told { message: String },
    Word(String),
}

#[derive(Deserialize)]
struct Facts {
    error: Members,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    code: Option<Box<RawValue>>,
    #[serde(default)]
    metadata: Option<BTreeMap<String, Box<RawValue>>>,
}

impl Answer {
    /// What status and headers say.
    pub(crate) fn of_head(status: u16, headers: &HeaderMap) -> Answer {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Answer {
            status: Some(status),
            request_id: text("x-request-id").map(str::to_owned),
            retry_after: retry_after(headers),
            ..Answer::default()
        }
    }

    /// The same with what the error's body says; one that is no envelope is quoted.
    pub(crate) fn with_error(mut self, body: &[u8]) -> Answer {
        self.message = match serde_json::from_slice::<Envelope>(body) {
            Ok(Envelope { error: Body::Told { message } | Body::Word(message) }) => Some(message),
            Err(_) => quoted(body),
        };
        if let Ok(Facts { error }) = serde_json::from_slice::<Facts>(body) {
            self.code = error.code.and_then(|code| code.get().trim_matches('"').parse().ok());
            self.metadata = error.metadata.unwrap_or_default();
        }
        self
    }
}

fn quoted(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    (!text.is_empty()).then(|| text.chars().take(QUOTED_CHARS_MAX).collect())
}

/// The wait that `retry-after-ms` or `Retry-After` asks for. A date counts from the answer's own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(milliseconds) = text("retry-after-ms").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(milliseconds));
    }
    let asked = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(asked).ok()?;
    let now = httpdate::parse_http_date(text(DATE.as_str())?).ok()?;
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn waits(pairs: &[(&'static str, &'static str)]) -> Option<Duration> {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
            .collect();
        retry_after(&headers)
    }

    #[test]
    fn a_wait_is_seconds_a_date_or_milliseconds() {
        let date = ("date", "Thu, 26 Nov 2026 02:00:00 GMT");
        assert_eq!(waits(&[("retry-after", "7")]), Some(Duration::from_secs(7)));
        assert_eq!(
            waits(&[date, ("retry-after", "Thu, 26 Nov 2026 02:01:30 GMT")]),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            waits(&[date, ("retry-after", "Thu, 26 Nov 2026 01:00:00 GMT")]),
            Some(Duration::ZERO)
        );
        assert_eq!(
            waits(&[("retry-after-ms", "250"), ("retry-after", "1")]),
            Some(Duration::from_millis(250))
        );
        assert_eq!(waits(&[("retry-after", "soon")]), None);
        assert_eq!(waits(&[("retry-after", "-1")]), None);
    }

    #[test]
    fn the_facts_of_an_error_are_read_as_far_as_they_are_there() {
        let read = |body: &str| Answer::default().with_error(body.as_bytes());
        let whole = read(r#"{"error":{"code":403,"message":"no","metadata":{"limit_usd":1e-9}}}"#);
        assert_eq!((whole.code, whole.message.as_deref()), (Some(403), Some("no")));
        assert_eq!(whole.metadata["limit_usd"].get(), "1e-9");
        let code = read(r#"{"error":{"code":"429","message":"slow down"}}"#).code;
        assert_eq!(code, Some(429));
        let word = read(r#"{"error":{"code":"invalid_api_key","message":"bad"}}"#);
        assert_eq!((word.code, word.message.as_deref()), (None, Some("bad")));
        assert_eq!(read(r#"{"error":"gone"}"#).message.as_deref(), Some("gone"));
        assert_eq!(read("<html>").message.as_deref(), Some("<html>"));
        assert_eq!(read("").message, None);
    }
}
