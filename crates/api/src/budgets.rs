//! `/workspaces/{id}/budgets`: the most that may be spent in a workspace (SEMANTICS 7.6).

use std::fmt;

use money::Money;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::keys::LimitReset;
use crate::{Invalid, Object, Open, Usd, Utc};

/// How long a budget's windows are, as paths name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interval {
    /// A UTC day.
    Daily,
    /// A UTC week, from Monday.
    Weekly,
    /// A UTC calendar month.
    Monthly,
    /// The workspace's whole life.
    Lifetime,
}

impl Interval {
    /// All there are, the longest first.
    pub const ALL: [Interval; 4] =
        [Interval::Lifetime, Interval::Monthly, Interval::Weekly, Interval::Daily];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Interval::Daily => "daily",
            Interval::Weekly => "weekly",
            Interval::Monthly => "monthly",
            Interval::Lifetime => "lifetime",
        }
    }

    /// The interval of that word, as a part of a path.
    ///
    /// ```
    /// # use api::budgets::Interval;
    /// assert_eq!(Interval::parse("lifetime"), Ok(Interval::Lifetime));
    /// assert_eq!(
    ///     Interval::parse("yearly").unwrap_err().to_string(),
    ///     "`interval` is another word; allowed: daily, weekly, monthly or lifetime",
    /// );
    /// ```
    pub fn parse(word: &str) -> Result<Interval, Invalid> {
        let known = Interval::ALL.into_iter().find(|interval| interval.as_str() == word);
        let allowed = "daily, weekly, monthly or lifetime";
        known.ok_or_else(|| Invalid::new("interval", "is another word", allowed))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A budget as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceBudget {
    /// Its identity, which a replaced budget keeps.
    pub id: Uuid,
    /// Whose it is.
    pub workspace_id: Uuid,
    /// The most that may be spent in each of its windows.
    pub limit_usd: Usd,
    /// How long its windows are; `None` is the workspace's whole life.
    pub reset_interval: Option<Open<LimitReset>>,
    /// When it was made.
    pub created_at: Utc,
    /// When it was last put.
    pub updated_at: Utc,
}

/// An answer about budgets, with what the workspace says of them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgeted<T> {
    /// The budget, or the budgets.
    pub data: T,
    /// Whether spend on the owner's own provider keys counts towards the workspace's budgets.
    #[serde(default)]
    pub include_byok_in_budgets: bool,
}

/// A budget to be put in the place of the one of the same interval, or added.
///
/// ```
/// # use {api::{Usd, budgets::PutBudget}, money::Money};
/// let put = PutBudget::parse(br#"{"limit_usd": 500}"#)?;
/// assert_eq!(put.limit_usd, Usd(Money::nanos(500_000_000_000)));
/// assert!(PutBudget::parse(br#"{"limit_usd": 0}"#).is_err());
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PutBudget {
    /// The most that may be spent in each of its windows, from a nano-dollar up.
    pub limit_usd: Usd,
    /// Whether spend on the owner's own provider keys counts towards the workspace's budgets from
    /// then on; `None` leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_byok_in_budgets: Option<bool>,
}

impl PutBudget {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be.
    pub fn parse(body: &[u8]) -> Result<PutBudget, Invalid> {
        let object = Object::parse(body)?;
        let field = object.field("limit_usd");
        let limit = field.amount()?;
        if limit == Money::ZERO {
            let allowed = format!("a number of US dollars above 0, to {}", Money::MAX);
            return Err(field.invalid("is zero", &allowed));
        }
        let flag = object.field("include_byok_in_budgets").given();
        Ok(PutBudget {
            limit_usd: Usd(limit),
            include_byok_in_budgets: flag.map(|field| field.flag()).transpose()?,
        })
    }
}
