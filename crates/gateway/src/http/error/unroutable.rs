//! Why nothing could serve a request, in the words that clients match (SEMANTICS 6.5).

use api::error::{Availability, AvailabilityCode, Constraint, ErrorType};
use api::routing::MaxPrice;
use http::header::RETRY_AFTER;
use store::Attempt;
use upstream::{Request, Surface};

use super::{ApiError, DOCS_URL};
use crate::routing::{Step, Unroutable};

/// A name that nobody knows is repeated up to so many characters.
const NAME_CHARS_MAX: usize = 128;

impl ApiError {
    /// 400 where there is no such model, else 404: no endpoint of it does what is asked for.
    pub fn unroutable(unroutable: &Unroutable, request: &Request) -> ApiError {
        let told = Told::of(unroutable);
        let mut why = availability(told.code, request);
        if told.code.status() == 400 {
            if let Step::Model { instead } = &unroutable.step {
                why.fallback_models = instead.iter().cloned().collect();
            }
            return ApiError::invalid(told.message).with_availability(why);
        }
        let error =
            ApiError::new(ErrorType::NotFound, told.message).with("failed_routing_step", told.step);
        let error = match &unroutable.step {
            Step::Only { requested, .. } | Step::Ignore { requested } => error
                .with("requested_providers", requested)
                .with("available_providers", &unroutable.providers),
            _ => error,
        };
        why.affected_providers.clone_from(&unroutable.providers);
        if let Some((field, detail)) = told.constraint {
            why.excluded_by = vec![field.clone()];
            why.constraint = Some(Constraint { field, detail });
        }
        error.with_availability(why)
    }

    /// The last error of a call that failed wherever it was tried.
    pub fn after_all(self, request: &Request, attempts: &[Attempt]) -> ApiError {
        let code = match self.status().as_u16() {
            404 => AvailabilityCode::ModelUnavailableUpstream,
            429 => AvailabilityCode::CapacityExhausted,
            503 => AvailabilityCode::TemporarilyUnavailable,
            _ => return self,
        };
        if attempts.is_empty() {
            return self;
        }
        let mut why = availability(code, request);
        let seconds = self.0.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        why.retry_after = seconds.and_then(|seconds| seconds.parse().ok());
        for attempt in attempts {
            if !why.affected_providers.contains(&attempt.provider) {
                why.affected_providers.push(attempt.provider.clone());
            }
        }
        self.with_availability(why)
    }

    fn with_availability(mut self, why: Availability) -> ApiError {
        self.0.body = self.0.body.with_availability(why);
        self
    }
}

fn availability(code: AvailabilityCode, request: &Request) -> Availability {
    let anchor = serde_json::to_value(code).unwrap_or_default();
    let docs_url = format!("{DOCS_URL}#{}", anchor.as_str().unwrap_or_default());
    Availability::new(code, requested(request), docs_url)
}

/// What a step is told as.
struct Told {
    code: AvailabilityCode,
    step: &'static str,
    message: String,
    /// The member of the request that none fulfils, and what of it.
    constraint: Option<(String, String)>,
}

