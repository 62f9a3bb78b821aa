//! Keys: made, listed, changed and deleted, with a management key.

use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::open::open_enum;
use crate::page::{self, Data, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Patch, Secret, Usd};

/// What the API says of one key: what it is, may spend and has spent.
///
/// It decodes answers of every generation of the API: what older ones do not send is `None`.
///
/// ```
/// # async fn example(client: tollgate::Client, hash: &str) -> Result<(), tollgate::Error> {
/// let key = client.keys().get(hash).await?;
/// println!("{}: ${} today, ${} of its own providers'", key.name, key.usage_daily, key.byok_usage_daily);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GetKeyData {
    /// What it spent on the owner's own provider keys, in US dollars, all time; not contained in
    /// `usage`.
    pub byok_usage: Usd,
    /// The same, this UTC day.
    pub byok_usage_daily: Usd,
    /// The same, this UTC calendar month.
    pub byok_usage_monthly: Usd,
    /// The same, this UTC week, from Monday.
    pub byok_usage_weekly: Usd,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; `None` for a key that its workspace owns.
    #[serde(default)]
    pub creator_user_id: Option<String>,
    /// Whether it is refused.
    pub disabled: bool,
    /// From when on it is refused; `None` is never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// SHA-256 of the key's text in lower-case hex: what names it in every other call.
    pub hash: String,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    pub include_byok_in_limit: bool,
    /// The key's text with its middle left out.
    pub label: String,
    /// What it may spend in a window, in US dollars; `None` is unlimited, zero blocks all that costs.
    pub limit: Option<Usd>,
    /// What is left of `limit` in the current window; below zero where the limit was lowered.
    pub limit_remaining: Option<Usd>,
    /// How often what counts against `limit` starts again at zero; `None` is never.
    pub limit_reset: Option<LimitReset>,
    /// The name it was given.
    pub name: String,
    /// When a person last changed it; `None` is never.
    pub updated_at: Option<Timestamp>,
    /// What was charged for it, in US dollars, all time.
    pub usage: Usd,
    /// The same, this UTC day.
    pub usage_daily: Usd,
    /// The same, this UTC calendar month.
    pub usage_monthly: Usd,
    /// The same, this UTC week, from Monday.
    pub usage_weekly: Usd,
    /// The workspace it belongs to; older generations do not say.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// The partner's end user it was made for; newer generations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_user: Option<String>,
    /// When it was last used, up to a minute stale; newer generations only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// The only models it may use: exact ids, and `author/*`; `None` is all. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds; `None` is unlimited. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// How many tokens the requests of any 60 seconds may use. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// How many requests it may have in flight at once. Tollgate only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
}

open_enum! {
    /// How often what counts against a limit starts again at zero, in UTC calendar windows.
    ///
    /// ```
    /// use tollgate::LimitReset;
    ///
    /// assert_eq!(LimitReset::from("daily"), LimitReset::Daily);
    /// assert_eq!(LimitReset::from("hourly").as_str(), "hourly");
    /// ```
    pub enum LimitReset {
        /// At midnight.
        Daily = "daily",
        /// On Monday at midnight.
        Weekly = "weekly",
        /// On the 1st at midnight.
        Monthly = "monthly",
    }
}

/// A key that was just made, with its text, which no other answer has.
///
/// ```
/// # fn show(created: tollgate::CreatedKey) {
/// println!("{} is {}", created.data.name, created.key.expose());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CreatedKey {
    /// The key as it will be listed.
    pub data: GetKeyData,
    /// Its text.
    pub key: Secret,
}

/// A key to be made.
///
/// ```
/// use tollgate::{CreateKey, LimitReset, Usd};
///
/// let key = CreateKey::new("ci").limit(Usd::from(25)).limit_reset(LimitReset::Monthly);
/// assert_eq!(
///     serde_json::to_string(&key).unwrap(),
///     r#"{"name":"ci","limit":25,"limit_reset":"monthly"}"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct CreateKey {
    /// Its name; names need not differ.
    pub name: String,
    /// What it may spend in a window, in US dollars; `None` is unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Usd>,
    /// How often what counts against `limit` starts again; `None` is never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_reset: Option<LimitReset>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_byok_in_limit: Option<bool>,
    /// From when on it is refused; it cannot be changed later, but at Tollgate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whose it is; `None` makes it the workspace's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creator_user_id: Option<String>,
    /// Its workspace; `None` is the default one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The partner's end user it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external: Option<External>,
    /// The only models it may use: exact ids, and `author/*`. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// How many requests it may make in any 60 seconds. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u64>,
    /// How many tokens the requests of any 60 seconds may use. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// How many requests it may have in flight at once. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<u64>,
    /// Makes sending it twice as good as once: at least 20 characters that no other creation has.
    /// With it a lost answer is asked for again; a server that does not know it makes two keys.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// A partner's end user, and the partner's own text for the key.
