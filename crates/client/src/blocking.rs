//! The same calls for programs without `async`: each waits until it is answered.
//!
//! Names and types are those of the rest of the crate; what is a `Stream` there is an `Iterator`
//! here. Not to be used within an async runtime, where waiting would stop everything else: the
//! calls panic there.
//!
//! ```no_run
//! use tollgate::{CreateKey, Usd, blocking::Client};
//!
//! let client = Client::new("sk-or-v1-…")?;
//! let made = client.keys().create(&CreateKey::new("ci").limit(Usd::from(25)))?;
//! for key in client.keys().list_all(Default::default()) {
//!     println!("{}", key?.name);
//! }
//! # Ok::<(), tollgate::Error>(())
//! ```

use std::pin::Pin;
use std::sync::Arc;

use futures_core::Stream;
use tokio::runtime::{Builder, Runtime};

use crate::workspaces::Slice;
use crate::{
    ActivityItem, AuditEvent, ByokKey, ChatChunk, ChatCompletion, ChatRequest, CreateByokKey,
    CreateKey, CreateMember, CreateWorkspace, CreatedKey, Credits, CurrentKey, Embeddings,
    EmbeddingsRequest, Endpoint, Error, Generation, GetActivity, GetKeyData, Interval,
    ListAuditLog, ListByokKeys, ListKeys, ListModels, MembersAdded, Model, ModelEndpoints,
    OrganizationMember, Page, Provider, PutBudget, Secret, UpdateByokKey, UpdateKey,
    UpdateWorkspace, Workspace, WorkspaceBudget, WorkspaceBudgets, WorkspaceMember,
};

/// A client of one server with one key whose calls wait for their answers; cheap to clone, and to
/// be shared by all threads.
///
/// ```no_run
/// let client = tollgate::blocking::Client::new("sk-or-v1-…")?;
/// println!("{}", client.key().current()?.usage_daily);
/// # Ok::<(), tollgate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// A client of OpenRouter with that key.
    ///
    /// # Errors
    ///
    /// Where the key can't stand in a header, or the system gives no thread of its own to wait in.
    ///
    /// ```no_run
    /// let client = tollgate::blocking::Client::new("sk-or-v1-…")?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn new(api_key: impl Into<Secret>) -> Result<Client, Error> {
        Client::from_async(crate::Client::new(api_key)?)
    }

    /// The blocking form of a client that [`ClientBuilder`](crate::ClientBuilder) made.
    ///
    /// # Errors
    ///
    /// Where the system gives it nothing to wait with.
    ///
    /// ```no_run
    /// use tollgate::blocking::Client;
    ///
    /// let client = Client::from_async(tollgate::Client::builder().api_key("sk-or-v1-…").build()?)?;
    /// # Ok::<(), tollgate::Error>(())
    /// ```
    pub fn from_async(client: crate::Client) -> Result<Client, Error> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime
            .map_err(|error| Error::misuse("there is nothing to wait with").because(error))?;
        Ok(Client { client, runtime: Arc::new(runtime) })
    }
}

/// The rest of a list, or of an answer, one item after the other.
///
/// ```no_run
/// # let client = tollgate::blocking::Client::new("sk-or-v1-…")?;
/// let names: Result<Vec<String>, tollgate::Error> =
///     client.keys().list_all(Default::default()).map(|key| Ok(key?.name)).collect();
/// # Ok::<(), tollgate::Error>(())
/// ```
pub struct Items<T> {
    stream: Pin<Box<dyn Stream<Item = Result<T, Error>> + Send>>,
    runtime: Arc<Runtime>,
}

impl<T> Iterator for Items<T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Result<T, Error>> {
        self.runtime
            .block_on(std::future::poll_fn(|context| self.stream.as_mut().poll_next(context)))
    }
}

impl<T> std::fmt::Debug for Items<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").finish_non_exhaustive()
    }
}

