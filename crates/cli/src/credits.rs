//! `tollgate credits`: what the account was charged in all.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::connection::{Need, Remote};
use crate::failure::Explained as _;
use crate::output::{self, dollars};
use crate::table::Facts;
use crate::{print, runtime};

#[derive(Args)]
pub(crate) struct CreditsArguments {
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &CreditsArguments) -> Result<ExitCode> {
    let CreditsArguments { remote } = arguments;
    let to = remote.open(Need::Management)?;
    let credits = runtime::block_on(async { to.client.credits().get().await.explained(&to) })?;
    if remote.json {
        output::json(&credits)?;
    } else if remote.quiet {
        print::line(&credits.total_usage.to_string());
    } else {
        let mut facts = Facts::new();
        facts.add("credits", dollars(credits.total_credits));
        facts.add("used", dollars(credits.total_usage));
        facts.print();
    }
    Ok(ExitCode::SUCCESS)
}
