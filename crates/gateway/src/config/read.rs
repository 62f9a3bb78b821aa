//! Reads a configuration: the file, then `TOLLGATE_…` variables over it, then `${NAME}` inside it,
//! then what is known of the providers and models it names.
//! Every error names the setting; an unknown name in the file is an error, an unknown variable a warning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use store::RETENTION_DAYS_MIN;
use toml::{Table, Value};

use super::decode::{decode, decode_one, told};
use super::{Config, ConfigError, Problems, built_in, written};

const PREFIX: &str = "TOLLGATE_";
/// More threads than any machine has a use for.
const WORKERS_MAX: usize = 1_024;
/// Variables of ours that are no settings.
const NOT_SETTINGS: [&str; 8] = [
    "TOLLGATE_MANAGEMENT_KEY",
    "TOLLGATE_MASTER_KEY",
    "TOLLGATE_CONFIG",
    "TOLLGATE_LOG",
    // What the command line asks a server by.
    "TOLLGATE_API_KEY",
    "TOLLGATE_MODEL",
    "TOLLGATE_PROFILE",
    "TOLLGATE_URL",
];

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
    /// Every setting but those of providers and models, with its value.
    pub settings: BTreeMap<String, Value>,
}

/// Reads the file at `path` and the variables in `environment`.
pub fn read(path: &Path, environment: &BTreeMap<String, String>) -> Result<Loaded, ConfigError> {
    examine(path, environment).taken()
}

/// What reading a configuration came to.
#[derive(Debug, Default)]
pub struct Examined {
    /// What it says, where it could be read that far: where there are problems too, only to find
    /// more of them.
    pub loaded: Option<Loaded>,
    /// What is wrong with it.
    pub problems: Problems,
}

impl Examined {
    /// The configuration, where nothing is wrong with it.
    fn taken(self) -> Result<Loaded, ConfigError> {
        self.problems.end()?;
        self.loaded.ok_or_else(|| ConfigError::plain("the configuration can't be read"))
    }
}

/// Reads as [`read`] does, and goes on after each problem as far as there is something to read.
pub fn examine(path: &Path, environment: &BTreeMap<String, String>) -> Examined {
    match std::fs::read_to_string(path) {
        Ok(text) => examine_text(&text, environment),
        Err(error) => {
            let mut examined = Examined::default();
            examined.problems.add(ConfigError::plain(format!("can't be read: {error}")));
            examined
        }
    }
}

#[cfg(test)]
pub(super) fn parse(
    text: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Loaded, ConfigError> {
    examine_text(text, environment).taken()
}

fn examine_text(text: &str, environment: &BTreeMap<String, String>) -> Examined {
    let mut examined = Examined::default();
    match text.parse::<Table>() {
        Ok(table) => {
            examined.loaded = loaded(table, environment, &mut examined.problems);
        }
        Err(error) => {
            // The error's own text quotes the line, which may hold a secret.
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let problem = ConfigError::plain(format!("line {line}: {}", error.message()));
            examined.problems.add(problem);
        }
    }
    examined
}

fn loaded(
    mut table: Table,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) -> Option<Loaded> {
    let mut warnings = Vec::new();
    for (name, value) in &table {
        written_out(name, value, &mut warnings);
    }
    let is_whole = decode(&mut table, problems)?.is_whole;
    let mut table = with_environment(table, environment, &mut warnings, problems);
    for (name, value) in &mut table {
        expand(name, value, environment, problems);
    }
    let settings = written::settings(&table);
    let written = decode(&mut table, problems)?.config;
    let mut list_priced = BTreeSet::new();
    let mut config = if is_whole {
        let filled = built_in::fill(&mut table, &written, problems);
        warnings.extend(filled.warnings);
        list_priced = filled.list_priced;
        decode(&mut table, problems)?.config
    } else {
        written
    };
    problems.take(config.telemetry.fill(environment, &mut warnings));
    sensible(&config, problems);
    // With something missing, providers and models are not yet what they will be.
    is_whole.then_some(Loaded { config, warnings, list_priced, settings })
}

/// Refuses what could be read and would serve nobody.
fn sensible(config: &Config, problems: &mut Problems) {
    let mut wrong = |setting: &str, problem: &str| {
        problems.add(ConfigError::invalid(setting, problem));
    };
    if !matches!(config.api.limit_spent_status, 402 | 403) {
        wrong("api.limit_spent_status", "must be 403 or 402");
    }
    let url = config.server.public_url.as_deref();
    if url.is_some_and(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        wrong("server.public_url", "must begin with http:// or https://");
    }
    if config.server.workers > WORKERS_MAX {
        let problem = format!("must be at most {WORKERS_MAX}");
        wrong("server.workers", &problem);
    }
    if config.store.retention_days.is_some_and(|days| days < RETENTION_DAYS_MIN) {
        let problem =
            format!("must be at least {RETENTION_DAYS_MIN}; left out, rows are kept for ever");
        wrong("store.retention_days", &problem);
    }
    let bounds = &config.bounds;
    for (setting, is_zero) in [
        ("bounds.body_bytes_max", bounds.body_bytes_max == 0),
        ("bounds.body_ms_max", bounds.body_ms_max == 0),
        ("bounds.bodies_bytes_max", bounds.bodies_bytes_max == 0),
        ("bounds.in_flight_max", bounds.in_flight_max == 0),
        ("bounds.attempts_max", bounds.attempts_max == 0),
        ("bounds.client_stall_ms", bounds.client_stall_ms == 0),
        ("bounds.provider_connect_ms", bounds.provider_connect_ms == 0),
        ("bounds.provider_first_byte_ms", bounds.provider_first_byte_ms == 0),
        ("bounds.provider_between_bytes_ms", bounds.provider_between_bytes_ms == 0),
        ("bounds.provider_answer_ms_max", bounds.provider_answer_ms_max == 0),
        ("bounds.settle_wait_ms", bounds.settle_wait_ms == 0),
        ("bounds.sse_line_bytes_max", bounds.sse_line_bytes_max == 0),
    ] {
        if is_zero {
            wrong(setting, "must be above 0: with 0 nothing is served");
        }
    }
    super::users::sensible(&config.users, problems);
    problems.take(config.telemetry.sensible());
    problems.take(config.egress.proxy());
}

/// `TOLLGATE_SERVER__LISTEN` is `server.listen`; `TOLLGATE_PROVIDERS__0__API_KEY` the first
/// provider's key. Kubernetes makes variables of its own that begin alike, so an unknown one is
/// only a warning.
fn with_environment(
    mut table: Table,
    environment: &BTreeMap<String, String>,
    warnings: &mut Vec<String>,
    problems: &mut Problems,
) -> Table {
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
                true => decode_one(&changed).map(|_| changed),
                false => Err("unknown field".to_owned()),
            });
            if let Some(Ok(_)) = outcome {
                break;
            }
        }
        match outcome {
            Some(Ok(changed)) => table = changed,
            Some(Err(problem)) if !problem.contains("unknown field") => {
                problems.add(ConfigError::in_variable(name, &told(&problem)));
            }
            _ => warnings.push(format!("variable {name} is not a setting and was ignored")),
        }
    }
    table
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

