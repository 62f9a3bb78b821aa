//! What can go wrong for a caller, with its status: the one place that maps causes to answers.
//! `message` is for the caller; `cause` is for the log and never sent.

mod pace;
mod unroutable;

use std::fmt;
use std::time::Duration;

use api::error::{ErrorBody, ErrorEnvelope, ErrorType};
use api::{Invalid, Usd, Utc};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use ledger::{Cell, Layer, Period};
use money::Money;

/// Where errors are explained.
const DOCS_URL: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/main/docs/errors.md");

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// An error answer. Boxed, so that what usually succeeds is not made larger by it.
#[derive(Debug)]
pub struct ApiError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    body: ErrorBody,
    user: Option<Option<String>>,
    headers: HeaderMap,
    cause: Option<Cause>,
}

/// The result of whatever may answer with an error.
pub type ApiResult<T> = Result<T, ApiError>;

impl ApiError {
    /// An error of that type.
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> ApiError {
        ApiError(Box::new(Inner {
            body: ErrorBody::new(error_type, message),
            user: None,
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// The same error under another status.
    pub fn with_status(mut self, status: StatusCode) -> ApiError {
        self.0.body = self.0.body.with_code(status.as_u16());
        self
    }

    /// The same error with one more fact for the caller's program.
    pub fn with(mut self, name: &str, value: impl serde::Serialize) -> ApiError {
        self.0.body = self.0.body.with(name, value);
        self
    }

    /// The same error, with what brought it about for the log.
    pub fn because(mut self, cause: impl Into<Cause>) -> ApiError {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same error, worth trying again after `wait` (rounded up to a second at least).
    pub fn retry_after(mut self, wait: Duration) -> ApiError {
        self.0.headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        self
    }

    /// The same error, after `earlier` of another endpoint: where both have the same status, it is
    /// worth trying again as soon as either says (SEMANTICS 6.4).
    pub fn after(mut self, earlier: Option<ApiError>) -> ApiError {
        let seconds = |error: &ApiError| {
            let value = error.0.headers.get(RETRY_AFTER)?;
            value.to_str().ok()?.parse::<u64>().ok()
        };
        let earlier = earlier.filter(|earlier| earlier.status() == self.status());
        if let (Some(here), Some(there)) = (seconds(&self), earlier.as_ref().and_then(seconds)) {
            self.0.headers.insert(RETRY_AFTER, HeaderValue::from(here.min(there)));
        }
        self
    }

    /// The same error, saying whose request it was.
    pub fn of_user(mut self, user: Option<String>) -> ApiError {
        self.0.user = Some(user);
        self
    }

    /// The body's `error` member, for an error within a stream.
    pub fn body(&self) -> &ErrorBody {
        &self.0.body
    }

    /// The status it is answered with.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.body.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// 400: the request is not what the API takes.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorType::InvalidRequest, message)
    }

    /// 401. An absent credential says so; a bad one does not say why (SEMANTICS 2.8).
    pub fn unauthenticated(is_absent: bool) -> ApiError {
        let message = if is_absent { "Missing Authentication header" } else { "User not found." };
        let mut error = ApiError::new(ErrorType::Authentication, message);
        error.0.headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        error
    }

    /// 403: an inference key on a management path (SEMANTICS 2.6).
    pub fn management_only() -> ApiError {
        let message = "Only management keys can perform this operation";
        ApiError::new(ErrorType::PermissionDenied, message)
    }

    /// 403: a management key on an inference path (SEMANTICS 2.7).
    pub fn inference_only() -> ApiError {
        let message = "Management keys cannot be used for inference";
        ApiError::new(ErrorType::PermissionDenied, message)
    }

    /// 403: what nobody may do.
    pub fn forbidden(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorType::PermissionDenied, message)
    }

    /// 404.
    pub fn not_found() -> ApiError {
        ApiError::new(ErrorType::NotFound, "Resource not found")
    }

    /// 409.
    pub fn conflict(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorType::InvalidRequest, message).with_status(StatusCode::CONFLICT)
    }

    /// 410: what was here is not, and will not be again.
    pub fn gone(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorType::NotFound, message).with_status(StatusCode::GONE)
    }

    /// 503: a bound shared by all callers is reached, or the store is away; it passes.
    pub fn unavailable(message: impl Into<String>) -> ApiError {
        ApiError::new(ErrorType::ProviderOverloaded, message)
            .with_status(StatusCode::SERVICE_UNAVAILABLE)
            .retry_after(Duration::from_secs(1))
    }

    /// 503: nothing can be written, so nothing is admitted.
    pub fn store_away() -> ApiError {
        ApiError::unavailable("The gateway's store can't be written now. Please try again.")
            .with("error_type", "server")
    }

    /// 500, with the cause in the log alone.
    pub fn internal(cause: impl Into<Cause>) -> ApiError {
        ApiError::new(ErrorType::Server, "Internal Server Error").because(cause)
    }
}

/// How refusals tell people where to go and which status an exhausted limit has.
pub struct RefusalStyle<'a> {
    /// The address people reach this server by.
    pub base_url: &'a str,
    /// The status of a limit that is used up.
    pub limit_spent_status: u16,
}

