//! LiteLLM's `config.yaml` as a configuration of ours.
//! Whatever has no counterpart is told with its line; nothing is dropped without a word.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use toml::Value;

use super::deployment::{self, Account, Credential, Deployment, Endpoint};
use super::reasons::reason;
use super::yaml::{self, Node};
use crate::import::report::{Kind, Notes};

/// What a file came to.
pub(super) struct Imported {
    /// The configuration.
    pub(super) text: String,
    pub(super) models: Vec<Row>,
    /// Variables that must be set for it.
    pub(super) variables: BTreeSet<String>,
    /// The model's id here, by each name it has there.
    pub(super) ids: BTreeMap<String, String>,
    /// Patterns of names there, such as `openai/*`, each with ours.
    pub(super) patterns: BTreeMap<String, String>,
}

/// A line of the table: one endpoint.
#[derive(Clone, Debug, serde::Serialize)]
pub(super) struct Row {
    pub(super) model_name: String,
    pub(super) id: String,
    pub(super) provider: String,
    pub(super) upstream_model: String,
    /// `file`, `catalogue` or `missing`.
    pub(super) prices: &'static str,
}

struct Group {
    name: String,
    id: String,
    endpoints: Vec<(usize, Endpoint)>,
}

/// Reads `text`; places are named after `file`.
pub(super) fn read(text: &str, file: &str, notes: &mut Notes) -> Result<Imported> {
    let root = Node::parse(text)?;
    let mut reading = Reading { accounts: Vec::new(), all: BTreeSet::new(), groups: Vec::new() };
    for (index, node) in
        root.get("model_list").map(|list| list.items()).unwrap_or_default().iter().enumerate()
    {
        let place = format!("{file}:{}", node.line);
        let Some(name) = node.text_of("model_name") else {
            notes.add(Kind::Unmapped, place, format!("model_list[{index}]"), "has no `model_name`");
            continue;
        };
        reading.deployment(name, node, &place, notes);
    }
    let patterns = reading.patterns();
    reading.name_groups();
    let aliases = aliases(&root, file, &reading.groups, notes);
    rest(&root, file, notes);
    let mut variables = BTreeSet::new();
    let slugs = reading.slugs();
    let text = reading.text(&slugs, &aliases, &mut variables, file, notes);
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    for group in &reading.groups {
        ids.insert(group.name.clone(), group.id.clone());
    }
    for (alias, id) in &aliases {
        ids.entry(alias.clone()).or_insert_with(|| id.clone());
    }
    let row = |group: &Group, account: usize, endpoint: &Endpoint| Row {
        model_name: group.name.clone(),
        id: group.id.clone(),
        provider: slugs[account].clone(),
        upstream_model: endpoint.upstream_model.clone(),
        prices: endpoint.prices_from,
    };
    let mut models = Vec::new();
    for group in &reading.groups {
        models.extend(
            group.endpoints.iter().map(|(account, endpoint)| row(group, *account, endpoint)),
        );
    }
    Ok(Imported { text, models, variables, ids, patterns })
}

struct Reading {
    accounts: Vec<Account>,
    /// Which of them serve all they run.
    all: BTreeSet<usize>,
    groups: Vec<Group>,
}

