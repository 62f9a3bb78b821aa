//! LiteLLM's tables in PostgreSQL, read in one transaction that can change nothing.
//! Each row comes as PostgreSQL's own JSON, in which a double is its shortest decimal text.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};

use super::rows::Rows;

/// The tables, each with its key; one that is not there is an older LiteLLM's.
const TABLES: [&str; 5] = [
    "LiteLLM_VerificationToken",
    "LiteLLM_TeamTable",
    "LiteLLM_UserTable",
    "LiteLLM_BudgetTable",
    "LiteLLM_OrganizationTable",
];

/// What else can have a budget, in SQL: the table, what a row is called, and its name.
const BUDGETED: [(&str, &str, &str); 6] = [
    ("LiteLLM_TeamMembership", "member", "user_id || ' in team ' || team_id"),
    (
        "LiteLLM_OrganizationMembership",
        "member",
        "user_id || ' in organization ' || organization_id",
    ),
    ("LiteLLM_ProjectTable", "project", "project_id"),
    ("LiteLLM_EndUserTable", "customer", "user_id"),
    ("LiteLLM_TagTable", "tag", "tag_name"),
    ("LiteLLM_ModelAccessGroupBudgetTable", "access group", "access_group_name"),
];

/// Texts that were replaced and are still good for a while.
const OLD_TEXTS: &str = "LiteLLM_DeprecatedVerificationToken";

const CONNECT: Duration = Duration::from_secs(10);

/// Whether a source is a database's address.
pub(super) fn is_address(source: &str) -> bool {
    source.starts_with("postgres://") || source.starts_with("postgresql://")
}

/// Everything in the database at `url`; no error repeats it, since its password is in it.
pub(super) fn read(url: &str) -> Result<Rows> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(read_tables(url))
}

async fn read_tables(url: &str) -> Result<Rows> {
    let Address { url, schema, authorities } = understood(url);
    let mut config: tokio_postgres::Config =
        url.parse().context("the database's address was not understood")?;
    config.connect_timeout(CONNECT).application_name("tollgate import");
    let tls = MakeTls(Arc::new(client_config(authorities.as_deref())?));
    let connected = match config.get_ssl_mode() {
        SslMode::Disable => {
            let (client, connection) =
                config.connect(tokio_postgres::NoTls).await.map_err(|error| failed(&error))?;
            tokio::spawn(connection);
            client
        }
        _ => {
            let (client, connection) = config.connect(tls).await.map_err(|error| failed(&error))?;
            tokio::spawn(connection);
            client
        }
    };
    connected
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL extra_float_digits = 1; SET LOCAL timezone = 'UTC'")
        .await
        .map_err(|error| failed(&error))?;
    let mut lines = String::new();
    let mut found = 0;
    for table in TABLES {
        let asked = select(&connected, &schema, table, "row_to_json(t)::text", "ORDER BY 1");
        let Some(answer) = asked.await? else { continue };
        found += 1;
        for row in answer {
            lines.push_str(row.get::<_, &str>(0));
            lines.push('\n');
        }
    }
    if found == 0 {
        bail!("there are no tables of LiteLLM's in the schema `{schema}` of the database");
    }
    let mut rows = Rows::parse(&lines)?;
    for (table, what, name_of) in BUDGETED {
        let columns = format!("{name_of}, budget_id");
        let which = "WHERE budget_id IS NOT NULL ORDER BY 1";
        let answer = select(&connected, &schema, table, &columns, which).await?;
        rows.budgeted.extend(answer.iter().flatten().map(|row| {
            (format!("{what} {:?}", row.get::<_, &str>(0)), row.get::<_, &str>(1).to_owned())
        }));
    }
    let columns = "active_token_id, revoke_at::text";
    let which = "WHERE revoke_at > now() AT TIME ZONE 'UTC' ORDER BY 1, 2";
    let answer = select(&connected, &schema, OLD_TEXTS, columns, which).await?;
    rows.old_texts.extend(answer.iter().flatten().map(|row| (row.get(0), row.get(1))));
    Ok(rows)
}

/// The columns of a table `t`, of the rows and in the order that `which` says; `None` where there
/// is no such table.
async fn select(
    connected: &tokio_postgres::Client,
    schema: &str,
    table: &str,
    columns: &str,
    which: &str,
) -> Result<Option<Vec<tokio_postgres::Row>>> {
    let name = format!("{}.{}", quoted(schema), quoted(table));
    let there = connected.query_one("SELECT to_regclass($1::text) IS NOT NULL", &[&name]).await;
    if !there.map_err(|error| failed(&error))?.get::<_, bool>(0) {
        return Ok(None);
    }
    let question = format!("SELECT {columns} FROM {name} AS t {which}");
    connected.query(&question, &[]).await.map(Some).map_err(|error| failed(&error))
}

