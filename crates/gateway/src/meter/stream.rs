//! A streamed answer on its way from the provider to the client.
//! Everything flows at once but the end, which waits for the settlement (DESIGN step 5).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use store::Source;
use tokio::time::Instant;
use upstream::transport::{Answer, AnswerBody, BodyError};
use upstream::{DONE, Events, KEEP_ALIVE, Ours, Surface, rewrite_chunk};

use super::attempt::Sent;
use super::bound::Candidate;
use super::call::{Call, Tried};
use super::charge::{End, Seen};
use super::provider_error;
use crate::http::error::ApiError;

const EVENT_STREAM: &str = "text/event-stream";
/// Texts kept of a stream, to be counted where its provider reports no usage.
const TEXT_BYTES_MAX: usize = 256 << 10;
/// A provider's id for its answer is kept up to this many characters.
const UPSTREAM_ID_CHARS_MAX: usize = 128;
/// How long what follows `[DONE]` is waited for, so that the connection can be used again.
const AFTER_DONE: Duration = Duration::from_millis(100);

/// What one read of the provider came to.
enum Step {
    /// Bytes of the answer.
    Bytes(Bytes),
    /// The answer's end.
    End,
    /// The answer broke off, or a bound was reached.
    Broken(BodyError),
    /// The client has left, and the provider stops when its connection closes.
    Stop,
}

/// The state of one stream.
struct Flow {
    ours: Ours,
    events: Events,
    seen: Seen,
    /// The provider said `[DONE]`.
    is_done: bool,
    /// Something was put out, or a usage reported: an error from here on is no refusal.
    has_begun: bool,
    /// The stream failed, with this error as JSON.
    error: Option<String>,
    /// Why the stream has no end, where it has none.
    broke_off: BodyError,
}

impl Call {
    /// Passes a stream on and settles it.
    pub(super) async fn stream(&mut self, mut sent: Sent, answer: Answer) -> Tried {
        let endpoint = Arc::clone(&sent.candidate.endpoint);
        let created = sent.proof.admitted_at().as_second();
        let ours = Ours::new(&self.id, &endpoint.model, &endpoint.provider.name, created);
        let is_stream =
            answer.content_type.as_ref().and_then(|kind| kind.to_str().ok()).is_none_or(|kind| {
                !kind.trim_start().to_ascii_lowercase().starts_with("application/json")
            });
        if !is_stream {
            return self.disguised(sent, answer).await;
        }
        let mut body = answer.body;
        let mut flow = Flow {
            ours,
            events: Events::new(self.core().config.bounds.sse_line_bytes_max),
            seen: Seen {
                text: endpoint.tokenizer.as_ref().map(|_| String::new()),
                ..Seen::default()
            },
            is_done: false,
            has_begun: false,
            error: None,
            broke_off: BodyError::Cut,
        };
        let end = self.pump(&mut sent, &mut body, &mut flow).await;
        // Before anything was put out, an error is the same as an error answer.
        let is_refusal = !flow.has_begun && !flow.seen.is_unreadable;
        if let Some(error) = flow.error.as_deref().filter(|_| is_refusal) {
            let failed = provider_error::embedded(&sent.candidate, error);
            if self.client.is_waiting() {
                return self.refused(sent, failed);
            }
            self.blame(&sent, &failed);
            self.send_error(&flow.ours, failed.error.body()).await;
            let open = super::call::Open { hold: sent.proof.refused(), slot: sent.slot };
            self.release(open);
            self.client.send(DONE).await;
            return Tried::Done;
        }
        // A provider that is not at its end is cut off before the settlement is waited for.
        let rest = (end == End::Complete).then_some(body);
        if end == End::Unseen && self.client.is_waiting() && !flow.has_begun {
            let error = flow.unanswered(&sent.candidate);
            return self.unclear(sent, error, &flow.seen).await;
        }
        self.end_stream(sent, end, flow).await;
        // The client has its answer; what follows is only for the connection's next use.
        self.client.end();
        if let Some(mut body) = rest
            && let Ok(Ok(Some(_))) = tokio::time::timeout(AFTER_DONE, body.chunk()).await
        {
            tracing::debug!(generation = self.id, "a provider went on after its end");
        }
        Tried::Done
    }