impl ApiError {
    /// 403: a limit is used up. Clients match the words (SEMANTICS 4.7).
    pub fn limit_spent(cell: &Cell, style: &RefusalStyle<'_>) -> ApiError {
        let message = match cell.limit.layer {
            Layer::Workspace => {
                format!("Workspace {} exceeded. Contact your org admin.", budget(cell))
            }
            Layer::Key => format!(
                "Key limit exceeded ({} limit). Manage it using {}/settings/keys",
                period_name(cell.limit.period),
                style.base_url
            ),
        };
        let status =
            StatusCode::from_u16(style.limit_spent_status).unwrap_or(StatusCode::FORBIDDEN);
        let error_type = match status {
            StatusCode::PAYMENT_REQUIRED => ErrorType::PaymentRequired,
            _ => ErrorType::PermissionDenied,
        };
        ApiError::new(error_type, message).with_status(status).with_cell(cell)
    }

    /// 402: the worst case is above what is left; with how many completion tokens would fit.
    /// Clients read both numbers and try again with fewer (SEMANTICS 4.8).
    pub fn too_dear(
        cell: &Cell,
        requested: u64,
        affordable: Option<u64>,
        prompt: (u64, u64),
        style: &RefusalStyle<'_>,
    ) -> ApiError {
        let visit = match cell.limit.layer {
            Layer::Workspace => {
                format!("To increase, ask your org admin to raise the workspace's {}", budget(cell))
            }
            Layer::Key => format!(
                "To increase, visit {}/settings/keys and create a key with a higher {} limit",
                style.base_url,
                period_name(cell.limit.period)
            ),
        };
        let (message, hint) = match affordable.filter(|tokens| *tokens > 0) {
            Some(tokens) => (
                format!(
                    "This request requires more credits, or fewer max_tokens. You requested up to \
                     {requested} tokens, but can only afford {tokens}. {visit}"
                ),
                "lower_max_tokens",
            ),
            None => (
                format!("Prompt tokens limit exceeded: {} > {}. {visit}", prompt.0, prompt.1),
                "shorten_prompt",
            ),
        };
        ApiError::new(ErrorType::PaymentRequired, message)
            .with("provider_name", None::<String>)
            .with("remedy_hint", hint)
            .with_cell(cell)
    }

