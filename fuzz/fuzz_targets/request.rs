//! A client's request: what is taken becomes one JSON object for the provider in which nothing
//! stands twice and the cap is ours alone; what is refused is refused in one printable line.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use upstream::{Plan, PromptPiece, Request, scan, scan_embeddings};

/// A message has at most this many bytes; what it repeats of the request is cut.
const MESSAGE_BYTES_MAX: usize = 1_000;
const PLAN: Plan<'_> = Plan { model: "b", max_tokens_field: "max_tokens", max_tokens: 7 };

fuzz_target!(|data: &[u8]| {
    let body = Bytes::copy_from_slice(data);
    match scan(&body) {
        Ok(request) => {
            taken(&request);
            forwarded(&request);
        }
        Err(refusal) => refused(&refusal.message),
    }
    match scan_embeddings(&body) {
        Ok(request) => taken(&request),
        Err(refusal) => refused(&refusal.message),
    }
});

fn refused(message: &str) {
    assert!(message.len() <= MESSAGE_BYTES_MAX, "{message}");
    assert!(!message.contains(char::is_control), "{message:?}");
}

/// What bounds the cost of a request is no less than what the model reads.
fn taken(request: &Request) {
    assert!(request.max_tokens != Some(0));
    let read: u64 = request
        .pieces()
        .map(|piece| match piece {
            PromptPiece::Text(text) => text.len() as u64,
            PromptPiece::Framing(bytes) => bytes,
        })
        .sum();
    assert!(read <= request.prompt_bytes, "{read} bytes are read of {}", request.prompt_bytes);
}

fn forwarded(request: &Request) {
    let body = request.forward(&PLAN).concat();
    let Names(mut names) = serde_json::from_slice(&body).expect("a JSON object");
    names.iter_mut().for_each(|name| *name = folded(name));
    for name in ["model", "stream", "max_tokens"] {
        assert_eq!(names.iter().filter(|found| *found == name).count(), 1, "{name}");
    }
    for name in ["max_completion_tokens", "max_output_tokens", "n_predict", "models", "usage"] {
        assert!(!names.iter().any(|found| found == name), "{name} was passed on");
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    // Four members may have come in addition.
    if names.len() < 250 {
        let again = scan(&Bytes::from(body)).expect("what was forwarded is a request");
        assert_eq!(again.model.as_deref(), Some("b"));
        assert_eq!(again.max_tokens, Some(7));
        assert_eq!((again.stream, again.media), (request.stream, request.media));
    }
}

/// A name as the most lenient provider reads it.
fn folded(name: &str) -> String {
    let fold = |c: char| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    name.chars().map(fold).collect()
}

/// The names of an object, repeated ones included.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Names, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Names;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}
