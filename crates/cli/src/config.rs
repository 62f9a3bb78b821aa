//! `tollgate config`: what a configuration says, what of it is built in, and reading it again.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Error, Result, bail};
use clap::Subcommand;
use gateway::catalogue::{Catalogue, LearnedBook, Model, build};
use gateway::config::built_in::{self, BuiltInModel};
use gateway::config::{self, Examined};
use http::Method;
use money::{Bill, Rate};
use upstream::PriceSet;
use upstream::transport::Tls;

use crate::setup::{self, Setup};
use crate::{ConfigFile, control, print, serve};

/// Prices are shown for this many tokens, as providers publish them.
const TOKENS: u64 = 1_000_000;

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read a configuration as `serve` would, say all that is wrong with it, and show its models.
    ///
    /// Prices are in US dollars a million tokens, of a short prompt and of a completion; those
    /// marked `list` are the built-in ones. Also warned of are credentials written out in the file
    /// and variables that are no settings. Exits with 1 where anything is wrong.
    Check(ConfigFile),
    /// Print every setting with its default and what it is for.
    ///
    /// As it is, the file says what leaving everything out says: keep of it what you change. What
    /// has no default stands in it as an example, behind a `#`.
    Default,
    /// List the built-in models, each of which a configuration serves by its id alone.
    ///
    /// With who runs each. Prices are list prices, to be checked: `config check` shows what a
    /// configuration comes to.
    Models {
        /// Only those whose id or provider has this in it.
        text: Option<String>,
    },
    /// Have the running server read its providers and models again.
    ///
    /// They are in force from the next request on; what is in flight keeps its prices. A file that
    /// is wrong changes nothing. All other settings wait for the next start; those that were
    /// changed are named.
    Reload(ConfigFile),
}

pub(crate) fn run(command: ConfigCommand) -> Result<ExitCode> {
    match command {
        ConfigCommand::Check(ConfigFile { config }) => return Ok(check(&config)),
        ConfigCommand::Default => print::line(gateway::config::DEFAULT.trim_end()),
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

/// What there is to say about a configuration.
#[derive(Default)]
pub(crate) struct Findings {
    /// Why `serve` would refuse it.
    pub(crate) problems: Vec<String>,
    /// What its owner should know.
    pub(crate) warnings: Vec<String>,
    /// What it says, where that can be read.
    pub(crate) setup: Option<Setup>,
    /// What it serves, where nothing is wrong with that.
    pub(crate) catalogue: Option<Catalogue>,
}

/// Reads the configuration at `path`, and everything it names, as `serve` would.
pub(crate) fn examine(path: &Path) -> Findings {
    let mut findings = examine_with(path, &setup::environment());
    if let Ok(text) = std::env::var(serve::MANAGEMENT_KEY)
        && let Err(problem) = serve::check_management_key(&text)
    {
        findings.problems.push(format!("{problem:#}"));
    }
    findings
}

/// The same of the configuration alone, in another environment.
pub(crate) fn examine_with(path: &Path, environment: &BTreeMap<String, String>) -> Findings {
    let Examined { loaded, mut problems } = config::examine(path, environment);
    let mut findings = Findings::default();
    let mut others = Vec::new();
    if let Some(loaded) = loaded {
        let mut setup = Setup::of(loaded, path);
        let learned = LearnedBook::default();
        findings.catalogue = problems.take(build(&setup.config, &setup.folder, &learned));
        others.extend(check_files(&setup).into_iter().flatten());
        findings.warnings = std::mem::take(&mut setup.warnings);
        findings.setup = Some(setup);
    }
    if let Err(error) = problems.end() {
        findings.problems.extend(error.problems().map(str::to_owned));
    }
    findings.problems.extend(others.iter().map(|problem| format!("{problem:#}")));
    findings
}

/// What is wrong with what a configuration names, besides providers and models.
fn check_files(setup: &Setup) -> [Option<Error>; 3] {
    let database = setup.database().and_then(|database| {
        let folder = database.parent().filter(|folder| *folder != Path::new(""));
        match folder.filter(|folder| !folder.is_dir()) {
            None => Ok(()),
            Some(folder) => bail!(
                "setting `store.url`: there is no folder {} to keep the store in; make it first",
                folder.display()
            ),
        }
    });
    let authorities =
        Tls::new(setup.config.egress.ca_file.as_deref()).context("setting `egress.ca_file`");
    [database.err(), authorities.err(), serve::log_filter(&setup.config.log).err()]
}

fn check(path: &Path) -> ExitCode {
    let Findings { problems, warnings, setup, catalogue } = examine(path);
    warnings.iter().for_each(|warning| print::error(&format!("warning: {warning}")));
    if !problems.is_empty() {
        problems.iter().for_each(|problem| print::error(&format!("error: {problem}")));
        let many =
            if problems.len() == 1 { "1 problem" } else { &format!("{} problems", problems.len()) };
        print::error(&format!("{} has {many}", path.display()));
        return ExitCode::FAILURE;
    }
    if let (Some(setup), Some(catalogue)) = (setup, catalogue) {
        show(&setup, &catalogue);
    }
    print::line("the configuration is good");
    ExitCode::SUCCESS
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
