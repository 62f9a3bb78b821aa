//! From a behaviour and a request to the exact answer: its head, its pieces, what is charged.
//! Everything is decided here; the server only plays it.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::value::RawValue;

use super::behaviour::{Behaviour, Completion, Cut, Fixed, Pace, TokenRules, Usage};
use super::request::{ChatRequest, EmbeddingsRequest};
use super::tally::Tokens;
use super::wire::{self, Answer};

/// The largest piece of a body handed over at once.
const PIECE_BYTES_MAX: usize = 64 * 1024;
/// The most events a text is cut into where the behaviour names no number.
const EVENTS_MAX: u64 = 8;

/// One answer, ready to be played.
pub(super) struct Plan {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) pieces: Vec<Piece>,
    pub(super) close: Option<Close>,
    pub(super) pace: Pace,
    pub(super) charged: Option<Tokens>,
}

/// A part of the body that is sent at one moment: an event of a stream, a part of a JSON body.
pub(super) struct Piece {
    pub(super) bytes: Bytes,
    /// How many completion tokens are generated once this is sent.
    pub(super) completion_tokens: u64,
}

/// Where the server closes the connection; the pieces are already cut to fit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Close {
    BeforeHead,
    InHead,
    AfterPieces,
}

impl Plan {
    /// What a provider that behaves so answers to that request.
    pub(super) fn new(behaviour: &Behaviour, request: &ChatRequest, sequence: usize) -> Plan {
        let own = match &behaviour.fixed {
            Some(fixed) => Plan::fixed(fixed),
            None if request.is_stream() => Plan::stream(behaviour, request, sequence),
            None => Plan::body(behaviour, request, sequence),
        };
        own.told(behaviour)
    }

    /// What it answers to a request for embeddings. Half of its body counts as an event.
    pub(super) fn of_embeddings(behaviour: &Behaviour, request: &EmbeddingsRequest) -> Plan {
        let own = match &behaviour.fixed {
            Some(fixed) => Plan::fixed(fixed),
            None => Plan::embeddings(behaviour, request),
        };
        own.told(behaviour)
    }

    fn embeddings(behaviour: &Behaviour, request: &EmbeddingsRequest) -> Plan {
        let prompt = prompt_tokens(&behaviour.tokens, &request.input);
        let tokens = Tokens { prompt, ..Tokens::default() };
        let usage = match &behaviour.usage {
            Usage::Reported | Usage::Running => Some(wire::embeddings_usage(&tokens)),
            Usage::Absent => None,
            Usage::Null => Some(wire::raw("null")),
            Usage::Nonsense(text) => Some(wire::raw(text)),
        };
        let dimensions = match behaviour.content.filler_mib {
            0 => request.dimensions.unwrap_or(3),
            // A coordinate is about five bytes of text.
            mib => (mib << 20) / 5,
        };
        let (inputs, triples) = (request.inputs(), dimensions.div_ceil(3));
        let mut body = wire::embeddings(
            &request.model,
            inputs,
            triples,
            request.is_base64(),
            usage.as_deref(),
        );
        if behaviour.faults.is_malformed {
            body.truncate(body.len() / 2);
        }
        let body_bytes = body.len();
        Plan::json(body_pieces(body, 0), body_bytes, Some(tokens))
    }

    /// The same at the pace, with the headers and up to the cut that the behaviour says.
    fn told(self, behaviour: &Behaviour) -> Plan {
        let mut plan = Plan { pace: behaviour.pace, ..self };
        for name in behaviour.headers.keys() {
            plan.headers.remove(name);
        }
        plan.headers.extend(behaviour.headers.clone());
        plan.cut(behaviour.faults.cut);
        plan
    }

    /// A complete answer that nothing is charged for.
    pub(super) fn refusal(status: StatusCode, body: String) -> Plan {
        Plan::fixed(&Fixed { status, body })
    }

    fn fixed(fixed: &Fixed) -> Plan {
        let pieces = body_pieces(fixed.body.clone(), 0);
        Plan { status: fixed.status, ..Plan::json(pieces, fixed.body.len(), None) }
    }

