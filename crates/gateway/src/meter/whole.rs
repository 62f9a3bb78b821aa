//! An answer that is one JSON object, on its way from the provider to the client.
//!
//! A small one is seen whole before its first byte goes out, so that what is wrong with it can
//! still have a status of its own; a larger one streams through. Either way its end waits for the
//! settlement (DESIGN step 5).

use std::sync::Arc;

use api::error::ErrorType;
use bytes::BytesMut;
use upstream::transport::{Answer, BodyError};
use upstream::{AnswerEnd, JsonAnswer, Malformed, Ours, Output, Surface};

use super::attempt::Sent;
use super::call::{Call, Tried};
use super::charge::{End, Seen};
use super::provider_error;
use super::stream::kept_id;
use crate::catalogue::Endpoint;
use crate::http::error::ApiError;

const JSON: &str = "application/json";
/// An answer up to this size is seen whole before any of it is sent.
const WHOLE_BYTES_MAX: usize = 64 << 10;

/// What was read of an answer.
struct Read {
    answer: JsonAnswer,
    /// The provider's bytes, while they are few.
    raw: BytesMut,
    /// What goes to the client, as far as it was not sent.
    out: BytesMut,
    is_large: bool,
}

/// How reading ended.
enum Ending {
    Whole,
    Broken(BodyError),
    Malformed(Malformed),
    Stopped,
}

impl Call {
    /// Passes a JSON answer on and settles it.
    pub(super) async fn whole(&mut self, mut sent: Sent, answer: Answer) -> Tried {
        let provider = Arc::clone(&sent.endpoint().provider);
        let created = sent.proof.admitted_at().as_second();
        let ours = Ours::new(&self.id, &sent.endpoint().model, &provider.name, created);
        let mut read = Read {
            answer: JsonAnswer::new(&ours, self.request.surface),
            raw: BytesMut::new(),
            out: BytesMut::new(),
            is_large: false,
        };
        match self.read_whole(&mut sent, answer, &mut read).await {
            Ending::Whole => self.end_whole(sent, read).await,
            Ending::Broken(error) => {
                let failure = provider_error::unanswered(
                    &sent.candidate,
                    error == BodyError::TimedOut,
                    error,
                );
                let seen = read.seen(sent.endpoint());
                self.broken(sent, failure, seen, read.is_large).await
            }
            Ending::Malformed(error) => {
                let failure = provider_error::unanswered(&sent.candidate, false, error);
                let seen = Seen { is_unreadable: true, ..Seen::default() };
                self.broken(sent, failure, seen, read.is_large).await
            }
            Ending::Stopped => {
                let seen = read.seen(sent.endpoint());
                self.settle(sent, End::Stopped, &seen).await;
                Tried::Done
            }
        }
    }

    async fn read_whole(&mut self, sent: &mut Sent, answer: Answer, read: &mut Read) -> Ending {
        let mut body = answer.body;
        let mut deadline = self.answer_deadline(sent);
        loop {
            let bytes = match self.next_bytes(sent, &mut body, &mut deadline).await {
                Some(Ok(Some(bytes))) => bytes,
                Some(Ok(None)) => return Ending::Whole,
                Some(Err(error)) => return Ending::Broken(error),
                None => return Ending::Stopped,
            };
            if let Err(error) = read.answer.push(&bytes, &mut read.out) {
                return Ending::Malformed(error);
            }
            if !read.is_large && read.raw.len() + bytes.len() > WHOLE_BYTES_MAX {
                read.is_large = true;
                read.raw = BytesMut::new();
                self.client.begin(JSON);
            }
            if read.is_large {
                self.client.send(read.out.split().freeze()).await;
            } else {
                read.raw.extend_from_slice(&bytes);
            }
        }
    }

