//! What else began, or ended, within the same minutes.

use std::sync::Arc;

use execute::{Change, EventSet, PartialReason, Request, RestartKind, Result, changes};
use plan::{Earlier, Expr, Operator, Plan};
use types::{Run, TimeRange, Timestamp};

use crate::concurrent::{Concurrent, ConcurrentKind};
use crate::marks::{is_mark_group, marks};
use crate::silence::silences;

/// Time before and after an onset within which something may have to do with it.
const BEFORE: i64 = 15 * Timestamp::MINUTE;
const AFTER: i64 = 5 * Timestamp::MINUTE;

/// Things of one kind that are told.
const PER_KIND_MAX: usize = 10;

/// Marks of a range that are told, the newest ones.
const AXIS_MARKS_MAX: usize = 100;

/// How many times more often a pattern has to come than before.
const JUMP_MIN: u64 = 4;

/// Fewer events than this of a pattern that is new are chance.
const NEW_EVENTS_MIN: u64 = 3;

/// Finds what began in the minutes around `began` among the events of `set`, oldest first.
pub fn concurrent(
    set: EventSet<'_>,
    runs: &[Arc<dyn Run>],
    began: Timestamp,
) -> Result<(Vec<Concurrent>, Vec<PartialReason>)> {
    let around =
        TimeRange { from: Timestamp(began.0.saturating_sub(BEFORE)), to: Timestamp(began.0.saturating_add(AFTER)) };
    let all = everything(set.plan);
    let request = Request { range: around, limit: None, ..*set.request };
    let others: Vec<Arc<dyn Run>> =
        runs.iter().filter(|run| !is_mark_group(run.info().group.as_str())).cloned().collect();
    let found = changes(&all, &others, &request, Earlier::Preceding, 5 * PER_KIND_MAX)?;
    let mut concurrent: Vec<Concurrent> = Vec::new();
    let mut reasons = found.partial_reasons;
    concurrent.extend(found.changes.iter().filter_map(|change| pattern(change, began)).take(PER_KIND_MAX));
    concurrent.extend(found.restarts.iter().rev().take(PER_KIND_MAX).map(restart));
    let marked = marks(runs, &request, PER_KIND_MAX)?;
    reasons.extend(marked.partial_reasons);
    concurrent.extend(marked.marks.iter().map(mark));
    let silent = silences(EventSet { plan: &all, request: &request }, &others, began)?;
    concurrent.extend(silent.into_iter().take(PER_KIND_MAX));
    concurrent.sort_by(|a, b| (a.at, a.kind, &a.what).cmp(&(b.at, b.kind, &b.what)));
    Ok((concurrent, reasons))
}

/// Finds marks, restarts and sources that fell silent in a range of the events of `set`, oldest first.
pub fn axis(
    set: EventSet<'_>,
    runs: &[Arc<dyn Run>],
    range: TimeRange,
) -> Result<(Vec<Concurrent>, Vec<PartialReason>)> {
    let all = everything(set.plan);
    let request = Request { range, limit: None, ..*set.request };
    let others: Vec<Arc<dyn Run>> =
        runs.iter().filter(|run| !is_mark_group(run.info().group.as_str())).cloned().collect();
    let found = changes(&all, &others, &request, Earlier::Preceding, 0)?;
    let marked = marks(runs, &request, AXIS_MARKS_MAX)?;
    let mut on_axis: Vec<Concurrent> =
        found.restarts.iter().map(restart).chain(marked.marks.iter().map(mark)).collect();
    on_axis.extend(silences(EventSet { plan: &all, request: &request }, &others, range.to)?);
    on_axis.sort_by(|a, b| (a.at, a.kind, &a.what).cmp(&(b.at, b.kind, &b.what)));
    let mut reasons = found.partial_reasons;
    reasons.extend(marked.partial_reasons);
    Ok((on_axis, reasons))
}

/// Returns a plan for all events of the groups of another one.
pub fn everything(plan: &Plan) -> Plan {
    let columns = vec![("@message".into(), Expr::Field("@message".into()))];
    let mut all = Plan::new(vec![Operator::Project { columns, is_events: true }]);
    all.sources.clone_from(&plan.sources);
    all
}

/// Returns a pattern that is new or jumped, with the time from which it comes.
fn pattern(change: &Change, began: Timestamp) -> Option<Concurrent> {
    let [now, before] = change.n_events;
    let is_new = before == 0 && now >= NEW_EVENTS_MIN;
    if !is_new && (before == 0 || now < JUMP_MIN * before || now < 2 * NEW_EVENTS_MIN) {
        return None;
    }
    let at = if is_new { change.first.as_ref()?.time } else { jump_time(change)? };
    if at.0 < began.0.saturating_sub(BEFORE) {
        return None;
    }
    let how = if is_new { "new".to_owned() } else { change.description.clone() };
    Some(Concurrent {
        kind: ConcurrentKind::Pattern,
        at,
        what: format!("{how}: {}", change.pattern),
        query: change.query.clone(),
        n_events: change.n_events,
        about: change
            .services
            .iter()
            .take(1)
            .map(|origin| (origin.field.to_owned(), origin.name.to_string()))
            .collect(),
    })
}

/// Returns the start of the first span of time in which a pattern came half as often as it ever did.
fn jump_time(change: &Change) -> Option<Timestamp> {
    let most = change.counts.iter().map(|(_, count)| *count).max()?;
    change.counts.iter().find(|(_, count)| 2 * count >= most).map(|(at, _)| *at)
}

fn restart(restart: &execute::Restart) -> Concurrent {
    let mut about = vec![("@log".to_owned(), restart.group.to_string())];
    let origins = [&restart.service, &restart.host];
    about.extend(origins.into_iter().flatten().map(|(field, name)| ((*field).to_owned(), name.to_string())));
    let of_host = restart.host.as_ref().map(|(_, name)| format!(" on {name}")).unwrap_or_default();
    let what = match restart.kind {
        RestartKind::Process => format!("{}{of_host}: another process", restart.name),
        _ => format!("{}{of_host}: {}", restart.name, cut(&restart.first.text)),
    };
    Concurrent {
        kind: ConcurrentKind::Restart,
        at: restart.first.time,
        what,
        query: Some(format!("filter @id = \"{}\"", restart.first.id)),
        n_events: [restart.n_events, 0],
        about,
    }
}

fn mark(mark: &crate::marks::Mark) -> Concurrent {
    let fields = mark.fields.iter().map(|(name, value)| (name.to_string(), value.to_string()));
    Concurrent {
        kind: ConcurrentKind::Mark,
        at: mark.at,
        what: mark.text.clone(),
        query: Some(format!("filter @id = \"{}\"", mark.id)),
        n_events: [1, 0],
        about: fields.collect(),
    }
}

/// Longest text of an event inside a sentence.
const TEXT_CHARS_MAX: usize = 200;

fn cut(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(TEXT_CHARS_MAX).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}