    fn body(behaviour: &Behaviour, request: &ChatRequest, sequence: usize) -> Plan {
        let tokens = count(&behaviour.tokens, request);
        let usage = match &behaviour.usage {
            Usage::Reported | Usage::Running => Some(wire::usage(&tokens)),
            Usage::Absent => None,
            Usage::Null => Some(wire::raw("null")),
            Usage::Nonsense(text) => Some(wire::raw(text)),
        };
        let text = match behaviour.content.filler_mib {
            0 => texts(behaviour, tokens.completion).concat(),
            mib => "x".repeat(mib << 20),
        };
        let finish = finish_reason(&behaviour.tokens, &tokens, request);
        let mut body = answer(request, sequence).body(&text, finish, usage.as_deref());
        if behaviour.faults.is_malformed {
            body.truncate(body.floor_char_boundary(body.len() / 2));
        }
        let body_bytes = body.len();
        Plan::json(body_pieces(body, tokens.completion), body_bytes, Some(tokens))
    }

    fn json(pieces: Vec<Piece>, body_bytes: usize, charged: Option<Tokens>) -> Plan {
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CONTENT_LENGTH, HeaderValue::from(body_bytes)),
        ]);
        let (status, close, pace) = (StatusCode::OK, None, Pace::default());
        Plan { status, headers, pieces, close, pace, charged }
    }

    fn stream(behaviour: &Behaviour, request: &ChatRequest, sequence: usize) -> Plan {
        let mut tokens = count(&behaviour.tokens, request);
        let mut events = text_events(behaviour, request, &tokens, sequence);
        let answer = answer(request, sequence);
        let end_usage = end_usage(behaviour, request, &tokens);
        if let Some(failed) = behaviour.faults.error_event.filter(|event| *event < events.len()) {
            events.truncate(failed);
            tokens.completion = events.last().map_or(0, |event| event.completion_tokens);
            tokens.reasoning = tokens.reasoning.min(tokens.completion);
            let error = wire::error("server_error", "the upstream failed while generating");
            events.push(event(&error, tokens.completion));
        } else {
            let finish = finish_reason(&behaviour.tokens, &tokens, request);
            let usage = chunk_usage(behaviour, request, &tokens);
            events.push(event(&answer.finish_chunk(finish, usage.as_deref()), tokens.completion));
            if let Some(usage) = end_usage {
                events.push(event(&answer.usage_chunk(Some(&usage)), tokens.completion));
            }
        }
        if !behaviour.faults.omits_done {
            events.push(event("[DONE]", tokens.completion));
        }
        let headers = HeaderMap::from_iter([(
            CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream; charset=utf-8"),
        )]);
        let (status, close, pace) = (StatusCode::OK, None, Pace::default());
        Plan { status, headers, pieces: events, close, pace, charged: Some(tokens) }
    }

    fn cut(&mut self, cut: Option<Cut>) {
        let is_stream = !self.headers.contains_key(CONTENT_LENGTH);
        let pieces = self.pieces.len();
        let kept = match cut {
            None => return,
            Some(Cut::BeforeHead) => return self.close = Some(Close::BeforeHead),
            Some(Cut::InHead) => return self.close = Some(Close::InHead),
            Some(Cut::AfterEvents(events)) if is_stream => events,
            Some(Cut::InEvent(event)) if is_stream && event < pieces => {
                let half = self.pieces[event].bytes.len() / 2;
                self.pieces[event].bytes.truncate(half);
                self.pieces[event].completion_tokens =
                    event.checked_sub(1).map_or(0, |before| self.pieces[before].completion_tokens);
                event + 1
            }
            Some(Cut::InEvent(_)) if is_stream => return,
            Some(_) => pieces / 2,
        };
        if kept <= pieces {
            self.pieces.truncate(kept);
            self.close = Some(Close::AfterPieces);
        }
    }
}

fn answer(request: &ChatRequest, sequence: usize) -> Answer<'_> {
    Answer { id: format!("chatcmpl-fake-{sequence}"), model: &request.model }
}

fn count(rules: &TokenRules, request: &ChatRequest) -> Tokens {
    let prompt = prompt_tokens(rules, &request.messages);
    let cap = request.cap(rules.cap_field).unwrap_or(rules.completion_max);
    let completion = match rules.completion {
        Completion::UpTo(tokens) => tokens.min(cap),
        Completion::AllAllowed => cap,
        Completion::BeyondAllowed(tokens) => cap.saturating_add(tokens),
    };
    let cached = rules.cached.min(prompt);
    let cache_written = rules.cache_written.min(prompt - cached);
    Tokens { prompt, cached, cache_written, completion, reasoning: rules.reasoning.min(completion) }
}

