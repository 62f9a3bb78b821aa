//! An answer part by part, as server-sent events.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sse_stream::{Sse, SseStream};
use tokio::time::Sleep;

use super::{ChatUsage, FinishReason, Role, ToolCall};
use crate::error::{Answer, Kind};
use crate::{Error, Usd};

/// What ends every stream that is whole.
const DONE: &str = "[DONE]";

type Events = Pin<Box<dyn Stream<Item = Result<Sse, sse_stream::Error>> + Send>>;

/// An answer part by part: a `Stream` of [`ChatChunk`]s. Dropping it ends the request.
///
/// The last part has the usage. An error, within the stream or of the connection, is the last
/// item; a stream that ends without an error is whole.
///
/// ```no_run
/// # async fn example(client: tollgate::Client, request: tollgate::ChatRequest) -> Result<(), tollgate::Error> {
/// use futures_util::TryStreamExt as _;
///
/// let mut parts = client.chat().stream(&request).await?;
/// while let Some(part) = parts.try_next().await? {
///     print!("{}", part.text());
/// }
/// # Ok(())
/// # }
/// ```
pub struct ChatStream {
    events: Events,
    answer: Answer,
    idle_timeout: Duration,
    idle: Pin<Box<Sleep>>,
    is_ended: bool,
}

impl ChatStream {
    pub(crate) fn new(response: Response, idle_timeout: Duration) -> ChatStream {
        let answer = Answer::of_head(response.status().as_u16(), response.headers());
        ChatStream {
            events: Box::pin(SseStream::from_bytes_stream(response.bytes_stream())),
            answer,
            idle_timeout,
            idle: Box::pin(tokio::time::sleep(idle_timeout)),
            is_ended: false,
        }
    }

    /// The server's name for the request, for whoever reads its log.
    ///
    /// ```
    /// # fn show(parts: &tollgate::ChatStream) {
    /// println!("{:?}", parts.request_id());
    /// # }
    /// ```
    pub fn request_id(&self) -> Option<&str> {
        self.answer.request_id.as_deref()
    }

    /// The next part; `None` is the end. For programs that use no `Stream` traits.
    ///
    /// # Errors
    ///
    /// Where the stream said so, or broke off.
    ///
    /// ```no_run
    /// # async fn example(mut parts: tollgate::ChatStream) -> Result<(), tollgate::Error> {
    /// while let Some(part) = parts.next_chunk().await? {
    ///     print!("{}", part.text());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn next_chunk(&mut self) -> Result<Option<ChatChunk>, Error> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }

    /// What an event brings: a part, or the end; nothing where it is a comment.
    fn read(&self, event: Option<Result<Sse, sse_stream::Error>>) -> Result<Read, Error> {
        let answered = |error: Error| error.answered(self.answer.clone());
        let data = match event {
            Some(Ok(Sse { data: Some(data), .. })) => data,
            Some(Ok(Sse { data: None, .. })) => return Ok(Read::Comment),
            Some(Err(sse_stream::Error::Body(cause))) => {
                return Err(answered(Error::new(Kind::Cut).because(cause)));
            }
            Some(Err(problem)) => return Err(answered(Error::decode(problem.to_string()))),
            None => return Err(answered(Error::new(Kind::Cut))),
        };
        if data == DONE {
            return Ok(Read::End);
        }
        if serde_json::from_str::<Failed>(&data).is_ok() {
            let mut answer = self.answer.clone().with_error(data.as_bytes());
            answer.status = answer.code.and_then(|code| u16::try_from(code).ok());
            return Err(Error::refused(answer));
        }
        let chunk = serde_json::from_str(&data);
        chunk
            .map(|chunk| Read::Part(Box::new(chunk)))
            .map_err(|problem| answered(Error::decode(problem.to_string())))
    }
}

/// What an event brings.
enum Read {
    Comment,
    Part(Box<ChatChunk>),
    End,
}

/// An event that says that something went wrong.
#[derive(Deserialize)]
struct Failed {
    #[serde(rename = "error")]
    _error: serde::de::IgnoredAny,
}

