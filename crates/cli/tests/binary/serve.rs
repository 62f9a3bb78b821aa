//! What a person who runs it meets: starts that are refused and say why, management keys, stops,
//! reloads. And that no secret is ever written (DESIGN I6, "Configuration").

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Behaviour, FakeUpstream, Prices, Tokens};
use tokio::task::JoinSet;

use crate::world::{
    COMPLETION_TOKENS_MAX, CREDENTIAL, Form, World, amount, ask, cost, model, model_at, provider,
    said, sum, worst,
};

/// A second credential, which a header carries.
const HEADER: &str = "header-credential-5e7d21";
const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// How long what a signal brings about may take.
const SOON: Duration = Duration::from_secs(20);

/// Runs a `serve` that must not come to serve, with those variables alone.
fn refused(folder: &Path, config: &str, variables: &[(&str, &str)]) -> Output {
    let path = folder.join("tollgate.toml");
    fs::write(&path, config).expect("a file");
    // Without the bound, one that did come to serve would never end.
    let mut command = Command::new("timeout");
    command.args(["20", env!("CARGO_BIN_EXE_tollgate"), "serve", "--config"]).arg(&path);
    command.env_clear().envs(variables.iter().copied()).env("PATH", "/usr/bin:/bin");
    let output = command.stdin(Stdio::null()).output().expect("a command that runs");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    output
}

fn folder() -> TempDir {
    TempDir::with_prefix("tollgate-serve-").expect("a folder")
}

/// Looks until it is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}: it never came");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn status(world: &World, key: &str) -> u16 {
    world.client().get(key, "/keys").await.expect("an answer").status
}

#[tokio::test]
async fn a_second_server_on_the_same_book_is_refused_and_told_who_has_it() {
    let world = World::start(&["small"]).await;
    let second = world.tollgate.run(["serve"]).await;
    assert_eq!(second.status.code(), Some(1), "{}", said(&second));
    let pid = world.tollgate.pid().to_string();
    assert!(said(&second).contains(&pid), "{} does not name {pid}", said(&second));
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, NAMED).await.expect("the first serves on").paid();
}

#[test]
fn a_first_start_without_a_management_key_says_what_to_set() {
    let folder = folder();
    let output = refused(folder.path(), "[server]\nlisten = \"127.0.0.1:0\"", &[]);
    assert!(said(&output).contains("TOLLGATE_MANAGEMENT_KEY"), "{}", said(&output));
    let weak = refused(
        folder.path(),
        "[server]\nlisten = \"127.0.0.1:0\"",
        &[("TOLLGATE_MANAGEMENT_KEY", "letmein")],
    );
    assert!(said(&weak).contains("32"), "{}", said(&weak));
    assert!(!said(&weak).contains("letmein"), "the key is shown: {}", said(&weak));
}

#[test]
fn a_configuration_that_is_wrong_names_the_setting_and_shows_no_secret() {
    let folder = folder();
    let unknown = refused(folder.path(), "[server]\nlistne = \"127.0.0.1:0\"", &[]);
    assert!(said(&unknown).contains("listne"), "{}", said(&unknown));
    assert!(said(&unknown).contains("did you mean `listen`?"), "{}", said(&unknown));
    let unset =
        "[[providers]]\nslug = \"a\"\nbase_url = \"http://127.0.0.1:9\"\napi_key = \"${NOT_SET}\"";
    let unset = refused(folder.path(), unset, &[]);
    assert!(said(&unset).contains("${NOT_SET}"), "{}", said(&unset));
    let broken = refused(folder.path(), "[[providers]]\napi_key = \"sk-secret", &[]);
    assert!(!said(&broken).contains("sk-secret"), "{}", said(&broken));
    let unpriced = "[[providers]]\nslug = \"a\"\nbase_url = \"http://127.0.0.1:9\"\n\
        [[models]]\nid = \"a/b\"\ncontext_length = 9\n[[models.endpoints]]\nprovider = \"a\"";
    let unpriced =
        refused(folder.path(), unpriced, &[("TOLLGATE_MANAGEMENT_KEY", &"k".repeat(40))]);
    assert!(said(&unpriced).contains("models[0].endpoints[0].pricing"), "{}", said(&unpriced));
}

