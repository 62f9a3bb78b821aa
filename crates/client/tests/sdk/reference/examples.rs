//! One example a field, by its name, and of these the example of each type, which the type reads.

use std::collections::BTreeMap;

use super::source::{Field, Item, Kind, inner};

/// Examples by `Type.field`, else by `field`, as JSON.
const FIELDS: &[(&str, &str)] = &[
    ("accepted_prediction_tokens", "0"),
    ("action", r#""key.create""#),
    ("actor", r#""root""#),
    ("added_count", "1"),
    ("after", r#"{"name":"ci"}"#),
    ("alignment", "null"),
    ("allow_fallbacks", "true"),
    ("allowed_api_key_hashes", "null"),
    ("allowed_data_regions", r#"["global"]"#),
    ("allowed_models", r#"["openai/*"]"#),
    ("allowed_user_ids", "null"),
    ("api_key", r#""sk-partner-5b0a4d0e6c1e5d8e9f0a7b6f1c2d3e4f""#),
    ("api_key_hash", HASH),
    ("api_type", r#""completions""#),
    ("app_id", "null"),
    ("arguments", r#""{\"city\":\"Paris\"}""#),
    ("at", r#""2026-11-21T22:50:00Z""#),
    ("attempts_max", "3"),
    ("audio", "null"),
    ("audio_output", "null"),
    ("audio_tokens", "0"),
    ("before", "null"),
    ("benchmarks", "null"),
    ("budget_id", "null"),
    ("byok_usage", "17.38"),
    ("byok_usage_daily", "1.25"),
    ("byok_usage_inference", "0.012"),
    ("byok_usage_monthly", "17.38"),
    ("byok_usage_weekly", "4.5"),
    ("cache_discount", "null"),
    ("cache_write_tokens", "0"),
    ("cached_tokens", "0"),
    ("cancelled", "false"),
    ("canonical_slug", r#""openai/gpt-4o-mini-2024-07-18""#),
    ("category", r#""programming""#),
    ("completion", r#""0.0000006""#),
    ("completion_tokens", "4"),
    ("concurrent_requests", "5"),
    ("content", r#""Paris.""#),
    ("context", "100000"),
    ("context_length", "128000"),
    ("cost", "0.0000057"),
    ("created", "1721260800"),
    ("created_at", r#""2026-11-21T22:50:00.123Z""#),
    ("created_by", r#""root""#),
    ("creator_user_id", r#""ada""#),
    ("data_collection", r#""deny""#),
    ("data_region", r#""global""#),
    ("datacenters", r#"["US"]"#),
    ("date", r#""2026-11-21""#),
    ("declared_region", r#""europe""#),
    ("declared_zdr", "true"),
    ("default_effort", r#""medium""#),
    ("default_enabled", "true"),
    ("default_guardrail_id", r#""8f14e45f-ceea-467f-a9c1-5b1d3e0c7a21""#),
    ("default_image_model", "null"),
    ("default_parameters", "null"),
    ("default_provider_sort", r#""price""#),
    ("default_text_model", r#""openai/gpt-4o-mini""#),
    ("description", r#""Small and quick.""#),
    ("dimensions", "1536"),
    ("disabled", "false"),
    ("disabled_server_tools", "null"),
    ("discount", "null"),
    ("email", r#""ada@example.com""#),
    ("embedding", "[0.0023,-0.0093]"),
    ("endpoint_id", r#""5b0a4d0e-6c1e-5d8e-9f0a-7b6f1c2d3e4f""#),
    ("expiration_date", "null"),
    ("expires_at", r#""2027-12-31T23:59:59Z""#),
    ("external_user", "null"),
    ("file_tokens", "0"),
    ("finish_reason", r#""stop""#),
    ("first_name", r#""Ada""#),
    ("generation_time", "310"),
    ("group_by_workspace", "true"),
    ("guardrail_id", "null"),
    ("hash", HASH),
    ("headquarters", r#""US""#),
    ("http_referer", "null"),
    ("hugging_face_id", "null"),
    ("id", r#""0df9e665-d932-5740-b2c7-b52af166bc11""#),
    ("idempotency_key", r#""deploy-2026-11-21-ci-0001""#),
    ("ignore", r#"["azure"]"#),
    ("image", "null"),
    ("image_output", "null"),
    ("image_token", "null"),
    ("image_tokens", "0"),
    ("images", "null"),
    ("include_byok", "true"),
    ("include_byok_in_budgets", "false"),
    ("include_byok_in_limit", "true"),
    ("include_disabled", "true"),
    ("include_expired", "true"),
    ("index", "0"),
    ("input", r#"["one","two"]"#),
    ("input_audio_cache", "null"),
    ("input_cache_read", r#""0.000000075""#),
    ("input_cache_write", "null"),
    ("input_cache_write_1h", "null"),
    ("input_modalities", r#"["text","image"]"#),
    ("instruct_type", "null"),
    ("internal_reasoning", "null"),
    ("interval", r#""10s""#),
    ("io_logging_api_key_ids", "null"),
    ("io_logging_sampling_rate", "1"),
    ("is_byok", "false"),
    ("is_byok_only", "false"),
    ("is_data_discount_logging_enabled", "false"),
    ("is_fallback", "false"),
    ("is_free_tier", "false"),
    ("is_management_key", "false"),
    ("is_moderated", "true"),
    ("is_observability_broadcast_enabled", "false"),
    ("is_observability_io_logging_enabled", "false"),
    ("is_provisioning_key", "false"),
    ("is_required", "false"),
    ("key", r#""sk-or-v1-0e6fb9f2…""#),
    ("kind", r#""function""#),
    ("knowledge_cutoff", r#""2023-10-01""#),
    ("label", r#""sk-or-v1-0e6...1c9""#),
    ("last_name", r#""Lovelace""#),
    ("last_used_at", r#""2026-11-25T23:00:00Z""#),
    ("latency", "420"),
    ("limit", "100"),
    ("limit_remaining", "74.5"),
    ("limit_reset", r#""monthly""#),
    ("limit_usd", "100"),
    ("links", r#"{"details":"/api/v1/models/openai/gpt-4o-mini/endpoints"}"#),
    ("logprobs", "null"),
    ("mandatory", "false"),
    ("max_completion_tokens", "16384"),
    ("max_output_price", "2"),
    ("max_price", "1.5"),
    ("max_prompt_tokens", "null"),
    ("max_tokens", "100"),
    ("min_output_price", "0.1"),
    ("min_price", "0.1"),
    ("min_prompt_tokens", "200000"),
    ("modality", r#""text+image->text""#),
    ("model", r#""openai/gpt-4o-mini""#),
    ("model_authors", r#""openai""#),
    ("model_id", r#""openai/gpt-4o-mini""#),
    ("model_name", r#""OpenAI: GPT-4o mini""#),
    ("model_permaslug", r#""openai/gpt-4o-mini-2024-07-18""#),
    ("models", r#"["anthropic/claude-sonnet-4"]"#),
    ("moderation_latency", "null"),
    ("name", r#""ci""#),
    ("native_finish_reason", r#""stop""#),
    ("native_tokens_cached", "0"),
    ("native_tokens_completion", "4"),
    ("native_tokens_completion_images", "null"),
    ("native_tokens_prompt", "14"),
    ("native_tokens_reasoning", "0"),
    ("native_tools", "{}"),
    ("note", r#""This field is deprecated and safe to ignore.""#),
    ("num_fetches", "null"),
    ("num_input_audio_prompt", "null"),
    ("num_media_completion", "null"),
    ("num_media_prompt", "null"),
    ("num_search_results", "null"),
    ("offset", "100"),
    ("only", r#"["openai","groq"]"#),
    ("openrouter_metadata", "null"),
    ("order", r#"["groq","openai"]"#),
    ("organization_id", "null"),
    ("origin", r#""""#),
    ("output_modalities", r#"["text"]"#),
    ("owned_by", r#""openai""#),
    ("p50", "210"),
    ("p75", "260"),
    ("p90", "340"),
    ("p99", "800"),
    ("per_request_limits", "null"),
    ("preset_id", "null"),
    ("privacy_policy_url", r#""https://openai.com/privacy""#),
    ("prompt", r#""0.00000015""#),
    ("prompt_tokens", "14"),
    ("provider", r#""openai""#),
    ("provider_name", r#""OpenAI""#),
    ("providers", r#""openai,groq""#),
    ("q", r#""mini""#),
    ("quantization", r#""fp8""#),
    ("quantizations", r#"["fp8"]"#),
    ("reasoning", "null"),
    ("reasoning_details", "null"),
    ("reasoning_tokens", "0"),
    ("refusal", "null"),
    ("rejected_prediction_tokens", "0"),
    ("remaining", "999"),
    ("remaining_usd", "87.5"),
    ("request", "null"),
    ("request_id", r#""req-0df9e665""#),
    ("requests", "12"),
    ("requests_per_minute", "60"),
    ("require_parameters", "true"),
    ("reset_interval", r#""monthly""#),
    ("resets_at", r#""2026-12-01T00:00:00Z""#),
    ("response_cache_source_id", "null"),
    ("response_format", r#"{"type":"json_object"}"#),
    ("role", r#""assistant""#),
    ("routed_service_tier", "null"),
    ("router", "null"),
    ("safeguard_results", "null"),
    ("scope", r#""key_limit""#),
    ("seed", "7"),
    ("server_tool_cost", "null"),
    ("service_tier", "null"),
    ("session_id", "null"),
    ("since", r#""2026-11-01T00:00:00Z""#),
    ("slug", r#""research""#),
    ("sort", r#""price""#),
    ("sort_order", "0"),
    ("source", r#""openrouter_key_limit""#),
    ("spend_usd", "12.5"),
    ("spent", "100"),
    ("status", "200"),
    ("status_page_url", r#""https://status.openai.com""#),
    ("stop", r#"["\n"]"#),
    ("streamed", "true"),
    ("subject", HASH),
    ("supported_efforts", r#"["low","medium","high"]"#),
    ("supported_parameters", r#"["max_tokens","temperature","tools"]"#),
    ("supported_voices", "null"),
    ("supports_diarization", "false"),
    ("supports_image_reference", "false"),
    ("supports_implicit_caching", "true"),
    ("supports_max_tokens", "true"),
    ("supports_multiple_audio_references", "false"),
    ("supports_tool_choice", r#"{"auto":true,"function":true,"none":true,"required":true}"#),
    ("supports_voice_cloning", "false"),
    ("system_fingerprint", r#""fp_44709d6fcb""#),
    ("tag", r#""openai""#),
    ("temperature", "0.7"),
    ("terms_of_service_url", r#""https://openai.com/terms""#),
    ("text_tokens", "14"),
    ("tokenizer", r#""GPT""#),
    ("tokens_completion", "4"),
    ("tokens_per_minute", "100000"),
    ("tokens_prompt", "14"),
    ("tool_call_id", "null"),
    ("tool_calls_executed", "1"),
    ("tool_calls_requested", "1"),
    ("tool_choice", r#""auto""#),
    ("tools", r#"[{"type":"function","function":{"name":"weather"}}]"#),
    ("top_p", "0.9"),
    ("total_cost", "0.0000057"),
    ("total_count", "1"),
    ("total_credits", "1000"),
    ("total_tokens", "18"),
    ("total_usage", "25.5"),
    ("until", r#""2026-12-01T00:00:00Z""#),
    ("updated_at", r#""2026-11-22T08:00:00Z""#),
    ("upstream_id", r#""chatcmpl-9a""#),
    ("upstream_inference_completions_cost", "0.0000024"),
    ("upstream_inference_cost", "null"),
    ("upstream_inference_prompt_cost", "0.0000021"),
    ("uptime_last_1d", "99.9"),
    ("uptime_last_30m", "100"),
    ("uptime_last_5m", "100"),
    ("usage", "25.5"),
    ("usage_daily", "2.5"),
    ("usage_monthly", "25.5"),
    ("usage_weekly", "12.75"),
    ("used", "1"),
    ("user", r#""customer-7""#),
    ("user_agent", "null"),
    ("user_id", r#""ada""#),
    ("utc_days", "null"),
    ("utc_end", "null"),
    ("utc_start", "null"),
    ("video_tokens", "0"),
    ("wait_first", r#""500ms""#),
    ("wait_max", r#""30s""#),
    ("web_search", "null"),
    ("web_search_engine", "null"),
    ("web_search_requests", "1"),
    ("workspace_id", r#""0df9e665-d932-5740-b2c7-b52af166bc11""#),
    ("zdr", "true"),
    ("ChatChunk.id", GENERATION),
    ("ChatCompletion.id", GENERATION),
    ("ChatCompletion.provider", r#""OpenAI""#),
    ("ChatChunk.provider", r#""OpenAI""#),
    ("Embeddings.id", GENERATION),
    ("Embeddings.model", r#""openai/text-embedding-3-small""#),
    ("Embeddings.provider", r#""OpenAI""#),
    ("Endpoint.name", r#""OpenAI | openai/gpt-4o-mini""#),
    ("Endpoint.status", "0"),
    ("Generation.id", GENERATION),
    ("Generation.usage", "0.0000057"),
    ("LimitFacts.held", "0"),
    ("LimitFacts.remaining", "0"),
    ("LimitFacts.scope", r#""key_limit""#),
    ("ListModels.input_modalities", r#""text,image""#),
    ("ListModels.output_modalities", r#""text""#),
    ("ListModels.sort", r#""pricing-low-to-high""#),
    ("ListModels.supported_parameters", r#""tools,seed""#),
    ("Message.name", "null"),
    ("Model.id", r#""openai/gpt-4o-mini""#),
    ("Model.name", r#""OpenAI: GPT-4o mini""#),
    ("ModelEndpoints.id", r#""openai/gpt-4o-mini""#),
    ("ModelEndpoints.name", r#""OpenAI: GPT-4o mini""#),
    ("OrganizationMember.id", r#""ada""#),
    ("OrganizationMember.role", r#""org:member""#),
    ("CreateMember.id", r#""ada""#),
    ("CreateMember.role", r#""org:member""#),
    ("Message.model", "null"),
    ("ModelAliasTarget.name", r#""OpenAI: GPT-4o mini""#),
    ("ModelAliasTarget.slug", r#""openai/gpt-4o-mini""#),
    ("Percentiles.p50", "210"),
    ("PricingOverride.prompt", r#""0.0000003""#),
    ("PricingOverride.completion", r#""0.0000012""#),
    ("PricingOverride.input_cache_read", "null"),
    ("Provider.name", r#""OpenAI""#),
    ("Provider.slug", r#""openai""#),
    ("ProviderPreferences.max_price", r#"{"prompt":0.15,"completion":0.6}"#),
    ("ProviderResponse.id", r#""chatcmpl-9a""#),
    ("RateLimit.requests", "-1"),
    ("ToolCall.id", r#""call-1""#),
    ("ToolFunction.name", r#""weather""#),
    ("WorkspaceMember.role", r#""member""#),
    ("Workspace.name", r#""Research""#),
    ("Workspace.description", "null"),
    ("CreateWorkspace.name", r#""Research""#),
    ("CreateWorkspace.description", r#""Models for the lab.""#),
    ("UpdateWorkspace.name", r#""Research""#),
    ("UpdateWorkspace.description", r#""Models for the lab.""#),
    ("ByokKey.name", r#""ours""#),
    ("ByokKey.label", r#""sk-...9f2a""#),
    ("CreateByokKey.name", r#""ours""#),
    ("CreateByokKey.key", r#""sk-proj-…""#),
    ("UpdateByokKey.key", r#""sk-proj-…""#),
    ("UpdateByokKey.name", r#""ours""#),
    ("FreeModelDailyRequests.limit", "1000"),
    ("ActivityItem.usage", "0.31"),
];

const HASH: &str = r#""0e6fb9f2d1b0a5f3f8f2d6f1c7f0a9d3b1c6e0f7a2d4b8c9e1f3a5d7b9c0e2f4""#;
const GENERATION: &str = r#""gen-1763765400-0df9e665d932""#;

/// Reads an example by its type.
type Read = fn(&str) -> Result<(), serde_json::Error>;

/// The types that are read from JSON.
macro_rules! read {
    ($($name:ident),+ $(,)?) => {
        &[$((stringify!($name), |text| serde_json::from_str::<tollgate::$name>(text).map(|_| ()))),+]
    };
}

const READ: &[(&str, Read)] = read![
    ActivityItem,
    Architecture,
    AuditEvent,
    ByokKey,
    ChatChoice,
    ChatChunk,
    ChatCompletion,
    ChatDelta,
    ChatStreamChoice,
    ChatUsage,
    CompletionTokensDetails,
    CostDetails,
    CreateKey,
    CreatedKey,
    Credits,
    CurrentKey,
    Embedding,
    Embeddings,
    EmbeddingsTokensDetails,
    EmbeddingsUsage,
    Endpoint,
    External,
    FreeModelDailyRequests,
    Generation,
    GetKeyData,
    KeyBudget,
    MembersAdded,
    Message,
    Model,
    ModelAliasTarget,
    ModelEndpoints,
    ModelReasoning,
    OrganizationMember,
    Percentiles,
    Pricing,
    PricingOverride,
    PromptTokensDetails,
    Provider,
    ProviderPreferences,
    ProviderResponse,
    RateLimit,
    ServerToolUseDetails,
    ToolCall,
    ToolFunction,
    TopProvider,
    Workspace,
    WorkspaceBudget,
    WorkspaceBudgets,
    WorkspaceMember,
];

/// The examples of all types, each read by its type.
pub(super) struct Examples {
    fields: BTreeMap<&'static str, &'static str>,
    /// The JSON of each type that is a JSON object.
    wholes: BTreeMap<String, String>,
    names: Vec<String>,
}

impl Examples {
    pub(super) fn of(items: &[Item]) -> Examples {
        let mut examples = Examples {
            fields: FIELDS.iter().copied().collect(),
            wholes: BTreeMap::new(),
            names: items.iter().map(|item| item.name.clone()).collect(),
        };
        // What is within others comes first; the deepest are four within each other.
        for _ in 0..4 {
            for item in items.iter().filter(|item| item.is_json) {
                if let Kind::Fields(fields) = &item.kind {
                    let whole = examples.object(item, fields);
                    examples.wholes.insert(item.name.clone(), whole);
                }
            }
        }
        for item in items.iter().filter(|item| item.is_read && item.name != "Page") {
            if let Some(whole) = examples.wholes.get(&item.name) {
                let read = READ.iter().find(|(name, _)| *name == item.name);
                let (_, read) = read.unwrap_or_else(|| panic!("{} is not among READ", item.name));
                read(whole).unwrap_or_else(|error| panic!("{}: {error}: {whole}", item.name));
            }
        }
        examples
    }

    pub(super) fn has_page(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// The example of one field for its row; what has a page of its own has its example there.
    pub(super) fn cell(&self, item: &Item, field: &Field) -> String {
        if self.wholes.contains_key(inner(&field.type_text)) {
            return "see there".to_owned();
        }
        match self.field(item, field) {
            "null" => "`null`".to_owned(),
            text => format!("`{}`", text.replace('|', "\\|")),
        }
    }

    /// The example of a whole type, with line breaks.
    pub(super) fn whole(&self, item: &Item) -> Option<String> {
        let whole = self.wholes.get(&item.name)?;
        Some(indented(whole))
    }

    fn field(&self, item: &Item, field: &Field) -> &'static str {
        let own = format!("{}.{}", item.name, field.name);
        let example = self.fields.get(own.as_str()).or(self.fields.get(field.name.as_str()));
        match example {
            Some(example) => example,
            // A map of whatever else there may be.
            None if field.wire.is_none() => r#"{"min_p":0.1}"#,
            None if field.type_text == "Vec<T>" => "[…]",
            None => panic!("no example of {own}"),
        }
    }

    fn object(&self, item: &Item, fields: &[Field]) -> String {
        let member = |field: &Field| {
            let wire = field.wire.as_ref()?;
            let type_text = field.type_text.as_str();
            let value = match self.wholes.get(inner(type_text)) {
                Some(whole) if type_text.contains("Vec<") => format!("[{whole}]"),
                Some(whole) => whole.clone(),
                None if self.has_page(inner(type_text)) && self.is_object(inner(type_text)) => {
                    "null".to_owned()
                }
                None => self.field(item, field).to_owned(),
            };
            Some(format!("{wire:?}:{value}"))
        };
        format!("{{{}}}", fields.iter().filter_map(member).collect::<Vec<_>>().join(","))
    }

    /// Whether the example of that type is not made yet.
    fn is_object(&self, name: &str) -> bool {
        READ.iter().any(|(known, _)| *known == name) && !self.wholes.contains_key(name)
    }
}

/// JSON with a member a line; not through a value, which would make floats of amounts.
fn indented(json: &str) -> String {
    let (mut text, mut depth, mut is_text, mut is_escaped) = (String::new(), 0_usize, false, false);
    let break_line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"  ".repeat(depth));
    };
    let mut brackets = Vec::new();
    for (at, c) in json.char_indices() {
        if is_text {
            text.push(c);
            is_text = is_escaped || c != '"';
            is_escaped = !is_escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                is_text = true;
                text.push(c);
            }
            '{' | '[' => {
                let is_broken = c == '{' || json[at + 1..].starts_with('{');
                brackets.push(is_broken);
                text.push(c);
                if is_broken {
                    depth += 1;
                    break_line(&mut text, depth);
                }
            }
            '}' | ']' => {
                if brackets.pop() == Some(true) {
                    depth -= 1;
                    break_line(&mut text, depth);
                }
                text.push(c);
            }
            ',' => {
                text.push(c);
                match brackets.last() {
                    Some(true) => break_line(&mut text, depth),
                    _ => text.push(' '),
                }
            }
            ':' => text.push_str(": "),
            c => text.push(c),
        }
    }
    text
}
