//! Opening: who may, which files are refused and why, and what is made beside the file.
//! A refusal names what is wrong and leaves everything as it was.

use std::fs;
use std::path::Path;

use jiff::SignedDuration;
use ledger::{Day, Pace, Period};
use rusqlite::{Connection, params};
use store::contract::sample::{
    NOW, commit, create, create_workspace, delete, edit, entry, hash, key, settlement, workspace,
    workspace_record,
};
use store::{
    ActivityFilter, ApiType, AuditPage, Change, Difference, Edit, Entry, KeyRecord, Outcome, Store,
    StoreError, Subject,
};
use store_sqlite::{OpenError, SqliteStore};
use tempfile::tempdir;

fn refusal(opened: Result<SqliteStore, OpenError>) -> OpenError {
    opened.err().expect("it is refused")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_book_is_there_when_it_is_opened_again() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = SqliteStore::open(&path).unwrap();
    create(&store, key(1));
    commit(&store, settlement(&entry("gen-1", hash(1))));
    drop(store);
    assert_eq!(names(folder.path()), ["tollgate.db", "tollgate.db.lock"]);

    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(store.generation("gen-1").unwrap(), [entry("gen-1", hash(1))]);
    assert_eq!(delete(&store, hash(1)), Outcome::Done);
}

#[test]
fn the_newest_admission_is_that_of_the_latest_request_and_not_of_the_latest_row() {
    let folder = tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
    assert_eq!(store.newest_admission().unwrap(), None);
    for (generation, minutes, newest) in [("gen-1", 0, 0), ("gen-2", 5, 5), ("gen-3", 3, 5)] {
        let at = |minutes: i64| NOW + SignedDuration::from_mins(minutes);
        let admitted = Entry { admitted_at: at(minutes), ..entry(generation, hash(1)) };
        commit(&store, settlement(&admitted));
        assert_eq!(store.newest_admission().unwrap(), Some(at(newest)), "{generation}");
    }
}

