//! The tollgate binary: the one place that names real things: the clock, chance, the store.

mod audit;
mod config;
mod control;
mod demo;
mod endpoints;
mod holds;
mod http_client;
mod management_keys;
mod print;
mod real;
mod retention;
mod serve;
mod setup;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A self-hosted LLM gateway whose spending limits hold.
///
/// Exit codes: 0 done, 1 refused or failed, 2 misused.
#[derive(Parser)]
#[command(name = "tollgate", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// The file that says what to serve.
#[derive(clap::Args, Clone)]
struct ConfigFile {
    /// The configuration file.
    #[arg(long, env = "TOLLGATE_CONFIG", default_value = "tollgate.toml", value_name = "FILE")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    ///
    /// SIGHUP reads the providers and models of the configuration again; SIGTERM and SIGINT stop
    /// accepting, let requests in flight finish, and end.
    Serve(ConfigFile),
    /// Show what Tollgate does, on a simulated provider in a temporary folder.
    Demo(demo::DemoArguments),
    /// Recompute every figure from the rows of the book and say whether they agree.
    ///
    /// Reads beside a running server. Exits with 1 where a figure differs.
    Audit {
        #[command(flatten)]
        file: ConfigFile,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make, list and revoke the keys that administer Tollgate.
    #[command(subcommand)]
    ManagementKeys(management_keys::ManagementKeysCommand),
    /// List and correct charges whose end was not seen: after a crash, or a provider that broke off.
    #[command(subcommand)]
    Holds(holds::HoldsCommand),
    /// List and clear what was learned about endpoints that charged more than was held.
    #[command(subcommand)]
    Endpoints(endpoints::EndpointsCommand),
    /// Put sealed rows in the place of old ones; no figure changes by it.
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// Check a configuration, list what is built in, or have a running server read it again.
    #[command(subcommand)]
    Config(config::ConfigCommand),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(file) => serve::serve(&file.config),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Audit { file, json } => audit::audit(&file.config, json),
        Command::ManagementKeys(command) => management_keys::run(command),
        Command::Holds(command) => holds::run(command),
        Command::Endpoints(command) => endpoints::run(command),
        Command::Retention(command) => retention::run(command),
        Command::Config(command) => config::run(command),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            print::error(&format!("tollgate: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
