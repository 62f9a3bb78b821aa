//! `tollgate keys`: what there are, what they may spend and have spent; make, change and delete them.

mod create;
pub(crate) mod reference;
mod show;
mod update;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use client::{GetKeyData, ListKeys};
use futures_util::TryStreamExt as _;

pub(crate) use show::state;

use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::{confirm, output, print, real, runtime, workspaces};

/// The word for the keys of every workspace.
const EVERY: &str = "all";

#[derive(Args)]
pub(crate) struct KeysArguments {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Make a key and print its text, once.
    ///
    /// Only its SHA-256 is kept by the server. `--quiet` prints nothing but the text, for a password
    /// manager or a variable.
    Create(Box<create::CreateArguments>),
    /// List keys, newest first: limits, what is left, what was spent.
    ///
    /// Those of the default workspace that are neither disabled nor expired, unless told otherwise.
    /// `--quiet` prints hashes alone.
    List(ListArguments),
    /// Show all there is to know about a key.
    ///
    /// By its hash, the beginning of it (8 digits at least), or its exact name, where one key alone
    /// has it.
    Get {
        /// Its hash, the beginning of it, or its name.
        key: String,
    },
    /// Change a key.
    ///
    /// It binds from the next request on; what is in flight goes on. What is not named stays as it
    /// is, `none` clears.
    Update(Box<update::UpdateArguments>),
    /// Delete a key, for ever.
    ///
    /// It is refused from the next request on; what it has spent stays in every report. Asks first
    /// on a terminal; elsewhere it needs `--yes`.
    Delete {
        /// Its hash, the beginning of it, or its name.
        key: String,
        /// Don't ask.
        #[arg(long, short)]
        yes: bool,
    },
}

#[derive(Args)]
struct ListArguments {
    /// Those of this workspace, by id or slug; `all` is every one.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// Disabled and expired ones too.
    #[arg(long, short)]
    all: bool,
}

pub(crate) fn run(arguments: KeysArguments) -> Result<ExitCode> {
    let KeysArguments { remote, command } = arguments;
    let to = remote.open(Need::Management)?;
    runtime::block_on(async {
        match command {
            KeysCommand::Create(arguments) => create::create(&to, &remote, *arguments).await,
            KeysCommand::List(arguments) => list(&to, &remote, &arguments).await,
            KeysCommand::Get { key } => {
                let hash = reference::hash(&to, &key).await?;
                let found = to.client.keys().get(&hash).await;
                let found = found.explained_of(&to, reference::subject(&key))?;
                show::show(&remote, &found)
            }
            KeysCommand::Update(arguments) => update::update(&to, &remote, *arguments).await,
            KeysCommand::Delete { key, yes } => delete(&to, &remote, &key, yes).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn list(to: &Connection, remote: &Remote, arguments: &ListArguments) -> Result<()> {
    let workspaces = match arguments.workspace.as_deref() {
        None => vec![None],
        Some(EVERY) => workspaces::every(to).await?,
        Some(workspace) => vec![Some(workspaces::id(to, workspace).await?)],
    };
    let mut keys = Vec::new();
    for workspace in workspaces {
        keys.extend(all(to, workspace, arguments.all).await?);
    }
    if remote.json {
        return output::json(&keys);
    }
    if remote.quiet {
        keys.iter().for_each(|key| print::line(&key.hash));
        return Ok(());
    }
    if keys.is_empty() {
        print::error("there are no such keys; `tollgate keys create NAME` makes one");
        return Ok(());
    }
    show::table(&keys, real::now()).print();
    Ok(())
}

/// Every key of a workspace, the default one where none is named.
pub(crate) async fn all(
    to: &Connection,
    workspace: Option<String>,
    with_all: bool,
) -> Result<Vec<GetKeyData>> {
    let mut wanted = ListKeys::new();
    if with_all {
        wanted = wanted.include_disabled(true).include_expired(true);
    }
    if let Some(workspace) = workspace {
        wanted = wanted.workspace_id(workspace);
    }
    to.client.keys().list_all(wanted).try_collect().await.explained(to)
}

async fn delete(to: &Connection, remote: &Remote, key: &str, is_sure: bool) -> Result<()> {
    let hash = reference::hash(to, key).await?;
    let subject = reference::subject(key);
    let found = to.client.keys().get(&hash).await.explained_of(to, subject)?;
    confirm::ask(
        is_sure,
        &format!(
            "delete key \"{}\" ({}), which has spent {}, at {}?",
            output::plain(&found.name),
            output::short(&hash),
            output::dollars(found.usage),
            to.server.url
        ),
    )?;
    to.client.keys().delete(&hash).await.explained_of(to, subject)?;
    output::deleted(remote, &hash, &format!("{} ({hash})", found.name))
}
