//! What `top` reads of a server: its keys by the API, and what is on hold by the metrics or the
//! control socket.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use client::Usd;
use gateway::http::control::ListedHold;
use http::{Method, Request, Uri, header};
use http_body_util::Full;
use tokio::net::TcpStream;

use super::view::{Holds, Reading};
use crate::connection::Connection;
use crate::output::sum;
use crate::setup::Setup;
use crate::{control, http_client, keys, real, workspaces};

/// How long the metrics may take: they are beside the matter.
const METRICS_WITHIN: Duration = Duration::from_secs(2);

/// Where readings come from.
pub(super) struct Readings {
    pub(super) to: Connection,
    /// Where metrics are had without a key.
    pub(super) admin: Option<SocketAddr>,
    /// The configuration of a local server.
    pub(super) setup: Option<Setup>,
    pub(super) runtime: tokio::runtime::Runtime,
    pub(super) start: std::time::Instant,
}

impl Readings {
    /// One reading, now.
    pub(super) fn read(&self) -> Result<Reading> {
        let keys = self.runtime.block_on(async {
            let mut all = Vec::new();
            for workspace in workspaces::every(&self.to).await? {
                all.extend(keys::all(&self.to, workspace, false).await?);
            }
            anyhow::Ok(all)
        })?;
        let holds = self.holds();
        Ok(Reading { since_start: self.start.elapsed(), at: real::now(), keys, holds })
    }

    fn holds(&self) -> Holds {
        let metrics = self.runtime.block_on(async {
            tokio::time::timeout(METRICS_WITHIN, self.metrics())
                .await
                .context("no answer in time")?
        });
        match (metrics, &self.setup) {
            (Ok(holds), _) => holds,
            (Err(_), Some(setup)) if matches!(control::is_answering(setup), Ok(true)) => {
                unresolved(setup).unwrap_or_else(|error| unavailable(&error))
            }
            (Err(error), _) => unavailable(&error),
        }
    }

    /// What the metrics say is on hold.
    async fn metrics(&self) -> Result<Holds> {
        let (address, key) = match self.admin {
            Some(admin) => (admin.to_string(), None),
            None => {
                let url: Uri = self.to.server.url.parse()?;
                if url.scheme_str() != Some("http") {
                    bail!("name the server's admin address: `--admin HOST:PORT`");
                }
                let host = url.host().context("a host")?;
                let address = format!("{host}:{}", url.port_u16().unwrap_or(80));
                (address, self.to.key.as_deref())
            }
        };
        let stream = TcpStream::connect(&address)
            .await
            .map_err(|error| anyhow!("no metrics at {address}: {error}"))?;
        let mut request = Request::builder().method(Method::GET).uri("/metrics");
        request = request.header(header::HOST, &address);
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let answer = http_client::send(stream, request.body(Full::new(Bytes::new()))?).await?;
        if !answer.status().is_success() {
            bail!("metrics at {address} are refused ({})", answer.status().as_u16());
        }
        held(&http_client::text(answer.into_body()).await?)
            .with_context(|| format!("what {address} serves are no metrics of Tollgate"))
    }
}

fn unavailable(error: &anyhow::Error) -> Holds {
    Holds::Unavailable { why: format!("{error:#}") }
}

/// What is on hold, of metrics in Prometheus' text format.
fn held(text: &str) -> Option<Holds> {
    let sample = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()
    };
    let amount = |kind: &str| -> Option<Usd> {
        sample(&format!("tollgate_held_dollars{{kind=\"{kind}\"}} "))?.parse().ok()
    };
    Some(Holds::Metrics {
        open: sample("tollgate_holds_open ")?.parse().ok()?,
        credits: amount("credits")?,
        byok: amount("byok")?,
    })
}

/// Charges that wait for a person, by the control socket of the local server.
fn unresolved(setup: &Setup) -> Result<Holds> {
    let holds: Vec<ListedHold> = control::ask_server(setup, Method::GET, "/holds")?;
    let charged: Result<Vec<Usd>, _> = holds.iter().map(|hold| hold.charged.parse()).collect();
    Ok(Holds::ControlSocket { unresolved: u64::try_from(holds.len())?, charged: sum(charged?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_hold_is_read_of_the_metrics_exactly() {
        let text = "# TYPE tollgate_holds_open gauge\ntollgate_holds_open 2\n\
                    tollgate_held_dollars{kind=\"credits\"} 0.000079210\n\
                    tollgate_held_dollars{kind=\"byok\"} 0\n";
        let credits = "0.00007921".parse().unwrap();
        assert_eq!(held(text), Some(Holds::Metrics { open: 2, credits, byok: Usd::ZERO }));
        assert_eq!(held("up 1\n"), None);
    }
}
