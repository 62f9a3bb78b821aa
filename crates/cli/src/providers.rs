//! `tollgate providers`: who runs the models.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::connection::{Need, Remote};
use crate::failure::Explained as _;
use crate::output::{self, NOTHING};
use crate::table::Table;
use crate::{print, runtime};

#[derive(Args)]
pub(crate) struct ProvidersArguments {
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &ProvidersArguments) -> Result<ExitCode> {
    let ProvidersArguments { remote } = arguments;
    let to = remote.open(Need::Nothing)?;
    let list = async { to.client.providers().list().await.explained(&to) };
    let providers = runtime::block_on(list)?;
    if remote.json {
        output::json(&providers)?;
    } else if remote.quiet {
        providers.iter().for_each(|provider| print::line(&provider.slug));
    } else {
        let mut table = Table::new(&["SLUG", "NAME", "STATUS PAGE"]);
        for provider in &providers {
            let page = provider.status_page_url.clone().unwrap_or(NOTHING.to_owned());
            table.row([provider.slug.clone(), provider.name.clone(), page]);
        }
        table.print();
    }
    Ok(ExitCode::SUCCESS)
}