/// The lines of an example, with a `client` there to ask. They begin with a space, as the lines of
/// comments do, and so must all that stands beside them.
macro_rules! shown {
    ($($line:literal)+) => {
        concat!(
            " ```no_run\n # use tollgate::*;\n # let client = blocking::Client::new(\"\")?;\n",
            $($line, "\n",)+
            " # Ok::<(), Error>(())\n ```",
        )
    };
}

/// Calls about one kind of thing, each as its async form and then a wait. What stands above each is
/// its example.
macro_rules! waits {
    ($(
        $(#[doc = $whole:literal])+
        $kind:ident by $accessor:ident {
            $($calls:tt)+
        }
    )+) => {
        impl Client {
            $(
                #[doc = concat!(" As [`Client::", stringify!($accessor), "`](crate::Client::", stringify!($accessor), ").")]
                #[doc = shown!($($whole)+)]
                pub fn $accessor(&self) -> $kind {
                    $kind { calls: self.client.$accessor(), runtime: Arc::clone(&self.runtime) }
                }
            )+
        }

        $(calls! { $(#[doc = $whole])+ $kind { $($calls)+ } })+
    };
}

/// The same for a part of one workspace.
macro_rules! waits_in_a_workspace {
    ($(
        $(#[doc = $whole:literal])+
        $kind:ident by $accessor:ident {
            $($calls:tt)+
        }
    )+) => {
        impl Workspaces {
            $(
                #[doc = concat!(" As [`", stringify!($accessor), "`](crate::Workspaces::", stringify!($accessor), ").")]
                #[doc = shown!($($whole)+)]
                pub fn $accessor(&self, id: impl Into<String>) -> $kind {
                    $kind { calls: self.calls.$accessor(id), runtime: Arc::clone(&self.runtime) }
                }
            )+
        }

        $(calls! { $(#[doc = $whole])+ $kind { $($calls)+ } })+
    };
}

macro_rules! calls {
    (
        $(#[doc = $whole:literal])+
        $kind:ident {
            $(
                $(#[doc = $example:literal])+
                $how:ident $call:ident($($name:ident: $type:ty),*) -> $answer:ty;
            )+
        }
    ) => {
        #[doc = concat!(" The calls of [`", stringify!($kind), "`](crate::", stringify!($kind), "), waited for.")]
        #[doc = shown!($($whole)+)]
        #[derive(Clone, Debug)]
        pub struct $kind {
            calls: crate::$kind,
            runtime: Arc<Runtime>,
        }

        impl $kind {
            $(call! { $kind $(#[doc = $example])+ $how $call($($name: $type),*) -> $answer })+
        }
    };
}

/// `fn` is a call with one answer, `all` one with as many as there are.
macro_rules! call {
    (
        $kind:ident $(#[doc = $example:literal])+
        fn $call:ident($($name:ident: $type:ty),*) -> $answer:ty
    ) => {
        #[doc = concat!(" As [`", stringify!($call), "`](crate::", stringify!($kind), "::", stringify!($call), ").")]
        #[doc = " # Errors\n\n As there."]
        #[doc = shown!($($example)+)]
        pub fn $call(&self, $($name: $type),*) -> Result<$answer, Error> {
            self.runtime.block_on(self.calls.$call($($name),*))
        }
    };
    (
        $kind:ident $(#[doc = $example:literal])+
        all $call:ident($name:ident: $type:ty) -> $item:ty
    ) => {
        #[doc = concat!(" As [`", stringify!($call), "`](crate::", stringify!($kind), "::", stringify!($call), ").")]
        #[doc = shown!($($example)+)]
        pub fn $call(&self, $name: $type) -> Items<$item> {
            let stream = Box::pin(self.calls.$call($name));
            Items { stream, runtime: Arc::clone(&self.runtime) }
        }
    };
}

waits! {
    /// let made = client.keys().create(&CreateKey::new("ci").limit(Usd::from(25)))?;
    /// println!("{} (shown once)", made.key.expose());
    Keys by keys {
        /// for key in client.keys().list(&ListKeys::new().include_disabled(true))? {
        ///     println!("{} spent ${}", key.name, key.usage);
        /// }
        fn list(wanted: &ListKeys) -> Vec<GetKeyData>;
        /// let made = client.keys().create(&CreateKey::new("ci").limit(Usd::from(25)))?;
        /// println!("{} (shown once)", made.key.expose());
        fn create(key: &CreateKey) -> CreatedKey;
        /// let key = client.keys().get("0e6fb9f2…")?;
        /// println!("{:?} of {:?} are left", key.limit_remaining, key.limit);
        fn get(hash: &str) -> GetKeyData;
        /// let unlimited = client.keys().update("0e6fb9f2…", &UpdateKey::new().limit(None))?;
        fn update(hash: &str, changes: &UpdateKey) -> GetKeyData;
        /// client.keys().delete("0e6fb9f2…")?;
        fn delete(hash: &str) -> ();
        /// for key in client.keys().list_all(ListKeys::new()) {
        ///     println!("{}", key?.name);
        /// }
        all list_all(wanted: ListKeys) -> GetKeyData;
    }
    /// println!("{:?} are left", client.key().current()?.limit_remaining);
    Key by key {
        /// let key = client.key().current()?;
        /// println!("{}: ${} today", key.label, key.usage_daily);
        fn current() -> CurrentKey;
    }
    /// println!("{}", client.credits().get()?.total_usage);
    CreditsApi by credits {
        /// let credits = client.credits().get()?;
        /// println!("${} of ${}", credits.total_usage, credits.total_credits);
        fn get() -> Credits;
    }
    /// let used = client.activity().get(&GetActivity::new())?;
    Activity by activity {
        /// for item in client.activity().get(&GetActivity::new().group_by_workspace(true))? {
        ///     println!("{} {:?} {}: ${}", item.date, item.workspace_id, item.model, item.usage);
        /// }
        fn get(wanted: &GetActivity) -> Vec<ActivityItem>;
    }
    /// println!("{}", client.generations().get("gen-…")?.total_cost);
    Generations by generations {
        /// let generation = client.generations().get("gen-…")?;
        /// println!("${} at {:?}", generation.total_cost, generation.provider_name);
        fn get(id: &str) -> Generation;
        /// let content = client.generations().content("gen-…")?;
        /// println!("{}", content["output"]);
        fn content(id: &str) -> serde_json::Value;
    }
    /// println!("{:?}", client.models().get("openai/gpt-4o-mini")?.context_length);
    Models by models {
        /// let page = client.models().list(&ListModels::new().q("mini"))?;
        /// println!("{} of {:?}", page.data.len(), page.total_count);
        fn list(wanted: &ListModels) -> Page<Model>;
        /// let mine = client.models().list_for_user(&ListModels::new().zdr(true))?;
        fn list_for_user(wanted: &ListModels) -> Page<Model>;
        /// println!("{} models", client.models().count()?);
        fn count() -> u64;
        /// println!("{:?}", client.models().get("openai/gpt-4o-mini")?.context_length);
        fn get(id: &str) -> Model;
        /// for endpoint in client.models().endpoints("openai/gpt-4o-mini")?.endpoints {
        ///     println!("{}: ${}", endpoint.provider_name, endpoint.pricing.completion);
        /// }
        fn endpoints(id: &str) -> ModelEndpoints;
        /// for model in client.models().list_all(ListModels::new()) {
        ///     println!("{}", model?.id);
        /// }
        all list_all(wanted: ListModels) -> Model;
    }
    /// println!("{} endpoints keep nothing", client.endpoints().zdr()?.len());
    Endpoints by endpoints {
        /// for endpoint in client.endpoints().zdr()? {
        ///     println!("{}", endpoint.name);
        /// }
        fn zdr() -> Vec<Endpoint>;
    }
    /// println!("{} providers", client.providers().list()?.len());
    Providers by providers {
        /// for provider in client.providers().list()? {
        ///     println!("{}: {:?}", provider.name, provider.status_page_url);
        /// }
        fn list() -> Vec<Provider>;
    }
    /// for model in client.embeddings().models()? {
    ///     println!("{}", model.id);
    /// }
    EmbeddingsApi by embeddings {
        /// let request = EmbeddingsRequest::new("openai/text-embedding-3-small", ["one", "two"]);
        /// for vector in client.embeddings().create(&request)?.data {
        ///     println!("{}: {:?}", vector.index, vector.embedding.numbers());
        /// }
        fn create(request: &EmbeddingsRequest) -> Embeddings;
        /// for model in client.embeddings().models()? {
        ///     println!("{}", model.id);
        /// }
        fn models() -> Vec<Model>;
    }
    /// let made = client.byok().create(&CreateByokKey::new("openai", "sk-proj-…"))?;
    Byok by byok {
        /// for credential in client.byok().list(&ListByokKeys::new().provider("openai"))?.data {
        ///     println!("{} {}", credential.id, credential.label);
        /// }
        fn list(wanted: &ListByokKeys) -> Page<ByokKey>;
        /// let wanted = CreateByokKey::new("openai", "sk-proj-…").is_fallback(true);
        /// println!("{}", client.byok().create(&wanted)?.id);
        fn create(credential: &CreateByokKey) -> ByokKey;
        /// println!("{}", client.byok().get("0df9e665-…")?.label);
        fn get(id: &str) -> ByokKey;
        /// client.byok().update("0df9e665-…", &UpdateByokKey::new().disabled(true))?;
        fn update(id: &str, changes: &UpdateByokKey) -> ByokKey;
        /// client.byok().delete("0df9e665-…")?;
        fn delete(id: &str) -> ();
        /// for credential in client.byok().list_all(ListByokKeys::new()) {
        ///     println!("{}", credential?.label);
        /// }
        all list_all(wanted: ListByokKeys) -> ByokKey;
    }
    /// let made = client.workspaces().create(&CreateWorkspace::new("Research", "research"))?;
    /// client.workspaces().budgets(made.id).put(Interval::Daily, &PutBudget::new(Usd::from(20)))?;
    Workspaces by workspaces {
        /// for workspace in client.workspaces().list(Slice::new())?.data {
        ///     println!("{} is {}", workspace.slug, workspace.name);
        /// }
        fn list(slice: Slice) -> Page<Workspace>;
        /// let made = client.workspaces().create(&CreateWorkspace::new("Research", "research"))?;
        /// println!("{}", made.id);
        fn create(workspace: &CreateWorkspace) -> Workspace;
        /// println!("{:?}", client.workspaces().get("default")?.default_text_model);
        fn get(id: &str) -> Workspace;
        /// let changes = UpdateWorkspace::new().name("Applied research");
        /// client.workspaces().update("research", &changes)?;
        fn update(id: &str, changes: &UpdateWorkspace) -> Workspace;
        /// client.workspaces().delete("research")?;
        fn delete(id: &str) -> ();
        /// for workspace in client.workspaces().list_all(Slice::new()) {
        ///     println!("{}", workspace?.slug);
        /// }
        all list_all(slice: Slice) -> Workspace;
    }
    /// client.organization().create_member(&CreateMember::new("ada", "ada@example.com"))?;
    Organization by organization {
        /// for member in client.organization().members(Slice::new())?.data {
        ///     println!("{} is {}", member.id, member.role);
        /// }
        fn members(slice: Slice) -> Page<OrganizationMember>;
        /// client.organization().create_member(&CreateMember::new("ada", "ada@example.com"))?;
        fn create_member(member: &CreateMember) -> OrganizationMember;
        /// client.organization().delete_member("ada")?;
        fn delete_member(id: &str) -> ();
        /// for member in client.organization().members_all(Slice::new()) {
        ///     println!("{}", member?.email);
        /// }
        all members_all(slice: Slice) -> OrganizationMember;
    }
    /// for event in client.audit_log().list(&ListAuditLog::new())?.data {
    ///     println!("{} {} {}", event.at, event.actor, event.action);
    /// }
    AuditLog by audit_log {
        /// for event in client.audit_log().list(&ListAuditLog::new().action("key.").limit(10))?.data {
        ///     println!("{} {} {}", event.at, event.action, event.subject);
        /// }
        fn list(wanted: &ListAuditLog) -> Page<AuditEvent>;
        /// for event in client.audit_log().list_all(ListAuditLog::new().actor("root")) {
        ///     println!("{}", event?.action);
        /// }
        all list_all(wanted: ListAuditLog) -> AuditEvent;
    }
}

waits_in_a_workspace! {
    /// let budgets = client.workspaces().budgets("research");
    /// budgets.put(Interval::Monthly, &PutBudget::new(Usd::from(500)))?;
    Budgets by budgets {
        /// for budget in client.workspaces().budgets("research").list()?.data {
        ///     println!("${} {:?}", budget.limit_usd, budget.reset_interval);
        /// }
        fn list() -> WorkspaceBudgets;
        /// let month = client.workspaces().budgets("research").get(Interval::Monthly)?;
        /// println!("${}", month.limit_usd);
        fn get(interval: Interval) -> WorkspaceBudget;
        /// let budgets = client.workspaces().budgets("research");
        /// budgets.put(Interval::Monthly, &PutBudget::new(Usd::from(500)))?;
        fn put(interval: Interval, budget: &PutBudget) -> WorkspaceBudget;
        /// client.workspaces().budgets("research").delete(Interval::Daily)?;
        fn delete(interval: Interval) -> ();
    }
    /// client.workspaces().members("research").add(&["ada", "bob"])?;
    WorkspaceMembers by members {
        /// for member in client.workspaces().members("research").list(Slice::new())?.data {
        ///     println!("{} is {}", member.user_id, member.role);
        /// }
        fn list(slice: Slice) -> Page<WorkspaceMember>;
        /// let added = client.workspaces().members("research").add(&["ada", "bob"])?;
        /// println!("{} are new", added.added_count);
        fn add(user_ids: &[&str]) -> MembersAdded;
        /// let count = client.workspaces().members("research").remove(&["bob"])?;
        /// println!("{count} left");
        fn remove(user_ids: &[&str]) -> u64;
        /// for member in client.workspaces().members("research").list_all(Slice::new()) {
        ///     println!("{}", member?.user_id);
        /// }
        all list_all(slice: Slice) -> WorkspaceMember;
    }
}

/// The calls of [`Chat`](crate::Chat), waited for.
///
/// ```no_run
/// use tollgate::{ChatRequest, Message};
///
/// # let client = tollgate::blocking::Client::new("sk-or-v1-…")?;
/// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
/// for part in client.chat().stream(&request)? {
///     print!("{}", part?.text());
/// }
/// # Ok::<(), tollgate::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chat {
    calls: crate::Chat,
    runtime: Arc<Runtime>,
}

impl Client {
    /// As [`Client::chat`](crate::Client::chat).
    ///
    /// ```no_run
    /// # use tollgate::*;
    /// # let client = blocking::Client::new("")?;
    /// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
    /// println!("{}", client.chat().send(&request)?.text());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn chat(&self) -> Chat {
        Chat { calls: self.client.chat(), runtime: Arc::clone(&self.runtime) }
    }
}

impl Chat {
    /// As [`send`](crate::Chat::send).
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```no_run
    /// # use tollgate::*;
    /// # let client = blocking::Client::new("")?;
    /// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
    /// let answer = client.chat().send(&request)?;
    /// println!("{} for {:?}", answer.text(), answer.cost());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn send(&self, request: &ChatRequest) -> Result<ChatCompletion, Error> {
        self.runtime.block_on(self.calls.send(request))
    }

    /// As [`stream`](crate::Chat::stream); dropping the iterator ends the request.
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// ```no_run
    /// # use tollgate::*;
    /// # let client = blocking::Client::new("")?;
    /// let request = ChatRequest::new("openai/gpt-4o-mini").message(Message::user("Hello"));
    /// for part in client.chat().stream(&request)? {
    ///     print!("{}", part?.text());
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn stream(&self, request: &ChatRequest) -> Result<Items<ChatChunk>, Error> {
        let stream = self.runtime.block_on(self.calls.stream(request))?;
        Ok(Items { stream: Box::pin(stream), runtime: Arc::clone(&self.runtime) })
    }
}
