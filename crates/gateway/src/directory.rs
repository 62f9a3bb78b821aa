//! Who a key is: the gateway's map from hashes to keys, and to what their accounts hold.
//! It caches identity and settings, never balances; those are the ledger's.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use jiff::Timestamp;
use ledger::{Account, Tally};
use parking_lot::RwLock;
use store::{KeyHash, KeyRecord, LoadedKey, ManagementKey};
use tokio::sync::Notify;

/// Shards of the map, so that a look-up and an edit of another key rarely meet.
const SHARDS: usize = 64;

/// An inference key in use.
pub struct Key {
    record: RwLock<Arc<KeyRecord>>,
    account: Arc<Account>,
    freed: Arc<Notify>,
    /// Requests waiting for holds on its limit to end.
    pub(crate) waiting: AtomicUsize,
    /// When its latest request was admitted, in microseconds; the minimum where there was none.
    last_used_us: AtomicI64,
}

impl Key {
    fn new(loaded: LoadedKey) -> Key {
        let freed = Arc::new(Notify::new());
        let notify = Arc::clone(&freed);
        let account =
            Account::new(loaded.record.terms(), loaded.tally, move || notify.notify_waiters());
        let last_used_us = loaded.last_used_at.map_or(i64::MIN, Timestamp::as_microsecond);
        Key {
            record: RwLock::new(Arc::new(loaded.record)),
            account: Arc::new(account),
            freed,
            waiting: AtomicUsize::new(0),
            last_used_us: AtomicI64::new(last_used_us),
        }
    }

    /// Its settings as they stand.
    pub fn record(&self) -> Arc<KeyRecord> {
        Arc::clone(&self.record.read())
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

    fn replace(&self, record: KeyRecord) {
        let terms = record.terms();
        *self.record.write() = Arc::new(record);
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
}

impl Directory {
    /// A directory of these keys; revoked management keys are known to nobody.
    pub fn new(keys: Vec<LoadedKey>, management_keys: Vec<ManagementKey>) -> Directory {
        let directory = Directory { shards: (0..SHARDS).map(|_| RwLock::default()).collect() };
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

    /// Adds a key that was just made.
    pub fn add(&self, record: KeyRecord) {
        self.add_loaded(LoadedKey { record, tally: Tally::default(), last_used_at: None });
    }

    /// Puts changed settings in force.
    pub fn update(&self, record: KeyRecord) {
        if let Some(key) = self.key(&record.hash) {
            key.replace(record);
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
        let key = Arc::new(Key::new(loaded));
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
