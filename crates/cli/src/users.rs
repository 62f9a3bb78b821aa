//! `tollgate users`: who keys are made for.

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;
use gateway::http::control::ListedUser;
use http::Method;

use crate::control::escaped;
use crate::{ConfigFile, control, print};

#[derive(Subcommand)]
pub(crate) enum UsersCommand {
    /// Add a user.
    ///
    /// Keys can be made for them from now on, beside a running server too, and workspaces can have
    /// them as a member. Of the default workspace every user is one.
    Add {
        #[command(flatten)]
        file: ConfigFile,
        /// What a key's `creator_user_id` says; no other user has it.
        #[arg(long)]
        id: String,
        /// Where they are written to; no other user has it.
        #[arg(long)]
        email: String,
        /// Their first name.
        #[arg(long)]
        first_name: Option<String>,
        /// Their last name.
        #[arg(long)]
        last_name: Option<String>,
        /// An administrator: `org:admin` in the API, else `org:member`.
        #[arg(long)]
        admin: bool,
    },
    /// List the users: the operator, those in the configuration, and those who were added.
    ///
    /// In the order in which `GET /organization/members` has them.
    List {
        #[command(flatten)]
        file: ConfigFile,
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a user who was added, from every workspace too.
    ///
    /// One who owns live keys stays: delete the keys first. One in the configuration is removed
    /// there.
    Remove {
        #[command(flatten)]
        file: ConfigFile,
        /// Their id, as `tollgate users list` shows it.
        user: String,
    },
}

pub(crate) fn run(command: UsersCommand) -> Result<ExitCode> {
    match command {
        UsersCommand::Add { file, id, email, first_name, last_name, admin } => {
            let wanted = serde_json::json!({
                "id": id,
                "email": email,
                "first_name": first_name,
                "last_name": last_name,
                "role": if admin { "org:admin" } else { "org:member" },
            });
            let _: ListedUser = control::ask(&file.config, Method::POST, "/users", &wanted)?;
            print::line(&format!("added {id}"));
        }
        UsersCommand::List { file, json } => {
            let users: Vec<ListedUser> = control::ask(&file.config, Method::GET, "/users", &())?;
            if json {
                print::line(&serde_json::to_string_pretty(&users)?);
                return Ok(ExitCode::SUCCESS);
            }
            let rows: Vec<Vec<String>> = users
                .into_iter()
                .map(|user| {
                    let names = [user.first_name, user.last_name].into_iter().flatten();
                    let name = names.collect::<Vec<_>>().join(" ");
                    vec![user.id, user.email, name, user.role, user.origin]
                })
                .collect();
            print::table(&["ID", "EMAIL", "NAME", "ROLE", "FROM"], &rows);
        }
        UsersCommand::Remove { file, user } => {
            let route = format!("/users/{}", escaped(&user));
            let _: serde_json::Value = control::ask(&file.config, Method::DELETE, &route, &())?;
            print::line(&format!("removed {user}"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
