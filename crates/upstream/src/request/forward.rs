//! The body that goes to the provider: a head of the gateway's own, then the client's bytes.
//! What is kept is sliced, never copied, in the client's order.

use bytes::Bytes;

use super::fields::Field;
use super::{Placed, Request, Surface};

/// What the gateway itself writes into a forwarded body.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The model, as the provider calls it.
    pub model: &'a str,
    /// The name of the maximum that the endpoint obeys, such as `max_tokens`; never `messages`.
    pub max_tokens_field: &'a str,
    /// The completion's maximum in tokens that the hold was made for.
    pub max_tokens: u64,
}

impl Request {
    /// The body to send, as segments of one JSON object.
    ///
    /// It has the gateway's own `model`, `stream`, `stream_options` (only when streaming, asking
    /// for usage) and cap, then every field the gateway does not act on, byte for byte. No
    /// spelling of a maximum but the plan's is left (DESIGN step 2). Embeddings have neither
    /// stream nor cap.
    pub fn forward(&self, plan: &Plan<'_>) -> Vec<Bytes> {
        let mut segments = Vec::with_capacity(4);
        segments.push(match self.surface {
            Surface::Chat => chat_head(plan, self.stream),
            Surface::Embeddings => embeddings_head(plan),
        });
        let kept_last = self.members.iter().rposition(|placed| self.is_kept(placed, plan));
        let mut run_start = None;
        for (at, placed) in self.members.iter().enumerate() {
            let is_kept = self.is_kept(placed, plan);
            if is_kept && run_start.is_none() {
                run_start = Some(placed.span.start);
            }
            // A run ends before the next member that is not kept, its comma included; the last
            // one ends with its value.
            let run_end = if is_kept { placed.span.end } else { placed.span.start };
            if let Some(start) = run_start.take_if(|_| !is_kept || Some(at) == kept_last) {
                segments.push(self.body.slice(start..run_end));
            }
        }
        segments.push(Bytes::from_static(b"}"));
        segments
    }

    fn is_kept(&self, placed: &Placed, plan: &Plan<'_>) -> bool {
        let is_the_cap = || {
            self.surface == Surface::Chat
                && self.name(placed).eq_ignore_ascii_case(plan.max_tokens_field.as_bytes())
        };
        matches!(placed.field, Field::Read | Field::Unread) && !is_the_cap()
    }
}

/// The gateway's own members; `messages` always follows, so it ends in a comma.
fn chat_head(plan: &Plan<'_>, stream: bool) -> Bytes {
    // `Value` prints a string with its escapes and cannot fail.
    let model = serde_json::Value::from(plan.model);
    let cap = serde_json::Value::from(plan.max_tokens_field);
    let streaming =
        if stream { r#"true,"stream_options":{"include_usage":true}"# } else { "false" };
    let max_tokens = plan.max_tokens;
    Bytes::from(format!(r#"{{"model":{model},"stream":{streaming},{cap}:{max_tokens},"#))
}

/// The gateway's own member; `input` always follows.
fn embeddings_head(plan: &Plan<'_>) -> Bytes {
    let model = serde_json::Value::from(plan.model);
    Bytes::from(format!(r#"{{"model":{model},"#))
}
