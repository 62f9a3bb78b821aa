//! What can be written: settlements, and edits by people, each edit with its audit row.
//! Every change says in its outcome what became of it.

use jiff::Timestamp;
use ledger::Amounts;
use uuid::Uuid;

use crate::{
    BudgetRecord, CredentialRecord, Entry, KeyHash, KeyRecord, ManagementKey, MemberRecord,
    Reencrypted, Reset, Seal, Sealing, UserRecord, WorkspaceRecord,
};

/// One change of a batch.
#[derive(Clone, Debug)]
pub enum Change {
    /// Books a row. Inserted if no row with its generation, attempt and kind is there or was sealed
    /// ([`Outcome::Settled`] says which): a repeat changes nothing, and the first one wins. A repeat
    /// has the admission of the first, as an attempt has but one.
    Settle(Box<Entry>),
    /// An edit by a person or by the gateway itself, with the row that records it.
    Edit(Box<Edit>, AuditRow),
    /// What the gateway has learned about an endpoint, added to what was known: whichever of two
    /// comes first, nothing is forgotten but by [`Edit::ClearMark`].
    Mark(EndpointMark),
    /// Puts sealed rows in the place of old ones; no figure changes. [`Outcome::Sealed`] says how
    /// far it came.
    Seal(Box<Seal>),
}

/// A change of settings.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Adds a key. [`Outcome::Replayed`] if the idempotency key has an answer that has not expired
    /// at the audit row's time; [`Outcome::Conflict`] if the hash or second hash is known: whatever
    /// authenticated one key, a deleted or a management key included, never authenticates another.
    /// Refused with [`Refused::NoWorkspace`] where its workspace was deleted.
    CreateKey {
        /// The key.
        key: KeyRecord,
        /// The answer to keep for a repeat.
        idempotent: Option<Idempotent>,
        /// The rows of what it had spent elsewhere, booked with it, each on its own day:
        /// [`Kind::Opening`](crate::Kind::Opening), of this key.
        openings: Vec<Entry>,
    },
    /// Replaces a live key's settings. `key.version` is the version it was made from: the store
    /// keeps it one higher. [`Outcome::Missing`] where there is none, [`Outcome::Conflict`] where
    /// it has another version or the second hash is another key's. Refused with
    /// [`Refused::NoWorkspace`] where it moves to a workspace that was deleted.
    UpdateKey(KeyRecord),
    /// Removes a key from use for ever; its rows stay.
    DeleteKey {
        /// Which.
        hash: KeyHash,
        /// When.
        at: Timestamp,
    },
    /// Adds a workspace. [`Outcome::Conflict`] if its id is known, of a deleted one too; refused with
    /// [`Refused::SlugTaken`] where another live one has the slug.
    CreateWorkspace(WorkspaceRecord),
    /// Replaces a live workspace's settings. `version` is the version it was made from: the store
    /// keeps it one higher. [`Outcome::Missing`] where there is none, [`Outcome::Conflict`] where it
    /// has another version; refused with [`Refused::SlugTaken`] as above.
    UpdateWorkspace(WorkspaceRecord),
    /// Takes a workspace out of use for ever, and its budgets and members; its rows stay. [`Outcome::Missing`]
    /// where there is none; refused with [`Refused::HasKeys`] while live keys are in it, and with
    /// [`Refused::IsDefault`] if it is [`DEFAULT_WORKSPACE`](crate::DEFAULT_WORKSPACE).
    DeleteWorkspace {
        /// Which.
        id: Uuid,
        /// When.
        at: Timestamp,
    },
    /// Puts a budget in the place of the workspace's budget of the same reset, or adds it. The
    /// workspace's version goes up by one, for what a budget may be depends on the others:
    /// [`Outcome::Conflict`] where it is not `version`, [`Outcome::Missing`] where there is no such
    /// live workspace.
    PutBudget {
        /// The budget.
        budget: BudgetRecord,
        /// Whether BYOK use counts towards the workspace's budgets from then on.
        include_byok: bool,
        /// The version of the workspace that it was made from.
        version: u64,
    },
    /// Takes a budget away, and raises the workspace's version. [`Outcome::Missing`] where there is
    /// none, [`Outcome::Conflict`] where the workspace's version is not `version`.
    DeleteBudget {
        /// Whose.
        workspace: Uuid,
        /// Which.
        reset: Option<Reset>,
        /// The version of the workspace.
        version: u64,
    },
    /// Adds a user; [`Outcome::Conflict`] if one has the id.
    CreateUser(UserRecord),
    /// Removes a user, from every workspace too. [`Outcome::Missing`] where there is none; refused
    /// with [`Refused::OwnsKeys`] while there are live keys that were made for them.
    DeleteUser {
        /// Who.
        id: String,
    },
    /// Adds members to a workspace, but for those that are there, and raises its version.
    /// [`Outcome::Missing`] where there is no such live workspace, [`Outcome::Conflict`] where its
    /// version is not `version`.
    AddMembers {
        /// The workspace.
        workspace: Uuid,
        /// Whom.
        members: Vec<MemberRecord>,
        /// The version of the workspace that it was made from.
        version: u64,
    },
    /// Removes members from a workspace, and raises its version. Refused with
    /// [`Refused::OwnsKeys`] while one of them has live keys there; else as above.
    RemoveMembers {
        /// The workspace.
        workspace: Uuid,
        /// Whom.
        users: Vec<String>,
        /// The version of the workspace that it was made from.
        version: u64,
    },
    /// Adds a management key; [`Outcome::Conflict`] if its hash is known, as for a key.
    CreateManagementKey(ManagementKey),
    /// Revokes a management key; [`Outcome::Missing`] where there is none or it is revoked already.
    RevokeManagementKey {
        /// Which.
        hash: KeyHash,
        /// When.
        at: Timestamp,
    },
    /// Books the difference between `cost` and what the attempt stands at, dated as the original
    /// (see [`correction`](crate::correction)). The outcome is [`Outcome::Corrected`],
    /// [`Outcome::Missing`], or [`Outcome::Conflict`] where the difference is past the largest
    /// amount.
    Correct {
        /// The generation.
        generation: String,
        /// Its attempt.
        attempt: u32,
        /// What it really cost.
        cost: Amounts,
    },
    /// Forgets what was learned about an endpoint; [`Outcome::Missing`] where nothing was.
    ClearMark {
        /// The gateway's model id.
        model: String,
        /// The provider's slug.
        provider: String,
        /// The provider's name for the model.
        upstream_model: String,
    },
    /// Adds a credential; [`Outcome::Conflict`] if its id is known, [`Refused::NoWorkspace`] if its
    /// workspace was deleted.
    CreateCredential(Box<CredentialRecord>),
    /// Replaces a live credential. `version` is the version it was made from: the store keeps it
    /// one higher. [`Outcome::Missing`] where there is none, [`Outcome::Conflict`] where it has
    /// another version. A secret that it had before and has no more is overwritten.
    UpdateCredential(Box<CredentialRecord>),
    /// Takes a credential out of use for ever and overwrites its secret; all else of it stays.
    DeleteCredential {
        /// Which.
        id: Uuid,
        /// When.
        at: Timestamp,
    },
    /// Puts secrets that were encrypted anew in the place of those of all live credentials, each of
    /// which gets a version one higher. [`Outcome::Conflict`], and nothing is changed, unless they
    /// are exactly the live ones, each with its version.
    ReencryptCredentials(Vec<Reencrypted>),
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The row stands in the book, at this cost: the given one, or the first one's on a repeat.
    Settled {
        /// The cost in the book; where a repeat's row was sealed and nobody knows it any more, the
        /// repeat's own.
        cost: Amounts,
        /// Whether this change put it there.
        is_new: bool,
    },
    /// The edit was made.
    Done,
    /// The correction was booked.
    Corrected {
        /// The correction's own row; its cost is the difference.
        entry: Box<Entry>,
    },
    /// The batch was looked at, and sealed where it may be.
    Sealed(Sealing),
    /// There is no such thing.
    Missing,
    /// Something else has changed it, or its name is taken.
    Conflict,
    /// The same request was answered before, with this.
    Replayed(Idempotent),
    /// It may not be as things stand.
    Refused(Refused),
}

