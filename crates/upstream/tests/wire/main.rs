//! The OpenAI wire format, from the client's body to the client's last event.
//! One file a part of it; the recorded streams are in `tests/golden`.

mod answer;
mod embeddings;
mod forward;
mod request;
mod sse;
mod stream;
mod tokenizer;
mod usage;
