//! The one way to a model provider: a request is sent once, for a hold, or it is not sent.
//! What went wrong is told apart by what the caller can do: nothing was sent, or it may have been billed.

mod answer;
mod call;
mod connection;
mod framing;
mod head;
mod origin;
mod pool;
mod proxy;
mod tls;

use std::{error::Error, sync::Arc, time::Duration};

use ledger::Dispatched;
use tokio::time::timeout;

pub use self::answer::{Answer, AnswerBody, BodyError, RETRY_AFTER_MAX};
pub use self::call::Call;
pub use self::origin::{Origin, OriginError};
pub use self::proxy::{Proxy, ProxyError};
pub use self::tls::{Tls, TlsError};
use self::{
    answer::Home,
    call::Outgoing,
    connection::{Connection, ExchangeError},
    head::Head,
    pool::Pool,
};

/// How long a provider is waited for, and how many connections are kept for the next request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Name look-up, TCP and TLS together, of one new connection; 5 s.
    pub connect_timeout: Duration,
    /// From the request handed to a connection, its upload included, to the whole head of the answer; 120 s.
    pub first_byte_timeout: Duration,
    /// Between two pieces of an answer's body, and from its head to the first; 60 s.
    pub between_bytes_timeout: Duration,
    /// A connection unused for this long is not used again; 90 s.
    pub idle_timeout: Duration,
    /// Unused connections kept for each origin; where one more comes back, the longest unused is closed; 64.
    pub idle_connections_max: usize,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_secs(120),
            between_bytes_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(90),
            idle_connections_max: 64,
        }
    }
}

/// What stands between an error and what brought it about, for the log alone.
pub type Cause = Box<dyn Error + Send + Sync>;

/// Why there is no answer, named for what may be done with the hold.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Not a byte of the request left: the hold may serve another attempt or be released.
    #[error("the request was not sent to the provider")]
    NotSent {
        /// What kept it from being sent.
        #[source]
        cause: Cause,
    },
    /// The provider may have read the request, and may bill it: the hold stays until that is settled.
    #[error("the request was sent, and no answer was read")]
    Unclear {
        /// What kept the answer from being read.
        #[source]
        cause: Cause,
        /// Whether it was the first-byte time-out that ended the wait.
        timeout: bool,
    },
}

/// Sends requests to providers over HTTP/1.1 and keeps connections for the next ones.
///
/// One for each worker thread, so that its lock is never waited for. It spawns onto the runtime it is called in,
/// which needs the I/O and time drivers.
pub struct Transport {
    settings: Settings,
    tls: Tls,
    proxy: Option<Arc<Proxy>>,
    pool: Arc<Pool>,
}

impl Transport {
    /// A transport with no connections yet; `tls` may be shared with those of the other workers.
    pub fn new(settings: Settings, tls: Tls) -> Transport {
        let pool = Pool::new(settings.idle_timeout, settings.idle_connections_max);
        Transport { settings, tls, proxy: None, pool: Arc::new(pool) }
    }

    /// The same transport, whose connections go through `proxy`, but for those it is not for.
    pub fn through(self, proxy: impl Into<Arc<Proxy>>) -> Transport {
        Transport { proxy: Some(proxy.into()), ..self }
    }

    /// Sends `call` for the hold that the proof stands for, and gives the head of the provider's answer.
    ///
    /// The request is written at most once. A kept connection found closed before any of it was written is
    /// replaced by a new one; after that every failure is reported, never retried. Redirects are answers like any
    /// other. Dropping the future closes the connection, and whether the provider read the request is then unclear.
    ///
    /// # Errors
    /// [`SendError::NotSent`] where nothing left this process, else [`SendError::Unclear`].
    pub async fn send(&self, _proof: &Dispatched, call: Call) -> Result<Answer, SendError> {
        let origin = Arc::clone(&call.origin);
        let mut request = call.into_outgoing();
        if let Some(mut kept) = self.pool.take(&origin) {
            match self.exchange(&mut kept, &mut request).await {
                Ok(head) => return self.answer(origin, kept, &request, head),
                Err(Failure::Sent(error)) => return Err(error),
                Err(Failure::Untaken(_)) => {}
            }
        }
        // On the heap, being large and rare: without it every send would be moved about at its size.
        let mut fresh = Box::pin(self.connect(&origin)).await?;
        match self.exchange(&mut fresh, &mut request).await {
            Ok(head) => self.answer(origin, fresh, &request, head),
            Err(Failure::Sent(error)) => Err(error),
            Err(Failure::Untaken(cause)) => Err(SendError::NotSent { cause }),
        }
    }

    /// Connects to `origin` as a request would, and sends nothing.
    ///
    /// # Errors
    /// [`SendError::NotSent`] with why it can't be reached.
    pub async fn reach(&self, origin: &Origin) -> Result<(), SendError> {
        self.connect(origin).await.map(drop)
    }

    async fn connect(&self, origin: &Origin) -> Result<Connection, SendError> {
        let limit = self.settings.connect_timeout;
        match timeout(limit, Connection::open(origin, &self.tls, self.proxy.as_deref())).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(cause)) => Err(SendError::NotSent { cause }),
            Err(_) => {
                let cause = format!("no connection to {origin} within {} ms", limit.as_millis());
                Err(SendError::NotSent { cause: cause.into() })
            }
        }
    }

    async fn exchange(
        &self,
        connection: &mut Connection,
        request: &mut Outgoing,
    ) -> Result<Head, Failure> {
        let limit = self.settings.first_byte_timeout;
        match timeout(limit, connection.exchange(request)).await {
            Ok(Ok(head)) => Ok(head),
            Ok(Err(ExchangeError::Untaken(cause))) => Err(Failure::Untaken(cause.into())),
            Ok(Err(ExchangeError::Unclear(cause))) => {
                Err(Failure::Sent(SendError::Unclear { cause, timeout: false }))
            }
            Err(_) => {
                let cause = format!("no answer within {} ms", limit.as_millis());
                Err(Failure::Sent(SendError::Unclear { cause: cause.into(), timeout: true }))
            }
        }
    }

    fn answer(
        &self,
        origin: Arc<Origin>,
        connection: Connection,
        request: &Outgoing,
        head: Head,
    ) -> Result<Answer, SendError> {
        // An answer that came before the whole request leaves the rest of it unsent.
        let home = Home { origin, pool: Arc::clone(&self.pool), is_kept: request.is_written() };
        Answer::read(head, connection, home, self.settings.between_bytes_timeout)
    }
}

/// What an attempt on one connection came to, where it brought no answer.
enum Failure {
    /// Nothing was written; the request is as it was.
    Untaken(Cause),
    /// Some of it may have been written.
    Sent(SendError),
}
