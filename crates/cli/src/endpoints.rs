//! `tollgate endpoints`: what was learned about endpoints from their answers.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use gateway::http::control::NamedEndpoint;
use http::Method;

use crate::{ConfigFile, control, print};

#[derive(Subcommand)]
pub(crate) enum EndpointsCommand {
    /// List endpoints that added more to prompts, or charged more, than was held.
    ///
    /// One that charged above a hold is held at its own maximum from then on; one that passed that
    /// too is barred: it serves no limited key. Most often a price in the configuration is wrong.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Forget what was learned about an endpoint, so that it serves limited keys again.
    ///
    /// Look for the cause first: with a wrong price, or `prompt_overhead_tokens` too low, the next
    /// answer teaches the same again.
    Clear {
        #[command(flatten)]
        file: ConfigFile,
        /// The model's id.
        model: String,
        /// The provider's slug.
        provider: String,
        /// The provider's name for the model.
        upstream_model: String,
    },
}

pub(crate) fn run(command: EndpointsCommand) -> Result<ExitCode> {
    match command {
        EndpointsCommand::List { file, json } => {
            let marks: Vec<serde_json::Value> =
                control::ask(&file.config, Method::GET, "/endpoints", &())?;
            if json {
                print::line(&serde_json::to_string_pretty(&marks)?);
                return Ok(ExitCode::SUCCESS);
            }
            let text = |value: &serde_json::Value| match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let fields = [
                "model",
                "provider",
                "upstream_model",
                "prompt_overhead_tokens",
                "held_at_maximum",
                "barred",
            ];
            let rows: Vec<Vec<String>> = marks
                .iter()
                .map(|mark| fields.iter().map(|field| text(&mark[*field])).collect())
                .collect();
            let head =
                ["MODEL", "PROVIDER", "UPSTREAM MODEL", "OVERHEAD", "HELD AT MAXIMUM", "BARRED"];
            print::table(&head, &rows);
        }
        EndpointsCommand::Clear { file, model, provider, upstream_model } => {
            let named = NamedEndpoint { model, provider, upstream_model };
            let _: serde_json::Value =
                control::ask(&file.config, Method::POST, "/endpoints/clear", &named)?;
            print::line(&format!("cleared {} at {}", named.model, named.provider));
        }
    }
    Ok(ExitCode::SUCCESS)
}
