//! The only sender: one call of the API, sent until it is answered or can't be sent again.

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::Inner;
use crate::error::{Answer, Kind};
use crate::retry::{Outcome, Twice};
use crate::{Client, Error, Retries, Usd};

const JSON: &str = "application/json";
pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// One call of the API.
pub(crate) struct Call {
    method: Method,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Bytes>,
    idempotency_key: Option<String>,
    twice: Twice,
}

/// A value of a query, as its text.
pub(crate) trait QueryValue {
    fn text(&self) -> String;
}

macro_rules! printed {
    ($($type:ty),+) => {
        $(impl QueryValue for $type {
            fn text(&self) -> String {
                self.to_string()
            }
        })+
    };
}
printed!(String, &str, u64, bool, Usd, jiff::Timestamp, jiff::civil::Date);

impl Call {
    fn new<'a>(method: Method, segments: impl IntoIterator<Item = &'a str>, twice: Twice) -> Call {
        Call {
            method,
            segments: segments.into_iter().map(str::to_owned).collect(),
            query: Vec::new(),
            body: None,
            idempotency_key: None,
            twice,
        }
    }

    pub(crate) fn get<'a>(segments: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(Method::GET, segments, Twice::Harmless)
    }

    pub(crate) fn delete<'a>(segments: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(Method::DELETE, segments, Twice::Harmless)
    }

    /// A change that says what is to be, so that saying it twice is as good as once.
    pub(crate) fn patch<'a>(segments: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(Method::PATCH, segments, Twice::Harmless)
    }

    pub(crate) fn put<'a>(segments: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(Method::PUT, segments, Twice::Harmless)
    }

    /// What makes something, or pays for something.
    pub(crate) fn post<'a>(segments: impl IntoIterator<Item = &'a str>) -> Call {
        Call::new(Method::POST, segments, Twice::Harmful)
    }

    /// A POST that says what is to be.
    pub(crate) fn harmless_twice(self) -> Call {
        Call { twice: Twice::Harmless, ..self }
    }

    /// The same with a parameter in its query, where there is a value.
    pub(crate) fn query<V: QueryValue>(mut self, name: &'static str, value: Option<&V>) -> Call {
        self.query.extend(value.map(|value| (name, value.text())));
        self
    }

    pub(crate) fn idempotency_key(mut self, key: Option<&str>) -> Call {
        self.idempotency_key = key.map(str::to_owned);
        if key.is_some() { self.harmless_twice() } else { self }
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Call, Error> {
        let text = serde_json::to_vec(body)
            .map_err(|error| Error::misuse("the request has no JSON form").because(error))?;
        self.body = Some(text.into());
        Ok(self)
    }

    /// Sends it, and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(self, client: &Client) -> Result<T, Error> {
        let mut sent = 0;
        let (answer, body) = loop {
            match self.once(&client.0).await {
                Ok(answered) => break answered,
                Err(error) => self.wait(client.0.retries, &mut sent, error).await?,
            }
        };
        serde_json::from_slice(&body)
            .map_err(|error| Error::decode(error.to_string()).answered(answer))
    }

    /// Sends it, and gives the answer as soon as its head is there, which must be a stream's.
    pub(crate) async fn open(self, client: &Client) -> Result<Response, Error> {
        let mut sent = 0;
        loop {
            match self.stream_once(&client.0).await {
                Ok(response) => return Ok(response),
                Err(error) => self.wait(client.0.retries, &mut sent, error).await?,
            }
        }
    }

    /// Waits until it may be sent again, or gives the error that it may not after.
    async fn wait(&self, retries: Retries, sent: &mut u32, error: Error) -> Result<(), Error> {
        *sent += 1;
        match retries.wait(*sent, outcome(&error), self.twice, fastrand::u8(..)) {
            Some(wait) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            None => Err(error),
        }
    }

    async fn once(&self, client: &Inner) -> Result<(Answer, Bytes), Error> {
        let request = self.request(client, JSON)?.timeout(client.timeout);
        let response = request.send().await.map_err(Error::transport)?;
        let answer = Answer::of_head(response.status().as_u16(), response.headers());
        let (is_success, kind) = (response.status().is_success(), content_type(&response));
        let body = response
            .bytes()
            .await
            .map_err(|error| Error::transport(error).answered(answer.clone()))?;
        if !is_success {
            return Err(Error::refused(answer.with_error(&body)));
        }
        if kind != JSON {
            return Err(Error::decode(format!("its type is {kind:?}, not {JSON}")).answered(answer));
        }
        Ok((answer, body))
    }

    async fn stream_once(&self, client: &Inner) -> Result<Response, Error> {
        let send = self.request(client, EVENT_STREAM)?.send();
        let late = |_| Error::new(Kind::Timeout);
        let response = tokio::time::timeout(client.idle_timeout, send).await.map_err(late)?;
        let response = response.map_err(Error::transport)?;
        let answer = Answer::of_head(response.status().as_u16(), response.headers());
        if !response.status().is_success() {
            let body = tokio::time::timeout(client.idle_timeout, response.bytes()).await;
            let body = body.map_err(late)?.unwrap_or_default();
            return Err(Error::refused(answer.with_error(&body)));
        }
        match content_type(&response).as_str() {
            EVENT_STREAM => Ok(response),
            kind => {
                let problem = format!("its type is {kind:?}, not {EVENT_STREAM}");
                Err(Error::decode(problem).answered(answer))
            }
        }
    }

    fn request(&self, client: &Inner, accept: &str) -> Result<reqwest::RequestBuilder, Error> {
        let accept = HeaderValue::from_str(accept).expect("a media type is a header's value");
        let mut request = client
            .http
            .request(self.method.clone(), self.url(&client.base_url)?)
            .headers(client.headers.clone())
            .header(ACCEPT, accept);
        if let Some(key) = &self.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &self.body {
            request = request.header(CONTENT_TYPE, JSON).body(body.clone());
        }
        Ok(request)
    }

    fn url(&self, base: &Url) -> Result<Url, Error> {
        // Those would make another path of it: a list of what should have been one.
        if let Some(name) =
            self.segments.iter().find(|name| matches!(name.as_str(), "" | "." | ".."))
        {
            return Err(Error::misuse(format!("{name:?} names nothing")));
        }
        let mut url = base.clone();
        url.path_segments_mut()
            .expect("an http URL has a path")
            .pop_if_empty()
            .extend(&self.segments);
        if !self.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.query);
        }
        Ok(url)
    }
}

/// The type of an answer's body, without its parameters, in lower case.
fn content_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let value = value.unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// What `error` says of whether the request was done.
fn outcome(error: &Error) -> Outcome {
    match (error.kind(), error.status()) {
        (Kind::Connect, _) => Outcome::NotSent,
        (Kind::Timeout | Kind::Cut, _) => Outcome::Lost,
        (Kind::Refused, Some(status)) => {
            Outcome::Refused { status, retry_after: error.retry_after() }
        }
        _ => Outcome::Final,
    }
}
