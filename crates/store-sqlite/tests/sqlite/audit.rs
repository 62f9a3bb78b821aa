//! The audit finds whatever was changed behind the store's back, and says where.
//! Each test changes a file that the store has open, as nothing of ours ever does.

use ledger::Day;
use rusqlite::Connection;
use store::contract::sample::{after, commit, credits, entry, hash, settlement, workspace};
use store::{Difference, Entry, Store, Subject};

use crate::temp::TempStore;

/// Two requests on each of two days, and what an audit finds after `sql`.
fn differences(sql: &str) -> Vec<Difference> {
    let store = TempStore::new();
    for (attempt, day) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
        let row = Entry {
            attempt,
            admitted_at: after(day * 86_400),
            cost: credits(10),
            ..entry("gen-1", hash(1))
        };
        commit(&*store, settlement(&row));
    }
    assert_eq!(store.audit().unwrap().differences, []);
    let file = Connection::open(store.path()).unwrap();
    assert!(file.execute(sql, []).unwrap() > 0);
    store.audit().unwrap().differences
}

fn difference(day: Option<i64>, figure: &str, kept: i128, summed: i128) -> Difference {
    Difference {
        subject: Subject::Key(hash(1)),
        day: day.map(|day| Day::of(after(day * 86_400))),
        figure: figure.to_owned(),
        kept,
        summed,
    }
}

fn of_workspace(figure: &str, kept: i128, summed: i128) -> Difference {
    Difference {
        subject: Subject::Workspace(workspace(1)),
        ..difference(None, figure, kept, summed)
    }
}

#[test]
fn an_honest_book_has_every_sum_compared() {
    let store = TempStore::new();
    commit(&*store, settlement(&entry("gen-1", hash(1))));
    let report = store.audit().unwrap();
    // Seven figures of the day, four of the key and three of its workspace.
    assert_eq!((report.rows, report.keys, report.sums), (1, 1, 14));
}

#[test]
fn a_daily_sum_that_was_changed_is_named_with_its_day_and_model() {
    let figure = "cached_tokens of openai/gpt-4o-mini at openai";
    for day in [0, 1] {
        let number = Day::of(after(day * 86_400)).number();
        let sql =
            format!("UPDATE daily SET cached_tokens = cached_tokens - 1 WHERE day = {number}");
        assert_eq!(differences(&sql), [difference(Some(day), figure, 199, 200)]);
    }
}

#[test]
fn a_sum_for_which_there_are_no_rows_is_found() {
    let day = Day::of(after(5 * 86_400)).number();
    let sql = format!(
        "INSERT INTO daily SELECT {day}, key, workspace, creator, model, provider,
             upstream_model, credits, 0, 0, 0, 0, 0, 0 FROM daily LIMIT 1"
    );
    let figure = "credits of openai/gpt-4o-mini at openai";
    assert_eq!(differences(&sql), [difference(Some(5), figure, 20, 0)]);
}

#[test]
fn a_row_that_was_taken_out_is_found_in_its_day_and_its_total() {
    let found = differences("DELETE FROM entries WHERE attempt = 3");
    let of = |figure: &str| format!("{figure} of openai/gpt-4o-mini at openai");
    let day = |figure: &str, kept, summed| difference(Some(1), &of(figure), kept, summed);
    assert_eq!(
        found,
        [
            day("credits", 20, 10),
            day("requests", 2, 1),
            day("prompt_tokens", 600, 300),
            day("completion_tokens", 40, 20),
            day("reasoning_tokens", 22, 11),
            day("cached_tokens", 200, 100),
            difference(None, "credits", 40, 30),
            difference(None, "requests", 4, 3),
            of_workspace("credits", 40, 30),
            of_workspace("requests", 4, 3),
        ]
    );
}

#[test]
fn a_total_that_was_lost_is_found() {
    let last_used_at = i128::from(after(86_400).as_microsecond());
    assert_eq!(
        differences("DELETE FROM totals"),
        [
            difference(None, "credits", 0, 40),
            difference(None, "requests", 0, 4),
            difference(None, "last_used_at", 0, last_used_at),
        ]
    );
}

#[test]
fn a_total_of_a_workspace_that_was_lost_is_found() {
    assert_eq!(
        differences("DELETE FROM workspace_totals"),
        [of_workspace("credits", 0, 40), of_workspace("requests", 0, 4)]
    );
}
