//! `tollgate byok`: credentials of providers that people bring. A secret is read from a file, a
//! program or stdin, and never from the arguments.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use client::{ByokKey, CreateByokKey, ListByokKeys, UpdateByokKey};
use futures_util::TryStreamExt as _;

use crate::connection::{Connection, Need, Remote};
use crate::failure::{Explained as _, Subject};
use crate::output::{self, Misused, NOTHING, minute};
use crate::table::{Facts, Table, Tone};
use crate::{confirm, print, profile, runtime, workspaces};

/// Bytes of a secret at most: some are a whole JSON document.
const SECRET_BYTES_MAX: u64 = 64 * 1024;

#[derive(Args)]
pub(crate) struct ByokArguments {
    #[command(flatten)]
    remote: Remote,
    #[command(subcommand)]
    command: ByokCommand,
}

#[derive(Subcommand)]
enum ByokCommand {
    /// List credentials.
    ///
    /// Those of the default workspace, unless another is named. The secrets are never shown.
    List {
        /// Those of this workspace, by id or slug.
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<String>,
        /// Only those of this provider, by slug.
        #[arg(long, value_name = "PROVIDER")]
        provider: Option<String>,
    },
    /// Show a credential.
    ///
    /// All but its secret, which is never shown.
    Get {
        /// Its id, as `tollgate byok list` shows it.
        id: String,
    },
    /// Bring a credential.
    ///
    /// Its secret is read from stdin, unless a file or a program has it: never from the arguments,
    /// which others on the machine can see.
    Create {
        /// The provider, by slug.
        provider: String,
        /// Bring it to this workspace, by id or slug.
        #[arg(long, value_name = "WORKSPACE")]
        workspace: Option<String>,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        secret: Secret,
    },
    /// Change a credential, or put another secret in its place.
    ///
    /// What is not named stays as it is. `--secret-stdin`, `--secret-file` and `--secret-command`
    /// replace the secret.
    Update {
        /// Its id, as `tollgate byok list` shows it.
        id: String,
        #[command(flatten)]
        settings: Settings,
        /// Refuse it from now on, until `--enable`.
        #[arg(long, conflicts_with = "enable")]
        disable: bool,
        /// Let it be used again.
        #[arg(long)]
        enable: bool,
        #[command(flatten)]
        secret: Secret,
    },
    /// Delete a credential, its secret too.
    ///
    /// Asks first on a terminal; elsewhere it needs `--yes`.
    Delete {
        /// Its id, as `tollgate byok list` shows it.
        id: String,
        /// Don't ask.
        #[arg(long, short)]
        yes: bool,
    },
}

/// What may be said of a credential.
#[derive(Args)]
struct Settings {
    /// What it is called.
    #[arg(long)]
    name: Option<String>,
    /// Try it after the operator's own: `true`, or before them: `false`.
    #[arg(long, value_name = "BOOL")]
    fallback: Option<bool>,
    /// A model that it is for, and no others; may be said several times.
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// The hash of a key that it is for, and no others; may be said several times.
    #[arg(long = "key", value_name = "HASH")]
    keys: Vec<String>,
    /// A member that it is for, and no others; may be said several times.
    #[arg(long = "user", value_name = "USER")]
    users: Vec<String>,
}

/// Where its secret is.
#[derive(Args)]
struct Secret {
    /// The secret is in this file.
    #[arg(long, value_name = "FILE", group = "secret")]
    secret_file: Option<PathBuf>,
    /// The secret comes in by stdin.
    #[arg(long, group = "secret")]
    secret_stdin: bool,
    /// A program prints the secret: the last option, all that follows is the program's.
    #[arg(long, value_name = "PROGRAM", group = "secret", num_args = 1..,
          allow_hyphen_values = true)]
    secret_command: Option<Vec<String>>,
}

impl Secret {
    fn is_named(&self) -> bool {
        self.secret_file.is_some() || self.secret_stdin || self.secret_command.is_some()
    }

