//! The whole book as JSON lines: the same bytes from the same book, every field described, nothing
//! secret. And who changed what, as the audit log has it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use ledger::{Amounts, Day, Pace};
use money::Money;
use serde_json::{Value, json};
use store::contract::sample::{
    NOW, after, audit_row, bare_credential, bare_entry, budget, commit, commit_all, correct,
    create, create_workspace, credential, credits, delete, edit, entry, hash, key, management_key,
    mark, member, settle, settlement, user, workspace, workspace_record,
};
use store::{AuditRow, Change, Edit, Entry, KeyRecord, Kind, Outcome, Reset, Seal, Source};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

use crate::transcript::transcript;
use crate::world::{Form, World, said};

/// A folder with a book that has every kind of line.
fn book() -> TempDir {
    let folder = TempDir::with_prefix("tollgate-export-").expect("a folder");
    fs::write(folder.path().join("tollgate.toml"), "").expect("a file");
    let store = SqliteStore::open(folder.path().join("tollgate.db")).expect("a book");
    let bare = KeyRecord {
        second_hash: None,
        limit: None,
        limit_reset: None,
        updated_at: None,
        expires_at: None,
        creator: None,
        external_user: None,
        allowed_models: None,
        pace: Pace::default(),
        ..key(2)
    };
    create(&store, key(1));
    create(&store, bare.clone());
    delete(&store, hash(1));
    edit(&store, Edit::CreateManagementKey(management_key(8)));
    edit(&store, Edit::RevokeManagementKey { hash: hash(8), at: NOW });
    create_workspace(&store, workspace_record(1));
    let budget = budget(1, Some(Reset::Monthly));
    edit(&store, Edit::PutBudget { budget, include_byok: true, version: 1 });
    for record in [credential(1), bare_credential(2)] {
        edit(&store, Edit::CreateCredential(Box::new(record)));
    }
    edit(&store, Edit::DeleteCredential { id: credential(1).id, at: NOW });
    edit(&store, Edit::CreateUser(user(1)));
    let members = vec![member(1, 1)];
    edit(&store, Edit::AddMembers { workspace: workspace(1), members, version: 2 });
    settle(&store, &Entry { source: Source::Interrupted, ..entry("gen-1", hash(1)) });
    correct(&store, "gen-1", 0, Amounts::credits(Money::nanos(1)));
    settle(&store, &bare_entry("gen-2", hash(2)));
    for (number, cost) in [(3, 5), (4, 25_500_000_000)] {
        let old =
            Entry { admitted_at: after(-86_400), cost: credits(cost), ..entry("gen", hash(2)) };
        settle(&store, &Entry { generation: format!("gen-{number}"), ..old });
    }
    let seal = Seal { before: Day::of(NOW), from: None, rows_max: 9, audit: None };
    commit(&store, Change::Seal(Box::new(seal)));
    commit(&store, Change::Mark(mark("a")));
    let renamed = AuditRow {
        before: Some(r#"{"name":"a","limit":0.1}"#.to_owned()),
        after: Some("no JSON".to_owned()),
        ..audit_row("key.update", "by hand")
    };
    commit(&store, Change::Edit(Box::new(Edit::UpdateKey(bare)), renamed));
    folder
}

#[test]
fn every_kind_of_line_is_as_it_is_described() {
    let folder = book();
    assert_snapshot!(transcript(folder.path(), "export"), @r#"
    $ tollgate export
    [0]
    {"type":"export","format":1}
    {"type":"key","hash":"0101010101010101010101010101010101010101010101010101010101010101","second_hash":"8181818181818181818181818181818181818181818181818181818181818181","label":"sk-or-v1-01...abc","name":"key 1 ✓","disabled":false,"limit":"25.500000001","limit_reset":"weekly","include_byok_in_limit":true,"created_at":"2026-11-22T12:00:01Z","updated_at":"2026-11-22T12:00:00.000001Z","expires_at":"2027-11-22T12:00:00.999999Z","deleted_at":"2026-11-22T12:00:00Z","creator":"member","workspace":"01010101-0101-0101-0101-010101010101","external_user":"end user","allowed_models":["openai/*","a \"b\"/ü"],"requests_per_minute":60,"tokens_per_minute":1000000000,"concurrent_requests":1,"version":1}
    {"type":"key","hash":"0202020202020202020202020202020202020202020202020202020202020202","second_hash":null,"label":"sk-or-v1-02...abc","name":"key 2 ✓","disabled":false,"limit":null,"limit_reset":null,"include_byok_in_limit":true,"created_at":"2026-11-22T12:00:02Z","updated_at":null,"expires_at":null,"deleted_at":null,"creator":null,"workspace":"01010101-0101-0101-0101-010101010101","external_user":null,"allowed_models":null,"requests_per_minute":null,"tokens_per_minute":null,"concurrent_requests":null,"version":2}
    {"type":"management_key","hash":"0808080808080808080808080808080808080808080808080808080808080808","label":"sk-mgmt-08...abc","name":"operator 8","created_at":"2026-11-22T12:00:08Z","revoked_at":"2026-11-22T12:00:00Z"}
    {"type":"workspace","id":"01010101-0101-0101-0101-010101010101","slug":"team-1","name":"Team 1 ✓","description":"what it is \"for\"","default_text_model":"openai/gpt-4o-mini","default_image_model":"openai/gpt-image-1","default_provider_sort":"price","is_observability_io_logging_enabled":true,"is_observability_broadcast_enabled":true,"is_data_discount_logging_enabled":true,"io_logging_sampling_millionths":250000,"io_logging_api_key_ids":[1,-7,9223372036854775807],"disabled_server_tools":["web_search"],"include_byok_in_budgets":true,"created_at":"2026-11-22T12:00:01Z","updated_at":"2026-11-22T12:00:00.000001Z","deleted_at":null,"created_by":"operator","version":3}
    {"type":"budget","id":"01010000-0000-0000-0000-000000000009","workspace":"01010101-0101-0101-0101-010101010101","reset":"monthly","limit":"500.000000001","created_at":"2026-11-22T12:00:01Z","updated_at":"2026-11-22T12:00:00.000002Z"}
    {"type":"credential","id":"01010101-0101-0101-0101-010101010101","provider":"openai","workspace":"01010101-0101-0101-0101-010101010101","name":"credential 1 ✓","label":"sk-...AbCd","disabled":true,"is_fallback":true,"is_required":true,"is_byok_only":false,"sort_order":8,"allowed_models":["openai/*","a \"b\"/ü"],"allowed_api_key_hashes":["0101010101010101010101010101010101010101010101010101010101010101","0202020202020202020202020202020202020202020202020202020202020202"],"allowed_user_ids":["member"],"declared_region":"europe","declared_zdr":false,"created_at":"2026-11-22T12:00:01Z","updated_at":"2026-11-22T12:00:00.000001Z","deleted_at":"2026-11-22T12:00:00Z","version":1}
    {"type":"credential","id":"02020202-0202-0202-0202-020202020202","provider":"openai","workspace":null,"name":null,"label":"sk-...AbCd","disabled":false,"is_fallback":false,"is_required":false,"is_byok_only":true,"sort_order":0,"allowed_models":null,"allowed_api_key_hashes":null,"allowed_user_ids":null,"declared_region":null,"declared_zdr":null,"created_at":"2026-11-22T12:00:02Z","updated_at":null,"deleted_at":null,"version":1}
    {"type":"user","id":"user-1","email":"user-1@example.com","first_name":"Ada ✓","last_name":"O'Brien","role":"org:admin","created_at":"2026-11-22T12:00:01Z"}
    {"type":"member","id":"01010000-0000-0000-0000-000000000007","workspace":"01010101-0101-0101-0101-010101010101","user":"user-1","role":"admin","created_at":"2026-11-22T12:00:01Z"}
    {"type":"entry","generation":"gen-1","api_type":"embeddings","attempt":0,"correction":null,"key":"0101010101010101010101010101010101010101010101010101010101010101","workspace":"01010101-0101-0101-0101-010101010101","creator":"member","model":"openai/gpt-4o-mini","provider":"openai","upstream_model":"gpt-4o-mini","credential":"09090909-0909-0909-0909-090909090909","admitted_at":"2026-11-22T12:00:00Z","credits":"0.000001","byok":"0.00000007","held_credits":"0.000005","held_byok":"0.0000003","source":"interrupted","prompt_tokens":300,"completion_tokens":20,"cached_tokens":100,"cache_write_tokens":7,"reasoning_tokens":11,"cache_discount":"-0.00000004","upstream_id":"chatcmpl-1","streamed":true,"cancelled":true,"finish_reason":"stop","latency_ms":1234,"generation_ms":987,"attempts":[{"provider":"openai","model":"openai/gpt-4o-mini","upstream_model":"gpt-4o-mini","status":200,"latency_ms":640,"is_byok":true},{"provider":"azure \"west\"","model":"openai/gpt-4o-mini","upstream_model":"gpt-4o-mini","status":null,"latency_ms":640,"is_byok":false}],"referer":"https://example.com/?a=b","user_agent":"agent/1.0","session":"session"}
    {"type":"entry","generation":"gen-1","api_type":"embeddings","attempt":0,"correction":1,"key":"0101010101010101010101010101010101010101010101010101010101010101","workspace":"01010101-0101-0101-0101-010101010101","creator":"member","model":"openai/gpt-4o-mini","provider":"openai","upstream_model":"gpt-4o-mini","credential":"09090909-0909-0909-0909-090909090909","admitted_at":"2026-11-22T12:00:00Z","credits":"-0.000000999","byok":"-0.00000007","held_credits":"0","held_byok":"0","source":"interrupted","prompt_tokens":0,"completion_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"reasoning_tokens":0,"cache_discount":null,"upstream_id":"chatcmpl-1","streamed":true,"cancelled":true,"finish_reason":"stop","latency_ms":1234,"generation_ms":987,"attempts":[{"provider":"openai","model":"openai/gpt-4o-mini","upstream_model":"gpt-4o-mini","status":200,"latency_ms":640,"is_byok":true},{"provider":"azure \"west\"","model":"openai/gpt-4o-mini","upstream_model":"gpt-4o-mini","status":null,"latency_ms":640,"is_byok":false}],"referer":"https://example.com/?a=b","user_agent":"agent/1.0","session":"session"}
    {"type":"entry","generation":"gen-2","api_type":"completions","attempt":0,"correction":null,"key":"0202020202020202020202020202020202020202020202020202020202020202","workspace":"01010101-0101-0101-0101-010101010101","creator":null,"model":"openai/gpt-4o-mini","provider":"openai","upstream_model":"gpt-4o-mini","credential":null,"admitted_at":"2026-11-22T12:00:00Z","credits":"0","byok":"0","held_credits":"0","held_byok":"0","source":"reported","prompt_tokens":0,"completion_tokens":0,"cached_tokens":0,"cache_write_tokens":0,"reasoning_tokens":0,"cache_discount":null,"upstream_id":null,"streamed":false,"cancelled":false,"finish_reason":null,"latency_ms":1234,"generation_ms":987,"attempts":[],"referer":null,"user_agent":null,"session":null}
    {"type":"sealed","day":"2026-11-21","key":"0202020202020202020202020202020202020202020202020202020202020202","workspace":"01010101-0101-0101-0101-010101010101","creator":"member","model":"openai/gpt-4o-mini","provider":"openai","upstream_model":"gpt-4o-mini","rows":2,"requests":2,"credits":"25.500000005","byok":"0","prompt_tokens":600,"completion_tokens":40,"cached_tokens":200,"cache_write_tokens":14,"reasoning_tokens":22,"last_used_at":"2026-11-21T12:00:00Z"}
    {"type":"endpoint_mark","model":"a","provider":"openai","upstream_model":"gpt-4o-mini","prompt_overhead_tokens":512,"held_at_maximum":true,"barred":false}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"key.create","subject":"0101010101010101010101010101010101010101010101010101010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"key.create","subject":"0202020202020202020202020202020202020202020202020202020202020202","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"key.delete","subject":"0101010101010101010101010101010101010101010101010101010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"management_key.create","subject":"0808080808080808080808080808080808080808080808080808080808080808","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"management_key.revoke","subject":"0808080808080808080808080808080808080808080808080808080808080808","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"workspace.create","subject":"01010101-0101-0101-0101-010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"budget.put","subject":"01010101-0101-0101-0101-010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"byok.create","subject":"01010101-0101-0101-0101-010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"byok.create","subject":"02020202-0202-0202-0202-020202020202","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"byok.delete","subject":"01010101-0101-0101-0101-010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"user.create","subject":"user-1","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"member.add","subject":"01010101-0101-0101-0101-010101010101","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"generation.correct","subject":"gen-1","before":null,"after":{"name":"ci"}}
    {"type":"audit","at":"2026-11-22T12:00:00Z","actor":"operator","action":"key.update","subject":"by hand","before":{"name":"a","limit":0.1},"after":"no JSON"}
    {"type":"end","lines":30}
    "#);
}

