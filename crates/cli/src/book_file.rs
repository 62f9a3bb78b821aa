//! Which book a command reads: the one that the configuration names, or a file by itself.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use gateway::config::StoreConfig;
use store_sqlite::SqliteStore;

use crate::ConfigFile;
use crate::setup::Setup;

#[derive(clap::Args, Clone)]
pub(crate) struct BookFile {
    #[command(flatten)]
    file: ConfigFile,
    /// Read this book, such as a backup, and no configuration: `sqlite:FILE`.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
}

impl BookFile {
    /// Where it is.
    pub(crate) fn path(&self) -> Result<PathBuf> {
        match &self.store {
            Some(url) => {
                let store = StoreConfig { url: url.clone(), ..StoreConfig::default() };
                let path = store.sqlite_path(Path::new(""));
                path.map_err(|_| anyhow!("`--store` must be `sqlite:FILE`, and not `{url}`"))
            }
            None => Setup::read(&self.file.config)?.database(),
        }
    }

    /// Opens it to read, beside a server that writes to it or alone.
    pub(crate) fn open(&self) -> Result<SqliteStore> {
        Ok(SqliteStore::open_to_read(self.path()?)?)
    }
}
