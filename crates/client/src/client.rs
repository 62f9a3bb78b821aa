//! The client and how one is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, USER_AGENT};

use crate::{Error, Retries, Secret};

/// Where a client asks that was told no other place: OpenRouter.
///
/// ```
/// let openrouter = tollgate::Client::builder().base_url(tollgate::BASE_URL).build()?;
/// assert!(format!("{openrouter:?}").contains("https://openrouter.ai/api/v1"));
/// # Ok::<(), tollgate::Error>(())
/// ```
pub const BASE_URL: &str = "https://openrouter.ai/api/v1";

/// A client of one server with one key; cheap to clone, and to be shared by all tasks.
///
/// ```no_run
/// # async fn example() -> Result<(), tollgate::Error> {
/// let client = tollgate::Client::builder()
///     .base_url("http://127.0.0.1:8787/api/v1")
///     .api_key("sk-or-v1-…")
///     .build()?;
/// for key in client.keys().list(&Default::default()).await? {
///     println!("{} has {:?} left", key.name, key.limit_remaining);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) retries: Retries,
    pub(crate) timeout: Duration,
    pub(crate) idle_timeout: Duration,
}

impl Client {
    /// What a client is made of; nothing of it has to be said, but most servers want a key.
    ///
    /// ```
    /// let client = tollgate::Client::builder().api_key("sk-or-v1-…").build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client of OpenRouter with that key.
    ///
    /// # Errors
    ///
    /// Where the key can't stand in a header.
    ///
    /// ```
    /// let client = tollgate::Client::new("sk-or-v1-…")?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn new(api_key: impl Into<Secret>) -> Result<Client, Error> {
        Client::builder().api_key(api_key).build()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.0.base_url.as_str())
            .finish_non_exhaustive()
    }
}

/// What a [`Client`] is made of.
///
/// ```
/// use std::time::Duration;
///
/// let client = tollgate::Client::builder()
///     .base_url("https://llm.example.com/api/v1")
///     .api_key("sk-or-v1-…")
///     .timeout(Duration::from_secs(120))
///     .title("Night shift")
///     .build()?;
/// # Ok::<(), tollgate::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientBuilder {
    base_url: String,
    api_key: Option<Secret>,
    timeout: Duration,
    idle_timeout: Duration,
    connect_timeout: Duration,
    retries: Retries,
    referer: Option<String>,
    title: Option<String>,
    categories: Option<String>,
    http_client: Option<reqwest::Client>,
}

impl Default for ClientBuilder {
    fn default() -> ClientBuilder {
        ClientBuilder {
            base_url: BASE_URL.to_owned(),
            api_key: None,
            timeout: Duration::from_secs(600),
            idle_timeout: Duration::from_secs(300),
            connect_timeout: Duration::from_secs(10),
            retries: Retries::default(),
            referer: None,
            title: None,
            categories: None,
            http_client: None,
        }
    }
}

impl ClientBuilder {
    /// Where the API is, with its path: `https://llm.example.com/api/v1`; without it every call is
    /// answered with 404. [`BASE_URL`] where nothing is said.
    ///
    /// ```
    /// let ours = tollgate::Client::builder().base_url("https://llm.example.com/api/v1").build()?;
    /// assert!(format!("{ours:?}").contains("https://llm.example.com/api/v1"));
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn base_url(mut self, url: impl Into<String>) -> ClientBuilder {
        self.base_url = url.into();
        self
    }

    /// The key that every request is made with: one that administers, or one that calls models.
    ///
    /// ```
    /// use tollgate::Client;
    ///
    /// let client = Client::builder().api_key("sk-or-v1-…").build()?;
    /// assert!(!format!("{client:?}").contains("sk-or-v1"));
    /// assert!(Client::builder().api_key("two\nlines").build().is_err());
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn api_key(mut self, key: impl Into<Secret>) -> ClientBuilder {
        self.api_key = Some(key.into());
        self
    }

