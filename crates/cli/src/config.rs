//! `tollgate config`: what a configuration says, what of it is built in, and reading it again.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use gateway::catalogue::{Catalogue, LearnedBook, Model, build};
use gateway::config::built_in::{self, BuiltInModel};
use http::Method;
use money::{Bill, Rate};
use upstream::PriceSet;
use upstream::transport::Tls;

use crate::serve::log_filter;
use crate::setup::Setup;
use crate::{ConfigFile, control, print};

/// Prices are shown for this many tokens, as providers publish them.
const TOKENS: u64 = 1_000_000;

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration as `serve` would, say what is wrong with it, and show its models.
    ///
    /// Prices are in US dollars a million tokens, of a short prompt and of a completion; those
    /// marked `list` are the built-in ones.
    Check(ConfigFile),
    /// List the built-in models, each of which a configuration serves by its id alone.
    Models {
        /// Only those whose id or provider has this in it.
        text: Option<String>,
    },
    /// Have the running server read its providers and models again.
    Reload(ConfigFile),
}

pub(crate) fn run(command: ConfigCommand) -> Result<ExitCode> {
    match command {
        ConfigCommand::Check(ConfigFile { config }) => check(&config)?,
        ConfigCommand::Models { text } => models(text.as_deref().unwrap_or_default()),
        ConfigCommand::Reload(ConfigFile { config }) => {
            let answer: serde_json::Value = control::ask(&config, Method::POST, "/reload", &())?;
            for warning in answer["warnings"].as_array().into_iter().flatten() {
                print::error(&format!("warning: {}", warning.as_str().unwrap_or_default()));
            }
            print::line("reloaded");
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn check(path: &Path) -> Result<()> {
    let setup = Setup::read(path)?;
    let catalogue = build(&setup.config, &setup.folder, &LearnedBook::default())?;
    let database = setup.database()?;
    let folder = database.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("there is no folder {} to keep the store in; make it first", folder.display());
    }
    Tls::new(setup.config.egress.ca_file.as_deref()).context("setting `egress.ca_file`")?;
    log_filter(&setup.config.log)?;
    setup.warnings.iter().for_each(|warning| print::error(&format!("warning: {warning}")));
    show(&setup, &catalogue);
    print::line("the configuration is good");
    Ok(())
}

/// What came out: every endpoint of every model, with what it charges.
fn show(setup: &Setup, catalogue: &Catalogue) {
    let head = ["MODEL", "PROVIDER", "UPSTREAM MODEL", "PROMPT", "COMPLETION", ""];
    let rows = |model: &Model| -> Vec<Vec<String>> {
        let each = model.endpoints.iter().enumerate().map(|(place, endpoint)| {
            let is_list = setup.list_priced.contains(&(endpoint.model.clone(), place));
            let [prompt, completion] = million(&endpoint.prices.base);
            let (model, provider) = (endpoint.model.clone(), endpoint.provider.slug.clone());
            let mark = if is_list { "list".to_owned() } else { String::new() };
            vec![model, provider, endpoint.upstream_model.clone(), prompt, completion, mark]
        });
        each.collect()
    };
    let rows: Vec<Vec<String>> = catalogue.models.iter().flat_map(|model| rows(model)).collect();
    if rows.is_empty() {
        print::line(
            "no models are served: name them under [[models]], or as a provider's `models`",
        );
        return;
    }
    print::table(&head, &rows);
    if let (Some(source), false) = (built_in::source(), setup.list_priced.is_empty()) {
        print::line(&format!("list: prices of {}, {}", source.date, source.source));
    }
}

fn million(prices: &PriceSet) -> [String; 2] {
    let shown = |rate: Rate| {
        let mut bill = Bill::default();
        let cost = bill.add(TOKENS, rate).and_then(|()| bill.round_up());
        cost.map_or_else(|_| "?".to_owned(), |cost| cost.to_string())
    };
    [shown(prices.prompt), shown(prices.completion)]
}

fn models(text: &str) {
    let text = text.to_lowercase();
    let rows: Vec<Vec<String>> = built_in::ids()
        .filter_map(|id| {
            let model = built_in::model(id)?;
            let run_by: Vec<&str> = BuiltInModel::providers(&model).collect();
            let run_by = run_by.join(", ");
            let is_wanted = id.contains(&text) || run_by.contains(&text);
            is_wanted.then(|| vec![id.to_owned(), run_by])
        })
        .collect();
    print::table(&["MODEL", "PROVIDERS"], &rows);
}