#[test]
fn a_folder_that_can_not_be_written_is_named() {
    let folder = folder();
    for url in ["sqlite:/proc/tollgate.db", "sqlite:nowhere/tollgate.db"] {
        let config = format!("[server]\nlisten = \"127.0.0.1:0\"\n[store]\nurl = \"{url}\"");
        let output = refused(folder.path(), &config, &[]);
        let place = if url.contains("proc") { "/proc" } else { "nowhere" };
        assert!(said(&output).contains(place), "{}", said(&output));
    }
}

#[test]
fn a_start_that_is_refused_for_its_port_leaves_no_book() {
    let folder = folder();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let config = format!("[server]\nlisten = \"{address}\"");
    let key = "k".repeat(40);
    let output = refused(folder.path(), &config, &[("TOLLGATE_MANAGEMENT_KEY", &key)]);
    assert!(said(&output).contains(&format!("can't listen on {address}")), "{}", said(&output));
    let files = fs::read_dir(folder.path()).expect("a folder");
    let names: Vec<_> = files.map(|file| file.expect("a file").file_name()).collect();
    assert_eq!(names, ["tollgate.toml"]);
}

#[tokio::test]
async fn a_variable_that_is_no_setting_is_only_warned_of() {
    let variable = "TOLLGATE_PORT_8787_TCP";
    let world =
        World::with(&["small"], "", |builder| builder.env(variable, "tcp://10.0.0.1:8787")).await;
    let log = world.tollgate.log();
    assert!(log.contains("WARN") && log.contains(variable), "{log}");
}

#[tokio::test]
async fn a_management_key_that_was_revoked_stays_revoked_though_the_environment_still_has_it() {
    let mut world = World::start(&["small"]).await;
    let first = world.tollgate.management_key().to_owned();
    let second = world.command(&["management-keys", "create", "--name", "second"]).await;
    let second = second.trim();
    assert_eq!((status(&world, &first).await, status(&world, second).await), (200, 200));
    world.command(&["management-keys", "revoke", "environment"]).await;
    assert_eq!((status(&world, &first).await, status(&world, second).await), (401, 200));
    world.tollgate.restart().await;
    assert_eq!((status(&world, &first).await, status(&world, second).await), (401, 200));
    let again = world.tollgate.run(["management-keys", "revoke", "environment"]).await;
    assert_eq!(again.status.code(), Some(1), "{}", said(&again));
    let inference = world.client().chat(second, "test/small", &json!({})).await.expect("an answer");
    assert_eq!(inference.status, 403, "management keys cannot infer");
}

