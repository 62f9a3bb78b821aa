//! The whole configuration as a file: every setting with its default, commented.
//! What the code has and what the file says are held against each other by the tests.

use std::collections::BTreeMap;

use toml::{Table, Value};

/// The file: what a configuration that leaves everything out means.
pub const DEFAULT: &str = include_str!("default.toml");

/// Sections that a reload puts in force, so that a change of theirs does not wait.
const RELOADED: [&str; 3] = ["users", "providers", "models"];

/// Every setting but those of users, providers and models, by its name, with its value; what `table` leaves
/// out has its default. A setting without a default is there where it is set.
pub(super) fn settings(table: &Table) -> BTreeMap<String, Value> {
    let mut settings = BTreeMap::new();
    // The file is this program's own, and read in its tests.
    flatten("", &DEFAULT.parse().unwrap_or_default(), &mut settings);
    let mut written = table.clone();
    RELOADED.iter().for_each(|section| drop(written.remove(*section)));
    flatten("", &written, &mut settings);
    settings
}

fn flatten(before: &str, table: &Table, settings: &mut BTreeMap<String, Value>) {
    for (name, value) in table {
        let name = if before.is_empty() { name.clone() } else { format!("{before}.{name}") };
        match value {
            Value::Table(inner) => flatten(&name, inner, settings),
            value => drop(settings.insert(name, value.clone())),
        }
    }
}

#[cfg(test)]
mod tests;
