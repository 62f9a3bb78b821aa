//! The commands that ask a server by its API: the one on this machine or any other.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::{
    activity, byok, chat, credits, generation, key, keys, members, models, profile, providers, top,
    usage, workspaces,
};

#[derive(Subcommand)]
pub(crate) enum RemoteCommand {
    /// Make, list, show, change and delete keys.
    ///
    /// With a management key, at any server that speaks this API.
    Keys(keys::KeysArguments),
    /// Show the key that asks: what it may spend, every limit it is under, what it has spent.
    ///
    /// Any key may ask. The limits stand in the order in which they are enforced.
    Key(key::KeyArguments),
    /// Show what was spent, by day, week, month, model, provider or key, with a bar for each.
    ///
    /// Whole days in UTC are from the server's activity; what today has come to is from the keys, and
    /// is not split into models and requests yet.
    Usage(usage::UsageArguments),
    /// Show what the account was charged in all, deleted keys too.
    ///
    /// With a management key. The credits beside it are a number that the operator sets.
    Credits(credits::CreditsArguments),
    /// List what each model and provider came to, day by day: the last 30 whole days in UTC.
    ///
    /// The latest day comes first, and in it the dearest.
    Activity(activity::ActivityArguments),
    /// List models with their prices, show one, or where it runs.
    ///
    /// No key is needed, though a server may show more to one. Prices are in US dollars a million
    /// tokens.
    Models(Box<models::ModelsArguments>),
    /// Show one request as the book has it: what it cost, its tokens, who ran it.
    ///
    /// The key that made it may ask, and a management key.
    Generation(generation::GenerationArguments),
    /// Ask a model, and print its answer as it comes; on stderr, what it cost.
    ///
    /// With an inference key. The answer alone is on stdout. `--json` prints the server's chunks, a
    /// line each, or with `--no-stream` the whole answer.
    Chat(chat::ChatArguments),
    /// Watch keys, how fast they spend, and what is on hold.
    ///
    /// It fills the terminal until `q`. The rate is of the last minute. What is on hold is read from
    /// the server's metrics: at `--admin`, at the `server.admin_listen` of a local configuration, or
    /// at the server itself with the management key; else the control socket of a local server is
    /// asked, which knows only the charges that wait for a person.
    Top(top::TopArguments),
    /// List who runs the models.
    ///
    /// No key is needed. Their slugs are what `provider` in a request takes.
    Providers(providers::ProvidersArguments),
    /// List, make, change and delete workspaces, and the budgets that their keys share.
    ///
    /// With a management key.
    Workspaces(workspaces::WorkspacesArguments),
    /// List, bring, change and delete credentials of providers that people brought.
    ///
    /// With a management key. docs/byok.md says when they are used.
    Byok(byok::ByokArguments),
    /// List the members, whom keys can be made for.
    ///
    /// With a management key. docs/members.md says what a member is for.
    Members(members::MembersArguments),
    /// Keep servers under names, with where the key of each is.
    ///
    /// The commands that ask a server by its API take it from there: `--profile NAME`, or the
    /// current one.
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
}

pub(crate) fn run(command: RemoteCommand) -> Result<ExitCode> {
    match command {
        RemoteCommand::Keys(arguments) => keys::run(arguments),
        RemoteCommand::Key(arguments) => key::run(&arguments),
        RemoteCommand::Usage(arguments) => usage::run(&arguments),
        RemoteCommand::Credits(arguments) => credits::run(&arguments),
        RemoteCommand::Activity(arguments) => activity::run(&arguments),
        RemoteCommand::Models(arguments) => models::run(*arguments),
        RemoteCommand::Generation(arguments) => generation::run(&arguments),
        RemoteCommand::Chat(arguments) => chat::run(&arguments),
        RemoteCommand::Top(arguments) => top::run(&arguments),
        RemoteCommand::Providers(arguments) => providers::run(&arguments),
        RemoteCommand::Workspaces(arguments) => workspaces::run(arguments),
        RemoteCommand::Byok(arguments) => byok::run(arguments),
        RemoteCommand::Members(arguments) => members::run(&arguments),
        RemoteCommand::Profile(command) => profile::run(command),
    }
}
