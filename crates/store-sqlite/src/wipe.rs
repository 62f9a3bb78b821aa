//! What takes a secret out of the book leaves nothing of it in the files: not in a page that was
//! freed, and not in the log, which keeps earlier states of its pages until it is written over.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::{Connection, Result};
use store::{Change, Outcome};

use crate::connection::BUSY_TIMEOUT;
use crate::error::is_broken;
use crate::{byok, commit};

/// Commits after which the log is tried again, where somebody still read from it.
const RETRY_COMMITS: u32 = 64;

/// Whether the log has yet to be emptied: 0, or commits since that was tried, and one.
#[derive(Default)]
pub(crate) struct Wiping(AtomicU32);

impl Wiping {
    /// Commits `changes`; what they take a secret out of is overwritten.
    pub(crate) fn commit(
        &self,
        connection: &Connection,
        changes: &[Change],
    ) -> Result<Vec<Outcome>> {
        if !changes.iter().any(byok::wipes) {
            let outcomes = commit::commit(connection, changes)?;
            if self.is_due() {
                self.empty_log(connection)?;
            }
            return Ok(outcomes);
        }
        // Costs writes that nothing else needs.
        connection.pragma_update(None, "secure_delete", true)?;
        let committed = commit::commit(connection, changes);
        connection.pragma_update(None, "secure_delete", false)?;
        let outcomes = committed?;
        self.empty_log(connection)?;
        Ok(outcomes)
    }

    fn is_due(&self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            0 => false,
            tried => {
                self.0.store(tried.saturating_add(1), Ordering::Relaxed);
                tried >= RETRY_COMMITS
            }
        }
    }

    fn empty_log(&self, connection: &Connection) -> Result<()> {
        let is_empty = empty_log(connection)?;
        self.0.store(u32::from(!is_empty), Ordering::Relaxed);
        Ok(())
    }
}

/// Moves what is in the log into the file and cuts the log to nothing; whether that was done. It
/// does not wait for who reads from it. The only error is one after which the store can't be
/// trusted.
pub(crate) fn empty_log(connection: &Connection) -> Result<bool> {
    connection.busy_timeout(Duration::ZERO)?;
    let is_busy: Result<bool> =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
    connection.busy_timeout(BUSY_TIMEOUT)?;
    match is_busy {
        Ok(is_busy) => Ok(!is_busy),
        Err(error) if is_broken(&error) => Err(error),
        Err(_) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use store::contract::sample::{NOW, bare_credential, create, credential, edit, key};
    use store::{CredentialRecord, Edit, Encrypted, Reencrypted, Store as _};

    use crate::SqliteStore;

    const FIRST: &[u8] = b"first-ciphertext-0123456789-0123456789";
    const SECOND: &[u8] = b"second-ciphertext-0123456789-012345678";

    fn is_there(folder: &Path, bytes: &[u8]) -> bool {
        let mut files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        files.any(|file| {
            let kept = std::fs::read(file).unwrap();
            kept.windows(bytes.len()).any(|window| window == bytes)
        })
    }

    fn with(number: u8, secret: &[u8]) -> CredentialRecord {
        CredentialRecord { encrypted: Encrypted(secret.to_vec()), ..bare_credential(number) }
    }

    #[test]
    fn nothing_is_left_of_a_secret_that_was_replaced_or_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
        let is_there = |bytes| is_there(folder.path(), bytes);
        for number in 1..=40 {
            edit(&store, Edit::CreateCredential(Box::new(with(number, FIRST))));
        }
        assert!(is_there(FIRST), "the test finds what is there");
        let anew = |number: u8| Reencrypted {
            id: credential(number).id,
            version: 1,
            encrypted: Encrypted(SECOND.to_vec()),
        };
        edit(&store, Edit::ReencryptCredentials((1..=40).map(anew).collect()));
        assert!(!is_there(FIRST) && is_there(SECOND));

        let longer = [SECOND, b", and more".as_slice()].concat();
        for number in 1..=20 {
            let changed = CredentialRecord { version: 2, ..with(number, &longer) };
            edit(&store, Edit::UpdateCredential(Box::new(changed)));
        }
        for number in 1..=40 {
            edit(&store, Edit::DeleteCredential { id: credential(number).id, at: NOW });
        }
        assert!(!is_there(SECOND));
        store.backup(folder.path().join("backup.db"), &[]).unwrap();
        drop(store);
        assert!(!is_there(SECOND));
    }

    #[test]
    fn a_report_that_still_reads_the_log_keeps_it_a_while_and_makes_no_commit_wait() {
        let folder = tempfile::tempdir().unwrap();
        let killed = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
        edit(&store, Edit::CreateCredential(Box::new(with(1, FIRST))));
        let mut is_first = true;
        let delete_meanwhile = &mut |_| {
            if std::mem::take(&mut is_first) {
                edit(&store, Edit::DeleteCredential { id: credential(1).id, at: NOW });
                assert!(is_there(folder.path(), FIRST), "the log could not be cut");
                for ending in ["", "-wal"] {
                    let name = format!("tollgate.db{ending}");
                    std::fs::copy(folder.path().join(&name), killed.path().join(&name)).unwrap();
                }
            }
            Ok(())
        };
        store.export(delete_meanwhile).unwrap();
        for number in 1..=70 {
            create(&store, key(number));
        }
        assert!(!is_there(folder.path(), FIRST));

        // What a process that was killed then would have left.
        assert!(is_there(killed.path(), FIRST));
        let _opened = SqliteStore::open(killed.path().join("tollgate.db")).unwrap();
        assert!(!is_there(killed.path(), FIRST));
    }
}
