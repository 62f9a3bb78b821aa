//! Which key is meant: a hash, the beginning of one, or a name that one key alone has.

use anyhow::{Result, anyhow, bail};
use client::GetKeyData;

use crate::connection::Connection;
use crate::failure::Subject;
use crate::output::{plain, short};
use crate::workspaces;

/// Hex digits of a whole hash.
const HASH_DIGITS: usize = 64;
/// Digits of its beginning that are enough to be taken for one.
const PREFIX_DIGITS_MIN: usize = 8;
/// Candidates that an ambiguous name shows at most.
const CANDIDATES_MAX: usize = 10;

/// What a refusal calls it.
pub(crate) fn subject(key: &str) -> Subject<'_> {
    Subject {
        noun: "key",
        name: key,
        next: "`tollgate keys list --all --workspace all` lists what there is",
    }
}

/// The hash of the key that is meant. A whole hash is taken as it is; for all else the keys of every
/// workspace are looked through.
pub(crate) async fn hash(to: &Connection, key: &str) -> Result<String> {
    if key.len() == HASH_DIGITS && is_hex(key) {
        return Ok(key.to_owned());
    }
    if key.starts_with("sk-") {
        bail!("a key is named by its hash or its name here, never by its text");
    }
    let mut keys = Vec::new();
    for workspace in workspaces::every(to).await? {
        keys.extend(super::all(to, workspace, true).await?);
    }
    let name = format!("there is no key {key:?} at {}", to.server.url);
    let found = choose(&keys, key)?;
    found.ok_or_else(|| anyhow!("{name}\n  {}", subject(key).next))
}

/// The one key of `keys` that is meant, if any.
fn choose(keys: &[GetKeyData], wanted: &str) -> Result<Option<String>> {
    let is_prefix = wanted.len() >= PREFIX_DIGITS_MIN && is_hex(wanted);
    let is_meant =
        |key: &&GetKeyData| key.name == wanted || (is_prefix && key.hash.starts_with(wanted));
    let meant: Vec<&GetKeyData> = keys.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.hash.clone())),
        several => {
            let mut told =
                format!("{wanted:?} may be any of {} keys; give more of the hash:", several.len());
            for key in several.iter().take(CANDIDATES_MAX) {
                let state = if key.disabled { " (disabled)" } else { "" };
                told.push_str(&format!(
                    "\n  {}  {}{state}",
                    digits(several, key),
                    plain(&key.name)
                ));
            }
            if several.len() > CANDIDATES_MAX {
                told.push_str("\n  …");
            }
            Err(anyhow!(told))
        }
    }
}

/// As many digits as tell it from the others.
fn digits(keys: &[&GetKeyData], key: &GetKeyData) -> String {
    let is_alone = |length: usize| {
        let start = key.hash.get(..length).unwrap_or(&key.hash);
        keys.iter().filter(|other| other.hash.starts_with(start)).count() == 1
    };
    let start = short(&key.hash);
    if is_alone(start.len()) { start } else { key.hash.clone() }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(start: &str, name: &str) -> GetKeyData {
        let hash = format!("{start:0<64}");
        let text = format!(
            r#"{{"hash":"{hash}","name":"{name}","label":"l","disabled":false,"limit":null,
            "limit_remaining":null,"limit_reset":null,"include_byok_in_limit":false,"usage":0,
            "usage_daily":0,"usage_weekly":0,"usage_monthly":0,"byok_usage":0,"byok_usage_daily":0,
            "byok_usage_weekly":0,"byok_usage_monthly":0,"created_at":"2026-11-21T22:50:00Z",
            "updated_at":null,"expires_at":null,"creator_user_id":null,"workspace_id":null,
            "external_user":null,"last_used_at":null}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_key_is_named_by_eight_digits_or_its_whole_name_where_one_alone_has_it() {
        let keys = [key("aaaaaaaab1", "ci"), key("aaaaaaaac2", "ci"), key("bbbbbbbb", "web")];
        let hash = |wanted| choose(&keys, wanted).unwrap().map(|hash| hash[..10].to_owned());
        assert_eq!(hash("aaaaaaaab"), Some("aaaaaaaab1".to_owned()));
        assert_eq!(hash("web"), Some("bbbbbbbb00".to_owned()));
        assert_eq!(hash("bbbbbbbb"), Some("bbbbbbbb00".to_owned()));
        // Seven digits are no beginning, a part of a name is no name.
        assert_eq!(hash("bbbbbbb"), None);
        assert_eq!(hash("we"), None);
        for ambiguous in ["ci", "aaaaaaaa"] {
            let told = choose(&keys, ambiguous).unwrap_err().to_string();
            assert!(told.contains("any of 2 keys"), "{told}");
            assert!(told.contains("aaaaaaaab100  ci\n  aaaaaaaac200  ci"), "{told}");
        }
    }

    #[test]
    fn a_name_that_is_the_beginning_of_anothers_hash_is_ambiguous() {
        let keys = [key("aaaaaaaab1", "web"), key("cccccccc", "aaaaaaaa")];
        assert!(choose(&keys, "aaaaaaaa").unwrap_err().to_string().contains("any of 2 keys"));
    }
}