/// Why an edit may not be as things stand, however often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Another live workspace has the slug.
    SlugTaken,
    /// There are live keys in the workspace.
    HasKeys,
    /// The default workspace is always there.
    IsDefault,
    /// There are live keys of the user.
    OwnsKeys,
    /// The key's or the credential's workspace was deleted.
    NoWorkspace,
}

/// An answer kept for a request that may come twice, readable only with its idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotent {
    /// SHA-256 over the management key's hash and the idempotency key.
    pub id: [u8; 32],
    /// SHA-256 of the request's body.
    pub body: [u8; 32],
    /// The answer, encrypted under a key derived from the idempotency key.
    pub answer: Vec<u8>,
    /// From this moment on it is forgotten.
    pub expires_at: Timestamp,
}

/// Who changed what, from what to what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: Timestamp,
    /// Who: a management key's name, or `system`.
    pub actor: String,
    /// What was done, as `noun.verb`: `key.create`.
    pub action: String,
    /// To what: a key's hash, a generation's id.
    pub subject: String,
    /// The settings before, as JSON.
    pub before: Option<String>,
    /// The settings after, as JSON.
    pub after: Option<String>,
}

/// What was learned about one endpoint of a model, kept across restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointMark {
    /// The gateway's model id.
    pub model: String,
    /// The provider's slug.
    pub provider: String,
    /// The provider's name for the model.
    pub upstream_model: String,
    /// Tokens the provider was seen to add to a prompt, unseen by the gateway.
    pub prompt_overhead_tokens: u64,
    /// It charged above a hold: it is held at its own maximum from then on.
    pub held_at_maximum: bool,
    /// It charged above its own maximum: it serves no limited key.
    pub barred: bool,
}
