//! LiteLLM's virtual keys: they work on under the same texts, and may spend no more than before.

use gateway::http::hash;
use insta::assert_snapshot;
use money::Money;
use serde_json::{Value, json};

use crate::postgres::Postgres;
use crate::world::{Form, Key, World, said};

/// The tables, as LiteLLM declares the columns that are read here and some that are not.
const TABLES: &str = r#"
CREATE TABLE "LiteLLM_BudgetTable" (budget_id text PRIMARY KEY, max_budget double precision,
  soft_budget double precision, max_parallel_requests integer, tpm_limit bigint, rpm_limit bigint,
  model_max_budget jsonb, budget_duration text, budget_reset_at timestamp(3));
CREATE TABLE "LiteLLM_TeamTable" (team_id text PRIMARY KEY, team_alias text, organization_id text,
  max_budget double precision, spend double precision NOT NULL DEFAULT 0, models text[],
  tpm_limit bigint, rpm_limit bigint, max_parallel_requests integer, budget_duration text,
  budget_reset_at timestamp(3), blocked boolean NOT NULL DEFAULT false, metadata jsonb DEFAULT '{}');
CREATE TABLE "LiteLLM_UserTable" (user_id text PRIMARY KEY, user_alias text, user_email text,
  user_role text, max_budget double precision, spend double precision NOT NULL DEFAULT 0,
  models text[], budget_duration text, budget_reset_at timestamp(3));
CREATE TABLE "LiteLLM_OrganizationTable" (organization_id text PRIMARY KEY,
  organization_alias text NOT NULL, budget_id text NOT NULL, models text[],
  spend double precision NOT NULL DEFAULT 0);
CREATE TABLE "LiteLLM_TeamMembership" (user_id text, team_id text,
  spend double precision NOT NULL DEFAULT 0, budget_id text);
CREATE TABLE "LiteLLM_DeprecatedVerificationToken" (token text, active_token_id text,
  revoke_at timestamp(3));
CREATE TABLE "LiteLLM_TagTable" (tag_name text PRIMARY KEY, budget_id text);
CREATE TABLE "LiteLLM_VerificationToken" (token text PRIMARY KEY, key_name text, key_alias text,
  spend double precision NOT NULL DEFAULT 0, total_spend double precision NOT NULL DEFAULT 0,
  expires timestamp(3), models text[],
  aliases jsonb DEFAULT '{}', config jsonb DEFAULT '{}', user_id text, team_id text,
  permissions jsonb DEFAULT '{}', max_parallel_requests integer, metadata jsonb DEFAULT '{}',
  blocked boolean, tpm_limit bigint, rpm_limit bigint, max_budget double precision,
  budget_duration text, budget_reset_at timestamp(3), allowed_routes text[] DEFAULT '{}',
  model_max_budget jsonb DEFAULT '{}', budget_id text, key_type text,
  created_at timestamp(3) DEFAULT '2026-01-02 03:04:05');
"#;

/// LiteLLM's configuration: the model that the gateway serves, under a name of its own.
const CONFIG: &str = "model_list:\n  - model_name: test/small\n    litellm_params:\n      \
                      model: hosted_vllm/small\n      api_base: http://127.0.0.1:9/v1\n";

fn text(name: &str) -> String {
    format!("sk-{name}-Zb0aTq_s1dVf7wX2kLr9Qw")
}

/// An insertion of a key with those columns.
fn key(text: &str, alias: &str, columns: &str, values: &str) -> String {
    let last: String = text.chars().skip(text.chars().count() - 4).collect();
    let token = hash(text);
    format!(
        "INSERT INTO \"LiteLLM_VerificationToken\" (token, key_name, key_alias{columns}) VALUES \
         ('{token}', 'sk-...{last}', '{alias}'{values});"
    )
}