/// Warns of credentials that stand in the file itself.
fn written_out(setting: &str, value: &Value, warnings: &mut Vec<String>) {
    match value {
        Value::String(text)
            if is_credential(setting) && !text.is_empty() && !text.contains("${") =>
        {
            warnings.push(format!(
                "setting `{setting}` is written out in the file; `${{NAME}}` keeps it in the environment"
            ));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                written_out(&format!("{setting}[{index}]"), item, warnings);
            }
        }
        Value::Table(items) => {
            for (name, item) in items {
                written_out(&format!("{setting}.{name}"), item, warnings);
            }
        }
        _ => {}
    }
}

/// Whether a setting's value is most likely secret, by its name.
fn is_credential(setting: &str) -> bool {
    let name = setting.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let marks = ["key", "token", "secret", "auth", "cookie", "password"];
    name == "api_key"
        || (setting.contains(".headers.") && marks.iter().any(|mark| name.contains(mark)))
}

/// Puts the environment's value where `${NAME}` stands in a text.
fn expand(
    setting: &str,
    value: &mut Value,
    environment: &BTreeMap<String, String>,
    problems: &mut Problems,
) {
    match value {
        Value::String(text) => {
            if let Some(expanded) = problems.take(expanded(setting, text, environment)) {
                *text = expanded;
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                expand(&format!("{setting}[{index}]"), item, environment, problems);
            }
        }
        Value::Table(items) => {
            for (name, item) in items {
                expand(&format!("{setting}.{name}"), item, environment, problems);
            }
        }
        _ => {}
    }
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
        assert!(error.to_string().contains("`server.listne` is not known"), "{error}");
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

    #[test]
    fn a_secret_is_looked_for_in_headers_and_not_where_it_came_from_the_environment() {
        let headers =
            r#"headers = { x-api-key = "sk-1", x-team = "a", authorization = "${A_KEY}" }"#;
        let text = format!("{FILE}\n{headers}\n[telemetry.headers]\ncollector-token = \"t\"\n");
        let given = environment(&[("A_KEY", "k"), ("TOLLGATE_PROVIDERS__0__API_KEY", "sk-2")]);
        let warned: Vec<String> = parse(&text, &given)
            .unwrap()
            .warnings
            .iter()
            .map(|warning| warning.split('`').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(warned, ["providers[0].headers.x-api-key", "telemetry.headers.collector-token"]);
    }

    #[test]
    fn problems_of_every_kind_are_told_together_and_none_shows_a_value() {
        let text = r#"
            [server]
            workers = "sk-misplaced"
            public_url = "junk"
            [bounds]
            in_flight_max = 0
            [[providers]]
            slug = "nobody"
            api_key = "${NOT_SET}"
            [[providers]]
            slug = "groq"
            models = ["openai/none"]
            [[models]]
            id = "openai/gpt-4o-mni"
        "#;
        let given = environment(&[("TOLLGATE_SERVER__LISTEN", "nowhere"), ("TOLLGATE_X", "1")]);
        let examined = examine_text(text, &given);
        assert_eq!(examined.loaded.map(|loaded| loaded.warnings.len()), Some(1));
        let error = examined.problems.end().unwrap_err();
        let told: Vec<&str> = error.problems().collect();
        let named = [
            "setting `server.workers`",
            "variable TOLLGATE_SERVER__LISTEN is wrong",
            "setting `providers[0].api_key` names ${NOT_SET}",
            "setting `providers[0].base_url` is missing",
            "setting `providers[1].models` lists `openai/none`",
            "setting `models[0].endpoints` is missing",
            "setting `server.public_url`",
            "setting `bounds.in_flight_max`",
        ];
        assert_eq!(told.len(), named.len(), "{told:#?}");
        for (told, named) in told.iter().zip(named) {
            assert!(told.starts_with(named) && !told.contains("sk-misplaced"), "{told}");
        }
    }
}
