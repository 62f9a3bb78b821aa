//! A model at two providers: what one of them may have billed is booked beside what the other
//! reports, and no next attempt is made that the limit does not pay for (DESIGN step 6).

use std::time::Duration;

use money::Money;
use testkit::{Behaviour, Cut, FakeUpstream};
use tokio::task::JoinSet;

use crate::world::{
    COMPLETION_TOKENS_MAX, Form, World, amount, ask, builder, cost, model, provider, sum, times,
    worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);

/// `test/first` is tried at "fake" as `first`, then at "spare" as `second`.
async fn world() -> World {
    let upstream = FakeUpstream::start().await;
    let spare = provider(&upstream, "").replace("\"fake\"", "\"spare\"");
    let endpoints = model("first");
    let second = endpoints.split_once("[[models.endpoints]]").expect("an endpoint").1;
    let second = second.replace("\"fake\"", "\"spare\"").replace("\"first\"", "\"second\"");
    let tollgate = builder()
        .config("[routing]\norder = \"configured\"")
        .config(&provider(&upstream, ""))
        .config(&spare)
        .config(&format!("{endpoints}\n[[models.endpoints]]{second}"))
        .start()
        .await;
    upstream.otherwise(Behaviour::new().prompt_tokens(40).completion_tokens(16));
    World { upstream, tollgate }
}

fn charged(world: &World) -> Money {
    sum([world.charged("first"), world.charged("second")])
}

#[tokio::test]
async fn after_a_refusal_the_same_hold_serves_the_next_provider() {
    let world = world().await;
    world.upstream.on("first", Behaviour::new().status(500, "{}"));
    for form in [Form::Json, Form::Stream] {
        let key = world.key_worth(worst(COMPLETION_TOKENS_MAX)).await;
        let told = world.ask(&key, "first", form, NAMED).await.expect("an answer");
        assert_eq!(told.paid(), cost(40, 16));
        assert_eq!(world.usage(&key).await, cost(40, 16));
    }
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
}

#[tokio::test]
async fn after_a_cut_the_next_provider_is_asked_only_where_the_limit_pays_for_both() {
    let world = world().await;
    world.upstream.on("first", Behaviour::new().cut(Cut::BeforeHead));
    let one = worst(COMPLETION_TOKENS_MAX);
    for form in [Form::Json, Form::Stream] {
        let before = world.upstream.calls().len();
        let poor = world.key_worth(one).await;
        let told = world.ask(&poor, "first", form, NAMED).await.expect("an answer");
        assert_eq!(told.status, 502, "{}", told.body);
        assert_eq!(world.upstream.calls().len(), before + 1, "no limit paid for a second call");
        assert_eq!(world.usage(&poor).await, one);
        let rich = world.key_worth(times(one, 2)).await;
        let told = world.ask(&rich, "first", form, NAMED).await.expect("an answer");
        assert_eq!(told.paid(), cost(40, 16));
        assert_eq!(world.upstream.calls().len(), before + 3);
        let both = sum([one, cost(40, 16)]);
        assert_eq!(world.usage(&rich).await, both);
        let booked = world.generation(told.generation.as_deref().expect("an id")).await;
        assert_eq!(amount(&booked, "/data/total_cost"), both, "{}", booked.text());
    }
    let holds = world.holds().await;
    assert_eq!(holds.len(), 4, "{holds:?}");
    assert!(holds.iter().all(|hold| hold["source"] == "held" && hold["attempt"] == 0));
    world.audit().await;
}

#[tokio::test]
async fn whatever_the_first_provider_does_a_burst_overspends_nothing() {
    let world = world().await;
    let well = Behaviour::new().prompt_tokens(128).completion_all_allowed();
    let well = well.delay_head(Duration::from_millis(3));
    let ways: Vec<Behaviour> = (0..200)
        .map(|number| match number % 6 {
            0 => well.clone().status(500, "{}"),
            1 => well.clone().cut(Cut::BeforeHead),
            2 => well.clone().cut(Cut::HalfBody),
            3 => well.clone().malformed_json(),
            4 => well.clone().status(429, "{}"),
            _ => well.clone(),
        })
        .collect();
    world.upstream.then("first", ways);
    world.upstream.on("second", well);
    let limit = times(worst(COMPLETION_TOKENS_MAX), 30);
    let key = world.key_worth(limit).await;
    let mut asking = JoinSet::new();
    for number in 0..150 {
        let (client, key) = (world.client(), key.clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        let max_tokens = if number % 3 == 0 { None } else { NAMED };
        asking.spawn(async move { ask(&client, &key, "first", form, max_tokens).await });
    }
    for told in asking.join_all().await {
        let told = told.expect("an answer to its last byte");
        let is_fair = [200, 402, 403, 429, 502].contains(&told.status);
        assert!(is_fair, "{}: {}", told.status, told.body);
    }
    let (charged, usage) = (charged(&world), world.usage(&key).await);
    assert!(charged <= usage && usage <= limit, "${charged} charged, ${usage} booked, ${limit}");
    world.audit().await;
}
