//! Chat completions, whole and streamed.

mod answer;
mod message;
mod stream;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Usd};

pub use answer::{
    ChatChoice, ChatCompletion, ChatUsage, CompletionTokensDetails, CostDetails, FinishReason,
    PromptTokensDetails, ServerToolUseDetails,
};
pub use message::{Content, Message, Role, ToolCall, ToolFunction};
pub use stream::{ChatChunk, ChatDelta, ChatStream, ChatStreamChoice};

/// A conversation to be continued.
///
/// ```
/// use tollgate::{ChatRequest, Message};
///
/// let request = ChatRequest::new("openai/gpt-4o-mini")
///     .message(Message::system("Answer in one word."))
///     .message(Message::user("What is the capital of France?"))
///     .max_tokens(5);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ChatRequest {
    /// The model; the workspace's default one where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Models to be tried after it, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// What was said so far.
    pub messages: Vec<Message>,
    /// How many tokens the answer may have: what is set aside for it comes of this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// The newer name of `max_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u64>,
    /// How much chance plays a part, from 0 to 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The share of probability that tokens are chosen from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// The number that chance begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<i64>,
    /// Texts that end the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop: Option<Vec<String>>,
    /// The functions that the model may call, as OpenAI writes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Value>>,
    /// Whether and which of them it must call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<Value>,
    /// The form the answer must have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    /// How much the model thinks before it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<Value>,
    /// Which providers may answer, and in which order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderPreferences>,
    /// Who it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The conversation's name, up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// Whatever else the model's provider takes, by name.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ChatRequest {
    /// A conversation with that model, in which nothing was said yet.
    ///
    /// ```
    /// let request = tollgate::ChatRequest::new("openai/gpt-4o-mini");
    /// ```
    pub fn new(model: impl Into<String>) -> ChatRequest {
        ChatRequest { model: Some(model.into()), ..ChatRequest::default() }
    }

    /// The same with one more message.
    ///
    /// ```
    /// use tollgate::{ChatRequest, Message};
    ///
    /// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
    /// ```
    #[must_use]
    pub fn message(mut self, message: Message) -> ChatRequest {
        self.messages.push(message);
        self
    }
}

setters!(ChatRequest, ChatRequest::new("openai/gpt-4o-mini");
    text model = "openai/gpt-4o",
    words models = ["anthropic/claude-sonnet-4"],
    plain messages: Vec<Message> = vec![Message::user("Hello")],
    some max_tokens: u64 = 100,
    some max_completion_tokens: u64 = 100,
    some temperature: f64 = 0.7,
    some top_p: f64 = 0.9,
    some seed: i64 = 7,
    words stop = ["\n"],
    some tools: Vec<Value> = vec![serde_json::json!({"type": "function", "function": {"name": "weather"}})],
    some tool_choice: Value = serde_json::json!("required"),
    some response_format: Value = serde_json::json!({"type": "json_object"}),
    some reasoning: Value = serde_json::json!({"effort": "low"}),
    some provider: ProviderPreferences = ProviderPreferences::new().only(["groq"]),
    text user = "customer-7",
    text session_id = "support-0042",
    plain other: Map<String, Value> = serde_json::Map::from_iter([("top_k".to_owned(), 40.into())]),
);

/// Which providers may answer, and in which order.
///
/// ```
/// use tollgate::ProviderPreferences;
///
/// let only = ProviderPreferences::new().only(["groq", "openai"]).allow_fallbacks(false);
/// assert_eq!(
///     serde_json::to_string(&only).unwrap(),
///     r#"{"only":["groq","openai"],"allow_fallbacks":false}"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ProviderPreferences {
    /// These first, in this order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// None but these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<Vec<String>>,
    /// None of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Vec<String>>,
    /// Whether others than the first, or than those of `order`, may be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allow_fallbacks: Option<bool>,
    /// Whether only those may that take every parameter of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_parameters: Option<bool>,
    /// `deny`: none that keeps what it is sent for purposes of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_collection: Option<String>,
    /// Whether only those may that keep nothing at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub zdr: Option<bool>,
    /// None but endpoints whose weights are kept so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantizations: Option<Vec<String>>,
    /// What they are sorted by: `price`, `throughput` or `latency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// None that asks for more, in US dollars: a million tokens of `prompt` and `completion`, or
    /// a `request`, an `image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price: Option<BTreeMap<String, Usd>>,
}

impl ProviderPreferences {
    /// No wish.
    ///
    /// ```
    /// let any = tollgate::ProviderPreferences::new();
    /// ```
    pub fn new() -> ProviderPreferences {
        ProviderPreferences::default()
    }
}

setters!(ProviderPreferences, ProviderPreferences::new();
    words order = ["groq", "openai"],
    words only = ["groq", "openai"],
    words ignore = ["azure"],
    some allow_fallbacks: bool = false,
    some require_parameters: bool = true,
    text data_collection = "deny",
    some zdr: bool = true,
    words quantizations = ["fp8", "bf16"],
    text sort = "throughput",
    some max_price: BTreeMap<String, Usd> = [("prompt".to_owned(), Usd::from(1))].into(),
);

/// The calls that answer conversations.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// use tollgate::{ChatRequest, Message};
///
/// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
/// let answer = client.chat().send(&request).await?;
/// println!("{} for {:?}", answer.text(), answer.cost());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Chat(Client);

impl Client {
    /// The calls that answer conversations.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use tollgate::{ChatRequest, Message};
    ///
    /// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
    /// println!("{}", client.chat().send(&request).await?.text());
    /// # Ok(())
    /// # }
    /// ```
    pub fn chat(&self) -> Chat {
        Chat(self.clone())
    }
}

/// A request with its form of answer.
#[derive(Serialize)]
struct Streamed<'a> {
    #[serde(flatten)]
    request: &'a ChatRequest,
    stream: bool,
}

impl Chat {
    /// Answers a conversation, in one piece; never sent again once it may have been paid for.
    ///
    /// # Errors
    ///
    /// 402 and 403 where the money is not there: [`Error::is_over_limit`]. 404 where no provider
    /// may answer, 429 where all have too much to do, 502 where they failed.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, request: tollgate::ChatRequest) -> Result<(), tollgate::Error> {
    /// let answer = client.chat().send(&request).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, request: &ChatRequest) -> Result<ChatCompletion, Error> {
        Call::post(["chat", "completions"]).json(request)?.send(&self.0).await
    }

    /// Answers a conversation, part by part. Dropping the stream ends the request: what the
    /// provider did until then is paid for.
    ///
    /// # Errors
    ///
    /// As [`send`](Chat::send) before the first part; after it, as the stream's items.
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
    pub async fn stream(&self, request: &ChatRequest) -> Result<ChatStream, Error> {
        let request = Streamed { request, stream: true };
        let call = Call::post(["chat", "completions"]).json(&request)?;
        let response = call.open(&self.0).await?;
        Ok(ChatStream::new(response, self.0.0.idle_timeout))
    }
}
