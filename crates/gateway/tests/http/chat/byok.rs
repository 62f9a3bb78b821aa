//! Requests that go with credentials their owners brought: which is tried, what a failure leads to,
//! who pays, and that nobody is told a secret.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Answer, Behaviour, Cut, Event};

use crate::support::{MANAGER, TestGateway, TestKey};

/// What `alpha` is shown for the operator.
const OWN: &str = "alpha-credential-0123456789";
const FIRST: &str = "sk-first-brought-0123456789";
const SECOND: &str = "sk-second-brought-0123456789";

/// Brings a credential for `alpha`, and gives its path.
async fn bring(gateway: &TestGateway, key: &str, settings: Value) -> String {
    let mut body = json!({ "provider": "alpha", "key": key });
    body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap_or_default());
    let answer = gateway.ask(MANAGER, "POST /api/v1/byok", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    format!("/api/v1/byok/{}", answer.json()["data"]["id"].as_str().unwrap())
}

async fn change(gateway: &TestGateway, path: &str, settings: Value) -> Answer {
    gateway.ask(MANAGER, &format!("PATCH {path}"), settings).await
}

/// What the provider was shown, one word a call, from the call of that number on.
fn shown_from(gateway: &TestGateway, first: usize) -> Vec<&'static str> {
    let calls = gateway.upstream.calls();
    let word = |call: &testkit::Call| match call.headers.get("authorization") {
        None => "nothing",
        Some(header) => [(OWN, "own"), (FIRST, "first"), (SECOND, "second")]
            .into_iter()
            .find(|(text, _)| header.as_bytes() == format!("Bearer {text}").as_bytes())
            .map_or("another", |(_, word)| word),
    };
    calls[first..].iter().map(word).collect()
}

/// What a key was charged, and what its owner's accounts were.
async fn spent(gateway: &TestGateway, key: &TestKey) -> [String; 2] {
    [gateway.fact(key, "usage").await, gateway.fact(key, "byok_usage").await]
}

/// The same request, whole or streamed to its end: its status, and what an error says.
async fn ask(gateway: &TestGateway, key: &TestKey, is_stream: bool) -> (u16, String) {
    let extras = json!({ "max_tokens": 400 });
    if !is_stream {
        let answer = gateway.chat(key, "test/small", extras).await;
        return (answer.status, answer.text().to_owned());
    }
    let stream = gateway.chat_stream(key, "test/small", extras).await;
    if !stream.is_stream() {
        let answer = stream.into_answer().await.unwrap();
        return (answer.status, answer.text().to_owned());
    }
    let events = stream.rest().await.unwrap();
    assert_eq!(events.last(), Some(&Event::Done));
    (200, format!("{events:?}"))
}

#[tokio::test]
async fn a_credential_that_fails_gives_way_to_the_next_and_then_to_the_operators_own() {
    for is_stream in [false, true] {
        for status in [401, 402, 403, 408, 429, 500, 503] {
            let gateway = TestGateway::start().await;
            let key = gateway.key(json!({ "limit": 1 })).await;
            bring(&gateway, FIRST, json!({})).await;
            bring(&gateway, SECOND, json!({})).await;
            let fails = || Behaviour::new().status(status, "{}");
            gateway.upstream.then("small", [fails(), Behaviour::new()]);
            assert_eq!(ask(&gateway, &key, is_stream).await.0, 200, "{status}");
            gateway.settled().await;
            assert_eq!(shown_from(&gateway, 0), ["first", "second"], "{status}");
            assert_eq!(spent(&gateway, &key).await, ["0", "0.00004"], "{status}");
            assert_eq!(gateway.rows().len(), 1, "what was refused has no row");

            // On another day, so that none of them rests; the limit is not touched by them.
            gateway.clock.set("2026-11-19T12:00:00Z");
            gateway.upstream.then("small", [fails(), fails(), Behaviour::new()]);
            assert_eq!(ask(&gateway, &key, is_stream).await.0, 200, "{status}");
            gateway.settled().await;
            assert_eq!(shown_from(&gateway, 2), ["first", "second", "own"], "{status}");
            assert_eq!(spent(&gateway, &key).await, ["0.00004", "0.00004"], "{status}");
            gateway.close().await;
        }
    }
}

