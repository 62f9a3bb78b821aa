//! A provider with a book of its own, the gateway in front of it, and what a test asks of both.
//! Money is compared as it was printed, never through a float.

use std::io;
use std::process::Output;

use money::Money;
use serde_json::{Value, json};
use testkit::{Answer, Builder, Client, Event, FakeUpstream, Prices, Tokens, Tollgate};
use tokio::task::JoinHandle;

/// What the provider is told to be the gateway's credential.
pub(crate) const CREDENTIAL: &str = "provider-credential-8c1f0a";

/// Prompts are never taken for longer, so that the worst case is known to the nano-dollar.
const CONTEXT_TOKENS: u64 = 128;
/// What a request is held for that names no maximum.
pub(crate) const COMPLETION_TOKENS_MAX: u64 = 100;

/// A nano-dollar is no multiple of the completion's price: every cost is rounded.
const PROMPT_PRICE: &str = "0.00000015";
const COMPLETION_PRICE: &str = "0.0000006001";

/// A provider and a gateway that serves its models as `test/NAME`.
pub(crate) struct World {
    pub(crate) upstream: FakeUpstream,
    pub(crate) tollgate: Tollgate,
}

/// An inference key.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) hash: String,
}

/// Whether an answer is asked for in one piece or as a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Json,
    Stream,
}

/// What a client was told, to the last byte.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    /// The generation's id, where one was answered.
    pub(crate) generation: Option<String>,
    /// `usage.cost`, where the answer has it.
    pub(crate) cost: Option<Money>,
    pub(crate) retry_after: Option<String>,
    /// The body; of a stream its chunks, one a line.
    pub(crate) body: String,
}

impl World {
    /// A gateway for those models with the defaults.
    pub(crate) async fn start(models: &[&str]) -> World {
        World::with(models, "", |builder| builder).await
    }

    /// The same with more configuration and another way to start it.
    pub(crate) async fn with(
        models: &[&str],
        toml: &str,
        build: impl FnOnce(Builder) -> Builder,
    ) -> World {
        let upstream = FakeUpstream::start().await;
        let builder = builder().config(&provider(&upstream, "")).config(toml);
        let builder = models.iter().fold(builder, |builder, name| builder.config(&model(name)));
        let tollgate = build(builder).start().await;
        World { upstream, tollgate }
    }

    pub(crate) fn client(&self) -> Client {
        self.tollgate.client()
    }

    /// A new key with those settings.
    pub(crate) async fn key(&self, settings: Value) -> Key {
        let mut body = json!({ "name": "a test's" });
        for (name, value) in settings.as_object().into_iter().flatten() {
            body[name] = value.clone();
        }
        let manager = self.tollgate.management_key();
        let made = self.client().post(manager, "/keys", &body).await.expect("an answer");
        assert_eq!(made.status, 201, "{}", made.text());
        let made = made.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Key { text: text(&made["key"]), hash: text(&made["data"]["hash"]) }
    }

    /// A new key with that lifetime limit.
    pub(crate) async fn key_worth(&self, limit: Money) -> Key {
        self.key(json!({ "limit": number(limit) })).await
    }

    /// Changes a key's settings.
    pub(crate) async fn edit(&self, key: &Key, settings: Value) {
        let path = format!("/keys/{}", key.hash);
        let manager = self.tollgate.management_key();
        let edited = self.client().patch(manager, &path, &settings).await.expect("an answer");
        assert_eq!(edited.status, 200, "{}", edited.text());
    }

    /// A key as the management API shows it.
    pub(crate) async fn facts(&self, key: &Key) -> Answer {
        let path = format!("/keys/{}", key.hash);
        let shown = self.client().get(self.tollgate.management_key(), &path).await;
        let shown = shown.expect("an answer");
        assert_eq!(shown.status, 200, "{}", shown.text());
        shown
    }

    /// One amount of those facts.
    pub(crate) async fn figure(&self, key: &Key, name: &str) -> Money {
        amount(&self.facts(key).await, &format!("/data/{name}"))
    }

    /// All that a key has spent.
    pub(crate) async fn usage(&self, key: &Key) -> Money {
        self.figure(key, "usage").await
    }

    /// A generation as the book has it.
    pub(crate) async fn generation(&self, id: &str) -> Answer {
        let path = format!("/generation?id={id}");
        let shown = self.client().get(self.tollgate.management_key(), &path).await;
        shown.expect("an answer")
    }

    /// What the provider charges for a model's requests.
    pub(crate) fn charged(&self, model: &str) -> Money {
        let calls = self.upstream.calls();
        sum(calls.iter().filter(|call| call.model == model).map(|call| call.cost(&prices())))
    }

    /// Asks for one completion, held for `max_tokens` where it names them.
    pub(crate) async fn ask(
        &self,
        key: &Key,
        model: &str,
        form: Form,
        max_tokens: Option<u64>,
    ) -> io::Result<Told> {
        ask(&self.client(), key, model, form, max_tokens).await
    }

    /// Charges nobody has seen the end of, as `holds list` shows them.
    pub(crate) async fn holds(&self) -> Vec<Value> {
        let output = self.tollgate.run(["holds", "list", "--json"]).await;
        assert!(output.status.success(), "{}", said(&output));
        serde_json::from_slice(&output.stdout).expect("a list of holds")
    }

