//! Traces: what a collector is told of a request, and that a collector can do no harm.

use axum::http::StatusCode;
use insta::assert_snapshot;
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::json;
use testkit::Behaviour;

use crate::support::collector::{Collector, attributes};
use crate::support::{MANAGER, TestGateway, TestKey};

/// Spans as text: name, kind, status, parent and every attribute. Ids are named by what they are of.
fn shown(spans: &[Span], key: &TestKey) -> String {
    let root = &spans[0];
    let mut text = String::new();
    for span in spans {
        assert_eq!(span.trace_id, root.trace_id, "one request is one trace");
        assert!(span.start_time_unix_nano >= root.start_time_unix_nano);
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
        assert!(span.events.is_empty() && span.links.is_empty());
        let parent = match &span.parent_span_id {
            parent if parent.is_empty() => "none",
            parent if *parent == root.span_id => "the request",
            _ => "the client",
        };
        let status = span.status.as_ref().map_or(0, |status| status.code);
        text += &format!("{} (kind {}, status {status}, parent: {parent})\n", span.name, span.kind);
        for (name, value) in attributes(&span.attributes) {
            text += &format!("  {name} = {value}\n");
        }
    }
    text.replace(&key.hash, "HASH")
}

#[tokio::test]
async fn a_plain_request_is_told_of_with_its_model_its_tokens_and_its_cost() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("")).await;
    let key = gateway.key(json!({})).await;
    let made = collector.spans(1).await;
    assert_eq!(made[0].name, "POST /keys");
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 100 })).await;
    assert_eq!(answer.status, 200);
    let spans = collector.spans(4).await.split_off(1);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let generation = answer.headers["x-generation-id"].to_str().unwrap();
    let text = shown(&spans, &key).replace(id, "REQUEST").replace(generation, "GENERATION");
    assert_snapshot!(text, @r#"
    POST /chat/completions (kind 2, status 0, parent: none)
      gen_ai.operation.name = chat
      gen_ai.provider.name = alpha
      gen_ai.request.max_tokens = 100
      gen_ai.request.model = test/small
      gen_ai.response.finish_reasons = ["stop"]
      gen_ai.response.id = GENERATION
      gen_ai.response.model = test/small
      gen_ai.usage.cache_creation.input_tokens = 0
      gen_ai.usage.cache_read.input_tokens = 0
      gen_ai.usage.input_tokens = 8
      gen_ai.usage.output_tokens = 16
      http.request.method = POST
      http.response.status_code = 200
      http.route = /chat/completions
      tollgate.client_left = false
      tollgate.cost_nanodollars = 40000
      tollgate.cost_usd = 0.00004
      tollgate.key.hash = HASH
      tollgate.key.name = test
      tollgate.request.id = REQUEST
      tollgate.source = reported
      tollgate.streamed = false
      url.path = /api/v1/chat/completions
    chat small (kind 3, status 0, parent: the request)
      gen_ai.operation.name = chat
      gen_ai.provider.name = alpha
      gen_ai.request.model = small
      http.response.status_code = 200
      tollgate.outcome = answered
    commit wait (kind 1, status 0, parent: the request)
    "#);
    assert_eq!(spans[0].start_time_unix_nano, 1_795_003_200_000_000_000, "the gateway's own time");
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_that_first_was_refused_elsewhere_shows_both_attempts() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("")).await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("pair-a", Behaviour::new().status(503, "{}"));
    gateway.upstream.on("pair-b", Behaviour::new().cached_tokens(4));
    let stream =
        gateway.chat_stream(&key, "test/pair", json!({ "provider": { "order": ["alpha"] } })).await;
    stream.rest().await.unwrap();
    let spans = collector.spans(5).await.split_off(1);
    let text = shown(&spans, &key);
    let hidden = |line: &str| !line.contains("request.id") && !line.contains("response.id");
    let text: Vec<_> = text.lines().filter(|line| hidden(line)).collect();
    assert_snapshot!(text.join("\n"), @r#"
    POST /chat/completions (kind 2, status 0, parent: none)
      gen_ai.operation.name = chat
      gen_ai.provider.name = beta
      gen_ai.request.model = test/pair
      gen_ai.response.finish_reasons = ["stop"]
      gen_ai.response.model = test/pair
      gen_ai.usage.cache_creation.input_tokens = 0
      gen_ai.usage.cache_read.input_tokens = 4
      gen_ai.usage.input_tokens = 8
      gen_ai.usage.output_tokens = 16
      http.request.method = POST
      http.response.status_code = 200
      http.route = /chat/completions
      tollgate.client_left = false
      tollgate.cost_nanodollars = 40000
      tollgate.cost_usd = 0.00004
      tollgate.key.hash = HASH
      tollgate.key.name = test
      tollgate.source = reported
      tollgate.streamed = true
      url.path = /api/v1/chat/completions
    chat pair-a (kind 3, status 2, parent: the request)
      error.type = 503
      gen_ai.operation.name = chat
      gen_ai.provider.name = alpha
      gen_ai.request.model = pair-a
      http.response.status_code = 503
      tollgate.outcome = failed
    chat pair-b (kind 3, status 0, parent: the request)
      gen_ai.operation.name = chat
      gen_ai.provider.name = beta
      gen_ai.request.model = pair-b
      http.response.status_code = 200
      tollgate.outcome = answered
    commit wait (kind 1, status 0, parent: the request)
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_refused_request_is_a_span_by_itself() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("")).await;
    let key = gateway.key(json!({ "limit": 0 })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(answer.status, 403);
    let spans = collector.spans(2).await.split_off(1);
    let id = answer.headers["x-request-id"].to_str().unwrap();
    assert_snapshot!(shown(&spans, &key).replace(id, "REQUEST"), @r#"
    POST /chat/completions (kind 2, status 0, parent: none)
      gen_ai.operation.name = chat
      gen_ai.request.model = test/small
      http.request.method = POST
      http.response.status_code = 403
      http.route = /chat/completions
      tollgate.error_type = permission_denied
      tollgate.key.hash = HASH
      tollgate.key.name = test
      tollgate.request.id = REQUEST
      tollgate.streamed = false
      url.path = /api/v1/chat/completions
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_wait_for_others_holds_is_a_span_of_its_own() {
    let collector = Collector::start().await;
    let settings = format!("{}[bounds]\nhold_wait_ms = 30000", collector.settings(""));
    let gateway = TestGateway::with(&settings).await;
    let key = gateway.key(json!({ "limit": 0.00015 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 10 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 10 }));
    gateway.until_waiting(1).await;
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (200, 200));
    let spans = collector.spans(8).await;
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    let one = ["POST /chat/completions", "chat small", "commit wait"];
    let other = ["POST /chat/completions", "admission wait", "chat small", "commit wait"];
    assert_eq!(names, [&["POST /keys"], &one[..], &other[..]].concat());
    gateway.close().await;
}

#[tokio::test]
async fn a_clients_trace_goes_on_here_and_no_further() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("sample_ratio = 0.0")).await;
    let key = gateway.key(json!({})).await;
    let body = json!({ "model": "test/small", "messages": [{ "role": "user", "content": "Hi" }] });
    let ask = |flags: &str| {
        let parent = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flags}");
        let (gateway, key, body) = (&gateway, &key, &body);
        async move {
            let headers = [("traceparent", parent.as_str()), ("tracestate", "a=b")];
            let line = "POST /api/v1/chat/completions";
            let answer = gateway.ask_with(key.text.as_str(), line, body, &headers).await;
            assert_eq!(answer.status, 200);
            assert!(!answer.headers.contains_key("traceparent"));
        }
    };
    ask("00").await;
    ask("01").await;
    let spans = collector.spans(3).await;
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert_eq!(hex(&spans[0].trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(hex(&spans[0].parent_span_id), "00f067aa0ba902b7");
    for call in gateway.upstream.calls() {
        for name in ["traceparent", "tracestate", "baggage"] {
            assert!(!call.headers.contains_key(name), "{name} went to a provider");
        }
    }
    gateway.close().await;
}

#[tokio::test]
async fn no_prompt_no_key_and_no_credential_is_told() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("")).await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().text("the answer's text"));
    gateway.chat(&key, "test/small", json!({ "user": "person" })).await;
    gateway.ask(MANAGER, &format!("GET /api/v1/keys/{}?a=query", key.text), "").await;
    collector.spans(5).await;
    let text = collector.text();
    assert!(text.contains("test/small"));
    for secret in
        ["Hello", "answer's", "person", "query", &key.text, MANAGER, "credential-0123456789"]
    {
        assert!(!text.contains(secret), "{secret} was told");
    }
    let (headers, resource) = collector.sender();
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert_eq!(resource["service.name"], "tollgate");
    gateway.close().await;
}

