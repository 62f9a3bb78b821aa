//! Embeddings: metered as chat completions are, at the price of their inputs alone.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Answer, Behaviour, Cut, Usage};
use tokio::io::AsyncReadExt;

use crate::support::{MANAGER, TestGateway, TestKey, shown};

/// "Hello" is bounded at 48 tokens: 16 bytes, 16 tokens an input and 16 that are added unseen.
const MODELS: &str = r#"
    [[models]]
    id = "test/small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/embed"
    output_modalities = ["embeddings"]
    context_length = 512
    endpoints = [{ provider = "alpha", upstream_model = "embed", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001" } }]
    [[models]]
    id = "test/embed-pair"
    output_modalities = ["embeddings"]
    context_length = 512
    endpoints = [
        { provider = "alpha", upstream_model = "embed-a", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001" } },
        { provider = "beta", upstream_model = "embed-b", prompt_overhead_tokens = 16, pricing = { prompt = "0.000003" } },
    ]
    [[models]]
    id = "test/embed-stopping"
    output_modalities = ["embeddings"]
    context_length = 512
    endpoints = [{ provider = "gamma", upstream_model = "embed-stopping", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001" } }]
    [[models]]
    id = "test/embed-seeing"
    output_modalities = ["embeddings"]
    input_modalities = ["text", "image"]
    context_length = 512
    endpoints = [{ provider = "alpha", upstream_model = "embed-seeing", prompt_overhead_tokens = 16, image_tokens_max = 300, pricing = { prompt = "0.000001" } }]
"#;

impl TestGateway {
    async fn embed(&self, key: &TestKey, model: &str, input: Value, extras: Value) -> Answer {
        let client = self.client.below("/api/v1");
        client.embeddings(key.text.as_str(), model, &input, &extras).await.unwrap()
    }
}

async fn start() -> (TestGateway, TestKey) {
    let gateway = TestGateway::with(MODELS).await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    (gateway, key)
}

#[tokio::test]
async fn embeddings_come_under_our_names_with_their_cost_and_are_in_the_book() {
    let (gateway, key) = start().await;
    gateway.upstream.on("embed", Behaviour::new().prompt_tokens(7).odd_headers());
    let answer = gateway.embed(&key, "test/embed", json!(["one", "two"]), json!({})).await;
    assert_snapshot!(shown(&answer), @r#"
    200
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    cache-control: no-cache
    x-generation-id: gen-1795003200-0000byzS749KghVwfPKs
    {
      "id": "gen-1795003200-0000byzS749KghVwfPKs",
      "model": "test/embed",
      "provider": "Alpha",
      "object": "list",
      "data": [
        {
          "object": "embedding",
          "index": 0,
          "embedding": [
            0.5,
            -0.25,
            1.0
          ]
        },
        {
          "object": "embedding",
          "index": 1,
          "embedding": [
            0.5,
            -0.25,
            1.0
          ]
        }
      ],
      "usage": {
        "prompt_tokens": 7,
        "total_tokens": 7,
        "cost": 0.000007,
        "is_byok": false,
        "cost_details": {
          "upstream_inference_cost": null,
          "upstream_inference_prompt_cost": 0.000007,
          "upstream_inference_completions_cost": 0
        }
      }
    }
    "#);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.000007 for 7+0"]);
    assert_eq!(gateway.fact(&key, "usage").await, "0.000007");
    let sent = &gateway.upstream.calls()[0];
    assert_eq!(sent.body, r#"{"model":"embed","input":["one","two"]}"#);
    let id = answer.headers["x-generation-id"].to_str().unwrap().to_owned();
    let shown =
        gateway.ask(key.text.as_str(), &format!("GET /api/v1/generation?id={id}"), "").await;
    let shown = &shown.json()["data"];
    assert_eq!((&shown["api_type"], &shown["streamed"]), (&json!("embeddings"), &json!(false)));
    assert_eq!((&shown["tokens_prompt"], &shown["tokens_completion"]), (&json!(7), &json!(0)));
    assert_eq!((&shown["total_cost"], &shown["model"]), (&json!(0.000007), &json!("test/embed")));
    gateway.close().await;
}

#[tokio::test]
async fn a_format_and_dimensions_pass_through_both_ways() {
    let (gateway, key) = start().await;
    let extras = json!({
        "encoding_format": "base64", "dimensions": 6, "user": "u", "session_id": "s",
        "provider": { "order": ["alpha"] }, "trace": {}, "input_type": "query", "stream": false,
    });
    let answer = gateway.embed(&key, "test/embed", json!("Hello"), extras).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let embedding = &answer.json()["data"][0]["embedding"];
    assert_eq!(embedding, &json!("AAAAPwAAgL4AAIA/AAAAPwAAgL4AAIA/"));
    let sent: Value = serde_json::from_slice(&gateway.upstream.calls()[0].body).unwrap();
    assert_eq!(
        sent,
        json!({
            "model": "embed", "input": "Hello", "encoding_format": "base64", "dimensions": 6,
            "input_type": "query",
        })
    );
    let floats = gateway.ask(
        key.text.as_str(),
        "POST /v1/embeddings/",
        json!({ "model": "test/embed", "input": [[1, 2], [3]], "encoding_format": "float" }),
    );
    let floats = floats.await;
    assert!(floats.text().contains(r#""embedding":[0.5,-0.25,1.0]"#), "{}", floats.text());
    assert_eq!(floats.json()["data"].as_array().unwrap().len(), 2);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_held_is_the_bound_of_all_inputs() {
    let (gateway, key) = start().await;
    let long = "x".repeat(600);
    for (model, input, held) in [
        ("test/embed", json!("Hello"), "0.000048"),
        // Ids are a token each: 9 bytes of the name and the comma, one in the ids' place.
        ("test/embed", json!([1, 2, 3]), "0.000045"),
        ("test/embed", json!([[1], [2], [3]]), "0.000077"),
        ("test/embed", json!(["a", "b", "c"]), "0.000086"),
        // An input fits the context of 512, so two are at most twice that.
        ("test/embed", json!([long]), "0.000512"),
        ("test/embed", json!([long, long]), "0.001024"),
        ("test/embed-pair", json!("Hello"), "0.000144"),
        (
            "test/embed-seeing",
            json!([{ "content": [{ "type": "image_url", "image_url": { "url": "https://h/i" } }] }]),
            "0.000391",
        ),
    ] {
        let upstream = model.replace("test/", "").replace("pair", "a");
        let gate = gateway.upstream.hold_answers(&upstream);
        let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
        let asking = tokio::spawn({
            let input = input.clone();
            async move { client.embeddings(text.as_str(), model, &input, &json!({})).await }
        });
        gate.until_waiting(1).await;
        assert_eq!(gateway.held(&key), held, "{input}");
        gate.release();
        assert_eq!(asking.await.unwrap().unwrap().status, 200);
        gateway.settled().await;
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_limit_refuses_with_numbers_and_nothing_is_sent() {
    let gateway = TestGateway::with(MODELS).await;
    let key = gateway.key(json!({ "limit": 0.00004, "limit_reset": "daily" })).await;
    let refused = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_snapshot!(shown(&refused), @r#"
    402
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 402,
        "message": "Prompt tokens limit exceeded: 48 > 40. To increase, visit https://gate.example/settings/keys and create a key with a higher daily limit",
        "metadata": {
          "error_type": "payment_required",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0.00004,
          "provider_name": null,
          "remaining_usd": 0.00004,
          "remedy_hint": "shorten_prompt",
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "key_limit",
          "spend_usd": 0
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);

    gateway.upstream.on("embed", Behaviour::new().prompt_tokens(40));
    gateway.patch(&key, json!({ "limit": 0.000048 })).await;
    let fits = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    gateway.patch(&key, json!({ "limit": 0.00004 })).await;
    let spent = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_snapshot!(shown(&spent), @r#"
    403
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 403,
        "message": "Key limit exceeded (daily limit). Manage it using https://gate.example/settings/keys",
        "metadata": {
          "error_type": "permission_denied",
          "held_usd": 0,
          "limit_source": "openrouter_key_limit",
          "limit_usd": 0.00004,
          "remaining_usd": 0,
          "resets_at": "2026-11-19T00:00:00.000Z",
          "scope": "key_limit",
          "spend_usd": 0.00004
        }
      },
      "user_id": null
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 1);
    gateway.close().await;
}

#[tokio::test]
async fn where_bytes_would_refuse_the_tokens_are_counted() {
    let counting = MODELS.replace(
        "upstream_model = \"embed\",",
        "upstream_model = \"embed\", tokenizer = \"cl100k_base\",",
    );
    let gateway = TestGateway::with(&counting).await;
    // 320 bytes of text, and 64 tokens: 2 more for its quotes, 3 for the name and 3 for what holds
    // them together, 16 around an input and 16 unseen.
    let input = json!("four words make tokens ".repeat(16).trim());
    let key = gateway.key(json!({ "limit": 0.0002 })).await;
    assert_eq!(gateway.embed(&key, "test/embed", input.clone(), json!({})).await.status, 200);
    let key = gateway.key(json!({ "limit": 0.00008 })).await;
    let refused = gateway.embed(&key, "test/embed", input, json!({})).await;
    assert_eq!(refused.status, 402, "{}", refused.text());
    gateway.close().await;
}

#[tokio::test]
async fn two_requests_cannot_share_the_last_cent() {
    let gateway = TestGateway::with(&format!("{MODELS}\n[bounds]\nhold_wait_ms = 20")).await;
    let key = gateway.key(json!({ "limit": 0.00009 })).await;
    let gate = gateway.upstream.hold_answers("embed");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let first = tokio::spawn(async move {
        client.embeddings(text.as_str(), "test/embed", &json!("Hello"), &json!({})).await
    });
    gate.until_waiting(1).await;
    let second = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!((second.status, second.headers["retry-after"].to_str().unwrap()), (402, "1"));
    gate.release();
    assert_eq!(first.await.unwrap().unwrap().status, 200);
    assert_eq!(gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await.status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_provider_that_fails_is_followed_by_the_next() {
    let (gateway, key) = start().await;
    for failing in [
        Behaviour::new().status(500, "{}"),
        Behaviour::new().error_with_status_200(),
        Behaviour::new().status(429, r#"{"error":{"message":"slow down"}}"#),
    ] {
        gateway.upstream.on("embed-a", failing);
        let answer = gateway.embed(&key, "test/embed-pair", json!("Hello"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["provider"], "Beta");
        gateway.settled().await;
        assert_eq!(gateway.rows().last().unwrap(), "beta: reported $0.000003 for 1+0");
    }
    assert_eq!(gateway.rows().len(), 3, "what was refused has no row");
    gateway.close().await;
}

#[tokio::test]
async fn a_provider_that_does_not_take_it_says_why() {
    let (gateway, key) = start().await;
    let refusal = r#"{"error":{"message":"too many inputs","code":"invalid"}}"#;
    gateway.upstream.on("embed", Behaviour::new().status(400, refusal));
    let answer = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("too many inputs"), "{}", answer.text());
    gateway.settled().await;
    assert_eq!(gateway.rows(), [""; 0]);

    // One that reports a usage has billed it.
    let billed = r#"{"error":{"message":"no"},"usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    gateway.upstream.on("embed", Behaviour::new().status(500, billed));
    assert_eq!(gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await.status, 502);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.000005 for 5+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn an_error_beside_embeddings_is_charged() {
    let (gateway, key) = start().await;
    let both = r#"{"data":[{"object":"embedding","embedding":[1]}],"error":{"message":"half"}}"#;
    gateway.upstream.on("embed", Behaviour::new().status(200, both));
    let answer = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: counted $0.000048 for 48+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_usage_that_is_absent_or_does_not_add_up_is_counted_and_a_zero_is_a_zero() {
    for (usage, row) in [
        (Usage::Absent, "alpha: counted $0.000048 for 48+0"),
        (Usage::Null, "alpha: counted $0.000048 for 48+0"),
        (Usage::Nonsense("{}".into()), "alpha: counted $0.000048 for 48+0"),
        (Usage::Nonsense(r#"{"prompt_tokens":-1}"#.into()), "alpha: counted $0.000048 for 48+0"),
        (
            Usage::Nonsense(r#"{"prompt_tokens":0,"total_tokens":0}"#.into()),
            "alpha: reported $0 for 0+0",
        ),
        (Usage::Nonsense(r#"{"total_tokens":9}"#.into()), "alpha: reported $0.000009 for 9+0"),
        (
            Usage::Nonsense(r#"{"prompt_tokens":4,"total_tokens":9}"#.into()),
            "alpha: reported $0.000009 for 9+0",
        ),
    ] {
        let (gateway, key) = start().await;
        gateway.upstream.on("embed", Behaviour::new().usage(usage.clone()));
        let answer = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        gateway.settled().await;
        assert_eq!(gateway.rows(), [row], "{usage:?}");
        let cost = answer.exact("/usage/cost").unwrap();
        assert!(row.contains(&format!("${cost} ")), "{cost}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn an_answer_whose_end_is_not_seen_is_charged_at_its_hold() {
    let (gateway, key) = start().await;
    for broken in [
        Behaviour::new().cut(Cut::HalfBody),
        Behaviour::new().cut(Cut::BeforeHead),
        Behaviour::new().malformed_json(),
    ] {
        gateway.upstream.on("embed", broken);
        assert_eq!(gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await.status, 502);
        gateway.settled().await;
        assert_eq!(gateway.rows().last().unwrap(), "alpha: held $0.000048 for 0+0");
    }
    // One that stops when it is cut off has read the inputs all the same.
    gateway.upstream.on("embed-stopping", Behaviour::new().cut(Cut::HalfBody));
    let cut = gateway.embed(&key, "test/embed-stopping", json!("Hello"), json!({})).await;
    assert_eq!(cut.status, 502);
    gateway.settled().await;
    assert!(gateway.rows().contains(&"gamma: counted $0.000048 for 48+0".to_owned()));
    gateway.close().await;
}

#[tokio::test]
async fn a_charge_above_the_hold_is_recorded_in_full_and_learned_from() {
    let (gateway, key) = start().await;
    gateway.upstream.on("embed", Behaviour::new().prompt_tokens(60));
    assert_eq!(gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await.status, 200);
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: reported $0.00006 for 60+0"]);
    let gate = gateway.upstream.hold_answers("embed");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let asking = tokio::spawn(async move {
        client.embeddings(text.as_str(), "test/embed", &json!(["a", "b"]), &json!({})).await
    });
    gate.until_waiting(1).await;
    assert_eq!(gateway.held(&key), "0.001024", "its own maximum: two inputs of the whole context");
    gate.release();
    assert_eq!(asking.await.unwrap().unwrap().status, 200);
    gateway.close().await;
}

#[tokio::test]
async fn a_client_that_leaves_stops_nothing_unless_its_provider_stops() {
    for (model, row) in [
        ("test/embed", "alpha: reported $0.00003 for 30+0 cancelled"),
        ("test/embed-stopping", "gamma: counted $0.000048 for 48+0 cancelled"),
    ] {
        let (gateway, key) = start().await;
        let behaviour = Behaviour::new().prompt_tokens(30).delay_head(Duration::from_millis(100));
        gateway.upstream.on(&model.replace("test/", ""), behaviour);
        let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
        let asking = tokio::spawn(async move {
            client.embeddings(text.as_str(), model, &json!("Hello"), &json!({})).await
        });
        gateway.upstream.until(|totals| totals.in_flight == 1).await;
        asking.abort();
        gateway.settled().await;
        assert_eq!(gateway.rows(), [row]);
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_crash_leaves_a_row_that_says_what_was_asked_for() {
    let (gateway, key) = start().await;
    let gate = gateway.upstream.hold_answers("embed");
    let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
    let asking = tokio::spawn(async move {
        client.embeddings(text.as_str(), "test/embed", &json!("Hello"), &json!({})).await
    });
    gate.until_waiting(1).await;
    let gateway = gateway.crash().await;
    assert!(asking.await.unwrap().is_err());
    gate.release();
    gateway.settled().await;
    assert_eq!(gateway.rows(), ["alpha: interrupted $0.000048 for 0+0"]);
    let holds = gateway.control("GET /holds", "").await.json();
    let id = holds[0]["generation"].as_str().unwrap();
    let shown = gateway.ask(MANAGER, &format!("GET /api/v1/generation?id={id}"), "").await.json();
    assert_eq!(shown["data"]["api_type"], "embeddings");
    gateway.close().await;
}

#[tokio::test]
async fn a_large_answer_streams_through_and_its_end_waits_for_the_book() {
    let (gateway, key) = start().await;
    gateway.upstream.on("embed", Behaviour::new().huge(4).prompt_tokens(5));
    let gate = gateway.upstream.hold_events("embed", 8);
    let body = r#"{"model":"test/embed","input":"Hello"}"#;
    let request = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: gate\r\nconnection: close\r\n\
         authorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
        key.text,
        body.len()
    );
    let mut stream = gateway.send(&request).await;
    gate.until_waiting(1).await;
    let mut early = vec![0; 400 << 10];
    stream.read_exact(&mut early).await.unwrap();
    assert_eq!(gateway.rows(), [""; 0], "the answer is on its way before it is whole");
    gate.release();
    let rest = TestGateway::rest(stream).await;
    let tail = r#""model":"#;
    assert!(!rest.contains(tail), "the provider's name for the model is gone");
    assert!(rest.contains(r#""usage":{"prompt_tokens":5,"total_tokens":5,"cost":0.000005,"#));
    assert_eq!(gateway.rows(), ["alpha: reported $0.000005 for 5+0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_model_is_asked_for_at_its_own_path() {
    let (gateway, key) = start().await;
    let chat = gateway.chat(&key, "test/embed", json!({})).await;
    assert_snapshot!(shown(&chat), @r#"
    400
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 400,
        "message": "test/embed is not served here; ask for it at POST /embeddings",
        "metadata": {
          "error_type": "invalid_request"
        },
        "availability": {
          "code": "wrong_endpoint",
          "retryable": false,
          "requested_models": [
            "test/embed"
          ],
          "docs_url": "https://github.com/tollgate/tollgate/blob/main/docs/errors.md#wrong_endpoint"
        }
      }
    }
    "#);
    let embed = gateway.embed(&key, "test/small", json!("Hello"), json!({})).await;
    assert_snapshot!(shown(&embed), @r#"
    400
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 400,
        "message": "test/small is not served here; ask for it at POST /chat/completions",
        "metadata": {
          "error_type": "invalid_request"
        },
        "availability": {
          "code": "wrong_endpoint",
          "retryable": false,
          "requested_models": [
            "test/small"
          ],
          "docs_url": "https://github.com/tollgate/tollgate/blob/main/docs/errors.md#wrong_endpoint"
        }
      }
    }
    "#);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn what_is_no_request_is_refused_before_anything_is_held() {
    let (gateway, key) = start().await;
    for (body, message) in [
        (json!({ "model": "test/embed" }), "input is missing; allowed is a text"),
        (json!({ "input": "Hello" }), "model is missing; allowed is the id of a model"),
        (json!({ "model": "test/none", "input": "Hello" }), "test/none is not a valid model ID"),
        (json!({ "model": "test/embed", "input": [] }), "input is empty"),
        (
            json!({ "model": "test/embed", "input": "a", "stream": true }),
            "stream is not supported here",
        ),
        (
            json!({ "model": "test/embed", "input": "a", "encoding_format": "int8" }),
            "encoding_format is not known",
        ),
        (
            json!({ "model": "test/embed", "input": "a", "service_tier": "flex" }),
            "service_tier changes the price",
        ),
    ] {
        let answer = gateway.ask(key.text.as_str(), "POST /api/v1/embeddings", &body).await;
        assert_eq!(answer.status, 400, "{body}");
        let said = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(said.starts_with(message), "{said}");
    }
    let body = json!({ "model": "test/embed", "input": "Hello" });
    assert_eq!(gateway.ask(None, "POST /api/v1/embeddings", &body).await.status, 401);
    assert_eq!(gateway.ask(MANAGER, "POST /api/v1/embeddings", &body).await.status, 403);
    assert_eq!(gateway.ask(key.text.as_str(), "GET /api/v1/embeddings", "").await.status, 405);
    assert_eq!(gateway.upstream.calls().len(), 0);
    gateway.close().await;
}

#[tokio::test]
async fn models_that_give_embeddings_have_a_list_of_their_own() {
    let (gateway, _) = start().await;
    let ids = async |line: &str| {
        let list = gateway.ask(None, line, "").await.json();
        let ids =
            list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap());
        (ids.map(str::to_owned).collect::<Vec<_>>(), list["links"]["next"].clone())
    };
    assert_eq!(ids("GET /api/v1/models").await.0, ["test/small"]);
    let all = ["test/embed", "test/embed-pair", "test/embed-stopping", "test/embed-seeing"];
    assert_eq!(
        ids("GET /api/v1/embeddings/models").await,
        (all.map(str::to_owned).to_vec(), Value::Null)
    );
    let (page, next) = ids("GET /v1/embeddings/models?offset=1&limit=2").await;
    assert_eq!(page, all[1..3]);
    assert_eq!(next, "https://gate.example/v1/embeddings/models?limit=2&offset=3");
    assert_eq!(gateway.ask(None, "GET /api/v1/embeddings/models?limit=0", "").await.status, 400);
    let one = gateway.ask(None, "GET /api/v1/model/test/embed", "").await.json();
    assert_eq!(one["data"]["architecture"]["modality"], "text->embeddings");
    assert_eq!(one["data"]["pricing"]["completion"], "0");
    assert_eq!(one["data"]["supported_parameters"], json!([]));
    gateway.close().await;
}

/// What a key may use and how fast it may go binds here as well.
#[tokio::test]
async fn a_keys_models_and_pace_bind_embeddings_too() {
    let (gateway, key) = start().await;
    gateway.upstream.on("embed", Behaviour::new().prompt_tokens(7));
    gateway.patch(&key, json!({ "allowed_models": ["test/small", "test/embed-pair"] })).await;
    let refused = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    let step = refused.json()["error"]["metadata"]["failed_routing_step"].clone();
    assert_eq!((refused.status, step), (404, json!("Filter by Guardrails")));
    let lists = json!({ "allowed_models": ["test/*"], "tokens_per_minute": 100 });
    gateway.patch(&key, lists).await;
    let long = gateway.embed(&key, "test/embed", json!("x".repeat(100)), json!({})).await;
    assert_eq!(long.status, 400);
    assert!(long.text().contains("`tokens_per_minute`). Shorten the prompt."), "{}", long.text());
    let gate = gateway.upstream.hold_answers("embed");
    let chats: Vec<_> = (0..2)
        .map(|_| {
            let (client, text) = (gateway.client.below("/api/v1"), key.text.clone());
            tokio::spawn(async move {
                let (input, none) = (json!("Hello"), json!({}));
                client.embeddings(text.as_str(), "test/embed", &input, &none).await.unwrap()
            })
        })
        .collect();
    gate.until_waiting(2).await;
    let full = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!((full.status, &full.headers["x-ratelimit-remaining"]), (429, &"4".parse().unwrap()));
    gateway.patch(&key, json!({ "tokens_per_minute": null, "concurrent_requests": 2 })).await;
    let full = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!(full.status, 429);
    gate.release();
    for chat in chats {
        assert_eq!(chat.await.unwrap().status, 200);
    }
    gateway.patch(&key, json!({ "tokens_per_minute": 62, "requests_per_minute": 3 })).await;
    let fits = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!(fits.status, 200, "{}", fits.text());
    let late = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
    assert_eq!((late.status, &late.headers["x-ratelimit-limit"]), (429, &"3".parse().unwrap()));
    gateway.close().await;
}

#[tokio::test]
async fn embeddings_go_with_a_credential_that_was_brought_and_then_without() {
    let (gateway, key) = start().await;
    let brought = json!({ "provider": "alpha", "key": "sk-brought-0123456789" });
    assert_eq!(gateway.ask(MANAGER, "POST /api/v1/byok", brought).await.status, 201);
    let seven = || Behaviour::new().prompt_tokens(7);
    gateway.upstream.then("embed", [seven(), seven().status(429, "{}"), seven()]);
    for (is_byok, upstream) in [(true, "0.000007"), (false, "null")] {
        let answer = gateway.embed(&key, "test/embed", json!("Hello"), json!({})).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["usage"]["is_byok"], is_byok);
        let cost = answer.exact("/usage/cost_details/upstream_inference_cost");
        assert_eq!(cost.as_deref(), Some(upstream));
    }
    let calls = gateway.upstream.calls();
    let is_brought =
        calls.iter().map(|call| call.headers["authorization"] == "Bearer sk-brought-0123456789");
    assert_eq!(is_brought.collect::<Vec<_>>(), [true, true, false]);
    assert_eq!(gateway.fact(&key, "byok_usage").await, "0.000007");
    assert_eq!(gateway.fact(&key, "usage").await, "0.000007");
    gateway.close().await;
}
