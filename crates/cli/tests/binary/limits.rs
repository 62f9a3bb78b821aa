//! Limits hold at any concurrency: the provider's own book is never above one (DESIGN I1),
//! and is what the key's figures say to the nano-dollar (I2).

use std::collections::HashMap;
use std::time::Duration;

use money::Money;
use serde_json::json;
use testkit::{Behaviour, Client};
use tokio::task::JoinSet;

use crate::world::{
    COMPLETION_TOKENS_MAX, Form, Key, Told, World, amount, ask, number, sum, times, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);

/// One of many requests: the form and whether it names a maximum change from one to the next.
async fn one(client: Client, key: Key, model: String, number: usize) -> Told {
    let form = if number.is_multiple_of(2) { Form::Json } else { Form::Stream };
    let max_tokens = if number % 4 < 2 { NAMED } else { None };
    ask(&client, &key, &model, form, max_tokens).await.expect("an answer to its last byte")
}

/// What no answer may be, however many others there are.
fn is_fair(told: &Told) {
    match told.status {
        200 => {
            told.paid();
        }
        402 => {
            let is_transient = told.body.contains("in_flight_budget_exhausted");
            assert_eq!(told.retry_after.is_some(), is_transient, "{}", told.body);
        }
        403 => assert!(told.body.contains("Key limit exceeded (total limit)"), "{}", told.body),
        other => panic!("answered {other}: {}", told.body),
    }
}

/// The provider's book, the clients' answers and the key's figures are one.
async fn agree(world: &World, key: &Key, model: &str, told: &[Told], limit: Money) {
    let charged = world.charged(model);
    assert!(charged <= limit, "{model}: ${charged} was charged on a limit of ${limit}");
    assert_eq!(world.usage(key).await, charged, "{model}");
    assert_eq!(sum(told.iter().filter_map(|told| told.cost)), charged, "{model}");
    let own = world.client().get(key.text.as_str(), "/key").await.expect("an answer");
    let left = limit.checked_sub(charged).expect("an amount");
    assert_eq!(amount(&own, "/data/limit_remaining"), left);
    assert_eq!(amount(&own, "/data/budgets/0/limit_usd"), limit);
    assert_eq!(amount(&own, "/data/budgets/0/spend_usd"), charged);
    assert_eq!(amount(&own, "/data/budgets/0/remaining_usd"), left);
    assert_eq!(amount(&own, "/data/effective_budget/remaining_usd"), left);
}

