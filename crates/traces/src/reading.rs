//! What is read of events: their fields, the cost, and why an answer may be partial.

use execute::{Answer, PartialReason, Stats};
use plan::Name;
use types::Value;

use door::{Outcome, Problem, QueryRun, Reply, Result, Shared};

/// System fields of each event.
pub(crate) const SYSTEM_FIELDS: [&str; 6] = ["@timestamp", "@id", "@log", "@logStream", "@level", "@message"];

/// The fields of an event that have values.
pub(crate) type EventFields = Vec<(Name, Value)>;

/// The cost of reading, and why the answer may be partial.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Why an answer is partial.
    pub(crate) partial_reasons: Vec<PartialReason>,
    /// The cost.
    pub(crate) stats: Stats,
}

impl Reading {
    /// Reports whether the query ran out of time or was cancelled.
    pub(crate) fn is_ended(&self) -> bool {
        self.partial_reasons.iter().any(|reason| matches!(reason.code, "timeout" | "cancelled"))
    }

    /// Returns the messages of the reasons, joined by semicolons; `None` if the answer is complete.
    pub(crate) fn not_whole(&self) -> Option<String> {
        let messages: Vec<&str> = self.partial_reasons.iter().map(|reason| reason.message.as_str()).collect();
        (!messages.is_empty()).then(|| messages.join("; "))
    }

    /// Notes that something was left out.
    pub(crate) fn cut(&mut self, message: String) {
        let reason = PartialReason { code: "cut", message };
        if !self.partial_reasons.contains(&reason) {
            self.partial_reasons.push(reason);
        }
    }

    /// Adds the reasons and the cost of other answers.
    pub(crate) fn take(&mut self, other: Self) {
        let Self { partial_reasons, stats } = other;
        self.add(Answer { partial_reasons, stats, ..Answer::default() });
    }

    /// Refuses a partial answer, for formats that cannot mark one.
    pub(crate) fn whole(&self) -> Result<()> {
        match self.partial_reasons.first() {
            Some(reason) => Err(Problem::internal(format!("the answer is not whole: {}", reason.message))),
            None => Ok(()),
        }
    }

    /// Adds the reasons and the cost of one answer; returns its rows.
    pub(crate) fn add(&mut self, answer: Answer) -> Vec<Vec<Option<Value>>> {
        let (sum, one) = (&mut self.stats, answer.stats);
        sum.events_scanned = sum.events_scanned.saturating_add(one.events_scanned);
        sum.events_matched = sum.events_matched.saturating_add(one.events_matched);
        sum.bytes_read = sum.bytes_read.saturating_add(one.bytes_read);
        sum.elapsed_ms += one.elapsed_ms;
        for reason in answer.partial_reasons {
            if !self.partial_reasons.contains(&reason) {
                self.partial_reasons.push(reason);
            }
        }
        answer.rows
    }
}

/// Returns the step of a query, which is given what it notes about its reading.
pub(crate) fn query(
    server: &Shared,
    text: &str,
    work: impl FnOnce(&QueryRun<'_>, &mut Reading) -> Outcome + Send + 'static,
) -> Outcome {
    Ok(Reply::query(server, text, move |run| work(run, &mut Reading::default())))
}
