//! `tollgate usage`: what was spent, in parts, with a bar for each.

mod figures;

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use client::{GetActivity, GetKeyData};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use self::figures::{By, Counts, Part, Spell, Totals};
use crate::chart::{bar, nanos};
use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::keys::{self, reference};
use crate::output::{self, NOTHING, count, dollars};
use crate::table::{Table, Tone};
use crate::{print, real, runtime, workspaces};

/// Whole days that the server reports on.
const DAYS_MAX: i64 = 30;
/// Cells of the longest bar.
const BAR_CELLS: u16 = 24;

#[derive(Args)]
pub(crate) struct UsageArguments {
    #[command(flatten)]
    remote: Remote,
    /// What it is split into.
    #[arg(long, value_enum, default_value_t)]
    by: By,
    /// Whole days to look back over, besides today.
    #[arg(long, value_name = "DAYS", default_value_t = DAYS_MAX,
          value_parser = clap::value_parser!(i64).range(1..=DAYS_MAX))]
    days: i64,
    /// Only what this key has spent: its hash, the beginning of it, or its name.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Only what was spent in this workspace, by id or slug.
    #[arg(long, value_name = "WORKSPACE", conflicts_with = "key")]
    workspace: Option<String>,
}

/// The whole of it, for a program.
#[derive(Serialize)]
struct Report {
    by: By,
    from: Date,
    today: Date,
    totals: Totals,
    parts: Vec<Part>,
}

pub(crate) fn run(arguments: &UsageArguments) -> Result<ExitCode> {
    let to = arguments.remote.open(Need::Management)?;
    let report = runtime::block_on(report(&to, arguments))?;
    if arguments.remote.json {
        output::json(&report)?;
    } else if arguments.remote.quiet {
        print::line(&report.totals.usage.to_string());
    } else {
        tell(&report);
    }
    Ok(ExitCode::SUCCESS)
}

async fn report(to: &Connection, arguments: &UsageArguments) -> Result<Report> {
    let today = real::now().to_zoned(TimeZone::UTC).date();
    let first = today.checked_sub(arguments.days.days())?;
    let mut wanted = GetActivity::new();
    let keys = match (&arguments.key, &arguments.workspace) {
        (Some(key), _) => {
            let hash = reference::hash(to, key).await?;
            wanted = wanted.api_key_hash(&hash);
            let found = to.client.keys().get(&hash).await;
            vec![found.explained_of(to, reference::subject(key))?]
        }
        (None, Some(workspace)) => {
            let id = workspaces::id(to, workspace).await?;
            wanted = wanted.workspace_id(&id);
            keys::all(to, Some(id), true).await?
        }
        (None, None) => every_key(to).await?,
    };
    let activity = to.client.activity().get(&wanted).await.explained(to)?;
    let spells: Vec<Spell> = activity.iter().filter_map(spell).collect();
    let mut totals = Totals::of(&keys);
    if arguments.key.is_none() && arguments.workspace.is_none() {
        // Keys that were deleted have spent too.
        totals.usage = to.client.credits().get().await.explained(to)?.total_usage;
    }
    let spells: Vec<Spell> = spells.into_iter().filter(|spell| spell.date >= first).collect();
    let parts = figures::parts(&spells, &keys, (first, today), arguments.by);
    Ok(Report { by: arguments.by, from: first, today, totals, parts })
}

async fn every_key(to: &Connection) -> Result<Vec<GetKeyData>> {
    let mut keys = Vec::new();
    for workspace in workspaces::every(to).await? {
        keys.extend(keys::all(to, workspace, true).await?);
    }
    Ok(keys)
}

fn spell(item: &client::ActivityItem) -> Option<Spell> {
    Some(Spell {
        // Some servers put a time behind the date.
        date: item.date.get(..10)?.parse().ok()?,
        model: item.model.clone(),
        provider: item.provider_name.clone(),
        counts: Counts::counted(
            item.usage,
            item.byok_usage_inference,
            item.requests,
            [item.prompt_tokens, item.completion_tokens],
        ),
    })
}

fn tell(report: &Report) {
    let Totals { usage_daily, usage_weekly, usage_monthly, usage, byok_usage } = report.totals;
    print::line(&format!(
        "spent {} today, {} this week, {} this month, {} in all",
        dollars(usage_daily),
        dollars(usage_weekly),
        dollars(usage_monthly),
        dollars(usage)
    ));
    if !byok_usage.is_zero() {
        print::line(&format!("with own credentials, not in it: {}", dollars(byok_usage)));
    }
    if report.parts.is_empty() {
        print::line("nothing was spent in the whole days looked at");
        return;
    }
    print::line("");
    table(report).print();
}

fn table(report: &Report) -> Table {
    let has_own = report.parts.iter().any(|part| !part.counts.byok_usage.is_zero());
    let name = match report.by {
        By::Day => "DAY",
        By::Week => "WEEK",
        By::Month => "MONTH",
        By::Model => "MODEL",
        By::Provider => "PROVIDER",
        By::Key => "KEY",
    };
    let spent = if report.by == By::Key { ">THIS MONTH" } else { ">SPENT" };
    let mut head = vec![name, spent];
    if has_own {
        head.push(">OWN CREDENTIALS");
    }
    head.extend([">REQUESTS", ">TOKENS", ""]);
    let mut table = Table::new(&head);
    let most = report.parts.iter().map(|part| nanos(part.counts.usage)).max().unwrap_or(0);
    for part in &report.parts {
        let Counts { usage, byok_usage, requests, prompt_tokens, completion_tokens } = part.counts;
        let tokens = prompt_tokens.zip(completion_tokens);
        let tokens = tokens.and_then(|(prompt, completion)| prompt.checked_add(completion));
        let counted = |number: Option<u64>| number.map_or(NOTHING.to_owned(), count);
        let mut cells = vec![(part.name.clone(), Tone::Usual), (dollars(usage), Tone::Usual)];
        if has_own {
            cells.push((dollars(byok_usage), Tone::Usual));
        }
        cells.push((counted(requests), Tone::Usual));
        cells.push((counted(tokens), Tone::Usual));
        cells.push((bar(nanos(usage), most, BAR_CELLS), Tone::Good));
        table.toned(cells);
    }
    table
}