#[tokio::test]
async fn the_collector_gets_the_headers_and_the_name_that_are_set() {
    let collector = Collector::start().await;
    let more = "service_name = \"gate\"\nheaders = { x-team = \"a\" }";
    let gateway = TestGateway::with(&collector.settings(more)).await;
    gateway.key(json!({})).await;
    collector.spans(1).await;
    let (headers, resource) = collector.sender();
    assert_eq!(
        (headers["x-team"].as_bytes(), resource["service.name"].as_str()),
        (&b"a"[..], "gate")
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_collector_that_hangs_delays_nobody_and_what_is_dropped_is_counted() {
    let collector = Collector::answering(None).await;
    let gateway = TestGateway::with(&collector.settings("queue_max = 1")).await;
    let key = gateway.key(json!({})).await;
    collector.requests(1).await;
    for _ in 0..20 {
        assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    }
    gateway.until(|core| core.metrics.observer.traces_dropped.get() >= 18).await;
    assert_eq!(gateway.core.metrics.observer.traces_exported.get(), 0);
    gateway.settled().await;
    // Stopping waits for it no longer than a bound, and the test no longer than the client does.
}

#[tokio::test]
async fn traces_that_gather_are_sent_before_the_gateway_ends() {
    let collector = Collector::start().await;
    let gateway = TestGateway::with(&collector.settings("delay_ms = 3600000")).await;
    gateway.key(json!({})).await;
    assert_eq!(collector.so_far().len(), 0);
    gateway.close().await;
    assert_eq!(collector.so_far().len(), 1);
}

#[tokio::test]
async fn what_a_collector_refuses_is_counted_and_not_sent_again() {
    let collector = Collector::answering(Some(StatusCode::TOO_MANY_REQUESTS)).await;
    let gateway = TestGateway::with(&collector.settings("")).await;
    gateway.key(json!({})).await;
    gateway.until(|core| core.metrics.observer.traces_failed.get() == 1).await;
    let figures = gateway.ask(MANAGER, "GET /metrics", "").await.text();
    assert!(figures.contains("tollgate_traces_total{outcome=\"failed\"} 1\n"));
    gateway.close().await;
}
