//! The names and values of a request's query, percent-decoded.

use std::borrow::Cow;

/// The pairs of a query, in the order they were given.
pub(super) struct Pairs<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl Pairs<'_> {
    /// Those of `query`, the text after `?`.
    pub(super) fn of(query: Option<&str>) -> Pairs<'_> {
        Pairs(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).collect())
    }

    /// Each name with its value, for the parsers of `api`.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }
}
