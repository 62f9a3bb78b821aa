//! Every way in which the fake provider misbehaves, as the bytes on the wire show it.
//! For each, what it charges is what the gateway's limits have to withstand.

use std::time::{Duration, Instant};

use super::raw::{Exchange, body, content, exchange, stream};
use serde_json::{Value, json};
use testkit::{Behaviour, Cut, Ending, FakeUpstream, ODD_HEADERS};

/// What comes back, and how the one call ended with how many tokens charged.
async fn fault(behaviour: Behaviour, extras: &Value) -> (String, Ending, Option<u64>) {
    let upstream = FakeUpstream::start().await;
    upstream.on("m", behaviour.completion_tokens(8).events(4));
    let answer = exchange(upstream.address(), "m", extras).await;
    let calls = upstream.calls();
    assert_eq!(calls.len(), 1);
    (answer, calls[0].ending, calls[0].charged.map(|tokens| tokens.completion))
}

fn events(answer: &str) -> usize {
    answer.matches("data: ").count()
}

#[tokio::test]
async fn a_refusal_is_sent_as_told_and_charges_nothing() {
    let behaviour = Behaviour::new().status(429, "{\"error\":1}").retry_after(7);
    let (answer, ending, charged) = fault(behaviour, &stream()).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(answer.contains("retry-after: 7\r\n"), "{answer}");
    assert_eq!(content(&answer), "{\"error\":1}");
    assert_eq!((ending, charged), (Ending::Complete, None));

    let (answer, _, charged) = fault(Behaviour::new().error_with_status_200(), &stream()).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("{\"error\":{"), "{answer}");
    assert_eq!(charged, None);

    let elsewhere = Behaviour::new().redirect("http://127.0.0.1:1/v1");
    let (answer, ending, charged) = fault(elsewhere, &json!({})).await;
    assert!(answer.starts_with("HTTP/1.1 302 "), "{answer}");
    assert!(answer.contains("location: http://127.0.0.1:1/v1\r\n"), "{answer}");
    assert_eq!((ending, charged), (Ending::Complete, None));
}

#[tokio::test]
async fn odd_headers_and_another_content_type_come_with_the_answer() {
    let behaviour = Behaviour::new().odd_headers().content_type("text/html");
    let (answer, ending, charged) = fault(behaviour, &json!({})).await;
    for (name, value) in ODD_HEADERS {
        assert!(answer.contains(&format!("{name}: {value}\r\n")), "{name} in {answer}");
    }
    assert_eq!(answer.matches("content-type: ").count(), 1);
    assert!(answer.contains("content-type: text/html\r\n"));
    assert_eq!((ending, charged), (Ending::Complete, Some(8)));
}

#[tokio::test]
async fn a_connection_can_end_before_the_head_or_within_it() {
    let (answer, ending, charged) = fault(Behaviour::new().cut(Cut::BeforeHead), &stream()).await;
    assert_eq!((answer.as_str(), ending, charged), ("", Ending::Cut, Some(8)));
    let (answer, ending, charged) = fault(Behaviour::new().cut(Cut::InHead), &stream()).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.len() == 24, "{answer}");
    assert_eq!((ending, charged), (Ending::Cut, Some(8)));
}

#[tokio::test]
async fn a_stream_can_end_after_any_event() {
    // Four of text, the finish, the usage, [DONE].
    for count in 0..=7 {
        let cut = Behaviour::new().cut(Cut::AfterEvents(count));
        let (answer, ending, charged) = fault(cut, &stream()).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert_eq!(events(&answer), count);
        assert!(!answer.ends_with("0\r\n\r\n"), "the body was ended: {answer}");
        assert_eq!((ending, charged), (Ending::Cut, Some(8)));
    }
    let never = Behaviour::new().cut(Cut::AfterEvents(8));
    let (answer, ending, _) = fault(never, &stream()).await;
    assert!(answer.contains("data: [DONE]") && answer.ends_with("0\r\n\r\n"));
    assert_eq!(ending, Ending::Complete);
}

#[tokio::test]
async fn a_stream_can_end_within_an_event() {
    let (answer, ending, charged) = fault(Behaviour::new().cut(Cut::InEvent(2)), &stream()).await;
    assert_eq!(events(&answer), 3);
    assert!(!answer.trim_end().ends_with('}'), "{answer}");
    assert_eq!((ending, charged), (Ending::Cut, Some(8)));
}

#[tokio::test]
async fn a_json_body_can_end_half_way() {
    let (whole, ending, _) = fault(Behaviour::new(), &json!({})).await;
    assert_eq!(ending, Ending::Complete);
    let whole = content(&whole).to_owned();
    for cut in [Cut::HalfBody, Cut::AfterEvents(9), Cut::InEvent(9)] {
        let (answer, ending, charged) = fault(Behaviour::new().cut(cut), &json!({})).await;
        assert!(answer.contains(&format!("content-length: {}\r\n", whole.len())));
        assert_eq!(content(&answer), &whole[..whole.len().div_ceil(2)]);
        assert_eq!((ending, charged), (Ending::Cut, Some(8)));
    }
}