impl Stream for ChatStream {
    type Item = Result<ChatChunk, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<ChatChunk, Error>>> {
        while !self.is_ended {
            let read = match self.events.as_mut().poll_next(context) {
                Poll::Ready(event) => {
                    let idle = tokio::time::sleep(self.idle_timeout);
                    self.idle.set(idle);
                    self.read(event)
                }
                Poll::Pending => {
                    std::task::ready!(self.idle.as_mut().poll(context));
                    Err(Error::new(Kind::Timeout).answered(self.answer.clone()))
                }
            };
            match read {
                Ok(Read::Comment) => {}
                Ok(Read::Part(chunk)) => return Poll::Ready(Some(Ok(*chunk))),
                Ok(Read::End) => self.is_ended = true,
                Err(error) => {
                    self.is_ended = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        Poll::Ready(None)
    }
}

impl fmt::Debug for ChatStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChatStream").field("is_ended", &self.is_ended).finish_non_exhaustive()
    }
}

/// One part of an answer.
///
/// ```
/// # fn show(part: tollgate::ChatChunk) {
/// print!("{}", part.text());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatChunk {
    /// The generation's id.
    pub id: String,
    /// The model that answers.
    pub model: String,
    /// The provider that answers, by its display name.
    #[serde(default)]
    pub provider: Option<String>,
    /// When the answer began, in seconds since 1970.
    #[serde(default)]
    pub created: i64,
    /// What the provider says of its machines: the same ones answer one `seed` alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_fingerprint: Option<String>,
    /// The tier of service that the provider gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_tier: Option<String>,
    /// What comes to each answer.
    #[serde(default)]
    pub choices: Vec<ChatStreamChoice>,
    /// What the request used and what it cost; the last part has it.
    #[serde(default)]
    pub usage: Option<ChatUsage>,
    /// How the request was routed, where its headers asked for that. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openrouter_metadata: Option<Value>,
    /// What a plugin found of how well the answer keeps to what is wanted. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alignment: Option<Value>,
    /// What plugins found that look at what is said. OpenRouter only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub safeguard_results: Option<Value>,
}

impl ChatChunk {
    /// What comes to the text of the first answer; empty where nothing does.
    ///
    /// ```
    /// # fn show(part: tollgate::ChatChunk) {
    /// print!("{}", part.text());
    /// # }
    /// ```
    pub fn text(&self) -> &str {
        let content = self.choices.first().and_then(|choice| choice.delta.content.as_deref());
        content.unwrap_or_default()
    }

    /// What was charged for the whole answer, in US dollars, which the last part says.
    ///
    /// ```no_run
    /// # async fn example(mut parts: tollgate::ChatStream) -> Result<(), tollgate::Error> {
    /// let mut cost = None;
    /// while let Some(part) = parts.next_chunk().await? {
    ///     cost = part.cost().or(cost);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn cost(&self) -> Option<Usd> {
        self.usage.as_ref()?.cost
    }
}

/// What comes to one answer.
///
/// ```
/// # fn show(choice: tollgate::ChatStreamChoice) {
/// println!("{:?}", choice.finish_reason);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChatStreamChoice {
    /// The answer's number.
    #[serde(default)]
    pub index: u64,
    /// What comes to it.
    #[serde(default)]
    pub delta: ChatDelta,
    /// Why it ended, in its last part.
    #[serde(default)]
    pub finish_reason: Option<FinishReason>,
    /// Why it ended, in the provider's words.
    #[serde(default)]
    pub native_finish_reason: Option<String>,
    /// How probable its tokens were, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<Value>,
}

/// What comes to an answer.
///
/// ```
/// # fn show(delta: tollgate::ChatDelta) {
/// println!("{:?}", delta.content);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ChatDelta {
    /// Who says it, in the first part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// More of what it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// More of what the model thinks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The same in parts, of which those of one `index` belong together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_details: Option<Vec<Value>>,
    /// More of what the model speaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Value>,
    /// More of why the model will not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// More of the functions that it calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
}
