//! `tollgate management-keys`: the keys that administer Tollgate, which the API itself never shows.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use gateway::http::control::{ListedManagementKey, NewManagementKey};
use http::Method;

use crate::control::escaped;
use crate::{ConfigFile, control, print};

#[derive(Subcommand)]
pub(crate) enum ManagementKeysCommand {
    /// Make a management key and print its text, once.
    ///
    /// Only its SHA-256 is kept. It works from now on, beside a running server too; no other key is
    /// asked for, since whoever can open the book administers it.
    Create {
        #[command(flatten)]
        file: ConfigFile,
        /// The name the audit log shows.
        #[arg(long)]
        name: String,
    },
    /// List management keys, revoked ones included.
    ///
    /// Each with its name, masked text to recognise it by, when it was made and its SHA-256.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a management key, for ever.
    ///
    /// It is refused from the next request on, and stays so though the environment still names it.
    /// A name that several have revokes none of them: give the hash.
    Revoke {
        #[command(flatten)]
        file: ConfigFile,
        /// Its name, or its hash.
        key: String,
    },
}

pub(crate) fn run(command: ManagementKeysCommand) -> Result<ExitCode> {
    match command {
        ManagementKeysCommand::Create { file, name } => {
            let wanted = serde_json::json!({ "name": name });
            let made: NewManagementKey =
                control::ask(&file.config, Method::POST, "/management-keys", &wanted)?;
            print::line(made.key.expose());
        }
        ManagementKeysCommand::List { file, json } => {
            let keys: Vec<ListedManagementKey> =
                control::ask(&file.config, Method::GET, "/management-keys", &())?;
            if json {
                print::line(&serde_json::to_string_pretty(&keys)?);
                return Ok(ExitCode::SUCCESS);
            }
            let rows: Vec<Vec<String>> = keys
                .into_iter()
                .map(|key| {
                    let state =
                        key.revoked_at.map_or("live".to_owned(), |at| format!("revoked {at}"));
                    vec![key.name, key.label, key.created_at, state, key.hash]
                })
                .collect();
            print::table(&["NAME", "LABEL", "CREATED", "STATE", "HASH"], &rows);
        }
        ManagementKeysCommand::Revoke { file, key } => {
            let route = format!("/management-keys/{}", escaped(&key));
            let _: serde_json::Value = control::ask(&file.config, Method::DELETE, &route, &())?;
            print::line(&format!("revoked {key}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
