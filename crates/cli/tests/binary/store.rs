//! A store that can't be written admits nothing, and what is in flight keeps its hold until it can
//! be booked (DESIGN "The book and the store").

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::json;
use testkit::Gate;
use tokio::task::JoinSet;

use crate::world::{COMPLETION_TOKENS_MAX, Form, Key, World, ask, times, worst};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
const BOUNDS: &str = "[bounds]\nsettle_wait_ms = 300";
/// Longer than the gateway waits for a store that somebody else is writing to.
const SOON: Duration = Duration::from_secs(30);

/// Somebody else who writes to the book and does not end.
struct Intruder(Connection);

impl Intruder {
    fn enter(world: &World) -> Intruder {
        let path = world.tollgate.folder().join("tollgate.db");
        let connection = Connection::open(path).expect("the book");
        connection.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        Intruder(connection)
    }

    fn leave(self) {
        self.0.execute_batch("ROLLBACK").expect("an end");
    }
}

async fn until_ready_is(world: &World, status: u16) {
    let (client, deadline) = (world.client().below(""), Instant::now() + SOON);
    while client.get(None, "/ready").await.expect("an answer").status != status {
        assert!(Instant::now() < deadline, "/ready never came to be {status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Two answers whose settlement can't be written: neither client gets the last byte.
async fn two_without_their_last_byte(world: &World, key: &Key, gate: Gate) {
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    let intruder = Intruder::enter(world);
    gate.release();
    // A stream that had begun is cut: an error here.
    for told in asking.join_all().await.into_iter().flatten() {
        assert_eq!(told.status, 503, "{}", told.body);
    }
    until_ready_is(world, 503).await;
    let refused = world.ask(key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.retry_after.is_some(), "{}", refused.body);
    let manager = world.tollgate.management_key();
    let made = world.client().post(manager, "/keys", &json!({ "name": "late" })).await;
    assert_eq!(made.expect("an answer").status, 503);
    assert_eq!(world.upstream.calls().len(), 2, "nothing may be admitted");
    intruder.leave();
}

#[tokio::test]
async fn what_could_not_be_written_is_booked_once_the_store_is_back() {
    let world = World::with(&["small"], BOUNDS, |builder| builder).await;
    let key = world.key_worth(times(worst(COMPLETION_TOKENS_MAX), 2)).await;
    let gate = world.upstream.hold_answers("small");
    two_without_their_last_byte(&world, &key, gate).await;
    until_ready_is(&world, 200).await;
    assert_eq!(world.usage(&key).await, world.charged("small"));
    world.ask(&key, "small", Form::Stream, NAMED).await.expect("an answer").paid();
    assert_eq!(world.usage(&key).await, world.charged("small"));
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
}

#[tokio::test]
async fn killed_with_the_store_away_the_holds_are_charged_at_the_next_start() {
    let mut world = World::with(&["small"], BOUNDS, |builder| builder).await;
    let key = world.key_worth(times(worst(COMPLETION_TOKENS_MAX), 2)).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    let intruder = Intruder::enter(&world);
    gate.release();
    asking.join_all().await;
    world.tollgate.kill9();
    intruder.leave();
    world.tollgate.restart().await;
    assert_eq!(world.holds().await.len(), 2);
    assert_eq!(world.usage(&key).await, times(worst(COMPLETION_TOKENS_MAX), 2));
    world.command(&["holds", "void", "--all-interrupted"]).await;
    world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    world.audit().await;
}
