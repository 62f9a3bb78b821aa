//! What an operator sees of the running server: a line for each request, the figures, the traces
//! that a variable asks for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::Client;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::world::{CREDENTIAL, Form, World};

const JSON: &str = "[log]\nformat = \"json\"\n";
/// How long what was done may take to show.
const SOON: Duration = Duration::from_secs(20);

/// Lines of the log, once there are `count` that tell of a request.
async fn lines(world: &World, count: usize) -> Vec<Value> {
    let deadline = Instant::now() + SOON;
    loop {
        let log = world.tollgate.log();
        let parsed = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let told: Vec<_> = parsed.filter(|line| line["target"] == "tollgate::requests").collect();
        if told.len() >= count {
            assert_eq!(told.len(), count, "{log}");
            return told;
        }
        assert!(Instant::now() < deadline, "{log}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A line without what is different each time, which must be there.
fn plain(mut line: Value) -> Value {
    let fields = line.as_object_mut().expect("an object");
    for (name, is_good) in
        [("timestamp", Value::is_string as fn(&Value) -> bool), ("duration_ms", Value::is_u64)]
    {
        assert!(fields.remove(name).as_ref().is_some_and(is_good), "{name} in {fields:?}");
    }
    line
}

#[tokio::test]
async fn each_request_leaves_a_line_with_whose_it_was_and_what_it_cost() {
    let world = World::with(&["small"], JSON, |builder| builder).await;
    let key = world.key(json!({ "name": "ci" })).await;
    let paid = world.client().chat(key.text.as_str(), "test/small", &json!({})).await.unwrap();
    let unknown = world.client().chat(key.text.as_str(), "test/none", &json!({})).await.unwrap();
    assert_eq!((paid.status, unknown.status), (200, 400));
    let missing = world.client().get(None, "/key").await.unwrap();
    world.client().below("").get(None, "/health").await.unwrap();
    let streamed = world.ask(&key, "small", Form::Stream, Some(10)).await.unwrap();

    let told = lines(&world, 5).await;
    let id =
        |answer: &testkit::Answer, name: &str| answer.headers[name].to_str().unwrap().to_owned();
    assert_eq!(
        plain(told[1].clone()),
        json!({
            "level": "INFO", "target": "tollgate::requests", "message": "answered",
            "id": id(&paid, "x-request-id"), "method": "POST",
            "path": "/api/v1/chat/completions", "status": 200, "key": "ci", "key_hash": key.hash,
            "generation": id(&paid, "x-generation-id"), "model": "test/small", "provider": "fake",
            "streamed": false, "cost": paid.exact("/usage/cost").unwrap(), "prompt_tokens": 8,
            "completion_tokens": 16, "source": "reported", "attempts": 1, "client_left": false,
        })
    );
    assert_eq!(
        plain(told[2].clone()),
        json!({
            "level": "INFO", "target": "tollgate::requests", "message": "answered",
            "id": id(&unknown, "x-request-id"), "method": "POST",
            "path": "/api/v1/chat/completions", "status": 400, "error": "invalid_request",
            "key": "ci", "key_hash": key.hash, "model": "test/none", "streamed": false,
            "attempts": 0,
        })
    );
    assert_eq!(
        plain(told[3].clone()),
        json!({
            "level": "INFO", "target": "tollgate::requests", "message": "answered",
            "id": id(&missing, "x-request-id"), "method": "GET", "path": "/api/v1/key",
            "status": 401, "error": "authentication",
        })
    );
    assert_eq!(told[4]["generation"], json!(streamed.generation));
    assert_eq!((&told[4]["streamed"], &told[4]["status"]), (&json!(true), &json!(200)));
    let log = world.tollgate.log();
    for secret in [&key.text, world.tollgate.management_key(), CREDENTIAL, "Hello"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[tokio::test]
async fn a_setting_or_a_filter_turns_the_lines_off() {
    for (toml, filter) in [("[log]\nrequests = false", "info"), ("", "info,tollgate::requests=off")]
    {
        let world =
            World::with(&["small"], toml, |builder| builder.env("TOLLGATE_LOG", filter)).await;
        let key = world.key(json!({})).await;
        world.ask(&key, "small", Form::Json, None).await.unwrap().paid();
        // What is queued is written before the process ends.
        let mut world = world;
        world.tollgate.term().await;
        let log = world.tollgate.log();
        assert!(log.contains("stopped") && !log.contains("answered"), "{log}");
    }
}

#[tokio::test]
async fn a_stop_writes_the_lines_that_are_queued() {
    let mut world = World::start(&["small"]).await;
    let key = world.key(json!({})).await;
    for _ in 0..10 {
        world.ask(&key, "small", Form::Json, None).await.unwrap().paid();
    }
    world.tollgate.term().await;
    let log = world.tollgate.log();
    assert_eq!(log.matches("answered").count(), 11, "{log}");
}

/// Takes one request that a collector is sent, and gives its head and its body.
async fn collected(collector: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = collector.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    (head, body)
}

#[tokio::test]
async fn opentelemetrys_own_variables_send_traces() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let world = World::with(&["small"], "[telemetry]\ndelay_ms = 1", |builder| {
        builder
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-token=of-the-collector")
            .env("OTEL_SERVICE_NAME", "gate-7")
            .env("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    })
    .await;
    world.key(json!({})).await;
    let (head, body) = collected(&collector).await;
    assert!(head.starts_with("post /v1/traces http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\nx-token: of-the-collector\r\n"), "{head}");
    let body = String::from_utf8_lossy(&body);
    for text in ["gate-7", "deployment.environment.name", "POST /keys", "tollgate.key.name"] {
        assert!(body.contains(text), "{text} is not in {body}");
    }
    assert!(!world.tollgate.log().contains("of-the-collector"));
}

#[tokio::test]
async fn the_operators_address_shows_what_the_process_is_and_did() {
    let toml = format!("{JSON}[server]\nadmin_listen = \"127.0.0.1:0\"\n");
    let world = World::with(&["small"], &toml, |builder| builder).await;
    let log = world.tollgate.log();
    let serving = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find(|line| line["message"] == "serving operators")
        .expect("the address");
    let admin = Client::new(serving["address"].as_str().unwrap().parse().unwrap()).below("");
    let key = world.key(json!({})).await;
    world.ask(&key, "small", Form::Json, None).await.unwrap().paid();
    let text = admin.get(None, "/metrics").await.unwrap().text();
    for line in [
        "tollgate_requests_total{method=\"POST\",route=\"/chat/completions\",status=\"200\"} 1\n",
        "tollgate_spent_dollars_total{provider=\"fake\",model=\"test/small\",\
         upstream_model=\"small\",kind=\"credits\"} 0.0",
        "process_resident_memory_bytes ",
        "process_start_time_seconds 1",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(admin.get(None, "/api/v1/keys").await.unwrap().status, 404);
}
