//! `tollgate import litellm`: a proxy's configuration.

mod config;
mod deployment;
mod keys;
mod models;
mod postgres;
mod providers;
mod reasons;
mod rows;
mod weak;
mod window;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use super::plan::{self, Diff};
use super::report::{Kind, Note, Notes, plain};
use crate::ConfigFile;
use crate::config::examine_with;
use crate::new_file::NewFile;
use crate::real::SystemClock;
use crate::{print, setup};
use config::{Imported, Row};
use gateway::clock::Clock as _;
use models::Names;
use rows::Rows;

/// How large a file of keys may be.
const KEYS_BYTES_MAX: u64 = 1 << 30;

#[derive(clap::Args)]
pub(crate) struct LitellmArguments {
    /// LiteLLM's configuration file.
    #[arg(value_name = "CONFIG")]
    source: PathBuf,
    /// Where the virtual keys are: the address of LiteLLM's PostgreSQL database, `env:NAME` for a
    /// variable that has it, or a file of JSON: answers of its API with whole objects, or rows.
    #[arg(long, value_name = "DATABASE_URL|FILE")]
    keys: Option<String>,
    /// Take a budget's window though it starts afresh before LiteLLM's does.
    #[arg(long, requires = "keys")]
    reset_early: bool,
    #[command(flatten)]
    config: ConfigFile,
    /// Where the configuration is written with --apply; never over a file that is there.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do it. Without this nothing is changed.
    #[arg(long)]
    apply: bool,
    /// Print it as JSON.
    #[arg(long)]
    json: bool,
}

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There is none, and there would be.
    Add,
    /// It is there, word for word.
    Unchanged,
    /// Another is there, which is never written over.
    Differs,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            State::Add => "add",
            State::Unchanged => "unchanged",
            State::Differs => "differs",
        }
    }
}

/// All of it, for a program to read.
#[derive(Serialize)]
struct Outcome<'a> {
    applied: bool,
    configuration: Configuration<'a>,
    #[serde(flatten)]
    diff: Option<&'a Diff>,
    notes: &'a [Note],
}

#[derive(Serialize)]
struct Configuration<'a> {
    file: Option<String>,
    state: Option<State>,
    models: &'a [Row],
    variables: &'a BTreeSet<String>,
    /// The id here, by each name there.
    ids: &'a BTreeMap<String, String>,
    /// The same of patterns of names.
    patterns: &'a BTreeMap<String, String>,
    text: &'a str,
}

