//! Where models run: the endpoints of one, and those that keep nothing.

use std::time::Duration;

use gateway::routing::Pace;
use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Behaviour;

use crate::support::{MANAGER, TestGateway, shown};

const MODELS: &str = r#"
    [[models]]
    id = "ace/chat:free"
    name = "Chat"
    description = "For tests."
    created = 1700000000
    context_length = 8192
    input_modalities = ["text", "image"]
    knowledge_cutoff = "2026-01-31"
    hugging_face_id = "ace/Chat-8B"
    [[models.endpoints]]
    provider = "alpha"
    upstream_model = "first"
    max_completion_tokens = 1000
    quantization = "fp8"
    variant = "fp8"
    zdr = true
    implicit_caching = true
    supported_parameters = ["tools", "tool_choice"]
    pricing = { prompt = "0.000001", completion = "0.000002", input_cache_read = "0.0000001" }
    [[models.endpoints]]
    provider = "beta"
    context_length = 4096
    free = true
    [[models]]
    id = "ace/hidden"
    listed = false
    context_length = 8192
    endpoints = [{ provider = "beta", zdr = true, free = true, supported_parameters = [] }]
"#;

#[tokio::test]
async fn the_endpoints_of_a_model_are_shown_to_anyone() {
    let gateway = TestGateway::with(MODELS).await;
    let line = "GET /api/v1/models/ace/chat:free/endpoints";
    let answer = gateway.ask(None, line, "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "data": {
        "id": "ace/chat:free",
        "name": "Chat",
        "created": 1700000000,
        "description": "For tests.",
        "architecture": {
          "modality": "text+image->text",
          "input_modalities": [
            "text",
            "image"
          ],
          "output_modalities": [
            "text"
          ],
          "tokenizer": "Other",
          "instruct_type": null
        },
        "endpoints": [
          {
            "name": "Alpha | ace/chat:free",
            "tag": "alpha/fp8",
            "provider_name": "Alpha",
            "model_id": "ace/chat:free",
            "model_name": "Chat",
            "context_length": 8192,
            "max_completion_tokens": 1000,
            "max_prompt_tokens": null,
            "pricing": {
              "prompt": "0.000001",
              "completion": "0.000002",
              "input_cache_read": "0.0000001"
            },
            "quantization": "fp8",
            "supported_parameters": [
              "max_tokens",
              "temperature",
              "top_p",
              "stop",
              "seed",
              "frequency_penalty",
              "presence_penalty",
              "tools",
              "tool_choice"
            ],
            "supports_implicit_caching": true,
            "uptime_last_5m": null,
            "uptime_last_30m": null,
            "uptime_last_1d": null,
            "latency_last_30m": null,
            "throughput_last_30m": null,
            "status": 0,
            "native_tools": {},
            "service_tier": null,
            "supports_diarization": false,
            "supports_tool_choice": {
              "auto": true,
              "function": true,
              "none": true,
              "required": true
            }
          },
          {
            "name": "Beta | ace/chat:free",
            "tag": "beta",
            "provider_name": "Beta",
            "model_id": "ace/chat:free",
            "model_name": "Chat",
            "context_length": 4096,
            "max_completion_tokens": 4096,
            "max_prompt_tokens": null,
            "pricing": {
              "prompt": "0",
              "completion": "0"
            },
            "quantization": null,
            "supported_parameters": [
              "max_tokens",
              "temperature",
              "top_p",
              "stop",
              "seed",
              "frequency_penalty",
              "presence_penalty",
              "response_format",
              "tools"
            ],
            "supports_implicit_caching": false,
            "uptime_last_5m": null,
            "uptime_last_30m": null,
            "uptime_last_1d": null,
            "latency_last_30m": null,
            "throughput_last_30m": null,
            "status": 0,
            "native_tools": {},
            "service_tier": null,
            "supports_diarization": false,
            "supports_tool_choice": {
              "auto": true,
              "function": true,
              "none": true,
              "required": true
            }
          }
        ]
      }
    }
    "#);
    let model = gateway.ask(None, "GET /api/v1/model/ace/chat:free", "").await.json();
    assert_eq!(model["data"]["knowledge_cutoff"], "2026-01-31");
    assert_eq!(model["data"]["hugging_face_id"], "ace/Chat-8B");
    gateway.close().await;
}

#[tokio::test]
async fn endpoints_that_keep_nothing_are_listed_with_their_models() {
    let gateway = TestGateway::with(MODELS).await;
    let answer = gateway.ask(None, "GET /api/v1/endpoints/zdr", "").await;
    let all = gateway.ask(None, "GET /api/v1/models/ace/chat:free/endpoints", "").await;
    assert_eq!(answer.json(), json!({ "data": [all.json()["data"]["endpoints"][0]] }));
    gateway.close().await;
}

