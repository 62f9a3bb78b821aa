//! Bring-your-own-key credentials: the owner's own keys at the providers.

use futures_core::Stream;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::keys::Deleted;
use crate::open::open_enum;
use crate::page::{self, Data, Page};
use crate::patch::setters;
use crate::request::Call;
use crate::{Client, Error, Patch, Secret};

/// One credential, without its secret.
///
/// ```
/// # fn show(credential: tollgate::ByokKey) {
/// println!("{} at {}", credential.label, credential.provider);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ByokKey {
    /// Its id.
    pub id: String,
    /// The slug of the provider it is for.
    pub provider: String,
    /// The workspace whose requests may use it; `None` is every workspace.
    #[serde(default)]
    pub workspace_id: Option<String>,
    /// The name it was given.
    #[serde(default)]
    pub name: Option<String>,
    /// The secret with its middle left out.
    pub label: String,
    /// Whether no request uses it.
    pub disabled: bool,
    /// Whether it is tried after the operator's own credential, instead of before.
    #[serde(default)]
    pub is_fallback: bool,
    /// Whether the operator's own is not used at this provider for the models it may be used for.
    #[serde(default)]
    pub is_required: bool,
    /// Whether the operator's own is not used at this provider for any model.
    #[serde(default)]
    pub is_byok_only: bool,
    /// Its place among the credentials of its provider; the lowest is tried first.
    #[serde(default)]
    pub sort_order: u32,
    /// The only models it may be used for; `None` is all.
    #[serde(default)]
    pub allowed_models: Option<Vec<String>>,
    /// The hashes of the only keys whose requests may use it; `None` is all.
    #[serde(default)]
    pub allowed_api_key_hashes: Option<Vec<String>>,
    /// The only creators of keys whose requests may use it; `None` is all.
    #[serde(default)]
    pub allowed_user_ids: Option<Vec<String>>,
    /// Where its owner says that its requests are processed.
    #[serde(default)]
    pub declared_region: Option<Region>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it.
    #[serde(default)]
    pub declared_zdr: Option<bool>,
    /// When it was made.
    pub created_at: Timestamp,
}

open_enum! {
    /// Where requests are processed.
    ///
    /// ```
    /// assert_eq!(tollgate::Region::Europe.as_str(), "europe");
    /// ```
    pub enum Region {
        /// Anywhere.
        Global = "global",
        /// In Europe.
        Europe = "europe",
        /// In the United States.
        Us = "us",
    }
}

/// A credential to be made.
///
/// ```
/// let credential = tollgate::CreateByokKey::new("openai", "sk-proj-…").is_fallback(true);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CreateByokKey {
    /// The slug of the provider it is for.
    pub provider: String,
    /// The provider's key.
    pub key: Secret,
    /// A name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The workspace whose requests may use it: unset it is the default one; cleared, every one.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub workspace_id: Patch<String>,
    /// Whether no request uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether it is tried after the operator's own credential, instead of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_fallback: Option<bool>,
    /// Whether the operator's own is not used for the models it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_required: Option<bool>,
    /// Whether the operator's own is not used at its provider for any model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_byok_only: Option<bool>,
    /// Its place among those of its provider; the last where nothing is said. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<u32>,
    /// The only models it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_models: Option<Vec<String>>,
    /// The hashes of the only keys that may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_api_key_hashes: Option<Vec<String>>,
    /// The only creators of keys that may use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_user_ids: Option<Vec<String>>,
    /// Where its owner says that its requests are processed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_region: Option<Region>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub declared_zdr: Option<bool>,
}

impl CreateByokKey {
    /// A credential for that provider, for every model and key of the default workspace.
    ///
    /// ```
    /// let credential = tollgate::CreateByokKey::new("openai", "sk-proj-…");
    /// ```
    pub fn new(provider: impl Into<String>, key: impl Into<Secret>) -> CreateByokKey {
        CreateByokKey {
            provider: provider.into(),
            key: key.into(),
            name: None,
            workspace_id: Patch::Unset,
            disabled: None,
            is_fallback: None,
            is_required: None,
            is_byok_only: None,
            sort_order: None,
            allowed_models: None,
            allowed_api_key_hashes: None,
            allowed_user_ids: None,
            declared_region: None,
            declared_zdr: None,
        }
    }
}

setters!(CreateByokKey, CreateByokKey::new("openai", "sk-proj-…");
    text name = "ours",
    patch workspace_id: String = "research",
    some disabled: bool = true,
    some is_fallback: bool = true,
    some is_required: bool = true,
    some is_byok_only: bool = true,
    some sort_order: u32 = 1,
    words allowed_models = ["openai/gpt-4o-mini"],
    words allowed_api_key_hashes = ["0e6fb9f2…"],
    words allowed_user_ids = ["ada"],
    some declared_region: Region = Region::Europe,
    some declared_zdr: bool = true,
);

/// The changes to a credential: what is not set stays as it is.
///
/// ```
/// let off = tollgate::UpdateByokKey::new().disabled(true);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UpdateByokKey {
    /// Another key of the provider's, in the place of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Secret>,
    /// A name for people.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub name: Patch<String>,
    /// Whether no request uses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Whether it is tried after the operator's own credential, instead of before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_fallback: Option<bool>,
    /// Whether the operator's own is not used for the models it may be used for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_required: Option<bool>,
    /// Whether the operator's own is not used at its provider for any model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_byok_only: Option<bool>,
    /// Its place among those of its provider. Tollgate only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort_order: Option<u32>,
    /// The only models it may be used for; cleared, all.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub allowed_models: Patch<Vec<String>>,
    /// The hashes of the only keys that may use it; cleared, all.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub allowed_api_key_hashes: Patch<Vec<String>>,
    /// The only creators of keys that may use it; cleared, all.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub allowed_user_ids: Patch<Vec<String>>,
    /// Where its owner says that its requests are processed.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub declared_region: Patch<Region>,
    /// Whether its owner says that the provider keeps nothing of what is sent with it.
    #[serde(skip_serializing_if = "Patch::is_unset")]
    pub declared_zdr: Patch<bool>,
}

