//! What each call sends: method, path, query and body, one line each.

use tollgate::{
    ChatRequest, Client, CreateByokKey, CreateKey, CreateMember, CreateWorkspace,
    EmbeddingsRequest, External, GetActivity, Interval, LimitReset, ListAuditLog, ListByokKeys,
    ListKeys, ListModels, Message, Patch, ProviderPreferences, PutBudget, Region, Slice,
    UpdateByokKey, UpdateKey, UpdateWorkspace, Usd,
};

use crate::server::Server;

/// Makes each call, whatever comes of it, and says what was sent.
macro_rules! sent {
    ($client:ident: $($call:expr;)+) => {{
        // Every call fails at once, with an answer that is not asked for again.
        let server = Server::saying(400, "", "{}").await;
        let $client = server.client();
        $($call.await.map(|_| ()).unwrap_err();)+
        let line = |asked: crate::server::Asked| match asked.body.as_str() {
            "" => asked.line,
            body => format!("{} {body}", asked.line),
        };
        server.asked().into_iter().map(line).collect::<Vec<_>>()
    }};
}

fn moment() -> jiff::Timestamp {
    "2026-12-31T23:59:59Z".parse().unwrap()
}

#[tokio::test]
async fn keys() {
    let whole = CreateKey::new("ci")
        .limit("25.5".parse::<Usd>().unwrap())
        .limit_reset(LimitReset::Monthly)
        .include_byok_in_limit(true)
        .expires_at(moment())
        .creator_user_id("ada")
        .workspace_id("w")
        .external(External::new("customer-7"))
        .allowed_models(["openai/*"])
        .requests_per_minute(60)
        .tokens_per_minute(100_000)
        .concurrent_requests(4)
        .idempotency_key("not in the body of it");
    let changed = UpdateKey::new()
        .name("cd")
        .disabled(false)
        .limit(Usd::from(30))
        .limit_reset(None)
        .include_byok_in_limit(false)
        .workspace_id("w")
        .expires_at(None)
        .allowed_models(vec!["a/b".to_owned()])
        .requests_per_minute(None)
        .tokens_per_minute(1_u64)
        .concurrent_requests(Patch::Null);
    let sent = sent!(client:
        client.keys().list(&ListKeys::new());
        client.keys().list(
            &ListKeys::new().offset(100).include_disabled(true).include_expired(true).workspace_id("w")
        );
        client.keys().create(&CreateKey::new("ci"));
        client.keys().create(&whole);
        client.keys().get("0e6f");
        client.keys().update("0e6f", &UpdateKey::new());
        client.keys().update("0e6f", &changed);
        client.keys().delete("0e6f");
        client.key().current();
    );
    assert_eq!(
        sent,
        [
            "GET /api/v1/keys",
            "GET /api/v1/keys?offset=100&include_disabled=true&include_expired=true&workspace_id=w",
            r#"POST /api/v1/keys {"name":"ci"}"#,
            r#"POST /api/v1/keys {"name":"ci","limit":25.5,"limit_reset":"monthly","include_byok_in_limit":true,"expires_at":"2026-12-31T23:59:59Z","creator_user_id":"ada","workspace_id":"w","external":{"user":"customer-7"},"allowed_models":["openai/*"],"requests_per_minute":60,"tokens_per_minute":100000,"concurrent_requests":4}"#,
            "GET /api/v1/keys/0e6f",
            "PATCH /api/v1/keys/0e6f {}",
            r#"PATCH /api/v1/keys/0e6f {"name":"cd","disabled":false,"limit":30,"limit_reset":null,"include_byok_in_limit":false,"workspace_id":"w","expires_at":null,"allowed_models":["a/b"],"requests_per_minute":null,"tokens_per_minute":1,"concurrent_requests":null}"#,
            "DELETE /api/v1/keys/0e6f",
            "GET /api/v1/key",
        ]
    );
}

