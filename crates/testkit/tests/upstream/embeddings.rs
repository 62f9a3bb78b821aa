//! What the fake provider answers and charges for embeddings.

use super::raw::Exchange;
use serde_json::{Value, json};
use testkit::{Behaviour, Client, Cut, Ending, FakeUpstream, Tokens, Usage};

async fn embed(upstream: &FakeUpstream, input: Value, extras: Value) -> testkit::Answer {
    let client = Client::new(upstream.address()).below("/v1");
    client.embeddings(None, "m", &input, &extras).await.expect("an answer")
}

#[tokio::test]
async fn each_input_has_an_embedding_in_the_format_asked_for() {
    let upstream = FakeUpstream::start().await;
    let answer = embed(&upstream, json!("Hello"), json!({})).await;
    assert_eq!(
        answer.text(),
        r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.5,-0.25,1.0]}],"model":"m","usage":{"prompt_tokens":1,"total_tokens":1}}"#
    );
    for (input, inputs) in [(json!(["a", "b"]), 2), (json!([1, 2, 3]), 1), (json!([[1], [2]]), 2)] {
        let data = embed(&upstream, input, json!({})).await.json()["data"].clone();
        assert_eq!(data.as_array().expect("a list").len(), inputs);
    }
    let asked = json!({ "encoding_format": "base64", "dimensions": 6 });
    let packed = embed(&upstream, json!("Hello"), asked).await;
    assert_eq!(packed.json()["data"][0]["embedding"], "AAAAPwAAgL4AAIA/AAAAPwAAgL4AAIA/");
}

#[tokio::test]
async fn inputs_are_charged_and_nothing_else() {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", Behaviour::new().prompt_tokens(7).completion_tokens(5).usage(Usage::Absent));
    let answer = embed(&upstream, json!("Hello"), json!({})).await;
    assert_eq!(answer.json().get("usage"), None);
    let [call] = &upstream.calls()[..] else { panic!("one call") };
    assert_eq!(call.charged, Some(Tokens { prompt: 7, ..Tokens::default() }));
    assert_eq!(call.ending, Ending::Complete);
}

#[tokio::test]
async fn a_field_that_no_provider_knows_is_refused() {
    let upstream = FakeUpstream::start().await;
    for field in ["stream", "max_tokens", "provider"] {
        let body = json!({ "model": "m", "input": "Hello", field: 1 });
        let sent = Exchange::post(upstream.address(), "/v1/embeddings", &body).await;
        let answer = sent.read().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    assert!(upstream.calls().iter().all(|call| call.charged.is_none()));
}

#[tokio::test]
async fn an_answer_can_be_cut_in_its_middle() {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", Behaviour::new().cut(Cut::HalfBody));
    let client = Client::new(upstream.address()).below("/v1");
    assert!(client.embeddings(None, "m", &json!("Hello"), &json!({})).await.is_err());
    upstream.until(|totals| totals.in_flight == 0).await;
    assert_eq!(upstream.calls()[0].ending, Ending::Cut);
}
