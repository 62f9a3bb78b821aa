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
        api_type: ApiType::Embeddings,
        credential: Some([9; 16]),
    }
}

fn hold() -> Hold {
    let account =
        Arc::new(ledger::Account::new(ledger::Terms::default(), ledger::Tally::default(), || ()));
    let worst = |_| Some(Amounts::ZERO);
    let bid = ledger::Bid {
        least: 1,
        most: 1,
        worst: &worst,
        used: &|_| 0,
        again: false,
        take_what_is_free: false,
    };
    ledger::admit(&[account], &bid, Timestamp::UNIX_EPOCH).unwrap()
}

fn open(path: &Path, slots_max: usize, hold_sync: bool) -> Journal {
    Journal::open(path, slots_max, hold_sync, Arc::new(|_| ())).unwrap()
}

fn names(journal: &Journal) -> Vec<String> {
    let records = journal.left_behind().unwrap().records;
    records.into_iter().map(|record| record.generation).collect()
}

#[tokio::test]
async fn a_dispatched_hold_is_found_by_the_next_process_until_it_is_released() {
    for hold_sync in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("holds");
        let journal = open(&path, 2, hold_sync);
        let (first, second) =
            (journal.reserve(Amounts::ZERO).unwrap(), journal.reserve(Amounts::ZERO).unwrap());
        assert!(journal.reserve(Amounts::ZERO).is_none(), "slots are bounded");
        drop(journal.dispatch(&first, hold(), &record("gen-1")).await.unwrap().refused());
        drop(journal.dispatch(&second, hold(), &record("gen-2")).await.unwrap().refused());

        let next = open(&path, 2, hold_sync);
        let both = [record("gen-1"), record("gen-2")];
        assert_eq!(next.left_behind().unwrap(), LeftBehind { records: both.into(), unreadable: 0 });
        journal.release(first).unwrap();
        assert_eq!(names(&next), ["gen-2"]);
        next.clear().unwrap();
        assert_eq!(names(&next), [""; 0]);
    }
}

#[tokio::test]
async fn whoever_looks_from_outside_sees_what_stands_and_a_file_that_is_not_there_holds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holds");
    assert_eq!(LeftBehind::at(&path).unwrap(), LeftBehind::default());
    let journal = open(&path, 2, false);
    let slot = journal.reserve(Amounts::ZERO).unwrap();
    drop(journal.dispatch(&slot, hold(), &record("gen-1")).await.unwrap().refused());
    let one = LeftBehind { records: vec![record("gen-1")], unreadable: 0 };
    assert_eq!(LeftBehind::at(&path).unwrap(), one);
    // What can't be read is not taken for nothing.
    let cause = LeftBehind::at(&path.join("below")).unwrap_err();
    assert_eq!(cause.kind(), io::ErrorKind::NotADirectory);
}

#[tokio::test]
async fn a_settled_record_is_swept_and_one_in_use_again_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("holds"), 4, false);
    let (first, second) =
        (journal.reserve(Amounts::ZERO).unwrap(), journal.reserve(Amounts::ZERO).unwrap());
    drop(journal.dispatch(&first, hold(), &record("gen-1")).await.unwrap().refused());
    drop(journal.dispatch(&second, hold(), &record("gen-2")).await.unwrap().refused());
    journal.free(first);
    journal.free(second);
    let again = journal.reserve(Amounts::ZERO).unwrap();
    drop(journal.dispatch(&again, hold(), &record("gen-3")).await.unwrap().refused());
    journal.sweep();
    assert_eq!(names(&journal), ["gen-3"]);
}

#[tokio::test]
async fn a_settled_record_is_stale_until_its_slot_is_swept_or_used_again() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("holds"), 4, false);
    let (first, second) =
        (journal.reserve(Amounts::ZERO).unwrap(), journal.reserve(Amounts::ZERO).unwrap());
    assert!(!journal.has_stale());
    journal.free(first);
    assert!(journal.has_stale());
    journal.reserve(Amounts::ZERO).unwrap();
    assert!(!journal.has_stale(), "whoever has the slot now overwrites it");
    journal.free(second);
    assert!(journal.has_stale());
    journal.sweep();
    assert!(!journal.has_stale());
}

#[tokio::test]
async fn what_is_open_is_counted_until_it_ends_by_either_way() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("holds"), 2, false);
    let amounts = |nanos| Amounts { credits: Money::nanos(nanos), byok: Money::nanos(2 * nanos) };
    let first = journal.reserve(amounts(3)).unwrap();
    let second = journal.reserve(amounts(4)).unwrap();
    assert!(journal.reserve(amounts(5)).is_none());
    assert_eq!(journal.open_holds(), OpenHolds { count: 2, held: amounts(7) });
    journal.free(first);
    assert_eq!(journal.open_holds(), OpenHolds { count: 1, held: amounts(4) });
    journal.release(second).unwrap();
    assert_eq!(journal.open_holds(), OpenHolds::default());
    journal.sweep();
    assert_eq!(journal.open_holds(), OpenHolds::default());
}

