//! What a pipeline would do to the stored events of a group: counted over all events of a range.

use std::sync::Mutex;

use chrono_tz::Tz;
use execute::{Answer, BlockVisitor};
use ingest::{Pipelines, Trial, TrialCounts, TrialExample, TrialOutcome};
use serde_json::{Value, json};
use storage::Snapshot;
use suggestion::Selection;
use types::{Column, GroupName, GroupPattern, Hold, RowSet, Run, ScanError, TimeRange, Timestamp};

use super::counting::{all_events, share};
use super::{Use, uses_of};
use crate::state::Shared;
use door::{Parameters, Problem, QueryRun, Result, Scope, reason_json, stats_json};

/// Where a range begins that has no beginning.
const FROM_DEFAULT: &str = "now-24h";

/// Characters of a value that are shown of an example.
const VALUE_CHARS_MAX: usize = 2_000;

/// The events that pipelines are tried on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DryRunRange {
    pub(super) range: TimeRange,
    time_zone: Tz,
    now: Timestamp,
}

impl DryRunRange {
    /// Reads `from`, `to` and `time_zone` of an address.
    pub(super) fn of_parameters(parameters: &Parameters, now: Timestamp) -> Result<Self> {
        let text = |name: &str| parameters.get(name).filter(|text| !text.is_empty()).map(Value::from);
        Self::new(text("from").as_ref(), text("to").as_ref(), parameters.get("time_zone"), now)
    }

    /// Returns a range; the last 24 hours where nothing else is said.
    pub(crate) fn new(
        from: Option<&Value>,
        to: Option<&Value>,
        time_zone: Option<&str>,
        now: Timestamp,
    ) -> Result<Self> {
        let time_zone = crate::ask::time_zone(time_zone)?;
        let from = from.cloned().unwrap_or_else(|| FROM_DEFAULT.into());
        let range = crate::ask::range(Some(&from), to, now, time_zone)?;
        Ok(Self { range, time_zone, now })
    }

    pub(super) fn scope(&self, group: &GroupName) -> Scope {
        let groups = vec![GroupPattern::new(group.as_str())];
        Scope { groups, limit: None, time_zone: self.time_zone, now: self.now }
    }
}

/// Tries pipelines on blocks.
struct TrialVisitor<'a> {
    trial: Trial<'a>,
    counts: Mutex<TrialCounts>,
}

impl BlockVisitor for TrialVisitor<'_> {
    fn rows(&self, run: &dyn Run, block: usize, rows: &RowSet) -> Result<(), ScanError> {
        let counts = self.trial.block(run, block, rows)?;
        self.counts.hold().merge(counts);
        Ok(())
    }

    fn visit(&self, _block: usize, _columns: &[std::sync::Arc<Column>]) {}
}

/// Counts what each of some pipelines would do to the events of a group.
pub(super) fn count(
    reading: &QueryRun<'_>,
    server: &Shared,
    snapshot: &Snapshot,
    (group, range): (&GroupName, &DryRunRange),
    candidates: &[Pipelines],
) -> Result<(TrialCounts, Answer)> {
    let intake = &server.app.intake;
    let current = intake.pipelines();
    let trial = intake.trial(&current, candidates, group, range.now);
    let none = TrialCounts { outcomes: vec![TrialOutcome::default(); candidates.len()], ..TrialCounts::default() };
    let visitor = TrialVisitor { trial, counts: Mutex::new(none) };
    let answer = reading.visit(snapshot, &all_events(), &range.scope(group), range.range, &visitor)?;
    Ok((visitor.counts.into_held(), answer))
}

/// Answers the dry run of one definition.
pub(crate) fn dry_run(
    reading: &QueryRun<'_>,
    server: &Shared,
    (group, range): (&GroupName, &DryRunRange),
    definition: &Value,
) -> Result<Value> {
    let wrong = |problem: String| Problem::bad_request("bad-pipeline", problem);
    let candidate = Pipelines::compile_one(definition).map_err(wrong)?;
    let snapshot = reading.snapshot(&range.scope(group).groups, range.range);
    let (counts, answer) = count(reading, server, &snapshot, (group, range), std::slice::from_ref(&candidate))?;
    let outcome = counts.outcomes.first().cloned().unwrap_or_default();
    let uses = uses_of(server, &Selection::all_of(definition))?;
    Ok(json!({
        "group": group.as_str(),
        "from": range.range.from.to_string(),
        "to": range.range.to.to_string(),
        "events": counts.n_events,
        "bytes": counts.n_bytes,
        "event_share": share(outcome.concerned(), counts.n_events),
        "byte_share": share(outcome.bytes_before, counts.n_bytes),
        "dry_run": outcome_json(&outcome),
        "used_by": Use::list_json(&uses),
        "stats": stats_json(&answer.stats),
        "partial": !answer.partial_reasons.is_empty(),
        "partial_reasons": answer.partial_reasons.iter().map(reason_json).collect::<Vec<_>>(),
    }))
}

/// Returns what a pipeline would do as JSON.
pub(super) fn outcome_json(outcome: &TrialOutcome) -> Value {
    let mut shown = json!(outcome);
    shown["kept"] = outcome.matched.saturating_sub(outcome.dropped + outcome.sampled_out).into();
    shown["examples"] = outcome.examples.iter().map(example).collect();
    shown
}

/// Returns an event before and after: what is different, and the text.
fn example(example: &TrialExample) -> Value {
    let TrialExample { time, before, after } = example;
    let cut = |value: &Value| match value {
        Value::String(text) => Value::from(text.chars().take(VALUE_CHARS_MAX).collect::<String>()),
        other => other.clone(),
    };
    let text = |event: &serde_json::Map<String, Value>| event.get("@message").map(cut);
    let changes = after.as_ref().map(|after| {
        let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
        let changed = names.filter(|name| before.get(*name) != after.get(*name));
        let change = |name: &String| {
            json!({"field": name, "before": before.get(name).map(cut), "after": after.get(name).map(cut)})
        };
        changed.map(change).collect::<Vec<_>>()
    });
    json!({"time": time.to_string(), "text": text(before), "kept": after.is_some(), "changes": changes.unwrap_or_default()})
}
