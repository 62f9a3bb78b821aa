//! What an import comes to: workspaces and keys, against what there is, and then done.
//! What is there already is never changed by it: a person may have changed it on purpose.

use std::path::Path;

use anyhow::Result;
use api::keys::LimitReset;
use api::workspaces::{self, CreateWorkspace};
use gateway::http::control::{ImportKey, ImportWorkspace, KnownBudget, KnownKey, Standing};
use http::Method;
use money::Money;
use serde::Serialize;
use serde_json::Value;
use store::Reset;

use super::report::plain;
use crate::progress::Progress;
use crate::setup::Setup;
use crate::{control, print};

/// Hashes that are asked for in one question.
const HASHES_MAX: usize = 10_000;
/// How long a slug is made at most, with room for a number.
const SLUG_CHARS_MAX: usize = 40;
/// How long an id is in a path, which no slug may be.
const UUID_CHARS: usize = 36;

/// What is to be there.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) workspaces: Vec<Workspace>,
    pub(super) keys: Vec<Key>,
}

/// A workspace for those that share a budget.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) name: String,
    pub(super) slug: String,
    /// Whose it is there, by which it is known again.
    pub(super) description: String,
    pub(super) budgets: Budgets,
}

/// The most that may be spent in a workspace.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    /// One a window at most.
    pub(super) limits: Vec<(Option<Reset>, Money)>,
    /// Whether BYOK use counts towards them.
    pub(super) include_byok: bool,
}

/// A key.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) wanted: ImportKey,
    /// Its workspace, by its place in the plan; `None` is the default one.
    pub(super) workspace: Option<usize>,
}

/// What becomes of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It is not there.
    Add,
    /// It is there, and just so.
    Unchanged,
    /// It is there and differs; it is left as it is.
    Differs,
    /// It can't be there.
    Refused,
}

/// One line of the diff.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Line {
    pub(super) state: State,
    pub(super) name: String,
    /// A key's hash; a workspace's slug.
    pub(super) id: String,
    /// The limit or budget, in US dollars, as decimal text.
    pub(super) limit: Option<String>,
    /// `daily`, `weekly`, `monthly`, or null for never.
    pub(super) reset: Option<String>,
    /// What it had spent.
    pub(super) usage: Option<String>,
    /// What differs, or why it is refused.
    pub(super) detail: Vec<String>,
}

/// The diff, or what came of it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Diff {
    pub(super) workspaces: Vec<Line>,
    pub(super) keys: Vec<Line>,
}

/// What there is of those hashes; nothing where there is no book yet.
pub(super) fn standing(config: &Path, hashes: &[String]) -> Result<Standing> {
    let setup = Setup::read(config)?;
    if !setup.database()?.exists() && !control::is_answering(&setup)? {
        return Ok(Standing::default());
    }
    let mut all = Standing::default();
    let mut parts: Vec<&[String]> = hashes.chunks(HASHES_MAX).collect();
    if parts.is_empty() {
        parts.push(&[]);
    }
    for part in parts {
        let one: Standing = control::ask(config, Method::POST, "/import/known", &part)?;
        let keys = all.keys.into_iter().chain(one.keys).collect();
        all = Standing { keys, ..one };
    }
    Ok(all)
}

impl Plan {
    /// What it would change of what there is.
    pub(super) fn diff(&self, standing: &Standing) -> Diff {
        let mut ids = Vec::new();
        let mut diff = Diff::default();
        for workspace in &self.workspaces {
            let (line, id) = workspace.line(standing);
            diff.workspaces.push(line);
            ids.push(id);
        }
        for key in &self.keys {
            let known = standing.keys.iter().find(|known| known.hash == key.wanted.hash);
            let workspace = key.workspace.map(|place| ids.get(place).copied().flatten());
            diff.keys.push(key.line(known, workspace));
        }
        diff
    }

