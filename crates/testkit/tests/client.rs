//! The test client: what is an answer to it, what an error, and what it does not let pass.
//! A provider stands in for the gateway, whose answers have the same shape.

use std::io::ErrorKind;

use serde_json::json;
use testkit::{Behaviour, Client, Cut, Ending, Event, FakeUpstream, Usage};

fn client(upstream: &FakeUpstream) -> Client {
    Client::new(upstream.address()).below("/v1")
}

#[tokio::test]
async fn a_request_carries_the_key_and_the_extras_of_the_test() {
    let upstream = FakeUpstream::start().await;
    let extras = json!({ "max_tokens": 2, "messages": [{ "role": "user", "content": "Hi" }] });
    let answer = client(&upstream).chat("sk-1", "m", &extras).await.expect("an answer");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.exact("/usage/completion_tokens").as_deref(), Some("2"));
    let calls = upstream.calls();
    assert_eq!(calls[0].headers["authorization"], "Bearer sk-1");
    let body: serde_json::Value = serde_json::from_slice(&calls[0].body).expect("JSON");
    assert_eq!(body["messages"], extras["messages"]);
}

#[tokio::test]
async fn an_answer_that_ends_early_is_an_error_and_no_answer() {
    let upstream = FakeUpstream::start().await;
    for cut in [Cut::BeforeHead, Cut::InHead, Cut::HalfBody] {
        upstream.on("m", Behaviour::new().cut(cut));
        assert!(client(&upstream).chat(None, "m", &json!({})).await.is_err(), "{cut:?}");
    }
    upstream.on("m", Behaviour::new().cut(Cut::AfterEvents(2)));
    let mut stream = client(&upstream).chat_stream(None, "m", &json!({})).await.expect("a head");
    assert!(matches!(stream.next().await, Ok(Some(Event::Chunk(_)))));
    assert!(matches!(stream.next().await, Ok(Some(Event::Chunk(_)))));
    assert!(stream.next().await.is_err());
    let address = upstream.address();
    drop(upstream);
    let refused = Client::new(address).get(None, "/key").await.expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test]
async fn a_dropped_stream_closes_its_connection() {
    let upstream = FakeUpstream::start().await;
    let gate = upstream.hold_events("m", 1);
    let mut stream = client(&upstream).chat_stream(None, "m", &json!({})).await.expect("a head");
    assert!(matches!(stream.next().await, Ok(Some(Event::Chunk(_)))));
    gate.until_waiting(1).await;
    drop(stream);
    upstream.until(|totals| totals.in_flight == 0).await;
    assert_eq!(upstream.calls()[0].ending, Ending::ClientGone);
}

#[tokio::test]
async fn a_stream_that_was_refused_is_an_answer() {
    let upstream = FakeUpstream::start().await;
    let envelope = r#"{"error":{"code":402,"message":"too dear"}}"#;
    upstream.on("m", Behaviour::new().status(402, envelope));
    let stream = client(&upstream).chat_stream(None, "m", &json!({})).await.expect("a head");
    assert!(!stream.is_stream());
    let answer = stream.into_answer().await.expect("an answer");
    assert_eq!((answer.status, answer.text().as_str()), (402, envelope));
}

#[tokio::test]
#[should_panic(expected = "at \"/usage")]
async fn a_body_that_breaks_the_contract_does_not_pass() {
    let upstream = FakeUpstream::start().await;
    let nonsense = Usage::Nonsense(r#"{"prompt_tokens":"many"}"#.to_owned());
    upstream.on("m", Behaviour::new().usage(nonsense));
    let _ = client(&upstream).chat(None, "m", &json!({})).await;
}

#[tokio::test]
#[should_panic(expected = "against the contract")]
async fn a_chunk_that_breaks_the_contract_does_not_pass() {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", Behaviour::new().usage(Usage::Null));
    let stream = client(&upstream).chat_stream(None, "m", &json!({})).await.expect("a head");
    let _ = stream.rest().await;
}

#[tokio::test]
#[should_panic(expected = "error.code is not the status")]
async fn an_error_without_the_envelope_does_not_pass() {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", Behaviour::new().status(418, r#"{"error":"teapot"}"#));
    let _ = client(&upstream).chat(None, "m", &json!({})).await;
}
