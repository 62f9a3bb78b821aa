//! Tokens are counted as the model would, at a bounded cost.

use std::path::Path;

use bytes::Bytes;
use proptest::prelude::*;
use upstream::{PromptPiece, Tokenizer, scan};

const NAMES: [&str; 6] =
    ["o200k_base", "o200k_harmony", "cl100k_base", "p50k_base", "p50k_edit", "r50k_base"];

fn named(name: &str) -> Tokenizer {
    Tokenizer::named(name).unwrap()
}

#[test]
fn the_bundled_tokenizers_count() {
    for name in NAMES {
        let tokenizer = named(name);
        assert_eq!(tokenizer.count(""), 0);
        assert_eq!(tokenizer.count("Hello world"), 2, "{name}");
    }
    assert_eq!(named("o200k_base").count("tiktoken is great!"), 6);
    assert_eq!(named("cl100k_base").count("tiktoken is great!"), 6);
}

#[test]
fn the_name_of_a_special_token_is_plain_text() {
    assert!(named("o200k_base").count("<|endoftext|>") > 3);
}

#[test]
fn an_unknown_tokenizer_is_named_with_the_known_ones() {
    let refused = Tokenizer::named("o200k").unwrap_err().to_string();
    assert_eq!(
        refused,
        "no tokenizer is named \"o200k\"; bundled are o200k_base, o200k_harmony, cl100k_base, p50k_base, p50k_edit, r50k_base"
    );
    let refused =
        Tokenizer::from_file(Path::new("/nowhere/tokenizer.json")).unwrap_err().to_string();
    assert!(
        refused.starts_with("/nowhere/tokenizer.json is no tokenizer.json that can be read: "),
        "{refused}"
    );
}

/// A word-level tokenizer that cuts and fills what it reads, and knows a special token.
const FILE: &str = r#"{
  "version": "1.0",
  "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
  "padding": {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": null,
              "pad_id": 0, "pad_type_id": 0, "pad_token": "?"},
  "added_tokens": [{"id": 3, "content": "<|end of it|>", "single_word": false, "lstrip": false,
                    "rstrip": false, "normalized": false, "special": true}],
  "normalizer": null,
  "pre_tokenizer": {"type": "Whitespace"},
  "post_processor": null,
  "decoder": null,
  "model": {"type": "WordLevel", "vocab": {"?": 0, "a": 1, "b": 2}, "unk_token": "?"}
}"#;

#[test]
fn a_tokenizer_from_a_file_neither_cuts_nor_fills_nor_reads_special_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, FILE).unwrap();
    let tokenizer = Tokenizer::from_file(&path).unwrap();
    assert_eq!(tokenizer.count("a"), 1);
    assert_eq!(tokenizer.count("a b a b a"), 5);
    assert_eq!(tokenizer.count("<|end of it|>"), 5);

    std::fs::write(&path, "{}").unwrap();
    assert!(Tokenizer::from_file(&path).is_err());
}

#[test]
fn a_prompt_is_counted_as_strings_and_the_json_around_them() {
    let body = br#"{"messages":[{"role":"user","content":"Hello\u0020world"}],"temperature":1,"model":"m"}"#;
    let request = scan(&Bytes::from_static(body)).unwrap();
    let pieces: Vec<_> = request.pieces().collect();
    let text = |text: &'static str| PromptPiece::Text(text.into());
    assert_eq!(
        pieces,
        [
            text("messages"),
            PromptPiece::Framing(3),
            text("role"),
            PromptPiece::Framing(1),
            text("user"),
            PromptPiece::Framing(1),
            text("content"),
            PromptPiece::Framing(1),
            text("Hello world"),
            PromptPiece::Framing(2),
        ]
    );
    // Two quotes and the tokens of each string, and the framing.
    assert_eq!(named("o200k_base").count_prompt(&request), 5 * 2 + 4 + 2 + 8);
}

#[test]
fn media_are_no_text_and_half_a_surrogate_pair_counts_by_its_bytes() {
    let body = br#"{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:AAAA"}}]}],"x":"\ud83d","y":"a\"b\\"}"#;
    let request = scan(&Bytes::from_static(body)).unwrap();
    let pieces: Vec<_> = request.pieces().collect();
    assert!(
        !pieces
            .iter()
            .any(|piece| matches!(piece, PromptPiece::Text(text) if text.contains("data")))
    );
    assert!(pieces.contains(&PromptPiece::Framing(br#""\ud83d""#.len() as u64)));
    assert_eq!(
        pieces.iter().rfind(|piece| matches!(piece, PromptPiece::Text(_))),
        Some(&PromptPiece::Text("a\"b\\".into()))
    );
}

#[test]
fn a_count_is_no_more_than_the_bytes() {
    for body in [
        &br#"{"messages":[{"role":"user","content":"na\u00efve \ud83d\ude00 text, \n\n with 12345678 and more"}],"tools":[{"type":"function","function":{"name":"f"}}]}"#[..],
        br#"{"messages":[{"role":"user"}]}"#,
    ] {
        let request = scan(&Bytes::from_static(body)).unwrap();
        for name in NAMES {
            assert!(named(name).count_prompt(&request) <= request.prompt_bytes, "{name}");
        }
    }
}

#[test]
fn no_run_of_one_character_makes_a_tokenizer_give_up() {
    // Long enough for the regular expressions' own limit on going back, were they given it whole.
    for run in [" ", "\n", "A", "a", "1", "!", "\u{3000}", "é", "字", " \n", "\t\r\n"] {
        let text = run.repeat((2 << 20) / run.len());
        for name in ["o200k_base", "cl100k_base"] {
            let count = named(name).count(&text);
            assert!(count > 0 && count <= text.len() as u64, "{run:?} by {name}");
        }
    }
}

#[test]
fn beyond_the_bound_bytes_are_counted() {
    let words = "hello ".repeat(1 << 20);
    let counted = named("cl100k_base").count(&words);
    let tokenized = upstream::TOKENIZED_BYTES_MAX / 6;
    let rest = words.len() as u64 - upstream::TOKENIZED_BYTES_MAX;
    assert!(counted.abs_diff(tokenized + rest) < 20_000, "{counted}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn cutting_a_long_text_changes_no_count(
        words in prop::collection::vec("( ?[a-zA-Z]{1,9}| ?[0-9]{1,5}| [.,;:!?'\"]{1,3}|\n{1,2}|  |'s|[字母、。，]{1,4}|[éßñ]|://)", 1..40),
    ) {
        // Long enough to be cut, and each stretch of it what a word pattern has to deal with. The
        // last word makes sure that there is a place to cut.
        let stretch = words.concat() + "a b";
        let text = stretch.repeat(40_000 / stretch.len() + 1);
        let whole = |bpe: &tiktoken_rs::CoreBPE| bpe.count_ordinary(&text) as u64;
        prop_assert_eq!(named("o200k_base").count(&text), whole(tiktoken_rs::o200k_base_singleton()));
        prop_assert_eq!(named("cl100k_base").count(&text), whole(tiktoken_rs::cl100k_base_singleton()));
        prop_assert_eq!(named("r50k_base").count(&text), whole(tiktoken_rs::r50k_base_singleton()));
    }
}
