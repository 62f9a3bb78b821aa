//! What is said of a configuration: all that is wrong with it at once, every setting there is, and
//! what a reload does not put in force.

use std::fs;

use insta::assert_snapshot;
use serde_json::json;
use tempfile::TempDir;

use crate::transcript::{transcript, transcript_with};
use crate::world::World;

fn folder(config: &str) -> TempDir {
    let folder = TempDir::with_prefix("tollgate-config-").expect("a folder");
    fs::write(folder.path().join("tollgate.toml"), config).expect("a file");
    folder
}

const GOOD: &str = r#"
    [[providers]]
    slug = "own"
    base_url = "http://127.0.0.1:9/v1"
    api_key = "${OWN_KEY}"
    [[models]]
    id = "own/small"
    context_length = 8192
    [[models.endpoints]]
    provider = "own"
    pricing = { prompt = "0.00000015", completion = "0.0000006" }
"#;

#[test]
fn a_good_configuration_is_shown_with_what_its_owner_should_know() {
    let folder = folder(GOOD);
    let variables = [("OWN_KEY", "k"), ("TOLLGATE_PORT_8787_TCP", "tcp://10.0.0.1:8787")];
    assert_snapshot!(transcript_with(folder.path(), "config check", &variables), @r"
    $ tollgate config check
    [0]
    MODEL      PROVIDER  UPSTREAM MODEL  PROMPT  COMPLETION
    own/small  own       own/small       0.15    0.6
    the configuration is good
    ! warning: variable TOLLGATE_PORT_8787_TCP is not a setting and was ignored
    ");
    let written_out = GOOD.replace("${OWN_KEY}", "sk-1");
    fs::write(folder.path().join("tollgate.toml"), written_out).expect("a file");
    assert_snapshot!(transcript(folder.path(), "config check"), @r"
    $ tollgate config check
    [0]
    MODEL      PROVIDER  UPSTREAM MODEL  PROMPT  COMPLETION
    own/small  own       own/small       0.15    0.6
    the configuration is good
    ! warning: setting `providers[0].api_key` is written out in the file; `${NAME}` keeps it in the environment
    ");
}

#[test]
fn all_that_is_wrong_is_said_at_once_and_no_secret_with_it() {
    let folder = folder(
        r#"
        [server]
        listne = "127.0.0.1:1"
        workers = "sk-misplaced"
        [store]
        url = "sqlite:nowhere/tollgate.db"
        [egress]
        ca_file = "absent.pem"
        [log]
        level = "loud"
        [[providers]]
        slug = "own"
        base_url = "own"
        api_key = "${OWN_KEY}"
        [[providers]]
        slug = "other"
        base_url = "http://127.0.0.1:9"
        api = "gopher"
        [[models]]
        id = "own/small"
        context_length = 8192
        [[models.endpoints]]
        provider = "own"
        pricing = { prompt = "cheap", completion = "0.0000006" }
        [[models.endpoints]]
        provider = "nobody"
        tokenizer = "none"
        pricing = { prompt = "-1", completion = "0.0000006" }
        [[models]]
        id = "own/small"
        "#,
    );
    let variables = [("TOLLGATE_MANAGEMENT_KEY", "short"), ("TOLLGATE_BOUNDS__WAITING_MAX", "few")];
    assert_snapshot!(transcript_with(folder.path(), "config check", &variables), @r#"
    $ tollgate config check
    [1]
    ! error: setting `server.listne` is not known; did you mean `listen`?
    ! error: setting `server.workers` is wrong: invalid type: a text, expected a whole number
    ! error: variable TOLLGATE_BOUNDS__WAITING_MAX is wrong: invalid type: a text, expected a whole number
    ! error: setting `providers[0].api_key` names ${OWN_KEY}, which is not set
    ! error: setting `models[1].endpoints` is missing, and `own/small` is no built-in model
    ! error: setting `providers[0].base_url` must begin with http:// or https://
    ! error: setting `providers[1].api` must be `openai`, the one wire format of this version
    ! error: setting `models[0].endpoints[0].pricing.prompt` is `cheap`: not a decimal number
    ! error: setting `models[0].endpoints[1].provider` names `nobody`, which is none of the providers
    ! error: setting `models[0].endpoints[1].pricing.prompt` is `-1`: negative
    ! error: setting `models[0].endpoints[1].tokenizer` no tokenizer is named "none"; bundled are o200k_base, o200k_harmony, cl100k_base, p50k_base, p50k_edit, r50k_base
    ! error: setting `models[1].id` is used twice
    ! error: setting `store.url`: there is no folder ./nowhere to keep the store in; make it first
    ! error: setting `egress.ca_file`: ./absent.pem cannot be read as PEM: I/O error: No such file or directory (os error 2)
    ! error: setting `log.level`: `loud` is none of off, error, warn, info, debug, trace
    ! error: TOLLGATE_MANAGEMENT_KEY must have at least 32 characters
    ! tollgate.toml has 16 problems
    "#);
}

#[test]
fn what_can_not_be_read_is_said() {
    let folder = folder("[server");
    assert_snapshot!(transcript(folder.path(), "config check"), @r"
    $ tollgate config check
    [1]
    ! error: line 1: unclosed table, expected `]`
    ! tollgate.toml has 1 problem
    ");
    assert_snapshot!(transcript(folder.path(), "config check --config nowhere.toml"), @r"
    $ tollgate config check --config nowhere.toml
    [1]
    ! error: can't be read: No such file or directory (os error 2)
    ! nowhere.toml has 1 problem
    ");
    assert_snapshot!(transcript(folder.path(), "config check --nonsense"), @r"
    $ tollgate config check --nonsense
    [2]
    ! error: unexpected argument '--nonsense' found
    !
    ! Usage: tollgate config check [OPTIONS]
    !
    ! For more information, try '--help'.
    ");
}

#[test]
fn the_defaults_are_a_good_configuration() {
    let folder = folder("");
    let told = transcript(folder.path(), "config default");
    let text = told.strip_prefix("$ tollgate config default\n[0]\n").expect("a success");
    fs::write(folder.path().join("tollgate.toml"), text).expect("a file");
    assert_snapshot!(transcript(folder.path(), "config check"), @r"
    $ tollgate config check
    [0]
    no models are served: name them under [[models]], or as a provider's `models`
    the configuration is good
    ");
}

#[tokio::test]
async fn a_reload_names_what_waits_for_the_next_start() {
    let world = World::start(&["small"]).await;
    world.key(json!({})).await;
    let path = world.tollgate.config_path();
    let text = fs::read_to_string(&path).expect("a configuration");
    let reload = async || {
        let output = world.tollgate.run(["config", "reload"]).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    assert_eq!(reload().await, (Some(0), String::new()));
    let changed = text.replace("[server]", "[server]\npublic_url = \"https://gate.example\"");
    fs::write(&path, format!("{changed}\n[bounds]\nwaiting_max = 7\n")).expect("a file");
    let waits =
        |name| format!("warning: setting `{name}` was changed; it waits for the next start\n");
    let expected = waits("bounds.waiting_max") + &waits("server.public_url");
    assert_eq!(reload().await, (Some(0), expected));
    fs::write(&path, &text).expect("a file");
    assert_eq!(reload().await, (Some(0), String::new()));
}
