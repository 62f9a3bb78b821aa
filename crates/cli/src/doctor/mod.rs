//! `tollgate doctor`: looks over an installation, and says what is wrong with it and what to do.
//!
//! Each check looks at one thing and judges it; the judgements are functions of what was found, so
//! that they can be tried without an installation that is broken.

mod book;
mod files;
mod machine;
mod master_key;
mod providers;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use gateway::clock::Clock as _;
use serde::Serialize;

use crate::config::{Findings, examine};
use crate::real::SystemClock;
use crate::{ConfigFile, print};

#[derive(clap::Args)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Connect to every provider too: name look-up, TCP and TLS. Nothing is sent.
    #[arg(long)]
    online: bool,
    /// Leave out the check of every page of the book, which reads all of it.
    #[arg(long)]
    quick: bool,
    /// Print the checks as JSON.
    #[arg(long)]
    json: bool,
}

/// How it stands with what was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum State {
    /// As it should be.
    Fine,
    /// Not looked at.
    Skipped,
    /// It works, and something should be done about it.
    Warning,
    /// Something does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Check {
    name: &'static str,
    state: State,
    found: String,
    /// What to do.
    advice: Option<String>,
}

impl Check {
    fn fine(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, state: State::Fine, found: found.into(), advice: None }
    }

    fn skipped(name: &'static str, found: impl Into<String>) -> Check {
        Check { name, state: State::Skipped, found: found.into(), advice: None }
    }

    fn warning(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { name, state: State::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    fn problem(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Check {
        Check { name, state: State::Problem, found: found.into(), advice: Some(advice.into()) }
    }
}

pub(crate) fn doctor(arguments: &DoctorArguments) -> Result<ExitCode> {
    let checks = look(arguments)?;
    let is_fine = checks.iter().all(|check| check.state < State::Problem);
    if arguments.json {
        let told = serde_json::json!({ "fine": is_fine, "checks": checks });
        print::line(&serde_json::to_string_pretty(&told)?);
    } else {
        tell(&checks);
    }
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn look(arguments: &DoctorArguments) -> Result<Vec<Check>> {
    let mut checks = vec![version()];
    let Findings { problems, warnings, setup, catalogue } = examine(&arguments.file.config);
    checks.extend(configuration(&arguments.file.config, &problems, &warnings));
    // Without a configuration it is not known where anything else is.
    let Some(setup) = setup else { return Ok(checks) };
    let Ok(database) = setup.database() else { return Ok(checks) };
    let folder = folder_of(&database);
    let server = book::server(&setup)?;
    checks.push(server.check());
    checks.extend(machine::disk(folder, &database));
    checks.push(machine::sync(folder));
    checks.extend(files::permissions(&arguments.file.config, &setup, &warnings)?);
    checks.push(machine::descriptors(&setup.config, server.process()));
    checks.extend(book::book(&setup, &server, SystemClock.now(), arguments.quick)?);
    checks.extend(providers::providers(&setup.config, catalogue.as_ref(), arguments.online)?);
    Ok(checks)
}

fn version() -> Check {
    let (schema, sqlite) = store_sqlite::versions();
    let tollgate = env!("CARGO_PKG_VERSION");
    Check::fine("version", format!("tollgate {tollgate}, schema {schema}, SQLite {sqlite}"))
}

fn configuration(path: &Path, problems: &[String], warnings: &[String]) -> Vec<Check> {
    const NAME: &str = "configuration";
    let advice = format!("edit {}; `tollgate config default` has every setting", path.display());
    let wrong = problems.iter().map(|problem| Check::problem(NAME, problem, &advice));
    let mut checks: Vec<Check> = wrong.collect();
    checks.extend(warnings.iter().map(|warning| Check {
        name: NAME,
        state: State::Warning,
        found: warning.clone(),
        advice: None,
    }));
    if checks.is_empty() {
        checks.push(Check::fine(NAME, format!("{} is good", path.display())));
    }
    checks
}

fn folder_of(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn tell(checks: &[Check]) {
    let width = checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for Check { name, state, found, advice } in checks {
        let state = match state {
            State::Fine => "fine",
            State::Skipped => "skipped",
            State::Warning => "warning",
            State::Problem => "PROBLEM",
        };
        print::line(&format!("{state:8} {name:width$}  {found}"));
        if let Some(advice) = advice {
            print::line(&format!("{:8} {:width$}  -> {advice}", "", ""));
        }
    }
    let count = |wanted| checks.iter().filter(|check| check.state == wanted).count();
    let (problems, warnings) = (count(State::Problem), count(State::Warning));
    print::line(&match (problems, warnings) {
        (0, 0) => "all is well".to_owned(),
        (0, warnings) => format!("it works; warnings: {warnings}"),
        (problems, warnings) => format!("problems: {problems}, warnings: {warnings}"),
    });
}

/// How many bytes, for people.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let (mut count, mut unit) = (count, 0);
    while count >= 10 << 10 && unit + 1 < UNITS.len() {
        count >>= 10;
        unit += 1;
    }
    format!("{count} {}", UNITS[unit])
}