#[tokio::test]
async fn a_credential_whose_end_is_not_seen_is_charged_for_and_the_next_takes_its_own_hold() {
    let slow = Behaviour::new().delay_head(Duration::from_secs(60));
    let failures = [
        ("a time-out", slow),
        ("a cut head", Behaviour::new().cut(Cut::InHead)),
        ("no head", Behaviour::new().cut(Cut::BeforeHead)),
    ];
    for (what, failure) in failures {
        let gateway = TestGateway::with("[bounds]\nprovider_first_byte_ms = 300").await;
        let key = gateway.key(json!({ "limit": 1 })).await;
        bring(&gateway, FIRST, json!({})).await;
        bring(&gateway, SECOND, json!({})).await;
        gateway.upstream.then("small", [failure.clone(), failure, Behaviour::new()]);
        assert_eq!(ask(&gateway, &key, false).await.0, 200, "{what}");
        gateway.settled().await;
        assert_eq!(shown_from(&gateway, 0), ["first", "second", "own"], "{what}");
        let own = "alpha: reported $0.00004 for 8+16";
        let held = "alpha: held $0 for 0+0";
        assert_eq!(gateway.rows(), [held, held, own], "{what}");
        // Two worst cases at the owner's expense.
        assert_eq!(spent(&gateway, &key).await, ["0.00004", "0.001726"], "{what}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_stream_that_has_begun_is_tried_with_nothing_else() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "limit": 1 })).await;
    bring(&gateway, FIRST, json!({})).await;
    gateway.upstream.on("small", Behaviour::new().cut(Cut::AfterEvents(3)));
    let stream = gateway.chat_stream(&key, "test/small", json!({ "max_tokens": 400 })).await;
    let events = stream.rest().await.unwrap();
    assert_eq!(events.last(), Some(&Event::Done));
    gateway.settled().await;
    assert_eq!(shown_from(&gateway, 0), ["first"]);
    assert_eq!(spent(&gateway, &key).await, ["0", "0.000863"], "held in full, by its owner");
    // Cut before anything was put out, it is.
    gateway.upstream.then("small", [Behaviour::new().cut(Cut::AfterEvents(0)), Behaviour::new()]);
    assert_eq!(ask(&gateway, &key, true).await.0, 200);
    gateway.settled().await;
    assert_eq!(shown_from(&gateway, 1), ["first", "own"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_refused_credential_rests_by_itself_and_is_tried_at_once_when_it_was_changed() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let first = bring(&gateway, FIRST, json!({})).await;
    bring(&gateway, SECOND, json!({ "is_fallback": true })).await;
    for status in [401, 403] {
        let before = gateway.upstream.calls().len();
        gateway.upstream.then("small", [Behaviour::new().status(status, "{}"), Behaviour::new()]);
        assert_eq!(ask(&gateway, &key, false).await.0, 200);
        assert_eq!(ask(&gateway, &key, false).await.0, 200);
        assert_eq!(shown_from(&gateway, before), ["first", "own", "own"], "{status}");
        // Whatever is changed of it, its owner has looked after it.
        assert_eq!(change(&gateway, &first, json!({ "name": "ours" })).await.status, 200);
        assert_eq!(ask(&gateway, &key, false).await.0, 200);
        assert_eq!(shown_from(&gateway, before + 3), ["first"], "{status}");
    }
    let before = gateway.upstream.calls().len();
    gateway.upstream.then("small", [Behaviour::new().status(401, "{}"), Behaviour::new()]);
    assert_eq!(ask(&gateway, &key, false).await.0, 200);
    gateway.clock.set("2026-11-18T12:00:59.999999Z");
    assert_eq!(ask(&gateway, &key, false).await.0, 200);
    gateway.clock.set("2026-11-18T12:01:00Z");
    assert_eq!(ask(&gateway, &key, false).await.0, 200);
    assert_eq!(shown_from(&gateway, before), ["first", "own", "own", "first"]);
    gateway.close().await;
}

#[tokio::test]
async fn the_operators_own_that_is_refused_leaves_what_was_brought_in_use() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    bring(&gateway, FIRST, json!({ "is_fallback": true })).await;
    gateway.upstream.then("small", [Behaviour::new().status(401, "{}"), Behaviour::new()]);
    for _ in 0..2 {
        assert_eq!(ask(&gateway, &key, false).await.0, 200);
    }
    assert_eq!(shown_from(&gateway, 0), ["own", "first", "first"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_credential_disabled_or_deleted_meanwhile_ends_its_call_and_begins_none() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    let first = bring(&gateway, FIRST, json!({})).await;
    let second = bring(&gateway, SECOND, json!({})).await;
    // Both are ahead of a request that is under way with the first.
    let gate = gateway.upstream.hold_answers("small");
    gateway.upstream.then("small", [Behaviour::new().status(500, "{}"), Behaviour::new()]);
    let asking = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    assert_eq!(change(&gateway, &first, json!({ "disabled": true })).await.status, 200);
    let deleted = gateway.ask(MANAGER, &format!("DELETE {second}"), "").await;
    assert_eq!(deleted.status, 200);
    gate.release();
    assert_eq!(asking.await.unwrap().status, 200);
    assert_eq!(shown_from(&gateway, 0), ["first", "own"]);

    // One that is answered is answered, whatever became of what it went with.
    assert_eq!(change(&gateway, &first, json!({ "disabled": false })).await.status, 200);
    let gate = gateway.upstream.hold_answers("small");
    let asking = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let deleted = gateway.ask(MANAGER, &format!("DELETE {first}"), "").await;
    assert_eq!(deleted.status, 200);
    gate.release();
    let answer = asking.await.unwrap();
    assert_eq!((answer.status, answer.json()["usage"]["is_byok"].clone()), (200, json!(true)));
    assert_eq!(shown_from(&gateway, 2), ["first"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_filter_leaves_a_request_to_the_operators_own_and_one_for_a_deleted_key_leaves_all() {
    let gateway = TestGateway::start().await;
    let [theirs, other] = [gateway.key(json!({})).await, gateway.key(json!({})).await];
    let path = bring(&gateway, FIRST, json!({ "allowed_api_key_hashes": [theirs.hash] })).await;
    for (key, word) in [(&theirs, "first"), (&other, "own")] {
        let before = gateway.upstream.calls().len();
        assert_eq!(ask(&gateway, key, false).await.0, 200);
        assert_eq!(shown_from(&gateway, before), [word]);
    }
    let deleted = gateway.ask(MANAGER, &format!("DELETE {}", theirs.path()), "").await;
    assert_eq!(deleted.status, 200);
    assert_eq!(change(&gateway, &path, json!({ "name": "still there" })).await.status, 200);
    assert_eq!(ask(&gateway, &other, false).await.0, 200);
    assert_eq!(shown_from(&gateway, 2), ["own"]);
    let named = json!({ "allowed_api_key_hashes": [theirs.hash] });
    assert_eq!(change(&gateway, &path, named).await.status, 400, "it is a key no more");
    assert_eq!(
        change(&gateway, &path, json!({ "allowed_api_key_hashes": null })).await.status,
        200
    );
    assert_eq!(ask(&gateway, &other, false).await.0, 200);
    assert_eq!(shown_from(&gateway, 3), ["first"]);
    gateway.close().await;
}

#[tokio::test]
async fn where_only_what_was_brought_may_be_used_a_failure_is_the_answer() {
    for setting in ["is_byok_only", "is_required"] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({})).await;
        bring(&gateway, FIRST, json!({ setting: true })).await;
        gateway.upstream.on("small", Behaviour::new().status(401, "{}"));
        assert_eq!(ask(&gateway, &key, false).await.0, 502);
        assert_eq!(ask(&gateway, &key, false).await.0, 404, "no hour of tries");
        assert_eq!(shown_from(&gateway, 0), ["first"], "{setting}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn a_provider_without_a_key_of_the_operators_serves_those_who_brought_one() {
    let gateway = TestGateway::start().await;
    let [theirs, other] = [gateway.key(json!({})).await, gateway.key(json!({})).await];
    let ask = async |key: &TestKey| gateway.chat(key, "test/stopping", json!({})).await.status;
    assert_eq!(ask(&other).await, 200);
    let settings = json!({ "provider": "gamma", "allowed_api_key_hashes": [theirs.hash] });
    let path = bring(&gateway, FIRST, settings).await;
    assert_eq!((ask(&theirs).await, ask(&other).await), (200, 404));
    assert_eq!(gateway.ask(MANAGER, &format!("DELETE {path}"), "").await.status, 200);
    assert_eq!(ask(&other).await, 200);
    assert_eq!(shown_from(&gateway, 0), ["nothing", "first", "nothing"]);
    gateway.close().await;
}

const HEADERS: &str = r#"
    [[providers]]
    slug = "alpha"
    name = "Alpha"
    base_url = "URL"
    api_key = "alpha-credential-0123456789"
    headers = { x-api-key = "of-the-operator-0123456789", x-version = "2" }
    [[models]]
    id = "test/small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", max_completion_tokens = 1000, pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

#[tokio::test]
async fn what_is_said_of_an_account_that_was_brought_is_not_held_against_the_endpoint() {
    for status in [401, 402, 403, 404, 429] {
        let gateway = TestGateway::start().await;
        let key = gateway.key(json!({})).await;
        let path = bring(&gateway, FIRST, json!({ "is_byok_only": true })).await;
        gateway.upstream.on("small", Behaviour::new().status(status, "{}"));
        for _ in 0..20 {
            assert_ne!(ask(&gateway, &key, false).await.0, 200);
            change(&gateway, &path, json!({ "name": "again" })).await;
        }
        let catalogue = gateway.core.catalogue();
        let endpoint = catalogue.endpoints().find(|one| one.upstream_model == "small").unwrap();
        assert!(!endpoint.learned.health.is_out(gateway.clock.time()), "{status}");
        gateway.close().await;
    }
}

#[tokio::test]
async fn nothing_that_may_be_the_operators_credential_goes_along_with_anothers() {
    let gateway = TestGateway::with(HEADERS).await;
    let key = gateway.key(json!({})).await;
    bring(&gateway, FIRST, json!({})).await;
    gateway.upstream.then("small", [Behaviour::new().status(500, "{}"), Behaviour::new()]);
    assert_eq!(ask(&gateway, &key, false).await.0, 200);
    let calls = gateway.upstream.calls();
    let header = |call: usize, name: &str| {
        calls[call].headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    assert_eq!([header(0, "x-api-key"), header(0, "x-version")], [None, Some("2".to_owned())]);
    assert_eq!(header(1, "x-api-key").as_deref(), Some("of-the-operator-0123456789"));
    assert_eq!(shown_from(&gateway, 0), ["first", "own"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_credential_is_in_nothing_that_anybody_is_told() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    // Nothing in its form says that it is a secret.
    const PLAIN: &str = "4f9ddc7b0a1e4c6d8b2f";
    let path = bring(&gateway, PLAIN, json!({ "is_byok_only": true })).await;
    let said = format!(r#"{{"error":{{"message":"not for {PLAIN}","code":"x"}}}}"#);
    let mut told = String::new();
    for status in [200, 400, 401, 402, 404, 429, 500] {
        gateway.upstream.on("small", Behaviour::new().status(status, &said));
        for is_stream in [false, true] {
            let (_, answer) = ask(&gateway, &key, is_stream).await;
            told.push_str(&format!("{status}: {answer}\n"));
            change(&gateway, &path, json!({ "name": "as before" })).await;
        }
    }
    assert!(told.contains("not for [redacted]"), "what else it says is passed on: {told}");
    for line in [
        "GET /api/v1/byok",
        &format!("GET {path}"),
        &format!("DELETE {path}"),
        "GET /api/v1/audit-log",
        "GET /metrics",
    ] {
        let answer = gateway.ask(MANAGER, line, "").await;
        assert_eq!(answer.status, 200, "{line}");
        told.push_str(&answer.text());
    }
    let export = &mut |line| {
        told.push_str(&format!("{line:?}\n"));
        Ok(())
    };
    store::Store::export(&*gateway.store, export).unwrap();
    assert!(!told.contains(PLAIN), "{told}");
    gateway.close().await;
}

#[tokio::test]
async fn a_request_whose_tokens_were_counted_goes_with_its_owners_credential() {
    let gateway = TestGateway::with(
        r#"
        [[models]]
        id = "test/counted"
        context_length = 8192
        endpoints = [{ provider = "alpha", tokenizer = "o200k_base", prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
        "#,
    )
    .await;
    bring(&gateway, FIRST, json!({})).await;
    // 3,000 bytes of text are 500 tokens; what is left pays for 1,000.
    let key = gateway.key(json!({ "limit": 0.001, "include_byok_in_limit": true })).await;
    let messages = json!([{ "role": "user", "content": " hello".repeat(500) }]);
    let extras = json!({ "messages": messages, "max_tokens": 16 });
    assert_eq!(gateway.chat(&key, "test/counted", extras).await.status, 200);
    assert_eq!(shown_from(&gateway, 0), ["first"]);
    gateway.close().await;
}
