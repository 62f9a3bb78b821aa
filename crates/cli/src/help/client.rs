//! What stands below the options of the commands that ask a server by its API.

use super::{Below, DONE};

/// Variables of whatever asks a server.
const SERVER: &[(&str, &str)] = &[
    ("TOLLGATE_PROFILE", "the profile of the server, where neither --profile nor --url is given"),
    ("TOLLGATE_URL", "the address of the server's API, where neither is given"),
    ("TOLLGATE_CONFIG", "the configuration of the local server, where nothing names another"),
    ("TOLLGATE_API_KEY", "the key to ask with, before the current profile's"),
    ("OPENROUTER_API_KEY", "the same, for openrouter.ai alone"),
    ("NO_COLOR", "no colours; nor with CLICOLOR=0, and always with CLICOLOR_FORCE=1"),
];

/// The same, where a management key is needed.
const MANAGEMENT: &[(&str, &str)] = &[
    ("TOLLGATE_PROFILE", "the profile of the server, where neither --profile nor --url is given"),
    ("TOLLGATE_URL", "the address of the server's API, where neither is given"),
    ("TOLLGATE_CONFIG", "the configuration of the local server, where nothing names another"),
    ("TOLLGATE_API_KEY", "the management key to ask with, before the current profile's"),
    ("TOLLGATE_MANAGEMENT_KEY", "the same, for the local server of tollgate.toml alone"),
    ("OPENROUTER_API_KEY", "the same, for openrouter.ai alone"),
    ("NO_COLOR", "no colours; nor with CLICOLOR=0, and always with CLICOLOR_FORCE=1"),
];

/// The same, of `chat`.
const CHAT: &[(&str, &str)] = &[
    ("TOLLGATE_MODEL", "the model, where --model is not given"),
    ("TOLLGATE_PROFILE", "the profile of the server, where neither --profile nor --url is given"),
    ("TOLLGATE_URL", "the address of the server's API, where neither is given"),
    ("TOLLGATE_CONFIG", "the configuration of the local server, where nothing names another"),
    ("TOLLGATE_API_KEY", "the inference key to ask with, before the current profile's"),
    ("OPENROUTER_API_KEY", "the same, for openrouter.ai alone"),
];

const PLACE: &[(&str, &str)] =
    &[("XDG_CONFIG_HOME", "where tollgate/config.toml is, in the place of ~/.config")];

