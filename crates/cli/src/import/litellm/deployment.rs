//! One entry of `model_list`: where it runs, under which key, and what it charges.
//! Prices are those of the file, else those of the built-in catalogue, else they are missing.

use std::collections::BTreeMap;

use gateway::config::built_in::{self, BuiltInModel};
use money::Rate;
use toml::{Table, Value};

use super::providers::{self, OLLAMA, Place};
use super::yaml::Node;
use crate::import::report::{Kind, Notes};

/// What LiteLLM calls a price, and what it is here.
const PRICES: [(&str, &str); 8] = [
    ("input_cost_per_token", "prompt"),
    ("output_cost_per_token", "completion"),
    ("cache_read_input_token_cost", "input_cache_read"),
    ("cache_creation_input_token_cost", "input_cache_write"),
    ("output_cost_per_reasoning_token", "internal_reasoning"),
    ("input_cost_per_audio_token", "audio"),
    ("output_cost_per_audio_token", "audio_output"),
    ("input_cost_per_image", "image"),
];

/// How the names of models begin that LiteLLM knows the provider of.
const FAMILIES: [(&str, &str); 8] = [
    ("gpt-", "openai"),
    ("chatgpt-", "openai"),
    ("o1", "openai"),
    ("o3", "openai"),
    ("o4", "openai"),
    ("text-embedding-", "openai"),
    ("ft:gpt-", "openai"),
    ("claude-", "anthropic"),
];

/// Where a deployment runs: what makes two of them one provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account {
    /// The slug it has, unless another account took it first.
    pub(super) slug: String,
    /// `None` where the slug is a built-in provider's, at its own address.
    pub(super) base_url: Option<String>,
    pub(super) credential: Credential,
    pub(super) headers: BTreeMap<String, String>,
}

/// Where a key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    /// None is sent.
    None,
    /// The variable of that name.
    Variable(String),
    /// It is written out in the file, and never repeated; a variable is proposed.
    Literal { text: String, variable: String },
}

/// What a deployment came to.
#[derive(Debug)]
pub(super) enum Deployment {
    /// All that a provider runs.
    Everything(Account),
    /// One model there.
    Endpoint(Box<Endpoint>),
}

/// One model at one account.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) account: Account,
    pub(super) upstream_model: String,
    /// The id of the built-in model that this is.
    pub(super) built_in: Option<&'static str>,
    /// Its settings are exactly the built-in ones, which need not be written.
    pub(super) is_plain: bool,
    pub(super) embeddings: bool,
    pub(super) settings: Table,
    pub(super) prices_from: &'static str,
    /// What is missing before it can be served.
    pub(super) missing: Vec<&'static str>,
    pub(super) place: String,
}

/// Reads one entry; `None` where it can't be served, which `notes` says.
pub(super) fn read(node: &Node, place: &str, notes: &mut Notes) -> Option<Deployment> {
    let mut unmapped = |what: &str, why: &str| notes.add(Kind::Unmapped, place, what, why);
    let Some(params) = node.get("litellm_params") else {
        unmapped("litellm_params", "is missing");
        return None;
    };
    let Some(written) = params.text_of("model") else {
        unmapped("litellm_params.model", "is missing");
        return None;
    };
    let (named, model) = provider_and_model(params, written);
    let Some(provider) = named.as_deref().and_then(providers::provider) else {
        let named = named.unwrap_or_default();
        let why = match named.is_empty() {
            true => "names no provider, and no built-in model is called that".to_owned(),
            false => format!("`{named}` has no address that speaks OpenAI's format"),
        };
        unmapped(written, &why);
        return None;
    };
    let account = account(params, provider, place, notes)?;
    if model.contains('*') {
        return everything(account, written, model, place, notes);
    }
    let info = node.get("model_info");
    let mode = info.and_then(|info| info.text_of("mode"));
    if let Some(mode) = mode.filter(|mode| !matches!(*mode, "chat" | "embedding" | "responses")) {
        let why = format!("`mode: {mode}`: only chats and embeddings are served");
        notes.add(Kind::Unmapped, place, written, why);
        return None;
    }
    let known = known(&account, model, place, notes);
    let written_prices = prices([Some(params), info].into_iter().flatten(), place, notes);
    let (embeddings, settings) = settings(info, mode, known.as_ref(), written_prices.clone());
    let mut missing = Vec::new();
    let has = |name: &str| {
        let pricing = settings.get("pricing").and_then(Value::as_table);
        pricing.is_some_and(|pricing| pricing.contains_key(name))
    };
    let is_free = settings.contains_key("free");
    if !is_free && !has("prompt") {
        missing.push("pricing.prompt");
    }
    if !is_free && !embeddings && !has("completion") {
        missing.push("pricing.completion");
    }
    if !settings.contains_key("context_length") {
        missing.push("context_length");
    }
    let prices_from = match (missing.is_empty(), written_prices.is_empty()) {
        (false, _) => "missing",
        (true, false) => "file",
        (true, true) => "catalogue",
    };
    let exact = known.as_ref().filter(|known| known.is_exact);
    let is_plain = exact.is_some_and(|known| known.endpoint() == settings);
    Some(Deployment::Endpoint(Box::new(Endpoint {
        built_in: exact.map(|known| known.id),
        is_plain: is_plain && account.base_url.is_none(),
        account,
        upstream_model: model.to_owned(),
        embeddings,
        settings,
        prices_from,
        missing,
        place: place.to_owned(),
    })))
}

