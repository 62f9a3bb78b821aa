//! The tollgate binary: the one place that names real things: the clock, chance, the store.

mod activity;
mod audit;
mod backup;
mod book_file;
mod byok;
mod chart;
mod chat;
mod completions;
mod config;
mod confirm;
mod connection;
mod control;
mod credits;
mod demo;
mod doctor;
mod endpoints;
mod export;
mod failure;
mod generation;
mod given;
mod help;
mod holds;
mod http_client;
mod import;
mod key;
mod keys;
mod management_keys;
mod members;
mod models;
mod new_file;
mod output;
mod print;
mod profile;
mod progress;
mod providers;
mod real;
mod remote;
mod retention;
mod runtime;
mod secrets;
mod serve;
mod setup;
mod table;
mod top;
mod usage;
mod users;
mod workspaces;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{FromArgMatches as _, Parser, Subcommand};

/// A self-hosted LLM gateway whose spending limits hold.
///
/// It issues API keys, caps what each may spend, forwards their requests to model providers, meters
/// every generation to the nano-dollar, and reports it.
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
    #[arg(
        long,
        env = "TOLLGATE_CONFIG",
        hide_env_values = true,
        default_value = "tollgate.toml",
        value_name = "FILE"
    )]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    ///
    /// The book is made on the first start, beside the configuration, and brought up to date by
    /// later versions. What an earlier process left in flight is settled first. SIGHUP reads the
    /// providers and models of the configuration again; SIGTERM and SIGINT stop accepting, let
    /// requests in flight finish, and end.
    Serve(ConfigFile),
    /// Show what Tollgate does, on a simulated provider in a temporary folder.
    ///
    /// It makes a key with a small limit, calls through it, plain and streamed, shows what the key
    /// has spent and how it is refused once the limit is reached, and prints lines to paste. Nothing
    /// is kept.
    Demo(demo::DemoArguments),
    /// Recompute every figure from the rows of the book and say whether they agree.
    ///
    /// Each total and each daily sum is compared with the rows it stands for, to the nano-dollar. It
    /// reads beside a running server, or a backup.
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
    /// permissions, the master key, the clock, how many files may be open, every page of the book, management keys,
    /// charges and endpoints that wait for a person, and with --online every provider. It changes
    /// nothing. Warnings are no failure: it exits with 1 where there is a problem.
    Doctor(doctor::DoctorArguments),
    /// Write the whole book as JSON lines.
    ///
    /// Keys, management keys, workspaces, budgets, credentials, users, members, entries, sealed rows,
    /// endpoint marks and the audit log, in that order, each sorted: the same book gives the same
    /// bytes. Money is exact decimals, times are RFC 3339 in UTC; of a key only its hash is there, of
    /// a credential nothing that is secret. Reads beside a running server, as of one moment.
    /// docs/export.md describes every field.
    Export(export::ExportArguments),
    /// Take over what another gateway has.
    ///
    /// Without --apply nothing is changed: what would be is shown, and whatever has no counterpart
    /// here is listed with the reason.
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Make, list and revoke the keys that administer Tollgate.
    ///
    /// The API itself never shows them, and they can't be used for inference.
    #[command(subcommand)]
    ManagementKeys(management_keys::ManagementKeysCommand),
    /// Add, list and remove the users that keys are made for.
    ///
    /// Whoever runs the installation is one from the start, and so is everyone in `[[users]]` of the
    /// configuration for as long as they stand there. docs/members.md says what a user is for.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// List and correct charges whose end was not seen.
    ///
    /// After a crash, or where a provider broke off, the whole hold was charged: so no limit is
    /// passed, and a person decides what it really came to.
    #[command(subcommand)]
    Holds(holds::HoldsCommand),
    /// List and clear what was learned about endpoints that charged more than was held.
    ///
    /// It is kept over restarts, since the limits rest on it.
    #[command(subcommand)]
    Endpoints(endpoints::EndpointsCommand),
    /// Put sealed rows in the place of old ones; no figure changes by it.
    ///
    /// docs/retention.md says what goes and what stays.
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// Make and replace the master key that credentials of providers are encrypted under.
    ///
    /// A credential of POST /byok is in the book only encrypted. The master key is in a file of its
    /// own, or in TOLLGATE_MASTER_KEY, and never in the book or in a backup: keep a copy elsewhere.
    #[command(subcommand)]
    Secrets(secrets::SecretsCommand),
    /// Check a configuration, list what is built in, or have a running server read it again.
    ///
    /// docs/configuration.md has every setting.
    #[command(subcommand)]
    Config(config::ConfigCommand),
    #[command(flatten)]
    Remote(remote::RemoteCommand),
    /// Print what a shell needs to complete commands.
    ///
    /// Written where the shell looks for it, it completes commands, options and values from then on.
    Completions(completions::CompletionsArguments),
}

fn main() -> ExitCode {
    let matches = help::command().get_matches();
    // The matches are of the command that the arguments are read by.
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let outcome = match arguments.command {
        Command::Serve(file) => serve::serve(&file.config),
        Command::Demo(arguments) => demo::demo(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Backup(arguments) => backup::backup(&arguments),
        Command::Restore(arguments) => backup::restore(&arguments),
        Command::Doctor(arguments) => doctor::doctor(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Import(command) => import::run(command),
        Command::ManagementKeys(command) => management_keys::run(command),
        Command::Users(command) => users::run(command),
        Command::Holds(command) => holds::run(command),
        Command::Endpoints(command) => endpoints::run(command),
        Command::Retention(command) => retention::run(command),
        Command::Secrets(command) => secrets::run(command),
        Command::Config(command) => config::run(command),
        Command::Remote(command) => remote::run(command),
        Command::Completions(arguments) => Ok(completions::completions(&arguments)),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            print::error(&format!("tollgate: {error:#}"));
            // As clap has it for what it sees itself.
            if error.is::<output::Misused>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}