///
/// ```
/// let user = tollgate::External::new("customer-7");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct External {
    /// The end user's id at the partner.
    pub user: String,
    /// A second text that authenticates the same key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<Secret>,
}

impl External {
    /// That end user, without a text of the partner's.
    ///
    /// ```
    /// assert_eq!(tollgate::External::new("customer-7").user, "customer-7");
    /// ```
    pub fn new(user: impl Into<String>) -> External {
        External { user: user.into(), api_key: None }
    }
}

setters!(External, External::new("customer-7");
    some api_key: Secret = Secret::from("sk-partner-5b0a4d0e"),
);

impl CreateKey {
    /// A key of that name, unlimited, in the default workspace.
    ///
    /// ```
    /// let key = tollgate::CreateKey::new("ci");
    /// ```
    pub fn new(name: impl Into<String>) -> CreateKey {
        CreateKey { name: name.into(), ..CreateKey::default() }
    }
}

setters!(CreateKey, CreateKey::new("ci");
    some limit: Usd = Usd::from(25),
    some limit_reset: LimitReset = LimitReset::Monthly,
    some include_byok_in_limit: bool = true,
    some expires_at: Timestamp = "2027-12-31T23:59:59Z".parse().unwrap(),
    text creator_user_id = "ada",
    text workspace_id = "research",
    some external: External = External::new("customer-7"),
    words allowed_models = ["openai/*"],
    some requests_per_minute: u64 = 60,
    some tokens_per_minute: u64 = 100_000,
    some concurrent_requests: u64 = 5,
    text idempotency_key = "deploy-2026-11-21-ci-0001",
);

/// The changes to a key: what is not set stays as it is.
///
/// ```
/// use tollgate::UpdateKey;
///
/// let unlimited = UpdateKey::new().limit(None).limit_reset(None);
/// assert_eq!(
///     serde_json::to_string(&unlimited).unwrap(),
///     r#"{"limit":null,"limit_reset":null}"#,
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UpdateKey {
    /// A new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// What it may spend in a window, in US dollars; cleared, it is unlimited.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub limit: Patch<Usd>,
    /// How often what counts against `limit` starts again; cleared, it is never.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub limit_reset: Patch<LimitReset>,
    /// Whether spend on the owner's own provider keys counts towards the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_byok_in_limit: Option<bool>,
    /// The workspace it moves to, its figures with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// From when on it is refused; cleared, it is never. Tollgate only.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub expires_at: Patch<Timestamp>,
    /// The only models it may use; cleared, all. Tollgate only.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub allowed_models: Patch<Vec<String>>,
    /// How many requests it may make in any 60 seconds. Tollgate only.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub requests_per_minute: Patch<u64>,
    /// How many tokens the requests of any 60 seconds may use. Tollgate only.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub tokens_per_minute: Patch<u64>,
    /// How many requests it may have in flight at once. Tollgate only.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub concurrent_requests: Patch<u64>,
}

impl UpdateKey {
    /// No change yet.
    ///
    /// ```
    /// let off = tollgate::UpdateKey::new().disabled(true);
    /// ```
    pub fn new() -> UpdateKey {
        UpdateKey::default()
    }
}

setters!(UpdateKey, UpdateKey::new();
    text name = "ci, nightly",
    some disabled: bool = true,
    patch limit: Usd = Usd::from(25),
    patch limit_reset: LimitReset = LimitReset::Monthly,
    some include_byok_in_limit: bool = true,
    text workspace_id = "research",
    patch expires_at: Timestamp = "2027-12-31T23:59:59Z".parse::<jiff::Timestamp>().unwrap(),
    patch allowed_models: Vec<String> = vec!["openai/*".to_owned()],
    patch requests_per_minute: u64 = 60,
    patch tokens_per_minute: u64 = 100_000,
    patch concurrent_requests: u64 = 5,
);

/// Which keys to list.
///
/// ```
/// let also_off = tollgate::ListKeys::new().include_disabled(true);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListKeys {
    /// How many of the newest to skip.
    pub offset: u64,
    /// Whether disabled keys are listed as well.
    pub include_disabled: bool,
    /// Whether expired keys are listed as well.
    pub include_expired: bool,
    /// Those of this workspace; `None` is the default one.
    pub workspace_id: Option<String>,
}

