//! The rows themselves, and every question about them answered by looking at all of them.
//! No sum is kept, so none can be wrong.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeSet;

use jiff::Timestamp;
use ledger::{Amounts, Day, Tally};
use uuid::Uuid;

use super::byok::Credentials;
use super::workspaces::KeptWorkspace;
use crate::{
    Activity, ActivityFigures, ActivityFilter, AuditLog, AuditPage, AuditRow, BudgetRecord, Change,
    Edit, EndpointMark, Entry, ExportLine, Idempotent, KeyHash, KeyPage, KeyRecord, Kind,
    LoadedKey, ManagementKey, MemberRecord, Outcome, Refused, Report, SealedRow, Snapshot, Source,
    UserRecord, correction,
};

/// A key with when it was deleted.
#[derive(Debug)]
struct KeptKey {
    record: KeyRecord,
    deleted_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(super) struct Book {
    keys: Vec<KeptKey>,
    pub(super) workspaces: Vec<KeptWorkspace>,
    pub(super) budgets: Vec<BudgetRecord>,
    pub(super) users: Vec<UserRecord>,
    pub(super) members: Vec<MemberRecord>,
    management_keys: Vec<ManagementKey>,
    /// Every hash that ever authenticated something, with the hash of what it stands for.
    hashes: Vec<(KeyHash, KeyHash)>,
    pub(super) entries: Vec<Entry>,
    pub(super) sealed: Vec<SealedRow>,
    /// The rows that were sealed, so that none comes back.
    pub(super) sealed_ids: Vec<(String, u32, Kind)>,
    idempotent: Vec<Idempotent>,
    marks: Vec<EndpointMark>,
    pub(super) credentials: Credentials,
    pub(super) audit_log: Vec<AuditRow>,
}

impl Book {
    pub(super) fn apply(&mut self, change: &Change) -> Outcome {
        match change {
            Change::Settle(entry) => self.settle(entry),
            Change::Edit(edit, row) => {
                let outcome = self.edit(edit, row.at);
                if matches!(outcome, Outcome::Done | Outcome::Corrected { .. }) {
                    self.audit_log.push(row.clone());
                }
                outcome
            }
            Change::Mark(mark) => {
                match self.marks.iter_mut().find(|kept| is_same_endpoint(kept, mark)) {
                    None => self.marks.push(mark.clone()),
                    Some(kept) => {
                        let overhead = &mut kept.prompt_overhead_tokens;
                        *overhead = mark.prompt_overhead_tokens.max(*overhead);
                        kept.held_at_maximum |= mark.held_at_maximum;
                        kept.barred |= mark.barred;
                    }
                }
                Outcome::Done
            }
            Change::Seal(seal) => self.seal(seal),
        }
    }

    fn settle(&mut self, entry: &Entry) -> Outcome {
        let sealed = (entry.generation.clone(), entry.attempt, entry.kind);
        if self.sealed_ids.contains(&sealed) {
            return Outcome::Settled { cost: entry.cost, is_new: false };
        }
        let id = (&entry.generation, entry.attempt, entry.kind);
        let is_same = |kept: &&Entry| (&kept.generation, kept.attempt, kept.kind) == id;
        match self.entries.iter().find(is_same) {
            Some(first) => Outcome::Settled { cost: first.cost, is_new: false },
            None => {
                self.entries.push(entry.clone());
                Outcome::Settled { cost: entry.cost, is_new: true }
            }
        }
    }

