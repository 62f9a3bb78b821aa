//! What the gateway learns of endpoints that charge more than they said, and how it is forgotten.

use serde_json::json;
use testkit::Behaviour;

use crate::support::TestGateway;

const CLEAR: &str = r#"{"model":"test/small","provider":"alpha","upstream_model":"small"}"#;

/// What a request of at most 400 tokens has on hold.
async fn hold(gateway: &TestGateway, key: &crate::support::TestKey) -> String {
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let held = gateway.held(key);
    gate.release();
    chat.await.unwrap();
    held
}

#[tokio::test]
async fn a_charge_above_its_hold_is_recorded_in_full_and_its_endpoint_held_at_its_maximum() {
    let gateway = TestGateway::start().await;
    let limited = gateway.key(json!({ "limit": 1 })).await;
    let unlimited = gateway.key(json!({})).await;
    assert_eq!(hold(&gateway, &limited).await, "0.000863");

    gateway.upstream.on("small", Behaviour::new().completion_beyond_allowed(100));
    let answer = gateway.chat(&limited, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.001008"));
    gateway.upstream.on("small", Behaviour::new());
    // 8192 prompt tokens and 1000 of completion.
    assert_eq!(hold(&gateway, &limited).await, "0.010192");
    let gateway = gateway.crash().await;
    assert_eq!(hold(&gateway, &limited).await, "0.010192", "a restart forgets nothing");

    gateway.upstream.on("small", Behaviour::new().prompt_tokens(20_000));
    let answer = gateway.chat(&limited, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(answer.exact("/usage/cost").as_deref(), Some("0.020032"));
    gateway.upstream.on("small", Behaviour::new());
    let barred = gateway.chat(&limited, "test/small", json!({})).await;
    assert_eq!(barred.status, 404, "{}", barred.text());
    assert_eq!(gateway.chat(&unlimited, "test/small", json!({})).await.status, 200);
    let gateway = gateway.crash().await;
    assert_eq!(gateway.chat(&limited, "test/small", json!({})).await.status, 404);

    let marks = gateway.control("GET /endpoints", "").await;
    assert_eq!(
        marks.json(),
        json!([{
            "model": "test/small", "provider": "alpha", "upstream_model": "small",
            "prompt_overhead_tokens": 19_953, "held_at_maximum": true, "barred": true,
        }])
    );
    let cleared = gateway.control("POST /endpoints/clear", CLEAR).await;
    assert_eq!(cleared.text(), r#"{"cleared":"test/small at alpha"}"#);
    assert_eq!(hold(&gateway, &limited).await, "0.000863");
    let again = gateway.control("POST /endpoints/clear", CLEAR).await;
    assert_eq!(again.status, 404);
    gateway.close().await;
}

#[tokio::test]
async fn a_longer_prompt_than_was_bounded_raises_the_overhead_of_its_endpoint() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(500).completion_tokens(1));
    gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    // Its 47 bytes were 500 tokens: 453 are added from now on.
    assert_eq!(hold(&gateway, &key).await, "0.0013");
    gateway.close().await;
}

#[tokio::test]
async fn a_prompt_within_its_bound_teaches_nothing() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    // Its 47 bytes and the 16 tokens that are configured.
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(63).completion_tokens(1));
    gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(gateway.control("GET /endpoints", "").await.text(), "[]");
    gateway.close().await;
}

#[tokio::test]
async fn a_prompt_with_a_picture_teaches_nothing() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(5000).completion_tokens(1));
    let picture =
        json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } });
    let messages = json!([{ "role": "user", "content": [picture] }]);
    let answer = gateway.chat(&key, "test/small", json!({ "messages": messages })).await;
    assert_eq!(answer.status, 200);
    assert_eq!(hold(&gateway, &key).await, "0.000863");
    gateway.close().await;
}

/// A configuration without the endpoint of `test/small`.
const WITHOUT: &str = r#"
    [[models]]
    id = "test/other"
    context_length = 8192
    endpoints = [{ provider = "alpha", pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

#[tokio::test]
async fn an_endpoint_that_left_the_configuration_and_came_back_is_known_again() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    let reload_twice = async || {
        gateway.reload(WITHOUT);
        assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 400);
        gateway.reload("");
    };
    gateway.upstream.on("small", Behaviour::new().completion_beyond_allowed(100));
    gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    reload_twice().await;
    gateway.upstream.on("small", Behaviour::new().prompt_tokens(20_000));
    assert_eq!(hold(&gateway, &key).await, "0.010192");
    reload_twice().await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 404, "barred");
    gateway.close().await;
}

#[tokio::test]
async fn what_is_learned_meanwhile_binds_whoever_waits() {
    let beyond = Behaviour::new().completion_beyond_allowed(100);
    for (already_learned, limit, taught, status) in [
        // Held at its maximum it costs ten times what the key may spend.
        (None, 0.001, beyond.clone(), 402),
        // Held at its maximum already, there is room for one; then it is barred.
        (Some(beyond), 0.015, Behaviour::new().prompt_tokens(20_000), 404),
    ] {
        let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
        let unlimited = gateway.key(json!({})).await;
        let limited = gateway.key(json!({ "limit": limit })).await;
        if let Some(behaviour) = already_learned {
            gateway.upstream.on("small", behaviour);
            gateway.chat(&unlimited, "test/small", json!({})).await;
        }
        let sent_before = gateway.upstream.calls().len();
        gateway.upstream.then("small", [taught, Behaviour::new()]);
        let gate = gateway.upstream.hold_answers("small");
        let extras = json!({ "max_tokens": 400 });
        let teacher = gateway.begin_chat(&unlimited, "test/small", extras.clone());
        gate.until_waiting(1).await;
        let first = gateway.begin_chat(&limited, "test/small", extras.clone());
        gate.until_waiting(2).await;
        let second = gateway.begin_chat(&limited, "test/small", extras);
        gateway.until_waiting(1).await;
        gate.release_one();
        assert_eq!(teacher.await.unwrap().status, 200);
        gate.release();
        assert_eq!(first.await.unwrap().status, 200);
        assert_eq!(second.await.unwrap().status, status);
        assert_eq!(gateway.upstream.calls().len() - sent_before, 2);
        gateway.close().await;
    }
}