#[tokio::test]
async fn a_provider_that_stops_on_disconnect_charges_only_what_it_sent() {
    for (cut, tokens) in [(0, 0), (1, 2), (3, 6), (5, 8)] {
        let behaviour = Behaviour::new().cut(Cut::AfterEvents(cut)).stops_on_disconnect();
        let (_, ending, charged) = fault(behaviour, &stream()).await;
        assert_eq!((ending, charged), (Ending::Cut, Some(tokens)));
    }
    let whole = Behaviour::new().stops_on_disconnect();
    assert_eq!(fault(whole, &stream()).await.2, Some(8));
}

#[tokio::test]
async fn broken_json_is_a_whole_answer_that_cannot_be_read() {
    let broken = || Behaviour::new().malformed_json();
    let (answer, ending, charged) = fault(broken(), &json!({})).await;
    assert!(serde_json::from_str::<Value>(content(&answer)).is_err());
    assert!(answer.contains(&format!("content-length: {}\r\n", content(&answer).len())));
    assert_eq!((ending, charged), (Ending::Complete, Some(8)));
    let (answer, ending, _) = fault(broken(), &stream()).await;
    let first = content(&answer).lines().find_map(|line| line.strip_prefix("data: "));
    assert!(serde_json::from_str::<Value>(first.expect("an event")).is_err());
    assert_eq!((events(&answer), ending), (7, Ending::Complete));
}

#[tokio::test]
async fn an_error_event_ends_the_text_and_charges_what_came_before() {
    let (answer, ending, charged) = fault(Behaviour::new().error_event(2), &stream()).await;
    assert_eq!(events(&answer), 4, "{answer}");
    assert!(answer.contains("data: {\"error\":{"), "{answer}");
    assert!(!answer.contains("finish_reason\":\"") && !answer.contains("usage\":{"), "{answer}");
    assert_eq!((ending, charged), (Ending::Complete, Some(4)));
}

#[tokio::test]
async fn done_can_be_left_out() {
    let (answer, ending, _) = fault(Behaviour::new().without_done(), &stream()).await;
    assert!(!answer.contains("[DONE]") && answer.ends_with("0\r\n\r\n"), "{answer}");
    assert_eq!(ending, Ending::Complete);
}

#[tokio::test]
async fn a_huge_answer_is_as_large_as_told() {
    for extras in [json!({}), stream()] {
        let (answer, ending, _) = fault(Behaviour::new().huge(2), &extras).await;
        assert_eq!(answer.matches('x').count() >> 20, 2);
        assert_eq!(ending, Ending::Complete);
    }
}

#[tokio::test]
async fn delays_come_before_the_head_the_first_event_and_the_others() {
    let upstream = FakeUpstream::start().await;
    let pause = Duration::from_millis(30);
    for (behaviour, pauses_before_head, pauses_in_all) in [
        (Behaviour::new().delay_head(pause), 1, 1),
        (Behaviour::new().delay_first_event(pause), 0, 1),
        (Behaviour::new().events(2).delay_between_events(pause), 0, 3),
    ] {
        upstream.on("m", behaviour);
        let start = Instant::now();
        let mut answer =
            Exchange::send(upstream.address(), &body("m", &json!({ "stream": true }))).await;
        answer.read_until("\r\n\r\n").await;
        assert!(start.elapsed() >= pause * pauses_before_head);
        answer.read().await;
        assert!(start.elapsed() >= pause * pauses_in_all);
    }
}

#[tokio::test]
async fn a_stalled_answer_stays_in_flight_until_its_client_goes() {
    let upstream = FakeUpstream::start().await;
    for (extras, seen) in [(stream(), "word1 "), (json!({}), "chatcmpl")] {
        let stalls_at = if extras["stream"] == true { 2 } else { 1 };
        upstream.on("m", Behaviour::new().stall_at(stalls_at).events(4).stops_on_disconnect());
        let mut answer = Exchange::send(upstream.address(), &body("m", &extras)).await;
        answer.read_until(seen).await;
        assert_eq!(upstream.in_flight(), 1);
        drop(answer);
        upstream.until(|totals| totals.in_flight == 0).await;
    }
    let calls = upstream.calls();
    assert!(calls.iter().all(|call| call.ending == Ending::ClientGone));
    let completion = |call: usize| calls[call].charged.expect("generated").completion;
    // Half of the stream's 16 tokens were sent; a JSON answer is generated before it is sent.
    assert_eq!((completion(0), completion(1)), (8, 16));
}
