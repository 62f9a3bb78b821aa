use super::*;

fn record(generation: &str) -> HoldRecord {
    HoldRecord {
        generation: generation.into(),
        attempt: 1,
        key: [7; 32],
        workspace: [1; 16],
        creator: Some("user-1".into()),
        model: "author/model".into(),
        provider: "provider".into(),
        upstream_model: "model".into(),
        admitted_us: 1_763_769_600_000_001,
        credits: 25_500_000,
        byok: 3,
        streamed: true,
    }
}

fn hold() -> Hold {
    let account =
        Arc::new(ledger::Account::new(ledger::Terms::default(), ledger::Tally::default(), || ()));
    let worst = |_| Some(Amounts::ZERO);
    let bid = ledger::Bid { least: 1, most: 1, worst: &worst, take_what_is_free: false };
    ledger::admit(&[account], &bid, Timestamp::UNIX_EPOCH).unwrap()
}

fn names(journal: &Journal) -> Vec<String> {
    journal.left_behind().unwrap().into_iter().map(|record| record.generation).collect()
}

#[tokio::test]
async fn a_dispatched_hold_is_found_by_the_next_process_until_it_is_released() {
    for hold_sync in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holds");
        let journal = Journal::open(&path, 2, hold_sync).unwrap();
        let (first, second) = (journal.reserve().unwrap(), journal.reserve().unwrap());
        assert!(journal.reserve().is_none(), "slots are bounded");
        drop(journal.dispatch(&first, hold(), &record("gen-1")).await.unwrap().refused());
        drop(journal.dispatch(&second, hold(), &record("gen-2")).await.unwrap().refused());

        let next = Journal::open(&path, 2, hold_sync).unwrap();
        assert_eq!(next.left_behind().unwrap(), [record("gen-1"), record("gen-2")]);
        journal.release(first).unwrap();
        assert_eq!(names(&next), ["gen-2"]);
        next.clear().unwrap();
        assert_eq!(names(&next), [""; 0]);
    }
}

#[tokio::test]
async fn a_settled_record_is_swept_and_one_in_use_again_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("holds"), 4, false).unwrap();
    let (first, second) = (journal.reserve().unwrap(), journal.reserve().unwrap());
    drop(journal.dispatch(&first, hold(), &record("gen-1")).await.unwrap().refused());
    drop(journal.dispatch(&second, hold(), &record("gen-2")).await.unwrap().refused());
    journal.free(first);
    journal.free(second);
    let again = journal.reserve().unwrap();
    drop(journal.dispatch(&again, hold(), &record("gen-3")).await.unwrap().refused());
    journal.sweep();
    assert_eq!(names(&journal), ["gen-3"]);
}

#[tokio::test]
async fn a_torn_record_is_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holds");
    let journal = Journal::open(&path, 4, false).unwrap();
    let slot = journal.reserve().unwrap();
    drop(journal.dispatch(&slot, hold(), &record("gen-1")).await.unwrap().refused());
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(names(&journal), [""; 0], "cut at {cut}");
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x40;
        std::fs::write(&path, &changed).unwrap();
        assert_ne!(journal.left_behind().unwrap(), [record("gen-1")], "changed at {place}");
    }
}

#[tokio::test]
async fn a_record_larger_than_its_slot_is_refused_and_the_hold_handed_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("holds"), 4, false).unwrap();
    let slot = journal.reserve().unwrap();
    let large = HoldRecord { model: "m".repeat(SLOT_BYTES), ..record("gen-1") };
    assert!(journal.dispatch(&slot, hold(), &large).await.is_err());
    assert_eq!(names(&journal), [""; 0]);
}
