//! Every way in which a server refuses or is not there: what happened, which server and which key it
//! was, and what to do.

use insta::assert_snapshot;
use serde_json::json;

use super::Session;
use super::session::url;
use crate::clock::Clock;
use crate::world::{Form, World};

const UNKNOWN: &str = "sk-or-v1-0000000000000000000000000000000000000000000000000000000000000000";

#[tokio::test]
async fn without_a_server_or_a_key_it_is_said_what_was_looked_for() {
    let me = Session::new();
    let mut told = me.say("keys list").await;
    told.push_str(&me.say("keys list --profile prod").await);
    let me = me.set("TOLLGATE_URL", "http://127.0.0.1:8787/api/v1");
    told.push_str(&me.say("keys list").await);
    told.push_str(&me.say("chat --model a/b hello").await);
    let me = me.set("TOLLGATE_PROFILE", "prod");
    told.push_str(&me.say("keys list").await);
    assert_snapshot!(told, @r#"
    $ tollgate keys list
    [1]
    ! tollgate: no server is named: there is no --url or TOLLGATE_URL, no --profile or TOLLGATE_PROFILE, no current profile in HOME/.config/tollgate/config.toml, and no tollgate.toml of a local server. Say `--url http://127.0.0.1:8787/api/v1`, or keep one: `tollgate profile add NAME --url URL`
    $ tollgate keys list --profile prod
    [1]
    ! tollgate: there is no profile "prod" in HOME/.config/tollgate/config.toml (it has none); `tollgate profile add prod --url URL` makes it
    $ tollgate keys list
    [1]
    ! tollgate: this needs a management key of http://127.0.0.1:8787/api/v1 (from TOLLGATE_URL), and there is none: set TOLLGATE_API_KEY. `tollgate management-keys create --name NAME` makes one, beside the server
    $ tollgate chat --model a/b hello
    [1]
    ! tollgate: this needs an inference key of http://127.0.0.1:8787/api/v1 (from TOLLGATE_URL), and there is none: set TOLLGATE_API_KEY. `tollgate keys create NAME --limit 5` makes one
    $ tollgate keys list
    [1]
    ! tollgate: both TOLLGATE_URL and TOLLGATE_PROFILE name a server; unset one, or say `--url` or `--profile`
    "#);
}

#[tokio::test]
async fn where_nobody_listens_it_is_asked_whether_the_server_runs() {
    let mut world = World::start(&["small"]).await;
    world.tollgate.kill9();
    let address = world.tollgate.address().to_string();
    let me = Session::new().set("TOLLGATE_API_KEY", UNKNOWN).named(&address, "SERVER");
    let mut told = me.say(&format!("keys list --url http://{address}")).await;
    told.push_str(&me.say(&format!("profile add lab --url http://{address}")).await);
    told.push_str(&me.say("keys list").await);
    // The local server of the configuration in this folder, where no profile is.
    let local = Session::new().set("TOLLGATE_API_KEY", UNKNOWN).named(&address, "SERVER");
    local.file("tollgate.toml", &format!("[server]\nlisten = \"{address}\"\n"));
    told.push_str(&local.say("keys list").await);
    assert_snapshot!(told, @r#"
    $ tollgate keys list --url http://SERVER
    [1]
    ! tollgate: can't connect to http://SERVER/api/v1 (from --url): Connection refused (os error 111)
    !   is it running there? `tollgate serve` starts a server
    $ tollgate profile add lab --url http://SERVER
    [0]
    added lab: http://SERVER/api/v1 (key from TOLLGATE_API_KEY)
    it is the current profile
    $ tollgate keys list
    [1]
    ! tollgate: can't connect to http://SERVER/api/v1 (from profile "lab"): Connection refused (os error 111)
    !   is it running there? `tollgate serve` starts a server; `tollgate profile list` shows the addresses, `tollgate profile add lab --force --url URL` changes this one
    $ tollgate keys list
    [1]
    ! tollgate: can't connect to http://SERVER/api/v1 (from tollgate.toml): Connection refused (os error 111)
    !   is the server running? `tollgate serve --config tollgate.toml` starts it; `--url` or `--profile` names another
    "#);
}

#[tokio::test]
async fn a_key_that_is_unknown_or_of_the_wrong_kind_is_named_with_how_to_have_another() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({ "name": "ci" })).await;
    let mut told = String::new();
    let unknown = Session::at(&world, UNKNOWN);
    told.push_str(&unknown.say("keys list").await);
    let profile = Session::new()
        .set("STAGING_KEY", UNKNOWN)
        .named(&world.tollgate.address().to_string(), "SERVER");
    let add = format!("profile add staging --url {} --key-env STAGING_KEY", url(&world));
    profile.say(&add).await;
    told.push_str(&profile.say("key").await);
    let inference = Session::at(&world, &key.text);
    told.push_str(&inference.say("keys list").await);
    let manager = Session::of_manager(&world);
    told.push_str(&manager.say("chat --model test/small hello").await);
    assert_snapshot!(told, @r#"
    $ tollgate keys list
    [1]
    ! tollgate: User not found (401)
    !   the key is from TOLLGATE_API_KEY, for http://SERVER/api/v1 (TOLLGATE_URL)
    !   it is unknown there, or disabled, expired or deleted
    !   set TOLLGATE_API_KEY to another
    $ tollgate key
    [1]
    ! tollgate: User not found (401)
    !   the key is from the variable STAGING_KEY of profile "staging", for http://SERVER/api/v1 (profile "staging")
    !   it is unknown there, or disabled, expired or deleted
    !   put another into the variable STAGING_KEY, or name another profile
    $ tollgate keys list
    [1]
    ! tollgate: Only management keys can perform this operation (403)
    !   the key from TOLLGATE_API_KEY is no management key
    !   `tollgate management-keys create --name NAME` makes one, beside the server
    !   set TOLLGATE_API_KEY to another
    $ tollgate chat --model test/small hello
    [1]
    ! tollgate: Management keys cannot be used for inference (403)
    !   the key from TOLLGATE_API_KEY only administers
    !   `tollgate keys create NAME --limit 5` makes one for inference
    !   set TOLLGATE_API_KEY to another
    "#);
}

#[tokio::test]
async fn what_is_not_there_is_named_with_the_command_that_lists_what_is() {
    let world = World::start(&["small"]).await;
    let me = Session::of_manager(&world);
    let hash = "0".repeat(64);
    let mut told = String::new();
    for line in [
        format!("keys get {hash}"),
        "keys delete web --yes".to_owned(),
        "models get test/large".to_owned(),
        "generation gen-0".to_owned(),
        "workspaces get lab".to_owned(),
        "keys list --workspace lab".to_owned(),
        "usage --key web".to_owned(),
    ] {
        told.push_str(&me.say(&line).await);
    }
    assert_snapshot!(told, @r#"
    $ tollgate keys get 0000000000000000000000000000000000000000000000000000000000000000
    [1]
    ! tollgate: there is no key "0000000000000000000000000000000000000000000000000000000000000000" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    $ tollgate keys delete web --yes
    [1]
    ! tollgate: there is no key "web" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    $ tollgate models get test/large
    [1]
    ! tollgate: there is no model "test/large" at http://SERVER/api/v1
    !   `tollgate models` lists what there is
    $ tollgate generation gen-0
    [1]
    ! tollgate: there is no generation "gen-0" at http://SERVER/api/v1
    !   it is seen by the key that made it and by management keys, until retention seals it; its id is in the answer, and `chat` shows it
    $ tollgate workspaces get lab
    [1]
    ! tollgate: there is no workspace "lab" at http://SERVER/api/v1
    !   `tollgate workspaces list` lists what there is
    $ tollgate keys list --workspace lab
    [1]
    ! tollgate: there is no workspace "lab" at http://SERVER/api/v1
    !   `tollgate workspaces list` lists what there is
    $ tollgate usage --key web
    [1]
    ! tollgate: there is no key "web" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    "#);
}

#[tokio::test]
async fn a_limit_that_refuses_is_named_with_its_figures_and_when_it_resets() {
    let clock = Clock::at("2026-11-21T22:50:00Z");
    let world = clock.world("UTC").await;
    let key = world.key(json!({ "limit": 0.00007922, "limit_reset": "daily" })).await;
    let me = Session::at(&world, &key.text);
    world.ask(&key, "small", Form::Json, None).await.expect("an answer");
    let mut told = me.say("chat --model test/small --max-tokens 100 hello").await;
    let manager = Session::of_manager(&world);
    manager.printed(&format!("keys update {} --limit 0.00001", key.hash)).await;
    told.push_str(&me.say("chat --model test/small hello").await);
    told.push_str(&me.say("key").await.replace(&workspace(&manager).await, "WORKSPACE"));
    let label = format!("{}...{}", &key.text[..12], &key.text[69..]);
    assert_snapshot!(told.replace(&label, "LABEL"), @r"
    $ tollgate chat --model test/small --max-tokens 100 hello
    [1]
    ! tollgate: this key's limit of $0.00007922 leaves too little for this request: $0.00007921 spent, resets 2026-11-22T00:00:00Z
    !   the server says: Prompt tokens limit exceeded: 128 > 0. To increase, visit http://SERVER/settings/keys and create a key with a higher daily limit
    !   `tollgate key` shows every limit it is under; whoever has a management key raises its own: `tollgate keys update KEY --limit DOLLARS`
    $ tollgate chat --model test/small hello
    [1]
    ! tollgate: this key's limit of $0.00001 is spent: $0.00007921 spent, resets 2026-11-22T00:00:00Z
    !   the server says: Key limit exceeded (daily limit). Manage it using http://SERVER/settings/keys
    !   `tollgate key` shows every limit it is under; whoever has a management key raises its own: `tollgate keys update KEY --limit DOLLARS`
    $ tollgate key
    [0]
    label      LABEL
    of         http://SERVER/api/v1 (TOLLGATE_URL)
    from       TOLLGATE_API_KEY
    kind       inference
    limit      $0.00001 daily
    left       -$0.00006921
    spent      $0.00007921 ($0.00007921 today, $0.00007921 this week, $0.00007921 this month)
    workspace  WORKSPACE
    expires    never

    LAYER             WINDOW     LIMIT        SPENT          LEFT  RESETS
    this key's limit  daily   $0.00001  $0.00007921  -$0.00006921  2026-11-22T00:00:00Z  spent
    ");
}

async fn workspace(me: &Session) -> String {
    me.printed("workspaces list --quiet").await.trim().to_owned()
}

#[tokio::test]
async fn what_is_no_such_api_is_said_to_be_none() {
    let world = World::start(&["small"]).await;
    let me = Session::of_manager(&world);
    let wrong = format!("http://{}/nowhere", world.tollgate.address());
    assert_snapshot!(me.say(&format!("credits --url {wrong}")).await, @r"
    $ tollgate credits --url http://SERVER/nowhere
    [1]
    ! tollgate: Resource not found (404)
    !   is http://SERVER/nowhere the API? its address mostly ends in /api/v1; this one is from --url
    ");
}
