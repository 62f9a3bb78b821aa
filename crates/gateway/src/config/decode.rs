//! From a table to a configuration, with everything that is not as it must be.
//!
//! A reader stops at the first value it can't take. Here that one is taken out, or where one is
//! missing a stand-in put in, and the rest is read again, so that all problems are found at once.

use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_path_to_error::{Path, Segment};
use toml::{Table, Value};

use super::{Config, ConfigError, Problems};

/// Problems found in one go.
const PROBLEMS_MAX: usize = 1_000;

/// What became of a table.
pub(super) struct Decoded {
    pub(super) config: Config,
    /// Nothing had to stand in for what is missing: what is there means what it says.
    pub(super) is_whole: bool,
}

/// Reads `table`, and leaves in it what can be read.
pub(super) fn decode(table: &mut Table, problems: &mut Problems) -> Option<Decoded> {
    let mut stand_ins: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..PROBLEMS_MAX {
        let error = match serde_path_to_error::deserialize(table.clone()) {
            Ok(config) => return Some(Decoded { config, is_whole: stand_ins.is_empty() }),
            Err(error) => error,
        };
        let (path, message) = (steps(error.path()), error.inner().message().to_owned());
        let setting = named(&path);
        if let Some(tried) = stand_ins.get_mut(&setting) {
            // One of another type, then.
            *tried += 1;
            put(table, &path, STAND_INS.get(*tried)?())?;
            continue;
        }
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        match quoted.first() {
            Some(missing) if message.starts_with("missing field") => {
                let path = [path.as_slice(), &[Step::Name((*missing).to_owned())]].concat();
                let setting = named(&path);
                problems.add(ConfigError::invalid(&setting, "is missing"));
                put(table, &path, STAND_INS[0]())?;
                stand_ins.insert(setting, 0);
            }
            Some(unknown) if message.starts_with("unknown field") => {
                let mut path = path;
                if path.last() != Some(&Step::Name((*unknown).to_owned())) {
                    path.push(Step::Name((*unknown).to_owned()));
                }
                let problem = unknown_name(unknown, &quoted[1..]);
                problems.add(ConfigError::invalid(&named(&path), problem));
                take_out(table, &path)?;
            }
            _ => {
                problems.add(ConfigError::invalid(&setting, told(&message)));
                take_out(table, &path)?;
            }
        }
    }
    None
}

/// Reads a table that may be wrong in one place; the first problem as it is told.
pub(super) fn decode_one(table: &Table) -> Result<Config, String> {
    Config::deserialize(table.clone()).map_err(|error| error.message().to_owned())
}

/// What stands in for something missing, of whose type nothing is known.
const STAND_INS: [fn() -> Value; 4] = [
    || Value::String("1".to_owned()),
    || Value::Integer(1),
    || Value::Array(Vec::new()),
    || Value::Boolean(false),
];

/// What is wrong with a value, without the value where it is a text: it may be a secret that came to
/// the wrong place.
pub(super) fn told(message: &str) -> String {
    let mut told = message.to_owned();
    for kind in ["invalid type: ", "invalid value: "] {
        let text = message.strip_prefix(kind).and_then(|rest| rest.strip_prefix("string \""));
        if let Some((_, expected)) = text.and_then(|text| text.rsplit_once("\", expected ")) {
            told = format!("{kind}a text, expected {expected}");
        }
    }
    for number in ["usize", "u64", "u32", "u16", "i64"] {
        if let Some(before) = told.strip_suffix(&format!("expected {number}")) {
            told = format!("{before}expected a whole number");
        }
    }
    format!("is wrong: {told}")
}

/// What is wrong with a name that is not known: the nearest one, or all there are.
fn unknown_name(unknown: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(2));
    match nearest {
        Some((_, name)) => format!("is not known; did you mean `{name}`?"),
        None => format!("is not known; known here are {}", known.join(", ")),
    }
}

/// One step from a table or a list to what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Place(usize),
}