#[test]
fn a_second_server_is_refused_with_the_process_that_has_the_store() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = SqliteStore::open(&path).unwrap();
    let link = folder.path().join("link.db");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&path, &link).unwrap();
    #[cfg(not(unix))]
    let link = path.clone();
    for name in [&path, &link] {
        let OpenError::InUse { process, .. } = refusal(SqliteStore::open(name)) else {
            panic!("not in use")
        };
        assert_eq!(process, Some(std::process::id()));
    }
    let text = refusal(SqliteStore::open(&path)).to_string();
    assert!(text.contains(&format!("is in use by process {}", std::process::id())), "{text}");
    drop(store);
    SqliteStore::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn only_its_owner_may_read_what_is_made() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
    create(&store, key(1));
    store.backup(folder.path().join("backup.db"), &[]).unwrap();
    let files = names(folder.path());
    assert_eq!(
        files,
        ["backup.db", "tollgate.db", "tollgate.db-shm", "tollgate.db-wal", "tollgate.db.lock"]
    );
    for file in files {
        let mode = fs::metadata(folder.path().join(&file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempdir().unwrap();
    let missing = folder.path().join("absent");
    let error = refusal(SqliteStore::open(missing.join("tollgate.db")));
    assert!(matches!(&error, OpenError::NoFolder(path) if *path == missing), "{error}");
    assert_eq!(names(folder.path()), [""; 0]);
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    drop(SqliteStore::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&path).unwrap();
    for opened in [SqliteStore::open(&path), SqliteStore::open_to_read(&path)] {
        let error = refusal(opened);
        assert!(matches!(error, OpenError::Newer { found: 99, .. }), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_file_from_before_sums_by_endpoint_is_brought_up_to_date() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../migrations/0001_book.sql")).unwrap();
    old.execute_batch(include_str!("../../migrations/0002_sealed.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x546f_6c6c).unwrap();
    old.pragma_update(None, "user_version", 2).unwrap();
    let add = |generation: &str, upstream_model: &str, admitted_at: i64, credits: i64| {
        old.execute(
            "INSERT INTO entries VALUES (NULL, ?1, 0, 0, ?2, ?3, NULL, 'm', 'p', ?4, ?5, ?6, 0,
                 ?6, 0, 'reported', 9223372036854775807, 2, 1, 0, 1, NULL, 0, 0, NULL, 5, 4, ?7,
                 NULL, NULL, NULL)",
            params![
                generation,
                hash(1).0,
                workspace(1).as_bytes(),
                upstream_model,
                admitted_at,
                credits,
                r#"[{"provider":"p","model":"m","status":200,"latency_ms":3}]"#,
            ],
        )
        .unwrap();
    };
    let noon = NOW.as_microsecond();
    add("gen-1", "x", noon, 40);
    add("gen-2", "y", noon, 2);
    add("gen-3", "x", noon + 1, i64::MAX);
    add("gen-4", "x", -1, 7);
    let seal = "INSERT INTO sealed VALUES (-1, ?1, ?2, '', 'm', 'p', 'x', 4, 3, 100, 0, 1, 1, 0, 0,
                    0, NULL)";
    old.execute(seal, params![hash(1).0, workspace(1).as_bytes()]).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let filter = ActivityFilter {
        first: Day::from_number(-1),
        last: Day::of(NOW),
        key: Some(hash(1)),
        workspace: None,
        creator: None,
        by_workspace: false,
    };
    let activity = store.activity(&filter).unwrap();
    let shown = activity.iter().map(|(group, figures)| {
        let day = group.day.date().to_string();
        (day, group.upstream_model.as_str(), figures.cost.credits.as_nanos(), figures.requests)
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("1969-12-31".to_owned(), "x", 107, 4),
            ("2026-11-22".to_owned(), "x", i64::MAX, 2),
            ("2026-11-22".to_owned(), "y", 2, 1),
        ]
    );
    let [row] = store.generation("gen-2").unwrap().try_into().unwrap();
    assert_eq!((row.cache_discount, row.attempts[0].upstream_model.as_str()), (None, ""));
    assert_eq!(row.api_type, ApiType::Completions);
    commit(&store, settlement(&entry("gen-5", hash(1))));
    drop(store);
    assert_eq!(SqliteStore::open(&path).unwrap().generation("gen-5").unwrap().len(), 1);
}

#[test]
fn a_file_from_before_the_extras_of_keys_is_brought_up_to_date() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let old = Connection::open(&path).unwrap();
    old.execute_batch(include_str!("../../migrations/0001_book.sql")).unwrap();
    old.pragma_update(None, "application_id", 0x546f_6c6c).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    let columns =
        "hash, label, name, disabled, include_byok_in_limit, created_at, workspace, version";
    let insert = format!("INSERT INTO keys ({columns}) VALUES (?, 'l', 'n', 0, 0, 0, ?, 3)");
    old.execute(&insert, params![hash(1).0, workspace(1).as_bytes()]).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let [kept] = store.snapshot(Day::of(NOW)).unwrap().keys.try_into().unwrap();
    assert_eq!((kept.record.allowed_models.as_ref(), kept.record.pace), (None, Pace::default()));
    let limited = KeyRecord { version: 3, ..key(1) };
    assert_eq!(edit(&store, Edit::UpdateKey(limited)), Outcome::Done);
    drop(store);
    let store = SqliteStore::open(&path).unwrap();
    let [kept] = store.snapshot(Day::of(NOW)).unwrap().keys.try_into().unwrap();
    assert_eq!(kept.record, KeyRecord { version: 4, ..key(1) });
}

#[test]
fn a_file_from_before_workspaces_has_what_was_spent_in_them() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let old = Connection::open(&path).unwrap();
    for migration in [
        include_str!("../../migrations/0001_book.sql"),
        include_str!("../../migrations/0002_sealed.sql"),
        include_str!("../../migrations/0003_daily_by_endpoint.sql"),
        include_str!("../../migrations/0004_api_type.sql"),
        include_str!("../../migrations/0005_key_extras.sql"),
    ] {
        old.execute_batch(migration).unwrap();
    }
    old.pragma_update(None, "application_id", 0x546f_6c6c).unwrap();
    old.pragma_update(None, "user_version", 5).unwrap();
    let today = Day::of(NOW).number();
    for (day, payer, place, credits) in
        [(today - 900, 1, 1, 1), (today, 1, 1, 20), (today, 2, 1, 300), (today, 2, 2, 4_000)]
    {
        let place = workspace(place);
        let row = params![day, hash(payer).0, place.as_bytes(), credits];
        let sum = "INSERT INTO daily VALUES (?1, ?2, ?3, '', 'm', 'p', 'x', ?4, 5, 1, 0, 0, 0, 0)";
        old.execute(sum, row).unwrap();
        let sealed = "INSERT INTO sealed VALUES (?1, ?2, ?3, '', 'm', 'p', 'x', 1, 1, ?4, 5, 0, 0,
                          0, 0, 0, NULL)";
        old.execute(sealed, row).unwrap();
        let total = "INSERT INTO totals VALUES (?2, ?4, 5, 1, NULL) ON CONFLICT DO UPDATE SET
                         credits = credits + ?4, byok = byok + 5, requests = requests + 1";
        old.execute(total, params![0, hash(payer).0, 0, credits]).unwrap();
    }
    // A sum past the largest integer stays at it, and the file can be opened.
    let huge = "INSERT INTO daily VALUES (?1, ?2, ?3, '', 'm', 'p', 'x', ?4, ?5, 1, 0, 0, 0, 0)";
    let place = workspace(3);
    for day in [today - 2, today - 1] {
        let row = params![day, hash(3).0, place.as_bytes(), i64::MAX, i64::MIN];
        old.execute(huge, row).unwrap();
    }
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let of_others = |difference: &Difference| match difference.subject {
        Subject::Key(key) => key != hash(3),
        Subject::Workspace(id) => id != workspace(3),
    };
    assert_eq!(store.audit().unwrap().differences.into_iter().find(of_others), None);
    let kept = Connection::open(&path).unwrap();
    let [credits, byok] = kept
        .query_row(
            "SELECT credits, byok FROM workspace_totals WHERE workspace = ?",
            [workspace(3).as_bytes()],
            |row| Ok([row.get::<_, i64>(0)?, row.get(1)?]),
        )
        .unwrap();
    assert_eq!([credits, byok], [i64::MAX, i64::MIN]);
    create_workspace(&store, workspace_record(1));
    let [loaded] = store.snapshot(Day::of(NOW)).unwrap().workspaces.try_into().unwrap();
    let settled = |period: Period| loaded.tally.settled(period.window(Day::of(NOW)));
    let (day, all) = (settled(Period::Day), settled(Period::Lifetime));
    assert_eq!((day.credits.as_nanos(), all.credits.as_nanos()), (320, 321));
    assert_eq!((day.byok.as_nanos(), all.byok.as_nanos()), (10, 15));
}

#[test]
fn a_file_of_another_program_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "x".repeat(8_192)).unwrap();
    let other = folder.path().join("other.db");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE keys (hash TEXT)").unwrap();
    for path in [text, other] {
        let before = fs::read(&path).unwrap();
        for opened in [SqliteStore::open(&path), SqliteStore::open_to_read(&path)] {
            let error = refusal(opened);
            assert!(matches!(error, OpenError::Foreign(_)), "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), before);
    }
}

#[test]
fn what_is_opened_to_read_is_neither_made_nor_changed() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    assert!(matches!(refusal(SqliteStore::open_to_read(&path)), OpenError::Missing(_)));
    assert_eq!(names(folder.path()), [""; 0]);

    fs::write(&path, "").unwrap();
    let error = refusal(SqliteStore::open_to_read(&path));
    assert!(matches!(error, OpenError::Older { found: 0, .. }), "{error}");

    let server = SqliteStore::open(&path).unwrap();
    let reader = SqliteStore::open_to_read(&path).unwrap();
    create(&server, key(1));
    let change = Change::Mark(store::contract::sample::mark("a"));
    assert!(matches!(reader.commit(&[change]), Err(StoreError::Unavailable(_))));
    assert_eq!(reader.audit_log(&AuditPage::newest(9)).unwrap().rows.len(), 1);
    drop(server);
    assert_eq!(reader.audit_log(&AuditPage::newest(9)).unwrap().rows.len(), 1);
}

