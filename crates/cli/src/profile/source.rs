//! Where the text of a key is kept, and how it is had from there: never from the arguments.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// Bytes that a source may give at most; a key has some seventy.
const KEY_BYTES_MAX: u64 = 4096;
/// What the keyring knows Tollgate's keys by.
const SERVICE: &str = "tollgate";

/// Where a key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A program prints it.
    Command(Vec<String>),
    /// A variable of the environment.
    Variable(String),
    /// A file of its own.
    File(PathBuf),
    /// The keyring of the operating system, under the profile's name.
    Keyring,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Command(words) => write!(f, "command `{}`", words.join(" ")),
            Source::Variable(name) => write!(f, "variable {name}"),
            Source::File(path) => write!(f, "file {}", path.display()),
            Source::Keyring => f.write_str("keyring"),
        }
    }
}

impl Source {
    /// The key's text, for the profile of that name; `home` is what `~` stands for.
    pub(crate) fn read(
        &self,
        profile: &str,
        variable: impl Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<String> {
        let text = match self {
            Source::Command(words) => output(words),
            Source::Variable(name) => {
                variable(name).with_context(|| format!("variable {name} is not set; set it"))
            }
            Source::File(path) => file(&at_home(path, home)),
            Source::Keyring => output(&keyring_words(Keyring::Look, profile)).with_context(|| {
                format!(
                    "the keyring has no key of profile \"{profile}\", or it can't be asked; \
                     `tollgate profile add {profile} --force --url URL --key-keyring` puts one there"
                )
            }),
        };
        let from = || format!("profile \"{profile}\": no key from {self}");
        text.and_then(|text| checked(&text)).with_context(from)
    }
}

/// What is asked of the keyring.
#[derive(Clone, Copy)]
pub(super) enum Keyring {
    Look,
    Store,
    Forget,
}

/// The platform's own program for its keyring: it asks for the key where it stores one, so that the
/// key is in no arguments.
pub(super) fn keyring_words(what: Keyring, profile: &str) -> Vec<String> {
    let words: &[&str] = match (cfg!(target_os = "macos"), what) {
        (true, Keyring::Look) => {
            &["security", "find-generic-password", "-w", "-s", SERVICE, "-a", profile]
        }
        (true, Keyring::Store) => {
            &["security", "add-generic-password", "-U", "-s", SERVICE, "-a", profile, "-w"]
        }
        (true, Keyring::Forget) => {
            &["security", "delete-generic-password", "-s", SERVICE, "-a", profile]
        }
        (false, Keyring::Look) => {
            &["secret-tool", "lookup", "service", SERVICE, "profile", profile]
        }
        (false, Keyring::Store) => {
            &["secret-tool", "store", "--label", "Tollgate", "service", SERVICE, "profile", profile]
        }
        (false, Keyring::Forget) => {
            &["secret-tool", "clear", "service", SERVICE, "profile", profile]
        }
    };
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Has the keyring ask for a key and keep it.
pub(super) fn store_in_keyring(profile: &str) -> Result<()> {
    let words = keyring_words(Keyring::Store, profile);
    let (program, rest) = words.split_first().context("a program")?;
    let status = Command::new(program).args(rest).status().with_context(|| missing(program))?;
    if !status.success() {
        bail!("`{program}` kept no key: it ended with {status}");
    }
    Ok(())
}

/// What a program prints; it may ask a person something meanwhile.
pub(crate) fn output(words: &[String]) -> Result<String> {
    let (program, rest) = words.split_first().context("a program")?;
    let mut child = Command::new(program)
        .args(rest)
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| missing(program))?;
    let printed = child.stdout.take().context("its output")?;
    let mut bytes = Vec::new();
    printed.take(KEY_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let status = child.wait()?;
    if !status.success() {
        bail!("`{program}` ended with {status}");
    }
    text(bytes).with_context(|| format!("what `{program}` prints"))
}

fn missing(program: &str) -> String {
    match program {
        "secret-tool" => {
            "`secret-tool` can't be run; install it (Debian: libsecret-tools) or keep the key \
             elsewhere"
                .to_owned()
        }
        _ => format!("`{program}` can't be run"),
    }
}

/// What a small file holds.
pub(crate) fn file(path: &Path) -> Result<String> {
    let failed = || format!("can't read {}", path.display());
    let file = std::fs::File::open(path).with_context(failed)?;
    let mut bytes = Vec::new();
    file.take(KEY_BYTES_MAX + 1).read_to_end(&mut bytes).with_context(failed)?;
    text(bytes).with_context(|| format!("what {} holds", path.display()))
}

fn text(bytes: Vec<u8>) -> Result<String> {
    if bytes.len() as u64 > KEY_BYTES_MAX {
        bail!("is longer than {KEY_BYTES_MAX} bytes, and so no key");
    }
    String::from_utf8(bytes).ok().context("is no text")
}

/// The text of a key: one line, nothing around it.
pub(crate) fn checked(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        bail!("it is empty");
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("it is more than one word of plain characters, and so no key");
    }
    Ok(text.to_owned())
}

fn at_home(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}
