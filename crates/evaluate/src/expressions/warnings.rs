//! Warnings of an answer: those of its plan, and those that running the plan adds.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use plan::{Plan, Warning};

/// The warning about times compared with seconds, which may be known when a query is parsed.
const SECONDS_CODE: &str = "time-in-seconds";

/// Collects the warnings of an answer.
#[derive(Debug, Default)]
pub struct Warnings {
    of_plan: Vec<Warning>,
    /// Whether the author of the query knows that numbers are taken as seconds.
    knows_seconds: bool,
    took_seconds: AtomicBool,
}

impl Warnings {
    /// Starts with the warnings of a plan.
    pub fn of(plan: &Plan) -> Self {
        let knows_seconds = plan.warnings.iter().any(|warning| warning.code == SECONDS_CODE);
        Self { of_plan: plan.warnings.clone(), knows_seconds, ..Self::default() }
    }

    /// Collects nothing, for a part of a query whose warnings its other parts give.
    pub fn none() -> Self {
        Self { knows_seconds: true, ..Self::default() }
    }

    /// Notes whether a time was compared with a number taken as seconds.
    pub fn note_seconds(&self, took_seconds: bool) {
        self.took_seconds.fetch_or(took_seconds, Relaxed);
    }

    /// Reports whether running the plan has added a warning. It belongs to the query, not to its rows: results that are
    /// kept for other queries would lose it.
    pub fn has_added(&self) -> bool {
        self.took_seconds.load(Relaxed) && !self.knows_seconds
    }

    /// Returns all warnings.
    pub fn collect(&self) -> Vec<Warning> {
        let seconds = self.has_added().then(|| Warning {
            code: SECONDS_CODE,
            message: "a number below 100000000000 that a time is compared with is taken as seconds".into(),
            line: None,
            column: None,
            hint: Some("write milliseconds, or the time as text: \"2026-11-20T06:00:00Z\"".into()),
        });
        self.of_plan.iter().cloned().chain(seconds).collect()
    }
}
