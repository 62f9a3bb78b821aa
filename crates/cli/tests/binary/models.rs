//! Models to fall back to, each held for by itself: killed between two of them, or asked by many at
//! once, the gateway books what may have been billed and overspends nothing.

use std::time::Duration;

use money::Money;
use serde_json::{Value, json};
use testkit::{Behaviour, Cut};
use tokio::task::JoinSet;

use crate::world::{COMPLETION_TOKENS_MAX, World, number, sum, times, worst};

/// `test/first` that falls back to `test/second`.
fn falling_back() -> Value {
    json!({ "models": ["test/second"], "max_tokens": COMPLETION_TOKENS_MAX })
}

fn charged(world: &World) -> Money {
    sum([world.charged("first"), world.charged("second")])
}

#[tokio::test]
async fn killed_at_the_second_model_each_attempt_is_booked_as_far_as_it_came() {
    for (first, rows) in [
        (Behaviour::new().status(500, "{}"), &[("test/second", "interrupted", 1)][..]),
        (
            Behaviour::new().cut(Cut::BeforeHead),
            &[("test/first", "held", 0), ("test/second", "interrupted", 1)],
        ),
    ] {
        let mut world = World::start(&["first", "second"]).await;
        world.upstream.on("first", first);
        let _gate = world.upstream.hold_answers("second");
        // Room for what is booked, and no more.
        let all = times(worst(COMPLETION_TOKENS_MAX), rows.len());
        let key = world.key(json!({ "limit": number(all) })).await;
        let (client, text) = (world.client(), key.text.clone());
        let asking =
            tokio::spawn(
                async move { client.chat(text.as_str(), "test/first", &falling_back()).await },
            );
        world.upstream.until(|totals| totals.calls == 2 && totals.in_flight == 1).await;
        world.tollgate.kill9();
        assert!(asking.await.expect("no panic").is_err(), "an answer from nobody");
        world.tollgate.restart().await;
        world.audit().await;
        assert_eq!(world.usage(&key).await, all);
        let mut found: Vec<_> = world
            .holds()
            .await
            .iter()
            .map(|hold| {
                let text = |name: &str| hold[name].as_str().expect("a text").to_owned();
                (text("model"), text("source"), hold["attempt"].as_u64().expect("a number"))
            })
            .collect();
        found.sort();
        let expected: Vec<_> = rows
            .iter()
            .map(|(model, source, attempt)| ((*model).to_owned(), (*source).to_owned(), *attempt))
            .collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn whatever_the_first_model_does_a_burst_overspends_nothing() {
    let world = World::start(&["first", "second"]).await;
    let well = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    let well = well.delay_head(Duration::from_millis(3));
    let ways: Vec<Behaviour> = (0..200)
        .map(|number| match number % 7 {
            0 => well.clone().status(500, "{}"),
            1 => well.clone().cut(Cut::BeforeHead),
            2 => well.clone().cut(Cut::HalfBody),
            3 => well.clone().malformed_json(),
            4 => well.clone().status(429, "{}"),
            5 => well.clone().status(400, "{}"),
            _ => well.clone(),
        })
        .collect();
    world.upstream.then("first", ways);
    world.upstream.on("second", well);
    let limit = times(worst(COMPLETION_TOKENS_MAX), 30);
    let key = world.key_worth(limit).await;
    let mut asking = JoinSet::new();
    for number in 0..150 {
        let (client, text) = (world.client(), key.text.clone());
        let mut extras = falling_back();
        if number % 3 == 0 {
            extras.as_object_mut().expect("an object").remove("max_tokens");
        }
        asking.spawn(async move { client.chat(text.as_str(), "test/first", &extras).await });
    }
    for answer in asking.join_all().await {
        let answer = answer.expect("an answer to its last byte");
        let is_fair = [200, 400, 402, 403, 429, 502].contains(&answer.status);
        assert!(is_fair, "{}: {}", answer.status, answer.text());
    }
    let (charged, usage) = (charged(&world), world.usage(&key).await);
    assert!(charged <= usage && usage <= limit, "${charged} charged, ${usage} booked, ${limit}");
    assert!(world.charged("second").is_positive(), "nobody fell back");
    world.audit().await;
}
