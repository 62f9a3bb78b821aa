//! `GET /activity`: the last completed days, by endpoint, adding up to the rows of the book.

use std::collections::BTreeMap;

use insta::assert_snapshot;
use money::Money;
use serde_json::{Value, json};
use store::{Entry, ExportLine, Store};
use testkit::{Answer, Behaviour, Cut};

use crate::support::{MANAGER, TestGateway, TestKey, shown};

/// Two models on two providers, one of which runs the first under two names; tried in this order.
const MODELS: &str = r#"
    [routing]
    order = "configured"
    [[models]]
    id = "test/several"
    context_length = 8192
    [[models.endpoints]]
    provider = "alpha"
    upstream_model = "first"
    pricing = { prompt = "0.000001", completion = "0.000002", input_cache_read = "0.0000001" }
    [[models.endpoints]]
    provider = "alpha"
    upstream_model = "second"
    pricing = { prompt = "0.000001", completion = "0.000002" }
    [[models.endpoints]]
    provider = "beta"
    upstream_model = "third"
    pricing = { prompt = "0.000003", completion = "0.000002" }
    [[models]]
    id = "test/cheap"
    context_length = 8192
    endpoints = [{ provider = "beta", upstream_model = "cheap", pricing = { prompt = "0.0000001", completion = "0.0000001" } }]
"#;

async fn activity(gateway: &TestGateway, query: &str) -> Answer {
    gateway.ask(MANAGER, &format!("GET /api/v1/activity{query}"), "").await
}

