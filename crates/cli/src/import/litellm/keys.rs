//! LiteLLM's keys, teams and budgets as keys and workspaces of ours.
//! The rule for all of it: nobody may spend more here than they could have there.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use api::Utc;
use api::keys::{CreateKey, External, NAME_CHARS_MAX, PACE_MAX, USER_CHARS_MAX};
use gateway::http::control::{ImportKey, Standing};
use gateway::http::hash;
use jiff::Timestamp;
use money::Money;
use store::{KeyHash, Reset};

use super::models::Names;
use super::rows::{Row, Rows};
use super::{weak, window};
use crate::import::amounts;
use crate::import::plan::{Budgets, Key, Plan, Workspace, filled, limit_reset, line};
use crate::import::report::{Kind, Notes};
use crate::import::spent::{before_windows, opening};

/// Where imported spend says it is from.
pub(super) const GATEWAY: &str = "litellm";
/// The team of sessions of LiteLLM's own page.
const DASHBOARD: &str = "litellm-dashboard";

/// Columns of a key that nothing here stands for, each with the reason.
const UNMAPPED: [(&str, &str); 21] = [
    ("access_group_ids", "list the models in the key's `allowed_models`"),
    ("agent_id", "there are no agents here"),
    ("aliases", "a key has no names of models of its own; `aliases` of a model hold for all"),
    ("allowed_cache_controls", "answers are not cached"),
    ("auto_rotate", "keys are not replaced by themselves"),
    ("budget_fallbacks", "a request names what it falls back to itself, in `models`"),
    ("budget_limits", "a limit is of all models together; the key's own limit holds"),
    ("config", "a key has no configuration of its own"),
    ("guardrails", "guardrails are not served"),
    ("metadata", "a key has no notes"),
    ("model_max_budget", "a limit is of all models together; the key's own limit holds"),
    ("model_rpm_limit", "a pace is of all models together"),
    ("model_tpm_limit", "a pace is of all models together"),
    ("object_permission_id", "tools and stores of files are not served"),
    ("organization_id", "there is no layer above workspaces: an organization's budget is not kept"),
    ("permissions", "a key has no permissions of its own"),
    ("policies", "guardrails are not served"),
    ("project_id", "there is no layer between keys and workspaces: a project's budget is not kept"),
    ("router_settings", "endpoints are tried as `routing` says"),
    ("soft_budget", "nothing warns before a limit; GET /key shows what is left"),
    ("tpd_limit", "there are no tokens a day, only a minute"),
];

/// What holds for the whole import.
pub(super) struct Context<'a> {
    pub(super) rows: &'a Rows,
    pub(super) names: &'a Names,
    pub(super) standing: &'a Standing,
    pub(super) now: Timestamp,
    /// A window may start afresh before LiteLLM's does.
    pub(super) early: bool,
}

/// A budget, as it is here.
struct Budget {
    limit: Money,
    reset: Option<Reset>,
    /// Its window there is over: what was spent counts in none of the current ones.
    is_over: bool,
}

/// A team, or a user with a budget of their own, as a workspace.
struct Shared<'a> {
    row: Option<&'a Row>,
    name: String,
    /// `team ID` or `user ID`.
    what: String,
    budget: Option<Budget>,
    is_closed: bool,
    /// What the openings of its keys come to in its window.
    opened: Money,
    place: usize,
}

/// What all rows come to.
pub(super) fn plan(context: &Context<'_>, notes: &mut Notes) -> Plan {
    let mut plan = Plan::default();
    let mut shared: BTreeMap<String, Shared<'_>> = BTreeMap::new();
    for row in &context.rows.keys {
        let Some(identity) = identity(row, notes) else { continue };
        if row.text("team_id") == Some(DASHBOARD) {
            let why = "a session of LiteLLM's own page: it stays behind";
            notes.add(Kind::Unmapped, &identity.place, "the key", why);
            continue;
        }
        let old_texts = context.rows.old_texts.iter().filter(|(hash, _)| *hash == identity.hash);
        for (_, until) in old_texts {
            let why = format!("is good at LiteLLM until {until}, and unknown here");
            notes.add(Kind::Unmapped, &identity.place, "the text before its last one", why);
        }
        let owner = owner(context, row).map(|(what, owner_row)| {
            if !shared.contains_key(&what) {
                let place = plan.workspaces.len();
                let one = context.shared(what.clone(), owner_row, place, notes);
                plan.workspaces.push(context.workspace(&one, &plan.workspaces));
                shared.insert(what.clone(), one);
            }
            what
        });
        let owner = owner.and_then(|what| shared.get_mut(&what));
        plan.keys.extend(context.key(row, &identity, owner, notes));
    }
    let rests: Vec<Key> = shared.values().filter_map(|one| context.rest(one, notes)).collect();
    plan.keys.extend(rests);
    other_budgets(context.rows, notes);
    plan
}

