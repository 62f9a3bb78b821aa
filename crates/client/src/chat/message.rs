//! What was said in a conversation, and by whom.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::open::open_enum;

open_enum! {
    /// Who says something.
    ///
    /// ```
    /// assert_eq!(tollgate::Role::from("user"), tollgate::Role::User);
    /// ```
    pub enum Role {
        /// Whoever sets the rules.
        System = "system",
        /// The same, as newer models call it.
        Developer = "developer",
        /// Whoever asks.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// A function that the model called.
        Tool = "tool",
    }
}

/// One message of a conversation.
///
/// ```
/// let message = tollgate::Message::user("Hello");
/// assert_eq!(serde_json::to_string(&message).unwrap(), r#"{"role":"user","content":"Hello"}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What they say; the model says nothing where it only calls functions.
    #[serde(default)]
    pub content: Option<Content>,
    /// What the model thought before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// The same in parts, signed or encrypted by some providers, who want them back as they were
    /// in what follows a function's call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_details: Option<Vec<Value>>,
    /// Why the model will not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// The images that the model made, each with its `image_url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub images: Option<Vec<Value>>,
    /// What the model speaks: `data` in base64, its `id`, `transcript` and `expires_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audio: Option<Value>,
    /// The model that says it, where several take part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The functions that the model calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Vec<ToolCall>>,
    /// The call whose result this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    /// The speaker's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What a message says: a text, or parts such as texts and images.
///
/// ```
/// assert_eq!(tollgate::Content::from("Hello").as_text(), Some("Hello"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Content {
    /// A text.
    Text(String),
    /// Parts, as OpenAI writes them.
    Parts(Vec<Value>),
}

impl Content {
    /// The text, where it is one.
    ///
    /// ```
    /// use tollgate::Content;
    ///
    /// assert_eq!(Content::from("Hello").as_text(), Some("Hello"));
    /// assert_eq!(Content::Parts(Vec::new()).as_text(), None);
    /// ```
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Content::Text(text) => Some(text),
            Content::Parts(_) => None,
        }
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Content {
        Content::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Content {
        Content::Text(text)
    }
}

/// A call of a function by the model.
///
/// ```
/// # fn show(call: tollgate::ToolCall) {
/// println!("{}({})", call.function.name, call.function.arguments);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ToolCall {
    /// Its place among the calls of one answer, in streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// What names it; only the first part of a streamed one has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its kind, which is `function`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What is called.
    #[serde(default)]
    pub function: ToolFunction,
}

/// The function that is called, and with what.
///
/// ```
/// # fn show(function: tollgate::ToolFunction) {
/// println!("{}", function.name);
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolFunction {
    /// Its name; empty in all but the first part of a streamed call.
    pub name: String,
    /// Its arguments as JSON, or the next part of them.
    pub arguments: String,
}

impl Message {
    fn of(role: Role, content: impl Into<Content>) -> Message {
        Message {
            role,
            content: Some(content.into()),
            reasoning: None,
            reasoning_details: None,
            refusal: None,
            images: None,
            audio: None,
            model: None,
            tool_calls: None,
            tool_call_id: None,
            name: None,
        }
    }

    /// What whoever sets the rules says.
    ///
    /// ```
    /// let message = tollgate::Message::system("Answer in one word.");
    /// ```
    pub fn system(content: impl Into<Content>) -> Message {
        Message::of(Role::System, content)
    }

    /// What whoever asks says.
    ///
    /// ```
    /// let message = tollgate::Message::user("Hello");
    /// ```
    pub fn user(content: impl Into<Content>) -> Message {
        Message::of(Role::User, content)
    }

    /// What the model said.
    ///
    /// ```
    /// let message = tollgate::Message::assistant("Hello");
    /// ```
    pub fn assistant(content: impl Into<Content>) -> Message {
        Message::of(Role::Assistant, content)
    }

    /// What the function gave that the model called.
    ///
    /// ```
    /// let message = tollgate::Message::tool("call-1", r#"{"celsius": 21}"#);
    /// ```
    pub fn tool(call_id: impl Into<String>, content: impl Into<Content>) -> Message {
        Message { tool_call_id: Some(call_id.into()), ..Message::of(Role::Tool, content) }
    }
}
