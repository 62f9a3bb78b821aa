//! What was used by day and endpoint, from the kept daily sums.
//! A reader of its own adds them up, so that neither the writer nor a request waits for a report.

use ledger::Amounts;
use money::Money;
use rusqlite::{Connection, Result, named_params};
use store::{Activity, ActivityFigures, ActivityFilter, ActivityGroup};

use crate::fields::Fields;

// Day by day, so that the sums of one key are found by day and key, however many others there are.
macro_rules! sums {
    ($condition:literal) => {
        concat!(
            "WITH RECURSIVE days (day) AS (
                 SELECT :first WHERE :first <= :last
                 UNION ALL
                 SELECT day + 1 FROM days WHERE day < :last
             )
             SELECT day, workspace, model, provider, upstream_model, credits, byok, requests,
                    prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens
             FROM days CROSS JOIN daily USING (day)
             WHERE ",
            $condition,
            " AND (:workspace IS NULL OR workspace = :workspace)
              AND (:creator IS NULL OR creator = :creator)"
        )
    };
}

const OF_ALL: &str = sums!(":key IS NULL");
const OF_ONE_KEY: &str = sums!("key = :key");

/// The sums that `filter` asks for.
pub(crate) fn activity(connection: &Connection, filter: &ActivityFilter) -> Result<Activity> {
    let query = if filter.key.is_some() { OF_ONE_KEY } else { OF_ALL };
    let mut statement = connection.prepare_cached(query)?;
    let mut rows = statement.query(named_params! {
        ":first": filter.first.number(),
        ":last": filter.last.number(),
        ":key": filter.key.map(|key| key.0),
        ":workspace": filter.workspace.map(uuid::Uuid::into_bytes),
        ":creator": filter.creator,
    })?;
    // Added up here and not by SQLite, whose sum() fails on a total that is out of range.
    let mut activity = Activity::new();
    while let Some(row) = rows.next()? {
        let mut fields = Fields::of(row);
        let group = ActivityGroup {
            day: ledger::Day::from_number(fields.next()?),
            workspace: Some(fields.uuid()?).filter(|_| filter.by_workspace),
            model: fields.next()?,
            provider: fields.next()?,
            upstream_model: fields.next()?,
        };
        let figures = ActivityFigures {
            cost: fields.amounts()?,
            requests: fields.count()?,
            prompt_tokens: fields.count()?,
            completion_tokens: fields.count()?,
            reasoning_tokens: fields.count()?,
            cached_tokens: fields.count()?,
        };
        activity.entry(group).or_default().add(&figures);
    }
    Ok(activity)
}

/// What all keys were ever charged.
pub(crate) fn charged(connection: &Connection) -> Result<Amounts> {
    let mut statement = connection.prepare_cached("SELECT credits, byok FROM totals")?;
    let mut rows = statement.query([])?;
    let (mut credits, mut byok) = (0_i128, 0_i128);
    while let Some(row) = rows.next()? {
        let amounts = Fields::of(row).amounts()?;
        credits += i128::from(amounts.credits.as_nanos());
        byok += i128::from(amounts.byok.as_nanos());
    }
    let clamped = |sum: i128| Money::nanos(crate::sums::clamped(sum));
    Ok(Amounts { credits: clamped(credits), byok: clamped(byok) })
}

#[cfg(test)]
mod tests {
    use ledger::Day;
    use store::contract::sample::{NOW, hash};

    use super::*;
    use crate::SqliteStore;

    #[test]
    fn the_sums_of_one_key_are_found_by_day_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("tollgate.db")).unwrap();
        let plan = |query: &str| {
            store.read(|connection| {
                let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {query}"))?;
                let bound = named_params! {
                    ":first": Day::of(NOW).number(),
                    ":last": Day::of(NOW).number(),
                    ":key": Some(hash(1).0),
                    ":workspace": None::<[u8; 16]>,
                    ":creator": None::<String>,
                };
                let steps = statement.query_map(bound, |row| row.get::<_, String>(3))?;
                Ok(steps.collect::<Result<Vec<_>>>()?.join("\n"))
            })
        };
        let one = plan(OF_ONE_KEY).unwrap();
        assert!(one.contains("SEARCH daily USING PRIMARY KEY (day=? AND key=?)"), "{one}");
        let all = plan(OF_ALL).unwrap();
        assert!(all.contains("SEARCH daily USING PRIMARY KEY (day=?)"), "{all}");
    }
}
