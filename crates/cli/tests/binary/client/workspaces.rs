//! Workspaces with their budgets, credentials that people bring, and members.

use insta::assert_snapshot;
use serde_json::Value;

use super::Session;
use crate::clock::Clock;
use crate::world::World;

#[tokio::test]
async fn a_workspace_is_made_given_budgets_changed_and_deleted() {
    let clock = Clock::at("2026-11-21T22:50:00Z");
    let world = clock.world("UTC").await;
    let me = Session::of_manager(&world);
    let default = me.printed("workspaces get default --quiet").await;
    let made = me
        .printed("workspaces create research --name Research --model test/small --description what's-next --quiet")
        .await;
    let me = me.named(made.trim(), "RESEARCH").named(default.trim(), "DEFAULT");
    let mut told = String::new();
    for line in [
        "workspaces list",
        "workspaces get research",
        "workspaces update research --name Lab --model none --sort price",
        "workspaces update research",
        "workspaces budgets list research",
        "workspaces budgets set research monthly 500",
        "workspaces budgets set research weekly 600",
        "workspaces budgets set research daily 20.5 --include-byok true",
        "workspaces budgets list research",
        "workspaces budgets list research --quiet",
        "workspaces budgets delete research daily",
        "keys create ci --workspace research --quiet",
        "workspaces delete research --yes",
        "keys list --workspace research",
        "keys delete ci --yes",
        "workspaces delete research",
        "workspaces delete research --yes",
        "workspaces delete default --yes",
    ] {
        let said = me.say(line).await;
        told.push_str(&masked(&said));
    }
    assert_snapshot!(told, @r#"
    $ tollgate workspaces list
    [0]
    SLUG      NAME      MODEL       MADE              ID
    default   Default   –           2026-11-21 22:50  DEFAULT
    research  Research  test/small  2026-11-21 22:50  RESEARCH
    $ tollgate workspaces get research
    [0]
    slug         research
    name         Research
    id           RESEARCH
    description  what's-next
    model        test/small
    made         2026-11-21 22:50
    made by      environment
    $ tollgate workspaces update research --name Lab --model none --sort price
    [0]
    slug          research
    name          Lab
    id            RESEARCH
    description   what's-next
    providers by  price
    made          2026-11-21 22:50
    changed       2026-11-21 22:50
    made by       environment
    $ tollgate workspaces update research
    [2]
    ! tollgate: nothing to change is named: say `--name`, `--slug`, `--description`, `--model` or `--sort`
    $ tollgate workspaces budgets list research
    [0]
    ! it has no budgets; `tollgate workspaces budgets set` gives it one
    $ tollgate workspaces budgets set research monthly 500
    [0]
    $500.00 monthly
    $ tollgate workspaces budgets set research weekly 600
    [1]
    ! tollgate: Budget limits must be strictly decreasing from lifetime to daily: the monthly limit ($500) must be greater than the weekly limit ($600) (400)
    $ tollgate workspaces budgets set research daily 20.5 --include-byok true
    [0]
    $20.50 daily
    $ tollgate workspaces budgets list research
    [0]
    WINDOW     LIMIT  MADE              CHANGED
    monthly  $500.00  2026-11-21 22:50  2026-11-21 22:50
    daily     $20.50  2026-11-21 22:50  2026-11-21 22:50
    what own credentials spend counts
    $ tollgate workspaces budgets list research --quiet
    [0]
    monthly
    daily
    $ tollgate workspaces budgets delete research daily
    [0]
    deleted the daily budget of research
    $ tollgate keys create ci --workspace research --quiet
    [0]
    TEXT
    $ tollgate workspaces delete research --yes
    [1]
    ! tollgate: The workspace has keys; delete them or move them to another workspace first (400)
    $ tollgate keys list --workspace research
    [0]
    NAME  HASH          STATE   LIMIT  RESET  LEFT  SPENT  LAST USED
    ci    HASH  active      –  –         –  $0.00  –
    $ tollgate keys delete ci --yes
    [0]
    deleted ci HASH
    $ tollgate workspaces delete research
    [2]
    ! tollgate: delete workspace "research" (RESEARCH) at http://SERVER/api/v1? Nobody is here to answer: say `--yes`
    $ tollgate workspaces delete research --yes
    [0]
    deleted research
    $ tollgate workspaces delete default --yes
    [1]
    ! tollgate: The default workspace can't be deleted (403)
    "#);
}

/// What was said, without the texts and hashes of keys, which are drawn by chance.
fn masked(said: &str) -> String {
    let is_key = |word: &str| word.starts_with("sk-or-v1-") && word.len() == 73;
    let is_hash = |word: &str| {
        let digits = word.trim_matches(['(', ')']);
        [12, 64].contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let mask = |word: &str| match (is_key(word), is_hash(word)) {
        (true, _) => "TEXT".to_owned(),
        (_, true) => "HASH".to_owned(),
        _ => word.to_owned(),
    };
    let line = |line: &str| line.split(' ').map(mask).collect::<Vec<_>>().join(" ");
    said.lines().map(|text| line(text) + "\n").collect()
}

#[tokio::test]
async fn a_credential_is_brought_without_its_secret_in_the_arguments() {
    let world =
        World::with(&["small"], "", |builder| builder.env("TOLLGATE_MASTER_KEY", "ab".repeat(32)))
            .await;
    let me = Session::of_manager(&world);
    me.file("fake.key", "fake-credential-0123456789abcdef\n");
    let id = me.printed("byok create fake --name team --secret-file fake.key --quiet").await;
    let workspace = me.printed("workspaces list --quiet").await;
    let made: Value =
        serde_json::from_str(&me.printed(&format!("byok get {} --json", id.trim())).await)
            .expect("a document");
    let minute = made["created_at"].as_str().expect("a moment")[..16].replace('T', " ");
    let me =
        me.named(id.trim(), "ID").named(workspace.trim(), "WORKSPACE").named(&minute, "MINUTE");
    let id = id.trim();
    let mut told = String::new();
    for (line, stdin) in [
        ("byok list".to_owned(), ""),
        (format!("byok get {id}"), ""),
        (
            format!("byok update {id} --secret-stdin --fallback true"),
            "another-credential-fedcba9876543210",
        ),
        (format!("byok update {id} --secret-command cat fake.key"), ""),
        (format!("byok update {id} --model test/small --disable"), ""),
        (format!("byok update {id}"), ""),
        ("byok create fake".to_owned(), ""),
        ("byok create nobody".to_owned(), "a-credential-0123456789"),
        ("byok list --provider fake --quiet".to_owned(), ""),
        (format!("byok delete {id} --yes"), ""),
        (format!("byok get {id}"), ""),
        ("byok list".to_owned(), ""),
    ] {
        told.push_str(&me.pipe(&line, stdin).await);
    }
    assert!(!told.contains("credential-"), "{told}");
    assert_snapshot!(told, @r#"
    $ tollgate byok list
    [0]
    PROVIDER  NAME  LABEL       STATE   TRIED  MADE              ID
    fake      team  fak...cdef  active  first  MINUTE  ID
    $ tollgate byok get ID
    [0]
    id         ID
    provider   fake
    name       team
    label      fak...cdef
    state      active
    tried      first
    workspace  WORKSPACE
    made       MINUTE
    $ tollgate byok update ID --secret-stdin --fallback true
    [0]
    id         ID
    provider   fake
    name       team
    label      ano...3210
    state      active
    tried      last
    workspace  WORKSPACE
    made       MINUTE
    $ tollgate byok update ID --secret-command cat fake.key
    [0]
    id         ID
    provider   fake
    name       team
    label      fak...cdef
    state      active
    tried      last
    workspace  WORKSPACE
    made       MINUTE
    $ tollgate byok update ID --model test/small --disable
    [0]
    id         ID
    provider   fake
    name       team
    label      fak...cdef
    state      disabled
    tried      last
    models     test/small
    workspace  WORKSPACE
    made       MINUTE
    $ tollgate byok update ID
    [2]
    ! tollgate: nothing to change is named: say `--name`, `--disable`, `--secret-file` or another of those in `tollgate byok update --help`
    $ tollgate byok create fake
    [1]
    ! tollgate: the secret is empty
    $ tollgate byok create nobody
    [1]
    ! tollgate: `provider` is no provider of this gateway: nobody; allowed: `fake` (400)
    $ tollgate byok list --provider fake --quiet
    [0]
    ID
    $ tollgate byok delete ID --yes
    [0]
    deleted fak...cdef
    $ tollgate byok get ID
    [1]
    ! tollgate: there is no credential "ID" at http://SERVER/api/v1
    !   `tollgate byok list` lists what there is
    $ tollgate byok list
    [0]
    ! there are no such credentials; `tollgate byok create PROVIDER` brings one
    "#);
}

#[tokio::test]
async fn members_are_listed() {
    let world = World::with(
        &["small"],
        "[[users]]\nid = \"ada\"\nemail = \"ada@example.com\"\nfirst_name = \"Ada\"\nrole = \"org:admin\"",
        |builder| builder,
    )
    .await;
    let me = Session::of_manager(&world);
    let told = me.say("members list").await + &me.say("members list --quiet").await;
    assert_snapshot!(told, @r"
    $ tollgate members list
    [0]
    ID        EMAIL               NAME  ROLE
    operator  operator@localhost        org:admin
    ada       ada@example.com     Ada   org:admin
    $ tollgate members list --quiet
    [0]
    operator
    ada
    ");
}
