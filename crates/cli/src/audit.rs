//! `tollgate audit`: every figure again, from the rows alone.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use store::{Difference, Store as _};
use store_sqlite::SqliteStore;

use crate::print;
use crate::setup::Setup;

pub(crate) fn audit(path: &Path, json: bool) -> Result<ExitCode> {
    let setup = Setup::read(path)?;
    let report = SqliteStore::open_to_read(setup.database()?)?.audit()?;
    let agrees = report.differences.is_empty();
    if json {
        let differences: Vec<_> = report
            .differences
            .iter()
            .map(|difference| {
                serde_json::json!({
                    "key": difference.key.to_string(),
                    "day": difference.day.map(|day| day.date().to_string()),
                    "figure": difference.figure,
                    "kept": difference.kept.to_string(),
                    "summed": difference.summed.to_string(),
                })
            })
            .collect();
        let text = serde_json::json!({
            "agrees": agrees,
            "rows": report.rows,
            "keys": report.keys,
            "sums": report.sums,
            "differences": differences,
        });
        print::line(&serde_json::to_string_pretty(&text)?);
    } else {
        report.differences.iter().for_each(|difference| print::error(&told(difference)));
        let verdict = if agrees { "the book agrees" } else { "THE BOOK DOES NOT AGREE" };
        print::line(&format!(
            "{verdict}: {} rows of {} keys, {} sums compared, {} differences",
            report.rows,
            report.keys,
            report.sums,
            report.differences.len()
        ));
    }
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(difference: &Difference) -> String {
    let day = difference.day.map_or("all time".to_owned(), |day| day.date().to_string());
    format!(
        "key {} {day}: {} is kept as {} and its rows add up to {}",
        difference.key, difference.figure, difference.kept, difference.summed
    )
}
