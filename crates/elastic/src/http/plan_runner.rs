//! Runs the plans of one search over one snapshot, and gathers the reasons why their answers are partial.

use chrono_tz::Tz;
use execute::{Answer, PartialReason};
use plan::Plan;
use storage::Snapshot;
use types::{GroupPattern, TimeRange, Timestamp};

use super::search_run::SearchRun;
use door::{Result, Scope};

/// Runs the plans of one search over one snapshot.
pub(super) struct PlanRunner<'a> {
    pub(super) reading: &'a SearchRun<'a>,
    pub(super) snapshot: &'a Snapshot,
    pub(super) groups: Vec<GroupPattern>,
    pub(super) now: Timestamp,
    pub(super) reasons: Vec<PartialReason>,
}

impl PlanRunner<'_> {
    /// Returns the answer of a plan.
    pub(super) fn ask(&mut self, plan: &Plan, range: TimeRange, zone: Tz) -> Result<Answer> {
        let scope = Scope { groups: self.groups.clone(), limit: None, time_zone: zone, now: self.now };
        let mut answer = self.reading.execute_on(self.snapshot, plan, &scope, range)?;
        self.note(std::mem::take(&mut answer.partial_reasons));
        Ok(answer)
    }

    pub(super) fn note(&mut self, reasons: Vec<PartialReason>) {
        for reason in reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}
