//! `GET /generation`: one generation as the book has it, and who may read it.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Answer, Behaviour, Cut};

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
        "model": "test/pair", "session_id": "s1", "provider": { "order": ["alpha"] },
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
    assert!(data["latency"].as_u64() >= data["generation_time"].as_u64());
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
        "cache_discount": 0,
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
            "endpoint_id": "efed8e09-9466-8289-83ac-46a448ce5375",
            "is_byok": false,
            "model_permaslug": "test/pair",
            "provider_name": "Alpha",
            "status": 500
          },
          {
            "endpoint_id": "48337a84-1340-82af-9b90-88c5c6f214eb",
            "id": "chatcmpl-fake-1",
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
    let id = made(
        &gateway,
        &key,
        "test/pair",
        json!({ "max_tokens": 400, "provider": { "order": ["alpha"] } }),
    )
    .await;
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

async fn read(gateway: &TestGateway, key: &TestKey, id: &str) -> Answer {
    let line = format!("GET /api/v1/generation?id={id}");
    let answer = gateway.ask(key.text.as_str(), &line, "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer
}

#[tokio::test]
async fn why_it_ended_is_said_in_the_apis_words_and_in_the_providers() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    for (native, normal) in [
        ("length", json!("length")),
        ("end_turn", json!("stop")),
        ("MAX_TOKENS", json!("length")),
        ("tool_use", json!("tool_calls")),
        ("SAFETY", json!("content_filter")),
        ("moon_phase", json!(null)),
    ] {
        let body = json!({
            "id": "1",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": "no" },
                "finish_reason": native,
            }],
            "usage": { "prompt_tokens": 1, "completion_tokens": 1 },
        });
        gateway.upstream.on("small", Behaviour::new().status(200, &body.to_string()));
        // Asked over a plain connection: such words are not in the contract of the answer itself.
        let body = r#"{"model":"test/small","messages":[{"role":"user","content":"Hello"}]}"#;
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
             authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n",
            key.text,
            body.len()
        );
        let answer = gateway.raw(&format!("{head}{body}")).await;
        let id = answer.lines().find_map(|line| line.strip_prefix("x-generation-id: ")).unwrap();
        let data = read(&gateway, &key, id).await.json()["data"].take();
        let found = [&data["native_finish_reason"], &data["finish_reason"]];
        assert_eq!(found, [&json!(native), &normal]);
    }
    gateway.close().await;
}

#[tokio::test]
async fn what_the_cache_saved_is_kept_at_the_prices_of_the_time() {
    let model = |read: &str| {
        format!(
            "[[models]]\nid = \"test/cached\"\ncontext_length = 8192\n[[models.endpoints]]\n\
             provider = \"alpha\"\npricing = {{ prompt = \"0.000001\", completion = \"0\", \
             input_cache_read = \"{read}\", input_cache_write = \"0.000002\" }}"
        )
    };
    let gateway = TestGateway::with(&model("0.00000025")).await;
    let key = gateway.key(json!({})).await;
    let mut ids = Vec::new();
    for (cached, written) in [(4, 0), (0, 5), (0, 0)] {
        let behaviour = Behaviour::new().cached_tokens(cached).cache_write_tokens(written);
        gateway.upstream.on("test/cached", behaviour);
        ids.push(made(&gateway, &key, "test/cached", json!({})).await);
    }
    gateway.reload(&model("0"));
    let mut found = Vec::new();
    for id in &ids {
        let answer = read(&gateway, &key, id).await;
        found.push(
            ["cache_discount", "total_cost"]
                .map(|name| answer.exact(&format!("/data/{name}")).unwrap()),
        );
    }
    assert_eq!(found, [["0.000003", "0.000005"], ["-0.000005", "0.000013"], ["null", "0.000008"]]);
    gateway.close().await;
}

