//! What the server says, of one moment: its keys, and the workspaces that have some.

use anyhow::{Result, bail};
use client::{GetKeyData, Workspace, WorkspaceBudgets};
use jiff::Timestamp;
use ledger::Day;

use crate::connection::Connection;
use crate::failure::Explained as _;
use crate::{keys, real, workspaces};

/// Readings before it is given up that all of one falls on one day.
const READINGS_MAX: usize = 3;

/// What there is to be imported.
pub(super) struct Facts {
    /// Every key, disabled and expired ones too.
    pub(super) keys: Vec<GetKeyData>,
    /// The workspace that keys are in which name none.
    pub(super) default: Option<String>,
    /// Every workspace, with its budgets where it has keys.
    pub(super) workspaces: Vec<(Workspace, Option<WorkspaceBudgets>)>,
    /// A moment of the day that the figures are of.
    pub(super) at: Timestamp,
}

/// Reads all of it. Figures count from midnight to midnight, so a reading that midnight fell into
/// is made again.
pub(super) async fn read(from: &Connection) -> Result<Facts> {
    for _ in 0..READINGS_MAX {
        let at = real::now();
        let facts = read_once(from, at).await?;
        if Day::of(real::now()) == Day::of(at) {
            return Ok(facts);
        }
    }
    bail!("{} takes longer than a day to list its keys", from.server.url)
}

async fn read_once(from: &Connection, at: Timestamp) -> Result<Facts> {
    let mut all = keys::all(from, None, true).await?;
    let default = all.iter().find_map(|key| key.workspace_id.clone());
    let mut listed = Vec::new();
    for workspace in workspaces::all_known(from).await?.unwrap_or_default() {
        let is_default = default.as_ref() == Some(&workspace.id);
        let own = match is_default {
            true => Vec::new(),
            false => keys::all(from, Some(workspace.id.clone()), true).await?,
        };
        let mut budgets = None;
        if is_default || !own.is_empty() {
            budgets = budgets_of(from, &workspace.id).await?;
        }
        all.extend(own);
        listed.push((workspace, budgets));
    }
    // A key that moved meanwhile was met twice.
    let mut keys: Vec<GetKeyData> = Vec::new();
    for key in all {
        if !keys.iter().any(|known| known.hash == key.hash) {
            keys.push(key);
        }
    }
    Ok(Facts { keys, default, workspaces: listed, at })
}

/// The budgets of a workspace; `None` of a server that knows none.
async fn budgets_of(from: &Connection, workspace: &str) -> Result<Option<WorkspaceBudgets>> {
    match from.client.workspaces().budgets(workspace).list().await {
        Err(error) if error.is_not_found() => Ok(None),
        budgets => budgets.explained(from).map(Some),
    }
}
