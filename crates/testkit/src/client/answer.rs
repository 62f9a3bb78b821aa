//! A whole answer, as a test looks at it.
//! Numbers can be read as they were printed, since money must not pass through a float.

use std::collections::HashMap;
use std::io;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use hyper::body::Incoming;
use serde_json::Value;
use serde_json::value::RawValue;

use super::collect;
use crate::contract;

/// Paths below these are the API's, and answer as its contract says.
const BASES: [&str; 2] = ["/api/v1", "/v1"];

/// An answer read to its last byte.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status code.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is not, saying what it is.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{} is not JSON: {error}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON text at a pointer (`/usage/cost`) exactly as it was sent, if it is there.
    ///
    /// A name that is there twice gives the last one. The pointer's names are taken as they stand.
    pub fn exact(&self, pointer: &str) -> Option<String> {
        exact(std::str::from_utf8(&self.body).ok()?, pointer)
    }

    pub(super) async fn read(response: Response<Incoming>) -> io::Result<Answer> {
        let (head, body) = response.into_parts();
        let body = collect(body).await?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body })
    }

    /// Panics where this is no answer that the API may give to that request.
    pub(super) fn check(&self, method: &str, path: &str) {
        let below = BASES.iter().find_map(|base| path.strip_prefix(base));
        let Some(path) = below.filter(|below| below.starts_with('/')) else { return };
        let content_type = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        match contract::template(path) {
            Some(template) => {
                assert!(
                    content_type.is_some_and(|value| value.starts_with("application/json")),
                    "{method} {path} answered {} as {content_type:?}",
                    self.status
                );
                violated(contract::check(method, template, self.status, &self.body));
            }
            None if self.status >= 400 => {
                violated(contract::check(method, path, self.status, &self.body));
            }
            None => {}
        }
    }
}

/// Panics with the violation, if there is one.
pub(super) fn violated(checked: Result<(), contract::Violation>) {
    if let Err(violation) = checked {
        panic!("{violation}");
    }
}

/// The part of a JSON text that a pointer names, as it stands.
pub(super) fn exact(text: &str, pointer: &str) -> Option<String> {
    let mut part: &RawValue = serde_json::from_str(text).ok()?;
    for name in pointer.split('/').skip(1) {
        part = match name.parse::<usize>() {
            Ok(index) if part.get().starts_with('[') => {
                serde_json::from_str::<Vec<&RawValue>>(part.get()).ok()?.get(index).copied()?
            }
            _ => serde_json::from_str::<HashMap<String, &RawValue>>(part.get())
                .ok()?
                .get(name)
                .copied()?,
        };
    }
    Some(part.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::exact;

    #[test]
    fn a_number_comes_back_as_it_was_printed() {
        let text = r#"{"a": [1, {"cost": 0.10}], "9": 1e-9}"#;
        assert_eq!(exact(text, "/a/1/cost").as_deref(), Some("0.10"));
        assert_eq!(exact(text, "/9").as_deref(), Some("1e-9"));
        assert_eq!(exact(text, "").as_deref(), Some(text));
        assert_eq!(exact(text, "/a/2"), None);
        assert_eq!(exact(text, "/a/b"), None);
    }
}
