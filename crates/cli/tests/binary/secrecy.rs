//! A provider's key that somebody brought is in memory and on its way to that provider, and nowhere
//! else: in no file of the book, no log, no answer, no export and no backup, whatever happens to it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use testkit::{Behaviour, Cut};

use crate::world::{Form, Key, World, said};

const KEPT: &str = "sk-kept-1c0f6b5d2a9e4783b1d0";
const REPLACED: &str = "sk-replaced-77d3e0a4c95b42f8";
const DELETED: &str = "sk-deleted-0b92f17ce6d84a35";
/// Nothing in its form says that it is a secret.
const PLAIN: &str = "90f3b7d15ce84a26";
const MASTER_KEY: &str = "a7c41f9e03b85d62a7c41f9e03b85d62a7c41f9e03b85d62a7c41f9e03b85d62";

/// Says which of them is where, though none should be.
struct Search(Vec<String>);

impl Search {
    fn text(&mut self, what: &str, text: impl AsRef<[u8]>) {
        let secrets = [KEPT, REPLACED, DELETED, PLAIN].map(str::as_bytes);
        // A key is a secret as it is and as bytes.
        let master: Vec<u8> = MASTER_KEY.as_bytes().chunks(2).map(byte).collect();
        let all = secrets.into_iter().chain([MASTER_KEY.as_bytes(), &master]);
        for secret in all {
            if text.as_ref().windows(secret.len()).any(|window| window == secret) {
                self.0.push(format!("{:?} is in {what}", String::from_utf8_lossy(secret)));
            }
        }
    }

    fn files(&mut self, folder: &Path) -> usize {
        let mut count = 0;
        for file in fs::read_dir(folder).expect("a folder") {
            let path = file.expect("a file").path();
            if let Ok(bytes) = fs::read(&path) {
                self.text(&path.display().to_string(), bytes);
                count += 1;
            }
        }
        count
    }

    fn ended(&self) {
        assert_eq!(self.0, Vec::<String>::new());
    }
}

fn byte(pair: &[u8]) -> u8 {
    u8::from_str_radix(std::str::from_utf8(pair).expect("text"), 16).expect("hex digits")
}

/// Brings a credential, and gives its path.
async fn bring(world: &World, search: &mut Search, secret: &str, more: Value) -> String {
    let mut body = json!({ "provider": "fake", "key": secret });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    let manager = world.tollgate.management_key();
    let made = world.client().post(manager, "/byok", &body).await.expect("an answer");
    assert_eq!(made.status, 201, "{}", made.text());
    search.text("the answer to POST /byok", made.text());
    format!("/byok/{}", made.json()["data"]["id"].as_str().expect("an id"))
}

/// Asks in every way there is to be told something, while the provider repeats what it is shown.
async fn provoke(world: &World, search: &mut Search, key: &Key, paths: &[&String]) {
    let error = r#"{"error":{"message":"refused: {shown}","code":"{shown}"}}"#;
    let refused = |status| Behaviour::new().status(status, error);
    let ways = [
        refused(429),
        refused(500),
        refused(400),
        Behaviour::new().cut(Cut::InHead),
        Behaviour::new().malformed_json(),
        Behaviour::new(),
        refused(401),
    ];
    for way in ways {
        // As often as there is something to go with.
        world.upstream.then("small", std::iter::repeat_n(way, 5).chain([Behaviour::new()]));
        for form in [Form::Json, Form::Stream] {
            let told = world.ask(key, "small", form, None).await.expect("an answer");
            search.text("an answer", &told.body);
        }
    }
    // What was refused rests until it is changed.
    for path in paths {
        let awake = json!({ "name": "looked after" });
        let manager = world.tollgate.management_key();
        let patched = world.client().patch(manager, path, &awake).await.expect("an answer");
        assert_eq!(patched.status, 200, "{}", patched.text());
    }
}

