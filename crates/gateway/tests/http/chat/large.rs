//! JSON answers too large to be seen whole, from a provider that stops with its connection: what was
//! seen of them is charged, neither less nor the whole hold.

use serde_json::json;
use testkit::{Behaviour, Cut};
use tokio::io::AsyncReadExt;

use crate::support::TestGateway;

/// Room for a token a byte, so that what is counted is never cut to what was held.
const LONG: &str = r#"
    [[models]]
    id = "test/long"
    context_length = 10000000
    endpoints = [{ provider = "gamma", upstream_model = "long", max_completion_tokens = 5000000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

/// The completion tokens of the one row, which must be counted; the bound on the prompt is 63.
fn counted(rows: &[String]) -> u64 {
    let [row] = rows else { panic!("{rows:?}") };
    let (cost, tokens) =
        row.strip_prefix("gamma: counted $").unwrap().split_once(" for 63+").unwrap();
    let tokens: u64 = tokens.trim_end_matches(" cancelled").parse().unwrap();
    let nanos = 1_000 * (63 + 2 * tokens);
    assert_eq!(cost, money::Money::nanos(i64::try_from(nanos).unwrap()).to_string());
    tokens
}

#[tokio::test]
async fn a_large_answer_that_its_client_leaves_is_charged_for_what_was_seen() {
    let gateway = TestGateway::with(LONG).await;
    let key = gateway.key(json!({ "limit": 100 })).await;
    gateway.upstream.on("long", Behaviour::new().huge(1).stops_on_disconnect());
    // Four pieces of 64 KiB.
    let gate = gateway.upstream.hold_events("long", 4);
    let body =
        json!({ "model": "test/long", "messages": [{ "role": "user", "content": "Hello" }] });
    let body = body.to_string();
    let mut stream = gateway
        .send(&format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {}\r\n\
             content-length: {}\r\n\r\n{body}",
            key.text,
            body.len()
        ))
        .await;
    gate.until_waiting(1).await;
    stream.read_exact(&mut vec![0; 250 << 10]).await.unwrap();
    drop(stream);
    gateway.settled().await;
    let tokens = counted(&gateway.rows());
    // The heads of both answers are less than 2 KiB.
    assert!((248 << 10..=256 << 10).contains(&tokens), "{tokens}");
    assert!(gateway.rows()[0].ends_with(" cancelled"));
    gate.release();
    gateway.close().await;
}

#[tokio::test]
async fn a_large_answer_that_its_provider_cuts_is_charged_for_what_was_seen() {
    let gateway = TestGateway::with(LONG).await;
    let key = gateway.key(json!({ "limit": 100 })).await;
    gateway.upstream.on("long", Behaviour::new().huge(1).cut(Cut::HalfBody));
    let client = gateway.client.below("/api/v1");
    let cut = client.chat(key.text.as_str(), "test/long", &json!({})).await;
    assert!(cut.is_err(), "the client can see that it is not whole");
    gateway.settled().await;
    let tokens = counted(&gateway.rows());
    assert!((510 << 10..=512 << 10).contains(&tokens), "{tokens}");
    gateway.close().await;
}
