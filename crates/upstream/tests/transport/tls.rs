//! Whom the transport believes over TLS.

use std::{error::Error, fs, path::Path, sync::Arc};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use upstream::transport::{BodyError, SendError, Tls, TlsError, Transport};

use crate::provider::{AwaitClose, Event, Provider, Read, Step, Write, fetch, patient, read, send};

const OK: Step = Write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");

/// A self-made certificate for `name`: its PEM, and a server that shows it and speaks `protocol`.
pub(crate) fn certificate(name: &str, protocol: &str) -> (String, TlsAcceptor) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    config.alpn_protocols = vec![protocol.into()];
    (cert.pem(), TlsAcceptor::from(Arc::new(config)))
}

pub(crate) fn trusting(pem: &str) -> Transport {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, pem).unwrap();
    Transport::new(patient(), Tls::new(Some(file.path())).unwrap())
}

async fn refusal(transport: &Transport, acceptor: TlsAcceptor) -> String {
    let provider = Provider::start_tls(&[&[Read, OK]], acceptor).await;
    let error = send(transport, &provider.secure_origin()).await.map(|_| ()).unwrap_err();
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
    error.source().unwrap().to_string()
}

#[tokio::test]
async fn an_authority_from_the_file_is_trusted_and_its_connection_kept() {
    let (pem, acceptor) = certificate("localhost", "http/1.1");
    let mut provider = Provider::start_tls(&[&[Read, OK, Read, OK]], acceptor).await;
    let (transport, origin) = (trusting(&pem), provider.secure_origin());
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(provider.requests_so_far(), [0, 0]);
}

#[tokio::test]
async fn a_kept_connection_closed_over_tls_is_replaced() {
    let (pem, acceptor) = certificate("localhost", "http/1.1");
    let script: &[Step] = &[Read, OK];
    let mut provider = Provider::start_tls(&[script, script], acceptor).await;
    let (transport, origin) = (trusting(&pem), provider.secure_origin());
    assert_eq!(fetch(&transport, &origin).await, "ok");
    provider.until(&Event::Finished(0)).await;
    assert_eq!(fetch(&transport, &origin).await, "ok");
    assert_eq!(provider.request().await.0, 1);
}

#[tokio::test]
async fn a_certificate_of_nobody_known_is_refused_before_anything_is_sent() {
    let strict = Transport::new(patient(), Tls::new(None).unwrap());
    let (_, acceptor) = certificate("localhost", "http/1.1");
    let cause = refusal(&strict, acceptor).await;
    assert!(cause.contains("UnknownIssuer"), "{cause}");
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let (pem, acceptor) = certificate("elsewhere.test", "http/1.1");
    let cause = refusal(&trusting(&pem), acceptor).await;
    assert!(cause.contains("not valid for name"), "{cause}");
}

#[tokio::test]
async fn a_server_that_speaks_http_2_alone_is_refused() {
    let (pem, acceptor) = certificate("localhost", "h2");
    let cause = refusal(&trusting(&pem), acceptor).await;
    assert!(cause.contains("NoApplicationProtocol"), "{cause}");
}

#[tokio::test]
async fn a_body_without_a_length_that_tls_does_not_end_is_cut() {
    let (pem, acceptor) = certificate("localhost", "http/1.1");
    let script: &[Step] = &[Read, Write("HTTP/1.1 200 OK\r\n\r\nhalf"), Step::Sever];
    let provider = Provider::start_tls(&[script], acceptor).await;
    let mut answer = send(&trusting(&pem), &provider.secure_origin()).await.unwrap();
    assert_eq!(read(&mut answer.body).await, ("half".to_owned(), Err(BodyError::Cut)));
}

#[test]
fn a_file_without_authorities_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        Tls::new(Some(&path)).unwrap_err()
    };
    let (pem, _) = certificate("localhost", "http/1.1");
    let broken = pem.replacen("\nMI", "\n!!", 1);
    let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

    assert!(matches!(refused(""), TlsError::Empty { .. }));
    assert!(matches!(refused("no PEM at all"), TlsError::Empty { .. }));
    assert!(matches!(refused(&broken), TlsError::Unreadable { .. }));
    assert!(matches!(refused(not_a_certificate), TlsError::Unusable { .. }));
    assert!(matches!(refused(&(pem + not_a_certificate)), TlsError::Unusable { .. }));
    let missing = Tls::new(Some(Path::new("no/such/file"))).unwrap_err();
    assert_eq!(missing.to_string(), "no/such/file cannot be read as PEM");
}

#[tokio::test]
async fn what_is_no_provider_is_believed_on_the_same_terms() {
    let (pem, acceptor) = certificate("localhost", "http/1.1");
    let provider =
        Provider::start_tls(&[&[AwaitClose], &[AwaitClose], &[AwaitClose]], acceptor).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, pem).unwrap();
    let tls = Tls::new(Some(file.path())).unwrap();
    let connect = async |host: &str| {
        let socket = TcpStream::connect(("127.0.0.1", provider.port())).await.unwrap();
        tls.to_host(host, socket).await.map(|_| ()).map_err(|error| error.to_string())
    };
    assert_eq!(connect("localhost").await, Ok(()));
    assert!(connect("collector.example").await.unwrap_err().contains("not valid for name"));
    assert!(connect("no name").await.is_err());
}
