//! The book and what is in it: who has it open, whether it is whole, what waits for a person.

use anyhow::Result;
use gateway::http::control::HOLDS_MAX;
use gateway::journal::{HoldRecord, LeftBehind};
use jiff::Timestamp;
use ledger::Day;
use money::Money;
use store::{Entry, Snapshot, Store as _, StoreError};
use store_sqlite::{OpenError, SqliteStore};

use super::master_key;
use super::{Check, bytes};
use crate::setup::Setup;
use crate::{control, serve};

/// A row may be so much newer than the clock, in seconds: two readings of one clock.
const CLOCK_SECONDS: i64 = 2;

/// Whether a server has the book.
pub(super) enum Server {
    /// None has.
    None,
    /// One has; its process where it said so, and whether it answers.
    Running { process: Option<u32>, answers: bool },
}

/// Asks for the server of the book.
pub(super) fn server(setup: &Setup) -> Result<Server> {
    let answers = control::is_answering(setup)?;
    match store_sqlite::ensure_unlocked(setup.database()?) {
        Err(OpenError::InUse { process, .. }) => Ok(Server::Running { process, answers }),
        _ => Ok(Server::None),
    }
}

impl Server {
    pub(super) fn process(&self) -> Option<u32> {
        match self {
            Server::None => None,
            Server::Running { process, .. } => *process,
        }
    }

    pub(super) fn check(&self) -> Check {
        const NAME: &str = "server";
        let Server::Running { process, answers } = self else {
            return Check::fine(NAME, "none is running");
        };
        let who = process.map_or("a process".to_owned(), |id| format!("process {id}"));
        match answers {
            true => Check::fine(NAME, format!("{who} serves")),
            false => Check::problem(
                NAME,
                format!("{who} has the book, and does not answer on its socket"),
                "where it is starting, wait; else look at its log, and stop it",
            ),
        }
    }
}

/// Looks into the book.
pub(super) fn book(
    setup: &Setup,
    server: &Server,
    now: Timestamp,
    is_quick: bool,
) -> Result<Vec<Check>> {
    const NAME: &str = "book";
    let path = setup.database()?;
    let has_key = std::env::var_os(serve::MANAGEMENT_KEY).is_some();
    let store = match SqliteStore::open_to_read(&path) {
        Ok(store) => store,
        Err(OpenError::Missing(_)) => {
            let missing = Check::fine(NAME, "there is none yet; the first start makes it");
            return Ok(vec![missing, management_keys(0, has_key)]);
        }
        Err(error) => {
            let found = format!("{:#}", anyhow::Error::from(error));
            return Ok(vec![Check::problem(NAME, found, "restore a backup: docs/backup.md")]);
        }
    };
    let looked = look_into(&store, setup, now, has_key, is_quick);
    let mut checks = looked.unwrap_or_else(|error| {
        let found = format!("{:#}", anyhow::Error::from(error));
        vec![Check::problem(NAME, found, "restore a backup: docs/backup.md")]
    });
    if matches!(server, Server::None) {
        let left = LeftBehind::at(&setup.beside(".holds")?)?;
        checks.extend(left_on_hold(&store, &left.records));
    }
    Ok(checks)
}

fn look_into(
    store: &SqliteStore,
    setup: &Setup,
    now: Timestamp,
    has_key: bool,
    is_quick: bool,
) -> Result<Vec<Check>, StoreError> {
    let damage = if is_quick { None } else { Some(store.quick_check()?) };
    if let Some(damage) = damage.as_deref().filter(|damage| !damage.is_empty()) {
        // What else it says can't be relied on.
        return Ok(vec![damaged(damage)]);
    }
    let snapshot = store.snapshot(Day::from_number(i32::MAX))?;
    let good = snapshot.management_keys.iter().filter(|key| key.revoked_at.is_none()).count();
    let size = setup.database().ok().and_then(|path| path.metadata().ok());
    let size = size.map_or(0, |file| file.len());
    let mut checks = vec![
        whole(snapshot.keys.len(), size, !is_quick),
        clock(now, store.newest_admission()?),
        management_keys(good, has_key),
        unresolved(&store.unresolved(HOLDS_MAX)?),
    ];
    checks.extend(marks(&snapshot));
    checks.extend(master_key::master_key(setup, &snapshot.credentials));
    Ok(checks)
}

fn damaged(damage: &[String]) -> Check {
    Check::problem(
        "book",
        format!("it is damaged: {}", damage.join("; ")),
        "stop the server, look at the disk, and restore a backup: docs/backup.md",
    )
}

fn whole(keys: usize, size: u64, is_checked: bool) -> Check {
    let pages =
        if is_checked { ", every page as it should be" } else { "; its pages were not checked" };
    Check::fine("book", format!("{keys} keys in {}{pages}", bytes(size)))
}

