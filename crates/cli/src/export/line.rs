//! What a line of an export says. `docs/export.md` describes every field; a change here that takes
//! one away or gives it another meaning raises [`FORMAT`].

use std::num::NonZeroU64;

use jiff::Timestamp;
use ledger::Pace;
use money::Money;
use serde::Serialize;
use serde_json::value::RawValue;
use store::{
    Attempt, AuditRow, BudgetRecord, CredentialRecord, EndpointMark, Entry, ExportLine, KeyHash,
    KeyRecord, Kind, ManagementKey, MemberRecord, Region, SealedRow, Tokens, UserRecord,
    WorkspaceRecord,
};

/// The version of the form.
pub(super) const FORMAT: u32 = 1;

/// One line, its `type` first.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line {
    Export { format: u32 },
    Key(Box<Key>),
    ManagementKey(Manager),
    Workspace(Box<Workspace>),
    Budget(Budget),
    Credential(Box<Credential>),
    User(User),
    Member(Member),
    Entry(Box<Row>),
    Sealed(Box<Sealed>),
    EndpointMark(Mark),
    Audit(Audit),
    End { lines: u64 },
}

#[derive(Serialize)]
pub(super) struct Key {
    hash: String,
    second_hash: Option<String>,
    label: String,
    name: String,
    disabled: bool,
    limit: Option<String>,
    limit_reset: Option<&'static str>,
    include_byok_in_limit: bool,
    created_at: String,
    updated_at: Option<String>,
    expires_at: Option<String>,
    deleted_at: Option<String>,
    creator: Option<String>,
    workspace: String,
    external_user: Option<String>,
    allowed_models: Option<Vec<String>>,
    requests_per_minute: Option<NonZeroU64>,
    tokens_per_minute: Option<NonZeroU64>,
    concurrent_requests: Option<NonZeroU64>,
    version: u64,
}

