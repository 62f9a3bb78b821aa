//! Recorded streams, each relayed as the gateway does and compared with what the client gets.
//! Set `UPDATE_GOLDEN` to write the expected files anew, and read the difference.

use std::path::Path;

use bytes::{Bytes, BytesMut};
use upstream::{
    Chunk, DONE, Events, KEEP_ALIVE, LINE_BYTES_MAX, Malformed, Ours, Reported, Usage,
    rewrite_chunk,
};

fn ours() -> Ours {
    Ours::new(
        "gen-1763779200-AAAAAAAAAAAAAAAAAAAA",
        "vendor/model",
        "The \"Provider\"",
        1_763_779_999,
    )
}

/// What a relayed stream came to.
#[derive(Debug, Default, PartialEq)]
struct Relayed {
    client: String,
    usage: Reported,
    text: String,
    text_bytes: u64,
    finish_reason: Option<String>,
}

fn relay<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Relayed {
    let mut ours = ours();
    let mut events = Events::new(LINE_BYTES_MAX);
    let mut relayed = Relayed::default();
    let mut out = BytesMut::new();
    let mut take = |event: &upstream::Event| {
        if event.is_done() {
            out.extend_from_slice(&ours.usage_event(r#"{"cost":0.1}"#));
            out.extend_from_slice(&DONE);
            return;
        }
        let chunk = rewrite_chunk(&event.data, &mut ours, &mut out).unwrap();
        relayed.usage = relayed.usage.then(chunk.usage);
        relayed.text.extend(chunk.output.texts());
        relayed.text_bytes += chunk.output.text_bytes();
        if let Some(reason) = chunk.output.finish_reason {
            relayed.finish_reason = Some(reason.into_owned());
        }
    };
    for piece in pieces {
        events.push(Bytes::copy_from_slice(piece));
        while let Some(event) = events.next().unwrap() {
            take(&event);
        }
    }
    if let Some(event) = events.finish().unwrap() {
        take(&event);
    }
    relayed.client = String::from_utf8(out.to_vec()).unwrap();
    relayed
}

fn recorded(name: &str, usage: Usage, text: &str, finish_reason: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let stream = std::fs::read(folder.join(format!("{name}.sse"))).unwrap();
    let whole = relay([&stream[..]]);
    assert_eq!(whole.usage, Reported::Usage(usage));
    assert_eq!(whole.text, text);
    assert!(whole.text_bytes >= text.len() as u64);
    assert_eq!(whole.finish_reason.as_deref(), Some(finish_reason));

    let expected = folder.join(format!("{name}.client.sse"));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&expected, &whole.client).unwrap();
    }
    assert_eq!(whole.client, std::fs::read_to_string(&expected).unwrap());

    for at in 0..=stream.len() {
        let (before, after) = stream.split_at(at);
        assert_eq!(relay([before, after]), whole, "cut at {at}");
    }
    assert_eq!(relay(stream.chunks(1)), whole);
}

#[test]
fn openai() {
    let usage =
        Usage { prompt_tokens: 71, completion_tokens: 18, cached_tokens: 64, ..Usage::default() };
    recorded("openai", usage, "Schön \"gut\"call_9xweather{\"city\":\"Köln\"}", "tool_calls");
}

#[test]
fn llama_cpp() {
    let usage =
        Usage { prompt_tokens: 37, completion_tokens: 3, cached_tokens: 24, ..Usage::default() };
    recorded("llama_cpp", usage, "Two plus\n", "stop");
}

#[test]
fn vllm() {
    let usage = Usage { prompt_tokens: 14, completion_tokens: 4, ..Usage::default() };
    recorded("vllm", usage, "Let me4", "stop");
}

#[test]
fn deepseek() {
    let usage =
        Usage { prompt_tokens: 9, completion_tokens: 21, reasoning_tokens: 17, ..Usage::default() };
    recorded("deepseek", usage, "首先你好！", "stop");
}

#[test]
fn groq() {
    let usage = Usage { prompt_tokens: 36, completion_tokens: 2, ..Usage::default() };
    recorded("groq", usage, "Hello", "stop");
}

#[test]
fn mistral() {
    let usage = Usage { prompt_tokens: 11, completion_tokens: 9, ..Usage::default() };
    let thinking = r#"[{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]}]"#;
    recorded("mistral", usage, &format!("{thinking}Bonjour"), "stop");
}