#[tokio::test]
async fn a_torn_record_is_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holds");
    let journal = open(&path, 4, false);
    let slot = journal.reserve(Amounts::ZERO).unwrap();
    drop(journal.dispatch(&slot, hold(), &record("gen-1")).await.unwrap().refused());
    let whole = std::fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let left = journal.left_behind().unwrap();
        assert_eq!(left, LeftBehind { records: vec![], unreadable: usize::from(cut > 0) });
    }
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x40;
        std::fs::write(&path, &changed).unwrap();
        let left = journal.left_behind().unwrap();
        assert_eq!(left, LeftBehind { records: vec![], unreadable: 1 }, "changed at {place}");
    }
}

#[tokio::test]
async fn a_record_that_may_not_be_on_the_disk_sends_nothing_and_ends_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let broken = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&broken);
    let on_broken: OnBroken = Arc::new(move |error| told.lock().push(error.to_string()));
    // It takes what is written and has no disk to put it on.
    let file = Arc::new(OpenOptions::new().write(true).open("/dev/null").unwrap());
    let syncer = Some(Syncer::start(Arc::clone(&file), on_broken).unwrap());
    let journal = Journal { file, syncer, ..open(&folder.path().join("holds"), 1, false) };
    let slot = journal.reserve(Amounts::ZERO).unwrap();
    assert!(journal.dispatch(&slot, hold(), &record("gen-1")).await.is_err());
    assert_eq!(broken.lock().len(), 1);
}

#[tokio::test]
async fn a_record_larger_than_its_slot_is_refused_and_the_hold_handed_back() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder.path().join("holds"), 4, false);
    let slot = journal.reserve(Amounts::ZERO).unwrap();
    let large = HoldRecord { model: "m".repeat(SLOT_BYTES), ..record("gen-1") };
    assert!(journal.dispatch(&slot, hold(), &large).await.is_err());
    assert_eq!(names(&journal), [""; 0]);
}

#[tokio::test]
async fn a_slot_whose_record_could_not_be_erased_is_given_back_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holds");
    drop(open(&path, 1, false));
    let journal = Journal {
        file: Arc::new(File::open(&path).unwrap()),
        ..open(&folder.path().join("other"), 1, false)
    };
    let slot = journal.reserve(Amounts::ZERO).unwrap();
    assert!(journal.release(slot).is_err(), "the file is open to read only");
    journal.sweep();
    assert!(journal.reserve(Amounts::ZERO).is_some());
}

#[tokio::test]
async fn a_long_sweep_is_done_in_steps_and_forgets_no_slot() {
    let folder = tempfile::tempdir().unwrap();
    let slots = 3 * SWEEP_SLOTS;
    let journal = open(&folder.path().join("holds"), slots, false);
    let mut taken = Vec::new();
    for number in 0..slots {
        let slot = journal.reserve(Amounts::ZERO).unwrap();
        let record = record(&format!("gen-{number}"));
        drop(journal.dispatch(&slot, hold(), &record).await.unwrap().refused());
        taken.push(slot);
    }
    taken.into_iter().for_each(|slot| journal.free(slot));
    for swept in 1..=3 {
        journal.sweep();
        assert_eq!(names(&journal).len(), slots - swept * SWEEP_SLOTS);
    }
    for _ in 0..slots {
        journal.reserve(Amounts::ZERO).unwrap();
    }
    assert!(journal.reserve(Amounts::ZERO).is_none());
}

#[test]
fn records_of_earlier_versions_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("holds");
    let operators = HoldRecord { credential: None, ..record("gen-old") };
    let chat = HoldRecord { api_type: ApiType::Completions, ..operators.clone() };
    // Each form lacks the last field of the next, which is a byte where it says the least.
    for (version, record) in [(1, chat), (2, operators)] {
        let mut slot = [0; SLOT_BYTES];
        let end = encode(&record, &mut slot).unwrap().len();
        let mut old = slot[..end - usize::from(VERSION - version)].to_vec();
        old[HEADER_BYTES] = version;
        let length = u32::try_from(old.len() - HEADER_BYTES).unwrap();
        let checksum = crc32fast::hash(&old[HEADER_BYTES..]);
        old[..4].copy_from_slice(&length.to_le_bytes());
        old[4..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
        std::fs::write(&path, old).unwrap();
        let left = open(&path, 1, false).left_behind().unwrap();
        assert_eq!(left, LeftBehind { records: vec![record], unreadable: 0 }, "{version}");
    }
}
