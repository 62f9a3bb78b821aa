//! Whatever is done to them, the SQLite store and the naive reference say the same.
//! Ids come from small sets, so that changes repeat, collide and correct each other.

use jiff::Timestamp;
use ledger::{Amounts, Day, Tally};
use money::Money;
use proptest::prelude::*;
use store::contract::sample::{
    NOW, after, answer, audit_row, budget, commit, credential, entry, export, hash, key, mark,
    member, user, workspace, workspace_record,
};
use store::{
    Activity, ActivityFigures, ActivityFilter, AuditLog, AuditPage, BudgetRecord, Change,
    CredentialRecord, Edit, Encrypted, EndpointMark, Entry, ExportLine, Idempotent, KeyHash,
    KeyPage, KeyRecord, Kind, ManagementKey, MemberRecord, MemoryStore, Outcome, Reencrypted,
    Report, Reset, Seal, SealedRow, Source, Store, UserRecord, WorkspaceRecord,
};

use crate::temp::TempStore;

/// A moment within a week; of some, the last microsecond of a day.
fn moment() -> impl Strategy<Value = Timestamp> {
    let micros = prop_oneof![Just(-1_i64), Just(0), 0..86_400_000_000_i64];
    (0..7_i64, micros).prop_map(|(day, micros)| {
        let start = Day::of(NOW).start().as_microsecond();
        Timestamp::from_microsecond(start + day * 86_400_000_000 + micros).unwrap()
    })
}

fn generation() -> impl Strategy<Value = String> {
    (0..4_u8).prop_map(|number| format!("gen-{number}"))
}

fn amounts() -> impl Strategy<Value = Amounts> {
    (0..1_000_i64, 0..100_i64).prop_map(|(credits, byok)| Amounts {
        credits: Money::nanos(credits),
        byok: Money::nanos(byok),
    })
}

fn row() -> impl Strategy<Value = Entry> {
    let what = (generation(), 0..2_u32, 0..4_u8, moment(), amounts());
    let how = (
        (prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["x", "y"])),
        prop::option::of(Just("member".to_owned())),
        prop::sample::select(vec![Source::Reported, Source::Held, Source::Interrupted]),
        prop_oneof![9 => Just(Kind::Attempt), 1 => (1..3_u32).prop_map(Kind::Correction)],
        1..3_u8,
    );
    (what, how).prop_map(|((generation, attempt, key, admitted_at, cost), how)| {
        let ((model, upstream_model), creator, source, kind, place) = how;
        Entry {
            attempt,
            admitted_at,
            cost,
            model: model.to_owned(),
            upstream_model: upstream_model.to_owned(),
            creator,
            source,
            kind,
            workspace: workspace(place),
            ..entry(&generation, hash(key))
        }
    })
}

fn record() -> impl Strategy<Value = KeyRecord> {
    let second = prop::option::of((0..6_u8).prop_map(hash));
    (0..4_u8, second, 1..3_u8, any::<bool>(), 1..4_u64, prop::option::of(moment())).prop_map(
        |(number, second_hash, place, disabled, version, expires_at)| KeyRecord {
            creator: Some(user(number % 3 + 1).id),
            second_hash,
            disabled,
            version,
            expires_at,
            workspace: workspace(place),
            created_at: after(i64::from(number / 2)),
            ..key(number)
        },
    )
}

fn idempotent() -> impl Strategy<Value = Idempotent> {
    (0..3_u8, moment()).prop_map(|(number, expires_at)| Idempotent { expires_at, ..answer(number) })
}

fn workspace_edit() -> impl Strategy<Value = Edit> {
    let record = || {
        (1..4_u8, 1..4_u8, 1..5_u64).prop_map(|(number, slug, version)| WorkspaceRecord {
            slug: format!("team-{slug}"),
            version,
            ..workspace_record(number)
        })
    };
    let reset = || {
        let resets = vec![None, Some(Reset::Daily), Some(Reset::Weekly), Some(Reset::Monthly)];
        prop::sample::select(resets)
    };
    let put = (1..4_u8, reset(), 1..5_u64, any::<bool>(), 0..9_i64);
    prop_oneof![
        3 => record().prop_map(|mut record| {
            record.version = 1;
            Edit::CreateWorkspace(record)
        }),
        2 => record().prop_map(Edit::UpdateWorkspace),
        1 => (1..4_u8, moment())
            .prop_map(|(number, at)| Edit::DeleteWorkspace { id: workspace(number), at }),
        4 => put.prop_map(|(number, reset, version, include_byok, nanos)| Edit::PutBudget {
            budget: BudgetRecord { limit: Money::nanos(nanos), ..budget(number, reset) },
            include_byok,
            version,
        }),
        2 => (1..4_u8, reset(), 1..5_u64).prop_map(|(number, reset, version)| {
            Edit::DeleteBudget { workspace: workspace(number), reset, version }
        }),
    ]
}

