//! What a command says, as one text: its arguments, its exit code, its stdout and its stderr.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a line of arguments in a folder, with those variables and no others of ours.
pub(crate) fn transcript_with(folder: &Path, line: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TOLLGATE_") {
            command.env_remove(name);
        }
    }
    command.args(line.split_whitespace()).envs(variables.iter().copied());
    let output = command.current_dir(folder).stdin(Stdio::null()).output();
    let output = output.expect("a command that runs");
    let code = output.status.code().expect("an exit code");
    let mut told = format!("$ tollgate {line}\n[{code}]\n");
    for (mark, bytes) in [("", output.stdout), ("! ", output.stderr)] {
        for line in String::from_utf8(bytes).expect("text").lines() {
            told.push_str(format!("{mark}{line}").trim_end());
            told.push('\n');
        }
    }
    let folder = folder.canonicalize().expect("a folder");
    told.replace(folder.to_str().expect("text"), "FOLDER")
}

/// The same without variables.
pub(crate) fn transcript(folder: &Path, line: &str) -> String {
    transcript_with(folder, line, &[])
}
