//! The files a store is made of: found, made for their owner alone, and locked.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// The one name of the store's file, which need not be there: two names of it lock the same.
pub(crate) fn resolve(path: &Path) -> Result<PathBuf, OpenError> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => Ok(folder.join(name)),
        _ => Err(OpenError::NoFolder(folder.to_owned())),
    }
}

/// How to open a file for writing so that, where it is made, only its owner reads it.
pub(crate) fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the store's file where there is none, and finds out whether it may be written.
pub(crate) fn create(path: &Path) -> Result<(), OpenError> {
    let opened = private().create(true).truncate(false).open(path);
    opened.map(drop).map_err(|source| OpenError::File { path: path.to_owned(), source })
}

/// Syncs a new file and the folder's entry for it.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether the log beside the book at `path` is another's.
///
/// A backup says in its header that it keeps no log; a book that does says so before it has one. So
/// a log beside a file that keeps none is that of a book which a backup was put in the place of, and
/// SQLite would read it into the backup.
pub(crate) fn has_foreign_log(path: &Path) -> io::Result<bool> {
    const WRITE_VERSION_AT: usize = 18;
    const KEEPS_NO_LOG: u8 = 1;
    let mut header = [0; WRITE_VERSION_AT + 1];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) => {}
        // What is not there, or has no header yet, has not been written to.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof) =>
        {
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    let log = beside(path, "-wal");
    Ok(header[WRITE_VERSION_AT] == KEEPS_NO_LOG && log.metadata().is_ok_and(|log| log.len() > 0))
}

/// Sets a log that is another book's aside, and says where it is now.
pub(crate) fn set_foreign_log_aside(path: &Path) -> Result<Option<PathBuf>, OpenError> {
    let failed = |source| OpenError::File { path: beside(path, "-wal"), source };
    if !has_foreign_log(path).map_err(failed)? {
        return Ok(None);
    }
    let aside = free_name(path, ".replaced-wal");
    fs::rename(beside(path, "-wal"), &aside).map_err(failed)?;
    match fs::remove_file(beside(path, "-shm")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
        _ => Ok(Some(aside)),
    }
}

/// A name beside the book, with that ending, that no file has.
pub(crate) fn free_name(path: &Path, ending: &str) -> PathBuf {
    let names = (2_u32..).map(|number| beside(path, &format!("{ending}-{number}")));
    let mut free = std::iter::once(beside(path, ending)).chain(names).filter(|name| !name.exists());
    free.next().unwrap_or_else(|| beside(path, ending))
}

/// The right to write to a store, held until it is dropped or the process ends, however it ends.
///
/// A file of its own, beside the store's: SQLite's locks come and go, and closing any handle on the
/// store's file would drop them.
#[derive(Debug)]
pub(crate) struct Lock(#[expect(dead_code, reason = "open as long as the lock is held")] File);

impl Lock {
    /// Takes the lock of the store at `path`, or says who has it.
    pub(crate) fn take(path: &Path) -> Result<Lock, OpenError> {
        let name = beside(path, ".lock");
        let failed = |source| OpenError::File { path: name.clone(), source };

        let mut file = private().create(true).truncate(false).open(&name).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(path, &mut file)),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        note(&mut file).map_err(failed)?;
        Ok(Lock(file))
    }
}

/// Refuses a store that another process has locked. Makes nothing: where no server ever ran there
/// is no lock.
pub(crate) fn ensure_unlocked(path: &Path) -> Result<(), OpenError> {
    let Ok(mut file) = File::open(beside(path, ".lock")) else { return Ok(()) };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(in_use(path, &mut file)),
        _ => Ok(()),
    }
}

/// The store is locked by the process that `lock` names.
fn in_use(path: &Path, lock: &mut File) -> OpenError {
    let mut text = String::new();
    let read = lock.take(32).read_to_string(&mut text);
    let process = read.ok().and_then(|_| text.trim().parse().ok());
    OpenError::InUse { path: path.to_owned(), process }
}

/// A file beside the store's, of the same name with an ending.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}
