//! Records to try a store with, every field of them filled, and short ways to commit and ask.
//! All panic on an error, since they are for tests.

use std::num::NonZeroU64;

use jiff::Timestamp;
use ledger::{Amounts, Day, Pace, Period};
use money::Money;
use uuid::Uuid;

use crate::{
    ApiType, Attempt, AuditRow, BudgetRecord, Change, CredentialRecord, Edit, Encrypted,
    EndpointMark, Entry, ExportLine, Idempotent, KeyHash, KeyRecord, Kind, LoadedKey,
    ManagementKey, MemberRecord, MemberRole, OrgRole, Outcome, Region, Reset, Source, Store,
    Tokens, UserRecord, WorkspaceRecord,
};

/// A Sunday's noon, 2026-11-22T12:00:00Z: the moment every record is made at unless it says so.
pub const NOW: Timestamp = Timestamp::constant(1_795_348_800, 0);

/// `NOW` and that many seconds.
pub fn after(seconds: i64) -> Timestamp {
    NOW + jiff::SignedDuration::from_secs(seconds)
}

/// The moment of that text.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

/// A hash, told from others by `number`.
pub fn hash(number: u8) -> KeyHash {
    KeyHash([number; 32])
}

/// A workspace, told from others by `number`.
pub fn workspace(number: u8) -> Uuid {
    Uuid::from_bytes([number; 16])
}

/// A workspace with every setting set.
pub fn workspace_record(number: u8) -> WorkspaceRecord {
    WorkspaceRecord {
        id: workspace(number),
        slug: format!("team-{number}"),
        name: format!("Team {number} ✓"),
        description: Some("what it is \"for\"".to_owned()),
        default_text_model: Some("openai/gpt-4o-mini".to_owned()),
        default_image_model: Some("openai/gpt-image-1".to_owned()),
        default_provider_sort: Some("price".to_owned()),
        is_observability_io_logging_enabled: true,
        is_observability_broadcast_enabled: true,
        is_data_discount_logging_enabled: true,
        io_logging_sampling_millionths: 250_000,
        io_logging_api_key_ids: Some(vec![1, -7, i64::MAX]),
        disabled_server_tools: Some(vec!["web_search".to_owned()]),
        include_byok_in_budgets: true,
        created_at: after(i64::from(number)),
        updated_at: Some(at("2026-11-22T12:00:00.000001Z")),
        created_by: Some("operator".to_owned()),
        version: 1,
    }
}

/// The same with all that may be absent absent.
pub fn bare_workspace(number: u8) -> WorkspaceRecord {
    WorkspaceRecord {
        description: None,
        default_text_model: None,
        default_image_model: None,
        default_provider_sort: None,
        is_observability_io_logging_enabled: false,
        is_observability_broadcast_enabled: false,
        is_data_discount_logging_enabled: false,
        io_logging_sampling_millionths: 1_000_000,
        io_logging_api_key_ids: None,
        disabled_server_tools: None,
        include_byok_in_budgets: false,
        updated_at: None,
        created_by: None,
        ..workspace_record(number)
    }
}

