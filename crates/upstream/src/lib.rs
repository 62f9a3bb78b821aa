//! Model providers: wire formats, server-sent events and the transport.

mod redact;
pub mod transport;

pub use redact::{REDACTED_BYTES_MAX, redact};

mod answer;
mod finish;
mod json;
mod prices;
mod request;
mod sse;
mod tokenizer;
mod usage;

pub use answer::{
    AnswerEnd, CAPTURE_BYTES_MAX, Chunk, DONE, JsonAnswer, KEEP_ALIVE, Malformed, Ours, Output,
    rewrite_chunk,
};
pub use finish::finish_reason;
pub use prices::{Cost, PriceSet, PriceTier, Prices, cache_discount, cost};
pub use request::{
    BadRequest, MODELS_MAX, Media, NAME_CHARS_MAX, Plan, PromptPiece, Request,
    SESSION_ID_CHARS_MAX, Surface, scan, scan_embeddings,
};
pub use sse::{Event, Events, LINE_BYTES_MAX, LineTooLong};
pub use tokenizer::{TOKENIZED_BYTES_MAX, Tokenizer, TokenizerError};
pub use usage::{Reported, USAGE_TOKENS_MAX, Usage};
