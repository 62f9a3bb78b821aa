//! Checks what the configuration says of providers and models, and puts it together.
//! A model with no price is refused, unless it says `free = true` (DESIGN "Money").

mod facts;

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use money::Rate;
use upstream::transport::Origin;
use upstream::{PriceSet, PriceTier, Prices, Surface, Tokenizer};

use super::{Catalogue, Endpoint, LearnedBook, MediaBounds, Model, Provider};
use crate::config::{
    Config, ConfigError, EMBEDDINGS, EndpointConfig, ModelConfig, PricingConfig, Problems,
    ProviderConfig,
};

/// Why a catalogue can't be made: the setting and its problem.
pub type BuildError = ConfigError;

/// Longer names would not fit a hold's record.
const NAME_BYTES_MAX: usize = 100;
/// A header's value from this length on is taken out of error texts.
const SECRET_BYTES_MIN: usize = 12;
const OVERHEAD_TOKENS: u64 = 256;
const OVERHEAD_TOKENS_WITH_TOOLS: u64 = 1_024;
/// No real model comes near; it keeps sums of tokens far from the end of the number line.
const TOKENS_MAX: u64 = 1 << 32;

/// The catalogue of `config`, with file names taken from `folder`. What `earlier` has learned about
/// an endpoint that is still there goes along.
pub fn build(
    config: &Config,
    folder: &Path,
    learned: &LearnedBook,
) -> Result<Catalogue, BuildError> {
    let mut problems = Problems::default();
    let mut catalogue = Catalogue::default();
    let mut providers = HashMap::new();
    for (index, provider) in config.providers.iter().enumerate() {
        let setting = format!("providers[{index}]");
        let built = problems.take(self::provider(&setting, provider)).map(Arc::new);
        catalogue.providers.extend(built.clone());
        if providers.insert(provider.slug.as_str(), built).is_some() {
            problems.add(ConfigError::invalid(&format!("{setting}.slug"), "is used twice"));
        }
    }
    let mut tokenizers = HashMap::new();
    for (index, model) in config.models.iter().enumerate() {
        let setting = format!("models[{index}]");
        problems.take(named(&setting, "id", &model.id));
        problems.take(facts::model(&setting, model));
        if model.surface() == Surface::Embeddings && model.output_modalities.len() > 1 {
            let problem = format!("must be `{EMBEDDINGS}` alone, or without it");
            problems.add(ConfigError::invalid(&format!("{setting}.output_modalities"), problem));
        }
        if model.endpoints.is_empty() {
            problems.add(ConfigError::invalid(&format!("{setting}.endpoints"), "is empty"));
        }
        let mut endpoints = Vec::new();
        for (place, written) in model.endpoints.iter().enumerate() {
            let mut building = Building {
                setting: format!("{setting}.endpoints[{place}]"),
                providers: &providers,
                folder,
                tokenizers: &mut tokenizers,
                learned,
            };
            let built = problems.take(building.endpoint(model, written)).flatten();
            endpoints.extend(built.map(Arc::new));
        }
        let built = Arc::new(Model {
            name: model.name.clone().unwrap_or_else(|| model.id.clone()),
            config: model.clone(),
            endpoints,
        });
        if catalogue.by_id.insert(model.id.clone(), Arc::clone(&built)).is_some() {
            problems.add(ConfigError::invalid(&format!("{setting}.id"), "is used twice"));
        }
        catalogue.models.push(built);
    }
    add_aliases(&mut catalogue, &mut problems);
    problems.end()?;
    Ok(catalogue)
}

/// Adds the further names of models, which must be nobody else's.
fn add_aliases(catalogue: &mut Catalogue, problems: &mut Problems) {
    for (index, model) in catalogue.models.iter().enumerate() {
        for (place, alias) in model.config.aliases.iter().enumerate() {
            let setting = format!("models[{index}].aliases[{place}]");
            if !is_plain(alias) {
                problems.add(ConfigError::invalid(&setting, PLAIN));
            }
            if catalogue.by_id.insert(alias.clone(), Arc::clone(model)).is_some() {
                let problem = format!("is `{alias}`, which is a model's id or alias already");
                problems.add(ConfigError::invalid(&setting, problem));
            }
        }
    }
}

