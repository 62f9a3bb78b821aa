//! Why a setting of LiteLLM's is not taken over, and what to do in its place.

/// Parts of a setting's last name, each with the reason; the first that is there is meant.
const REASONS: &[(&str, &str)] = &[
    ("fallbacks", "a request names what it falls back to itself, in `models`"),
    ("cooldown", "an endpoint in an outage is tried last by itself"),
    ("allowed_fails", "an endpoint in an outage is tried last by itself"),
    ("retries", "each endpoint of a model is tried in turn, at most `bounds.attempts_max`"),
    ("retry", "each endpoint of a model is tried in turn, at most `bounds.attempts_max`"),
    ("timeout", "`bounds.provider_first_byte_ms` and its like hold for every provider"),
    ("routing_strategy", "endpoints are drawn by price, or as `routing.order` says"),
    ("callback", "traces go out by OpenTelemetry: `[telemetry]`"),
    ("langfuse", "traces go out by OpenTelemetry: `[telemetry]`"),
    ("otel", "traces go out by OpenTelemetry: `[telemetry]`"),
    ("drop_params", "parameters pass as they are; `supported_parameters` says what is taken"),
    ("cache", "answers are not cached"),
    ("redis", "there is no second store: the book is a file"),
    ("rpm", "a deployment has no pace of its own; keys have, as `requests_per_minute`"),
    ("tpm", "a deployment has no pace of its own; keys have, as `tokens_per_minute`"),
    (
        "max_parallel_requests",
        "keys have `concurrent_requests`; all together `bounds.in_flight_max`",
    ),
    ("weight", "endpoints are drawn by price, or as `routing.order` says"),
    ("order", "endpoints are tried in an order of prices, or as `routing.order` says"),
    ("max_budget", "a budget of the workspace: PUT /workspaces/default/budgets/INTERVAL"),
    ("budget_duration", "a budget of the workspace: PUT /workspaces/default/budgets/INTERVAL"),
    ("master_key", "management keys are Tollgate's own: set TOLLGATE_MANAGEMENT_KEY"),
    ("database_url", "keys come from there: give it to --keys"),
    ("api_version", "the address of version 1 needs none"),
    ("guardrail", "guardrails are not served"),
    ("pass_through", "only the paths of the API are served"),
    ("mcp", "tools are not served"),
    ("temperature", "what a request leaves out is the provider's to choose"),
    ("max_tokens", "a request's own maximum counts, else that of the endpoint"),
    ("cost", "no price here is counted in this"),
];

/// Why the setting at `path` is not taken over.
pub(super) fn reason(path: &str) -> &'static str {
    if path.starts_with("environment_variables") {
        return "set it in the environment of the server";
    }
    if path == "include" {
        return "import each file by itself";
    }
    let last = path.rsplit('.').next().unwrap_or(path);
    if let Some((_, why)) = REASONS.iter().find(|(part, _)| last.contains(part)) {
        return why;
    }
    if path.contains("model_info") {
        return "a note of LiteLLM's own: nothing here reads it";
    }
    "nothing here does what it does"
}
