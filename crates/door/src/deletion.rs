//! Deletes events that a query selects, and whole groups, for every protocol that can.
//!
//! The query is evaluated over one snapshot of the group: events accepted while it runs are not part of the deletion.
//! Its text is neither kept nor shown among the running queries: it may name the person whose events they are.

use std::sync::Mutex;

use execute::{SelectionReport, Stats};
use plan::{Expr, Operator, Plan};
use serde_json::json;
use storage::{DELETION_BYTES_MAX, DeletionOrder, DeletionReceipt, SequenceCollector, Sequences, StoreError};
use types::{EventId, GroupName, GroupPattern, Hold, TimeRange};

use crate::problem::{Problem, Result};
use crate::query_run::{QueryRun, Scope, complete, damages};
use crate::server::{Server, Shared};

/// The name of a deletion among the running queries.
pub const SHOWN_AS: &str = "(events to delete)";

/// The requester in the receipt of a deletion: only the admin key may delete events.
const REQUESTED_BY: &str = "admin key";

/// Events of one group to be deleted.
pub struct EventDeletion {
    /// The group.
    pub group: GroupName,
    /// Selects the events.
    pub plan: Plan,
    /// The times of the events.
    pub range: TimeRange,
    /// Groups, time zone and limit of the evaluation.
    pub scope: Scope,
    /// The query's text, of which the receipt keeps a digest.
    pub query: String,
    /// The reason, for the receipt.
    pub reason: String,
}

impl EventDeletion {
    /// Returns the deletion of all events of a group that `operators` select within `range`.
    pub fn of_operators(
        server: &Server,
        group: &GroupName,
        mut operators: Vec<Operator>,
        range: TimeRange,
        query: &str,
    ) -> Self {
        operators.push(Operator::Project { columns: vec![("@id".into(), Expr::Field("@id".into()))], is_events: true });
        let plan = Plan::new(operators);
        let (now, time_zone) = (server.now(), chrono_tz::Tz::UTC);
        let scope = Scope { groups: vec![GroupPattern::new(group.as_str())], limit: None, time_zone, now };
        Self { group: group.clone(), plan, range, scope, query: query.to_owned(), reason: String::new() }
    }

    /// Selects and deletes the events; returns the receipt and the selection, with its partial reasons.
    ///
    /// # Errors
    /// If the group is out of reach or reserved, or the query or the store fails.
    pub fn carry_out(&self, reading: &QueryRun<'_>) -> Result<(DeletionReceipt, SelectionReport)> {
        reading.server.must_be_deletable(&self.group)?;
        let (sequences, selected) = self.select(reading)?;
        Ok((self.delete(reading, sequences)?, selected))
    }

    /// Deletes events, and writes an audit event about it.
    ///
    /// # Errors
    /// If the store does not delete them.
    pub fn delete(&self, reading: &QueryRun<'_>, sequences: Sequences) -> Result<DeletionReceipt> {
        let order = DeletionOrder {
            range: self.range,
            query: self.query.clone(),
            requested_by: REQUESTED_BY.into(),
            reason: self.reason.clone(),
        };
        let receipt = reading.server.whole_store().delete_events(&self.group, sequences, &order)?;
        let deletion = format!("{:016x}", receipt.id);
        let details = json!({"group": self.group.as_str(), "events": receipt.n_deleted, "deletion": deletion});
        reading.server.audit_own("events deleted", &details);
        Ok(receipt)
    }

    /// Returns the sequences of the events that the query selects.
    ///
    /// # Errors
    /// If the query fails or is cancelled, or selects too many events.
    pub fn select(&self, reading: &QueryRun<'_>) -> Result<(Sequences, SelectionReport)> {
        let snapshot = reading.snapshot(&self.scope.groups, self.range);
        let progress = |stats: &Stats| reading.note(stats);
        let request = execute::Request { deadline: None, ..reading.request(self.range, &self.scope, &progress) };
        let collector = Mutex::new(SequenceCollector::default());
        let take = |ids: &[EventId]| {
            // A panic in between leaves a set that is whole; the query ends with it.
            let mut collector = collector.hold();
            ids.iter().for_each(|id| collector.push(id.sequence));
            collector.n_bytes() <= DELETION_BYTES_MAX * 2
        };
        let mut selected = execute::select_events(&self.plan, &snapshot.runs, &request, &take)?;
        if selected.partial_reasons.iter().any(|reason| reason.code == "cancelled") {
            return Err(Problem::conflict("cancelled", "the deletion was cancelled; nothing was deleted"));
        }
        complete(&mut selected.stats, &snapshot);
        reading.server.note_damage(&selected.partial_reasons);
        selected.partial_reasons.extend(damages(&snapshot));
        let sequences = collector.into_held().finish();
        if sequences.n_bytes() > DELETION_BYTES_MAX {
            return Err(StoreError::TooManyEvents { bytes_max: DELETION_BYTES_MAX }.into());
        }
        Ok((sequences, selected))
    }
}

/// Deletes a group with its events and its state in the protocol families; reports whether it existed.
///
/// # Errors
/// If the store fails.
pub fn delete_group(server: &Shared, group: &GroupName) -> Result<bool> {
    let mut is_deleted = server.whole_store().delete_group(group)?;
    if server.app.intake.time_zone(group).is_some() {
        server.app.intake.set_time_zone(group, None)?;
    }
    // A group that clients of a family made goes too, also if it has no events yet.
    is_deleted |= server.forget_group(group)?;
    if is_deleted {
        server.app.intake.sources.forget_content(group.as_str());
        server.audit_own("group deleted", &json!({"group": group.as_str()}));
    }
    Ok(is_deleted)
}
