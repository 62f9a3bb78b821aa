//! Catalogues of a few endpoints, and what becomes of requests to them.

use std::path::Path;

use api::routing::ProviderPreferences;
use bytes::Bytes;
use jiff::Timestamp;
use upstream::{Request, Surface, scan};

use crate::catalogue::{Catalogue, Endpoint, LearnedBook, build};
use crate::config::{Config, RoutingOrder};
use crate::routing::{Question, Step, Terms, choose, resolve};

pub(super) const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Any model of completions.
pub(super) const ANY: Terms<'_> = Terms { surface: Surface::Chat, allows: &|_| true };

/// Four providers, of which `beta` and `delta/eu` keep nothing for themselves.
const PROVIDERS: &str = r#"
    providers = [
        { slug = "alpha", name = "Alpha Cloud", base_url = "http://127.0.0.1:1" },
        { slug = "beta", base_url = "http://127.0.0.1:1", collects_data = false },
        { slug = "gamma", base_url = "http://127.0.0.1:1" },
        { slug = "delta/eu", base_url = "http://127.0.0.1:1", collects_data = false },
    ]
"#;

/// A catalogue of these models, each an id and its endpoints, each a provider and settings.
pub(super) fn catalogue(models: &[(&str, &[(&str, &str)])]) -> Catalogue {
    let mut text = String::new();
    for (id, endpoints) in models {
        text.push_str(&format!("[[models]]\nid = \"{id}\"\ncontext_length = 8192\n"));
        for (place, (provider, settings)) in endpoints.iter().enumerate() {
            let free = if settings.contains("pricing") { "" } else { "free = true" };
            text.push_str(&format!(
                "[[models.endpoints]]\nprovider = \"{provider}\"\n\
                 upstream_model = \"{id}-{place}\"\n{free}\n{settings}\n"
            ));
        }
    }
    written(&text)
}

/// The catalogue of these models as a configuration has them.
pub(super) fn written(models: &str) -> Catalogue {
    let text = format!("{PROVIDERS}\n{models}");
    let config: Config = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    build(&config, Path::new(""), &LearnedBook::default()).unwrap()
}

/// A price in dollars a million prompt tokens, and twice that for the completion.
pub(super) fn price(dollars: &str) -> String {
    let of = |text: &str| money::Rate::at_most_per_million(text).unwrap();
    let twice = of(dollars).to_string();
    format!("pricing = {{ prompt = \"{twice}\", completion = \"{twice}\" }}")
}

/// A request for "Hello" with further members.
pub(super) fn request(more: &str) -> Request {
    let body = format!(r#"{{"messages":[{{"role":"user","content":"Hello"}}]{more}}}"#);
    scan(&Bytes::from(body)).unwrap()
}

/// Where `ids` may go by what `provider` says, each as `model tag`; or the step that leaves none.
/// Chance always falls on the first.
pub(super) fn routed(
    catalogue: &Catalogue,
    ids: &[&str],
    provider: &str,
    more: &str,
) -> Result<Vec<String>, Step> {
    drawn(catalogue, ids, provider, more, 0)
}

/// The same where chance falls on `chance`.
pub(super) fn drawn(
    catalogue: &Catalogue,
    ids: &[&str],
    provider: &str,
    more: &str,
    chance: u64,
) -> Result<Vec<String>, Step> {
    let wish = ProviderPreferences::parse(provider).unwrap();
    let request = request(more);
    let question = Question {
        request: &request,
        wish: &wish,
        order: RoutingOrder::Price,
        brought: None,
        sort: None,
        now: NOW,
    };
    let asked = resolve(catalogue, ids.iter().copied(), &ANY).map_err(|why| why.step)?;
    let places = choose(&asked, &question, &mut || chance).map_err(|why| why.step)?;
    assert!(places.is_sorted_by_key(|place| place.stage));
    Ok(places.iter().map(|place| called(&place.endpoint)).collect())
}

pub(super) fn called(endpoint: &Endpoint) -> String {
    format!("{} {}", endpoint.model, endpoint.tag())
}
