//! Why no endpoint of a model may serve a request: the step that left none, and what it looked at.

use api::routing::MaxPrice;
use upstream::Surface;

/// Why a model has no place for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unroutable {
    /// The model, as it was asked for.
    pub model: String,
    /// The step that left none.
    pub step: Step,
    /// The providers that were left until then, by slug, each once.
    pub providers: Vec<String>,
}

/// A step of routing, with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is no such model.
    Model {
        /// A model that is near.
        instead: Option<String>,
    },
    /// It is none of those that the key may use.
    Allowed,
    /// It is asked for at another path.
    Path {
        /// What it is asked for.
        surface: Surface,
    },
    /// Every endpoint of it is passed over: its provider refused the gateway's credential lately, or
    /// it charged more than it may.
    Health,
    /// The model does not take what is in the prompt besides text.
    Input {
        /// What that is.
        modality: &'static str,
    },
    /// No endpoint keeps to how the client wants its data treated.
    DataPolicy {
        /// The member of `provider` that said so.
        field: &'static str,
    },
    /// No endpoint is of the providers that the client names.
    Only {
        /// The member of `provider` that named them.
        field: &'static str,
        /// The providers, as the client names them.
        requested: Vec<String>,
    },
    /// All providers are among those the client will not have.
    Ignore {
        /// The providers, as the client names them.
        requested: Vec<String>,
    },
    /// No endpoint keeps the weights in a way the client wants.
    Quantizations {
        /// What the client wants.
        requested: Vec<String>,
    },
    /// All endpoints are too dear.
    MaxPrice(Box<MaxPrice>),
    /// No endpoint takes tools, and the client wants all its parameters taken.
    Tools,
    /// No endpoint takes all parameters, and the client wants that: those that none takes, or
    /// nothing where they are only not taken together.
    Parameters(Vec<String>),
}

impl Unroutable {
    /// No endpoint of `model` may be used at present.
    pub fn of_health(model: &str) -> Unroutable {
        Unroutable::new(model, Step::Health)
    }

    pub(super) fn new(model: &str, step: Step) -> Unroutable {
        Unroutable { model: model.to_owned(), step, providers: Vec::new() }
    }
}
