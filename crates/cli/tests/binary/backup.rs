//! A backup is the book of one moment, made beside a server under load; restored, it has lost
//! nothing that it had and counts nothing twice.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use money::Money;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};

use crate::transcript::{transcript, transcript_with};
use crate::world::{
    COMPLETION_TOKENS_MAX, CREDENTIAL, Form, Key, Told, World, amount, ask, said, sum, times, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);

fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        files.map(|file| file.expect("a file").file_name().into_string().expect("text")).collect();
    names.sort();
    names
}

/// Asks until the gateway is gone, and keeps what it was told.
fn load(world: &World, key: &Key, form: Form) -> JoinHandle<Vec<Told>> {
    let (client, key) = (world.client(), key.clone());
    tokio::spawn(async move {
        let mut told = Vec::new();
        while let Ok(answer) = ask(&client, &key, "small", form, NAMED).await {
            told.push(answer);
        }
        told
    })
}

/// What the book has of an answer, where it has it.
async fn booked(world: &World, told: &Told) -> Option<Money> {
    let booked = world.generation(told.generation.as_deref().expect("an id")).await;
    (booked.status == 200).then(|| amount(&booked, "/data/total_cost"))
}

#[tokio::test]
async fn a_backup_made_under_load_has_every_answer_given_before_it_and_restores() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("copy.db");
    let mut before = Vec::new();
    for _ in 0..20 {
        before.push(world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer"));
    }
    let loads = [Form::Json, Form::Stream, Form::Json].map(|form| load(&world, &key, form));
    world.upstream.until(|totals| totals.calls >= 60).await;
    let told = world.command(&["backup", text(&copy)]).await;
    assert!(told.contains("it agrees"), "{told}");
    assert_eq!(names(folder.path()), ["copy.db"]);
    // Answers of which the copy knows nothing.
    let calls = world.upstream.calls().len();
    world.upstream.until(|totals| totals.calls >= calls + 40).await;
    world.tollgate.kill9();
    let mut after = Vec::new();
    for load in loads {
        after.extend(load.await.expect("no panic"));
    }
    // The log that the kill left is not the restored book's.
    assert!(world.tollgate.folder().join("tollgate.db-wal").exists());
    let told = world.command(&["restore", text(&copy)]).await;
    assert!(told.contains("the book that was there is"), "{told}");
    world.tollgate.restart().await;
    world.audit().await;
    for told in &before {
        let booked = booked(&world, told).await;
        assert_eq!(booked, Some(told.paid()), "an answer from before the backup is lost");
    }
    // Those in flight at the backup were answered after it, and are charged as after a crash.
    let held = world.holds().await;
    let held: Vec<_> = held.iter().map(|hold| hold["generation"].as_str()).collect();
    let mut counted = times(worst(COMPLETION_TOKENS_MAX), held.len());
    let mut lost = 0;
    for told in after.iter().filter(|told| !held.contains(&told.generation.as_deref())) {
        match booked(&world, told).await {
            Some(cost) => counted = sum([counted, cost]),
            None => lost += 1,
        }
    }
    assert!(lost > 0, "the backup has answers from after it");
    let all = sum(before.iter().map(Told::paid).chain([counted]));
    assert_eq!(world.usage(&key).await, all, "each counts once");
    world.command(&["holds", "void", "--all-interrupted"]).await;
    world.audit().await;
}

#[tokio::test]
async fn requests_in_flight_are_in_the_copy_as_a_crash_would_have_left_them() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let paid = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    let told = world.command(&["backup", "copy.db", "--json"]).await;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["interrupted"], 2, "{told}");
    assert_eq!([&told["rows"], &told["verified"]], [&json!(3), &json!(true)]);
    gate.release();
    let settled = asking.join_all().await.into_iter().map(|told| told.expect("an answer").paid());
    let settled = sum(settled.chain([paid]));
    assert_eq!(world.usage(&key).await, settled);

    // Restored beside the record of holds, which still has both, and beside none; by hand too, and
    // then beside the log of the book that was there.
    let folder = world.tollgate.folder().to_owned();
    let path = |name: &str| folder.join(name);
    for (keeps_holds, by_hand) in [(true, false), (false, false), (true, true), (false, true)] {
        world.edit(&key, json!({ "name": "later" })).await;
        world.tollgate.kill9();
        if !keeps_holds {
            fs::remove_file(path("tollgate.db.holds")).expect("a file");
        }
        if by_hand {
            assert!(path("tollgate.db-wal").exists());
            fs::copy(path("copy.db"), path("tollgate.db")).expect("a copy");
            let refused = world.tollgate.audit().await;
            assert!(said(&refused).contains("start the server"), "{}", said(&refused));
        } else {
            world.command(&["restore", "copy.db"]).await;
        }
        world.tollgate.restart().await;
        assert_eq!(world.holds().await.len(), 2);
        assert!(!world.facts(&key).await.text().contains("later"));
        let charged = sum([paid, times(worst(COMPLETION_TOKENS_MAX), 2)]);
        assert_eq!(world.usage(&key).await, charged);
        world.audit().await;
    }
    world.command(&["holds", "void", "--all-interrupted"]).await;
    assert_eq!(world.usage(&key).await, paid);
    assert_eq!(world.holds().await, Vec::<Value>::new());
    world.audit().await;
}

