//! Which endpoints of a model do what a request asks for, step by step in a fixed order
//! (SEMANTICS 11.2). A wish that none fulfils leaves none, except for the last two steps, which
//! only prefer.

use std::sync::Arc;

use api::models::PARAMETERS;
use api::routing::MaxPrice;
use upstream::{PriceSet, Request};

use super::copies::{self, EndpointCopy};
use super::{Endpoints, Question, Step, Unroutable};
use crate::catalogue::{Endpoint, Model};

/// No text has more bytes to a token, on the whole: a prompt of more is sure not to fit.
const BYTES_A_TOKEN_MAX: u64 = 8;
/// Parameters that only those endpoints are used for that take them, where some do.
const PREFERRED: [&str; 3] = ["tools", "response_format", "verbosity"];

/// The endpoints of `model` that fit, in the order of the configuration; at least one.
pub(super) fn fitting<'a>(
    model: &'a Model,
    question: &Question<'a>,
) -> Result<Endpoints<'a>, Unroutable> {
    let Question { request, wish, .. } = *question;
    let mut left = Left { model, endpoints: model.endpoints.iter().collect() };
    left.keep(|endpoint| !copies::available(endpoint, question).is_empty(), || Step::Health)?;
    for (modality, parts) in [("image", request.media.images), ("audio", request.media.audios)] {
        if parts > 0 {
            left.keep(|_| model.config.may_take(modality), || Step::Input { modality })?;
        }
    }
    if wish.zdr {
        let has_zdr = |endpoint: &Arc<Endpoint>| {
            copies::available(endpoint, question).iter().any(EndpointCopy::is_zdr)
        };
        left.keep(has_zdr, || Step::DataPolicy { field: "zdr" })?;
    }
    if wish.deny_data_collection {
        let is_fitting = |endpoint: &Arc<Endpoint>| !copies::fitting(endpoint, question).is_empty();
        left.keep(is_fitting, || Step::DataPolicy { field: "data_collection" })?;
    }
    left.keep_named("only", &wish.only)?;
    if wish.no_fallbacks {
        left.keep_named("order", &wish.order)?;
    }
    if !wish.ignore.is_empty() {
        let is_wanted = |endpoint: &Arc<Endpoint>| !is_among(endpoint, &wish.ignore);
        left.keep(is_wanted, || Step::Ignore { requested: wish.ignore.clone() })?;
    }
    if !wish.quantizations.is_empty() {
        let kept = |endpoint: &Arc<Endpoint>| {
            let own = endpoint.quantization.as_deref().unwrap_or("unknown");
            wish.quantizations.iter().any(|wanted| wanted == own)
        };
        left.keep(kept, || Step::Quantizations { requested: wish.quantizations.clone() })?;
    }
    if !wish.max_price.is_none() {
        let fits = |endpoint: &Arc<Endpoint>| is_within(endpoint, &wish.max_price, request);
        left.keep(fits, || Step::MaxPrice(Box::new(wish.max_price)))?;
    }
    if left.endpoints.len() > 1 {
        left.prefer(|endpoint| is_large_enough(endpoint, request));
    }
    if wish.require_parameters {
        left.keep_taking_all(request)?;
    } else if left.endpoints.len() > 1 {
        for parameter in PREFERRED {
            if is_asked_for(request, parameter) {
                left.prefer(|endpoint| endpoint.takes(parameter));
            }
        }
    }
    Ok(left.endpoints)
}

/// The endpoints of a model that no step has left out yet.
struct Left<'a> {
    model: &'a Model,
    endpoints: Endpoints<'a>,
}

