//! All figures in Prometheus' text format. docs/metrics.md lists them, and a test holds the two
//! against each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalogue::{Learned, Provider};
use crate::core::Core;

use super::endpoint::EndpointFigures;
use super::process::Process;
use super::text::{Kind, Text, dollars, seconds};

/// The figures as they are now. It reads files of the system: not for a thread that serves.
pub fn scrape(core: &Core) -> String {
    let mut text = Text::default();
    gateway(core, &mut text);
    holds(core, &mut text);
    commits(core, &mut text);
    endpoints(core, &mut text);
    marks(core, &mut text);
    told(core, &mut text);
    process(core, &mut text);
    text.into_string()
}

fn gateway(core: &Core, text: &mut Text) {
    text.family("tollgate_build_info", Kind::Gauge, "The version that runs; always 1.")
        .sample(&[("version", env!("CARGO_PKG_VERSION"))], 1);
    text.family(
        "tollgate_requests_total",
        Kind::Counter,
        "Requests answered, by method, route and status.",
    );
    for (method, route, status, count) in core.metrics.requests.look() {
        text.sample(&[("method", method), ("route", route), ("status", &status)], count);
    }
    text.family(
        "tollgate_requests_in_flight",
        Kind::Gauge,
        "Paid requests in flight, those whose client has left included.",
    )
    .sample(&[], core.in_flight.count());
    text.family("tollgate_connections", Kind::Gauge, "Open connections of clients.")
        .sample(&[], core.connections.count());
    text.family("tollgate_body_bytes", Kind::Gauge, "Request bodies in memory.")
        .sample(&[], core.body_bytes.load(std::sync::atomic::Ordering::Relaxed));
    text.family(
        "tollgate_overloads_total",
        Kind::Counter,
        "Requests turned away with 503 at a bound that all callers share.",
    );
    for (bound, count) in core.metrics.overloads() {
        text.sample(&[("bound", bound)], count);
    }
}

fn holds(core: &Core, text: &mut Text) {
    let open = core.journal.open_holds();
    text.family("tollgate_holds_open", Kind::Gauge, "Holds of requests in flight.")
        .sample(&[], open.count);
    text.family("tollgate_held_dollars", Kind::Gauge, "What is on hold for requests in flight.")
        .sample(&[("kind", "credits")], open.held.credits)
        .sample(&[("kind", "byok")], open.held.byok);
    text.family(
        "tollgate_requests_waiting",
        Kind::Gauge,
        "Requests that wait for others' holds to end.",
    )
    .sample(&[], core.waiting.requests());
    text.family(
        "tollgate_hold_wait_seconds",
        Kind::Histogram,
        "How long requests waited for others' holds, of those that had to.",
    )
    .histogram(&[], &core.metrics.hold_wait.look());
    text.family(
        "tollgate_refusals_total",
        Kind::Counter,
        "Requests refused by a limit, by where the limit comes from and why.",
    );
    for (layer, reason, count) in core.metrics.refusals() {
        text.sample(&[("layer", layer), ("reason", reason)], count);
    }
}

fn commits(core: &Core, text: &mut Text) {
    let figures = core.writer.figures();
    text.family("tollgate_commits_total", Kind::Counter, "Transactions committed.")
        .sample(&[], figures.commits.get());
    text.family("tollgate_commit_failures_total", Kind::Counter, "Transactions that failed.")
        .sample(&[], figures.failures.get());
    text.family("tollgate_commit_seconds", Kind::Histogram, "How long commits took, synced.")
        .histogram(&[], &figures.seconds.look());
    text.family("tollgate_commit_changes", Kind::Histogram, "Changes in one commit.")
        .histogram(&[], &figures.changes.look());
    text.family("tollgate_commit_queue_changes", Kind::Gauge, "Changes that wait to be committed.")
        .sample(&[], core.writer.queued());
    text.family(
        "tollgate_store_away",
        Kind::Gauge,
        "1 while the store can't be written and nothing is admitted.",
    )
    .sample(&[], u8::from(core.writer.is_away()));
    text.family(
        "tollgate_answers_not_durable_total",
        Kind::Counter,
        "Answers ended before their last byte, their settlement not being durable in time.",
    )
    .sample(&[], core.metrics.not_durable.get());
}

fn endpoints(core: &Core, text: &mut Text) {
    let all = core.learned.all();
    let used: Vec<Named<'_>> = all
        .iter()
        .filter(|(_, learned)| !learned.figures.is_empty())
        .map(|(name, learned)| Named { name, figures: &learned.figures })
        .collect();
    each(text, &used, "tollgate_attempts_total", "Requests to providers, by outcome.", |figures| {
        figures.attempts().map(|(outcome, count)| ("outcome", outcome, count.to_string())).collect()
    });
    let first = "From a request to the head of the provider's answer.";
    text.family("tollgate_provider_first_byte_seconds", Kind::Histogram, first);
    for named in &used {
        text.histogram(&named.labels(), &named.figures.first_byte());
    }
    let whole = "From a request to the end of the provider's answer.";
    text.family("tollgate_provider_seconds", Kind::Histogram, whole);
    for named in &used {
        text.histogram(&named.labels(), &named.figures.whole());
    }
    let settlements = "Attempts charged, by where the figures come from.";
    each(text, &used, "tollgate_settlements_total", settlements, |figures| {
        figures.settlements().map(|(source, count)| ("source", source, count.to_string())).collect()
    });
    each(text, &used, "tollgate_spent_dollars_total", "What was charged.", |figures| {
        figures.cost_nanos().map(|(kind, nanos)| ("kind", kind, dollars(nanos))).to_vec()
    });
    each(text, &used, "tollgate_tokens_total", "Tokens charged, by kind.", |figures| {
        figures.tokens().map(|(kind, count)| ("kind", kind, count.to_string())).collect()
    });
    text.family("tollgate_above_hold_total", Kind::Counter, "Charges above their holds.");
    for named in &used {
        text.sample(&named.labels(), named.figures.above_hold().0);
    }
    let above = "What was charged above holds.";
    text.family("tollgate_above_hold_dollars_total", Kind::Counter, above);
    for named in &used {
        text.sample(&named.labels(), dollars(named.figures.above_hold().1));
    }
}

