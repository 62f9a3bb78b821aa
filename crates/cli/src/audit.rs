//! `tollgate audit`: every figure again, from the rows alone; and who changed what.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use store::{AuditPage, AuditRow, Difference, Report, Store as _, Subject};

use crate::book_file::BookFile;
use crate::export::Audit;
use crate::print;
use crate::progress::Progress;

/// Characters of a value that the table shows.
const SHOWN_CHARS: usize = 60;

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArguments {
    #[command(flatten)]
    book: BookFile,
    /// Print the report as JSON.
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    command: Option<AuditCommand>,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// List who changed what, newest first.
    ///
    /// Every change by a person is in the audit log: keys, management keys, corrections of charges,
    /// cleared endpoints, runs of the retention. Reads beside a running server.
    Log(LogArguments),
}

#[derive(Args)]
struct LogArguments {
    #[command(flatten)]
    book: BookFile,
    /// List at most so many.
    #[arg(long, value_name = "ROWS", default_value_t = 100)]
    most: u64,
    /// Only what was done by this management key, by name; `command line` is this program.
    #[arg(long)]
    actor: Option<String>,
    /// Only this action, such as `hold.correct` or `key.update`; `key.` is all of that noun.
    #[arg(long)]
    action: Option<String>,
    /// Only what was done to this key, generation or endpoint.
    #[arg(long)]
    subject: Option<String>,
    /// From this moment on, such as 2026-11-21T22:50:00Z.
    #[arg(long, value_name = "TIME")]
    since: Option<Timestamp>,
    /// Before this moment.
    #[arg(long, value_name = "TIME")]
    until: Option<Timestamp>,
    /// Print the rows as JSON, their values whole.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &AuditArguments) -> Result<ExitCode> {
    match &arguments.command {
        Some(AuditCommand::Log(log)) => self::log(log),
        None => {
            let progress = Progress::of("auditing the book");
            let report = arguments.book.open()?.audit()?;
            drop(progress);
            tell(&report, arguments.json)?;
            let agrees = report.differences.is_empty();
            Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

fn tell(report: &Report, json: bool) -> Result<()> {
    let agrees = report.differences.is_empty();
    if json {
        let differences: Vec<_> = report
            .differences
            .iter()
            .map(|difference| {
                let (key, workspace) = match difference.subject {
                    Subject::Key(key) => (Some(key.to_string()), None),
                    Subject::Workspace(id) => (None, Some(id.to_string())),
                };
                serde_json::json!({
                    "key": key,
                    "workspace": workspace,
                    "day": difference.day.map(|day| day.date().to_string()),
                    "figure": difference.figure,
                    "kept": difference.kept.to_string(),
                    "summed": difference.summed.to_string(),
                })
            })
            .collect();
        let text = serde_json::json!({
            "agrees": agrees,
            "rows": report.rows,
            "keys": report.keys,
            "sums": report.sums,
            "differences": differences,
        });
        print::line(&serde_json::to_string_pretty(&text)?);
        return Ok(());
    }
    report.differences.iter().for_each(|difference| print::error(&told(difference)));
    let verdict = if agrees { "the book agrees" } else { "THE BOOK DOES NOT AGREE" };
    print::line(&format!(
        "{verdict}: {} rows of {} keys, {} sums compared, {} differences",
        report.rows,
        report.keys,
        report.sums,
        report.differences.len()
    ));
    Ok(())
}

fn told(difference: &Difference) -> String {
    let day = difference.day.map_or("all time".to_owned(), |day| day.date().to_string());
    let subject = match difference.subject {
        Subject::Key(key) => format!("key {key}"),
        Subject::Workspace(id) => format!("workspace {id}"),
    };
    format!(
        "{subject} {day}: {} is kept as {} and its rows add up to {}",
        difference.figure, difference.kept, difference.summed
    )
}

fn log(arguments: &LogArguments) -> Result<ExitCode> {
    let page = AuditPage {
        actor: arguments.actor.clone(),
        action: arguments.action.clone(),
        subject: arguments.subject.clone(),
        since: arguments.since,
        until: arguments.until,
        ..AuditPage::newest(arguments.most)
    };
    let rows = arguments.book.open()?.audit_log(&page)?.rows;
    if arguments.json {
        let rows: Vec<Audit> = rows.into_iter().map(Audit::from).collect();
        print::line(&serde_json::to_string_pretty(&rows)?);
        return Ok(ExitCode::SUCCESS);
    }
    let value = |value: Option<String>| {
        let value = value.unwrap_or_else(|| "-".to_owned());
        match value.char_indices().nth(SHOWN_CHARS) {
            Some((end, _)) => format!("{}…", &value[..end]),
            None => value,
        }
    };
    let cells: Vec<Vec<String>> = rows
        .into_iter()
        .map(|row| {
            let AuditRow { at, actor, action, subject, before, after } = row;
            vec![at.to_string(), actor, action, subject, value(before), value(after)]
        })
        .collect();
    print::table(&["AT", "ACTOR", "ACTION", "SUBJECT", "BEFORE", "AFTER"], &cells);
    Ok(ExitCode::SUCCESS)
}