#[test]
fn a_backup_is_the_book_of_one_moment_and_opens_as_one() {
    let folder = tempdir().unwrap();
    let (path, copy) = (folder.path().join("tollgate.db"), folder.path().join("copy.db"));
    let server = SqliteStore::open(&path).unwrap();
    create(&server, key(1));
    commit(&server, settlement(&entry("gen-1", hash(1))));
    SqliteStore::open_to_read(&path).unwrap().backup(&copy, &[]).unwrap();
    commit(&server, settlement(&entry("gen-2", hash(1))));
    // What is there already is not written over.
    assert!(matches!(server.backup(&copy, &[]), Err(StoreError::Unavailable(_))));

    let restored = SqliteStore::open(&copy).unwrap();
    assert_eq!(restored.generation("gen-1").unwrap(), [entry("gen-1", hash(1))]);
    assert_eq!(restored.generation("gen-2").unwrap(), []);
    let report = restored.audit().unwrap();
    assert_eq!((report.rows, report.differences), (1, vec![]));
    let snapshot = restored.snapshot(Day::of(NOW)).unwrap();
    assert_eq!(snapshot.keys.len(), 1);
}

#[test]
fn the_log_is_moved_into_the_file_once_it_is_long() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let store = SqliteStore::open(&path).unwrap();
    let batch = |first: u32| -> Vec<Change> {
        let rows = (0..1_000).map(|number| entry(&format!("gen-{}", first + number), hash(1)));
        rows.map(|row| settlement(&row)).collect()
    };
    for first in (0..12_000).step_by(1_000) {
        store.commit(&batch(first)).unwrap();
    }
    // Twelve batches are some 1,500 pages; the log begins anew after a thousand or so.
    let pages = |name: &str| fs::metadata(folder.path().join(name)).unwrap().len() / 4_096;
    assert!(pages("tollgate.db") >= 900, "{} in the file", pages("tollgate.db"));
    assert!(pages("tollgate.db-wal") < 1_400, "{} in the log", pages("tollgate.db-wal"));
}

