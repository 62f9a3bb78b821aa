//! A part of a whole, exact to the millionth: no binary float stands in between.

use money::Money;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::RawValue;

/// The smallest share there is on the wire, in millionths.
const LEAST_MILLIONTHS: u32 = 100;
const WHOLE_MILLIONTHS: u32 = 1_000_000;
/// A share of 1 as money would be this many nano-dollars: decimals are read and printed as money's.
const NANOS_A_MILLIONTH: i64 = 1_000;

/// A share from 0.0001 to 1 as JSON: `0.25`. What is finer than a millionth is cut off.
///
/// ```
/// # use api::workspaces::Share;
/// let share: Share = serde_json::from_str("0.2500009")?;
/// assert_eq!(share, Share::of_millionths(250_000).unwrap());
/// assert_eq!(serde_json::to_string(&share)?, "0.25");
/// assert!(serde_json::from_str::<Share>("0.00009").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u32);

impl Share {
    /// What a share may be, as the error messages say it.
    pub const ALLOWED: &str = "a number from 0.0001 to 1";
    /// All of it.
    pub const ALL: Share = Share(WHOLE_MILLIONTHS);

    /// So many millionths; `None` where that is less than 0.0001 or more than 1.
    pub fn of_millionths(millionths: u32) -> Option<Share> {
        (LEAST_MILLIONTHS..=WHOLE_MILLIONTHS).contains(&millionths).then_some(Share(millionths))
    }

    /// It in millionths.
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// The share that the number in `text` is.
    pub(crate) fn parse(text: &str) -> Option<Share> {
        let nanos = Money::parse_floor(text).ok()?.as_nanos();
        if nanos > i64::from(WHOLE_MILLIONTHS) * NANOS_A_MILLIONTH {
            return None;
        }
        Share::of_millionths(u32::try_from(nanos / NANOS_A_MILLIONTH).ok()?)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = Money::nanos(i64::from(self.0) * NANOS_A_MILLIONTH).to_string();
        RawValue::from_string(text).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Share::parse(raw.get()).ok_or_else(|| D::Error::custom(Share::ALLOWED))
    }
}
