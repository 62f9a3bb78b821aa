//! How fast a key may go holds at any concurrency, by the provider's own count, and no place among
//! the requests in flight is lost, whatever becomes of a call.

use std::time::Duration;

use serde_json::json;
use testkit::{Behaviour, Client, Cut};
use tokio::task::JoinSet;

use crate::world::{COMPLETION_TOKENS_MAX, Form, Key, Told, World, ask};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// A prompt is never longer than the context, which bounds each.
const WORST_TOKENS: u64 = 128 + COMPLETION_TOKENS_MAX;

fn form(number: usize) -> Form {
    if number.is_multiple_of(2) { Form::Json } else { Form::Stream }
}

/// Asks `count` times at once.
fn ask_at_once(world: &World, key: &Key, count: usize) -> JoinSet<Told> {
    let mut asking = JoinSet::new();
    for number in 0..count {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move {
            ask(&client, &key, "small", form(number), NAMED).await.expect("an answer")
        });
    }
    asking
}

/// What was let in; all else must be refused as too fast.
fn let_in(told: &[Told]) -> usize {
    for told in told.iter().filter(|told| told.status != 200) {
        assert_eq!(told.status, 429, "{}", told.body);
        assert!(told.retry_after.is_some(), "{}", told.body);
    }
    told.iter().filter(|told| told.status == 200).count()
}

#[tokio::test]
async fn of_two_hundred_at_once_ten_are_in_flight_and_the_others_are_told_at_once() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({ "concurrent_requests": 10 })).await;
    for is_killed in [false, true] {
        let gate = world.upstream.hold_answers("small");
        let mut asking = ask_at_once(&world, &key, 200);
        gate.until_waiting(10).await;
        let mut refused = Vec::new();
        for _ in 0..190 {
            refused.push(asking.join_next().await.expect("a refusal").expect("no panic"));
        }
        assert_eq!(let_in(&refused), 0);
        assert_eq!(gate.waiting(), 10);
        if is_killed {
            // Places are kept in memory alone: a crash leaves none taken.
            asking.abort_all();
            world.tollgate.kill9();
            gate.release();
            world.tollgate.restart().await;
            break;
        }
        gate.release();
        assert_eq!(let_in(&asking.join_all().await), 10);
        assert_eq!(world.upstream.in_flight_peak("small"), 10);
    }
    let gate = world.upstream.hold_answers("small");
    let asking = ask_at_once(&world, &key, 10);
    gate.until_waiting(10).await;
    gate.release();
    assert_eq!(let_in(&asking.join_all().await), 10);
    world.audit().await;
}

/// One of many clients: asks until it was served, and sometimes leaves in between.
async fn insist(client: Client, key: Key, number: usize) {
    loop {
        let asked = ask(&client, &key, "small", form(number), NAMED);
        if number.is_multiple_of(7) {
            // What it leaves goes on at the gateway.
            drop(tokio::time::timeout(Duration::from_millis(3), asked).await);
            return;
        }
        match asked.await.map(|told| told.status) {
            Ok(429) => tokio::time::sleep(Duration::from_millis(5)).await,
            // A provider that broke off, before or within the answer.
            Ok(200 | 502) | Err(_) => return,
            Ok(other) => panic!("answered {other}"),
        }
    }
}

#[tokio::test]
async fn two_hundred_that_insist_never_have_more_than_ten_at_the_provider() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({ "concurrent_requests": 10 })).await;
    let pause = Behaviour::new().delay_head(Duration::from_millis(4)).completion_tokens(16);
    let kinds = [
        pause.clone(),
        pause.clone().cut(Cut::HalfBody),
        pause.clone().status(500, "{}"),
        pause.clone().cut(Cut::BeforeHead),
        pause.clone().delay_between_events(Duration::from_millis(1)),
    ];
    world.upstream.then("small", kinds.into_iter().cycle().take(120));
    world.upstream.on("small", pause);
    let mut asking = JoinSet::new();
    for number in 0..200 {
        asking.spawn(insist(world.client(), key.clone(), number));
    }
    asking.join_all().await;
    assert!(world.upstream.in_flight_peak("small") <= 10);
    // Every place is free again, once what the leaving left has ended.
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for number in 0..10 {
        asking.spawn(insist(world.client(), key.clone(), 7 * number + 1));
    }
    gate.until_waiting(10).await;
    gate.release();
    asking.join_all().await;
    world.audit().await;
}

#[tokio::test]
async fn a_burst_gets_as_many_requests_and_tokens_as_a_minute_has_and_no_more() {
    let world = World::start(&["small"]).await;
    let all = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    world.upstream.on("small", all.delay_head(Duration::from_millis(2)));

    let key = world.key(json!({ "requests_per_minute": 30 })).await;
    assert_eq!(let_in(&ask_at_once(&world, &key, 200).join_all().await), 30);
    let key = world.key(json!({ "tokens_per_minute": 12 * WORST_TOKENS + 1 })).await;
    assert_eq!(let_in(&ask_at_once(&world, &key, 200).join_all().await), 12);

    // What a request did not use is another's, and never is more used than the limit.
    let calls_before = world.upstream.calls().len();
    world.upstream.on("small", Behaviour::new().prompt_tokens(28).completion_tokens(29));
    let limit = 12 * WORST_TOKENS;
    let key = world.key(json!({ "tokens_per_minute": limit })).await;
    let mut served = 0;
    for _ in 0..5 {
        served += let_in(&ask_at_once(&world, &key, 40).join_all().await);
    }
    assert!(served >= 12 + 12 * 3 / 4, "{served} were served");
    let used: u64 = world.upstream.calls()[calls_before..]
        .iter()
        .filter_map(|call| call.charged)
        .map(|tokens| tokens.prompt + tokens.completion)
        .sum();
    assert!(used <= limit, "{used} tokens of {limit} were used");
    world.audit().await;
}
