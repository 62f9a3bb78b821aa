//! Credentials that were brought: decrypted, in memory, and which of them a request may go with.
//!
//! A request reads the set as it stands; an edit makes a new one. Who still has one that was changed
//! or deleted finds it resting for good.

mod choice;
#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use parking_lot::RwLock;
use store::{CredentialRecord, Encrypted, Reencrypted};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;
use zeroize::Zeroizing;

pub use choice::{Asker, Choice, choose};

use crate::entropy::Entropy;
use crate::master_key::{MasterKey, MasterKeyId, Unreadable};

/// A credential that its provider refused rests this long (SEMANTICS 6.4).
pub const REST: Duration = Duration::from_secs(60);
/// How many there may be: all are in memory, and each edit makes the set anew.
pub const CREDENTIALS_MAX: usize = 10_000;
/// How a provider of the OpenAI wire format is shown a key.
const SCHEME: &str = "Bearer ";

/// A credential that requests may go with.
pub struct Credential {
    /// What is known of it.
    pub record: CredentialRecord,
    /// The `Authorization` header it makes, wiped from memory with the last request that has it.
    authorization: HeaderValue,
    /// Until then it is passed over, in microseconds.
    resting_until_us: AtomicI64,
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.record.id)
    }
}

impl Credential {
    /// The credential of `record` whose text is `secret`; `None` where no header can carry it.
    pub fn new(record: CredentialRecord, secret: &[u8]) -> Option<Credential> {
        let header = Zeroizing::new([SCHEME.as_bytes(), secret].concat());
        let mut authorization = HeaderValue::from_maybe_shared(Bytes::from_owner(header)).ok()?;
        authorization.set_sensitive(true);
        Some(Credential { record, authorization, resting_until_us: AtomicI64::new(i64::MIN) })
    }

    /// The header that shows it to its provider.
    pub fn authorization(&self) -> HeaderValue {
        self.authorization.clone()
    }

    /// Its text, to be taken out of what its provider says.
    pub fn text(&self) -> &str {
        let header = std::str::from_utf8(self.authorization.as_bytes()).unwrap_or_default();
        header.get(SCHEME.len()..).unwrap_or_default()
    }

    /// Whether requests may go with it at `now`, as far as it is known to be good.
    pub fn is_available(&self, now: Timestamp) -> bool {
        self.resting_until_us.load(Ordering::Relaxed) <= now.as_microsecond()
    }

    /// Passes it over for a while: its provider refused it.
    pub fn rest_until(&self, now: Timestamp, wait: Duration) {
        let wait_us = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        self.rest_until_us(now.as_microsecond().saturating_add(wait_us));
    }

    /// Never used again by whoever still has it.
    fn retire(&self) {
        self.rest_until_us(i64::MAX);
    }

    fn rest_until_us(&self, until: i64) {
        self.resting_until_us.fetch_max(until, Ordering::Relaxed);
    }
}

/// Why the credentials of a book can't be had, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// There is no master key.
    #[error(
        "the book has credentials of providers ({credentials}), encrypted under master key {id}, and \
         no master key is given: name its file as `secrets.key_file`, or set TOLLGATE_MASTER_KEY"
    )]
    NoKey {
        /// How many there are.
        credentials: usize,
        /// The master key of the first.
        id: MasterKeyId,
    },
    /// It is another master key.
    #[error(
        "credential {credential} is encrypted under master key {id}, and the one given is {given}: \
         give that one; without it, `tollgate secrets discard` deletes what it alone can read"
    )]
    OtherKey {
        /// The first that can't be read.
        credential: Uuid,
        /// Its master key.
        id: MasterKeyId,
        /// The master key there is.
        given: MasterKeyId,
    },
    /// A credential was changed otherwise than by this program.
    #[error(
        "credential {0} of a provider can't be decrypted: its row was damaged or changed; restore a \
         backup, or delete it with `tollgate secrets discard`"
    )]
    Damaged(Uuid),
}

/// The credentials in force, in the order to try those of one provider.
#[derive(Clone, Debug, Default)]
pub struct CredentialSet(Vec<Arc<Credential>>);

impl CredentialSet {
    /// Those of a provider: such that come before the operator's own, then the others, each by its
    /// place.
    pub fn of(&self, provider: &str) -> &[Arc<Credential>] {
        let start = self.0.partition_point(|known| known.record.provider.as_str() < provider);
        let rest = &self.0[start..];
        &rest[..rest.partition_point(|known| known.record.provider == provider)]
    }

    /// All of them.
    pub fn all(&self) -> &[Arc<Credential>] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of that id.
    pub fn find(&self, id: Uuid) -> Option<&Arc<Credential>> {
        self.0.iter().find(|known| known.record.id == id)
    }

    fn sort(&mut self) {
        self.0.sort_by(|one, other| place(&one.record).cmp(&place(&other.record)));
    }

    /// Takes one out, which nobody uses any more.
    fn take(&mut self, id: Uuid) {
        if let Some(place) = self.0.iter().position(|known| known.record.id == id) {
            self.0.remove(place).retire();
        }
    }
}