    /// Does what the diff says is to be added, each thing all or not at all, and says in the diff
    /// what was refused.
    pub(super) fn apply(&self, config: &Path, diff: &mut Diff) -> Result<()> {
        let mut ids: Vec<Option<uuid::Uuid>> = Vec::new();
        let questions: Vec<_> =
            self.workspaces.iter().map(Workspace::question).collect::<Result<_>>()?;
        let answers: Vec<Result<Value>> = control::ask_each(config, questions)?;
        for (answer, line) in answers.into_iter().zip(&mut diff.workspaces) {
            ids.push(taken(answer, line).and_then(|answer| answer["id"].as_str()?.parse().ok()));
        }
        let mut asked = Vec::new();
        let mut questions = Vec::new();
        for (key, line) in self.keys.iter().zip(&mut diff.keys) {
            if line.state != State::Add {
                continue;
            }
            let mut wanted = key.wanted.clone();
            if let Some(place) = key.workspace {
                wanted.settings.workspace_id = ids.get(place).copied().flatten();
                if wanted.settings.workspace_id.is_none() {
                    line.state = State::Refused;
                    line.detail.push("its workspace could not be made".to_owned());
                    continue;
                }
            }
            questions.push((Method::POST, "/import/keys".to_owned(), serde_json::to_vec(&wanted)?));
            asked.push(line);
        }
        let progress = Progress::of("making keys");
        let all = questions.len() as u64;
        let told = questions.into_iter().zip(0_u64..).map(|(question, done)| {
            progress.reached(done, all);
            question
        });
        let answers = control::ask_each::<Value>(config, told)?;
        for (answer, line) in answers.into_iter().zip(asked) {
            taken(answer, line);
        }
        Ok(())
    }
}

fn taken(answer: Result<Value>, line: &mut Line) -> Option<Value> {
    match answer {
        Ok(answer) => Some(answer),
        Err(error) => {
            line.state = State::Refused;
            line.detail.push(format!("{error:#}"));
            None
        }
    }
}

impl Workspace {
    /// A workspace of what has that name at `gateway`, under a slug that is free.
    pub(super) fn new(
        gateway: &str,
        name: &str,
        description: &str,
        mut budgets: Budgets,
        standing: &Standing,
        others: &[Workspace],
    ) -> Workspace {
        let description = line(description, workspaces::DESCRIPTION_CHARS_MAX);
        let is_other = |slug: &str| {
            standing
                .workspaces
                .iter()
                .any(|one| one.slug == slug && one.description.as_deref() != Some(&description))
                || others.iter().any(|one| one.slug == slug)
        };
        let slug = slug(name, gateway);
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let slug = std::iter::once(slug.clone()).chain(numbered).find(|slug| !is_other(slug));
        let name = filled(name, workspaces::NAME_CHARS_MAX);
        // The longest window first, as they are listed.
        budgets.limits.sort_by_key(|(reset, _)| match reset {
            None => 0,
            Some(Reset::Monthly) => 1,
            Some(Reset::Weekly) => 2,
            Some(Reset::Daily) => 3,
        });
        Workspace {
            name: name.unwrap_or_else(|| description.clone()),
            slug: slug.unwrap_or_default(),
            budgets,
            description,
        }
    }

    fn line(&self, standing: &Standing) -> (Line, Option<uuid::Uuid>) {
        let known = standing
            .workspaces
            .iter()
            .find(|known| known.description.as_deref() == Some(self.description.as_str()));
        let wanted = self.budgets();
        let mut detail = Vec::new();
        if let Some(known) = known
            && known.budgets != wanted
        {
            detail.push(format!("budgets here: {}", told(&known.budgets)));
        }
        // One budget has columns of its own.
        let one = (wanted.len() == 1).then(|| self.budgets.limits.first()).flatten();
        if wanted.len() > 1 {
            detail.insert(0, format!("budgets: {}", told(&wanted)));
        }
        let state = match known {
            None => State::Add,
            Some(known) if known.budgets == wanted => State::Unchanged,
            Some(_) => State::Differs,
        };
        let line = Line {
            state,
            name: self.name.clone(),
            id: known.map_or_else(|| self.slug.clone(), |known| known.slug.clone()),
            limit: one.map(|(_, limit)| limit.to_string()),
            reset: one.and_then(|(reset, _)| *reset).map(|reset| reset.as_str().to_owned()),
            usage: None,
            detail,
        };
        (line, known.map(|known| known.id))
    }

