//! Which models a list is asked for, and in which order.

use std::cmp::Reverse;
use std::sync::Arc;

use api::models::{ListModels, ModelSort};
use money::Rate;

use super::{author, parameters};
use crate::catalogue::{Catalogue, Endpoint, Model};

/// The listed models that `wanted` asks for, all pages of them.
pub(super) fn chosen<'a>(catalogue: &'a Catalogue, wanted: &ListModels) -> Vec<&'a Arc<Model>> {
    let is_chosen = |model: &&Arc<Model>| model.config.listed && is_wanted(model, wanted);
    let mut chosen: Vec<_> = catalogue.models.iter().filter(is_chosen).collect();
    if let Some(sort) = wanted.sort {
        chosen.sort_by_cached_key(|model| (model.name.to_lowercase(), model.config.id.clone()));
        // Stable: what is equal stays in the order of names.
        match sort {
            ModelSort::Name => {}
            ModelSort::Newest => chosen.sort_by_key(|model| Reverse(model.config.created)),
            ModelSort::PricingLowToHigh => chosen.sort_by_key(|model| price(model)),
            ModelSort::PricingHighToLow => chosen.sort_by_key(|model| Reverse(price(model))),
            ModelSort::ContextHighToLow => chosen.sort_by_key(|model| Reverse(context(model))),
        }
    }
    chosen
}

fn is_wanted(model: &Model, wanted: &ListModels) -> bool {
    let config = &model.config;
    let is_named = |text: &String| {
        let text = text.to_lowercase();
        config.id.to_lowercase().contains(&text) || model.name.to_lowercase().contains(&text)
    };
    let has_all = |has: &[String], wanted: &[String]| wanted.iter().all(|word| has.contains(word));
    let comes_out = |wanted: &Vec<String>| {
        wanted.iter().any(|modality| config.output_modalities.contains(modality))
    };
    let is_author = |name: &String| name.eq_ignore_ascii_case(author(&config.id));
    wanted.q.as_ref().is_none_or(is_named)
        && has_all(&parameters(model), &wanted.supported_parameters)
        && has_all(&config.shown_inputs(), &wanted.input_modalities)
        && wanted.output_modalities.as_ref().is_none_or(comes_out)
        && wanted.context.is_none_or(|least| context(model) >= least)
        && is_affordable(model, wanted)
        && (wanted.model_authors.is_empty() || wanted.model_authors.iter().any(is_author))
        && (wanted.providers.is_empty() || runs_at_one(model, &wanted.providers))
        && (!wanted.zdr || model.endpoints.iter().any(|endpoint| endpoint.zdr))
}

/// Whether its prices, as they are listed, lie between those asked for.
fn is_affordable(model: &Model, wanted: &ListModels) -> bool {
    let Some(prices) = model.endpoints.first().map(|top| &top.prices.base) else { return false };
    let lies_in = |price: Rate, least: Option<Rate>, most: Option<Rate>| {
        least.is_none_or(|least| price >= least) && most.is_none_or(|most| price <= most)
    };
    lies_in(prices.prompt, wanted.min_price, wanted.max_price)
        && lies_in(prices.completion, wanted.min_output_price, wanted.max_output_price)
}

/// Whether one of the providers, by slug or name, runs it.
fn runs_at_one(model: &Model, providers: &[String]) -> bool {
    let is_at = |endpoint: &Arc<Endpoint>| {
        let provider = &endpoint.provider;
        let is_it = |name: &String| {
            name.eq_ignore_ascii_case(&provider.slug) || name.eq_ignore_ascii_case(&provider.name)
        };
        providers.iter().any(is_it)
    };
    model.endpoints.iter().any(is_at)
}

/// The longest context, as it is listed.
fn context(model: &Model) -> u64 {
    let top = model.endpoints.first().map_or(0, |top| top.context_length);
    model.config.context_length.unwrap_or(top)
}

/// What a token of each kind costs together: in the order of the averages.
fn price(model: &Model) -> u128 {
    let prices = model.endpoints.first().map(|top| &top.prices.base);
    prices.map_or(0, |prices| Rate::blend(&[(1, prices.prompt), (1, prices.completion)]))
}