#[derive(Serialize)]
pub(super) struct Manager {
    hash: String,
    label: String,
    name: String,
    created_at: String,
    revoked_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Workspace {
    id: String,
    slug: String,
    name: String,
    description: Option<String>,
    default_text_model: Option<String>,
    default_image_model: Option<String>,
    default_provider_sort: Option<String>,
    is_observability_io_logging_enabled: bool,
    is_observability_broadcast_enabled: bool,
    is_data_discount_logging_enabled: bool,
    io_logging_sampling_millionths: u32,
    io_logging_api_key_ids: Option<Vec<i64>>,
    disabled_server_tools: Option<Vec<String>>,
    include_byok_in_budgets: bool,
    created_at: String,
    updated_at: Option<String>,
    deleted_at: Option<String>,
    created_by: Option<String>,
    version: u64,
}

#[derive(Serialize)]
pub(super) struct Budget {
    id: String,
    workspace: String,
    reset: Option<&'static str>,
    limit: String,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
pub(super) struct Credential {
    id: String,
    provider: String,
    workspace: Option<String>,
    name: Option<String>,
    label: String,
    disabled: bool,
    is_fallback: bool,
    is_required: bool,
    is_byok_only: bool,
    sort_order: u32,
    allowed_models: Option<Vec<String>>,
    allowed_api_key_hashes: Option<Vec<String>>,
    allowed_user_ids: Option<Vec<String>>,
    declared_region: Option<&'static str>,
    declared_zdr: Option<bool>,
    created_at: String,
    updated_at: Option<String>,
    deleted_at: Option<String>,
    version: u64,
}

#[derive(Serialize)]
pub(super) struct User {
    id: String,
    email: String,
    first_name: Option<String>,
    last_name: Option<String>,
    role: &'static str,
    created_at: String,
}

#[derive(Serialize)]
pub(super) struct Member {
    id: String,
    workspace: String,
    user: String,
    role: &'static str,
    created_at: String,
}

#[derive(Serialize)]
pub(super) struct Row {
    generation: String,
    api_type: &'static str,
    attempt: u32,
    correction: Option<u32>,
    /// Only there on the row of what a key had spent before it came here.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    opening: bool,
    key: String,
    workspace: String,
    creator: Option<String>,
    model: String,
    provider: String,
    upstream_model: String,
    credential: Option<String>,
    admitted_at: String,
    credits: String,
    byok: String,
    held_credits: String,
    held_byok: String,
    source: &'static str,
    #[serde(flatten)]
    tokens: Counts,
    cache_discount: Option<String>,
    upstream_id: Option<String>,
    streamed: bool,
    cancelled: bool,
    finish_reason: Option<String>,
    latency_ms: u64,
    generation_ms: u64,
    attempts: Vec<Call>,
    referer: Option<String>,
    user_agent: Option<String>,
    session: Option<String>,
}

#[derive(Serialize)]
struct Call {
    provider: String,
    model: String,
    upstream_model: String,
    status: Option<u16>,
    latency_ms: u64,
    is_byok: bool,
}

#[derive(Serialize)]
pub(super) struct Sealed {
    day: String,
    key: String,
    workspace: String,
    creator: Option<String>,
    model: String,
    provider: String,
    upstream_model: String,
    rows: u64,
    requests: u64,
    credits: String,
    byok: String,
    #[serde(flatten)]
    tokens: Counts,
    last_used_at: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Counts {
    prompt_tokens: u64,
    completion_tokens: u64,
    cached_tokens: u64,
    cache_write_tokens: u64,
    reasoning_tokens: u64,
}

#[derive(Serialize)]
pub(super) struct Mark {
    model: String,
    provider: String,
    upstream_model: String,
    prompt_overhead_tokens: u64,
    held_at_maximum: bool,
    barred: bool,
}

/// A row of the audit log, as `tollgate audit log --json` prints it too.
#[derive(Serialize)]
pub(crate) struct Audit {
    at: String,
    actor: String,
    action: String,
    subject: String,
    before: Option<Box<RawValue>>,
    after: Option<Box<RawValue>>,
}

impl From<ExportLine> for Line {
    fn from(line: ExportLine) -> Line {
        match line {
            ExportLine::Key(key, deleted_at) => Line::Key(Box::new(self::key(*key, deleted_at))),
            ExportLine::ManagementKey(key) => Line::ManagementKey(manager(key)),
            ExportLine::Workspace(workspace, deleted_at) => {
                Line::Workspace(Box::new(self::workspace(*workspace, deleted_at)))
            }
            ExportLine::User(user) => Line::User(self::user(user)),
            ExportLine::Member(member) => Line::Member(self::member(member)),
            ExportLine::Budget(budget) => Line::Budget(self::budget(&budget)),
            ExportLine::Credential(record, deleted_at) => {
                Line::Credential(Box::new(credential(*record, deleted_at)))
            }
            ExportLine::Entry(entry) => Line::Entry(Box::new(row(*entry))),
            ExportLine::Sealed(sealed) => Line::Sealed(Box::new(self::sealed(*sealed))),
            ExportLine::Mark(mark) => Line::EndpointMark(self::mark(mark)),
            ExportLine::Audit(row) => Line::Audit(row.into()),
        }
    }
}

// Each record is taken apart by name, so that a new field of it does not compile until it is
// exported as well.

fn key(key: KeyRecord, deleted_at: Option<Timestamp>) -> Key {
    let KeyRecord {
        hash,
        second_hash,
        label,
        name,
        disabled,
        limit,
        limit_reset,
        include_byok_in_limit,
        created_at,
        updated_at,
        expires_at,
        creator,
        workspace,
        external_user,
        allowed_models,
        pace: Pace { requests_per_minute, tokens_per_minute, concurrent_requests },
        version,
    } = key;
    Key {
        hash: hash.to_string(),
        second_hash: second_hash.as_ref().map(KeyHash::to_string),
        label,
        name,
        disabled,
        limit: limit.as_ref().map(Money::to_string),
        limit_reset: limit_reset.map(store::Reset::as_str),
        include_byok_in_limit,
        created_at: created_at.to_string(),
        updated_at: updated_at.as_ref().map(Timestamp::to_string),
        expires_at: expires_at.as_ref().map(Timestamp::to_string),
        deleted_at: deleted_at.as_ref().map(Timestamp::to_string),
        creator,
        workspace: workspace.to_string(),
        external_user,
        allowed_models,
        requests_per_minute,
        tokens_per_minute,
        concurrent_requests,
        version,
    }
}

fn manager(key: ManagementKey) -> Manager {
    let ManagementKey { hash, label, name, created_at, revoked_at } = key;
    Manager {
        hash: hash.to_string(),
        label,
        name,
        created_at: created_at.to_string(),
        revoked_at: revoked_at.as_ref().map(Timestamp::to_string),
    }
}

fn workspace(record: WorkspaceRecord, deleted_at: Option<Timestamp>) -> Workspace {
    let WorkspaceRecord {
        id,
        slug,
        name,
        description,
        default_text_model,
        default_image_model,
        default_provider_sort,
        is_observability_io_logging_enabled,
        is_observability_broadcast_enabled,
        is_data_discount_logging_enabled,
        io_logging_sampling_millionths,
        io_logging_api_key_ids,
        disabled_server_tools,
        include_byok_in_budgets,
        created_at,
        updated_at,
        created_by,
        version,
    } = record;
    Workspace {
        id: id.to_string(),
        slug,
        name,
        description,
        default_text_model,
        default_image_model,
        default_provider_sort,
        is_observability_io_logging_enabled,
        is_observability_broadcast_enabled,
        is_data_discount_logging_enabled,
        io_logging_sampling_millionths,
        io_logging_api_key_ids,
        disabled_server_tools,
        include_byok_in_budgets,
        created_at: created_at.to_string(),
        updated_at: updated_at.as_ref().map(Timestamp::to_string),
        deleted_at: deleted_at.as_ref().map(Timestamp::to_string),
        created_by,
        version,
    }
}

fn budget(budget: &BudgetRecord) -> Budget {
    let BudgetRecord { id, workspace, reset, limit, created_at, updated_at } = *budget;
    Budget {
        id: id.to_string(),
        workspace: workspace.to_string(),
        reset: reset.map(store::Reset::as_str),
        limit: limit.to_string(),
        created_at: created_at.to_string(),
        updated_at: updated_at.to_string(),
    }
}

fn credential(record: CredentialRecord, deleted_at: Option<Timestamp>) -> Credential {
    let CredentialRecord {
        id,
        provider,
        workspace,
        name,
        label,
        // Not even so does a secret leave the book this way; a backup has it.
        encrypted: _,
        disabled,
        is_fallback,
        is_required,
        is_byok_only,
        sort_order,
        allowed_models,
        allowed_api_key_hashes,
        allowed_user_ids,
        declared_region,
        declared_zdr,
        created_at,
        updated_at,
        version,
    } = record;
    let hashes = |hashes: Vec<KeyHash>| hashes.iter().map(KeyHash::to_string).collect();
    Credential {
        id: id.to_string(),
        provider,
        workspace: workspace.map(|id| id.to_string()),
        name,
        label,
        disabled,
        is_fallback,
        is_required,
        is_byok_only,
        sort_order,
        allowed_models,
        allowed_api_key_hashes: allowed_api_key_hashes.map(hashes),
        allowed_user_ids,
        declared_region: declared_region.map(Region::as_str),
        declared_zdr,
        created_at: created_at.to_string(),
        updated_at: updated_at.as_ref().map(Timestamp::to_string),
        deleted_at: deleted_at.as_ref().map(Timestamp::to_string),
        version,
    }
}

fn user(user: UserRecord) -> User {
    let UserRecord { id, email, first_name, last_name, role, created_at } = user;
    let (role, created_at) = (role.as_str(), created_at.to_string());
    User { id, email, first_name, last_name, role, created_at }
}

fn member(member: MemberRecord) -> Member {
    let MemberRecord { id, workspace, user, role, created_at } = member;
    Member {
        id: id.to_string(),
        workspace: workspace.to_string(),
        user,
        role: role.as_str(),
        created_at: created_at.to_string(),
    }
}

fn row(entry: Entry) -> Row {
    let Entry {
        generation,
        api_type,
        attempt,
        kind,
        key,
        workspace,
        creator,
        model,
        provider,
        upstream_model,
        credential,
        admitted_at,
        cost,
        held,
        source,
        tokens,
        cache_discount,
        upstream_id,
        streamed,
        cancelled,
        finish_reason,
        latency_ms,
        generation_ms,
        attempts,
        referer,
        user_agent,
        session,
    } = entry;
    Row {
        generation,
        api_type: api_type.as_str(),
        attempt,
        correction: match kind {
            Kind::Attempt | Kind::Opening => None,
            Kind::Correction(number) => Some(number),
        },
        opening: kind == Kind::Opening,
        key: key.to_string(),
        workspace: workspace.to_string(),
        creator,
        model,
        provider,
        upstream_model,
        credential: credential.map(|credential| credential.to_string()),
        admitted_at: admitted_at.to_string(),
        credits: cost.credits.to_string(),
        byok: cost.byok.to_string(),
        held_credits: held.credits.to_string(),
        held_byok: held.byok.to_string(),
        source: source.as_str(),
        tokens: counts(tokens),
        cache_discount: cache_discount.as_ref().map(Money::to_string),
        upstream_id,
        streamed,
        cancelled,
        finish_reason,
        latency_ms,
        generation_ms,
        attempts: attempts.into_iter().map(call).collect(),
        referer,
        user_agent,
        session,
    }
}

fn call(attempt: Attempt) -> Call {
    let Attempt { provider, model, upstream_model, status, latency_ms, is_byok } = attempt;
    Call { provider, model, upstream_model, status, latency_ms, is_byok }
}

fn sealed(sealed: SealedRow) -> Sealed {
    let SealedRow {
        day,
        key,
        workspace,
        creator,
        model,
        provider,
        upstream_model,
        rows,
        requests,
        cost,
        tokens,
        last_used_at,
    } = sealed;
    Sealed {
        day: day.date().to_string(),
        key: key.to_string(),
        workspace: workspace.to_string(),
        creator,
        model,
        provider,
        upstream_model,
        rows,
        requests,
        credits: cost.credits.to_string(),
        byok: cost.byok.to_string(),
        tokens: counts(tokens),
        last_used_at: last_used_at.as_ref().map(Timestamp::to_string),
    }
}

fn counts(tokens: Tokens) -> Counts {
    let Tokens { prompt, completion, cached, cache_write, reasoning } = tokens;
    Counts {
        prompt_tokens: prompt,
        completion_tokens: completion,
        cached_tokens: cached,
        cache_write_tokens: cache_write,
        reasoning_tokens: reasoning,
    }
}

fn mark(mark: EndpointMark) -> Mark {
    let EndpointMark {
        model,
        provider,
        upstream_model,
        prompt_overhead_tokens,
        held_at_maximum,
        barred,
    } = mark;
    Mark { model, provider, upstream_model, prompt_overhead_tokens, held_at_maximum, barred }
}

impl From<AuditRow> for Audit {
    fn from(row: AuditRow) -> Audit {
        let AuditRow { at, actor, action, subject, before, after } = row;
        Audit {
            at: at.to_string(),
            actor,
            action,
            subject,
            before: before.as_deref().and_then(json),
            after: after.as_deref().and_then(json),
        }
    }
}

/// JSON as it is kept; a text that is none becomes a string of it.
fn json(text: &str) -> Option<Box<RawValue>> {
    let is_one_line = !text.contains(['\n', '\r']);
    let raw = is_one_line.then(|| RawValue::from_string(text.to_owned()).ok()).flatten();
    raw.or_else(|| serde_json::value::to_raw_value(text).ok())
}