    /// 402 with `Retry-After`: it would fit but for other requests in flight (SEMANTICS 4.9).
    pub fn limit_busy(cell: &Cell) -> ApiError {
        let limit = match cell.limit.layer {
            Layer::Workspace => format!("Workspace {}", budget(cell)),
            Layer::Key => format!("Key limit ({})", period_name(cell.limit.period)),
        };
        let message = format!(
            "{limit} is held by other requests in flight: ${} left, ${} of it held. Please try \
             again.",
            cell.left(),
            cell.held
        );
        ApiError::new(ErrorType::PaymentRequired, message)
            .with("reason", "in_flight_budget_exhausted")
            .with_cell(cell)
            .retry_after(Duration::from_secs(1))
    }

    /// 404: the key's list of models leaves out all that were asked for. Clients match the words
    /// and the step (SEMANTICS 9.7).
    pub fn model_not_allowed(style: &RefusalStyle<'_>) -> ApiError {
        let message = format!(
            "No endpoints available matching your guardrail restrictions and data policy. \
             Configure: {}/settings/keys (`allowed_models` of this key leaves the model out)",
            style.base_url
        );
        ApiError::new(ErrorType::NotFound, message)
            .with("failed_routing_step", "Filter by Guardrails")
    }

    fn with_cell(self, cell: &Cell) -> ApiError {
        let (source, scope) = match cell.limit.layer {
            Layer::Workspace => ("openrouter_workspace_budget", "workspace"),
            Layer::Key => ("openrouter_key_limit", "key_limit"),
        };
        self.with("limit_source", source)
            .with("scope", scope)
            .with("limit_usd", Usd(cell.limit.amount))
            .with("spend_usd", Usd(cell.settled))
            .with("held_usd", Usd(cell.held))
            .with("remaining_usd", Usd(cell.left().max(Money::nanos(i64::MIN + 1))))
            .with("resets_at", cell.window.resets_at().map(Utc))
    }
}

/// A wait in seconds, rounded up to one at least.
fn whole_seconds(wait: Duration) -> u64 {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    seconds.max(1)
}

/// A workspace's budget in the words that clients match (SEMANTICS 7.7): `monthly budget of $500.00`.
fn budget(cell: &Cell) -> String {
    let period = match cell.limit.period {
        Period::Lifetime => "lifetime",
        period => period_name(period),
    };
    let amount = cell.limit.amount.to_string();
    let digits = amount.split_once('.').map_or(0, |(_, digits)| digits.len());
    let amount = match digits {
        0 => format!("{amount}.00"),
        1 => format!("{amount}0"),
        _ => amount,
    };
    format!("{period} budget of ${amount}")
}

/// A period in the words that clients match.
fn period_name(period: Period) -> &'static str {
    match period {
        Period::Day => "daily",
        Period::Week => "weekly",
        Period::Month => "monthly",
        Period::Lifetime => "total",
    }
}

impl From<Invalid> for ApiError {
    fn from(invalid: Invalid) -> ApiError {
        ApiError::invalid(invalid.to_string())
    }
}

impl From<upstream::BadRequest> for ApiError {
    fn from(bad: upstream::BadRequest) -> ApiError {
        ApiError::invalid(bad.to_string())
    }
}

impl From<store::StoreError> for ApiError {
    fn from(error: store::StoreError) -> ApiError {
        ApiError::store_away().because(error)
    }
}

impl From<crate::writer::Unwritten> for ApiError {
    fn from(error: crate::writer::Unwritten) -> ApiError {
        ApiError::store_away().because(error)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.body.code, self.0.body.message)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        let Inner { body, user, headers, cause } = *self.0;
        let cause = cause.as_deref().map(|cause| cause as &dyn std::error::Error);
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), message = body.message, cause, "failed");
        } else {
            tracing::debug!(status = status.as_u16(), message = body.message, cause, "refused");
        }
        crate::observe::note(|passage| passage.refused(&body));
        let envelope = ErrorEnvelope { error: body, user_id: user };
        let body = serde_json::to_vec(&envelope).unwrap_or_else(|_| {
            br#"{"error":{"code":500,"message":"Internal Server Error"}}"#.to_vec()
        });
        let mut response = (status, body).into_response();
        response.headers_mut().extend(headers);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response
    }
}