impl Reading {
    fn deployment(&mut self, name: &str, node: &Node, place: &str, notes: &mut Notes) {
        let Some(deployment) = deployment::read(node, place, notes) else {
            // It was told as a whole.
            node.look_at_all();
            return;
        };
        match deployment {
            Deployment::Everything(account) => {
                let account = self.account(account);
                self.all.insert(account);
            }
            Deployment::Endpoint(endpoint) => {
                let is_plain = !name.chars().any(|c| c.is_control() || c.is_whitespace());
                if !is_plain || name.is_empty() || name.len() > 90 || name.contains("${") {
                    let why = "can't be a model's name here: 1 to 90 bytes without spaces";
                    notes.add(Kind::Unmapped, place, format!("model_name {name:?}"), why);
                    return;
                }
                let account = self.account(endpoint.account.clone());
                let place_of = self.groups.iter().position(|group| group.name == name);
                let group = place_of.unwrap_or_else(|| {
                    let group =
                        Group { name: name.to_owned(), id: String::new(), endpoints: Vec::new() };
                    self.groups.push(group);
                    self.groups.len() - 1
                });
                let endpoints = &mut self.groups[group].endpoints;
                let is_same = |(other, known): &(usize, Endpoint)| {
                    *other == account && known.upstream_model == endpoint.upstream_model
                };
                if endpoints.iter().any(is_same) {
                    let why =
                        "the same deployment stands in the list already: one endpoint is enough";
                    notes.add(Kind::Unmapped, place, format!("model_name {name}"), why);
                    return;
                }
                endpoints.push((account, *endpoint));
            }
        }
    }

    fn account(&mut self, account: Account) -> usize {
        let known = self.accounts.iter().position(|known| *known == account);
        known.unwrap_or_else(|| {
            self.accounts.push(account);
            self.accounts.len() - 1
        })
    }

    fn patterns(&self) -> BTreeMap<String, String> {
        let own = |slug: &str| {
            let mut authors: BTreeSet<&str> = BTreeSet::new();
            let ids = gateway::config::built_in::ids_of(slug);
            authors.extend(ids.filter_map(|id| Some(id.split_once('/')?.0)));
            authors.contains(slug).then(|| format!("{slug}/*"))
        };
        let accounts = self.all.iter().map(|account| &self.accounts[*account]);
        accounts
            .filter_map(|account| Some((format!("{}/*", account.slug), own(&account.slug)?)))
            .collect()
    }

    /// Gives each group an id: its name where that has an author, the built-in id where it is that
    /// model, else its name behind its provider's.
    fn name_groups(&mut self) {
        let mut taken: BTreeSet<String> =
            self.groups.iter().map(|group| group.name.clone()).collect();
        let is_all = !self.all.is_empty();
        for group in &mut self.groups {
            if group.name.contains('/') {
                group.id = group.name.clone();
                continue;
            }
            let mut known = group.endpoints.iter().map(|(_, endpoint)| endpoint.built_in);
            let first = known.next().flatten();
            let built_in = first.filter(|id| known.all(|other| other == Some(*id)));
            let slug = group.endpoints.first().map_or("", |(_, endpoint)| &endpoint.account.slug);
            let own = format!("{slug}/{}", group.name);
            // Where a provider serves all, a built-in id may be served at its own terms as well.
            let wished = built_in.map(str::to_owned).filter(|id| !is_all && !taken.contains(id));
            let wished = wished.unwrap_or(own);
            let numbered = (2..).map(|number| format!("{wished}-{number}"));
            let mut free = std::iter::once(wished.clone()).chain(numbered);
            group.id = free.find(|id| !taken.contains(id)).unwrap_or(wished);
            taken.insert(group.id.clone());
        }
    }

    /// A slug for each account; the first keeps its provider's.
    fn slugs(&self) -> Vec<String> {
        let mut slugs: Vec<String> = Vec::new();
        for account in &self.accounts {
            // A built-in slug with another address would take list prices that are not its own.
            let is_moved = account.base_url.is_some()
                && gateway::config::built_in::provider(&account.slug).is_some();
            let first =
                if is_moved { format!("{}-custom", account.slug) } else { account.slug.clone() };
            let numbered = (2..).map(|number| format!("{first}-{number}"));
            let slug =
                std::iter::once(first.clone()).chain(numbered).find(|slug| !slugs.contains(slug));
            slugs.push(slug.unwrap_or(first));
        }
        slugs
    }

