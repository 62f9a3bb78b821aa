//! A question before what can't be undone.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::{Result, bail};

use crate::output::Misused;

/// Asks on a terminal; where there is none, whoever asked must have said that they are sure.
pub(crate) fn ask(is_sure: bool, question: &str) -> Result<()> {
    if is_sure {
        return Ok(());
    }
    let stdin = std::io::stdin();
    if !(stdin.is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Misused(format!("{question} Nobody is here to answer: say `--yes`")).into());
    }
    let mut stderr = std::io::stderr();
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was done"),
    }
}
