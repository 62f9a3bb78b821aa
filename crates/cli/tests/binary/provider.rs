//! What a provider does wrong, and what then stands in the answer, in the book and on the list of
//! holds: the table of DESIGN step 6.

use std::time::Duration;

use money::Money;
use serde_json::{Value, json};
use testkit::{Behaviour, Cut, Ending, Usage};

use crate::world::{
    COMPLETION_TOKENS_MAX, CREDENTIAL, Form, Told, World, amount, cost, number, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// Time-outs short enough to wait for.
const TIMEOUTS: &str = "[bounds]\nprovider_first_byte_ms = 300\nprovider_between_bytes_ms = 300";
const PROMPT_TOKENS: u64 = 40;
const COMPLETION_TOKENS: u64 = 16;

/// What the client sees.
#[derive(Clone, Copy, Debug)]
enum Shown {
    /// An answer without an error, to its end.
    Whole,
    /// A stream that says what went wrong, to its end.
    Broken,
    /// An error with that status.
    Status(u16),
}

/// What the book says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Booked {
    /// What the provider reported.
    Reported,
    /// What was counted, between the provider's own charge and the hold.
    Counted,
    /// The whole hold, listed as unresolved.
    Held,
    /// Nothing: it was a refusal, and there is no row.
    Nothing,
}

use Booked::{Counted, Held, Nothing, Reported};
use Form::{Json, Stream};
use Shown::{Broken, Status, Whole};

