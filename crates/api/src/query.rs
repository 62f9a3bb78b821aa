//! The parameters of a request's query, and the ways to read them.
//! What it does not know it ignores; a parameter it knows is refused where it is given twice.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::Invalid;
use crate::field::parse_uuid;

/// The parameters that a path knows, as far as they were given.
///
/// ```
/// # use api::Query;
/// let query = Query::read(["limit", "q"], [("limit", "9"), ("utm_source", "x")])?;
/// assert_eq!((query.get("limit"), query.get("q")), (Some("9"), None));
/// assert_eq!(
///     query.count("limit", 1..=5).unwrap_err().to_string(),
///     "`limit` is not such a number; allowed: a whole number from 1 to 5",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Debug)]
pub struct Query<'a>(BTreeMap<&'static str, &'a str>);

/// The part of a list that was asked for (SEMANTICS 1.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// How many to skip.
    pub offset: u64,
    /// How many to give at most.
    pub limit: u64,
}

impl Default for Slice {
    fn default() -> Slice {
        Slice { offset: 0, limit: 50 }
    }
}

impl Slice {
    /// That part of `whole`; nothing beyond its end.
    pub fn of<T>(self, whole: Vec<T>) -> Vec<T> {
        let bounded = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        whole.into_iter().skip(bounded(self.offset)).take(bounded(self.limit)).collect()
    }
}

impl<'a> Query<'a> {
    /// Reads a query's names and values, percent-decoded; `names` are the parameters there are.
    pub fn read<const N: usize>(
        names: [&'static str; N],
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Query<'a>, Invalid> {
        let mut given = BTreeMap::new();
        for (name, value) in pairs {
            let Some(name) = names.into_iter().find(|known| *known == name) else { continue };
            if given.insert(name, value).is_some() {
                return Err(Invalid::new(name, "is given twice", "each name once"));
            }
        }
        Ok(Query(given))
    }

    /// A parameter's text, where it was given.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    /// A text that says something.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Invalid> {
        match self.get(name) {
            Some("") => Err(Invalid::new(name, "is empty", "a text")),
            given => Ok(given),
        }
    }

    /// A whole number within `range`; one with nothing after its name counts as not given, since
    /// SDKs send it so for "from the start" (SEMANTICS 1.9).
    pub fn count(
        &self,
        name: &str,
        range: std::ops::RangeInclusive<u64>,
    ) -> Result<Option<u64>, Invalid> {
        let Some(text) = self.get(name).filter(|text| !text.is_empty()) else { return Ok(None) };
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_number.then(|| text.parse().ok()).flatten();
        let number = number.filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        let allowed = || format!("a whole number from {least} to {most}");
        number.map(Some).ok_or_else(|| Invalid::new(name, "is not such a number", allowed()))
    }

    /// The part of a list that `offset` and `limit` ask for.
    pub fn slice(&self) -> Result<Slice, Invalid> {
        let usual = Slice::default();
        Ok(Slice {
            offset: self.count("offset", 0..=u64::MAX)?.unwrap_or(usual.offset),
            limit: self.count("limit", 1..=100)?.unwrap_or(usual.limit),
        })
    }

    /// `true` or `false`, or their numbers; false where it was not given.
    pub fn flag(&self, name: &str) -> Result<bool, Invalid> {
        match self.get(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Invalid::new(name, "is another word", "true, false, 1 or 0")),
        }
    }

    /// A UUID in its hyphenated form.
    pub fn uuid(&self, name: &str) -> Result<Option<Uuid>, Invalid> {
        let read =
            |text| parse_uuid(text).ok_or_else(|| Invalid::new(name, "is not a UUID", "a UUID"));
        self.get(name).map(read).transpose()
    }

    /// One of `words`.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Invalid> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match words.iter().find(|(word, _)| *word == text) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                Err(Invalid::new(name, "is another word", listed(words.iter().map(|one| one.0))))
            }
        }
    }

    /// The texts between commas, blanks around them left out; none where it was not given.
    pub fn list(&self, name: &str) -> Vec<&'a str> {
        let texts = self.get(name).unwrap_or_default().split(',').map(str::trim);
        texts.filter(|text| !text.is_empty()).collect()
    }

    /// A list whose texts are all among `words`.
    pub fn words(&self, name: &str, words: &[&str]) -> Result<Vec<&'a str>, Invalid> {
        let texts = self.list(name);
        if texts.iter().all(|text| words.contains(text)) {
            return Ok(texts);
        }
        let allowed = format!("a list with commas of {}", listed(words.iter().copied()));
        Err(Invalid::new(name, "has another word", allowed))
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}
