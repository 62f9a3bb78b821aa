//! `tollgate demo`: the whole product in one command, on a simulated provider in a temporary folder.
//!
//! Everything it shows is done over HTTP against the server it started, as a user would.

mod provider;
mod snippets;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use gateway::http::control::add_management_key;
use gateway::server::Server;
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json, value::RawValue};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};

use crate::http_client;
use crate::print;
use crate::real::SystemEntropy;
use crate::setup::Setup;

/// The demo key's limit a day, in US dollars: a few calls' worth.
const LIMIT: &str = "0.002";
const MODEL: &str = "demo/parrot";

#[derive(clap::Args)]
pub(crate) struct DemoArguments {
    /// The address to serve on; another port is taken where it is in use.
    #[arg(long, default_value = "127.0.0.1:8787")]
    listen: SocketAddr,
    /// End after the calls instead of serving on.
    #[arg(long)]
    once: bool,
}

pub(crate) fn demo(arguments: &DemoArguments) -> Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run(arguments))
}

async fn run(arguments: &DemoArguments) -> Result<ExitCode> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let folder = tempfile::Builder::new().prefix("tollgate-demo-").tempdir()?;
    let provider = provider::start().await.context("the simulated provider did not start")?;
    let listen = free(arguments.listen);
    let path = folder.path().join("tollgate.toml");
    std::fs::write(&path, configuration(listen, provider))?;
    let setup = Setup::read(&path)?;
    crate::serve::start_log(&gateway::config::LogConfig {
        level: "warn".to_owned(),
        ..gateway::config::LogConfig::default()
    })?;
    let core = setup.open()?;
    let management = gateway::secrets::new_key(&SystemEntropy);
    let added = add_management_key(&core, "demo", management.expose()).await;
    added.map_err(|error| anyhow::anyhow!("no management key: {error}"))?;
    let server = Server::start(Arc::clone(&core))?;
    let demo = Demo { address: server.address(), management: management.expose().to_owned() };

    let key = demo.show(folder.path()).await?;
    print::line(&snippets::all(demo.address, &key, &demo.management, MODEL));
    if !arguments.once {
        print::line(&format!("Serving on http://{}. Ctrl-C ends it.", demo.address));
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// The wanted address, or one with a free port where something listens there.
fn free(wanted: SocketAddr) -> SocketAddr {
    match std::net::TcpListener::bind(wanted).and_then(|listener| listener.local_addr()) {
        Ok(address) => address,
        Err(_) => {
            let any = std::net::TcpListener::bind(SocketAddr::new(wanted.ip(), 0));
            let free = any.and_then(|listener| listener.local_addr()).unwrap_or(wanted);
            print::line(&format!("{wanted} is in use; taking {free}."));
            free
        }
    }
}

fn configuration(listen: SocketAddr, provider: SocketAddr) -> String {
    format!(
        r#"
[server]
listen = "{listen}"

[[providers]]
slug = "simulated"
name = "Simulated"
base_url = "http://{provider}/v1"

[[models]]
id = "{MODEL}"
name = "Parrot"
context_length = 8192

[[models.endpoints]]
provider = "simulated"
upstream_model = "parrot"
max_completion_tokens = 1024
prompt_overhead_tokens = 16
pricing = {{ prompt = "0.000001", completion = "0.000004" }}
"#
    )
}

struct Demo {
    address: SocketAddr,
    management: String,
}

impl Demo {
    /// Makes a key, spends its limit, and tells what happens; gives the key's text.
    async fn show(&self, folder: &std::path::Path) -> Result<String> {
        print::line(&format!(
            "Tollgate serves on http://{} from {}, with a simulated provider behind it.",
            self.address,
            folder.display()
        ));
        let body = format!(r#"{{"name":"demo","limit":{LIMIT},"limit_reset":"daily"}}"#);
        let (status, made) = self.call(Method::POST, "/keys", &self.management, &body).await?;
        ensure!(status == StatusCode::CREATED, "no key was made: {made}");
        let made: Value = serde_json::from_str(&made)?;
        let key = made["key"].as_str().context("the new key has no text")?.to_owned();
        let hash = made["data"]["hash"].as_str().context("the new key has no hash")?.to_owned();
        print::line(&format!("\nA key with a limit of ${LIMIT} a day:\n  {key}"));
        self.show_key(&hash, "GetKeyData before any call").await?;

        print::line("\nA plain call:");
        let (_, answer) = self.chat(&key, "Say something kind.", false, 64).await?;
        print::line(&format!("  {answer}"));

        print::line("\nA streamed call:");
        let (_, events) = self.chat(&key, "Say it again, slowly.", true, 64).await?;
        for event in events.split("\n\n").filter(|event| !event.is_empty()) {
            let shown: String = event.chars().take(110).collect();
            print::line(&format!("  {shown}{}", if shown.len() < event.len() { "…" } else { "" }));
        }

        print::line("\nCalls until the limit is reached:");
        for number in 1..=50 {
            let (status, answer) = self.chat(&key, "And once more.", false, 100).await?;
            if status.is_success() {
                continue;
            }
            print::line(&format!("  {} more went through, then {status}:", number - 1));
            print::line(&format!("  {answer}"));
            if status == StatusCode::FORBIDDEN {
                break;
            }
            // What is left is too little for that call: a limit lowered to what was spent is reached.
            self.lower(&hash).await?;
            let (status, answer) = self.chat(&key, "And once more.", false, 1).await?;
            print::line(&format!("  {status} {answer}"));
            break;
        }
        self.show_key(&hash, "GetKeyData after the calls").await?;
        Ok(key)
    }

    /// Lowers the key's limit to what it has spent.
    async fn lower(&self, hash: &str) -> Result<()> {
        let path = format!("/keys/{hash}");
        let (_, text) = self.call(Method::GET, &path, &self.management, "").await?;
        let data = serde_json::from_str::<Data>(&text)?.data;
        let spent = data.get("usage_daily").context("a key without usage")?;
        print::line(&format!(
            "  Its limit lowered to the ${spent} it has spent, not even one token:"
        ));
        let body = format!(r#"{{"limit":{spent}}}"#);
        let (status, answer) = self.call(Method::PATCH, &path, &self.management, &body).await?;
        ensure!(status.is_success(), "the limit was not lowered: {answer}");
        Ok(())
    }

    async fn show_key(&self, hash: &str, title: &str) -> Result<()> {
        let path = format!("/keys/{hash}");
        let (_, text) = self.call(Method::GET, &path, &self.management, "").await?;
        // The text is shown as it came: a JSON library would print the amounts as floats.
        let data: std::collections::BTreeMap<String, Box<RawValue>> =
            serde_json::from_str::<Data>(&text)?.data;
        print::line(&format!("\n{title}:"));
        for (name, value) in data {
            print::line(&format!("  {name:24} {value}"));
        }
        Ok(())
    }

    async fn chat(
        &self,
        key: &str,
        prompt: &str,
        stream: bool,
        max_tokens: u32,
    ) -> Result<(StatusCode, String)> {
        let body = json!({
            "model": MODEL,
            "messages": [{ "role": "user", "content": prompt }],
            "max_tokens": max_tokens,
            "stream": stream,
        });
        self.call(Method::POST, "/chat/completions", key, &body.to_string()).await
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: &str,
    ) -> Result<(StatusCode, String)> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header(http::header::AUTHORIZATION, format!("Bearer {key}"))
            .body(Full::new(Bytes::from(body.to_owned())))?;
        let stream = TcpStream::connect(self.address).await?;
        let response = http_client::send(stream, request).await?;
        let status = response.status();
        Ok((status, http_client::text(response.into_body()).await?))
    }
}

#[derive(serde::Deserialize)]
struct Data {
    data: std::collections::BTreeMap<String, Box<RawValue>>,
}