/// The provider LiteLLM would take, and the model's name there.
fn provider_and_model<'a>(params: &Node, written: &'a str) -> (Option<String>, &'a str) {
    if let Some(named) = params.text_of("custom_llm_provider") {
        let model = written.strip_prefix(named).and_then(|rest| rest.strip_prefix('/'));
        return (Some(named.to_owned()), model.unwrap_or(written));
    }
    if let Some((named, model)) = written.split_once('/') {
        return (Some(named.to_owned()), model);
    }
    if params.get("api_base").or_else(|| params.get("base_url")).is_some() {
        return (Some("openai".to_owned()), written);
    }
    let runs = |slug: &&str| built_in_id(slug, written).is_some();
    let starts = |(start, _): &&(&str, &str)| written.starts_with(start);
    let known = ["openai", "anthropic"].into_iter().find(runs);
    let known = known.or_else(|| FAMILIES.iter().find(starts).map(|(_, name)| *name));
    (known.map(str::to_owned), written)
}

fn account(
    params: &Node,
    provider: &providers::Provider,
    place: &str,
    notes: &mut Notes,
) -> Option<Account> {
    let name = provider.name;
    let written = params.text_of("api_base").or_else(|| params.text_of("base_url"));
    // One with a password in it is not repeated.
    let written = written.map(|text| match text.contains('@') {
        true => format!("${{{}_API_BASE}}", upper(name)),
        false => reference(text.trim_end_matches('/')),
    });
    let is_default =
        |usual: &str, written: &str| usual == written || usual.strip_suffix("/v1") == Some(written);
    let (slug, base_url) = match (provider.place, written) {
        (Place::BuiltIn(slug), None) => (slug, None),
        (Place::BuiltIn(slug), Some(written)) => {
            let usual = built_in::provider(slug).map_or("", |known| known.base_url);
            (slug, (!is_default(usual, &written)).then_some(written))
        }
        (Place::At(usual), written) => (name, Some(written.unwrap_or_else(|| usual.to_owned()))),
        (Place::Given(ending), Some(written)) => {
            let written = written.strip_suffix(ending).unwrap_or(&written).to_owned();
            (name, Some(format!("{written}{ending}")))
        }
        (Place::Given(ending), None) if name.starts_with("ollama") => {
            (name, Some(format!("{OLLAMA}{ending}")))
        }
        (Place::Given(_), None) => {
            let why = "`api_base` is missing: there is no address to send requests to";
            notes.add(Kind::Unmapped, place, format!("provider `{name}`"), why);
            return None;
        }
    };
    let credential = match params.text_of("api_key") {
        Some(text) => match variable(text) {
            Some(variable) => Credential::Variable(variable.to_owned()),
            None => Credential::Literal {
                text: text.to_owned(),
                variable: format!("{}_API_KEY", upper(name)),
            },
        },
        None => provider.key.map_or(Credential::None, |key| Credential::Variable(key.to_owned())),
    };
    let mut headers = BTreeMap::new();
    if let Some(organization) = params.text_of("organization") {
        headers.insert("OpenAI-Organization".to_owned(), reference(organization));
    }
    let further = ["extra_headers", "headers"].map(|field| params.get(field));
    for (header, value) in further.into_iter().flatten().flat_map(|node| node.entries()) {
        let Some(text) = value.text() else { continue };
        // It may be a credential: what is written out is never repeated.
        let variable =
            variable(text).map_or_else(|| upper(&format!("{name}_{header}")), str::to_owned);
        headers.insert(header.clone(), format!("${{{variable}}}"));
    }
    Some(Account { slug: slug.to_owned(), base_url, credential, headers })
}

fn everything(
    account: Account,
    written: &str,
    model: &str,
    place: &str,
    notes: &mut Notes,
) -> Option<Deployment> {
    let is_known = built_in::ids_of(&account.slug).next().is_some() && account.base_url.is_none();
    if model != "*" || !is_known {
        let why = "a pattern of names: name each model, with its prices, under [[models]]";
        notes.add(Kind::Unmapped, place, written, why);
        return None;
    }
    let why = "`models = \"all\"`: the built-in models of the provider by their ids (`tollgate \
               config models`), and no others";
    notes.add(Kind::Approximated, place, written, why);
    Some(Deployment::Everything(account))
}

/// A built-in model at one provider.
struct Known {
    id: &'static str,
    model: BuiltInModel,
    slug: String,
    /// It has the very name there, and not one without a date.
    is_exact: bool,
}

impl Known {
    /// All of it, in the words of `[[models.endpoints]]`, but who runs it.
    fn endpoint(&self) -> Table {
        let mut table = self.model.endpoint(&self.slug).cloned().unwrap_or_default();
        for field in ["provider", "api", "upstream_model"] {
            table.remove(field);
        }
        table
    }
}

