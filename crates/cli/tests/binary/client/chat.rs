//! A question and its answer, as it comes or whole, and what it cost.

use insta::assert_snapshot;
use serde_json::{Value, json};
use testkit::{Behaviour, Call, Cut};

use super::Session;
use crate::world::World;

/// A world in which the model says so, and a person with a key of their own.
async fn world() -> (World, Session) {
    let world = World::start(&["small"]).await;
    let behaviour = Behaviour::new().prompt_tokens(20).completion_tokens(9);
    world.upstream.on("small", behaviour.text("The sky is blue.\nMostly."));
    let key = world.key(json!({})).await;
    let me = Session::at(&world, &key.text);
    (world, me)
}

/// What was said, without the names of generations.
fn unnamed(told: &str) -> String {
    let word = |word: &str| {
        if word.starts_with("gen-") { "GENERATION".to_owned() } else { word.to_owned() }
    };
    let line = |line: &str| line.split(' ').map(word).collect::<Vec<_>>().join(" ");
    told.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn an_answer_is_alone_on_stdout_and_its_cost_on_stderr() {
    let (world, me) = world().await;
    let mut told = me.say("chat --model test/small why is the sky blue").await;
    told.push_str(&me.pipe("chat --model test/small --no-stream", "why?\n").await);
    told.push_str(
        &me.pipe("chat --model test/small --system tersely --max-tokens 9 -", "why?").await,
    );
    told.push_str(&me.say("chat --model test/small --quiet hello").await);
    let me = me.set("TOLLGATE_MODEL", "test/small");
    told.push_str(&me.say("chat --quiet hello").await);
    assert_snapshot!(unnamed(&told), @r"
    $ tollgate chat --model test/small why is the sky blue
    [0]
    The sky is blue.
    Mostly.
    ! $0.000008401 · 20 tokens in, 9 out · test/small at fake · GENERATION
    $ tollgate chat --model test/small --no-stream
    [0]
    The sky is blue.
    Mostly.
    ! $0.000008401 · 20 tokens in, 9 out · test/small at fake · GENERATION
    $ tollgate chat --model test/small --system tersely --max-tokens 9 -
    [0]
    The sky is blue.
    Mostly.
    ! $0.000008401 · 20 tokens in, 9 out · test/small at fake · GENERATION
    $ tollgate chat --model test/small --quiet hello
    [0]
    The sky is blue.
    Mostly.
    $ tollgate chat --quiet hello
    [0]
    The sky is blue.
    Mostly.
    ");
    let calls = world.upstream.calls();
    let body = |call: &Call| serde_json::from_slice(&call.body).expect("a request");
    let asked: Vec<Value> = calls.iter().map(body).collect();
    assert_eq!(asked[0]["messages"], json!([{ "role": "user", "content": "why is the sky blue" }]));
    assert_eq!(asked[0]["stream"], true);
    assert_eq!(asked[1]["messages"], json!([{ "role": "user", "content": "why?\n" }]));
    assert_eq!(
        asked[2]["messages"],
        json!([{ "role": "system", "content": "tersely" }, { "role": "user", "content": "why?" }])
    );
    assert_eq!(asked[2]["max_tokens"], 9);
}

#[tokio::test]
async fn a_program_gets_the_chunks_a_line_each_or_the_whole_answer() {
    let (_world, me) = world().await;
    let lines = me.printed("chat --model test/small --json hello").await;
    let chunks: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("a chunk")).collect();
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(text, "The sky is blue.\nMostly.");
    assert!(lines.lines().last().expect("a line").contains(r#""cost":0.000008401"#), "{lines}");
    let whole = me.printed("chat --model test/small --json --no-stream hello").await;
    let answer: Value = serde_json::from_str(&whole).expect("a document");
    assert_eq!(answer["choices"][0]["message"]["content"], "The sky is blue.\nMostly.");
    assert!(whole.contains(r#""cost": 0.000008401"#), "{whole}");
    // What it cost is in the book, under the id that was told.
    let id = answer["id"].as_str().expect("an id");
    assert_eq!(me.printed(&format!("generation {id} --quiet")).await, "0.000008401\n");
}

#[tokio::test]
async fn nothing_to_ask_is_misuse_and_an_answer_that_breaks_off_is_a_failure() {
    let (world, me) = world().await;
    let mut told = me.say("chat --model test/small").await;
    told.push_str(&me.say("chat --model test/small --max-tokens 0 hello").await);
    told.push_str(&me.say("chat --model test/large hello").await);
    told.push_str(&me.say("chat hello").await);
    assert_snapshot!(told, @r"
    $ tollgate chat --model test/small
    [2]
    ! tollgate: nothing is asked: stdin is empty
    $ tollgate chat --model test/small --max-tokens 0 hello
    [2]
    ! error: invalid value '0' for '--max-tokens <TOKENS>': it is a whole number, 1 at least
    !
    ! For more information, try '--help'.
    $ tollgate chat --model test/large hello
    [1]
    ! tollgate: test/large is not a valid model ID (400)
    !   `tollgate models` lists what there is
    $ tollgate chat hello
    [1]
    ! tollgate: model is missing; allowed is the id of a model, as GET /models lists them (400)
    !   no model was named: say `--model MODEL`, set TOLLGATE_MODEL, or give the profile or the key's workspace one; `tollgate models` lists them
    ");
    let broken = Behaviour::new().text("The sky is").cut(Cut::AfterEvents(2));
    world.upstream.on("small", broken);
    let told = me.say("chat --model test/small hello").await;
    assert!(told.starts_with("$ tollgate chat --model test/small hello\n[1]\n"), "{told}");
}