    fn question(&self) -> Result<(Method, String, Vec<u8>)> {
        let mut settings = CreateWorkspace {
            name: self.name.clone(),
            slug: self.slug.clone(),
            settings: api::workspaces::WorkspaceSettings::default(),
        };
        settings.settings.description = Some(Some(self.description.clone()));
        let wanted = ImportWorkspace {
            settings,
            budgets: self.budgets(),
            include_byok_in_budgets: self.budgets.include_byok,
        };
        Ok((Method::POST, "/import/workspaces".to_owned(), serde_json::to_vec(&wanted)?))
    }

    fn budgets(&self) -> Vec<KnownBudget> {
        let shown = |(reset, limit): &(Option<Reset>, Money)| KnownBudget {
            interval: interval(*reset).to_owned(),
            limit: limit.to_string(),
        };
        self.budgets.limits.iter().map(shown).collect()
    }
}

fn told(budgets: &[KnownBudget]) -> String {
    let told: Vec<String> =
        budgets.iter().map(|budget| format!("{} {}", budget.limit, budget.interval)).collect();
    if told.is_empty() { "none".to_owned() } else { told.join(", ") }
}

/// A text as a line of at most so many characters.
pub(super) fn line(text: &str, chars_max: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(chars_max).collect()
}

/// Such a line where there is more in it than blanks.
pub(super) fn filled(text: &str, chars_max: usize) -> Option<String> {
    Some(line(text, chars_max)).filter(|line| !line.trim().is_empty())
}

/// A name as a slug; `gateway`, where it is from, makes one where the name does not.
fn slug(name: &str, gateway: &str) -> String {
    let slug = slugged(name);
    // In a path, what has the form of a UUID is an id.
    match slug.is_empty() || slug.len() == UUID_CHARS {
        true => slugged(&format!("{gateway} {name}")),
        false => slug,
    }
}

fn slugged(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let slug: String = parts.collect::<Vec<_>>().join("-").chars().take(SLUG_CHARS_MAX).collect();
    slug.trim_matches('-').to_owned()
}

/// A window, as a key has it.
pub(super) fn limit_reset(reset: Reset) -> LimitReset {
    match reset {
        Reset::Daily => LimitReset::Daily,
        Reset::Weekly => LimitReset::Weekly,
        Reset::Monthly => LimitReset::Monthly,
    }
}

fn interval(reset: Option<Reset>) -> &'static str {
    reset.map_or("lifetime", Reset::as_str)
}

impl Key {
    /// Its line; `workspace` is the one it is to be in, where it is not the default one, and its id
    /// where it is there.
    fn line(&self, known: Option<&KnownKey>, workspace: Option<Option<uuid::Uuid>>) -> Line {
        let settings = &self.wanted.settings;
        let limit = settings.limit.map(|limit| limit.0.to_string());
        let reset = settings.limit_reset.and_then(|reset| serde_json::to_value(reset).ok());
        let reset = reset.and_then(|reset| reset.as_str().map(str::to_owned));
        let spent = self.wanted.openings.iter().map(|opening| opening.amount.0);
        let spent =
            spent.fold(Money::ZERO, |all, part| all.checked_add(part).unwrap_or(Money::MAX));
        let usage = (spent > Money::ZERO).then(|| spent.to_string());
        let (state, detail) = match known {
            None => (State::Add, Vec::new()),
            Some(KnownKey { settings: None, .. }) => {
                let why = "its hash is known here, of a deleted key or of another's second text";
                (State::Refused, vec![why.to_owned()])
            }
            Some(KnownKey { settings: Some(there), .. }) => {
                let detail = self.differences(there, workspace, limit.as_deref(), reset.as_deref());
                (if detail.is_empty() { State::Unchanged } else { State::Differs }, detail)
            }
        };
        let (name, id) = (settings.name.clone(), self.wanted.hash.clone());
        Line { state, name, id, limit, reset, usage, detail }
    }

