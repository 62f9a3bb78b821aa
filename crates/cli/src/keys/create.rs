//! `tollgate keys create`.

use anyhow::Result;
use clap::Args;
use client::{CreateKey, LimitReset, Usd};

use crate::connection::{Connection, Remote};
use crate::failure::Explained as _;
use crate::given::{Moment, count, dollars, moment};
use crate::output::{self, dollars as told};
use crate::{print, real, workspaces};

#[derive(Args)]
pub(super) struct CreateArguments {
    /// What it is called; several may have the same name.
    name: String,
    /// What it may spend, in US dollars; without it, as much as it likes.
    #[arg(long, value_name = "DOLLARS", value_parser = dollars, allow_hyphen_values = true)]
    limit: Option<Usd>,
    /// When what it may spend begins anew, in UTC; without it the limit is for its lifetime.
    #[arg(long, value_name = "WINDOW", value_parser = ["daily", "weekly", "monthly"])]
    reset: Option<String>,
    /// When it ends: a moment in UTC such as 2026-12-31T00:00:00Z, or from now on such as 30d.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    expires: Option<Moment>,
    /// What its owner's own credentials spend counts towards the limit too.
    #[arg(long)]
    include_byok: bool,
    /// Make it in this workspace, by id or slug.
    #[arg(long, value_name = "WORKSPACE")]
    workspace: Option<String>,
    /// Whose it is: the id of a member.
    #[arg(long, value_name = "USER")]
    creator: Option<String>,
    /// A model that it may use, and no others; may be said several times.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// Requests a minute at most.
    #[arg(long, value_name = "REQUESTS", value_parser = count)]
    rpm: Option<u64>,
    /// Tokens a minute at most.
    #[arg(long, value_name = "TOKENS", value_parser = count)]
    tpm: Option<u64>,
    /// Requests at once at most.
    #[arg(long, value_name = "REQUESTS", value_parser = count)]
    concurrent: Option<u64>,
    /// The same text with the same wish, sent again, makes no second key (20 to 255 characters).
    #[arg(long, value_name = "TEXT")]
    idempotency_key: Option<String>,
}

pub(super) async fn create(
    to: &Connection,
    remote: &Remote,
    arguments: CreateArguments,
) -> Result<()> {
    let workspace = match &arguments.workspace {
        Some(workspace) => Some(workspaces::id(to, workspace).await?),
        None => None,
    };
    let wanted = wanted(arguments, workspace)?;
    let created = to.client.keys().create(&wanted).await.explained(to)?;
    if remote.json {
        return output::json(&created);
    }
    let text = created.key.expose();
    if remote.quiet {
        print::line(text);
        return Ok(());
    }
    let key = &created.data;
    let limit = match (key.limit, &key.limit_reset) {
        (None, _) => "without a limit".to_owned(),
        (Some(limit), None) => format!("worth {}", told(limit)),
        (Some(limit), Some(reset)) => format!("worth {} {reset}", told(limit)),
    };
    print::line(text);
    print::error(&format!(
        "made {} ({limit}), hash {}\nits text is shown this once: keep it now",
        output::plain(&key.name),
        key.hash
    ));
    Ok(())
}

fn wanted(arguments: CreateArguments, workspace: Option<String>) -> Result<CreateKey> {
    let mut wanted = CreateKey::new(arguments.name);
    if let Some(limit) = arguments.limit {
        wanted = wanted.limit(limit);
    }
    if let Some(reset) = arguments.reset {
        wanted = wanted.limit_reset(LimitReset::from(reset.as_str()));
    }
    if let Some(expires) = arguments.expires {
        wanted = wanted.expires_at(expires.at(real::now())?);
    }
    if arguments.include_byok {
        wanted = wanted.include_byok_in_limit(true);
    }
    if let Some(workspace) = workspace {
        wanted = wanted.workspace_id(workspace);
    }
    if let Some(creator) = arguments.creator {
        wanted = wanted.creator_user_id(creator);
    }
    if !arguments.models.is_empty() {
        wanted = wanted.allowed_models(arguments.models);
    }
    if let Some(requests) = arguments.rpm {
        wanted = wanted.requests_per_minute(requests);
    }
    if let Some(tokens) = arguments.tpm {
        wanted = wanted.tokens_per_minute(tokens);
    }
    if let Some(requests) = arguments.concurrent {
        wanted = wanted.concurrent_requests(requests);
    }
    if let Some(text) = arguments.idempotency_key {
        wanted = wanted.idempotency_key(text);
    }
    Ok(wanted)
}
