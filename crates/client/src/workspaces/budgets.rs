//! The most that may be spent in a workspace.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keys::Deleted;
use crate::open::open_enum;
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, LimitReset, Usd};

open_enum! {
    /// How long a budget's windows are, as the path names it.
    ///
    /// ```
    /// assert_eq!(tollgate::Interval::Monthly.as_str(), "monthly");
    /// ```
    pub enum Interval {
        /// A UTC day.
        Daily = "daily",
        /// A UTC week, from Monday.
        Weekly = "weekly",
        /// A UTC calendar month.
        Monthly = "monthly",
        /// The workspace's whole life.
        Lifetime = "lifetime",
    }
}

/// A budget of a workspace.
///
/// ```
/// # fn show(budget: tollgate::WorkspaceBudget) {
/// println!("${} {:?}", budget.limit_usd, budget.reset_interval);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceBudget {
    /// Its identity, which a replaced budget keeps.
    pub id: String,
    /// Whose it is.
    pub workspace_id: String,
    /// The most that may be spent in each of its windows, in US dollars.
    pub limit_usd: Usd,
    /// How long its windows are; `None` is the workspace's whole life.
    #[serde(default)]
    pub reset_interval: Option<LimitReset>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last put.
    pub updated_at: Timestamp,
}

/// The budgets of a workspace, and what holds for all of them.
///
/// ```
/// # fn show(budgets: tollgate::WorkspaceBudgets) {
/// println!("{} budgets", budgets.data.len());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkspaceBudgets {
    /// One an interval at most.
    pub data: Vec<WorkspaceBudget>,
    /// Whether spend on the owner's own provider keys counts towards them.
    #[serde(default)]
    pub include_byok_in_budgets: bool,
}

/// A budget to be put in the place of the one of its interval, or added.
///
/// ```
/// let budget = tollgate::PutBudget::new(tollgate::Usd::from(500));
/// assert_eq!(serde_json::to_string(&budget).unwrap(), r#"{"limit_usd":500}"#);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PutBudget {
    /// The most that may be spent in each of its windows, in US dollars, more than nothing.
    pub limit_usd: Usd,
    /// Whether spend on the owner's own provider keys counts towards the workspace's budgets from
    /// then on; `None` leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_byok_in_budgets: Option<bool>,
}

impl PutBudget {
    /// A budget of that much.
    ///
    /// ```
    /// let budget = tollgate::PutBudget::new(tollgate::Usd::from(500));
    /// ```
    pub fn new(limit_usd: Usd) -> PutBudget {
        PutBudget { limit_usd, include_byok_in_budgets: None }
    }
}

setters!(PutBudget, PutBudget::new(Usd::from(500));
    some include_byok_in_budgets: bool = true,
);

#[derive(Deserialize)]
struct One {
    data: WorkspaceBudget,
}

/// The calls about the budgets of one workspace.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// let budgets = client.workspaces().budgets("research").list().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Budgets {
    pub(super) client: Client,
    pub(super) workspace: String,
}

impl Budgets {
    fn path<'a>(&'a self, interval: Option<&'a Interval>) -> impl Iterator<Item = &'a str> {
        let whole = ["workspaces", &self.workspace, "budgets"].into_iter();
        whole.chain(interval.map(Interval::as_str))
    }

    /// All there are.
    ///
    /// # Errors
    ///
    /// 404 where there is no such workspace.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let budgets = client.workspaces().budgets("research").list().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self) -> Result<WorkspaceBudgets, Error> {
        Call::get(self.path(None)).send(&self.client).await
    }

    /// The one of that interval.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let month = client.workspaces().budgets("research").get(tollgate::Interval::Monthly).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, interval: Interval) -> Result<WorkspaceBudget, Error> {
        let call = Call::get(self.path(Some(&interval)));
        call.send::<One>(&self.client).await.map(|answer| answer.data)
    }

    /// Puts a budget in the place of the one of that interval, or adds it.
    ///
    /// # Errors
    ///
    /// 400 where a longer interval would have less than a shorter one: the message names both.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use tollgate::{Interval, PutBudget, Usd};
    ///
    /// let budgets = client.workspaces().budgets("research");
    /// budgets.put(Interval::Daily, &PutBudget::new(Usd::from(20))).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn put(
        &self,
        interval: Interval,
        budget: &PutBudget,
    ) -> Result<WorkspaceBudget, Error> {
        let call = Call::put(self.path(Some(&interval))).json(budget)?;
        call.send::<One>(&self.client).await.map(|answer| answer.data)
    }

    /// Deletes the one of that interval; that there is none is no error.
    ///
    /// # Errors
    ///
    /// 404 where there is no such workspace.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// client.workspaces().budgets("research").delete(tollgate::Interval::Daily).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, interval: Interval) -> Result<(), Error> {
        let call = Call::delete(self.path(Some(&interval)));
        call.send::<Deleted>(&self.client).await.map(|_| ())
    }
}
