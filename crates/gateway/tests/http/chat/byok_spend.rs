//! The money of requests that go with their owner's own credential: the list price is BYOK use, the
//! fee on it is charged, and limits count the one or both as they stand (SEMANTICS 8.6, 19.9).

use serde_json::{Value, json};
use testkit::{Behaviour, Event};

use crate::support::{MANAGER, TestGateway, TestKey};

const FEE: &str = "[metering]\nbyok_fee_percent = \"5\"";
const FIGURES: [&str; 8] = [
    "usage",
    "usage_monthly",
    "usage_weekly",
    "usage_daily",
    "byok_usage",
    "byok_usage_monthly",
    "byok_usage_weekly",
    "byok_usage_daily",
];

impl TestGateway {
    /// Brings a credential for `alpha` that is used for `test/small` alone.
    async fn bring(&self, settings: Value) {
        let mut body = json!({
            "provider": "alpha",
            "key": "sk-brought-0123456789-0123456789",
            "allowed_models": ["test/small"],
        });
        body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap());
        let answer = self.ask(MANAGER, "POST /api/v1/byok", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// The eight figures of a key, which it and its administrator are told alike.
    async fn figures(&self, key: &TestKey) -> Vec<String> {
        let own = self.ask(key.text.as_str(), "GET /api/v1/key", "").await;
        let shown = self.ask(MANAGER, &format!("GET {}", key.path()), "").await;
        let figure = |name: &&str| {
            let figure = own.exact(&format!("/data/{name}")).unwrap();
            assert_eq!(shown.exact(&format!("/data/{name}")).as_ref(), Some(&figure), "{name}");
            figure
        };
        FIGURES.iter().map(figure).collect()
    }

    /// One request for each kind of spend: with the owner's credential, with the operator's.
    async fn spend_both(&self, key: &TestKey) {
        for model in ["test/small", "test/pair"] {
            assert_eq!(self.chat(key, model, json!({})).await.status, 200, "{model}");
        }
    }
}

/// 43 tokens of prompt and 20 of completion: $0.000083 at list price, 5 % of it $0.00000415.
fn quick() -> Behaviour {
    Behaviour::new().prompt_tokens(43).completion_tokens(20)
}

#[tokio::test]
async fn an_answer_says_what_was_charged_and_what_is_the_owners_to_pay() {
    let gateway = TestGateway::with(FEE).await;
    gateway.upstream.otherwise(quick());
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({})).await;
    let whole = gateway.chat(&key, "test/small", json!({})).await;
    let events = gateway.chat_stream(&key, "test/small", json!({})).await.rest().await.unwrap();
    let last = events.iter().rev().find(|event| event.exact("/usage/cost").is_some()).unwrap();
    for fact in [
        ("/usage/cost", "0.00000415"),
        ("/usage/is_byok", "true"),
        ("/usage/cost_details/upstream_inference_cost", "0.000083"),
        ("/usage/cost_details/upstream_inference_prompt_cost", "0.000043"),
        ("/usage/cost_details/upstream_inference_completions_cost", "0.00004"),
    ] {
        assert_eq!(whole.exact(fact.0).as_deref(), Some(fact.1), "{}", fact.0);
        assert_eq!(last.exact(fact.0).as_deref(), Some(fact.1), "{}", fact.0);
    }
    assert_eq!(events.last(), Some(&Event::Done));
    let id = whole.headers["x-generation-id"].to_str().unwrap();
    let booked =
        gateway.ask(key.text.as_str(), &format!("GET /api/v1/generation?id={id}"), "").await;
    for fact in [
        ("/data/total_cost", "0.00000415"),
        ("/data/usage", "0.00000415"),
        ("/data/is_byok", "true"),
        ("/data/upstream_inference_cost", "0.000083"),
        ("/data/provider_responses/0/is_byok", "true"),
    ] {
        assert_eq!(booked.exact(fact.0).as_deref(), Some(fact.1), "{}", fact.0);
    }
    let operators = gateway.chat(&key, "test/pair", json!({})).await;
    for fact in [
        ("/usage/cost", "0.000083"),
        ("/usage/is_byok", "false"),
        ("/usage/cost_details/upstream_inference_cost", "null"),
    ] {
        assert_eq!(operators.exact(fact.0).as_deref(), Some(fact.1), "{}", fact.0);
    }
    gateway.close().await;
}