#[tokio::test]
async fn an_endpoint_that_is_passed_over_says_so() {
    let gateway = TestGateway::with(MODELS).await;
    let key = gateway.key(json!({})).await;
    let line = "GET /api/v1/models/ace/chat:free/endpoints";
    let status = async || {
        let json = gateway.ask(MANAGER, line, "").await.json();
        [0, 1].map(|place| json["data"]["endpoints"][place]["status"].as_i64().unwrap())
    };
    assert_eq!(status().await, [0, 0]);
    gateway.upstream.on("first", Behaviour::new().status(401, "{}"));
    let alpha_first = json!({ "provider": { "order": ["alpha"] } });
    assert_eq!(gateway.chat(&key, "ace/chat:free", alpha_first).await.status, 200);
    assert_eq!(status().await, [-1, 0]);
    gateway.clock.set("2026-11-18T12:01:01Z");
    assert_eq!(status().await, [0, 0]);
    gateway.close().await;
}

#[tokio::test]
async fn tools_can_be_chosen_where_they_are_taken() {
    let gateway = TestGateway::with(MODELS).await;
    let choices = async |id: &str, place: usize| {
        let line = format!("GET /api/v1/models/{id}/endpoints");
        let endpoint = gateway.ask(None, &line, "").await.json()["data"]["endpoints"][place].take();
        endpoint["supports_tool_choice"].clone()
    };
    let all = |is: bool| json!({ "auto": is, "function": is, "none": is, "required": is });
    assert_eq!(choices("ace/chat:free", 0).await, all(true));
    assert_eq!(choices("ace/chat:free", 1).await, all(true));
    assert_eq!(choices("ace/hidden", 0).await, all(false));
    gateway.close().await;
}

#[tokio::test]
async fn how_an_endpoint_does_is_shown_and_how_quick_it_is_to_callers_alone() {
    let gateway = TestGateway::with(MODELS).await;
    let key = gateway.key(json!({})).await;
    let line = "GET /api/v1/models/ace/chat:free/endpoints";
    let names = ["uptime_last_5m", "uptime_last_30m", "uptime_last_1d"];
    let speeds = ["latency_last_30m", "throughput_last_30m"];
    let shown = async |caller: Option<&str>| {
        let endpoint = gateway.ask(caller, line, "").await.json()["data"]["endpoints"][0].take();
        let of = |names: &[&str]| names.iter().map(|name| endpoint[name].clone()).collect();
        (of(&names), of(&speeds), endpoint["status"].as_i64().unwrap())
    };
    let nothing: (Vec<Value>, Vec<Value>, i64) = (vec![json!(null); 3], vec![json!(null); 2], 0);
    assert_eq!(shown(Some(MANAGER)).await, nothing);

    let first = json!({ "provider": { "order": ["alpha/fp8"] } });
    assert_eq!(gateway.chat(&key, "ace/chat:free", first).await.status, 200);
    gateway.settled().await;
    let (uptime, quick, status) = shown(Some(key.text.as_str())).await;
    assert_eq!((uptime, status), (vec![json!(100); 3], 0));
    for spread in &quick {
        let at = |name: &str| spread[name].as_f64().unwrap();
        assert!(at("p50") >= 0.0 && at("p99") >= 0.0 && at("p75") >= 0.0 && at("p90") >= 0.0);
    }
    for nobody in [None, Some("sk-or-v1-nobody")] {
        assert_eq!(shown(nobody).await, (vec![json!(100); 3], vec![json!(null); 2], 0));
    }

    gateway.clock.set("2026-11-18T12:10:00Z");
    let catalogue = gateway.core.catalogue();
    let health = &catalogue.model("ace/chat:free").unwrap().endpoints[0].learned.health;
    (0..5).for_each(|_| health.failed(gateway.clock.time()));
    let (uptime, _, status) = shown(None).await;
    assert_eq!((uptime, status), (vec![json!(0), json!(16.666), json!(16.666)], -1));
    gateway.clock.set("2026-11-18T12:10:30Z");
    assert_eq!(shown(None).await.2, 0);
    gateway.close().await;
}

#[tokio::test]
async fn the_speed_of_an_endpoint_is_spread_over_its_calls() {
    let gateway = TestGateway::with(MODELS).await;
    let catalogue = gateway.core.catalogue();
    let health = &catalogue.model("ace/chat:free").unwrap().endpoints[0].learned.health;
    for millis in [100, 100, 100, 1_000] {
        let pace = Pace {
            began_after: Duration::from_millis(millis),
            took: Duration::from_secs(2),
            completion_tokens: 5,
            is_streamed: true,
        };
        health.succeeded(gateway.clock.time(), pace);
    }
    let line = "GET /api/v1/endpoints/zdr";
    let endpoint = gateway.ask(MANAGER, line, "").await.json()["data"][0].take();
    // A figure is kept to a sixteenth of itself.
    let is_near = |found: &Value, wanted: f64| {
        let found = found.as_f64().unwrap();
        (found - wanted).abs() <= wanted / 16.0
    };
    let latency = &endpoint["latency_last_30m"];
    assert!(is_near(&latency["p50"], 100.0) && is_near(&latency["p99"], 1_000.0), "{latency}");
    assert!(latency["p50"].is_u64(), "{latency}");
    let throughput = &endpoint["throughput_last_30m"];
    assert!(is_near(&throughput["p50"], 2.5) && is_near(&throughput["p99"], 2.5), "{throughput}");
    gateway.close().await;
}
