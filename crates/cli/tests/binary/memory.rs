//! Memory under attack: whatever clients and providers send or leave unread, the process stays
//! within a bound that follows from its settings, and the others are served meanwhile.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Behaviour, ChatStream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{COMPLETION_TOKENS_MAX, Form, Key, World};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
const KIB_PER_MIB: u64 = 1 << 10;
const SOON: Duration = Duration::from_secs(30);

/// How much memory the process has taken at most since this was made, above what it had then.
struct Memory {
    pid: u32,
    before_kib: u64,
}

impl Memory {
    fn of(world: &World) -> Memory {
        let pid = world.tollgate.pid();
        fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak, forgotten");
        Memory { pid, before_kib: status(pid, "VmRSS:") }
    }

    /// Panics where it was more than so many MiB.
    fn stayed_within(&self, mib: u64) {
        let more = status(self.pid, "VmHWM:").saturating_sub(self.before_kib);
        assert!(more <= mib * KIB_PER_MIB, "{more} KiB more were taken, {mib} MiB are allowed");
    }
}

/// A figure of a process, in KiB.
fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a figure");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number")
}

async fn world(bounds: &str) -> (World, Key) {
    let world = World::with(&["small"], &format!("[bounds]\n{bounds}"), |builder| builder).await;
    let key = world.key(json!({})).await;
    // What is loaded and allocated once is no part of what an attack takes.
    for form in [Form::Json, Form::Stream] {
        world.ask(&key, "small", form, NAMED).await.expect("an answer").paid();
    }
    (world, key)
}

/// The head of a chat request up to its body.
fn head(key: &Key, length: usize) -> String {
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {}\r\n\
         content-length: {length}\r\n\r\n",
        key.text
    )
}

/// A connection over which so much was sent.
async fn sent(world: &World, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(world.tollgate.address()).await.expect("a connection");
    // One that was refused takes no more.
    let _ = stream.write_all(bytes).await;
    stream
}