pub(super) const COMMANDS: &[Below] = &[
    Below {
        command: "keys create",
        examples: &[
            (
                "tollgate keys create ci --limit 25 --reset monthly --expires 90d",
                "25 dollars a month, for 90 days",
            ),
            (
                "tollgate keys create web --model openai/gpt-4o-mini --rpm 60 --quiet",
                "Its text alone, for a variable or a password manager",
            ),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "keys list",
        examples: &[
            ("tollgate keys list", "What they may spend, and have spent"),
            (
                "tollgate keys list --all --workspace all --json",
                "Every key there is, for a program",
            ),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "keys get",
        examples: &[
            ("tollgate keys get ci", "By name"),
            ("tollgate keys get 3f9a1c20", "By the beginning of its hash"),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "keys update",
        examples: &[
            (
                "tollgate keys update ci --limit 50 --reset monthly",
                "50 dollars a month, from the next request on",
            ),
            (
                "tollgate keys update ci --limit none --disable",
                "No limit, but refused until --enable",
            ),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "keys delete",
        examples: &[
            ("tollgate keys delete ci", "Asks first"),
            ("tollgate keys delete 3f9a1c20 --yes", "For a script"),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "key",
        examples: &[
            ("tollgate key", "What this key may spend"),
            ("tollgate key --profile prod --json", "The same, for a program"),
        ],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "usage",
        examples: &[
            ("tollgate usage", "The last 30 days, a bar each"),
            ("tollgate usage --by model --days 7", "Which models cost what in a week"),
            ("tollgate usage --key ci --by month", "One key, by months"),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "credits",
        examples: &[("tollgate credits", "What was charged in all")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "activity",
        examples: &[
            ("tollgate activity --date 2026-11-20", "One day"),
            ("tollgate activity --key ci --json", "All that one key paid"),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "models",
        examples: &[
            ("tollgate models", "All of them"),
            ("tollgate models claude --parameter tools", "Those that can use tools"),
        ],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "models list",
        examples: &[(
            "tollgate models list --provider openai --sort newest",
            "What one provider runs, the newest first",
        )],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "models get",
        examples: &[("tollgate models get openai/gpt-4o-mini", "Its prices and what it can do")],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "models endpoints",
        examples: &[(
            "tollgate models endpoints openai/gpt-4o-mini",
            "Where it runs, and at what price",
        )],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "generation",
        examples: &[(
            "tollgate generation gen-1795003200-mPtP0S8jrTgxPrIeEh01",
            "What one request came to",
        )],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "chat",
        examples: &[
            (
                "tollgate chat --model openai/gpt-4o-mini why is the sky blue",
                "Its answer as it comes, then its cost",
            ),
            (
                "tollgate chat --model openai/gpt-4o-mini --system summarise --max-tokens 200 -",
                "What is piped in: < report.txt",
            ),
        ],
        exits: DONE,
        variables: CHAT,
    },
    Below {
        command: "top",
        examples: &[
            ("tollgate top", "Who spends, how fast: q ends it"),
            ("tollgate top --once --sort usage", "One table, for a script"),
            ("tollgate top --interval 5s --json", "A line of JSON every five seconds"),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "providers",
        examples: &[("tollgate providers", "Their names and slugs")],
        exits: DONE,
        variables: SERVER,
    },
    Below {
        command: "workspaces list",
        examples: &[("tollgate workspaces list", "Every workspace and its id")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces get",
        examples: &[("tollgate workspaces get research", "One, by its slug")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces create",
        examples: &[(
            "tollgate workspaces create research --name Research --model openai/gpt-4o-mini",
            "With a model for requests that name none",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces update",
        examples: &[(
            "tollgate workspaces update research --model none",
            "Requests must name a model again",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces delete",
        examples: &[("tollgate workspaces delete research --yes", "Once it has no keys")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces budgets list",
        examples: &[(
            "tollgate workspaces budgets list research",
            "What its keys may spend together",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces budgets set",
        examples: &[(
            "tollgate workspaces budgets set research monthly 500",
            "500 dollars a month, from now on",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "workspaces budgets delete",
        examples: &[(
            "tollgate workspaces budgets delete research monthly",
            "No such budget any more",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "byok list",
        examples: &[("tollgate byok list --provider openai", "Those of one provider")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "byok get",
        examples: &[(
            "tollgate byok get 7c9e6679-7425-40de-944b-e07fc1f90ae7",
            "One, without its secret",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "byok create",
        examples: &[
            ("tollgate byok create openai --name team --secret-file openai.key", "From a file"),
            (
                "tollgate byok create openai --secret-command pass show openai",
                "From a password manager",
            ),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "byok update",
        examples: &[
            (
                "tollgate byok update 7c9e6679-7425-40de-944b-e07fc1f90ae7 --secret-stdin",
                "Another secret, piped in",
            ),
            (
                "tollgate byok update 7c9e6679-7425-40de-944b-e07fc1f90ae7 --disable",
                "Not to be used for now",
            ),
        ],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "byok delete",
        examples: &[(
            "tollgate byok delete 7c9e6679-7425-40de-944b-e07fc1f90ae7 --yes",
            "Its secret too",
        )],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "members list",
        examples: &[("tollgate members list", "Their ids, for `keys create --creator`")],
        exits: DONE,
        variables: MANAGEMENT,
    },
    Below {
        command: "profile add",
        examples: &[
            (
                "tollgate profile add local --url http://127.0.0.1:8787 --key-env TOLLGATE_ADMIN",
                "Its key is in a variable",
            ),
            (
                "tollgate profile add openrouter --url https://openrouter.ai/api/v1 --key-keyring",
                "The keyring asks for its key, and keeps it",
            ),
            (
                "tollgate profile add prod --url https://tollgate.example.com/api/v1 --key-command pass show tollgate/prod",
                "A password manager has its key",
            ),
        ],
        exits: DONE,
        variables: PLACE,
    },
    Below {
        command: "profile list",
        examples: &[("tollgate profile list", "Every server, the current one marked")],
        exits: DONE,
        variables: PLACE,
    },
    Below {
        command: "profile use",
        examples: &[("tollgate profile use prod", "It is asked from now on")],
        exits: DONE,
        variables: PLACE,
    },
    Below {
        command: "profile remove",
        examples: &[("tollgate profile remove prod", "Nothing happens to the server")],
        exits: DONE,
        variables: PLACE,
    },
    Below {
        command: "profile check",
        examples: &[
            ("tollgate profile check", "Whether the current server takes its key"),
            ("tollgate profile check prod", "Another one"),
        ],
        exits: DONE,
        variables: PLACE,
    },
];
