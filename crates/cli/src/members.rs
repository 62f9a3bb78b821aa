//! `tollgate members`: whom keys can be made for, as the API has them.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use client::{OrganizationMember, Slice};

use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::output;
use crate::table::Table;
use crate::{print, runtime};

/// Members that are asked for at once, the most that the API gives.
const PAGE: u64 = 100;

#[derive(Args)]
pub(crate) struct MembersArguments {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: MembersCommand,
}

#[derive(Subcommand)]
enum MembersCommand {
    /// List the members of the organisation.
    ///
    /// Their ids are what `keys create --creator` takes. Beside the server, `tollgate users` adds and
    /// removes them.
    List,
}

pub(crate) fn run(arguments: &MembersArguments) -> Result<ExitCode> {
    let MembersArguments { remote, command: MembersCommand::List } = arguments;
    let to = remote.open(Need::Management)?;
    let members = runtime::block_on(all(&to))?;
    if remote.json {
        output::json(&members)?;
    } else if remote.quiet {
        members.iter().for_each(|member| print::line(&member.id));
    } else {
        let mut table = Table::new(&["ID", "EMAIL", "NAME", "ROLE"]);
        for member in &members {
            let names = [member.first_name.as_deref(), member.last_name.as_deref()];
            let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
            table.row([member.id.clone(), member.email.clone(), name, member.role.to_string()]);
        }
        table.print();
    }
    Ok(ExitCode::SUCCESS)
}

/// All of them, page after page.
async fn all(to: &Connection) -> Result<Vec<OrganizationMember>> {
    let mut all: Vec<OrganizationMember> = Vec::new();
    loop {
        let slice = Slice::new().offset(all.len() as u64).limit(PAGE);
        let page = to.client.organization().members(slice).await.explained(to)?.data;
        let is_last = (page.len() as u64) < PAGE;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}
