//! `tollgate activity`: what each model and provider came to, day by day.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use client::{ActivityItem, GetActivity};
use jiff::civil::Date;

use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::keys::reference;
use crate::output::{self, NOTHING, count, dollars};
use crate::table::Table;
use crate::{print, runtime, workspaces};

#[derive(Args)]
pub(crate) struct ActivityArguments {
    #[command(flatten)]
    remote: Remote,
    /// Only this day in UTC, YYYY-MM-DD, of the last 30 whole ones.
    #[arg(long, value_name = "DAY")]
    date: Option<Date>,
    /// Only what this key paid: its hash, the beginning of it, or its name.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only what keys of this member paid.
    #[arg(long, value_name = "USER")]
    user: Option<String>,
    /// Only what was used in this workspace, by id or slug.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// A row for each workspace.
    #[arg(long)]
    by_workspace: bool,
}

pub(crate) fn run(arguments: &ActivityArguments) -> Result<ExitCode> {
    let remote = &arguments.remote;
    let to = remote.open(Need::Management)?;
    let items = runtime::block_on(items(&to, arguments))?;
    if remote.json {
        output::json(&items)?;
    } else if items.is_empty() {
        print::error("nothing was used in those days; today is not among them: `tollgate usage`");
    } else {
        tell(&items, arguments.by_workspace);
    }
    Ok(ExitCode::SUCCESS)
}

async fn items(to: &Connection, arguments: &ActivityArguments) -> Result<Vec<ActivityItem>> {
    let mut wanted = GetActivity::new();
    if let Some(date) = arguments.date {
        wanted = wanted.date(date);
    }
    if let Some(key) = &arguments.key {
        wanted = wanted.api_key_hash(reference::hash(to, key).await?);
    }
    if let Some(user) = &arguments.user {
        wanted = wanted.user_id(user);
    }
    if let Some(workspace) = &arguments.workspace {
        wanted = wanted.workspace_id(workspaces::id(to, workspace).await?);
    }
    if arguments.by_workspace {
        wanted = wanted.group_by_workspace(true);
    }
    to.client.activity().get(&wanted).await.explained(to)
}

fn tell(items: &[ActivityItem], by_workspace: bool) {
    let mut head = vec!["DAY", "MODEL", "PROVIDER"];
    if by_workspace {
        head.push("WORKSPACE");
    }
    head.extend([">SPENT", ">OWN CREDENTIALS", ">REQUESTS", ">IN", ">OUT", ">REASONING"]);
    let mut table = Table::new(&head);
    for item in items {
        let day = item.date.get(..10).unwrap_or(&item.date).to_owned();
        let mut cells = vec![day, item.model.clone(), item.provider_name.clone()];
        if by_workspace {
            cells.push(item.workspace_id.clone().unwrap_or(NOTHING.to_owned()));
        }
        cells.extend([
            dollars(item.usage),
            dollars(item.byok_usage_inference),
            count(item.requests),
            count(item.prompt_tokens),
            count(item.completion_tokens),
            count(item.reasoning_tokens),
        ]);
        table.row(cells);
    }
    table.print();
}