fn clock(now: Timestamp, newest: Option<Timestamp>) -> Check {
    const NAME: &str = "clock";
    let ahead = newest.map_or(0, |newest| newest.duration_since(now).as_secs());
    if ahead > CLOCK_SECONDS {
        return Check::problem(
            NAME,
            format!("it says {now:.0}, and the newest row is {ahead} seconds later"),
            "set it, and have it kept by NTP: windows and expiries follow it",
        );
    }
    Check::fine(NAME, format!("it says {now:.0}, after every row"))
}

fn management_keys(good: usize, has_variable: bool) -> Check {
    const NAME: &str = "management keys";
    match (good, has_variable) {
        (0, false) => Check::problem(
            NAME,
            "there is none",
            "set TOLLGATE_MANAGEMENT_KEY, or `tollgate management-keys create --name NAME`",
        ),
        (0, true) => Check::fine(NAME, "the next start adds that of TOLLGATE_MANAGEMENT_KEY"),
        (good, _) => Check::fine(NAME, format!("{good} in use")),
    }
}

fn unresolved(rows: &[Entry]) -> Check {
    const NAME: &str = "holds";
    if rows.is_empty() {
        return Check::fine(NAME, "every charge was seen to its end, or corrected");
    }
    let sum = rows.iter().map(|row| row.cost.credits).try_fold(Money::ZERO, Money::checked_add);
    let sum = sum.map_or("more than can be added".to_owned(), |sum| format!("${sum}"));
    let (count, more) = (rows.len(), if rows.len() == HOLDS_MAX { " or more" } else { "" });
    Check::warning(
        NAME,
        format!("{count}{more} charges whose end was not seen, {sum}: each its whole hold"),
        "`tollgate holds list`, then `settle` to the provider's bill or `void`",
    )
}

/// What a process that ended left and the book has not.
fn left_on_hold(store: &SqliteStore, records: &[HoldRecord]) -> Option<Check> {
    let is_open = |record: &&HoldRecord| {
        let booked = store.generation(&record.generation).unwrap_or_default();
        !booked.iter().any(|row| row.attempt == record.attempt)
    };
    let count = records.iter().filter(is_open).count();
    (count > 0).then(|| {
        Check::warning(
            "holds",
            format!("{count} requests were in flight when the last process ended"),
            "the next start charges them in full, as `interrupted`",
        )
    })
}

fn marks(snapshot: &Snapshot) -> Vec<Check> {
    const NAME: &str = "endpoints";
    let told = snapshot.marks.iter().filter_map(|mark| {
        let endpoint = format!("{} at {}", mark.model, mark.provider);
        let clear = format!(
            "look at its prices, then `tollgate endpoints clear {} {} {}`",
            mark.model, mark.provider, mark.upstream_model
        );
        if mark.barred {
            let found =
                format!("{endpoint} charged above its own maximum: it serves no limited key");
            Some(Check::problem(NAME, found, clear))
        } else if mark.held_at_maximum {
            let found = format!("{endpoint} charged above a hold: it is held at its own maximum");
            Some(Check::warning(NAME, found, clear))
        } else {
            None
        }
    });
    let checks: Vec<Check> = told.collect();
    if checks.is_empty() {
        return vec![Check::fine(NAME, "none charged more than was held")];
    }
    checks
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn a_clock_behind_the_book_is_a_problem() {
        let now: Timestamp = "2026-11-22T12:00:00.5Z".parse().unwrap();
        let at = |text: &str| Some(text.parse().unwrap());
        assert_eq!(clock(now, None).state, State::Fine);
        assert_eq!(clock(now, at("2026-11-22T12:00:02Z")).state, State::Fine);
        let behind = clock(now, at("2026-11-22T13:00:00.5Z"));
        assert_eq!(behind.state, State::Problem);
        assert_eq!(
            behind.found,
            "it says 2026-11-22T12:00:00Z, and the newest row is 3600 seconds later"
        );
    }

    #[test]
    fn a_server_that_does_not_answer_is_a_problem() {
        let server = |answers| Server::Running { process: Some(7), answers };
        assert_eq!(server(true).check(), Check::fine("server", "process 7 serves"));
        assert_eq!(server(false).check().state, State::Problem);
    }

    #[test]
    fn damaged_pages_are_a_problem_with_what_is_wrong() {
        let damaged = damaged(&["page 2".to_owned(), "page 3".to_owned()]);
        assert_eq!(damaged.state, State::Problem);
        assert_eq!(damaged.found, "it is damaged: page 2; page 3");
        assert_eq!(whole(1, 9, true).found, "1 keys in 9 bytes, every page as it should be");
    }

    #[test]
    fn without_a_management_key_nobody_can_make_others() {
        let states = [(0, false), (0, true), (1, false)]
            .map(|(good, has_variable)| management_keys(good, has_variable).state);
        assert_eq!(states, [State::Problem, State::Fine, State::Fine]);
    }
}
