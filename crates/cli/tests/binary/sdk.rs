//! The Rust SDK at a running server: every call, and what it makes of money, limits and refusals.

use client::{
    ChatRequest, Client, CreateByokKey, CreateKey, CreateMember, CreateWorkspace,
    EmbeddingsRequest, GetActivity, Interval, LimitReset, ListAuditLog, ListByokKeys, ListKeys,
    ListModels, Message, PutBudget, Retries, Slice, UpdateByokKey, UpdateKey, UpdateWorkspace, Usd,
};
use futures_util::TryStreamExt as _;
use testkit::{Behaviour, Cut};

use crate::world::{World, cost, times, worst};

const MASTER_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

impl World {
    /// The SDK with that key; nothing is sent twice.
    fn sdk(&self, key: &str) -> Client {
        let url = format!("http://{}/api/v1", self.tollgate.address());
        let builder = Client::builder().base_url(url).api_key(key).retries(Retries::none());
        builder.build().expect("a client")
    }

    fn admin(&self) -> Client {
        self.sdk(self.tollgate.management_key())
    }
}

fn usd(text: &str) -> Usd {
    text.parse().expect("an amount")
}

fn hello(model: &str) -> ChatRequest {
    ChatRequest::new(format!("test/{model}")).message(Message::user("Hello")).max_tokens(20)
}

#[tokio::test]
async fn a_key_is_made_read_changed_listed_and_deleted() {
    let world = World::start(&["plain"]).await;
    let keys = world.admin().keys();
    let expires_at = "2030-01-31T00:00:00Z".parse().expect("a moment");
    let wanted = CreateKey::new("ci")
        .limit(usd("25.000000001"))
        .limit_reset(LimitReset::Monthly)
        .include_byok_in_limit(true)
        .expires_at(expires_at)
        .allowed_models(["test/*"])
        .requests_per_minute(60)
        .idempotency_key("made-once-0000000000001");
    let made = keys.create(&wanted).await.expect("a key");
    let again = keys.create(&wanted).await.expect("the same key");
    assert_eq!(again, made, "an idempotency key gives the same answer, text included");

    let key = keys.get(&made.data.hash).await.expect("the key");
    assert_eq!(key, made.data);
    assert_eq!((key.limit, key.limit_remaining), (Some(usd("25.000000001")), key.limit));
    assert_eq!(
        (key.limit_reset.clone(), key.expires_at),
        (Some(LimitReset::Monthly), Some(expires_at))
    );
    assert_eq!(
        (key.requests_per_minute, key.usage, key.byok_usage_weekly),
        (Some(60), Usd::ZERO, Usd::ZERO)
    );
    assert!(key.workspace_id.is_some() && key.updated_at.is_none());

    let changes = UpdateKey::new().limit(None).disabled(true).requests_per_minute(None);
    let changed = keys.update(&key.hash, &changes).await.expect("the key");
    assert_eq!((changed.limit, changed.limit_remaining, changed.disabled), (None, None, true));
    assert_eq!(
        (changed.requests_per_minute, changed.limit_reset),
        (None, Some(LimitReset::Monthly))
    );

    assert_eq!(keys.list(&ListKeys::new()).await.expect("keys").len(), 0);
    let all: Vec<_> =
        keys.list_all(ListKeys::new().include_disabled(true)).try_collect().await.expect("keys");
    assert_eq!(all.iter().map(|key| &key.hash).collect::<Vec<_>>(), [&key.hash]);

    keys.delete(&key.hash).await.expect("it is gone");
    let gone = keys.delete(&key.hash).await.expect_err("it is gone already");
    assert!(gone.is_not_found() && gone.request_id().is_some());
    let wrong = keys.create(&CreateKey::new(" ")).await.expect_err("no name");
    assert_eq!(
        (wrong.status(), wrong.error_type().as_deref()),
        (Some(400), Some("invalid_request"))
    );
    assert!(wrong.message().is_some_and(|message| message.contains("`name`")), "{wrong}");
}

#[tokio::test]
async fn lists_are_longer_than_a_page() {
    let world = World::start(&["plain"]).await;
    let keys = world.admin().keys();
    for number in 0..101 {
        keys.create(&CreateKey::new(format!("key {number}"))).await.expect("a key");
    }
    let mut names: Vec<String> = keys
        .list_all(ListKeys::new())
        .map_ok(|key| key.name)
        .try_collect()
        .await
        .expect("all keys");
    assert_eq!((names.len(), names[0].as_str()), (101, "key 100"));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 101);
}

