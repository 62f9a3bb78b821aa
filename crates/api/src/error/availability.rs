//! Why nothing could serve a request, for a program to act on: `error.availability`
//! (SEMANTICS 6.5).

use serde::{Deserialize, Serialize};

/// Why nothing could serve a request.
///
/// ```
/// # use api::error::{Availability, AvailabilityCode};
/// let models = vec!["openai/gpt-4o-mini".to_owned()];
/// let why = Availability::new(AvailabilityCode::NoEndpoints, models, "https://gate.example/docs");
/// assert_eq!(
///     serde_json::to_string(&why)?,
///     r#"{"code":"no_endpoints","retryable":false,"requested_models":["openai/gpt-4o-mini"],"docs_url":"https://gate.example/docs"}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Availability {
    /// The reason.
    pub code: AvailabilityCode,
    /// Whether the same request may be served later.
    pub retryable: bool,
    /// The models that were asked for.
    pub requested_models: Vec<String>,
    /// Where this reason is explained.
    pub docs_url: String,
    /// In how many seconds it is worth trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The providers that could have served it otherwise, by slug.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub affected_providers: Vec<String>,
    /// The members of the request that left none, such as `provider.only`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded_by: Vec<String>,
    /// Models that may be asked for instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallback_models: Vec<String>,
    /// The wish that none fulfils.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<Constraint>,
}

/// A wish that no endpoint fulfils.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Constraint {
    /// The member of the request that has it.
    pub field: String,
    /// What of it none fulfils.
    pub detail: String,
}

impl Availability {
    /// That reason, and nothing more.
    pub fn new(
        code: AvailabilityCode,
        requested_models: Vec<String>,
        docs_url: impl Into<String>,
    ) -> Availability {
        Availability {
            code,
            retryable: code.is_retryable(),
            requested_models,
            docs_url: docs_url.into(),
            retry_after: None,
            affected_providers: Vec::new(),
            excluded_by: Vec::new(),
            fallback_models: Vec::new(),
            constraint: None,
        }
    }
}

/// Why nothing could serve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AvailabilityCode {
    /// There is no such model: 400.
    ModelNotFound,
    /// The model is asked for at another path: 400.
    WrongEndpoint,
    /// The model has no endpoint that works: 404.
    NoEndpoints,
    /// The model was switched off: 404.
    ModelDeprecated,
    /// The provider does not know the model: 404.
    ModelUnavailableUpstream,
    /// No endpoint keeps to how data is to be treated: 404.
    PrivacyRestricted,
    /// No endpoint does all that is asked for: 404.
    ConstraintFiltered,
    /// The model is no longer to be had for nothing: 404.
    FreeVariantEnded,
    /// The model is not served here: 403.
    RegionRestricted,
    /// All endpoints have as much to do as they take: 429.
    CapacityExhausted,
    /// All endpoints are down: 503.
    TemporarilyUnavailable,
}

impl AvailabilityCode {
    /// The HTTP status that it is answered with.
    pub const fn status(self) -> u16 {
        match self {
            AvailabilityCode::ModelNotFound | AvailabilityCode::WrongEndpoint => 400,
            AvailabilityCode::RegionRestricted => 403,
            AvailabilityCode::NoEndpoints
            | AvailabilityCode::ModelDeprecated
            | AvailabilityCode::ModelUnavailableUpstream
            | AvailabilityCode::PrivacyRestricted
            | AvailabilityCode::ConstraintFiltered
            | AvailabilityCode::FreeVariantEnded => 404,
            AvailabilityCode::CapacityExhausted => 429,
            AvailabilityCode::TemporarilyUnavailable => 503,
        }
    }

    /// Whether the same request may be served later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            AvailabilityCode::CapacityExhausted | AvailabilityCode::TemporarilyUnavailable
        )
    }
}
