//! `tollgate serve`: starts, watches for signals, stops.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use gateway::config::{LogConfig, LogFormat, built_in};
use gateway::core::Core;
use gateway::http::control::{Control, add_management_key};
use gateway::server::{Listeners, Server};
use store::Outcome;
use tokio::signal::unix::{SignalKind, signal};
use toml::Value;
use tracing_subscriber::EnvFilter;

use crate::real::SystemEntropy;
use crate::setup::Setup;
use crate::{control, print};

/// A management key that is given must be at least this long, so that it can't be guessed.
const MANAGEMENT_KEY_CHARS_MIN: usize = 32;
pub(crate) const MANAGEMENT_KEY: &str = "TOLLGATE_MANAGEMENT_KEY";

pub(crate) fn serve(path: &Path) -> Result<ExitCode> {
    let setup = Setup::read(path)?;
    start_log(&setup.config.log)?;
    setup.warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    if let (Some(source), false) = (built_in::source(), setup.list_priced.is_empty()) {
        let endpoints = setup.list_priced.len();
        tracing::info!(endpoints, date = source.date, "some prices are the built-in list prices");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(setup, path.to_owned()))
}

async fn run(setup: Setup, path: PathBuf) -> Result<ExitCode> {
    // Listening for signals comes first: one that arrives during the start is not lost.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let listeners = listen(&setup)?;
    let core = setup.open()?;
    ensure_management_key(&core).await?;
    let server = Server::start_on(listeners, Arc::clone(&core))?;
    let reload = reloader(Arc::clone(&core), path, setup.settings.clone());
    let control = Arc::new(Control { core: Arc::clone(&core), reload: Box::new(reload) });
    control::listen(&setup, Arc::clone(&control))?;
    tracing::info!(address = %server.address(), version = env!("CARGO_PKG_VERSION"), "serving");
    if let Some(address) = server.admin_address() {
        tracing::info!(%address, "serving operators");
    }
    let retention = tokio::spawn(gateway::retention::keep(Arc::clone(&core)));
    loop {
        tokio::select! {
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = hangup.recv() => match (control.reload)() {
                Ok(warnings) => {
                    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
                    tracing::info!("the configuration was read again");
                }
                Err(error) => tracing::error!(error, "the configuration was not taken"),
            },
        }
    }
    tracing::info!(in_flight = core.in_flight.count(), "stopping");
    retention.abort();
    server.stop().await;
    // The socket goes with the process; one left behind is replaced by the next start.
    let _ = std::fs::remove_file(setup.beside(".sock")?);
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Listens before the book is opened: a start that is refused for its port makes no book.
fn listen(setup: &Setup) -> Result<Listeners> {
    Listeners::bind(&setup.config.server).or_else(|error| {
        // A server that has the book most likely has the port too, and says more.
        store_sqlite::ensure_unlocked(setup.database()?)?;
        Err(error.into())
    })
}

/// Puts providers and models in force as they are written now, and warns of all else that was
/// changed since the start.
fn reloader(
    core: Arc<Core>,
    path: PathBuf,
    in_force: BTreeMap<String, Value>,
) -> impl Fn() -> Result<Vec<String>, String> {
    move || {
        let Setup { config, mut warnings, settings, .. } =
            Setup::read(&path).map_err(|error| format!("{error:#}"))?;
        core.reload(&config).map_err(|error| format!("{}: {error}", path.display()))?;
        let names: BTreeSet<&String> = in_force.keys().chain(settings.keys()).collect();
        let changed = names.into_iter().filter(|name| in_force.get(*name) != settings.get(*name));
        warnings.extend(
            changed
                .map(|name| format!("setting `{name}` was changed; it waits for the next start")),
        );
        Ok(warnings)
    }
}

/// What is logged. A lone word must be a level: any other would be taken for a module that nobody
/// has, and silence the log.
pub(crate) fn log_filter(config: &LogConfig) -> Result<EnvFilter> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let wanted = std::env::var("TOLLGATE_LOG").unwrap_or_else(|_| config.level.clone());
    let is_word = !wanted.contains(['=', ',']);
    if is_word && !LEVELS.contains(&wanted.to_ascii_lowercase().as_str()) {
        bail!("setting `log.level`: `{wanted}` is none of {}", LEVELS.join(", "));
    }
    EnvFilter::try_new(&wanted)
        .with_context(|| format!("setting `log.level`: `{wanted}` is not a filter"))
}

pub(crate) fn start_log(config: &LogConfig) -> Result<()> {
    let filter = log_filter(config)?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Refuses a management key from the environment that could be guessed.
pub(crate) fn check_management_key(text: &str) -> Result<()> {
    if text.chars().count() < MANAGEMENT_KEY_CHARS_MIN {
        bail!("{MANAGEMENT_KEY} must have at least {MANAGEMENT_KEY_CHARS_MIN} characters");
    }
    Ok(())
}

fn is_inference_key(core: &Core, text: &str) -> bool {
    let caller = core.directory.caller(&gateway::http::hash(text));
    matches!(caller, Some(gateway::directory::Caller::Inference(_)))
}

/// Adds the management key from the environment where it is new. Without one, a first start makes
/// one and shows it where a person can see it, and is refused elsewhere (DESIGN "Configuration").
async fn ensure_management_key(core: &Arc<Core>) -> Result<()> {
    match std::env::var(MANAGEMENT_KEY) {
        Ok(text) => {
            check_management_key(&text)?;
            let added = add_management_key(core, "environment", &text).await;
            match added
                .map_err(|error| anyhow::anyhow!("{MANAGEMENT_KEY} can't be added: {error}"))?
            {
                Outcome::Done => {
                    tracing::info!("the management key from the environment was added");
                }
                _ if is_inference_key(core, &text) => {
                    bail!("{MANAGEMENT_KEY} is the text of an inference key; take another")
                }
                // Known already; a revoked one stays revoked.
                _ => tracing::debug!("the management key from the environment is known"),
            }
            Ok(())
        }
        Err(_) if !core.is_new => Ok(()),
        Err(_) if std::io::stdout().is_terminal() => {
            let text = gateway::secrets::new_key(&SystemEntropy);
            let added = add_management_key(core, "first start", text.expose()).await;
            added.map_err(|error| anyhow::anyhow!("a management key can't be made: {error}"))?;
            print::line("This is the management key of this installation. It is shown this once:");
            print::line(text.expose());
            Ok(())
        }
        Err(_) => bail!(
            "no management key: set {MANAGEMENT_KEY} (for example to `sk-or-v1-` and 64 random \
             hex digits), or make one with `tollgate management-keys create --name NAME`"
        ),
    }
}
