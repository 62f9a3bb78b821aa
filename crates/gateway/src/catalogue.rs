//! Models and providers as configured and checked: where a request may go and what that costs.
//! A reload makes a new catalogue; calls in flight keep the one they started with.

mod build;
mod endpoint_id;
mod marks;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use http::HeaderMap;
use http::uri::PathAndQuery;
use upstream::transport::Origin;
use upstream::{Prices, Surface, Tokenizer, redact};

use crate::config::ModelConfig;
use crate::metrics::EndpointFigures;
use crate::routing::Health;

pub use build::{BuildError, build};
pub use endpoint_id::endpoint_id;
pub use marks::LearnedBook;

/// What any chat endpoint takes; a provider ignores what it does not know.
pub const ALWAYS_TAKEN: [&str; 7] =
    ["max_tokens", "temperature", "top_p", "stop", "seed", "frequency_penalty", "presence_penalty"];
/// What it is taken to take besides, where its configuration does not say.
pub const TAKEN_UNLESS_SAID: [&str; 2] = ["response_format", "tools"];

/// A model provider.
pub struct Provider {
    /// Its name in routing, rows and metrics.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// What people may want to know of it.
    pub facts: api::providers::Provider,
    /// Where it is.
    pub origin: Arc<Origin>,
    /// Where chat completions are asked for.
    pub chat_path: PathAndQuery,
    /// Where embeddings are asked for.
    pub embeddings_path: PathAndQuery,
    /// The headers every request carries, its credential among them.
    pub headers: HeaderMap,
    /// The same without any that may be the operator's credential, for requests that go with another.
    pub headers_without_credentials: HeaderMap,
    /// Its credentials, to be taken out of its error texts.
    pub credentials: Vec<String>,
    /// It stops generating, and billing, when its connection closes.
    pub stops_on_disconnect: bool,
    /// It may keep what it is sent for purposes of its own, as far as is known.
    pub collects_data: bool,
    /// It refused the gateway's credential, and is left alone until then, in microseconds.
    pub resting_until_us: AtomicI64,
}

impl Provider {
    /// A text of the provider's that others may see: its credentials and the like taken out.
    pub fn redacted(&self, text: &str) -> String {
        let redacted = redact(text, "");
        self.credentials.iter().fold(redacted, |text, credential| redact(&text, credential))
    }

    /// Where that is asked for.
    pub fn path(&self, surface: Surface) -> &PathAndQuery {
        match surface {
            Surface::Chat => &self.chat_path,
            Surface::Embeddings => &self.embeddings_path,
        }
    }

    /// Whether requests may go to it at `now`.
    pub fn is_available(&self, now: jiff::Timestamp) -> bool {
        self.resting_until_us.load(Ordering::Relaxed) <= now.as_microsecond()
    }
}

/// The bounds of one kind of part that is not text, in tokens each.
#[derive(Clone, Copy, Debug)]
pub struct MediaBounds {
    /// An image.
    pub image: u64,
    /// An audio part.
    pub audio: u64,
    /// A file.
    pub file: u64,
    /// Any other part.
    pub unknown: u64,
}

/// One place where a model runs.
pub struct Endpoint {
    /// Who runs it.
    pub provider: Arc<Provider>,
    /// The gateway's id of the model.
    pub model: String,
    /// The provider's name for it.
    pub upstream_model: String,
    /// What tells it from others of its provider.
    pub variant: Option<String>,
    /// How coarsely its weights are kept.
    pub quantization: Option<String>,
    /// The provider keeps nothing of what it is sent.
    pub zdr: bool,
    /// The provider caches prompts without being asked to.
    pub implicit_caching: bool,
    /// The most prompt and completion tokens together.
    pub context_length: u64,
    /// The most completion tokens; 0 where embeddings are given.
    pub max_completion_tokens: u64,
    /// The name of the maximum it obeys.
    pub max_tokens_field: String,
    /// Tokens added to a prompt unseen, without tools and with.
    pub prompt_overhead_tokens: [u64; 2],
    /// The most reasoning tokens beyond the completion's maximum.
    pub reasoning_tokens_max: u64,
    /// The bounds of parts that are not text.
    pub media: MediaBounds,
    /// Which of the parameters that not every model takes it takes; `None` where that is not known.
    pub supported_parameters: Option<Vec<String>>,
    /// How it counts tokens.
    pub tokenizer: Option<Arc<Tokenizer>>,
    /// The provider does not bill answers without a completion token.
    pub zero_completion_free: bool,
    /// What it charges.
    pub prices: Arc<Prices>,
    /// What was learned from its answers; outlives a reload.
    pub learned: Arc<Learned>,
}

impl Endpoint {
    /// Its name in routing: the provider's slug, or `slug/variant`.
    pub fn tag(&self) -> String {
        let slug = &self.provider.slug;
        self.variant.as_ref().map_or_else(|| slug.clone(), |variant| format!("{slug}/{variant}"))
    }

