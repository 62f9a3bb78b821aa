//! Every kept sum worked out again from the rows, and compared.
//! Rows and sums come in the order of their days, so that only one day is in memory at a time.

use std::collections::BTreeMap;

use ledger::Day;
use rusqlite::{Connection, Result};
use store::{Difference, KeyHash, Report, Subject};
use uuid::Uuid;

use crate::fields::{Fields, micros};
use crate::sums::{self, FIGURES, Figures, TOTALS};

/// Rows, sealed rows and daily sums in one stream; what is of a whole day stands at its first
/// microsecond. The count after the time says how many rows it stands for: none where it is a sum.
const DAYS: &str = "
    SELECT admitted_at AS at, 1, iif(kind = 0, admitted_at, NULL),
           key, workspace, coalesce(creator, ''), model, provider, upstream_model,
           credits, byok, kind = 0, prompt_tokens, completion_tokens, reasoning_tokens,
           cached_tokens
    FROM entries
    UNION ALL
    SELECT day * 86400000000, entries, last_used_at,
           key, workspace, creator, model, provider, upstream_model,
           credits, byok, requests, prompt_tokens, completion_tokens, reasoning_tokens,
           cached_tokens
    FROM sealed
    UNION ALL
    SELECT day * 86400000000, 0, NULL,
           key, workspace, creator, model, provider, upstream_model,
           credits, byok, requests, prompt_tokens, completion_tokens, reasoning_tokens,
           cached_tokens
    FROM daily
    ORDER BY at";

/// A total has the first of the figures; a key's, when the key was last used as well (zero is
/// never, and a workspace's is always zero).
type Total = [i128; TOTALS + 1];

/// A sum as it is kept and as the rows have it; zero where there is none.
#[derive(Default)]
struct Pair<T> {
    kept: T,
    summed: T,
}

/// What a daily sum is kept for, within its day.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Group {
    key: KeyHash,
    workspace: Uuid,
    creator: String,
    model: String,
    provider: String,
    upstream_model: String,
}

type Today = BTreeMap<Group, Pair<Figures>>;

/// The totals of all keys and of all workspaces.
#[derive(Default)]
struct Totals {
    keys: BTreeMap<KeyHash, Pair<Total>>,
    workspaces: BTreeMap<Uuid, Pair<Total>>,
}

/// Compares every kept sum with the sum of its rows.
pub(crate) fn audit(connection: &Connection) -> Result<Report> {
    let mut report = Report::default();
    let mut totals = audit_days(connection, &mut report)?;
    report.keys = totals.keys.len().try_into().unwrap_or(u64::MAX);
    read_totals(connection, &mut report, &mut totals)?;
    for (key, pair) in &totals.keys {
        compare_total(&mut report, Subject::Key(*key), pair);
    }
    for (workspace, pair) in &totals.workspaces {
        compare_total(&mut report, Subject::Workspace(*workspace), pair);
    }
    Ok(report)
}

/// Compares the daily sums, and returns what the rows of each key and workspace add up to.
fn audit_days(connection: &Connection, report: &mut Report) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut today = Today::new();
    let mut day = Day::from_number(i32::MIN);
    let mut statement = connection.prepare(DAYS)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let at = fields.time()?;
        if Day::of(at) != day {
            compare_day(report, day, std::mem::take(&mut today));
            day = Day::of(at);
        }
        let rows: u64 = fields.count()?;
        let used_at = fields.optional_time()?.map(micros).map(i128::from);
        let group = read_group(&mut fields)?;
        let (key, workspace) = (group.key, group.workspace);
        let pair = today.entry(group).or_default();
        if rows == 0 {
            pair.kept = read_figures(&mut fields)?;
            report.sums += FIGURES.len() as u64;
            continue;
        }
        let figures: Figures = read_figures(&mut fields)?;
        sums::add(&mut pair.summed, &figures);
        let [of_workspace @ .., _] = &mut totals.workspaces.entry(workspace).or_default().summed;
        sums::add(of_workspace, &figures);
        let [of_key @ .., last_used_at] = &mut totals.keys.entry(key).or_default().summed;
        sums::add(of_key, &figures);
        if let Some(used_at) = used_at.filter(|at| *last_used_at == 0 || at > last_used_at) {
            *last_used_at = used_at;
        }
        report.rows += rows;
    }
    compare_day(report, day, today);
    Ok(totals)
}

/// Reads the totals that are kept.
fn read_totals(connection: &Connection, report: &mut Report, totals: &mut Totals) -> Result<()> {
    let mut statement = connection
        .prepare("SELECT key, credits, byok, requests, coalesce(last_used_at, 0) FROM totals")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let pair = totals.keys.entry(fields.hash()?).or_default();
        pair.kept = read_figures(&mut fields)?;
        report.sums += TOTALS as u64 + 1;
    }
    let mut statement =
        connection.prepare("SELECT workspace, credits, byok, requests, 0 FROM workspace_totals")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let pair = totals.workspaces.entry(fields.uuid()?).or_default();
        pair.kept = read_figures(&mut fields)?;
        report.sums += TOTALS as u64;
    }
    Ok(())
}

fn compare_total(report: &mut Report, subject: Subject, pair: &Pair<Total>) {
    let names = FIGURES[..TOTALS].iter().chain(&["last_used_at"]);
    for ((figure, kept), summed) in names.zip(pair.kept).zip(pair.summed) {
        let figure = (*figure).to_owned();
        compare(report, Difference { subject, day: None, figure, kept, summed });
    }
}

fn compare_day(report: &mut Report, day: Day, today: Today) {
    for (group, Pair { kept, summed }) in today {
        for ((figure, kept), summed) in FIGURES.iter().zip(kept).zip(summed) {
            let figure = format!("{figure} of {} at {}", group.model, group.provider);
            let subject = Subject::Key(group.key);
            compare(report, Difference { subject, day: Some(day), figure, kept, summed });
        }
    }
}

fn compare(report: &mut Report, difference: Difference) {
    if difference.kept != difference.summed {
        report.differences.push(difference);
    }
}

fn read_group(fields: &mut Fields<'_>) -> Result<Group> {
    Ok(Group {
        key: fields.hash()?,
        workspace: fields.uuid()?,
        creator: fields.next()?,
        model: fields.next()?,
        provider: fields.next()?,
        upstream_model: fields.next()?,
    })
}

fn read_figures<const N: usize>(fields: &mut Fields<'_>) -> Result<[i128; N]> {
    let mut figures = [0; N];
    for figure in &mut figures {
        *figure = i128::from(fields.next::<i64>()?);
    }
    Ok(figures)
}