/// The fields of each type of line that the export has.
fn exported(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let text = transcript(folder, "export");
    for line in text.lines().skip(2) {
        let line: Value = serde_json::from_str(line).expect("a line of JSON");
        let fields = line.as_object().expect("an object").keys().cloned();
        let kind = line["type"].as_str().expect("a type").to_owned();
        types.entry(kind).or_default().extend(fields.filter(|field| field != "type"));
    }
    types
}

/// And those that the documentation describes, a table a type.
fn described() -> BTreeMap<String, BTreeSet<String>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/export.md");
    let text = fs::read_to_string(path).expect("the documentation");
    let mut types: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut kind = None;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            kind = heading.strip_prefix('`').map(|name| name.trim_end_matches('`').to_owned());
            if let Some(kind) = &kind {
                types.insert(kind.clone(), BTreeSet::new());
            }
        }
        let Some(fields) = kind.as_ref().and_then(|kind| types.get_mut(kind)) else { continue };
        let cell = line.strip_prefix("| `").and_then(|line| line.split(" |").next());
        let names = cell.into_iter().flat_map(|cell| cell.split(", "));
        fields.extend(names.map(|name| name.trim_matches('`').to_owned()));
    }
    types
}

#[test]
fn the_documentation_describes_every_field_and_no_other() {
    let folder = book();
    let store = SqliteStore::open(folder.path().join("tollgate.db")).expect("a book");
    let spent = Entry { kind: Kind::Opening, ..bare_entry("opening-3", hash(3)) };
    let openings = vec![spent];
    let made = edit(&store, Edit::CreateKey { key: key(3), idempotent: None, openings });
    assert_eq!(made, Outcome::Done);
    drop(store);
    assert_eq!(exported(folder.path()), described());
}