/// Who a key is.
struct Identity {
    hash: String,
    label: String,
    name: String,
    place: String,
}

fn identity(row: &Row, notes: &mut Notes) -> Option<Identity> {
    let given = row.text("token").or_else(|| row.text("key")).map(str::trim);
    let Some(given) = given else {
        notes.add(Kind::Unmapped, "a key", "token", "is missing: nobody knows its hash");
        return None;
    };
    let is_hash = KeyHash::parse(given).is_some();
    let key_hash = if is_hash { given.to_owned() } else { hash(given).to_string() };
    let shown = row.text("key_name").filter(|name| name.contains("...") && name.len() <= 64);
    let label = match shown {
        Some(shown) => line(shown, 64),
        None if is_hash => "...".to_owned(),
        None => gateway::secrets::label(given),
    };
    let name = row.text("key_alias").or(shown).and_then(|name| filled(name, NAME_CHARS_MAX));
    let short: String = key_hash.chars().take(12).collect();
    let name = name.unwrap_or_else(|| format!("litellm {short}"));
    let place = format!("key {name:?}");
    if let Some(why) = weak::reason((!is_hash).then_some(given), &key_hash, shown) {
        notes.add(Kind::Warning, &place, "the key's text", why);
    }
    Some(Identity { hash: key_hash, label, name, place })
}

/// The hashes of all keys that may come of the rows.
pub(super) fn hashes(rows: &Rows) -> Vec<String> {
    let teams = rows.teams.keys().map(|id| rest_hash(&format!("team {id}")));
    let users = rows.users.keys().map(|id| rest_hash(&format!("user {id}")));
    rows.keys.iter().filter_map(hash_of).chain(teams).chain(users).collect()
}

/// The hash of the key that stands for keys that are gone. No text is known that has it: it is not
/// the hash of one, but what that lacks.
fn rest_hash(what: &str) -> String {
    let KeyHash(bytes) = hash(&format!("what was spent of LiteLLM {what}"));
    KeyHash(bytes.map(|byte| !byte)).to_string()
}

/// The hash of a row's key.
fn hash_of(row: &Row) -> Option<String> {
    let given = row.text("token").or_else(|| row.text("key"))?.trim();
    Some(if KeyHash::parse(given).is_some() { given.to_owned() } else { hash(given).to_string() })
}

/// Whose budget a key shares: its team's, or its user's where it is in no team.
fn owner<'a>(context: &Context<'a>, row: &Row) -> Option<(String, Option<&'a Row>)> {
    if let Some(team) = row.text("team_id") {
        return Some((format!("team {team}"), context.rows.teams.get(team)));
    }
    let user = row.text("user_id")?;
    let found = context.rows.users.get(user)?;
    found.number("max_budget")?;
    Some((format!("user {user}"), Some(found)))
}