#[tokio::test]
async fn management_keys_are_made_listed_and_revoked_without_a_server_too() {
    let mut world = World::start(&["small"]).await;
    world.tollgate.term().await;
    let made = world.command(&["management-keys", "create", "--name", "offline"]).await;
    let listed = world.command(&["management-keys", "list", "--json"]).await;
    assert!(!listed.contains(made.trim()), "a key's text is shown a second time");
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("a list");
    let names: Vec<_> = listed.iter().map(|key| key["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["environment", "offline"]);
    world.tollgate.restart().await;
    assert_eq!(status(&world, made.trim()).await, 200);
    world.tollgate.term().await;
    world.command(&["management-keys", "revoke", "offline"]).await;
    world.tollgate.restart().await;
    assert_eq!(status(&world, made.trim()).await, 401);
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish_and_takes_no_new_ones() {
    let mut world = World::start(&["small"]).await;
    world.upstream.on("small", Behaviour::new().prompt_tokens(40));
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    let client = world.client().below("");
    // What is still answered while the stop begins is answered well.
    let closed = until("new connections", async || client.get(None, "/health").await.is_err());
    let release = async {
        closed.await;
        gate.release();
    };
    tokio::join!(world.tollgate.term(), release);
    for told in asking.join_all().await {
        assert_eq!(told.expect("an answer to its last byte").paid(), cost(40, 16));
    }
    world.tollgate.restart().await;
    assert_eq!(world.usage(&key).await, sum([cost(40, 16), cost(40, 16)]));
    assert_eq!(world.holds().await, Vec::<Value>::new());
    world.audit().await;
}

#[tokio::test]
async fn a_stop_is_bounded_and_what_it_cuts_short_is_charged_at_the_next_start() {
    let bounds = |builder: testkit::Builder| builder.env("TOLLGATE_SERVER__SHUTDOWN_SECONDS", "1");
    let mut world = World::with(&["small"], "", bounds).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking = tokio::spawn(async move { ask(&client, &own, "small", Form::Json, NAMED).await });
    gate.until_waiting(1).await;
    let began = Instant::now();
    world.tollgate.term().await;
    assert!(began.elapsed() < SOON, "the stop took {:?}", began.elapsed());
    assert!(asking.await.expect("no panic").is_err());
    gate.release();
    world.tollgate.restart().await;
    let holds = world.holds().await;
    assert_eq!(holds.len(), 1, "{holds:?}");
    assert_eq!(world.usage(&key).await, worst(COMPLETION_TOKENS_MAX));
    world.audit().await;
}

/// Replaces a text in the gateway's configuration file.
fn rewrite(world: &World, from: &str, to: &str) {
    let path = world.tollgate.config_path();
    let text = fs::read_to_string(&path).expect("a configuration");
    assert!(text.contains(from), "{from} is not in {text}");
    fs::write(&path, text.replace(from, to)).expect("a file");
}

#[tokio::test]
async fn a_reload_changes_prices_and_calls_in_flight_keep_theirs() {
    let world = World::start(&["small"]).await;
    world.upstream.on("small", Behaviour::new().prompt_tokens(40));
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking =
        tokio::spawn(async move { ask(&client, &own, "small", Form::Stream, NAMED).await });
    gate.until_waiting(1).await;
    rewrite(&world, "0.00000015", "0.00000025");
    world.command(&["config", "reload"]).await;
    gate.release();
    let before = asking.await.expect("no panic").expect("an answer").paid();
    assert_eq!(before, cost(40, 16), "the price it was admitted at");
    let tokens = Tokens { prompt: 40, completion: 16, ..Tokens::default() };
    let dearer = Prices::new("0.00000025", "0.0000006001").cost(&tokens);
    let after = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    assert_eq!(after, dearer);
    rewrite(&world, "0.00000025", "-1");
    let refused = world.tollgate.run(["config", "reload"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
    let still = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    assert_eq!(still, dearer, "what is refused changes nothing");
    assert_eq!(world.usage(&key).await, sum([before, after, still]));
    world.audit().await;
}

#[tokio::test]
async fn a_hangup_reads_the_models_again() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let unknown = world.ask(&key, "large", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(unknown.status, 400, "{}", unknown.body);
    let path = world.tollgate.config_path();
    let text = fs::read_to_string(&path).expect("a configuration");
    fs::write(&path, format!("{text}\n{}", model("large"))).expect("a file");
    let pid = i32::try_from(world.tollgate.pid()).expect("a process id");
    let pid = Pid::from_raw(pid).expect("a process id");
    kill_process(pid, Signal::HUP).expect("a signal to an own child");
    until("the new model", async || {
        world.ask(&key, "large", Form::Json, NAMED).await.expect("an answer").status == 200
    })
    .await;
}

#[tokio::test]
async fn holds_that_wait_for_the_disk_pay_for_the_same() {
    let store = "[store]\nhold_sync = true";
    let mut world = World::with(&["small"], store, |builder| builder).await;
    let key = world.key(json!({})).await;
    let mut asking = JoinSet::new();
    for number in 0..40 {
        let (client, key) = (world.client(), key.clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    let told = asking.join_all().await;
    let paid = sum(told.into_iter().map(|told| told.expect("an answer").paid()));
    world.tollgate.kill9();
    world.tollgate.restart().await;
    assert_eq!(world.usage(&key).await, paid);
    assert_eq!(world.charged("small"), paid);
    world.audit().await;
}

#[tokio::test]
async fn no_secret_is_in_any_file_or_error_though_all_is_logged() {
    let upstream = FakeUpstream::start().await;
    let tollgate = crate::world::builder()
        .config(&provider(&upstream, "headers = { x-api-key = \"${HEADER_SECRET}\" }"))
        .config(&model("small"))
        .config(&model_at("dear", "1", "1", ""))
        .env("HEADER_SECRET", HEADER)
        .env("TOLLGATE_LOG", "trace")
        .start()
        .await;
    let mut world = World { upstream, tollgate };
    let key = world.key(json!({ "limit": 1 })).await;
    let made = world.command(&["management-keys", "create", "--name", "second"]).await;
    let mut errors = Vec::new();
    let echo = format!(
        r#"{{"error":{{"message":"key {CREDENTIAL} and {HEADER} and Bearer {CREDENTIAL} and sk-other-0123456789abcdef"}}}}"#
    );
    for (status, form) in [(400, Form::Json), (429, Form::Stream), (500, Form::Json)] {
        world.upstream.on("small", Behaviour::new().status(status, &echo));
        errors.push(world.ask(&key, "small", form, NAMED).await.expect("an answer").body);
    }
    errors.push(world.ask(&key, "dear", Form::Json, NAMED).await.expect("an answer").body);
    world.upstream.on("small", Behaviour::new());
    for form in [Form::Json, Form::Stream] {
        world.ask(&key, "small", form, NAMED).await.expect("an answer").paid();
    }
    let almost = format!("{}0", key.text);
    let client = world.client();
    errors.push(client.get(almost.as_str(), "/key").await.expect("an answer").text());
    errors.push(client.get(key.text.as_str(), "/keys").await.expect("an answer").text());
    let manager = world.tollgate.management_key().to_owned();
    errors.push(client.chat(manager.as_str(), "test/small", &json!({})).await.expect("a").text());
    // The text of a key in a path, where its hash belongs.
    let mistaken = format!("/keys/{}", key.text);
    for (caller, path) in [(manager.as_str(), mistaken.as_str()), (&key.text, &mistaken)] {
        errors.push(client.get(caller, path).await.expect("an answer").text());
        errors.push(client.delete(caller, path).await.expect("an answer").text());
    }
    let secrets =
        [key.text.as_str(), &manager, made.trim(), CREDENTIAL, HEADER, "sk-other-0123456789abcdef"];
    let secrets = secrets.map(|secret| secret.strip_prefix("sk-or-v1-").unwrap_or(secret));
    for error in &errors {
        let shown = secrets.iter().find(|secret| error.contains(**secret));
        assert_eq!(shown, None, "in an answer: {error}");
    }
    // A request left on hold, so that its record is in a file too.
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking = tokio::spawn(async move { ask(&client, &own, "small", Form::Json, NAMED).await });
    gate.until_waiting(1).await;
    nowhere_in(&world, &secrets);
    gate.release();
    asking.await.expect("no panic").expect("an answer").paid();
    world.tollgate.term().await;
    world.tollgate.restart().await;
    nowhere_in(&world, &secrets);
    assert!(world.tollgate.log().contains("DEBUG"), "all was to be logged");
    assert!(!amount(&world.facts(&key).await, "/data/usage").is_zero());
}

fn nowhere_in(world: &World, secrets: &[&str]) {
    let mut looked_at = Vec::new();
    for file in fs::read_dir(world.tollgate.folder()).expect("a folder") {
        let path = file.expect("a file").path();
        // A socket has nothing to read.
        let Ok(bytes) = fs::read(&path) else { continue };
        for secret in secrets {
            let is_there = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
            assert!(!is_there, "a secret is in {}", path.display());
        }
        looked_at.push(path.file_name().expect("a name").to_string_lossy().into_owned());
    }
    for name in ["tollgate.db", "tollgate.db-wal", "tollgate.db.holds", "output.log"] {
        assert!(looked_at.iter().any(|file| file == name), "{name} is not among {looked_at:?}");
    }
}
