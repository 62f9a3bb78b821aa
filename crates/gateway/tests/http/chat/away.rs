//! A store that can't be written: nothing is admitted, no last byte goes out, nothing is lost.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::json;
use store::Fault;
use testkit::{Behaviour, Event};
use tokio::io::AsyncWriteExt;

use crate::support::{MANAGER, TestGateway, shown};

const SHORT: &str = "[bounds]\nsettle_wait_ms = 30";

#[tokio::test]
async fn nothing_is_admitted_until_the_store_is_back_and_then_all_is() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    let edit = gateway.ask(MANAGER, "POST /api/v1/keys", r#"{"name":"x"}"#).await;
    assert_snapshot!(shown(&edit), @r#"
    503
    retry-after: 1
    {
      "error": {
        "code": 503,
        "message": "The gateway's store can't be written now. Please try again.",
        "metadata": {
          "error_type": "server"
        }
      }
    }
    "#);
    let chat = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!((chat.status, chat.body), (503, edit.body));
    let ready = gateway.ask(None, "GET /ready", "").await;
    assert_eq!((ready.status, ready.headers["retry-after"].to_str().unwrap()), (503, "1"));
    assert_eq!(gateway.ask(None, "GET /health", "").await.status, 200);
    assert_eq!(gateway.fact(&key, "usage").await, "0", "what is in memory can still be read");
    assert_eq!(gateway.upstream.calls().len(), 0);

    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.until(|core| !core.writer.is_away()).await;
    assert_eq!(gateway.ask(None, "GET /ready", "").await.status, 200);
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

/// Has the store fail from now on, and the gateway find out.
async fn go_away(gateway: &TestGateway) {
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    let edit = gateway.ask(MANAGER, "POST /api/v1/keys", r#"{"name":"x"}"#).await;
    assert_eq!(edit.status, 503);
}

#[tokio::test]
async fn a_request_whose_body_comes_while_the_store_is_away_is_not_admitted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let body = r#"{"model":"test/small","messages":[{"role":"user","content":"Hello"}]}"#;
    let (early, late) = body.split_at(20);
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
        key.text,
        body.len()
    );
    let mut stream = gateway.send(&format!("{head}{early}")).await;
    gateway.until(|core| core.in_flight.count() == 1).await;
    go_away(&gateway).await;
    stream.write_all(late.as_bytes()).await.unwrap();
    let answer = TestGateway::rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("store"), "{answer}");
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.close().await;
}

#[tokio::test]
async fn a_request_that_waits_when_the_store_goes_away_is_not_admitted() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    // A refusal frees its hold without a word to the store.
    gateway.upstream.then("small", [Behaviour::new().status(500, ""), Behaviour::new()]);
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    go_away(&gateway).await;
    gate.release();
    assert_eq!((first.await.unwrap().status, second.await.unwrap().status), (502, 503));
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.store.fail_next(0, Fault::Unavailable);
    // Nothing else writes: the gateway finds out by itself.
    gateway.until(|core| !core.writer.is_away()).await;
    let third = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(third.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn an_answer_that_can_not_be_settled_is_refused_and_booked_when_the_store_is_back() {
    let gateway = TestGateway::with(SHORT).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    gate.release();
    assert_eq!(chat.await.unwrap().status, 503);
    assert_eq!(gateway.held(&key), "0.000863", "its hold stays");
    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.until(|core| !core.writer.is_away()).await;
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_that_can_not_be_settled_ends_before_its_last_byte() {
    let gateway = TestGateway::with(SHORT).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let gate = gateway.upstream.hold_events("small", 1);
    let mut stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    stream.next().await.unwrap().unwrap();
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    gate.release();
    assert!(stream.rest().await.is_err(), "the client can see that it is not whole");
    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.until(|core| !core.writer.is_away()).await;
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}

#[tokio::test]
async fn the_last_byte_waits_for_the_settlement() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let stall = gateway.store.stall();
    let mut stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    loop {
        let event = stream.next().await.unwrap().unwrap();
        if event.exact("/choices/0/finish_reason").as_deref() == Some(r#""stop""#) {
            break;
        }
    }
    let early = tokio::time::timeout(Duration::from_millis(20), stream.next()).await;
    assert!(early.is_err(), "{early:?} came before the settlement was durable");
    drop(stall);
    assert_eq!(stream.rest().await.unwrap().last(), Some(&Event::Done));

    let stall = gateway.store.stall();
    let mut chat = gateway.begin_chat(&key, "test/small", json!({}));
    let early = tokio::time::timeout(Duration::from_millis(20), &mut chat).await;
    assert!(early.is_err(), "an answer came before its settlement was durable");
    drop(stall);
    assert_eq!(chat.await.unwrap().status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn the_last_byte_does_not_wait_where_the_configuration_says_so() {
    let gateway = TestGateway::with("[store]\nlast_byte_waits = false").await;
    let key = gateway.key(json!({})).await;
    let stall = gateway.store.stall();
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(gateway.rows(), [""; 0]);
    drop(stall);
    gateway.until(|core| core.writer.figures().changes.look().sum == 3).await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00004 for 8+16"]);
    gateway.close().await;
}
