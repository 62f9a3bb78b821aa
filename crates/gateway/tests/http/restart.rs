//! A process that ends without a word, and what the next one makes of what it left.

use insta::assert_snapshot;
use serde_json::json;

use crate::support::TestGateway;

#[tokio::test]
async fn what_was_in_flight_is_charged_in_full_until_it_is_corrected() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    let gate = gateway.upstream.hold_answers("small");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let chat = tokio::spawn(async move {
        client.chat(text.as_str(), "test/small", &json!({ "max_tokens": 400 })).await
    });
    gate.until_waiting(1).await;
    let gateway = gateway.crash().await;
    assert!(chat.await.unwrap().is_err());
    gate.release();

    gateway.settled().await;
    let rows = ["alpha: reported $0.00004 for 8+16", "alpha: interrupted $0.000863 for 0+0"];
    let mut found = gateway.rows();
    found.sort_by_key(|row| !row.contains("reported"));
    assert_eq!(found, rows);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000903");

    let gateway = gateway.crash().await;
    assert_eq!(gateway.rows().len(), 2, "another restart charges nothing again");
    assert_eq!(gateway.fact(&key, "usage").await, "0.000903");

    let holds = gateway.control("GET /holds", "").await;
    assert_snapshot!(holds.text().replace(&key.hash, "HASH"), @r#"[{"generation":"gen-1795003200-mPtP0S8jrTgxPrIeEh01","attempt":0,"source":"interrupted","key":"HASH","model":"test/small","provider":"alpha","admitted_at":"2026-11-18T12:00:00Z","charged":"0.000863"}]"#);
    let hold = holds.json()[0].clone();
    let path = format!("POST /holds/{}/0", hold["generation"].as_str().unwrap());
    let answer = gateway.control(&path, r#"{"cost":"0.000063"}"#).await;
    assert_eq!(answer.text(), r#"{"difference":"-0.0008"}"#);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000103");
    assert_eq!(gateway.control("GET /holds", "").await.text(), "[]");
    assert_eq!(gateway.control(&path, r#"{"cost":"-1"}"#).await.status, 400);
    assert_eq!(gateway.control("POST /holds/gen-1-none/0", r#"{"cost":"0"}"#).await.status, 404);
    let gateway = gateway.crash().await;
    assert_eq!(gateway.fact(&key, "usage").await, "0.000103");
    gateway.close().await;
}

#[tokio::test]
async fn what_a_key_is_may_spend_and_has_spent_outlives_the_process() {
    let gateway = TestGateway::start().await;
    let limits =
        json!({ "limit": 0.0001, "limit_reset": "weekly", "expires_at": "2027-01-01T00:00:00Z" });
    let key = gateway.key(limits).await;
    gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await;
    let before = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    gateway.settled().await;
    let gateway = gateway.crash().await;
    let after = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
    assert_eq!(after.text(), before.text());
    assert_eq!(gateway.chat(&key, "test/small", json!({ "max_tokens": 16 })).await.status, 402);
    gateway.close().await;
}
