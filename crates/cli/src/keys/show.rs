//! A key for a person: one in full, several in a table.

use anyhow::Result;
use client::GetKeyData;
use jiff::Timestamp;

use crate::connection::Remote;
use crate::output::{self, NOTHING, dollars, dollars_or, minute, short};
use crate::table::{Facts, Table, Tone};
use crate::{print, real};

/// What a key may be used for now.
pub(crate) fn state(key: &GetKeyData, now: Timestamp) -> (&'static str, Tone) {
    let is_expired = key.expires_at.is_some_and(|moment| moment <= now);
    let is_spent = key.limit_remaining.is_some_and(|left| left.is_negative() || left.is_zero());
    match (key.disabled, is_expired, is_spent) {
        (true, _, _) => ("disabled", Tone::Faint),
        (_, true, _) => ("expired", Tone::Faint),
        (_, _, true) => ("spent", Tone::Bad),
        _ => ("active", Tone::Good),
    }
}

/// Keys, a line each.
pub(super) fn table(keys: &[GetKeyData], now: Timestamp) -> Table {
    let mut table =
        Table::new(&["NAME", "HASH", "STATE", ">LIMIT", "RESET", ">LEFT", ">SPENT", "LAST USED"]);
    for key in keys {
        let (state, tone) = state(key, now);
        let reset = key.limit_reset.as_ref().map_or(NOTHING, |reset| reset.as_str());
        table.toned([
            (key.name.clone(), Tone::Usual),
            (short(&key.hash), Tone::Faint),
            (state.to_owned(), tone),
            (dollars_or(key.limit, NOTHING), Tone::Usual),
            (reset.to_owned(), Tone::Usual),
            (dollars_or(key.limit_remaining, NOTHING), Tone::Usual),
            (dollars(key.usage), Tone::Usual),
            (minute(key.last_used_at), Tone::Usual),
        ]);
    }
    table
}

/// One key, as the arguments want it told.
pub(super) fn show(remote: &Remote, key: &GetKeyData) -> Result<()> {
    if remote.json {
        return output::json(key);
    }
    if remote.quiet {
        print::line(&key.hash);
        return Ok(());
    }
    facts(key, real::now()).print();
    Ok(())
}

fn facts(key: &GetKeyData, now: Timestamp) -> Facts {
    let mut facts = Facts::new();
    facts.add("name", &key.name);
    facts.add("hash", &key.hash);
    facts.add("label", &key.label);
    let (state, tone) = state(key, now);
    facts.toned("state", state, tone);
    let reset = key.limit_reset.as_ref().map_or("lifetime", |reset| reset.as_str());
    facts
        .add("limit", key.limit.map_or("none".to_owned(), |it| format!("{} {reset}", dollars(it))));
    facts.maybe("left", key.limit_remaining.map(dollars));
    let byok = if key.include_byok_in_limit { "counts" } else { "does not count" };
    facts.add("own credentials", byok);
    let windows = |all, day, week, month| {
        let [all, day, week, month] = [all, day, week, month].map(dollars);
        format!("{all} ({day} today, {week} this week, {month} this month)")
    };
    facts.add("spent", windows(key.usage, key.usage_daily, key.usage_weekly, key.usage_monthly));
    if !key.byok_usage.is_zero() {
        let own = windows(
            key.byok_usage,
            key.byok_usage_daily,
            key.byok_usage_weekly,
            key.byok_usage_monthly,
        );
        facts.add("with own credentials", own);
    }
    facts.maybe("models", key.allowed_models.as_ref().map(|models| models.join(", ")));
    facts.maybe("requests a minute", key.requests_per_minute.map(|it| it.to_string()));
    facts.maybe("tokens a minute", key.tokens_per_minute.map(|it| it.to_string()));
    facts.maybe("requests at once", key.concurrent_requests.map(|it| it.to_string()));
    facts.maybe("workspace", key.workspace_id.clone());
    facts.maybe("creator", key.creator_user_id.clone());
    facts.maybe("external user", key.external_user.clone());
    facts.add("made", minute(Some(key.created_at)));
    facts.maybe("changed", key.updated_at.map(|moment| minute(Some(moment))));
    facts.add("expires", key.expires_at.map_or("never".to_owned(), output::second));
    facts.add("last used", key.last_used_at.map_or("never".to_owned(), |it| minute(Some(it))));
    facts
}
