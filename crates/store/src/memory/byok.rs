//! Credentials, each with when it was deleted; looked through from the first to the last.

use jiff::Timestamp;
use uuid::Uuid;

use crate::{CredentialRecord, Encrypted, ExportLine, Outcome, Reencrypted};

#[derive(Debug)]
struct Kept {
    record: CredentialRecord,
    deleted_at: Option<Timestamp>,
}

#[derive(Debug, Default)]
pub(super) struct Credentials(Vec<Kept>);

impl Credentials {
    pub(super) fn create(&mut self, record: &CredentialRecord) -> Outcome {
        if self.knows(record.id) {
            return Outcome::Conflict;
        }
        self.0.push(Kept { record: record.clone(), deleted_at: None });
        Outcome::Done
    }

    /// Whether there is one of that id, or was.
    pub(super) fn knows(&self, id: Uuid) -> bool {
        self.0.iter().any(|kept| kept.record.id == id)
    }

    pub(super) fn update(&mut self, record: &CredentialRecord) -> Outcome {
        match self.live_mut(record.id) {
            None => Outcome::Missing,
            Some(kept) if kept.record.version != record.version => Outcome::Conflict,
            Some(kept) => {
                let version = record.version.saturating_add(1);
                kept.record = CredentialRecord { version, ..record.clone() };
                Outcome::Done
            }
        }
    }

    pub(super) fn delete(&mut self, id: Uuid, at: Timestamp) -> Outcome {
        match self.live_mut(id) {
            None => Outcome::Missing,
            Some(kept) => {
                kept.deleted_at = Some(at);
                kept.record.encrypted = Encrypted::default();
                Outcome::Done
            }
        }
    }

    pub(super) fn delete_all(&mut self, workspace: Uuid, at: Timestamp) {
        let live = self.0.iter_mut().filter(|kept| kept.deleted_at.is_none());
        for kept in live.filter(|kept| kept.record.workspace == Some(workspace)) {
            kept.deleted_at = Some(at);
            kept.record.encrypted = Encrypted::default();
        }
    }

    pub(super) fn reencrypt(&mut self, secrets: &[Reencrypted]) -> Outcome {
        let mut live: Vec<(Uuid, u64)> =
            self.live().iter().map(|record| (record.id, record.version)).collect();
        let mut given: Vec<(Uuid, u64)> =
            secrets.iter().map(|secret| (secret.id, secret.version)).collect();
        live.sort();
        given.sort();
        if live != given {
            return Outcome::Conflict;
        }
        for secret in secrets {
            if let Some(kept) = self.live_mut(secret.id) {
                kept.record.encrypted = secret.encrypted.clone();
                kept.record.version = kept.record.version.saturating_add(1);
            }
        }
        Outcome::Done
    }

    pub(super) fn live(&self) -> Vec<CredentialRecord> {
        let live = self.0.iter().filter(|kept| kept.deleted_at.is_none());
        live.map(|kept| kept.record.clone()).collect()
    }

    pub(super) fn export(&self) -> Vec<ExportLine> {
        let mut kept: Vec<&Kept> = self.0.iter().collect();
        kept.sort_by_key(|kept| (kept.record.created_at, kept.record.id));
        let line = |kept: &Kept| {
            ExportLine::Credential(Box::new(kept.record.without_secret()), kept.deleted_at)
        };
        kept.into_iter().map(line).collect()
    }

    fn live_mut(&mut self, id: Uuid) -> Option<&mut Kept> {
        self.0.iter_mut().find(|kept| kept.record.id == id && kept.deleted_at.is_none())
    }
}