    fn edit(&mut self, edit: &Edit, now: Timestamp) -> Outcome {
        match edit {
            Edit::CreateKey { key, idempotent, openings } => {
                let outcome = self.create_key(key, idempotent.as_ref(), now);
                if outcome == Outcome::Done {
                    self.entries.extend(openings.iter().cloned());
                }
                outcome
            }
            Edit::UpdateKey(key) => self.update_key(key),
            Edit::DeleteKey { hash, at } => match self.live_key(*hash) {
                Some(key) => {
                    key.deleted_at = Some(*at);
                    Outcome::Done
                }
                None => Outcome::Missing,
            },
            Edit::CreateWorkspace(workspace) => self.create_workspace(workspace),
            Edit::UpdateWorkspace(workspace) => self.update_workspace(workspace),
            Edit::DeleteWorkspace { id, at } => self.delete_workspace(*id, *at),
            Edit::PutBudget { budget, include_byok, version } => {
                self.put_budget(budget, *include_byok, *version)
            }
            Edit::DeleteBudget { workspace, reset, version } => {
                self.delete_budget(*workspace, *reset, *version)
            }
            Edit::CreateUser(user) => self.create_user(user),
            Edit::DeleteUser { id } => self.delete_user(id),
            Edit::AddMembers { workspace, members, version } => {
                self.add_members(*workspace, members, *version)
            }
            Edit::RemoveMembers { workspace, users, version } => {
                self.remove_members(*workspace, users, *version)
            }
            Edit::CreateManagementKey(key) => {
                if self.owner(key.hash).is_some() {
                    return Outcome::Conflict;
                }
                self.hashes.push((key.hash, key.hash));
                self.management_keys.push(key.clone());
                Outcome::Done
            }
            Edit::RevokeManagementKey { hash, at } => {
                let valid =
                    |key: &&mut ManagementKey| key.hash == *hash && key.revoked_at.is_none();
                match self.management_keys.iter_mut().find(valid) {
                    Some(key) => {
                        key.revoked_at = Some(*at);
                        Outcome::Done
                    }
                    None => Outcome::Missing,
                }
            }
            Edit::Correct { generation, attempt, cost } => {
                self.correct(generation, *attempt, *cost)
            }
            Edit::ClearMark { model, provider, upstream_model } => {
                let count = self.marks.len();
                self.marks.retain(|kept| {
                    (&kept.model, &kept.provider, &kept.upstream_model)
                        != (model, provider, upstream_model)
                });
                if self.marks.len() < count { Outcome::Done } else { Outcome::Missing }
            }
            Edit::CreateCredential(record) => match record.workspace {
                Some(workspace)
                    if self.is_deleted(workspace) && !self.credentials.knows(record.id) =>
                {
                    Outcome::Refused(Refused::NoWorkspace)
                }
                _ => self.credentials.create(record),
            },
            Edit::UpdateCredential(record) => self.credentials.update(record),
            Edit::DeleteCredential { id, at } => self.credentials.delete(*id, *at),
            Edit::ReencryptCredentials(secrets) => self.credentials.reencrypt(secrets),
        }
    }

    fn create_key(
        &mut self,
        key: &KeyRecord,
        idempotent: Option<&Idempotent>,
        now: Timestamp,
    ) -> Outcome {
        if let Some(answer) = idempotent.and_then(|answer| self.idempotent(&answer.id, now)) {
            return Outcome::Replayed(answer.clone());
        }
        if self.owner(key.hash).is_some() || self.is_second_taken(key) {
            return Outcome::Conflict;
        }
        if self.is_deleted(key.workspace) {
            return Outcome::Refused(Refused::NoWorkspace);
        }
        self.claim(key);
        self.keys.push(KeptKey { record: key.clone(), deleted_at: None });
        if let Some(answer) = idempotent {
            self.idempotent.retain(|kept| kept.expires_at > now);
            self.idempotent.push(answer.clone());
        }
        Outcome::Done
    }

    fn update_key(&mut self, key: &KeyRecord) -> Outcome {
        match self.live_key(key.hash) {
            None => return Outcome::Missing,
            Some(kept) if kept.record.version != key.version => return Outcome::Conflict,
            Some(_) => {}
        }
        if self.is_second_taken(key) {
            return Outcome::Conflict;
        }
        if self.is_deleted(key.workspace) {
            return Outcome::Refused(Refused::NoWorkspace);
        }
        self.claim(key);
        if let Some(kept) = self.live_key(key.hash) {
            kept.record = KeyRecord { version: key.version.saturating_add(1), ..key.clone() };
        }
        Outcome::Done
    }

    /// What `hash` stands for, or ever stood for.
    fn owner(&self, hash: KeyHash) -> Option<KeyHash> {
        self.hashes.iter().find(|(known, _)| *known == hash).map(|(_, owner)| *owner)
    }

    fn is_second_taken(&self, key: &KeyRecord) -> bool {
        key.second_hash.and_then(|hash| self.owner(hash)).is_some_and(|owner| owner != key.hash)
    }

    fn claim(&mut self, key: &KeyRecord) {
        let hashes = std::iter::once(key.hash).chain(key.second_hash);
        self.hashes.extend(hashes.map(|hash| (hash, key.hash)));
    }

