//! `tollgate profile`: servers by name, and where the key of each is kept.

mod check;
mod file;
mod source;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;

pub(crate) use file::{Profile, Profiles, checked_url};
pub(crate) use source::{Source, checked as checked_key, output as secret_output};

use crate::{print, setup};

#[derive(Subcommand)]
pub(crate) enum ProfileCommand {
    /// Keep a server under a name, with where its key is.
    ///
    /// The first one becomes the current one, which is asked where no other is named. The file,
    /// ~/.config/tollgate/config.toml or the same below XDG_CONFIG_HOME, is for its owner alone, and
    /// never has a key in it. With `--key-keyring`, the keyring's own program asks for the key, or
    /// reads it from stdin.
    Add(AddArguments),
    /// List the profiles, the current one marked.
    ///
    /// With the address of each, and where its key is from. The keys themselves are not looked at.
    List {
        /// Print them as JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make a profile the current one.
    ///
    /// It is asked from now on, unless `--profile`, TOLLGATE_PROFILE, `--url` or TOLLGATE_URL names
    /// another server.
    Use {
        /// The profile's name.
        name: String,
    },
    /// Remove a profile.
    ///
    /// Nothing is done to the server or to the key, which stays where it is kept.
    Remove {
        /// The profile's name.
        name: String,
    },
    /// Ask the server of a profile whether it takes the key, and what kind of key it is.
    ///
    /// Without a name, whichever server is asked where nothing names one.
    Check {
        /// The profile's name.
        name: Option<String>,
        /// Print what was found as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Args)]
pub(crate) struct AddArguments {
    /// The name: letters, digits, `-`, `_` and `.`.
    name: String,
    /// The address of the server's API, such as https://tollgate.example.com/api/v1.
    #[arg(long, value_parser = checked_url)]
    url: String,
    /// The model that `chat` asks where none is named.
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The key is in this variable whenever it is needed.
    #[arg(long, value_name = "VARIABLE", group = "key")]
    key_env: Option<String>,
    /// The key is in this file; `~` is the home folder.
    #[arg(long, value_name = "FILE", group = "key")]
    key_file: Option<PathBuf>,
    /// The key is in the keyring of the operating system.
    #[arg(long, group = "key")]
    key_keyring: bool,
    /// A program prints the key: the last option, all that follows is the program's.
    #[arg(long, value_name = "PROGRAM", group = "key", num_args = 1.., allow_hyphen_values = true)]
    key_command: Option<Vec<String>>,
    /// Make it the current one.
    #[arg(long = "use")]
    is_current: bool,
    /// Put it in the place of one of that name.
    #[arg(long)]
    force: bool,
}

impl AddArguments {
    fn source(&self) -> Option<Source> {
        let command = self.key_command.clone().map(Source::Command);
        let variable = self.key_env.clone().map(Source::Variable);
        let file = self.key_file.clone().map(Source::File);
        command.or(variable).or(file).or(self.key_keyring.then_some(Source::Keyring))
    }
}

pub(crate) fn run(command: ProfileCommand) -> Result<ExitCode> {
    let mut profiles = Profiles::read(&setup::environment())?;
    match command {
        ProfileCommand::Add(arguments) => add(&mut profiles, &arguments)?,
        ProfileCommand::List { json } => list(&profiles, json)?,
        ProfileCommand::Use { name } => {
            let url = profiles.get(&name)?.url.clone();
            profiles.set_current(Some(&name))?;
            profiles.save()?;
            print::line(&format!("the current profile is {name} ({url})"));
        }
        ProfileCommand::Remove { name } => remove(&mut profiles, &name)?,
        ProfileCommand::Check { name, json } => check::check(name, json)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn add(profiles: &mut Profiles, arguments: &AddArguments) -> Result<()> {
    let name = file::checked_name(&arguments.name)?;
    if profiles.has(&name) && !arguments.force {
        bail!(
            "there is a profile \"{name}\" already; `--force` puts this one in its place, `tollgate \
             profile remove {name}` removes it"
        );
    }
    let source = arguments.source();
    let profile = Profile::new(arguments.url.clone(), arguments.model.clone(), source.clone());
    profiles.put(&name, &profile)?;
    if arguments.is_current || profiles.names().count() == 1 {
        profiles.set_current(Some(&name))?;
    }
    if source == Some(Source::Keyring) {
        source::store_in_keyring(&name)?;
    }
    profiles.save()?;
    let key = source.map_or("key from TOLLGATE_API_KEY".to_owned(), |it| format!("key from {it}"));
    print::line(&format!("added {name}: {} ({key})", profile.url));
    if profiles.current() == Some(&name) {
        print::line("it is the current profile");
    }
    Ok(())
}

/// A profile as it is listed.
#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    is_current: bool,
    #[serde(flatten)]
    profile: &'a Profile,
}

fn list(profiles: &Profiles, json: bool) -> Result<()> {
    let mut listed = Vec::new();
    for name in profiles.names() {
        let is_current = profiles.current() == Some(name);
        listed.push(Listed { name, is_current, profile: profiles.get(name)? });
    }
    if json {
        print::line(&serde_json::to_string_pretty(&listed)?);
        return Ok(());
    }
    if listed.is_empty() {
        let path = profiles.path().display();
        print::error(&format!(
            "there are no profiles in {path}; `tollgate profile add NAME --url URL --key-env \
             VARIABLE` makes one"
        ));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = listed
        .iter()
        .map(|row| {
            let mark = if row.is_current { "*" } else { "" };
            let key =
                row.profile.source().map_or("TOLLGATE_API_KEY".to_owned(), |it| it.to_string());
            vec![mark.to_owned(), row.name.to_owned(), row.profile.url.clone(), key]
        })
        .collect();
    print::table(&["", "NAME", "URL", "KEY"], &rows);
    Ok(())
}

fn remove(profiles: &mut Profiles, name: &str) -> Result<()> {
    let source = profiles.get(name)?.source();
    profiles.remove(name)?;
    profiles.save()?;
    print::line(&format!("removed {name}"));
    if source == Some(Source::Keyring) {
        let forget = source::keyring_words(source::Keyring::Forget, name).join(" ");
        print::line(&format!("its key stays in the keyring; `{forget}` removes it"));
    }
    if profiles.current().is_none() && profiles.names().next().is_some() {
        print::line("there is no current profile now; `tollgate profile use NAME` makes one it");
    }
    Ok(())
}