#[tokio::test]
async fn all_eight_figures_are_different_and_exact_and_each_window_ends_by_itself() {
    let mut gateway = TestGateway::with(FEE).await;
    gateway.upstream.otherwise(quick());
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({})).await;
    // In another month, another week of this one, another day of this week, and today.
    for moment in ["2026-10-20T12:00:00Z", "2026-11-03T00:00:00Z", "2026-11-16T23:59:59Z"] {
        gateway.clock.set(moment);
        gateway.spend_both(&key).await;
    }
    gateway.clock.set("2026-11-18T12:00:00Z");
    gateway.spend_both(&key).await;
    let mut expected = [
        "0.0003486",
        "0.00026145",
        "0.0001743",
        "0.00008715",
        "0.000332",
        "0.000249",
        "0.000166",
        "0.000083",
    ];
    assert_eq!(gateway.figures(&key).await, expected);
    for (moment, ended) in [
        ("2026-11-18T23:59:59.999999999Z", None),
        ("2026-11-19T00:00:00Z", Some(3)),
        ("2026-11-22T23:59:59Z", None),
        ("2026-11-23T00:00:00Z", Some(2)),
        ("2026-11-30T23:59:59Z", None),
        ("2026-12-01T00:00:00Z", Some(1)),
    ] {
        gateway.clock.set(moment);
        if let Some(window) = ended {
            (expected[window], expected[window + 4]) = ("0", "0");
        }
        assert_eq!(gateway.figures(&key).await, expected, "{moment}");
    }
    // Another process reads the same from the rows.
    gateway = gateway.crash().await;
    assert_eq!(gateway.figures(&key).await, expected);
    gateway.clock.set("2026-11-18T12:00:00Z");
    let activity = gateway.ask(MANAGER, "GET /api/v1/activity?date=2026-11-16", "").await;
    let data = activity.json();
    let of = |model: &str| {
        let rows = data["data"].as_array().unwrap();
        let place = rows.iter().position(|row| row["model"] == model).unwrap();
        ["usage", "byok_usage_inference"]
            .map(|name| activity.exact(&format!("/data/{place}/{name}")).unwrap())
    };
    assert_eq!(of("test/small"), ["0.00000415", "0.000083"]);
    assert_eq!(of("test/pair"), ["0.000083", "0"]);
    gateway.close().await;
}

#[tokio::test]
async fn a_limit_counts_byok_while_it_includes_it() {
    let gateway = TestGateway::start().await;
    gateway.upstream.otherwise(quick());
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(gateway.fact(&key, "usage").await, "0");
    assert_eq!(gateway.fact(&key, "byok_usage").await, "0.000083");
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.001");
    gateway.patch(&key, json!({ "include_byok_in_limit": true })).await;
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.000917");
    gateway.patch(&key, json!({ "include_byok_in_limit": false })).await;
    assert_eq!(gateway.fact(&key, "limit_remaining").await, "0.001");
    gateway.close().await;
}

