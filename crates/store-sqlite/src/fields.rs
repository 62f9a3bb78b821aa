//! Columns into the book's types and back, checked: nothing wraps, nothing becomes zero.
//! A row is read left to right, so a query and its reader list the columns in the same order.

use std::num::NonZeroU64;

use jiff::Timestamp;
use ledger::Amounts;
use money::Money;
use rusqlite::types::{FromSql, Type};
use rusqlite::{Error, Result, Row};
use serde::de::DeserializeOwned;
use store::KeyHash;
use uuid::Uuid;

/// The fields of one row, read one after the other.
pub(crate) struct Fields<'a> {
    row: &'a Row<'a>,
    index: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn of(row: &'a Row<'a>) -> Fields<'a> {
        Fields { row, index: 0 }
    }

    /// The next field, of a type that SQLite knows.
    pub(crate) fn next<T: FromSql>(&mut self) -> Result<T> {
        let value = self.row.get(self.index);
        self.index += 1;
        value
    }

    pub(crate) fn text(&mut self) -> Result<&'a str> {
        let text = self.row.get_ref(self.index)?.as_str().map_err(|cause| self.unread(cause));
        self.index += 1;
        text
    }

    /// A word with a meaning.
    pub(crate) fn word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<T> {
        let index = self.index;
        let text = self.text()?;
        parse(text).ok_or_else(|| unread(index, Type::Text, format!("no such word: {text}")))
    }

    pub(crate) fn optional_word<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<Option<T>> {
        let index = self.index;
        let read = |text: String| {
            parse(&text).ok_or_else(|| unread(index, Type::Text, format!("no such word: {text}")))
        };
        self.next::<Option<String>>()?.map(read).transpose()
    }

    /// A count, which is never negative.
    pub(crate) fn count<T: TryFrom<i64>>(&mut self) -> Result<T> {
        let index = self.index;
        let number: i64 = self.next()?;
        T::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(index, number))
    }

    /// A count that is never zero, where there is one.
    pub(crate) fn optional_positive(&mut self) -> Result<Option<NonZeroU64>> {
        let index = self.index;
        let number = |number: i64| {
            let positive = u64::try_from(number).ok().and_then(NonZeroU64::new);
            positive.ok_or(Error::IntegralValueOutOfRange(index, number))
        };
        self.next::<Option<i64>>()?.map(number).transpose()
    }

    /// What is kept as JSON, where there is something.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>> {
        let index = self.index;
        let read = |text: String| {
            serde_json::from_str(&text).map_err(|cause| unread(index, Type::Text, cause))
        };
        self.next::<Option<String>>()?.map(read).transpose()
    }

    pub(crate) fn hash(&mut self) -> Result<KeyHash> {
        self.next().map(KeyHash)
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid> {
        self.next().map(Uuid::from_bytes)
    }

    pub(crate) fn optional_uuid(&mut self) -> Result<Option<Uuid>> {
        Ok(self.next::<Option<[u8; 16]>>()?.map(Uuid::from_bytes))
    }

    pub(crate) fn amounts(&mut self) -> Result<Amounts> {
        let credits = self.next().map(Money::nanos)?;
        let byok = self.next().map(Money::nanos)?;
        Ok(Amounts { credits, byok })
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        let index = self.index;
        Timestamp::from_microsecond(self.next()?)
            .map_err(|cause| unread(index, Type::Integer, cause))
    }

    pub(crate) fn optional_time(&mut self) -> Result<Option<Timestamp>> {
        let index = self.index;
        self.next::<Option<i64>>()?
            .map(Timestamp::from_microsecond)
            .transpose()
            .map_err(|cause| unread(index, Type::Integer, cause))
    }

    /// The error of a field that was just read and makes no sense.
    pub(crate) fn unread(
        &self,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Error {
        unread(self.index, Type::Text, cause)
    }
}

/// A time as it is stored.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// A count as it is stored; past the largest integer there is, that one. No count that means
/// anything comes near it, and a settlement is never refused for a provider's nonsense.
pub(crate) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unread(
    index: usize,
    kind: Type,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Error {
    Error::FromSqlConversionFailure(index, kind, cause.into())
}
