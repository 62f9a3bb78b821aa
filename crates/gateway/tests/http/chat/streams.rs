//! Streams: order, the one usage chunk, keep-alive, errors, and clients that leave.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use testkit::{Behaviour, Cut, Event};

use super::sent;
use crate::support::{TestGateway, shown, shown_events};

#[tokio::test]
async fn chunks_come_in_order_with_our_ids_and_one_usage_before_done() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().text("One, two.").events(2));
    let extras = json!({ "stream_options": { "include_usage": false } });
    let stream = gateway.chat_stream(&key, "test/small", extras).await;
    assert_eq!(stream.headers["content-type"], "text/event-stream");
    assert_eq!(stream.headers["cache-control"], "no-cache");
    assert_eq!(stream.headers["x-generation-id"], "gen-1795003200-0000byzS749KghVwfPKs");
    assert_snapshot!(shown_events(&stream.rest().await.unwrap()), @r#"
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[{"delta":{"content":"One,","role":"assistant"},"finish_reason":null,"index":0}]}
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[{"delta":{"content":" two."},"finish_reason":null,"index":0}]}
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[{"delta":{},"finish_reason":"stop","index":0}]}
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[],"usage":{"prompt_tokens":8,"completion_tokens":16,"total_tokens":24,"cost":0.00004,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.000008,"upstream_inference_completions_cost":0.000032},"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
    [DONE]
    "#);
    assert_eq!(sent(&gateway, 0)["stream_options"], json!({ "include_usage": true }));
    gateway.close().await;
}

