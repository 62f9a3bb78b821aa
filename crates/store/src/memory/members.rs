//! Users and members in the reference store.

use uuid::Uuid;

use super::book::Book;
use crate::{ExportLine, MemberRecord, Outcome, Refused, UserRecord};

impl Book {
    pub(super) fn create_user(&mut self, user: &UserRecord) -> Outcome {
        if self.users.iter().any(|kept| kept.id == user.id) {
            return Outcome::Conflict;
        }
        self.users.push(user.clone());
        Outcome::Done
    }

    pub(super) fn delete_user(&mut self, id: &str) -> Outcome {
        if !self.users.iter().any(|user| user.id == id) {
            return Outcome::Missing;
        }
        if self.owns_keys(id, None) {
            return Outcome::Refused(Refused::OwnsKeys);
        }
        self.users.retain(|user| user.id != id);
        self.members.retain(|member| member.user != id);
        Outcome::Done
    }

    pub(super) fn add_members(
        &mut self,
        workspace: Uuid,
        members: &[MemberRecord],
        version: u64,
    ) -> Outcome {
        if let Err(outcome) = self.raise_version(workspace, version) {
            return outcome;
        }
        for member in members {
            let is_there = |kept: &MemberRecord| {
                (kept.workspace, &kept.user) == (member.workspace, &member.user)
            };
            if !self.members.iter().any(is_there) {
                self.members.push(member.clone());
            }
        }
        Outcome::Done
    }

    pub(super) fn remove_members(
        &mut self,
        workspace: Uuid,
        users: &[String],
        version: u64,
    ) -> Outcome {
        if let Err(outcome) = self.of_version(workspace, version) {
            return outcome;
        }
        if users.iter().any(|user| self.owns_keys(user, Some(workspace))) {
            return Outcome::Refused(Refused::OwnsKeys);
        }
        self.members
            .retain(|member| member.workspace != workspace || !users.contains(&member.user));
        self.raise_version(workspace, version).err().unwrap_or(Outcome::Done)
    }

    pub(super) fn members_of(&self, workspace: Uuid) -> Vec<MemberRecord> {
        let mut members: Vec<MemberRecord> =
            self.members.iter().filter(|member| member.workspace == workspace).cloned().collect();
        members.sort_by(|one, other| {
            (one.created_at, &one.user).cmp(&(other.created_at, &other.user))
        });
        members
    }

    pub(super) fn sorted_users(&self) -> Vec<UserRecord> {
        let mut users = self.users.clone();
        users.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        users
    }

    pub(super) fn exported_members(&self) -> Vec<ExportLine> {
        let mut members = self.members.clone();
        members
            .sort_by(|one, other| (one.workspace, &one.user).cmp(&(other.workspace, &other.user)));
        let users = self.sorted_users().into_iter().map(ExportLine::User);
        users.chain(members.into_iter().map(ExportLine::Member)).collect()
    }
}
