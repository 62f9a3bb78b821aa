//! `tollgate holds`: charges whose end was not seen, and what they really came to.
//!
//! After a crash, or where a provider broke off, the whole hold was charged: failing closed is what
//! keeps a limit. A correction books the difference as a further row, dated as the original.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Subcommand;
use gateway::http::control::{self as asked, HOLDS_MAX, ListedHold};
use http::Method;
use serde::Serialize;
use store::{AuditPage, Store as _};
use store_sqlite::SqliteStore;

use crate::setup::Setup;
use crate::{ConfigFile, control, print};

#[derive(clap::Args)]
pub(crate) struct Which {
    /// The generation's id, as `holds list` shows it.
    #[arg(required_unless_present = "all_interrupted")]
    generation: Option<String>,
    /// Its attempt, where it had several.
    #[arg(long, default_value_t = 0)]
    attempt: u32,
    /// Every charge of the crashes so far, instead of one.
    #[arg(long, conflicts_with = "generation")]
    all_interrupted: bool,
}

#[derive(Subcommand)]
pub(crate) enum HoldsCommand {
    /// List charges whose end was not seen and that nobody has corrected.
    ///
    /// `interrupted` ones were in flight when a process ended, `held` ones had a provider that broke
    /// off. Each is charged at its whole hold, so that no limit is passed. The oldest comes first.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// List the corrections instead, newest first.
        #[arg(long)]
        resolved: bool,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Correct a charge to what it really cost, by the provider's bill or a count of your own.
    ///
    /// The difference is booked as a further row, dated as the original, and recorded in the audit
    /// log; nothing is edited. What is corrected below the provider's bill may be spent again, past
    /// the limit.
    Settle {
        #[command(flatten)]
        file: ConfigFile,
        #[command(flatten)]
        which: Which,
        /// What it cost, in US dollars.
        #[arg(long, value_name = "DOLLARS", allow_hyphen_values = true)]
        cost: String,
    },
    /// Correct a charge to zero: the provider did not bill it.
    ///
    /// The same as `settle --cost 0`: a further row, dated as the original, recorded in the audit log.
    Void {
        #[command(flatten)]
        file: ConfigFile,
        #[command(flatten)]
        which: Which,
    },
}

pub(crate) fn run(command: HoldsCommand) -> Result<ExitCode> {
    match command {
        HoldsCommand::List { file, resolved: true, json } => resolved(&file, json),
        HoldsCommand::List { file, resolved: false, json } => list(&file, json),
        HoldsCommand::Settle { file, which, cost } => correct(&file, &which, &cost),
        HoldsCommand::Void { file, which } => correct(&file, &which, "0"),
    }
}

fn unresolved(file: &ConfigFile) -> Result<Vec<ListedHold>> {
    control::ask(&file.config, Method::GET, "/holds", &())
}

fn list(file: &ConfigFile, json: bool) -> Result<ExitCode> {
    let holds = unresolved(file)?;
    if json {
        print::line(&serde_json::to_string_pretty(&holds)?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = holds
        .into_iter()
        .map(|hold| {
            vec![
                hold.generation,
                hold.attempt.to_string(),
                hold.source,
                hold.admitted_at,
                hold.model,
                hold.provider,
                format!("${}", hold.charged),
            ]
        })
        .collect();
    let head = ["GENERATION", "ATTEMPT", "SOURCE", "ADMITTED", "MODEL", "PROVIDER", "CHARGED"];
    print::table(&head, &rows);
    Ok(ExitCode::SUCCESS)
}

/// Who corrected what, as the audit log has it.
#[derive(Serialize)]
struct Correction {
    at: String,
    actor: String,
    generation: String,
    attempt: String,
    /// What it was charged before, in dollars.
    from: String,
    /// And after.
    to: String,
}

fn resolved(file: &ConfigFile, json: bool) -> Result<ExitCode> {
    let store = SqliteStore::open_to_read(Setup::read(&file.config)?.database()?)?;
    let action = Some("hold.correct".to_owned());
    let rows = store.audit_log(&AuditPage { action, ..AuditPage::newest(u64::MAX) })?.rows;
    // An amount is kept as a string of JSON.
    let amount = |value: Option<String>| value.unwrap_or_default().trim_matches('"').to_owned();
    let corrections: Vec<Correction> = rows
        .into_iter()
        .map(|row| {
            let (generation, attempt) = row.subject.rsplit_once('/').unwrap_or((&row.subject, ""));
            Correction {
                at: row.at.to_string(),
                generation: generation.to_owned(),
                attempt: attempt.to_owned(),
                from: amount(row.before),
                to: amount(row.after),
                actor: row.actor,
            }
        })
        .collect();
    if json {
        print::line(&serde_json::to_string_pretty(&corrections)?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = corrections
        .into_iter()
        .map(|Correction { at, actor, generation, attempt, from, to }| {
            vec![at, generation, attempt, format!("${from}"), format!("${to}"), actor]
        })
        .collect();
    print::table(&["CORRECTED", "GENERATION", "ATTEMPT", "FROM", "TO", "BY"], &rows);
    Ok(ExitCode::SUCCESS)
}

fn correct(file: &ConfigFile, which: &Which, cost: &str) -> Result<ExitCode> {
    let named = match &which.generation {
        Some(generation) => vec![(generation.clone(), which.attempt)],
        None => unresolved(file)?
            .into_iter()
            .filter(|hold| hold.source == "interrupted")
            .map(|hold| (hold.generation, hold.attempt))
            .collect(),
    };
    if named.len() >= HOLDS_MAX {
        print::error("more are left than can be listed at once: run the command again");
    }
    if named.is_empty() {
        bail!("no charge of a crash is left to correct");
    }
    let correction = serde_json::to_vec(&asked::Correction { cost: cost.to_owned() })?;
    let questions = named.iter().map(|(generation, attempt)| {
        (Method::POST, format!("/holds/{generation}/{attempt}"), correction.clone())
    });
    let answers: Vec<serde_json::Value> = control::ask_all(&file.config, questions)?;
    for ((generation, attempt), answer) in named.iter().zip(answers) {
        let difference = answer["difference"].as_str().unwrap_or_default();
        print::line(&format!(
            "{generation} attempt {attempt}: now ${cost}, corrected by ${difference}"
        ));
    }
    Ok(ExitCode::SUCCESS)
}
