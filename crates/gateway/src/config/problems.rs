//! What is wrong with a configuration: all of it at once, each problem with the setting it is of.

use std::fmt;

/// Why a configuration was not taken: one problem a line.
#[derive(Debug)]
pub struct ConfigError(Vec<Problem>);

#[derive(Debug)]
struct Problem {
    /// The setting, where it is one's.
    setting: Option<String>,
    text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", problem.text)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A problem that is of no setting.
    pub(super) fn plain(text: impl Into<String>) -> ConfigError {
        ConfigError(vec![Problem { setting: None, text: text.into() }])
    }

    /// The variable `name` is not as it must be.
    pub(super) fn in_variable(name: &str, problem: &str) -> ConfigError {
        ConfigError::plain(format!("variable {name} {problem}"))
    }

    /// `setting` is not as it must be.
    pub fn invalid(setting: &str, problem: impl fmt::Display) -> ConfigError {
        let text = format!("setting `{setting}` {problem}");
        ConfigError(vec![Problem { setting: Some(setting.to_owned()), text }])
    }

    /// Each problem as a sentence.
    pub fn problems(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|problem| problem.text.as_str())
    }
}

/// Problems that are gathered while the reading goes on.
#[derive(Debug, Default)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Keeps what went wrong, and gives what did not.
    pub fn take<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    /// Keeps a problem. Of a setting the first one is enough: what is said of it afterwards follows
    /// from that.
    pub fn add(&mut self, error: ConfigError) {
        for problem in error.0 {
            let is_known = problem.setting.is_some()
                && self.0.iter().any(|known| known.setting == problem.setting);
            if !is_known {
                self.0.push(problem);
            }
        }
    }

    /// All of them, or nothing where there is none.
    pub fn end(self) -> Result<(), ConfigError> {
        if self.0.is_empty() { Ok(()) } else { Err(ConfigError(self.0)) }
    }
}
