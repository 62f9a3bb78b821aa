//! The tollgate binary: the one place that names real things: the clock, chance, the store.

mod audit;
mod backup;
mod book_file;
mod config;
mod control;
mod demo;
mod doctor;
mod endpoints;
mod export;
mod holds;
mod http_client;
mod management_keys;
mod new_file;
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
    Audit(audit::AuditArguments),
    /// Copy the book to a file, beside a running server.
    ///
    /// The copy is the book as of one moment. It is written under another name, synced, checked
    /// and audited, and only then gets its own. Requests in flight stand in it as a crash at that
    /// moment would have left them: charged in full, as `interrupted`. `tollgate restore` puts it
    /// back; `tollgate audit --store sqlite:FILE` looks at it.
    Backup(backup::BackupArguments),
    /// Put a backup in the place of the book.
    ///
    /// No server may be running. The backup is copied, checked and audited first; the book that
    /// was there is kept beside it, as tollgate.db.replaced. The record of holds stays: at the next
    /// start, requests that it still has and the backup has not are charged in full, as
    /// `interrupted`; none is charged twice.
    Restore(backup::RestoreArguments),
    /// Look over an installation, and say what is wrong with it and what to do.
    ///
    /// The configuration, who has the book and whether it answers, the disk and how fast it syncs,
    /// permissions, the clock, how many files may be open, every page of the book, management keys,
    /// charges and endpoints that wait for a person, and with --online every provider. It changes
    /// nothing. Warnings are no failure: it exits with 1 where there is a problem.
    Doctor(doctor::DoctorArguments),
    /// Write the whole book as JSON lines.
    ///
    /// Keys, management keys, entries, sealed rows, endpoint marks and the audit log, in that
    /// order, each sorted: the same book gives the same bytes. Money is exact decimals, times are
    /// RFC 3339 in UTC; of a key only its hash is there. Reads beside a running server, as of one
    /// moment. docs/export.md describes every field.
    Export(export::ExportArguments),
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
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Export(arguments) => export::export(&arguments),
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
