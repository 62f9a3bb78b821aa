//! What a body is read as, and what is refused in which words.

use bytes::Bytes;
use upstream::{BadRequest, Media, Request, scan};

fn read(body: &str) -> Result<Request, BadRequest> {
    scan(&Bytes::copy_from_slice(body.as_bytes()))
}

/// A body of one short message and these further members.
fn with(members: &str) -> String {
    format!(r#"{{"messages":[{{"role":"user","content":"hi"}}],{members}}}"#)
}

fn refused(body: &str) -> String {
    read(body).expect_err(body).to_string()
}

fn content(parts: &str) -> Request {
    read(&format!(r#"{{"messages":[{{"role":"user","content":{parts}}}]}}"#)).unwrap()
}

#[test]
fn what_the_gateway_acts_on_is_read() {
    let body = with(
        r#""model":"a/b","models":["c/d","e\u002ff"],"stream":true,"max_tokens":9,"user":"u1",
           "session_id":"s1","provider":{"order":["x"]},"preset":null"#,
    );
    let request = read(&body).unwrap();
    assert_eq!(request.model.as_deref(), Some("a/b"));
    assert_eq!(request.models, ["c/d", "e/f"]);
    assert!(request.stream);
    assert_eq!(request.max_tokens, Some(9));
    assert_eq!(request.user.as_deref(), Some("u1"));
    assert_eq!(request.session_id.as_deref(), Some("s1"));
    assert_eq!(request.raw("provider"), Some(r#"{"order":["x"]}"#));
    assert_eq!((request.raw("preset"), request.raw("route")), (None, None));
    assert!(!request.has_tools && request.is_text_only() && request.priced.is_empty());
}

#[test]
fn null_is_absent() {
    let request = read(&with(
        r#""model":null,"models":null,"stream":null,"max_tokens":null,"max_completion_tokens":null,
           "n":null,"tools":null,"user":null,"plugins":null,"service_tier":null,"audio":null"#,
    ))
    .unwrap();
    assert_eq!((request.model, request.max_tokens, request.user), (None, None, None));
    assert!(!request.stream && !request.has_tools && request.priced.is_empty());
}

#[test]
fn a_maximum_written_as_a_whole_decimal_is_taken() {
    let messages = r#""messages":[{"role":"user","content":"hi"}]"#;
    for (written, read) in [("100.0", 100), ("7.000", 7), ("7", 7)] {
        let body = format!(r#"{{{messages},"max_tokens":{written}}}"#);
        assert_eq!(scan(&Bytes::from(body)).unwrap().max_tokens, Some(read), "{written}");
    }
    for refused in ["0.0", "100.5", "1e2", "1.0e2", "-1.0"] {
        let body = format!(r#"{{{messages},"max_tokens":{refused}}}"#);
        assert!(scan(&Bytes::from(body)).is_err(), "{refused}");
    }
}

#[test]
fn the_newer_maximum_wins() {
    let maximum = |members| read(&with(members)).unwrap().max_tokens;
    assert_eq!(maximum(r#""max_completion_tokens":3,"max_tokens":8"#), Some(3));
    assert_eq!(maximum(r#""max_tokens":8,"max_completion_tokens":3"#), Some(3));
    assert_eq!(maximum(r#""max_tokens":8,"max_completion_tokens":null"#), Some(8));
}

#[test]
fn a_refusal_names_the_field_what_was_wrong_and_what_is_allowed() {
    let cases = [
        ("", "body is missing; allowed is a JSON object"),
        ("[]", "body is an array; allowed is a JSON object"),
        ("{", "body cannot be read as JSON: EOF while parsing an object at line 1 column 1"),
        ("{}x", "body cannot be read as JSON: trailing characters at line 1 column 3"),
        ("{}", "messages is missing; allowed is a non-empty array of messages"),
        (r#"{"messages":[]}"#, "messages is empty; allowed is a non-empty array of messages"),
        (r#"{"messages":"hi"}"#, "messages is a string; allowed is a non-empty array of messages"),
        (r#"{"messages":[1]}"#, "messages[0] is a number; allowed is an object with a role"),
        (r#"{"messages":[{}]}"#, "messages[0].role is missing; allowed is a string"),
        (r#"{"messages":[{"role":null}]}"#, "messages[0].role is null; allowed is a string"),
    ];
    for (body, message) in cases {
        assert_eq!(refused(body), message, "{body}");
    }
    let cases = [
        (
            r#""max_tokens":0"#,
            "max_tokens is not a positive integer; allowed is a whole number from 1, or null",
        ),
        (
            r#""max_tokens":1.5"#,
            "max_tokens is not a positive integer; allowed is a whole number from 1, or null",
        ),
        (
            r#""max_completion_tokens":-1"#,
            "max_completion_tokens is not a positive integer; allowed is a whole number from 1, or null",
        ),
        (
            r#""max_tokens":18446744073709551616"#,
            "max_tokens is too large; allowed is a whole number from 1 to 18446744073709551615, or null",
        ),
        (r#""max_tokens":"9""#, "max_tokens is a string; allowed is a positive integer or null"),
        (r#""stream":"yes""#, "stream is a string; allowed is true, false or null"),
        (r#""model":7"#, "model is a number; allowed is a string or null"),
        (r#""models":["a",7]"#, "models[1] is a number; allowed is a string or null"),
        (r#""n":2"#, "n is not supported above 1; allowed is 1 or null"),
        (r#""n":0"#, "n is not a positive integer; allowed is 1 or null"),
        (r#""n":"1""#, "n is a string; allowed is 1 or null"),
        (r#""tools":{}"#, "tools is an object; allowed is an array of objects or null"),
        (r#""tools":["x"]"#, "tools[0] is a string; allowed is an object"),
        (
            r#""plugins":[{"id":"auto-router"},{"id":"web"}]"#,
            r#"plugins asks for "web" (plugins[1]), which is not available here"#,
        ),
    ];
    for (members, message) in cases {
        assert_eq!(refused(&with(members)), message, "{members}");
    }
    for (field, chars_max) in [("session_id", 256), ("user", 1_024), ("model", 1_024)] {
        let of = |chars| with(&format!(r#""{field}":"{}""#, "é".repeat(chars)));
        assert!(read(&of(chars_max)).is_ok());
        let message = format!("{field} is too long; allowed are {chars_max} characters");
        assert_eq!(refused(&of(chars_max + 1)), message);
    }
    let models = with(&format!(r#""models":[{}"m"]"#, r#""m","#.repeat(64)));
    assert_eq!(refused(&models), "models names too many models; allowed are 64");
    let name = "x".repeat(1_000);
    let twice = read(&with(&format!(r#""{name}":0,"{name}":0"#))).unwrap_err();
    assert_eq!(twice.field.len(), 100);
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    let refused = scan(&Bytes::from_static(b"{\"a\":\"\xff\"}")).unwrap_err();
    assert_eq!(refused.message, "body is not valid UTF-8 at byte 6");
}

#[test]
fn a_name_may_stand_once_however_it_is_spelled() {
    for (members, field) in [
        (r#""max_tokens":1,"max_tokens":2"#, "max_tokens"),
        (r#""max_tokens":1,"max\u005ftokens":2"#, "max_tokens"),
        (r#""max_tokens":1,"MAX_Tokens":2"#, "max_tokens"),
        // What Go's JSON library takes for the same name.
        ("\"max_tokens\":1,\"max_to\u{212a}en\u{17f}\":2", "max_tokens"),
        (r#""foo":1,"foo":2"#, "foo"),
        (r#""messages":[]"#, "messages"),
    ] {
        assert_eq!(read(&with(members)).unwrap_err().field, field, "{members}");
    }
    for (message, field) in [
        (r#"{"role":"user","content":"a","content":[]}"#, "messages[0].content"),
        (r#"{"role":"user","content":"a","Content":[]}"#, "messages[0].content"),
        (r#"{"role":"user","role":"tool"}"#, "messages[0].role"),
        (
            r#"{"role":"user","content":[{"type":"text","type":"image_url"}]}"#,
            "messages[0].content[0].type",
        ),
    ] {
        let body = format!(r#"{{"messages":[{message}]}}"#);
        assert_eq!(read(&body).unwrap_err().field, field, "{message}");
    }
}

#[test]
fn a_spelling_in_capitals_is_the_field_it_would_be_to_a_lenient_provider() {
    assert_eq!(read(&with(r#""N":2"#)).unwrap_err().field, "n");
    assert_eq!(read(&with(r#""Service_Tier":"flex""#)).unwrap().priced, ["service_tier"]);
}

#[test]
fn fields_that_change_the_price_are_listed_unless_neutral() {
    let cases: [(&str, &[&str]); 26] = [
        (r#""service_tier":"default""#, &[]),
        (r#""service_tier":"auto""#, &[]),
        (r#""service_tier":"priority""#, &["service_tier"]),
        (r#""service_tier":7"#, &["service_tier"]),
        (r#""modalities":["text"]"#, &[]),
        (r#""modalities":["text","audio"],"audio":{"voice":"x"}"#, &["modalities", "audio"]),
        (r#""best_of":1"#, &[]),
        (r#""best_of":2"#, &["best_of"]),
        (r#""n_cmpl":2"#, &["n_cmpl"]),
        (r#""use_beam_search":false"#, &[]),
        (r#""use_beam_search":true"#, &["use_beam_search"]),
        (r#""prediction":{"type":"content","content":"x"}"#, &["prediction"]),
        (r#""web_search_options":{}"#, &["web_search_options"]),
        (r#""search_parameters":{"mode":"off"}"#, &[]),
        (r#""search_parameters":{"mode":"on"}"#, &["search_parameters"]),
        (r#""search_parameters":{"mode":"off","Mode":"on"}"#, &["search_parameters"]),
        (r#""prompt_cache_options":{"mode":"explicit","ttl":"30m"}"#, &[]),
        (r#""prompt_cache_options":{"ttl":null}"#, &[]),
        (r#""prompt_cache_options":{"ttl":"24h"}"#, &["prompt_cache_options"]),
        (r#""prompt_cache_options":{"TTL":"24h"}"#, &["prompt_cache_options"]),
        (r#""chat_template":"{{ x }}""#, &["chat_template"]),
        (r#""tools":[{"type":"function"},{"type":"custom"}]"#, &[]),
        (r#""tools":[{"type":"web_search"}]"#, &["tools"]),
        (r#""tools":[{"type":"openrouter:web_search"}]"#, &["tools"]),
        (r#""tools":[{"google_search":{}}]"#, &["tools"]),
        (r#""tools":[],"deferred_tools":[{"type":"bash"}]"#, &["tools"]),
    ];
    for (members, priced) in cases {
        assert_eq!(read(&with(members)).unwrap().priced, priced, "{members}");
    }
}

#[test]
fn tools_and_functions_are_offered_only_where_there_are_any() {
    let has_tools = |members| read(&with(members)).unwrap().has_tools;
    assert!(has_tools(r#""tools":[{"type":"function"}]"#));
    assert!(has_tools(r#""functions":[{"name":"f"}]"#));
    assert!(!has_tools(r#""tools":[],"functions":[]"#));
}

#[test]
fn a_plugin_that_is_off_or_harmless_is_no_fault() {
    let members = r#""plugins":[{"id":"web","enabled":false},{"id":"response-healing"}]"#;
    assert!(read(&with(members)).is_ok());
    assert_eq!(read(&with(r#""plugins":[{"id":"file-parser"}]"#)).unwrap_err().field, "plugins");
}

#[test]
fn prompt_bytes_are_all_that_the_model_may_read() {
    // A comma or bracket is counted with each member.
    let bytes = |members: &str| read(&with(members)).unwrap().prompt_bytes;
    let messages = bytes(r#""seed":1"#);
    assert_eq!(messages, 1 + r#""messages":[{"role":"user","content":"hi"}]"#.len() as u64);
    assert_eq!(bytes(r#""temperature":0.5,"stop":["x"],"model":"m","max_tokens":7"#), messages);
    let read_too = r#""response_format":{"type":"json_object"}"#;
    assert_eq!(bytes(read_too), messages + 1 + read_too.len() as u64);
    let unknown = r#""never_heard_of" : "x""#;
    assert_eq!(bytes(unknown), messages + 1 + unknown.len() as u64);
}

#[test]
fn three_hundred_messages_of_a_letter_are_bounded_above_their_tokens() {
    let message = r#"{"role":"user","content":"a"}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![message; 300].join(","));
    // 1,981 tokens were seen for 300 such messages.
    assert!(read(&body).unwrap().prompt_bytes > 1_981);
}

#[test]
fn parts_that_are_not_text_are_counted_by_what_bounds_them() {
    let cases = [
        (r#""hi""#, Media::default()),
        ("null", Media::default()),
        (r#"[{"type":"text","text":"a"},"b",7]"#, Media::default()),
        (
            r#"[{"type":"image_url","image_url":{"url":"data:"}},{"type":"input_image","image_url":"x"}]"#,
            Media { images: 2, ..Media::default() },
        ),
        (r#"[{"type":"input_audio","input_audio":{}}]"#, Media { audios: 1, ..Media::default() }),
        (r#"[{"type":"file","file":{"file_data":"x"}}]"#, Media { files: 1, ..Media::default() }),
        (r#"[{"type":"video_url","video_url":{}}]"#, Media { unknown: 1, ..Media::default() }),
        (r#"[{"image_url":{"url":"x"}}]"#, Media { unknown: 1, ..Media::default() }),
        (r#"[{"type":7}]"#, Media { unknown: 1, ..Media::default() }),
        (r#"[{"type":"im\u0061ge_url"}]"#, Media { images: 1, ..Media::default() }),
        // Whatever a provider goes by, the type or the member.
        (
            r#"[{"type":"text","text":"a","image_url":"x"}]"#,
            Media { unknown: 1, ..Media::default() },
        ),
        (
            r#"[{"type":"image_url","image_url":"x","video_url":"y"}]"#,
            Media { images: 1, unknown: 1, ..Media::default() },
        ),
        (r#"{"type":"image_url","image_url":"x"}"#, Media { images: 1, ..Media::default() }),
    ];
    for (parts, media) in cases {
        let request = content(parts);
        assert_eq!((request.media, request.is_text_only()), (media, media.is_empty()), "{parts}");
    }
}

#[test]
fn media_are_found_in_any_message() {
    let body = r#"{"messages":[
        {"role":"tool","tool_call_id":"1","content":[{"type":"image_url","image_url":{"url":"x"}}]},
        {"role":"assistant","content":"","audio":{"id":"a"},"images":[{"type":"image_url"},{}]},
        {"role":"user","content":[{"type":"tool_result","content":[{"type":"image"}]}]}]}"#;
    assert_eq!(read(body).unwrap().media, Media { images: 3, audios: 1, files: 0, unknown: 1 });
}

#[test]
fn the_bytes_of_a_picture_are_not_text() {
    let part = |url: &str| {
        content(&format!(
            r#"[{{"type":"text","text":"what?"}},{{"type":"image_url","image_url":{{"url":"{url}"}}}}]"#
        ))
    };
    let long = "A".repeat(1 << 20);
    assert_eq!(part(&long).prompt_bytes, part("").prompt_bytes);
    // Text beside the picture, where a lenient provider might read it, counts.
    let beside = content(r#"[{"type":"image_url","image_url":"x","text":"0123456789"}]"#);
    let without = content(r#"[{"type":"image_url","image_url":"x"}]"#);
    assert_eq!(beside.prompt_bytes, without.prompt_bytes + r#","text":"0123456789""#.len() as u64);
}

#[test]
fn a_body_of_too_many_or_too_deep_values_is_read_or_refused_never_fatal() {
    let deep = with(&format!(r#""x":{}{}"#, "[".repeat(100_000), "]".repeat(100_000)));
    assert!(read(&deep).is_ok());
    let members: Vec<_> = (0..300).map(|n| format!(r#""f{n}":0"#)).collect();
    assert_eq!(read(&with(&members.join(","))).unwrap_err().field, "body");
    let deep_content = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(content(&deep_content).is_text_only());
}
