//! `tollgate workspaces`: what keys are in, and the budgets that they share.

mod budgets;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use client::{CreateWorkspace, UpdateWorkspace, Workspace};
use futures_util::TryStreamExt as _;

use crate::connection::{Connection, Need, Remote};
use crate::failure::{Explained as _, Subject};
use crate::output::{self, Misused, NOTHING, minute};
use crate::table::{Facts, Table, Tone};
use crate::{confirm, print, runtime};

/// The length of a UUID as text.
const ID_CHARS: usize = 36;

#[derive(Args)]
pub(crate) struct WorkspacesArguments {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: WorkspacesCommand,
}

#[derive(Subcommand)]
enum WorkspacesCommand {
    /// List the workspaces.
    ///
    /// The one with the slug `default` is always there: keys are made in it where no other is named.
    List,
    /// Show a workspace.
    ///
    /// By its id or its slug; `workspaces budgets list` has its budgets.
    Get {
        /// Its id or its slug.
        workspace: String,
    },
    /// Make a workspace.
    ///
    /// Its slug is what it is named by here and in addresses.
    Create {
        /// Its slug: small letters, digits, and `-` between them.
        slug: String,
        /// Its name; the slug where none is given.
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Change a workspace.
    ///
    /// What is not named stays as it is, `none` clears.
    Update {
        /// Its id or its slug.
        workspace: String,
        /// Another name.
        #[arg(long)]
        name: Option<String>,
        /// Another slug.
        #[arg(long)]
        slug: Option<String>,
        #[command(flatten)]
        settings: Settings,
    },
    /// Delete a workspace and its budgets.
    ///
    /// One that has keys stays, and so does `default`. Asks first on a terminal; elsewhere it needs
    /// `--yes`.
    Delete {
        /// Its id or its slug.
        workspace: String,
        /// Don't ask.
        #[arg(long, short)]
        yes: bool,
    },
    /// Look at and change what a workspace may spend.
    ///
    /// One budget a window at most; a wider window has more than a narrower one.
    #[command(subcommand)]
    Budgets(budgets::BudgetsCommand),
}

/// What a workspace may say of its keys' requests.
#[derive(Args)]
struct Settings {
    /// What it is for.
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
    /// The model of a request that names none.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The order of providers of a request that names none: price, throughput or latency.
    #[arg(long, value_name = "ORDER")]
    sort: Option<String>,
}

impl Settings {
    fn is_empty(&self) -> bool {
        self.description.is_none() && self.model.is_none() && self.sort.is_none()
    }
}

pub(crate) fn run(arguments: WorkspacesArguments) -> Result<ExitCode> {
    let WorkspacesArguments { remote, command } = arguments;
    let to = remote.open(Need::Management)?;
    runtime::block_on(async {
        match command {
            WorkspacesCommand::List => list(&to, &remote).await,
            WorkspacesCommand::Get { workspace } => show(&remote, &get(&to, &workspace).await?),
            WorkspacesCommand::Create { slug, name, settings } => {
                create(&to, &remote, slug, name, settings).await
            }
            WorkspacesCommand::Update { workspace, name, slug, settings } => {
                update(&to, &remote, &workspace, (name, slug), settings).await
            }
            WorkspacesCommand::Delete { workspace, yes } => {
                delete(&to, &remote, &workspace, yes).await
            }
            WorkspacesCommand::Budgets(command) => budgets::run(&to, &remote, command).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn subject(workspace: &str) -> Subject<'_> {
    Subject {
        noun: "workspace",
        name: workspace,
        next: "`tollgate workspaces list` lists what there is",
    }
}

async fn all(to: &Connection) -> Result<Vec<Workspace>> {
    let all = to.client.workspaces().list_all(Default::default());
    all.try_collect().await.explained(to)
}

/// All that keys can be in, each by its id; a server that knows no workspaces has one without.
pub(crate) async fn every(to: &Connection) -> Result<Vec<Option<String>>> {
    let all = all_known(to).await?;
    let ids = |all: Vec<Workspace>| all.into_iter().map(|workspace| Some(workspace.id)).collect();
    Ok(all.map_or_else(|| vec![None], ids))
}

/// Every one; `None` of a server that knows no workspaces.
pub(crate) async fn all_known(to: &Connection) -> Result<Option<Vec<Workspace>>> {
    let all: Result<Vec<Workspace>, _> =
        to.client.workspaces().list_all(Default::default()).try_collect().await;
    match all {
        Err(error) if error.is_not_found() => Ok(None),
        all => all.explained(to).map(Some),
    }
}

/// The id of the one that is meant, by its id or its slug.
pub(crate) async fn id(to: &Connection, workspace: &str) -> Result<String> {
    let is_id = |text: &str| {
        text.len() == ID_CHARS && text.bytes().all(|it| it.is_ascii_hexdigit() || it == b'-')
    };
    match is_id(workspace) {
        true => Ok(workspace.to_owned()),
        false => Ok(get(to, workspace).await?.id),
    }
}

async fn get(to: &Connection, workspace: &str) -> Result<Workspace> {
    to.client.workspaces().get(workspace).await.explained_of(to, subject(workspace))
}

async fn list(to: &Connection, remote: &Remote) -> Result<()> {
    let workspaces = all(to).await?;
    if remote.json {
        return output::json(&workspaces);
    }
    if remote.quiet {
        workspaces.iter().for_each(|workspace| print::line(&workspace.id));
        return Ok(());
    }
    let mut table = Table::new(&["SLUG", "NAME", "MODEL", "MADE", "ID"]);
    for workspace in &workspaces {
        let model = workspace.default_text_model.clone().unwrap_or(NOTHING.to_owned());
        table.toned([
            (workspace.slug.clone(), Tone::Usual),
            (workspace.name.clone(), Tone::Usual),
            (model, Tone::Usual),
            (minute(Some(workspace.created_at)), Tone::Usual),
            (workspace.id.clone(), Tone::Faint),
        ]);
    }
    table.print();
    Ok(())
}

fn show(remote: &Remote, workspace: &Workspace) -> Result<()> {
    if remote.json {
        return output::json(workspace);
    }
    if remote.quiet {
        print::line(&workspace.id);
        return Ok(());
    }
    let mut facts = Facts::new();
    facts.add("slug", &workspace.slug);
    facts.add("name", &workspace.name);
    facts.add("id", &workspace.id);
    facts.maybe("description", workspace.description.clone());
    facts.maybe("model", workspace.default_text_model.clone());
    facts.maybe("providers by", workspace.default_provider_sort.clone());
    facts.add("made", minute(Some(workspace.created_at)));
    facts.maybe("changed", workspace.updated_at.map(|moment| minute(Some(moment))));
    facts.maybe("made by", workspace.created_by.clone());
    facts.print();
    Ok(())
}

async fn create(
    to: &Connection,
    remote: &Remote,
    slug: String,
    name: Option<String>,
    settings: Settings,
) -> Result<()> {
    let mut wanted = CreateWorkspace::new(name.unwrap_or(slug.clone()), slug);
    let Settings { description, model, sort } = settings;
    if let Some(description) = description {
        wanted = wanted.description(description);
    }
    if let Some(model) = model {
        wanted = wanted.default_text_model(model);
    }
    if let Some(sort) = sort {
        wanted = wanted.default_provider_sort(sort);
    }
    let made = to.client.workspaces().create(&wanted).await.explained(to)?;
    show(remote, &made)
}

async fn update(
    to: &Connection,
    remote: &Remote,
    workspace: &str,
    (name, slug): (Option<String>, Option<String>),
    settings: Settings,
) -> Result<()> {
    if name.is_none() && slug.is_none() && settings.is_empty() {
        return Err(Misused(
            "nothing to change is named: say `--name`, `--slug`, `--description`, \
                            `--model` or `--sort`"
                .to_owned(),
        )
        .into());
    }
    let cleared = |text: String| (text != "none").then_some(text);
    let mut wanted = UpdateWorkspace::new();
    let Settings { description, model, sort } = settings;
    if let Some(name) = name {
        wanted = wanted.name(name);
    }
    if let Some(slug) = slug {
        wanted = wanted.slug(slug);
    }
    if let Some(description) = description {
        wanted = wanted.description(cleared(description));
    }
    if let Some(model) = model {
        wanted = wanted.default_text_model(cleared(model));
    }
    if let Some(sort) = sort {
        wanted = wanted.default_provider_sort(cleared(sort));
    }
    let updated = to.client.workspaces().update(workspace, &wanted).await;
    show(remote, &updated.explained_of(to, subject(workspace))?)
}

async fn delete(to: &Connection, remote: &Remote, workspace: &str, is_sure: bool) -> Result<()> {
    let found = get(to, workspace).await?;
    confirm::ask(
        is_sure,
        &format!("delete workspace \"{}\" ({}) at {}?", found.slug, found.id, to.server.url),
    )?;
    let deleted = to.client.workspaces().delete(&found.id).await;
    deleted.explained_of(to, subject(workspace))?;
    output::deleted(remote, &found.id, &found.slug)
}