fn place(record: &CredentialRecord) -> (&str, bool, u32, Timestamp, Uuid) {
    let CredentialRecord { provider, is_fallback, sort_order, created_at, id, .. } = record;
    (provider, *is_fallback, *sort_order, *created_at, *id)
}

/// The credentials of the book, and the master key that they are encrypted under.
#[derive(Debug)]
pub struct Credentials {
    set: RwLock<Arc<CredentialSet>>,
    /// How many there are, so that where there is none no request takes the lock.
    count: AtomicUsize,
    master_key: RwLock<Option<Arc<MasterKey>>>,
    editing: Mutex<()>,
}

impl Credentials {
    /// Decrypts `records`; an error says what to do.
    pub fn open(
        records: Vec<CredentialRecord>,
        master_key: Option<MasterKey>,
    ) -> Result<Credentials, SecretsError> {
        let mut set = CredentialSet::default();
        let count = records.len();
        for record in records {
            let id = record.id;
            let Some(key) = &master_key else {
                let key = MasterKeyId::of(&record.encrypted).ok_or(SecretsError::Damaged(id))?;
                return Err(SecretsError::NoKey { credentials: count, id: key });
            };
            let secret = key.decrypt(&record).map_err(|unreadable| match unreadable {
                Unreadable::Damaged => SecretsError::Damaged(id),
                Unreadable::OtherKey(other) => {
                    SecretsError::OtherKey { credential: id, id: other, given: key.id() }
                }
            })?;
            let credential = Credential::new(record, &secret).ok_or(SecretsError::Damaged(id))?;
            set.0.push(Arc::new(credential));
        }
        set.sort();
        Ok(Credentials {
            count: AtomicUsize::new(set.0.len()),
            set: RwLock::new(Arc::new(set)),
            master_key: RwLock::new(master_key.map(Arc::new)),
            editing: Mutex::default(),
        })
    }

    /// Those in force; a request keeps the ones it began with.
    pub fn current(&self) -> Arc<CredentialSet> {
        Arc::clone(&self.set.read())
    }

    /// The same, where there are any.
    pub fn any(&self) -> Option<Arc<CredentialSet>> {
        (self.count.load(Ordering::Acquire) > 0).then(|| self.current())
    }

    /// The master key, where there is one.
    pub fn master_key(&self) -> Option<Arc<MasterKey>> {
        self.master_key.read().clone()
    }

    /// Held from the reading of what is to be changed until the change is in force, so that nothing
    /// is encrypted under a master key that is just being replaced.
    pub async fn edit(&self) -> MutexGuard<'_, ()> {
        self.editing.lock().await
    }

    /// Puts one in force, in the place of one with its id.
    pub fn put(&self, credential: Credential) {
        self.change(|set| {
            set.take(credential.record.id);
            set.0.push(Arc::new(credential));
            set.sort();
        });
    }

    /// Takes one out of use.
    pub fn remove(&self, id: Uuid) {
        self.change(|set| set.take(id));
    }

    /// Takes those of a workspace out of use.
    pub fn remove_of(&self, workspace: Uuid) {
        self.change(|set| {
            let is_of = |known: &&Arc<Credential>| known.record.workspace == Some(workspace);
            let ids: Vec<Uuid> = set.0.iter().filter(is_of).map(|known| known.record.id).collect();
            ids.into_iter().for_each(|id| set.take(id));
        });
    }

    /// The secrets of all of them, encrypted under another master key.
    pub fn reencrypted(&self, key: &MasterKey, entropy: &dyn Entropy) -> Vec<Reencrypted> {
        let anew = |known: &Arc<Credential>| Reencrypted {
            id: known.record.id,
            version: known.record.version,
            encrypted: key.encrypt(&known.record, known.text().as_bytes(), entropy),
        };
        self.current().0.iter().map(anew).collect()
    }

    /// Puts another master key in force, and what was encrypted under it.
    pub fn rotate(&self, key: MasterKey, secrets: Vec<Reencrypted>) {
        *self.master_key.write() = Some(Arc::new(key));
        self.change(|set| {
            for Reencrypted { id, version, encrypted } in secrets {
                let Some(known) = set.0.iter_mut().find(|known| known.record.id == id) else {
                    continue;
                };
                // Nothing of it changed but how it is kept: who has the other may go on with it.
                let version = version.saturating_add(1);
                let record = CredentialRecord { encrypted, version, ..known.record.clone() };
                let resting = known.resting_until_us.load(Ordering::Relaxed);
                *known = Arc::new(Credential {
                    record,
                    authorization: known.authorization.clone(),
                    resting_until_us: AtomicI64::new(resting),
                });
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut CredentialSet)) {
        let mut set = self.set.write();
        let mut changed = CredentialSet::clone(&set);
        change(&mut changed);
        self.count.store(changed.0.len(), Ordering::Release);
        *set = Arc::new(changed);
    }
}

/// A secret that is yet to be encrypted for its owner.
pub fn encrypted(
    key: &MasterKey,
    owner: CredentialRecord,
    secret: &str,
    entropy: &dyn Entropy,
) -> CredentialRecord {
    let encrypted: Encrypted = key.encrypt(&owner, secret.as_bytes(), entropy);
    CredentialRecord { encrypted, ..owner }
}
