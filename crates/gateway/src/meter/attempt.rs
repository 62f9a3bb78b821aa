//! One attempt at one endpoint: recorded, sent, answered or not.
//! What comes back decides what may be done with its hold (DESIGN step 6).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use http::StatusCode;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use ledger::Dispatched;
use store::Attempt;
use tokio::time::Instant;
use upstream::transport::{Answer, AnswerBody, BodyError, SendError};
use upstream::{Plan, Reported, Surface, transport};

use super::bound::Candidate;
use super::call::{Call, Open, Tried};
use super::charge::{Charge, End, Seen};
use super::provider_error::{self, Next, ProviderError};
use super::settle::api_type;
use crate::catalogue::Endpoint;
use crate::credentials::REST;
use crate::http::error::ApiError;
use crate::journal::{HoldRecord, Slot};
use crate::metrics::Outcome;
use crate::observe;
use crate::routing::Pace;

/// A provider's error body is read up to this many bytes; the rest can't be usage.
const ERROR_BYTES_MAX: usize = 64 << 10;

/// An attempt that was sent.
pub(super) struct Sent {
    pub(super) candidate: Candidate,
    pub(super) proof: Dispatched,
    pub(super) slot: Slot,
    /// The number of its row.
    pub(super) row: u32,
    pub(super) sent_at: Instant,
    /// When the provider's head came.
    pub(super) answered_at: Option<Instant>,
    /// Whether the client had left before the end.
    pub(super) cancelled: bool,
    /// Whether an error came in the place of an answer, or in the middle of it.
    pub(super) has_failed: bool,
}

impl Sent {
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.candidate.endpoint
    }
}

impl Call {
    /// Tries one endpoint under `open`.
    pub(super) async fn attempt(&mut self, candidate: &Candidate, open: Open) -> Tried {
        let Open { hold, slot } = open;
        let cap = candidate.cap(hold.tokens());
        let row = self.row();
        let record = self.hold_record(candidate, &hold, row);
        let proof = match self.core().journal.dispatch(&slot, hold, &record).await {
            Ok(proof) => proof,
            Err((error, hold)) => {
                let error = ApiError::store_away().because(error);
                return Tried::Refused { open: Open { hold, slot }, error, next: Next::Nothing };
            }
        };
        let sent = Sent {
            candidate: candidate.clone(),
            proof,
            slot,
            row,
            sent_at: Instant::now(),
            answered_at: None,
            cancelled: false,
            has_failed: false,
        };
        self.send(sent, cap).await
    }

    async fn send(&mut self, mut sent: Sent, cap: u64) -> Tried {
        let endpoint = Arc::clone(&sent.candidate.endpoint);
        let provider = &endpoint.provider;
        let plan = Plan {
            model: &endpoint.upstream_model,
            max_tokens_field: &endpoint.max_tokens_field,
            max_tokens: cap,
        };
        let mut headers = sent.candidate.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let accept = if self.request.stream { "text/event-stream" } else { "application/json" };
        headers.insert(ACCEPT, HeaderValue::from_static(accept));
        // The one fact of the client's that crosses (DESIGN "What crosses").
        if let Some(agent) = self.facts.user_agent.as_deref().and_then(header_value) {
            headers.entry(USER_AGENT).or_insert(agent);
        }
        let call = transport::Call {
            origin: Arc::clone(&provider.origin),
            path_and_query: provider.path(self.request.surface).clone(),
            headers,
            body: self.request.forward(&plan),
        };
        let worker = Arc::clone(&self.worker);
        let answer = {
            let sending = worker.transport.send(&sent.proof, call);
            tokio::pin!(sending);
            tokio::select! {
                answer = &mut sending => Some(answer),
                () = self.client.gone() => {
                    sent.cancelled = true;
                    if provider.stops_on_disconnect { None } else { Some(sending.await) }
                }
            }
        };
        match answer {
            None => {
                self.note(&sent, None, Outcome::Stopped);
                self.settle(sent, End::Stopped, &Seen::default()).await;
                Tried::Done
            }
            Some(Ok(answer)) => self.answered(sent, answer).await,
            Some(Err(SendError::NotSent { cause })) => {
                self.note(&sent, None, Outcome::NotSent);
                let failed = provider_error::not_sent(&sent.candidate, cause);
                self.refused(sent, failed)
            }
            Some(Err(SendError::Unclear { cause, timeout })) => {
                self.note(&sent, None, Outcome::unanswered(timeout));
                let error = provider_error::unanswered(&sent.candidate, timeout, cause);
                self.unclear(sent, error, &Seen::default()).await
            }
        }
    }