fn credential_edit() -> impl Strategy<Value = Edit> {
    let record = || {
        (1..4_u8, 1..4_u8, 1..4_u64).prop_map(|(number, place, version)| {
            let workspace = (place < 3).then(|| workspace(place));
            Box::new(CredentialRecord { workspace, version, ..credential(number) })
        })
    };
    let secrets = prop::collection::btree_map(1..4_u8, 1..4_u64, 0..4);
    let anew = |(number, version)| Reencrypted {
        id: credential(number).id,
        version,
        encrypted: Encrypted(vec![number, 9]),
    };
    prop_oneof![
        3 => record().prop_map(Edit::CreateCredential),
        3 => record().prop_map(Edit::UpdateCredential),
        1 => (1..4_u8, moment())
            .prop_map(|(number, at)| Edit::DeleteCredential { id: credential(number).id, at }),
        2 => secrets.prop_map(move |secrets| {
            Edit::ReencryptCredentials(secrets.into_iter().map(anew).collect())
        }),
    ]
}

fn member_edit() -> impl Strategy<Value = Edit> {
    let numbers = || prop::collection::vec(1..4_u8, 0..3);
    prop_oneof![
        1 => (1..4_u8, moment())
            .prop_map(|(number, at)| Edit::CreateUser(UserRecord { created_at: at, ..user(number) })),
        1 => (1..4_u8).prop_map(|number| Edit::DeleteUser { id: user(number).id }),
        2 => (1..4_u8, numbers(), 1..5_u64).prop_map(|(place, numbers, version)| {
            let members = numbers.into_iter().map(|number| member(place, number)).collect();
            Edit::AddMembers { workspace: workspace(place), members, version }
        }),
        2 => (1..4_u8, numbers(), 1..5_u64).prop_map(|(place, numbers, version)| {
            let users = numbers.into_iter().map(|number| user(number).id).collect();
            Edit::RemoveMembers { workspace: workspace(place), users, version }
        }),
    ]
}

