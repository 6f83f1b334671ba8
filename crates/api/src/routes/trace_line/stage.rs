//! The stages that a line passes on its way from a file to an answer.

use serde_json::{Map, Value, json};

types::named! {
    /// What became of a line at one stage.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Outcome {
        /// It went on as it was.
        Passed = "passed",
        /// It went on, changed.
        Changed = "changed",
        /// It went no further.
        Stopped = "stopped",
        /// It is there still, and will go on.
        Waiting = "waiting",
        /// Nothing is known.
        Unknown = "unknown",
    }
}

/// A stage, and what became of the line there.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// The name of the stage.
    pub(super) name: &'static str,
    /// What became of the line.
    pub(super) outcome: Outcome,
    /// The same as a sentence.
    pub(super) text: String,
    /// Further members of the stage in the answer.
    pub(super) details: Map<String, Value>,
}

impl Stage {
    pub(super) fn new(name: &'static str, outcome: Outcome, text: impl Into<String>) -> Self {
        Self { name, outcome, text: text.into(), details: Map::new() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// Reports whether the line went no further than this, for now or for ever.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.outcome, Outcome::Stopped | Outcome::Waiting)
    }

    pub(super) fn json(&self) -> Value {
        let mut stage = json!({"stage": self.name, "outcome": self.outcome.name(), "text": self.text});
        if let Some(members) = stage.as_object_mut() {
            members.extend(self.details.clone());
        }
        stage
    }
}
