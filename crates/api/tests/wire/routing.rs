//! `provider` of a request: what it takes, and what it refuses in which words.

use api::routing::{Cutoffs, MaxPrice, ProviderPreferences, SortBy};
use money::Rate;

fn read(json: &str) -> ProviderPreferences {
    ProviderPreferences::parse(json).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn rate(text: &str) -> Option<Rate> {
    Some(text.parse().unwrap())
}

#[test]
fn everything_that_can_be_said_is_read() {
    let said = r#"{
        "order": ["alpha", "Beta Cloud/fp8"], "only": ["alpha"], "ignore": ["gamma"],
        "allow_fallbacks": false, "require_parameters": true, "data_collection": "deny", "zdr": true,
        "quantizations": ["fp8", "unknown"], "sort": {"by": "latency", "partition": "none"},
        "max_price": {"prompt": 0.15, "completion": "0.6", "request": 1e-3, "image": "0.01", "audio": 2},
        "preferred_min_throughput": 30.5, "preferred_max_latency": {"p50": 1, "p99": 2.5, "p90": null},
        "enforce_distillable_text": false, "options": {"alpha": {}}, "unheard_of": [1]
    }"#;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let expected = ProviderPreferences {
        order: names(&["alpha", "Beta Cloud/fp8"]),
        only: names(&["alpha"]),
        ignore: names(&["gamma"]),
        no_fallbacks: true,
        require_parameters: true,
        deny_data_collection: true,
        zdr: true,
        quantizations: names(&["fp8", "unknown"]),
        sort: Some(SortBy::Latency),
        pools_models: true,
        max_price: MaxPrice {
            prompt: rate("0.00000015"),
            completion: rate("0.0000006"),
            request: rate("0.001"),
            image: rate("0.01"),
            audio: rate("2"),
        },
        preferred_min_throughput: Some(Cutoffs([Some(30_500), None, None, None])),
        preferred_max_latency: Some(Cutoffs([Some(1_000), None, None, Some(2_500)])),
    };
    assert_eq!(read(said), expected);
}

#[test]
fn nothing_null_empty_and_the_defaults_are_no_wish() {
    for json in [
        "{}",
        r#"{"order":null,"only":null,"ignore":null,"allow_fallbacks":null,"require_parameters":null,
            "data_collection":null,"zdr":null,"quantizations":null,"sort":null,"max_price":null,
            "preferred_min_throughput":null,"preferred_max_latency":null,"enforce_distillable_text":null}"#,
        r#"{"order":[],"only":[],"ignore":[],"allow_fallbacks":true,"require_parameters":false,
            "data_collection":"allow","zdr":false,"quantizations":[],"sort":{"by":null,"partition":"model"},
            "max_price":{"prompt":null},"preferred_min_throughput":{"p50":null},"preferred_max_latency":{}}"#,
    ] {
        assert_eq!(read(json), ProviderPreferences::default(), "{json}");
    }
}

