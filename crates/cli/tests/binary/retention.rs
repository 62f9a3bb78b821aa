//! Old rows are sealed, beside a server and without one, and a kill in the middle changes no figure.

use jiff::SignedDuration;
use money::Money;
use serde_json::{Value, json};
use store::contract::sample::{entry, settlement};
use store::{Entry, KeyHash, Source, Store};
use store_sqlite::SqliteStore;

use crate::world::{Form, Key, World, said};

/// Old rows that the book is given.
const ROWS: u32 = 6_000;

/// A key's hash as the store has it.
fn hash(key: &Key) -> KeyHash {
    let digit = |at: usize| u8::from_str_radix(&key.hash[at * 2..at * 2 + 2], 16).expect("hex");
    KeyHash(std::array::from_fn(digit))
}

/// Books rows of sixty days ago behind the back of a server that is down, one of them unresolved.
#[expect(clippy::disallowed_methods, reason = "the server's clock is the real one")]
fn age(world: &World, key: &Key) {
    let path = world.tollgate.folder().join("tollgate.db");
    let book = SqliteStore::open(path).expect("the book");
    let long_ago = jiff::Timestamp::now() - SignedDuration::from_hours(60 * 24);
    let rows = (0..ROWS).map(|number| Entry {
        source: if number == 7 { Source::Held } else { Source::Reported },
        admitted_at: long_ago + SignedDuration::from_secs(i64::from(number)),
        cost: ledger::Amounts::credits(Money::nanos(i64::from(number))),
        ..entry(&format!("gen-old-{number}"), hash(key))
    });
    let rows: Vec<_> = rows.map(|row| settlement(&row)).collect();
    for batch in rows.chunks(1_000) {
        book.commit(batch).expect("a commit");
    }
}

/// What a key and the audit say.
async fn figures(world: &World, key: &Key) -> Vec<String> {
    let audit = world.command(&["audit", "--json"]).await;
    vec![world.facts(key).await.text(), audit]
}

async fn sealable(world: &World) -> u64 {
    let told =
        world.command(&["retention", "run", "--older-than", "50", "--dry-run", "--json"]).await;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["spared"], 1, "{told}");
    told["rows"].as_u64().expect("a count")
}

async fn aged() -> (World, Key) {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, None).await.expect("an answer").paid();
    world.tollgate.term().await;
    age(&world, &key);
    world.tollgate.restart().await;
    (world, key)
}

#[tokio::test]
async fn killed_while_it_seals_no_figure_changes_and_the_rest_is_sealed_afterwards() {
    let (mut world, key) = aged().await;
    let before = figures(&world, &key).await;
    assert_eq!(sealable(&world).await, u64::from(ROWS) - 1);
    for _ in 0..2 {
        let left = sealable(&world).await;
        let sealing = world.command_running(&["retention", "run", "--older-than", "50"]);
        while sealable(&world).await > left - 600 {}
        world.tollgate.kill9();
        assert!(!sealing.await.expect("no panic").status.success());
        world.tollgate.restart().await;
        assert_eq!(figures(&world, &key).await, before);
    }
    let left = sealable(&world).await;
    assert!(left > 0, "it was to be killed in the middle");
    // An answer meanwhile is booked as ever.
    let sealing = world.command_running(&["retention", "run", "--older-than", "50"]);
    world.ask(&key, "small", Form::Stream, None).await.expect("an answer").paid();
    let told = sealing.await.expect("no panic");
    let expected = format!("sealed {left} rows of {left} generations from before");
    assert!(said(&told).contains(&expected), "{}", said(&told));
    assert_eq!(sealable(&world).await, 0);
    assert_eq!(world.generation("gen-old-8").await.status, 404);
    assert_eq!(world.generation("gen-old-7").await.status, 200);
    world.audit().await;
}

#[tokio::test]
async fn without_a_server_the_command_seals_by_itself() {
    let (mut world, key) = aged().await;
    let before = figures(&world, &key).await;
    world.tollgate.term().await;
    let told = world.command(&["retention", "run", "--older-than", "40"]).await;
    assert!(told.contains("sealed 5999 rows of 5999 generations"), "{told}");
    world.tollgate.restart().await;
    assert_eq!(figures(&world, &key).await, before);
}

#[tokio::test]
async fn a_server_with_a_retention_seals_by_itself() {
    let (mut world, key) = aged().await;
    let before = figures(&world, &key).await;
    world.tollgate.set_env("TOLLGATE_STORE__RETENTION_DAYS", "50");
    world.tollgate.restart().await;
    while sealable(&world).await > 0 {}
    assert_eq!(figures(&world, &key).await, before);
    assert_eq!(world.holds().await.len(), 1);
}