    async fn answered(&mut self, mut sent: Sent, answer: Answer) -> Tried {
        sent.answered_at = Some(Instant::now());
        let status = answer.status.as_u16();
        self.note(&sent, Some(status), Outcome::of_status(status));
        if answer.status.is_success() {
            return if self.request.stream {
                self.stream(sent, answer).await
            } else {
                self.whole(sent, answer).await
            };
        }
        let Answer { status, retry_after, mut body, .. } = answer;
        let text = match read_error(&mut body).await {
            Ok(text) => text,
            Err(cut) => {
                // Half an error answer is no refusal: what it would have said is not known.
                let error =
                    provider_error::unanswered(&sent.candidate, cut == BodyError::TimedOut, cut);
                return self.unclear(sent, error, &Seen::default()).await;
            }
        };
        let failed = provider_error::answered(&sent.candidate, status, &text, retry_after);
        if failed.is_credential {
            self.rest(&sent, status);
        }
        let usage = reported(&text, self.request.surface);
        if usage == Reported::Nothing {
            return self.refused(sent, failed);
        }
        let seen = Seen { usage, ..Seen::default() };
        let sent = Sent { has_failed: true, ..sent };
        self.settle(sent, End::Complete, &seen).await;
        self.client.refuse(failed.error);
        Tried::Done
    }

    /// Leaves what the attempt went with alone for a while: its provider refused it. One that was
    /// brought rests by itself, and the operator's own with all endpoints of the provider.
    fn rest(&self, sent: &Sent, status: StatusCode) {
        let (provider, now) = (&sent.endpoint().provider, self.core().clock.now());
        let status = status.as_u16();
        match &sent.candidate.credential {
            Some(credential) => {
                credential.rest_until(now, REST);
                tracing::warn!(
                    provider = provider.slug,
                    status,
                    credential = %credential.record.id,
                    "the provider refused a credential that was brought"
                );
            }
            None => {
                provider.rest_until(now, REST);
                tracing::warn!(
                    provider = provider.slug,
                    status,
                    "the provider refused the gateway's credential"
                );
            }
        }
    }

    /// Nothing was billed: the hold is free for another attempt.
    pub(super) fn refused(&mut self, sent: Sent, failed: ProviderError) -> Tried {
        self.blame(&sent, &failed);
        let ProviderError { error, next, .. } = failed;
        tracing::info!(
            generation = self.id,
            provider = sent.endpoint().provider.slug,
            %error,
            "a provider refused"
        );
        let open = Open { hold: sent.proof.refused(), slot: sent.slot };
        Tried::Refused { open, error, next }
    }

    /// Counts an error against its endpoint, where it lies with it.
    pub(super) fn blame(&self, sent: &Sent, failed: &ProviderError) {
        if failed.is_fault {
            sent.endpoint().learned.health.failed(self.core().clock.now());
        }
    }