#[test]
fn the_same_book_gives_the_same_bytes_from_whichever_copy_it_is_read() {
    let folder = book();
    let exported = transcript(folder.path(), "export");
    let again = |line: &str| transcript(folder.path(), line).replace(line, "export");
    assert_eq!(again("export"), exported);
    transcript(folder.path(), "backup copy.db");
    assert_eq!(again("export --store sqlite:copy.db"), exported);
    assert_snapshot!(transcript(folder.path(), "export --out book.jsonl"), @r"
    $ tollgate export --out book.jsonl
    [0]
    wrote 30 lines to book.jsonl
    ");
    let written = fs::read_to_string(folder.path().join("book.jsonl")).expect("an export");
    assert_eq!(exported, format!("$ tollgate export\n[0]\n{written}"));
    assert_snapshot!(transcript(folder.path(), "export --out book.jsonl"), @r"
    $ tollgate export --out book.jsonl
    [1]
    ! tollgate: book.jsonl is there already; `--force` writes over it
    ");
    assert_snapshot!(transcript(folder.path(), "export --out book.jsonl --force"), @r"
    $ tollgate export --out book.jsonl --force
    [0]
    wrote 30 lines to book.jsonl
    ");
    assert_snapshot!(transcript(folder.path(), "export --out tollgate.db --force"), @r"
    $ tollgate export --out tollgate.db --force
    [1]
    ! tollgate: tollgate.db belongs to the book itself; name another file
    ");
}

#[test]
fn a_reader_that_has_enough_is_no_failure() {
    let folder = book();
    let store = SqliteStore::open(folder.path().join("tollgate.db")).expect("the book");
    let rows = (0..2_000).map(|number| settlement(&entry(&format!("gen-more-{number}"), hash(1))));
    commit_all(&store, &rows.collect::<Vec<_>>());
    drop(store);
    let mut export = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("export")
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a command that runs");
    let mut stdout = export.stdout.take().expect("its stdout");
    stdout.read_exact(&mut [0; 100]).expect("a beginning");
    drop(stdout);
    let output = export.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
}

#[tokio::test]
async fn it_is_read_beside_a_server_and_shows_no_secret() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({ "limit": 1 })).await;
    world.ask(&key, "small", Form::Json, None).await.expect("an answer").paid();
    let beside = world.command(&["export"]).await;
    let secrets = [key.text.as_str(), world.tollgate.management_key()];
    for secret in secrets.map(|secret| secret.strip_prefix("sk-or-v1-").expect("a key")) {
        assert!(!beside.contains(secret), "a key's text is in the export");
    }
    assert!(beside.contains(&key.hash));
    world.tollgate.term().await;
    assert_eq!(world.command(&["export"]).await, beside);
}

#[test]
fn the_audit_log_lists_who_changed_what() {
    let folder = book();
    assert_snapshot!(transcript(folder.path(), "audit log"), @r#"
    $ tollgate audit log
    [0]
    AT                    ACTOR     ACTION                 SUBJECT                                                           BEFORE                    AFTER
    2026-11-22T12:00:00Z  operator  key.update             by hand                                                           {"name":"a","limit":0.1}  no JSON
    2026-11-22T12:00:00Z  operator  generation.correct     gen-1                                                             -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  member.add             01010101-0101-0101-0101-010101010101                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  user.create            user-1                                                            -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  byok.delete            01010101-0101-0101-0101-010101010101                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  byok.create            02020202-0202-0202-0202-020202020202                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  byok.create            01010101-0101-0101-0101-010101010101                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  budget.put             01010101-0101-0101-0101-010101010101                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  workspace.create       01010101-0101-0101-0101-010101010101                              -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  management_key.revoke  0808080808080808080808080808080808080808080808080808080808080808  -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  management_key.create  0808080808080808080808080808080808080808080808080808080808080808  -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  key.delete             0101010101010101010101010101010101010101010101010101010101010101  -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  key.create             0202020202020202020202020202020202020202020202020202020202020202  -                         {"name":"ci"}
    2026-11-22T12:00:00Z  operator  key.create             0101010101010101010101010101010101010101010101010101010101010101  -                         {"name":"ci"}
    "#);
    assert_snapshot!(transcript(folder.path(), "audit log --action management_key. --json"), @r#"
    $ tollgate audit log --action management_key. --json
    [0]
    [
      {
        "at": "2026-11-22T12:00:00Z",
        "actor": "operator",
        "action": "management_key.revoke",
        "subject": "0808080808080808080808080808080808080808080808080808080808080808",
        "before": null,
        "after": {"name":"ci"}
      },
      {
        "at": "2026-11-22T12:00:00Z",
        "actor": "operator",
        "action": "management_key.create",
        "subject": "0808080808080808080808080808080808080808080808080808080808080808",
        "before": null,
        "after": {"name":"ci"}
      }
    ]
    "#);
    assert_snapshot!(transcript(folder.path(), "audit log --subject gen-1 --most 1"), @r#"
    $ tollgate audit log --subject gen-1 --most 1
    [0]
    AT                    ACTOR     ACTION              SUBJECT  BEFORE  AFTER
    2026-11-22T12:00:00Z  operator  generation.correct  gen-1    -       {"name":"ci"}
    "#);
    assert_snapshot!(transcript(folder.path(), "audit log --action nothing"), @r"
    $ tollgate audit log --action nothing
    [0]
    AT  ACTOR  ACTION  SUBJECT  BEFORE  AFTER
    ");
    let since = "--actor operator --since 2026-11-22T12:00:00Z --most 1";
    assert_snapshot!(transcript(folder.path(), &format!("audit log {since}")), @r#"
    $ tollgate audit log --actor operator --since 2026-11-22T12:00:00Z --most 1
    [0]
    AT                    ACTOR     ACTION      SUBJECT  BEFORE                    AFTER
    2026-11-22T12:00:00Z  operator  key.update  by hand  {"name":"a","limit":0.1}  no JSON
    "#);
    for filter in ["--actor nobody", "--until 2026-11-22T12:00:00Z"] {
        let told = transcript(folder.path(), &format!("audit log {filter} --json"));
        assert_eq!(told, format!("$ tollgate audit log {filter} --json\n[0]\n[]\n"));
    }
}

#[tokio::test]
async fn corrections_that_were_made_are_listed() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let (client, own) = (world.client(), key.clone());
    let asking =
        tokio::spawn(
            async move { crate::world::ask(&client, &own, "small", Form::Json, None).await },
        );
    gate.until_waiting(1).await;
    world.tollgate.kill9();
    assert!(asking.await.expect("no panic").is_err());
    world.tollgate.restart().await;
    let held = world.holds().await.remove(0);
    let generation = held["generation"].as_str().expect("an id").to_owned();
    world.command(&["holds", "settle", &generation, "--cost", "0.000001"]).await;
    world.command(&["holds", "void", &generation]).await;
    let listed = world.command(&["holds", "list", "--resolved", "--json"]).await;
    let listed: Vec<Value> = serde_json::from_str(&listed).expect("a list");
    let shown: Vec<_> =
        listed.iter().map(|row| [&row["generation"], &row["from"], &row["to"]]).collect();
    let (generation, charged) = (json!(generation), &held["charged"]);
    let (once, zero) = (json!("0.000001"), json!("0"));
    assert_eq!(shown, [[&generation, &once, &zero], [&generation, charged, &once]]);
    let table = world.tollgate.run(["holds", "list", "--resolved"]).await;
    assert!(said(&table).contains("CORRECTED"), "{}", said(&table));
}
