//! The list of models: what it is narrowed by, its order and its pages.

use insta::assert_snapshot;
use serde_json::json;
use testkit::Answer;

use crate::support::{MANAGER, TestGateway};

/// Six models, told apart by every filter there is, and one that is not listed.
const MODELS: &str = r#"
    [[models]]
    id = "ace/alpha-chat"
    name = "zeta"
    created = 300
    context_length = 8000
    input_modalities = ["text", "image"]
    endpoints = [{ provider = "alpha", supported_parameters = ["tools", "reasoning"], pricing = { prompt = "0.000001", completion = "0.000004" } }]
    [[models]]
    id = "ace/beta-chat:free"
    created = 100
    context_length = 4000
    endpoints = [{ provider = "beta", free = true, zdr = true }]
    [[models]]
    id = "Boss/Pair"
    name = "Étude"
    created = 200
    context_length = 16000
    input_modalities = ["text", "image", "audio"]
    [[models.endpoints]]
    provider = "alpha"
    supported_parameters = ["tools"]
    pricing = { prompt = "0.000002", completion = "0.000002" }
    [[models.endpoints]]
    provider = "beta"
    zdr = true
    supported_parameters = ["structured_outputs"]
    pricing = { prompt = "0.000009", completion = "0.000009" }
    [[models]]
    id = "boss/painter"
    created = 400
    context_length = 2000
    output_modalities = ["image", "text"]
    endpoints = [{ provider = "gamma", supported_parameters = [], pricing = { prompt = "0.00001", completion = "0.00001" } }]
    [[models]]
    id = "boss/vectors"
    created = 50
    context_length = 500
    output_modalities = ["embeddings"]
    endpoints = [{ provider = "alpha", pricing = { prompt = "0.00000002", completion = "0" } }]
    [[models]]
    id = "cast/a/b"
    created = 200
    context_length = 4000
    endpoints = [{ provider = "alpha", supported_parameters = ["response_format"], pricing = { prompt = "0.000000500000000001", completion = "0.000001" } }]
    [[models]]
    id = "ace/hidden"
    context_length = 9000
    listed = false
    endpoints = [{ provider = "alpha", free = true }]
"#;

async fn list(gateway: &TestGateway, query: &str) -> Answer {
    gateway.ask(None, &format!("GET /api/v1/models{query}"), "").await
}

