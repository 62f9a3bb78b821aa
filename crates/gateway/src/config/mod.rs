//! What can be configured: the file's sections, each setting with its default and its unit.
//! Reading them is in `read.rs`; what they say about models and providers is checked in the catalogue.

mod bounds;
pub mod built_in;
mod catalogue;
mod decode;
mod dollars;
mod percent;
mod problems;
mod read;
mod telemetry;
mod users;
mod written;

use std::net::SocketAddr;
use std::path::PathBuf;

use money::{Money, Percent};
use serde::Deserialize;
use upstream::transport::{Proxy, ProxyError};

pub use bounds::Bounds;
pub use catalogue::{
    BuiltInModels, EMBEDDINGS, EndpointConfig, ModelConfig, PricingConfig, ProviderConfig,
    TierConfig,
};
pub use problems::{ConfigError, Problems};
pub use read::{Examined, Loaded, examine, read};
pub use telemetry::TelemetryConfig;
pub use users::{UserConfig, UserRole};
pub use written::DEFAULT;

/// A whole configuration.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where and how to listen.
    pub server: ServerConfig,
    /// Where the book is kept.
    pub store: StoreConfig,
    /// How credentials in the book are encrypted.
    pub secrets: SecretsConfig,
    /// What the API shows and answers.
    pub api: ApiConfig,
    /// How requests are metered.
    pub metering: MeteringConfig,
    /// Which endpoint a request goes to.
    pub routing: RoutingConfig,
    /// How providers are reached.
    pub egress: EgressConfig,
    /// What is logged, and how.
    pub log: LogConfig,
    /// Where traces are sent.
    pub telemetry: TelemetryConfig,
    /// Every bound.
    pub bounds: Bounds,
    /// Who is a member besides the operator and those who were added.
    pub users: Vec<UserConfig>,
    /// The model providers.
    pub providers: Vec<ProviderConfig>,
    /// The models.
    pub models: Vec<ModelConfig>,
}

/// `[server]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address to serve on.
    pub listen: SocketAddr,
    /// A second address, for `/metrics`, `/health` and `/ready` without a key and nothing else.
    pub admin_listen: Option<SocketAddr>,
    /// The address people reach this server by, without a path: it stands in refusals that tell
    /// them where to go. Default: `http://` and `listen`.
    pub public_url: Option<String>,
    /// Worker threads; 0 is one a core.
    pub workers: usize,
    /// How long a stop waits for requests in flight, in seconds.
    pub shutdown_seconds: u64,
}

impl Default for ServerConfig {
    fn default() -> Self {
        ServerConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            admin_listen: None,
            public_url: None,
            workers: 0,
            shutdown_seconds: 120,
        }
    }
}

impl ServerConfig {
    /// The address people reach this server by, without a trailing slash.
    pub fn base_url(&self) -> String {
        let base = self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        base.trim_end_matches('/').to_owned()
    }
}

/// `[store]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// `sqlite:PATH`, relative to the configuration file.
    pub url: String,
    /// Sync each hold's record to disk before its request is sent. Closes the one gap in the
    /// limits on a single node: a power cut may lose the holds of the last moments. Costs one
    /// sync a request, shared by those that come together.
    pub hold_sync: bool,
    /// Send an answer's last byte only once its settlement is durable. Turned off, a crash may
    /// lose the settlement of an answer the client already has: it is then charged in full from
    /// its hold, or, after a power cut, not at all.
    pub last_byte_waits: bool,
    /// Rows older than this many days give way to sealed rows, one a key, day, model and provider;
    /// at least 40. No figure changes, but such a generation can't be looked up or corrected any
    /// more. Where none is given they are kept for ever.
    pub retention_days: Option<u32>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        StoreConfig {
            url: "sqlite:tollgate.db".into(),
            hold_sync: false,
            last_byte_waits: true,
            retention_days: None,
        }
    }
}

