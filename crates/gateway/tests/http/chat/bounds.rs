//! Bodies and requests past their bounds: refused early, with what they took given back.

use std::sync::atomic::Ordering;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::{TestGateway, shown};

/// The head of a chat request up to its framing.
fn head(key: &str, framing: &str) -> String {
    format!(
        "POST /api/v1/chat/completions HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
         authorization: Bearer {key}\r\n{framing}\r\n\r\n"
    )
}

#[tokio::test]
async fn a_body_too_large_by_its_own_word_is_413_before_a_byte_of_it() {
    let gateway = TestGateway::with("[bounds]\nbody_bytes_max = 1000").await;
    let key = gateway.key(json!({})).await;
    let answer = gateway.raw(&head(&key.text, "content-length: 1001")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let answer = gateway.chat(&key, "test/small", json!({ "pad": "x".repeat(1000) })).await;
    assert_snapshot!(shown(&answer), @r#"
    413
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 413,
        "message": "Request payload too large: at most 1000 bytes are allowed",
        "metadata": {
          "error_type": "payload_too_large"
        }
      }
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_is_413_once_it_is_too_large() {
    let gateway = TestGateway::with("[bounds]\nbody_bytes_max = 1000").await;
    let key = gateway.key(json!({})).await;
    let chunk = format!("{:x}\r\n{}\r\n", 600, " ".repeat(600));
    let head = head(&key.text, "transfer-encoding: chunked");
    let answer = gateway.raw(&format!("{head}{chunk}{chunk}")).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    gateway.close().await;
}

#[tokio::test]
async fn a_body_of_unknown_length_in_pieces_is_one_body() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let body = r#"{"model":"test/small","messages":[{"role":"user","content":"Hello"}]}"#;
    let chunks: String = body.chars().map(|c| format!("1\r\n{c}\r\n")).collect();
    let head = head(&key.text, "transfer-encoding: chunked");
    let answer = gateway.raw(&format!("{head}{chunks}0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    gateway.close().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_408() {
    let gateway = TestGateway::with("[bounds]\nbody_ms_max = 20").await;
    let key = gateway.key(json!({})).await;
    let answer = gateway.raw(&format!("{}{{", head(&key.text, "content-length: 100"))).await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(answer.contains("was not complete within 20 ms"), "{answer}");
    gateway.close().await;
}

#[tokio::test]
async fn a_key_is_looked_at_before_a_body_is_read() {
    let gateway = TestGateway::with("[bounds]\nbody_bytes_max = 1000").await;
    let answer = gateway.raw(&head("sk-or-v1-nobody", "content-length: 1001")).await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    gateway.close().await;
}

#[tokio::test]
async fn bodies_in_memory_have_one_bound_and_give_back_what_they_took() {
    // A body of "Hello" is 84 bytes, and stays in memory until its call has ended.
    let gateway = TestGateway::with("[bounds]\nbodies_bytes_max = 100").await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let second = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&second), @r#"
    503
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 1
    {
      "error": {
        "code": 503,
        "message": "Too many request bodies are in memory.",
        "metadata": {
          "error_type": "provider_overloaded"
        }
      }
    }
    "#);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    gateway.settled().await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.settled().await;
    assert_eq!(gateway.core.body_bytes.load(Ordering::Relaxed), 0);
    gateway.close().await;
}

#[tokio::test]
async fn requests_in_flight_have_a_bound() {
    let gateway = TestGateway::with("[bounds]\nin_flight_max = 1").await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let second = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&second), @r#"
    503
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    retry-after: 1
    {
      "error": {
        "code": 503,
        "message": "Too many requests are in flight.",
        "metadata": {
          "error_type": "provider_overloaded"
        }
      }
    }
    "#);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    gateway.settled().await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn bodies_that_are_only_announced_take_nobodys_room() {
    let gateway = TestGateway::with("[bounds]\nbodies_bytes_max = 1000").await;
    let key = gateway.key(json!({})).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(gateway.send(&head(&key.text, "content-length: 900")).await);
    }
    gateway.until(|core| core.in_flight.count() == 20).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    drop(silent);
    gateway.close().await;
}

#[tokio::test]
async fn an_administrator_has_room_when_bodies_fill_it() {
    let gateway = TestGateway::with("[bounds]\nbodies_bytes_max = 1000").await;
    let key = gateway.key(json!({})).await;
    let unfinished = format!("{}{}", head(&key.text, "content-length: 1000"), " ".repeat(990));
    let unfinished = gateway.send(&unfinished).await;
    let taken = |core: &gateway::core::Core| core.body_bytes.load(Ordering::Relaxed) == 990;
    gateway.until(taken).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 503);
    gateway.patch(&key, json!({ "disabled": true })).await;
    gateway.key(json!({ "limit": 1 })).await;
    drop(unfinished);
    gateway.close().await;
}
