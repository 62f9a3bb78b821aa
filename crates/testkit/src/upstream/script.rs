//! Which behaviour the next request for a model gets.
//! A list is used up from the front; its last entry stays.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use super::behaviour::Behaviour;

pub(super) struct Script {
    lines: Mutex<Lines>,
}

struct Lines {
    by_model: HashMap<String, VecDeque<Behaviour>>,
    default: Behaviour,
}

impl Script {
    pub(super) fn new() -> Script {
        let lines = Lines { by_model: HashMap::new(), default: Behaviour::new() };
        Script { lines: Mutex::new(lines) }
    }

    pub(super) fn set(&self, model: &str, behaviours: impl IntoIterator<Item = Behaviour>) {
        let queue: VecDeque<Behaviour> = behaviours.into_iter().collect();
        assert!(!queue.is_empty(), "no behaviour for model {model:?}");
        self.lines.lock().by_model.insert(model.to_owned(), queue);
    }

    pub(super) fn set_default(&self, behaviour: Behaviour) {
        self.lines.lock().default = behaviour;
    }

    pub(super) fn next(&self, model: &str) -> Behaviour {
        let mut lines = self.lines.lock();
        let Lines { by_model, default } = &mut *lines;
        let next = by_model.get_mut(model).and_then(|queue| {
            if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() }
        });
        next.unwrap_or_else(|| default.clone())
    }

    /// The models a test has named, in alphabetical order.
    pub(super) fn models(&self) -> Vec<String> {
        let mut models: Vec<String> = self.lines.lock().by_model.keys().cloned().collect();
        models.sort();
        models
    }
}
