//! The models a key may use: what is left out is not served, by whatever way it is asked for.

use insta::assert_snapshot;
use serde_json::json;
use testkit::Behaviour;

use crate::support::{TestGateway, shown};

#[tokio::test]
async fn a_model_that_the_list_leaves_out_is_404_in_the_words_clients_match() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "allowed_models": ["test/free", "test/pair"] })).await;
    let answer = gateway.chat(&key, "test/small", json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    404
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 404,
        "message": "No endpoints available matching your guardrail restrictions and data policy. Configure: https://gate.example/settings/keys (`allowed_models` of this key leaves the model out)",
        "metadata": {
          "error_type": "not_found",
          "failed_routing_step": "Filter by Guardrails"
        }
      }
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    assert_eq!(gateway.chat(&key, "test/free", json!({})).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/pair", json!({})).await.status, 200);
    // What there is not at all is told apart from what may not be used.
    let unknown = gateway.chat(&key, "test/none", json!({})).await;
    assert_eq!(unknown.status, 400);
    gateway.close().await;
}

#[tokio::test]
async fn a_list_of_an_author_allows_all_of_their_models() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "allowed_models": ["test/*"] })).await;
    for model in ["test/small", "test/free"] {
        assert_eq!(gateway.chat(&key, model, json!({})).await.status, 200, "{model}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn an_edit_of_the_list_binds_the_next_request_and_cuts_off_none() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let running = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    gateway.patch(&key, json!({ "allowed_models": ["test/free"] })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 404);
    gate.release();
    assert_eq!(running.await.unwrap().status, 200);
    gateway.patch(&key, json!({ "allowed_models": null })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn who_waits_for_room_is_refused_once_the_list_leaves_their_model_out() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    gateway.patch(&key, json!({ "allowed_models": ["test/free"] })).await;
    assert_eq!(second.await.unwrap().status, 404);
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn fallback_models_that_the_list_leaves_out_are_passed_over() {
    let gateway = TestGateway::start().await;
    gateway.upstream.on("free", Behaviour::new());
    let key = gateway.key(json!({ "allowed_models": ["test/free"] })).await;
    let models = json!({ "models": ["test/pair", "test/free"] });
    let answer = gateway.chat(&key, "test/small", models).await;
    assert_eq!((answer.status, answer.json()["model"].clone()), (200, json!("test/free")));
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}