impl ListKeys {
    /// The keys of the default workspace that are not disabled.
    ///
    /// ```
    /// assert_eq!(tollgate::ListKeys::new().offset, 0);
    /// ```
    pub fn new() -> ListKeys {
        ListKeys::default()
    }
}

setters!(ListKeys, ListKeys::new();
    plain offset: u64 = 100,
    plain include_disabled: bool = true,
    plain include_expired: bool = true,
    text workspace_id = "research",
);

/// The calls about keys, all of which want a management key.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// use tollgate::{CreateKey, LimitReset, UpdateKey, Usd};
///
/// let keys = client.keys();
/// let made = keys.create(&CreateKey::new("ci").limit(Usd::from(25)).limit_reset(LimitReset::Daily)).await?;
/// keys.update(&made.data.hash, &UpdateKey::new().disabled(true)).await?;
/// keys.delete(&made.data.hash).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Keys(Client);

impl Client {
    /// The calls about keys.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for key in client.keys().list(&Default::default()).await? {
    ///     println!("{} spent ${}", key.name, key.usage);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn keys(&self) -> Keys {
        Keys(self.clone())
    }
}

impl Keys {
    /// At most 100 keys, the newest first.
    ///
    /// # Errors
    ///
    /// 401 and 403 where the key in use administers nothing, 404 where there is no such workspace.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let newest = client.keys().list(&tollgate::ListKeys::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, wanted: &ListKeys) -> Result<Vec<GetKeyData>, Error> {
        Ok(self.page(wanted).await?.data)
    }

    /// Every key, the newest first, page after page. A key made meanwhile may push another onto
    /// the next page, where it is seen again.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let mut keys = std::pin::pin!(client.keys().list_all(tollgate::ListKeys::new()));
    /// while let Some(key) = keys.try_next().await? {
    ///     println!("{} {}", key.hash, key.name);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        wanted: ListKeys,
    ) -> impl Stream<Item = Result<GetKeyData, Error>> + Send + use<> {
        let keys = self.clone();
        page::all(
            wanted.offset,
            |key: &GetKeyData| key.hash.clone(),
            move |offset| {
                let (keys, wanted) = (keys.clone(), wanted.clone().offset(offset));
                async move { keys.page(&wanted).await }
            },
        )
    }

    async fn page(&self, wanted: &ListKeys) -> Result<Page<GetKeyData>, Error> {
        let offset = (wanted.offset > 0).then_some(&wanted.offset);
        Call::get(["keys"])
            .query("offset", offset)
            .query("include_disabled", wanted.include_disabled.then_some(&true))
            .query("include_expired", wanted.include_expired.then_some(&true))
            .query("workspace_id", wanted.workspace_id.as_ref())
            .send(&self.0)
            .await
    }

    /// Makes a key, and gives its text: it can't be read again.
    ///
    /// It is sent again after a lost answer only where it has an
    /// [`idempotency_key`](CreateKey::idempotency_key).
    ///
    /// # Errors
    ///
    /// 400 where a field is not what it may be: the message names it.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let made = client.keys().create(&tollgate::CreateKey::new("ci")).await?;
    /// println!("{}", made.key.expose());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, key: &CreateKey) -> Result<CreatedKey, Error> {
        let call = Call::post(["keys"]).idempotency_key(key.idempotency_key.as_deref());
        call.json(key)?.send(&self.0).await
    }

    /// The key of that hash, disabled and expired ones too.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, hash: &str) -> Result<(), tollgate::Error> {
    /// let left = client.keys().get(hash).await?.limit_remaining;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, hash: &str) -> Result<GetKeyData, Error> {
        Call::get(["keys", hash]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Changes a key, from its next request on, and gives it as it is then.
    ///
    /// # Errors
    ///
    /// 404 where there is none; 400 where nothing is set, or a field is not what it may be.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, hash: &str) -> Result<(), tollgate::Error> {
    /// client.keys().update(hash, &tollgate::UpdateKey::new().limit(None)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&self, hash: &str, changes: &UpdateKey) -> Result<GetKeyData, Error> {
        let call = Call::patch(["keys", hash]).json(changes)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Deletes a key for good; what it spent stays in every report.
    ///
    /// # Errors
    ///
    /// 404 where there is none, and where an earlier try whose answer was lost deleted it.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, hash: &str) -> Result<(), tollgate::Error> {
    /// client.keys().delete(hash).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, hash: &str) -> Result<(), Error> {
        Call::delete(["keys", hash]).send::<Deleted>(&self.0).await.map(|_| ())
    }
}

/// The answer to every deletion.
#[derive(Deserialize)]
pub(crate) struct Deleted {
    #[serde(rename = "deleted")]
    _is_done: bool,
}
