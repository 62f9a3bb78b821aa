//! The keys of a server that speaks this API: they work on under the same texts, and every fact of
//! them is what it was.

use axum::Router;
use axum::extract::RawQuery;
use axum::http::StatusCode;
use axum::routing::get;
use insta::assert_snapshot;
use money::Money;
use serde_json::{Value, json};

use crate::client::{Session, url};
use crate::clock::Clock;
use crate::world::{Form, Key, World, times, worst};

const ASKED: Option<u64> = Some(10);
/// A variable that the configuration names.
const PROVIDER_KEY: &str = "FAKE_PROVIDER_KEY";
/// Facts that are of this server, not of the key.
const OF_THE_SERVER: [&str; 3] = ["workspace_id", "updated_at", "last_used_at"];

/// The commands of a person at `to` who has a management key of `from`.
fn operator(clock: &Clock, from: &World, to: &World) -> Session {
    let session = Session::new()
        .set("TOLLGATE_CONFIG", &to.tollgate.config_path().display().to_string())
        .set(PROVIDER_KEY, "not asked with")
        .set("OLD_KEY", from.tollgate.management_key())
        .named(&from.tollgate.address().to_string(), "OLD");
    clock.session(session)
}

fn line(from: &World, more: &str) -> String {
    format!("import openrouter --url {} --key env:OLD_KEY {more}", url(from))
}

async fn status(world: &World, key: &Key) -> u16 {
    world.ask(key, "small", Form::Json, ASKED).await.expect("an answer").status
}

/// What a server says of a key, but for what is its own.
async fn facts(world: &World, key: &Key) -> Value {
    let mut facts = world.facts(key).await.json()["data"].clone();
    let facts_of_key = facts.as_object_mut().expect("an object");
    for fact in OF_THE_SERVER {
        assert!(facts_of_key.remove(fact).is_some(), "{fact}");
    }
    facts
}

async fn workspace(world: &World) -> String {
    let manager = world.tollgate.management_key();
    let client = world.client();
    let wanted = json!({ "name": "Research & Co", "slug": "research" });
    let made = client.post(manager, "/workspaces", &wanted).await.expect("an answer");
    assert_eq!(made.status, 201, "{}", made.text());
    for (interval, limit) in [("lifetime", 5), ("daily", 2)] {
        let path = format!("/workspaces/research/budgets/{interval}");
        let budget = json!({ "limit_usd": limit });
        let put = client.put(manager, &path, &budget).await.expect("an answer");
        assert_eq!(put.status, 200, "{}", put.text());
    }
    made.json()["data"]["id"].as_str().expect("a text").to_owned()
}

#[tokio::test]
async fn every_fact_of_every_key_comes_over_and_the_keys_work_on() {
    // A Wednesday whose week began in November.
    let clock = Clock::at("2026-11-20T12:00:00Z");
    let old = clock.world_of("UTC", &["small", "large"]).await;
    let place = workspace(&old).await;
    let mut keys: Vec<(&str, Key, u16)> = Vec::new();
    for (name, settings, status) in [
        ("plain", json!({}), 200),
        ("monthly", json!({ "limit": 1, "limit_reset": "monthly" }), 200),
        ("weekly", json!({ "limit": 1, "limit_reset": "weekly" }), 200),
        (
            "daily",
            json!({ "limit": 1, "limit_reset": "daily", "include_byok_in_limit": true }),
            200,
        ),
        ("off", json!({}), 401),
        ("expired", json!({ "expires_at": "2026-12-02T00:00:00Z" }), 401),
        ("narrow", json!({ "allowed_models": ["test/large"] }), 404),
        ("paced", json!({ "requests_per_minute": 50, "tokens_per_minute": 99_000 }), 200),
        ("customer", json!({ "external": { "user": "customer-7" } }), 200),
        ("member", json!({ "workspace_id": place, "limit": 3 }), 200),
    ] {
        let mut settings = settings;
        settings["name"] = name.into();
        keys.push((name, old.key(settings).await, status));
    }
    for moment in [
        "2026-11-20T12:00:00Z",
        "2026-11-30T12:00:00Z",
        "2026-12-01T12:00:00Z",
        "2026-12-02T12:00:00Z",
    ] {
        clock.set(moment);
        for (_, key, _) in &keys {
            status(&old, key).await;
        }
    }
    // A limit that was lowered below what had been spent.
    let (_, spent, spent_status) = &mut keys[0];
    old.edit(spent, json!({ "limit": 0.000_001 })).await;
    *spent_status = 403;
    let (_, off, _) = &keys[4];
    old.edit(off, json!({ "disabled": true })).await;

    let mut new = clock.world_of("UTC", &["small", "large"]).await;
    let me = operator(&clock, &old, &new);
    let before = new.command(&["audit", "log", "--json"]).await;
    let shown = me.say(&line(&old, "")).await;
    assert!(shown.contains("keys and workspaces: 11 to add"), "{shown}");
    assert!(shown.ends_with("nothing was changed; --apply does it\n"), "{shown}");
    assert_eq!(before, new.command(&["audit", "log", "--json"]).await);
    assert_eq!(status(&new, &keys[1].1).await, 401);

    let told = me.say(&line(&old, "--apply")).await;
    assert!(told.contains("\n[0]\n") && told.contains("11 added, 0 unchanged"), "{told}");
    for (name, key, _) in &keys {
        assert_eq!(facts(&new, key).await, facts(&old, key).await, "{name}");
        assert!(!told.contains(&key.text), "{told}");
    }
    let again = me.printed(&line(&old, "--apply --json")).await;
    let again: Value = serde_json::from_str(&again).expect("JSON");
    let lines = ["keys", "workspaces"].map(|list| again[list].as_array().expect("a list").clone());
    assert!(lines.concat().iter().all(|line| line["state"] == "unchanged"), "{again:#}");
    new.audit().await;

    // What was spent is in the book, and not in this process alone.
    new.tollgate.restart().await;
    for (name, key, _) in &keys {
        assert_eq!(facts(&new, key).await, facts(&old, key).await, "{name} after a restart");
    }
    for (name, key, expected) in &keys {
        assert_eq!(status(&new, key).await, *expected, "{name}");
    }
    let manager = new.tollgate.management_key();
    let budgets = new.client().get(manager, "/workspaces/research-co/budgets").await;
    let budgets = budgets.expect("an answer").json();
    let limits = |place: usize| &budgets["data"][place]["limit_usd"];
    assert_eq!((limits(0), limits(1)), (&json!(5), &json!(2)), "{budgets}");
    new.audit().await;
}