impl UpdateByokKey {
    /// No change yet.
    ///
    /// ```
    /// let off = tollgate::UpdateByokKey::new().disabled(true);
    /// ```
    pub fn new() -> UpdateByokKey {
        UpdateByokKey::default()
    }
}

setters!(UpdateByokKey, UpdateByokKey::new();
    some key: Secret = Secret::from("sk-proj-…"),
    patch name: String = "ours",
    some disabled: bool = true,
    some is_fallback: bool = true,
    some is_required: bool = true,
    some is_byok_only: bool = true,
    some sort_order: u32 = 1,
    patch allowed_models: Vec<String> = vec!["openai/gpt-4o-mini".to_owned()],
    patch allowed_api_key_hashes: Vec<String> = vec!["0e6fb9f2…".to_owned()],
    patch allowed_user_ids: Vec<String> = vec!["ada".to_owned()],
    patch declared_region: Region = Region::Europe,
    patch declared_zdr: bool = true,
);

/// Which credentials to list.
///
/// ```
/// let openai = tollgate::ListByokKeys::new().provider("openai");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListByokKeys {
    /// How many to skip.
    pub offset: Option<u64>,
    /// How many to give at most, from 1 to 100.
    pub limit: Option<u64>,
    /// Those for this provider.
    pub provider: Option<String>,
    /// Those of this workspace.
    pub workspace_id: Option<String>,
}

impl ListByokKeys {
    /// All credentials that the key in use may see.
    ///
    /// ```
    /// let all = tollgate::ListByokKeys::new();
    /// ```
    pub fn new() -> ListByokKeys {
        ListByokKeys::default()
    }
}

setters!(ListByokKeys, ListByokKeys::new();
    some offset: u64 = 100,
    some limit: u64 = 20,
    text provider = "openai",
    text workspace_id = "research",
);

/// The calls about credentials, all of which want a management key.
///
/// ```no_run
/// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
/// use tollgate::{CreateByokKey, UpdateByokKey};
///
/// let made = client.byok().create(&CreateByokKey::new("openai", "sk-proj-…")).await?;
/// client.byok().update(&made.id, &UpdateByokKey::new().is_required(true)).await?;
/// client.byok().delete(&made.id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Byok(Client);

impl Client {
    /// The calls about credentials.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// for credential in client.byok().list(&Default::default()).await?.data {
    ///     println!("{} at {}", credential.label, credential.provider);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn byok(&self) -> Byok {
        Byok(self.clone())
    }
}

impl Byok {
    /// One page of credentials.
    ///
    /// # Errors
    ///
    /// 401 and 403 where the key in use administers nothing.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let page = client.byok().list(&tollgate::ListByokKeys::new()).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn list(&self, wanted: &ListByokKeys) -> Result<Page<ByokKey>, Error> {
        Call::get(["byok"])
            .query("offset", wanted.offset.as_ref())
            .query("limit", wanted.limit.as_ref())
            .query("provider", wanted.provider.as_ref())
            .query("workspace_id", wanted.workspace_id.as_ref())
            .send(&self.0)
            .await
    }

    /// All credentials, page after page.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// use futures_util::TryStreamExt as _;
    ///
    /// let all: Vec<_> = client.byok().list_all(Default::default()).try_collect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn list_all(
        &self,
        wanted: ListByokKeys,
    ) -> impl Stream<Item = Result<ByokKey, Error>> + Send + use<> {
        let byok = self.clone();
        page::all(
            wanted.offset.unwrap_or(0),
            |key: &ByokKey| key.id.clone(),
            move |offset| {
                let (byok, wanted) = (byok.clone(), wanted.clone().offset(offset));
                async move { byok.list(&wanted).await }
            },
        )
    }

    /// Makes a credential. It is not sent again after a lost answer.
    ///
    /// # Errors
    ///
    /// 400 where a field is not what it may be: the message names it.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client) -> Result<(), tollgate::Error> {
    /// let made = client.byok().create(&tollgate::CreateByokKey::new("openai", "sk-…")).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn create(&self, credential: &CreateByokKey) -> Result<ByokKey, Error> {
        let call = Call::post(["byok"]).json(credential)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// The credential of that id.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
    /// let credential = client.byok().get(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn get(&self, id: &str) -> Result<ByokKey, Error> {
        Call::get(["byok", id]).send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Changes a credential, and gives it as it is then.
    ///
    /// # Errors
    ///
    /// 404 where there is none; 400 where nothing is set, or a field is not what it may be.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
    /// client.byok().update(id, &tollgate::UpdateByokKey::new().disabled(true)).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn update(&self, id: &str, changes: &UpdateByokKey) -> Result<ByokKey, Error> {
        let call = Call::patch(["byok", id]).json(changes)?;
        call.send::<Data<_>>(&self.0).await.map(|answer| answer.data)
    }

    /// Deletes a credential for good.
    ///
    /// # Errors
    ///
    /// 404 where there is none.
    ///
    /// ```no_run
    /// # async fn example(client: tollgate::Client, id: &str) -> Result<(), tollgate::Error> {
    /// client.byok().delete(id).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn delete(&self, id: &str) -> Result<(), Error> {
        Call::delete(["byok", id]).send::<Deleted>(&self.0).await.map(|_| ())
    }
}
