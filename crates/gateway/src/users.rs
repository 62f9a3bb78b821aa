//! Who the members of the installation are: its operator, those in the configuration, and those who
//! were added. Keys are made for them; what they may do is not asked here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::RwLock;
use sha2::{Digest, Sha256};
use store::{DEFAULT_WORKSPACE, OrgRole, UserRecord};
use tokio::sync::{Mutex, MutexGuard};
use uuid::Uuid;

use crate::config::{UserConfig, UserRole};

/// The id of whoever runs the installation, who is always a member.
pub const OPERATOR: &str = "operator";

/// Where a user is from, which says who may remove them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Whoever runs the installation.
    Operator,
    /// The configuration.
    Configured,
    /// Added, by the command line or by the API.
    Added,
}

/// Every user. The configuration goes before whoever was added under the same id.
pub struct Users {
    /// Since when those are members whose record does not say.
    since: Timestamp,
    configured: RwLock<Vec<UserRecord>>,
    added: RwLock<BTreeMap<String, UserRecord>>,
    editing: Mutex<()>,
}

impl Users {
    /// Those of the configuration and those who were added, in an installation that began at `since`.
    pub fn new(configured: &[UserConfig], added: Vec<UserRecord>, since: Timestamp) -> Users {
        let added = added.into_iter().map(|user| (user.id.clone(), user)).collect();
        let users = Users {
            since,
            configured: RwLock::default(),
            added: RwLock::new(added),
            editing: Mutex::default(),
        };
        users.configure(configured);
        users
    }

    /// Puts other configured users in the place of those there were.
    pub fn configure(&self, configured: &[UserConfig]) {
        *self.configured.write() =
            configured.iter().map(|user| configured_user(user, self.since)).collect();
    }

    /// Every user, in an order that stays: the operator, the configured as they stand there, those
    /// who were added by when that was.
    pub fn all(&self) -> Vec<(UserRecord, Origin)> {
        let configured = self.configured.read().clone();
        let is_configured = |id: &str| configured.iter().any(|user| user.id == id);
        let operator = (!is_configured(OPERATOR)).then(|| (self.operator(), Origin::Operator));
        let mut added: Vec<UserRecord> =
            self.added.read().values().filter(|user| !is_configured(&user.id)).cloned().collect();
        added.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        let configured = configured.into_iter().map(|user| (user, Origin::Configured));
        let added = added.into_iter().map(|user| (user, Origin::Added));
        operator.into_iter().chain(configured).chain(added).collect()
    }

    /// The user of that id, and where they are from.
    pub fn of_id(&self, id: &str) -> Option<(UserRecord, Origin)> {
        if let Some(user) = self.configured.read().iter().find(|user| user.id == id) {
            return Some((user.clone(), Origin::Configured));
        }
        if id == OPERATOR {
            return Some((self.operator(), Origin::Operator));
        }
        self.added.read().get(id).map(|user| (user.clone(), Origin::Added))
    }

    /// Whether someone has that address, however it is written.
    pub fn has_email(&self, email: &str) -> bool {
        let email = email.to_lowercase();
        self.all().iter().any(|(user, _)| user.email.to_lowercase() == email)
    }

    /// Whoever holds this adds or removes users alone.
    pub async fn edit(&self) -> MutexGuard<'_, ()> {
        self.editing.lock().await
    }

    /// Adds a user.
    pub fn add(&self, user: UserRecord) {
        self.added.write().insert(user.id.clone(), user);
    }

    /// Forgets a user who was added.
    pub fn remove(&self, id: &str) {
        self.added.write().remove(id);
    }

    fn operator(&self) -> UserRecord {
        UserRecord {
            id: OPERATOR.to_owned(),
            email: "operator@localhost".to_owned(),
            first_name: None,
            last_name: None,
            role: OrgRole::Admin,
            created_at: self.since,
        }
    }
}

fn configured_user(user: &UserConfig, since: Timestamp) -> UserRecord {
    UserRecord {
        id: user.id.clone(),
        email: user.email.clone(),
        first_name: user.first_name.clone(),
        last_name: user.last_name.clone(),
        role: match user.role {
            UserRole::Admin => OrgRole::Admin,
            UserRole::Member => OrgRole::Member,
        },
        created_at: since,
    }
}

/// The id of a user's membership in the default workspace, which is no record: made from what it is,
/// so that it is the same whenever it is asked for.
pub fn implied_membership_id(user: &str) -> Uuid {
    let mut hash = Sha256::new();
    hash.update("membership of ");
    hash.update(DEFAULT_WORKSPACE.as_bytes());
    hash.update(user);
    let hash: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    id.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(id).into_uuid()
}

/// A user for the audit log.
pub fn to_json(user: &UserRecord) -> String {
    serde_json::json!({
        "email": user.email,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "role": user.role.as_str(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SINCE: Timestamp = Timestamp::constant(1_795_003_200, 0);

    fn configured(id: &str) -> UserConfig {
        UserConfig {
            id: id.to_owned(),
            email: format!("{id}@configured.example"),
            first_name: None,
            last_name: None,
            role: UserRole::Member,
        }
    }

    fn added(id: &str, second: i64) -> UserRecord {
        UserRecord {
            created_at: SINCE + jiff::SignedDuration::from_secs(second),
            email: format!("{id}@added.example"),
            ..configured_user(&configured(id), SINCE)
        }
    }

    fn shown(users: &Users) -> Vec<(String, Origin)> {
        users.all().into_iter().map(|(user, origin)| (user.email, origin)).collect()
    }

    fn told(email: &str, origin: Origin) -> (String, Origin) {
        (email.to_owned(), origin)
    }

    #[test]
    fn without_users_there_is_the_operator() {
        let users = Users::new(&[], vec![], SINCE);
        assert_eq!(shown(&users), [told("operator@localhost", Origin::Operator)]);
        assert_eq!(users.of_id(OPERATOR).unwrap().1, Origin::Operator);
        assert!(users.of_id("ada").is_none());
    }

    #[test]
    fn who_is_configured_goes_first_for_as_long_as_they_are() {
        let users = Users::new(
            &[configured("bob"), configured("ada")],
            vec![added("eve", 9), added("ada", 5), added("dan", 1)],
            SINCE,
        );
        assert_eq!(
            shown(&users),
            [
                told("operator@localhost", Origin::Operator),
                told("bob@configured.example", Origin::Configured),
                told("ada@configured.example", Origin::Configured),
                told("dan@added.example", Origin::Added),
                told("eve@added.example", Origin::Added),
            ]
        );
        assert!(users.has_email("DAN@added.example") && !users.has_email("ada@added.example"));
        users.configure(&[configured(OPERATOR)]);
        users.remove("dan");
        users.remove(OPERATOR);
        assert_eq!(
            shown(&users),
            [
                told("operator@configured.example", Origin::Configured),
                told("ada@added.example", Origin::Added),
                told("eve@added.example", Origin::Added),
            ]
        );
        assert_eq!(users.of_id(OPERATOR).unwrap().1, Origin::Configured);
    }
}