#[test]
fn what_was_sealed_by_day_alone_is_known_still_and_counts_once() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("tollgate.db");
    let old = Connection::open(&path).unwrap();
    for step in ["0001_book", "0002_sealed", "0003_daily_by_endpoint", "0004_api_type"] {
        let step = format!("{}/migrations/{step}.sql", env!("CARGO_MANIFEST_DIR"));
        old.execute_batch(&fs::read_to_string(step).unwrap()).unwrap();
    }
    old.pragma_update(None, "application_id", 0x546f_6c6c).unwrap();
    old.pragma_update(None, "user_version", 4).unwrap();
    let sealed = entry("gen-1", hash(1));
    // SHA-256 of attempt 0, kind 0 and `gen-1`.
    let insert = "INSERT INTO sealed_entries VALUES (?, x'c6787616b5f9329e3ab83c5656afebc2')";
    old.execute(insert, [Day::of(NOW).number()]).unwrap();
    drop(old);

    let store = SqliteStore::open(&path).unwrap();
    let again = commit(&store, settlement(&sealed));
    assert!(matches!(again, Outcome::Settled { is_new: false, .. }), "{again:?}");
    let other = commit(&store, settlement(&Entry { attempt: 1, ..sealed }));
    assert!(matches!(other, Outcome::Settled { is_new: true, .. }), "{other:?}");
}
