//! A disk that fails to sync ends the process, and a crash before any one write of a settlement
//! loses nothing that a client has (DESIGN "The book and the store", step 7).

use serde_json::json;
use testkit::{Behaviour, Builder};

use crate::crash::{Book, COMPLETION_TOKENS, PROMPT_TOKENS, correct, nothing_is_stuck};
use crate::tracer::Tracer;
use crate::world::{COMPLETION_TOKENS_MAX, Form, World, ask, times, worst};

const NAMED: Option<u64> = Some(COMPLETION_TOKENS_MAX);
/// More writes than a settlement makes.
const WRITES_MAX: usize = 100;

/// A gateway with one worker, whose thread is known, and a book that is checked after each crash.
async fn world(toml: &str) -> (World, Vec<Book>) {
    let one_worker = |builder: Builder| builder.env("TOLLGATE_SERVER__WORKERS", "1");
    let world = World::with(&["small"], toml, one_worker).await;
    let tokens = Behaviour::new().prompt_tokens(PROMPT_TOKENS);
    world.upstream.on("small", tokens.completion_tokens(COMPLETION_TOKENS));
    let limit = times(worst(COMPLETION_TOKENS_MAX), 1_000);
    let key = world.key_worth(limit).await;
    let book = Book { model: "small", key, limit, told: Vec::new(), corrected: 0 };
    (world, vec![book])
}

/// Asks once with that fault in that thread; whether the process lived on.
async fn asked_with(
    world: &mut World,
    book: &mut Book,
    form: Form,
    (thread, inject): (&str, &str),
) -> bool {
    let tracer = Tracer::of(world.tollgate.pid(), thread, inject);
    let told = ask(&world.client(), &book.key, book.model, form, NAMED).await;
    // Only an answer that came to its last byte was told.
    book.told.extend(told.ok().filter(|told| told.status == 200));
    let lives_on = world.client().below("").get(None, "/health").await.is_ok();
    drop(tracer);
    lives_on
}

/// Starts again after a crash and finds the provider's book, the gateway's and the clients' one.
async fn recovers(world: &mut World, books: &mut [Book], crash: usize) {
    world.tollgate.restart().await;
    world.audit().await;
    for book in &mut *books {
        book.check(world).await;
        assert!(book.held(world).await.len() <= 1, "one request was in flight");
    }
    correct(world, books, crash).await;
    for book in books {
        book.check(world).await;
        assert_eq!(book.held(world).await, Vec::<String>::new());
    }
    world.audit().await;
}

/// Kills a gateway before the first, the second, … of one kind of call of one thread, until a
/// request passes without; returns how many crashes there were.
async fn crashes_at_each(thread: &str, call: &str, forms: &[Form]) -> usize {
    let (mut world, mut books) = world("").await;
    let mut crashes = 0;
    for form in forms {
        for number in 1..WRITES_MAX {
            let inject = format!("{call}:signal=KILL:when={number}");
            if asked_with(&mut world, &mut books[0], *form, (thread, &inject)).await {
                break;
            }
            crashes += 1;
            recovers(&mut world, &mut books, crashes).await;
        }
    }
    assert!(books[0].told.len() >= forms.len(), "a request passed whole in the end");
    nothing_is_stuck(&world, &books[0]).await;
    world.audit().await;
    crashes
}

#[tokio::test]
async fn killed_before_any_write_of_the_writer_the_book_is_whole_and_nothing_told_is_lost() {
    // The log's header, then a header and a page for each frame.
    let crashes = crashes_at_each("writer", "pwrite64", &[Form::Json]).await;
    assert!(crashes >= 4, "{crashes} writes were seen");
    assert!(crashes_at_each("writer", "fdatasync", &[Form::Stream]).await >= 1);
}

#[tokio::test]
async fn killed_before_the_record_of_a_hold_nothing_was_sent() {
    assert!(crashes_at_each("worker-0", "pwrite64", &[Form::Json, Form::Stream]).await >= 2);
}

#[tokio::test]
#[ignore = "each write in both forms takes a minute; nightly"]
async fn killed_before_any_write_in_either_form_the_book_is_whole_and_nothing_told_is_lost() {
    for call in ["pwrite64", "write", "fdatasync", "fsync", "ftruncate"] {
        for thread in ["writer", "worker-0"] {
            crashes_at_each(thread, call, &[Form::Json, Form::Stream]).await;
        }
    }
}

#[tokio::test]
async fn a_sync_that_fails_ends_the_process_before_the_last_byte() {
    for form in [Form::Json, Form::Stream] {
        let (mut world, mut books) = world("").await;
        let fault = ("writer", "fdatasync:error=EIO:when=1");
        assert!(!asked_with(&mut world, &mut books[0], form, fault).await);
        assert!(books[0].told.is_empty(), "its settlement may be lost with the next power cut");
        let status = world.tollgate.ended().await;
        assert_eq!(status.code(), Some(1), "{}", world.tollgate.log());
        assert!(world.tollgate.log().contains("can't be trusted any more"));
        recovers(&mut world, &mut books, 1).await;
        nothing_is_stuck(&world, &books[0]).await;
    }
}

#[tokio::test]
async fn a_hold_whose_sync_fails_ends_the_process_and_is_not_sent() {
    let (mut world, mut books) = world("[store]\nhold_sync = true").await;
    let fault = ("hold-sync", "fdatasync:error=EIO:when=1");
    assert!(!asked_with(&mut world, &mut books[0], Form::Json, fault).await);
    assert_eq!(world.tollgate.ended().await.code(), Some(1), "{}", world.tollgate.log());
    assert_eq!(world.upstream.calls().len(), 0);
    recovers(&mut world, &mut books, 1).await;
    nothing_is_stuck(&world, &books[0]).await;
}

#[tokio::test]
async fn a_write_that_fails_once_is_made_again() {
    let (mut world, mut books) = world("").await;
    for form in [Form::Json, Form::Stream] {
        let fault = ("writer", "pwrite64:error=EIO:when=1");
        assert!(asked_with(&mut world, &mut books[0], form, fault).await);
    }
    assert_eq!(books[0].told.len(), 2, "{}", world.tollgate.log());
    books[0].check(&world).await;
    assert_eq!(world.usage(&books[0].key).await, world.charged("small"));
    // The record of a hold that can't be written admits nothing, and is tried again for the next.
    let fault = ("worker-0", "pwrite64:error=EIO:when=1");
    assert!(asked_with(&mut world, &mut books[0], Form::Json, fault).await);
    assert_eq!((books[0].told.len(), world.upstream.calls().len()), (2, 2));
    assert_eq!(world.holds().await, Vec::<serde_json::Value>::new());
    world.edit(&books[0].key, json!({ "name": "still served" })).await;
    nothing_is_stuck(&world, &books[0]).await;
    world.audit().await;
}
