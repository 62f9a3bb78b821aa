//! The way out where there is no direct one: a tunnel through an HTTP proxy, by CONNECT.
//! The proxy learns whom a connection is to and, of `https`, no more.

use std::{fmt, io};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use http::Uri;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{Cause, Origin};

/// The head of a proxy's answer may be this long, in bytes.
const HEAD_BYTES_MAX: usize = 8 * 1024;

/// An HTTP proxy, and for whom it is not used.
///
/// It cannot be printed whole, since it may hold a password.
pub struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    /// The value of `proxy-authorization`.
    credential: Option<String>,
    /// Hosts, with all below them, that are reached directly; in lower case.
    except: Vec<String>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({}:{})", self.host, self.port)
    }
}

/// Why an address is none of a proxy; it never repeats the address, which may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// Another scheme, no host, a path or the like.
    #[error("must be http://HOST:PORT or http://USER:PASSWORD@HOST:PORT")]
    Address,
    /// A network, or nothing.
    #[error(
        "names hosts such as `example.com` (and all below it), `10.0.0.7` or `*`, not networks"
    )]
    Exception,
}

impl Proxy {
    /// Reads `http://HOST:PORT`, with or without `USER:PASSWORD@` (percent-encoded), and the hosts
    /// that are reached directly. Loopback always is.
    ///
    /// ```
    /// # use upstream::transport::{Proxy, ProxyError};
    /// let proxy = Proxy::parse("http://me:secret@proxy.example:3128", &["internal".to_owned()])?;
    /// assert_eq!(format!("{proxy:?}"), "Proxy(proxy.example:3128)");
    /// assert!(proxy.serves("api.openai.com") && !proxy.serves("gpu.internal"));
    /// assert_eq!(Proxy::parse("socks5://proxy.example", &[]).unwrap_err(), ProxyError::Address);
    /// # Ok::<(), ProxyError>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong, to follow the setting's name.
    pub fn parse(address: &str, except: &[String]) -> Result<Proxy, ProxyError> {
        let uri: Uri = address.trim_end_matches('/').parse().map_err(|_| ProxyError::Address)?;
        let is_plain = uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/");
        let authority = uri.authority().filter(|_| is_plain && uri.query().is_none());
        let authority = authority.ok_or(ProxyError::Address)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(ProxyError::Address);
        }
        let credential = match authority.as_str().rsplit_once('@') {
            Some((user, _)) => Some(format!("Basic {}", BASE64.encode(unescaped(user)?))),
            None => None,
        };
        let except = except.iter().map(|name| exception(name)).collect::<Result<_, _>>()?;
        // Without a port it is that of most proxies' own default.
        let port = authority.port_u16().unwrap_or(3128);
        Ok(Proxy { host: host.to_owned(), port, credential, except })
    }

    /// Whether connections to `host` go through it.
    pub fn serves(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is_loopback = host == "localhost"
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let is_excepted = |name: &String| {
            let above = host.strip_suffix(name.as_str());
            name == "*" || above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
        };
        !is_loopback && !self.except.iter().any(is_excepted)
    }

    /// Has the proxy join `tcp` to `origin`.
    pub(super) async fn tunnel(&self, tcp: &mut TcpStream, origin: &Origin) -> Result<(), Cause> {
        let to = origin.authority();
        let mut head = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n");
        if let Some(credential) = &self.credential {
            head.push_str("Proxy-Authorization: ");
            head.push_str(credential);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        tcp.write_all(head.as_bytes()).await?;
        let answer = read_head(tcp).await?;
        let mut words = answer.split(' ');
        let status = match (words.next(), words.next()) {
            (Some("HTTP/1.1" | "HTTP/1.0"), Some(status)) => status.trim_end().parse::<u16>().ok(),
            _ => None,
        };
        match status {
            Some(200..=299) => Ok(()),
            Some(407) => Err("the proxy wants a user name and password (407)".into()),
            Some(status) => Err(format!("the proxy refused the connection with {status}").into()),
            None => Err("the proxy's answer is not HTTP".into()),
        }
    }
}

/// The head of the proxy's answer and not a byte more: what follows is the provider's.
async fn read_head(tcp: &mut TcpStream) -> Result<String, Cause> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == HEAD_BYTES_MAX {
            return Err("the proxy's answer has no end".into());
        }
        match tcp.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err("the proxy closed the connection".into());
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

fn exception(name: &str) -> Result<String, ProxyError> {
    let name = name.trim().trim_start_matches('.').to_ascii_lowercase();
    let is_host = !name.is_empty() && !name.contains(['/', ' ', ',', ':']);
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    if is_host || is_address { Ok(name) } else { Err(ProxyError::Exception) }
}

/// A user name and password with their percent-escapes undone.
fn unescaped(text: &str) -> Result<Vec<u8>, ProxyError> {
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (high, low) = digit().zip(digit()).ok_or(ProxyError::Address)?;
        plain.push(u8::try_from(16 * high + low).map_err(|_| ProxyError::Address)?);
    }
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_its_credential() {
        let proxy = Proxy::parse("http://m%40e:p%3aw@[::1]:8080/", &[]).unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 8080));
        assert_eq!(proxy.credential, Some(format!("Basic {}", BASE64.encode("m@e:p:w"))));
        let plain = Proxy::parse("http://proxy", &[]).unwrap();
        assert_eq!((plain.port, plain.credential), (3128, None));
    }

    #[test]
    fn what_is_no_proxy_is_refused() {
        for wrong in [
            "",
            "proxy:3128",
            "https://proxy:3128",
            "http://",
            "http://p/path",
            "http://p?q",
            "http://%zz@p",
        ] {
            assert_eq!(Proxy::parse(wrong, &[]).map(|_| ()), Err(ProxyError::Address), "{wrong}");
        }
        for wrong in ["", "10.0.0.0/8", "a, b", "host:80"] {
            let except = [wrong.to_owned()];
            let refused = Proxy::parse("http://p", &except).map(|_| ());
            assert_eq!(refused, Err(ProxyError::Exception), "{wrong}");
        }
    }

    #[test]
    fn loopback_and_exceptions_are_reached_directly() {
        let except = ["example.com", ".Internal", "10.0.0.7", "fd00::1"].map(str::to_owned);
        let proxy = Proxy::parse("http://p", &except).unwrap();
        for (host, is_served) in [
            ("localhost", false),
            ("127.0.0.9", false),
            ("::1", false),
            ("example.com", false),
            ("api.EXAMPLE.com", false),
            ("notexample.com", true),
            ("gpu.internal", false),
            ("internal", false),
            ("10.0.0.7", false),
            ("10.0.0.70", true),
            ("fd00::1", false),
            ("api.openai.com", true),
        ] {
            assert_eq!(proxy.serves(host), is_served, "{host}");
        }
        assert!(!Proxy::parse("http://p", &["*".to_owned()]).unwrap().serves("a.com"));
    }
}
