//! What is built in: a provider by its slug and a model by its id are served, metered and shown.

use std::fs;
use std::process::{Command, Output};

use serde_json::json;
use tempfile::TempDir;
use testkit::{Behaviour, Prices, Tokens};

use crate::world::{CREDENTIAL, World, amount, builder, said};

/// Runs `tollgate config` on that configuration, in a folder of its own.
fn config(text: &str, arguments: &[&str]) -> Output {
    let folder = TempDir::with_prefix("tollgate-catalogue-").expect("a folder");
    let path = folder.path().join("tollgate.toml");
    fs::write(&path, text).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.env_clear().env("OPENAI_API_KEY", CREDENTIAL).env("TOLLGATE_CONFIG", &path);
    command.arg("config").args(arguments).output().expect("a command that runs")
}

fn shown(output: &Output) -> String {
    assert!(output.status.success(), "{}", said(output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The lines that begin with `start`.
fn lines<'a>(text: &'a str, start: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.starts_with(start)).collect()
}

#[tokio::test]
async fn a_model_named_by_its_id_alone_is_metered_at_its_list_price() {
    let upstream = testkit::FakeUpstream::start().await;
    let tollgate = builder()
        .config(&format!("[[providers]]\nslug = \"openai\"\nbase_url = \"{}\"\n", upstream.url()))
        .config("[[models]]\nid = \"openai/gpt-4o-mini\"\n")
        .start()
        .await;
    let world = World { upstream, tollgate };
    world.upstream.on("gpt-4o-mini", Behaviour::new().prompt_tokens(40).completion_tokens(9));
    let key = world.key(json!({ "limit": 1 })).await;
    let client = world.client();
    let extras = json!({ "max_tokens": 50 });
    let answer = client.chat(key.text.as_str(), "openai/gpt-4o-mini", &extras).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    let tokens = Tokens { prompt: 40, completion: 9, ..Tokens::default() };
    let cost = Prices::new("0.00000015", "0.0000006").cost(&tokens);
    assert_eq!(amount(&answer, "/usage/cost"), cost);
    assert_eq!(world.usage(&key).await, cost);
    let sent: serde_json::Value =
        serde_json::from_slice(&world.upstream.calls()[0].body).expect("a body");
    assert_eq!(sent["max_completion_tokens"], 50, "the maximum that OpenAI obeys: {sent}");
    assert!(world.tollgate.log().contains("list prices"), "an address of its own is warned of");
    world.audit().await;
}

#[test]
fn check_shows_what_came_out() {
    let output = config(
        r#"
        [[providers]]
        slug = "openai"
        api_key = "${OPENAI_API_KEY}"
        [[providers]]
        slug = "groq"
        models = ["openai/gpt-oss-20b"]
        [[models]]
        id = "openai/gpt-4o-mini"
        [[models]]
        id = "openai/gpt-4o"
        [[models.endpoints]]
        provider = "openai"
        pricing = { prompt = "0.000003", completion = "0.0000125" }
        "#,
        &["check"],
    );
    let text = shown(&output);
    let rows: Vec<String> = lines(&text, "openai/")
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        rows,
        [
            "openai/gpt-4o-mini openai gpt-4o-mini 0.15 0.6 list",
            "openai/gpt-4o openai gpt-4o 3 12.5",
            "openai/gpt-oss-20b groq openai/gpt-oss-20b 0.075 0.3 list",
        ]
    );
    assert_eq!(lines(&text, "list: prices of 2026-").len(), 1, "{text}");
    assert!(text.ends_with("the configuration is good\n"), "{text}");
    assert!(!text.contains(CREDENTIAL));
}

#[test]
fn check_says_where_nothing_would_be_served() {
    let text = shown(&config("[[providers]]\nslug = \"groq\"", &["check"]));
    assert!(text.starts_with("no models are served"), "{text}");
}

#[test]
fn check_refuses_a_model_that_is_neither_built_in_nor_described() {
    let text = "[[providers]]\nslug = \"openai\"\n[[models]]\nid = \"openai/gpt-4o-min\"";
    let output = config(text, &["check"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("did you mean `openai/gpt-4o-mini`?"), "{}", said(&output));
}

#[test]
fn the_built_in_models_are_listed_and_found_by_a_part_of_their_name() {
    let all = shown(&config("", &["models"]));
    assert!(all.lines().count() > 200, "{all}");
    let groq = shown(&config("", &["models", "GROQ"]));
    let found = lines(&groq, "openai/gpt-oss-20b");
    assert!(found.first().is_some_and(|line| line.contains("groq")), "{groq}");
    assert!(lines(&groq, "anthropic/").is_empty(), "{groq}");
}
