//! How far long work is, on stderr, where a person watches; elsewhere nothing is shown of it.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often it moves though nothing is said of it.
const MOVES_EVERY: Duration = Duration::from_millis(120);
const WITHOUT_END: &str = "{spinner} {msg} {elapsed}";
const COUNTED: &str = "{spinner} {msg} {human_pos} {elapsed}";
const WITH_END: &str = "{spinner} {msg} {bar:30} {percent} % {eta}";

/// Shown until it is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Work of which nobody knows how much there is. It is shown at once, however soon it ends.
    pub(crate) fn of(what: &'static str) -> Progress {
        let progress = Progress(ProgressBar::new_spinner().with_message(what));
        progress.styled(WITHOUT_END);
        progress.0.force_draw();
        progress.0.enable_steady_tick(MOVES_EVERY);
        progress
    }

    /// Says how much is done.
    pub(crate) fn counted(&self, done: u64) {
        if self.0.position() == 0 {
            self.styled(COUNTED);
        }
        self.0.set_position(done);
    }

    /// Says how much is done, of how much.
    pub(crate) fn reached(&self, done: u64, of: u64) {
        if self.0.length() != Some(of) {
            self.styled(WITH_END);
            self.0.set_length(of);
        }
        self.0.set_position(done);
    }

    fn styled(&self, template: &str) {
        // A template that is not understood leaves the one before.
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.0.set_style(style);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_understood() {
        for template in [WITHOUT_END, COUNTED, WITH_END] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