/// The first letters of each model that is listed, in order.
async fn ids(gateway: &TestGateway, query: &str) -> String {
    let answer = list(gateway, query).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    let json = answer.json();
    let ids = json["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap());
    let short = |id: &str| match id {
        "ace/alpha-chat" => "alpha",
        "ace/beta-chat:free" => "beta",
        "Boss/Pair" => "pair",
        "boss/painter" => "painter",
        "boss/vectors" => "vectors",
        "cast/a/b" => "cast",
        other => panic!("{other} is listed"),
    };
    ids.map(short).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_list_is_narrowed_by_every_filter_that_is_given() {
    let gateway = TestGateway::with(MODELS).await;
    #[rustfmt::skip]
    let table = [
        ("", "alpha beta pair painter cast"),
        ("?x=y&category=marketing/seo&use_rss=false&arch=GPT", "alpha beta pair painter cast"),
        ("?region=eu&distillable=false&min_age_days=5&max_coding_index=9.5", "alpha beta pair painter cast"),
        ("?min_tool_success_rate=0.30000000000000004", "alpha beta pair painter cast"),
        ("?output_modalities=all", "alpha beta pair painter vectors cast"),
        ("?output_modalities=text,all", "alpha beta pair painter vectors cast"),
        ("?output_modalities=", "alpha beta pair painter cast"),
        ("?output_modalities=embeddings", "vectors"),
        ("?output_modalities=image,%20embeddings", "painter vectors"),
        ("?output_modalities=rerank", ""),
        ("?input_modalities=image", "alpha pair"),
        ("?input_modalities=text,image,audio", "pair"),
        ("?q=CHAT", "alpha beta"),
        ("?q=%20zeta%20", "alpha"),
        ("?q=%C3%89TUDE", "pair"),
        ("?q=:free", "beta"),
        ("?q=", "alpha beta pair painter cast"),
        ("?q=hidden", ""),
        ("?supported_parameters=tools", "alpha beta pair"),
        ("?supported_parameters=tools,reasoning", "alpha"),
        ("?supported_parameters=tools,structured_outputs", "pair"),
        ("?supported_parameters=temperature", "alpha beta pair painter cast"),
        ("?supported_parameters=response_format", "beta cast"),
        ("?supported_parameters=temperature&output_modalities=embeddings", ""),
        ("?context=8000", "alpha pair"),
        ("?context=8001", "pair"),
        ("?min_price=1", "alpha pair painter"),
        ("?min_price=1.000000000001", "pair painter"),
        ("?max_price=1", "alpha beta cast"),
        ("?max_price=0.5", "beta"),
        ("?max_price=0.500000000001", "beta cast"),
        ("?max_price=5e-1&min_price=0", "beta"),
        ("?min_price=2&max_price=2", "pair"),
        ("?max_price=", "alpha beta pair painter cast"),
        ("?max_price=0.50000000000100001", "beta cast"),
        ("?min_price=1.00000000000000001", "pair painter"),
        ("?max_price=1e300", "alpha beta pair painter cast"),
        ("?min_price=1e300", ""),
        ("?min_output_price=4", "alpha painter"),
        ("?max_output_price=2", "beta pair cast"),
        ("?providers=beta", "beta pair"),
        ("?providers=BETA,%20Gamma", "beta pair painter"),
        ("?providers=nobody", ""),
        ("?model_authors=ace,cast", "alpha beta cast"),
        ("?model_authors=BOSS", "pair painter"),
        ("?zdr=true", "beta pair"),
        ("?zdr=true&model_authors=ace&q=chat&context=1&max_price=0", "beta"),
        ("?zdr=true&input_modalities=audio&providers=alpha", "pair"),
        ("?sort=newest", "painter alpha cast pair beta"),
        ("?sort=pricing-low-to-high", "beta cast pair alpha painter"),
        ("?sort=pricing-high-to-low", "painter alpha pair cast beta"),
        ("?sort=context-high-to-low", "pair alpha beta cast painter"),
        ("?sort=most-popular", "beta painter cast alpha pair"),
        ("?sort=newest&output_modalities=all", "painter alpha cast pair beta vectors"),
    ];
    for (query, expected) in table {
        assert_eq!(ids(&gateway, query).await, expected, "{query}");
        let line = format!("GET /api/v1/models/count{query}");
        let count = gateway.ask(None, &line, "").await.json()["data"]["count"].take();
        assert_eq!(count, expected.split_whitespace().count(), "{query}");
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_list_comes_in_pages_where_that_is_asked_for() {
    let gateway = TestGateway::with(MODELS).await;
    let page = async |query: &str| {
        let answer = list(&gateway, query).await;
        let next = answer.json()["links"]["next"].take();
        let total = answer.json()["total_count"].as_u64().unwrap();
        (ids(&gateway, query).await, next.as_str().map(str::to_owned), total)
    };
    let link = |query: &str| Some(format!("https://gate.example/api/v1/models?{query}"));
    for (query, shown, next, total) in [
        ("", "alpha beta pair painter cast", None, 5),
        ("?limit=2", "alpha beta", link("limit=2&offset=2"), 5),
        ("?limit=2&offset=2", "pair painter", link("limit=2&offset=4"), 5),
        ("?offset=4&limit=2", "cast", None, 5),
        ("?limit=5", "alpha beta pair painter cast", None, 5),
        ("?offset=1", "beta pair painter cast", None, 5),
        ("?offset=5", "", None, 5),
        ("?offset=18446744073709551615&limit=1000", "", None, 5),
        ("?offset=&limit=", "alpha beta pair painter cast", None, 5),
        ("?q=a%2Bb&limit=1", "", None, 0),
        (
            "?sort=newest&model_authors=ace,boss&limit=1&offset=1&output_modalities=all",
            "alpha",
            link("sort=newest&model_authors=ace%2Cboss&limit=1&output_modalities=all&offset=2"),
            5,
        ),
    ] {
        assert_eq!(page(query).await, (shown.to_owned(), next, total), "{query}");
    }
    let old = gateway.ask(None, "GET /v1/models/?limit=4", "").await.json();
    assert_eq!(old["links"]["next"], "https://gate.example/v1/models?limit=4&offset=4");
    gateway.close().await;
}

#[tokio::test]
async fn a_link_names_no_server_where_its_public_name_is_not_known() {
    let settings = format!("[server]\npublic_url = \"\"\n{MODELS}");
    let gateway = TestGateway::with(&settings).await;
    let next = list(&gateway, "?limit=1").await.json()["links"]["next"].take();
    assert_eq!(next, "/api/v1/models?limit=1&offset=1");
    gateway.close().await;
}

#[tokio::test]
async fn a_list_for_a_caller_is_for_callers() {
    let gateway = TestGateway::with(MODELS).await;
    let key = gateway.key(json!({})).await;
    let line = "GET /api/v1/models/user?sort=newest&limit=2";
    assert_eq!(gateway.ask(None, line, "").await.status, 401);
    assert_eq!(gateway.ask("sk-or-v1-nobody", line, "").await.status, 401);
    for caller in [MANAGER, key.text.as_str()] {
        let answer = gateway.ask(caller, line, "").await;
        assert_eq!(answer.status, 200);
        let json = answer.json();
        let next = "https://gate.example/api/v1/models/user?sort=newest&limit=2&offset=2";
        assert_eq!((&json["total_count"], &json["links"]["next"]), (&json!(5), &json!(next)));
        assert_eq!(json["data"], list(&gateway, "?sort=newest&limit=2").await.json()["data"]);
    }
    gateway.close().await;
}

#[tokio::test]
async fn a_list_for_a_caller_has_the_models_their_key_may_use() {
    let gateway = TestGateway::start().await;
    let key = gateway.key(json!({ "allowed_models": ["test/pair", "test/free"] })).await;
    let line = "GET /api/v1/models/user?limit=1";
    let listed = gateway.ask(key.text.as_str(), line, "").await.json();
    assert_eq!(
        (&listed["total_count"], &listed["data"][0]["id"]),
        (&json!(2), &json!("test/free"))
    );
    assert!(listed["links"]["next"].is_string());
    let all = gateway.ask(MANAGER, line, "").await.json();
    assert_eq!(all["total_count"], list(&gateway, "").await.json()["total_count"]);
    assert!(all["total_count"].as_u64() > Some(2));
    gateway.close().await;
}

#[tokio::test]
async fn a_query_that_means_nothing_is_400() {
    let gateway = TestGateway::with(MODELS).await;
    let mut answers = String::new();
    for query in [
        "offset=-1",
        "limit=0",
        "limit=1001",
        "limit=ten",
        "limit=1&limit=1",
        "output_modalities=smell",
        "input_modalities=text,embeddings",
        "supported_parameters=tool",
        "context=0",
        "min_price=-1",
        "max_price=cheap",
        "min_output_price=NaN",
        "max_output_price=1,5",
        "category=cooking",
        "distillable=1",
        "region=EU",
        "min_age_days=1.5",
        "max_intelligence_index=-1",
        "min_coding_index=high",
        "min_tool_success_rate=1.1",
        "max_tool_success_rate=-0.1",
        "zdr=false",
        "sort=best",
        "sort=",
    ] {
        for path in ["models", "models/count", "models/user"] {
            let answer = gateway.ask(MANAGER, &format!("GET /api/v1/{path}?{query}"), "").await;
            assert_eq!(answer.status, 400, "{path}?{query}");
            if path == "models" {
                answers.push_str(answer.json()["error"]["message"].as_str().unwrap());
                answers.push('\n');
            }
        }
    }
    assert_snapshot!(answers, @r#"
    `offset` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `limit` is not such a number; allowed: a whole number from 1 to 1000
    `limit` is not such a number; allowed: a whole number from 1 to 1000
    `limit` is not such a number; allowed: a whole number from 1 to 1000
    `limit` is given twice; allowed: each name once
    `output_modalities` has another word; allowed: a list with commas of all, text, image, embeddings, audio, video, rerank, speech, transcription, decisions
    `input_modalities` has another word; allowed: a list with commas of text, image, file, audio, video
    `supported_parameters` has another word; allowed: a list with commas of temperature, top_p, top_k, min_p, top_a, frequency_penalty, presence_penalty, repetition_penalty, max_tokens, max_completion_tokens, logit_bias, logprobs, top_logprobs, prediction, seed, response_format, structured_outputs, stop, tools, tool_choice, parallel_tool_calls, include_reasoning, reasoning, reasoning_effort, web_search_options, verbosity
    `context` is not such a number; allowed: a whole number from 1 to 18446744073709551615
    `min_price` is negative; allowed: US dollars a million tokens, from 0 up
    `max_price` is not such a number; allowed: US dollars a million tokens, from 0 up
    `min_output_price` is not such a number; allowed: US dollars a million tokens, from 0 up
    `max_output_price` is not such a number; allowed: US dollars a million tokens, from 0 up
    `category` is another word; allowed: programming, roleplay, marketing, marketing/seo, technology, science, translation, legal, finance, health, trivia, academia
    `distillable` is another word; allowed: true, false
    `region` is another word; allowed: eu, us
    `min_age_days` is not such a number; allowed: a whole number from 0 to 18446744073709551615
    `max_intelligence_index` is negative; allowed: a number from 0 up
    `min_coding_index` is not such a number; allowed: a number from 0 up
    `min_tool_success_rate` is above 1; allowed: a number from 0 to 1
    `max_tool_success_rate` is negative; allowed: a number from 0 to 1
    `zdr` is another word; allowed: true
    `sort` is another word; allowed: newest, pricing-low-to-high, pricing-high-to-low, context-high-to-low, most-popular, top-weekly, throughput-high-to-low, latency-low-to-high, intelligence-high-to-low, coding-high-to-low, agentic-high-to-low, design-arena-elo-high-to-low
    `sort` is another word; allowed: newest, pricing-low-to-high, pricing-high-to-low, context-high-to-low, most-popular, top-weekly, throughput-high-to-low, latency-low-to-high, intelligence-high-to-low, coding-high-to-low, agentic-high-to-low, design-arena-elo-high-to-low
    "#);
    gateway.close().await;
}

#[tokio::test]
async fn a_model_is_found_by_an_id_of_any_shape() {
    let gateway = TestGateway::with(MODELS).await;
    for id in
        ["ace/beta-chat:free", "ace%2Fbeta-chat%3Afree", "cast/a/b", "cast%2Fa/b", "ace/hidden"]
    {
        let plain = gateway.ask(None, &format!("GET /api/v1/models/{id}"), "").await;
        let wrapped = gateway.ask(None, &format!("GET /api/v1/model/{id}"), "").await;
        assert_eq!((plain.status, wrapped.status), (200, 200), "{id}");
        assert_eq!(wrapped.json()["data"], plain.json(), "{id}");
        assert_eq!(plain.json()["id"], id.replace("%2F", "/").replace("%3A", ":"));
        let details = plain.json()["links"]["details"].as_str().unwrap().to_owned();
        let endpoints = gateway.ask(None, &format!("GET {details}"), "").await;
        assert_eq!(endpoints.json()["data"]["id"], plain.json()["id"], "{id}");
    }
    for id in ["ace/beta-chat", "ACE/HIDDEN", "ace", "ace/beta-chat:free/x", "cast/a", "endpoints"]
    {
        for path in ["models", "model"] {
            let line = format!("GET /api/v1/{path}/{id}");
            assert_eq!(gateway.ask(None, &line, "").await.status, 404, "{line}");
            let line = format!("{line}/endpoints");
            assert_eq!(gateway.ask(None, &line, "").await.status, 404, "{line}");
        }
    }
    gateway.close().await;
}
