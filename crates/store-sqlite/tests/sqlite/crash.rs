//! Killed in the middle of its commits, a store has every one that it reported, whole.
//! This test's own binary is the process that is killed; a power cut is not tried here.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use ledger::Day;
use store::contract::sample::{
    after, commit, commit_all, correct, create, credits, entry, hash, key, loaded, settlement,
};
use store::{Change, Entry, Outcome, Seal, Store};
use store_sqlite::{OpenError, SqliteStore};
use tempfile::tempdir;

/// Set for the process to kill: the store's file.
const PATH: &str = "TOLLGATE_TEST_CRASH_PATH";
/// And the number of its first batch.
const FIRST: &str = "TOLLGATE_TEST_CRASH_FIRST";
/// Batches reported before each kill; the log is moved into the file about every 200.
const KILLED_AFTER: [u64; 3] = [1, 250, 40];
/// Generations to be sealed, rows looked at in one go, and batches reported before each kill.
const OLD: u64 = 400;
const SEALED_ROWS: usize = 7;
const SEALING_KILLED_AFTER: [usize; 12] = [1, 2, 3, 9, 4, 5, 7, 6, 2, 8, 3, 1];
/// Rows of a batch.
const ROWS: u32 = 3;

fn generation(batch: u64) -> String {
    format!("gen-{batch}")
}

/// The rows of a batch, paid by three keys on two days.
fn rows(batch: u64) -> [Entry; ROWS as usize] {
    std::array::from_fn(|number| {
        let number = u8::try_from(number).unwrap();
        Entry {
            attempt: u32::from(number),
            cost: credits(100),
            admitted_at: after(i64::from(number) * 40_000),
            ..entry(&generation(batch), hash(number))
        }
    })
}

#[test]
#[ignore = "run by the test below, in a process that it kills"]
fn commits_until_it_is_killed() {
    let store = SqliteStore::open(std::env::var_os(PATH).unwrap()).unwrap();
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    for batch in first.. {
        commit_all(&store, &rows(batch).each_ref().map(settlement));
        if batch.is_multiple_of(2) {
            correct(&store, &generation(batch), 0, credits(30));
        }
        println!("durable {batch}");
    }
}

#[test]
#[ignore = "run by the last test below, in a process that it kills"]
fn seals_until_it_is_killed() {
    let store = SqliteStore::open(std::env::var_os(PATH).unwrap()).unwrap();
    let mut from = None;
    loop {
        let seal =
            Seal { before: Day::of(after(172_800)), from, rows_max: SEALED_ROWS, audit: None };
        let outcome = commit(&store, Change::Seal(Box::new(seal)));
        let Outcome::Sealed(sealing) = outcome else { panic!("not sealed: {outcome:?}") };
        println!("durable {}", sealing.rows);
        from = sealing.next;
        if from.is_none() {
            return;
        }
    }
}

fn start(path: &std::path::Path, test: &str, first: u64) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([&format!("crash::{test}"), "--exact", "--ignored", "--nocapture"])
        .env(PATH, path)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (child, output.lines())
}

#[test]
fn what_was_reported_durable_survives_a_kill() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = SqliteStore::open(&path).unwrap();
    (0..3).for_each(|number| drop(create(&store, key(number))));
    drop(store);

    let mut reported = Vec::new();
    let mut next = 0;
    for killed_after in KILLED_AFTER {
        let (mut child, output) = start(&path, "commits_until_it_is_killed", next);
        let mut durable = output.map_while(Result::ok).filter_map(|line| {
            line.strip_prefix("durable ").map(|batch| batch.parse::<u64>().unwrap())
        });
        reported.extend(durable.by_ref().take(usize::try_from(killed_after).unwrap()));
        let OpenError::InUse { process, .. } = SqliteStore::open(&path).err().unwrap() else {
            panic!("the store is in use")
        };
        assert_eq!(process, Some(child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        reported.extend(durable);
        // What is left may be looked at before a server starts on it.
        let left = SqliteStore::open_to_read(&path).unwrap();
        assert_eq!(left.audit().unwrap().differences, []);
        drop(left);

        let store = SqliteStore::open(&path).unwrap();
        for batch in &reported {
            let found = store.generation(&generation(*batch)).unwrap();
            let corrections = usize::from(batch.is_multiple_of(2));
            assert_eq!(found.len(), ROWS as usize + corrections, "batch {batch}");
        }
        // The batch it was killed in is there whole, or not at all.
        next = reported.last().map_or(0, |last| last + 1);
        let last = store.generation(&generation(next)).unwrap().len();
        assert!(matches!(last, 0 | 3 | 4), "{last} rows");
        next += u64::from(last > 0);
        assert!(store.generation(&generation(next)).unwrap().is_empty());
        assert_eq!(store.audit().unwrap().differences, []);
    }
    assert!(reported.len() >= 291, "{} batches", reported.len());
}

#[test]
fn a_kill_in_the_middle_of_sealing_changes_no_figure() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = SqliteStore::open(&path).unwrap();
    (0..3).for_each(|number| drop(create(&store, key(number))));
    let old: Vec<Change> = (0..OLD).flat_map(rows).map(|row| settlement(&row)).collect();
    commit_all(&store, &old);
    let figures = |store: &SqliteStore| {
        let figures = (0..3).map(|number| {
            let key = loaded(store, hash(number), Day::from_number(0)).unwrap();
            (key.tally, key.last_used_at)
        });
        (figures.collect::<Vec<_>>(), store.audit().unwrap())
    };
    let before = figures(&store);
    drop(store);

    let mut sealed = 0;
    for killed_after in SEALING_KILLED_AFTER {
        let (mut child, output) = start(&path, "seals_until_it_is_killed", 0);
        let durable = output.map_while(Result::ok).filter(|line| line.starts_with("durable "));
        sealed += durable.take(killed_after).count();
        child.kill().unwrap();
        child.wait().unwrap();
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(figures(&store), before);
        assert!(store.sealable(Day::of(after(172_800))).unwrap().rows > 0, "it came to its end");
    }
    assert_eq!(sealed, SEALING_KILLED_AFTER.iter().sum::<usize>());
    let store = SqliteStore::open(&path).unwrap();
    for outcome in commit_all(&store, &old) {
        assert!(matches!(outcome, Outcome::Settled { is_new: false, .. }), "{outcome:?}");
    }
    assert_eq!(figures(&store), before);
}
