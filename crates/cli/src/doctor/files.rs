//! Who may read the book and the configuration, and whose they are.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Result;

use super::{Check, folder_of};
use crate::setup::Setup;

const NAME: &str = "permissions";
/// What is beside the book.
const ENDINGS: [&str; 6] = ["", "-wal", "-shm", ".lock", ".holds", ".sock"];

/// The permissions of all files of an installation.
pub(super) fn permissions(config: &Path, setup: &Setup, warnings: &[String]) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    for ending in ENDINGS {
        let path = setup.beside(ending)?;
        if let Ok(file) = path.metadata() {
            checks.extend(book_file(&path, file.permissions().mode()));
        }
    }
    let database = setup.database()?;
    if let Ok(file) = database.metadata() {
        checks.extend(owner(&database, file.uid(), rustix::process::geteuid().as_raw()));
    }
    let folder = folder_of(&database);
    if let Ok(found) = folder.metadata() {
        checks.extend(book_folder(folder, found.permissions().mode()));
    }
    let has_secrets = warnings.iter().any(|warning| warning.contains("is written out in the file"));
    if let Ok(file) = config.metadata() {
        checks.extend(config_file(config, file.permissions().mode(), has_secrets));
    }
    if checks.is_empty() {
        checks.push(Check::fine(NAME, "the book is its owner's alone"));
    }
    Ok(checks)
}

fn book_file(path: &Path, mode: u32) -> Option<Check> {
    (mode & 0o077 != 0).then(|| {
        Check::problem(
            NAME,
            format!("{} may be opened by others (mode {:o})", path.display(), mode & 0o777),
            format!("chmod 600 {}", path.display()),
        )
    })
}

fn book_folder(folder: &Path, mode: u32) -> Option<Check> {
    let is_open = mode & 0o002 != 0 && mode & 0o1000 == 0;
    is_open.then(|| {
        Check::problem(
            NAME,
            format!("anyone may put files in {}, beside the book", folder.display()),
            format!("chmod o-w {}", folder.display()),
        )
    })
}

/// Whoever is not its owner, root above all, leaves files that the server can't open.
fn owner(book: &Path, owner: u32, user: u32) -> Option<Check> {
    (owner != user).then(|| {
        Check::warning(
            NAME,
            format!("{} is user {owner}'s, and this is user {user}", book.display()),
            "run commands as the user that serves: what another makes, it may not open",
        )
    })
}

fn config_file(path: &Path, mode: u32, has_secrets: bool) -> Option<Check> {
    (has_secrets && mode & 0o044 != 0).then(|| {
        Check::problem(
            NAME,
            format!("{} has a credential in it, and others may read it", path.display()),
            format!("`${{NAME}}` in its place, or chmod 600 {}", path.display()),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_open_is_named_with_what_to_do() {
        let path = Path::new("tollgate.db");
        assert_eq!(book_file(path, 0o100_600), None);
        let check = book_file(path, 0o100_640).unwrap();
        assert_eq!(check.found, "tollgate.db may be opened by others (mode 640)");
        assert_eq!(check.advice.as_deref(), Some("chmod 600 tollgate.db"));
        assert!(book_folder(path, 0o40_777).is_some());
        assert_eq!(book_folder(path, 0o41_777), None);
        assert_eq!(book_folder(path, 0o40_755), None);
        assert_eq!((owner(path, 7, 7), owner(path, 7, 0).is_some()), (None, true));
        assert!(config_file(path, 0o644, true).is_some());
        assert_eq!(config_file(path, 0o600, true), None);
        assert_eq!(config_file(path, 0o644, false), None);
    }
}
