//! The one error of this crate, which is asked rather than matched.

mod answer;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::Usd;

pub(crate) use answer::Answer;

/// What went wrong, and the questions a program has about it.
///
/// ```
/// # fn handle(error: tollgate::Error) {
/// if let Some(limit) = error.limit() {
///     eprintln!("over the limit of {:?}, until {:?}", limit.limit, limit.resets_at);
/// } else if error.status() == Some(404) {
///     eprintln!("no such thing");
/// } else {
///     eprintln!("{error} (request {:?})", error.request_id());
/// }
/// # }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: Kind,
    source: Option<Box<dyn StdError + Send + Sync>>,
    answer: Answer,
}

/// What a request came to grief on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It was not sent: what the caller gave makes no request.
    Misuse(String),
    /// No connection came about.
    Connect,
    /// It took too long.
    Timeout,
    /// The connection ended, or the answer did, before its end.
    Cut,
    /// The server said no.
    Refused,
    /// The answer is not what the API says; what is wrong with it.
    Decode(String),
}

/// Where a limit stands that refused a request, as far as the server said.
///
/// ```
/// # fn show(error: &tollgate::Error) {
/// if let Some(limit) = error.limit() {
///     println!("{:?}: {:?} of {:?}, until {:?}", limit.source, limit.spent, limit.limit, limit.resets_at);
/// }
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitFacts {
    /// Which limit, such as `openrouter_key_limit` or `openrouter_workspace_budget`.
    pub source: Option<String>,
    /// Which layer, in the words of [`BudgetScope`](crate::BudgetScope).
    pub scope: Option<String>,
    /// What may be spent in a window.
    pub limit: Option<Usd>,
    /// What was spent in the current one.
    pub spent: Option<Usd>,
    /// What is set aside besides for requests in flight. Tollgate only.
    pub held: Option<Usd>,
    /// What is left for further requests; below zero where the limit was lowered. Tollgate only.
    pub remaining: Option<Usd>,
    /// When the next one begins.
    pub resets_at: Option<Timestamp>,
}

impl Error {
    pub(crate) fn new(kind: Kind) -> Error {
        Error(Box::new(Inner { kind, source: None, answer: Answer::default() }))
    }

    pub(crate) fn misuse(problem: impl Into<String>) -> Error {
        Error::new(Kind::Misuse(problem.into()))
    }

    pub(crate) fn refused(answer: Answer) -> Error {
        Error::new(Kind::Refused).answered(answer)
    }

    pub(crate) fn decode(problem: impl Into<String>) -> Error {
        Error::new(Kind::Decode(problem.into()))
    }