#[test]
fn a_price_is_exact_however_it_is_written() {
    let prompt =
        |text: &str| read(&format!(r#"{{"max_price":{{"prompt":{text}}}}}"#)).max_price.prompt;
    for text in ["0.1", "\"0.1\"", "1e-1", "0.10000000000000000000000", "0.1000000000001"] {
        assert_eq!(prompt(text), rate("0.0000001"), "{text}");
    }
    // In binary, 0.1 + 0.2 is more than 0.3; what is written is not.
    assert_eq!(prompt("0.30000000000000004"), rate("0.0000003"));
    assert_eq!(prompt("1e30"), rate("1000000"));
}

#[test]
fn what_is_of_the_wrong_kind_is_refused_by_its_name() {
    let long = format!(r#"{{"only":[{}]}}"#, vec!["\"a\""; 129].join(","));
    let cases = [
        ("[]", "`provider` is an array; allowed: a JSON object, or null"),
        ("\"alpha\"", "`provider` is a string; allowed: a JSON object, or null"),
        (
            r#"{"order":["a"],"order":["b"]}"#,
            "`provider.order` is given twice; allowed: each name once",
        ),
        (
            r#"{"order":"alpha"}"#,
            "`provider.order` is a string; allowed: an array of at most 128 providers' slugs or names, or null",
        ),
        (
            r#"{"order":["a",7]}"#,
            "`provider.order[1]` is a number; allowed: a string of 1 to 255 characters, not blank, no control characters",
        ),
        (
            r#"{"ignore":[""]}"#,
            "`provider.ignore[0]` is blank; allowed: a string of 1 to 255 characters, not blank, no control characters",
        ),
        (
            &long,
            "`provider.only` has too many entries; allowed: an array of at most 128 providers' slugs or names, or null",
        ),
        (
            r#"{"allow_fallbacks":"no"}"#,
            "`provider.allow_fallbacks` is a string; allowed: true or false, or null",
        ),
        (
            r#"{"require_parameters":1}"#,
            "`provider.require_parameters` is a number; allowed: true or false, or null",
        ),
        (r#"{"zdr":"true"}"#, "`provider.zdr` is a string; allowed: true or false, or null"),
        (
            r#"{"data_collection":"never"}"#,
            "`provider.data_collection` is none of the words there are; allowed: allow, deny, or null",
        ),
        (
            r#"{"data_collection":true}"#,
            "`provider.data_collection` is a boolean; allowed: allow, deny, or null",
        ),
        (
            r#"{"quantizations":["fp7"]}"#,
            "`provider.quantizations[0]` is none of the words there are; allowed: int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown",
        ),
        (
            r#"{"quantizations":{}}"#,
            "`provider.quantizations` is an object; allowed: an array of int4, int8, fp4, mxfp4, nvfp4, fp6, fp8, mxfp8, fp16, bf16, fp32, unknown, or null",
        ),
        (
            r#"{"sort":"cheap"}"#,
            "`provider.sort` is none of the words there are; allowed: price, throughput, latency, exacto, or null",
        ),
        (
            r#"{"sort":1}"#,
            "`provider.sort` is a number; allowed: price, throughput, latency, exacto, or an object of `by` and `partition`, or null",
        ),
        (
            r#"{"sort":{"by":"cheap"}}"#,
            "`provider.sort.by` is none of the words there are; allowed: price, throughput, latency, exacto, or null",
        ),
        (
            r#"{"sort":{"partition":true}}"#,
            "`provider.sort.partition` is a boolean; allowed: model, none, or null",
        ),
        (r#"{"max_price":1}"#, "`provider.max_price` is a number; allowed: a JSON object, or null"),
        (
            r#"{"max_price":{"prompt":-0.1}}"#,
            "`provider.max_price.prompt` is negative; allowed: a number of US dollars from 0 up, or the same as text, or null",
        ),
        (
            r#"{"max_price":{"completion":"dear"}}"#,
            "`provider.max_price.completion` is not a decimal number; allowed: a number of US dollars from 0 up, or the same as text, or null",
        ),
        (
            r#"{"max_price":{"image":[1]}}"#,
            "`provider.max_price.image` is an array; allowed: a number of US dollars from 0 up, or the same as text, or null",
        ),
        (
            r#"{"preferred_min_throughput":"50"}"#,
            "`provider.preferred_min_throughput` is a string; allowed: a number from 0 up, or an object of p50, p75, p90 and p99, or null",
        ),
        (
            r#"{"preferred_max_latency":-1}"#,
            "`provider.preferred_max_latency` is negative; allowed: a number from 0 up, or an object of p50, p75, p90 and p99, or null",
        ),
        (
            r#"{"preferred_max_latency":{"p75":true}}"#,
            "`provider.preferred_max_latency.p75` is a boolean; allowed: a number from 0 up, or null",
        ),
        (
            r#"{"preferred_max_latency":1e999}"#,
            "`provider.preferred_max_latency` is too large; allowed: a number from 0 up, or an object of p50, p75, p90 and p99, or null",
        ),
        (
            r#"{"enforce_distillable_text":true}"#,
            "`provider.enforce_distillable_text` is true, which no model here is known to allow; allowed: false, or null",
        ),
        (
            r#"{"enforce_distillable_text":"x"}"#,
            "`provider.enforce_distillable_text` is a string; allowed: true or false, or null",
        ),
    ];
    for (json, message) in cases {
        assert_eq!(ProviderPreferences::parse(json).unwrap_err().to_string(), message, "{json}");
    }
}
