//! Who spends, how fast: once, as lines, and where there is no terminal.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::Session;
use super::session::url;
use crate::world::{Form, World};

#[tokio::test]
async fn one_table_shows_keys_with_what_they_have_spent_and_what_is_on_hold() {
    let world = World::start(&["small"]).await;
    let ci = world.key(json!({ "name": "ci", "limit": 1, "limit_reset": "daily" })).await;
    let web = world.key(json!({ "name": "web" })).await;
    world.ask(&ci, "small", Form::Json, Some(50)).await.expect("an answer").paid();
    let me = Session::of_manager(&world).named(&ci.hash[..12], "CI").named(&web.hash[..12], "WEB");
    let mut told = me.say("top --once --interval 1s --sort usage").await;
    // One request is in flight, and holds its worst case.
    let gate = world.upstream.hold_answers("small");
    let client = world.client();
    let asking = tokio::spawn(async move {
        crate::world::ask(&client, &web, "small", Form::Json, Some(50)).await
    });
    gate.until_waiting(1).await;
    told.push_str(&me.say("top --once --interval 1s --sort left").await);
    told.push_str(&me.say("top").await);
    drop(gate);
    asking.await.expect("a task").expect("an answer").paid();
    assert_snapshot!(told, @r"
    $ tollgate top --once --interval 1s --sort usage
    [0]
    $0.00 a minute   today $0.000010802   in all $0.000010802
    on hold $0.00 in 0 requests
    KEY  HASH          STATE   $/MIN         TODAY         SPENT          LEFT  RESET
    ci   CI  active  $0.00  $0.000010802  $0.000010802  $0.999989198  daily
    web  WEB  active  $0.00         $0.00         $0.00             –  –
    $ tollgate top --once --interval 1s --sort left
    [0]
    $0.00 a minute   today $0.000010802   in all $0.000010802
    on hold $0.000049205 in 1 request
    KEY  HASH          STATE   $/MIN         TODAY         SPENT          LEFT  RESET
    ci   CI  active  $0.00  $0.000010802  $0.000010802  $0.999989198  daily
    web  WEB  active  $0.00         $0.00         $0.00             –  –
    $ tollgate top
    [2]
    ! tollgate: `top` fills a terminal, and there is none; `--once` prints one table, `--json` a line for each reading
    ");
}

#[tokio::test]
async fn what_is_on_hold_is_read_at_the_admin_address_or_said_to_be_unavailable() {
    let admin = free();
    let toml = format!("[server]\nadmin_listen = \"{admin}\"\n");
    let world = World::with(&["small"], &toml, |builder| builder).await;
    let me = Session::of_manager(&world).named(&admin, "ADMIN");
    let mut told = me.say(&format!("top --once --interval 1s --admin {admin}")).await;
    // Nobody listens there.
    told.push_str(&me.say("top --once --interval 1s --admin 127.0.0.1:1").await);
    // The local server of the configuration, whose admin address stands in it.
    let local = Session::new().set("TOLLGATE_API_KEY", world.tollgate.management_key());
    let config = world.tollgate.config_path().display().to_string();
    let view = local.printed(&format!("top --once --interval 1s --json --config {config}")).await;
    let view: Value = serde_json::from_str(&view).expect("a document");
    assert_eq!(view["holds"], json!({ "from": "metrics", "open": 0, "credits": 0, "byok": 0 }));
    // Without its metrics, the control socket knows the charges that wait for a person.
    let local = local.set("FAKE_PROVIDER_KEY", crate::world::CREDENTIAL);
    let line = format!("top --once --interval 1s --json --admin 127.0.0.1:1 --config {config}");
    let view: Value = serde_json::from_str(&local.printed(&line).await).expect("a document");
    assert_eq!(view["holds"], json!({ "from": "control_socket", "unresolved": 0, "charged": 0 }));
    assert_snapshot!(told, @r"
    $ tollgate top --once --interval 1s --admin ADMIN
    [0]
    $0.00 a minute   today $0.00   in all $0.00
    on hold $0.00 in 0 requests
    KEY  HASH  STATE  $/MIN  TODAY  SPENT  LEFT  RESET
    $ tollgate top --once --interval 1s --admin 127.0.0.1:1
    [0]
    $0.00 a minute   today $0.00   in all $0.00
    holds unavailable: no metrics at 127.0.0.1:1: Connection refused (os error 111)
    KEY  HASH  STATE  $/MIN  TODAY  SPENT  LEFT  RESET
    ");
}

/// An address that nobody listens at.
fn free() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").to_string()
}

#[tokio::test]
async fn a_program_gets_a_line_for_each_reading() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({ "name": "ci" })).await;
    let me = Session::new().set("TOLLGATE_API_KEY", world.tollgate.management_key());
    let url = url(&world);
    let mut command = me.command(&["top", "--json", "--interval", "1s", "--url", &url]);
    let mut child = command.stdout(Stdio::piped()).spawn().expect("a binary that runs");
    let stdout = child.stdout.take().expect("its stdout");
    let read = move || {
        let mut lines = BufReader::new(stdout).lines();
        move || -> Value {
            serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("a view")
        }
    };
    let (first, later) = tokio::task::spawn_blocking(move || {
        let mut next = read();
        (next(), next())
    })
    .await
    .expect("a thread");
    child.kill().expect("an end");
    child.wait().expect("an end");
    assert_eq!(first["usd_per_minute"], Value::Null);
    assert_eq!(later["usd_per_minute"], 0);
    assert_eq!(later["keys"][0]["hash"], key.hash);
}