/// An endpoint's figures under its name.
struct Named<'a> {
    /// Model, provider, the provider's name for the model.
    name: &'a [String; 3],
    figures: &'a EndpointFigures,
}

impl Named<'_> {
    fn labels(&self) -> [(&'static str, &str); 3] {
        labels(self.name)
    }
}

fn labels([model, provider, upstream_model]: &[String; 3]) -> [(&'static str, &str); 3] {
    [("provider", provider), ("model", model), ("upstream_model", upstream_model)]
}

/// A family of counters with one more label than the endpoint's.
fn each(
    text: &mut Text,
    endpoints: &[Named<'_>],
    family: &'static str,
    help: &'static str,
    samples: impl Fn(&EndpointFigures) -> Vec<(&'static str, &'static str, String)>,
) {
    text.family(family, Kind::Counter, help);
    for named in endpoints {
        let [provider, model, upstream_model] = named.labels();
        for (label, value, count) in samples(named.figures) {
            text.sample(&[provider, model, upstream_model, (label, value)], count);
        }
    }
}

/// What was learned of the endpoints that are configured, and how their providers are.
fn marks(core: &Core, text: &mut Text) {
    let catalogue = core.catalogue();
    let mut endpoints: BTreeMap<[String; 3], Arc<Learned>> = BTreeMap::new();
    let mut providers: BTreeMap<&str, &Provider> = BTreeMap::new();
    for endpoint in catalogue.endpoints() {
        let names = [&endpoint.model, &endpoint.provider.slug, &endpoint.upstream_model];
        endpoints.insert(names.map(String::clone), Arc::clone(&endpoint.learned));
        providers.insert(&endpoint.provider.slug, &endpoint.provider);
    }
    let mut gauge = |name, help, value: &dyn Fn(&Learned) -> u64| {
        text.family(name, Kind::Gauge, help);
        for (name, learned) in &endpoints {
            text.sample(&labels(name), value(learned));
        }
    };
    gauge(
        "tollgate_endpoint_held_at_maximum",
        "1 where an endpoint charged above a hold and is held at its own maximum.",
        &|learned| u64::from(learned.is_held_at_maximum()),
    );
    gauge(
        "tollgate_endpoint_barred",
        "1 where an endpoint charged above its own maximum and serves no limited key.",
        &|learned| u64::from(learned.is_barred()),
    );
    gauge(
        "tollgate_endpoint_prompt_overhead_tokens",
        "The most tokens that an endpoint was seen to add to a prompt, where above its setting.",
        &Learned::prompt_overhead_tokens,
    );
    let now = core.clock.now();
    text.family(
        "tollgate_provider_resting",
        Kind::Gauge,
        "1 while a provider is left alone, having refused the gateway's credential.",
    );
    for (slug, provider) in providers {
        text.sample(&[("provider", slug)], u8::from(!provider.is_available(now)));
    }
}

/// What was told of requests, and what was not.
fn told(core: &Core, text: &mut Text) {
    let figures = &core.metrics.observer;
    text.family(
        "tollgate_log_lines_dropped_total",
        Kind::Counter,
        "Requests without their line in the log, which was too slow.",
    )
    .sample(&[], figures.lines_dropped.get());
    text.family(
        "tollgate_traces_total",
        Kind::Counter,
        "Traces that the collector took, that were dropped for its slowness, that it did not take.",
    )
    .sample(&[("outcome", "exported")], figures.traces_exported.get())
    .sample(&[("outcome", "dropped")], figures.traces_dropped.get())
    .sample(&[("outcome", "failed")], figures.traces_failed.get());
}

/// Under the names that every Prometheus client has for them.
fn process(core: &Core, text: &mut Text) {
    let process = Process::look();
    let started_us = u64::try_from(core.started_at.as_microsecond()).unwrap_or(0);
    let figures = [
        (
            "process_start_time_seconds",
            Kind::Gauge,
            "When the gateway was opened, since the epoch.",
            Some(seconds(started_us)),
        ),
        (
            "process_cpu_seconds_total",
            Kind::Counter,
            "Processor time used.",
            process.cpu_centiseconds.map(|centiseconds| seconds(centiseconds * 10_000)),
        ),
        (
            "process_resident_memory_bytes",
            Kind::Gauge,
            "Memory in use.",
            process.resident_bytes.map(|bytes| bytes.to_string()),
        ),
        (
            "process_open_fds",
            Kind::Gauge,
            "Open files, sockets included.",
            process.open_files.map(|files| files.to_string()),
        ),
        (
            "process_max_fds",
            Kind::Gauge,
            "The most files that may be open.",
            process.open_files_max.map(|files| files.to_string()),
        ),
        (
            "process_threads",
            Kind::Gauge,
            "Threads.",
            process.threads.map(|threads| threads.to_string()),
        ),
    ];
    for (name, kind, help, value) in figures {
        text.family(name, kind, help);
        if let Some(value) = value {
            text.sample(&[], value);
        }
    }
}
