//! A request as spans: its own, and one each for a wait, an attempt and a commit that was waited
//! for. Attributes are named as OpenTelemetry's conventions for HTTP and generative AI have them;
//! what they have no name for begins with `tollgate`.

use std::time::SystemTime;

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tokio::time::Instant;

use super::passage::{Called, Charged, Passage, Stretch, Tried};
use super::trace::TraceContext;
use crate::metrics::Outcome;

/// The spans of a request, its own first.
pub(super) fn of(passage: &Passage) -> Vec<SpanData> {
    let Some(trace) = passage.trace else { return Vec::new() };
    let waits = passage.waits.iter().map(|wait| Draft::within("admission wait", *wait));
    let operation = passage.call.as_ref().map_or("chat", |call| call.operation);
    let attempts = passage.attempts.iter().map(|tried| Draft::attempt(operation, tried));
    let commits = passage.commits.iter().map(|commit| Draft::within("commit wait", *commit));
    let drafts =
        std::iter::once(Draft::request(passage)).chain(waits).chain(attempts).chain(commits);
    drafts.zip(0..).map(|(draft, number)| span(passage, trace, number, draft)).collect()
}

/// What a span says, apart from whose it is.
struct Draft {
    kind: SpanKind,
    name: String,
    took: Stretch,
    attributes: Vec<KeyValue>,
    has_failed: bool,
}

impl Draft {
    fn request(passage: &Passage) -> Draft {
        Draft {
            kind: SpanKind::Server,
            name: format!("{} {}", passage.method, passage.route.name()),
            took: Stretch { from: passage.started, to: passage.ended.unwrap_or(passage.started) },
            attributes: request(passage),
            // What a client does wrong is no failure of the server's.
            has_failed: passage.status_or_gone() >= 500,
        }
    }

    fn attempt(operation: &str, tried: &Tried) -> Draft {
        Draft {
            kind: SpanKind::Client,
            name: format!("{operation} {}", tried.upstream_model),
            took: tried.took,
            attributes: attempt(operation, tried),
            has_failed: tried.outcome != Outcome::Answered,
        }
    }

    fn within(name: &str, took: Stretch) -> Draft {
        let (kind, name) = (SpanKind::Internal, name.to_owned());
        Draft { kind, name, took, attributes: Vec::new(), has_failed: false }
    }
}

/// Span `number` of a request; its own is 0. Their ids follow on that of the first.
fn span(passage: &Passage, trace: TraceContext, number: u64, draft: Draft) -> SpanData {
    let id = |number| {
        let id = u64::from_be_bytes(trace.span).wrapping_add(number);
        SpanId::from_bytes(id.max(1).to_be_bytes())
    };
    let is_root = number == 0;
    let above = match trace.parent {
        _ if !is_root => id(0),
        Some(parent) => SpanId::from_bytes(parent),
        None => SpanId::INVALID,
    };
    let trace_id = TraceId::from_bytes(trace.trace);
    let (sampled, state) = (TraceFlags::SAMPLED, TraceState::default());
    SpanData {
        span_context: SpanContext::new(trace_id, id(number), sampled, false, state),
        parent_span_id: above,
        parent_span_is_remote: is_root && trace.parent.is_some(),
        span_kind: draft.kind,
        name: draft.name.into(),
        start_time: at(passage, draft.took.from),
        end_time: at(passage, draft.took.to),
        attributes: draft.attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: if draft.has_failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: scope(),
    }
}

/// A moment by the wall clock, which was read once.
fn at(passage: &Passage, moment: Instant) -> SystemTime {
    SystemTime::from(passage.at) + moment.duration_since(passage.started)
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("tollgate").with_version(env!("CARGO_PKG_VERSION")).build()
}

fn request(passage: &Passage) -> Vec<KeyValue> {
    let status = passage.status_or_gone();
    let mut attributes = vec![
        text("http.request.method", passage.method.as_str()),
        text("http.route", passage.route.name()),
        text("url.path", &passage.path),
        number("http.response.status_code", u64::from(status)),
        text("tollgate.request.id", &passage.id),
    ];
    if status >= 500 {
        attributes.push(text("error.type", &status.to_string()));
    }
    if let Some(error_type) = &passage.error_type {
        attributes.push(text("tollgate.error_type", error_type));
    }
    if let Some(caller) = &passage.caller {
        attributes.push(text("tollgate.key.name", &caller.name));
        attributes.push(text("tollgate.key.hash", &caller.hash.to_string()));
    }
    if let Some(call) = &passage.call {
        attributes.extend(called(call));
        if let Some(charge) = passage.charge() {
            attributes.extend(charged(charge));
            let cost = passage.cost();
            let cost = cost.credits.checked_add(cost.byok).unwrap_or(money::Money::MAX);
            attributes.push(text("tollgate.cost_usd", &cost.to_string()));
            attributes.push(KeyValue::new("tollgate.cost_nanodollars", cost.as_nanos()));
        }
    }
    attributes
}

fn called(call: &Called) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("gen_ai.operation.name", call.operation),
        KeyValue::new("tollgate.streamed", call.streamed),
    ];
    if let Some(generation) = &call.generation {
        attributes.push(text("gen_ai.response.id", generation));
    }
    if let Some(model) = &call.model {
        attributes.push(text("gen_ai.request.model", model));
    }
    if let Some(most) = call.max_tokens {
        attributes.push(number("gen_ai.request.max_tokens", most));
    }
    attributes
}

fn charged(charge: &Charged) -> Vec<KeyValue> {
    let tokens = &charge.tokens;
    let mut attributes = vec![
        text("gen_ai.provider.name", &charge.provider),
        text("gen_ai.response.model", &charge.model),
        number("gen_ai.usage.input_tokens", tokens.prompt),
        number("gen_ai.usage.output_tokens", tokens.completion),
        number("gen_ai.usage.cache_read.input_tokens", tokens.cached),
        number("gen_ai.usage.cache_creation.input_tokens", tokens.cache_write),
        text("tollgate.source", charge.source.as_str()),
        KeyValue::new("tollgate.client_left", charge.cancelled),
    ];
    if let Some(reason) = &charge.finish_reason {
        let reasons = Array::String(vec![StringValue::from(reason.clone())]);
        attributes.push(KeyValue::new("gen_ai.response.finish_reasons", Value::Array(reasons)));
    }
    attributes
}

fn attempt(operation: &str, tried: &Tried) -> Vec<KeyValue> {
    let mut attributes = vec![
        text("gen_ai.operation.name", operation),
        text("gen_ai.provider.name", &tried.provider),
        text("gen_ai.request.model", &tried.upstream_model),
        text("tollgate.outcome", tried.outcome.name()),
    ];
    if let Some(status) = tried.status {
        attributes.push(number("http.response.status_code", u64::from(status)));
    }
    if tried.outcome != Outcome::Answered {
        let status = tried.status.map(|status| status.to_string());
        let problem = status.as_deref().unwrap_or(tried.outcome.name());
        attributes.push(text("error.type", problem));
    }
    attributes
}

fn text(name: &'static str, value: &str) -> KeyValue {
    KeyValue::new(name, value.to_owned())
}

fn number(name: &'static str, value: u64) -> KeyValue {
    KeyValue::new(name, i64::try_from(value).unwrap_or(i64::MAX))
}