impl<'a> Left<'a> {
    fn keep(
        &mut self,
        is_kept: impl Fn(&'a Arc<Endpoint>) -> bool,
        step: impl FnOnce() -> Step,
    ) -> Result<(), Unroutable> {
        if self.endpoints.iter().any(|endpoint| is_kept(endpoint)) {
            self.endpoints.retain(|endpoint| is_kept(endpoint));
            return Ok(());
        }
        let mut unroutable = Unroutable::new(&self.model.config.id, step());
        for endpoint in &self.endpoints {
            let slug = &endpoint.provider.slug;
            if !unroutable.providers.contains(slug) {
                unroutable.providers.push(slug.clone());
            }
        }
        Err(unroutable)
    }

    /// Keeps those of the providers that `names` has, where it has any.
    fn keep_named(&mut self, field: &'static str, names: &[String]) -> Result<(), Unroutable> {
        if names.is_empty() {
            return Ok(());
        }
        let step = || Step::Only { field, requested: names.to_vec() };
        self.keep(|endpoint| is_among(endpoint, names), step)
    }

    /// Keeps those that `is_better` says, where there are any.
    fn prefer(&mut self, is_better: impl Fn(&Endpoint) -> bool) {
        if self.endpoints.iter().any(|endpoint| is_better(endpoint)) {
            self.endpoints.retain(|endpoint| is_better(endpoint));
        }
    }

    fn keep_taking_all(&mut self, request: &Request) -> Result<(), Unroutable> {
        if request.has_tools {
            self.keep(|endpoint| endpoint.takes("tools"), || Step::Tools)?;
        }
        let wanted = parameters(request);
        let takes_all = |endpoint: &Arc<Endpoint>| wanted.iter().all(|name| takes(endpoint, name));
        let is_missing = |name: &&&str| !self.endpoints.iter().any(|at| takes(at, name));
        let missing: Vec<String> =
            wanted.iter().filter(is_missing).map(|name| (*name).to_owned()).collect();
        self.keep(takes_all, || Step::Parameters(missing))
    }
}

/// Whether an endpoint is one that a list of providers means.
pub(super) fn is_among(endpoint: &Endpoint, names: &[String]) -> bool {
    names.iter().any(|name| endpoint.is_called(name))
}

/// Whether no price that the request may come to there is above what the client will pay.
fn is_within(endpoint: &Endpoint, most: &MaxPrice, request: &Request) -> bool {
    let prices = &endpoint.prices;
    // More bytes than that the prompt does not have, and hence no more tokens.
    let longest = request.prompt_bytes.saturating_add(endpoint.prompt_overhead_tokens[1]);
    let is_sure = request.is_text_only();
    let reached = |min_prompt_tokens: u64| !is_sure || min_prompt_tokens <= longest;
    let tiers = prices.overrides.iter().filter(|tier| reached(tier.min_prompt_tokens));
    let fits = |set: &PriceSet| {
        [
            (Some(set.prompt), most.prompt),
            (Some(set.completion), most.completion),
            (set.request, most.request),
            (set.image, most.image),
            (set.audio, most.audio),
        ]
        .into_iter()
        .all(|(price, most)| most.is_none_or(|most| price.unwrap_or_default() <= most))
    };
    fits(&prices.base) && tiers.map(|tier| &tier.prices).all(fits)
}

/// Whether the completion that is asked for fits, and the prompt is not sure to be too long.
fn is_large_enough(endpoint: &Endpoint, request: &Request) -> bool {
    let completion = request.max_tokens.unwrap_or(0);
    let prompt = request.prompt_bytes / request.inputs.max(1) / BYTES_A_TOKEN_MAX;
    completion <= endpoint.max_completion_tokens
        && prompt.saturating_add(completion) <= endpoint.context_length
}

fn is_asked_for(request: &Request, parameter: &str) -> bool {
    match parameter {
        "tools" => request.has_tools,
        _ => request.raw(parameter).is_some(),
    }
}

/// The parameters of a request, by the names that catalogues list them under.
fn parameters(request: &Request) -> Vec<&str> {
    let listed = |field| match field {
        "functions" => "tools",
        "function_call" => "tool_choice",
        other => other,
    };
    let mut names: Vec<&str> = request.fields().map(listed).collect();
    names.retain(|name| PARAMETERS.contains(name));
    // An empty list of tools asks for nothing.
    names.retain(|name| *name != "tools" || request.has_tools);
    if request.raw("response_format").is_some_and(|format| format.contains("json_schema")) {
        names.push("structured_outputs");
    }
    names
}

/// Whether an endpoint takes a parameter, by any name that the parameter has.
fn takes(endpoint: &Endpoint, parameter: &str) -> bool {
    endpoint.takes(parameter)
        || match parameter {
            "max_completion_tokens" => endpoint.takes("max_tokens"),
            "reasoning_effort" | "include_reasoning" => endpoint.takes("reasoning"),
            "reasoning" => endpoint.takes("reasoning_effort"),
            _ => false,
        }
}
