//! Workspaces and their budgets in the reference store.

use jiff::Timestamp;
use ledger::Day;
use uuid::Uuid;

use super::book::Book;
use crate::{
    BudgetRecord, DEFAULT_WORKSPACE, ExportLine, LoadedWorkspace, Outcome, Refused, Reset,
    WorkspaceRecord,
};

/// A workspace with when it was deleted.
#[derive(Debug)]
pub(super) struct KeptWorkspace {
    record: WorkspaceRecord,
    deleted_at: Option<Timestamp>,
}

impl Book {
    pub(super) fn create_workspace(&mut self, record: &WorkspaceRecord) -> Outcome {
        if self.workspaces.iter().any(|kept| kept.record.id == record.id) {
            return Outcome::Conflict;
        }
        if self.is_slug_taken(record) {
            return Outcome::Refused(Refused::SlugTaken);
        }
        self.workspaces.push(KeptWorkspace { record: record.clone(), deleted_at: None });
        Outcome::Done
    }

    pub(super) fn update_workspace(&mut self, record: &WorkspaceRecord) -> Outcome {
        if self.is_slug_taken(record) {
            // Whether it is there, and of that version, is the first question all the same.
            return match self.of_version(record.id, record.version) {
                Ok(_) => Outcome::Refused(Refused::SlugTaken),
                Err(outcome) => outcome,
            };
        }
        match self.of_version(record.id, record.version) {
            Ok(kept) => {
                let version = record.version.saturating_add(1);
                kept.record = WorkspaceRecord { version, ..record.clone() };
                Outcome::Done
            }
            Err(outcome) => outcome,
        }
    }

    pub(super) fn delete_workspace(&mut self, id: Uuid, at: Timestamp) -> Outcome {
        let keys = self.live_keys_in(id);
        let Some(kept) = self.live_workspace(id) else { return Outcome::Missing };
        if id == DEFAULT_WORKSPACE {
            return Outcome::Refused(Refused::IsDefault);
        }
        if keys > 0 {
            return Outcome::Refused(Refused::HasKeys);
        }
        kept.deleted_at = Some(at);
        self.budgets.retain(|budget| budget.workspace != id);
        self.credentials.delete_all(id, at);
        self.members.retain(|member| member.workspace != id);
        Outcome::Done
    }

    pub(super) fn put_budget(
        &mut self,
        budget: &BudgetRecord,
        include_byok: bool,
        version: u64,
    ) -> Outcome {
        match self.of_version(budget.workspace, version) {
            Ok(kept) => {
                kept.record.version = version.saturating_add(1);
                kept.record.include_byok_in_budgets = include_byok;
            }
            Err(outcome) => return outcome,
        }
        self.take_budget(budget.workspace, budget.reset);
        self.budgets.push(budget.clone());
        Outcome::Done
    }

    pub(super) fn delete_budget(
        &mut self,
        workspace: Uuid,
        reset: Option<Reset>,
        version: u64,
    ) -> Outcome {
        if let Err(outcome) = self.of_version(workspace, version) {
            return outcome;
        }
        if !self.take_budget(workspace, reset) {
            return Outcome::Missing;
        }
        self.raise_version(workspace, version).err().unwrap_or(Outcome::Done)
    }

    pub(super) fn workspace(&self, id: Uuid) -> Option<WorkspaceRecord> {
        let kept = self.workspaces.iter().find(|kept| kept.record.id == id);
        kept.map(|kept| kept.record.clone())
    }

    pub(super) fn is_deleted(&self, id: Uuid) -> bool {
        self.workspaces.iter().any(|kept| kept.record.id == id && kept.deleted_at.is_some())
    }

    pub(super) fn loaded_workspaces(&self, since: Day) -> Vec<LoadedWorkspace> {
        let live = self.workspaces.iter().filter(|kept| kept.deleted_at.is_none());
        live.map(|kept| LoadedWorkspace {
            record: kept.record.clone(),
            budgets: self.budgets_of(kept.record.id),
            members: self.members_of(kept.record.id),
            tally: self.tally(since, |row| row.workspace == kept.record.id),
        })
        .collect()
    }

    pub(super) fn exported_workspaces(&self) -> Vec<ExportLine> {
        let mut workspaces: Vec<&KeptWorkspace> = self.workspaces.iter().collect();
        workspaces.sort_by_key(|kept| (kept.record.created_at, kept.record.id));
        let mut budgets = self.budgets.clone();
        budgets.sort_by_key(|budget| (budget.workspace, budget.place()));
        let workspaces = workspaces
            .into_iter()
            .map(|kept| ExportLine::Workspace(Box::new(kept.record.clone()), kept.deleted_at));
        workspaces.chain(budgets.into_iter().map(ExportLine::Budget)).collect()
    }

    fn budgets_of(&self, workspace: Uuid) -> Vec<BudgetRecord> {
        let of_it = self.budgets.iter().filter(|budget| budget.workspace == workspace);
        let mut budgets: Vec<BudgetRecord> = of_it.cloned().collect();
        budgets.sort_by_key(BudgetRecord::place);
        budgets
    }

    fn take_budget(&mut self, workspace: Uuid, reset: Option<Reset>) -> bool {
        let count = self.budgets.len();
        self.budgets.retain(|kept| (kept.workspace, kept.reset) != (workspace, reset));
        self.budgets.len() < count
    }

    fn is_slug_taken(&self, record: &WorkspaceRecord) -> bool {
        self.workspaces.iter().any(|kept| {
            kept.deleted_at.is_none()
                && kept.record.slug == record.slug
                && kept.record.id != record.id
        })
    }

    fn live_workspace(&mut self, id: Uuid) -> Option<&mut KeptWorkspace> {
        let is_it = |kept: &&mut KeptWorkspace| kept.record.id == id && kept.deleted_at.is_none();
        self.workspaces.iter_mut().find(is_it)
    }

    /// Makes the workspace's version one higher, if it is that one.
    pub(super) fn raise_version(&mut self, id: Uuid, version: u64) -> Result<(), Outcome> {
        self.of_version(id, version)?.record.version = version.saturating_add(1);
        Ok(())
    }

    /// The live workspace, if it is of that version; else what becomes of the edit.
    pub(super) fn of_version(
        &mut self,
        id: Uuid,
        version: u64,
    ) -> Result<&mut KeptWorkspace, Outcome> {
        match self.live_workspace(id) {
            None => Err(Outcome::Missing),
            Some(kept) if kept.record.version != version => Err(Outcome::Conflict),
            Some(kept) => Ok(kept),
        }
    }
}
