//! `tollgate profile check`: whether a server takes the key of its profile.

use anyhow::Result;
use serde::Serialize;

use crate::connection::{Need, Remote};
use crate::failure::Explained as _;
use crate::table::{Facts, Tone};
use crate::{output, runtime};

/// What was found.
#[derive(Serialize)]
struct Checked<'a> {
    url: &'a str,
    named_by: String,
    key_from: String,
    key_label: &'a str,
    is_management_key: bool,
}

/// Asks the server of that profile, or of the current one, about the key.
pub(super) fn check(name: Option<String>, json: bool) -> Result<()> {
    let to = Remote::of_profile(name).open(Need::Any)?;
    let key = runtime::block_on(async { to.client.key().current().await.explained(&to) })?;
    let checked = Checked {
        url: &to.server.url,
        named_by: to.server.named.to_string(),
        key_from: to.server.key_origin(),
        key_label: &key.label,
        is_management_key: key.is_management_key,
    };
    if json {
        return output::json(&checked);
    }
    let mut facts = Facts::new();
    facts.add("server", format!("{} ({})", checked.url, checked.named_by));
    facts.add("key from", checked.key_from);
    let kind = if checked.is_management_key { "management" } else { "inference" };
    facts.toned("it is good", format!("{kind} key {}", checked.key_label), Tone::Good);
    facts.print();
    Ok(())
}