async fn chat(gateway: &TestGateway, key: &TestKey, model: &str) {
    let answer = gateway.chat(key, model, json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// The rows of a table: date, model, provider, usage and requests.
async fn rows(gateway: &TestGateway, query: &str) -> Vec<String> {
    let answer = activity(gateway, query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let count = answer.json()["data"].as_array().unwrap().len();
    let row = |index: usize| {
        let fact = |name: &str| answer.exact(&format!("/data/{index}/{name}")).unwrap();
        let names = ["date", "model", "provider_name", "usage", "requests"];
        names.map(|name| fact(name).replace('"', "")).join(" ")
    };
    (0..count).map(row).collect()
}

#[tokio::test]
async fn completed_days_are_shown_by_endpoint_the_latest_and_the_dearest_first() {
    let gateway = TestGateway::with(MODELS).await;
    let (key, other) = (gateway.key(json!({})).await, gateway.key(json!({})).await);
    let cached = Behaviour::new().cached_tokens(5).reasoning_tokens(3);
    gateway.upstream.on("first", cached);
    for key in [&key, &other] {
        chat(&gateway, key, "test/several").await;
        chat(&gateway, key, "test/cheap").await;
    }
    gateway.clock.set("2026-11-19T23:59:59.999Z");
    gateway.upstream.on("first", Behaviour::new().status(500, "{}"));
    chat(&gateway, &key, "test/several").await;
    gateway.upstream.on("second", Behaviour::new().status(500, "{}"));
    chat(&gateway, &key, "test/several").await;
    gateway.clock.set("2026-11-20T00:00:00Z");
    chat(&gateway, &key, "test/cheap").await;

    let answer = activity(&gateway, "").await;
    assert_snapshot!(shown(&answer), @r#"
    200
    {
      "data": [
        {
          "date": "2026-11-19",
          "model": "test/several",
          "model_permaslug": "test/several",
          "endpoint_id": "78c3732e-e348-8064-9699-891ec4d0fec7",
          "provider_name": "Beta",
          "usage": 0.000056,
          "byok_usage_inference": 0,
          "requests": 1,
          "prompt_tokens": 8,
          "completion_tokens": 16,
          "reasoning_tokens": 0,
          "cached_tokens": 0
        },
        {
          "date": "2026-11-19",
          "model": "test/several",
          "model_permaslug": "test/several",
          "endpoint_id": "bb5cf837-c5c6-8d35-9db3-00ca2843ba6a",
          "provider_name": "Alpha",
          "usage": 0.00004,
          "byok_usage_inference": 0,
          "requests": 1,
          "prompt_tokens": 8,
          "completion_tokens": 16,
          "reasoning_tokens": 0,
          "cached_tokens": 0
        },
        {
          "date": "2026-11-18",
          "model": "test/several",
          "model_permaslug": "test/several",
          "endpoint_id": "ef334054-4dba-8c8e-a070-402ab1bf8e45",
          "provider_name": "Alpha",
          "usage": 0.000071,
          "byok_usage_inference": 0,
          "requests": 2,
          "prompt_tokens": 16,
          "completion_tokens": 32,
          "reasoning_tokens": 6,
          "cached_tokens": 10
        },
        {
          "date": "2026-11-18",
          "model": "test/cheap",
          "model_permaslug": "test/cheap",
          "endpoint_id": "e27ef8f3-e4e1-81ed-87b0-1b7c90f5fdd1",
          "provider_name": "Beta",
          "usage": 0.0000048,
          "byok_usage_inference": 0,
          "requests": 2,
          "prompt_tokens": 16,
          "completion_tokens": 32,
          "reasoning_tokens": 0,
          "cached_tokens": 0
        }
      ]
    }
    "#);
    let grouped = activity(&gateway, "?group_by=workspace").await;
    let [mut plain, grouped] = [answer.json(), grouped.json()];
    for row in plain["data"].as_array_mut().unwrap() {
        row["workspace_id"] = json!("5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f");
    }
    assert_eq!(plain, grouped);
    gateway.close().await;
}

#[tokio::test]
async fn a_day_is_shown_from_its_end_for_thirty_days() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    chat(&gateway, &key, "test/small").await;
    for (now, is_shown) in [
        ("2026-11-18T23:59:59.999999Z", false),
        ("2026-11-19T00:00:00Z", true),
        ("2026-12-18T23:59:59Z", true),
        ("2026-12-19T00:00:00Z", false),
    ] {
        gateway.clock.set(now);
        let expected = ["2026-11-18 test/small Alpha 0.00004 1"];
        let expected = if is_shown { &expected[..] } else { &[] };
        assert_eq!(rows(&gateway, "").await, expected, "{now}");
        let asked = activity(&gateway, "?date=2026-11-18").await;
        assert_eq!(asked.status, if is_shown { 200 } else { 400 }, "{now}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn only_what_was_asked_for_is_counted() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "creator_user_id": "user_1" })).await;
    let other = gateway.key(json!({})).await;
    chat(&gateway, &key, "test/small").await;
    gateway.clock.set("2026-11-19T12:00:00Z");
    for key in [&key, &other, &other] {
        chat(&gateway, key, "test/small").await;
    }
    gateway.clock.set("2026-11-20T12:00:00Z");
    // What a key spent outlives it.
    gateway.ask(MANAGER, &format!("DELETE {}", other.path()), "").await;
    let row = |day: u32, usage: &str, requests: u32| {
        format!("2026-11-{day} test/small Alpha {usage} {requests}")
    };
    let day = |usage, requests| row(19, usage, requests);
    let of = |key: &TestKey| format!("api_key_hash={}", key.hash);
    let home = "workspace_id=5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f";
    for (query, expected) in [
        ("x=y".to_owned(), vec![day("0.00012", 3), row(18, "0.00004", 1)]),
        ("date=2026-11-18".to_owned(), vec![row(18, "0.00004", 1)]),
        ("date=2026-10-21".to_owned(), vec![]),
        (of(&key), vec![day("0.00004", 1), row(18, "0.00004", 1)]),
        (of(&other), vec![day("0.00008", 2)]),
        (format!("date=2026-11-18&{}", of(&other)), vec![]),
        ("user_id=user_1".to_owned(), vec![day("0.00004", 1), row(18, "0.00004", 1)]),
        ("user_id=user_2".to_owned(), vec![]),
        (home.to_owned(), vec![day("0.00012", 3), row(18, "0.00004", 1)]),
        (format!("{home}&user_id=user_1&{}&date=2026-11-19", of(&key)), vec![day("0.00004", 1)]),
    ] {
        assert_eq!(rows(&gateway, &format!("?{query}")).await, expected, "{query}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_filter_that_means_nothing_is_400_and_one_of_what_is_not_there_404() {
    let gateway = TestGateway::start().await;
    let nobody = "0e".repeat(32);
    let manager = gateway::http::hash(MANAGER).to_string();
    let mut answers = String::new();
    for query in [
        "date=2026-11-18",
        "date=2026-11-19",
        "date=2026-10-18",
        "date=2026-11-31",
        "date=18.11.2026",
        "date=2026-11-17T00:00:00Z",
        "date=20261117",
        "date=",
        "date=2026-11-17&date=2026-11-17",
        "api_key_hash=x",
        &format!("api_key_hash={}", nobody.to_uppercase()),
        &format!("api_key_hash={nobody}"),
        &format!("api_key_hash={manager}"),
        "user_id=",
        "workspace_id=default",
        "workspace_id=00000000-0000-4000-8000-000000000000",
        "group_by=model",
        "group_by=",
    ] {
        let answer = activity(&gateway, &format!("?{query}")).await;
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        answers.push_str(&format!("{} {message}\n", answer.status));
    }
    assert_snapshot!(answers, @r#"
    400 `date` is not one of the last 30 completed UTC days; allowed: a day from 2026-10-19 to 2026-11-17
    400 `date` is not one of the last 30 completed UTC days; allowed: a day from 2026-10-19 to 2026-11-17
    400 `date` is not one of the last 30 completed UTC days; allowed: a day from 2026-10-19 to 2026-11-17
    400 `date` is not a date; allowed: a UTC day, such as 2026-11-21
    400 `date` is not a date; allowed: a UTC day, such as 2026-11-21
    400 `date` is not a date; allowed: a UTC day, such as 2026-11-21
    400 `date` is not a date; allowed: a UTC day, such as 2026-11-21
    400 `date` is not a date; allowed: a UTC day, such as 2026-11-21
    400 `date` is given twice; allowed: each name once
    400 `api_key_hash` is not a hash; allowed: a key's hash: 64 lower-case hex digits
    400 `api_key_hash` is not a hash; allowed: a key's hash: 64 lower-case hex digits
    404 `api_key_hash` names no key of this account
    404 `api_key_hash` names no key of this account
    400 `user_id` is empty; allowed: a text
    400 `workspace_id` is not a UUID; allowed: a UUID
    404 `workspace_id` names no workspace of this account
    400 `group_by` is another word; allowed: workspace
    400 `group_by` is another word; allowed: workspace
    "#);
    let key = gateway.key(json!({})).await;
    assert_eq!(gateway.ask(key.text.as_str(), "GET /api/v1/activity", "").await.status, 403);
    assert_eq!(gateway.ask(None, "GET /api/v1/activity", "").await.status, 401);
    gateway.close().await;
}

/// Every row of the book, by the figures that activity has.
fn book(gateway: &TestGateway) -> BTreeMap<(String, String, String), [i64; 6]> {
    let mut sums = BTreeMap::new();
    let mut take = |line| {
        let ExportLine::Entry(entry) = line else { return Ok(()) };
        let Entry { ref model, ref provider, ref tokens, .. } = *entry;
        let place = (entry.day().date().to_string(), model.clone(), provider.to_uppercase());
        let sum: &mut [i64; 6] = sums.entry(place).or_default();
        let count = |tokens: u64| i64::try_from(tokens).unwrap();
        let figures = [
            entry.cost.credits.as_nanos(),
            i64::from(entry.kind == store::Kind::Attempt),
            count(tokens.prompt),
            count(tokens.completion),
            count(tokens.reasoning),
            count(tokens.cached),
        ];
        sum.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        Ok(())
    };
    gateway.store.export(&mut take).unwrap();
    sums
}

#[tokio::test]
async fn what_is_shown_is_what_the_rows_of_the_book_add_up_to() {
    let gateway = TestGateway::with(MODELS).await;
    let keys = [gateway.key(json!({})).await, gateway.key(json!({})).await];
    let mut chance = 7_u32;
    let mut draw = |most: u32| {
        chance = chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (chance >> 16) % most
    };
    for hour in 0..48 {
        gateway.clock.set(&format!("2026-11-{}T{:02}:30:00Z", 18 + hour / 12, hour % 12));
        for name in ["first", "second", "third", "cheap"] {
            let tokens = u64::from(draw(6));
            let behaviour = match draw(4) {
                0 if name != "third" => Behaviour::new().cut(Cut::BeforeHead),
                1 if name != "third" => Behaviour::new().status(503, "{}"),
                _ => Behaviour::new().cached_tokens(tokens).reasoning_tokens(tokens),
            };
            gateway.upstream.on(name, behaviour);
        }
        let model = ["test/several", "test/cheap"][draw(2) as usize];
        gateway.chat(&keys[draw(2) as usize], model, json!({})).await;
    }
    gateway.settled().await;
    for hold in gateway.control("GET /holds", "").await.json().as_array().unwrap() {
        let path =
            format!("POST /holds/{}/{}", hold["generation"].as_str().unwrap(), hold["attempt"]);
        if draw(2) == 0 {
            let cost = format!(r#"{{"cost":"0.0000{}"}}"#, draw(99));
            assert_eq!(gateway.control(&path, cost).await.status, 200);
        }
    }
    gateway.clock.set("2026-11-22T00:00:00Z");
    let answer = activity(&gateway, "").await;
    let mut shown: BTreeMap<_, [i64; 6]> = BTreeMap::new();
    let rows: Vec<Value> = answer.json()["data"].as_array().unwrap().clone();
    for (index, row) in rows.iter().enumerate() {
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let count = |name: &str| row[name].as_i64().unwrap();
        let usage: Money = answer.exact(&format!("/data/{index}/usage")).unwrap().parse().unwrap();
        let figures = [
            usage.as_nanos(),
            count("requests"),
            count("prompt_tokens"),
            count("completion_tokens"),
            count("reasoning_tokens"),
            count("cached_tokens"),
        ];
        let place = (text("date"), text("model"), text("provider_name").to_uppercase());
        let sum = shown.entry(place).or_default();
        sum.iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
    }
    assert_eq!(shown, book(&gateway));
    assert!(rows.len() > shown.len(), "no model had two endpoints at one provider");
    let is_corrected = |row: &String| row.contains("held $-");
    assert!(gateway.rows().iter().any(is_corrected), "{:?}", gateway.rows());
    let days: Vec<&str> = rows.iter().map(|row| row["date"].as_str().unwrap()).collect();
    assert!(days.is_sorted_by(|one, next| one >= next), "{days:?}");
    gateway.close().await;
}

/// DESIGN I8.
#[tokio::test]
async fn reports_do_not_wait_for_the_writer() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({})).await;
    chat(&gateway, &key, "test/small").await;
    gateway.clock.set("2026-11-19T12:00:00Z");
    let stall = gateway.store.stall();
    let chat = gateway.begin_chat(&key, "test/small", json!({}));
    assert_eq!(rows(&gateway, "").await, ["2026-11-18 test/small Alpha 0.00004 1"]);
    assert_eq!(gateway.ask(MANAGER, "GET /api/v1/credits", "").await.status, 200);
    assert!(!chat.is_finished());
    drop(stall);
    assert_eq!(chat.await.unwrap().status, 200);
    gateway.close().await;
}