    /// Reads the provider to its end, or to where it is given up.
    async fn pump(&mut self, sent: &mut Sent, body: &mut AnswerBody, flow: &mut Flow) -> End {
        let metering = &self.core().config.metering;
        let keep_alive_next = Duration::from_millis(metering.keep_alive_next_ms);
        let mut keep_alive = Instant::now() + Duration::from_millis(metering.keep_alive_first_ms);
        let mut deadline = self.answer_deadline(sent);
        loop {
            let step = self.step(sent, body, &mut deadline, &mut keep_alive, keep_alive_next).await;
            match step {
                Step::Bytes(bytes) => {
                    flow.events.push(bytes);
                    match flow.read() {
                        Ok(frame) => self.pass_on(frame).await,
                        Err(error) => {
                            tracing::warn!(generation = self.id, %error, "a stream was given up");
                            return End::Unseen;
                        }
                    }
                    if !flow.seen.is_empty() || flow.has_begun {
                        keep_alive = Instant::now() + keep_alive_next;
                    }
                    if flow.is_done {
                        return End::Complete;
                    }
                }
                Step::End => {
                    let frame = flow.read_rest();
                    self.pass_on(frame).await;
                    // Some providers end without `[DONE]`; a cut that looks like an end says
                    // neither why generation stopped nor what it used.
                    let is_end = flow.is_done || flow.error.is_some() || flow.seen.is_final();
                    return if is_end { End::Complete } else { End::Unseen };
                }
                Step::Broken(error) => {
                    tracing::warn!(generation = self.id, ?error, "a provider's stream broke off");
                    flow.broke_off = error;
                    // With why generation stopped and what it used, nothing is missing.
                    let is_end = flow.seen.is_final()
                        && matches!(flow.seen.usage, upstream::Reported::Usage(_));
                    return if is_end { End::Complete } else { End::Unseen };
                }
                Step::Stop => return End::Stopped,
            }
        }
    }

    /// Waits for the provider, keeping the client's connection open, and notes when it leaves.
    pub(super) async fn next_bytes(
        &mut self,
        sent: &mut Sent,
        body: &mut AnswerBody,
        deadline: &mut Instant,
    ) -> Option<Result<Option<Bytes>, BodyError>> {
        loop {
            // Looked at before reading: bytes that are always ready must not hide it.
            if Instant::now() >= *deadline {
                return Some(Err(BodyError::TimedOut));
            }
            tokio::select! {
                biased;
                chunk = body.chunk() => return Some(chunk),
                () = self.client.gone(), if !sent.cancelled => {
                    sent.cancelled = true;
                    if sent.endpoint().provider.stops_on_disconnect {
                        return None;
                    }
                    *deadline = (*deadline).min(self.drain_deadline());
                }
                () = tokio::time::sleep_until(*deadline) => {
                    return Some(Err(BodyError::TimedOut));
                }
            }
        }
    }

    async fn step(
        &mut self,
        sent: &mut Sent,
        body: &mut AnswerBody,
        deadline: &mut Instant,
        keep_alive: &mut Instant,
        keep_alive_next: Duration,
    ) -> Step {
        loop {
            let bytes = tokio::time::timeout_at(*keep_alive, self.next_bytes(sent, body, deadline));
            match bytes.await {
                Ok(Some(Ok(Some(bytes)))) => return Step::Bytes(bytes),
                Ok(Some(Ok(None))) => return Step::End,
                Ok(Some(Err(error))) => return Step::Broken(error),
                Ok(None) => return Step::Stop,
                Err(_) => {
                    *keep_alive = Instant::now() + keep_alive_next;
                    self.pass_on(KEEP_ALIVE).await;
                }
            }
        }
    }

    /// Sends a frame, after the head where it is the first.
    async fn pass_on(&mut self, frame: Bytes) {
        if frame.is_empty() {
            return;
        }
        if self.client.is_waiting() {
            self.client.begin(EVENT_STREAM);
        }
        self.client.send(frame).await;
    }

