//! `tollgate import openrouter`: the keys of a server that speaks this API, with their facts.

mod facts;
mod keys;

use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::Serialize;

use super::plan::{self, Diff};
use super::report::{Note, Notes};
use crate::connection::{Connection, Need, OPENROUTER_KEY, OPENROUTER_URL, Remote, host};
use crate::output::Misused;
use crate::profile::checked_url;
use crate::{ConfigFile, print, runtime};

#[derive(clap::Args)]
pub(crate) struct OpenrouterArguments {
    /// Ask the API at this address.
    #[arg(long, value_name = "URL", default_value = OPENROUTER_URL, value_parser = checked_url)]
    url: String,
    /// The variable that has a management key of that server; OPENROUTER_API_KEY where that is
    /// OpenRouter.
    #[arg(long, value_name = "env:NAME")]
    key: Option<String>,
    /// Ask the server of this profile, with its key.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["url", "key"])]
    profile: Option<String>,
    #[command(flatten)]
    config: ConfigFile,
    /// Do it. Without this nothing is changed.
    #[arg(long)]
    apply: bool,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// All of it, for a program to read.
#[derive(Serialize)]
struct Outcome<'a> {
    applied: bool,
    server: &'a str,
    #[serde(flatten)]
    diff: &'a Diff,
    notes: &'a [Note],
}

/// The name of a variable; what is none may be a key, and is not shown.
fn variable(text: &str) -> Result<&str, Misused> {
    let name = text.strip_prefix("env:").filter(|name| !name.is_empty());
    let why = "--key must be `env:NAME`, NAME a variable that has the key: a key itself would stand \
               in a list of processes";
    name.ok_or_else(|| Misused(why.to_owned()))
}

pub(crate) fn run(arguments: &OpenrouterArguments) -> Result<ExitCode> {
    let OpenrouterArguments { config, apply, json, .. } = arguments;
    let from = connection(arguments)?;
    let facts = runtime::block_on(facts::read(&from))?;
    let mut notes = Notes::default();
    let hashes: Vec<String> = facts.keys.iter().map(|key| key.hash.clone()).collect();
    let standing = plan::standing(&config.config, &hashes)?;
    let from_host = host(&from.server.url);
    let plan = keys::plan(&facts, &standing, &from_host, &mut notes);
    let mut diff = plan.diff(&standing);
    if *apply {
        plan.apply(&config.config, &mut diff)?;
    }
    let is_refused = diff.count(&plan::State::Refused) > 0;
    let code = if *apply && is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if *json {
        let server = from.server.url.as_str();
        let outcome = Outcome { applied: *apply, server, diff: &diff, notes: &notes.0 };
        print::line(&serde_json::to_string_pretty(&outcome)?);
        return Ok(code);
    }
    print::line(&format!("{}: {} keys", from.server.url, facts.keys.len()));
    diff.show();
    notes.show();
    print::line("");
    print::line(&diff.summary(*apply));
    if !apply {
        print::line("nothing was changed; --apply does it");
    }
    Ok(code)
}

fn connection(arguments: &OpenrouterArguments) -> Result<Connection> {
    let OpenrouterArguments { url, key, profile, .. } = arguments;
    if profile.is_some() {
        return Remote::of_profile(profile.clone()).open(Need::Management);
    }
    let is_usual = url == OPENROUTER_URL;
    match key.as_deref() {
        Some(key) => Connection::to(url, variable(key)?),
        None if is_usual => Connection::to(url, OPENROUTER_KEY),
        None => bail!(
            "which key is that server's? say `--key env:NAME`, NAME a variable that has a management \
             key of {url}"
        ),
    }
}
