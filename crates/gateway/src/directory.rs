//! Who a key is: the gateway's map from hashes to keys, and to what their accounts hold; and the
//! workspaces they are in.
//! It caches identity and settings, never balances; those are the ledger's.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use jiff::Timestamp;
use ledger::{Account, Tally};
use parking_lot::RwLock;
use store::{KeyHash, KeyRecord, LoadedKey, LoadedWorkspace, ManagementKey};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::workspaces::{Workspace, Workspaces};

/// Shards of the map, so that a look-up and an edit of another key rarely meet.
const SHARDS: usize = 64;

/// A key's settings, and the workspace they say it is in.
#[derive(Clone)]
pub struct Standing {
    /// Its settings.
    pub record: Arc<KeyRecord>,
    /// Its workspace.
    pub workspace: Arc<Workspace>,
}

/// An inference key in use.
pub struct Key {
    standing: RwLock<Standing>,
    account: Arc<Account>,
    freed: Arc<Notify>,
    /// Requests waiting for holds on its limit to end.
    pub(crate) waiting: AtomicUsize,
    /// When its latest request was admitted, in microseconds; the minimum where there was none.
    last_used_us: AtomicI64,
}

impl Key {
    fn new(loaded: LoadedKey, workspace: Arc<Workspace>) -> Key {
        let freed = Arc::new(Notify::new());
        let notify = Arc::clone(&freed);
        let account =
            Account::new(loaded.record.terms(), loaded.tally, move || notify.notify_waiters());
        let last_used_us = loaded.last_used_at.map_or(i64::MIN, Timestamp::as_microsecond);
        Key {
            standing: RwLock::new(Standing { record: loaded.record.into(), workspace }),
            account: Arc::new(account),
            freed,
            waiting: AtomicUsize::new(0),
            last_used_us: AtomicI64::new(last_used_us),
        }
    }

    /// Its settings as they stand.
    pub fn record(&self) -> Arc<KeyRecord> {
        Arc::clone(&self.standing.read().record)
    }

    /// The workspace it is in now.
    pub fn workspace(&self) -> Arc<Workspace> {
        Arc::clone(&self.standing.read().workspace)
    }

    /// Its settings and its workspace, of one moment.
    pub fn standing(&self) -> Standing {
        self.standing.read().clone()
    }

    /// Its account in the ledger.
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Told whenever something may have become affordable.
    pub fn freed(&self) -> &Notify {
        &self.freed
    }

    /// When its latest request was admitted.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        Timestamp::from_microsecond(self.last_used_us.load(Ordering::Relaxed)).ok()
    }

    /// Notes that a request was admitted.
    pub fn used_at(&self, now: Timestamp) {
        self.last_used_us.fetch_max(now.as_microsecond(), Ordering::Relaxed);
    }

    fn replace(&self, record: KeyRecord, workspace: Arc<Workspace>) {
        let terms = record.terms();
        *self.standing.write() = Standing { record: record.into(), workspace };
        self.account.set_terms(terms);
    }

    fn close(&self) {
        self.account.set_terms(ledger::Terms { closed: true, ..ledger::Terms::default() });
    }
}

/// Whoever presented a key.
#[derive(Clone)]
pub enum Caller {
    /// An inference key.
    Inference(Arc<Key>),
    /// A management key.
    Management(Arc<ManagementKey>),
}

/// Every key that can be presented.
pub struct Directory {
    shards: Vec<RwLock<HashMap<KeyHash, Caller>>>,
    workspaces: Workspaces,
}

impl Directory {
    /// A directory of these keys and workspaces; revoked management keys are known to nobody.
    pub fn new(
        keys: Vec<LoadedKey>,
        workspaces: Vec<LoadedWorkspace>,
        management_keys: Vec<ManagementKey>,
    ) -> Directory {
        let directory = Directory {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            workspaces: Workspaces::new(workspaces),
        };
        keys.into_iter().for_each(|loaded| directory.add_loaded(loaded));
        for key in management_keys {
            if key.revoked_at.is_none() {
                directory.add_management(key);
            }
        }
        directory
    }

    /// Whose key text has this hash, a second text included.
    pub fn caller(&self, hash: &KeyHash) -> Option<Caller> {
        self.shard(hash).read().get(hash).cloned()
    }

    /// The inference key whose identity is `hash`.
    pub fn key(&self, hash: &KeyHash) -> Option<Arc<Key>> {
        match self.caller(hash) {
            Some(Caller::Inference(key)) if key.record().hash == *hash => Some(key),
            _ => None,
        }
    }

    /// The workspaces there are.
    pub fn workspaces(&self) -> &Workspaces {
        &self.workspaces
    }

    /// The workspace of that id.
    pub fn workspace(&self, id: &Uuid) -> Option<Arc<Workspace>> {
        self.workspaces.of_id(id)
    }

    /// Adds a key that was just made.
    pub fn add(&self, record: KeyRecord) {
        self.add_spent(record, Tally::default());
    }

    /// Adds a key that was just made and has spent that much elsewhere.
    pub fn add_spent(&self, record: KeyRecord, tally: Tally) {
        self.add_loaded(LoadedKey { record, tally, last_used_at: None });
    }

    /// Puts changed settings in force. A key that moves takes its own figures along; requests that
    /// were admitted before settle in the workspace it was in.
    pub fn update(&self, record: KeyRecord) {
        if let Some(key) = self.key(&record.hash) {
            let workspace = self.workspaces.of_key(record.workspace);
            key.replace(record, workspace);
        }
    }

    /// Forgets a key; requests in flight settle on its account all the same.
    pub fn remove(&self, hash: &KeyHash) {
        let Some(key) = self.key(hash) else { return };
        key.close();
        if let Some(second) = key.record().second_hash {
            self.shard(&second).write().remove(&second);
        }
        self.shard(hash).write().remove(hash);
    }

    /// Adds a management key.
    pub fn add_management(&self, key: ManagementKey) {
        self.shard(&key.hash).write().insert(key.hash, Caller::Management(Arc::new(key)));
    }

    /// Forgets a management key.
    pub fn remove_management(&self, hash: &KeyHash) {
        if let MapEntry::Occupied(entry) = self.shard(hash).write().entry(*hash)
            && matches!(entry.get(), Caller::Management(_))
        {
            entry.remove();
        }
    }

    /// Every inference key, in no order.
    pub fn keys(&self) -> Vec<Arc<Key>> {
        let mut keys = Vec::new();
        for shard in &self.shards {
            keys.extend(shard.read().iter().filter_map(|(hash, caller)| match caller {
                Caller::Inference(key) if key.record().hash == *hash => Some(Arc::clone(key)),
                _ => None,
            }));
        }
        keys
    }

    fn add_loaded(&self, loaded: LoadedKey) {
        let (hash, second) = (loaded.record.hash, loaded.record.second_hash);
        let workspace = self.workspaces.of_key(loaded.record.workspace);
        let key = Arc::new(Key::new(loaded, workspace));
        for hash in std::iter::once(hash).chain(second) {
            self.shard(&hash).write().insert(hash, Caller::Inference(Arc::clone(&key)));
        }
    }

    fn shard(&self, hash: &KeyHash) -> &RwLock<HashMap<KeyHash, Caller>> {
        &self.shards[usize::from(hash.0[0]) % SHARDS]
    }
}

#[cfg(test)]
mod tests;
