//! `~/.config/tollgate/config.toml`: servers by name, and where the key of each is kept.
//!
//! A key itself never stands in it: one that does is refused, and no message shows it.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use toml_edit::{Array, DocumentMut, Item, Table, Value, value};

use super::source::Source;

/// Characters of a profile's name at most.
const NAME_CHARS_MAX: usize = 64;
/// Where it lies in the folder of configurations.
const PLACE: &str = "tollgate/config.toml";
/// What a key in the file might be called; none of them is a setting.
const KEY_WORDS: [&str; 7] =
    ["key", "api_key", "apikey", "token", "secret", "password", "management_key"];
/// How the text of a key begins, of OpenRouter and of most providers.
const KEY_START: &str = "sk-";

/// The profiles there are, and the file as it was written.
pub(crate) struct Profiles {
    path: PathBuf,
    document: DocumentMut,
    contents: Contents,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Contents {
    /// The profile that is used where none is named.
    current: Option<String>,
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

/// One server.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The address of its API.
    pub(crate) url: String,
    /// The model that `chat` asks where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_command: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_env: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_keyring: Option<bool>,
}

impl Profile {
    pub(crate) fn new(url: String, model: Option<String>, source: Option<Source>) -> Profile {
        let mut profile = Profile {
            url,
            model,
            key_command: None,
            key_env: None,
            key_file: None,
            key_keyring: None,
        };
        match source {
            None => {}
            Some(Source::Command(words)) => profile.key_command = Some(words),
            Some(Source::Variable(name)) => profile.key_env = Some(name),
            Some(Source::File(path)) => profile.key_file = Some(path),
            Some(Source::Keyring) => profile.key_keyring = Some(true),
        }
        profile
    }

    /// Where its key is kept, if it says.
    pub(crate) fn source(&self) -> Option<Source> {
        let command = self.key_command.clone().map(Source::Command);
        let variable = self.key_env.clone().map(Source::Variable);
        let file = self.key_file.clone().map(Source::File);
        let keyring = (self.key_keyring == Some(true)).then_some(Source::Keyring);
        command.or(variable).or(file).or(keyring)
    }

    fn check(&self, name: &str) -> Result<()> {
        let of = format!("profile \"{name}\"");
        checked_url(&self.url).map_err(|wrong| anyhow!("{of}: `url` {wrong}"))?;
        let named = [
            self.key_command.is_some(),
            self.key_env.is_some(),
            self.key_file.is_some(),
            self.key_keyring == Some(true),
        ];
        if named.iter().filter(|named| **named).count() > 1 {
            bail!(
                "{of} says in several ways where its key is; leave one of `key_command`, \
                 `key_env`, `key_file` and `key_keyring`"
            );
        }
        if self.key_command.as_ref().is_some_and(Vec::is_empty) {
            bail!(
                "{of}: `key_command` is empty; name a program, as [\"pass\", \"show\", \"ENTRY\"]"
            );
        }
        if self.key_env.as_ref().is_some_and(String::is_empty) {
            bail!("{of}: `key_env` is empty; name a variable");
        }
        Ok(())
    }
}

impl Profiles {
    /// Reads the file that the environment leads to; where there is none, there are no profiles.
    pub(crate) fn read(variables: &BTreeMap<String, String>) -> Result<Profiles> {
        let path = path(variables)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("can't read {}", path.display()));
            }
        };
        Profiles::parse(path.clone(), &text).with_context(|| path.display().to_string())
    }

    pub(super) fn parse(path: PathBuf, text: &str) -> Result<Profiles> {
        // What the reader shows of the file might be a key: only where and what is said.
        let document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| {
            anyhow!("line {}: {}", line(text, error.span()), error.message())
        })?;
        refuse_keys(document.as_table(), &mut Vec::new())?;
        let contents: Contents = toml_edit::de::from_str(text).map_err(|error| {
            let error: toml_edit::de::Error = error;
            anyhow!("line {}: {}", line(text, error.span()), error.message())
        })?;
        for (name, profile) in &contents.profiles {
            checked_name(name)?;
            profile.check(name)?;
        }
        Ok(Profiles { path, document, contents })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn current(&self) -> Option<&str> {
        self.contents.current.as_deref()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.contents.profiles.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Result<&Profile> {
        self.contents.profiles.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.names().collect();
            let there = match names.as_slice() {
                [] => "it has none".to_owned(),
                names => format!("it has {}", names.join(", ")),
            };
            anyhow!(
                "there is no profile \"{name}\" in {} ({there}); `tollgate profile add {name} \
                 --url URL` makes it",
                self.path.display()
            )
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.contents.profiles.contains_key(name)
    }

    /// Puts a profile in, in the place of one of that name; comments around it stay.
    pub(super) fn put(&mut self, name: &str, profile: &Profile) -> Result<()> {
        let mut table = Table::new();
        table.insert("url", value(&profile.url));
        if let Some(model) = &profile.model {
            table.insert("model", value(model));
        }
        match profile.source() {
            None => {}
            Some(Source::Command(words)) => {
                table.insert("key_command", value(words.iter().collect::<Array>()));
            }
            Some(Source::Variable(variable)) => {
                table.insert("key_env", value(variable));
            }
            Some(Source::File(file)) => {
                let file = file.to_str().context("the name of the key's file must be UTF-8")?;
                table.insert("key_file", value(file));
            }
            Some(Source::Keyring) => {
                table.insert("key_keyring", value(true));
            }
        }
        let mut none = Table::new();
        none.set_implicit(true);
        let profiles = self.document.entry("profiles").or_insert(Item::Table(none));
        let profiles = profiles.as_table_mut().context("`profiles` must be a table")?;
        profiles.insert(name, Item::Table(table));
        self.again()
    }

    pub(super) fn set_current(&mut self, name: Option<&str>) -> Result<()> {
        match name {
            Some(name) => self.document.insert("current", value(name)),
            None => self.document.remove("current"),
        };
        self.again()
    }

    pub(super) fn remove(&mut self, name: &str) -> Result<()> {
        self.get(name)?;
        if let Some(profiles) = self.document.get_mut("profiles").and_then(Item::as_table_mut) {
            profiles.remove(name);
        }
        if self.current() == Some(name) {
            self.document.remove("current");
        }
        self.again()
    }

    /// Reads what was just made of the document, by the rules for every file.
    fn again(&mut self) -> Result<()> {
        let text = self.document.to_string();
        *self = Profiles::parse(self.path.clone(), &text)?;
        Ok(())
    }

    /// Writes the file for its owner alone: whole, or not at all.
    pub(super) fn save(&self) -> Result<()> {
        // A file that is elsewhere, behind a link, stays there.
        let place = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let folder = place.parent().context("a file in a folder")?;
        let failed = || format!("can't write {}", self.path.display());
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
        file.write_all(self.document.to_string().as_bytes()).with_context(failed)?;
        file.as_file()
            .set_permissions(std::fs::Permissions::from_mode(0o600))
            .with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        file.persist(&place).map_err(|error| error.error).with_context(failed)?;
        Ok(())
    }
}

