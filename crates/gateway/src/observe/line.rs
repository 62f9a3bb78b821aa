//! The line in the log of a request that was answered: one each, at `info`.

use super::passage::Passage;

/// The target that filters name.
const TARGET: &str = "tollgate::requests";

/// Whether the log takes such lines at all.
pub(super) fn is_wanted() -> bool {
    tracing::enabled!(target: TARGET, tracing::Level::INFO)
}

/// Logs the request.
pub(super) fn write(passage: &Passage, took_ms: u64) {
    let Passage { id, method, path, caller, call, .. } = passage;
    let error = passage.error_type.as_deref();
    let status = passage.status_or_gone();
    let key = caller.as_ref().map(|caller| caller.name.as_str());
    let key_hash = caller.as_ref().map(|caller| tracing::field::display(caller.hash));
    let Some(call) = call else {
        tracing::info!(
            target: TARGET, id, %method, path, status, error, key, key_hash,
            duration_ms = took_ms, "answered"
        );
        return;
    };
    let charge = passage.charge();
    let provider = charge.map(|charge| charge.provider.as_str());
    let provider = provider.or(passage.attempts.last().map(|tried| tried.provider.as_str()));
    let cost = passage.cost();
    let byok = Some(cost.byok).filter(|byok| *byok != money::Money::ZERO);
    tracing::info!(
        target: TARGET,
        id,
        %method,
        path,
        status,
        error,
        key,
        key_hash,
        generation = call.generation,
        model = call.model,
        provider,
        streamed = call.streamed,
        cost = charge.map(|_| tracing::field::display(cost.credits)),
        byok_cost = byok.map(tracing::field::display),
        prompt_tokens = charge.map(|charge| charge.tokens.prompt),
        completion_tokens = charge.map(|charge| charge.tokens.completion),
        source = charge.map(|charge| charge.source.as_str()),
        attempts = passage.attempts.len(),
        client_left = charge.map(|charge| charge.cancelled),
        duration_ms = took_ms,
        "answered"
    );
}
