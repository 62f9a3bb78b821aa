//! `tollgate keys update`: what is not named stays, `none` clears.

use anyhow::Result;
use clap::Args;
use client::{LimitReset, UpdateKey, Usd};

use super::{reference, show};
use crate::connection::{Connection, Remote};
use crate::failure::Explained as _;
use crate::given::{Clearable, Moment, count_or_none, dollars_or_none, moment_or_none};
use crate::output::Misused;
use crate::{print, real, workspaces};

#[derive(Args)]
pub(super) struct UpdateArguments {
    /// Its hash, the beginning of it, or its name.
    key: String,
    /// Another name.
    #[arg(long)]
    name: Option<String>,
    /// What it may spend, in US dollars, or `none`.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars_or_none, allow_hyphen_values = true)]
    limit: Option<Clearable<Usd>>,
    /// When what it may spend begins anew, in UTC; `none` is never.
    #[arg(long, value_name = "WINDOW", value_parser = ["daily", "weekly", "monthly", "none"])]
    reset: Option<String>,
    /// When it ends: a moment in UTC such as 2026-12-31T00:00:00Z, from now on such as 30d, or `none`.
    #[arg(long, value_name = "WHEN", value_parser = moment_or_none)]
    expires: Option<Clearable<Moment>>,
    /// Whether what its owner's own credentials spend counts towards the limit too.
    #[arg(long, value_name = "BOOL")]
    include_byok: Option<bool>,
    /// Refuse it from now on, until `--enable`.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Let it be used again.
    #[arg(long)]
    enable: bool,
    /// Move it to this workspace, by id or slug.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// A model that it may use, and no others; may be said several times, `none` is every model.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Requests a minute at most, or `none`.
    #[arg(long, value_name = "REQUESTS", value_parser = count_or_none)]
    rpm: Option<Clearable<u64>>,
    /// Tokens a minute at most, or `none`.
    #[arg(long, value_name = "TOKENS", value_parser = count_or_none)]
    tpm: Option<Clearable<u64>>,
    /// Requests at once at most, or `none`.
    #[arg(long, value_name = "REQUESTS", value_parser = count_or_none)]
    concurrent: Option<Clearable<u64>>,
}

pub(super) async fn update(
    to: &Connection,
    remote: &Remote,
    arguments: UpdateArguments,
) -> Result<()> {
    let key = arguments.key.clone();
    let subject = reference::subject(&key);
    let workspace = match &arguments.workspace {
        Some(workspace) => Some(workspaces::id(to, workspace).await?),
        None => None,
    };
    let wanted = wanted(arguments, workspace)?;
    let hash = reference::hash(to, &key).await?;
    let updated = to.client.keys().update(&hash, &wanted).await.explained_of(to, subject)?;
    if !(remote.json || remote.quiet) {
        print::error("changed; it binds from the next request on");
    }
    show::show(remote, &updated)
}

fn wanted(arguments: UpdateArguments, workspace: Option<String>) -> Result<UpdateKey> {
    let unchanged = UpdateKey::new();
    let mut wanted = UpdateKey::new();
    if let Some(name) = arguments.name {
        wanted = wanted.name(name);
    }
    if let Some(limit) = arguments.limit {
        wanted = wanted.limit(limit.into_option());
    }
    if let Some(reset) = arguments.reset {
        wanted = wanted.limit_reset((reset != "none").then(|| LimitReset::from(reset.as_str())));
    }
    if let Some(expires) = arguments.expires {
        let moment = expires.into_option().map(|moment| moment.at(real::now())).transpose()?;
        wanted = wanted.expires_at(moment);
    }
    if let Some(include) = arguments.include_byok {
        wanted = wanted.include_byok_in_limit(include);
    }
    if arguments.disable || arguments.enable {
        wanted = wanted.disabled(arguments.disable);
    }
    if let Some(workspace) = workspace {
        wanted = wanted.workspace_id(workspace);
    }
    if !arguments.models.is_empty() {
        let is_cleared = arguments.models == ["none"];
        wanted = wanted.allowed_models((!is_cleared).then_some(arguments.models));
    }
    if let Some(requests) = arguments.rpm {
        wanted = wanted.requests_per_minute(requests.into_option());
    }
    if let Some(tokens) = arguments.tpm {
        wanted = wanted.tokens_per_minute(tokens.into_option());
    }
    if let Some(requests) = arguments.concurrent {
        wanted = wanted.concurrent_requests(requests.into_option());
    }
    if wanted == unchanged {
        return Err(Misused(
            "nothing to change is named: say `--limit`, `--name`, `--disable` or another of those \
             in `tollgate keys update --help`"
                .to_owned(),
        )
        .into());
    }
    Ok(wanted)
}
