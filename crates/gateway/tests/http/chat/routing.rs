//! Where a request goes: what its client says of providers, the order there is without, and what is
//! answered where there is no place for it.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::Behaviour;

use crate::support::{TestGateway, TestKey, shown};

/// A model at three providers, a dollar, two and three for a million tokens of the prompt and as
/// much for the completion.
const MANY: &str = r#"
    [[models]]
    id = "test/many"
    aliases = ["~test/many-latest"]
    context_length = 8192
    [[models.endpoints]]
    provider = "alpha"
    variant = "fp8"
    upstream_model = "three"
    quantization = "fp8"
    supported_parameters = ["tools", "top_k"]
    pricing = { prompt = "0.000003", completion = "0.000003" }
    [[models.endpoints]]
    provider = "beta"
    upstream_model = "one"
    zdr = true
    supported_parameters = []
    pricing = { prompt = "0.000001", completion = "0.000001" }
    [[models.endpoints]]
    provider = "gamma"
    upstream_model = "two"
    max_completion_tokens = 1000
    supported_parameters = ["response_format"]
    pricing = { prompt = "0.000002", completion = "0.000002" }
"#;

/// The provider's models that were asked, in that order, since the last so many calls.
fn asked(gateway: &TestGateway, since: usize) -> String {
    let calls = gateway.upstream.calls();
    calls[since..].iter().map(|call| call.model.as_str()).collect::<Vec<_>>().join(" ")
}

/// What is asked, one after the other, where none answers: nobody is in an outage before.
async fn tried(gateway: &TestGateway, key: &TestKey, model: &str, extras: Value) -> String {
    let now = gateway.clock.time() + jiff::SignedDuration::from_secs(60);
    gateway.clock.set(&now.to_string());
    let before = gateway.upstream.calls().len();
    let answer = gateway.chat(key, model, extras).await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    asked(gateway, before)
}

async fn all_fail(settings: &str) -> (TestGateway, TestKey) {
    let gateway = TestGateway::with(&format!("{settings}\n{MANY}")).await;
    for name in ["one", "two", "three"] {
        gateway.upstream.on(name, Behaviour::new().status(503, "{}"));
    }
    let key = gateway.key(json!({})).await;
    (gateway, key)
}

#[tokio::test]
async fn a_wish_decides_who_is_asked_and_when() {
    let (gateway, key) = all_fail("").await;
    for (wish, expected) in [
        (json!({ "order": ["gamma", "alpha"] }), "two three one"),
        (json!({ "order": ["Gamma", "alpha"], "allow_fallbacks": false }), "two three"),
        (json!({ "only": ["alpha/fp8", "gamma"], "sort": "price" }), "two three"),
        (json!({ "ignore": ["BETA"], "sort": "price" }), "two three"),
        (json!({ "sort": "price" }), "one two three"),
        (json!({ "sort": { "by": "price" }, "allow_fallbacks": false }), "one"),
        (json!({ "sort": "exacto" }), "three one two"),
        (json!({ "max_price": { "prompt": 2, "completion": "2.0" }, "sort": "price" }), "one two"),
        (json!({ "quantizations": ["fp8"] }), "three"),
        (json!({ "zdr": true }), "one"),
        (json!({ "data_collection": "deny" }), "one"),
        (
            json!({ "order": [], "only": null, "unheard_of": 7, "options": {}, "sort": "price" }),
            "one two three",
        ),
    ] {
        assert_eq!(
            tried(&gateway, &key, "test/many", json!({ "provider": wish })).await,
            expected,
            "{wish}"
        );
    }
    let tools = json!([{ "type": "function", "function": { "name": "f" } }]);
    let price = json!({ "sort": "price" });
    for (extras, expected) in [
        (json!({ "tools": tools }), "three"),
        (json!({ "response_format": { "type": "json_object" } }), "two"),
        (json!({ "verbosity": "low" }), "one two three"),
        (json!({ "max_tokens": 1001 }), "one three"),
        (json!({ "max_tokens": 9999 }), "one two three"),
        (json!({ "route": "fallback" }), "one two three"),
    ] {
        let mut body = extras.clone();
        body["provider"] = price.clone();
        assert_eq!(tried(&gateway, &key, "test/many", body).await, expected, "{extras}");
    }
    let required = json!({ "provider": { "require_parameters": true }, "top_k": 1 });
    assert_eq!(tried(&gateway, &key, "test/many", required).await, "three");
    assert_eq!(gateway.fact(&key, "usage").await, "0");
    gateway.close().await;
}