    async fn send_error(&mut self, ours: &Ours, error: &api::error::ErrorBody) {
        let error = serde_json::to_string(error)
            .unwrap_or_else(|_| r#"{"code":502,"message":"Provider returned error"}"#.to_owned());
        self.pass_on(ours.error_event(&error)).await;
    }

    /// Settles a stream that has begun and sends its end.
    async fn end_stream(&mut self, sent: Sent, end: End, flow: Flow) {
        let error = match (&flow.error, end) {
            (Some(error), _) => Some(provider_error::embedded(&sent.candidate, error).error),
            (None, End::Unseen) => Some(flow.unanswered(&sent.candidate)),
            _ if flow.seen.is_unreadable => Some(ApiError::new(
                api::error::ErrorType::ProviderUnavailable,
                "Provider returned a stream that can't be read",
            )),
            _ => None,
        };
        let sent = Sent { has_failed: error.is_some(), ..sent };
        let Some(settled) = self.settle(sent, end, &flow.seen).await else {
            self.not_durable().await;
            return;
        };
        if let Some(error) = error {
            if self.client.is_waiting() {
                return self.client.refuse(error);
            }
            self.send_error(&flow.ours, error.body()).await;
        }
        let mut last = BytesMut::new();
        if settled.source != Source::Held || end == End::Complete {
            last.extend_from_slice(&flow.ours.usage_event(&settled.usage_json(Surface::Chat)));
        }
        last.extend_from_slice(&DONE);
        self.pass_on(last.freeze()).await;
    }

    /// When an answer that begins now is given up; sooner where its client has left already.
    pub(super) fn answer_deadline(&self, sent: &Sent) -> Instant {
        let bounds = &self.core().config.bounds;
        let deadline = Instant::now() + Duration::from_millis(bounds.provider_answer_ms_max);
        if sent.cancelled { deadline.min(self.drain_deadline()) } else { deadline }
    }

    fn drain_deadline(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.core().config.bounds.drain_ms_max)
    }
}

impl Flow {
    /// The error for a stream that has no end.
    fn unanswered(&self, candidate: &Candidate) -> ApiError {
        let is_timeout = self.broke_off == BodyError::TimedOut;
        provider_error::unanswered(candidate, is_timeout, self.broke_off)
    }

    /// Reads the events that are complete and gives what of them goes to the client.
    fn read(&mut self) -> Result<Bytes, upstream::LineTooLong> {
        let mut frame = BytesMut::new();
        while !self.is_done {
            let Some(event) = self.events.next()? else { break };
            self.take(&event, &mut frame);
        }
        Ok(frame.freeze())
    }

    /// Reads what the stream's end left without a blank line.
    fn read_rest(&mut self) -> Bytes {
        let mut frame = BytesMut::new();
        let events = std::mem::replace(&mut self.events, Events::new(0));
        if let Ok(Some(event)) = events.finish() {
            self.take(&event, &mut frame);
        }
        frame.freeze()
    }

    fn take(&mut self, event: &upstream::Event, frame: &mut BytesMut) {
        if event.is_done() {
            self.is_done = true;
            return;
        }
        let start = frame.len();
        let Ok(chunk) = rewrite_chunk(&event.data, &mut self.ours, frame) else {
            frame.truncate(start);
            // Nothing is passed on from here; a usage that comes later still tells all.
            self.seen.is_unreadable = true;
            return;
        };
        if self.seen.is_unreadable || self.error.is_some() {
            frame.truncate(start);
        }
        self.seen.usage = self.seen.usage.then(chunk.usage);
        if let Some(error) = chunk.error {
            self.error.get_or_insert_with(|| error.to_owned());
        }
        if let Some(id) = chunk.id {
            self.seen.upstream_id.get_or_insert_with(|| kept_id(&id));
        }
        let output = &chunk.output;
        if let Some(reason) = &output.finish_reason {
            self.seen.finish_reason = Some(reason.clone().into_owned());
        }
        self.seen.has_media |= output.has_media;
        self.seen.text_bytes = self.seen.text_bytes.saturating_add(output.text_bytes());
        output.texts().for_each(|text| self.seen.keep(&text));
        self.has_begun |= output.text_bytes() > 0
            || output.has_media
            || chunk.usage != upstream::Reported::Nothing;
    }
}

/// A provider's id as it is kept, cut where it is absurdly long.
pub(super) fn kept_id(id: &str) -> String {
    id.chars().take(UPSTREAM_ID_CHARS_MAX).collect()
}

impl Seen {
    /// Keeps a text to be counted; one that has grown long is counted by its bytes instead.
    pub(super) fn keep(&mut self, text: &str) {
        let Some(kept) = &mut self.text else { return };
        if kept.len() + text.len() > TEXT_BYTES_MAX {
            self.text = None;
        } else {
            kept.push_str(text);
        }
    }

    /// Whether nothing was put out and no usage reported: whatever was billed would show.
    pub(super) fn is_nothing(&self) -> bool {
        self.text_bytes == 0 && !self.has_media && self.usage == upstream::Reported::Nothing
    }

    /// Whether nothing at all was seen.
    fn is_empty(&self) -> bool {
        self.text_bytes == 0 && self.finish_reason.is_none()
    }

    /// Whether what was seen includes the answer's end.
    fn is_final(&self) -> bool {
        self.finish_reason.is_some()
    }
}