#[tokio::test]
async fn a_limit_holds_from_where_it_was() {
    let clock = Clock::at("2026-11-26T12:00:00Z");
    let old = clock.world("UTC").await;
    let one = worst(10);
    let three = times(one, 3);
    let key = old.key_worth(three).await;
    for _ in 0..2 {
        assert_eq!(status(&old, &key).await, 200);
    }
    let new = clock.world("UTC").await;
    let me = operator(&clock, &old, &new);
    me.printed(&line(&old, "--apply")).await;
    let mut paid = 0;
    while status(&new, &key).await == 200 {
        paid += 1;
    }
    let usage = new.usage(&key).await;
    assert!(usage <= three && paid > 0, "{usage} after {paid}");
    assert!(usage > old.usage(&key).await);
    new.audit().await;
}

/// A server of another make: amounts that floats have been at, and facts that nothing here has.
async fn foreign() -> String {
    let key = |name: &str, hash: &str, more: Value| {
        let mut key = json!({
            "hash": hash, "name": name, "label": "sk-or-v1-0e6...1c96", "disabled": false,
            "limit": null, "limit_remaining": null, "limit_reset": null,
            "include_byok_in_limit": false, "usage": 0, "usage_daily": 0, "usage_weekly": 0,
            "usage_monthly": 0, "byok_usage": 0, "byok_usage_daily": 0, "byok_usage_weekly": 0,
            "byok_usage_monthly": 0, "created_at": "2025-08-24T10:30:00.000000+00:00",
            "updated_at": null, "workspace_id": "10000000-0000-4000-8000-000000000001"
        });
        for (fact, value) in more.as_object().into_iter().flatten() {
            key[fact] = value.clone();
        }
        key
    };
    let hash = |digit: &str| digit.repeat(64);
    let keys = [
        key(
            "residue",
            &hash("1"),
            json!({ "limit": 0.3, "usage": 0.300_000_000_000_000_04, "limit_remaining": -5e-17 }),
        ),
        key(
            "own",
            &hash("2"),
            json!({ "byok_usage": 2.5, "byok_usage_monthly": 1.5, "byok_usage_weekly": 1.25, "byok_usage_daily": 0.25, "usage": 0.125, "include_byok_in_limit": true, "limit": 4, "limit_reset": "weekly", "limit_remaining": 2.75 }),
        ),
        key(
            "hourly",
            &hash("3"),
            json!({ "limit": 1, "limit_reset": "hourly", "limit_remaining": 1 }),
        ),
        key(
            "odd",
            &hash("4"),
            json!({ "usage": 1, "usage_daily": 3, "limit": 9, "limit_remaining": 5, "creator_user_id": "user_2dHFtVWx2n56w6HkM0000000000" }),
        ),
        key("no hash", "sk-or-v1-0", json!({})),
    ];
    let page = Value::from(keys.to_vec()).to_string();
    let listed = get(|RawQuery(query): RawQuery| async move {
        let query = query.unwrap_or_default();
        let data = if query.contains("offset=") { "[]".to_owned() } else { page };
        ([("content-type", "application/json")], format!("{{\"data\": {data}}}"))
    });
    let router = Router::new().route("/api/v1/keys", listed).fallback(|| async {
        let body = r#"{"error": {"code": 404, "message": "Not Found"}}"#;
        (StatusCode::NOT_FOUND, [("content-type", "application/json")], body)
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn what_another_make_says_is_taken_over_against_the_key_or_listed() {
    let clock = Clock::at("2026-11-26T12:00:00Z");
    let address = foreign().await;
    let world = clock.world("UTC").await;
    let me = Session::new()
        .set("TOLLGATE_CONFIG", &world.tollgate.config_path().display().to_string())
        .set(PROVIDER_KEY, "not asked with")
        .set("OLD_KEY", "sk-or-v1-0")
        .named(&address, "OLD");
    let me = clock.session(me);
    let line = format!("import openrouter --url http://{address}/api/v1 --key env:OLD_KEY");
    assert_snapshot!(me.say(&format!("{line} --apply")).await, @r#"
    $ tollgate import openrouter --url http://OLD/api/v1 --key env:OLD_KEY --apply
    [0]
    http://OLD/api/v1: 5 keys

       KEY      ID            LIMIT  RESET   USAGE
    +  residue  111111111111  0.3    never   0.300000001
    +  own      222222222222  4      weekly  0.125
    +  hourly   333333333333  1      never   -
    +  odd      444444444444  9      never   3

    PLACE          NOTE          WHAT                                              WHY
    key "hourly"   approximated  limit_reset hourly                                is no window here: the limit never starts afresh
    key "odd"      unmapped      creator_user_id user_2dHFtVWx2n56w6HkM0000000000  is no user here: the key is its workspace's
    key "odd"      warning       limit_remaining                                   $6 is left here, by the limit and what was spent, and $5 there: lower the limit if that must not be
    key "no hash"  unmapped      hash "sk-or-v1-0"                                 is no SHA-256 of its text: no client could use it here

    keys and workspaces: 4 added, 0 unchanged, 0 differ and stay, 0 refused
    "#);

    let amount = |text: &str| text.parse::<Money>().expect("an amount");
    let of = |digit: &str| Key { text: String::new(), hash: digit.repeat(64) };
    assert_eq!(world.usage(&of("1")).await, amount("0.300000001"));
    for (fact, expected) in [
        ("byok_usage", "2.5"),
        ("byok_usage_monthly", "1.5"),
        ("byok_usage_weekly", "1.25"),
        ("byok_usage_daily", "0.25"),
        ("usage", "0.125"),
        ("usage_monthly", "0"),
        ("limit_remaining", "2.75"),
    ] {
        assert_eq!(world.figure(&of("2"), fact).await, amount(expected), "{fact}");
    }
    // More in a day than in all its life: the larger one is both.
    for fact in ["usage", "usage_monthly", "usage_weekly", "usage_daily"] {
        assert_eq!(world.figure(&of("4"), fact).await, amount("3"), "{fact}");
    }
    world.audit().await;
}

#[tokio::test]
async fn whose_key_is_asked_with_is_said_and_never_guessed() {
    let clock = Clock::at("2026-11-26T12:00:00Z");
    let world = clock.world("UTC").await;
    let inferring = world.key(json!({ "name": "infers" })).await;
    let me = operator(&clock, &world, &world)
        // It is of this server, and goes to no other.
        .set("TOLLGATE_API_KEY", world.tollgate.management_key())
        .set("INFERRING", &inferring.text);
    let mut told = String::new();
    let url = url(&world);
    for line in [
        "import openrouter".to_owned(),
        format!("import openrouter --url {url}"),
        format!("import openrouter --url {url} --key sk-or-v1-0"),
        format!("import openrouter --url {url} --key env:NOWHERE"),
        format!("import openrouter --url {url} --key env:INFERRING"),
        "import openrouter --profile nobody".to_owned(),
        "import openrouter --url http://127.0.0.1:9/api/v1 --key env:OLD_KEY".to_owned(),
    ] {
        told.push_str(&me.say(&line).await);
    }
    assert_snapshot!(told, @r#"
    $ tollgate import openrouter
    [1]
    ! tollgate: this needs a management key of https://openrouter.ai/api/v1, and OPENROUTER_API_KEY has none; https://openrouter.ai/settings/management-keys makes one
    $ tollgate import openrouter --url http://OLD/api/v1
    [1]
    ! tollgate: which key is that server's? say `--key env:NAME`, NAME a variable that has a management key of http://OLD/api/v1
    $ tollgate import openrouter --url http://OLD/api/v1 --key sk-or-v1-0
    [2]
    ! tollgate: --key must be `env:NAME`, NAME a variable that has the key: a key itself would stand in a list of processes
    $ tollgate import openrouter --url http://OLD/api/v1 --key env:NOWHERE
    [1]
    ! tollgate: this needs a management key of http://OLD/api/v1, and NOWHERE has none
    $ tollgate import openrouter --url http://OLD/api/v1 --key env:INFERRING
    [1]
    ! tollgate: Only management keys can perform this operation (403)
    !   the key from INFERRING is no management key
    !   `tollgate management-keys create --name NAME` makes one, beside the server
    !   set INFERRING to another
    $ tollgate import openrouter --profile nobody
    [1]
    ! tollgate: there is no profile "nobody" in HOME/.config/tollgate/config.toml (it has none); `tollgate profile add nobody --url URL` makes it
    $ tollgate import openrouter --url http://127.0.0.1:9/api/v1 --key env:OLD_KEY
    [1]
    ! tollgate: can't connect to http://127.0.0.1:9/api/v1 (from --url): Connection refused (os error 111)
    !   is it running there? `tollgate serve` starts a server
    "#);
}