#[tokio::test]
async fn a_name_may_say_the_order_and_an_alias_the_model() {
    let (gateway, key) = all_fail("").await;
    assert_eq!(tried(&gateway, &key, "test/many:floor", json!({})).await, "one two three");
    assert_eq!(tried(&gateway, &key, "~test/many-latest:floor", json!({})).await, "one two three");
    gateway.upstream.on("two", Behaviour::new());
    let answer = gateway.chat(&key, "~test/many-latest:nitro", json!({})).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/many")));
    // The one that has answered is the fastest that is known.
    let before = gateway.upstream.calls().len();
    gateway.chat(&key, "test/many:nitro", json!({})).await;
    assert_eq!(asked(&gateway, before), "two");
    for variant in ["online", "thinking", "extended", "exacto", "free", "beta"] {
        let answer = gateway.chat(&key, &format!("test/many:{variant}"), json!({})).await;
        let error = &answer.json()["error"];
        assert_eq!(error["message"], format!("test/many:{variant} is not a valid model ID"));
        assert_eq!(
            (answer.status, &error["availability"]["code"]),
            (400, &json!("model_not_found"))
        );
    }
    gateway.close().await;
}

#[tokio::test]
async fn without_a_wish_the_first_is_drawn_and_the_others_follow_by_their_price() {
    let (gateway, key) = all_fail("").await;
    let mut orders = std::collections::BTreeMap::new();
    for _ in 0..60 {
        let order = tried(&gateway, &key, "test/many", json!({})).await;
        *orders.entry(order).or_insert(0) += 1;
    }
    // Of 60 there are 44, 11 and 5 to be expected; the seed makes of it:
    assert_snapshot!(format!("{orders:?}"), @r#"{"one two three": 46, "three one two": 2, "two one three": 12}"#);
    gateway.close().await;
}

#[tokio::test]
async fn an_operator_may_keep_the_order_of_the_file() {
    let (gateway, key) = all_fail("[routing]\norder = \"configured\"").await;
    for _ in 0..3 {
        assert_eq!(tried(&gateway, &key, "test/many", json!({})).await, "three one two");
    }
    gateway.close().await;
}

#[tokio::test]
async fn an_endpoint_in_an_outage_is_asked_last_for_half_a_minute() {
    let gateway = TestGateway::with(MANY).await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.on("one", Behaviour::new().status(500, "{}"));
    let beta_first = json!({ "provider": { "order": ["beta"] } });
    for _ in 0..5 {
        gateway.chat(&key, "test/many", beta_first.clone()).await;
    }
    // Asked for, it is still the first.
    let before = gateway.upstream.calls().len();
    gateway.chat(&key, "test/many", beta_first).await;
    assert!(asked(&gateway, before).starts_with("one "));
    let first = async || {
        let before = gateway.upstream.calls().len();
        gateway.chat(&key, "test/many", json!({})).await;
        gateway.upstream.calls()[before].model.clone()
    };
    for _ in 0..20 {
        assert_ne!(first().await, "one");
    }
    gateway.clock.set("2026-11-18T12:00:29.999Z");
    assert_ne!(first().await, "one");
    gateway.clock.set("2026-11-18T12:00:30Z");
    let mut firsts = Vec::new();
    for _ in 0..20 {
        firsts.push(first().await);
    }
    assert!(firsts.contains(&"one".to_owned()), "{firsts:?}");
    gateway.close().await;
}

#[tokio::test]
async fn what_is_asked_for_wrongly_is_no_outage() {
    let gateway = TestGateway::with(MANY).await;
    let key = gateway.key(json!({})).await;
    let only = json!({ "provider": { "only": ["beta"] } });
    for status in [400, 413, 422, 409, 451] {
        gateway.upstream.on("one", Behaviour::new().status(status, "{}"));
        for _ in 0..3 {
            gateway.chat(&key, "test/many", only.clone()).await;
        }
    }
    let model = gateway.core.catalogue().model("test/many").cloned().unwrap();
    let report = model.endpoints[1].learned.health.report(gateway.clock.time());
    assert_eq!(report.uptime, [None; 3]);
    gateway.upstream.on("one", Behaviour::new().status(429, "{}"));
    gateway.chat(&key, "test/many", only.clone()).await;
    gateway.upstream.on("one", Behaviour::new());
    gateway.chat(&key, "test/many", only.clone()).await;
    gateway.chat_stream(&key, "test/many", only).await.rest().await.unwrap();
    let report = model.endpoints[1].learned.health.report(gateway.clock.time());
    assert_eq!(report.uptime, [Some(66_666); 3]);
    assert!(report.latency.is_some() && report.throughput.is_some());
    gateway.close().await;
}

/// The answers to wishes that none fulfils, one a line.
async fn refusals(gateway: &TestGateway, key: &TestKey, wishes: &[Value]) -> String {
    let mut answers = String::new();
    for wish in wishes {
        let answer = gateway.chat(key, "test/many", wish.clone()).await;
        answers.push_str(&format!("{} {}\n", answer.status, answer.text()));
    }
    assert_eq!(gateway.upstream.calls().len(), 0);
    answers
}

#[tokio::test]
async fn who_can_not_be_served_is_told_which_wish_left_nobody() {
    let gateway = TestGateway::with(MANY).await;
    let key = gateway.key(json!({})).await;
    let provider = |wish: Value| json!({ "provider": wish });
    let answer = gateway.chat(&key, "test/many", provider(json!({ "only": ["nobody"] }))).await;
    assert_snapshot!(shown(&answer), @r#"
    404
    access-control-allow-origin: *
    access-control-expose-headers: x-generation-id,retry-after,x-ratelimit-limit,x-ratelimit-remaining,x-ratelimit-reset
    {
      "error": {
        "code": 404,
        "message": "No allowed providers are available for the selected model. Providers that could serve test/many: alpha, beta, gamma; provider.only allows only: nobody",
        "metadata": {
          "available_providers": [
            "alpha",
            "beta",
            "gamma"
          ],
          "error_type": "not_found",
          "failed_routing_step": "Filter by Allowed Providers",
          "requested_providers": [
            "nobody"
          ]
        },
        "availability": {
          "code": "constraint_filtered",
          "retryable": false,
          "requested_models": [
            "test/many"
          ],
          "docs_url": "https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered",
          "affected_providers": [
            "alpha",
            "beta",
            "gamma"
          ],
          "excluded_by": [
            "provider.only"
          ],
          "constraint": {
            "field": "provider.only",
            "detail": "none of nobody serves test/many"
          }
        }
      }
    }
    "#);
    let wishes = [
        provider(json!({ "order": ["nobody", "noone"], "allow_fallbacks": false })),
        provider(json!({ "ignore": ["alpha", "beta", "gamma"] })),
        provider(json!({ "zdr": true, "ignore": ["beta"] })),
        provider(json!({ "data_collection": "deny", "only": ["gamma"] })),
        provider(json!({ "quantizations": ["int4", "fp4"] })),
        provider(json!({ "max_price": { "prompt": "0.99", "request": 0 } })),
        json!({ "provider": { "require_parameters": true }, "verbosity": "low" }),
        json!({ "provider": { "require_parameters": true, "only": ["beta"] }, "tools": [{ "type": "function" }] }),
    ];
    assert_snapshot!(refusals(&gateway, &key, &wishes).await, @r#"
    404 {"error":{"code":404,"message":"No allowed providers are available for the selected model. Providers that could serve test/many: alpha, beta, gamma; provider.order allows only: nobody, noone","metadata":{"available_providers":["alpha","beta","gamma"],"error_type":"not_found","failed_routing_step":"Filter by Allowed Providers","requested_providers":["nobody","noone"]},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["alpha","beta","gamma"],"excluded_by":["provider.order"],"constraint":{"field":"provider.order","detail":"none of nobody, noone serves test/many"}}}}
    404 {"error":{"code":404,"message":"All providers have been ignored. Providers that could serve test/many: alpha, beta, gamma; provider.ignore leaves none of them","metadata":{"available_providers":["alpha","beta","gamma"],"error_type":"not_found","failed_routing_step":"Filter by Ignored Providers","requested_providers":["alpha","beta","gamma"]},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["alpha","beta","gamma"],"excluded_by":["provider.ignore"],"constraint":{"field":"provider.ignore","detail":"all providers of test/many are ignored"}}}}
    404 {"error":{"code":404,"message":"All providers have been ignored. Providers that could serve test/many: beta; provider.ignore leaves none of them","metadata":{"available_providers":["beta"],"error_type":"not_found","failed_routing_step":"Filter by Ignored Providers","requested_providers":["beta"]},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["beta"],"excluded_by":["provider.ignore"],"constraint":{"field":"provider.ignore","detail":"all providers of test/many are ignored"}}}}
    404 {"error":{"code":404,"message":"No allowed providers are available for the selected model. Providers that could serve test/many: beta; provider.only allows only: gamma","metadata":{"available_providers":["beta"],"error_type":"not_found","failed_routing_step":"Filter by Allowed Providers","requested_providers":["gamma"]},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["beta"],"excluded_by":["provider.only"],"constraint":{"field":"provider.only","detail":"none of gamma serves test/many"}}}}
    404 {"error":{"code":404,"message":"No endpoints found that match the requested quantizations: int4, fp4","metadata":{"error_type":"not_found","failed_routing_step":"Filter by Quantization"},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["alpha","beta","gamma"],"excluded_by":["provider.quantizations"],"constraint":{"field":"provider.quantizations","detail":"no endpoint of test/many is marked so"}}}}
    404 {"error":{"code":404,"message":"No endpoints found that satisfy the max price for this request","metadata":{"error_type":"not_found","failed_routing_step":"Filter by Max Price"},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["alpha","beta","gamma"],"excluded_by":["provider.max_price"],"constraint":{"field":"provider.max_price","detail":"every endpoint asks for more than $0.00000099 a prompt token or $0 a request"}}}}
    404 {"error":{"code":404,"message":"No endpoints found that can handle the requested parameters: no endpoint is known to take verbosity","metadata":{"error_type":"not_found","failed_routing_step":"Filter by Parameters"},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["alpha","beta","gamma"],"excluded_by":["provider.require_parameters"],"constraint":{"field":"provider.require_parameters","detail":"no endpoint is known to take verbosity"}}}}
    404 {"error":{"code":404,"message":"No endpoints found that support tool use","metadata":{"error_type":"not_found","failed_routing_step":"Filter by Tool Compatibility"},"availability":{"code":"constraint_filtered","retryable":false,"requested_models":["test/many"],"docs_url":"https://github.com/tollgate/tollgate/blob/main/docs/errors.md#constraint_filtered","affected_providers":["beta"],"excluded_by":["tools"],"constraint":{"field":"tools","detail":"no endpoint is known to take tools"}}}}
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_picture_is_sent_to_no_model_that_is_said_to_take_text_alone() {
    let models = r#"
        [[models]]
        id = "test/blind"
        input_modalities = ["text"]
        context_length = 8192
        endpoints = [{ provider = "alpha", upstream_model = "blind", free = true }]
        [[models]]
        id = "test/seeing"
        input_modalities = ["text", "image"]
        context_length = 8192
        endpoints = [{ provider = "alpha", upstream_model = "seeing", free = true }]
    "#;
    let gateway = TestGateway::with(models).await;
    let key = gateway.key(json!({})).await;
    let picture =
        json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AA" } });
    let messages = json!([{ "role": "user", "content": [picture] }]);
    let answer = gateway.chat(&key, "test/blind", json!({ "messages": messages })).await;
    let error = &answer.json()["error"];
    assert_eq!(
        (answer.status, error["message"].as_str().unwrap()),
        (404, "No endpoints found that support image input")
    );
    assert_eq!(error["metadata"]["failed_routing_step"], "Filter by Image Support");
    let extras = json!({ "messages": messages, "models": ["test/seeing"] });
    let answer = gateway.chat(&key, "test/blind", extras).await;
    assert_eq!((answer.status, &answer.json()["model"]), (200, &json!("test/seeing")));
    assert_eq!(asked(&gateway, 0), "seeing");
    gateway.close().await;
}

#[tokio::test]
async fn data_is_denied_to_whoever_may_collect_it() {
    let settings = format!(
        r#"
        providers = [
            {{ slug = "alpha", base_url = "URL" }},
            {{ slug = "beta", base_url = "URL" }},
            {{ slug = "gamma", base_url = "URL", collects_data = false }},
        ]
        {MANY}"#
    );
    let gateway = TestGateway::with(&settings).await;
    let key = gateway.key(json!({})).await;
    for name in ["one", "two", "three"] {
        gateway.upstream.on(name, Behaviour::new().status(503, "{}"));
    }
    let wish = json!({ "provider": { "data_collection": "deny", "sort": "price" } });
    assert_eq!(tried(&gateway, &key, "test/many", wish).await, "one two");
    gateway.close().await;
}
