//! A gateway in this process with a scripted provider behind it, a clock moved by hand and chance
//! from a seed. Every answer is held against the contract by the client that reads it.

pub(crate) mod collector;
pub(crate) mod exposition;
mod fixed;
mod shown;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gateway::core::{Core, Parts};
use gateway::http::control::{self, Control};
use gateway::master_key::MasterKey;
use gateway::server::Server;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use store::MemoryStore;
use tempfile::TempDir;
use testkit::{Answer, ChatStream, Client, FakeUpstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use toml::Table;
use tower::ServiceExt as _;

pub(crate) use fixed::{ManualClock, SeededEntropy};
pub(crate) use shown::{shown, shown_events};

/// The management key that every test gateway knows.
pub(crate) const MANAGER: &str =
    "sk-or-v1-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The master key of every test gateway.
pub(crate) const MASTER_KEY: &str =
    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";
/// The longest that what a test waits for may take.
const EXPECTED_WITHIN: Duration = Duration::from_secs(30);

/// Three providers in one: `alpha` and `beta` bill to the end, `gamma` stops with its connection.
/// "Hello" is bounded at 63 prompt tokens; a token costs $0.000001 in the prompt and twice that in
/// the completion.
const CONFIG: &str = r#"
    [server]
    listen = "127.0.0.1:0"
    public_url = "https://gate.example"
    workers = 1

    [[users]]
    id = "user_1"
    email = "one@example.com"
    first_name = "Ada"
    role = "org:admin"
    [[users]]
    id = "u1"
    email = "u1@example.com"

    [[providers]]
    slug = "alpha"
    name = "Alpha"
    base_url = "URL"
    api_key = "alpha-credential-0123456789"
    headers = { x-own = "of alpha" }
    [[providers]]
    slug = "beta"
    name = "Beta"
    base_url = "URL"
    api_key = "beta-credential-0123456789"
    [[providers]]
    slug = "gamma"
    name = "Gamma"
    base_url = "URL"
    stops_on_disconnect = true

    [[models]]
    id = "test/small"
    name = "Small"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "small", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/free"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "free", free = true }]
    [[models]]
    id = "test/pair"
    context_length = 8192
    endpoints = [
        { provider = "alpha", upstream_model = "pair-a", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } },
        { provider = "beta", upstream_model = "pair-b", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } },
    ]
    [[models]]
    id = "test/stopping"
    context_length = 8192
    endpoints = [{ provider = "gamma", upstream_model = "stopping", max_completion_tokens = 1000, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
    [[models]]
    id = "test/reasoning"
    context_length = 8192
    endpoints = [{ provider = "alpha", upstream_model = "reasoning", max_completion_tokens = 1000, reasoning_tokens_max = 500, prompt_overhead_tokens = 16, pricing = { prompt = "0.000001", completion = "0.000002" } }]
"#;

/// A gateway that serves on loopback.
pub(crate) struct TestGateway {
    pub(crate) upstream: FakeUpstream,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) core: Arc<Core>,
    pub(crate) client: Client,
    entropy: Arc<SeededEntropy>,
    settings: String,
    folder: TempDir,
    server: Server,
}

/// An inference key that was made for a test.
pub(crate) struct TestKey {
    pub(crate) text: String,
    pub(crate) hash: String,
}

impl TestKey {
    /// Its path.
    pub(crate) fn path(&self) -> String {
        format!("/api/v1/keys/{}", self.hash)
    }
}

impl TestGateway {
    /// A gateway with the configuration above.
    pub(crate) async fn start() -> TestGateway {
        TestGateway::with("").await
    }

    /// A gateway with `settings`, in TOML, laid over the configuration above.
    pub(crate) async fn with(settings: &str) -> TestGateway {
        TestGateway::open(settings, Some(MASTER_KEY)).await
    }

    /// A gateway that can keep no credentials of others.
    pub(crate) async fn without_master_key() -> TestGateway {
        TestGateway::open("", None).await
    }

    async fn open(settings: &str, master_key: Option<&str>) -> TestGateway {
        let upstream = FakeUpstream::start().await;
        let folder = tempfile::tempdir().unwrap();
        let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::new()));
        let entropy = Arc::new(SeededEntropy::new());
        let config = config(&upstream, settings);
        let core = open(config, &folder, &store, &clock, &entropy, master_key);
        let server = Server::start(Arc::clone(&core)).unwrap();
        let client = Client::new(server.address()).below("");
        control::add_management_key(&core, "ci", MANAGER).await.unwrap();
        let settings = settings.to_owned();
        TestGateway { upstream, store, clock, core, client, entropy, settings, folder, server }
    }

    /// Ends the process's work at once, as a kill does, and starts another on the same files.
    pub(crate) async fn crash(self) -> TestGateway {
        let TestGateway { upstream, store, clock, core, entropy, settings, folder, server, .. } =
            self;
        drop(server);
        // The tasks of the old process must be gone before the new one reads its files.
        core.in_flight.none().await;
        let config = config(&upstream, &settings);
        let core = open(config, &folder, &store, &clock, &entropy, Some(MASTER_KEY));
        let server = Server::start(Arc::clone(&core)).unwrap();
        let client = Client::new(server.address()).below("");
        TestGateway { upstream, store, clock, core, client, entropy, settings, folder, server }
    }

    /// Asks `line`, such as `GET /api/v1/keys`, as the holder of `key`.
    pub(crate) async fn ask<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        line: &str,
        body: impl ToString,
    ) -> Answer {
        self.ask_with(key, line, body, &[]).await
    }

    /// The same with further headers.
    pub(crate) async fn ask_with<'a>(
        &self,
        key: impl Into<Option<&'a str>>,
        line: &str,
        body: impl ToString,
        headers: &[(&str, &str)],
    ) -> Answer {
        let (method, path) = line.split_once(' ').unwrap();
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key.into() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.to_string();
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Full::new(Bytes::from(body))).unwrap();
        self.client.request(request).await.unwrap()
    }

    /// Asks the operators' address, without a key.
    pub(crate) async fn admin(&self, method: &str, path: &str) -> Answer {
        ask_admin(&self.admin_client(), method, path).await
    }

    /// A client of the operators' address.
    pub(crate) fn admin_client(&self) -> Client {
        Client::new(self.server.admin_address().unwrap()).below("")
    }

    /// Has the gateway stop, while its provider goes on.
    pub(crate) fn begin_stop(self) -> (FakeUpstream, JoinHandle<()>) {
        let TestGateway { upstream, server, folder, .. } = self;
        let stopping = tokio::spawn(async move {
            server.stop().await;
            drop(folder);
        });
        (upstream, stopping)
    }

    /// Makes a key with these settings, besides a name.
    pub(crate) async fn key(&self, settings: Value) -> TestKey {
        let mut body = json!({ "name": "test" });
        body.as_object_mut().unwrap().extend(settings.as_object().cloned().unwrap_or_default());
        let answer = self.ask(MANAGER, "POST /api/v1/keys", body).await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        let text = |pointer: &str| answer.json().pointer(pointer).unwrap().as_str().unwrap().into();
        TestKey { text: text("/key"), hash: text("/data/hash") }
    }

    /// Changes a key.
    pub(crate) async fn patch(&self, key: &TestKey, settings: Value) {
        let answer = self.ask(MANAGER, &format!("PATCH {}", key.path()), settings).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// A chat completion for "Hello", the members of `extras` added to its body.
    pub(crate) async fn chat(&self, key: &TestKey, model: &str, extras: Value) -> Answer {
        self.client.below("/api/v1").chat(key.text.as_str(), model, &extras).await.unwrap()
    }

    /// The same as a stream, when its head is here.
    pub(crate) async fn chat_stream(
        &self,
        key: &TestKey,
        model: &str,
        extras: Value,
    ) -> ChatStream {
        let client = self.client.below("/api/v1");
        client.chat_stream(key.text.as_str(), model, &extras).await.unwrap()
    }

    /// A chat completion in a task of its own.
    pub(crate) fn begin_chat(
        &self,
        key: &TestKey,
        model: &'static str,
        extras: Value,
    ) -> JoinHandle<Answer> {
        let (client, key) = (self.client.below("/api/v1"), key.text.clone());
        tokio::spawn(async move { client.chat(key.as_str(), model, &extras).await.unwrap() })
    }

    /// A figure of `GET /key`, digit for digit.
    pub(crate) async fn fact(&self, key: &TestKey, name: &str) -> String {
        let answer = self.ask(key.text.as_str(), "GET /api/v1/key", "").await;
        answer.exact(&format!("/data/{name}")).unwrap_or_else(|| panic!("{}", answer.text()))
    }

    /// What is on hold for a key.
    pub(crate) fn held(&self, key: &TestKey) -> String {
        let known = self.core.directory.key(&gateway::http::hash(&key.text)).unwrap();
        known.account().figures(self.clock.time()).held.credits.to_string()
    }

    /// Asks what only the command line may.
    pub(crate) async fn control(&self, line: &str, body: impl ToString) -> Answer {
        let reload = Box::new(|| Err("there is no file".to_owned()));
        let routes = control::routes(Arc::new(Control { core: Arc::clone(&self.core), reload }));
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.body(axum::body::Body::from(body.to_string())).unwrap();
        let (head, body) = routes.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status.as_u16(), headers: head.headers, body }
    }

    /// Puts other settings in force while it runs, as a reload does.
    pub(crate) fn reload(&self, settings: &str) {
        self.core.reload(&config(&self.upstream, settings)).unwrap();
    }

    /// The file that records its holds.
    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("holds")
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A connection over which so much was sent, bytes as they are.
    pub(crate) async fn send(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.server.address()).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        stream
    }

    /// Sends bytes as they are, and reads what comes back until the connection is closed.
    pub(crate) async fn raw(&self, bytes: &str) -> String {
        TestGateway::rest(self.send(bytes).await).await
    }

    /// What comes back over a connection until it is closed.
    pub(crate) async fn rest(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let read = tokio::time::timeout(EXPECTED_WITHIN, stream.read_to_end(&mut answer)).await;
        // A server that closes while bytes for it are on their way resets the connection.
        drop(read.expect("the connection was left open"));
        String::from_utf8(answer).unwrap()
    }

    /// Waits until that many requests wait for holds.
    pub(crate) async fn until_waiting(&self, requests: usize) {
        self.until(|core| core.waiting.requests() == requests).await;
    }

    /// Waits until `is_so` holds.
    pub(crate) async fn until(&self, is_so: impl Fn(&Core) -> bool) {
        until(&self.core, is_so).await;
    }

    /// The rows of the book, oldest first.
    pub(crate) fn entries(&self) -> Vec<store::Entry> {
        let mut entries = Vec::new();
        let mut take = |line| {
            if let store::ExportLine::Entry(entry) = line {
                entries.push(*entry);
            }
            Ok(())
        };
        store::Store::export(&*self.store, &mut take).unwrap();
        entries
    }

    /// What the rows of the book say of each attempt, oldest first: its source and its cost.
    pub(crate) fn rows(&self) -> Vec<String> {
        let shown = |entry: &store::Entry| {
            let store::Entry { provider, source, cost, tokens, cancelled, .. } = entry;
            let left = if *cancelled { " cancelled" } else { "" };
            format!(
                "{provider}: {} ${} for {}+{}{left}",
                source.as_str(),
                cost.credits,
                tokens.prompt,
                tokens.completion
            )
        };
        self.entries().iter().map(shown).collect()
    }

    /// Waits for every request to end, and finds that no hold is left and the book agrees with
    /// itself.
    pub(crate) async fn settled(&self) {
        let ended = tokio::time::timeout(EXPECTED_WITHIN, self.core.in_flight.none()).await;
        assert!(ended.is_ok(), "{} requests are in flight", self.core.in_flight.count());
        for key in self.core.directory.keys() {
            let held = key.account().figures(self.clock.time()).held;
            assert_eq!(held, ledger::Amounts::ZERO, "a hold is left over");
            let concurrent = key.account().pace(self.clock.time()).concurrent;
            assert_eq!(concurrent, 0, "a seat is left over");
        }
        for workspace in self.core.directory.workspaces().all() {
            let held = workspace.account().figures(self.clock.time()).held;
            assert_eq!(held, ledger::Amounts::ZERO, "a hold is left over on a workspace");
        }
        let report = store::Store::audit(&*self.store).unwrap();
        assert_eq!(report.differences, []);
    }

    /// The same, and the gateway ends.
    pub(crate) async fn close(self) {
        self.settled().await;
        self.server.stop().await;
    }
}