impl Told {
    fn of(Unroutable { model, step, providers }: &Unroutable) -> Told {
        let model = shown(model);
        let serving = || format!("Providers that could serve {model}: {}", providers.join(", "));
        let constrained = |step, field: &str, message: String, detail: String| Told {
            code: AvailabilityCode::ConstraintFiltered,
            step,
            message,
            constraint: Some((field.to_owned(), detail)),
        };
        match step {
            Step::Model { .. } => Told {
                code: AvailabilityCode::ModelNotFound,
                step: "",
                message: format!("{model} is not a valid model ID"),
                constraint: None,
            },
            Step::Path { surface } => {
                let path = match surface {
                    Surface::Chat => "/chat/completions",
                    Surface::Embeddings => "/embeddings",
                };
                Told {
                    code: AvailabilityCode::WrongEndpoint,
                    step: "",
                    message: format!("{model} is not served here; ask for it at POST {path}"),
                    constraint: None,
                }
            }
            Step::Allowed => {
                let message = "No endpoints available matching your guardrail restrictions and \
                               data policy"
                    .to_owned();
                let detail = format!("the key may not use {model}");
                constrained("Filter by Guardrails", "model", message, detail)
            }
            Step::Health => Told {
                code: AvailabilityCode::NoEndpoints,
                step: "Filter by Health",
                message: format!("No endpoints found that can serve {model} at present"),
                constraint: None,
            },
            Step::Input { modality } => {
                let message = format!("No endpoints found that support {modality} input");
                let step = match *modality {
                    "image" => "Filter by Image Support",
                    _ => "Filter by Audio Support",
                };
                let detail = format!("{model} is not known to take {modality} input");
                constrained(step, "messages", message, detail)
            }
            Step::DataPolicy { field } => {
                let wish = match *field {
                    "zdr" => "zero data retention",
                    _ => "no data collection",
                };
                let message = format!("No endpoints found matching your data policy ({wish})");
                let detail = format!("no endpoint of {model} is marked so");
                Told {
                    code: AvailabilityCode::PrivacyRestricted,
                    ..constrained(
                        "Filter by Data Policy",
                        &format!("provider.{field}"),
                        message,
                        detail,
                    )
                }
            }
            Step::Only { field, requested } => {
                let requested = requested.iter().map(|name| shown(name)).collect::<Vec<_>>();
                let detail = format!("none of {} serves {model}", requested.join(", "));
                let message = format!(
                    "No allowed providers are available for the selected model. {}; \
                     provider.{field} allows only: {}",
                    serving(),
                    requested.join(", ")
                );
                let field = format!("provider.{field}");
                constrained("Filter by Allowed Providers", &field, message, detail)
            }
            Step::Ignore { .. } => {
                let message = format!(
                    "All providers have been ignored. {}; provider.ignore leaves none of them",
                    serving()
                );
                let detail = format!("all providers of {model} are ignored");
                constrained("Filter by Ignored Providers", "provider.ignore", message, detail)
            }
            Step::Quantizations { requested } => {
                let message = format!(
                    "No endpoints found that match the requested quantizations: {}",
                    requested.join(", ")
                );
                let detail = format!("no endpoint of {model} is marked so");
                constrained("Filter by Quantization", "provider.quantizations", message, detail)
            }
            Step::MaxPrice(most) => {
                let message =
                    "No endpoints found that satisfy the max price for this request".to_owned();
                constrained("Filter by Max Price", "provider.max_price", message, bounds(most))
            }
            Step::Tools => {
                let message = "No endpoints found that support tool use".to_owned();
                let detail = "no endpoint is known to take tools".to_owned();
                constrained("Filter by Tool Compatibility", "tools", message, detail)
            }
            Step::Parameters(missing) => {
                let message = "No endpoints found that can handle the requested parameters";
                let detail = match &missing[..] {
                    [] => "no endpoint is known to take all of them together".to_owned(),
                    names => format!("no endpoint is known to take {}", names.join(", ")),
                };
                let message = format!("{message}: {detail}");
                let field = "provider.require_parameters";
                constrained("Filter by Parameters", field, message, detail)
            }
        }
    }
}

/// What may be paid at most, a unit, in US dollars.
fn bounds(most: &MaxPrice) -> String {
    let MaxPrice { prompt, completion, request, image, audio } = most;
    let named = [
        ("prompt token", prompt),
        ("completion token", completion),
        ("request", request),
        ("image", image),
        ("token of sound", audio),
    ];
    let given = named
        .iter()
        .filter_map(|(name, price)| price.as_ref().map(|price| format!("${price} a {name}")));
    format!("every endpoint asks for more than {}", given.collect::<Vec<_>>().join(" or "))
}

/// The models that were asked for.
fn requested(request: &Request) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in request.model.iter().chain(&request.models).map(|name| shown(name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A name of the caller's, cut and cleaned of control characters.
fn shown(name: &str) -> String {
    name.chars().take(NAME_CHARS_MAX).flat_map(char::escape_debug).collect()
}