    fn read(&self) -> Result<String> {
        let text = match (&self.secret_file, &self.secret_command) {
            (Some(path), _) => {
                let file = std::fs::File::open(path);
                bounded(file.with_context(|| format!("can't read {}", path.display()))?)?
            }
            (_, Some(words)) => profile::secret_output(words)?,
            (None, None) => {
                let stdin = std::io::stdin();
                if stdin.is_terminal() {
                    print::error(
                        "the secret, then Ctrl-D (it is shown as you type; a pipe is not):",
                    );
                }
                bounded(stdin.lock())?
            }
        };
        match text.trim() {
            "" => bail!("the secret is empty"),
            secret => Ok(secret.to_owned()),
        }
    }
}

fn bounded(from: impl std::io::Read) -> Result<String> {
    let mut text = String::new();
    let read = from.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text);
    read.context("the secret can't be read as text")?;
    if text.len() as u64 > SECRET_BYTES_MAX {
        bail!("the secret is longer than {SECRET_BYTES_MAX} bytes");
    }
    Ok(text)
}

pub(crate) fn run(arguments: ByokArguments) -> Result<ExitCode> {
    let ByokArguments { remote, command } = arguments;
    let to = remote.open(Need::Management)?;
    runtime::block_on(async {
        match command {
            ByokCommand::List { workspace, provider } => {
                list(&to, &remote, workspace, provider).await
            }
            ByokCommand::Get { id } => show(&remote, &get(&to, &id).await?),
            ByokCommand::Create { provider, workspace, settings, secret } => {
                create(&to, &remote, (provider, workspace), settings, &secret).await
            }
            ByokCommand::Update { id, settings, disable, enable, secret } => {
                let state = (disable || enable).then_some(disable);
                update(&to, &remote, &id, (settings, state), &secret).await
            }
            ByokCommand::Delete { id, yes } => delete(&to, &remote, &id, yes).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

fn subject(id: &str) -> Subject<'_> {
    Subject { noun: "credential", name: id, next: "`tollgate byok list` lists what there is" }
}

async fn get(to: &Connection, id: &str) -> Result<ByokKey> {
    to.client.byok().get(id).await.explained_of(to, subject(id))
}

async fn list(
    to: &Connection,
    remote: &Remote,
    workspace: Option<String>,
    provider: Option<String>,
) -> Result<()> {
    let mut wanted = ListByokKeys::new();
    if let Some(workspace) = workspace {
        wanted = wanted.workspace_id(workspaces::id(to, &workspace).await?);
    }
    if let Some(provider) = provider {
        wanted = wanted.provider(provider);
    }
    let found: Vec<ByokKey> =
        to.client.byok().list_all(wanted).try_collect().await.explained(to)?;
    if remote.json {
        return output::json(&found);
    }
    if remote.quiet {
        found.iter().for_each(|credential| print::line(&credential.id));
        return Ok(());
    }
    if found.is_empty() {
        print::error("there are no such credentials; `tollgate byok create PROVIDER` brings one");
        return Ok(());
    }
    let mut table = Table::new(&["PROVIDER", "NAME", "LABEL", "STATE", "TRIED", "MADE", "ID"]);
    for credential in &found {
        let (state, tone) = state(credential);
        table.toned([
            (credential.provider.to_string(), Tone::Usual),
            (credential.name.clone().unwrap_or(NOTHING.to_owned()), Tone::Usual),
            (credential.label.clone(), Tone::Faint),
            (state.to_owned(), tone),
            (tried(credential).to_owned(), Tone::Usual),
            (minute(Some(credential.created_at)), Tone::Usual),
            (credential.id.clone(), Tone::Faint),
        ]);
    }
    table.print();
    Ok(())
}

fn state(credential: &ByokKey) -> (&'static str, Tone) {
    if credential.disabled { ("disabled", Tone::Faint) } else { ("active", Tone::Good) }
}

fn tried(credential: &ByokKey) -> &'static str {
    if credential.is_fallback { "last" } else { "first" }
}

fn show(remote: &Remote, credential: &ByokKey) -> Result<()> {
    if remote.json {
        return output::json(credential);
    }
    if remote.quiet {
        print::line(&credential.id);
        return Ok(());
    }
    let mut facts = Facts::new();
    facts.add("id", &credential.id);
    facts.add("provider", credential.provider.to_string());
    facts.maybe("name", credential.name.clone());
    facts.add("label", &credential.label);
    let (state, tone) = state(credential);
    facts.toned("state", state, tone);
    facts.add("tried", tried(credential));
    let list = |words: &Option<Vec<String>>| words.as_ref().map(|words| words.join(", "));
    facts.maybe("models", list(&credential.allowed_models));
    facts.maybe("keys", list(&credential.allowed_api_key_hashes));
    facts.maybe("members", list(&credential.allowed_user_ids));
    facts.add("workspace", credential.workspace_id.clone().unwrap_or("every one".to_owned()));
    facts.add("made", minute(Some(credential.created_at)));
    facts.print();
    Ok(())
}

async fn create(
    to: &Connection,
    remote: &Remote,
    (provider, workspace): (String, Option<String>),
    settings: Settings,
    secret: &Secret,
) -> Result<()> {
    let workspace = match workspace {
        Some(workspace) => Some(workspaces::id(to, &workspace).await?),
        None => None,
    };
    let mut wanted = CreateByokKey::new(provider, secret.read()?);
    if let Some(workspace) = workspace {
        wanted = wanted.workspace_id(workspace);
    }
    let Settings { name, fallback, models, keys, users } = settings;
    if let Some(name) = name {
        wanted = wanted.name(name);
    }
    if let Some(fallback) = fallback {
        wanted = wanted.is_fallback(fallback);
    }
    if !models.is_empty() {
        wanted = wanted.allowed_models(models);
    }
    if !keys.is_empty() {
        wanted = wanted.allowed_api_key_hashes(keys);
    }
    if !users.is_empty() {
        wanted = wanted.allowed_user_ids(users);
    }
    show(remote, &to.client.byok().create(&wanted).await.explained(to)?)
}

async fn update(
    to: &Connection,
    remote: &Remote,
    id: &str,
    (settings, state): (Settings, Option<bool>),
    secret: &Secret,
) -> Result<()> {
    let mut wanted = UpdateByokKey::new();
    let Settings { name, fallback, models, keys, users } = settings;
    if let Some(name) = name {
        wanted = wanted.name(Some(name));
    }
    if let Some(fallback) = fallback {
        wanted = wanted.is_fallback(fallback);
    }
    if let Some(disabled) = state {
        wanted = wanted.disabled(disabled);
    }
    if !models.is_empty() {
        wanted = wanted.allowed_models(some(models));
    }
    if !keys.is_empty() {
        wanted = wanted.allowed_api_key_hashes(some(keys));
    }
    if !users.is_empty() {
        wanted = wanted.allowed_user_ids(some(users));
    }
    if secret.is_named() {
        wanted = wanted.key(secret.read()?.into());
    }
    if wanted == UpdateByokKey::new() {
        let why = "nothing to change is named: say `--name`, `--disable`, `--secret-file` or another \
                   of those in `tollgate byok update --help`";
        return Err(Misused(why.to_owned()).into());
    }
    let updated = to.client.byok().update(id, &wanted).await;
    show(remote, &updated.explained_of(to, subject(id))?)
}

/// Those words, or no restriction where `none` is all there is.
fn some(words: Vec<String>) -> Option<Vec<String>> {
    (words != ["none"]).then_some(words)
}

async fn delete(to: &Connection, remote: &Remote, id: &str, is_sure: bool) -> Result<()> {
    let found = get(to, id).await?;
    let question = format!(
        "delete the credential {} of {} ({id}) at {}?",
        output::plain(&found.label),
        found.provider,
        to.server.url
    );
    confirm::ask(is_sure, &question)?;
    to.client.byok().delete(id).await.explained_of(to, subject(id))?;
    output::deleted(remote, id, &found.label)
}
