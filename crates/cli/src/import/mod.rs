//! `tollgate import`: what another gateway has, as configuration and keys of ours.

mod litellm;
mod plan;
mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    /// Make a configuration of LiteLLM's config.yaml, and keys of its virtual keys.
    ///
    /// Without --apply it changes nothing and shows what would be added. Keys keep their texts,
    /// since both keep the same hash; teams become workspaces, spend is carried over, and nobody may
    /// spend more than before. A key that is there already is left as it is. Prices are those of the
    /// file, else list prices of the built-in catalogue; a model without either stands in the
    /// configuration behind a `#`. Whatever has no counterpart here is listed, with its line and
    /// the reason. No secret is copied: a variable stays one, and for a key that is written out a
    /// variable is named. docs/import.md says what becomes of every setting.
    Litellm(litellm::LitellmArguments),
}

pub(crate) fn run(command: ImportCommand) -> Result<ExitCode> {
    match command {
        ImportCommand::Litellm(arguments) => litellm::run(&arguments),
    }
}
