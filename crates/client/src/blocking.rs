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

/// Calls about one kind of thing, each as its async form and then a wait.
macro_rules! waits {
    ($(
        $kind:ident by $accessor:ident {
            $(fn $call:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
            $(all $all:ident($($of:ident: $of_type:ty)?) -> $item:ty;)*
        }
    )+) => {
        impl Client {
            $(
                #[doc = concat!("As [`Client::", stringify!($accessor), "`](crate::Client::", stringify!($accessor), ").")]
                pub fn $accessor(&self) -> $kind {
                    $kind { calls: self.client.$accessor(), runtime: Arc::clone(&self.runtime) }
                }
            )+
        }

        $(
            #[doc = concat!("The calls of [`", stringify!($kind), "`](crate::", stringify!($kind), "), waited for.")]
            #[derive(Clone, Debug)]
            pub struct $kind {
                calls: crate::$kind,
                runtime: Arc<Runtime>,
            }

            impl $kind {
                $(
                    #[doc = concat!("As [`", stringify!($call), "`](crate::", stringify!($kind), "::", stringify!($call), ").")]
                    ///
                    /// # Errors
                    ///
                    /// As there.
                    pub fn $call(&self, $($name: $type),*) -> Result<$answer, Error> {
                        self.runtime.block_on(self.calls.$call($($name),*))
                    }
                )*
                $(
                    #[doc = concat!("As [`", stringify!($all), "`](crate::", stringify!($kind), "::", stringify!($all), ").")]
                    pub fn $all(&self, $($of: $of_type)?) -> Items<$item> {
                        let stream = Box::pin(self.calls.$all($($of)?));
                        Items { stream, runtime: Arc::clone(&self.runtime) }
                    }
                )*
            }
        )+
    };
}

waits! {
    Keys by keys {
        fn list(wanted: &ListKeys) -> Vec<GetKeyData>;
        fn create(key: &CreateKey) -> CreatedKey;
        fn get(hash: &str) -> GetKeyData;
        fn update(hash: &str, changes: &UpdateKey) -> GetKeyData;
        fn delete(hash: &str) -> ();
        all list_all(wanted: ListKeys) -> GetKeyData;
    }
    Key by key {
        fn current() -> CurrentKey;
    }
    CreditsApi by credits {
        fn get() -> Credits;
    }
    Activity by activity {
        fn get(wanted: &GetActivity) -> Vec<ActivityItem>;
    }
    Generations by generations {
        fn get(id: &str) -> Generation;
        fn content(id: &str) -> serde_json::Value;
    }
    Models by models {
        fn list(wanted: &ListModels) -> Page<Model>;
        fn list_for_user(wanted: &ListModels) -> Page<Model>;
        fn count() -> u64;
        fn get(id: &str) -> Model;
        fn endpoints(id: &str) -> ModelEndpoints;
        all list_all(wanted: ListModels) -> Model;
    }
    Endpoints by endpoints {
        fn zdr() -> Vec<Endpoint>;
    }
    Providers by providers {
        fn list() -> Vec<Provider>;
    }
    EmbeddingsApi by embeddings {
        fn create(request: &EmbeddingsRequest) -> Embeddings;
        fn models() -> Vec<Model>;
    }
    Byok by byok {
        fn list(wanted: &ListByokKeys) -> Page<ByokKey>;
        fn create(credential: &CreateByokKey) -> ByokKey;
        fn get(id: &str) -> ByokKey;
        fn update(id: &str, changes: &UpdateByokKey) -> ByokKey;
        fn delete(id: &str) -> ();
        all list_all(wanted: ListByokKeys) -> ByokKey;
    }
    Workspaces by workspaces {
        fn list(slice: Slice) -> Page<Workspace>;
        fn create(workspace: &CreateWorkspace) -> Workspace;
        fn get(id: &str) -> Workspace;
        fn update(id: &str, changes: &UpdateWorkspace) -> Workspace;
        fn delete(id: &str) -> ();
        all list_all(slice: Slice) -> Workspace;
    }
    Organization by organization {
        fn members(slice: Slice) -> Page<OrganizationMember>;
        fn create_member(member: &CreateMember) -> OrganizationMember;
        fn delete_member(id: &str) -> ();
        all members_all(slice: Slice) -> OrganizationMember;
    }
    AuditLog by audit_log {
        fn list(wanted: &ListAuditLog) -> Page<AuditEvent>;
        all list_all(wanted: ListAuditLog) -> AuditEvent;
    }
}

/// Calls about a part of one workspace.
macro_rules! waits_in_a_workspace {
    ($(
        $kind:ident by $accessor:ident {
            $(fn $call:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
            $(all $all:ident($of:ident: $of_type:ty) -> $item:ty;)*
        }
    )+) => {$(
        impl Workspaces {
            #[doc = concat!("As [`", stringify!($accessor), "`](crate::Workspaces::", stringify!($accessor), ").")]
            pub fn $accessor(&self, id: impl Into<String>) -> $kind {
                $kind { calls: self.calls.$accessor(id), runtime: Arc::clone(&self.runtime) }
            }
        }

        #[doc = concat!("The calls of [`", stringify!($kind), "`](crate::", stringify!($kind), "), waited for.")]
        #[derive(Clone, Debug)]
        pub struct $kind {
            calls: crate::$kind,
            runtime: Arc<Runtime>,
        }

        impl $kind {
            $(
                #[doc = concat!("As [`", stringify!($call), "`](crate::", stringify!($kind), "::", stringify!($call), ").")]
                ///
                /// # Errors
                ///
                /// As there.
                pub fn $call(&self, $($name: $type),*) -> Result<$answer, Error> {
                    self.runtime.block_on(self.calls.$call($($name),*))
                }
            )*
            $(
                #[doc = concat!("As [`", stringify!($all), "`](crate::", stringify!($kind), "::", stringify!($all), ").")]
                pub fn $all(&self, $of: $of_type) -> Items<$item> {
                    let stream = Box::pin(self.calls.$all($of));
                    Items { stream, runtime: Arc::clone(&self.runtime) }
                }
            )*
        }
    )+};
}

waits_in_a_workspace! {
    Budgets by budgets {
        fn list() -> WorkspaceBudgets;
        fn get(interval: Interval) -> WorkspaceBudget;
        fn put(interval: Interval, budget: &PutBudget) -> WorkspaceBudget;
        fn delete(interval: Interval) -> ();
    }
    WorkspaceMembers by members {
        fn list(slice: Slice) -> Page<WorkspaceMember>;
        fn add(user_ids: &[&str]) -> MembersAdded;
        fn remove(user_ids: &[&str]) -> u64;
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
    pub fn send(&self, request: &ChatRequest) -> Result<ChatCompletion, Error> {
        self.runtime.block_on(self.calls.send(request))
    }

    /// As [`stream`](crate::Chat::stream); dropping the iterator ends the request.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn stream(&self, request: &ChatRequest) -> Result<Items<ChatChunk>, Error> {
        let stream = self.runtime.block_on(self.calls.stream(request))?;
        Ok(Items { stream: Box::pin(stream), runtime: Arc::clone(&self.runtime) })
    }
}
