//! Their keys and workspaces as ours.
//! The rule for all of it: nobody may spend more here than they could have there.

use std::num::NonZeroU64;

use api::Utc;
use api::keys::{
    ALLOWED_MODELS_MAX, CreateKey, External, LimitReset, NAME_CHARS_MAX, PACE_MAX, USER_CHARS_MAX,
};
use client::{GetKeyData, Usd, Workspace, WorkspaceBudgets};
use gateway::http::control::{ImportKey, LABEL_CHARS_MAX, Standing};
use jiff::Timestamp;
use ledger::{Amounts, Day, Period};
use money::Money;
use store::{KeyHash, Reset};

use super::facts::Facts;
use crate::import::amounts;
use crate::import::plan::{self, Budgets, Key, Plan, filled};
use crate::import::report::{Kind, Notes};
use crate::import::spent::{self, Spent};

/// Settings of a workspace that are not taken over.
type Setting = (&'static str, fn(&Workspace) -> bool);
const UNMAPPED: [Setting; 5] = [
    ("default_text_model", |one| one.default_text_model.is_some()),
    ("default_image_model", |one| one.default_image_model.is_some()),
    ("default_provider_sort", |one| one.default_provider_sort.is_some()),
    ("is_observability_io_logging_enabled", |one| one.is_observability_io_logging_enabled),
    ("is_observability_broadcast_enabled", |one| one.is_observability_broadcast_enabled),
];

/// What all of it comes to; `host` is the server it is from.
pub(super) fn plan(facts: &Facts, standing: &Standing, host: &str, notes: &mut Notes) -> Plan {
    let mut plan = Plan::default();
    // By the ids there: their places in the plan.
    let mut places: Vec<(&str, usize)> = Vec::new();
    for (workspace, budgets) in &facts.workspaces {
        let is_default = facts.default.as_ref() == Some(&workspace.id);
        let has_keys = |key: &GetKeyData| key.workspace_id.as_ref() == Some(&workspace.id);
        if is_default {
            default_workspace(workspace, budgets.as_ref(), notes);
        } else if facts.keys.iter().any(has_keys) {
            let budgets = limits(workspace, budgets.as_ref(), notes);
            unmapped(workspace, notes);
            places.push((&workspace.id, plan.workspaces.len()));
            let description = format!("{host} workspace {}", workspace.id);
            let name = &workspace.name;
            let others = &plan.workspaces;
            let one = plan::Workspace::new(host, name, &description, budgets, standing, others);
            plan.workspaces.push(one);
        }
    }
    for key in &facts.keys {
        let place = format!("key {:?}", key.name);
        if KeyHash::parse(&key.hash).is_none() {
            let why = "is no SHA-256 of its text: no client could use it here";
            notes.add(Kind::Unmapped, &place, format!("hash {:?}", key.hash), why);
            continue;
        }
        let workspace = key.workspace_id.as_deref();
        let found = workspace.and_then(|id| places.iter().find(|(known, _)| *known == id));
        if let Some(id) =
            workspace.filter(|id| found.is_none() && facts.default.as_deref() != Some(id))
        {
            let why = "is not among the workspaces: the key comes to the default one here";
            notes.add(Kind::Missing, &place, format!("workspace_id {id}"), why);
        }
        let wanted = imported(key, &place, facts, standing, host, notes);
        plan.keys.push(Key { wanted, workspace: found.map(|(_, place)| *place) });
    }
    plan
}

/// What the default workspace there has is not given to the one here, which others may be in.
fn default_workspace(workspace: &Workspace, budgets: Option<&WorkspaceBudgets>, notes: &mut Notes) {
    let place = format!("workspace {:?}", workspace.name);
    for budget in budgets.iter().flat_map(|budgets| &budgets.data) {
        let interval = budget.reset_interval.as_ref().map_or("lifetime", |reset| reset.as_str());
        let what = format!("budget of {} {interval}", budget.limit_usd);
        let why = "its keys come to the default workspace here, whose budgets are left as they are";
        notes.add(Kind::Unmapped, &place, what, why);
    }
    unmapped(workspace, notes);
}

fn unmapped(workspace: &Workspace, notes: &mut Notes) {
    let place = format!("workspace {:?}", workspace.name);
    for (setting, _) in UNMAPPED.iter().filter(|(_, is_set)| is_set(workspace)) {
        notes.add(Kind::Unmapped, &place, *setting, "only budgets of a workspace come over");
    }
}

fn limits(workspace: &Workspace, budgets: Option<&WorkspaceBudgets>, notes: &mut Notes) -> Budgets {
    let place = format!("workspace {:?}", workspace.name);
    let mut limits: Vec<(Option<Reset>, Money)> = Vec::new();
    for budget in budgets.iter().flat_map(|budgets| &budgets.data) {
        let limit = limit(budget.limit_usd, &place, "budget", notes);
        let reset = reset(budget.reset_interval.as_ref(), &place, notes);
        // Two of one window are the smaller one.
        match limits.iter_mut().find(|(known, _)| *known == reset) {
            Some((_, known)) => *known = limit.min(*known),
            None => limits.push((reset, limit)),
        }
    }
    if !limits.is_empty() {
        let why = "starts with what its keys have spent: what keys that are gone have is not known";
        notes.add(Kind::Warning, &place, "its budget", why);
    }
    let include_byok = budgets.is_some_and(|budgets| budgets.include_byok_in_budgets);
    Budgets { limits, include_byok }
}

fn imported(
    key: &GetKeyData,
    place: &str,
    facts: &Facts,
    standing: &Standing,
    host: &str,
    notes: &mut Notes,
) -> ImportKey {
    let external = key.external_user.as_deref().and_then(|user| filled(user, USER_CHARS_MAX));
    let (paces, is_closed) = paces(key, place, notes);
    let [requests_per_minute, tokens_per_minute, concurrent_requests] = paces;
    let limit_reset = reset(key.limit_reset.as_ref(), place, notes);
    let settings = CreateKey {
        name: filled(&key.name, NAME_CHARS_MAX).unwrap_or_else(|| short(&key.hash)),
        limit: key.limit.map(|amount| api::Usd(limit(amount, place, "limit", notes))),
        limit_reset: limit_reset.map(plan::limit_reset),
        include_byok_in_limit: key.include_byok_in_limit,
        expires_at: key.expires_at.map(Utc),
        creator_user_id: creator(key, standing, place, notes),
        external: external.map(|user| External { user, api_key: None }),
        allowed_models: allowed_models(key, standing, place, notes),
        requests_per_minute,
        tokens_per_minute,
        concurrent_requests,
        ..CreateKey::default()
    };
    let wanted = ImportKey {
        settings,
        hash: key.hash.clone(),
        label: filled(&key.label, LABEL_CHARS_MAX).unwrap_or_else(|| "...".to_owned()),
        disabled: key.disabled || is_closed,
        created_at: Some(Utc(key.created_at)),
        openings: spent(key).openings(facts.at, host),
    };
    left(key, &wanted, facts.at, place, notes);
    wanted
}

/// Who made it, where that is a user here.
fn creator(
    key: &GetKeyData,
    standing: &Standing,
    place: &str,
    notes: &mut Notes,
) -> Option<String> {
    let user = key.creator_user_id.clone()?;
    if standing.users.contains(&user) {
        return Some(user);
    }
    let why = "is no user here: the key is its workspace's";
    notes.add(Kind::Unmapped, place, format!("creator_user_id {user}"), why);
    None
}

/// Its requests and tokens a minute and its concurrent requests, and whether one of them is nothing.
fn paces(key: &GetKeyData, place: &str, notes: &mut Notes) -> ([Option<NonZeroU64>; 3], bool) {
    let mut is_closed = false;
    let paces = [
        (key.requests_per_minute, "requests_per_minute"),
        (key.tokens_per_minute, "tokens_per_minute"),
        (key.concurrent_requests, "concurrent_requests"),
    ];
    let paces = paces.map(|(count, what)| {
        let count = NonZeroU64::new(count?.min(PACE_MAX));
        if count.is_none() {
            let why = "a pace of nothing: it comes over disabled";
            notes.add(Kind::Approximated, place, what, why);
            is_closed = true;
        }
        count
    });
    (paces, is_closed)
}

fn allowed_models(
    key: &GetKeyData,
    standing: &Standing,
    place: &str,
    notes: &mut Notes,
) -> Option<Vec<String>> {
    let models = key.allowed_models.clone()?;
    if models.len() > ALLOWED_MODELS_MAX {
        let why = format!("more than {ALLOWED_MODELS_MAX}: the key will be refused");
        notes.add(Kind::Unmapped, place, "allowed_models", why);
    }
    for model in &models {
        let is_known = standing.models.iter().any(|(name, _)| name == model);
        if !is_known && !model.ends_with("/*") {
            let why = "no model has this name here: it stands in the list and means nothing yet";
            notes.add(Kind::Missing, place, format!("allowed_models: {model}"), why);
        }
    }
    Some(models)
}

/// What a key without a name is called.
fn short(hash: &str) -> String {
    format!("key {}", hash.chars().take(12).collect::<String>())
}

fn spent(key: &GetKeyData) -> Spent {
    let both = |credits: Usd, byok: Usd| Amounts {
        credits: amounts::spend(&credits.to_string()),
        byok: amounts::spend(&byok.to_string()),
    };
    Spent {
        in_all: both(key.usage, key.byok_usage),
        today: both(key.usage_daily, key.byok_usage_daily),
        this_week: both(key.usage_weekly, key.byok_usage_weekly),
        this_month: both(key.usage_monthly, key.byok_usage_monthly),
    }
}

/// Says where more would be left of a limit than the server says there is.
fn left(key: &GetKeyData, wanted: &ImportKey, now: Timestamp, place: &str, notes: &mut Notes) {
    let (Some(limit), Some(said)) = (wanted.settings.limit, key.limit_remaining) else { return };
    let period = match wanted.settings.limit_reset {
        None => Period::Lifetime,
        Some(LimitReset::Daily) => Period::Day,
        Some(LimitReset::Weekly) => Period::Week,
        Some(LimitReset::Monthly) => Period::Month,
    };
    let counted = spent::counted(&wanted.openings, period.window(Day::of(now)));
    let counted = counted.counted(key.include_byok_in_limit).unwrap_or(Money::MAX);
    let here = limit.0.checked_sub(counted).unwrap_or(Money::ZERO);
    // Rounded up, as residues of floats are no difference.
    let there = amounts::spend(&said.to_string());
    if here > there && here > Money::ZERO {
        let why = format!(
            "${here} is left here, by the limit and what was spent, and ${said} there: lower the \
             limit if that must not be"
        );
        notes.add(Kind::Warning, place, "limit_remaining", why);
    }
}

fn limit(amount: Usd, place: &str, what: &str, notes: &mut Notes) -> Money {
    let (limit, is_exact) = amounts::limit(&amount.to_string());
    if !is_exact {
        let why = format!("{amount} is {limit} here: rounded down to what an amount can be");
        notes.add(Kind::Approximated, place, what, why);
    }
    limit
}

fn reset(there: Option<&client::LimitReset>, place: &str, notes: &mut Notes) -> Option<Reset> {
    match there? {
        client::LimitReset::Daily => Some(Reset::Daily),
        client::LimitReset::Weekly => Some(Reset::Weekly),
        client::LimitReset::Monthly => Some(Reset::Monthly),
        other => {
            let why = "is no window here: the limit never starts afresh";
            notes.add(Kind::Approximated, place, format!("limit_reset {}", other.as_str()), why);
            None
        }
    }
}