    fn correct(&mut self, generation: &str, attempt: u32, cost: Amounts) -> Outcome {
        let outcome = correction(&self.generation(generation), attempt, cost);
        if let Outcome::Corrected { entry } = &outcome {
            self.entries.push((**entry).clone());
        }
        outcome
    }

    fn live_key(&mut self, hash: KeyHash) -> Option<&mut KeptKey> {
        self.keys.iter_mut().find(|key| key.record.hash == hash && key.deleted_at.is_none())
    }

    pub(super) fn snapshot(&self, since: Day) -> Snapshot {
        let live = self.keys.iter().filter(|key| key.deleted_at.is_none());
        Snapshot {
            keys: live.map(|key| self.load(&key.record, since)).collect(),
            workspaces: self.loaded_workspaces(since),
            users: self.sorted_users(),
            management_keys: self.management_keys.clone(),
            marks: self.marks.clone(),
            credentials: self.credentials.live(),
        }
    }

    pub(super) fn newest_days(&self, days: u32) -> Option<Day> {
        let sealed = self.sealed.iter().map(|row| row.day);
        let with_rows: BTreeSet<Day> = self.entries.iter().map(Entry::day).chain(sealed).collect();
        let days = usize::try_from(days).unwrap_or(usize::MAX);
        let skipped = with_rows.len().saturating_sub(days);
        with_rows.into_iter().nth(skipped)
    }

    fn load(&self, record: &KeyRecord, since: Day) -> LoadedKey {
        let rows = || self.entries.iter().filter(|entry| entry.key == record.hash);
        let sealed = || self.sealed.iter().filter(|row| row.key == record.hash);
        let tally = self.tally(since, |row| row.key == record.hash);
        let requests = rows().filter(|entry| entry.kind == Kind::Attempt);
        let used = requests.map(|entry| entry.admitted_at);
        let last_used_at = used.chain(sealed().filter_map(|row| row.last_used_at)).max();
        LoadedKey { record: record.clone(), tally, last_used_at }
    }

    /// What the rows that `counts` have cost, by day from `since` on.
    pub(super) fn tally(&self, since: Day, counts: impl Fn(&SealedRow) -> bool) -> Tally {
        let mut tally = Tally::default();
        for row in self.spent().filter(counts) {
            if row.day < since {
                tally.post_before_days(row.cost);
            } else {
                tally.post(row.day, row.cost);
            }
        }
        tally
    }

    /// How many live keys are in the workspace.
    pub(super) fn live_keys_in(&self, workspace: Uuid) -> usize {
        let is_in = |key: &&KeptKey| key.deleted_at.is_none() && key.record.workspace == workspace;
        self.keys.iter().filter(is_in).count()
    }

    /// Whether there are live keys that were made for the user, in that workspace or anywhere.
    pub(super) fn owns_keys(&self, user: &str, workspace: Option<Uuid>) -> bool {
        self.keys.iter().any(|key| {
            key.deleted_at.is_none()
                && key.record.creator.as_deref() == Some(user)
                && workspace.is_none_or(|workspace| key.record.workspace == workspace)
        })
    }

    pub(super) fn keys(&self, page: &KeyPage) -> Vec<KeyRecord> {
        let wanted = |key: &&KeptKey| {
            key.deleted_at.is_none()
                && key.record.workspace == page.workspace
                && (page.include_disabled || !key.record.disabled)
                && match (page.unexpired_at, key.record.expires_at) {
                    (Some(now), Some(end)) => now < end,
                    _ => true,
                }
        };
        let mut keys: Vec<KeyRecord> =
            self.keys.iter().filter(wanted).map(|key| key.record.clone()).collect();
        keys.sort_by_key(|key| (Reverse(key.created_at), key.hash));
        let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        keys.into_iter().skip(count(page.offset)).take(count(page.most)).collect()
    }

    pub(super) fn key(&self, hash: KeyHash) -> Option<KeyRecord> {
        let kept = self.keys.iter().find(|key| key.record.hash == hash);
        kept.map(|key| key.record.clone())
    }

    pub(super) fn idempotent(&self, id: &[u8; 32], now: Timestamp) -> Option<&Idempotent> {
        self.idempotent.iter().find(|answer| answer.id == *id && now < answer.expires_at)
    }

    pub(super) fn generation(&self, generation: &str) -> Vec<Entry> {
        let mut rows: Vec<Entry> =
            self.entries.iter().filter(|entry| entry.generation == generation).cloned().collect();
        rows.sort_by_key(|entry| (entry.attempt, entry.kind));
        rows
    }

