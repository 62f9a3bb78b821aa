use clap::Command;

use super::*;

/// Set to make docs/cli.md anew instead of comparing it.
const UPDATE: &str = "UPDATE_DOCS";
const COLUMNS: usize = 100;

/// Every command, each after its parent, with its name from the first word on.
fn all() -> Vec<(String, Command)> {
    fn below(command: &Command, name: &str, all: &mut Vec<(String, Command)>) {
        all.push((name.to_owned(), command.clone()));
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            below(inner, &format!("{name} {}", inner.get_name()), all);
        }
    }
    let mut command = command();
    command.build();
    let mut all = Vec::new();
    below(&command, "tollgate", &mut all);
    all
}

/// docs/cli.md as it should be.
fn page() -> String {
    let mut page = include_str!("page.md").to_owned();
    for (name, command) in all() {
        let help = command.term_width(COLUMNS).render_long_help().to_string();
        let lines: Vec<&str> = help.trim_end().lines().map(str::trim_end).collect();
        page.push_str(&format!("\n### {name}\n\n```text\n{}\n```\n", lines.join("\n")));
    }
    page
}

#[test]
fn the_page_is_what_the_program_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let (written, said) = (std::fs::read_to_string(path).unwrap(), page());
    let differs = written.lines().zip(said.lines()).find(|(written, said)| written != said);
    assert!(
        written == said,
        "docs/cli.md is not what the program says: {differs:?}; {UPDATE}=1 makes it anew"
    );
}

#[test]
fn every_command_is_described_in_a_line_and_at_length_with_examples_and_exit_codes() {
    for (name, command) in all() {
        let line = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(!line.is_empty() && !line.contains('\n'), "{name} has no description in one line");
        if command.has_subcommands() && command.is_subcommand_required_set() {
            continue;
        }
        let long = command.get_long_about().map(ToString::to_string).unwrap_or_default();
        assert!(long.len() > line.len() + 40, "{name} has no description at length");
        let below = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        assert!(below.contains("Exit codes:\n  0"), "{name} has no exit codes");
        assert!(name == "tollgate" || below.starts_with("Examples:\n  tollgate "), "{name}");
        for argument in command.get_arguments() {
            let what = argument.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(what.len() > 8, "{name}: {} is not described", argument.get_id());
        }
    }
}

#[test]
fn every_example_is_a_command_that_is_understood() {
    let mut examples = 0;
    for below in COMMANDS.iter().chain(client::COMMANDS) {
        for (line, what) in below.examples {
            assert!(line.starts_with(&format!("tollgate {}", below.command)), "{line}");
            assert!(!what.is_empty());
            let parsed = command().try_get_matches_from(line.split(' '));
            assert!(
                parsed.is_ok(),
                "{line}: {}",
                parsed.err().map_or(String::new(), |e| e.to_string())
            );
            examples += 1;
        }
    }
    assert!(examples > 30, "{examples} examples");
}
