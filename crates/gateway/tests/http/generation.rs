//! `GET /generation`: one generation as the book has it, and who may read it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Behaviour, Cut};

use crate::support::{MANAGER, TestGateway, TestKey, shown};

/// Makes a generation and gives its id.
async fn made(gateway: &TestGateway, key: &TestKey, model: &str, extras: Value) -> String {
    let answer = gateway.chat(key, model, extras).await;
    assert_eq!(answer.status, 200);
    let id = answer.headers["x-generation-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.json()["id"], id);
    id
}

#[tokio::test]
async fn a_generation_can_be_read_as_soon_as_its_answer_has_ended() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("pair-a", Behaviour::new().status(500, "{}"));
    let behaviour = Behaviour::new().cached_tokens(2).reasoning_tokens(3);
    gateway.upstream.on("pair-b", behaviour);
    let body = json!({
        "model": "test/pair", "session_id": "s1",
        "messages": [{ "role": "user", "content": "Hello" }],
    });
    let headers = [
        ("http-referer", "https://app.example"),
        ("user-agent", "agent/1"),
        ("x-session-id", "s2"),
    ];
    let line = "POST /api/v1/chat/completions";
    let answer = gateway.ask_with(key.text.as_str(), line, body, &headers).await;
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let line = format!("GET /api/v1/generation?id={id}");
    let read = gateway.ask(key.text.as_str(), &line, "").await;
    assert_eq!(read.status, 200);

    // How long it took is real time, the one thing that differs from run to run.
    let mut json = read.json();
    let data = json["data"].as_object_mut().unwrap();
    for name in ["latency", "generation_time"] {
        assert!(data.remove(name).unwrap().is_u64());
    }
    for tried in data["provider_responses"].as_array_mut().unwrap() {
        assert!(tried.as_object_mut().unwrap().remove("latency").unwrap().is_u64());
    }
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "data": {
        "api_type": "completions",
        "app_id": null,
        "cache_discount": null,
        "cancelled": false,
        "created_at": "2026-11-18T12:00:00.000Z",
        "data_region": "global",
        "external_user": null,
        "finish_reason": "stop",
        "http_referer": "https://app.example",
        "id": "gen-1795003200-0000byzS749KghVwfPKs",
        "is_byok": false,
        "model": "test/pair",
        "moderation_latency": null,
        "native_finish_reason": "stop",
        "native_tokens_cached": 2,
        "native_tokens_completion": 16,
        "native_tokens_completion_images": null,
        "native_tokens_prompt": 8,
        "native_tokens_reasoning": 3,
        "num_fetches": null,
        "num_input_audio_prompt": null,
        "num_media_completion": null,
        "num_media_prompt": null,
        "num_search_results": null,
        "origin": "https://app.example",
        "preset_id": null,
        "provider_name": "Beta",
        "provider_responses": [
          {
            "is_byok": false,
            "model_permaslug": "test/pair",
            "provider_name": "Alpha",
            "status": 500
          },
          {
            "is_byok": false,
            "model_permaslug": "test/pair",
            "provider_name": "Beta",
            "status": 200
          }
        ],
        "request_id": null,
        "response_cache_source_id": null,
        "router": null,
        "service_tier": null,
        "session_id": "s1",
        "streamed": false,
        "tokens_completion": 16,
        "tokens_prompt": 8,
        "total_cost": 0.00004,
        "upstream_id": "chatcmpl-fake-1",
        "upstream_inference_cost": null,
        "usage": 0.00004,
        "user_agent": "agent/1",
        "web_search_engine": null,
        "workspace_id": "5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f"
      }
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn all_attempts_of_a_generation_add_up() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::BeforeHead));
    let id = made(&gateway, &key, "test/pair", json!({ "max_tokens": 400 })).await;
    let line = format!("GET /api/v1/generation?id={id}");
    let answer = gateway.ask(key.text.as_str(), &line, "").await;
    assert_eq!(answer.exact("/data/total_cost").as_deref(), Some("0.000903"));
    gateway.close().await;
}

#[tokio::test]
async fn a_generation_is_read_by_its_key_and_by_management_alone() {
    let gateway = TestGateway::start().await;
    let (key, other) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let id = made(&gateway, &key, "test/small", json!({})).await;
    let line = format!("GET /api/v1/generation?id={id}");
    assert_eq!(gateway.ask(MANAGER, &line, "").await.status, 200);
    let refused = gateway.ask(other.text.as_str(), &line, "").await;
    let unknown = gateway.ask(key.text.as_str(), "GET /api/v1/generation?id=gen-0-x", "").await;
    assert_eq!((refused.status, shown(&refused)), (404, shown(&unknown)));
    assert_eq!(gateway.ask(None, &line, "").await.status, 401);
    gateway.close().await;
}

#[tokio::test]
async fn keys_of_a_workspace_share_their_generations_where_the_configuration_says_so() {
    let gateway = TestGateway::with("[api]\ngeneration_scope = \"workspace\"").await;
    let (key, other) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let id = made(&gateway, &key, "test/small", json!({})).await;
    let line = format!("GET /api/v1/generation?id={id}");
    assert_eq!(gateway.ask(other.text.as_str(), &line, "").await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn an_id_that_is_missing_is_400() {
    let gateway = TestGateway::start().await;
    for query in ["", "?id=", "?x=y"] {
        let answer = gateway.ask(MANAGER, &format!("GET /api/v1/generation{query}"), "").await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains("`id` is missing"));
    }
    gateway.close().await;
}
