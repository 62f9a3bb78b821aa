//! Killed at any moment, the book loses nothing that a client has (DESIGN I3), counts nothing twice
//! (I4), leaves nothing stuck (I5), and the limit still holds (I1).

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use money::Money;
use serde_json::json;
use testkit::{Behaviour, Client};
use tokio::task::JoinSet;

use crate::world::{
    COMPLETION_TOKENS_MAX, CREDENTIAL, Form, Key, Told, World, amount, ask, cost, number, sum,
    times, worst,
};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
pub(crate) const PROMPT_TOKENS: u64 = 40;
pub(crate) const COMPLETION_TOKENS: u64 = 16;

/// Asks one request after another until the gateway is gone or refuses.
async fn load(client: Client, key: Key, model: &str, form: Form) -> Vec<Told> {
    let mut paid = Vec::new();
    while let Ok(told) = ask(&client, &key, model, form, NAMED).await {
        if told.status != 200 {
            assert!([402, 403].contains(&told.status), "{}: {}", told.status, told.body);
            break;
        }
        paid.push(told);
    }
    paid
}

/// One model, the key that alone uses it, and all its clients were told over the crashes.
pub(crate) struct Book {
    pub(crate) model: &'static str,
    pub(crate) key: Key,
    pub(crate) limit: Money,
    pub(crate) told: Vec<Told>,
    /// How many charges of crashes were corrected to what a generation costs.
    pub(crate) corrected: usize,
}

impl Book {
    /// Compares the provider's book, the gateway's and the clients' answers.
    ///
    /// Every settled generation costs the same, so their number follows from the sums.
    pub(crate) async fn check(&self, world: &World) {
        let one = cost(PROMPT_TOKENS, COMPLETION_TOKENS);
        let charged = world.charged(self.model);
        assert!(charged <= self.limit, "${charged} was charged on a limit of ${}", self.limit);
        for told in &self.told {
            let generation = told.generation.as_deref().expect("an id");
            let booked = world.generation(generation).await;
            assert_eq!(booked.status, 200, "{generation} is lost");
            assert_eq!(amount(&booked, "/data/total_cost"), told.paid(), "{generation}");
        }
        let ids: HashSet<_> = self.told.iter().map(|told| &told.generation).collect();
        assert_eq!(ids.len(), self.told.len(), "an id was given twice");
        let held = self.held(world).await;
        let usage = world.usage(&self.key).await;
        assert!(usage <= self.limit, "${usage} was booked on a limit of ${}", self.limit);
        assert!(charged <= usage, "${charged} was charged, ${usage} is booked");
        let unsettled = times(worst(COMPLETION_TOKENS_MAX), held.len());
        let at_cost = usage.checked_sub(unsettled).expect("an amount").as_nanos();
        assert_eq!(at_cost % one.as_nanos(), 0, "a generation was booked in part");
        let at_cost = usize::try_from(at_cost / one.as_nanos()).expect("a count");
        let settled = at_cost - self.corrected;
        assert!(settled >= self.told.len(), "an answer a client has is not booked");
        let calls = world.upstream.calls().iter().filter(|call| call.model == self.model).count();
        assert!(settled <= calls, "{settled} generations were booked of {calls} calls");
    }

    /// The generations that a crash left unsettled.
    pub(crate) async fn held(&self, world: &World) -> Vec<String> {
        let holds = world.holds().await;
        let own = holds.iter().filter(|hold| hold["key"] == self.key.hash);
        own.map(|hold| {
            assert_eq!(hold["source"], "interrupted", "{hold}");
            assert_eq!(hold["charged"], worst(COMPLETION_TOKENS_MAX).to_string(), "{hold}");
            hold["generation"].as_str().expect("an id").to_owned()
        })
        .collect()
    }
}

