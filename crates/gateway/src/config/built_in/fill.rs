//! Fills in what a configuration leaves out of the providers and models that are built in.
//! What is written stays, field by field; a list of endpoints that is written is the whole list.

use std::collections::BTreeSet;

use toml::{Table, Value};

use super::{BuiltInModel, PROVIDERS, hint, ids, ids_of, model, provider};
use crate::config::catalogue::{BuiltInModels, EndpointConfig, ProviderConfig};
use crate::config::{Config, ConfigError, Problems};

/// What was taken from here.
#[derive(Debug, Default)]
pub(in crate::config) struct Filled {
    /// The endpoints at list prices, each as its model's id and its place there.
    pub list_priced: BTreeSet<(String, usize)>,
    /// What the owner should know, each a sentence.
    pub warnings: Vec<String>,
}

/// Fills in `table`, of which `written` is the reading.
pub(in crate::config) fn fill(
    table: &mut Table,
    written: &Config,
    problems: &mut Problems,
) -> Filled {
    let mut filling = Filling {
        providers: &written.providers,
        moved: BTreeSet::new(),
        filled: Filled::default(),
    };
    if let Some(Value::Array(providers)) = table.get_mut("providers") {
        filling.providers(providers, problems);
    }
    let mut models = match table.remove("models") {
        Some(Value::Array(models)) => models,
        _ => Vec::new(),
    };
    for (index, (table, written)) in models.iter_mut().zip(&written.models).enumerate() {
        let Value::Table(table) = table else { continue };
        match model(&written.id) {
            Some(known) => {
                problems.take(filling.named(index, table, &written.endpoints, known));
            }
            None if !table.contains_key("endpoints") => {
                let problem = format!(
                    "is missing, and `{}` is no built-in model{}",
                    written.id,
                    hint(&written.id, ids())
                );
                let setting = format!("models[{index}].endpoints");
                problems.add(ConfigError::invalid(&setting, problem));
            }
            None => {}
        }
    }
    let named: BTreeSet<&str> = written.models.iter().map(|model| model.id.as_str()).collect();
    let asked_for: BTreeSet<&str> = written.providers.iter().flat_map(asked_for).collect();
    for id in asked_for.difference(&named) {
        let Some(known) = model(id) else { continue };
        let mut table = Table::new();
        filling.model(&mut table, &[], known, false);
        models.push(Value::Table(table));
    }
    table.insert("models".to_owned(), Value::Array(models));
    filling.filled
}

/// The models that a provider is asked for by its own setting.
fn asked_for(written: &ProviderConfig) -> Vec<&str> {
    match &written.models {
        Some(BuiltInModels::All) => ids_of(&written.slug).collect(),
        Some(BuiltInModels::Listed(ids)) => ids.iter().map(String::as_str).collect(),
        None => Vec::new(),
    }
}

struct Filling<'a> {
    providers: &'a [ProviderConfig],
    /// Providers at another address than the one known, and not yet warned of.
    moved: BTreeSet<&'a str>,
    filled: Filled,
}

impl<'w> Filling<'w> {
    fn providers(&mut self, tables: &mut [Value], problems: &mut Problems) {
        for (index, (table, written)) in tables.iter_mut().zip(self.providers).enumerate() {
            if let Value::Table(table) = table {
                problems.take(self.provider(index, table, written));
                problems.take(listed(index, written));
            }
        }
    }

    fn provider(
        &mut self,
        index: usize,
        table: &mut Table,
        written: &'w ProviderConfig,
    ) -> Result<(), ConfigError> {
        if let Some(known) = provider(&written.slug) {
            match &written.base_url {
                Some(url) if url.trim_end_matches('/') != known.base_url => {
                    self.moved.insert(&written.slug);
                }
                _ => {}
            }
            table.entry("base_url").or_insert_with(|| known.base_url.into());
            table.entry("name").or_insert_with(|| known.name.into());
        } else if written.base_url.is_none() {
            let slugs = PROVIDERS.map(|known| known.slug);
            let problem = format!(
                "is missing, and `{}` is no built-in provider{}; built in are {}",
                written.slug,
                hint(&written.slug, slugs.into_iter()),
                slugs.join(", ")
            );
            return Err(ConfigError::invalid(&format!("providers[{index}].base_url"), problem));
        }
        Ok(())
    }