    /// Notes how the endpoint did in an attempt that is settled.
    pub(super) fn watch(&self, sent: &Sent, end: End, charge: &Charge) {
        let (health, now) = (&sent.endpoint().learned.health, self.core().clock.now());
        match (end, sent.answered_at) {
            // Our own doing says nothing.
            (End::Stopped, _) => {}
            (End::Complete, Some(answered_at)) if !sent.has_failed => {
                let is_streamed = self.request.stream;
                let since = if is_streamed { answered_at } else { sent.sent_at };
                health.succeeded(
                    now,
                    Pace {
                        began_after: answered_at.saturating_duration_since(sent.sent_at),
                        took: since.elapsed(),
                        completion_tokens: charge.tokens().completion,
                        is_streamed,
                    },
                );
            }
            _ => health.failed(now),
        }
    }

    /// It may have been billed: it is settled as far as is known, and its hold serves nothing else.
    pub(super) async fn unclear(&mut self, sent: Sent, error: ApiError, seen: &Seen) -> Tried {
        // The call may go on with another attempt, in the same seat.
        let seat = self.seat.take();
        self.settle(sent, End::Unseen, seen).await;
        self.seat = seat;
        Tried::Unclear(error)
    }

    /// Adds the attempt to those the generation's row lists, and to the endpoint's figures.
    fn note(&mut self, sent: &Sent, status: Option<u16>, outcome: Outcome) {
        let (endpoint, taken) = (sent.endpoint(), sent.sent_at.elapsed());
        endpoint.learned.figures.attempted(outcome, taken);
        observe::note(|passage| passage.tried(endpoint, status, outcome, sent.sent_at));
        self.attempts.push(Attempt {
            provider: endpoint.provider.slug.clone(),
            model: endpoint.model.clone(),
            upstream_model: endpoint.upstream_model.clone(),
            status,
            latency_ms: millis(taken),
            is_byok: sent.candidate.byok.is_some(),
        });
    }

    fn hold_record(&self, candidate: &Candidate, hold: &ledger::Hold, row: u32) -> HoldRecord {
        let endpoint = &candidate.endpoint;
        let worst = hold.worst();
        HoldRecord {
            generation: self.id.clone(),
            attempt: row,
            key: self.record.hash.0,
            workspace: *self.record.workspace.as_bytes(),
            creator: self.record.creator.clone(),
            model: endpoint.model.clone(),
            provider: endpoint.provider.slug.clone(),
            upstream_model: endpoint.upstream_model.clone(),
            admitted_us: hold.admitted_at().as_microsecond(),
            credits: worst.credits.as_nanos(),
            byok: worst.byok.as_nanos(),
            streamed: self.request.stream,
            api_type: api_type(self.request.surface),
            credential: candidate.byok.map(|byok| byok.credential.into_bytes()),
        }
    }
}

impl crate::catalogue::Provider {
    /// Leaves the provider alone for a while.
    fn rest_until(&self, now: jiff::Timestamp, wait: Duration) {
        let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        let until = now.as_microsecond().saturating_add(wait_us);
        self.resting_until_us.store(until, Ordering::Relaxed);
    }
}

fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// A duration in whole milliseconds.
pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The body of an error answer up to the bound; what is past it is not waited for.
async fn read_error(body: &mut AnswerBody) -> Result<BytesMut, BodyError> {
    let mut text = BytesMut::new();
    while let Some(chunk) = body.chunk().await? {
        let room = ERROR_BYTES_MAX.saturating_sub(text.len()).min(chunk.len());
        text.extend_from_slice(&chunk[..room]);
        if room < chunk.len() {
            break;
        }
    }
    Ok(text)
}

/// The usage in an error body: a provider that reports one has billed it.
fn reported(text: &[u8], surface: Surface) -> Reported {
    #[derive(serde::Deserialize)]
    struct Body<'a> {
        #[serde(borrow)]
        usage: Option<&'a serde_json::value::RawValue>,
    }
    match serde_json::from_slice::<Body<'_>>(text) {
        Ok(Body { usage: Some(usage) }) => match Reported::read(usage.get(), surface) {
            Reported::Unusable => Reported::Nothing,
            usage => usage,
        },
        _ => Reported::Nothing,
    }
}
