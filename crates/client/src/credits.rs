//! What the account may spend and has spent in all.

use serde::{Deserialize, Serialize};

use crate::page::Data;
use crate::request::Call;
use crate::{Client, Error, Usd};

/// The account's two totals.
///
/// ```
/// # fn show(credits: tollgate::Credits) {
/// println!("${} of ${}", credits.total_usage, credits.total_credits);
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Credits {
    /// What was bought, in US dollars.
    pub total_credits: Usd,
    /// What was charged to all keys ever, deleted ones included.
    pub total_usage: Usd,
}

/// The call about the account's totals.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// println!("{}", client.credits().get().await?.total_usage);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct CreditsApi(Client);

impl Client {
    /// The call about the account's totals.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let credits = client.credits().get().await?;
    /// println!("${} of ${}", credits.total_usage, credits.total_credits);
    /// # Ok(())
    /// # }
    /// ```
    pub fn credits(&self) -> CreditsApi {
        CreditsApi(self.clone())
    }
}

impl CreditsApi {
    /// What was bought and what was spent; wants a management key.
    ///
    /// # Errors
    ///
    /// 401 and 403 where the key in use administers nothing.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let credits = client.credits().get().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self) -> Result<Credits, Error> {
        Call::get(["credits"]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }
}
