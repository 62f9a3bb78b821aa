//! From the names in a request to models: ids, aliases, and what a variant after a colon says.

use std::sync::Arc;

use api::routing::SortBy;

use super::{Asked, AskedModel, Step, Terms, Unroutable};
use crate::catalogue::Catalogue;

/// Variants that are an order of the same endpoints; all others are models of their own, or none.
const ORDERS: [(&str, SortBy); 2] = [("nitro", SortBy::Throughput), ("floor", SortBy::Price)];
/// The variant that a catalogue lists as a model of its own.
const FREE: &str = "free";

pub(super) fn resolve<'a>(
    catalogue: &Catalogue,
    ids: impl Iterator<Item = &'a str>,
    terms: &Terms<'_>,
) -> Result<Asked, Unroutable> {
    let mut asked = Asked::new();
    let mut reason = None;
    for id in ids {
        match servable(catalogue, id, terms) {
            Ok(found) if asked.iter().any(|known| Arc::ptr_eq(&known.model, &found.model)) => {}
            Ok(found) => asked.push(found),
            Err(step) => reason = Some((id, step)),
        }
    }
    match reason {
        Some((id, step)) if asked.is_empty() => Err(Unroutable::new(id, step)),
        _ => Ok(asked),
    }
}

fn servable(catalogue: &Catalogue, id: &str, terms: &Terms<'_>) -> Result<AskedModel, Step> {
    let asked = model(catalogue, id).ok_or_else(|| not_found(catalogue, id))?;
    let surface = asked.model.surface();
    if !(terms.allows)(&asked.model.config.id) {
        return Err(Step::Allowed);
    }
    if surface != terms.surface {
        return Err(Step::Path { surface });
    }
    Ok(asked)
}

fn model(catalogue: &Catalogue, id: &str) -> Option<AskedModel> {
    if let Some(model) = catalogue.model(id) {
        return Some(AskedModel { model: Arc::clone(model), sort: None });
    }
    let (base, variant) = id.rsplit_once(':')?;
    let (_, sort) = ORDERS.iter().find(|(name, _)| *name == variant)?;
    let model = Arc::clone(catalogue.model(base)?);
    Some(AskedModel { model, sort: Some(*sort) })
}

fn not_found(catalogue: &Catalogue, id: &str) -> Step {
    let instead = id.rsplit_once(':').and_then(|(base, variant)| {
        let known = catalogue.model(base)?;
        (variant == FREE).then(|| known.config.id.clone())
    });
    Step::Model { instead }
}