/// Waits until `is_so` holds.
pub(crate) async fn until(core: &Core, is_so: impl Fn(&Core) -> bool) {
    let waiting = async {
        while !is_so(core) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(EXPECTED_WITHIN, waiting).await;
    assert!(waited.is_ok(), "what was waited for did not come");
}

/// Asks the operators' address, without a key.
pub(crate) async fn ask_admin(client: &Client, method: &str, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    client.request(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap()
}

fn open(
    config: gateway::config::Config,
    folder: &TempDir,
    store: &Arc<MemoryStore>,
    clock: &Arc<ManualClock>,
    entropy: &Arc<SeededEntropy>,
    master_key: Option<&str>,
) -> Arc<Core> {
    let parts = Parts {
        config,
        folder: folder.path().to_owned(),
        store: Arc::<MemoryStore>::clone(store),
        journal: folder.path().join("holds"),
        master_key: master_key.map(|text| MasterKey::parse(text).unwrap()),
        clock: Arc::<ManualClock>::clone(clock),
        entropy: Arc::<SeededEntropy>::clone(entropy),
        on_broken: Arc::new(|error| panic!("the store is broken: {error}")),
    };
    Core::open(parts).unwrap()
}

fn config(upstream: &FakeUpstream, settings: &str) -> gateway::config::Config {
    let parsed = |text: &str| text.replace("URL", &upstream.url()).parse::<Table>().unwrap();
    let mut table = parsed(CONFIG);
    lay_over(&mut table, parsed(settings));
    table.try_into().unwrap()
}

fn lay_over(table: &mut Table, over: Table) {
    for (name, value) in over {
        match (table.get_mut(&name), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(over)) => lay_over(inner, over),
            (_, value) => {
                table.insert(name, value);
            }
        }
    }
}