const PLAIN: &str = "must be 1 to 100 bytes without spaces or control characters";

fn is_plain(text: &str) -> bool {
    let has_odd = text.chars().any(|c| c.is_control() || c.is_whitespace());
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !has_odd
}

fn named(setting: &str, field: &str, text: &str) -> Result<(), BuildError> {
    if is_plain(text) {
        return Ok(());
    }
    Err(ConfigError::invalid(&format!("{setting}.{field}"), PLAIN))
}

fn provider(setting: &str, written: &ProviderConfig) -> Result<Provider, BuildError> {
    named(setting, "slug", &written.slug)?;
    if written.api != "openai" {
        return Err(ConfigError::invalid(
            &format!("{setting}.api"),
            "must be `openai`, the one wire format of this version",
        ));
    }
    let setting_url = format!("{setting}.base_url");
    let base_url = |problem| ConfigError::invalid(&setting_url, problem);
    let address = written.base_url.as_deref();
    let address = address.ok_or_else(|| ConfigError::invalid(&setting_url, "is missing"))?;
    let origin = Origin::parse(address).map_err(base_url)?;
    let chat_path = origin.path_and_query("chat/completions").map_err(base_url)?;
    let embeddings_path = origin.path_and_query("embeddings").map_err(base_url)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &written.headers {
        let setting = format!("{setting}.headers.{name}");
        let name = HeaderName::try_from(name)
            .map_err(|_| ConfigError::invalid(&setting, "is not a header's name"))?;
        let mut header = HeaderValue::try_from(value)
            .map_err(|_| ConfigError::invalid(&setting, "is not a header's value"))?;
        header.set_sensitive(true);
        headers.insert(name, header);
    }
    // A header may carry a credential as well; a short one is a version or a switch.
    let secret = |value: &&String| value.len() >= SECRET_BYTES_MIN;
    let headers_without_credentials: HeaderMap = headers
        .iter()
        .filter(|(_, value)| value.len() < SECRET_BYTES_MIN)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let mut credentials: Vec<String> = written.headers.values().filter(secret).cloned().collect();
    if let Some(credential) = written.api_key.as_ref().filter(|text| !text.is_empty()) {
        credentials.push(credential.clone());
        let mut value = HeaderValue::try_from(format!("Bearer {credential}")).map_err(|_| {
            let problem = "has characters that a header can't carry";
            ConfigError::invalid(&format!("{setting}.api_key"), problem)
        })?;
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    let facts = facts::provider(setting, written)?;
    Ok(Provider {
        slug: written.slug.clone(),
        name: facts.name.clone(),
        facts,
        origin: Arc::new(origin),
        chat_path,
        embeddings_path,
        headers,
        headers_without_credentials,
        credentials,
        stops_on_disconnect: written.stops_on_disconnect,
        collects_data: written.collects_data,
        resting_until_us: AtomicI64::new(i64::MIN),
    })
}

struct Building<'a> {
    setting: String,
    /// Nothing for one that is described, and not as it must be.
    providers: &'a HashMap<&'a str, Option<Arc<Provider>>>,
    folder: &'a Path,
    tokenizers: &'a mut HashMap<String, Arc<Tokenizer>>,
    learned: &'a LearnedBook,
}

