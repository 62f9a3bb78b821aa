//! `[[users]]`: members of the installation who are there for as long as they are configured.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{ConfigError, Problems};

/// Characters that the id or a name of a user may have.
const CHARS_MAX: usize = 255;

/// `[[users]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// What `creator_user_id` of a key says.
    pub id: String,
    /// Where they are written to.
    pub email: String,
    /// Their first name.
    #[serde(default)]
    pub first_name: Option<String>,
    /// Their last name.
    #[serde(default)]
    pub last_name: Option<String>,
    /// What they are.
    #[serde(default)]
    pub role: UserRole,
}

/// What a user is in the installation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum UserRole {
    /// They administer it.
    #[serde(rename = "org:admin")]
    Admin,
    /// They use it.
    #[default]
    #[serde(rename = "org:member")]
    Member,
}

/// Refuses users who can't be told apart or addressed.
pub(super) fn sensible(users: &[UserConfig], problems: &mut Problems) {
    let (mut ids, mut emails) = (BTreeSet::new(), BTreeSet::new());
    for (place, user) in users.iter().enumerate() {
        let mut wrong = |field: &str, problem: String| {
            problems.add(ConfigError::invalid(&format!("users[{place}].{field}"), problem));
        };
        let named = [("first_name", &user.first_name), ("last_name", &user.last_name)];
        let names = named.iter().filter_map(|(field, name)| Some((*field, name.as_ref()?)));
        for (field, text) in [("id", &user.id), ("email", &user.email)].into_iter().chain(names) {
            if !is_line(text) {
                let problem = format!(
                    "must be 1 to {CHARS_MAX} characters, not blank, no control characters"
                );
                wrong(field, problem);
            }
        }
        if !is_email(&user.email) {
            wrong("email", "must be an address, such as `ada@example.com`".to_owned());
        }
        if !ids.insert(&user.id) {
            wrong("id", format!("is that of another user: {}", user.id));
        }
        if !emails.insert(user.email.to_lowercase()) {
            wrong("email", format!("is that of another user: {}", user.email));
        }
    }
}

fn is_line(text: &str) -> bool {
    !text.trim().is_empty()
        && text.chars().count() <= CHARS_MAX
        && !text.chars().any(char::is_control)
}

/// Whether it can be an address: something, `@`, something, and no blanks.
fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    parts.is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct File {
            users: Vec<UserConfig>,
        }
        let mut problems = Problems::default();
        sensible(&toml::from_str::<File>(text).unwrap().users, &mut problems);
        let problems = problems.end().err();
        problems.iter().flat_map(ConfigError::problems).map(str::to_owned).collect()
    }

    #[test]
    fn users_are_told_apart_and_can_be_addressed() {
        let right = r#"
            [[users]]
            id = "ada"
            email = "ada@example.com"
            first_name = "Ada"
            role = "org:admin"
            [[users]]
            id = "bob"
            email = "bob@example.com"
        "#;
        assert_eq!(problems(right), [""; 0]);
        let wrong = r#"
            [[users]]
            id = "ada"
            email = "ada@example.com"
            last_name = " "
            [[users]]
            id = "ada"
            email = "Ada@Example.com"
            [[users]]
            id = "a\nb"
            email = "no address"
        "#;
        assert_eq!(
            problems(wrong),
            [
                "setting `users[0].last_name` must be 1 to 255 characters, not blank, no control characters",
                "setting `users[1].id` is that of another user: ada",
                "setting `users[1].email` is that of another user: Ada@Example.com",
                "setting `users[2].id` must be 1 to 255 characters, not blank, no control characters",
                "setting `users[2].email` must be an address, such as `ada@example.com`",
            ]
        );
    }
}
