//! `tollgate key`: the key that asks, and every limit it is under.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use client::{CurrentKey, KeyBudget};

use crate::connection::{Connection, Need, Remote};
use crate::failure::Explained as _;
use crate::output::{self, dollars, second};
use crate::table::{Facts, Table, Tone};
use crate::{print, runtime};

#[derive(Args)]
pub(crate) struct KeyArguments {
    #[command(flatten)]
    remote: Remote,
}

pub(crate) fn run(arguments: &KeyArguments) -> Result<ExitCode> {
    let KeyArguments { remote } = arguments;
    let to = remote.open(Need::Any)?;
    let key = runtime::block_on(async { to.client.key().current().await.explained(&to) })?;
    if remote.json {
        output::json(&key)?;
    } else if remote.quiet {
        print::line(&key.label);
    } else {
        tell(&key, &to);
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(key: &CurrentKey, to: &Connection) {
    let mut facts = Facts::new();
    facts.add("label", &key.label);
    facts.add("of", format!("{} ({})", to.server.url, to.server.named));
    facts.add("from", to.server.key_origin());
    facts.add("kind", if key.is_management_key { "management" } else { "inference" });
    let reset = key.limit_reset.as_ref().map_or("lifetime", |reset| reset.as_str());
    facts
        .add("limit", key.limit.map_or("none".to_owned(), |it| format!("{} {reset}", dollars(it))));
    facts.maybe("left", key.limit_remaining.map(dollars));
    let [all, day, week, month] =
        [key.usage, key.usage_daily, key.usage_weekly, key.usage_monthly].map(dollars);
    facts.add("spent", format!("{all} ({day} today, {week} this week, {month} this month)"));
    if !key.byok_usage.is_zero() {
        facts.add("with own credentials", dollars(key.byok_usage));
    }
    facts.maybe("creator", key.creator_user_id.clone());
    facts.maybe("workspace", key.workspace_id.clone());
    facts.add("expires", key.expires_at.map_or("never".to_owned(), second));
    facts.print();
    if key.budgets.is_empty() {
        return;
    }
    print::line("");
    budgets(key).print();
}

/// Every layer that limits it, in the order in which they are enforced; the one that binds first is
/// marked.
fn budgets(key: &CurrentKey) -> Table {
    let mut table = Table::new(&["LAYER", "WINDOW", ">LIMIT", ">SPENT", ">LEFT", "RESETS", ""]);
    for budget in &key.budgets {
        let is_spent = budget.remaining_usd.is_zero() || budget.remaining_usd.is_negative();
        let binds = key.effective_budget.as_ref() == Some(budget);
        let mark = match (is_spent, binds) {
            (true, _) => "spent",
            (false, true) => "binds first",
            (false, false) => "",
        };
        table.toned([
            (layer(budget), Tone::Usual),
            (
                budget.reset_interval.as_ref().map_or("lifetime", |it| it.as_str()).to_owned(),
                Tone::Usual,
            ),
            (dollars(budget.limit_usd), Tone::Usual),
            (dollars(budget.spend_usd), Tone::Usual),
            (dollars(budget.remaining_usd), if is_spent { Tone::Bad } else { Tone::Usual }),
            (budget.resets_at.map_or("never".to_owned(), second), Tone::Usual),
            (mark.to_owned(), if is_spent { Tone::Bad } else { Tone::Careful }),
        ]);
    }
    table
}

fn layer(budget: &KeyBudget) -> String {
    let layer = match budget.scope.as_str() {
        "key_limit" => "this key's limit",
        "workspace" => "its workspace's budget",
        "api_key" => "its guardrail",
        "member" => "its owner's guardrail",
        "workspace_default_key" => "the workspace's guardrail for keys",
        "workspace_default_member" => "the workspace's guardrail for members",
        other => other,
    };
    layer.to_owned()
}
