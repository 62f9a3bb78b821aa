//! No file descriptor is left: who is connected is answered, who is not waits, and when some are
//! free again all is as before.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::world::{COMPLETION_TOKENS_MAX, Form, World, worst};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// What a gateway at rest has open, its workers' sockets and the book's files, is about 30.
const DESCRIPTORS: usize = 64;
const SOON: Duration = Duration::from_secs(30);

/// Connects until the gateway has no descriptor left for one more.
fn flood(world: &World) -> Vec<TcpStream> {
    let connect = |_| TcpStream::connect(world.tollgate.address()).expect("a place in the queue");
    let connections: Vec<_> = (0..2 * DESCRIPTORS).map(connect).collect();
    let deadline = Instant::now() + SOON;
    while !world.tollgate.log().contains("Too many open files") {
        assert!(Instant::now() < deadline, "no descriptor was missed");
        std::thread::sleep(Duration::from_millis(5));
    }
    connections
}

#[tokio::test]
async fn without_descriptors_nothing_is_lost_and_with_them_again_all_is_served() {
    let limit = DESCRIPTORS.to_string();
    let few = |builder: testkit::Builder| {
        builder.wrapper(["prlimit", &format!("--nofile={limit}:{limit}")])
    };
    let mut world = World::with(&["small"], "", few).await;
    let key = world.key_worth(crate::world::times(worst(COMPLETION_TOKENS_MAX), 100)).await;
    // In flight when the descriptors go, with all it needs.
    let gate = world.upstream.hold_answers("small");
    let asking: Vec<_> = [Form::Json, Form::Stream]
        .into_iter()
        .map(|form| {
            let (client, key) = (world.client(), key.clone());
            tokio::spawn(
                async move { crate::world::ask(&client, &key, "small", form, NAMED).await },
            )
        })
        .collect();
    gate.until_waiting(2).await;
    let flood = flood(&world);
    gate.release();
    for told in asking {
        told.await.expect("no panic").expect("an answer to its last byte").paid();
    }
    drop(flood);
    let (client, deadline) = (world.client().below(""), Instant::now() + SOON);
    while !client.get(None, "/ready").await.is_ok_and(|answer| answer.status == 200) {
        assert!(Instant::now() < deadline, "it never came back: {}", world.tollgate.log());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    for form in [Form::Json, Form::Stream] {
        world.ask(&key, "small", form, NAMED).await.expect("an answer").paid();
    }
    world.edit(&key, json!({ "name": "still changed" })).await;
    assert_eq!(world.usage(&key).await, world.charged("small"));
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
    world.tollgate.term().await;
}