    /// Whether a request's parameter does something here, as far as is known.
    pub fn takes(&self, parameter: &str) -> bool {
        let has = |known: &[&str]| known.contains(&parameter);
        match &self.supported_parameters {
            _ if has(&ALWAYS_TAKEN) => true,
            Some(said) => said.iter().any(|name| name == parameter),
            // With tools, every way to choose one is taken to be known.
            None => has(&TAKEN_UNLESS_SAID) || parameter == "tool_choice",
        }
    }

    /// Whether `name` is its provider's, or that of some of the provider's endpoints of which it is
    /// one: a slug or a name for people, with a variant or without (SEMANTICS 11.3).
    pub fn is_called(&self, name: &str) -> bool {
        let Provider { slug, name: for_people, .. } = &*self.provider;
        if name.eq_ignore_ascii_case(slug) || name.eq_ignore_ascii_case(for_people) {
            return true;
        }
        let is_own_variant = |known: &str| {
            let (Some((base, variant)), Some(own)) = (name.rsplit_once('/'), &self.variant) else {
                return false;
            };
            base.eq_ignore_ascii_case(known) && variant.eq_ignore_ascii_case(own)
        };
        // A region may be a provider of its own here: `vertex` is `vertex/europe`, too.
        let is_base = slug.as_bytes().get(name.len()) == Some(&b'/')
            && slug.get(..name.len()).is_some_and(|base| base.eq_ignore_ascii_case(name));
        is_base || is_own_variant(slug) || is_own_variant(for_people)
    }

    /// Whether it may put out tokens of reasoning, which need not be in what it sends.
    pub fn may_reason(&self) -> bool {
        let reasons = |taken: &Vec<String>| taken.iter().any(|name| name == "reasoning");
        self.reasoning_tokens_max > 0 || self.supported_parameters.as_ref().is_some_and(reasons)
    }
}

/// What was learned about an endpoint from its answers (DESIGN steps 2 and 6), and what was counted
/// of them.
#[derive(Debug, Default)]
pub struct Learned {
    prompt_overhead_tokens: AtomicU64,
    held_at_maximum: AtomicBool,
    barred: AtomicBool,
    /// What was counted of it.
    pub figures: EndpointFigures,
    /// How it does.
    pub health: Health,
}

impl Learned {
    /// The most tokens it was seen to add to a prompt.
    pub fn prompt_overhead_tokens(&self) -> u64 {
        self.prompt_overhead_tokens.load(Ordering::Relaxed)
    }

    /// It charged above a hold, so it is held at its own maximum.
    pub fn is_held_at_maximum(&self) -> bool {
        self.held_at_maximum.load(Ordering::Relaxed)
    }

    /// It charged above its own maximum, so it serves no limited key.
    pub fn is_barred(&self) -> bool {
        self.barred.load(Ordering::Relaxed)
    }

    /// Notes an overhead; whether it is more than was known.
    pub fn raise_overhead(&self, tokens: u64) -> bool {
        self.prompt_overhead_tokens.fetch_max(tokens, Ordering::Relaxed) < tokens
    }

    /// Notes a charge above a hold, which was the endpoint's own maximum or not.
    pub fn charged_above_hold(&self, was_at_maximum: bool) {
        let mark = if was_at_maximum { &self.barred } else { &self.held_at_maximum };
        mark.store(true, Ordering::Relaxed);
    }

    /// Forgets what it charged above holds, and the overhead.
    pub fn clear(&self) {
        self.prompt_overhead_tokens.store(0, Ordering::Relaxed);
        self.held_at_maximum.store(false, Ordering::Relaxed);
        self.barred.store(false, Ordering::Relaxed);
    }
}

/// A model.
pub struct Model {
    /// What the configuration says of it.
    pub config: ModelConfig,
    /// Its name for people.
    pub name: String,
    /// Where it runs, in the order they are tried; at least one.
    pub endpoints: Vec<Arc<Endpoint>>,
}

impl Model {
    /// What it is asked for.
    pub fn surface(&self) -> Surface {
        self.config.surface()
    }
}

/// Everything a request may go to.
#[derive(Default)]
pub struct Catalogue {
    /// The models, in the order of the configuration.
    pub models: Vec<Arc<Model>>,
    /// The providers, in the order of the configuration.
    pub providers: Vec<Arc<Provider>>,
    by_id: HashMap<String, Arc<Model>>,
}

impl Catalogue {
    /// The model of that id or alias.
    pub fn model(&self, id: &str) -> Option<&Arc<Model>> {
        self.by_id.get(id)
    }

    /// A provider's name for people; its slug where it has left the configuration.
    pub fn provider_name<'a>(&'a self, slug: &'a str) -> &'a str {
        let provider = self.providers.iter().find(|provider| provider.slug == slug);
        provider.map_or(slug, |provider| &provider.name)
    }

    /// Every endpoint of every model.
    pub fn endpoints(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.models.iter().flat_map(|model| &model.endpoints)
    }
}
