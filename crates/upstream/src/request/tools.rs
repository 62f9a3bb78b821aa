//! What a request offers the model to call, and the plugins it asks for.
//! Tools that the provider runs itself are billed by the piece, so they must be told apart.

use super::fields::fold;
use super::refusal::BadRequest;
use crate::json::{self, Member, each_element, is_null, members};

/// What a list of tools has in it.
#[derive(Default)]
pub(super) struct Offered {
    pub(super) any: bool,
    /// At least one is run by the provider: its type is neither `function` nor `custom`.
    pub(super) any_run_by_provider: bool,
}

/// Reads `tools`, or a list like it.
pub(super) fn tools(name: &str, value: &str) -> Result<Offered, BadRequest> {
    let mut offered = Offered::default();
    each_object(name, value, |at, tool| {
        let mut kind = None;
        for Member { name: member, value, .. } in members(tool)? {
            if fold(member) == "type" {
                if kind.is_some() {
                    return Err(BadRequest::twice(format!("{name}[{at}].type")));
                }
                kind = Some(value);
            }
        }
        let kind = kind.and_then(json::string).unwrap_or_default();
        offered.any = true;
        offered.any_run_by_provider |= !matches!(&*kind, "function" | "custom");
        Ok(())
    })?;
    Ok(offered)
}

/// Reads the older `functions`: whether there are any.
pub(super) fn functions(value: &str) -> Result<bool, BadRequest> {
    let mut any = false;
    each_object("functions", value, |_, _| {
        any = true;
        Ok(())
    })?;
    Ok(any)
}

/// Refuses the plugins without which the answer would be silently wrong (SEMANTICS 12.11).
pub(super) fn plugins(value: &str) -> Result<(), BadRequest> {
    each_object("plugins", value, |at, plugin| {
        let (mut id, mut is_enabled) = (None, true);
        for Member { name, value, .. } in members(plugin)? {
            match &*name {
                "id" => id = json::string(value),
                "enabled" => is_enabled = value != "false",
                _ => {}
            }
        }
        match id.as_deref() {
            Some(id @ ("web" | "file-parser")) if is_enabled => {
                let fault =
                    format!("asks for \"{id}\" (plugins[{at}]), which is not available here");
                Err(BadRequest::new("plugins", &fault))
            }
            _ => Ok(()),
        }
    })
}

fn each_object(
    name: &str,
    value: &str,
    mut each: impl FnMut(usize, &str) -> Result<(), BadRequest>,
) -> Result<(), BadRequest> {
    let allowed = "an array of objects or null";
    if is_null(value) {
        return Ok(());
    }
    if !value.starts_with('[') {
        return Err(BadRequest::kind(name, value, allowed));
    }
    each_element(value, |at, element| {
        if element.starts_with('{') {
            each(at, element)
        } else {
            Err(BadRequest::kind(format!("{name}[{at}]"), element, "an object"))
        }
    })
}