/// The status line and headers of what comes next.
async fn answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut piece = [0; 4 << 10];
    while !bytes.windows(4).any(|part| part == b"\r\n\r\n") {
        let read = tokio::time::timeout(SOON, stream.read(&mut piece)).await.expect("an answer");
        match read.expect("a connection that is not reset") {
            0 => break,
            count => bytes.extend(&piece[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn is_served(world: &World, key: &Key) {
    for form in [Form::Json, Form::Stream] {
        world.ask(key, "small", form, NAMED).await.expect("an answer").paid();
    }
}

/// What is known of a key can always be asked.
async fn is_answered(world: &World, key: &Key) {
    let began = Instant::now();
    let facts = world.client().get(key.text.as_str(), "/key").await.expect("an answer");
    assert_eq!(facts.status, 200, "{}", facts.text());
    assert!(began.elapsed() < SOON, "an answer took {:?}", began.elapsed());
}

#[tokio::test]
async fn bodies_that_do_not_end_take_what_is_allowed_for_all_and_the_rest_is_told_to_come_back() {
    let (world, key) = world("bodies_bytes_max = 16777216").await;
    let memory = Memory::of(&world);
    let unfinished = [head(&key, 4 << 20).as_bytes(), &vec![b' '; (4 << 20) - 1]].concat();
    let mut streams = Vec::new();
    for _ in 0..24 {
        streams.push(sent(&world, &unfinished).await);
    }
    // Four have room; each of the others is answered once it has none.
    let mut refused = 0;
    for stream in &mut streams {
        let ended = tokio::time::timeout(Duration::from_millis(200), stream.readable()).await;
        if ended.is_ok() {
            let answer = answer(stream).await;
            assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
            assert!(answer.contains("\r\nretry-after: 1\r\n"), "{answer}");
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused} of 24 were refused");
    is_answered(&world, &key).await;
    world.edit(&key, json!({ "name": "an administrator has room" })).await;
    // The bound, doubled at most while a body grows, and what connections and the library take.
    memory.stayed_within(2 * 16 + 16);
    drop(streams);
    let deadline = Instant::now() + SOON;
    while world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer").status != 200 {
        assert!(Instant::now() < deadline, "the room was not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    world.audit().await;
}

#[tokio::test]
async fn bodies_that_trickle_are_given_up_and_hold_up_nobody() {
    let (world, key) = world("body_ms_max = 500").await;
    let memory = Memory::of(&world);
    let mut streams = Vec::new();
    for _ in 0..200 {
        streams.push(sent(&world, format!("{}{{", head(&key, 32 << 20)).as_bytes()).await);
    }
    is_served(&world, &key).await;
    for stream in &mut streams {
        let answer = answer(stream).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    // What is announced takes nothing.
    memory.stayed_within(16);
    is_served(&world, &key).await;
    world.audit().await;
}

#[tokio::test]
async fn clients_that_read_nothing_hold_a_few_frames_each_and_are_charged() {
    let (world, key) = world("client_stall_ms = 1000").await;
    world.upstream.on("small", Behaviour::new().huge(8));
    let memory = Memory::of(&world);
    let mut streams: Vec<ChatStream> = Vec::new();
    for _ in 0..16 {
        let extras = json!({ "max_tokens": COMPLETION_TOKENS_MAX });
        let stream = world.client().chat_stream(key.text.as_str(), "test/small", &extras).await;
        streams.push(stream.expect("a head"));
    }
    world.upstream.on("small", Behaviour::new());
    is_served(&world, &key).await;
    // The provider is read to its end all the same.
    let settled = |totals: &testkit::Totals| totals.in_flight == 0;
    world.upstream.until(settled).await;
    drop(streams);
    // Eight frames of 64 KiB, and what the library and the allocator keep, for each client.
    memory.stayed_within(2 * 16 + 16);
    let deadline = Instant::now() + SOON;
    while world.usage(&key).await != world.charged("small") {
        assert!(Instant::now() < deadline, "what was sent is not booked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.audit().await;
}

#[tokio::test]
async fn answers_of_any_size_pass_through_and_lines_without_an_end_are_given_up() {
    let (world, key) = world("").await;
    world.upstream.on("small", Behaviour::new().huge(24));
    let memory = Memory::of(&world);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert!(told.body.len() > 24 << 20);
    told.paid();
    drop(told);
    memory.stayed_within(16);
    // One line of 8 MiB, from eight providers at a time.
    let line = Behaviour::new().text(&"x".repeat(8 << 20)).events(1);
    world.upstream.on("small", line);
    let memory = Memory::of(&world);
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (client, key) = (world.client(), key.clone());
            tokio::spawn(async move {
                crate::world::ask(&client, &key, "small", Form::Stream, NAMED).await
            })
        })
        .collect();
    for told in asking {
        // The stream ends with an error, or is refused where nothing was sent yet.
        if let Ok(told) = told.await.expect("no panic") {
            assert!(told.body.contains(r#""code":502"#), "{}", told.body);
        }
    }
    // Twice the bound on a line for each.
    memory.stayed_within(8 * 2 + 16);
    world.upstream.on("small", Behaviour::new());
    is_served(&world, &key).await;
    world.audit().await;
}

#[tokio::test]
async fn clients_that_left_are_counted_among_those_in_flight() {
    let (world, key) = world("in_flight_max = 8").await;
    let memory = Memory::of(&world);
    let gate = world.upstream.hold_answers("small");
    let body = r#"{"model":"test/small","messages":[{"role":"user","content":"hi"}]}"#;
    let request = format!("{}{body}", head(&key, body.len()));
    let mut left = Vec::new();
    for _ in 0..8 {
        left.push(sent(&world, request.as_bytes()).await);
    }
    gate.until_waiting(8).await;
    drop(left);
    let told = world.ask(&key, "small", Form::Json, NAMED).await.expect("an answer");
    assert_eq!((told.status, told.retry_after.as_deref()), (503, Some("1")), "{}", told.body);
    is_answered(&world, &key).await;
    gate.release();
    world.upstream.until(|totals| totals.in_flight == 0).await;
    memory.stayed_within(16);
    let deadline = Instant::now() + SOON;
    while world.usage(&key).await != world.charged("small") {
        assert!(Instant::now() < deadline, "what was drained is not booked");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    is_served(&world, &key).await;
    world.audit().await;
}

#[tokio::test]
async fn idle_connections_and_heads_without_an_end_cost_little_and_hold_up_nobody() {
    const CONNECTIONS: usize = 2_000;
    allow_files(4 * CONNECTIONS);
    let (world, key) = world("").await;
    let memory = Memory::of(&world);
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS {
        idle.push(sent(&world, b"").await);
    }
    is_served(&world, &key).await;
    // 16 KiB for each.
    memory.stayed_within(32);
    drop(idle);
    let memory = Memory::of(&world);
    let unfinished = format!("GET /health HTTP/1.1\r\nhost: gate\r\nx: {}", "x".repeat(30 << 10));
    let mut slow = Vec::new();
    for _ in 0..CONNECTIONS / 4 {
        slow.push(sent(&world, unfinished.as_bytes()).await);
    }
    is_served(&world, &key).await;
    // Twice the bound on a head for each.
    memory.stayed_within(32);
    for stream in &mut slow {
        let _ = stream.write_all(&vec![b'x'; 64 << 10]).await;
    }
    for stream in &mut slow {
        let answer = answer(stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    is_served(&world, &key).await;
    world.audit().await;
}

/// Lets this process, and the gateways it starts from now on, have so many files open.
fn allow_files(count: usize) {
    let limit = format!("--nofile={count}:{count}");
    let pid = std::process::id().to_string();
    let allowed = Command::new("prlimit").args(["--pid", &pid, &limit]).status();
    assert!(allowed.expect("prlimit").success(), "the limit on open files, which root may raise");
}
