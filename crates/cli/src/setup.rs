//! From a configuration file to an open gateway: the files beside the store, and what reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use gateway::config::{self, Config, Loaded};
use gateway::core::{Core, Parts};
use store_sqlite::SqliteStore;
use toml::Value;

use crate::real::{SystemClock, SystemEntropy};
use crate::secrets;

/// A configuration, and where its relative file names start.
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) folder: PathBuf,
    pub(crate) warnings: Vec<String>,
    /// The endpoints at the built-in list prices, each as its model's id and its place there.
    pub(crate) list_priced: BTreeSet<(String, usize)>,
    /// Every setting but those of providers and models, as it stands.
    pub(crate) settings: BTreeMap<String, Value>,
}

/// The variables that a configuration may be made of. One that is not UTF-8 is none of ours.
pub(crate) fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

impl Setup {
    /// Reads the configuration at `path` and the environment.
    pub(crate) fn read(path: &Path) -> Result<Setup> {
        let loaded =
            config::read(path, &environment()).with_context(|| format!("{}", path.display()))?;
        Ok(Setup::of(loaded, path))
    }

    /// What was read at `path`.
    pub(crate) fn of(loaded: Loaded, path: &Path) -> Setup {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        let Loaded { mut config, warnings, list_priced, settings } = loaded;
        let folder = folder.unwrap_or(Path::new(".")).to_owned();
        config.egress.ca_file = config.egress.ca_file.map(|file| folder.join(file));
        config.secrets.key_file = config.secrets.key_file.map(|file| folder.join(file));
        Setup { config, folder, warnings, list_priced, settings }
    }

    /// The store's file.
    pub(crate) fn database(&self) -> Result<PathBuf> {
        Ok(self.config.store.sqlite_path(&self.folder)?)
    }

    /// A file beside the store's, of the same name with an ending.
    pub(crate) fn beside(&self, ending: &str) -> Result<PathBuf> {
        let mut name = self.database()?.into_os_string();
        name.push(ending);
        Ok(name.into())
    }

    /// Opens the gateway: takes the store's lock and settles what an earlier process left.
    pub(crate) fn open(&self) -> Result<Arc<Core>> {
        let path = self.database()?;
        let store = SqliteStore::open(&path)?;
        if let Some(aside) = store.foreign_log() {
            tracing::warn!(
                aside = %aside.display(),
                "a backup is in the place of a book whose log lay beside it; the log was set aside"
            );
        }
        let master_key = secrets::master_key(self, &store)?;
        Core::open(Parts {
            config: self.config.clone(),
            folder: self.folder.clone(),
            store: Arc::new(store),
            journal: self.beside(".holds")?,
            master_key,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            on_broken: Arc::new(|error| {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "the store can't be trusted any more; the process ends, and the next start \
                     recovers from what is on disk"
                );
                std::process::exit(1);
            }),
        })
        .with_context(|| format!("can't open {}", path.display()))
    }
}