impl Building<'_> {
    fn invalid(&self, field: &str, problem: impl std::fmt::Display) -> BuildError {
        ConfigError::invalid(&format!("{}.{field}", self.setting), problem)
    }

    /// An endpoint; none where all that is wrong is its provider, of which that was said already.
    fn endpoint(
        &mut self,
        model: &ModelConfig,
        written: &EndpointConfig,
    ) -> Result<Option<Endpoint>, BuildError> {
        let mut problems = Problems::default();
        let is_chat = model.surface() == Surface::Chat;
        let upstream_model = written.upstream_model.clone().unwrap_or_else(|| model.id.clone());
        let provider = problems.take(self.provider(&written.provider)).flatten();
        problems.take(named(&self.setting, "upstream_model", &upstream_model));
        if !is_chat {
            problems.take(self.without_completion(written));
        }
        let lengths = problems.take(self.lengths(model, written, is_chat));
        problems.take(facts::endpoint(&self.setting, written));
        let prices = problems.take(self.prices(written, is_chat));
        let tokenizer = problems.take(self.tokenizer(written.tokenizer.as_deref()));
        problems.end()?;
        let (Some(provider), Some((context_length, max_completion_tokens)), Some(prices)) =
            (provider, lengths, prices)
        else {
            return Ok(None);
        };
        let media = MediaBounds {
            image: written.image_tokens_max.unwrap_or(context_length).min(context_length),
            audio: written.audio_tokens_max.unwrap_or(context_length).min(context_length),
            file: written.file_tokens_max.unwrap_or(context_length).min(context_length),
            unknown: context_length,
        };
        let learned = self.learned.of(&model.id, &provider.slug, &upstream_model);
        Ok(Some(Endpoint {
            prices: Arc::new(prices),
            tokenizer: tokenizer.flatten(),
            provider,
            model: model.id.clone(),
            upstream_model,
            variant: written.variant.clone(),
            quantization: written.quantization.clone(),
            zdr: written.zdr,
            implicit_caching: written.implicit_caching,
            context_length,
            max_completion_tokens,
            max_tokens_field: written.max_tokens_field.clone(),
            prompt_overhead_tokens: [
                written.prompt_overhead_tokens.unwrap_or(OVERHEAD_TOKENS),
                written.prompt_overhead_tokens.unwrap_or(OVERHEAD_TOKENS_WITH_TOOLS),
            ],
            reasoning_tokens_max: written.reasoning_tokens_max,
            media,
            supported_parameters: written.supported_parameters.clone(),
            zero_completion_free: written.zero_completion_free,
            learned,
        }))
    }

    fn provider(&self, slug: &str) -> Result<Option<Arc<Provider>>, BuildError> {
        self.providers.get(slug).cloned().ok_or_else(|| {
            let problem = format!("names `{slug}`, which is none of the providers");
            self.invalid("provider", problem)
        })
    }

    /// The most prompt and completion tokens together, and of the completion.
    fn lengths(
        &self,
        model: &ModelConfig,
        written: &EndpointConfig,
        is_chat: bool,
    ) -> Result<(u64, u64), BuildError> {
        let context_length = written.context_length.or(model.context_length);
        // Embeddings have no completion: there is nothing to bound.
        let max_completion_tokens =
            if is_chat { written.max_completion_tokens.or(context_length) } else { Some(0) };
        let (Some(context_length), Some(max_completion_tokens)) =
            (context_length, max_completion_tokens)
        else {
            return Err(self.invalid(
                "context_length",
                "is needed here or on the model: it bounds what a request can cost",
            ));
        };
        for (field, tokens) in [
            ("context_length", context_length),
            ("max_completion_tokens", max_completion_tokens.max(u64::from(!is_chat))),
            ("reasoning_tokens_max", written.reasoning_tokens_max),
        ] {
            if tokens > TOKENS_MAX || (tokens == 0 && field != "reasoning_tokens_max") {
                return Err(self.invalid(field, format!("must be from 1 to {TOKENS_MAX}")));
            }
        }
        Ok((context_length, max_completion_tokens))
    }

    fn tokenizer(&mut self, name: Option<&str>) -> Result<Option<Arc<Tokenizer>>, BuildError> {
        let Some(name) = name else { return Ok(None) };
        if let Some(known) = self.tokenizers.get(name) {
            return Ok(Some(Arc::clone(known)));
        }
        let is_file = std::path::Path::new(name).extension().is_some_and(|end| end == "json");
        let loaded = if is_file {
            Tokenizer::from_file(&self.folder.join(name))
        } else {
            Tokenizer::named(name)
        };
        let loaded = Arc::new(loaded.map_err(|error| self.invalid("tokenizer", error))?);
        self.tokenizers.insert(name.to_owned(), Arc::clone(&loaded));
        Ok(Some(loaded))
    }

    /// Refuses settings of a completion where there is none.
    fn without_completion(&self, written: &EndpointConfig) -> Result<(), BuildError> {
        for (field, is_given) in [
            ("max_completion_tokens", written.max_completion_tokens.is_some()),
            ("reasoning_tokens_max", written.reasoning_tokens_max > 0),
            // Every answer would be free.
            ("zero_completion_free", written.zero_completion_free),
        ] {
            if is_given {
                return Err(self.invalid(field, "has no meaning for a model that gives embeddings"));
            }
        }
        Ok(())
    }

    fn prices(&self, written: &EndpointConfig, is_chat: bool) -> Result<Prices, BuildError> {
        match (&written.pricing, written.free) {
            (None, true) => Ok(Prices::default()),
            (None, false) => Err(self.invalid(
                "pricing",
                "is missing: give `prompt` and `completion`, or say `free = true`",
            )),
            (Some(_), true) => {
                Err(self.invalid("free", "contradicts `pricing`: leave one of them out"))
            }
            (Some(pricing), false) if is_chat && pricing.completion.is_none() => {
                Err(self.invalid("pricing.completion", "is missing"))
            }
            (Some(pricing), false) => self.priced(pricing),
        }
    }

    fn priced(&self, written: &PricingConfig) -> Result<Prices, BuildError> {
        // What is no price is a problem, and stands as nothing meanwhile.
        let problems = RefCell::new(Problems::default());
        let rate = |name: &str, text: &str| {
            let parsed = text.parse::<Rate>().map_err(|problem| {
                self.invalid(&format!("pricing.{name}"), format!("is `{text}`: {problem}"))
            });
            problems.borrow_mut().take(parsed).unwrap_or_default()
        };
        let optional = |name: &str, text: &Option<String>| text.as_deref().map(|t| rate(name, t));
        let base = PriceSet {
            prompt: rate("prompt", &written.prompt),
            completion: optional("completion", &written.completion).unwrap_or_default(),
            input_cache_read: optional("input_cache_read", &written.input_cache_read),
            input_cache_write: optional("input_cache_write", &written.input_cache_write),
            input_audio_cache: optional("input_audio_cache", &written.input_audio_cache),
            internal_reasoning: optional("internal_reasoning", &written.internal_reasoning),
            audio: optional("audio", &written.audio),
            audio_output: optional("audio_output", &written.audio_output),
            image: optional("image", &written.image),
            request: optional("request", &written.request),
        };
        let mut overrides = Vec::new();
        for (place, tier) in written.overrides.iter().enumerate() {
            let or = |field: &str, text: &Option<String>, base: Option<Rate>| {
                optional(&format!("overrides[{place}].{field}"), text).or(base)
            };
            let required = |field: &str, text: &Option<String>, base: Rate| {
                or(field, text, None).unwrap_or(base)
            };
            let prices = PriceSet {
                prompt: required("prompt", &tier.prompt, base.prompt),
                completion: required("completion", &tier.completion, base.completion),
                input_cache_read: or(
                    "input_cache_read",
                    &tier.input_cache_read,
                    base.input_cache_read,
                ),
                input_cache_write: or(
                    "input_cache_write",
                    &tier.input_cache_write,
                    base.input_cache_write,
                ),
                input_audio_cache: or(
                    "input_audio_cache",
                    &tier.input_audio_cache,
                    base.input_audio_cache,
                ),
                internal_reasoning: or(
                    "internal_reasoning",
                    &tier.internal_reasoning,
                    base.internal_reasoning,
                ),
                audio: or("audio", &tier.audio, base.audio),
                audio_output: or("audio_output", &tier.audio_output, base.audio_output),
                ..base
            };
            overrides.push(PriceTier { min_prompt_tokens: tier.min_prompt_tokens, prices });
        }
        problems.into_inner().end()?;
        Ok(Prices { base, overrides })
    }
}

#[cfg(test)]
mod tests;
