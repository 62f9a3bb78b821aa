//! A client that leaves is charged what its provider charges: the provider is read to its end, or,
//! where it stops by itself, aborted and settled with what was counted (DESIGN step 6).

use serde_json::json;
use testkit::{Behaviour, ChatStream, Ending, Event};

use crate::world::{
    COMPLETION_TOKENS_MAX, Form, Key, World, ask, builder, cost, model, provider, worst,
};
use testkit::FakeUpstream;

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
const EXTRAS: &str = r#"{"max_tokens":100}"#;
/// The last event of an answer of eight events: texts, finish, usage, `[DONE]`.
const DONE: usize = 10;

fn behaviour() -> Behaviour {
    Behaviour::new().prompt_tokens(40).completion_tokens(16)
}

async fn stopping() -> World {
    let upstream = FakeUpstream::start().await;
    let settings = provider(&upstream, "stops_on_disconnect = true");
    let metering = "[metering]\nkeep_alive_next_ms = 50";
    let settings = builder().config(metering).config(&settings).config(&model("small"));
    let tollgate = settings.start().await;
    upstream.on("small", behaviour().stops_on_disconnect());
    World { upstream, tollgate }
}

async fn stream(world: &World, key: &Key) -> ChatStream {
    let extras = serde_json::from_str(EXTRAS).expect("an object");
    let stream = world.client().chat_stream(key.text.as_str(), "test/small", &extras).await;
    stream.expect("a stream")
}

/// Reads that many chunks, and the comments among them.
async fn read(stream: &mut ChatStream, count: usize) {
    let mut chunks = 0;
    while chunks < count {
        match stream.next().await.expect("an event") {
            Some(Event::Chunk(_)) => chunks += 1,
            Some(Event::Comment(_)) => {}
            other => panic!("{other:?} after {chunks} chunks"),
        }
    }
}

/// Reads that many comments: the gateway, which reads what the provider has sent before it waits,
/// has waited for so long.
async fn read_keep_alives(stream: &mut ChatStream, count: usize) {
    for _ in 0..count {
        let event = stream.next().await.expect("an event");
        assert!(matches!(event, Some(Event::Comment(_))), "{event:?}");
    }
}

/// The provider went on to its end, and that is what was booked. A stop waits for what is drained,
/// so after it the book is complete.
async fn drained(mut world: World, key: &Key) {
    world.tollgate.term().await;
    world.tollgate.restart().await;
    assert_eq!(world.upstream.calls()[0].ending, Ending::Complete);
    assert_eq!(world.usage(key).await, cost(40, 16));
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_head_pays_what_the_provider_reports() {
    for form in [Form::Json, Form::Stream] {
        let world = World::start(&["small"]).await;
        world.upstream.on("small", behaviour());
        let key = world.key(json!({})).await;
        let gate = world.upstream.hold_answers("small");
        let (client, own) = (world.client(), key.clone());
        let asking = tokio::spawn(async move { ask(&client, &own, "small", form, NAMED).await });
        gate.until_waiting(1).await;
        asking.abort();
        assert!(asking.await.expect_err("it was aborted").is_cancelled());
        gate.release();
        drained(world, &key).await;
    }
}

#[tokio::test]
async fn a_client_that_leaves_midway_pays_what_the_provider_reports() {
    let world = World::start(&["small"]).await;
    world.upstream.on("small", behaviour());
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_events("small", 4);
    let mut stream = stream(&world, &key).await;
    read(&mut stream, 4).await;
    gate.until_waiting(1).await;
    drop(stream);
    gate.release();
    drained(world, &key).await;
}

#[tokio::test]
async fn a_client_that_leaves_before_the_end_pays_what_the_provider_reports() {
    let world = World::start(&["small"]).await;
    world.upstream.on("small", behaviour());
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_events("small", DONE);
    let mut stream = stream(&world, &key).await;
    read(&mut stream, 9).await;
    gate.until_waiting(1).await;
    drop(stream);
    gate.release();
    drained(world, &key).await;
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_counts_as_gone_and_holds_nobody_up() {
    let bounds = "[bounds]\nclient_stall_ms = 200";
    let world = World::with(&["small"], bounds, |builder| builder).await;
    world.upstream.on("small", behaviour().huge(24));
    let key = world.key(json!({})).await;
    let unread = stream(&world, &key).await;
    world.upstream.until(|totals| totals.calls == 1 && totals.in_flight == 0).await;
    drained(world, &key).await;
    drop(unread);
}

#[tokio::test]
async fn a_provider_that_stops_is_aborted_before_its_head() {
    let mut world = stopping().await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking = tokio::spawn(async move { ask(&client, &own, "small", Form::Json, NAMED).await });
    gate.until_waiting(1).await;
    asking.abort();
    // The gate still stands: only the gateway's leaving can end the call.
    world.upstream.until(|totals| totals.calls == 1 && totals.in_flight == 0).await;
    aborted(&mut world, &key).await;
}

#[tokio::test]
async fn a_provider_that_stops_is_aborted_midway_and_the_tokens_so_far_are_charged() {
    let mut world = stopping().await;
    let key = world.key(json!({})).await;
    let _gate = world.upstream.hold_events("small", 4);
    let mut stream = stream(&world, &key).await;
    read(&mut stream, 4).await;
    drop(stream);
    world.upstream.until(|totals| totals.calls == 1 && totals.in_flight == 0).await;
    aborted(&mut world, &key).await;
}

#[tokio::test]
async fn a_provider_that_stops_and_had_reported_its_usage_is_charged_by_it() {
    let mut world = stopping().await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_events("small", DONE);
    let mut stream = stream(&world, &key).await;
    // Texts and finish; the usage goes to the client with the end. Once the gateway has been silent
    // after the provider sent it, the gateway has it.
    read(&mut stream, 9).await;
    gate.until_waiting(1).await;
    read_keep_alives(&mut stream, 3).await;
    drop(stream);
    world.upstream.until(|totals| totals.calls == 1 && totals.in_flight == 0).await;
    aborted(&mut world, &key).await;
    assert_eq!(world.usage(&key).await, cost(40, 16));
}

/// The provider saw the gateway leave, and at least what it charges is booked.
async fn aborted(world: &mut World, key: &Key) {
    world.tollgate.term().await;
    world.tollgate.restart().await;
    assert_eq!(world.upstream.calls()[0].ending, Ending::ClientGone);
    let (usage, charged) = (world.usage(key).await, world.charged("small"));
    assert!(charged <= usage && usage < worst(COMPLETION_TOKENS_MAX), "${charged}, ${usage}");
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
}
