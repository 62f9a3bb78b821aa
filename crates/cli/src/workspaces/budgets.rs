//! `tollgate workspaces budgets`: what the keys of a workspace may spend together.

use anyhow::Result;
use clap::Subcommand;
use client::{Interval, PutBudget, Usd, WorkspaceBudget, WorkspaceBudgets};

use super::{id, subject};
use crate::connection::{Connection, Remote};
use crate::failure::{Explained as _, Subject};
use crate::given::dollars;
use crate::output::{self, dollars as told, minute};
use crate::print;
use crate::table::Table;

#[derive(Subcommand)]
pub(super) enum BudgetsCommand {
    /// List the budgets of a workspace.
    ///
    /// `tollgate key`, asked with one of its keys, shows what is left of each.
    List {
        /// Its id or its slug.
        workspace: String,
    },
    /// Set a budget of a workspace, in the place of one of that window.
    ///
    /// It binds from the next request on. It must be above those of narrower windows and below those
    /// of wider ones.
    Set {
        /// Its id or its slug.
        workspace: String,
        /// The window, in UTC.
        #[arg(value_parser = WINDOWS)]
        window: String,
        /// What may be spent in it, in US dollars.
        #[arg(value_parser = dollars, allow_hyphen_values = true)]
        amount: Usd,
        /// Whether what own credentials spend counts too; of all budgets of the workspace.
        #[arg(long, value_name = "BOOL")]
        include_byok: Option<bool>,
    },
    /// Delete a budget of a workspace.
    ///
    /// The others stay; one that is not there is no failure.
    Delete {
        /// Its id or its slug.
        workspace: String,
        /// The window.
        #[arg(value_parser = WINDOWS)]
        window: String,
    },
}

const WINDOWS: [&str; 4] = ["daily", "weekly", "monthly", "lifetime"];

pub(super) async fn run(to: &Connection, remote: &Remote, command: BudgetsCommand) -> Result<()> {
    match command {
        BudgetsCommand::List { workspace } => {
            let of = to.client.workspaces().budgets(&id(to, &workspace).await?);
            let budgets = of.list().await.explained_of(to, subject(&workspace))?;
            list(remote, &budgets)
        }
        BudgetsCommand::Set { workspace, window, amount, include_byok } => {
            let of = to.client.workspaces().budgets(&id(to, &workspace).await?);
            let mut wanted = PutBudget::new(amount);
            if let Some(include) = include_byok {
                wanted = wanted.include_byok_in_budgets(include);
            }
            let set = of.put(Interval::from(window.as_str()), &wanted).await;
            show(remote, &set.explained_of(to, subject(&workspace))?)
        }
        BudgetsCommand::Delete { workspace, window } => {
            let of = to.client.workspaces().budgets(&id(to, &workspace).await?);
            let subject = Subject {
                noun: "budget",
                name: &window,
                next: "`tollgate workspaces budgets list` lists what there is",
            };
            of.delete(Interval::from(window.as_str())).await.explained_of(to, subject)?;
            output::deleted(remote, &window, &format!("the {window} budget of {workspace}"))
        }
    }
}

fn list(remote: &Remote, budgets: &WorkspaceBudgets) -> Result<()> {
    if remote.json {
        return output::json(budgets);
    }
    if remote.quiet {
        budgets.data.iter().for_each(|budget| print::line(window(budget)));
        return Ok(());
    }
    if budgets.data.is_empty() {
        print::error("it has no budgets; `tollgate workspaces budgets set` gives it one");
        return Ok(());
    }
    let mut table = Table::new(&["WINDOW", ">LIMIT", "MADE", "CHANGED"]);
    for budget in &budgets.data {
        table.row([
            window(budget).to_owned(),
            told(budget.limit_usd),
            minute(Some(budget.created_at)),
            minute(Some(budget.updated_at)),
        ]);
    }
    table.print();
    let counts = if budgets.include_byok_in_budgets { "counts" } else { "does not count" };
    print::line(&format!("what own credentials spend {counts}"));
    Ok(())
}

fn show(remote: &Remote, budget: &WorkspaceBudget) -> Result<()> {
    if remote.json {
        return output::json(budget);
    }
    match remote.quiet {
        true => print::line(window(budget)),
        false => print::line(&format!("{} {}", told(budget.limit_usd), window(budget))),
    }
    Ok(())
}

/// The window's name, as the arguments have it.
fn window(budget: &WorkspaceBudget) -> &str {
    budget.reset_interval.as_ref().map_or("lifetime", |interval| interval.as_str())
}