/// A database with keys of every kind.
fn database() -> Postgres {
    let postgres = Postgres::start();
    let mut sql = TABLES.to_owned();
    sql.push_str(
        "INSERT INTO \"LiteLLM_TeamTable\" (team_id, team_alias, max_budget, spend, models) VALUES
           ('team-1', 'Research & Co', 10, 9.9999999, '{test/*}'),
           ('team-2', 'Closed', 5, 0, '{}');
         UPDATE \"LiteLLM_TeamTable\" SET blocked = true WHERE team_id = 'team-2';
         INSERT INTO \"LiteLLM_UserTable\" (user_id, user_email, user_role, max_budget, spend, models)
           VALUES ('ada', 'ada@example.com', 'internal_user', 3, 0.25, '{}');
         INSERT INTO \"LiteLLM_BudgetTable\" (budget_id, max_budget, rpm_limit, soft_budget) VALUES
           ('tier', 2.5, 7, 1);
         INSERT INTO \"LiteLLM_TeamMembership\" VALUES ('bob', 'team-1', 1, 'tier'), ('ada', 'team-1', 1, NULL);
         INSERT INTO \"LiteLLM_TagTable\" VALUES ('prod', 'tier'), ('test', NULL);
         INSERT INTO \"LiteLLM_OrganizationTable\" VALUES ('org', 'Everybody', 'tier', '{}', 0);",
    );
    let day = "budget_duration, budget_reset_at";
    let tomorrow = "'1d', date_trunc('day', now() AT TIME ZONE 'UTC') + interval '1 day'";
    for (name, columns, values) in [
        ("plain", "", String::new()),
        ("spent", ", max_budget, spend", ", 1, 1".to_owned()),
        // What a sum of doubles came to: a little more than the limit.
        ("summed", ", max_budget, spend", ", 0.3, 0.1::float8 + 0.2::float8".to_owned()),
        ("nearly", ", max_budget, spend", ", 1, 0.99999".to_owned()),
        (
            "daily",
            &format!(", max_budget, spend, total_spend, {day}"),
            format!(", 1, 0.5, 7.25, {tomorrow}"),
        ),
        (
            "rolling",
            &format!(", max_budget, spend, {day}"),
            ", 1, 0.5, '30d', now() AT TIME ZONE 'UTC' + interval '45 days'".to_owned(),
        ),
        ("blocked", ", blocked", ", true".to_owned()),
        ("expired", ", expires", ", '2026-01-03 00:00:00'".to_owned()),
        ("models", ", models", ", '{gpt-nowhere}'".to_owned()),
        (
            "paced",
            ", rpm_limit, tpm_limit, max_parallel_requests, metadata, user_id",
            ", 3, 900, 2, '{\"tags\": [1]}', 'bob'".to_owned(),
        ),
        ("tiered", ", budget_id", ", 'tier'".to_owned()),
        ("member", ", team_id, spend, models", ", 'team-1', 4, '{all-team-models}'".to_owned()),
        ("closed", ", team_id", ", 'team-2'".to_owned()),
        ("adas", ", user_id, spend", ", 'ada', 0.25".to_owned()),
        ("admin", ", key_type", ", 'management'".to_owned()),
    ] {
        sql.push_str(&key(&text(name), name, columns, &values));
    }
    for (key, until) in [("plain", "2999-01-01"), ("spent", "2026-01-01")] {
        let token = hash(&text(key));
        sql.push_str(&format!(
            "INSERT INTO \"LiteLLM_DeprecatedVerificationToken\" VALUES ('old', '{token}', '{until}');"
        ));
    }
    sql.push_str(&key("sk-1234", "weak", "", ""));
    sql.push_str(&key(&text("page"), "page", ", team_id", ", 'litellm-dashboard'"));
    postgres.execute(&sql);
    postgres
}

async fn import(world: &World, source: &str, more: &[&str]) -> (bool, String) {
    let path = world.tollgate.folder().join("litellm.yaml");
    std::fs::write(&path, CONFIG).expect("a file");
    let mut arguments = vec!["import", "litellm", path.to_str().expect("text"), "--keys", source];
    arguments.extend(more);
    let output = world.tollgate.run(&arguments).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.stderr.is_empty(), "{}", said(&output));
    (output.status.success(), text)
}

fn imported(name: &str) -> Key {
    of_text(&text(name))
}