fn steps(path: &Path) -> Vec<Step> {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(Step::Place(*index)),
        Segment::Map { key } => Some(Step::Name(key.clone())),
        Segment::Enum { variant } => Some(Step::Name(variant.clone())),
        Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

/// The setting at the end of a path, as it is called elsewhere: `models[0].endpoints[1].free`.
fn named(path: &[Step]) -> String {
    let mut setting = String::new();
    for step in path {
        match step {
            Step::Name(name) if setting.is_empty() => setting.push_str(name),
            Step::Name(name) => setting.push_str(&format!(".{name}")),
            Step::Place(place) => setting.push_str(&format!("[{place}]")),
        }
    }
    setting
}

/// What a path leads to but for its last step, and that step.
fn before_last<'a, 'p>(table: &'a mut Table, path: &'p [Step]) -> Option<(&'a mut Table, &'p str)> {
    let (last, steps) = path.split_last()?;
    let Step::Name(last) = last else { return None };
    let (first, steps) = match steps.split_first() {
        None => return Some((table, last)),
        Some((Step::Name(first), steps)) => (first, steps),
        Some((Step::Place(_), _)) => return None,
    };
    let place =
        steps.iter().try_fold(table.get_mut(first)?, |place, step| match (place, step) {
            (Value::Table(inner), Step::Name(name)) => inner.get_mut(name),
            (Value::Array(items), Step::Place(place)) => items.get_mut(*place),
            _ => None,
        })?;
    Some((place.as_table_mut()?, last))
}

fn put(table: &mut Table, path: &[Step], value: Value) -> Option<()> {
    let (table, last) = before_last(table, path)?;
    table.insert(last.to_owned(), value);
    Some(())
}

/// Takes out the setting at the end of a path; of a list the whole of it, so that no other item
/// moves.
fn take_out(table: &mut Table, path: &[Step]) -> Option<()> {
    let end = path.iter().rposition(|step| matches!(step, Step::Name(_)))?;
    let (table, last) = before_last(table, &path[..=end])?;
    table.remove(last).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let mut problems = Problems::default();
        let decoded = decode(&mut text.parse().unwrap(), &mut problems);
        assert!(decoded.is_some(), "the rest can be read");
        let problems = problems.end().err();
        problems.iter().flat_map(ConfigError::problems).map(str::to_owned).collect()
    }

    #[test]
    fn every_problem_of_a_file_is_found_at_once() {
        let text = r#"
            colour = "red"
            [server]
            listne = "127.0.0.1:1"
            workers = "many"
            listen = "nowhere"
            [log]
            format = "xml"
            [bounds]
            waiting_max = -1
            [[providers]]
            base_url = "http://a"
            stops_on_disconect = true
            headers = { a = 1 }
            [[models]]
            [[models.endpoints]]
            free = "yes"
            [models.endpoints.pricing]
            prompt = 0.1
            [[models.endpoints]]
            provider = "a"
            pricing = { overrides = [{ prompt = "1" }] }
        "#;
        assert_eq!(
            problems(text),
            [
                "setting `bounds.waiting_max` is wrong: invalid value: integer `-1`, expected a whole number",
                "setting `colour` is not known; known here are server, store, secrets, api, metering, routing, egress, \
                 log, telemetry, bounds, users, providers, models",
                "setting `log.format` is wrong: unknown variant `xml`, expected `text` or `json`",
                "setting `models[0].endpoints[0].free` is wrong: invalid type: a text, expected a boolean",
                "setting `models[0].endpoints[0].pricing.prompt` is wrong: invalid type: floating \
                 point `0.1`, expected a string",
                "setting `models[0].endpoints[0].provider` is missing",
                "setting `models[0].endpoints[1].pricing.overrides[0].min_prompt_tokens` is missing",
                "setting `models[0].endpoints[1].pricing.prompt` is missing",
                "setting `models[0].id` is missing",
                "setting `providers[0].headers.a` is wrong: invalid type: integer `1`, expected a string",
                "setting `providers[0].stops_on_disconect` is not known; did you mean `stops_on_disconnect`?",
                "setting `providers[0].slug` is missing",
                "setting `server.listen` is wrong: invalid socket address syntax",
                "setting `server.listne` is not known; did you mean `listen`?",
                "setting `server.workers` is wrong: invalid type: a text, expected a whole number",
            ]
        );
    }

    #[test]
    fn what_is_right_has_no_problem() {
        assert_eq!(problems("[server]\nworkers = 2"), [""; 0]);
    }
}