    /// Runs a command that must succeed.
    pub(crate) async fn command(&self, arguments: &[&str]) -> String {
        let output = self.tollgate.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs a command beside what goes on here.
    pub(crate) fn command_running(&self, arguments: &[&str]) -> JoinHandle<Output> {
        let mut command = self.tollgate.command(arguments);
        tokio::task::spawn_blocking(move || command.output().expect("a binary that runs"))
    }

    /// Has the book recomputed from its rows.
    pub(crate) async fn audit(&self) {
        let output = self.tollgate.audit().await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

/// A gateway with two workers and the provider's credential.
pub(crate) fn builder() -> Builder {
    Tollgate::builder(env!("CARGO_BIN_EXE_tollgate"))
        .env("TOLLGATE_SERVER__WORKERS", "2")
        .env("FAKE_PROVIDER_KEY", CREDENTIAL)
}

/// `upstream` as the provider "fake", with more settings.
pub(crate) fn provider(upstream: &FakeUpstream, more: &str) -> String {
    format!(
        "[[providers]]\nslug = \"fake\"\nbase_url = \"{}\"\napi_key = \"${{FAKE_PROVIDER_KEY}}\"\n{more}\n",
        upstream.url()
    )
}

/// The model `test/NAME`, which is NAME at the provider.
pub(crate) fn model(name: &str) -> String {
    model_at(name, PROMPT_PRICE, COMPLETION_PRICE, "")
}

/// The same at other prices and with more settings of its endpoint.
pub(crate) fn model_at(name: &str, prompt: &str, completion: &str, more: &str) -> String {
    format!(
        "[[models]]\nid = \"test/{name}\"\ncontext_length = {CONTEXT_TOKENS}\n\
         [[models.endpoints]]\nprovider = \"fake\"\nupstream_model = \"{name}\"\n\
         max_completion_tokens = {COMPLETION_TOKENS_MAX}\n\
         pricing = {{ prompt = \"{prompt}\", completion = \"{completion}\" }}\n{more}\n"
    )
}

/// What [`model`] costs.
pub(crate) fn prices() -> Prices {
    Prices::new(PROMPT_PRICE, COMPLETION_PRICE)
}

/// What a generation of so many tokens costs.
pub(crate) fn cost(prompt: u64, completion: u64) -> Money {
    prices().cost(&Tokens { prompt, completion, ..Tokens::default() })
}

/// What is held for a request that names that many tokens.
pub(crate) fn worst(max_tokens: u64) -> Money {
    cost(CONTEXT_TOKENS, max_tokens)
}

/// `amount`, `count` times.
pub(crate) fn times(amount: Money, count: usize) -> Money {
    sum(std::iter::repeat_n(amount, count))
}

pub(crate) fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    let add = |sum: Money, amount| sum.checked_add(amount).expect("a sum that is an amount");
    amounts.into_iter().fold(Money::ZERO, add)
}

/// An amount as a number of JSON.
pub(crate) fn number(amount: Money) -> Value {
    serde_json::from_str(&amount.to_string()).expect("a number")
}

/// The amount at a pointer of an answer.
pub(crate) fn amount(answer: &Answer, pointer: &str) -> Money {
    let text = answer.exact(pointer).unwrap_or_else(|| panic!("no {pointer} in {}", answer.text()));
    text.parse().unwrap_or_else(|error| panic!("{pointer} is {text}: {error}"))
}

/// All a command said.
pub(crate) fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}: {}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Asks for one completion and reads the answer to its last byte; without that it is an error.
pub(crate) async fn ask(
    client: &Client,
    key: &Key,
    model: &str,
    form: Form,
    max_tokens: Option<u64>,
) -> io::Result<Told> {
    let extras = max_tokens.map_or(json!({}), |tokens| json!({ "max_tokens": tokens }));
    let (key, model) = (key.text.as_str(), format!("test/{model}"));
    if form == Form::Json {
        return Ok(Told::whole(&client.chat(key, &model, &extras).await?));
    }
    let stream = client.chat_stream(key, &model, &extras).await?;
    if !stream.is_stream() {
        return Ok(Told::whole(&stream.into_answer().await?));
    }
    let status = stream.status;
    let events = stream.rest().await?;
    if events.last() != Some(&Event::Done) {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Told::of_events(status, &events))
}

impl Told {
    pub(crate) fn whole(answer: &Answer) -> Told {
        let retry_after = answer.headers.get("retry-after");
        Told {
            status: answer.status,
            generation: answer.headers.get("x-generation-id").map(text),
            cost: answer.exact("/usage/cost").as_deref().map(parsed),
            retry_after: retry_after.map(text),
            body: answer.text(),
        }
    }

    pub(crate) fn of_events(status: u16, events: &[Event]) -> Told {
        let cost = events.iter().rev().find_map(|event| event.exact("/usage/cost"));
        let chunks = events.iter().filter_map(|event| match event {
            Event::Chunk(text) => Some(text.as_str()),
            Event::Done | Event::Comment(_) => None,
        });
        Told {
            status,
            generation: events.iter().find_map(|event| event.exact("/id")).as_deref().map(unquoted),
            cost: cost.as_deref().map(parsed),
            retry_after: None,
            body: chunks.collect::<Vec<_>>().join("\n"),
        }
    }

    /// What was paid; panics where the answer is no success with a cost.
    pub(crate) fn paid(&self) -> Money {
        assert_eq!(self.status, 200, "{}", self.body);
        self.cost.unwrap_or_else(|| panic!("no cost in {}", self.body))
    }
}

fn text(value: &http::HeaderValue) -> String {
    value.to_str().expect("a text").to_owned()
}

fn unquoted(text: &str) -> String {
    text.trim_matches('"').to_owned()
}

fn parsed(text: &str) -> Money {
    text.parse().unwrap_or_else(|error| panic!("{text} is no amount: {error}"))
}