/// A budget of the workspace of that number.
pub fn budget(number: u8, reset: Option<Reset>) -> BudgetRecord {
    let mut budget = BudgetRecord {
        id: Uuid::nil(),
        workspace: workspace(number),
        reset,
        limit: Money::nanos(500_000_000_001),
        created_at: after(1),
        updated_at: at("2026-11-22T12:00:00.000002Z"),
    };
    budget.id =
        Uuid::from_bytes([number, budget.place(), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    budget
}

/// A user.
pub fn user(number: u8) -> UserRecord {
    UserRecord {
        id: format!("user-{number}"),
        email: format!("user-{number}@example.com"),
        first_name: Some("Ada ✓".to_owned()),
        last_name: Some("O'Brien".to_owned()),
        role: OrgRole::Admin,
        created_at: after(i64::from(number)),
    }
}

/// The user of a number as a member of the workspace of another.
pub fn member(place: u8, number: u8) -> MemberRecord {
    let bytes = [place, number, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7];
    MemberRecord {
        id: Uuid::from_bytes(bytes),
        workspace: workspace(place),
        user: user(number).id,
        role: if number.is_multiple_of(2) { MemberRole::Member } else { MemberRole::Admin },
        created_at: after(i64::from(number)),
    }
}

/// So many nano-dollars in credits.
pub fn credits(nanos: i64) -> Amounts {
    Amounts::credits(Money::nanos(nanos))
}

/// A key with every setting set.
pub fn key(number: u8) -> KeyRecord {
    KeyRecord {
        hash: hash(number),
        second_hash: Some(KeyHash([number; 32].map(|byte| byte ^ 0x80))),
        label: format!("sk-or-v1-{number:02x}...abc"),
        name: format!("key {number} ✓"),
        disabled: false,
        limit: Some(Money::nanos(25_500_000_001)),
        limit_reset: Some(Reset::Weekly),
        include_byok_in_limit: true,
        created_at: after(i64::from(number)),
        updated_at: Some(at("2026-11-22T12:00:00.000001Z")),
        expires_at: Some(at("2027-11-22T12:00:00.999999Z")),
        creator: Some("member".to_owned()),
        workspace: workspace(1),
        external_user: Some("end user".to_owned()),
        version: 1,
        allowed_models: Some(vec!["openai/*".to_owned(), "a \"b\"/ü".to_owned()]),
        pace: Pace {
            requests_per_minute: NonZeroU64::new(60),
            tokens_per_minute: NonZeroU64::new(1_000_000_000),
            concurrent_requests: NonZeroU64::new(1),
        },
    }
}

/// The first attempt at `generation`, paid by `key`, with every field filled.
pub fn entry(generation: &str, key: KeyHash) -> Entry {
    Entry {
        generation: generation.to_owned(),
        api_type: ApiType::Embeddings,
        attempt: 0,
        kind: Kind::Attempt,
        key,
        workspace: workspace(1),
        creator: Some("member".to_owned()),
        model: "openai/gpt-4o-mini".to_owned(),
        provider: "openai".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
        credential: Some(Uuid::from_bytes([9; 16])),
        admitted_at: NOW,
        cost: Amounts { credits: Money::nanos(1_000), byok: Money::nanos(70) },
        held: Amounts { credits: Money::nanos(5_000), byok: Money::nanos(300) },
        source: Source::Reported,
        tokens: Tokens { prompt: 300, completion: 20, cached: 100, cache_write: 7, reasoning: 11 },
        cache_discount: Some(Money::nanos(-40)),
        upstream_id: Some("chatcmpl-1".to_owned()),
        streamed: true,
        cancelled: true,
        finish_reason: Some("stop".to_owned()),
        latency_ms: 1_234,
        generation_ms: 987,
        attempts: vec![attempt("openai", Some(200)), attempt("azure \"west\"", None)],
        referer: Some("https://example.com/?a=b".to_owned()),
        user_agent: Some("agent/1.0".to_owned()),
        session: Some("session".to_owned()),
    }
}

/// The same with all that may be absent absent.
pub fn bare_entry(generation: &str, key: KeyHash) -> Entry {
    Entry {
        api_type: ApiType::Completions,
        creator: None,
        credential: None,
        cost: Amounts::ZERO,
        held: Amounts::ZERO,
        tokens: Tokens::default(),
        cache_discount: None,
        upstream_id: None,
        streamed: false,
        cancelled: false,
        finish_reason: None,
        attempts: Vec::new(),
        referer: None,
        user_agent: None,
        session: None,
        ..entry(generation, key)
    }
}

fn attempt(provider: &str, status: Option<u16>) -> Attempt {
    Attempt {
        provider: provider.to_owned(),
        model: "openai/gpt-4o-mini".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
        status,
        latency_ms: 640,
        is_byok: provider == "openai",
    }
}

/// A management key.
pub fn management_key(number: u8) -> ManagementKey {
    ManagementKey {
        hash: hash(number),
        label: format!("sk-mgmt-{number:02x}...abc"),
        name: format!("operator {number}"),
        created_at: after(i64::from(number)),
        revoked_at: None,
    }
}

/// A credential with every setting set.
pub fn credential(number: u8) -> CredentialRecord {
    CredentialRecord {
        id: Uuid::from_bytes([number; 16]),
        provider: "openai".to_owned(),
        workspace: Some(workspace(1)),
        name: Some(format!("credential {number} ✓")),
        label: "sk-...AbCd".to_owned(),
        encrypted: Encrypted(vec![1, number, 0, 255]),
        disabled: true,
        is_fallback: true,
        is_required: true,
        is_byok_only: false,
        sort_order: u32::from(number) + 7,
        allowed_models: Some(vec!["openai/*".to_owned(), "a \"b\"/ü".to_owned()]),
        allowed_api_key_hashes: Some(vec![hash(1), hash(2)]),
        allowed_user_ids: Some(vec!["member".to_owned()]),
        declared_region: Some(Region::Europe),
        declared_zdr: Some(false),
        created_at: after(i64::from(number)),
        updated_at: Some(at("2026-11-22T12:00:00.000001Z")),
        version: 1,
    }
}

/// The same with all that may be absent absent.
pub fn bare_credential(number: u8) -> CredentialRecord {
    CredentialRecord {
        workspace: None,
        name: None,
        disabled: false,
        is_fallback: false,
        is_required: false,
        is_byok_only: true,
        sort_order: 0,
        allowed_models: None,
        allowed_api_key_hashes: None,
        allowed_user_ids: None,
        declared_region: None,
        declared_zdr: None,
        updated_at: None,
        ..credential(number)
    }
}

/// What was learned about an endpoint of `model`.
pub fn mark(model: &str) -> EndpointMark {
    EndpointMark {
        model: model.to_owned(),
        provider: "openai".to_owned(),
        upstream_model: "gpt-4o-mini".to_owned(),
        prompt_overhead_tokens: 512,
        held_at_maximum: true,
        barred: false,
    }
}

/// An answer to keep for an hour after [`NOW`].
pub fn answer(number: u8) -> Idempotent {
    Idempotent {
        id: [number; 32],
        body: [number ^ 0xff; 32],
        answer: vec![0, number, 255],
        expires_at: after(3_600),
    }
}

/// The row for an edit of `subject`.
pub fn audit_row(action: &str, subject: &str) -> AuditRow {
    AuditRow {
        at: NOW,
        actor: "operator".to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        before: None,
        after: Some("{\"name\":\"ci\"}".to_owned()),
    }
}

/// Commits one change.
pub fn commit(store: &dyn Store, change: Change) -> Outcome {
    let [outcome] = commit_all(store, &[change]).try_into().expect("one outcome");
    outcome
}

/// Commits a batch.
pub fn commit_all(store: &dyn Store, changes: &[Change]) -> Vec<Outcome> {
    let outcomes = store.commit(changes).expect("the store commits");
    assert_eq!(outcomes.len(), changes.len());
    outcomes
}

/// Settles `entry`, and returns the cost in the book and whether the row is new.
pub fn settle(store: &dyn Store, entry: &Entry) -> (Amounts, bool) {
    match commit(store, settlement(entry)) {
        Outcome::Settled { cost, is_new } => (cost, is_new),
        other => panic!("not settled: {other:?}"),
    }
}

/// The change that settles `entry`.
pub fn settlement(entry: &Entry) -> Change {
    Change::Settle(Box::new(entry.clone()))
}

/// Makes an edit, recorded as by [`audit_row`].
pub fn edit(store: &dyn Store, edit: Edit) -> Outcome {
    commit(store, recorded(edit))
}

/// The change that makes an edit, recorded as by [`audit_row`].
pub fn recorded(edit: Edit) -> Change {
    let row = match &edit {
        Edit::CreateKey { key, .. } => audit_row("key.create", &key.hash.to_string()),
        Edit::UpdateKey(key) => audit_row("key.update", &key.hash.to_string()),
        Edit::DeleteKey { hash, .. } => audit_row("key.delete", &hash.to_string()),
        Edit::CreateManagementKey(key) => audit_row("management_key.create", &key.hash.to_string()),
        Edit::RevokeManagementKey { hash, .. } => {
            audit_row("management_key.revoke", &hash.to_string())
        }
        Edit::CreateWorkspace(record) => audit_row("workspace.create", &record.id.to_string()),
        Edit::UpdateWorkspace(record) => audit_row("workspace.update", &record.id.to_string()),
        Edit::DeleteWorkspace { id, .. } => audit_row("workspace.delete", &id.to_string()),
        Edit::PutBudget { budget, .. } => audit_row("budget.put", &budget.workspace.to_string()),
        Edit::DeleteBudget { workspace, .. } => audit_row("budget.delete", &workspace.to_string()),
        Edit::CreateUser(user) => audit_row("user.create", &user.id),
        Edit::DeleteUser { id } => audit_row("user.delete", id),
        Edit::AddMembers { workspace, .. } => audit_row("member.add", &workspace.to_string()),
        Edit::RemoveMembers { workspace, .. } => audit_row("member.remove", &workspace.to_string()),
        Edit::Correct { generation, .. } => audit_row("generation.correct", generation),
        Edit::ClearMark { model, .. } => audit_row("endpoint.clear", model),
        Edit::CreateCredential(record) => audit_row("byok.create", &record.id.to_string()),
        Edit::UpdateCredential(record) => audit_row("byok.update", &record.id.to_string()),
        Edit::DeleteCredential { id, .. } => audit_row("byok.delete", &id.to_string()),
        Edit::ReencryptCredentials(_) => audit_row("secrets.rotate", "master key"),
    };
    Change::Edit(Box::new(edit), row)
}

/// The whole book.
pub fn export(store: &dyn Store) -> Vec<ExportLine> {
    let mut lines = Vec::new();
    let keep = &mut |line| {
        lines.push(line);
        Ok(())
    };
    store.export(keep).expect("the store reads");
    lines
}

/// Makes a key.
pub fn create(store: &dyn Store, key: KeyRecord) -> Outcome {
    edit(store, Edit::CreateKey { key, idempotent: None, openings: Vec::new() })
}

/// Makes a workspace.
pub fn create_workspace(store: &dyn Store, record: WorkspaceRecord) -> Outcome {
    edit(store, Edit::CreateWorkspace(record))
}

/// Deletes a key at [`NOW`].
pub fn delete(store: &dyn Store, hash: KeyHash) -> Outcome {
    edit(store, Edit::DeleteKey { hash, at: NOW })
}

/// Corrects an attempt to `cost`.
pub fn correct(store: &dyn Store, generation: &str, attempt: u32, cost: Amounts) -> Outcome {
    edit(store, Edit::Correct { generation: generation.to_owned(), attempt, cost })
}

/// A live key as it would be loaded at a start, by day from `since` on.
pub fn loaded(store: &dyn Store, hash: KeyHash, since: Day) -> Option<LoadedKey> {
    let snapshot = store.snapshot(since).expect("the store reads");
    snapshot.keys.into_iter().find(|key| key.record.hash == hash)
}

/// What a live key has spent in all.
pub fn total(store: &dyn Store, hash: KeyHash) -> Amounts {
    let key = loaded(store, hash, Day::of(NOW)).expect("a live key");
    key.tally.settled(Period::Lifetime.window(Day::of(NOW)))
}

/// What a live key has spent on the day of `moment`.
pub fn spent_on(store: &dyn Store, hash: KeyHash, moment: &str) -> Amounts {
    let day = Day::of(at(moment));
    let key = loaded(store, hash, Day::from_number(0)).expect("a live key");
    key.tally.settled(Period::Day.window(day))
}