    pub(super) fn unresolved(&self, most: usize) -> Vec<Entry> {
        let open = |entry: &&Entry| {
            entry.kind == Kind::Attempt
                && matches!(entry.source, Source::Interrupted | Source::Held)
                && !self.entries.iter().any(|other| {
                    (&other.generation, other.attempt) == (&entry.generation, entry.attempt)
                        && other.kind != Kind::Attempt
                })
        };
        let mut rows: Vec<Entry> = self.entries.iter().filter(open).cloned().collect();
        rows.sort_by(by_admission);
        rows.truncate(most);
        rows
    }

    /// Every row and every sealed row, as if each row had been sealed by itself.
    fn spent(&self) -> impl Iterator<Item = SealedRow> {
        self.entries.iter().map(SealedRow::of).chain(self.sealed.iter().cloned())
    }

    pub(super) fn activity(&self, filter: &ActivityFilter) -> Activity {
        let mut activity = Activity::new();
        for row in self.spent().filter(|row| filter.takes(row)) {
            activity.entry(filter.group(&row)).or_default().add(&ActivityFigures::of(&row));
        }
        activity
    }

    pub(super) fn charged(&self) -> Amounts {
        let mut all = ActivityFigures::default();
        self.spent().for_each(|row| all.add(&ActivityFigures::of(&row)));
        all.cost
    }

    pub(super) fn audit(&self) -> Report {
        let sealed = self.sealed.iter().map(|row| row.key);
        let keys: BTreeSet<KeyHash> =
            self.entries.iter().map(|entry| entry.key).chain(sealed).collect();
        Report {
            rows: (self.entries.len() + self.sealed_ids.len()).try_into().unwrap_or(u64::MAX),
            keys: keys.len().try_into().unwrap_or(u64::MAX),
            sums: 0,
            differences: Vec::new(),
        }
    }

    pub(super) fn export(&self) -> Vec<ExportLine> {
        let mut keys: Vec<&KeptKey> = self.keys.iter().collect();
        keys.sort_by_key(|key| (key.record.created_at, key.record.hash));
        let mut management_keys = self.management_keys.clone();
        management_keys.sort_by_key(|key| (key.created_at, key.hash));
        let mut entries = self.entries.clone();
        entries.sort_by(by_admission);
        let mut sealed = self.sealed.clone();
        sealed.sort_by(|one, other| one.sum().cmp(&other.sum()));
        let mut marks = self.marks.clone();
        marks.sort_by(|one, other| {
            let name = |mark: &EndpointMark| {
                [&mark.model, &mark.provider, &mark.upstream_model].map(Clone::clone)
            };
            name(one).cmp(&name(other))
        });

        let keys = keys
            .into_iter()
            .map(|key| ExportLine::Key(Box::new(key.record.clone()), key.deleted_at));
        keys.chain(management_keys.into_iter().map(ExportLine::ManagementKey))
            .chain(self.exported_workspaces())
            .chain(self.credentials.export())
            .chain(self.exported_members())
            .chain(entries.into_iter().map(|entry| ExportLine::Entry(Box::new(entry))))
            .chain(sealed.into_iter().map(|row| ExportLine::Sealed(Box::new(row))))
            .chain(marks.into_iter().map(ExportLine::Mark))
            .chain(self.audit_log.iter().cloned().map(ExportLine::Audit))
            .collect()
    }

    pub(super) fn audit_log(&self, page: &AuditPage) -> AuditLog {
        let mut wanted = self.audit_log.iter().rev().filter(|row| page.is_of(row));
        let total = wanted.clone().count() as u64;
        let skipped = usize::try_from(page.offset).unwrap_or(usize::MAX);
        let most = usize::try_from(page.most).unwrap_or(usize::MAX);
        AuditLog { rows: wanted.by_ref().skip(skipped).take(most).cloned().collect(), total }
    }
}

fn is_same_endpoint(one: &EndpointMark, other: &EndpointMark) -> bool {
    (&one.model, &one.provider, &one.upstream_model)
        == (&other.model, &other.provider, &other.upstream_model)
}

fn by_admission(one: &Entry, other: &Entry) -> Ordering {
    fn place(entry: &Entry) -> (Timestamp, &str, u32, Kind) {
        (entry.admitted_at, &entry.generation, entry.attempt, entry.kind)
    }
    place(one).cmp(&place(other))
}