    fn text(
        &self,
        slugs: &[String],
        aliases: &BTreeMap<String, String>,
        variables: &mut BTreeSet<String>,
        file: &str,
        notes: &mut Notes,
    ) -> String {
        let mut text = format!(
            "# Made from LiteLLM's {} by `tollgate import litellm`.\n# Look it over with \
             `tollgate config check`: prices are what will be charged.\n",
            file.rsplit('/').next().unwrap_or(file).escape_debug()
        );
        let mut proposed: Vec<(&str, String)> = Vec::new();
        for (index, (account, slug)) in self.accounts.iter().zip(slugs).enumerate() {
            text.push_str("\n[[providers]]\n");
            field(&mut text, "", "slug", &slug.as_str().into());
            let is_built_in = *slug == account.slug && account.base_url.is_none();
            if !is_built_in {
                let usual = gateway::config::built_in::provider(&account.slug);
                let url = account.base_url.as_deref().or(usual.map(|known| known.base_url));
                field(&mut text, "", "base_url", &url.unwrap_or_default().into());
                variables.extend(names_in(url.unwrap_or_default()));
            }
            let place = self.place_of(index).unwrap_or(file).to_owned();
            match &account.credential {
                Credential::None => {}
                Credential::Variable(name) => {
                    field(&mut text, "", "api_key", &format!("${{{name}}}").into());
                    variables.insert(name.clone());
                }
                Credential::Literal { text: secret, variable } => {
                    let known = proposed.iter().find(|(known, _)| known == secret);
                    let name = known.map(|(_, name)| name.clone()).unwrap_or_else(|| {
                        let numbered = (2..).map(|number| format!("{variable}_{number}"));
                        let mut free = std::iter::once(variable.clone()).chain(numbered);
                        let is_free = |name: &String| {
                            !variables.contains(name)
                                && !self.accounts.iter().any(|account| {
                                    account.credential == Credential::Variable(name.clone())
                                })
                        };
                        let name = free.find(is_free).unwrap_or_else(|| variable.clone());
                        proposed.push((secret, name.clone()));
                        name
                    });
                    field(&mut text, "", "api_key", &format!("${{{name}}}").into());
                    variables.insert(name.clone());
                    let why = format!("is written out in the file: set {name} to it");
                    notes.add(
                        Kind::Variable,
                        place.clone(),
                        format!("the api_key of `{slug}`"),
                        why,
                    );
                }
            }
            if !account.headers.is_empty() {
                let headers: toml::Table = account
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.as_str().into()))
                    .collect();
                for value in account.headers.values() {
                    let names = names_in(value);
                    for name in &names {
                        let why = format!("set {name} to the header's value");
                        notes.add(
                            Kind::Variable,
                            place.clone(),
                            format!("headers of `{slug}`"),
                            why,
                        );
                    }
                    variables.extend(names);
                }
                field(&mut text, "", "headers", &headers.into());
            }
            if self.all.contains(&index) {
                if is_built_in {
                    field(&mut text, "", "models", &"all".into());
                } else {
                    let why = "a second account of a provider serves no built-in models by itself";
                    notes.add(Kind::Unmapped, place, format!("all of `{slug}`"), why);
                }
            }
        }
        for group in &self.groups {
            self.model(&mut text, group, slugs, aliases, notes);
        }
        text
    }

    fn place_of(&self, account: usize) -> Option<&str> {
        let endpoints = self.groups.iter().flat_map(|group| &group.endpoints);
        let mut own = endpoints.filter(|(index, _)| *index == account);
        own.next().map(|(_, endpoint)| endpoint.place.as_str())
    }

    /// A model; behind `#` where something of it is missing.
    fn model(
        &self,
        text: &mut String,
        group: &Group,
        slugs: &[String],
        aliases: &BTreeMap<String, String>,
        notes: &mut Notes,
    ) {
        let is_whole = |endpoint: &Endpoint| endpoint.missing.is_empty();
        let is_served = group.endpoints.iter().any(|(_, endpoint)| is_whole(endpoint));
        let before = if is_served { "" } else { "# " };
        text.push_str(&format!("\n{before}[[models]]\n"));
        field(text, before, "id", &group.id.as_str().into());
        let own = (group.id != group.name).then_some(&group.name);
        let further = aliases.iter().filter(|(_, id)| **id == group.id).map(|(alias, _)| alias);
        let names: Vec<Value> =
            own.into_iter().chain(further).map(|name| name.as_str().into()).collect();
        if !names.is_empty() {
            field(text, before, "aliases", &names.into());
        }
        if group.endpoints.iter().any(|(_, endpoint)| endpoint.embeddings) {
            field(text, before, "output_modalities", &vec![Value::from("embeddings")].into());
        }
        for (account, endpoint) in &group.endpoints {
            let before = if is_whole(endpoint) { "" } else { "# " };
            text.push_str(&format!("{before}[[models.endpoints]]\n"));
            field(text, before, "provider", &slugs[*account].as_str().into());
            let is_plain = endpoint.is_plain
                && endpoint.built_in == Some(group.id.as_str())
                && slugs[*account] == endpoint.account.slug;
            if is_plain {
                continue;
            }
            field(text, before, "upstream_model", &endpoint.upstream_model.as_str().into());
            for (name, value) in &endpoint.settings {
                field(text, before, name, value);
            }
            for missing in &endpoint.missing {
                text.push_str(&format!("# {missing} is missing\n"));
                let why = "is not in the file and not built in: add it, and take the `#` away";
                let what = format!("{missing} of {}", endpoint.upstream_model);
                notes.add(Kind::Missing, endpoint.place.clone(), what, why);
            }
        }
    }
}