fn edit() -> impl Strategy<Value = Edit> {
    let management_key = |number, created_at| ManagementKey {
        created_at,
        ..store::contract::sample::management_key(number)
    };
    let attempt = (generation(), 0..2_u32, amounts());
    prop_oneof![
        4 => (record(), prop::option::of(idempotent()))
            .prop_map(|(key, idempotent)| Edit::CreateKey { key, idempotent, openings: Vec::new() }),
        4 => record().prop_map(Edit::UpdateKey),
        1 => (0..4_u8, moment()).prop_map(|(number, at)| Edit::DeleteKey { hash: hash(number), at }),
        4 => workspace_edit(),
        2 => credential_edit(),
        3 => member_edit(),
        1 => (3..6_u8, moment())
            .prop_map(move |(number, at)| Edit::CreateManagementKey(management_key(number, at))),
        1 => (3..6_u8, moment())
            .prop_map(|(number, at)| Edit::RevokeManagementKey { hash: hash(number), at }),
        4 => attempt
            .prop_map(|(generation, attempt, cost)| Edit::Correct { generation, attempt, cost }),
        1 => prop::sample::select(vec!["a", "b"]).prop_map(|model| {
            let EndpointMark { model, provider, upstream_model, .. } = mark(model);
            Edit::ClearMark { model, provider, upstream_model }
        }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    let recorded = (edit(), moment(), 0..9_u8).prop_map(|(edit, at, number)| {
        let mut row = audit_row("some.edit", &number.to_string());
        row.at = at;
        Change::Edit(Box::new(edit), row)
    });
    let learned = (prop::sample::select(vec!["a", "b"]), 0..9_u64).prop_map(|(model, tokens)| {
        Change::Mark(EndpointMark { prompt_overhead_tokens: tokens, ..mark(model) })
    });
    prop_oneof![
        5 => row().prop_map(|row| Change::Settle(Box::new(row))),
        5 => recorded,
        1 => learned,
        1 => sealing().prop_map(|seal| Change::Seal(Box::new(seal))),
    ]
}

fn sealing() -> impl Strategy<Value = Seal> {
    (0..8_i32, 1..9_usize, any::<bool>()).prop_map(|(day, rows_max, is_recorded)| Seal {
        before: Day::of(NOW).plus(day),
        from: None,
        rows_max,
        audit: is_recorded.then(|| audit_row("retention.run", &day.to_string())),
    })
}

/// Batches of changes. An attempt is admitted once: whatever else a repeat says, it has that date.
fn history() -> impl Strategy<Value = Vec<Vec<Change>>> {
    let batches = prop::collection::vec(prop::collection::vec(change(), 0..12), 0..6);
    let calendar = prop::collection::vec(moment(), 8);
    (batches, calendar).prop_map(|(mut batches, calendar)| {
        for change in batches.iter_mut().flatten() {
            if let Change::Settle(row) = change {
                let number: usize = row.generation["gen-".len()..].parse().unwrap();
                row.admitted_at = calendar[number * 2 + usize::from(row.attempt > 0)];
            }
        }
        batches
    })
}

/// All of the days there are rows on.
fn every_day() -> ActivityFilter {
    ActivityFilter {
        first: Day::of(NOW).plus(-1),
        last: Day::of(NOW).plus(7),
        key: None,
        workspace: None,
        creator: None,
        by_workspace: true,
    }
}

fn filters(since: Day) -> [ActivityFilter; 5] {
    let member = Some("member".to_owned());
    [
        every_day(),
        ActivityFilter { first: since, by_workspace: false, ..every_day() },
        ActivityFilter { last: since, key: Some(hash(1)), ..every_day() },
        ActivityFilter { workspace: Some(workspace(2)), ..every_day() },
        ActivityFilter { key: Some(hash(2)), creator: member, by_workspace: false, ..every_day() },
    ]
}

/// Pages of the audit log: whole, in part, and of what was asked for.
fn log_pages() -> Vec<AuditPage> {
    let all = AuditPage::newest(99);
    let action = |action: &str| AuditPage { action: Some(action.to_owned()), ..all.clone() };
    vec![
        AuditPage::newest(5),
        AuditPage { offset: 2, most: 3, ..all.clone() },
        AuditPage { offset: u64::MAX, most: u64::MAX, ..all.clone() },
        action("key."),
        action("key.update"),
        AuditPage { subject: Some(hash(1).to_string()), offset: 1, ..action("key.") },
    ]
}

/// Everything a store says, in one value that can be compared.
#[derive(Debug, PartialEq)]
struct Answers {
    keys: Vec<(KeyRecord, Tally, Option<Timestamp>)>,
    workspaces: Vec<(WorkspaceRecord, Vec<BudgetRecord>, Vec<MemberRecord>, Tally)>,
    users: Vec<UserRecord>,
    management_keys: Vec<ManagementKey>,
    marks: Vec<EndpointMark>,
    credentials: Vec<CredentialRecord>,
    pages: Vec<Vec<KeyRecord>>,
    generations: Vec<Vec<Entry>>,
    looked_up: Vec<Option<KeyRecord>>,
    looked_up_workspaces: Vec<Option<WorkspaceRecord>>,
    activity: Vec<Activity>,
    charged: Amounts,
    idempotent: Vec<Option<Idempotent>>,
    unresolved: Vec<Vec<Entry>>,
    export: Vec<ExportLine>,
    audit_log: Vec<AuditLog>,
    rows_and_keys: (u64, u64),
}

fn answers(store: &dyn Store, since: Day) -> Answers {
    // A snapshot promises no order.
    let mut snapshot = store.snapshot(since).unwrap();
    snapshot.keys.sort_by_key(|key| key.record.hash);
    snapshot.workspaces.sort_by_key(|workspace| workspace.record.id);
    snapshot.management_keys.sort_by_key(|key| key.hash);
    snapshot.credentials.sort_by_key(|record| record.id);
    snapshot.marks.sort_by(|one, other| one.model.cmp(&other.model));
    let page = |place, include_disabled, offset: i64| KeyPage {
        workspace: workspace(place),
        include_disabled,
        unexpired_at: (offset > 0).then(|| after(offset * 100_000)),
        offset: offset.unsigned_abs(),
        most: 2,
    };
    let pages = [page(1, true, 0), page(1, false, 1), page(2, true, 1), page(2, false, 0)];
    let report = store.audit().unwrap();
    assert_eq!(report.differences, []);
    Answers {
        keys: snapshot
            .keys
            .into_iter()
            .map(|key| (key.record, key.tally, key.last_used_at))
            .collect(),
        workspaces: snapshot
            .workspaces
            .into_iter()
            .map(|loaded| (loaded.record, loaded.budgets, loaded.members, loaded.tally))
            .collect(),
        users: snapshot.users,
        management_keys: snapshot.management_keys,
        marks: snapshot.marks,
        credentials: snapshot.credentials,
        pages: pages.iter().map(|page| store.keys(page).unwrap()).collect(),
        generations: (0..4)
            .map(|number| store.generation(&format!("gen-{number}")).unwrap())
            .collect(),
        looked_up_workspaces: (0..5)
            .map(|number| store.workspace(workspace(number)).unwrap())
            .collect(),
        looked_up: (0..6).map(|number| store.key(hash(number)).unwrap()).collect(),
        activity: filters(since).iter().map(|filter| store.activity(filter).unwrap()).collect(),
        charged: store.charged().unwrap(),
        idempotent: (0..3)
            .map(|number| store.idempotent(&answer(number).id, after(172_800)).unwrap())
            .collect(),
        unresolved: [2, 99].map(|most| store.unresolved(most).unwrap()).into(),
        export: export(store),
        audit_log: log_pages().iter().map(|page| store.audit_log(page).unwrap()).collect(),
        rows_and_keys: (report.rows, report.keys),
    }
}

/// Every figure a store reports.
#[derive(Debug, PartialEq)]
struct Figures {
    keys: Vec<(KeyHash, Tally, Option<Timestamp>)>,
    workspaces: Vec<(uuid::Uuid, Tally)>,
    newest_days: Vec<Option<Day>>,
    activity: Activity,
    charged: Amounts,
    unresolved: Vec<Entry>,
    report: Report,
}

fn figures(store: &dyn Store) -> Figures {
    let (mut keys, mut workspaces) = (Vec::new(), Vec::new());
    for since in -1..9 {
        let snapshot = store.snapshot(Day::of(NOW).plus(since)).unwrap();
        let mut live: Vec<_> = snapshot
            .keys
            .into_iter()
            .map(|key| (key.record.hash, key.tally, key.last_used_at))
            .collect();
        live.sort_by_key(|(hash, ..)| *hash);
        keys.extend(live);
        let mut live: Vec<_> = snapshot
            .workspaces
            .into_iter()
            .map(|loaded| (loaded.record.id, loaded.tally))
            .collect();
        live.sort_by_key(|(id, _)| *id);
        workspaces.extend(live);
    }
    let report = store.audit().unwrap();
    assert_eq!(report.differences, []);
    Figures {
        keys,
        workspaces,
        newest_days: (1..9).map(|days| store.newest_days(days).unwrap()).collect(),
        activity: store.activity(&every_day()).unwrap(),
        charged: store.charged().unwrap(),
        unresolved: store.unresolved(99).unwrap(),
        report,
    }
}

/// Seals in batches of `rows_max` rows, and says how many went.
fn seal_all(store: &dyn Store, before: Day, rows_max: usize) -> u64 {
    let (mut from, mut rows) = (None, 0);
    loop {
        let seal = Seal { before, from, rows_max, audit: None };
        let Outcome::Sealed(sealing) = commit(store, Change::Seal(Box::new(seal))) else {
            panic!("not sealed")
        };
        rows += sealing.rows;
        from = sealing.next;
        if from.is_none() {
            return rows;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sqlite_says_what_the_reference_says(
        batches in history(),
        since in 0..8_i32,
    ) {
        let (reference, sqlite) = (MemoryStore::new(), TempStore::new());
        for batch in batches {
            prop_assert_eq!(sqlite.commit(&batch).unwrap(), reference.commit(&batch).unwrap());
        }
        let since = Day::of(NOW).plus(since);
        prop_assert_eq!(answers(&*sqlite, since), answers(&reference, since));
    }

    #[test]
    fn whatever_is_sealed_no_figure_changes_and_no_settlement_counts_again(
        batches in history(),
        before in 0..9_i32,
        rows_max in 1..9_usize,
    ) {
        let store = TempStore::new();
        batches.iter().for_each(|batch| drop(store.commit(batch).unwrap()));
        let (was, before) = (figures(&*store), Day::of(NOW).plus(before));
        let would_go = store.sealable(before).unwrap();
        prop_assert_eq!(would_go.rows, seal_all(&*store, before, rows_max));
        prop_assert_eq!(&figures(&*store), &was);
        prop_assert_eq!(store.sealable(before).unwrap().rows, 0);
        let settlements: Vec<Change> = batches
            .into_iter()
            .flatten()
            .filter(|change| matches!(change, Change::Settle(_)))
            .collect();
        for outcome in store.commit(&settlements).unwrap() {
            prop_assert!(matches!(outcome, Outcome::Settled { is_new: false, .. }), "{outcome:?}");
        }
        prop_assert_eq!(&figures(&*store), &was);
    }

    #[test]
    fn the_activity_of_every_day_is_the_sum_of_the_rows(
        batches in history(),
    ) {
        let store = TempStore::new();
        batches.iter().for_each(|batch| drop(store.commit(batch).unwrap()));
        let mut rows = ActivityFigures::default();
        for line in export(&*store) {
            match line {
                ExportLine::Entry(row) => rows.add(&ActivityFigures::of(&SealedRow::of(&row))),
                ExportLine::Sealed(row) => rows.add(&ActivityFigures::of(&row)),
                _ => {}
            }
        }
        let mut sums = ActivityFigures::default();
        store.activity(&every_day()).unwrap().values().for_each(|figures| sums.add(figures));
        prop_assert_eq!(sums, rows);
        prop_assert_eq!(store.charged().unwrap(), rows.cost);
    }
}
