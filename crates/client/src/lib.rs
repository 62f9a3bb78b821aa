//! A client of the OpenRouter API, for any server that speaks it: [Tollgate], or OpenRouter
//! itself. It knows every fact of a key: limits and their windows, spend by day, week and month,
//! spend on the owner's own provider keys, expiry, budgets.
//!
//! ```no_run
//! # async fn example() -> Result<(), tollgate::Error> {
//! use tollgate::{ChatRequest, Client, CreateKey, LimitReset, Message, Usd};
//!
//! let admin = Client::builder()
//!     .base_url("http://127.0.0.1:8787/api/v1")
//!     .api_key("sk-or-v1-…")
//!     .build()?;
//! let wanted = CreateKey::new("ci").limit(Usd::from(25)).limit_reset(LimitReset::Monthly);
//! let made = admin.keys().create(&wanted).await?;
//!
//! let client =
//!     Client::builder().base_url("http://127.0.0.1:8787/api/v1").api_key(made.key).build()?;
//! let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
//! match client.chat().send(&request).await {
//!     Ok(answer) => println!("{}", answer.text()),
//!     Err(error) if error.is_over_limit() => println!("spent: {:?}", error.limit()),
//!     Err(error) => return Err(error),
//! }
//!
//! let key = admin.keys().get(&made.data.hash).await?;
//! println!("${} this month, ${:?} left", key.usage_monthly, key.limit_remaining);
//! # Ok(())
//! # }
//! ```
//!
//! - Money is [`Usd`], an exact decimal; times are [`jiff::Timestamp`]; a word from a list that
//!   may grow is an enum that keeps what it does not know.
//! - [`Patch`] tells a field that stays as it is from one that is cleared.
//! - What failed is one [`Error`], which answers questions.
//! - A request is sent again only where that can do no harm: [`Retries`] has the rules.
//! - Lists come as pages and as a `Stream` of all that is on them; a stream of an answer ends the
//!   request when it is dropped.
//! - With the feature `blocking`, `tollgate::blocking` has the same calls for programs without `async`.
//!
//! TLS is rustls with the certificates that the system trusts.
//!
//! [Tollgate]: https://github.com/tollgate/tollgate
#![cfg_attr(docsrs, feature(doc_cfg))]

/// The programs in the README are compiled too.
#[cfg(all(doctest, feature = "blocking"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod activity;
mod audit_log;
#[cfg(feature = "blocking")]
pub mod blocking;
mod byok;
mod chat;
mod client;
mod credits;
mod embeddings;
mod error;
mod generations;
mod key;
mod keys;
mod models;
mod open;
mod organization;
mod page;
mod patch;
mod providers;
mod request;
mod retry;
mod secret;
mod usd;
mod workspaces;

pub use activity::{Activity, ActivityItem, GetActivity};
pub use audit_log::{AuditEvent, AuditLog, ListAuditLog};
pub use byok::{Byok, ByokKey, CreateByokKey, ListByokKeys, Region, UpdateByokKey};
pub use chat::{
    Chat, ChatChoice, ChatChunk, ChatCompletion, ChatDelta, ChatRequest, ChatStream,
    ChatStreamChoice, ChatUsage, CompletionTokensDetails, Content, CostDetails, FinishReason,
    Message, PromptTokensDetails, ProviderPreferences, Role, ServerToolUseDetails, ToolCall,
    ToolFunction,
};
pub use client::{BASE_URL, Client, ClientBuilder};
pub use credits::{Credits, CreditsApi};
pub use embeddings::{
    Embedding, Embeddings, EmbeddingsApi, EmbeddingsRequest, EmbeddingsTokensDetails,
    EmbeddingsUsage, Vector,
};
pub use error::{Error, LimitFacts};
pub use generations::{Generation, Generations, ProviderResponse};
pub use key::{BudgetScope, CurrentKey, FreeModelDailyRequests, Key, KeyBudget, RateLimit};
pub use keys::{
    CreateKey, CreatedKey, External, GetKeyData, Keys, LimitReset, ListKeys, UpdateKey,
};
pub use models::{
    Architecture, Endpoint, Endpoints, ListModels, Model, ModelAliasTarget, ModelEndpoints,
    ModelReasoning, Models, Percentiles, Pricing, PricingOverride, TopProvider,
};
pub use organization::{CreateMember, Organization, OrganizationMember, OrganizationRole};
pub use page::Page;
pub use patch::Patch;
pub use providers::{Provider, Providers};
pub use retry::Retries;
pub use secret::Secret;
pub use usd::{ParseUsdError, Price, Usd};
pub use workspaces::{
    Budgets, CreateWorkspace, Interval, MemberRole, MembersAdded, PutBudget, Slice,
    UpdateWorkspace, Workspace, WorkspaceBudget, WorkspaceBudgets, WorkspaceMember,
    WorkspaceMembers, Workspaces,
};