    /// Fills in a model that has an entry of its own; an error where nobody would run it.
    fn named(
        &mut self,
        index: usize,
        table: &mut Table,
        written: &[EndpointConfig],
        known: BuiltInModel,
    ) -> Result<(), ConfigError> {
        let run_by = known.providers().collect::<Vec<_>>().join(", ");
        self.model(table, written, known, true);
        if table.contains_key("endpoints") {
            return Ok(());
        }
        let problem = format!(
            "is missing, and none of the providers runs this model; built in it runs at {run_by} \
             (where one of them has `models`, it must be listed there)"
        );
        Err(ConfigError::invalid(&format!("models[{index}].endpoints"), problem))
    }

    fn model(
        &mut self,
        table: &mut Table,
        written: &[EndpointConfig],
        known: BuiltInModel,
        is_named: bool,
    ) {
        let BuiltInModel { fields, endpoints } = known;
        add(table, fields);
        let id = table.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let is_bounded = table.contains_key("context_length");
        let known_at = |provider: &ProviderConfig| {
            let is_it = |endpoint: &&Table| {
                let is = |field: &str, text: &str| {
                    endpoint.get(field).and_then(Value::as_str) == Some(text)
                };
                is("provider", &provider.slug) && is("api", &provider.api)
            };
            let mut known = endpoints.iter().find(is_it)?.clone();
            known.remove("api");
            if is_bounded {
                known.remove("context_length");
            }
            Some(known)
        };
        match table.get_mut("endpoints") {
            None => {
                let serves = |provider: &&ProviderConfig| match &provider.models {
                    None => is_named,
                    Some(BuiltInModels::All) => true,
                    Some(BuiltInModels::Listed(listed)) => listed.contains(&id),
                };
                let serving = self.providers.iter().filter(serves);
                let own: Vec<Table> = serving.filter_map(known_at).collect();
                for (place, endpoint) in own.iter().enumerate() {
                    self.list_priced(&id, place, endpoint);
                }
                if !own.is_empty() {
                    table.insert("endpoints".to_owned(), own.into());
                }
            }
            Some(Value::Array(tables)) => {
                for (place, (table, written)) in tables.iter_mut().zip(written).enumerate() {
                    let runs = |provider: &&ProviderConfig| provider.slug == written.provider;
                    let known = self.providers.iter().find(runs).and_then(known_at);
                    let (Value::Table(table), Some(mut known)) = (table, known) else { continue };
                    let upstream_model = written.upstream_model.as_deref();
                    let is_other = |known: &Table| {
                        upstream_model.is_some()
                            && known.get("upstream_model").and_then(Value::as_str) != upstream_model
                    };
                    // Another model at the same provider: nothing here is known of it.
                    if is_other(&known) {
                        continue;
                    }
                    if written.free || written.pricing.is_some() {
                        known.remove("pricing");
                    } else {
                        self.list_priced(&id, place, &known);
                    }
                    add(table, known);
                }
            }
            Some(_) => {}
        }
    }

    /// Notes that an endpoint has list prices.
    fn list_priced(&mut self, model: &str, place: usize, endpoint: &Table) {
        self.filled.list_priced.insert((model.to_owned(), place));
        let slug = endpoint.get("provider").and_then(Value::as_str).unwrap_or_default();
        if self.moved.remove(slug) {
            let usual = provider(slug).map_or("", |known| known.base_url);
            self.filled.warnings.push(format!(
                "provider `{slug}` is not at {usual}: the list prices of its built-in models may \
                 not be what is charged where it is"
            ));
        }
    }
}

/// Refuses models that a provider is asked for and that are not built in there.
fn listed(index: usize, written: &ProviderConfig) -> Result<(), ConfigError> {
    let wrong =
        |problem: String| Err(ConfigError::invalid(&format!("providers[{index}].models"), problem));
    match &written.models {
        Some(_) if ids_of(&written.slug).next().is_none() => {
            wrong(format!("is given, and no built-in model runs at `{}`", written.slug))
        }
        Some(BuiltInModels::Listed(listed)) => {
            let has = |id: &&String| ids_of(&written.slug).any(|known| known == *id);
            match listed.iter().find(|id| !has(id)) {
                None => Ok(()),
                Some(id) => wrong(format!(
                    "lists `{id}`, which is no built-in model of `{}`{}",
                    written.slug,
                    hint(id, ids_of(&written.slug))
                )),
            }
        }
        _ => Ok(()),
    }
}

/// Adds the fields that `table` does not have.
fn add(table: &mut Table, fields: Table) {
    for (name, value) in fields {
        table.entry(name).or_insert(value);
    }
}
