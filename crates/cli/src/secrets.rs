//! `tollgate secrets`: the master key, made, replaced, and what is done where it is lost.
//!
//! A rotation writes the new key beside the old one first, then the book, then puts the new file in
//! the old one's place: whenever it is cut short, one of the two files reads every credential, and
//! the next start or rotation finds out which.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use gateway::clock::Clock as _;
use gateway::http::control::{Rotated, Rotation};
use gateway::master_key::{MasterKey, MasterKeyId};
use http::Method;
use ledger::Day;
use store::{AuditRow, Change, CredentialRecord, Edit, Store as _};
use store_sqlite::SqliteStore;
use zeroize::Zeroizing;

use crate::new_file::NewFile;
use crate::real::{SystemClock, SystemEntropy};
use crate::setup::Setup;
use crate::{ConfigFile, control, print};

const MASTER_KEY: &str = "TOLLGATE_MASTER_KEY";
/// The file that is made where the configuration names none, beside it.
const DEFAULT_FILE: &str = "tollgate.key";
/// What is added to the name of a key that is on its way, and of one that was replaced.
const NEW: &str = ".new";
const REPLACED: &str = ".replaced-";
/// A file of more bytes is none of ours.
const FILE_BYTES_MAX: u64 = 4_096;

#[derive(Subcommand)]
pub(crate) enum SecretsCommand {
    /// Make a master key in a file for its owner alone.
    ///
    /// The file is `secrets.key_file`, or tollgate.key beside the configuration; one that is there
    /// is never written over. Keep a copy elsewhere: without it the credentials in the book, and in
    /// every backup of it, can't be read by anybody.
    Init {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Encrypt every credential under a new master key.
    ///
    /// In one transaction, by the running server where one runs; requests go on meanwhile. The new
    /// key takes the place of `secrets.key_file`, and the old one is kept beside it, since backups
    /// made before are encrypted under it. Cut short at any moment, it is finished by the next start
    /// or by running it again.
    Rotate {
        #[command(flatten)]
        file: ConfigFile,
    },
    /// Delete the credentials that the master key can't read, where theirs is lost.
    ///
    /// No server may be running. Without --yes it only says which. What is deleted must be brought
    /// anew by POST /byok; all else in the book stays.
    Discard {
        #[command(flatten)]
        file: ConfigFile,
        /// Delete them.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) fn run(command: SecretsCommand) -> Result<ExitCode> {
    match command {
        SecretsCommand::Init { file } => init(&file.config),
        SecretsCommand::Rotate { file } => rotate(&file.config),
        SecretsCommand::Discard { file, yes } => discard(&file.config, yes),
    }?;
    Ok(ExitCode::SUCCESS)
}

/// The master key that the setup names; none where it names none. A rotation that was cut short
/// after the book was written is finished first.
pub(crate) fn master_key(setup: &Setup, store: &SqliteStore) -> Result<Option<MasterKey>> {
    let Some(source) = Source::of(setup)? else { return Ok(None) };
    let Source::File(path) = &source else { return source.read().map(Some) };
    if let Some(new) = waiting(path)? {
        let kept = store.snapshot(Day::from_number(i32::MAX))?.credentials;
        if kept.first().and_then(|record| MasterKeyId::of(&record.encrypted)) == Some(new.id()) {
            put_in_place(path)?;
            tracing::info!(file = %path.display(), "a rotation of the master key was finished");
        } else {
            tracing::warn!(
                file = %beside(path, NEW).display(),
                "a rotation of the master key was cut short before it changed anything; run it again"
            );
        }
    }
    let mode = fs::metadata(path).map_or(0, |file| file.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others can read the master key; chmod 600 it");
    }
    source.read().map(Some)
}

/// Where the master key is.
pub(crate) enum Source {
    Variable(Zeroizing<String>),
    File(PathBuf),
}

impl Source {
    /// Where the setup says it is; an error where it says so twice.
    pub(crate) fn of(setup: &Setup) -> Result<Option<Source>> {
        let variable = std::env::var(MASTER_KEY).ok().filter(|text| !text.trim().is_empty());
        match (variable, &setup.config.secrets.key_file) {
            (Some(_), Some(_)) => bail!(
                "{MASTER_KEY} and the setting `secrets.key_file` are both there, and may differ; keep \
                 one of them"
            ),
            (Some(text), None) => Ok(Some(Source::Variable(Zeroizing::new(text)))),
            (None, Some(path)) => Ok(Some(Source::File(path.clone()))),
            (None, None) => Ok(None),
        }
    }

    /// The key itself.
    pub(crate) fn read(&self) -> Result<MasterKey> {
        match self {
            Source::Variable(text) => {
                MasterKey::parse(text).map_err(|problem| anyhow::anyhow!("{MASTER_KEY} {problem}"))
            }
            Source::File(path) => match read(path)? {
                Some(key) => Ok(key),
                None => bail!(
                    "setting `secrets.key_file`: there is no {}; `tollgate secrets init` makes one",
                    path.display()
                ),
            },
        }
    }
}

/// The key in a file; none where there is no file.
fn read(path: &Path) -> Result<Option<MasterKey>> {
    let failed = || format!("the master key {} can't be read", path.display());
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Ok(file) if file.len() > FILE_BYTES_MAX => {
            bail!("{} is no master key: it is too large", path.display())
        }
        found => found.with_context(failed)?,
    };
    let text = Zeroizing::new(fs::read_to_string(path).with_context(failed)?);
    let key = MasterKey::parse(&text);
    key.map(Some)
        .map_err(|problem| anyhow::anyhow!("the master key in {} {problem}", path.display()))
}

/// The key that a rotation has written and not yet put in its place.
pub(crate) fn waiting(path: &Path) -> Result<Option<MasterKey>> {
    read(&beside(path, NEW))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes a key to a file that is not there yet, durably.
fn write(setup: &Setup, path: &Path, key: &MasterKey) -> Result<()> {
    let new = NewFile::create(path, false, &setup.database()?)?;
    let mut file = new.open()?;
    let line = Zeroizing::new(format!("{}\n", key.to_text().as_str()));
    file.write_all(line.as_bytes()).with_context(|| format!("can't write {}", path.display()))?;
    drop(file);
    new.keep()
}

/// Puts the new key in the place of the old one, which is kept beside it; returns where.
fn put_in_place(path: &Path) -> Result<PathBuf> {
    let failed = || format!("can't replace {}", path.display());
    let old = read(path)?.with_context(failed)?;
    let aside = beside(path, &format!("{REPLACED}{}", old.id()));
    let copied = || fs::copy(path, &aside).and_then(|_| fs::File::open(&aside)?.sync_all());
    match fs::hard_link(path, &aside) {
        // By an attempt before this one. It may be the same file: a copy onto it would empty it.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        linked => linked.or_else(|_| copied()).with_context(failed)?,
    }
    fs::rename(beside(path, NEW), path).with_context(failed)?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = fs::File::open(folder.unwrap_or(Path::new("."))).with_context(failed)?;
    folder.sync_all().with_context(failed)?;
    Ok(aside)
}

fn init(config: &Path) -> Result<()> {
    let setup = Setup::read(config)?;
    let named = setup.config.secrets.key_file.clone();
    let path = named.clone().unwrap_or_else(|| setup.folder.join(DEFAULT_FILE));
    if path.exists() {
        bail!(
            "{} is there already, and a master key is never written over; `tollgate secrets rotate` \
             replaces it",
            path.display()
        );
    }
    let key = MasterKey::new(&SystemEntropy);
    write(&setup, &path, &key)?;
    print::line(&format!("wrote master key {} to {}", key.id(), path.display()));
    print::line("Keep a copy elsewhere: no credential can be read without it.");
    if named.is_none() {
        print::line(&format!("Name it in {}, and start again:", config.display()));
        print::line(&format!("\n[secrets]\nkey_file = \"{DEFAULT_FILE}\""));
    }
    Ok(())
}

fn rotate(config: &Path) -> Result<()> {
    let setup = Setup::read(config)?;
    let path = match Source::of(&setup)? {
        Some(Source::File(path)) => path,
        Some(Source::Variable(_)) => bail!(
            "the master key is in {MASTER_KEY}, which can't be changed from here: put it into a file \
             for its owner alone, name that as `secrets.key_file` instead, start again, and rotate"
        ),
        None => bail!("there is no master key yet; `tollgate secrets init` makes one"),
    };
    let old = Source::File(path.clone()).read()?;
    // One that an earlier rotation has left may be in force already.
    let new = match waiting(&path)? {
        Some(new) => new,
        None => {
            let new = MasterKey::new(&SystemEntropy);
            write(&setup, &beside(&path, NEW), &new)?;
            new
        }
    };
    let wanted =
        Rotation { from: old.id().to_string(), key: new.to_text().as_str().to_owned().into() };
    let rotated: Rotated = control::ask(config, Method::POST, "/secrets/rotate", &wanted)?;
    // Where no server runs, opening the book may have found the rotation made, and finished it.
    if beside(&path, NEW).exists() {
        put_in_place(&path)?;
    }
    print::line(&format!("master key {} is in {}", rotated.id, path.display()));
    print::line(&format!("credentials encrypted under it: {}", rotated.credentials));
    print::line(&format!(
        "The old one is {}; backups made before need it. Delete it with the last of them.",
        beside(&path, &format!("{REPLACED}{}", old.id())).display()
    ));
    Ok(())
}

fn discard(config: &Path, is_sure: bool) -> Result<()> {
    let setup = Setup::read(config)?;
    let database = setup.database()?;
    if !database.exists() {
        bail!("there is no store at {}", database.display());
    }
    let store = SqliteStore::open(&database)?;
    let key = master_key(&setup, &store)?;
    let kept = store.snapshot(Day::from_number(i32::MAX))?.credentials;
    let is_lost =
        |record: &CredentialRecord| key.as_ref().is_none_or(|key| key.decrypt(record).is_err());
    let lost: Vec<&CredentialRecord> = kept.iter().filter(|record| is_lost(record)).collect();
    if lost.is_empty() {
        print::line("every credential in the book can be read");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = lost.iter().map(|record| row(record)).collect();
    print::table(&["ID", "PROVIDER", "LABEL", "NAME", "MASTER KEY"], &rows);
    if !is_sure {
        bail!("{} of {} credentials can't be read; `--yes` deletes them", lost.len(), kept.len());
    }
    let now = SystemClock.now();
    let changes: Vec<Change> = lost.iter().map(|record| deletion(record, now)).collect();
    store.commit(&changes)?;
    print::line(&format!("deleted {} of {} credentials", lost.len(), kept.len()));
    Ok(())
}

fn row(record: &CredentialRecord) -> Vec<String> {
    let key = MasterKeyId::of(&record.encrypted);
    vec![
        record.id.to_string(),
        record.provider.clone(),
        record.label.clone(),
        record.name.clone().unwrap_or_default(),
        key.map_or_else(|| "unknown".to_owned(), |key| key.to_string()),
    ]
}

fn deletion(record: &CredentialRecord, now: jiff::Timestamp) -> Change {
    let audit = AuditRow {
        at: now,
        actor: "command line".to_owned(),
        action: "byok.discard".to_owned(),
        subject: record.id.to_string(),
        before: None,
        after: None,
    };
    Change::Edit(Box::new(Edit::DeleteCredential { id: record.id, at: now }), audit)
}
