//! An installation is looked over: what is well is said so, what is not is named with what to do.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::SignedDuration;
use rusqlite::Connection;
use serde_json::{Value, json};
use store::contract::sample::{commit, entry, hash, mark, settlement};
use store::{Change, EndpointMark, Entry};
use store_sqlite::SqliteStore;
use testkit::FakeUpstream;

use crate::transcript::transcript;
use crate::world::{Form, World, ask, builder, model, provider};

/// Few enough that the tester's own limit on open files is enough.
const BOUNDS: &str = "[bounds]\nin_flight_max = 50";
/// What depends on the machine the test runs on.
const OF_THE_MACHINE: [&str; 3] = ["disk", "sync", "open files"];

/// What was found, by name and state, with its advice.
struct Found {
    code: Option<i32>,
    checks: Vec<(String, String, String)>,
}

impl Found {
    /// The checks that are not fine, but for those of the machine.
    fn not_fine(&self) -> Vec<&(String, String, String)> {
        let own = self.checks.iter().filter(|(name, ..)| !OF_THE_MACHINE.contains(&&**name));
        own.filter(|(_, state, _)| state != "fine" && state != "skipped").collect()
    }

    fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.checks.iter().map(|(name, ..)| &**name).collect();
        names.dedup();
        names
    }
}

async fn found(world: &World, more: &[&str]) -> Found {
    let arguments = [&["doctor", "--json"], more].concat();
    let output = world.tollgate.run(arguments).await;
    let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(told["fine"] == true, output.status.success(), "{told}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let checks = told["checks"].as_array().expect("a list").iter().map(|check| {
        let said = format!("{} -> {}", text(&check["found"]), text(&check["advice"]));
        (text(&check["name"]), text(&check["state"]), said)
    });
    Found { code: output.status.code(), checks: checks.collect() }
}

#[tokio::test]
async fn an_installation_that_is_well_is_said_to_be() {
    let mut world = World::with(&["small"], BOUNDS, |builder| builder).await;
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, None).await.expect("an answer").paid();
    let beside = found(&world, &["--online"]).await;
    assert_eq!((beside.code, beside.not_fine()), (Some(0), vec![]));
    assert_eq!(
        beside.names(),
        [
            "version",
            "configuration",
            "server",
            "disk",
            "sync",
            "permissions",
            "open files",
            "book",
            "clock",
            "management keys",
            "holds",
            "endpoints",
            "providers",
        ]
    );
    let serves = format!("process {} serves", world.tollgate.pid());
    assert!(beside.checks.iter().any(|(.., said)| said.starts_with(&serves)));
    assert!(beside.checks.iter().any(|(.., said)| said.starts_with("fake is there")));
    world.tollgate.term().await;
    let without = found(&world, &["--quick"]).await;
    assert_eq!((without.code, without.not_fine()), (Some(0), vec![]));
    let text = world.command(&["doctor"]).await;
    assert!(text.contains("none is running"), "{text}");
}

#[tokio::test]
async fn what_waits_for_a_person_is_a_warning_and_what_does_not_work_a_problem() {
    let mut world = World::with(&["small"], BOUNDS, |builder| builder).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking = tokio::spawn(async move { ask(&client, &own, "small", Form::Json, None).await });
    gate.until_waiting(1).await;
    world.tollgate.kill9();
    assert!(asking.await.expect("no panic").is_err());
    let left = found(&world, &[]).await;
    let [(name, state, said)] = left.not_fine()[..] else { panic!("{:?}", left.checks) };
    assert_eq!((left.code, &**name, &**state), (Some(0), "holds", "warning"));
    assert!(said.starts_with("1 requests were in flight"), "{said}");

    world.tollgate.restart().await;
    world.tollgate.term().await;
    let folder = world.tollgate.folder().to_owned();
    let book = folder.join("tollgate.db");
    {
        let store = SqliteStore::open(&book).expect("the book");
        commit(&store, Change::Mark(EndpointMark { barred: true, ..mark("test/small") }));
        commit(&store, Change::Mark(EndpointMark { barred: false, ..mark("test/other") }));
        commit(&store, settlement(&tomorrow()));
    }
    fs::set_permissions(&book, fs::Permissions::from_mode(0o640)).expect("a mode");
    world.command(&["management-keys", "revoke", "environment"]).await;
    let bad = found(&world, &[]).await;
    let states: Vec<(&str, &str)> =
        bad.not_fine().into_iter().map(|(name, state, _)| (&**name, &**state)).collect();
    assert_eq!(
        states,
        [
            ("permissions", "problem"),
            ("clock", "problem"),
            ("management keys", "problem"),
            ("holds", "warning"),
            ("endpoints", "warning"),
            ("endpoints", "problem"),
        ]
    );
    assert_eq!(bad.code, Some(1));
    assert!(bad.not_fine()[3].2.contains("tollgate holds list"), "{:?}", bad.not_fine()[3]);
}

/// A row that a clock which is a day ahead has made.
#[expect(clippy::disallowed_methods, reason = "the doctor's clock is the real one")]
fn tomorrow() -> Entry {
    let admitted_at = jiff::Timestamp::now() + SignedDuration::from_hours(24);
    Entry { admitted_at, ..entry("gen-tomorrow", hash(1)) }
}

#[tokio::test]
async fn damage_and_a_provider_that_is_not_there_are_found() {
    let upstream = FakeUpstream::start().await;
    let gone = provider(&upstream, "").replace(&upstream.url(), "http://127.0.0.1:1/v1");
    let tollgate = builder().config(BOUNDS).config(&gone).config(&model("small")).start().await;
    let mut world = World { upstream, tollgate };
    world.key(json!({})).await;
    world.tollgate.term().await;
    let online = found(&world, &["--online"]).await;
    let [(name, state, said)] = online.not_fine()[..] else { panic!("{:?}", online.checks) };
    assert_eq!((&**name, &**state), ("providers", "problem"));
    assert!(said.contains("127.0.0.1:1") && said.contains("refused"), "{said}");

    let book = world.tollgate.folder().join("tollgate.db");
    spoil(&book);
    let damaged = found(&world, &[]).await;
    let (_, _, said) = damaged.not_fine()[0];
    assert!(said.contains("damaged") && said.contains("restore a backup"), "{said}");
    assert_eq!(damaged.code, Some(1));
    fs::write(&book, "x".repeat(9_000)).expect("a file");
    let foreign = found(&world, &[]).await;
    assert!(foreign.not_fine()[0].2.contains("is not a store of Tollgate"));
}

/// Spoils an index, as a disk might.
fn spoil(book: &Path) {
    let connection = Connection::open(book).expect("the book");
    let (page, size): (u32, u32) = connection
        .query_row(
            "SELECT rootpage, (SELECT page_size FROM pragma_page_size)
             FROM sqlite_schema WHERE name = 'keys_listed'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .expect("an index");
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("no log");
    drop(connection);
    let at = |page: u32| usize::try_from(page * size).expect("a place");
    let mut bytes = fs::read(book).expect("the book");
    bytes[at(page - 1)..at(page)].fill(0x5a);
    fs::write(book, bytes).expect("a file");
}

#[test]
fn without_a_configuration_only_that_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = transcript(folder.path(), "doctor");
    assert!(told.contains("[1]\n") && told.contains("PROBLEM  configuration"), "{told}");
    fs::write(folder.path().join("tollgate.toml"), "").expect("a file");
    let told = transcript(folder.path(), "doctor");
    assert!(told.contains("there is none yet; the first start makes it"), "{told}");
    assert!(told.contains("PROBLEM  management keys  there is none"), "{told}");
    let files = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(files, 1, "it changes nothing");
}