impl StoreConfig {
    /// The SQLite file's path, which a relative one is taken from `folder` for.
    pub fn sqlite_path(&self, folder: &std::path::Path) -> Result<PathBuf, ConfigError> {
        match self.url.strip_prefix("sqlite:") {
            Some(path) if !path.is_empty() => Ok(folder.join(path.trim_start_matches("//"))),
            _ => Err(ConfigError::invalid(
                "store.url",
                "must be `sqlite:PATH`, the one kind of store in this version",
            )),
        }
    }
}

/// `[secrets]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SecretsConfig {
    /// The file with the master key that credentials of providers are encrypted under, 64 hex
    /// digits; relative to the configuration file. `TOLLGATE_MASTER_KEY` has it otherwise.
    pub key_file: Option<PathBuf>,
}

/// Which generations a key may look up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationScope {
    /// Its own.
    #[default]
    Key,
    /// Those of its workspace.
    Workspace,
}

/// `[api]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ApiConfig {
    /// The status of a request on a limit that is used up: 403, or 402 for clients that expect it.
    pub limit_spent_status: u16,
    /// Which generations a key may look up: `key` (its own) or `workspace`.
    pub generation_scope: GenerationScope,
    /// What `free_model_daily_requests.limit` of `GET /key` says; nothing is enforced by it.
    pub free_model_daily_requests: u64,
    /// What `total_credits` of `GET /credits` says, in US dollars as text; nothing is enforced by
    /// it.
    #[serde(deserialize_with = "dollars::deserialize")]
    pub total_credits: Money,
}

impl Default for ApiConfig {
    fn default() -> Self {
        ApiConfig {
            limit_spent_status: 403,
            generation_scope: GenerationScope::Key,
            free_model_daily_requests: 1000,
            total_credits: Money::ZERO,
        }
    }
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `info,gateway=debug`. `TOLLGATE_LOG` overrides it.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
    /// A line for each request that was answered, at `info`.
    pub requests: bool,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig { level: "info".into(), format: LogFormat::Text, requests: true }
    }
}

/// `[egress]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EgressConfig {
    /// A PEM file of certificate authorities to trust for providers, besides the public ones.
    pub ca_file: Option<PathBuf>,
    /// An HTTP proxy for providers, `http://HOST:PORT`, with `USER:PASSWORD@` where it wants one.
    pub proxy: Option<String>,
    /// Hosts, each with all below it, that are reached without the proxy. Loopback always is.
    pub no_proxy: Vec<String>,
}

impl EgressConfig {
    /// The proxy, where there is one.
    pub fn proxy(&self) -> Result<Option<Proxy>, ConfigError> {
        let Some(address) = self.proxy.as_deref().filter(|address| !address.is_empty()) else {
            return Ok(None);
        };
        let invalid = |error| match error {
            ProxyError::Address => ConfigError::invalid("egress.proxy", error),
            ProxyError::Exception => ConfigError::invalid("egress.no_proxy", error),
        };
        Proxy::parse(address, &self.no_proxy).map(Some).map_err(invalid)
    }
}

/// `[routing]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RoutingConfig {
    /// The order of a model's endpoints for a request that names none.
    pub order: RoutingOrder,
}

/// The order of a model's endpoints for a request that names none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoutingOrder {
    /// The first by chance, the cheaper the likelier, then from the cheapest on.
    #[default]
    Price,
    /// As they stand in the configuration.
    Configured,
}

/// `[metering]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeteringConfig {
    /// Where a client names no maximum and can't afford the whole, its completion is capped at
    /// what it affords; below this many tokens it is refused instead.
    pub completion_floor_tokens: u64,
    /// The first keep-alive comment of a silent stream comes after this many milliseconds.
    pub keep_alive_first_ms: u64,
    /// Later ones come after this many.
    pub keep_alive_next_ms: u64,
    /// What a request with a credential of the owner's is charged, of its list price.
    #[serde(deserialize_with = "percent::deserialize")]
    pub byok_fee_percent: Percent,
}

impl Default for MeteringConfig {
    fn default() -> Self {
        MeteringConfig {
            completion_floor_tokens: 16,
            keep_alive_first_ms: 1_000,
            keep_alive_next_ms: 10_000,
            byok_fee_percent: Percent::ZERO,
        }
    }
}
