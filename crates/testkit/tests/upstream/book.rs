//! The provider's book: what it saw, how many at once, and what gates hold back.
//! These are the instruments of the gateway's tests, and have to be right to the last call.

use std::time::Duration;

use super::raw::{Exchange, body, content, exchange, stream};
use serde_json::{Value, json};
use testkit::{Behaviour, Ending, FakeUpstream, Totals};

#[tokio::test]
async fn a_call_is_kept_as_it_arrived() {
    let upstream = FakeUpstream::start().await;
    let sent = body("m", &json!({ "max_tokens": 3, "stream": true, "seed": 11 }));
    Exchange::send(upstream.address(), &sent).await.read().await;
    let long = body("n", &json!({ "user": "u".repeat(100_000) }));
    Exchange::send(upstream.address(), &long).await.read().await;

    let calls = upstream.calls();
    assert_eq!((calls[0].sequence, calls[0].model.as_str()), (0, "m"));
    assert_eq!((calls[1].sequence, calls[1].model.as_str()), (1, "n"));
    assert!(calls[0].arrived <= calls[1].arrived);
    assert_eq!(calls[0].headers["x-mark"], "7");
    assert_eq!(calls[0].body, sent.to_string());
    assert!(calls[0].is_stream && !calls[1].is_stream);
    assert_eq!(calls[1].body.len(), 64 * 1024);
    assert_eq!(calls[1].body_bytes, long.to_string().len());
}

#[tokio::test]
async fn what_is_no_chat_request_is_refused_as_a_provider_would() {
    let upstream = FakeUpstream::start().await;
    for wrong in
        [json!({ "model": "m" }), json!({ "model": "m", "messages": [], "max_tokens": -1 })]
    {
        let answer = Exchange::send(upstream.address(), &wrong).await.read().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(upstream.calls().iter().all(|call| call.charged.is_none()));
    let elsewhere = Exchange::get(upstream.address(), "/v1/embeddings").await.read().await;
    assert!(elsewhere.starts_with("HTTP/1.1 404 "), "{elsewhere}");
}

#[tokio::test]
async fn the_models_are_those_that_were_given_a_behaviour() {
    let upstream = FakeUpstream::start().await;
    upstream.on("b", Behaviour::new());
    upstream.on("a", Behaviour::new());
    let answer = Exchange::get(upstream.address(), "/v1/models").await.read().await;
    let list: Value = serde_json::from_str(content(&answer)).expect("JSON");
    let ids: Vec<_> = list["data"].as_array().expect("a list").iter().map(|m| &m["id"]).collect();
    assert_eq!(ids, ["a", "b"]);
    assert_eq!(upstream.url(), format!("http://{}/v1", upstream.address()));
    assert_eq!(upstream.calls().len(), 0);
}

#[tokio::test]
async fn a_script_is_followed_in_order_and_its_last_line_repeats() {
    let upstream = FakeUpstream::start().await;
    upstream.then("m", [500, 429, 418].map(|status| Behaviour::new().status(status, "{}")));
    for status in ["500", "429", "418", "418"] {
        let answer = exchange(upstream.address(), "m", &json!({})).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
    }
    upstream.otherwise(Behaviour::new().status(503, "{}"));
    assert!(exchange(upstream.address(), "x", &json!({})).await.starts_with("HTTP/1.1 503 "));
    upstream.on("m", Behaviour::new());
    assert!(exchange(upstream.address(), "m", &json!({})).await.starts_with("HTTP/1.1 200 "));
}

#[tokio::test]
async fn held_answers_stay_in_flight_until_the_gate_opens() {
    let upstream = FakeUpstream::start().await;
    let gate = upstream.hold_answers("m");
    let address = upstream.address();
    let held: Vec<_> = (0..3)
        .map(|_| tokio::spawn(async move { exchange(address, "m", &stream()).await }))
        .collect();
    gate.until_waiting(3).await;
    assert_eq!(upstream.in_flight(), 3);
    exchange(address, "other", &json!({})).await;

    gate.release_one();
    upstream.until(|totals| totals.in_flight == 2).await;
    gate.until_waiting(2).await;
    gate.release();
    for answer in held {
        assert!(answer.await.expect("no panic").contains("[DONE]"));
    }
    exchange(address, "m", &json!({})).await;
    assert_eq!(upstream.in_flight_peak("m"), 3);
    assert_eq!(upstream.in_flight_peak("other"), 1);
    upstream.until(|totals| *totals == Totals { calls: 5, in_flight: 0 }).await;
}

#[tokio::test]
async fn a_stream_can_be_held_between_two_events() {
    let upstream = FakeUpstream::start().await;
    let gate = upstream.hold_events("m", 1);
    let mut answer = Exchange::send(upstream.address(), &body("m", &stream())).await;
    answer.read_until("word0 ").await;
    gate.until_waiting(1).await;
    drop(gate);
    assert!(answer.read().await.contains("[DONE]"));
}

#[tokio::test]
async fn a_client_that_goes_while_its_answer_is_held_is_seen_and_charged() {
    let upstream = FakeUpstream::start().await;
    let gate = upstream.hold_answers("m");
    let answer = Exchange::send(upstream.address(), &body("m", &stream())).await;
    gate.until_waiting(1).await;
    drop(answer);
    upstream.until(|totals| totals.in_flight == 0).await;
    assert_eq!(gate.waiting(), 0);
    let calls = upstream.calls();
    assert_eq!(calls[0].ending, Ending::ClientGone);
    assert_eq!(calls[0].charged.expect("begun").completion, 16);
}

#[tokio::test]
async fn a_stopped_upstream_closes_its_connections() {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", Behaviour::new().delay_head(Duration::from_secs(3_600)));
    let answer = Exchange::send(upstream.address(), &body("m", &json!({}))).await;
    upstream.until(|totals| totals.in_flight == 1).await;
    let address = upstream.address();
    drop(upstream);
    assert_eq!(answer.read().await, "");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
