//! JSON answers: small ones seen whole, large ones streamed, and providers that answer by the byte.

use insta::assert_snapshot;
use serde_json::json;
use testkit::{Behaviour, Cut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{TestGateway, shown};

#[tokio::test]
async fn answers_around_the_size_that_is_seen_whole_are_metered_alike() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    // The rest of the body is a few hundred bytes, so some are below 64 KiB and some above.
    let lengths: Vec<usize> = (64_800..65_600).step_by(50).collect();
    let mut streamed = 0;
    for length in &lengths {
        gateway.upstream.on("small", Behaviour::new().text(&"x".repeat(*length)).events(1));
        let answer = gateway.chat(&key, "test/small", json!({})).await;
        let content = answer.exact("/choices/0/message/content").unwrap();
        assert_eq!(content.len() - 2, *length);
        assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.00004"));
        streamed += usize::from(!answer.headers.contains_key("content-length"));
    }
    assert!((1..lengths.len()).contains(&streamed), "{streamed} of {} streamed", lengths.len());
    gateway.close().await;
}

#[tokio::test]
async fn an_answer_of_several_mebibytes_arrives_whole() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("small", Behaviour::new().huge(3));
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(answer.exact("/choices/0/message/content").unwrap().len() - 2, 3 << 20);
    assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.00004"));
    gateway.close().await;
}

#[tokio::test]
async fn a_large_answer_that_is_cut_is_cut_for_the_client_and_held() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().huge(1).cut(Cut::HalfBody));
    let client = gateway.client.below("/api/v1");
    let cut = client.chat(key.text.as_str(), "test/small", &json!({ "max_tokens": 400 })).await;
    assert!(cut.is_err());
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_502_and_held() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().malformed_json());
    let answer = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_snapshot!(shown(&answer), @r#"
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
          "provider_name": "Alpha"
        }
      }
    }
    "#);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: held $0.000863 for 0+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_stream_answered_with_a_whole_completion_is_404_and_charged_as_reported() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let body = r#"{"id":"x","object":"chat.completion","choices":[],"usage":{"prompt_tokens":8,"completion_tokens":3}}"#;
    gateway.upstream.on("small", Behaviour::new().status(200, body));
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    assert_eq!(stream.into_answer().await.unwrap().status, 404);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.000014 for 8+3"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_a_whole_answer_is_charged_as_reported_or_counted() {
    for (model, row) in [
        ("test/small", "alpha: reported $0.00004 for 8+16 cancelled"),
        ("test/stopping", "gamma: counted"),
    ] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        let gate = gateway.upstream.hold_events(&model["test/".len()..], 1);
        let chat = gateway.begin_chat(&key, model, json!({}));
        gate.until_waiting(1).await;
        chat.abort();
        gateway.until(|core| core.connections.count() == 0).await;
        gate.release();
        gateway.settled().await;
        let rows = gateway.rows();
        assert!(rows.len() == 1 && rows[0].starts_with(row), "{rows:?}");
        assert!(rows[0].ends_with("cancelled"), "{rows:?}");
        gateway.close().await;
    }
}

/// A provider that sends its one answer byte for byte, each in a chunk of its own.
async fn byte_by_byte(listener: TcpListener, answer: &str) {
    let (mut stream, _) = listener.accept().await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut request = vec![0; 64 << 10];
    let read = stream.read(&mut request).await.unwrap();
    assert!(read > 0);
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    for byte in answer.bytes() {
        stream.write_all(&[b'1', b'\r', b'\n', byte, b'\r', b'\n']).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_is_the_same_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = TestGateway::with(&format!(
        r#"
        providers = [{{ slug = "slow", base_url = "http://{address}/v1" }}]
        [[models]]
        id = "test/slow"
        context_length = 8192
        endpoints = [{{ provider = "slow", pricing = {{ prompt = "0.000001", completion = "0.000002" }} }}]
        "#
    ))
    .await;
    let key = gateway.key(json!({})).await;
    let answer = r#"{"usage":{"prompt_tokens":8,"completion_tokens":3},"id":"theirs","object":"chat.completion","created":5,"model":"theirs","system_fingerprint":null,"choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"h\u00e9 \"}","refusal":null}}]}"#;
    let provider = tokio::spawn(byte_by_byte(listener, answer));
    let answer = gateway.chat(&key, "test/slow", json!({})).await;
    provider.await.unwrap();
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    cache-control: no-cache
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "id": "gen-1795003200-0000byzS749KghVwfPKs",
      "model": "test/slow",
      "provider": "slow",
      "object": "chat.completion",
      "created": 5,
      "system_fingerprint": null,
      "choices": [
        {
          "index": 0,
          "finish_reason": "stop",
          "logprobs": null,
          "message": {
            "role": "assistant",
            "content": "h\u00e9 \"}",
            "refusal": null
          }
        }
      ],
      "usage": {
        "prompt_tokens": 8,
        "completion_tokens": 3,
        "total_tokens": 11,
        "cost": 0.000014,
        "is_byok": false,
        "cost_details": {
          "upstream_inference_cost": null,
          "upstream_inference_prompt_cost": 0.000008,
          "upstream_inference_completions_cost": 0.000006
        },
        "prompt_tokens_details": {
          "cached_tokens": 0
        },
        "completion_tokens_details": {
          "reasoning_tokens": 0
        }
      }
    }
    "#);
    gateway.close().await;
}