type Case = (&'static str, Form, Behaviour, Shown, Booked);

fn well() -> Behaviour {
    Behaviour::new().prompt_tokens(PROMPT_TOKENS).completion_tokens(COMPLETION_TOKENS)
}

fn cut(cut: Cut) -> Behaviour {
    well().cut(cut)
}

fn nonsense(usage: &str) -> Behaviour {
    well().usage(Usage::Nonsense(usage.to_owned()))
}

async fn hold_true(cases: impl IntoIterator<Item = Case>) {
    let world = World::with(&["small"], TIMEOUTS, |builder| builder).await;
    world.upstream.on("small", well());
    let warm = world.key(json!({})).await;
    for form in [Json, Stream] {
        // Connections are kept from here on: the cases meet them used.
        world.ask(&warm, "small", form, NAMED).await.expect("an answer").paid();
    }
    for case in cases {
        check(&world, case).await;
    }
    world.audit().await;
}

async fn check(world: &World, (name, form, behaviour, shown, booked): Case) {
    let case = format!("{name}, {form:?}");
    let key = world.key(json!({})).await;
    let (calls, charged) = (world.upstream.calls().len(), world.charged("small"));
    world.upstream.on("small", behaviour);
    let told = world.ask(&key, "small", form, NAMED).await;
    let told = told.unwrap_or_else(|error| panic!("{case}: no last byte: {error}"));
    is_shown(&case, &told, shown);
    assert_eq!(world.upstream.calls().len(), calls + 1, "{case}: sent twice");
    let charged = world.charged("small").checked_sub(charged).expect("an amount");
    let usage = world.usage(&key).await;
    match booked {
        Reported => assert_eq!(usage, charged, "{case}"),
        Counted => {
            let is_below_hold = usage < worst(COMPLETION_TOKENS_MAX);
            assert!(charged <= usage && is_below_hold, "{case}: ${charged}, ${usage}");
        }
        Held => assert_eq!(usage, worst(COMPLETION_TOKENS_MAX), "{case}"),
        Nothing => assert_eq!((usage, charged), (Money::ZERO, Money::ZERO), "{case}"),
    }
    if let Some(cost) = told.cost {
        assert_eq!(cost, usage, "{case}: the client was told another cost");
    }
    let generation = told.generation.as_deref().expect("an id, in an error too");
    let row = world.generation(generation).await;
    if booked == Nothing {
        assert_eq!(row.status, 404, "{case}: a refusal has a row: {}", row.text());
    } else {
        assert_eq!(row.status, 200, "{case}: {}", row.text());
        assert_eq!(amount(&row, "/data/total_cost"), usage, "{case}");
    }
    let holds = world.holds().await;
    let own: Vec<&Value> = holds.iter().filter(|hold| hold["key"] == key.hash).collect();
    assert_eq!(own.len(), usize::from(booked == Held), "{case}: {holds:?}");
    for hold in own {
        assert_eq!(hold["source"], "held", "{case}: {hold}");
        world.command(&["holds", "void", generation]).await;
        assert_eq!(world.usage(&key).await, Money::ZERO, "{case}");
    }
}

fn is_shown(case: &str, told: &Told, shown: Shown) {
    let has_error = told.body.contains(r#""error":{"#);
    let expected = match shown {
        Whole => (200, false),
        Broken => (200, true),
        Status(status) => (status, true),
    };
    assert_eq!((told.status, has_error), expected, "{case}: {}", told.body);
}

#[tokio::test]
async fn a_provider_that_cuts_is_charged_in_full_unless_its_end_was_seen() {
    hold_true([
        ("before the head", Json, cut(Cut::BeforeHead), Status(502), Held),
        ("before the head", Stream, cut(Cut::BeforeHead), Status(502), Held),
        ("in the head", Json, cut(Cut::InHead), Status(502), Held),
        ("in the head", Stream, cut(Cut::InHead), Status(502), Held),
        ("half the body", Json, cut(Cut::HalfBody), Status(502), Held),
        ("half the body", Stream, cut(Cut::HalfBody), Broken, Held),
        ("after the head", Stream, cut(Cut::AfterEvents(0)), Status(502), Held),
        ("after three events", Stream, cut(Cut::AfterEvents(3)), Broken, Held),
        ("in the first event", Stream, cut(Cut::InEvent(0)), Status(502), Held),
        ("in the third event", Stream, cut(Cut::InEvent(2)), Broken, Held),
        ("in the finish", Stream, cut(Cut::InEvent(8)), Broken, Held),
        ("before the usage", Stream, cut(Cut::AfterEvents(9)), Broken, Held),
        ("after the usage", Stream, cut(Cut::AfterEvents(10)), Whole, Reported),
        ("without [DONE]", Stream, well().without_done(), Whole, Reported),
    ])
    .await;
}

#[tokio::test]
async fn a_provider_that_stalls_is_given_up_and_charged_in_full() {
    let late = well().delay_head(Duration::from_secs(20));
    hold_true([
        ("no head", Json, late.clone(), Status(504), Held),
        ("no head", Stream, late, Status(504), Held),
        ("no body", Json, well().stall_at(0), Status(504), Held),
        ("half a body", Json, well().stall_at(1), Status(504), Held),
        ("no event", Stream, well().stall_at(0), Status(504), Held),
        ("after three events", Stream, well().stall_at(3), Broken, Held),
    ])
    .await;
}

#[tokio::test]
async fn a_complete_refusal_costs_nothing() {
    let refusing = |status: u16| well().status(status, r#"{"error":{"message":"no"}}"#);
    hold_true([
        ("429", Json, refusing(429).retry_after(7), Status(429), Nothing),
        ("429", Stream, refusing(429), Status(429), Nothing),
        ("500", Json, refusing(500), Status(502), Nothing),
        ("500", Stream, refusing(500), Status(502), Nothing),
        ("503", Json, refusing(503), Status(503), Nothing),
        ("400", Json, refusing(400), Status(400), Nothing),
        ("an error of status 200", Json, well().error_with_status_200(), Status(502), Nothing),
        ("an error of status 200", Stream, well().error_with_status_200(), Status(502), Nothing),
        ("a redirect", Json, well().redirect("http://127.0.0.1:9/"), Status(404), Nothing),
    ])
    .await;
}

#[tokio::test]
async fn usage_that_is_missing_or_does_not_add_up_is_counted_and_never_above_the_hold() {
    let many_cached = r#"{"prompt_tokens":4,"completion_tokens":2,"cached_tokens":5}"#;
    hold_true([
        ("absent", Json, well().usage(Usage::Absent), Whole, Counted),
        ("absent", Stream, well().usage(Usage::Absent), Whole, Counted),
        ("null", Json, well().usage(Usage::Null), Whole, Counted),
        ("null", Stream, well().usage(Usage::Null), Whole, Counted),
        ("a text", Json, nonsense(r#""lots""#), Whole, Counted),
        (
            "negative",
            Json,
            nonsense(r#"{"prompt_tokens":-1,"completion_tokens":2}"#),
            Whole,
            Counted,
        ),
        (
            "negative",
            Stream,
            nonsense(r#"{"prompt_tokens":4,"completion_tokens":-2}"#),
            Whole,
            Counted,
        ),
        ("half", Json, nonsense(r#"{"prompt_tokens":4.5,"completion_tokens":2}"#), Whole, Counted),
        ("more cached than there was", Stream, nonsense(many_cached), Whole, Counted),
        ("in every chunk", Stream, well().usage(Usage::Running), Whole, Reported),
        ("an error midway", Stream, well().error_event(3), Broken, Counted),
    ])
    .await;
}

#[tokio::test]
async fn an_answer_nobody_can_read_is_charged() {
    hold_true([
        ("broken JSON", Json, well().malformed_json(), Status(502), Held),
        ("a broken event", Stream, well().malformed_json(), Status(502), Reported),
    ])
    .await;
}

#[tokio::test]
async fn a_refused_credential_is_nobody_elses_business_and_rests_the_provider() {
    let world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let body = format!(r#"{{"error":{{"message":"bad key {CREDENTIAL}"}}}}"#);
    world.upstream.on("small", Behaviour::new().status(401, &body));
    let told = world.ask(&key, "small", Json, NAMED).await.expect("an answer");
    assert_eq!(told.status, 502, "{}", told.body);
    assert!(!told.body.contains("bad key"), "{}", told.body);
    let next = world.ask(&key, "small", Stream, NAMED).await.expect("an answer");
    assert_eq!(next.status, 404, "{}", next.body);
    assert_eq!(world.upstream.calls().len(), 1, "the provider was not left alone");
    assert_eq!(world.usage(&key).await, Money::ZERO);
    assert!(!world.tollgate.log().contains(CREDENTIAL));
}

#[tokio::test]
async fn a_charge_above_its_hold_is_booked_in_full_and_shuts_the_endpoint_to_limited_keys() {
    let mut world = World::start(&["small"]).await;
    let limit = worst(COMPLETION_TOKENS_MAX).checked_add(Money::nanos(600_000)).expect("a limit");
    let limited = world.key_worth(limit).await;
    let free = world.key(json!({})).await;
    world.upstream.on("small", Behaviour::new().prompt_tokens(40).completion_beyond_allowed(300));
    let told = world.ask(&limited, "small", Json, Some(1)).await.expect("an answer");
    assert_eq!(told.paid(), cost(40, 301));
    assert_eq!(world.usage(&limited).await, world.charged("small"));
    // Held at its own maximum from now on: one token no longer fits where a hundred do not.
    let spent = world.usage(&limited).await;
    let tight = spent.checked_add(worst(1)).expect("a limit");
    world.edit(&limited, json!({ "limit": number(tight) })).await;
    let refused = world.ask(&limited, "small", Json, Some(1)).await.expect("an answer");
    assert_eq!(refused.status, 402, "{}", refused.body);
    let again = world.ask(&free, "small", Stream, Some(1)).await.expect("an answer");
    assert_eq!(again.paid(), cost(40, 301));
    world.edit(&limited, json!({ "limit": 1 })).await;
    for _ in 0..2 {
        let barred = world.ask(&limited, "small", Json, NAMED).await.expect("an answer");
        assert_eq!(barred.status, 404, "{}", barred.body);
        // A restart forgets nothing of it.
        world.tollgate.term().await;
        world.tollgate.restart().await;
    }
    let listed = world.command(&["endpoints", "list"]).await;
    assert!(listed.contains("test/small"), "{listed}");
    world.command(&["endpoints", "clear", "test/small", "fake", "small"]).await;
    world.upstream.on("small", well());
    let served = world.ask(&limited, "small", Json, NAMED).await.expect("an answer");
    assert_eq!(served.paid(), cost(PROMPT_TOKENS, COMPLETION_TOKENS));
    let calls = world.upstream.calls();
    assert!(calls.iter().all(|call| call.ending == Ending::Complete));
    world.audit().await;
}
