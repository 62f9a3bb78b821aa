//! Whom to trust: the certificate authorities of the web, and one file of the operator's own.
//! Made once and shared by every worker's transport.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{
        CertificateDer, ServerName,
        pem::{self, PemObject},
    },
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

/// TLS for `https` origins; cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls {
    config: Arc<ClientConfig>,
}

/// Why the file of further authorities can't be used; it names the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It can't be opened, or is not PEM.
    #[error("{} cannot be read as PEM", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What reading it brought.
        source: pem::Error,
    },
    /// It holds no certificate.
    #[error("{} holds no certificate", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A certificate in it can't be an authority's.
    #[error("{} holds a certificate that cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with the certificate.
        source: rustls::Error,
    },
    /// The cryptography built in offers no protocol version.
    #[error("TLS is not available")]
    Unavailable(#[source] rustls::Error),
}

impl Tls {
    /// Trusts the authorities that browsers trust, and those in `extra_ca_file` (PEM) where one is given.
    ///
    /// # Errors
    /// Where the file is not one or more certificates of authorities.
    pub fn new(extra_ca_file: Option<&Path>) -> Result<Tls, TlsError> {
        let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        if let Some(path) = extra_ca_file {
            trust(&mut roots, path)?;
        }
        // The provider is named, so that no other crate's choice of a process default can change it.
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unavailable)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Tls { config: Arc::new(config) })
    }

    /// A connection to `host` over `socket`, for what is no model provider.
    ///
    /// # Errors
    /// Where `host` is no name, or is not who it should be.
    pub async fn to_host<S: AsyncRead + AsyncWrite + Send + Unpin>(
        &self,
        host: &str,
        socket: S,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + use<S>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        self.connect(name, socket).await
    }

    pub(super) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        name: ServerName<'static>,
        socket: S,
    ) -> io::Result<TlsStream<S>> {
        TlsConnector::from(Arc::clone(&self.config)).connect(name, socket).await
    }
}

fn trust(roots: &mut RootCertStore, path: &Path) -> Result<(), TlsError> {
    let unreadable = |source| TlsError::Unreadable { path: path.to_owned(), source };
    let before = roots.len();
    for certificate in CertificateDer::pem_file_iter(path).map_err(unreadable)? {
        roots
            .add(certificate.map_err(unreadable)?)
            .map_err(|source| TlsError::Unusable { path: path.to_owned(), source })?;
    }
    if roots.len() == before {
        return Err(TlsError::Empty { path: path.to_owned() });
    }
    Ok(())
}
