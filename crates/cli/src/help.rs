//! What `--help` says below a command's options: examples, exit codes, variables.
//! docs/cli.md is the whole of it on one page, and a test holds the two together.

mod client;

use clap::CommandFactory as _;

use crate::Arguments;

/// What stands below the options of one command.
struct Below {
    /// The command's name, its parents' before it.
    command: &'static str,
    /// Lines to type, each with what it does.
    examples: &'static [(&'static str, &'static str)],
    exits: &'static [(&'static str, &'static str)],
    /// Variables it reads, besides those of its options.
    variables: &'static [(&'static str, &'static str)],
}

const MISUSED: (&str, &str) = ("2", "misused: no such command, option or value");
const DONE: &[(&str, &str)] =
    &[("0", "done"), ("1", "refused or failed; stderr says why"), MISUSED];

const COMMANDS: &[Below] = &[
    Below {
        command: "serve",
        examples: &[
            ("tollgate serve", "Serve what tollgate.toml in this folder describes"),
            ("tollgate serve --config /etc/tollgate/tollgate.toml", "The same from elsewhere"),
        ],
        exits: &[
            ("0", "stopped by SIGTERM or SIGINT"),
            ("1", "the start was refused, or the book can't be trusted any more; the log says why"),
            MISUSED,
        ],
        variables: &[
            ("TOLLGATE_MANAGEMENT_KEY", "a management key, added where it is new"),
            ("TOLLGATE_MASTER_KEY", "what credentials are encrypted under: 64 hex digits"),
            ("TOLLGATE_LOG", "what is logged, in the place of `log.level`"),
            ("TOLLGATE_SECTION__SETTING", "any setting, such as TOLLGATE_SERVER__LISTEN"),
            ("OTEL_…", "OpenTelemetry's own, where `telemetry` in the file says nothing"),
        ],
    },
    Below {
        command: "demo",
        examples: &[
            ("tollgate demo", "Show it all, and serve on until Ctrl-C"),
            ("tollgate demo --once", "Show it all, and end"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "audit",
        examples: &[
            ("tollgate audit", "Recompute the book that is served"),
            ("tollgate audit --store sqlite:/backups/tollgate.db --json", "A backup, as JSON"),
        ],
        exits: &[
            ("0", "the book agrees"),
            ("1", "a figure differs, or the book can't be read"),
            MISUSED,
        ],
        variables: &[],
    },
    Below {
        command: "audit log",
        examples: &[
            ("tollgate audit log --most 20", "The last twenty changes by people"),
            ("tollgate audit log --action key. --json", "All that was done to keys"),
            ("tollgate audit log --action hold.correct", "Every charge that was corrected"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "backup",
        examples: &[
            ("tollgate backup /backups/tollgate.db", "A copy that is checked and audited"),
            ("tollgate backup /backups/tollgate.db --force --json", "In the place of the last one"),
        ],
        exits: &[
            ("0", "the copy is there, synced, and agrees with itself"),
            ("1", "there is no copy; stderr says why"),
            MISUSED,
        ],
        variables: &[],
    },
    Below {
        command: "restore",
        examples: &[(
            "tollgate restore /backups/tollgate.db",
            "Put it in the place of the book, which is kept beside it",
        )],
        exits: &[("0", "restored"), ("1", "nothing was changed; stderr says why"), MISUSED],
        variables: &[],
    },
    Below {
        command: "doctor",
        examples: &[
            ("tollgate doctor", "Look over the installation"),
            ("tollgate doctor --online --json", "Providers too, for a program to read"),
            ("tollgate doctor --quick", "Without reading every page of a large book"),
        ],
        exits: &[("0", "fine, or warnings alone"), ("1", "there is a problem"), MISUSED],
        variables: &[(
            "TOLLGATE_MANAGEMENT_KEY",
            "as `serve` has it; so are those that the configuration names",
        )],
    },
    Below {
        command: "export",
        examples: &[
            ("tollgate export --out book.jsonl", "The whole book to a file"),
            ("tollgate export", "To stdout, for another program: | gzip > book.jsonl.gz"),
            ("tollgate export --store sqlite:/backups/tollgate.db", "Of a backup"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "import litellm",
        examples: &[
            ("tollgate import litellm config.yaml", "What it would come to; changes nothing"),
            (
                "tollgate import litellm config.yaml --output tollgate.toml --apply",
                "Write the configuration",
            ),
            (
                "tollgate import litellm config.yaml --keys env:DATABASE_URL --apply",
                "Make its keys and teams here, beside a running server or without one",
            ),
        ],
        exits: &[
            ("0", "done, or shown"),
            ("1", "refused or failed, one key or all; the last column or stderr says why"),
            MISUSED,
        ],
        variables: &[],
    },
    Below {
        command: "import openrouter",
        examples: &[
            ("tollgate import openrouter", "What it would come to; changes nothing"),
            (
                "tollgate import openrouter --apply",
                "Make its keys here, beside a running server or without one",
            ),
            (
                "tollgate import openrouter --url https://old.example.com/api/v1 --key env:OLD_KEY",
                "Those of another server that speaks the API",
            ),
        ],
        exits: &[
            ("0", "done, or shown"),
            ("1", "refused or failed, one key or all; the last column or stderr says why"),
            MISUSED,
        ],
        variables: &[(
            "OPENROUTER_API_KEY",
            "a management key of OpenRouter, unless --key names another",
        )],
    },
    Below {
        command: "management-keys create",
        examples: &[("tollgate management-keys create --name ci", "Make one and print it, once")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "management-keys list",
        examples: &[("tollgate management-keys list", "Every one there ever was, and its state")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "management-keys revoke",
        examples: &[("tollgate management-keys revoke ci", "It is refused from now on, for ever")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "users add",
        examples: &[(
            "tollgate users add --id ada --email ada@example.com --first-name Ada",
            "Keys can be made for her from now on",
        )],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "users list",
        examples: &[("tollgate users list", "Everyone, and where they are from")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "users remove",
        examples: &[("tollgate users remove ada", "She leaves every workspace")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "holds list",
        examples: &[
            ("tollgate holds list", "What waits for a person"),
            ("tollgate holds list --resolved", "What was corrected, by whom and to what"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "holds settle",
        examples: &[
            (
                "tollgate holds settle gen-1795003200-mPtP0S8jrTgxPrIeEh01 --cost 0.0042",
                "What the provider's bill says",
            ),
            (
                "tollgate holds settle --all-interrupted --cost 0.001",
                "Each charge of the crashes so far at so much",
            ),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "holds void",
        examples: &[
            ("tollgate holds void gen-1795003200-mPtP0S8jrTgxPrIeEh01", "It was not billed"),
            ("tollgate holds void --all-interrupted", "None of those of the crashes was"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "endpoints list",
        examples: &[("tollgate endpoints list", "Which endpoints cost more than was held")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "endpoints clear",
        examples: &[(
            "tollgate endpoints clear openai/gpt-4o-mini openai gpt-4o-mini",
            "Its prices were put right: it serves limited keys again",
        )],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "retention run",
        examples: &[
            ("tollgate retention run --dry-run", "What `store.retention_days` would come to now"),
            ("tollgate retention run --older-than 400", "Seal what is older than 400 days"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "secrets init",
        examples: &[("tollgate secrets init", "Make `secrets.key_file`, or tollgate.key")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "secrets rotate",
        examples: &[("tollgate secrets rotate", "Beside a running server, or where none runs")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "secrets discard",
        examples: &[
            ("tollgate secrets discard", "Which credentials the master key can't read"),
            ("tollgate secrets discard --yes", "Delete them, where that key is lost"),
        ],
        exits: DONE,
        variables: &[("TOLLGATE_MASTER_KEY", "the master key, as `serve` has it")],
    },
    Below {
        command: "config check",
        examples: &[(
            "tollgate config check --config new.toml",
            "Before it takes the old one's place",
        )],
        exits: &[("0", "the configuration is good"), ("1", "something is wrong with it"), MISUSED],
        variables: &[("TOLLGATE_SECTION__SETTING", "any setting, as `serve` has it")],
    },
    Below {
        command: "config default",
        examples: &[("tollgate config default", "A file to begin with: > tollgate.toml")],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "config models",
        examples: &[
            ("tollgate config models", "All that are built in"),
            ("tollgate config models groq", "Those with this in their id or provider"),
        ],
        exits: DONE,
        variables: &[],
    },
    Below {
        command: "config reload",
        examples: &[("tollgate config reload", "New prices are in force from the next request on")],
        exits: &[
            ("0", "in force; warnings name what waits for the next start"),
            ("1", "nothing was changed: the file is wrong, or no server runs"),
            MISUSED,
        ],
        variables: &[],
    },
    Below {
        command: "completions",
        examples: &[
            ("tollgate completions bash", "> /etc/bash_completion.d/tollgate"),
            ("tollgate completions zsh", "> ~/.zfunc/_tollgate"),
            ("tollgate completions fish", "> ~/.config/fish/completions/tollgate.fish"),
        ],
        exits: DONE,
        variables: &[],
    },
];

/// What stands below the list of commands.
const ALL: &str = "\
Exit codes:
  0  done
  1  refused or failed; stderr says why
  2  misused: no such command, option or value

Variables:
  TOLLGATE_CONFIG            the configuration file, where --config is not given
  TOLLGATE_MANAGEMENT_KEY    a management key that `serve` adds where it is new
  TOLLGATE_MASTER_KEY        what credentials of providers are encrypted under
  TOLLGATE_LOG               what is logged, in the place of `log.level`
  TOLLGATE_SECTION__SETTING  any setting, such as TOLLGATE_SERVER__LISTEN
  TOLLGATE_PROFILE           the profile of the server to ask, where --profile is not given
  TOLLGATE_URL               the address of the server to ask, where --url is not given
  TOLLGATE_API_KEY           the key to ask it with
  TOLLGATE_MODEL             the model that `chat` asks, where --model is not given
  OPENROUTER_API_KEY         the key to ask openrouter.ai with
  XDG_CONFIG_HOME            where tollgate/config.toml, the profiles, is; else ~/.config
  NO_COLOR, CLICOLOR         no colours: NO_COLOR set, or CLICOLOR=0
  CLICOLOR_FORCE             colours though stdout is no terminal: 1

Keys, key, usage, credits, activity, models, generation, chat, top, providers, workspaces, byok and
members ask a server by its API: this machine's, or that of a profile. What only reads (audit, backup, export, doctor) reads beside a running server. What changes
something goes through the running server, or opens the book itself where none runs.";

/// The command line with all its help.
pub(crate) fn command() -> clap::Command {
    let command = Arguments::command().after_long_help(ALL);
    COMMANDS.iter().chain(client::COMMANDS).fold(command, |command, below| {
        let names: Vec<&str> = below.command.split(' ').collect();
        with(command, &names, below)
    })
}

fn with(command: clap::Command, names: &[&str], below: &Below) -> clap::Command {
    match names.split_first() {
        Some((name, rest)) => command.mut_subcommand(name, |inner| with(inner, rest, below)),
        None => command.after_long_help(below.text()),
    }
}

impl Below {
    fn text(&self) -> String {
        let mut text = "Examples:\n".to_owned();
        for (line, what) in self.examples {
            text.push_str(&format!("  {line}\n          {what}\n"));
        }
        let mut section = |name: &str, rows: &[(&str, &str)]| {
            let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
            text.push_str(&format!("\n{name}:\n"));
            rows.iter().for_each(|(name, what)| {
                text.push_str(&format!("  {name:width$}  {what}\n"));
            });
        };
        section("Exit codes", self.exits);
        if !self.variables.is_empty() {
            section("Variables", self.variables);
        }
        text.trim_end().to_owned()
    }
}

#[cfg(test)]
mod tests;