#[tokio::test]
async fn reports_and_the_catalogue() {
    let activity = GetActivity::new()
        .date(jiff::civil::date(2026, 11, 21))
        .api_key_hash("0e6f")
        .user_id("ada")
        .workspace_id("w")
        .group_by_workspace(true);
    let models = ListModels::new()
        .offset(5)
        .limit(10)
        .q("mini & more")
        .category("programming")
        .supported_parameters("tools,seed")
        .input_modalities("text")
        .output_modalities("image")
        .context(1000)
        .min_price("0.5".parse::<Usd>().unwrap())
        .max_price(Usd::from(1))
        .min_output_price(Usd::from(2))
        .max_output_price(Usd::from(3))
        .zdr(true)
        .providers("groq")
        .model_authors("openai")
        .sort("newest");
    let sent = sent!(client:
        client.credits().get();
        client.activity().get(&GetActivity::new());
        client.activity().get(&activity);
        client.generations().get("gen-1");
        client.generations().content("gen-1");
        client.models().list(&ListModels::new());
        client.models().list(&models);
        client.models().list_for_user(&ListModels::new().limit(1));
        client.models().count();
        client.models().get("openai/gpt-4o:free");
        client.models().endpoints("openai/gpt-4o");
        client.endpoints().zdr();
        client.providers().list();
        client.embeddings().models();
        client.embeddings().create(&EmbeddingsRequest::new("a/e", ["x", "y"]).dimensions(8).user("u"));
    );
    assert_eq!(
        sent,
        [
            "GET /api/v1/credits",
            "GET /api/v1/activity",
            "GET /api/v1/activity?date=2026-11-21&api_key_hash=0e6f&user_id=ada&workspace_id=w&group_by=workspace",
            "GET /api/v1/generation?id=gen-1",
            "GET /api/v1/generation/content?id=gen-1",
            "GET /api/v1/models",
            "GET /api/v1/models?offset=5&limit=10&q=mini+%26+more&category=programming&supported_parameters=tools%2Cseed&input_modalities=text&output_modalities=image&context=1000&min_price=0.5&max_price=1&min_output_price=2&max_output_price=3&providers=groq&model_authors=openai&zdr=true&sort=newest",
            "GET /api/v1/models/user?limit=1",
            "GET /api/v1/models/count",
            "GET /api/v1/model/openai/gpt-4o:free",
            "GET /api/v1/models/openai/gpt-4o/endpoints",
            "GET /api/v1/endpoints/zdr",
            "GET /api/v1/providers",
            "GET /api/v1/embeddings/models",
            r#"POST /api/v1/embeddings {"model":"a/e","input":["x","y"],"dimensions":8,"user":"u"}"#,
        ]
    );
}

#[tokio::test]
async fn chat() {
    let provider = ProviderPreferences::new()
        .order(["groq"])
        .allow_fallbacks(false)
        .max_price([("prompt".to_owned(), "0.15".parse().unwrap())].into());
    let whole = ChatRequest::new("a/b")
        .models(["a/c"])
        .message(Message::system("Be brief."))
        .message(Message::tool("call-1", "21"))
        .max_tokens(5)
        .temperature(0.5)
        .seed(7)
        .stop(["\n"])
        .provider(provider)
        .session_id("s")
        .other([("min_p".to_owned(), 1.into())].into_iter().collect());
    let sent = sent!(client:
        client.chat().send(&whole);
        client.chat().stream(&ChatRequest::default().message(Message::user("Hi")));
    );
    assert_eq!(
        sent,
        [
            r#"POST /api/v1/chat/completions {"model":"a/b","models":["a/c"],"messages":[{"role":"system","content":"Be brief."},{"role":"tool","content":"21","tool_call_id":"call-1"}],"max_tokens":5,"temperature":0.5,"seed":7,"stop":["\n"],"provider":{"order":["groq"],"allow_fallbacks":false,"max_price":{"prompt":0.15}},"session_id":"s","min_p":1}"#,
            r#"POST /api/v1/chat/completions {"messages":[{"role":"user","content":"Hi"}],"stream":true}"#,
        ]
    );
}

#[tokio::test]
async fn credentials() {
    let whole = CreateByokKey::new("openai", "sk-proj-1")
        .name("ours")
        .workspace_id(None)
        .is_required(true)
        .sort_order(0)
        .allowed_models(["openai/*"])
        .declared_region(Region::Europe)
        .declared_zdr(true);
    let sent = sent!(client:
        client.byok().list(&ListByokKeys::new());
        client.byok().list(&ListByokKeys::new().offset(1).limit(2).provider("openai").workspace_id("w"));
        client.byok().create(&CreateByokKey::new("openai", "sk-proj-1"));
        client.byok().create(&whole);
        client.byok().get("c");
        client.byok().update("c", &UpdateByokKey::new().key("sk-proj-2".into()).name(None).disabled(true));
        client.byok().delete("c");
    );
    assert_eq!(
        sent,
        [
            "GET /api/v1/byok",
            "GET /api/v1/byok?offset=1&limit=2&provider=openai&workspace_id=w",
            r#"POST /api/v1/byok {"provider":"openai","key":"sk-proj-1"}"#,
            r#"POST /api/v1/byok {"provider":"openai","key":"sk-proj-1","name":"ours","workspace_id":null,"is_required":true,"sort_order":0,"allowed_models":["openai/*"],"declared_region":"europe","declared_zdr":true}"#,
            "GET /api/v1/byok/c",
            r#"PATCH /api/v1/byok/c {"key":"sk-proj-2","name":null,"disabled":true}"#,
            "DELETE /api/v1/byok/c",
        ]
    );
}