async fn crash_under_load(kills: usize) {
    let mut world = World::start(&["wide", "tight"]).await;
    let behaviour = Behaviour::new()
        .prompt_tokens(PROMPT_TOKENS)
        .completion_tokens(COMPLETION_TOKENS)
        .delay_head(Duration::from_millis(10))
        .delay_between_events(Duration::from_millis(3));
    world.upstream.otherwise(behaviour);
    let mut books = Vec::new();
    for (model, worth) in [("wide", 10_000), ("tight", 12 * kills)] {
        let limit = times(worst(COMPLETION_TOKENS_MAX), worth);
        let key = world.key_worth(limit).await;
        books.push(Book { model, key, limit, told: Vec::new(), corrected: 0 });
    }
    for kill in 0..kills {
        let before = world.upstream.calls().len();
        let mut loads = [JoinSet::new(), JoinSet::new()];
        for (book, loads) in books.iter().zip(&mut loads) {
            for form in [Form::Json, Form::Stream, Form::Json, Form::Stream] {
                loads.spawn(load(world.client(), book.key.clone(), book.model, form));
            }
        }
        let most = before + 30 + 7 * kill;
        world.upstream.until(|totals| totals.calls >= most && totals.in_flight >= 3).await;
        world.tollgate.kill9();
        for (book, loads) in books.iter_mut().zip(loads) {
            book.told.extend(loads.join_all().await.into_iter().flatten());
        }
        world.tollgate.restart().await;
        world.audit().await;
        for book in &mut books {
            book.check(&world).await;
        }
        correct(&world, &mut books, kill).await;
        for book in &mut books {
            book.check(&world).await;
            assert!(book.held(&world).await.is_empty(), "a corrected hold is still listed");
        }
        world.audit().await;
    }
    for book in &books {
        nothing_is_stuck(&world, book).await;
    }
}

/// Ends what the crash left at the provider's bill, one by one or all at once. Where the request had
/// not yet arrived, that is above what the provider charges, never below.
pub(crate) async fn correct(world: &World, books: &mut [Book], kill: usize) {
    let one = cost(PROMPT_TOKENS, COMPLETION_TOKENS);
    for book in books.iter_mut() {
        let held = book.held(world).await;
        book.corrected += held.len();
        if kill.is_multiple_of(2) {
            for generation in held {
                world.command(&["holds", "settle", &generation, "--cost", &one.to_string()]).await;
            }
        }
    }
    if !world.holds().await.is_empty() {
        let one = one.to_string();
        world.command(&["holds", "settle", "--all-interrupted", "--cost", &one]).await;
    }
}

/// What is left of a limit can be spent to the last worst case at once.
pub(crate) async fn nothing_is_stuck(world: &World, book: &Book) {
    let exact = sum([world.usage(&book.key).await, worst(COMPLETION_TOKENS_MAX)]);
    world.edit(&book.key, json!({ "limit": number(exact) })).await;
    let told = world.ask(&book.key, book.model, Form::Json, NAMED).await.expect("an answer");
    assert_eq!(told.paid(), cost(PROMPT_TOKENS, COMPLETION_TOKENS));
}

#[tokio::test]
async fn five_kills_under_load_lose_nothing_and_overspend_nothing() {
    crash_under_load(5).await;
}

#[tokio::test]
#[ignore = "thirty kills take more than a minute; nightly"]
async fn thirty_kills_under_load_lose_nothing_and_overspend_nothing() {
    crash_under_load(30).await;
}

#[tokio::test]
async fn killed_while_requests_wait_only_those_that_were_sent_are_charged() {
    let mut world = World::start(&["small"]).await;
    let key = world.key_worth(times(worst(COMPLETION_TOKENS_MAX), 2)).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream, Form::Json, Form::Stream, Form::Json, Form::Json] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    world.tollgate.kill9();
    for told in asking.join_all().await {
        assert!(told.is_err(), "nobody was answered");
    }
    gate.release();
    world.tollgate.restart().await;
    let holds = world.holds().await;
    assert_eq!(holds.len(), 2, "{holds:?}");
    assert_eq!(world.usage(&key).await, times(worst(COMPLETION_TOKENS_MAX), 2));
    let refused = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(refused.status, 403, "a crash never frees a limit: {}", refused.body);
    world.command(&["holds", "void", "--all-interrupted"]).await;
    assert_eq!(world.usage(&key).await, Money::ZERO);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!(world.usage(&key).await, told.paid());
    world.audit().await;
}

#[tokio::test]
async fn killed_again_and_again_while_it_starts_it_recovers_once() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for number in 0..20 {
        let (client, key) = (world.client(), key.clone());
        let form = if number % 2 == 0 { Form::Json } else { Form::Stream };
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(20).await;
    world.tollgate.kill9();
    asking.join_all().await;
    drop(gate);
    // From before the book is open to after it serves.
    for milliseconds in (2..60).step_by(4) {
        let mut start = Command::new("timeout");
        start.args(["-s", "KILL", &format!("0.{milliseconds:03}")]);
        start.args([env!("CARGO_BIN_EXE_tollgate"), "serve", "--config"]);
        start.arg(world.tollgate.config_path()).env("FAKE_PROVIDER_KEY", CREDENTIAL);
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(!start.status().expect("a command that runs").success());
    }
    world.tollgate.restart().await;
    assert_eq!(world.holds().await.len(), 20);
    assert_eq!(world.usage(&key).await, times(worst(COMPLETION_TOKENS_MAX), 20));
    world.audit().await;
}

