//! `tollgate completions`: what a shell needs to finish a command that was begun.

use std::io::Write as _;
use std::process::ExitCode;

use clap_complete::Shell;

use crate::{help, print};

#[derive(clap::Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

pub(crate) fn completions(arguments: &CompletionsArguments) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut help::command(), "tollgate", &mut script);
    // A reader that has gone away is no failure.
    let _ = print::stdout().write_all(&script);
    ExitCode::SUCCESS
}
