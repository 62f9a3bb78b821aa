//! A provider's answer: events are the same however their stream is cut, and what becomes of them
//! for the client is JSON on one line.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use upstream::{Event, Events, JsonAnswer, LineTooLong, Ours, Surface, rewrite_chunk};

/// Lines longer than this are refused here, so that the fuzzer meets the bound.
const LINE_BYTES_MAX: usize = 512;

fuzz_target!(|data: &[u8]| {
    let Some((&piece_bytes, stream)) = data.split_first() else { return };
    let piece_bytes = usize::from(piece_bytes).max(1);
    let whole = events([stream]);
    let pieces = events(stream.chunks(piece_bytes));
    assert_eq!(whole, pieces, "a stream was read otherwise in pieces of {piece_bytes}");
    let mut ours = Ours::new("gen-1", "a/b", "Provider", 1_800_000_000);
    for event in whole.iter().flatten() {
        rewritten(&event.data, &mut ours);
    }
    assert_eq!(answer([stream]), answer(stream.chunks(piece_bytes)));
    if let Some(answer) = answer([stream])
        && is_json(stream)
    {
        assert!(is_json(&answer), "{:?}", Bytes::from(answer));
    }
});

fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Event>, LineTooLong> {
    let mut events = Events::new(LINE_BYTES_MAX);
    let mut all = Vec::new();
    for piece in pieces {
        events.push(Bytes::copy_from_slice(piece));
        while let Some(event) = events.next()? {
            all.push(event);
        }
    }
    all.extend(events.finish()?);
    for event in &all {
        assert!(!event.data.is_empty() && event.data.len() <= LINE_BYTES_MAX);
    }
    Ok(all)
}

/// Rewrites a chunk: what is forwarded is one event of one line, its JSON whole.
fn rewritten(data: &[u8], ours: &mut Ours) {
    let mut out = BytesMut::new();
    match rewrite_chunk(data, ours, &mut out) {
        Ok(chunk) if chunk.is_forwarded => {
            let line = out.strip_prefix(b"data: ").and_then(|out| out.strip_suffix(b"\n\n"));
            let line = line.expect("an event");
            assert!(!line.contains(&b'\n') && !line.contains(&b'\r'), "{out:?}");
            assert!(is_json(line), "{out:?}");
        }
        Ok(_) => assert!(out.is_empty(), "{out:?}"),
        Err(_) => assert!(!is_object(data), "{data:?} is a JSON object"),
    }
}

/// A whole answer rewritten, `None` where it can't be read.
fn answer<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let ours = Ours::new("gen-1", "a/b", "Provider", 1_800_000_000);
    let mut answer = JsonAnswer::new(&ours, Surface::Chat);
    let mut out = BytesMut::new();
    for piece in pieces {
        answer.push(piece, &mut out).ok()?;
    }
    let end = answer.finish().ok()?;
    out.extend_from_slice(&end.tail(r#"{"cost":0.1}"#));
    Some(out.to_vec())
}

fn is_json(text: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(text).is_ok()
}

/// Whether it is an object that nobody could have a reason to refuse.
fn is_object(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok()
        && matches!(serde_json::from_slice::<serde_json::Value>(text),
            Ok(serde_json::Value::Object(members)) if members.len() < 100)
        && !text.windows(2).any(|escape| escape == br"\u")
}