fn prompt_tokens(rules: &TokenRules, prompt: &RawValue) -> u64 {
    let bytes = u64::try_from(prompt.get().len()).unwrap_or(u64::MAX);
    rules.prompt.unwrap_or((bytes / 4).max(1))
}

fn finish_reason(rules: &TokenRules, tokens: &Tokens, request: &ChatRequest) -> &'static str {
    match request.cap(rules.cap_field) {
        Some(cap) if tokens.completion >= cap => "length",
        _ => "stop",
    }
}

fn text_events(
    behaviour: &Behaviour,
    request: &ChatRequest,
    tokens: &Tokens,
    sequence: usize,
) -> Vec<Piece> {
    let answer = answer(request, sequence);
    let texts = match behaviour.content.filler_mib {
        0 => texts(behaviour, tokens.completion),
        mib => vec!["x".repeat(PIECE_BYTES_MAX); mib << 4],
    };
    let events = u64::try_from(texts.len()).unwrap_or(u64::MAX);
    (1..)
        .zip(&texts)
        .map(|(number, text)| {
            // The product fits: events are counted in memory, tokens are at most a few million.
            let completion = tokens.completion.saturating_mul(number) / events;
            let so_far =
                Tokens { completion, reasoning: tokens.reasoning.min(completion), ..*tokens };
            let usage = chunk_usage(behaviour, request, &so_far);
            let chunk = answer.text_chunk(text, number == 1, usage.as_deref());
            if behaviour.faults.is_malformed && number == 1 {
                event(&chunk[..chunk.floor_char_boundary(chunk.len() / 2)], completion)
            } else {
                event(&chunk, completion)
            }
        })
        .collect()
}

/// The usage in the chunks before the last one.
fn chunk_usage(
    behaviour: &Behaviour,
    request: &ChatRequest,
    so_far: &Tokens,
) -> Option<Box<RawValue>> {
    match &behaviour.usage {
        Usage::Running => Some(wire::usage(so_far)),
        Usage::Reported if request.wants_usage() => Some(wire::raw("null")),
        Usage::Reported | Usage::Absent | Usage::Null | Usage::Nonsense(_) => None,
    }
}

/// The usage in a chunk of its own at the end.
fn end_usage(
    behaviour: &Behaviour,
    request: &ChatRequest,
    tokens: &Tokens,
) -> Option<Box<RawValue>> {
    match &behaviour.usage {
        Usage::Reported if request.wants_usage() => Some(wire::usage(tokens)),
        Usage::Null => Some(wire::raw("null")),
        Usage::Nonsense(text) => Some(wire::raw(text)),
        Usage::Reported | Usage::Running | Usage::Absent => None,
    }
}

/// The text of the answer in as many parts as it has events.
fn texts(behaviour: &Behaviour, completion_tokens: u64) -> Vec<String> {
    let own = usize::try_from(completion_tokens.min(EVENTS_MAX)).unwrap_or(0);
    let events = behaviour.content.events.unwrap_or(own);
    match &behaviour.content.text {
        None => (0..events).map(|number| format!("word{number} ")).collect(),
        Some(text) => (0..events)
            .map(|number| {
                let bound = |part: usize| text.floor_char_boundary(text.len() * part / events);
                text[bound(number)..bound(number + 1)].to_owned()
            })
            .collect(),
    }
}

fn event(data: &str, completion_tokens: u64) -> Piece {
    Piece { bytes: Bytes::from(format!("data: {data}\n\n")), completion_tokens }
}

/// A JSON body in at least two parts, so that it can be stopped half way; all is generated before.
fn body_pieces(body: String, completion_tokens: u64) -> Vec<Piece> {
    let body = Bytes::from(body);
    let piece_bytes = body.len().div_ceil(2).clamp(1, PIECE_BYTES_MAX);
    let starts = (0..body.len()).step_by(piece_bytes);
    starts
        .map(|start| {
            let bytes = body.slice(start..body.len().min(start + piece_bytes));
            Piece { bytes, completion_tokens }
        })
        .collect()
}