#[tokio::test]
async fn workspaces_members_and_changes() {
    let second = Slice::new().offset(50).limit(50);
    let log = ListAuditLog::new()
        .offset(1)
        .limit(2)
        .actor("command line")
        .action("key.")
        .subject("0e6f")
        .since(moment())
        .until(moment());
    let sent = sent!(client:
        client.workspaces().list(second);
        client.workspaces().create(&CreateWorkspace::new("R", "r").description("d"));
        client.workspaces().get("r");
        client.workspaces().update("r", &UpdateWorkspace::new().slug("s").description(None));
        client.workspaces().delete("r");
        client.workspaces().budgets("r").list();
        client.workspaces().budgets("r").get(Interval::Lifetime);
        client.workspaces().budgets("r").put(
            Interval::Daily, &PutBudget::new(Usd::from(2)).include_byok_in_budgets(true)
        );
        client.workspaces().budgets("r").delete(Interval::Weekly);
        client.workspaces().members("r").list(Slice::new());
        client.workspaces().members("r").add(&["ada", "bob"]);
        client.workspaces().members("r").remove(&["ada"]);
        client.organization().members(second);
        client.organization().create_member(&CreateMember::new("ada", "ada@example.com"));
        client.organization().delete_member("ada");
        client.audit_log().list(&log);
    );
    assert_eq!(
        sent,
        [
            "GET /api/v1/workspaces?offset=50&limit=50",
            r#"POST /api/v1/workspaces {"name":"R","slug":"r","description":"d"}"#,
            "GET /api/v1/workspaces/r",
            r#"PATCH /api/v1/workspaces/r {"slug":"s","description":null}"#,
            "DELETE /api/v1/workspaces/r",
            "GET /api/v1/workspaces/r/budgets",
            "GET /api/v1/workspaces/r/budgets/lifetime",
            r#"PUT /api/v1/workspaces/r/budgets/daily {"limit_usd":2,"include_byok_in_budgets":true}"#,
            "DELETE /api/v1/workspaces/r/budgets/weekly",
            "GET /api/v1/workspaces/r/members",
            r#"POST /api/v1/workspaces/r/members/add {"user_ids":["ada","bob"]}"#,
            r#"POST /api/v1/workspaces/r/members/remove {"user_ids":["ada"]}"#,
            "GET /api/v1/organization/members?offset=50&limit=50",
            r#"POST /api/v1/organization/members {"id":"ada","email":"ada@example.com"}"#,
            "DELETE /api/v1/organization/members/ada",
            "GET /api/v1/audit-log?offset=1&limit=2&actor=command+line&action=key.&subject=0e6f&since=2026-12-31T23%3A59%3A59Z&until=2026-12-31T23%3A59%3A59Z",
        ]
    );
}

#[tokio::test]
async fn the_headers_of_every_request() {
    let server = Server::saying(400, "", "{}").await;
    let client = server
        .builder()
        .title("Night shift")
        .referer("https://example.com")
        .categories("cli-agent");
    let client: Client = client.build().unwrap();
    client.chat().stream(&ChatRequest::new("a/b")).await.unwrap_err();
    let asked = &server.asked()[0];
    let header = |name| asked.header(name).unwrap_or("");
    assert_eq!(header("authorization"), "Bearer sk-or-v1-test");
    assert_eq!(header("user-agent"), concat!("tollgate-rust/", env!("CARGO_PKG_VERSION")));
    assert_eq!(header("x-openrouter-title"), "Night shift");
    assert_eq!(header("http-referer"), "https://example.com");
    assert_eq!(header("x-openrouter-categories"), "cli-agent");
    assert_eq!(header("accept"), "text/event-stream");
    assert_eq!(header("content-type"), "application/json");
}

#[test]
fn what_makes_no_client_says_why() {
    let problem = |builder: tollgate::ClientBuilder| builder.build().unwrap_err().to_string();
    assert_eq!(
        problem(Client::builder().base_url("openrouter.ai/api/v1")),
        "the base URL \"openrouter.ai/api/v1\" is none; allowed: an http or https URL without a \
         query, such as https://openrouter.ai/api/v1"
    );
    assert_eq!(problem(Client::builder().api_key("a\nb")), "the API key can't be in a header");
    assert_eq!(
        problem(Client::builder().title("a\nb")),
        "\"a\\nb\" can't be in the header x-openrouter-title"
    );
}

#[test]
fn what_is_shown_has_no_secret() {
    let builder = Client::builder().api_key("sk-or-v1-secret");
    assert!(!format!("{builder:?}").contains("secret"));
    let client = builder.build().unwrap();
    assert_eq!(format!("{client:?}"), "Client { base_url: \"https://openrouter.ai/api/v1\", .. }");
    assert!(!format!("{:?}", CreateByokKey::new("openai", "sk-secret")).contains("sk-secret"));
}
