//! Embeddings: what a body is read as and bounded by, what is sent, and what comes back.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serde_json::{Value, json};
use upstream::{
    BadRequest, JsonAnswer, Media, Ours, Plan, Reported, Request, Surface, Tokenizer, Usage,
    scan_embeddings,
};

/// What a provider may add to each input.
const ADDED: u64 = 16;

fn read(body: &str) -> Result<Request, BadRequest> {
    scan_embeddings(&Bytes::copy_from_slice(body.as_bytes()))
}

fn of(input: &str) -> Request {
    read(&format!(r#"{{"model":"m","input":{input}}}"#)).expect(input)
}

fn refused(members: &str) -> String {
    read(&format!("{{{members}}}")).expect_err(members).to_string()
}

/// The member's bytes with a comma, and what is added to that many inputs.
fn bytes(input: &str, inputs: u64) -> u64 {
    format!(r#""input":{input},"#).len() as u64 + inputs * ADDED
}

#[test]
fn what_the_gateway_acts_on_is_read() {
    let request = read(
        r#"{"model":"a/b","models":["c/d"],"input":"x","user":"u","session_id":"s","stream":false,
            "dimensions":256,"encoding_format":"base64","provider":{},"input_type":"query"}"#,
    )
    .unwrap();
    assert_eq!(request.surface, Surface::Embeddings);
    assert_eq!(
        (request.model.as_deref(), &*request.models),
        (Some("a/b"), &["c/d".to_owned()][..])
    );
    assert_eq!((request.user.as_deref(), request.session_id.as_deref()), (Some("u"), Some("s")));
    assert_eq!((request.stream, request.max_tokens, request.has_tools), (false, None, false));
    assert!(request.is_text_only() && request.priced.is_empty());
    let nulls = r#""stream":null,"dimensions":null,"encoding_format":null,"user":null"#;
    assert!(read(&format!(r#"{{"input":"x",{nulls}}}"#)).is_ok());
}

#[test]
fn texts_count_by_their_bytes_and_token_ids_one_each() {
    for (input, inputs) in [
        (r#""hello""#, 1),
        (r#"["hello"]"#, 1),
        (r#"["hello","\u00e9","é"]"#, 3),
        (r#"[{"content":[{"type":"text","text":"a"}]},{"content":"b"}]"#, 2),
    ] {
        let request = of(input);
        assert_eq!(
            (request.inputs, request.prompt_bytes),
            (inputs, bytes(input, inputs)),
            "{input}"
        );
    }
    // The name and the comma, and a byte in the place of the ids.
    let framing = bytes("", 0) + 1;
    for (input, inputs, ids) in [
        ("[1,2,100257]", 1, 3),
        ("[ 1 , 2 ]", 1, 2),
        ("[1.0,2]", 1, 2),
        ("[[1,2],[3]]", 2, 3),
        ("[[1,2.000],[3 ,4]]", 2, 4),
    ] {
        let request = of(input);
        let bound = framing + ids + inputs * ADDED;
        assert_eq!((request.inputs, request.prompt_bytes), (inputs, bound), "{input}");
    }
}

#[test]
fn what_else_the_model_may_read_it_may_read_with_every_input() {
    let other = r#""prefix":"query: ","#.len() as u64;
    let with = |inputs: &str| {
        read(&format!(r#"{{"input":{inputs},"prefix":"query: ","dimensions":8}}"#)).unwrap()
    };
    let request = with(r#"["a","b","c"]"#);
    assert_eq!(request.prompt_bytes, bytes(r#"["a","b","c"]"#, 3) + 3 * other);
    assert_eq!(with(r#""a""#).prompt_bytes, bytes(r#""a""#, 1) + other);
}

#[test]
fn parts_that_are_not_text_are_counted_and_their_bytes_are_not() {
    let parts = r#"[{"content":[{"type":"text","text":"a"},
        {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},
        {"type":"input_audio","input_audio":{"data":"AAAA"}},
        {"type":"video_url","video_url":{"url":"https://h/v"}},
        {"type":"file","file":{"file_data":"AAAA"}}]},{"image":"https://h/i"}]"#;
    let request = of(parts);
    let media = Media { images: 1, audios: 1, files: 1, unknown: 2 };
    assert_eq!((request.media, request.inputs), (media, 2));
    let payloads = [
        r#"{"url":"data:image/png;base64,AAAA"}"#,
        r#"{"data":"AAAA"}"#,
        r#"{"url":"https://h/v"}"#,
        r#"{"file_data":"AAAA"}"#,
        r#""https://h/i""#,
    ];
    let payload_bytes: usize = payloads.iter().map(|payload| payload.len() - 1).sum();
    assert_eq!(request.prompt_bytes, bytes(parts, 2) - payload_bytes as u64);
}

#[test]
fn a_count_by_tokens_has_the_ids_and_what_is_added_in_it() {
    let tokenizer = Tokenizer::named("cl100k_base").unwrap();
    let count = |input| tokenizer.count_prompt(&of(input));
    assert!(
        count(r#""hello world, hello world, hello world""#)
            < of(r#""hello world, hello world, hello world""#).prompt_bytes
    );
    assert_eq!(count("[[1,2],[3]]") - count("[[1],[3]]"), 1);
    assert_eq!(count("[[1,2],[3]]") - count("[1,2,3]"), ADDED);
}

#[test]
fn a_refusal_names_the_field_what_was_wrong_and_what_is_allowed() {
    let input = "a text, an array of texts, of token ids, of arrays of token ids, or of objects \
                 with content";
    for (members, fault) in [
        (r#""model":"m""#, format!("input is missing; allowed is {input}")),
        (r#""input":null"#, format!("input is null; allowed is {input}")),
        (r#""input":7"#, format!("input is a number; allowed is {input}")),
        (r#""input":{}"#, format!("input is an object; allowed is {input}")),
        (r#""input":[]"#, format!("input is empty; allowed is {input}")),
        (r#""input":"""#, "input is empty; allowed is a text of at least a character".into()),
        (r#""input":["a",""]"#, "input[1] is empty; allowed is a text of at least a character".into()),
        (r#""input":["a",null]"#, format!("input[1] is null; allowed is {input}")),
        (r#""input":["a",1]"#, "input[1] is a token id; allowed is a text, as input[0] is".into()),
        (r#""input":[1,"a"]"#, "input[1] is a text; allowed is a token id, as input[0] is".into()),
        (r#""input":[[1],2]"#, "input[1] is a token id; allowed is an array of token ids, as input[0] is".into()),
        (r#""input":[[1],[]]"#, "input[1] is empty; allowed is an array of token ids".into()),
        (r#""input":[1,-1]"#, "input[1] is no token id; allowed is a token id, a whole number from 0".into()),
        (r#""input":[[1,0.5]]"#, "input[0][1] is no token id; allowed is a token id, a whole number from 0".into()),
        (r#""input":[["a"]]"#, "input[0][0] is a string; allowed is a token id, a whole number from 0".into()),
        (r#""input":"a","stream":true"#, "stream is not supported here, as embeddings come in one piece; allowed is false or null".into()),
        (r#""input":"a","encoding_format":"int8""#, r#"encoding_format is not known; allowed is "float", "base64" or null"#.into()),
        (r#""input":"a","encoding_format":1"#, r#"encoding_format is a number; allowed is "float", "base64" or null"#.into()),
        (r#""input":"a","dimensions":0"#, "dimensions is not a positive integer; allowed is a whole number from 1, or null".into()),
        (
            r#""input":"a","input_type":1"#,
            "input_type is a number; allowed is a string or null".into(),
        ),
        (r#""input":"a","model":1"#, "model is a number; allowed is a string or null".into()),
        (r#""input":"a","Input":"b""#, "input is given twice; a name may stand once, however it is spelled".into()),
        (r#""input":[{"content":"a","c\u006fntent":"b"}]"#, "input[0].content is given twice; a name may stand once, however it is spelled".into()),
    ] {
        assert_eq!(refused(members), fault, "{members}");
    }
    assert_eq!(read(r#"{"input":"a","service_tier":"flex"}"#).unwrap().priced, ["service_tier"]);
}

#[test]
fn the_body_goes_out_as_it_came_less_what_the_gateway_acts_on() {
    let plan = Plan { model: "up", max_tokens_field: "max_tokens", max_tokens: 0 };
    let forward =
        |body: &str| String::from_utf8(read(body).unwrap().forward(&plan).concat()).unwrap();
    assert_eq!(
        forward(
            r#"{"model":"x","input" : ["\u00e9", "b"],"encoding_format":"base64","user":"u","stream":false,
               "dimensions":64,"provider":{},"truncate":true,"max_length":9,"session_id":"s","trace":{}}"#
        ),
        concat!(
            r#"{"model":"up","input" : ["\u00e9", "b"],"encoding_format":"base64","#,
            r#""dimensions":64,"truncate":true,"max_length":9}"#
        )
    );
    assert_eq!(forward(r#"{"input":"a"}"#), r#"{"model":"up","input":"a"}"#);
}

fn relay<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> (String, Reported, bool) {
    let ours = Ours::new("g", "m", "p", 5);
    let mut answer = JsonAnswer::new(&ours, Surface::Embeddings);
    let mut out = BytesMut::new();
    for piece in pieces {
        answer.push(piece, &mut out).unwrap();
    }
    let end = answer.finish().unwrap();
    assert_eq!(end.choices_bytes, 0, "embeddings are no tokens");
    out.extend_from_slice(&end.tail(r#"{"cost":0.1}"#));
    (String::from_utf8(out.to_vec()).unwrap(), end.usage, end.has_choices)
}

fn recorded(answer: &str, data: &str, prompt_tokens: u64) {
    let usage = Usage { prompt_tokens, ..Usage::default() };
    let (client, reported, has_data) = relay([answer.as_bytes()]);
    assert!(client.contains(data), "{client}");
    let value: Value = serde_json::from_str(&client).unwrap();
    let named = json!({ "id": "g", "object": "list", "model": "m", "provider": "p", "usage": { "cost": 0.1 } });
    for (name, is) in named.as_object().unwrap() {
        assert_eq!(&value[name], is);
        assert_eq!(
            client.matches(&format!(r#""{name}":"#)).count(),
            1 + usize::from(name == "object") * data.matches(r#""object":"#).count(),
            "{client}"
        );
    }
    assert_eq!((reported, has_data), (Reported::Usage(usage), true));
    for at in 0..=answer.len() {
        let (before, after) = answer.as_bytes().split_at(at);
        assert_eq!(relay([before, after]).0, client, "cut at {at}");
    }
}

#[test]
fn openai() {
    let data = r#"[
    {
      "object": "embedding",
      "index": 0,
      "embedding": [-0.006929283495992422, 1.5e-05, 0.1]
    },
    {
      "object": "embedding",
      "index": 1,
      "embedding": "P8AAAD+AAAA="
    }
  ]"#;
    recorded(include_str!("../golden/embeddings/openai.json"), data, 8);
}

#[test]
fn mistral() {
    let data = r#"[{"object":"embedding","embedding":[0.5,-0.25],"index":0}]"#;
    recorded(include_str!("../golden/embeddings/mistral.json"), data, 14);
}

#[test]
fn a_provider_that_reports_a_total_alone() {
    let data = r#"[{"embedding":[0.5],"index":0,"object":"embedding"}]"#;
    recorded(include_str!("../golden/embeddings/total_alone.json"), data, 6);
}

#[test]
fn a_usage_has_a_prompt_and_the_larger_figure_is_it() {
    let read = |usage: &str| Usage::of_embeddings(usage).map(|usage| usage.prompt_tokens);
    assert_eq!(read(r#"{"prompt_tokens":5,"total_tokens":5}"#), Some(5));
    assert_eq!(read(r#"{"prompt_tokens":5,"total_tokens":9}"#), Some(9));
    assert_eq!(read(r#"{"prompt_tokens":5}"#), Some(5));
    assert_eq!(read(r#"{"prompt_tokens":0,"total_tokens":0}"#), Some(0));
    for absent in [
        "{}",
        "[]",
        r#"{"prompt_tokens":-1}"#,
        r#"{"prompt_tokens":1.5}"#,
        r#"{"prompt_tokens":"5"}"#,
        r#"{"total_tokens":18446744073709551615}"#,
    ] {
        assert_eq!(read(absent), None, "{absent}");
    }
}

proptest! {
    #[test]
    fn no_text_has_more_tokens_than_its_bound(texts in prop::collection::vec("\\PC{1,40}", 1..6)) {
        let tokenizer = Tokenizer::named("cl100k_base").unwrap();
        let request = of(&json!(texts).to_string());
        let tokens: u64 = texts.iter().map(|text| tokenizer.count(text)).sum();
        prop_assert!(tokens + 2 * texts.len() as u64 <= request.prompt_bytes);
        prop_assert!(tokens <= tokenizer.count_prompt(&request));
    }
}