/// A folder with a book of one answer, the server down.
async fn at_rest() -> World {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    world.tollgate.term().await;
    world
}

fn told(world: &World, line: &str) -> String {
    let credential = [("FAKE_PROVIDER_KEY", CREDENTIAL)];
    let told = transcript_with(world.tollgate.folder(), line, &credential);
    // How large a page is rounded up to is SQLite's.
    let bytes = |path: &str| {
        fs::metadata(world.tollgate.folder().join(path)).map_or(0, |file| file.len()).to_string()
    };
    told.replace(&bytes("copy.db"), "BYTES")
}

#[tokio::test]
async fn a_file_that_is_there_is_written_over_by_force_alone_and_the_book_never() {
    let world = at_rest().await;
    let folder: PathBuf = world.tollgate.folder().to_owned();
    assert_snapshot!(told(&world, "backup copy.db"), @r"
    $ tollgate backup copy.db
    [0]
    wrote copy.db (BYTES bytes)
    it agrees: 1 rows of 1 keys, 14 sums compared
    ");
    let first = fs::read(folder.join("copy.db")).expect("a copy");
    assert_snapshot!(told(&world, "backup copy.db"), @r"
    $ tollgate backup copy.db
    [1]
    ! tollgate: copy.db is there already; `--force` writes over it
    ");
    assert_eq!(fs::read(folder.join("copy.db")).expect("a copy"), first);
    assert_snapshot!(told(&world, "backup copy.db --force --no-verify"), @r"
    $ tollgate backup copy.db --force --no-verify
    [0]
    wrote copy.db (BYTES bytes)
    it was not audited
    ");
    assert_snapshot!(told(&world, "backup tollgate.db --force"), @r"
    $ tollgate backup tollgate.db --force
    [1]
    ! tollgate: tollgate.db belongs to the book itself; name another file
    ");
    assert_snapshot!(told(&world, "backup ./tollgate.db.holds --force"), @r"
    $ tollgate backup ./tollgate.db.holds --force
    [1]
    ! tollgate: ./tollgate.db.holds belongs to the book itself; name another file
    ");
    assert_snapshot!(told(&world, "backup ."), @r"
    $ tollgate backup .
    [1]
    ! tollgate: . is a folder; name the file to write
    ");
    assert_snapshot!(told(&world, "backup nowhere/copy.db"), @r"
    $ tollgate backup nowhere/copy.db
    [1]
    ! tollgate: there is no folder nowhere to write in; make it first
    ");
    assert_snapshot!(told(&world, "audit --store sqlite:copy.db"), @r"
    $ tollgate audit --store sqlite:copy.db
    [0]
    the book agrees: 1 rows of 1 keys, 14 sums compared, 0 differences
    ");
    assert_snapshot!(told(&world, "audit --store sqlite:nowhere.db"), @r"
    $ tollgate audit --store sqlite:nowhere.db
    [1]
    ! tollgate: there is no store at nowhere.db
    ");
    assert_snapshot!(told(&world, "audit --store postgres://x"), @r"
    $ tollgate audit --store postgres://x
    [1]
    ! tollgate: `--store` must be `sqlite:FILE`, and not `postgres://x`
    ");
    let made = names(&folder);
    assert_eq!(made.iter().filter(|name| name.starts_with(".tollgate-")).count(), 0, "{made:?}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(folder.join("copy.db")).expect("a copy").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_book_that_does_not_agree_is_copied_only_when_asked_to() {
    let world = at_rest().await;
    let book = world.tollgate.folder().join("tollgate.db");
    let changed = Connection::open(book).expect("the book");
    changed.execute("UPDATE totals SET credits = credits + 1", []).expect("a change");
    drop(changed);
    assert_snapshot!(told(&world, "backup copy.db"), @r"
    $ tollgate backup copy.db
    [1]
    ! tollgate: the copy does not agree with itself, and neither does the book: `tollgate audit` says where. Nothing was kept; `--no-verify` keeps it as it is
    ");
    assert!(!world.tollgate.folder().join("copy.db").exists());
    assert_snapshot!(told(&world, "backup copy.db --no-verify"), @r"
    $ tollgate backup copy.db --no-verify
    [0]
    wrote copy.db (BYTES bytes)
    it was not audited
    ");
    let audited = told(&world, "audit --store sqlite:copy.db");
    assert!(audited.contains("[1]\nTHE BOOK DOES NOT AGREE"), "{audited}");
    let restored = told(&world, "restore copy.db");
    assert!(restored.contains("does not agree with itself: 1 differences"), "{restored}");
}

#[tokio::test]
async fn what_is_no_backup_replaces_nothing_and_neither_does_any_beside_a_server() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    world.command(&["backup", "copy.db"]).await;
    let refused = world.tollgate.run(["restore", "copy.db"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains(&world.tollgate.pid().to_string()), "{}", said(&refused));
    world.tollgate.term().await;
    let before = fs::read(world.tollgate.folder().join("tollgate.db")).expect("the book");
    fs::write(world.tollgate.folder().join("notes.txt"), "x".repeat(9_000)).expect("a file");
    fs::write(world.tollgate.folder().join("empty.db"), "").expect("a file");
    let mut torn = fs::read(world.tollgate.folder().join("copy.db")).expect("a copy");
    let middle = torn.len() / 2;
    torn[middle..].fill(0x5a);
    fs::write(world.tollgate.folder().join("torn.db"), torn).expect("a file");
    assert_snapshot!(told(&world, "restore notes.txt"), @r"
    $ tollgate restore notes.txt
    [1]
    ! tollgate: FOLDER/notes.txt is not a store of Tollgate
    ");
    assert_snapshot!(told(&world, "restore empty.db"), @r"
    $ tollgate restore empty.db
    [1]
    ! tollgate: FOLDER/empty.db is not a store of Tollgate
    ");
    assert_snapshot!(told(&world, "restore nowhere.db"), @r"
    $ tollgate restore nowhere.db
    [1]
    ! tollgate: there is no store at nowhere.db
    ");
    let refused = told(&world, "restore torn.db");
    assert!(refused.starts_with("$ tollgate restore torn.db\n[1]\n!"), "{refused}");
    assert_eq!(fs::read(world.tollgate.folder().join("tollgate.db")).expect("the book"), before);
    assert_snapshot!(told(&world, "restore copy.db"), @r"
    $ tollgate restore copy.db
    [0]
    restored copy.db to ./tollgate.db
    it agrees: 1 rows of 1 keys, 14 sums compared
    the book that was there is FOLDER/tollgate.db.replaced
    ");
    assert_snapshot!(told(&world, "restore copy.db"), @r"
    $ tollgate restore copy.db
    [0]
    restored copy.db to ./tollgate.db
    it agrees: 1 rows of 1 keys, 14 sums compared
    the book that was there is FOLDER/tollgate.db.replaced-2
    ");
    let replaced = fs::read(world.tollgate.folder().join("tollgate.db.replaced")).expect("a book");
    assert_eq!(replaced, before);
    world.tollgate.restart().await;
    world.audit().await;
}

#[test]
fn without_a_book_there_is_nothing_to_copy_and_none_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("tollgate.toml"), "").expect("a file");
    assert_snapshot!(transcript(folder.path(), "backup copy.db"), @r"
    $ tollgate backup copy.db
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "export"), @r"
    $ tollgate export
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "audit"), @r"
    $ tollgate audit
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "audit log"), @r"
    $ tollgate audit log
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "holds list"), @r"
    $ tollgate holds list
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "management-keys list"), @r"
    $ tollgate management-keys list
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "retention run --older-than 40"), @r"
    $ tollgate retention run --older-than 40
    [1]
    ! tollgate: there is no store at ./tollgate.db
    ");
    assert_snapshot!(transcript(folder.path(), "retention run --older-than 39"), @r"
    $ tollgate retention run --older-than 39
    [2]
    ! error: invalid value '39' for '--older-than <DAYS>': 39 is not in 40..=4294967295
    !
    ! For more information, try '--help'.
    ");
    assert_snapshot!(transcript(folder.path(), "config reload"), @r"
    $ tollgate config reload
    [1]
    ! tollgate: no server is running; it reads the configuration when it starts
    ");
    assert_eq!(names(folder.path()), ["tollgate.toml"]);
}
