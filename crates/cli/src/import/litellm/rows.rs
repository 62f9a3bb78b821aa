//! LiteLLM's keys, teams, users and budgets as rows, wherever they come from.
//! Numbers stay their shortest decimal text: no amount is reckoned with as a float.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

/// A row, by the names of its columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Row(pub(super) Map<String, Value>);

impl Row {
    /// A column that is there and says something: null, an empty text, list or map, `false` and a
    /// zero say nothing.
    pub(super) fn said(&self, column: &str) -> Option<&Value> {
        self.0.get(column).filter(|value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(members) => !members.is_empty(),
            Value::Number(number) => number.as_i64() != Some(0),
            Value::Bool(true) => true,
        })
    }

    pub(super) fn text(&self, column: &str) -> Option<&str> {
        self.0.get(column)?.as_str().filter(|text| !text.is_empty())
    }

    pub(super) fn is(&self, column: &str) -> bool {
        self.0.get(column).and_then(Value::as_bool).unwrap_or(false)
    }

    /// A number as its shortest decimal text.
    pub(super) fn number(&self, column: &str) -> Option<String> {
        match self.0.get(column)? {
            Value::Number(number) => Some(number.to_string()),
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn texts(&self, column: &str) -> Vec<String> {
        let items = self.0.get(column).and_then(Value::as_array).into_iter().flatten();
        items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
    }

    /// A moment; without a zone it is in UTC, as LiteLLM's tables have them.
    pub(super) fn time(&self, column: &str) -> Option<Timestamp> {
        let text = self.text(column)?;
        let local = || {
            let zoned = text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?;
            Some(zoned.timestamp())
        };
        text.parse().ok().or_else(local)
    }
}

/// All that there is.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) keys: Vec<Row>,
    pub(super) teams: BTreeMap<String, Row>,
    pub(super) users: BTreeMap<String, Row>,
    pub(super) budgets: BTreeMap<String, Row>,
    pub(super) organizations: BTreeMap<String, Row>,
    /// What else has a budget: what it is, and the budget's id.
    pub(super) budgeted: Vec<(String, String)>,
    /// Keys whose text before the last one is still good: their hashes, and until when.
    pub(super) old_texts: Vec<(String, String)>,
}

impl Rows {
    /// What the documents or lines of JSON in `text` have: rows of tables, or answers of LiteLLM's
    /// API with whole objects.
    pub(super) fn parse(text: &str) -> Result<Rows> {
        let mut rows = Rows::default();
        for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
            rows.document(value?)?;
        }
        Ok(rows)
    }

    fn document(&mut self, value: Value) -> Result<()> {
        match value {
            Value::Array(items) => items.into_iter().try_for_each(|item| self.document(item)),
            Value::Object(members) => self.object(members),
            Value::String(text) if text.len() == 64 => {
                bail!("it has hashes alone; ask LiteLLM for /key/list?return_full_object=true")
            }
            _ => bail!("it has a value that is neither a row nor an answer with rows"),
        }
    }

    fn object(&mut self, mut members: Map<String, Value>) -> Result<()> {
        // Answers, and files that hold several tables.
        let mut is_answer = false;
        for list in ["keys", "teams", "users", "budgets", "organizations", "data"] {
            if !members.contains_key("token")
                && !members.contains_key("team_id")
                && !members.contains_key("user_id")
                && members.get(list).is_some_and(Value::is_array)
                && let Some(items) = members.remove(list)
            {
                is_answer = true;
                self.document(items)?;
            }
        }
        if is_answer {
            return Ok(());
        }
        if let Some(Value::Object(mut info)) = members.remove("info") {
            if let Some(key) = members.remove("key") {
                info.entry("token").or_insert(key);
            }
            self.keys.push(Row(info));
            return Ok(());
        }
        if let Some(Value::Object(info)) = members.remove("team_info") {
            return self.object(info);
        }
        let row = Row(members);
        let has = |column: &str| row.0.contains_key(column);
        let id = |column: &str| row.text(column).map(str::to_owned);
        if has("token") || (has("key") && !has("team_alias")) {
            self.keys.push(row);
        } else if let (Some(id), true) = (id("organization_id"), has("organization_alias")) {
            self.organizations.insert(id, row);
        } else if let (Some(id), false) = (id("team_id"), has("user_role") || has("user_email")) {
            self.teams.insert(id, row);
        } else if let Some(id) = id("user_id") {
            self.users.insert(id, row);
        } else if let Some(id) = id("budget_id") {
            self.budgets.insert(id, row);
        } else {
            let names: Vec<&str> = row.0.keys().take(3).map(String::as_str).collect();
            bail!(
                "it has an object that is no row of a key, team, user, budget or organization: {names:?}"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_api_and_lines_of_tables_are_read_alike() {
        let token = "a".repeat(64);
        for text in [
            format!(r#"{{"keys": [{{"token": "{token}", "spend": 0.1}}], "total_count": 1}}"#),
            format!(r#"{{"key": "{token}", "info": {{"spend": 0.1}}}}"#),
            format!(r#"[{{"token": "{token}", "spend": 0.1}}]"#),
            format!("{{\"token\": \"{token}\", \"spend\": 0.1}}\n{{\"team_id\": \"t\"}}\n"),
        ] {
            let rows = Rows::parse(&text).unwrap();
            assert_eq!(rows.keys.len(), 1, "{text}");
            assert_eq!(rows.keys[0].text("token"), Some(token.as_str()), "{text}");
            assert_eq!(rows.keys[0].number("spend").unwrap(), "0.1");
        }
        let hashes = Rows::parse(&format!(r#"{{"keys": ["{token}"]}}"#)).unwrap_err();
        assert!(hashes.to_string().contains("return_full_object"), "{hashes}");
        assert!(Rows::parse("{\"a\": 1}").is_err() && Rows::parse("[1]").is_err());
    }

    #[test]
    fn a_moment_without_a_zone_is_in_utc() {
        let row = |text: &str| Row(Map::from_iter([("at".to_owned(), Value::from(text))]));
        let expected: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        for text in ["2026-12-01T00:00:00", "2026-12-01T00:00:00.000Z", "2026-12-01T01:00:00+01:00"]
        {
            assert_eq!(row(text).time("at"), Some(expected), "{text}");
        }
        assert_eq!(row("soon").time("at"), None);
    }
}