#[tokio::test]
async fn a_record_torn_by_a_power_cut_is_warned_of_and_set_aside_and_the_start_goes_on() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    world.tollgate.kill9();
    asking.join_all().await;
    gate.release();
    let records = world.tollgate.folder().join("tollgate.db.holds");
    let mut torn = std::fs::read(&records).expect("a file");
    torn.truncate(torn.len() - 20);
    std::fs::write(&records, &torn).expect("a file");
    world.tollgate.restart().await;
    assert_eq!(world.holds().await.len(), 1);
    assert_eq!(world.usage(&key).await, worst(COMPLETION_TOKENS_MAX));
    let aside = world.tollgate.folder().join("tollgate.db.holds.unreadable");
    assert_eq!(std::fs::read(aside).expect("a copy"), torn);
    let log = world.tollgate.log();
    let warned = |line: &&str| line.contains("WARN") && line.contains("unreadable=1");
    assert_eq!(log.lines().filter(warned).count(), 1, "{log}");
    world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").paid();
    world.audit().await;
    world.tollgate.kill9();
    world.tollgate.restart().await;
    let log = world.tollgate.log();
    assert_eq!(log.lines().filter(warned).count(), 1, "once is enough: {log}");
}

#[tokio::test]
async fn killed_after_a_refusal_nothing_is_charged_for_it() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    world.upstream.on("small", Behaviour::new().status(500, "{}"));
    for form in [Form::Json, Form::Stream] {
        let told = world.ask(&key, "small", form, NAMED).await.expect("an answer");
        assert_eq!(told.status, 502, "{}", told.body);
        world.tollgate.kill9();
        world.tollgate.restart().await;
        assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
        assert_eq!(world.usage(&key).await, Money::ZERO);
    }
    world.audit().await;
}

#[tokio::test]
async fn killed_at_the_last_byte_the_answer_is_in_the_book_once() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let mut told: Vec<Told> = Vec::new();
    for form in [Form::Json, Form::Stream, Form::Json, Form::Stream] {
        told.push(world.ask(&key, "small", form, NAMED).await.expect("an answer"));
        world.tollgate.kill9();
        world.tollgate.restart().await;
        assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
        assert_eq!(world.usage(&key).await, sum(told.iter().map(Told::paid)));
        for told in &told {
            let booked = world.generation(told.generation.as_deref().expect("an id")).await;
            assert_eq!(amount(&booked, "/data/total_cost"), told.paid());
        }
        world.audit().await;
    }
    assert_eq!(world.usage(&key).await, world.charged("small"));
}

#[tokio::test]
async fn a_hold_is_corrected_beside_a_server_and_without_one_and_each_correction_is_audited() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    let gate = world.upstream.hold_answers("small");
    let mut asking = JoinSet::new();
    for form in [Form::Json, Form::Stream] {
        let (client, key) = (world.client(), key.clone());
        asking.spawn(async move { ask(&client, &key, "small", form, NAMED).await });
    }
    gate.until_waiting(2).await;
    world.tollgate.kill9();
    asking.join_all().await;
    drop(gate);
    // Without a server the command itself opens the book, and finds what the crash left.
    let first = world.holds().await[0]["generation"].as_str().expect("an id").to_owned();
    world.command(&["holds", "settle", &first, "--cost", "0.000001"]).await;
    world.tollgate.restart().await;
    assert_eq!(world.holds().await.len(), 1);
    let expected = sum([Money::nanos(1_000), worst(COMPLETION_TOKENS_MAX)]);
    assert_eq!(world.usage(&key).await, expected);
    world.command(&["holds", "settle", "--all-interrupted", "--cost", "0.000000002"]).await;
    assert_eq!(world.usage(&key).await, Money::nanos(1_002));
    // A second thought replaces the first: it is no further charge.
    world.command(&["holds", "void", &first]).await;
    assert_eq!(world.usage(&key).await, Money::nanos(2));
    let nonsense = world.tollgate.run(["holds", "settle", &first, "--cost", "-1"]).await;
    assert!(!nonsense.status.success());
    let unknown = world.tollgate.run(["holds", "void", "gen-0-none"]).await;
    assert!(!unknown.status.success());
    assert_eq!(world.usage(&key).await, Money::nanos(2));
    world.audit().await;
}
