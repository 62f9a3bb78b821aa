//! `tollgate import`: what another gateway has, as configuration and keys of ours.

mod amounts;
mod litellm;
mod openrouter;
mod plan;
mod report;
mod spent;

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
    /// Take over the keys of OpenRouter, or of any server that speaks its API.
    ///
    /// Without --apply it changes nothing and shows what would be added. Keys keep their texts,
    /// since OpenRouter knows a key by the SHA-256 of its text, as Tollgate does: clients need the
    /// new address and nothing else. Limits, windows, expiry and what was spent come over, so that
    /// no key may spend more than before; workspaces that have keys come with their budgets. A key
    /// that is there already is left as it is. docs/import.md says what becomes of every fact.
    Openrouter(openrouter::OpenrouterArguments),
}

pub(crate) fn run(command: ImportCommand) -> Result<ExitCode> {
    match command {
        ImportCommand::Litellm(arguments) => litellm::run(&arguments),
        ImportCommand::Openrouter(arguments) => openrouter::run(&arguments),
    }
}