#[tokio::test]
async fn latency_counts_from_the_requests_arrival() {
    let gateway = TestGateway::start().await;
    // Room for one worst case, so that the second request waits for the first.
    let key = gateway.key(json!({ "limit": 0.00091 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    // Latency is real time, so some of it must pass.
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    let second = second.await.unwrap();
    assert_eq!(second.status, 200, "{}", second.text());
    let id = second.json()["id"].as_str().unwrap().to_owned();
    let data = read(&gateway, &key, &id).await.json()["data"].take();
    assert!(data["latency"].as_u64().unwrap() >= 50, "{data}");
    assert!(data["provider_responses"][0]["latency"].as_u64().unwrap() < 50, "{data}");
    gateway.close().await;
}

#[tokio::test]
async fn a_crash_leaves_its_attempt_and_says_nothing_that_is_not_known() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("pair-a", Behaviour::new().cut(Cut::BeforeHead));
    let gate = gateway.upstream.hold_answers("pair-b");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let chat = tokio::spawn(async move {
        client
            .chat(
                text.as_str(),
                "test/pair",
                &json!({ "max_tokens": 400, "provider": { "order": ["alpha"] } }),
            )
            .await
    });
    gate.until_waiting(1).await;
    let gateway = gateway.crash().await;
    assert!(chat.await.unwrap().is_err());
    gate.release();
    let holds = gateway.control("GET /holds", "").await.json();
    let id = holds[0]["generation"].as_str().unwrap();
    let mut data = read(&gateway, &key, id).await.json()["data"].take();
    data["provider_responses"][0].as_object_mut().unwrap().remove("latency").unwrap();
    let facts = [
        "provider_name",
        "provider_responses",
        "total_cost",
        "latency",
        "generation_time",
        "tokens_prompt",
        "native_tokens_completion",
        "native_tokens_cached",
        "finish_reason",
    ];
    let facts: serde_json::Map<String, Value> =
        facts.map(|name| (name.to_owned(), data[name].clone())).into_iter().collect();
    assert_snapshot!(serde_json::to_string_pretty(&facts).unwrap(), @r#"
    {
      "finish_reason": null,
      "generation_time": null,
      "latency": null,
      "native_tokens_cached": null,
      "native_tokens_completion": null,
      "provider_name": "Beta",
      "provider_responses": [
        {
          "endpoint_id": "efed8e09-9466-8289-83ac-46a448ce5375",
          "is_byok": false,
          "model_permaslug": "test/pair",
          "provider_name": "Alpha",
          "status": null
        },
        {
          "endpoint_id": "48337a84-1340-82af-9b90-88c5c6f214eb",
          "is_byok": false,
          "model_permaslug": "test/pair",
          "provider_name": "Beta",
          "status": null
        }
      ],
      "tokens_prompt": null,
      "total_cost": 0.001726
    }
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn the_end_user_of_a_key_is_known_even_when_the_key_is_deleted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "external": { "user": "u1" } })).await;
    let id = made(&gateway, &key, "test/small", json!({})).await;
    assert_eq!(read(&gateway, &key, &id).await.json()["data"]["external_user"], "u1");
    gateway.ask(MANAGER, &format!("DELETE {}", key.path()), "").await;
    let line = format!("GET /api/v1/generation?id={id}");
    let answer = gateway.ask(MANAGER, &line, "").await;
    assert_eq!(answer.json()["data"]["external_user"], "u1");
    gateway.close().await;
}

#[tokio::test]
async fn no_content_is_ever_kept() {
    let gateway = TestGateway::start().await;
    let (key, other) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let id = made(&gateway, &key, "test/small", json!({})).await;
    let line = format!("GET /api/v1/generation/content?id={id}");
    let own = gateway.ask(key.text.as_str(), &line, "").await;
    assert_snapshot!(shown(&own), @r#"
    404
    {
      "error": {
        "code": 404,
        "message": "No content is kept of this generation: this gateway logs no prompts or answers",
        "metadata": {
          "error_type": "not_found"
        }
      }
    }
    "#);
    for caller in [MANAGER, other.text.as_str()] {
        let answer = gateway.ask(caller, &line, "").await;
        assert_eq!((answer.status, answer.body), (404, own.body.clone()));
    }
    assert_eq!(gateway.ask(None, &line, "").await.status, 401);
    let missing = gateway.ask(MANAGER, "GET /api/v1/generation/content", "").await;
    assert_eq!(missing.status, 400);
    assert!(missing.text().contains("`id` is missing"), "{}", missing.text());
    gateway.close().await;
}
