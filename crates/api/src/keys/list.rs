//! The query of `GET /keys` (SEMANTICS 3.3).
//! Parameters it does not know are ignored; one it knows is refused where it is given twice.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::Invalid;
use crate::field::parse_uuid;

const NAMES: [&str; 4] = ["offset", "include_disabled", "include_expired", "workspace_id"];

/// Which keys to list, and from which place on.
///
/// ```
/// # use api::keys::ListKeys;
/// let query = ListKeys::parse([("offset", "100"), ("include_disabled", "1")])?;
/// assert_eq!(
///     query,
///     ListKeys { offset: 100, include_disabled: true, ..ListKeys::default() },
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListKeys {
    /// How many keys to skip.
    pub offset: u64,
    /// Whether disabled keys are listed, too.
    pub include_disabled: bool,
    /// Whether expired keys are listed, too.
    pub include_expired: bool,
    /// The workspace whose keys are listed; `None` is the default one, never all.
    pub workspace_id: Option<Uuid>,
}

impl ListKeys {
    /// Reads the query's names and values, percent-decoded.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<ListKeys, Invalid> {
        let mut given = BTreeMap::new();
        for (name, value) in pairs.into_iter().filter(|(name, _)| NAMES.contains(name)) {
            if given.insert(name, value).is_some() {
                return Err(Invalid::new(name, "is given twice", "each name once"));
            }
        }
        Ok(ListKeys {
            offset: given.get("offset").map_or(Ok(0), |value| offset(value))?,
            include_disabled: flag(&given, "include_disabled")?,
            include_expired: flag(&given, "include_expired")?,
            workspace_id: given.get("workspace_id").map(|value| workspace_id(value)).transpose()?,
        })
    }
}

fn offset(value: &str) -> Result<u64, Invalid> {
    // SDKs send the name with nothing after it for "from the start" (SEMANTICS 1.9).
    if value.is_empty() {
        return Ok(0);
    }
    let number = value.bytes().all(|byte| byte.is_ascii_digit()).then(|| value.parse().ok());
    number.flatten().ok_or_else(|| {
        let allowed = format!("a whole number from 0 to {}", u64::MAX);
        Invalid::new("offset", "is not such a number", allowed)
    })
}

fn flag(given: &BTreeMap<&str, &str>, name: &str) -> Result<bool, Invalid> {
    match given.get(name) {
        None | Some(&("false" | "0")) => Ok(false),
        Some(&("true" | "1")) => Ok(true),
        Some(_) => Err(Invalid::new(name, "is another word", "true, false, 1 or 0")),
    }
}

fn workspace_id(value: &str) -> Result<Uuid, Invalid> {
    parse_uuid(value).ok_or_else(|| Invalid::new("workspace_id", "is not a UUID", "a UUID"))
}