#[tokio::test]
async fn what_counts_may_change_while_a_request_is_in_flight() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30").await;
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({ "limit": 0.001 })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    // Left out of the limit, a second one is no matter; included, both holds count at once.
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(2).await;
    gateway.patch(&key, json!({ "include_byok_in_limit": true })).await;
    let third = gateway.chat(&key, "test/small", json!({ "max_tokens": 400 })).await;
    assert_eq!(third.status, 402, "{}", third.text());
    assert_eq!(third.exact("/error/metadata/held_usd").as_deref(), Some("0.001726"));
    gateway.patch(&key, json!({ "include_byok_in_limit": false })).await;
    let fourth = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(3).await;
    gate.release();
    for answer in [first, second, fourth] {
        assert_eq!(answer.await.unwrap().status, 200);
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_budget_counts_byok_while_its_workspace_includes_it() {
    let gateway = TestGateway::start().await;
    gateway.upstream.otherwise(quick());
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({})).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    let put = "PUT /api/v1/workspaces/default/budgets/daily";
    for (include, spend, status) in
        [(false, "0", 200), (true, "0.000166", 403), (false, "0", 200), (true, "0.000249", 403)]
    {
        let body = json!({ "limit_usd": 0.00008, "include_byok_in_budgets": include });
        assert_eq!(gateway.ask(MANAGER, put, body).await.status, 200);
        let answer = gateway.chat(&key, "test/small", json!({})).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        let own = gateway.ask(key.text.as_str(), "GET /api/v1/key", "").await;
        assert_eq!(own.exact("/data/budgets/0/spend_usd").as_deref(), Some(spend), "{include}");
        assert_eq!(own.exact("/data/budgets/0/include_byok"), Some(include.to_string()));
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_spent_limit_leaves_what_it_does_not_count_and_nothing_to_fall_back_to() {
    let gateway = TestGateway::start().await;
    gateway.upstream.otherwise(quick());
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({ "limit": 0 })).await;
    assert_eq!(gateway.chat(&key, "test/small", json!({})).await.status, 200);
    assert_eq!(gateway.chat(&key, "test/pair", json!({})).await.status, 403);
    let calls = gateway.upstream.calls().len();
    gateway.upstream.on("small", Behaviour::new().status(429, "{}"));
    let refused = gateway.chat(&key, "test/small", json!({})).await;
    assert_eq!(refused.status, 429, "the operator's own is not paid for: {}", refused.text());
    assert_eq!(gateway.upstream.calls().len(), calls + 1);
    gateway.close().await;
}

#[tokio::test]
async fn what_a_crash_leaves_is_charged_at_list_price_with_its_fee_and_corrected_alike() {
    let gateway = TestGateway::with(FEE).await;
    gateway.bring(json!({})).await;
    let key = gateway.key(json!({})).await;
    let gate = gateway.upstream.hold_answers("small");
    let in_flight = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let journal = std::fs::read(gateway.journal()).unwrap();
    gate.release();
    assert_eq!(in_flight.await.unwrap().status, 200);
    gateway.settled().await;
    // The record as it stood when the request was in flight, and a book that has no row of it.
    let fresh = TestGateway::with(FEE).await;
    fresh.bring(json!({})).await;
    let path = fresh.journal();
    std::fs::write(path, journal).unwrap();
    let fresh = fresh.crash().await;
    let holds = fresh.control("GET /holds", "").await.json();
    assert_eq!(holds[0]["charged"], "0.000863", "{holds}");
    let rows: Vec<store::Entry> = fresh.entries();
    let amounts = |row: &store::Entry| (row.cost.credits.as_nanos(), row.cost.byok.as_nanos());
    assert_eq!(rows.iter().map(amounts).collect::<Vec<_>>(), [(43_150, 863_000)]);
    let id = holds[0]["generation"].as_str().unwrap();
    let line = format!("POST /holds/{id}/0");
    let corrected = fresh.control(&line, json!({ "cost": "0.0001" })).await;
    assert_eq!((corrected.status, corrected.text()), (200, r#"{"difference":"-0.000763"}"#.into()));
    let rows: Vec<_> = fresh.entries().iter().map(amounts).collect();
    assert_eq!(rows, [(43_150, 863_000), (5_000 - 43_150, 100_000 - 863_000)]);
    fresh.close().await;
    gateway.close().await;
}

#[tokio::test]
async fn a_key_that_moves_while_it_waits_leaves_its_workspaces_credentials_behind() {
    let gateway = TestGateway::with("[bounds]\nhold_wait_ms = 30000").await;
    gateway.bring(json!({})).await;
    let made = json!({ "name": "Team", "slug": "team" });
    let team = gateway.ask(MANAGER, "POST /api/v1/workspaces", made).await.json();
    let key = gateway.key(json!({ "limit": 0.001, "include_byok_in_limit": true })).await;
    let gate = gateway.upstream.hold_answers("small");
    let first = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gate.until_waiting(1).await;
    let second = gateway.begin_chat(&key, "test/small", json!({ "max_tokens": 400 }));
    gateway.until_waiting(1).await;
    gateway.patch(&key, json!({ "workspace_id": team["data"]["id"] })).await;
    gate.release();
    assert_eq!(first.await.unwrap().json()["usage"]["is_byok"], true);
    assert_eq!(second.await.unwrap().json()["usage"]["is_byok"], false);
    gateway.close().await;
}