fn of_text(text: &str) -> Key {
    Key { text: text.to_owned(), hash: hash(text).to_string() }
}

async fn asked(world: &World, key: &Key) -> u16 {
    let told = world.ask(key, "small", Form::Json, Some(10)).await.expect("an answer");
    told.status
}

#[tokio::test]
async fn keys_of_a_database_work_on_and_their_limits_hold() {
    let postgres = database();
    let mut world = World::start(&["small"]).await;
    let before = world.command(&["audit", "log", "--json"]).await;

    let (_, shown) = import(&world, &postgres.url(), &[]).await;
    assert!(shown.ends_with("nothing was changed; --apply does it\n"), "{shown}");
    assert_eq!(before, world.command(&["audit", "log", "--json"]).await);
    assert_eq!(asked(&world, &imported("plain")).await, 401);

    let (is_done, told) = import(&world, &postgres.url(), &["--apply"]).await;
    assert!(is_done, "{told}");
    let (_, json) = import(&world, &postgres.url(), &["--json"]).await;
    let again: Value = serde_json::from_str(&json).expect("JSON");
    let lines = ["keys", "workspaces"].map(|list| again[list].as_array().expect("a list").clone());
    assert!(lines.concat().iter().all(|line| line["state"] == "unchanged"), "{json}");

    for (name, status) in [
        ("plain", 200),
        ("spent", 403),
        ("summed", 403),
        ("nearly", 402),
        ("daily", 200),
        ("rolling", 200),
        ("blocked", 401),
        ("expired", 401),
        ("models", 404),
        ("paced", 200),
        ("tiered", 200),
        // All of the team's ten dollars but a ten-millionth were spent, by keys that are gone too.
        ("member", 402),
        ("closed", 401),
        ("adas", 200),
        ("admin", 401),
        ("page", 401),
    ] {
        assert_eq!(asked(&world, &imported(name)).await, status, "{name}");
    }
    assert_eq!(asked(&world, &of_text("sk-1234")).await, 200);
    world.audit().await;

    // What was spent is in the book, and not in this process alone.
    world.tollgate.restart().await;
    for (name, status) in [("spent", 403), ("summed", 403), ("nearly", 402), ("member", 402)] {
        assert_eq!(asked(&world, &imported(name)).await, status, "{name} after a restart");
    }
    world.audit().await;
}

#[tokio::test]
async fn what_comes_over_of_a_key_is_what_it_was() {
    let postgres = database();
    let world = World::start(&["small"]).await;
    let (is_done, told) = import(&world, &postgres.url(), &["--apply"]).await;
    assert!(is_done, "{told}");
    assert!(!told.contains(&text("plain")) && !told.contains("postgresql://"), "{told}");
    let old = told.lines().filter(|line| line.contains("the text before its last one"));
    let old: Vec<&str> = old.collect();
    assert!(old.len() == 1 && old[0].contains("\"plain\"") && old[0].contains("2999"), "{old:?}");
    for budgeted in ["member \"bob in team team-1\"", "tag \"prod\""] {
        let is_it = |line: &&str| line.starts_with(budgeted) && line.contains("max_budget 2.5");
        assert_eq!(told.lines().filter(is_it).count(), 1, "{told}");
    }

    let amount = |text: &str| text.parse::<Money>().expect("an amount");
    let nearly = imported("nearly");
    assert_eq!(world.usage(&nearly).await, amount("0.99999"));
    assert_eq!(world.figure(&nearly, "usage_monthly").await, Money::ZERO);
    assert_eq!(world.usage(&imported("summed")).await, amount("0.300000001"));
    let daily = world.facts(&imported("daily")).await.json()["data"].clone();
    assert_eq!((&daily["limit_reset"], &daily["usage_daily"]), (&json!("daily"), &json!(0.5)));
    assert_eq!((&daily["usage"], &daily["limit_remaining"]), (&json!(7.25), &json!(0.5)));
    let rolling = world.facts(&imported("rolling")).await.json()["data"].clone();
    assert_eq!((&rolling["limit_reset"], &rolling["limit_remaining"]), (&json!(null), &json!(0.5)));
    let paced = world.facts(&imported("paced")).await.json()["data"].clone();
    for (field, value) in [
        ("requests_per_minute", json!(3)),
        ("tokens_per_minute", json!(900)),
        ("concurrent_requests", json!(2)),
        ("external_user", json!("bob")),
        ("creator_user_id", json!(null)),
        ("created_at", json!("2026-01-02T03:04:05.000Z")),
        ("label", json!("sk-...r9Qw")),
        ("last_used_at", json!(null)),
    ] {
        assert_eq!(paced[field], value, "{field}");
    }
    let tiered = world.facts(&imported("tiered")).await.json()["data"].clone();
    assert_eq!((&tiered["limit"], &tiered["requests_per_minute"]), (&json!(2.5), &json!(7)));

    let manager = world.tollgate.management_key();
    let path = "/workspaces/research-co/budgets";
    let budgets = world.client().get(manager, path).await.expect("an answer").json();
    assert_eq!(budgets["data"][0]["limit_usd"], json!(10));
    let log = world.command(&["audit", "log", "--action", "key.import", "--json"]).await;
    let log: Value = serde_json::from_str(&log).expect("JSON");
    let rows = log.as_array().expect("rows");
    let row = rows.iter().find(|row| row["subject"] == nearly.hash.as_str()).expect("a row");
    assert_eq!(
        (&row["actor"], &row["after"]["usage"]),
        (&json!("command line"), &json!("0.99999"))
    );
}

