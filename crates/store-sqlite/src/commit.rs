//! A batch of changes in one transaction, and what became of each.
//! A change looks before it writes, so one that can't apply leaves nothing and disturbs no other.

use jiff::Timestamp;
use rusqlite::{Connection, Result};
use store::{AuditRow, Change, Edit, Entry, Outcome};

use crate::sums::Sums;
use crate::{
    audit_log, budgets, byok, endpoint_marks, entries, keys, management_keys, members, sealed,
    workspaces,
};

/// Makes all changes durable. On an error the transaction may still be open, for the caller to end.
pub(crate) fn commit(connection: &Connection, changes: &[Change]) -> Result<Vec<Outcome>> {
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut batch = Batch { sums: Sums::default(), sealed_to: sealed::newest(connection)? };
    let outcomes = changes
        .iter()
        .map(|change| apply(connection, change, &mut batch))
        .collect::<Result<Vec<Outcome>>>()?;
    batch.sums.write(connection)?;
    if changes.is_empty() {
        prove_writable(connection)?;
    }
    connection.prepare_cached("COMMIT")?.execute([])?;
    Ok(outcomes)
}

/// Writes a page as it is: whoever commits nothing asks whether the store can be written.
fn prove_writable(connection: &Connection) -> Result<()> {
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    connection.pragma_update(None, "user_version", version)
}

/// What the changes of a batch share.
struct Batch<'a> {
    sums: Sums<'a>,
    /// The latest admission among sealed entries. Nearly every settlement is later: it need not be
    /// looked for among them.
    sealed_to: Option<Timestamp>,
}

fn apply<'a>(
    connection: &Connection,
    change: &'a Change,
    batch: &mut Batch<'a>,
) -> Result<Outcome> {
    match change {
        Change::Settle(entry) => {
            let may_be_sealed =
                batch.sealed_to.is_some_and(|sealed_to| entry.admitted_at <= sealed_to);
            if may_be_sealed && sealed::is_known(connection, entry)? {
                return Ok(Outcome::Settled { cost: entry.cost, is_new: false });
            }
            let outcome = entries::settle(connection, entry)?;
            if matches!(outcome, Outcome::Settled { is_new: true, .. }) {
                batch.sums.count(entry);
            }
            Ok(outcome)
        }
        Change::Edit(made, row) => {
            let outcome = edit(connection, made, row)?;
            if matches!(outcome, Outcome::Done | Outcome::Corrected { .. }) {
                audit_log::insert(connection, row)?;
            }
            Ok(outcome)
        }
        Change::Mark(mark) => endpoint_marks::put(connection, mark),
        Change::Seal(seal) => {
            let outcome = sealed::seal(connection, seal)?;
            batch.sealed_to = sealed::newest(connection)?;
            Ok(outcome)
        }
    }
}

/// Counts a row in the kept sums at once.
fn count(connection: &Connection, entry: &Entry) -> Result<()> {
    let mut sums = Sums::default();
    sums.count(entry);
    sums.write(connection)
}

fn edit(connection: &Connection, edit: &Edit, row: &AuditRow) -> Result<Outcome> {
    match edit {
        Edit::CreateKey { key, idempotent, openings } => {
            let outcome = keys::create(connection, key, idempotent.as_ref(), row.at)?;
            if outcome == Outcome::Done {
                for opening in openings {
                    entries::settle(connection, opening)?;
                    count(connection, opening)?;
                }
            }
            Ok(outcome)
        }
        Edit::UpdateKey(key) => keys::update(connection, key),
        Edit::DeleteKey { hash, at } => keys::delete(connection, *hash, *at),
        Edit::CreateWorkspace(workspace) => workspaces::create(connection, workspace),
        Edit::UpdateWorkspace(workspace) => workspaces::update(connection, workspace),
        Edit::DeleteWorkspace { id, at } => workspaces::delete(connection, *id, *at),
        Edit::PutBudget { budget, include_byok, version } => {
            budgets::put(connection, budget, *include_byok, *version)
        }
        Edit::DeleteBudget { workspace, reset, version } => {
            budgets::delete(connection, *workspace, *reset, *version)
        }
        Edit::CreateUser(user) => members::create_user(connection, user),
        Edit::DeleteUser { id } => members::delete_user(connection, id),
        Edit::AddMembers { workspace, members, version } => {
            members::add(connection, *workspace, members, *version)
        }
        Edit::RemoveMembers { workspace, users, version } => {
            members::remove(connection, *workspace, users, *version)
        }
        Edit::CreateManagementKey(key) => management_keys::create(connection, key),
        Edit::RevokeManagementKey { hash, at } => management_keys::revoke(connection, *hash, *at),
        Edit::Correct { generation, attempt, cost } => {
            let outcome = entries::correct(connection, generation, *attempt, *cost)?;
            if let Outcome::Corrected { entry } = &outcome {
                count(connection, entry)?;
            }
            Ok(outcome)
        }
        Edit::ClearMark { model, provider, upstream_model } => {
            endpoint_marks::clear(connection, model, provider, upstream_model)
        }
        Edit::CreateCredential(record) => byok::create(connection, record),
        Edit::UpdateCredential(record) => byok::update(connection, record),
        Edit::DeleteCredential { id, at } => byok::delete(connection, *id, *at),
        Edit::ReencryptCredentials(secrets) => byok::reencrypt(connection, secrets),
    }
}
