//! A file that is there whole or not at all: written in a folder of its own beside its place, synced,
//! and moved there. It is for its owner alone.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use tempfile::{TempDir, TempPath};

/// A file on its way to its place.
pub(crate) struct NewFile {
    place: PathBuf,
    is_forced: bool,
    folder: PathBuf,
    /// Goes away with all that is in it.
    workshop: TempDir,
}

impl NewFile {
    /// Prepares a file at `place`, where none may be unless it is forced. Neither the book nor a
    /// file beside it is ever written over.
    pub(crate) fn create(place: &Path, is_forced: bool, book: &Path) -> Result<NewFile> {
        let folder = match place.parent() {
            Some(folder) if folder != Path::new("") => folder,
            _ => Path::new("."),
        };
        if place.is_dir() || place.file_name().is_none() {
            bail!("{} is a folder; name the file to write", place.display());
        }
        if !folder.is_dir() {
            bail!("there is no folder {} to write in; make it first", folder.display());
        }
        if place.exists() && !is_forced {
            bail!("{} is there already; `--force` writes over it", place.display());
        }
        for ending in ["", "-wal", "-shm", ".lock", ".holds", ".sock"] {
            let mut own = book.as_os_str().to_owned();
            own.push(ending);
            if is_same(place, Path::new(&own)) {
                bail!("{} belongs to the book itself; name another file", place.display());
            }
        }
        let workshop = tempfile::Builder::new()
            .prefix(".tollgate-")
            .tempdir_in(folder)
            .with_context(|| format!("can't write in {}", folder.display()))?;
        let (place, folder) = (place.to_owned(), folder.to_owned());
        Ok(NewFile { place, is_forced, folder, workshop })
    }

    /// Where it is written; what is made beside it is thrown away.
    pub(crate) fn path(&self) -> PathBuf {
        self.workshop.path().join("file")
    }

    /// The file, empty.
    pub(crate) fn open(&self) -> Result<File> {
        let mut options = File::options();
        options.write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let path = self.path();
        options.open(&path).with_context(|| format!("can't write {}", path.display()))
    }

    /// Puts it in its place, durably.
    pub(crate) fn keep(self) -> Result<()> {
        let failed = || format!("can't write {}", self.place.display());
        File::open(self.path()).and_then(|file| file.sync_all()).with_context(failed)?;
        let written = TempPath::try_from_path(self.path()).with_context(failed)?;
        if self.is_forced {
            written.persist(&self.place).map_err(|error| error.error).with_context(failed)?;
        } else {
            written.persist_noclobber(&self.place).map_err(|error| error.error).with_context(
                || match self.place.exists() {
                    true => format!("{} has appeared meanwhile", self.place.display()),
                    false => failed(),
                },
            )?;
        }
        File::open(&self.folder).and_then(|folder| folder.sync_all()).with_context(failed)
    }
}

/// Whether both names are of one file, or of one place for a file.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| match path.canonicalize() {
        Ok(path) => Some(path),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| *folder != Path::new(""));
            let folder = folder.unwrap_or(Path::new(".")).canonicalize().ok()?;
            Some(folder.join(path.file_name()?))
        }
        Err(_) => None,
    };
    let file = |path: &Path| {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::metadata(path).map(|file| (file.dev(), file.ino())).ok()
    };
    let same_place = place(one).is_some_and(|one| place(other) == Some(one));
    same_place || file(one).is_some_and(|one| file(other) == Some(one))
}
