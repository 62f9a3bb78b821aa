//! Providers and models that are known without being described: a configuration says which, and
//! what it says of them goes before what is known here (docs/catalogue.md).
//!
//! A model is a line of text until a configuration names it: what is not served takes no memory.

mod fill;
mod providers;

use serde::Deserialize;
use toml::{Table, Value};

pub(super) use fill::fill;
pub use providers::{BuiltInProvider, PROVIDERS, provider};

/// The models, one a line, sorted by id, in the words of `[[models]]`; the first line says where
/// the figures come from. Made by `scripts/built-in-models`.
const FILE: &str = include_str!("built_in/models.jsonl");

/// Where the figures come from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The publication and its version.
    pub source: String,
    /// When that version came out, such as `2026-11-20`.
    pub date: String,
}

/// Where the figures come from; `None` only where this build's file is broken.
pub fn source() -> Option<Source> {
    serde_json::from_str(FILE.lines().next()?).ok()
}

/// The ids of all built-in models, sorted.
pub fn ids() -> impl Iterator<Item = &'static str> {
    lines().map(|(id, _)| id)
}

/// The ids of the built-in models that a provider runs, sorted.
pub fn ids_of(provider: &str) -> impl Iterator<Item = &'static str> {
    let mark = format!(r#""provider":"{provider}""#);
    lines().filter(move |(_, line)| line.contains(&mark)).map(|(id, _)| id)
}

/// A built-in model, in the words of the configuration.
pub struct BuiltInModel {
    /// All of `[[models]]` but the endpoints.
    fields: Table,
    /// Where it runs, at most once a provider.
    endpoints: Vec<Table>,
}

/// The built-in model of that id.
pub fn model(id: &str) -> Option<BuiltInModel> {
    let (_, line) = lines().find(|(known, _)| *known == id)?;
    let mut fields: Table = serde_json::from_str(line).ok()?;
    let Some(Value::Array(endpoints)) = fields.remove("endpoints") else { return None };
    let endpoints = endpoints.into_iter().filter_map(|endpoint| match endpoint {
        Value::Table(endpoint) => Some(endpoint),
        _ => None,
    });
    Some(BuiltInModel { endpoints: endpoints.collect(), fields })
}

impl BuiltInModel {
    /// The slugs of the providers that run it.
    pub fn providers(&self) -> impl Iterator<Item = &str> {
        self.endpoints.iter().filter_map(|endpoint| endpoint.get("provider")?.as_str())
    }

    /// How it runs at that provider, in the words of `[[models.endpoints]]`.
    pub fn endpoint(&self, provider: &str) -> Option<&Table> {
        let is_there =
            |endpoint: &&Table| endpoint.get("provider").and_then(Value::as_str) == Some(provider);
        self.endpoints.iter().find(is_there)
    }

    /// Whether it gives embeddings, and nothing else.
    pub fn gives_embeddings(&self) -> bool {
        let modalities = self.fields.get("output_modalities").and_then(Value::as_array);
        modalities.into_iter().flatten().any(|kind| kind.as_str() == Some(super::EMBEDDINGS))
    }
}

fn lines() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILE.lines().skip(1).filter_map(|line| {
        let id = line.strip_prefix(r#"{"id":""#)?;
        Some((id.split_once('"')?.0, line))
    })
}

/// What to say after a wrong name: the nearest known one, where one is near. A model's id is also
/// compared without its author.
fn hint<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let wrong = wrong.to_lowercase();
    let distance = |name: &str| {
        let slug = name.split_once('/').map_or(name, |(_, slug)| slug);
        strsim::damerau_levenshtein(&wrong, name).min(strsim::damerau_levenshtein(&wrong, slug))
    };
    let nearest = known.map(|name| (distance(name), name)).min();
    match nearest.filter(|(distance, _)| *distance <= wrong.len().div_ceil(4)) {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