pub(crate) fn run(arguments: &LitellmArguments) -> Result<ExitCode> {
    let LitellmArguments { source, output, apply, json, keys, .. } = arguments;
    if *apply && output.is_none() && keys.is_none() {
        bail!("--apply needs --output, the file to write the configuration to, or --keys");
    }
    let text = read(source, config::BYTES_MAX)?;
    let mut notes = Notes::default();
    let file = source.file_name().unwrap_or(source.as_os_str()).to_string_lossy();
    let imported = config::read(&text, &plain(&file), &mut notes)
        .with_context(|| format!("can't read {}", source.display()))?;
    check(&imported, &mut notes)?;
    let rows = keys.as_deref().map(rows_of).transpose()?;
    let state = output.as_deref().map(|output| state(output, &imported.text)).transpose()?;
    if *apply && let Some(output) = output {
        write(output, state, &imported.text)?;
    }
    let diff = rows.map(|rows| import_keys(arguments, &rows, &imported, &mut notes)).transpose()?;
    let is_refused = diff.as_ref().is_some_and(|diff| diff.count(&plan::State::Refused) > 0);
    let code = if *apply && is_refused { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    if *json {
        let configuration = Configuration {
            file: output.as_ref().map(|file| file.display().to_string()),
            state,
            models: &imported.models,
            variables: &imported.variables,
            ids: &imported.ids,
            patterns: &imported.patterns,
            text: &imported.text,
        };
        let outcome =
            Outcome { applied: *apply, configuration, diff: diff.as_ref(), notes: &notes.0 };
        print::line(&serde_json::to_string_pretty(&outcome)?);
        return Ok(code);
    }
    show(&imported);
    diff.iter().for_each(Diff::show);
    notes.show();
    summary(&imported, &notes, output.as_deref(), state, *apply);
    if let Some(diff) = &diff {
        print::line(&diff.summary(*apply));
    }
    if !apply {
        print::line("nothing was changed; --apply does it");
    }
    Ok(code)
}

/// Keys, teams and budgets, from wherever they are.
fn rows_of(source: &str) -> Result<Rows> {
    let variable = source.strip_prefix("env:");
    let named =
        variable.map(|name| std::env::var(name).with_context(|| format!("variable {name}")));
    let source = named.transpose()?.unwrap_or_else(|| source.to_owned());
    if postgres::is_address(&source) {
        return postgres::read(&source);
    }
    let path = Path::new(&source);
    Rows::parse(&read(path, KEYS_BYTES_MAX)?)
        .with_context(|| format!("can't read {}", path.display()))
}

/// What the rows come to beside what there is; done where that is asked for.
fn import_keys(
    arguments: &LitellmArguments,
    rows: &Rows,
    imported: &Imported,
    notes: &mut Notes,
) -> Result<Diff> {
    let config = &arguments.config.config;
    let standing = plan::standing(config, &keys::hashes(rows))?;
    let context = keys::Context {
        rows,
        names: &Names::new(imported, &standing.models),
        standing: &standing,
        now: SystemClock.now(),
        early: arguments.reset_early,
    };
    let plan = keys::plan(&context, notes);
    let mut diff = plan.diff(&standing);
    if arguments.apply {
        plan.apply(config, &mut diff)?;
    }
    Ok(diff)
}

fn read(path: &Path, bytes_max: u64) -> Result<String> {
    let failed = || format!("can't read {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(failed)?;
    file.take(bytes_max + 1).read_to_string(&mut text).with_context(failed)?;
    if text.len() as u64 > bytes_max {
        bail!("{} is larger than {} MiB", path.display(), bytes_max >> 20);
    }
    Ok(text)
}

/// Reads what came out as `serve` would; what is wrong with it is told.
fn check(imported: &Imported, notes: &mut Notes) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("tollgate.toml");
    std::fs::write(&path, &imported.text)?;
    let mut environment = setup::environment();
    environment.retain(|name, _| !name.starts_with("TOLLGATE_"));
    for variable in &imported.variables {
        // Whatever it will be, an address or a key.
        environment.entry(variable.clone()).or_insert_with(|| "https://variable.invalid".into());
    }
    for problem in examine_with(&path, &environment).problems {
        notes.add(Kind::Missing, "the configuration", "is not good yet", problem);
    }
    Ok(())
}

fn state(output: &Path, text: &str) -> Result<State> {
    match std::fs::read(output) {
        Ok(there) if there == text.as_bytes() => Ok(State::Unchanged),
        Ok(_) => Ok(State::Differs),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::Add),
        Err(error) => Err(error).with_context(|| format!("can't read {}", output.display())),
    }
}

fn write(output: &Path, state: Option<State>, text: &str) -> Result<()> {
    match state {
        Some(State::Unchanged) => return Ok(()),
        Some(State::Differs) => bail!(
            "{} is there and says something else; name another file with --output",
            output.display()
        ),
        _ => {}
    }
    let file = NewFile::create(output, false, &output.with_extension("db"))?;
    file.open()?.write_all(text.as_bytes())?;
    file.keep()
}

fn show(imported: &Imported) {
    let row = |row: &Row| {
        let prices = row.prices.to_owned();
        let Row { model_name, id, provider, upstream_model, .. } = row;
        let names = [model_name, id, provider, upstream_model].map(|name| plain(name));
        names.into_iter().chain([prices]).collect()
    };
    let rows: Vec<Vec<String>> = imported.models.iter().map(row).collect();
    print::table(&["MODEL NAME", "ID HERE", "PROVIDER", "UPSTREAM MODEL", "PRICES"], &rows);
}

fn summary(
    imported: &Imported,
    notes: &Notes,
    output: Option<&Path>,
    state: Option<State>,
    is_applied: bool,
) {
    print::line("");
    if !imported.variables.is_empty() {
        let names: Vec<&str> = imported.variables.iter().map(String::as_str).collect();
        print::line(&format!("variables to set: {}", names.join(", ")));
    }
    let missing = imported.models.iter().filter(|row| row.prices == "missing").count();
    print::line(&format!(
        "{} endpoints, {missing} of them not whole; {} notes",
        imported.models.len(),
        notes.0.len()
    ));
    match (output, state, is_applied) {
        (Some(output), Some(State::Add), true) => {
            print::line(&format!("wrote {}", output.display()));
        }
        (Some(output), Some(state), _) => {
            print::line(&format!("{}: {}", output.display(), state.as_str()));
        }
        _ => {}
    }
}
