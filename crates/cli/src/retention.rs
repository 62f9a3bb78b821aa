//! `tollgate retention`: old rows into sealed ones, one a key, day, model and provider.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use gateway::http::control::{RetentionOutcome, RetentionRun};
use http::Method;
use store::RETENTION_DAYS_MIN;

use crate::{ConfigFile, control, print};

#[derive(Subcommand)]
pub(crate) enum RetentionCommand {
    /// Seal the rows of old generations now, or say what that would come to.
    ///
    /// Rows admitted more than so many days ago give way to sealed rows, one a key, day, model and
    /// provider. No figure changes: limits, usage, activity and the audit stay as they are to the
    /// nano-dollar. What goes for ever are the particulars: such a generation can't be looked up
    /// or corrected any more. Charges whose end was not seen are spared until `tollgate holds` has
    /// corrected them. A server does this by itself where `store.retention_days` is set; this
    /// command is for doing it now, and goes through the server where one runs. Interrupted, it
    /// keeps what it has sealed so far.
    Run {
        #[command(flatten)]
        file: ConfigFile,
        /// How old, in whole UTC days; at least 40. Without it, `store.retention_days`.
        #[arg(
            long,
            value_name = "DAYS",
            value_parser = clap::value_parser!(u32).range(i64::from(RETENTION_DAYS_MIN)..)
        )]
        older_than: Option<u32>,
        /// Only say what would be sealed; it can't be undone.
        #[arg(long)]
        dry_run: bool,
        /// Print the outcome as JSON.
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(command: RetentionCommand) -> Result<ExitCode> {
    let RetentionCommand::Run { file, older_than, dry_run, json } = command;
    let wanted = RetentionRun { older_than_days: older_than, dry_run };
    let outcome: RetentionOutcome =
        control::ask(&file.config, Method::POST, "/retention", &wanted)?;
    if json {
        print::line(&serde_json::to_string_pretty(&outcome)?);
        return Ok(ExitCode::SUCCESS);
    }
    let RetentionOutcome { before, generations, rows, spared, .. } = outcome;
    let verb = if dry_run { "would seal" } else { "sealed" };
    print::line(&format!("{verb} {rows} rows of {generations} generations from before {before}"));
    if spared > 0 {
        print::line(&format!(
            "{spared} older generations are kept: a charge of theirs is unresolved (`tollgate \
             holds list`), or a part of them is younger"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