    fn differences(
        &self,
        there: &Value,
        workspace: Option<Option<uuid::Uuid>>,
        limit: Option<&str>,
        reset: Option<&str>,
    ) -> Vec<String> {
        let settings = &self.wanted.settings;
        let workspace = match workspace {
            None => Value::from(store::DEFAULT_WORKSPACE.to_string()),
            Some(id) => id.map(|id| id.to_string()).into(),
        };
        let here = [
            ("name", Value::from(settings.name.clone())),
            ("disabled", self.wanted.disabled.into()),
            ("limit", limit.into()),
            ("limit_reset", reset.into()),
            ("include_byok_in_limit", settings.include_byok_in_limit.into()),
            ("expires_at", settings.expires_at.map(|at| at.0.to_string()).into()),
            ("creator_user_id", settings.creator_user_id.clone().into()),
            ("workspace_id", workspace),
            (
                "external_user",
                settings.external.as_ref().map(|external| external.user.clone()).into(),
            ),
            ("allowed_models", settings.allowed_models.clone().into()),
            ("requests_per_minute", settings.requests_per_minute.map(u64::from).into()),
            ("tokens_per_minute", settings.tokens_per_minute.map(u64::from).into()),
            ("concurrent_requests", settings.concurrent_requests.map(u64::from).into()),
        ];
        let differs = here.into_iter().filter(|(field, value)| there[*field] != *value);
        differs
            .map(|(field, value)| format!("{field} is {} here, {value} there", there[field]))
            .collect()
    }
}

impl Diff {
    /// Prints it: workspaces, then keys.
    pub(super) fn show(&self) {
        for (head, lines) in [("WORKSPACE", &self.workspaces), ("KEY", &self.keys)] {
            if lines.is_empty() {
                continue;
            }
            print::line("");
            let rows: Vec<Vec<String>> = lines.iter().map(Line::row).collect();
            print::table(&["", head, "ID", "LIMIT", "RESET", "USAGE", ""], &rows);
        }
    }

    /// How many lines of keys and workspaces are in that state.
    pub(super) fn count(&self, state: &State) -> usize {
        self.workspaces.iter().chain(&self.keys).filter(|line| line.state == *state).count()
    }

    /// One line that sums it up.
    pub(super) fn summary(&self, is_applied: bool) -> String {
        let [add, unchanged, differs, refused] =
            [State::Add, State::Unchanged, State::Differs, State::Refused]
                .map(|state| self.count(&state));
        let added = if is_applied { "added" } else { "to add" };
        format!(
            "keys and workspaces: {add} {added}, {unchanged} unchanged, {differs} differ and stay, {refused} refused"
        )
    }
}

impl Line {
    fn row(&self) -> Vec<String> {
        let mark = match self.state {
            State::Add => "+",
            State::Unchanged => "=",
            State::Differs => "~",
            State::Refused => "!",
        };
        let short =
            if self.id.len() == 64 { self.id.chars().take(12).collect() } else { self.id.clone() };
        let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let reset = self.reset.clone().unwrap_or_else(|| "never".to_owned());
        let reset = if self.limit.is_some() { reset } else { "-".to_owned() };
        let detail = plain(&self.detail.join("; "));
        vec![
            mark.to_owned(),
            plain(&self.name),
            short,
            or(&self.limit),
            reset,
            or(&self.usage),
            detail,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_makes_a_slug() {
        let of = |name: &str| slug(name, "openrouter.ai");
        assert_eq!(of("Research & Co."), "research-co");
        assert_eq!(of("研究"), "openrouter-ai");
        assert_eq!(
            of("0b1d2c3e-4f50-4a61-8b72-9c83ad94be05"),
            "openrouter-ai-0b1d2c3e-4f50-4a61-8b72-9c"
        );
        assert_eq!(of(&"x".repeat(90)).len(), SLUG_CHARS_MAX);
    }
}