impl<'a> Context<'a> {
    fn shared(
        &self,
        what: String,
        row: Option<&'a Row>,
        place: usize,
        notes: &mut Notes,
    ) -> Shared<'a> {
        let found = row.and_then(|row| row.text("team_alias").or_else(|| row.text("user_alias")));
        let found = found.or_else(|| row?.text("user_email"));
        let id = what.split_once(' ').map_or("", |(_, id)| id);
        let name = line(found.unwrap_or(id), api::workspaces::NAME_CHARS_MAX);
        let said = format!("{} {name:?}", what.split(' ').next().unwrap_or_default());
        let mut is_closed = false;
        let mut budget = None;
        match row {
            None => {
                let why = "is not among the rows: its budget and its models are not known";
                notes.add(Kind::Missing, &said, "the team", why);
            }
            Some(row) => {
                budget = self.budget(row, None, &said, notes);
                is_closed = row.is("blocked");
                unmapped(row, &said, notes);
                for column in ["rpm_limit", "tpm_limit", "max_parallel_requests"] {
                    if row.said(column).is_some() {
                        let why = "a workspace has no pace: keys have their own";
                        notes.add(Kind::Unmapped, &said, column, why);
                    }
                }
            }
        }
        if budget.as_ref().is_some_and(|budget| budget.limit == Money::ZERO) {
            let why = "a budget of nothing: its keys come over disabled";
            notes.add(Kind::Approximated, &said, "max_budget", why);
            (budget, is_closed) = (None, true);
        }
        Shared { row, name, what, budget, is_closed, opened: Money::ZERO, place }
    }

    fn workspace(&self, shared: &Shared<'_>, others: &[Workspace]) -> Workspace {
        let budget = shared.budget.as_ref();
        let budgets = Budgets {
            limits: budget.map(|budget| (budget.reset, budget.limit)).into_iter().collect(),
            include_byok: false,
        };
        let description = format!("LiteLLM {}", shared.what);
        Workspace::new(GATEWAY, &shared.name, &description, budgets, self.standing, others)
    }

    /// The budget of a row, what it leaves out taken from `shared`.
    fn budget(
        &self,
        row: &Row,
        shared: Option<&Row>,
        place: &str,
        notes: &mut Notes,
    ) -> Option<Budget> {
        let own = row.number("max_budget").map(|text| (text, row));
        let of_table = shared.and_then(|row| Some((row.number("max_budget")?, row)));
        let tighter = |(text, _): &(String, &Row)| amounts::limit(text).0;
        let (text, row) = own.into_iter().chain(of_table).min_by_key(tighter)?;
        let (limit, is_exact) = amounts::limit(&text);
        if !is_exact {
            let why = format!("{text} is {limit} here: rounded down to what an amount can be");
            notes.add(Kind::Approximated, place, "max_budget", why);
        }
        let resets_at = row.time("budget_reset_at");
        let is_over = resets_at.is_some_and(|resets_at| resets_at <= self.now);
        let Some(duration) = row.text("budget_duration") else {
            return Some(Budget { limit, reset: None, is_over: false });
        };
        let choice = window::choose(duration, resets_at, self.now, self.early);
        let Some(choice) = choice else {
            let why = "is no duration: the limit never starts afresh";
            notes.add(Kind::Approximated, place, format!("budget_duration {duration}"), why);
            return Some(Budget { limit, reset: None, is_over: false });
        };
        if !choice.is_exact || resets_at.is_none() {
            let window = choice.reset.map_or("never starts afresh", Reset::as_str);
            let why = match (resets_at, self.early) {
                (None, _) => {
                    "LiteLLM has no moment at which it starts afresh, so it never does".to_owned()
                }
                (Some(at), false) => format!(
                    "{window}: the shortest window that is as long and does not start afresh before \
                     {at}, as LiteLLM's does"
                ),
                (Some(at), true) => format!("{window}, though LiteLLM's starts afresh at {at}"),
            };
            notes.add(Kind::Approximated, place, format!("budget_duration {duration}"), why);
        }
        Some(Budget { limit, reset: choice.reset, is_over })
    }

    fn key(
        &self,
        row: &Row,
        identity: &Identity,
        shared: Option<&mut Shared<'_>>,
        notes: &mut Notes,
    ) -> Option<Key> {
        let place = &identity.place;
        let table = row.text("budget_id").and_then(|id| self.rows.budgets.get(id));
        if row.text("budget_id").is_some() && table.is_none() {
            let why = "is not among the rows: what it limits is not known";
            notes.add(Kind::Missing, place, "budget_id", why);
        }
        let budget = self.budget(row, table, place, notes);
        let mut disabled = row.is("blocked");
        let mut close = |what: &str, why: &str| {
            notes.add(Kind::Approximated, place, what, format!("{why}: it comes over disabled"));
            disabled = true;
        };
        if shared.as_ref().is_some_and(|shared| shared.is_closed) {
            close("team_id", "its team or user may spend nothing");
        }
        if row.said("allowed_routes").is_some() {
            close("allowed_routes", "a key may use every path here");
        }
        if row.text("key_type").is_some_and(|kind| !matches!(kind, "default" | "llm_api")) {
            close("key_type", "it was for administration, and could not infer");
        }
        let mut pace = |column: &str| {
            let own = row.number(column).or_else(|| table?.number(column))?;
            let Ok(count) = own.parse::<u64>() else {
                close(column, "is no count");
                return None;
            };
            let count = NonZeroU64::new(count.min(PACE_MAX));
            if count.is_none() {
                close(column, "a pace of nothing");
            }
            count
        };
        let paces = ["rpm_limit", "tpm_limit", "max_parallel_requests"].map(&mut pace);
        let owner_models = shared.as_ref().and_then(|shared| shared.row);
        let owner_models = owner_models.map(|row| row.texts("models")).unwrap_or_default();
        let allowed = self.names.allowed(&row.texts("models"), &owner_models, place, notes);
        let allowed_models = match allowed {
            Ok(allowed) => allowed,
            Err(why) => {
                let why = format!("{why}: it comes over disabled");
                notes.add(Kind::Approximated, place, "models", why);
                disabled = true;
                None
            }
        };
        unmapped(row, place, notes);
        let user = row.text("user_id").and_then(|user| filled(user, USER_CHARS_MAX));
        let (creator, external) = match user {
            Some(user) if self.standing.users.contains(&user) => (Some(user), None),
            user => (None, user.map(|user| External { user, api_key: None })),
        };
        let spent = row.number("spend").map_or(Money::ZERO, |text| amounts::spend(&text));
        // A lifetime counts whenever it was; what is of no current window counts in none.
        let is_current =
            budget.as_ref().is_some_and(|budget| budget.reset.is_some() && !budget.is_over);
        let at = if is_current { self.now } else { before_windows(self.now) };
        let is_lifetime =
            |budget: &Option<Budget>| budget.as_ref().is_some_and(|it| it.reset.is_none());
        let is_counted_for_ever = is_lifetime(&budget)
            || shared.as_ref().is_some_and(|shared| is_lifetime(&shared.budget));
        let workspace = shared.map(|shared| {
            if is_current || is_lifetime(&shared.budget) {
                shared.opened = shared.opened.checked_add(spent).unwrap_or(Money::MAX);
            }
            shared.place
        });
        // What LiteLLM had taken off the limit again counts in no window, and so in no lifetime here.
        let in_all = row.number("total_spend").map_or(Money::ZERO, |text| amounts::spend(&text));
        let earlier = in_all.checked_sub(spent).filter(|_| !is_counted_for_ever);
        let mut openings =
            opening(earlier.unwrap_or(Money::ZERO), before_windows(self.now), GATEWAY);
        openings.extend(opening(spent, at, GATEWAY));
        let [requests_per_minute, tokens_per_minute, concurrent_requests] = paces;
        let settings = CreateKey {
            name: identity.name.clone(),
            limit: budget.as_ref().map(|budget| api::Usd(budget.limit)),
            limit_reset: budget.and_then(|budget| budget.reset).map(limit_reset),
            expires_at: row.time("expires").map(Utc),
            creator_user_id: creator,
            external,
            allowed_models,
            requests_per_minute,
            tokens_per_minute,
            concurrent_requests,
            ..CreateKey::default()
        };
        let wanted = ImportKey {
            settings,
            hash: identity.hash.clone(),
            label: identity.label.clone(),
            disabled,
            created_at: row.time("created_at").map(Utc),
            openings,
        };
        Some(Key { wanted, workspace })
    }

    /// What was spent of a shared budget by keys that are gone: a key without a text stands for
    /// them, so that the budget has it.
    fn rest(&self, shared: &Shared<'_>, notes: &mut Notes) -> Option<Key> {
        let budget = shared.budget.as_ref().filter(|budget| !budget.is_over)?;
        let spent = amounts::spend(&shared.row?.number("spend")?);
        let rest = spent.checked_sub(shared.opened).filter(|rest| *rest > Money::ZERO)?;
        let at = match budget.reset {
            Some(_) => self.now,
            None => before_windows(self.now),
        };
        let why = "was spent by keys that are gone: a disabled key without a text stands for them";
        notes.add(Kind::Approximated, &shared.what, format!("${rest} of its spend"), why);
        let settings = CreateKey {
            name: line(&format!("spent before by {}", shared.name), NAME_CHARS_MAX),
            ..CreateKey::default()
        };
        let wanted = ImportKey {
            settings,
            hash: rest_hash(&shared.what),
            label: "...".to_owned(),
            disabled: true,
            created_at: None,
            openings: opening(rest, at, GATEWAY),
        };
        Some(Key { wanted, workspace: Some(shared.place) })
    }
}

fn unmapped(row: &Row, place: &str, notes: &mut Notes) {
    for (column, why) in UNMAPPED {
        if row.said(column).is_some() {
            notes.add(Kind::Unmapped, place, column, why);
        }
    }
}

/// Lists the budgets of what is neither a key, nor a team, nor a user.
fn other_budgets(rows: &Rows, notes: &mut Notes) {
    for (id, row) in &rows.organizations {
        let name = row.text("organization_alias").unwrap_or(id);
        let budget = row.text("budget_id").and_then(|id| rows.budgets.get(id));
        if let Some(limit) = budget.and_then(|budget| budget.number("max_budget")) {
            let why = "there is no layer above workspaces: give its teams budgets of their own";
            notes.add(
                Kind::Unmapped,
                format!("organization {name:?}"),
                format!("max_budget {limit}"),
                why,
            );
        }
    }
    for (what, id) in &rows.budgeted {
        if let Some(limit) = rows.budgets.get(id).and_then(|budget| budget.number("max_budget")) {
            let why = "only keys and workspaces have budgets here: it is not kept";
            notes.add(Kind::Unmapped, what, format!("max_budget {limit}"), why);
        }
    }
}
