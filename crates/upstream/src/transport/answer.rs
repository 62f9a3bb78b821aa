//! A provider's answer as it arrives: the few header fields that matter, then the body piece by piece.
//! An answer read to its end gives its connection back; one that is dropped before closes it.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    Origin, SendError,
    connection::Connection,
    framing::Framing,
    head::{Head, RETRY_AFTER_MS},
    pool::Pool,
};

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
        head: Head,
        connection: Connection,
        home: Home,
        between_bytes_timeout: Duration,
    ) -> Result<Answer, SendError> {
        let Head { status, mut fields, length, keeps_alive } = head;
        // An encoded error is still a refusal; an encoded success was billed and can be neither read nor passed on.
        if status.is_success() && is_encoded(&fields) {
            let cause = "the answer is compressed, though identity encoding was asked for";
            return Err(SendError::Unclear { cause: cause.into(), timeout: false });
        }
        let home = Home { is_kept: home.is_kept && keeps_alive, ..home };
        let mut body = AnswerBody {
            state: State::Open { framing: Framing::new(length), connection },
            home,
            between_bytes_timeout,
            heard: Instant::now(),
            timer: None,
        };
        body.give_back_at_end();
        Ok(Answer {
            status,
            content_type: fields.remove(CONTENT_TYPE),
            retry_after: retry_after(&fields),
            body,
        })
    }
}

/// Where a connection goes once its answer was read.
pub(super) struct Home {
    pub(super) origin: Arc<Origin>,
    pub(super) pool: Arc<Pool>,
    /// Whether it may carry another request; otherwise it is closed.
    pub(super) is_kept: bool,
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
    home: Home,
    between_bytes_timeout: Duration,
    /// When the last bytes came.
    heard: Instant,
    /// Runs out at the end of the time between bytes or before it, and is then set anew.
    timer: Option<Pin<Box<Sleep>>>,
}

enum State {
    Open { framing: Framing, connection: Connection },
    Ended,
    Broken(BodyError),
}

impl AnswerBody {
    /// The next bytes, never none of them; `Ok(None)` once the whole body was read, and from then on.
    ///
    /// Dropping the future loses nothing. The time between bytes runs from the last ones that came, however often
    /// this is called in between; what has arrived is given even where it has passed.
    ///
    /// # Errors
    /// The end was not seen; the same is said again, and the connection is closed.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, BodyError> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BodyError>> {
        loop {
            let (framing, connection) = match &mut self.state {
                State::Open { framing, connection } => (framing, connection),
                State::Ended => return Poll::Ready(Ok(None)),
                State::Broken(error) => return Poll::Ready(Err(*error)),
            };
            match framing.take(&mut connection.buffer) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => {
                    self.give_back_at_end();
                    return Poll::Ready(Ok(Some(bytes)));
                }
                Err(cause) => {
                    self.cut(&cause);
                    continue;
                }
            }
            if framing.is_ended() {
                self.give_back_at_end();
                continue;
            }
            let ends_with_connection = *framing == Framing::UntilClose;
            match connection.poll_read(cx) {
                Poll::Ready(Ok(0)) if ends_with_connection => self.state = State::Ended,
                Poll::Ready(Ok(0)) => self.cut(&"the connection was closed"),
                Poll::Ready(Ok(_)) => self.heard = Instant::now(),
                Poll::Ready(Err(cause)) => self.cut(&cause),
                Poll::Pending => {
                    ready!(self.poll_silence(cx));
                    self.state = State::Broken(BodyError::TimedOut);
                }
            }
        }
    }

    /// Ready once nothing has come for as long as the time between bytes may be.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.heard + self.between_bytes_timeout;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(limit)));
        loop {
            ready!(timer.as_mut().poll(cx));
            if Instant::now() >= limit {
                return Poll::Ready(());
            }
            // Bytes came since it was set: setting it only now spares doing so for each of them.
            timer.as_mut().reset(limit);
        }
    }

    fn cut(&mut self, cause: &dyn std::fmt::Display) {
        tracing::debug!(origin = %self.home.origin, %cause, "an answer was cut");
        self.state = State::Broken(BodyError::Cut);
    }

    /// Gives the connection back with the last bytes, since a caller that knows the end need not ask for it.
    fn give_back_at_end(&mut self) {
        if !matches!(&self.state, State::Open { framing, .. } if framing.is_ended()) {
            return;
        }
        if let State::Open { connection, .. } = mem::replace(&mut self.state, State::Ended)
            && self.home.is_kept
            // What follows an answer belongs to no request: who wrote it can't be trusted with the next.
            && connection.buffer.is_empty()
        {
            self.home.pool.put(&self.home.origin, connection);
        }
    }
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(CONTENT_ENCODING).iter().any(|encoding| {
        !encoding.is_empty() && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    })
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let milliseconds = headers.get(RETRY_AFTER_MS).and_then(whole).map(Duration::from_millis);
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
