//! The whole book, record by record, in an order that depends only on what is in it.
//! Read as a stream: no more than one record is in memory, however large the book.

use std::io;

use rusqlite::{Connection, Row};
use store::{ExportLine, StoreError};

use crate::error::store_error;
use crate::fields::Fields;
use crate::{
    audit_log, budgets, byok, endpoint_marks, entries, keys, management_keys, members, sealed,
    workspaces,
};

type Sink<'a> = &'a mut dyn FnMut(ExportLine) -> io::Result<()>;

/// Hands every record to `sink`, and stops at its first error.
pub(crate) fn export(connection: &Connection, sink: Sink<'_>) -> Result<(), StoreError> {
    each(connection, sink, keys::ALL, |row| {
        let mut fields = Fields::of(row);
        let key = keys::read(&mut fields)?;
        Ok(ExportLine::Key(Box::new(key), fields.optional_time()?))
    })?;
    for key in management_keys::all(connection).map_err(store_error)? {
        sink(ExportLine::ManagementKey(key)).map_err(StoreError::unavailable)?;
    }
    each(connection, sink, workspaces::ALL, |row| {
        let mut fields = Fields::of(row);
        let workspace = workspaces::read(&mut fields)?;
        Ok(ExportLine::Workspace(Box::new(workspace), fields.optional_time()?))
    })?;
    each(connection, sink, budgets::ALL, |row| Ok(ExportLine::Budget(budgets::read(row)?)))?;
    each(connection, sink, byok::ALL, |row| {
        let mut fields = Fields::of(row);
        let record = byok::read(&mut fields)?;
        Ok(ExportLine::Credential(Box::new(record), fields.optional_time()?))
    })?;
    each(connection, sink, members::USERS, |row| Ok(ExportLine::User(members::read_user(row)?)))?;
    each(connection, sink, members::ALL, |row| Ok(ExportLine::Member(members::read(row)?)))?;
    each(connection, sink, entries::ALL, |row| {
        Ok(ExportLine::Entry(Box::new(entries::read(row)?)))
    })?;
    each(connection, sink, sealed::ALL, |row| {
        Ok(ExportLine::Sealed(Box::new(sealed::read(row)?)))
    })?;
    for mark in endpoint_marks::all(connection).map_err(store_error)? {
        sink(ExportLine::Mark(mark)).map_err(StoreError::unavailable)?;
    }
    each(connection, sink, audit_log::ALL, |row| Ok(ExportLine::Audit(audit_log::read(row)?)))
}

fn each(
    connection: &Connection,
    sink: Sink<'_>,
    query: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<ExportLine>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare(query).map_err(store_error)?;
    let lines = statement.query_map([], read).map_err(store_error)?;
    for line in lines {
        sink(line.map_err(store_error)?).map_err(StoreError::unavailable)?;
    }
    Ok(())
}
