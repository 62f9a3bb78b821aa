//! `GET /metrics`: the whole output is well-formed, says what was done, and is what
//! docs/metrics.md says it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde_json::json;
use store::Fault;
use testkit::Behaviour;

use crate::support::exposition::Exposition;
use crate::support::{MANAGER, TestGateway, ask_admin, until};

/// What the text shows for whoever holds a management key.
async fn figures(gateway: &TestGateway) -> Exposition {
    let answer = gateway.ask(MANAGER, "GET /metrics", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    Exposition::parse(&answer.text())
}

/// The endpoint of `test/small` as labels write it.
const SMALL: &str = r#"provider="alpha",model="test/small",upstream_model="small""#;

/// A figure of the endpoint of `test/small`, by one more label.
fn of_small<'a>(figures: &'a Exposition, family: &str, last: &str) -> &'a str {
    figures.value(family, &format!("{{{SMALL},{last}}}"))
}

#[tokio::test]
async fn what_was_done_is_counted_to_the_request_and_the_nano_dollar() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    for _ in 0..2 {
        assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    }
    let stream = gateway.chat_stream(&key, "test/small", json!({})).await;
    stream.rest().await.unwrap();
    let poor = gateway.key(json!({ "limit": 0.0000001 })).await;
    assert_eq!(gateway.chat(&poor, "test/small", json!({})).await.status, 402);
    let closed = gateway.key(json!({ "limit": 0 })).await;
    assert_eq!(gateway.chat(&closed, "test/small", json!({})).await.status, 403);
    let paced = gateway.key(json!({ "requests_per_minute": 1, "tokens_per_minute": 500 })).await;
    let small = json!({ "max_tokens": 438 });
    assert_eq!(gateway.chat(&paced, "test/small", small).await.status, 400);
    assert_eq!(gateway.chat(&paced, "test/small", json!({})).await.status, 200);
    assert_eq!(gateway.chat(&paced, "test/small", json!({})).await.status, 429);
    assert_eq!(gateway.ask(None, "GET /nowhere", "").await.status, 404);
    gateway.settled().await;

    let figures = figures(&gateway).await;
    for (family, expected) in [
        (
            "tollgate_requests_total",
            &[
                r#"{method="POST",route="/chat/completions",status="200"} 4"#,
                r#"{method="POST",route="/chat/completions",status="400"} 1"#,
                r#"{method="POST",route="/chat/completions",status="402"} 1"#,
                r#"{method="POST",route="/chat/completions",status="403"} 1"#,
                r#"{method="POST",route="/chat/completions",status="429"} 1"#,
                r#"{method="POST",route="/keys",status="201"} 4"#,
                r#"{method="GET",route="other",status="404"} 1"#,
            ][..],
        ),
        ("tollgate_holds_open", &[" 0"]),
        ("tollgate_held_dollars", &[r#"{kind="credits"} 0"#, r#"{kind="byok"} 0"#]),
        ("tollgate_requests_in_flight", &[" 0"]),
        ("tollgate_requests_waiting", &[" 0"]),
        ("tollgate_body_bytes", &[" 0"]),
        (
            "tollgate_refusals_total",
            &[
                r#"{layer="workspace",reason="spent"} 0"#,
                r#"{layer="workspace",reason="too_dear"} 0"#,
                r#"{layer="workspace",reason="busy"} 0"#,
                r#"{layer="key",reason="spent"} 1"#,
                r#"{layer="key",reason="too_dear"} 1"#,
                r#"{layer="key",reason="busy"} 0"#,
                r#"{layer="key",reason="requests_per_minute"} 1"#,
                r#"{layer="key",reason="tokens_per_minute"} 0"#,
                r#"{layer="key",reason="concurrent_requests"} 0"#,
                r#"{layer="key",reason="too_many_tokens"} 1"#,
            ],
        ),
        (
            "tollgate_overloads_total",
            &[
                r#"{bound="in_flight"} 0"#,
                r#"{bound="waiting"} 0"#,
                r#"{bound="bodies"} 0"#,
                r#"{bound="store_away"} 0"#,
            ],
        ),
        ("tollgate_commit_failures_total", &[" 0"]),
        ("tollgate_commit_queue_changes", &[" 0"]),
        ("tollgate_store_away", &[" 0"]),
        ("tollgate_answers_not_durable_total", &[" 0"]),
    ] {
        assert_eq!(figures.lines(family), expected, "{family}");
    }
    for (family, last, expected) in [
        ("tollgate_attempts_total", r#"outcome="answered""#, "4"),
        ("tollgate_attempts_total", r#"outcome="failed""#, "0"),
        ("tollgate_settlements_total", r#"source="reported""#, "4"),
        ("tollgate_settlements_total", r#"source="held""#, "0"),
        ("tollgate_spent_dollars_total", r#"kind="credits""#, "0.00016"),
        ("tollgate_spent_dollars_total", r#"kind="byok""#, "0"),
        ("tollgate_tokens_total", r#"kind="prompt""#, "32"),
        ("tollgate_tokens_total", r#"kind="completion""#, "64"),
        ("tollgate_tokens_total", r#"kind="cached""#, "0"),
    ] {
        assert_eq!(of_small(&figures, family, last), expected, "{family} {last}");
    }
    for family in ["tollgate_provider_first_byte_seconds", "tollgate_provider_seconds"] {
        assert_eq!(figures.value(&format!("{family}_count"), &format!("{{{SMALL}}}")), "4");
    }
    // Four keys and four settlements were committed, however they came together.
    let changes = figures.value("tollgate_commit_changes_sum", "").parse::<u64>().unwrap();
    let marks = 1;
    assert_eq!(changes, marks + 4 + 4);
    gateway.close().await;
}

/// What the endpoints' counters say was spent, in nano-dollars.
fn spent(figures: &Exposition) -> i64 {
    let samples = figures.family("tollgate_spent_dollars_total").samples.iter();
    samples.map(|sample| sample.value.parse::<money::Money>().unwrap().as_nanos()).sum()
}

/// What the rows of the book say was spent, in nano-dollars.
fn booked(gateway: &TestGateway) -> i64 {
    let mut sum = 0;
    let mut take = |line| {
        if let store::ExportLine::Entry(entry) = line {
            sum += entry.cost.credits.as_nanos() + entry.cost.byok.as_nanos();
        }
        Ok(())
    };
    store::Store::export(&*gateway.store, &mut take).unwrap();
    sum
}

#[tokio::test]
async fn what_the_counters_say_was_spent_is_what_is_in_the_book() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.upstream.then(
        "small",
        [
            Behaviour::new().prompt_tokens(1_001).completion_tokens(7).cached_tokens(1_000),
            Behaviour::new().usage(testkit::Usage::Absent),
            Behaviour::new().cut(testkit::Cut::HalfBody),
            Behaviour::new().completion_beyond_allowed(5_000),
        ],
    );
    for _ in 0..4 {
        gateway.chat(&key, "test/small", json!({ "max_tokens": 100 })).await;
    }
    gateway.settled().await;
    let figures = figures(&gateway).await;
    let sources = ["reported", "counted", "held", "interrupted"];
    let sources = sources.map(|source| {
        of_small(&figures, "tollgate_settlements_total", &format!("source={source:?}"))
    });
    assert_eq!(sources, ["2", "1", "1", "0"]);
    assert!(booked(&gateway) > 0);
    assert_eq!(spent(&figures), booked(&gateway));
    // The last was charged 5,100 completion tokens, and the others' prompt was as long as was held.
    assert_eq!(figures.value("tollgate_above_hold_total", &format!("{{{SMALL}}}")), "2");
    let marked = |name: &str| figures.value(name, &format!("{{{SMALL}}}"));
    assert_eq!(marked("tollgate_endpoint_held_at_maximum"), "1");
    assert_eq!(marked("tollgate_endpoint_barred"), "1");
    assert_ne!(marked("tollgate_endpoint_prompt_overhead_tokens"), "0");
    gateway.close().await;
}

#[tokio::test]
async fn a_request_in_flight_shows_with_its_hold_and_one_that_waits_shows_as_waiting() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    let key = gateway.key(json!({ "limit": 0.00015 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 10 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 10 }));
    gateway.until_waiting(1).await;
    let then = figures(&gateway).await;
    // 63 prompt tokens and 10 of completion.
    assert_eq!(then.value("tollgate_held_dollars", r#"{kind="credits"}"#), "0.000083");
    assert_eq!(gateway.held(&key), "0.000083");
    assert_eq!(then.value("tollgate_holds_open", ""), "1");
    assert_eq!(then.value("tollgate_requests_in_flight", ""), "2");
    assert_eq!(then.value("tollgate_requests_waiting", ""), "1");
    assert_eq!(then.value("tollgate_hold_wait_seconds_count", ""), "0");
    assert_ne!(then.value("tollgate_body_bytes", ""), "0");
    gate.release();
    assert_eq!(first.await.unwrap().status, 200);
    assert_eq!(second.await.unwrap().status, 200);
    gateway.settled().await;
    let now = figures(&gateway).await;
    assert_eq!(now.value("tollgate_held_dollars", r#"{kind="credits"}"#), "0");
    assert_eq!(now.value("tollgate_holds_open", ""), "0");
    assert_eq!(now.value("tollgate_requests_waiting", ""), "0");
    assert_eq!(now.value("tollgate_hold_wait_seconds_count", ""), "1");
    gateway.close().await;
}

#[tokio::test]
async fn a_store_that_is_away_shows_with_who_was_turned_away() {
    let gateway = TestGateway::with("[bounds]\nsettle_wait_ms = 30").await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    gate.release();
    assert_eq!(chat.await.unwrap().status, 503);
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 503);
    let then = figures(&gateway).await;
    assert_eq!(then.value("tollgate_store_away", ""), "1");
    assert_eq!(then.value("tollgate_overloads_total", r#"{bound="store_away"}"#), "1");
    assert_eq!(then.value("tollgate_answers_not_durable_total", ""), "1");
    assert_ne!(then.value("tollgate_commit_failures_total", ""), "0");
    assert_eq!(then.value("tollgate_holds_open", ""), "1", "its hold stays until it is written");
    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.until(|core| !core.writer.is_away()).await;
    gateway.settled().await;
    assert_eq!(figures(&gateway).await.value("tollgate_store_away", ""), "0");
    gateway.close().await;
}

#[tokio::test]
async fn each_attempt_counts_for_the_endpoint_it_went_to() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway
        .upstream
        .then("pair-a", [Behaviour::new().status(500, "{}"), Behaviour::new().status(429, "{}")]);
    gateway.upstream.then("pair-b", [Behaviour::new(), Behaviour::new().status(404, "{}")]);
    let alpha_first = json!({ "provider": { "order": ["alpha"] } });
    assert_eq!(gateway.chat(&key, "test/pair", alpha_first.clone()).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/pair", alpha_first).await.status, 404);
    gateway.settled().await;
    let figures = figures(&gateway).await;
    let lines = figures.lines("tollgate_attempts_total");
    let some: Vec<_> = lines.into_iter().filter(|line| !line.ends_with(" 0")).collect();
    assert_eq!(
        some,
        [
            r#"{provider="alpha",model="test/pair",upstream_model="pair-a",outcome="rate_limited"} 1"#,
            r#"{provider="alpha",model="test/pair",upstream_model="pair-a",outcome="failed"} 1"#,
            r#"{provider="beta",model="test/pair",upstream_model="pair-b",outcome="answered"} 1"#,
            r#"{provider="beta",model="test/pair",upstream_model="pair-b",outcome="refused"} 1"#,
        ]
    );
    gateway.close().await;
}

#[tokio::test]
async fn a_reload_loses_no_count() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.reload("");
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.settled().await;
    let figures = figures(&gateway).await;
    assert_eq!(of_small(&figures, "tollgate_attempts_total", r#"outcome="answered""#), "2");
    assert_eq!(spent(&figures), booked(&gateway));
    gateway.close().await;
}

#[tokio::test]
async fn what_a_crash_left_is_counted_as_interrupted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
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
    let figures = figures(&gateway).await;
    assert_eq!(of_small(&figures, "tollgate_settlements_total", r#"source="interrupted""#), "1");
    assert_eq!(of_small(&figures, "tollgate_spent_dollars_total", r#"kind="credits""#), "0.000863");
    assert_eq!(spent(&figures), booked(&gateway));
    gateway.close().await;
}

#[tokio::test]
async fn no_key_is_named_and_a_model_that_is_not_known_is_no_label() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "name": "payroll" })).await;
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.chat(&key, "made/up", json!({})).await;
    gateway.ask(key.text.as_str(), &format!("GET {}", key.path()), "").await;
    gateway.settled().await;
    let text = gateway.ask(MANAGER, "GET /metrics", "").await.text();
    for secret in
        [&key.text, &key.hash, "payroll", "made/up", MANAGER, "sk-or", "credential-0123456789"]
    {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn the_operators_address_asks_for_no_key_and_serves_nothing_else() {
    let gateway = TestGateway::with("[server]\nadmin_listen = \"127.0.0.1:0\"").await;
    let key = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.settled().await;
    let answer = gateway.admin("GET", "/metrics").await;
    assert_eq!(answer.status, 200);
    let figures = Exposition::parse(&answer.text());
    assert_eq!(of_small(&figures, "tollgate_attempts_total", r#"outcome="answered""#), "1");
    assert_eq!(gateway.admin("GET", "/health").await.text(), r#"{"status":"ok"}"#);
    assert_eq!(gateway.admin("GET", "/ready").await.text(), r#"{"status":"ready"}"#);
    for path in ["/", "/api/v1/keys", "/api/v1/models", "/api/v1/chat/completions", "/metrics/x"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = gateway.admin(method, path).await;
            assert_eq!((answer.status, answer.json()["error"]["code"].as_u64()), (404, Some(404)));
        }
    }
    assert_eq!(gateway.admin("POST", "/metrics").await.status, 405);
    gateway.store.fail_next(u32::MAX, Fault::Unavailable);
    assert_eq!(gateway.ask(MANAGER, "POST /api/v1/keys", r#"{"name":"x"}"#).await.status, 503);
    assert_eq!(gateway.admin("GET", "/ready").await.status, 503);
    assert_eq!(gateway.admin("GET", "/health").await.status, 200);
    gateway.store.fail_next(0, Fault::Unavailable);
    gateway.until(|core| !core.writer.is_away()).await;
    gateway.close().await;
}

#[tokio::test]
async fn the_operators_address_answers_while_the_gateway_stops_and_says_that_it_is_not_ready() {
    let gateway = TestGateway::with("[server]\nadmin_listen = \"127.0.0.1:0\"").await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    gate.until_waiting(1).await;
    let (admin, core) = (gateway.admin_client(), Arc::clone(&gateway.core));
    let (upstream, stopping) = gateway.begin_stop();
    until(&core, |core| core.is_stopping.load(Ordering::Relaxed)).await;
    assert_eq!(ask_admin(&admin, "GET", "/ready").await.status, 503);
    let figures = Exposition::parse(&ask_admin(&admin, "GET", "/metrics").await.text());
    assert_eq!(figures.value("tollgate_requests_in_flight", ""), "1");
    gate.release();
    assert_eq!(chat.await.unwrap().status, 200);
    stopping.await.unwrap();
    assert!(admin.get(None, "/health").await.is_err(), "it ends with the gateway");
    drop(upstream);
}

#[tokio::test]
async fn it_needs_a_management_key_on_the_address_that_all_can_reach() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    assert_eq!(gateway.ask(None, "GET /metrics", "").await.status, 401);
    assert_eq!(gateway.ask(key.text.as_str(), "GET /metrics", "").await.status, 403);
    assert_eq!(gateway.ask(MANAGER, "POST /metrics", "").await.status, 405);
    assert_eq!(gateway.ask(MANAGER, "GET /api/v1/metrics", "").await.status, 404);
    gateway.close().await;
}

/// The table of docs/metrics.md: name, type, labels and meaning of each family, in order.
fn documented() -> Vec<[String; 4]> {
    let text = include_str!("../../../../docs/metrics.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `"));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
        let [name, kind, labels, help] = cells[..] else { panic!("{row} has not four cells") };
        [name.trim_end_matches('`'), kind, labels, help].map(str::to_owned)
    });
    rows.collect()
}

#[test]
fn what_the_operators_are_told_to_watch_is_there() {
    let known: Vec<_> = documented().into_iter().map(|[name, ..]| name).collect();
    let text = include_str!("../../../../docs/operate.md");
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c| !is_part(c));
    let named: Vec<_> = words
        .filter(|word| word.starts_with("tollgate_") || word.starts_with("process_"))
        .map(|word| word.trim_end_matches("_bucket"))
        .collect();
    assert!(named.len() > 10, "{named:?}");
    for name in named {
        assert!(known.iter().any(|known| known == name), "{name} is not a metric");
    }
}

#[tokio::test]
async fn the_document_lists_what_is_shown_and_nothing_else() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    gateway.chat(&key, "test/small", json!({})).await;
    gateway.settled().await;
    let figures = figures(&gateway).await;
    let shown: Vec<_> = figures
        .families
        .iter()
        .map(|family| {
            let labels = family.labels().iter().map(|name| format!("`{name}`")).collect::<Vec<_>>();
            let labels = if labels.is_empty() { "–".to_owned() } else { labels.join(" ") };
            [family.name.clone(), family.kind.clone(), labels, family.help.clone()]
        })
        .collect();
    assert_eq!(shown, documented());
    gateway.close().await;
}
