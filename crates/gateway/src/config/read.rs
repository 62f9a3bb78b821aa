//! Reads a configuration: the file, then `TOLLGATE_…` variables over it, then `${NAME}` inside it,
//! then what is known of the providers and models it names.
//! Every error names the setting; an unknown name in the file is an error, an unknown variable a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;
use store::RETENTION_DAYS_MIN;
use toml::{Table, Value};

use super::{Config, built_in};

const PREFIX: &str = "TOLLGATE_";
/// More threads than any machine has a use for.
const WORKERS_MAX: usize = 1_024;
/// Variables of ours that are no settings.
const NOT_SETTINGS: [&str; 4] =
    ["TOLLGATE_MANAGEMENT_KEY", "TOLLGATE_MASTER_KEY", "TOLLGATE_CONFIG", "TOLLGATE_LOG"];

/// Why a configuration was not taken.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0)]
pub struct ConfigError(String);

impl ConfigError {
    /// The variable `name` is not as it must be.
    pub(super) fn in_variable(name: &str, problem: &str) -> ConfigError {
        ConfigError(format!("variable {name} {problem}"))
    }

    /// `setting` is not as it must be.
    pub fn invalid(setting: &str, problem: impl std::fmt::Display) -> ConfigError {
        ConfigError(format!("setting `{setting}` {problem}"))
    }
}

/// A configuration that was read, and what its owner should know about it.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings, each a sentence.
    pub warnings: Vec<String>,
    /// The endpoints whose prices are the built-in list prices, each as its model's id and its
    /// place in the model's endpoints.
    pub list_priced: BTreeSet<(String, usize)>,
}

/// Reads the file at `path` and the variables in `environment`.
pub fn read(path: &Path, environment: &BTreeMap<String, String>) -> Result<Loaded, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("can't read {}: {error}", path.display())))?;
    parse(&text, environment)
        .map_err(|ConfigError(problem)| ConfigError(format!("{}: {problem}", path.display())))
}

pub(super) fn parse(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Loaded, ConfigError> {
    let mut warnings = Vec::new();
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        // The error's own text quotes the line, which may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError(format!("line {}: {}", before.matches('\n').count() + 1, error.message()))
    })?;
    decode(&table)?;
    let mut table = with_environment(table, environment, &mut warnings)?;
    for (name, value) in &mut table {
        expand(name, value, environment, &mut warnings)?;
    }
    let written = decode(&table)?;
    let filled = built_in::fill(&mut table, &written)?;
    warnings.extend(filled.warnings);
    let mut config = decode(&table)?;
    config.telemetry.fill(environment, &mut warnings)?;
    sensible(&config)?;
    Ok(Loaded { config, warnings, list_priced: filled.list_priced })
}

/// Refuses what could be read and would serve nobody.
fn sensible(config: &Config) -> Result<(), ConfigError> {
    if !matches!(config.api.limit_spent_status, 402 | 403) {
        return Err(ConfigError::invalid("api.limit_spent_status", "must be 403 or 402"));
    }
    let url = config.server.public_url.as_deref();
    if url.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        return Err(ConfigError::invalid(
            "server.public_url",
            "must begin with http:// or https://",
        ));
    }
    if config.server.workers > WORKERS_MAX {
        let problem = format!("must be at most {WORKERS_MAX}");
        return Err(ConfigError::invalid("server.workers", problem));
    }
    if config.store.retention_days.is_some_and(|days| days < RETENTION_DAYS_MIN) {
        let problem =
            format!("must be at least {RETENTION_DAYS_MIN}; left out, rows are kept for ever");
        return Err(ConfigError::invalid("store.retention_days", problem));
    }
    config.telemetry.sensible()?;
    config.egress.proxy()?;
    let bounds = &config.bounds;
    for (setting, is_zero) in [
        ("bounds.body_bytes_max", bounds.body_bytes_max == 0),
        ("bounds.body_ms_max", bounds.body_ms_max == 0),
        ("bounds.bodies_bytes_max", bounds.bodies_bytes_max == 0),
        ("bounds.in_flight_max", bounds.in_flight_max == 0),
        ("bounds.client_stall_ms", bounds.client_stall_ms == 0),
        ("bounds.provider_connect_ms", bounds.provider_connect_ms == 0),
        ("bounds.provider_first_byte_ms", bounds.provider_first_byte_ms == 0),
        ("bounds.provider_between_bytes_ms", bounds.provider_between_bytes_ms == 0),
        ("bounds.provider_answer_ms_max", bounds.provider_answer_ms_max == 0),
        ("bounds.settle_wait_ms", bounds.settle_wait_ms == 0),
        ("bounds.sse_line_bytes_max", bounds.sse_line_bytes_max == 0),
    ] {
        if is_zero {
            return Err(ConfigError::invalid(setting, "must be above 0: with 0 nothing is served"));
        }
    }
    Ok(())
}