    async fn end_whole(&mut self, sent: Sent, read: Read) -> Tried {
        let Read { answer, raw, mut out, is_large } = read;
        let output = if is_large { Ok(None) } else { Output::of_answer(&raw).map(Some) };
        let (end, output) = match (answer.finish(), output) {
            (Ok(end), Ok(output)) => (end, output),
            (Err(error), _) | (_, Err(error)) => {
                let failure = provider_error::unanswered(&sent.candidate, false, error);
                let seen = Seen { is_unreadable: true, ..Seen::default() };
                return self.broken(sent, failure, seen, is_large).await;
            }
        };
        let seen = match output {
            Some(output) => Seen { usage: end.usage, ..of_output(&output, sent.endpoint()) },
            None => Seen { usage: end.usage, text_bytes: end.choices_bytes, ..Seen::default() },
        };
        // An error and nothing else is the same as an error answer; with output it was billed.
        let is_nothing = seen.is_nothing() && !self.has_embeddings(&end);
        if let Some(error) = end.error.as_deref().filter(|_| is_nothing) {
            let failed = provider_error::embedded(&sent.candidate, error);
            return self.refused(sent, failed);
        }
        let seen = Seen { upstream_id: end.id.as_deref().map(kept_id), ..seen };
        let failure = end.error.as_deref().filter(|_| !is_large);
        let failure = failure.map(|error| provider_error::embedded(&sent.candidate, error).error);
        let sent = Sent { has_failed: end.error.is_some(), ..sent };
        let settled = self.settle(sent, End::Complete, &seen).await;
        let Some(settled) = settled else {
            self.not_durable().await;
            return Tried::Done;
        };
        if let Some(error) = failure {
            self.client.refuse(error);
            return Tried::Done;
        }
        out.extend_from_slice(&end.tail(&settled.usage_json(self.request.surface)));
        if is_large {
            self.client.send(out.freeze()).await;
        } else {
            self.client.finish_with(JSON, out.freeze());
        }
        Tried::Done
    }

    /// Whether it is output that has no tokens.
    fn has_embeddings(&self, end: &AnswerEnd) -> bool {
        self.request.surface == Surface::Embeddings && end.has_choices
    }

    /// The answer's end was not seen, or it can't be passed on: it may have been billed.
    async fn broken(&mut self, sent: Sent, failure: ApiError, seen: Seen, is_large: bool) -> Tried {
        if !is_large {
            return self.unclear(sent, failure, &seen).await;
        }
        self.settle(sent, End::Unseen, &seen).await;
        self.client.cut().await;
        Tried::Done
    }

    pub(super) async fn not_durable(&mut self) {
        if self.client.is_waiting() {
            self.client.refuse(ApiError::store_away());
        } else {
            self.client.cut().await;
        }
    }

    /// A JSON answer where a stream was asked for: an error in disguise, or nonsense.
    pub(super) async fn disguised(&mut self, mut sent: Sent, answer: Answer) -> Tried {
        // None of it goes to the client, so the names in it mean nothing.
        let mut read = JsonAnswer::new(&Ours::new("", "", "", 0), self.request.surface);
        let (mut raw, mut out) = (BytesMut::new(), BytesMut::new());
        let mut body = answer.body;
        let mut deadline = self.answer_deadline(&sent);
        while let Some(Ok(Some(bytes))) = self.next_bytes(&mut sent, &mut body, &mut deadline).await
        {
            raw.extend_from_slice(&bytes);
            if raw.len() > WHOLE_BYTES_MAX || read.push(&bytes, &mut out).is_err() {
                break;
            }
            out.clear();
        }
        let Ok(end) = read.finish() else {
            let seen = Seen { is_unreadable: true, ..Seen::default() };
            let problem = "the provider answered a stream with something else";
            let nonsense = provider_error::unanswered(&sent.candidate, false, problem);
            return self.unclear(sent, nonsense, &seen).await;
        };
        let seen = Seen { usage: end.usage, ..seen(&raw, sent.endpoint()) };
        if let Some(error) = end.error.as_deref().filter(|_| seen.is_nothing()) {
            let failed = provider_error::embedded(&sent.candidate, error);
            return self.refused(sent, failed);
        }
        self.settle(sent, End::Complete, &seen).await;
        // It would do so again, and be paid for again: nothing to try once more.
        let message = "No endpoints found that support streaming";
        self.client.refuse(ApiError::new(ErrorType::NotFound, message));
        Tried::Done
    }
}

impl Read {
    /// What was seen of an answer whose end was not.
    fn seen(&self, endpoint: &Endpoint) -> Seen {
        let so_far = self.answer.so_far();
        let seen = if self.is_large {
            Seen { text_bytes: so_far.choices_bytes, ..Seen::default() }
        } else {
            seen(&self.raw, endpoint)
        };
        Seen { usage: so_far.usage, ..seen }
    }
}

/// What of an answer that was not read to its end can be counted: all of its bytes.
fn seen(raw: &[u8], endpoint: &Endpoint) -> Seen {
    match Output::of_answer(raw) {
        Ok(output) => of_output(&output, endpoint),
        Err(_) => Seen { text_bytes: raw.len() as u64, ..Seen::default() },
    }
}

fn of_output(output: &Output<'_>, endpoint: &Endpoint) -> Seen {
    let mut seen = Seen {
        finish_reason: output.finish_reason.clone().map(std::borrow::Cow::into_owned),
        text_bytes: output.text_bytes(),
        text: endpoint.tokenizer.as_ref().map(|_| String::new()),
        has_media: output.has_media,
        ..Seen::default()
    };
    output.texts().for_each(|text| seen.keep(&text));
    seen
}
