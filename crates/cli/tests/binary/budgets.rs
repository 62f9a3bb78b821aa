//! A workspace's budgets hold as exactly as a key's limit, however many keys draw on one: at once,
//! through kills, and to the last nano-dollar (DESIGN I1, I2, I5).

use std::collections::HashSet;
use std::time::Duration;

use money::Money;
use serde_json::{Value, json};
use testkit::{Answer, Behaviour, Client, Cut, Usage};
use tokio::task::JoinSet;

use crate::crash::{COMPLETION_TOKENS, PROMPT_TOKENS};
use crate::world::{
    COMPLETION_TOKENS_MAX, Form, Key, Told, World, amount, ask, cost, number, sum, times, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
const KEYS: usize = 200;

impl World {
    /// Sets a budget of the default workspace.
    async fn budget(&self, interval: &str, limit: Money) {
        let path = format!("/workspaces/default/budgets/{interval}");
        let body = json!({ "limit_usd": number(limit) });
        let manager = self.tollgate.management_key();
        let set = self.client().put(manager, &path, &body).await.expect("an answer");
        assert_eq!(set.status, 200, "{}", set.text());
    }

    /// Keys without a limit, but for every fourth, which may spend two worst cases.
    async fn many_keys(&self) -> Vec<Key> {
        let mut keys = Vec::new();
        for number_of_key in 0..KEYS {
            let limit = number(times(worst(COMPLETION_TOKENS_MAX), 2));
            let limit = if number_of_key % 4 == 0 { limit } else { Value::Null };
            keys.push(self.key(json!({ "limit": limit })).await);
        }
        keys
    }

    /// The facts that a key is told of itself.
    async fn own(&self, key: &Key) -> Answer {
        self.client().get(key.text.as_str(), "/key").await.expect("an answer")
    }

    /// What all of these keys have spent.
    async fn usage_of(&self, keys: &[Key]) -> Money {
        let mut usage = Vec::new();
        for key in keys {
            usage.push(self.usage(key).await);
        }
        sum(usage)
    }
}

/// What no answer may be, however many others there are.
fn is_fair(told: &Told) {
    match told.status {
        200 => drop(told.paid()),
        402 => assert!(told.body.contains("in_flight_budget_exhausted"), "{}", told.body),
        403 => {
            let names_one = ["Workspace daily budget of $", "Key limit exceeded (total limit)"];
            assert!(names_one.iter().any(|text| told.body.contains(text)), "{}", told.body);
        }
        other => panic!("answered {other}: {}", told.body),
    }
}

#[tokio::test]
async fn two_hundred_keys_spend_one_budget_to_the_last_nano_dollar_and_never_more() {
    let world = World::start(&["small"]).await;
    let dearest = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    world.upstream.on("small", dearest.delay_head(Duration::from_millis(4)));
    let budget = times(worst(COMPLETION_TOKENS_MAX), 30);
    world.budget("daily", budget).await;
    let keys = world.many_keys().await;
    let mut asking = JoinSet::new();
    for number in 0..2 * KEYS {
        let (client, key) = (world.client(), keys[number % KEYS].clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    for told in asking.join_all().await {
        is_fair(&told.expect("an answer to its last byte"));
    }
    assert!(world.upstream.in_flight_peak("small") <= 30);
    // Whoever waited in vain may come again; the whole of it can be spent.
    while world.ask(&keys[1], "small", Form::Json, NAMED).await.expect("an answer").status == 200 {}
    assert_eq!(world.charged("small"), budget);
    assert_eq!(world.usage_of(&keys).await, budget);
    let own = world.own(&keys[0]).await;
    assert_eq!(own.exact("/data/budgets/0/scope").as_deref(), Some("\"workspace\""));
    assert_eq!(amount(&own, "/data/budgets/0/limit_usd"), budget);
    assert_eq!(amount(&own, "/data/budgets/0/spend_usd"), budget);
    assert_eq!(amount(&own, "/data/effective_budget/remaining_usd"), Money::ZERO);
    let refused = world.ask(&keys[1], "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!((refused.status, refused.retry_after.as_deref()), (403, None), "{}", refused.body);
    assert!(refused.body.contains("Contact your org admin."), "{}", refused.body);
    world.audit().await;
}

#[tokio::test]
async fn a_budget_set_amid_a_burst_counts_what_was_spent_and_is_in_flight() {
    let world = World::start(&["small"]).await;
    let dearest = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    world.upstream.on("small", dearest);
    let one = worst(COMPLETION_TOKENS_MAX);
    let keys = world.many_keys().await;
    for key in &keys[..5] {
        world.ask(key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    }
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for key in &keys[5..15] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", Form::Stream, NAMED).await });
    }
    gate.until_waiting(10).await;
    // Five are spent and ten are in flight: there is room for two.
    world.budget("daily", times(one, 17)).await;
    let mut late = JoinSet::new();
    for key in &keys[15..20] {
        let (client, key) = (world.client(), key.clone());
        late.spawn(async move { ask(&client, &key, "small", Form::Json, NAMED).await });
    }
    gate.until_waiting(12).await;
    for _ in 0..3 {
        let told = late.join_next().await.expect("a refusal").expect("no panic");
        assert_eq!(told.expect("an answer").status, 402);
    }
    gate.release();
    for told in asking.join_all().await.into_iter().chain(late.join_all().await) {
        assert_eq!(told.expect("an answer").paid(), one);
    }
    assert_eq!(world.usage_of(&keys).await, times(one, 17));
    let refused = world.ask(&keys[30], "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(refused.status, 403, "{}", refused.body);
    world.audit().await;
}

#[tokio::test]
async fn whatever_providers_do_a_budget_is_what_its_keys_have_spent_and_never_less_than_was_charged()
 {
    let faults = [
        ("well", Behaviour::new()),
        ("cut", Behaviour::new().cut(Cut::AfterEvents(2))),
        ("stall", Behaviour::new().stall_at(1)),
        ("silent", Behaviour::new().usage(Usage::Absent)),
        ("nonsense", Behaviour::new().usage(Usage::Nonsense("{\"prompt_tokens\":-1}".to_owned()))),
        ("refusing", Behaviour::new().status(500, "{}")),
    ];
    let models = faults.each_ref().map(|(model, _)| *model);
    let timeouts = "[bounds]\nprovider_first_byte_ms = 300\nprovider_between_bytes_ms = 300";
    let world = World::with(&models, timeouts, |builder| builder).await;
    for (model, behaviour) in faults {
        let behaviour = behaviour.prompt_tokens(PROMPT_TOKENS).completion_tokens(COMPLETION_TOKENS);
        world.upstream.on(model, behaviour.delay_between_events(Duration::from_millis(2)));
    }
    let budget = times(worst(COMPLETION_TOKENS_MAX), 90);
    world.budget("daily", budget).await;
    let keys = world.many_keys().await;
    let mut asking = JoinSet::new();
    for (number, key) in keys.iter().cloned().enumerate() {
        let (client, model) = (world.client(), models[number % models.len()]);
        let form = if number % 4 < 2 { Form::Json } else { Form::Stream };
        // Every fifth leaves in the middle.
        let patience = Duration::from_millis(if number % 5 == 0 { 20 } else { 20_000 });
        asking.spawn(async move {
            let asked = ask(&client, &key, model, form, NAMED);
            tokio::time::timeout(patience, asked).await
        });
    }
    asking.join_all().await;
    world.upstream.until(|totals| totals.in_flight == 0).await;
    let charged = || sum(models.map(|model| world.charged(model)));
    let mut usage = world.usage_of(&keys).await;
    // What nobody waits for any more is settled soon after.
    for _ in 0..200 {
        let own = world.own(&keys[1]).await;
        let spend = amount(&own, "/data/budgets/0/spend_usd");
        usage = world.usage_of(&keys).await;
        if spend == usage && usage >= charged() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(amount(&world.own(&keys[1]).await, "/data/budgets/0/spend_usd"), usage);
    assert!(charged() <= usage, "${} was charged, ${usage} is booked", charged());
    assert!(usage <= budget, "${usage} was booked on a budget of ${budget}");
    assert!(usage > Money::ZERO);
    world.audit().await;
}

/// Asks one request after another until the gateway is gone or refuses.
async fn load(client: Client, key: Key, form: Form) -> Vec<Told> {
    let mut paid = Vec::new();
    while let Ok(told) = ask(&client, &key, "small", form, NAMED).await {
        is_fair(&told);
        if told.status != 200 {
            break;
        }
        paid.push(told);
    }
    paid
}

#[tokio::test]
async fn killed_under_load_on_one_budget_nothing_is_lost_overspent_or_stuck() {
    let mut world = World::start(&["small"]).await;
    let behaviour =
        Behaviour::new().prompt_tokens(PROMPT_TOKENS).completion_tokens(COMPLETION_TOKENS);
    world.upstream.otherwise(behaviour.delay_head(Duration::from_millis(8)));
    let (one, held) = (cost(PROMPT_TOKENS, COMPLETION_TOKENS), worst(COMPLETION_TOKENS_MAX));
    let budget = times(held, 150);
    world.budget("daily", budget).await;
    let keys = world.many_keys().await;
    let mut told: Vec<Told> = Vec::new();
    for kill in 0..3 {
        let before = world.upstream.calls().len();
        let mut loads = JoinSet::new();
        for (number, key) in keys.iter().enumerate() {
            let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
            loads.spawn(load(world.client(), key.clone(), form));
        }
        let most = before + 60 + 40 * kill;
        world.upstream.until(|totals| totals.calls >= most && totals.in_flight >= 3).await;
        world.tollgate.kill9();
        told.extend(loads.join_all().await.into_iter().flatten());
        world.tollgate.restart().await;
        world.audit().await;
        let (charged, usage) = (world.charged("small"), world.usage_of(&keys).await);
        assert!(charged <= usage, "${charged} was charged, ${usage} is booked");
        assert!(usage <= budget, "${usage} was booked on a budget of ${budget}");
        // The workspace has what its keys have, crash or not.
        assert_eq!(amount(&world.own(&keys[1]).await, "/data/budgets/0/spend_usd"), usage);
        if !world.holds().await.is_empty() {
            let one = one.to_string();
            world.command(&["holds", "settle", "--all-interrupted", "--cost", &one]).await;
        }
        let usage = world.usage_of(&keys).await;
        assert_eq!(amount(&world.own(&keys[1]).await, "/data/budgets/0/spend_usd"), usage);
        assert!(usage >= sum(told.iter().map(Told::paid)), "an answer a client has is not booked");
    }
    let ids: HashSet<_> = told.iter().map(|told| &told.generation).collect();
    assert_eq!(ids.len(), told.len(), "an id was given twice");
    let exact = sum([world.usage_of(&keys).await, held]);
    world.budget("daily", exact).await;
    let last = world.ask(&keys[1], "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(last.paid(), one);
    world.audit().await;
}