/// Where the file is.
fn path(variables: &BTreeMap<String, String>) -> Result<PathBuf> {
    let folder = |name: &str| variables.get(name).map(PathBuf::from).filter(|at| at.is_absolute());
    let configurations = folder("XDG_CONFIG_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".config")))
        .context(
            "neither XDG_CONFIG_HOME nor HOME says where profiles are kept; set one of them",
        )?;
    Ok(configurations.join(PLACE))
}

/// The line that a part of a text begins on.
fn line(text: &str, span: Option<std::ops::Range<usize>>) -> usize {
    let start = span.map_or(0, |span| span.start);
    text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1
}

/// Refuses what looks like the text of a key, wherever it stands.
fn refuse_keys(table: &dyn toml_edit::TableLike, names: &mut Vec<String>) -> Result<()> {
    for (name, item) in table.iter() {
        names.push(name.to_owned());
        let is_key_named = KEY_WORDS.contains(&name) && item.is_str();
        if is_key_named || item.as_value().is_some_and(holds_key) {
            bail!(
                "`{}` is the text of a key, and none is kept in this file. Put it into a password \
                 manager, the keyring, a file of its own or a variable, and say here where it is: \
                 key_command = [\"pass\", \"show\", \"tollgate\"], key_keyring = true, key_file = \
                 \"FILE\" or key_env = \"VARIABLE\". Who could read this file has seen the key: \
                 make another",
                names.join(".")
            );
        }
        if let Some(inner) = item.as_table_like() {
            refuse_keys(inner, names)?;
        }
        names.pop();
    }
    Ok(())
}

fn holds_key(value: &Value) -> bool {
    match value {
        Value::String(text) => text.value().starts_with(KEY_START),
        Value::Array(values) => values.iter().any(holds_key),
        _ => false,
    }
}

/// What a profile may be called.
pub(super) fn checked_name(name: &str) -> Result<String> {
    let fits = (1..=NAME_CHARS_MAX).contains(&name.len());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !(fits && name.bytes().all(plain) && !name.starts_with('-')) {
        bail!(
            "a profile's name is 1 to {NAME_CHARS_MAX} letters, digits, `-`, `_` and `.`, and not \
             {name:?}"
        );
    }
    Ok(name.to_owned())
}

/// An address in the form in which it is kept: with the path of the API, without a slash at its end.
pub(crate) fn checked_url(text: &str) -> Result<String, String> {
    let wrong = |why: &str| format!("{why}; it looks like https://tollgate.example.com/api/v1");
    let address: http::Uri = text.parse().map_err(|_| wrong("is no address"))?;
    let (Some(scheme), Some(authority)) = (address.scheme_str(), address.authority()) else {
        return Err(wrong("is no whole address, with `https://` or `http://`"));
    };
    if !matches!(scheme, "http" | "https") {
        return Err(wrong("must begin with `https://` or `http://`"));
    }
    if authority.as_str().contains('@') {
        return Err(wrong("has a user or a password in it, which it must not"));
    }
    if address.query().is_some() {
        return Err(wrong("has a query in it, which it must not"));
    }
    let path = match address.path().trim_end_matches('/') {
        "" => "/api/v1",
        path => path,
    };
    Ok(format!("{scheme}://{authority}{path}"))
}

#[cfg(test)]
mod tests;