#[test]
fn a_small_stream_cut_at_every_pair_of_bytes_gives_the_same() {
    let stream =
        b"\xef\xbb\xbf: hi\r\n\r\ndata: {\"id\":1,\rdata: \"choices\":[]}\r\n\rdata: [DONE]\n\n";
    let whole = relay([&stream[..]]);
    for second in 0..=stream.len() {
        for first in 0..=second {
            let pieces = [&stream[..first], &stream[first..second], &stream[second..]];
            assert_eq!(relay(pieces), whole, "cut at {first} and {second}");
        }
    }
}

fn rewrite<'a>(data: &'a str) -> (Result<Chunk<'a>, Malformed>, String) {
    let mut ours = Ours::new("g", "m", "p", 5);
    let mut out = BytesMut::new();
    let chunk = rewrite_chunk(data.as_bytes(), &mut ours, &mut out);
    (chunk, String::from_utf8(out.to_vec()).unwrap())
}

const HEAD: &str = r#"data: {"id":"g","model":"m","provider":"p","object":"chat.completion.chunk""#;

#[test]
fn what_is_missing_or_wrong_in_a_chunk_is_supplied() {
    let cases = [
        ("{}", r#","created":5,"choices":[]}"#),
        (r#"{"choices":null,"created":7}"#, r#","created":7,"choices":[]}"#),
        // Azure's first chunk
        (
            r#"{"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[1]}"#,
            r#","choices":[],"created":0,"prompt_filter_results":[1]}"#,
        ),
        (r#"{"created":1.5,"choices":[]}"#, r#","choices":[],"created":5}"#),
        (r#"{"created":1234567890123456,"choices":[]}"#, r#","choices":[],"created":5}"#),
        (r#"{"created":null,"choices":[]}"#, r#","choices":[],"created":5}"#),
        (
            r#"{"system_fingerprint":null,"error":null,"usage":null,"choices":[{ "x" : 1.0 }]}"#,
            r#","choices":[{ "x" : 1.0 }],"created":5}"#,
        ),
        (
            r#"{"provider":"other","us\u0061ge":null,"system_fingerprint":"f"}"#,
            r#","system_fingerprint":"f","created":5,"choices":[]}"#,
        ),
        ("{\"choices\":[\n{}\r\n]}", ",\"choices\":[ {}  ],\"created\":5}"),
    ];
    for (data, rest) in cases {
        let (chunk, out) = rewrite(data);
        assert!(chunk.unwrap().is_forwarded);
        assert_eq!(out, format!("{HEAD}{rest}\n\n"), "{data}");
    }
}

#[test]
fn a_chunk_of_usage_alone_is_swallowed() {
    let usage = r#""usage":{"prompt_tokens":1,"completion_tokens":2}"#;
    for rest in ["", r#","choices":[]"#, r#","choices":[ ],"id":"x","service_tier":"default""#] {
        let data = format!("{{{usage}{rest}}}");
        let (chunk, out) = rewrite(&data);
        let chunk = chunk.unwrap();
        assert_eq!((chunk.is_forwarded, out.as_str()), (false, ""), "{data}");
        let expected = Usage { prompt_tokens: 1, completion_tokens: 2, ..Usage::default() };
        assert_eq!(chunk.usage, Reported::Usage(expected));
    }
    let data = format!(r#"{{{usage},"choices":[],"citations":["x"]}}"#);
    assert_eq!(
        rewrite(&data).1,
        format!("{HEAD},\"choices\":[],\"citations\":[\"x\"],\"created\":5}}\n\n")
    );
}

#[test]
fn the_last_usage_wins_be_it_unusable() {
    let good = Reported::Usage(Usage { prompt_tokens: 1, ..Usage::default() });
    let read = |usage: &str| rewrite(&format!(r#"{{"usage":{usage}}}"#)).0.unwrap().usage;
    assert_eq!(read(r#"{"prompt_tokens":1,"completion_tokens":0}"#), good);
    assert_eq!(read(r#"{"prompt_tokens":-1}"#), Reported::Unusable);
    assert_eq!(read("null"), Reported::Nothing);
    assert_eq!(good.then(Reported::Nothing), good);
    assert_eq!(good.then(Reported::Unusable), Reported::Unusable);
    assert_eq!(Reported::Unusable.then(good), good);
}

#[test]
fn usage_is_found_where_some_providers_put_it() {
    let usage = r#"{"prompt_tokens":1,"completion_tokens":2}"#;
    for data in [
        format!(r#"{{"choices":[{{"delta":{{}},"finish_reason":"stop","usage":{usage}}}]}}"#),
        format!(r#"{{"choices":[],"x_groq":{{"id":"r","usage":{usage}}}}}"#),
        format!(r#"{{"usage":{usage},"x_groq":{{"usage":null}},"choices":[]}}"#),
    ] {
        assert!(matches!(rewrite(&data).0.unwrap().usage, Reported::Usage(_)), "{data}");
    }
}

#[test]
fn an_error_is_told_and_not_passed_on() {
    for data in [
        r#"{"error":{"message":"overloaded","code":503}}"#,
        r#"{"choices":[{"delta":{"content":"x"}}],"error":{"message":"overloaded","code":503}}"#,
    ] {
        let (chunk, out) = rewrite(data);
        assert_eq!(chunk.unwrap().error, Some(r#"{"message":"overloaded","code":503}"#));
        assert_eq!(out, "");
    }
}

#[test]
fn no_shape_of_output_is_worth_nothing() {
    let bytes = |choices: &str| {
        let data = format!(r#"{{"choices":{choices}}}"#);
        let chunk = rewrite(&data).0.unwrap();
        (chunk.output.text_bytes(), chunk.output.has_media)
    };
    assert_eq!(bytes(r#"[{"delta":{"content":"abc"}}]"#), (3, false));
    assert_eq!(
        bytes(r#"[{"delta":{"content":"abc","reasoning":"de","refusal":"f"}}]"#),
        (6, false)
    );
    assert_eq!(bytes(r#"[{"delta":{"reasoning":"","reasoning_content":"de"}}]"#), (2, false));
    assert_eq!(bytes(r#"[{"delta":{"reasoning_details":[{"text":"a"}]}}]"#), (14, false));
    assert_eq!(bytes(r#"[{"delta":{"function_call":{"name":"f"}}}]"#), (12, false));
    assert_eq!(
        bytes(r#"[{"delta":{"tool_calls":[{"function":{"arguments":"{}"}}]}}]"#),
        (2, false)
    );
    assert_eq!(bytes(r#"[{"delta":{"tool_calls":[{"custom":{"input":"x"}}]}}]"#), (13, false));
    assert_eq!(bytes(r#"[{"delta":{"tool_calls":[7]}}]"#), (3, false));
    assert_eq!(bytes(r#"[{"delta":{"content":""}}]"#), (0, false));
    assert_eq!(bytes(r#"[{"delta":{"audio":{"data":"xx"}}}]"#), (0, true));
    assert_eq!(bytes(r#"[{"delta":7}]"#), (13, false));
    assert_eq!(bytes(r#"{"delta":"x"}"#), (13, false));
}

#[test]
fn what_is_no_chunk_is_malformed_and_writes_nothing() {
    for data in ["", "[]", "7", "{", r#"{"a":1}}"#, "[DONE]", "upstream timed out"] {
        let (chunk, out) = rewrite(data);
        assert_eq!(
            (chunk, out.as_str()),
            (Err(Malformed { fault: "is not a JSON object" }), ""),
            "{data}"
        );
    }
    let mut out = BytesMut::new();
    assert!(rewrite_chunk(b"{\"a\":\"\xff\"}", &mut ours(), &mut out).is_err());
}

#[test]
fn our_own_events_are_whole() {
    let ours = Ours::new("g", "m", "p", 5);
    assert_eq!(
        ours.usage_event(r#"{"cost":1}"#),
        format!("{HEAD},\"created\":5,\"choices\":[],\"usage\":{{\"cost\":1}}}}\n\n")
    );
    assert_eq!(
        ours.error_event(r#"{"code":502,"message":"cut"}"#),
        format!(
            "{HEAD},\"created\":5,\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"\"}},\"finish_reason\":\"error\"}}],\"error\":{{\"code\":502,\"message\":\"cut\"}}}}\n\n"
        )
    );
    assert_eq!(KEEP_ALIVE, ": OPENROUTER PROCESSING\n\n");
}
