//! Whether every provider is there: its name, its address, its certificate. Nothing is sent.

use std::error::Error;

use anyhow::Result;
use gateway::catalogue::Catalogue;
use gateway::config::Config;

use super::Check;

const NAME: &str = "providers";

/// What stands between this machine and each provider.
pub(super) fn providers(
    config: &Config,
    catalogue: Option<&Catalogue>,
    is_online: bool,
) -> Result<Vec<Check>> {
    let Some(catalogue) = catalogue else {
        return Ok(vec![Check::skipped(NAME, "what the configuration says of them is wrong")]);
    };
    if catalogue.models.is_empty() {
        let advice = "name a provider and a model in the configuration";
        return Ok(vec![Check::warning(NAME, "no models are served", advice)]);
    }
    let count = catalogue.providers.len();
    if !is_online {
        let found = format!("{count} in the configuration; `--online` connects to them");
        return Ok(vec![Check::skipped(NAME, found)]);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let transport = gateway::server::transport(config)?;
    Ok(runtime.block_on(async {
        let mut checks = Vec::new();
        for provider in &catalogue.providers {
            let reached = transport.reach(&provider.origin).await;
            let reached = reached.map_err(|error| causes(&error));
            checks.push(reachable(&provider.slug, &provider.origin.to_string(), reached));
        }
        checks
    }))
}

fn reachable(slug: &str, origin: &str, reached: Result<(), String>) -> Check {
    match reached {
        Ok(()) => Check::fine(NAME, format!("{slug} is there: {origin}")),
        Err(cause) => Check::problem(
            NAME,
            format!("{slug} can't be reached at {origin}: {cause}"),
            "look at its `base_url`, the network, `egress.proxy` and, for a certificate, \
             `egress.ca_file`",
        ),
    }
}

/// What brought an error about, without what it says itself: that nothing was sent.
fn causes(error: &dyn Error) -> String {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes.join(": ")
}