fn decode(table: &Table) -> Result<Config, ConfigError> {
    Config::deserialize(table.clone()).map_err(|error| ConfigError(describe(&error)))
}

/// The error's words, and for an unknown name the nearest known one.
fn describe(error: &toml::de::Error) -> String {
    let text = error.to_string();
    let quoted: Vec<&str> = error.message().split('`').skip(1).step_by(2).collect();
    let nearest = match quoted.split_first() {
        Some((unknown, known)) if error.message().starts_with("unknown field") => known
            .iter()
            .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
            .min()
            .filter(|(distance, name)| *distance <= name.len().div_ceil(2))
            .map(|(_, name)| format!("did you mean `{name}`?")),
        _ => None,
    };
    match nearest {
        Some(hint) => format!("{}\n{hint}", text.trim_end()),
        None => text.trim_end().to_owned(),
    }
}

/// `TOLLGATE_SERVER__LISTEN` is `server.listen`; `TOLLGATE_PROVIDERS__0__API_KEY` the first
/// provider's key. Kubernetes makes variables of its own that begin alike, so an unknown one is
/// only a warning.
fn with_environment(
    mut table: Table,
    environment: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> Result<Table, ConfigError> {
    for (name, text) in environment {
        let Some(path) = name.strip_prefix(PREFIX) else { continue };
        if NOT_SETTINGS.contains(&name.as_str()) {
            continue;
        }
        let path: Vec<String> = path.split("__").map(str::to_ascii_lowercase).collect();
        let as_text = Value::String(text.clone());
        let readings = [
            text.parse::<i64>().ok().map(Value::Integer),
            text.parse::<bool>().ok().map(Value::Boolean),
            Some(as_text),
        ];
        let mut outcome = None;
        for value in readings.into_iter().flatten() {
            let mut changed = table.clone();
            outcome = Some(match set(&mut changed, &path, value) {
                true => decode(&changed).map(|_| changed),
                false => Err(ConfigError("unknown field".into())),
            });
            if let Some(Ok(_)) = outcome {
                break;
            }
        }
        match outcome {
            Some(Ok(changed)) => table = changed,
            Some(Err(ConfigError(problem))) if !problem.contains("unknown field") => {
                return Err(ConfigError(format!("variable {name}: {problem}")));
            }
            _ => warnings.push(format!("variable {name} is not a setting and was ignored")),
        }
    }
    Ok(table)
}

fn set(table: &mut Table, path: &[String], value: Value) -> bool {
    let Some((last, sections)) = path.split_last() else { return false };
    let mut place = table;
    let mut sections = sections.iter().peekable();
    while let Some(section) = sections.next() {
        let inner = place.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        let inner = match (inner, sections.peek()) {
            (Value::Array(items), Some(index)) => {
                let item = index.parse::<usize>().ok().and_then(|index| items.get_mut(index));
                sections.next();
                match item {
                    Some(item) => item,
                    None => return false,
                }
            }
            (inner, _) => inner,
        };
        match inner {
            Value::Table(inner) => place = inner,
            _ => return false,
        }
    }
    place.insert(last.clone(), value);
    true
}

/// Puts the environment's value where `${NAME}` stands in a text.
fn expand(
    setting: &str,
    value: &mut Value,
    environment: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
) -> Result<(), ConfigError> {
    match value {
        Value::String(text) => {
            if setting.ends_with("api_key") && !text.is_empty() && !text.contains("${") {
                warnings.push(format!(
                    "setting `{setting}` is written out in the file; `${{NAME}}` keeps it in the environment"
                ));
            }
            *text = expanded(setting, text, environment)?;
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(&format!("{setting}[{index}]"), item, environment, warnings)?;
            }
        }
        Value::Table(items) => {
            for (name, item) in items {
                expand(&format!("{setting}.{name}"), item, environment, warnings)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn expanded(
    setting: &str,
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<String, ConfigError> {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| ConfigError::invalid(setting, "has `${` without `}`"))?;
        let value = environment.get(name).ok_or_else(|| {
            ConfigError::invalid(setting, format!("names ${{{name}}}, which is not set"))
        })?;
        result.push_str(before);
        result.push_str(value);
        rest = after;
    }
    result.push_str(rest);
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    const FILE: &str = r#"
        [server]
        listen = "127.0.0.1:1000"
        [[providers]]
        slug = "a"
        base_url = "http://127.0.0.1:1"
        api_key = "${A_KEY}"
    "#;

    #[test]
    fn variables_lie_over_the_file_and_secrets_come_from_the_environment() {
        let environment = environment(&[
            ("A_KEY", "one"),
            ("TOLLGATE_SERVER__LISTEN", "127.0.0.1:2000"),
            ("TOLLGATE_PROVIDERS__0__SLUG", "7"),
            ("TOLLGATE_BOUNDS__WAITING_MAX", "7"),
            ("TOLLGATE_MANAGEMENT_KEY", "is no setting"),
        ]);
        let loaded = parse(FILE, &environment).unwrap();
        assert_eq!(loaded.config.server.listen.port(), 2000);
        assert_eq!(loaded.config.providers[0].slug, "7");
        assert_eq!(loaded.config.providers[0].api_key.as_deref(), Some("one"));
        assert_eq!(loaded.config.bounds.waiting_max, 7);
        assert_eq!(loaded.warnings, Vec::<String>::new());
    }

    #[test]
    fn an_unknown_name_in_the_file_is_an_error_with_the_nearest_known_one() {
        let error = parse("[server]\nlistne = \"127.0.0.1:1\"", &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("unknown field `listne`"), "{error}");
        assert!(error.to_string().contains("did you mean `listen`?"), "{error}");
    }

    #[test]
    fn an_unknown_variable_is_a_warning() {
        let environment =
            environment(&[("TOLLGATE_PORT_8787_TCP", "tcp://10.0.0.1:8787"), ("A_KEY", "k")]);
        let loaded = parse(FILE, &environment).unwrap();
        assert_eq!(
            loaded.warnings,
            ["variable TOLLGATE_PORT_8787_TCP is not a setting and was ignored"]
        );
    }

    #[test]
    fn a_variable_of_the_wrong_kind_is_an_error_that_names_it() {
        let environment = environment(&[("TOLLGATE_SERVER__LISTEN", "nowhere"), ("A_KEY", "k")]);
        let error = parse(FILE, &environment).unwrap_err().to_string();
        assert!(error.contains("TOLLGATE_SERVER__LISTEN"), "{error}");
    }

    #[test]
    fn what_would_serve_nobody_is_an_error_that_names_the_setting() {
        for (text, setting) in [
            ("[api]\nlimit_spent_status = 500", "api.limit_spent_status"),
            ("[server]\npublic_url = \"junk\"", "server.public_url"),
            ("[server]\nworkers = 9999999", "server.workers"),
            ("[store]\nretention_days = 39", "store.retention_days"),
            ("[egress]\nproxy = \"socks5://me:secret@p\"", "egress.proxy"),
            ("[egress]\nproxy = \"http://p\"\nno_proxy = [\"10.0.0.0/8\"]", "egress.no_proxy"),
            ("[bounds]\nbody_bytes_max = 0", "bounds.body_bytes_max"),
            ("[bounds]\nin_flight_max = 0", "bounds.in_flight_max"),
        ] {
            let error = parse(text, &BTreeMap::new()).unwrap_err().to_string();
            assert!(error.contains(setting), "{error}");
        }
    }

    #[test]
    fn a_secret_that_is_not_set_is_an_error_and_one_written_out_a_warning() {
        let error = parse(FILE, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains("providers[0].api_key") && error.contains("${A_KEY}"), "{error}");
        let loaded = parse(&FILE.replace("${A_KEY}", "sk-1"), &BTreeMap::new()).unwrap();
        assert_eq!(loaded.warnings.len(), 1);
        assert!(!loaded.warnings[0].contains("sk-1"), "a warning must not show the secret");
    }
}
