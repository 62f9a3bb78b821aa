//! A provider's answer as it arrives: the few header fields that matter, then the body piece by piece.
//! An answer read to its end gives its connection back; one that is dropped before closes it.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body::Body;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout};

use super::{Origin, SendError, connection::Connection, pool::Pool};

/// The longest wait believed of a provider, so that nobody's sum of times can overflow: one day.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The head of a provider's answer, and its body still to come.
///
/// Nothing else of the head is kept, since nothing else may cross to the client.
pub struct Answer {
    /// The status, whatever it is: a redirect is not followed, an error not judged.
    pub status: StatusCode,
    /// `content-type`, as it came.
    pub content_type: Option<HeaderValue>,
    /// How long to wait before the next attempt: `retry-after-ms`, else `retry-after` in seconds; a date is left out.
    pub retry_after: Option<Duration>,
    /// The body, to be read to its end.
    pub body: AnswerBody,
}

impl Answer {
    pub(super) fn read(
        response: Response<Incoming>,
        connection: Connection,
        home: (Arc<Origin>, Arc<Pool>),
        between_bytes_timeout: Duration,
    ) -> Result<Answer, SendError> {
        let (head, incoming) = response.into_parts();
        let mut headers = head.headers;
        // An encoded error is still a refusal; an encoded success was billed and can be neither read nor passed on.
        if head.status.is_success() && is_encoded(&headers) {
            let cause = "the answer is compressed, though identity encoding was asked for";
            return Err(SendError::Unclear { cause: cause.into(), timeout: false });
        }
        let mut body = AnswerBody {
            state: State::Open { incoming, connection },
            home,
            between_bytes_timeout,
            heard: Instant::now(),
        };
        body.give_back_at_end();
        Ok(Answer {
            status: head.status,
            content_type: headers.remove(CONTENT_TYPE),
            retry_after: retry_after(&headers),
            body,
        })
    }
}

/// Why a body has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// The connection broke, or what came was not what the head had promised.
    #[error("the provider's answer was cut")]
    Cut,
    /// Nothing came for as long as the time between bytes may be.
    #[error("the provider's answer stopped coming")]
    TimedOut,
}

/// The body of an answer, read piece by piece.
///
/// A body that says neither its length nor chunks ends where the connection does, as HTTP has it: over plain http a
/// cut can't be told from its end.
pub struct AnswerBody {
    state: State,
    home: (Arc<Origin>, Arc<Pool>),
    between_bytes_timeout: Duration,
    /// When the last bytes were taken.
    heard: Instant,
}

enum State {
    Open { incoming: Incoming, connection: Connection },
    Ended,
    Broken(BodyError),
}

impl AnswerBody {
    /// The next bytes, never none of them; `Ok(None)` once the whole body was read, and from then on.
    ///
    /// Dropping the future loses nothing. The time between bytes runs from the last ones taken, however often this is
    /// called in between; what has arrived is given even where it has passed.
    ///
    /// # Errors
    /// The end was not seen; the same is said again, and the connection is closed.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        loop {
            let incoming = match &mut self.state {
                State::Open { incoming, .. } => incoming,
                State::Ended => return Ok(None),
                State::Broken(error) => return Err(*error),
            };
            let left = self.between_bytes_timeout.saturating_sub(self.heard.elapsed());
            match timeout(left, incoming.frame()).await {
                Ok(Some(Ok(frame))) => {
                    self.heard = Instant::now();
                    self.give_back_at_end();
                    // Trailers are dropped: none is asked for, none may cross.
                    if let Ok(bytes) = frame.into_data()
                        && !bytes.is_empty()
                    {
                        return Ok(Some(bytes));
                    }
                }
                Ok(None) => self.give_back(),
                Ok(Some(Err(cause))) => {
                    tracing::debug!(origin = %self.home.0, %cause, "an answer was cut");
                    self.state = State::Broken(BodyError::Cut);
                }
                Err(_) => self.state = State::Broken(BodyError::TimedOut),
            }
        }
    }

    /// Gives the connection back with the last bytes, since a caller that knows the end need not ask for it.
    fn give_back_at_end(&mut self) {
        if matches!(&self.state, State::Open { incoming, .. } if incoming.is_end_stream()) {
            self.give_back();
        }
    }

    fn give_back(&mut self) {
        if let State::Open { connection, .. } = mem::replace(&mut self.state, State::Ended) {
            let (origin, pool) = &self.home;
            pool.put(origin, connection);
        }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| {
        !encoding.is_empty() && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = headers.get("retry-after-ms").and_then(whole).map(Duration::from_millis);
    let wait = milliseconds
        .or_else(|| headers.get(RETRY_AFTER).and_then(whole).map(Duration::from_secs))?;
    Some(wait.min(RETRY_AFTER_MAX))
}

/// A number, rounded up where it has decimals, as some providers send them.
fn whole(value: &HeaderValue) -> Option<u64> {
    let text = value.to_str().ok()?.trim();
    let (integer, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(integer) || !digits(decimals) {
        return None;
    }
    let up = u64::from(decimals.bytes().any(|digit| digit != b'0'));
    // Digits that don't fit are a very long wait, not none.
    Some(integer.parse().unwrap_or(u64::MAX).saturating_add(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_milliseconds_first_and_never_believed_past_a_day() {
        let ms = Duration::from_millis;
        for (fields, expected) in [
            (&[][..], None),
            (&[("retry-after", "7")], Some(ms(7_000))),
            (&[("retry-after", "0")], Some(ms(0))),
            (&[("retry-after", "1.2")], Some(ms(2_000))),
            (&[("retry-after", "7"), ("retry-after-ms", "250")], Some(ms(250))),
            (&[("retry-after", "7"), ("retry-after-ms", "250.01")], Some(ms(251))),
            (&[("retry-after", "7"), ("retry-after-ms", "soon")], Some(ms(7_000))),
            (&[("retry-after", "Wed, 21 Oct 2026 07:28:00 GMT")], None),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "+1")], None),
            (&[("retry-after", "1.")], None),
            (&[("retry-after", "")], None),
            (&[("retry-after", "99999999999999999999999")], Some(RETRY_AFTER_MAX)),
        ] {
            let headers = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            assert_eq!(retry_after(&headers), expected, "{fields:?}");
        }
    }
}