#[tokio::test]
async fn a_chat_costs_what_it_says_and_the_limit_refuses_with_its_figures() {
    let world = World::start(&["plain"]).await;
    let admin = world.admin();
    let one = usd(&times(worst(20), 3).to_string());
    let made = admin.keys().create(&CreateKey::new("ci").limit(one)).await.expect("a key");
    let sdk = world.sdk(made.key.expose());

    let answer = sdk.chat().send(&hello("plain")).await.expect("an answer");
    let usage = answer.usage.clone().expect("its usage");
    let spent = usage.cost.expect("its cost");
    let tokens = cost(usage.prompt_tokens, usage.completion_tokens);
    assert_eq!(spent, usd(&tokens.to_string()));
    assert!(!answer.text().is_empty() && !usage.is_byok);
    let generation = admin.generations().get(&answer.id).await.expect("the generation");
    assert_eq!((generation.total_cost, generation.streamed), (spent, Some(false)));

    // Streamed, until the money is gone.
    let mut total = spent;
    let refused = loop {
        let parts = match sdk.chat().stream(&hello("plain")).await {
            Ok(parts) => parts,
            Err(error) => break error,
        };
        let parts: Vec<_> = parts.try_collect().await.expect("a whole stream");
        let usage = parts.iter().rev().find_map(|part| part.usage.as_ref()).expect("its usage");
        total = total.checked_add(usage.cost.expect("its cost")).expect("a sum");
    };
    assert!(refused.is_over_limit(), "{refused}");
    let key = admin.keys().get(&made.data.hash).await.expect("the key");
    assert_eq!((key.usage, key.usage_daily), (total, total));
    assert!(total <= one, "{total} of {one}");
    let limit = refused.limit().expect("its limit");
    assert_eq!(limit.source.as_deref(), Some("openrouter_key_limit"));

    let own = sdk.key().current().await.expect("the key itself");
    assert_eq!((own.usage, own.limit), (total, Some(one)));
    assert_eq!(own.effective_budget.expect("its budget").spend_usd, total);
    assert_eq!(admin.credits().get().await.expect("totals").total_usage, total);
    world.audit().await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_no_answer() {
    let world = World::start(&["cut"]).await;
    world.upstream.on("cut", Behaviour::new().cut(Cut::AfterEvents(2)));
    let made = world.admin().keys().create(&CreateKey::new("ci")).await.expect("a key");
    let parts = world.sdk(made.key.expose()).chat().stream(&hello("cut")).await.expect("a head");
    let error = parts.try_collect::<Vec<_>>().await.expect_err("an error");
    assert_eq!(error.error_type().as_deref(), Some("provider_unavailable"), "{error:?}");
}

#[tokio::test]
async fn whom_the_server_does_not_know_it_says_so() {
    let world = World::start(&["plain"]).await;
    let error = world.sdk("sk-or-v1-nobody").key().current().await.expect_err("nobody");
    assert!(error.is_unauthorized());
    let made = world.admin().keys().create(&CreateKey::new("ci")).await.expect("a key");
    let error = world.sdk(made.key.expose()).keys().list(&ListKeys::new()).await;
    let error = error.expect_err("it administers nothing");
    assert!(error.status() == Some(403) && !error.is_over_limit(), "{error}");
}

#[tokio::test]
async fn the_catalogue_and_the_reports() {
    let world = World::start(&["plain", "other"]).await;
    let admin = world.admin();
    let made = admin.keys().create(&CreateKey::new("ci")).await.expect("a key");
    let sdk = world.sdk(made.key.expose());
    let page = sdk.models().list(&ListModels::new().q("oth")).await.expect("models");
    assert_eq!((page.data[0].id.as_str(), page.total_count), ("test/other", Some(1)));
    assert_eq!(sdk.models().count().await.expect("a count"), 2);
    let all: Vec<_> =
        sdk.models().list_all(ListModels::new().limit(1)).try_collect().await.expect("models");
    assert_eq!(all.len(), 2);
    let mine = sdk.models().list_for_user(&ListModels::new()).await.expect("models");
    assert_eq!(mine.data.len(), 2);
    let model = sdk.models().get("test/plain").await.expect("the model");
    assert_eq!(model.pricing.prompt.usd(), Some(usd("0.00000015")));
    let there = sdk.models().endpoints("test/plain").await.expect("its endpoints");
    assert_eq!(there.endpoints[0].pricing, model.pricing);
    assert_eq!(sdk.providers().list().await.expect("providers")[0].slug, "fake");
    assert!(sdk.endpoints().zdr().await.expect("endpoints").is_empty());
    assert!(sdk.embeddings().models().await.expect("models").is_empty());
    let none = EmbeddingsRequest::new("test/plain", ["one"]);
    assert!(sdk.embeddings().create(&none).await.is_err(), "no model embeds");
    assert!(admin.activity().get(&GetActivity::new()).await.expect("activity").is_empty());
    let missing = admin.generations().content("gen-none").await.expect_err("none is kept");
    assert!(missing.is_not_found());
}

#[tokio::test]
async fn workspaces_budgets_members_credentials_and_the_audit_log() {
    let world =
        World::with(&["plain"], "", |builder| builder.env("TOLLGATE_MASTER_KEY", MASTER_KEY)).await;
    let admin = world.admin();

    let workspaces = admin.workspaces();
    let research = CreateWorkspace::new("Research", "research").description("d");
    let made = workspaces.create(&research).await.expect("a workspace");
    assert_eq!(workspaces.get("research").await.expect("the same"), made);
    let changes = UpdateWorkspace::new().description(None).default_text_model("test/plain");
    let changed = workspaces.update(&made.id, &changes).await.expect("the workspace");
    assert_eq!(
        (changed.description, changed.default_text_model.as_deref()),
        (None, Some("test/plain"))
    );
    let all: Vec<_> = workspaces.list_all(Slice::new()).try_collect().await.expect("workspaces");
    assert_eq!(all.len(), 2);

    let budgets = workspaces.budgets("research");
    let put = budgets.put(Interval::Daily, &PutBudget::new(usd("0.5"))).await.expect("a budget");
    assert_eq!(budgets.get(Interval::Daily).await.expect("the same"), put);
    assert_eq!(budgets.list().await.expect("budgets").data, std::slice::from_ref(&put));
    let less = budgets.put(Interval::Monthly, &PutBudget::new(usd("0.4"))).await;
    assert_eq!(less.expect_err("a month is longer than a day").status(), Some(400));
    budgets.delete(Interval::Daily).await.expect("it is gone");
    assert!(budgets.get(Interval::Daily).await.expect_err("it is gone").is_not_found());

    let organization = admin.organization();
    let ada = CreateMember::new("ada", "ada@example.com").first_name("Ada");
    organization.create_member(&ada).await.expect("a member");
    let people = organization.members(Slice::new()).await.expect("members");
    assert!(people.data.iter().any(|person| person.first_name.as_deref() == Some("Ada")));
    let members = workspaces.members("research");
    assert_eq!(members.add(&["ada"]).await.expect("a membership").added_count, 1);
    assert_eq!(members.list(Slice::new()).await.expect("members").data[0].user_id, "ada");
    assert_eq!(members.remove(&["ada"]).await.expect("one less"), 1);
    organization.delete_member("ada").await.expect("she is gone");

    let byok = admin.byok();
    let ours = CreateByokKey::new("fake", "sk-of-ours-0001").is_required(true);
    let credential = byok.create(&ours).await.expect("a credential");
    assert_eq!(byok.get(&credential.id).await.expect("the same"), credential);
    assert_eq!(byok.list(&ListByokKeys::new()).await.expect("credentials").total_count, Some(1));
    let off = byok.update(&credential.id, &UpdateByokKey::new().disabled(true)).await;
    assert!(off.expect("the credential").disabled);
    let all: Vec<_> = byok.list_all(ListByokKeys::new()).try_collect().await.expect("credentials");
    assert_eq!(all.len(), 1);
    byok.delete(&credential.id).await.expect("it is gone");
    workspaces.delete("research").await.expect("it is gone");

    let wanted = ListAuditLog::new().action("workspace.").subject(&made.id);
    let page = admin.audit_log().list(&wanted).await.expect("changes");
    let actions: Vec<_> = page.data.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(
        (actions[0], *actions.last().expect("one")),
        ("workspace.delete", "workspace.create")
    );
    let all: Vec<_> =
        admin.audit_log().list_all(ListAuditLog::new()).try_collect().await.expect("changes");
    assert!(all.len() > actions.len());
}
