//! Where a provider is reached, read once from its `base_url`.
//! All that a request needs of it afterwards is ready made and shared.

use std::{fmt, sync::Arc};

use http::{HeaderValue, Uri, uri::PathAndQuery};
use rustls::pki_types::ServerName;

/// Scheme, host, port and path prefix of a provider.
#[derive(Debug)]
pub struct Origin {
    /// Scheme, host and port: what two origins share that may share connections.
    pub(super) key: Arc<str>,
    /// The host without the brackets of an IPv6 address, for the name look-up.
    pub(super) host: Box<str>,
    pub(super) port: u16,
    /// The name to be found in the certificate; none for `http`.
    pub(super) server_name: Option<ServerName<'static>>,
    pub(super) host_header: HeaderValue,
    prefix: Box<str>,
}

/// Why a `base_url`, or a path below it, can't be used; it never repeats the address, which might hold a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The scheme is missing, or another.
    #[error("must begin with http:// or https://")]
    Scheme,
    /// No host, or not the name of one.
    #[error("has no valid host name (a name outside ASCII is written in its xn-- form)")]
    Host,
    /// A port outside 1 to 65535.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// `user:password@`.
    #[error("must not hold a user name or password; the credential is a setting of its own")]
    Credential,
    /// A `?` or a `#`.
    #[error("must not hold a query or a fragment")]
    Query,
    /// Letters that no path holds.
    #[error("has a path with characters that must be percent-encoded")]
    Path,
}

impl Origin {
    /// Reads a base address such as `https://api.openai.com/v1`.
    ///
    /// ```
    /// # use upstream::transport::{Origin, OriginError};
    /// let origin = Origin::parse("https://api.openai.com/v1/")?;
    /// assert_eq!(origin.to_string(), "https://api.openai.com:443");
    /// assert_eq!(origin.path_and_query("chat/completions")?, "/v1/chat/completions");
    /// assert_eq!(Origin::parse("api.openai.com/v1").unwrap_err(), OriginError::Scheme);
    /// # Ok::<(), OriginError>(())
    /// ```
    ///
    /// # Errors
    /// What is wrong with it, to follow the setting's name.
    pub fn parse(base_url: &str) -> Result<Origin, OriginError> {
        let (scheme, rest) = base_url.split_once("://").ok_or(OriginError::Scheme)?;
        let (secure, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "https" => (true, 443),
            "http" => (false, 80),
            _ => return Err(OriginError::Scheme),
        };
        // Looked for in the text, since `Uri` drops a fragment without a word.
        if rest.contains(['?', '#']) {
            return Err(OriginError::Query);
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(OriginError::Credential);
        }
        let (bracketed, port) = split_port(authority)?;
        let port = port.unwrap_or(default_port);
        let bracketed = bracketed.to_ascii_lowercase();
        let host = match bracketed.strip_prefix('[') {
            Some(address) => address.strip_suffix(']').ok_or(OriginError::Host)?,
            None => &bracketed,
        };
        // The rule of certificates for what a host is serves plain http as well.
        let name = ServerName::try_from(host.to_owned()).map_err(|_| OriginError::Host)?;
        let is_v6 = matches!(name, ServerName::IpAddress(rustls::pki_types::IpAddr::V6(_)));
        if is_v6 != bracketed.starts_with('[') {
            return Err(OriginError::Host);
        }
        let host_header =
            if port == default_port { bracketed.clone() } else { format!("{bracketed}:{port}") };
        let prefix = path.trim_end_matches('/');
        Uri::try_from(if prefix.is_empty() { "/" } else { prefix })
            .map_err(|_| OriginError::Path)?;
        Ok(Origin {
            key: format!("{}://{bracketed}:{port}", if secure { "https" } else { "http" }).into(),
            host: host.into(),
            port,
            server_name: secure.then_some(name),
            host_header: HeaderValue::try_from(host_header).map_err(|_| OriginError::Host)?,
            prefix: prefix.into(),
        })
    }

    /// Host and port, as a proxy is told them.
    pub(super) fn authority(&self) -> &str {
        self.key.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The whole path of what is called `path` below the base address; made once, it is free to clone.
    ///
    /// # Errors
    /// [`OriginError::Path`] where `path` holds what no path may.
    pub fn path_and_query(&self, path: &str) -> Result<PathAndQuery, OriginError> {
        let path = path.trim_start_matches('/');
        PathAndQuery::try_from(format!("{}/{path}", self.prefix)).map_err(|_| OriginError::Path)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// The host, an IPv6 address still in its brackets, and the port where one is given.
fn split_port(authority: &str) -> Result<(&str, Option<u16>), OriginError> {
    let after_brackets = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let Some(colon) = authority[after_brackets..].find(':') else {
        return Ok((authority, None));
    };
    let (host, port) = authority.split_at(after_brackets + colon);
    let digits = &port[1..];
    // `parse` alone would take a plus sign.
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(OriginError::Port);
    }
    match digits.parse() {
        Ok(0) | Err(_) => Err(OriginError::Port),
        Ok(port) => Ok((host, Some(port))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_read_into_what_connecting_and_the_request_need() {
        for (base_url, key, host, header, path) in [
            ("https://a.com", "https://a.com:443", "a.com", "a.com", "/chat"),
            ("https://a.com/", "https://a.com:443", "a.com", "a.com", "/chat"),
            ("HTTPS://A.com:443/v1", "https://a.com:443", "a.com", "a.com", "/v1/chat"),
            ("http://a.com:443/v1/", "http://a.com:443", "a.com", "a.com:443", "/v1/chat"),
            (
                "http://10.0.0.7:8000/x/y",
                "http://10.0.0.7:8000",
                "10.0.0.7",
                "10.0.0.7:8000",
                "/x/y/chat",
            ),
            ("http://[::1]:80", "http://[::1]:80", "::1", "[::1]", "/chat"),
            ("http://vllm_1", "http://vllm_1:80", "vllm_1", "vllm_1", "/chat"),
        ] {
            let origin = Origin::parse(base_url).unwrap();
            assert_eq!(
                (&*origin.key, &*origin.host, origin.host_header.to_str().unwrap()),
                (key, host, header),
                "{base_url}"
            );
            assert_eq!(origin.path_and_query("/chat").unwrap(), path, "{base_url}");
            assert_eq!(origin.server_name.is_some(), key.starts_with("https"), "{base_url}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_wrong() {
        use OriginError::*;
        for (base_url, error) in [
            ("", Scheme),
            ("a.com/v1", Scheme),
            ("ftp://a.com", Scheme),
            ("https://", Host),
            ("https:///v1", Host),
            ("https://a b.com", Host),
            ("https://bücher.de", Host),
            ("https://::1", Port),
            ("https://[::1", Port),
            ("https://[a.com]", Host),
            ("https://a.com:", Port),
            ("https://a.com:0", Port),
            ("https://a.com:+80", Port),
            ("https://a.com:65536", Port),
            ("https://me:secret@a.com", Credential),
            ("https://a.com/v1?api-version=1", Query),
            ("https://a.com/v1#x", Query),
            ("https://a.com/a b", Path),
        ] {
            assert_eq!(Origin::parse(base_url).map(|_| ()), Err(error), "{base_url}");
        }
    }
}
