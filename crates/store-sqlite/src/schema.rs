//! Which schema a file has, and the steps that bring it to the newest.
//! Each step is one file and one transaction; a file says by its ids whose it is and how far it got.

use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::OpenError;

/// Every step there ever was, in order; the schema's number is how many were taken.
const MIGRATIONS: [&str; 10] = [
    include_str!("../migrations/0001_book.sql"),
    include_str!("../migrations/0002_sealed.sql"),
    include_str!("../migrations/0003_daily_by_endpoint.sql"),
    include_str!("../migrations/0004_api_type.sql"),
    include_str!("../migrations/0005_key_extras.sql"),
    include_str!("../migrations/0006_workspaces.sql"),
    include_str!("../migrations/0007_entry_credential.sql"),
    include_str!("../migrations/0008_byok.sql"),
    include_str!("../migrations/0009_members.sql"),
    include_str!("../migrations/0010_sealed_by_admission.sql"),
];

/// The newest schema, which this version reads and writes.
pub(crate) const KNOWN: u32 = 10;

/// Says "Toll" to whoever looks into the file, as its application id.
const APPLICATION_ID: u32 = 0x546f_6c6c;

/// Refuses a file that is not ours or that a newer version wrote, and returns its schema. An empty
/// file is a store that has taken no step yet.
pub(crate) fn check(connection: &Connection, path: &Path) -> Result<u32, OpenError> {
    match ids(connection) {
        Ok((0, 0, 0)) => Ok(0),
        Ok((APPLICATION_ID, found, _)) if found > KNOWN => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: KNOWN })
        }
        Ok((APPLICATION_ID, found, _)) => Ok(found),
        Ok(_) => Err(OpenError::Foreign(path.to_owned())),
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            Err(OpenError::Foreign(path.to_owned()))
        }
        Err(source) => Err(OpenError::Sqlite { path: path.to_owned(), source }),
    }
}

/// Refuses a file that does not have the newest schema, since it was only to be read.
pub(crate) fn check_newest(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    match check(connection, path)? {
        KNOWN => Ok(()),
        found => Err(OpenError::Older { path: path.to_owned(), found, known: KNOWN }),
    }
}

/// Takes the steps that a file with schema `found` has not taken.
pub(crate) fn migrate(connection: &mut Connection, found: u32) -> rusqlite::Result<()> {
    for (number, migration) in (1_u32..).zip(MIGRATIONS).filter(|(number, _)| *number > found) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whose file it is, which schema it has, and how many tables.
fn ids(connection: &Connection) -> rusqlite::Result<(u32, u32, u32)> {
    let read = |query: &str| connection.query_row(query, [], |row| row.get(0));
    let tables = read("SELECT count(*) FROM sqlite_schema")?;
    Ok((read("PRAGMA application_id")?, read("PRAGMA user_version")?, tables))
}