/// What went wrong, without the address.
fn failed(error: &tokio_postgres::Error) -> anyhow::Error {
    use std::error::Error as _;
    match (error.as_db_error(), error.source()) {
        (Some(cause), _) => anyhow::anyhow!("the database refused: {}", cause.message()),
        (None, Some(cause)) if is_unknown_authority(cause) => anyhow::anyhow!(
            "the database's certificate is by an authority that is not known; `sslrootcert=FILE` \
             in its address names the authority's"
        ),
        (None, Some(cause)) => anyhow::anyhow!("the database can't be read: {error}: {cause}"),
        (None, None) => anyhow::anyhow!("the database can't be read: {error}"),
    }
}

fn is_unknown_authority(cause: &(dyn std::error::Error + 'static)) -> bool {
    use rustls::{CertificateError, Error};
    let inner = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
    let refused = inner.and_then(|inner| inner.downcast_ref::<Error>());
    matches!(refused, Some(Error::InvalidCertificate(CertificateError::UnknownIssuer)))
}

/// An address as the library takes it: Prisma's own parameters are taken out.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    url: String,
    schema: String,
    /// The file of `sslrootcert`, trusted besides the public authorities.
    authorities: Option<String>,
}

fn understood(url: &str) -> Address {
    const KNOWN: [&str; 5] = ["sslmode", "host", "port", "user", "options"];
    let mut schema = "public".to_owned();
    let Some((before, query)) = url.split_once('?') else {
        return Address { url: url.to_owned(), schema, authorities: None };
    };
    let mut authorities = None;
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.split_once('=') {
            Some(("schema", name)) => name.clone_into(&mut schema),
            Some(("sslrootcert", file)) => authorities = Some(file.to_owned()),
            // What is encrypted is always verified here.
            Some(("sslmode", "verify-ca" | "verify-full")) => kept.push("sslmode=require"),
            Some(("sslmode", "allow")) => kept.push("sslmode=prefer"),
            Some((name, _)) if KNOWN.contains(&name) => kept.push(pair),
            _ => {}
        }
    }
    let ending = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Address { url: format!("{before}{ending}"), schema, authorities }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn client_config(authorities: Option<&str>) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(file) = authorities {
        let failed = || format!("can't read the authorities in {file}");
        for certificate in CertificateDer::pem_file_iter(file).with_context(failed)? {
            roots.add(certificate.with_context(failed)?).with_context(failed)?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

/// TLS by rustls for the database's client.
struct MakeTls(Arc<ClientConfig>);

struct Connect {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// An encrypted connection.
struct Encrypted<S>(tokio_rustls::client::TlsStream<S>);

type Connecting<S> = Pin<Box<dyn Future<Output = std::io::Result<Encrypted<S>>> + Send>>;

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for MakeTls {
    type Stream = Encrypted<S>;
    type TlsConnect = Connect;
    type Error = rustls::pki_types::InvalidDnsNameError;

    fn make_tls_connect(&mut self, host: &str) -> Result<Connect, Self::Error> {
        // A socket has no name, and nothing is encrypted there.
        let host = if host.is_empty() { "localhost" } else { host };
        let name = ServerName::try_from(host.to_owned())?;
        Ok(Connect { config: Arc::clone(&self.0), name })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Connect {
    type Stream = Encrypted<S>;
    type Error = std::io::Error;
    type Future = Connecting<S>;

    fn connect(self, stream: S) -> Connecting<S> {
        Box::pin(async move {
            let connector = tokio_rustls::TlsConnector::from(self.config);
            connector.connect(self.name, stream).await.map(Encrypted)
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut TaskContext<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prismas_parameters_are_taken_out_of_an_address() {
        let address = |url: &str, schema: &str, authorities: Option<&str>| Address {
            url: url.to_owned(),
            schema: schema.to_owned(),
            authorities: authorities.map(str::to_owned),
        };
        assert_eq!(
            understood(
                "postgresql://a:b@h/d?schema=x&connection_limit=5&sslmode=require&sslrootcert=/ca"
            ),
            address("postgresql://a:b@h/d?sslmode=require", "x", Some("/ca"))
        );
        assert_eq!(
            understood("postgres://h/d?sslmode=verify-full"),
            address("postgres://h/d?sslmode=require", "public", None)
        );
        assert_eq!(
            understood("postgres://h/d?pool_timeout=9"),
            address("postgres://h/d", "public", None)
        );
    }
}
