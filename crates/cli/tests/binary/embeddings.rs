//! Embeddings by the built binary: a burst keeps within its limit, and a kill leaves nothing that
//! the book does not have (DESIGN I1 to I5).

use money::Money;
use serde_json::json;
use testkit::{Behaviour, FakeUpstream, Prices, Tokens};
use tokio::task::JoinSet;

use crate::world::{World, amount, builder, provider, sum, times};

const PRICE: &str = "0.0000001501";
const MODEL: &str = "test/embed";
/// `"input":"Hello",` is 16 bytes; 16 tokens go around an input, and 8 are added unseen.
const HELD_TOKENS: u64 = 16 + 16 + 8;

/// What so many tokens cost.
fn cost(prompt: u64) -> Money {
    Prices::new(PRICE, "0").cost(&Tokens { prompt, ..Tokens::default() })
}

async fn start() -> World {
    let upstream = FakeUpstream::start().await;
    let model = format!(
        "[[models]]\nid = \"{MODEL}\"\noutput_modalities = [\"embeddings\"]\n\
         context_length = 512\n[[models.endpoints]]\nprovider = \"fake\"\n\
         upstream_model = \"embed\"\nprompt_overhead_tokens = 8\npricing = {{ prompt = \"{PRICE}\" }}\n"
    );
    let tollgate = builder().config(&provider(&upstream, "")).config(&model).start().await;
    World { upstream, tollgate }
}

/// What the provider charged for embeddings.
fn charged(world: &World) -> Money {
    sum(world.upstream.calls().iter().map(|call| call.cost(&Prices::new(PRICE, "0"))))
}

#[tokio::test]
async fn of_forty_at_once_none_goes_past_the_limit_and_every_book_is_the_same() {
    let world = start().await;
    world.upstream.on("embed", Behaviour::new().prompt_tokens(HELD_TOKENS));
    let limit = times(cost(HELD_TOKENS), 10);
    let key = world.key_worth(limit).await;
    let mut asking = JoinSet::new();
    for _ in 0..40 {
        let (client, text) = (world.client(), key.text.clone());
        asking.spawn(async move {
            let input = json!("Hello");
            client.embeddings(text.as_str(), MODEL, &input, &json!({})).await.expect("an answer")
        });
    }
    let answers = asking.join_all().await;
    let paid: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(paid.len(), 10, "as many as the limit is worth");
    assert!(answers.iter().all(|answer| [200, 402, 403].contains(&answer.status)));
    assert_eq!(sum(paid.iter().map(|answer| amount(answer, "/usage/cost"))), limit);
    assert_eq!((charged(&world), world.usage(&key).await), (limit, limit));
    world.audit().await;
}

#[tokio::test]
async fn a_kill_in_the_middle_is_charged_in_full_and_the_rest_as_it_was() {
    let mut world = start().await;
    world.upstream.on("embed", Behaviour::new().prompt_tokens(9));
    let key = world.key_worth(times(cost(HELD_TOKENS), 100)).await;
    let ask = |world: &World| {
        let (client, text) = (world.client(), key.text.clone());
        async move { client.embeddings(text.as_str(), MODEL, &json!("Hello"), &json!({})).await }
    };
    let before = ask(&world).await.expect("an answer");
    assert_eq!(amount(&before, "/usage/cost"), cost(9));
    let gate = world.upstream.hold_answers("embed");
    let asking = tokio::spawn(ask(&world));
    gate.until_waiting(1).await;
    world.tollgate.kill9();
    assert!(asking.await.expect("no panic").is_err());
    gate.release();
    world.tollgate.restart().await;

    let expected = sum([cost(9), cost(HELD_TOKENS)]);
    assert_eq!(world.usage(&key).await, expected);
    let holds = world.holds().await;
    let [hold] = &holds[..] else { panic!("{holds:?}") };
    assert_eq!(hold["source"], "interrupted");
    let shown = world.generation(hold["generation"].as_str().expect("an id")).await;
    assert_eq!(shown.json()["data"]["api_type"], "embeddings");
    assert!(charged(&world) <= expected);
    world.audit().await;
}
