//! The envelope of every error answer, and the vocabulary of what went wrong.
//! `code` is always an integer and always there: official SDKs fail on anything else (SEMANTICS 6.1).

mod availability;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

pub use availability::{Availability, AvailabilityCode, Constraint};

/// An error answer: `{"error": {…}, "user_id": …}`.
///
/// ```
/// # use api::error::*;
/// let body = ErrorBody::new(ErrorType::NotFound, "Resource not found");
/// assert_eq!(
///     serde_json::to_string(&ErrorEnvelope::new(body))?,
///     r#"{"error":{"code":404,"message":"Resource not found","metadata":{"error_type":"not_found"}}}"#,
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorEnvelope {
    /// What went wrong.
    pub error: ErrorBody,
    /// Whose request it was, where the answer says so: `Some(None)` is an explicit `null`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<Option<String>>,
}

impl ErrorEnvelope {
    /// The answer that says `error` and no more.
    pub fn new(error: ErrorBody) -> ErrorEnvelope {
        ErrorEnvelope { error, user_id: None }
    }
}

/// What went wrong: the status, a sentence for the caller, and facts for their program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The HTTP status.
    pub code: u16,
    /// What went wrong, for the caller to read.
    pub message: String,
    /// Facts a client may act on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Why nothing could serve the request, where that is what went wrong. Boxed, as most errors
    /// have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability: Option<Box<Availability>>,
}

impl ErrorBody {
    /// An error of that type, with its status and its name in the metadata.
    ///
    /// The name is always there, because a stream's error must not have metadata without it
    /// (SEMANTICS 6.3).
    pub fn new(error_type: ErrorType, message: impl Into<String>) -> ErrorBody {
        let (code, message) = (error_type.status(), message.into());
        ErrorBody { code, message, metadata: None, availability: None }
            .with("error_type", error_type)
    }

    /// The same error under a status that no [`ErrorType`] has, such as 405 or 409.
    pub fn with_code(self, code: u16) -> ErrorBody {
        ErrorBody { code, ..self }
    }

    /// The same error, with why nothing could serve the request.
    pub fn with_availability(self, why: Availability) -> ErrorBody {
        ErrorBody { availability: Some(Box::new(why)), ..self }
    }

    /// The same error with one more fact in its metadata.
    ///
    /// A value that has no JSON form is left out: metadata only adds to the message.
    pub fn with(mut self, name: &str, value: impl Serialize) -> ErrorBody {
        if let Ok(value) = serde_json::value::to_raw_value(&value) {
            self.metadata.get_or_insert_default().0.insert(name.to_owned(), value);
        }
        self
    }
}

/// The facts that go with an error, by name.
///
/// They are kept as JSON text, so that an amount among them stays exact.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(BTreeMap<String, Box<RawValue>>);

impl Metadata {
    /// The fact of that name, where it is there and is a `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }
}

/// The stable vocabulary of `metadata.error_type` (SEMANTICS 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorType {
    /// No credential, or one that is not good: 401.
    Authentication,
    /// A good credential that may not do this: 403.
    PermissionDenied,
    /// The money is not there: 402.
    PaymentRequired,
    /// Too many requests: 429.
    RateLimitExceeded,
    /// The provider has too much to do: 503.
    ProviderOverloaded,
    /// The provider failed: 502.
    ProviderUnavailable,
    /// The request is not what the API takes: 400.
    InvalidRequest,
    /// The prompt is not what the model takes: 400.
    InvalidPrompt,
    /// The prompt and the answer do not fit the model's context: 400.
    ContextLengthExceeded,
    /// More completion tokens were asked for than the model gives: 400.
    MaxTokensExceeded,
    /// More tokens than are allowed: 400.
    TokenLimitExceeded,
    /// A text longer than is allowed: 400.
    StringTooLong,
    /// The content is against the provider's policy: 400.
    ContentPolicyViolation,
    /// The model would not answer: 400.
    Refusal,
    /// Not an image: 400.
    InvalidImage,
    /// An image with too many pixels or bytes: 400.
    ImageTooLarge,
    /// An image with too few pixels: 400.
    ImageTooSmall,
    /// An image in a format the model does not take: 400.
    UnsupportedImageFormat,
    /// An image that could not be fetched: 400.
    ImageDownloadFailed,
    /// No such thing: 404.
    NotFound,
    /// No such image: 404.
    ImageNotFound,
    /// Something had to be true first: 412.
    PreconditionFailed,
    /// The body is too large: 413.
    PayloadTooLarge,
    /// Understood, but not possible: 422.
    Unprocessable,
    /// It took too long: 504.
    Timeout,
    /// The gateway failed: 500.
    Server,
    /// What no other word says: 500.
    Unmapped,
}

impl ErrorType {
    /// The HTTP status an error of this type is answered with.
    pub const fn status(self) -> u16 {
        match self {
            ErrorType::Authentication => 401,
            ErrorType::PaymentRequired => 402,
            ErrorType::PermissionDenied => 403,
            ErrorType::NotFound | ErrorType::ImageNotFound => 404,
            ErrorType::PreconditionFailed => 412,
            ErrorType::PayloadTooLarge => 413,
            ErrorType::Unprocessable => 422,
            ErrorType::RateLimitExceeded => 429,
            ErrorType::Server | ErrorType::Unmapped => 500,
            ErrorType::ProviderUnavailable => 502,
            ErrorType::ProviderOverloaded => 503,
            ErrorType::Timeout => 504,
            ErrorType::InvalidRequest
            | ErrorType::InvalidPrompt
            | ErrorType::ContextLengthExceeded
            | ErrorType::MaxTokensExceeded
            | ErrorType::TokenLimitExceeded
            | ErrorType::StringTooLong
            | ErrorType::ContentPolicyViolation
            | ErrorType::Refusal
            | ErrorType::InvalidImage
            | ErrorType::ImageTooLarge
            | ErrorType::ImageTooSmall
            | ErrorType::UnsupportedImageFormat
            | ErrorType::ImageDownloadFailed => 400,
        }
    }
}

/// Tells a `null` from nothing, which a plain `Option` does not.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