fn field(text: &mut String, before: &str, name: &str, value: &Value) {
    text.push_str(&format!("{before}{name} = {value}\n"));
}

/// The variables that a text refers to.
fn names_in(text: &str) -> Vec<String> {
    let parts = text.split("${").skip(1);
    parts.filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect()
}

/// `router_settings.model_group_alias`: further names of models.
fn aliases(
    root: &Node,
    file: &str,
    groups: &[Group],
    notes: &mut Notes,
) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    let settings = root.get("router_settings");
    let written = settings.and_then(|settings| settings.get("model_group_alias"));
    for (alias, node) in written.map(|node| node.entries()).unwrap_or_default() {
        let target = node.text().or_else(|| node.text_of("model")).unwrap_or_default();
        node.get("hidden");
        let group = groups.iter().find(|group| group.name == target);
        let is_taken = groups.iter().any(|group| group.name == *alias || group.id == *alias);
        let is_plain = !alias.chars().any(|c| c.is_control() || c.is_whitespace());
        match group {
            Some(group) if is_plain && !is_taken && !alias.is_empty() && alias.len() <= 100 => {
                aliases.insert(alias.clone(), group.id.clone());
            }
            _ => {
                let why = match group {
                    None => format!("means `{target}`, which is none of the models that came over"),
                    Some(_) => "is a model's name already, or can't be one".to_owned(),
                };
                let place = format!("{file}:{}", node.line);
                notes.add(Kind::Unmapped, place, format!("model_group_alias.{alias}"), why);
            }
        }
    }
    aliases
}

/// Tells all that nobody looked at.
fn rest(root: &Node, file: &str, notes: &mut Notes) {
    let mut unseen = Vec::new();
    for section in
        ["general_settings", "litellm_settings", "router_settings", "environment_variables"]
    {
        root.get(section);
    }
    root.unseen("", &mut unseen);
    unseen.sort_by_key(|(_, line)| *line);
    for (path, line) in unseen {
        notes.add(Kind::Unmapped, format!("{file}:{line}"), path.clone(), reason(&path));
    }
}

/// The most a file may have.
pub(super) const BYTES_MAX: u64 = yaml::BYTES_MAX;