#[tokio::test]
async fn a_key_that_is_there_is_left_as_it_is_and_shown() {
    let postgres = Postgres::start();
    postgres.execute(TABLES);
    postgres.execute(&key(&text("one"), "one", ", max_budget", ", 2"));
    let world = World::start(&["small"]).await;
    import(&world, &postgres.url(), &["--apply"]).await;
    world.edit(&imported("one"), json!({ "limit": 1 })).await;
    let deleted = imported("two");
    postgres.execute(&key(&text("two"), "two", "", ""));
    import(&world, &postgres.url(), &["--apply"]).await;
    let path = format!("/keys/{}", deleted.hash);
    world.client().delete(world.tollgate.management_key(), &path).await.expect("an answer");
    let (is_done, told) = import(&world, &postgres.url(), &["--apply"]).await;
    assert!(!is_done, "a key was refused: {told}");
    assert_snapshot!(told, @r#"
    MODEL NAME  ID HERE     PROVIDER     UPSTREAM MODEL  PRICES
    test/small  test/small  hosted_vllm  small           missing

       KEY  ID            LIMIT  RESET  USAGE
    ~  one  8427c7c4e686  2      never  -      limit is "1" here, "2" there
    !  two  a6798a12c67d  -      -      -      its hash is known here, of a deleted key or of another's second text

    PLACE           NOTE     WHAT                         WHY
    litellm.yaml:2  missing  pricing.prompt of small      is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:2  missing  pricing.completion of small  is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:2  missing  context_length of small      is not in the file and not built in: add it, and take the `#` away

    1 endpoints, 1 of them not whole; 3 notes
    keys and workspaces: 0 added, 0 unchanged, 1 differ and stay, 1 refused
    "#);
    assert_eq!(asked(&world, &deleted).await, 401);
}

#[test]
fn a_file_is_enough_and_a_book_is_made_for_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    write("litellm.yaml", CONFIG);
    write("tollgate.toml", "");
    let rows = json!({
        "keys": [
            { "token": text("plain-text"), "key_alias": "plain text", "spend": 0.5, "max_budget": 0.7 },
            { "token": "sk-house", "key_alias": "short" },
            { "token": hash("sk-12345").to_string(), "key_alias": "usual", "team_id": "t" },
        ],
        "teams": [{ "team_id": "t", "team_alias": "T", "max_budget": 100.0, "budget_duration": "30d",
                    "budget_reset_at": "2026-01-01T00:00:00Z", "spend": 12.5 }],
    });
    write("keys.json", &rows.to_string());
    let line = "import litellm litellm.yaml --keys keys.json";
    assert_snapshot!(crate::transcript::transcript(folder.path(), line), @r#"
    $ tollgate import litellm litellm.yaml --keys keys.json
    [0]
    MODEL NAME  ID HERE     PROVIDER     UPSTREAM MODEL  PRICES
    test/small  test/small  hosted_vllm  small           missing

       WORKSPACE  ID  LIMIT  RESET    USAGE
    +  T          t   100    monthly  -

       KEY         ID            LIMIT  RESET  USAGE
    +  plain text  99333ff0576a  0.7    never  0.5
    +  short       ec37d6270cc9  -      -      -
    +  usual       c11e7177eb60  -      -      -

    PLACE           NOTE     WHAT                         WHY
    litellm.yaml:2  missing  pricing.prompt of small      is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:2  missing  pricing.completion of small  is not in the file and not built in: add it, and take the `#` away
    litellm.yaml:2  missing  context_length of small      is not in the file and not built in: add it, and take the `#` away
    key "short"     warning  the key's text               its text is short or has few different characters: it may be guessed
    key "usual"     warning  the key's text               its text is one from manuals, which everybody knows: give out another key

    1 endpoints, 1 of them not whole; 5 notes
    keys and workspaces: 4 to add, 0 unchanged, 0 differ and stay, 0 refused
    nothing was changed; --apply does it
    "#);
    assert!(!folder.path().join("tollgate.db").exists());
    let told = crate::transcript::transcript(folder.path(), &format!("{line} --apply"));
    assert!(told.contains("4 added, 0 unchanged"), "{told}");
    let told = crate::transcript::transcript(folder.path(), &format!("{line} --apply"));
    assert!(told.contains("0 added, 4 unchanged, 0 differ and stay, 0 refused"), "{told}");
    write(
        "keys.json",
        r#"{"keys": ["0000000000000000000000000000000000000000000000000000000000000000"]}"#,
    );
    assert_snapshot!(crate::transcript::transcript(folder.path(), line), @r#"
    $ tollgate import litellm litellm.yaml --keys keys.json
    [1]
    ! tollgate: can't read keys.json: it has hashes alone; ask LiteLLM for /key/list?return_full_object=true
    "#);
}

#[tokio::test]
async fn a_database_is_read_encrypted_and_only_from_who_it_is() {
    let postgres = Postgres::start_encrypted();
    postgres.execute(TABLES);
    postgres.execute(&key(&text("one"), "one", "", ""));
    let world = World::start(&["small"]).await;
    let path = world.tollgate.folder().join("litellm.yaml");
    std::fs::write(&path, CONFIG).expect("a file");
    let authority = format!("sslrootcert={}", postgres.authority().display());
    let mut told = Vec::new();
    for (host, query) in [
        ("localhost", format!("sslmode=verify-full&{authority}")),
        ("localhost", format!("sslmode=require&{authority}")),
        // Nobody knows the authority.
        ("localhost", "sslmode=require".to_owned()),
        // The certificate is for another name.
        ("127.0.0.1", format!("sslmode=require&{authority}")),
        // The database lets nobody in that does not encrypt.
        ("localhost", "sslmode=disable".to_owned()),
    ] {
        let url = postgres.encrypted_url(host, &query);
        let path = path.to_str().expect("text");
        let output = world.tollgate.run(&["import", "litellm", path, "--keys", &url]).await;
        let first = |text: &[u8]| String::from_utf8_lossy(text).lines().last().map(str::to_owned);
        told.push(first(&output.stderr).or(first(&output.stdout)).expect("a line"));
    }
    assert_snapshot!(told.join("\n"), @r#"
    nothing was changed; --apply does it
    nothing was changed; --apply does it
    tollgate: the database's certificate is by an authority that is not known; `sslrootcert=FILE` in its address names the authority's
    tollgate: the database can't be read: error performing TLS handshake: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
    tollgate: the database refused: no pg_hba.conf entry for host "127.0.0.1", user "postgres", database "postgres", no encryption
    "#);
}
