//! A user of the installation, as they are shown and as they are added.

use serde::{Deserialize, Serialize};

use super::user_id;
use crate::{Field, Invalid, Object, Open};

/// An address or a name has at most this many characters.
const TEXT_CHARS_MAX: usize = 255;

/// A member of the installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationMember {
    /// Their identity: what a key's `creator_user_id` says.
    pub id: String,
    /// Where they are written to.
    pub email: String,
    /// Their first name.
    pub first_name: Option<String>,
    /// Their last name.
    pub last_name: Option<String>,
    /// What they are.
    pub role: Open<OrgRole>,
}

/// What a user is in the installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OrgRole {
    /// They administer it.
    #[serde(rename = "org:admin")]
    Admin,
    /// They use it.
    #[default]
    #[serde(rename = "org:member")]
    Member,
}

/// A user to be added, an extension.
///
/// ```
/// # use api::members::{CreateUser, OrgRole};
/// let user = CreateUser::parse(br#"{"id": "ada", "email": "ada@example.com"}"#)?;
/// assert_eq!((user.id.as_str(), user.role), ("ada", OrgRole::Member));
/// assert_eq!(
///     CreateUser::parse(br#"{"id": "ada", "email": "ada"}"#).unwrap_err().to_string(),
///     "`email` is no address; allowed: an address of at most 255 characters, such as \
///      `ada@example.com`",
/// );
/// # Ok::<(), api::Invalid>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateUser {
    /// Their identity, which no other user has.
    pub id: String,
    /// Where they are written to, which no other user has, however it is written.
    pub email: String,
    /// Their first name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    /// Their last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    /// What they are.
    #[serde(default)]
    pub role: OrgRole,
}

impl CreateUser {
    /// Reads the body; [`Invalid`] names the first field that is not what it may be.
    pub fn parse(body: &[u8]) -> Result<CreateUser, Invalid> {
        let object = Object::parse(body)?;
        let name = |name| {
            let given = object.field(name).given().and_then(Field::or_null);
            given.map(|field| field.line(TEXT_CHARS_MAX)).transpose()
        };
        Ok(CreateUser {
            id: user_id(&object.field("id"))?,
            email: email(&object.field("email"))?,
            first_name: name("first_name")?,
            last_name: name("last_name")?,
            role: object
                .field("role")
                .given()
                .map(|field| role(&field))
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// Something, `@`, something, and no blanks: what more an address is, its host knows.
fn email(field: &Field<'_>) -> Result<String, Invalid> {
    let allowed =
        format!("an address of at most {TEXT_CHARS_MAX} characters, such as `ada@example.com`");
    let text = field.text(&allowed)?;
    let parts = text.split_once('@');
    let is_address = parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if text.chars().nth(TEXT_CHARS_MAX).is_some() {
        return Err(field.invalid("is too long", &allowed));
    }
    if is_address { Ok(text) } else { Err(field.invalid("is no address", &allowed)) }
}

fn role(field: &Field<'_>) -> Result<OrgRole, Invalid> {
    const ALLOWED: &str = "`org:admin` or `org:member`";
    match field.text(ALLOWED)?.as_str() {
        "org:admin" => Ok(OrgRole::Admin),
        "org:member" => Ok(OrgRole::Member),
        _ => Err(field.invalid("is none of the roles there are", ALLOWED)),
    }
}
