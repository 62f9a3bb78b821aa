//! An endpoint and a request to try the meter's rules with.
//! A token costs 1,000 nano-dollars in the prompt, twice that in the completion, unless it says so.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use upstream::{Request, scan};

use crate::catalogue::{Endpoint, LearnedBook, build};
use crate::config::Config;

/// An endpoint of 8,192 tokens, 1,000 of completion, with settings that replace or add to these.
pub(super) fn endpoint(provider: &str, settings: &str) -> Arc<Endpoint> {
    let prices = if settings.contains("pricing") {
        ""
    } else {
        r#"pricing = { prompt = "0.000001", completion = "0.000002" }"#
    };
    let text = format!(
        r#"
        [[providers]]
        slug = "p"
        base_url = "http://127.0.0.1:1"
        {provider}
        [[models]]
        id = "m"
        context_length = 8192
        [[models.endpoints]]
        provider = "p"
        max_completion_tokens = 1000
        {prices}
        {settings}
        "#
    );
    let config: Config = toml::from_str(&text).unwrap();
    let catalogue = build(&config, Path::new(""), &LearnedBook::default()).unwrap();
    Arc::clone(&catalogue.models[0].endpoints[0])
}

/// A request with `messages` as JSON and whatever else.
pub(super) fn request(messages: &str, more: &str) -> Request {
    let body = format!(r#"{{"model":"m","messages":{messages}{more}}}"#);
    scan(&Bytes::from(body)).unwrap()
}

/// "Hello", whose member `messages` is 47 bytes with the comma after it.
pub(super) fn hello() -> Request {
    request(r#"[{"content":"Hello","role":"user"}]"#, "")
}