    /// How long one try of a request may take in all, streams not among them. 10 minutes where
    /// nothing is said, since models think that long.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let hasty = tollgate::Client::builder().timeout(Duration::from_secs(20)).build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.timeout = timeout;
        self
    }

    /// How long a stream may be silent, at its beginning and between its parts. 5 minutes where
    /// nothing is said.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let hasty = tollgate::Client::builder().idle_timeout(Duration::from_secs(30)).build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn idle_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.idle_timeout = timeout;
        self
    }

    /// How long a connection may take to come about. 10 seconds where nothing is said; a client
    /// given to [`http_client`](ClientBuilder::http_client) has its own.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let near = tollgate::Client::builder().connect_timeout(Duration::from_secs(1)).build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn connect_timeout(mut self, timeout: Duration) -> ClientBuilder {
        self.connect_timeout = timeout;
        self
    }

    /// How often a request is sent again where that can do no harm.
    ///
    /// ```
    /// use tollgate::{Client, Retries};
    ///
    /// let once = Client::builder().retries(Retries::none()).build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn retries(mut self, retries: Retries) -> ClientBuilder {
        self.retries = retries;
        self
    }

    /// The address of the app that asks, which the server keeps with each generation.
    ///
    /// ```
    /// let app = tollgate::Client::builder().referer("https://notes.example.com").build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn referer(mut self, url: impl Into<String>) -> ClientBuilder {
        self.referer = Some(url.into());
        self
    }

    /// The name of the app that asks.
    ///
    /// ```
    /// let app = tollgate::Client::builder().title("Notes").build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn title(mut self, title: impl Into<String>) -> ClientBuilder {
        self.title = Some(title.into());
        self
    }

    /// What kind of app asks: words with commas between them.
    ///
    /// ```
    /// let app = tollgate::Client::builder().categories("writing-assistant,cli-agent").build()?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn categories(mut self, categories: impl Into<String>) -> ClientBuilder {
        self.categories = Some(categories.into());
        self
    }

    /// An HTTP client of the caller's, for a proxy, an own certificate authority or an own
    /// resolver.
    ///
    /// ```no_run
    /// # fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let proxy = reqwest::Proxy::all("http://proxy.example.com:3128")?;
    /// let http = reqwest::Client::builder().proxy(proxy).build()?;
    /// let client = tollgate::Client::builder().http_client(http).build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn http_client(mut self, client: reqwest::Client) -> ClientBuilder {
        self.http_client = Some(client);
        self
    }

    /// The client.
    ///
    /// # Errors
    ///
    /// Where the base URL is no `http` or `https` URL, or a header's value can't be one.
    ///
    /// ```
    /// use tollgate::Client;
    ///
    /// assert!(Client::builder().base_url("http://127.0.0.1:8787/api/v1").build().is_ok());
    /// let error = Client::builder().base_url("localhost:8787").build().unwrap_err();
    /// assert!(error.to_string().contains("http or https"));
    /// ```
    pub fn build(self) -> Result<Client, Error> {
        let headers = self.headers()?;
        let base_url = base_url(&self.base_url)?;
        let http = match self.http_client {
            Some(client) => client,
            None => http_client(self.connect_timeout)?,
        };
        Ok(Client(Arc::new(Inner {
            http,
            base_url,
            headers,
            retries: self.retries,
            timeout: self.timeout,
            idle_timeout: self.idle_timeout,
        })))
    }

    fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        let agent = concat!("tollgate-rust/", env!("CARGO_PKG_VERSION"));
        headers.insert(USER_AGENT, HeaderValue::from_static(agent));
        if let Some(key) = &self.api_key {
            let value = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
            let mut value = value.map_err(|_| Error::misuse("the API key can't be in a header"))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        for (name, text) in [
            ("http-referer", &self.referer),
            ("x-openrouter-title", &self.title),
            ("x-openrouter-categories", &self.categories),
        ] {
            let Some(text) = text else { continue };
            let value = HeaderValue::from_str(text)
                .map_err(|_| Error::misuse(format!("{text:?} can't be in the header {name}")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }
}

fn base_url(text: &str) -> Result<Url, Error> {
    let url = Url::parse(text.trim_end_matches('/')).ok();
    let is_ours = |url: &Url| matches!(url.scheme(), "http" | "https") && url.query().is_none();
    url.filter(is_ours).ok_or_else(|| {
        Error::misuse(format!(
            "the base URL {text:?} is none; allowed: an http or https URL without a query, such \
             as {BASE_URL}"
        ))
    })
}

/// With the certificates that the system trusts, and those of the web where it has none.
fn http_client(connect_timeout: Duration) -> Result<reqwest::Client, Error> {
    use rustls_platform_verifier::BuilderVerifierExt as _;

    let builder = || {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        rustls::ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions()
    };
    let no_tls = |error: rustls::Error| Error::misuse("TLS can't be set up").because(error);
    let system = builder().map_err(no_tls)?.with_platform_verifier();
    let builder = match system {
        Ok(builder) => builder,
        Err(_) => builder().map_err(no_tls)?.with_root_certificates(rustls::RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        }),
    };
    reqwest::Client::builder()
        .tls_backend_preconfigured(builder.with_no_client_auth())
        .connect_timeout(connect_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Error::misuse("no HTTP client can be made").because(error))
}
