//! Checks what the configuration says for people and reports alone: it bounds and charges nothing,
//! but clients are told it, in words that the API has lists of.

use api::models::{INPUT_MODALITIES, OUTPUT_MODALITIES, PARAMETERS};
use api::providers;
use api::routing::QUANTIZATIONS;
use jiff::civil::Date;

use super::{BuildError, named};
use crate::config::{ConfigError, EndpointConfig, ModelConfig, ProviderConfig};

/// What people may want to know of a provider.
pub(super) fn provider(
    setting: &str,
    written: &ProviderConfig,
) -> Result<providers::Provider, BuildError> {
    for (field, url) in [
        ("privacy_policy_url", &written.privacy_policy_url),
        ("terms_of_service_url", &written.terms_of_service_url),
        ("status_page_url", &written.status_page_url),
    ] {
        let is_url =
            |url: &String| url.parse::<http::Uri>().is_ok_and(|url| url.scheme().is_some());
        check(setting, field, url.as_ref().is_none_or(is_url), || "must be a URL".to_owned())?;
    }
    let is_country =
        |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    let countries = || "must be two capital letters, such as `US`".to_owned();
    check(
        setting,
        "headquarters",
        written.headquarters.as_ref().is_none_or(is_country),
        countries,
    )?;
    let mut datacenters = written.datacenters.iter().flatten();
    check(setting, "datacenters", datacenters.all(is_country), countries)?;
    Ok(providers::Provider {
        name: written.name.clone().unwrap_or_else(|| written.slug.clone()),
        slug: written.slug.clone(),
        privacy_policy_url: written.privacy_policy_url.clone(),
        terms_of_service_url: written.terms_of_service_url.clone(),
        status_page_url: written.status_page_url.clone(),
        headquarters: written.headquarters.clone(),
        datacenters: written.datacenters.clone(),
    })
}

/// Refuses what would be shown of a model and is not what it says.
pub(super) fn model(setting: &str, written: &ModelConfig) -> Result<(), BuildError> {
    for (field, given, known) in [
        ("input_modalities", &written.shown_inputs(), &INPUT_MODALITIES[..]),
        ("output_modalities", &written.output_modalities, &OUTPUT_MODALITIES[..]),
    ] {
        check(setting, field, !given.is_empty(), || {
            format!("must be some of {}", known.join(", "))
        })?;
        all_known(setting, field, given, known)?;
    }
    for (field, day) in [
        ("expiration_date", &written.expiration_date),
        ("knowledge_cutoff", &written.knowledge_cutoff),
    ] {
        let is_day = |text: &String| text.len() == 10 && text.parse::<Date>().is_ok();
        let problem = || "must be a day, such as `2026-11-21`".to_owned();
        check(setting, field, day.as_ref().is_none_or(is_day), problem)?;
    }
    written.hugging_face_id.as_ref().map_or(Ok(()), |id| named(setting, "hugging_face_id", id))
}

/// The same of an endpoint.
pub(super) fn endpoint(setting: &str, written: &EndpointConfig) -> Result<(), BuildError> {
    if let Some(variant) = &written.variant {
        named(setting, "variant", variant)?;
        let problem = || "must not have a `/`".to_owned();
        check(setting, "variant", !variant.contains('/'), problem)?;
    }
    let given = written.quantization.as_slice();
    all_known(setting, "quantization", given, &QUANTIZATIONS)?;
    let given = written.supported_parameters.as_deref().unwrap_or_default();
    all_known(setting, "supported_parameters", given, &PARAMETERS)
}

fn all_known(
    setting: &str,
    field: &str,
    given: &[String],
    known: &[&str],
) -> Result<(), BuildError> {
    match given.iter().find(|word| !known.contains(&word.as_str())) {
        None => Ok(()),
        Some(word) => {
            let problem = format!("has `{word}`; known are {}", known.join(", "));
            Err(ConfigError::invalid(&format!("{setting}.{field}"), problem))
        }
    }
}

fn check(
    setting: &str,
    field: &str,
    is_right: bool,
    problem: impl FnOnce() -> String,
) -> Result<(), BuildError> {
    if is_right {
        return Ok(());
    }
    Err(ConfigError::invalid(&format!("{setting}.{field}"), problem()))
}
