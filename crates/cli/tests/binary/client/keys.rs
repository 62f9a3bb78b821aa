//! Keys from their making to their end, by hash, by the beginning of it and by name.

use insta::assert_snapshot;
use serde_json::Value;
use testkit::Behaviour;

use super::Session;
use crate::clock::Clock;
use crate::world::World;

/// The hash of the key with that name.
async fn hash(me: &Session, name: &str) -> String {
    let listed = me.printed("keys list --all --workspace all --json").await;
    let listed: Value = serde_json::from_str(&listed).expect("a list");
    let keys = listed.as_array().expect("a list");
    let key = keys.iter().find(|key| key["name"] == name).expect("that key");
    key["hash"].as_str().expect("a hash").to_owned()
}

#[tokio::test]
async fn a_key_is_made_shown_changed_and_deleted() {
    let clock = Clock::at("2026-11-21T22:50:00Z");
    let world = clock.world("UTC").await;
    let me = clock.session(Session::of_manager(&world));
    let made = me
        .say("keys create ci --limit 25 --reset monthly --expires 2026-12-31T00:00:00Z --model test/small --rpm 60 --tpm 100000 --concurrent 4 --include-byok")
        .await;
    let hash = hash(&me, "ci").await;
    let text = made.lines().nth(2).expect("the text of the key").to_owned();
    assert!(text.starts_with("sk-or-v1-") && text.len() == 73, "{made}");
    let label = format!("{}...{}", &text[..12], &text[text.len() - 4..]);
    let workspace = workspace(&me).await;
    let json: Value =
        serde_json::from_str(&me.printed("keys get ci --json").await).expect("a document");
    let created = json["created_at"].as_str().expect("a moment").to_owned();
    assert!(created.starts_with("2026-11-21T22:50:"), "{created}");
    let me = me
        .named(&text, "TEXT")
        .named(&hash, "HASH")
        .named(&hash[..12], "START")
        .named(&label, "LABEL")
        .named(&workspace, "WORKSPACE")
        .named(&created, "CREATED");
    let mut told = made.replace(&text, "TEXT").replace(&hash, "HASH");
    for line in [
        "keys list".to_owned(),
        format!("keys get {}", &hash[..8]),
        "keys get ci --json".to_owned(),
        "keys get ci --quiet".to_owned(),
        "keys update ci --limit 50.005 --reset none --expires none --model none --rpm none"
            .to_owned(),
        "keys update ci --limit none --tpm none --concurrent none --disable".to_owned(),
        "keys list".to_owned(),
        "keys list --all --quiet".to_owned(),
        "keys delete ci".to_owned(),
        "keys delete ci --yes".to_owned(),
        "keys delete ci --yes".to_owned(),
    ] {
        told.push_str(&me.say(&line).await.replace(&hash[..8], "BEGIN"));
    }
    assert_snapshot!(told, @r#"
    $ tollgate keys create ci --limit 25 --reset monthly --expires 2026-12-31T00:00:00Z --model test/small --rpm 60 --tpm 100000 --concurrent 4 --include-byok
    [0]
    TEXT
    ! made ci (worth $25.00 monthly), hash HASH
    ! its text is shown this once: keep it now
    $ tollgate keys list
    [0]
    NAME  HASH          STATE    LIMIT  RESET      LEFT  SPENT  LAST USED
    ci    START  active  $25.00  monthly  $25.00  $0.00  –
    $ tollgate keys get BEGIN
    [0]
    name               ci
    hash               HASH
    label              LABEL
    state              active
    limit              $25.00 monthly
    left               $25.00
    own credentials    counts
    spent              $0.00 ($0.00 today, $0.00 this week, $0.00 this month)
    models             test/small
    requests a minute  60
    tokens a minute    100000
    requests at once   4
    workspace          WORKSPACE
    made               2026-11-21 22:50
    expires            2026-12-31T00:00:00Z
    last used          never
    $ tollgate keys get ci --json
    [0]
    {
      "byok_usage": 0,
      "byok_usage_daily": 0,
      "byok_usage_monthly": 0,
      "byok_usage_weekly": 0,
      "created_at": "CREATED",
      "creator_user_id": null,
      "disabled": false,
      "expires_at": "2026-12-31T00:00:00Z",
      "hash": "HASH",
      "include_byok_in_limit": true,
      "label": "LABEL",
      "limit": 25,
      "limit_remaining": 25,
      "limit_reset": "monthly",
      "name": "ci",
      "updated_at": null,
      "usage": 0,
      "usage_daily": 0,
      "usage_monthly": 0,
      "usage_weekly": 0,
      "workspace_id": "WORKSPACE",
      "allowed_models": [
        "test/small"
      ],
      "requests_per_minute": 60,
      "tokens_per_minute": 100000,
      "concurrent_requests": 4
    }
    $ tollgate keys get ci --quiet
    [0]
    HASH
    $ tollgate keys update ci --limit 50.005 --reset none --expires none --model none --rpm none
    [0]
    name              ci
    hash              HASH
    label             LABEL
    state             active
    limit             $50.005 lifetime
    left              $50.005
    own credentials   counts
    spent             $0.00 ($0.00 today, $0.00 this week, $0.00 this month)
    tokens a minute   100000
    requests at once  4
    workspace         WORKSPACE
    made              2026-11-21 22:50
    changed           2026-11-21 22:50
    expires           never
    last used         never
    ! changed; it binds from the next request on
    $ tollgate keys update ci --limit none --tpm none --concurrent none --disable
    [0]
    name             ci
    hash             HASH
    label            LABEL
    state            disabled
    limit            none
    own credentials  counts
    spent            $0.00 ($0.00 today, $0.00 this week, $0.00 this month)
    workspace        WORKSPACE
    made             2026-11-21 22:50
    changed          2026-11-21 22:50
    expires          never
    last used        never
    ! changed; it binds from the next request on
    $ tollgate keys list
    [0]
    ! there are no such keys; `tollgate keys create NAME` makes one
    $ tollgate keys list --all --quiet
    [0]
    HASH
    $ tollgate keys delete ci
    [2]
    ! tollgate: delete key "ci" (START), which has spent $0.00, at http://SERVER/api/v1? Nobody is here to answer: say `--yes`
    $ tollgate keys delete ci --yes
    [0]
    deleted ci (HASH)
    $ tollgate keys delete ci --yes
    [1]
    ! tollgate: there is no key "ci" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    "#);
}

/// The id of the default workspace.
async fn workspace(me: &Session) -> String {
    me.printed("workspaces list --quiet").await.trim().to_owned()
}

#[tokio::test]
async fn quietly_only_the_text_is_printed_and_it_works() {
    let world = World::start(&["small"]).await;
    world.upstream.on("small", Behaviour::new().text("Good day."));
    let me = Session::of_manager(&world);
    let text = me.printed("keys create ci --limit 0.5 --quiet").await;
    let own = Session::at(&world, text.trim());
    assert_eq!(own.printed("chat --model test/small hello --quiet").await, "Good day.\n");
    let json: Value =
        serde_json::from_str(&me.printed("keys create web --json").await).expect("a document");
    assert_eq!(json["data"]["name"], "web");
    assert!(json["key"].as_str().expect("the text").starts_with("sk-or-v1-"));
    // The same wish twice makes one key.
    let again = "keys create once --idempotency-key 0123456789-0123456789 --quiet";
    assert_eq!(me.printed(again).await, me.printed(again).await);
}

#[tokio::test]
async fn beside_a_server_its_configuration_and_its_management_key_are_enough() {
    let world = World::start(&["small"]).await;
    world.upstream.on("small", Behaviour::new().text("Good day."));
    let me = Session::new().set("TOLLGATE_MANAGEMENT_KEY", world.tollgate.management_key());
    let listen = world.tollgate.address();
    me.file("tollgate.toml", &format!("[server]\nlisten = \"{listen}\"\n"));
    let text = me.printed("keys create first --limit 1 --reset daily --quiet").await;
    let me = me.set("TOLLGATE_API_KEY", text.trim());
    assert_eq!(me.printed("chat --model test/small hello").await, "Good day.\n");
    assert!(me.printed("key").await.contains("kind       inference"));
}

#[tokio::test]
async fn a_name_that_several_have_names_none_and_the_candidates_are_told() {
    let world = World::start(&["small"]).await;
    let me = Session::of_manager(&world);
    for _ in 0..2 {
        me.printed("keys create ci").await;
    }
    let hashes = me.printed("keys list --quiet").await;
    let [later, earlier] = hashes.lines().collect::<Vec<_>>()[..] else { panic!("{hashes}") };
    let me = me.named(&later[..12], "LATER").named(&earlier[..12], "EARLIER");
    let mut told = me.say("keys update ci --limit 1").await;
    told.push_str(&me.say("keys get c").await);
    told.push_str(&me.say("keys get 0000000000").await);
    told.push_str(&me.say("keys get sk-or-v1-0123").await);
    assert_snapshot!(told, @r#"
    $ tollgate keys update ci --limit 1
    [1]
    ! tollgate: "ci" may be any of 2 keys; give more of the hash:
    !   LATER  ci
    !   EARLIER  ci
    $ tollgate keys get c
    [1]
    ! tollgate: there is no key "c" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    $ tollgate keys get 0000000000
    [1]
    ! tollgate: there is no key "0000000000" at http://SERVER/api/v1
    !   `tollgate keys list --all --workspace all` lists what there is
    $ tollgate keys get sk-or-v1-0123
    [1]
    ! tollgate: a key is named by its hash or its name here, never by its text
    "#);
}

#[tokio::test]
async fn what_is_typed_wrong_is_refused_with_what_is_allowed() {
    let me = Session::new().set("TOLLGATE_URL", "http://127.0.0.1:9").set("TOLLGATE_API_KEY", "k");
    let mut told = String::new();
    for line in [
        "keys create ci --limit -1",
        "keys create ci --limit 0.0000000001",
        "keys create ci --reset hourly",
        "keys create ci --expires tomorrow",
        "keys create ci --rpm 0",
        "keys update ci --limit much",
        "keys update ci",
        "keys list --json --quiet",
        "keys list --url example.com",
        "keys list --url http://127.0.0.1:9 --profile prod",
    ] {
        told.push_str(&me.say(line).await.replace("! For more information, try '--help'.\n", ""));
    }
    assert_snapshot!(told, @r"
    $ tollgate keys create ci --limit -1
    [2]
    ! error: invalid value '-1' for '--limit <DOLLARS>': it is negative; dollars are a decimal number such as 25 or 0.005, not negative
    !
    $ tollgate keys create ci --limit 0.0000000001
    [2]
    ! error: invalid value '0.0000000001' for '--limit <DOLLARS>': finer than a nano-dollar (nine decimals); dollars are a decimal number such as 25 or 0.005, not negative
    !
    $ tollgate keys create ci --reset hourly
    [2]
    ! error: invalid value 'hourly' for '--reset <WINDOW>'
    !   [possible values: daily, weekly, monthly]
    !
    $ tollgate keys create ci --expires tomorrow
    [2]
    ! error: invalid value 'tomorrow' for '--expires <WHEN>': a length of time is whole numbers with units w, d, h, m and s, such as 30d or 1h30m; or a moment such as 2026-12-31T00:00:00Z
    !
    $ tollgate keys create ci --rpm 0
    [2]
    ! error: invalid value '0' for '--rpm <REQUESTS>': it is a whole number, 1 at least
    !
    $ tollgate keys update ci --limit much
    [2]
    ! error: invalid value 'much' for '--limit <DOLLARS>': dollars are a decimal number such as 25 or 0.005, not negative, or `none`
    !
    $ tollgate keys update ci
    [2]
    ! tollgate: nothing to change is named: say `--limit`, `--name`, `--disable` or another of those in `tollgate keys update --help`
    $ tollgate keys list --json --quiet
    [2]
    ! error: the argument '--json' cannot be used with '--quiet'
    !
    ! Usage: tollgate keys list --json
    !
    $ tollgate keys list --url example.com
    [2]
    ! error: invalid value 'example.com' for '--url <URL>': is no whole address, with `https://` or `http://`; it looks like https://tollgate.example.com/api/v1
    !
    $ tollgate keys list --url http://127.0.0.1:9 --profile prod
    [2]
    ! error: the argument '--url <URL>' cannot be used with '--profile <NAME>'
    !
    ! Usage: tollgate keys list --url <URL>
    !
    ");
}
