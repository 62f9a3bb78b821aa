//! Whether the master key is there, for its owner alone, and reads what is in the book.

use std::os::unix::fs::PermissionsExt as _;

use gateway::credentials::Credentials;
use gateway::master_key::MasterKey;
use store::CredentialRecord;

use super::Check;
use crate::secrets::{Source, waiting};
use crate::setup::Setup;

const NAME: &str = "master key";

/// The checks of it; none where there is none and none is needed.
pub(super) fn master_key(setup: &Setup, credentials: &[CredentialRecord]) -> Vec<Check> {
    match Source::of(setup) {
        Err(error) => vec![Check::problem(NAME, format!("{error:#}"), "keep one of the two")],
        Ok(None) if credentials.is_empty() => Vec::new(),
        Ok(source) => {
            let mut checks = vec![reads(source.as_ref(), credentials)];
            checks.extend(source.as_ref().and_then(permissions));
            checks
        }
    }
}

fn reads(source: Option<&Source>, credentials: &[CredentialRecord]) -> Check {
    const ADVICE: &str = "docs/operate.md#the-master-key";
    let key = match source.map(Source::read).transpose() {
        Ok(key) => key,
        Err(error) => return Check::problem(NAME, format!("{error:#}"), ADVICE),
    };
    let id = key.as_ref().map(MasterKey::id);
    let error = match Credentials::open(credentials.to_vec(), key) {
        Ok(_) => {
            let id = id.map_or_else(String::new, |id| id.to_string());
            let count = credentials.len();
            return Check::fine(NAME, format!("{id} reads every credential in the book ({count})"));
        }
        Err(error) => error,
    };
    let new = match source {
        Some(Source::File(path)) => waiting(path).ok().flatten(),
        _ => None,
    };
    if new.is_some_and(|new| Credentials::open(credentials.to_vec(), Some(new)).is_ok()) {
        let found = "a rotation was cut short after the book was written";
        return Check::warning(
            NAME,
            found,
            "the next start finishes it, or `tollgate secrets rotate`",
        );
    }
    Check::problem(NAME, error.to_string(), ADVICE)
}

fn permissions(source: &Source) -> Option<Check> {
    let Source::File(path) = source else { return None };
    let mode = path.metadata().ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        Check::problem(
            NAME,
            format!("{} may be opened by others (mode {:o})", path.display(), mode & 0o777),
            format!("chmod 600 {}", path.display()),
        )
    })
}
