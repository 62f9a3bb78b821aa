//! The process harness, held against a program that has tollgate's command line.
//! What a black-box test relies on: readiness, kill, end, restart, log and commands.

use std::time::Duration;

use testkit::{Builder, Tollgate};

fn stand_in() -> Builder {
    Tollgate::builder(env!("CARGO_BIN_EXE_tollgate-stand-in"))
}

#[tokio::test]
async fn it_is_ready_when_started_and_starts_again_at_the_same_address_after_a_kill() {
    let mut tollgate = stand_in().config("[server]\nworkers = 1").start().await;
    let (address, first) = (tollgate.address(), tollgate.pid());
    let root = tollgate.client().below("");
    assert_eq!(root.get(None, "/ready").await.expect("an answer").status, 200);

    tollgate.kill9();
    assert!(root.get(None, "/ready").await.is_err(), "it still answers");

    tollgate.restart().await;
    assert_eq!(tollgate.address(), address);
    assert_ne!(tollgate.pid(), first);
    assert_eq!(root.get(None, "/ready").await.expect("an answer").status, 200);
}

#[tokio::test]
async fn term_waits_for_a_clean_exit_and_the_log_keeps_every_start() {
    let mut tollgate = stand_in().env("TZ", "Asia/Kathmandu").start().await;
    assert_eq!(tollgate.management_key().len(), 73);
    tollgate.term().await;
    tollgate.set_env("TZ", "Pacific/Apia");
    tollgate.restart().await;
    assert_eq!(
        tollgate.log(),
        "started with a key of 73 bytes, TZ=Asia/Kathmandu\n\
         started with a key of 73 bytes, TZ=Pacific/Apia\n"
    );
}

#[tokio::test]
async fn audit_runs_beside_the_server_with_its_configuration() {
    let tollgate = stand_in().start().await;
    let audit = tollgate.audit().await;
    assert!(audit.status.success());
    let settings = std::fs::read(tollgate.config_path()).expect("the configuration").len();
    let output = String::from_utf8(audit.stdout).expect("text");
    assert_eq!(output, format!("{settings} bytes of settings, the book agrees\n"));
    assert_eq!(tollgate.run(["nonsense"]).await.status.code(), Some(2));
}

#[tokio::test]
async fn a_wrapper_that_replaces_itself_is_killed_with_what_it_runs() {
    let mut tollgate = stand_in().wrapper(["env", "TZ=UTC"]).start().await;
    assert!(tollgate.log().ends_with("TZ=UTC\n"));
    tollgate.kill9();
    assert!(tollgate.client().below("").get(None, "/ready").await.is_err());
}

#[tokio::test]
async fn a_dropped_tollgate_leaves_no_process_and_no_folder() {
    let tollgate = stand_in().start().await;
    let (client, folder) = (tollgate.client().below(""), tollgate.folder().to_owned());
    drop(tollgate);
    assert!(client.get(None, "/ready").await.is_err());
    assert!(!folder.exists());
}

#[tokio::test]
#[should_panic(expected = "tollgate ended before it was ready")]
async fn a_start_that_fails_is_said_with_its_log() {
    Tollgate::builder("false").start().await;
}

#[tokio::test]
#[should_panic(expected = "tollgate is not ready")]
async fn a_start_that_never_gets_ready_is_given_up() {
    let builder = Tollgate::builder("sh").wrapper(["sh", "-c", "exec sleep 60"]);
    builder.ready_within(Duration::from_millis(50)).start().await;
}