    /// What became of a request that got no answer, or only a part of one.
    pub(crate) fn transport(error: reqwest::Error) -> Error {
        let kind = if error.is_timeout() {
            Kind::Timeout
        } else if error.is_builder() {
            Kind::Misuse("this makes no request".to_owned())
        } else if error.is_connect() {
            Kind::Connect
        } else {
            Kind::Cut
        };
        // A URL may have a key in it that somebody put there.
        Error::new(kind).because(error.without_url())
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn answered(mut self, answer: Answer) -> Error {
        self.0.answer = answer;
        self
    }

    pub(crate) fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// The HTTP status of the answer; `None` where there was no answer. An error within a stream
    /// has the status that the stream said.
    ///
    /// ```
    /// # fn is_conflict(error: &tollgate::Error) -> bool {
    /// error.status() == Some(409)
    /// # }
    /// ```
    pub fn status(&self) -> Option<u16> {
        self.0.answer.status
    }

    /// The `code` of the error's body, which is the status unless the server says otherwise.
    ///
    /// ```
    /// # fn show(error: &tollgate::Error) {
    /// println!("{:?}", error.code());
    /// # }
    /// ```
    pub fn code(&self) -> Option<i64> {
        self.0.answer.code.or(self.status().map(i64::from))
    }

    /// What the server says went wrong, in its words.
    ///
    /// ```
    /// # fn show(error: &tollgate::Error) {
    /// println!("{}", error.message().unwrap_or("no answer"));
    /// # }
    /// ```
    pub fn message(&self) -> Option<&str> {
        self.0.answer.message.as_deref()
    }

    /// The server's stable word for what went wrong, such as `rate_limit_exceeded`.
    ///
    /// ```
    /// # fn is_too_long(error: &tollgate::Error) -> bool {
    /// error.error_type().as_deref() == Some("context_length_exceeded")
    /// # }
    /// ```
    pub fn error_type(&self) -> Option<String> {
        self.metadata("error_type")
    }

    /// One of the facts that go with the error, where it is there and is a `T`.
    ///
    /// ```
    /// # fn provider(error: &tollgate::Error) -> Option<String> {
    /// error.metadata("provider_name")
    /// # }
    /// ```
    pub fn metadata<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.answer.metadata.get(name)?.get()).ok()
    }

    /// The server's name for the request, for whoever reads its log.
    ///
    /// ```
    /// # fn show(error: &tollgate::Error) {
    /// println!("{:?}", error.request_id());
    /// # }
    /// ```
    pub fn request_id(&self) -> Option<&str> {
        self.0.answer.request_id.as_deref()
    }

    /// How long the server asks to wait before another try.
    ///
    /// ```
    /// # fn wait(error: &tollgate::Error) -> std::time::Duration {
    /// error.retry_after().unwrap_or_default()
    /// # }
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.answer.retry_after
    }

    /// Whether the money is not there: 403 where a limit of the key or a budget is used up, 402
    /// where what is left is too little for the request. [`limit`](Error::limit) has the figures.
    ///
    /// ```
    /// # fn show(error: &tollgate::Error) {
    /// match (error.is_over_limit(), error.status(), error.retry_after()) {
    ///     (true, Some(402), Some(wait)) => println!("held by requests in flight: again in {wait:?}"),
    ///     (true, Some(402), None) => println!("too little is left: lower max_tokens"),
    ///     (true, ..) => println!("used up until {:?}", error.limit().and_then(|limit| limit.resets_at)),
    ///     (false, ..) => println!("something else: {error}"),
    /// }
    /// # }
    /// ```
    pub fn is_over_limit(&self) -> bool {
        let is_of_limit = || {
            let said = self.message().is_some_and(|message| message.contains("limit exceeded"));
            said || self.0.answer.metadata.contains_key("limit_source")
        };
        match self.status() {
            Some(402) => true,
            Some(403) => is_of_limit(),
            _ => false,
        }
    }

    /// Which limit refused the request, and where it stands; `None` where none did.
    ///
    /// ```
    /// # fn show(error: &tollgate::Error) {
    /// if let Some(limit) = error.limit() {
    ///     println!("{:?} of {:?} are spent", limit.spent, limit.limit);
    /// }
    /// # }
    /// ```
    pub fn limit(&self) -> Option<LimitFacts> {
        self.is_over_limit().then(|| LimitFacts {
            source: self.metadata("limit_source"),
            scope: self.metadata("scope"),
            limit: self.metadata("limit_usd"),
            spent: self.metadata("spend_usd"),
            held: self.metadata("held_usd"),
            remaining: self.metadata("remaining_usd"),
            resets_at: self.metadata("resets_at"),
        })
    }

    /// Whether no connection came about, so that nothing was sent.
    ///
    /// ```
    /// # fn is_server_down(error: &tollgate::Error) -> bool {
    /// error.is_connect()
    /// # }
    /// ```
    pub fn is_connect(&self) -> bool {
        self.0.kind == Kind::Connect
    }

    /// Whether it took longer than this client waits; the request may have been served.
    ///
    /// ```
    /// # fn is_slow(error: &tollgate::Error) -> bool {
    /// error.is_timeout()
    /// # }
    /// ```
    pub fn is_timeout(&self) -> bool {
        self.0.kind == Kind::Timeout
    }

    /// Whether the answer is not what the API says it is.
    ///
    /// ```
    /// # fn is_another_api(error: &tollgate::Error) -> bool {
    /// error.is_decode()
    /// # }
    /// ```
    pub fn is_decode(&self) -> bool {
        matches!(self.0.kind, Kind::Decode(_))
    }

    /// Whether the key is not good: absent, unknown, disabled, expired or deleted.
    ///
    /// ```
    /// # fn is_key_bad(error: &tollgate::Error) -> bool {
    /// error.is_unauthorized()
    /// # }
    /// ```
    pub fn is_unauthorized(&self) -> bool {
        self.status() == Some(401)
    }

    /// Whether there is no such thing; nor is there anything where a base URL lacks its path.
    ///
    /// ```
    /// # fn is_gone(error: &tollgate::Error) -> bool {
    /// error.is_not_found()
    /// # }
    /// ```
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Misuse(problem) => f.write_str(problem)?,
            Kind::Connect => f.write_str("can't connect to the server")?,
            Kind::Timeout => f.write_str("the server took too long")?,
            Kind::Cut => f.write_str("the answer broke off")?,
            Kind::Decode(problem) => write!(f, "the answer is not what the API says: {problem}")?,
            Kind::Refused => f.write_str(self.message().unwrap_or("the server refused"))?,
        }
        match (&self.0.kind, self.status()) {
            (Kind::Refused | Kind::Decode(_), Some(status)) => write!(f, " (HTTP {status})"),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("answer", &self.0.answer)
            .field("source", &self.0.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