fn known(account: &Account, model: &str, place: &str, notes: &mut Notes) -> Option<Known> {
    // Elsewhere the list prices are another's.
    let slug = account.base_url.is_none().then_some(&account.slug)?;
    let found = |name: &str, is_exact| {
        let id = built_in_id(slug, name)?;
        Some(Known { id, model: built_in::model(id)?, slug: slug.clone(), is_exact })
    };
    if let Some(known) = found(model, true) {
        return Some(known);
    }
    let (name, date) = model.rsplit_once('-')?;
    let is_date = date.len() == 8 && date.bytes().all(|byte| byte.is_ascii_digit());
    let known = if is_date { found(name, false) } else { None }?;
    let why =
        format!("a dated name of `{}`, whose limits and list prices it has: check them", known.id);
    notes.add(Kind::Approximated, place, model, why);
    Some(known)
}

fn built_in_id(slug: &str, upstream_model: &str) -> Option<&'static str> {
    built_in::ids_of(slug).find(|id| {
        let known = built_in::model(id);
        let name = known.as_ref().and_then(|known| known.endpoint(slug)?.get("upstream_model"));
        name.and_then(Value::as_str) == Some(upstream_model)
    })
}

/// The prices that are written, in our words; what is no price is told.
fn prices<'a>(
    nodes: impl Iterator<Item = &'a std::rc::Rc<Node>> + Clone,
    place: &str,
    notes: &mut Notes,
) -> Table {
    let mut pricing = Table::new();
    let mut tiers: BTreeMap<u64, Table> = BTreeMap::new();
    for (field, node) in nodes.flat_map(|node| node.entries()) {
        for (theirs, ours) in PRICES {
            let Some(rest) = field.strip_prefix(theirs) else { continue };
            let above = rest.strip_prefix("_above_").and_then(|rest| rest.strip_suffix("k_tokens"));
            let above: Option<u64> = above.and_then(|thousands| thousands.parse().ok());
            if !rest.is_empty() && above.is_none() {
                continue;
            }
            let Some(text) = node.text() else { continue };
            match text.replace('_', "").parse::<Rate>() {
                Ok(rate) => {
                    let set = match above.and_then(|thousands| thousands.checked_mul(1_000)) {
                        Some(least) => tiers.entry(least).or_default(),
                        None => &mut pricing,
                    };
                    set.entry(ours).or_insert_with(|| rate.to_string().into());
                }
                Err(error) => {
                    notes.add(
                        Kind::Unmapped,
                        place,
                        field.clone(),
                        format!("is no price: {error}"),
                    );
                }
            }
        }
    }
    if !tiers.is_empty() {
        let tier = |(least, mut set): (u64, Table)| {
            let least = i64::try_from(least).unwrap_or(i64::MAX);
            set.insert("min_prompt_tokens".to_owned(), least.into());
            Value::Table(set)
        };
        let tiers: Vec<Value> = tiers.into_iter().map(tier).collect();
        pricing.insert("overrides".to_owned(), tiers.into());
    }
    pricing
}

/// Whether it gives embeddings, and all there is to say of the endpoint.
fn settings(
    info: Option<&std::rc::Rc<Node>>,
    mode: Option<&str>,
    known: Option<&Known>,
    written_prices: Table,
) -> (bool, Table) {
    let mut settings = known.map(Known::endpoint).unwrap_or_default();
    let embeddings =
        mode == Some("embedding") || known.is_some_and(|known| known.model.gives_embeddings());
    let count = |fields: &[&str]| {
        let found = fields.iter().find_map(|field| info?.get(field)?.count());
        found.and_then(|count| i64::try_from(count).ok()).filter(|count| *count > 0)
    };
    let most = count(&["max_output_tokens"]);
    if let Some(context) = count(&["max_input_tokens", "max_tokens"]) {
        settings.insert("context_length".to_owned(), context.into());
    }
    if let Some(most) = most.filter(|_| !embeddings) {
        settings.insert("max_completion_tokens".to_owned(), most.into());
    }
    if !written_prices.is_empty() {
        let is_zero = |name: &str| written_prices.get(name).and_then(Value::as_str) == Some("0");
        let priced = written_prices.iter().filter(|(_, price)| price.as_str() != Some("0"));
        if priced.count() == 0 && is_zero("prompt") && (embeddings || is_zero("completion")) {
            settings.remove("pricing");
            settings.insert("free".to_owned(), true.into());
        } else {
            let known = settings.remove("pricing");
            let mut pricing = known.and_then(|known| known.as_table().cloned()).unwrap_or_default();
            pricing.extend(written_prices);
            settings.insert("pricing".to_owned(), pricing.into());
        }
    }
    (embeddings, settings)
}

/// The variable that a text stands for, as `os.environ/NAME`.
pub(super) fn variable(text: &str) -> Option<&str> {
    text.strip_prefix("os.environ/").map(str::trim)
}

/// A text as our configuration writes it: a variable's reference, or itself.
fn reference(text: &str) -> String {
    variable(text).map_or_else(|| text.to_owned(), |name| format!("${{{name}}}"))
}

/// A name as one of a variable.
pub(super) fn upper(name: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}