/// Looks everywhere.
async fn look(world: &World, search: &mut Search) {
    let folder = world.tollgate.folder();
    let found = search.files(folder);
    assert!(found >= 5, "{found} files in {}", folder.display());
    search.text("the log", world.tollgate.log());
    let manager = world.tollgate.management_key();
    for path in ["/byok", "/audit-log?limit=100"] {
        let answer = world.client().get(manager, path).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        search.text(path, answer.text());
    }
    let metrics = world.client().below("").get(manager, "/metrics").await.expect("metrics");
    search.text("/metrics", metrics.text());
    search.text("an export", world.command(&["export"]).await);
    search.text("the audit log", world.command(&["audit", "log", "--json"]).await);
    let copies = tempfile::tempdir().expect("a folder");
    let copy = copies.path().join("copy.db");
    world.command(&["backup", copy.to_str().expect("text")]).await;
    assert_eq!(search.files(copies.path()), 1);
}

#[tokio::test]
async fn a_secret_is_in_no_file_no_log_no_answer_no_export_and_no_backup() {
    let keys = tempfile::tempdir().expect("a folder");
    let file = keys.path().join("master.key");
    fs::write(&file, MASTER_KEY).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let named = format!("[secrets]\nkey_file = {file:?}");
    // Everything there is to log.
    let mut world =
        World::with(&["small"], &named, |builder| builder.env("TOLLGATE_LOG", "trace")).await;
    let mut search = Search(Vec::new());
    let key = world.key(json!({ "limit": 1 })).await;
    let kept = bring(&world, &mut search, KEPT, json!({})).await;
    let replaced = bring(&world, &mut search, REPLACED, json!({})).await;
    let deleted = bring(&world, &mut search, DELETED, json!({ "is_fallback": true })).await;
    let plain = bring(&world, &mut search, PLAIN, json!({ "is_fallback": true })).await;
    provoke(&world, &mut search, &key, &[&kept, &replaced, &deleted, &plain]).await;
    look(&world, &mut search).await;

    let manager = world.tollgate.management_key().to_owned();
    let another = json!({ "key": PLAIN });
    let patched =
        world.client().patch(manager.as_str(), &replaced, &another).await.expect("an answer");
    assert_eq!(patched.status, 200, "{}", patched.text());
    search.text("the answer to PATCH /byok", patched.text());
    for path in [&deleted, &plain] {
        let gone = world.client().delete(manager.as_str(), path).await.expect("an answer");
        assert_eq!(gone.status, 200, "{}", gone.text());
    }
    provoke(&world, &mut search, &key, &[&kept, &replaced]).await;
    look(&world, &mut search).await;

    // Killed while a request is under way, whose hold is on record.
    let gate = world.upstream.hold_answers("small");
    let client = world.client();
    let (text, extras) = (key.text.clone(), json!({}));
    let asking =
        tokio::spawn(async move { client.chat(text.as_str(), "test/small", &extras).await });
    gate.until_waiting(1).await;
    search.files(world.tollgate.folder());
    world.tollgate.kill9();
    search.files(world.tollgate.folder());
    drop(gate);
    assert!(asking.await.expect("a task").is_err(), "its gateway is gone");
    world.tollgate.restart().await;
    look(&world, &mut search).await;

    let rotated = world.tollgate.run(["secrets", "rotate"]).await;
    assert!(rotated.status.success(), "{}", said(&rotated));
    search.text("what rotate says", said(&rotated));
    provoke(&world, &mut search, &key, &[&kept, &replaced]).await;
    look(&world, &mut search).await;
    // All of this was for nothing if none of them went out.
    let calls = world.upstream.calls();
    for secret in [KEPT, REPLACED, DELETED, PLAIN] {
        let header = format!("Bearer {secret}");
        let is_shown = |call: &testkit::Call| {
            call.headers
                .get("authorization")
                .is_some_and(|value| value.as_bytes() == header.as_bytes())
        };
        assert!(calls.iter().any(is_shown), "{secret}");
    }
    search.ended();
}