#[tokio::test]
async fn a_running_usage_is_passed_on_once_and_the_last_one_counts() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().usage(testkit::Usage::Running).events(3));
    let events = gateway.chat_stream(&key, "test/small", json!({})).await.rest().await.unwrap();
    let usages: Vec<_> = events.iter().filter_map(|event| event.exact("/usage/cost")).collect();
    assert_eq!(usages, ["0.00004"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_silent_provider_is_bridged_by_comments_once_it_has_answered() {
    let gateway =
        TestGateway::with("[metering]\nkeep_alive_first_ms = 10\nkeep_alive_next_ms = 10").await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_events("small", 0);
    let mut stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    for _ in 0..2 {
        let event = stream.next().await.unwrap().unwrap();
        assert_eq!(event, Event::Comment("OPENROUTER PROCESSING".to_owned()));
    }
    gate.release();
    assert_eq!(stream.rest().await.unwrap().last(), Some(&Event::Done));
    gateway.close().await;
}

#[tokio::test]
async fn an_error_before_anything_else_has_a_status_of_its_own() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().error_event(0));
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&stream.into_answer().await.unwrap()), @r#"
    502
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "error": {
        "code": 502,
        "message": "Provider returned error",
        "metadata": {
          "error_type": "provider_unavailable",
          "provider_code": "502",
          "provider_name": "Alpha",
          "raw": "{\"error\":{\"code\":null,\"message\":\"the upstream failed while generating\",\"param\":null,\"type\":\"server_error\"}}"
        }
      }
    }
    "#);
    gateway.settled().await;
    assert_eq!(gateway.rows(), [""; 0]);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_after_a_comment_is_an_event_and_costs_nothing() {
    let gateway = TestGateway::with("[metering]\nkeep_alive_first_ms = 10").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().error_event(0));
    let gate = gateway.upstream.hold_events("small", 0);
    let mut stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    stream.next().await.unwrap().unwrap();
    gate.release();
    assert_snapshot!(shown_events(&stream.rest().await.unwrap()), @r#"
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1795003200,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"502","provider_name":"Alpha","raw":"{\"error\":{\"code\":null,\"message\":\"the upstream failed while generating\",\"param\":null,\"type\":\"server_error\"}}"}}}
    [DONE]
    "#);
    gateway.settled().await;
    assert_eq!(gateway.rows(), [""; 0]);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_after_content_is_an_event_then_usage_then_done() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().text("One, two.").events(2).error_event(1));
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_snapshot!(shown_events(&stream.rest().await.unwrap()), @r#"
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[{"delta":{"content":"One,","role":"assistant"},"finish_reason":null,"index":0}]}
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"Provider returned error","metadata":{"error_type":"provider_unavailable","provider_code":"502","provider_name":"Alpha","raw":"{\"error\":{\"code\":null,\"message\":\"the upstream failed while generating\",\"param\":null,\"type\":\"server_error\"}}"}}}
    {"id":"gen-1795003200-0000byzS749KghVwfPKs","model":"test/small","provider":"Alpha","object":"chat.completion.chunk","created":1763769600,"choices":[],"usage":{"prompt_tokens":63,"completion_tokens":4,"total_tokens":67,"cost":0.000071,"is_byok":false,"cost_details":{"upstream_inference_cost":null,"upstream_inference_prompt_cost":0.000063,"upstream_inference_completions_cost":0.000008},"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}
    [DONE]
    "#);
    gateway.settled().await;
    // No usage came: 63 prompt tokens by bytes, and the four bytes that were put out.
    assert_eq!(gateway.rows(), ["alpha: counted $0.000071 for 63+4"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_that_is_cut_is_held_in_full() {
    for cut in [Cut::AfterEvents(1), Cut::InEvent(1), Cut::HalfBody] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        gateway.upstream.on("small", Behaviour::new().cut(cut));
        let stream = gateway.chat_stream(&key, "test/small", json!({ "max_tokens": 400 })).await;
        let events = stream.rest().await.unwrap();
        let [.., error, Event::Done] = &events[..] else { panic!("{events:?}") };
        assert_eq!(error.exact("/error/code").as_deref(), Some("502"), "{cut:?}");
        gateway.settled().await;
        assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"], "{cut:?}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_usage_of_half_an_answer_is_not_taken_for_the_whole() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let running = Behaviour::new().usage(testkit::Usage::Running).cut(Cut::AfterEvents(2));
    gateway.upstream.on("small", running);
    let stream = gateway.chat_stream(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(stream.rest().await.unwrap().last(), Some(&Event::Done));
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_cut_before_its_first_event_goes_to_the_next_endpoint() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::AfterEvents(0)));
    let stream = gateway
        .chat_stream(
            &key,
            "test/pair",
            json!({ "max_tokens": 400, "provider": { "order": ["alpha"] } }),
        )
        .await;
    assert_eq!(stream.rest().await.unwrap().last(), Some(&Event::Done));
    gateway.settled().await;
    assert_eq!(
        gateway.rows(),
        ["alpha: held $0.000863 for 0+0", "beta: reported $0.00004 for 8+16"]
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_without_done_that_said_why_it_ended_is_whole() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().without_done());
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_eq!(stream.rest().await.unwrap().last(), Some(&Event::Done));
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_first_event_that_can_not_be_read_is_502_and_charged_as_reported() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().malformed_json());
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_eq!(stream.into_answer().await.unwrap().status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_is_drained_and_charged_what_the_provider_reports() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_events("small", 1);
    let mut stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    stream.next().await.unwrap().unwrap();
    gate.until_waiting(1).await;
    drop(stream);
    // The gate opens only once the gateway has seen it, or its row could not say so.
    gateway.until(|core| core.connections.count() == 0).await;
    gate.release();
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16 cancelled"]);
    assert_eq!(gateway.upstream.calls()[0].ending, testkit::Ending::Complete);
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_is_drained_too() {
    for model in ["test/small", "test/stopping"] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        let gate = gateway.upstream.hold_answers(&model["test/".len()..]);
        let chat = gateway.begin_chat(&key, model, json!({}));
        gate.until_waiting(1).await;
        chat.abort();
        gateway.until(|core| core.connections.count() == 0).await;
        gate.release();
        gateway.settled().await;
        let row = match model {
            "test/small" => "alpha: reported $0.00004 for 8+16 cancelled",
            // Stopped at once: what is counted is the prompt.
            _ => "gamma: counted $0.000063 for 63+0 cancelled",
        };
        assert_eq!(gateway.rows(), [row]);
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_provider_that_stops_is_charged_what_was_counted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let behaviour = Behaviour::new().text("One, two.").events(2).stops_on_disconnect();
    gateway.upstream.on("stopping", behaviour);
    let gate = gateway.upstream.hold_events("stopping", 1);
    let mut stream = gateway.chat_stream(&key, "test/stopping", json!({})).await;
    stream.next().await.unwrap().unwrap();
    gate.until_waiting(1).await;
    drop(stream);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["gamma: counted $0.000071 for 63+4 cancelled"]);
    let model = gateway.core.catalogue().model("test/stopping").cloned().unwrap();
    let report = model.endpoints[0].learned.health.report(gateway.clock.time());
    assert_eq!(report.uptime, [None; 3], "that it was stopped says nothing of its provider");
    gateway.upstream.until(|totals| totals.in_flight == 0).await;
    assert_eq!(gateway.upstream.calls()[0].ending, testkit::Ending::ClientGone);
    gate.release();
    gateway.close().await;
}

#[tokio::test]
async fn a_provider_that_is_drained_too_long_is_given_up_and_held() {
    let gateway = TestGateway::with("[bounds]\ndrain_ms_max = 20").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_events("small", 1);
    let mut stream = gateway.chat_stream(&key, "test/small", json!({ "max_tokens": 400 })).await;
    stream.next().await.unwrap().unwrap();
    drop(stream);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0 cancelled"]);
    gate.release();
    gateway.close().await;
}

#[tokio::test]
async fn the_bound_on_draining_holds_for_a_client_that_left_before_the_head() {
    let gateway = TestGateway::with("[bounds]\ndrain_ms_max = 20").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let behaviour = Behaviour::new().stall_at(1).delay_head(Duration::from_millis(50));
    gateway.upstream.on("small", behaviour);
    let chat = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.upstream.until(|totals| totals.in_flight == 1).await;
    chat.abort();
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0 cancelled"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_line_past_its_bound_ends_the_stream() {
    let gateway = TestGateway::with("[bounds]\nsse_line_bytes_max = 4096").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().text(&"x".repeat(10_000)).events(1));
    let stream = gateway.chat_stream(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(stream.status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_large_stream_arrives_whole() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().huge(3));
    let events = gateway.chat_stream(&key, "test/small", json!({})).await.rest().await.unwrap();
    let bytes: usize = events
        .iter()
        .filter_map(|event| event.exact("/choices/0/delta/content"))
        .map(|text| text.len() - 2)
        .sum();
    assert_eq!(bytes, 3 << 20);
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_counts_as_gone() {
    let gateway = TestGateway::with("[bounds]\nclient_stall_ms = 30").await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    // More than the buffers between the two can take.
    gateway.upstream.on("small", Behaviour::new().huge(64));
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16 cancelled"]);
    drop(stream);
    gateway.close().await;
}