#[tokio::test]
async fn of_fifty_at_once_ten_worst_cases_are_held_and_the_others_are_told_to_come_back() {
    let world = World::with(&["small"], "[bounds]\nhold_wait_ms = 500", |builder| builder).await;
    let dearest = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    world.upstream.on("small", dearest);
    let limit = times(worst(COMPLETION_TOKENS_MAX), 10);
    let key = world.key_worth(limit).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for number in 0..50 {
        let (client, key) = (world.client(), key.clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(10).await;
    for _ in 0..40 {
        let told = asking.join_next().await.expect("a refusal").expect("no panic");
        let told = told.expect("an answer");
        assert_eq!(told.status, 402, "{}", told.body);
        assert_eq!(told.retry_after.as_deref(), Some("1"), "{}", told.body);
        assert!(told.body.contains("in_flight_budget_exhausted"), "{}", told.body);
    }
    assert_eq!(gate.waiting(), 10);
    assert_eq!(world.usage(&key).await, Money::ZERO, "holds are no usage");
    gate.release();
    let told = asking.join_all().await;
    let told: Vec<Told> = told.into_iter().map(|told| told.expect("an answer")).collect();
    assert_eq!(world.upstream.in_flight_peak("small"), 10);
    agree(&world, &key, "small", &told, limit).await;
    assert_eq!(world.charged("small"), limit, "the whole limit can be spent");
    let after = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!((after.status, after.retry_after.as_deref()), (403, None), "{}", after.body);
    world.audit().await;
}

#[tokio::test]
async fn four_hundred_at_once_on_several_keys_overspend_none_of_them() {
    let models = ["hot", "dear", "cheap", "slow", "odd"];
    let world = World::start(&models).await;
    let pause = Behaviour::new().delay_head(Duration::from_millis(5));
    world.upstream.on("hot", pause.clone().completion_tokens(16));
    world.upstream.on("dear", pause.clone().prompt_tokens(128).completion_all_allowed());
    world.upstream.on("cheap", pause.clone().prompt_tokens(30).completion_tokens(12));
    world.upstream.on("slow", pause.clone().delay_between_events(Duration::from_millis(2)));
    world.upstream.on("odd", pause.prompt_tokens(7).completion_tokens(33));
    let mut keys = HashMap::new();
    for (model, worth) in models.into_iter().zip([6, 4, 3, 5, 2]) {
        let limit = times(worst(COMPLETION_TOKENS_MAX), worth);
        keys.insert(model, (world.key_worth(limit).await, limit));
    }
    let mut asking = JoinSet::new();
    for number in 0..400 {
        let model = if number % 5 < 3 { "hot" } else { models[1 + number / 5 % 4] };
        let (key, client) = (keys[model].0.clone(), world.client());
        asking.spawn(async move { (model, one(client, key, model.to_owned(), number).await) });
    }
    let mut told: HashMap<&str, Vec<Told>> = HashMap::new();
    while let Some(answered) = asking.join_next().await {
        let (model, answer) = answered.expect("a fair answer");
        is_fair(&answer);
        told.entry(model).or_default().push(answer);
    }
    for (model, (key, limit)) in &keys {
        assert!(told[model].iter().any(|told| told.status == 200), "{model}: nobody was served");
        assert!(told[model].iter().any(|told| told.status != 200), "{model}: no limit was met");
        agree(&world, key, model, &told[model], *limit).await;
    }
    world.audit().await;
}

#[tokio::test]
async fn an_audit_agrees_at_any_moment_of_a_burst_and_slows_nobody_into_an_error() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let mut asking = JoinSet::new();
    for number in 0..300 {
        asking.spawn(one(world.client(), key.clone(), "small".to_owned(), number));
    }
    for _ in 0..4 {
        world.audit().await;
        assert!(asking.try_join_next().is_none_or(|told| told.is_ok()));
    }
    let told = asking.join_all().await;
    assert!(told.iter().all(|told| told.status == 200));
    assert_eq!(world.usage(&key).await, world.charged("small"));
    world.audit().await;
}

#[tokio::test]
async fn no_more_named_worst_cases_are_out_than_fit_while_others_wait_for_them() {
    let world = World::start(&["small"]).await;
    let quick = Behaviour::new().completion_tokens(1).delay_head(Duration::from_millis(3));
    world.upstream.on("small", quick);
    let limit = times(worst(COMPLETION_TOKENS_MAX), 5);
    let key = world.key_worth(limit).await;
    let mut asking = JoinSet::new();
    for number in 0..60 {
        let (client, key) = (world.client(), key.clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    let told = asking.join_all().await;
    let told: Vec<Told> = told.into_iter().map(|told| told.expect("an answer")).collect();
    told.iter().for_each(is_fair);
    let served = told.iter().filter(|told| told.status == 200).count();
    assert!(served > 5, "whoever waits is served once others have settled: {served} were");
    assert!(world.upstream.in_flight_peak("small") <= 5);
    agree(&world, &key, "small", &told, limit).await;
}

#[tokio::test]
async fn an_edit_binds_the_next_request_and_cuts_off_none_in_flight() {
    let world = World::with(&["small"], "[bounds]\nhold_wait_ms = 50", |builder| builder).await;
    world.upstream.on("small", Behaviour::new().prompt_tokens(128).completion_all_allowed());
    let one = worst(COMPLETION_TOKENS_MAX);
    let key = world.key_worth(times(one, 4)).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream, Form::Json] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(3).await;
    world.edit(&key, json!({ "limit": number(times(one, 2)) })).await;
    let lowered = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(lowered.status, 402, "the limit is below what is in flight: {}", lowered.body);
    world.edit(&key, json!({ "limit_reset": "daily" })).await;
    let moved = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(moved.status, 402, "a new window sees what is in flight: {}", moved.body);
    world.edit(&key, json!({ "disabled": true })).await;
    let disabled = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(disabled.status, 401, "{}", disabled.body);
    gate.release();
    for told in asking.join_all().await {
        assert_eq!(told.expect("an answer").paid(), one);
    }
    let facts = world.facts(&key).await;
    assert_eq!(amount(&facts, "/data/usage"), times(one, 3));
    assert_eq!(facts.exact("/data/limit_remaining"), Some(format!("-{one}")));
    world.edit(&key, json!({ "disabled": false })).await;
    let spent = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(spent.status, 403, "{}", spent.body);
    assert!(spent.body.contains("daily limit"), "{}", spent.body);
    world.edit(&key, json!({ "limit": number(times(one, 4)), "limit_reset": null })).await;
    let raised = world.ask(&key, "small", Form::Stream, NAMED).await.expect("an answer");
    assert_eq!(raised.paid(), one);
    assert_eq!(world.usage(&key).await, world.charged("small"));
    world.audit().await;
}

#[tokio::test]
async fn a_request_that_waits_is_looked_at_again_once_its_key_has_changed() {
    let world = World::with(&["small"], "[bounds]\nhold_wait_ms = 20000", |builder| builder).await;
    world.upstream.on("small", Behaviour::new().prompt_tokens(128).completion_all_allowed());
    let one = worst(COMPLETION_TOKENS_MAX);
    let key = world.key_worth(one).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for _ in 0..4 {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", Form::Json, NAMED).await });
    }
    gate.until_waiting(1).await;
    // Raised, it lets in as many as now fit, though none that is in flight has ended.
    world.edit(&key, json!({ "limit": number(times(one, 3)) })).await;
    gate.until_waiting(3).await;
    // Disabled, the one that still waits is refused, at the latest when others settle.
    world.edit(&key, json!({ "disabled": true })).await;
    gate.release();
    let mut statuses: Vec<u16> =
        asking.join_all().await.into_iter().map(|told| told.expect("an answer").status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 401]);
    assert_eq!(world.usage(&key).await, times(one, 3));
    assert_eq!(world.upstream.calls().len(), 3);
}

#[tokio::test]
async fn edits_amid_a_burst_never_let_more_through_than_the_highest_limit() {
    let world = World::start(&["small"]).await;
    let behaviour = Behaviour::new().prompt_tokens(100).completion_all_allowed();
    world.upstream.on("small", behaviour.delay_head(Duration::from_millis(4)));
    let one_worst = worst(COMPLETION_TOKENS_MAX);
    let highest = times(one_worst, 12);
    let key = world.key_worth(times(one_worst, 3)).await;
    let mut asking = JoinSet::new();
    for number in 0..200 {
        asking.spawn(one(world.client(), key.clone(), "small".to_owned(), number));
    }
    let edits = [
        json!({ "limit": number(times(one_worst, 6)) }),
        json!({ "limit_reset": "daily" }),
        json!({ "limit": number(one_worst) }),
        json!({ "limit": number(highest), "limit_reset": "monthly" }),
        json!({ "disabled": true }),
        json!({ "disabled": false }),
        json!({ "limit": number(times(one_worst, 8)), "limit_reset": "weekly" }),
        json!({ "limit": number(highest), "limit_reset": null }),
    ];
    for edit in edits {
        world.edit(&key, edit).await;
        let answered = asking.join_next().await.expect("an answer").expect("no panic");
        assert!(answered.status < 500, "{}", answered.body);
    }
    for told in asking.join_all().await {
        assert!([200, 401, 402, 403].contains(&told.status), "{}: {}", told.status, told.body);
    }
    let charged = world.charged("small");
    assert!(charged <= highest, "${charged} was charged on ${highest}");
    assert_eq!(world.usage(&key).await, charged);
    world.audit().await;
}
