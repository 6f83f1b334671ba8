//! Sources that stopped sending: groups, services and hosts whose events came regularly and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use execute::{EventSet, Request, Result, execute};
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan};
use types::{Run, TimeRange, Timestamp, Value};

use crate::concurrent::{Concurrent, ConcurrentKind};
use crate::text::{conditions_of, equal, is_present, query};

/// Fields that name a source.
const SOURCE_FIELDS: [&str; 8] =
    ["@log", "service", "service.name", "service_name", "host", "hostname", "host.name", "pod"];

/// Those among them that name services.
const SERVICE_FIELDS: [&str; 3] = ["service", "service.name", "service_name"];

/// Events of a source before it can be missed.
const EVENTS_MIN: i64 = 12;

/// A source is missed once it is silent for as many times its mean interval, and for at least a minute.
const INTERVALS_MIN: i64 = 12;
const SILENCE_MIN: i64 = Timestamp::MINUTE;

/// Time in which a source has to have sent regularly, before and up to it.
const REGULAR: i64 = 60 * Timestamp::MINUTE;

/// Sources of one field; with more of them the field names something else.
const SOURCES_MAX: usize = 5_000;

/// What is known of one source.
#[derive(Clone, Copy)]
struct Seen {
    n_events: i64,
    first: i64,
    last: i64,
    /// When the last one arrived.
    arrived: i64,
}

/// Finds the sources among the events of `set` that fell silent in its range and stayed so until the last event of the others,
/// or the end of what `began` may have to do with.
pub(crate) fn silences(set: EventSet<'_>, runs: &[Arc<dyn Run>], began: Timestamp) -> Result<Vec<Concurrent>> {
    let range = set.request.range;
    let newest = runs.iter().map(|run| run.info().last.0).max().unwrap_or(range.to.0);
    let until = newest.min(set.request.now.0).min(began.0.saturating_add(REGULAR)).max(range.to.0.min(newest));
    let wide =
        TimeRange { from: Timestamp(range.from.0.saturating_sub(REGULAR)), to: Timestamp(until.saturating_add(1)) };
    let mut found: Vec<Concurrent> = Vec::new();
    let names: BTreeSet<Arc<str>> = runs.iter().filter_map(|run| run.field_names().ok()).flatten().collect();
    for field in SOURCE_FIELDS.into_iter().filter(|field| field.starts_with('@') || names.contains(*field)) {
        let request = Request { range: wide, limit: None, ..*set.request };
        for (name, seen) in sources(EventSet { plan: set.plan, request: &request }, runs, field)? {
            let interval = (seen.last - seen.first) / seen.n_events.max(1);
            let silent_for = until.saturating_sub(seen.last);
            let is_silent = seen.n_events >= EVENTS_MIN
                && range.contains(Timestamp(seen.last))
                && silent_for >= interval.saturating_mul(INTERVALS_MIN).max(SILENCE_MIN)
                // A burst is no regular source.
                && seen.last - seen.first >= REGULAR / 6;
            if is_silent && !found.iter().any(|known| known.at.0.abs_diff(seen.last) < 2) {
                let what = if field == "@log" { format!("group {name}") } else { format!("{field} {name}") };
                // What still arrives, with times that have passed, is not silent: its clock is off.
                let is_late = |usual: i64| seen.arrived.saturating_sub(usual) >= silent_for / 2;
                let jumped = is_late(seen.last) && is_late(usual_arrival(set, runs, seen.last)?);
                let (kind, how) = if jumped {
                    (ConcurrentKind::Clock, ": its clock jumped, its events have earlier times")
                } else {
                    (ConcurrentKind::Silence, " sends nothing any more")
                };
                found.push(Concurrent {
                    kind,
                    at: Timestamp(seen.last),
                    what: format!("{what}{how}"),
                    query: query(set.plan, &equal(field, Some(Value::text(&*name)))),
                    n_events: [0, seen.n_events.unsigned_abs()],
                    about: vec![(field.to_owned(), name.clone())],
                });
            }
        }
    }
    Ok(found)
}

/// Returns when events of the minute after an instant began to arrive: the instant itself, or much later where all events were
/// sent together afterwards.
fn usual_arrival(set: EventSet<'_>, runs: &[Arc<dyn Run>], at: i64) -> Result<i64> {
    let name = Name::from("arrived");
    let argument = Some(Expr::Field("@ingestionTime".into()));
    let mut operators = conditions_of(set.plan);
    operators.push(Operator::Aggregate {
        by: Vec::new(),
        aggregates: vec![Aggregate { name: name.clone(), kind: AggregateKind::Min, argument }],
    });
    operators.push(Operator::Project { columns: vec![(name.clone(), Expr::Field(name))], is_events: false });
    let range = TimeRange { from: Timestamp(at.saturating_add(1)), to: Timestamp(at.saturating_add(SILENCE_MIN)) };
    let request = Request { range, limit: None, ..*set.request };
    let answer = execute(&Plan::new(operators), runs, &request)?;
    Ok(match answer.rows.first().map(Vec::as_slice) {
        Some([Some(Value::Timestamp(arrived))]) => arrived.0.max(at),
        _ => at,
    })
}

/// Returns the services that a tenth of the events of a set or more are of.
pub(crate) fn services(set: EventSet<'_>, runs: &[Arc<dyn Run>]) -> Result<BTreeSet<String>> {
    let names: BTreeSet<Arc<str>> = runs.iter().filter_map(|run| run.field_names().ok()).flatten().collect();
    let mut found = BTreeSet::new();
    for field in SERVICE_FIELDS.into_iter().filter(|field| names.contains(*field)) {
        let sources = sources(set, runs, field)?;
        let n_events: i64 = sources.values().map(|seen| seen.n_events).sum();
        let frequent = sources.into_iter().filter(|(_, seen)| 10 * seen.n_events >= n_events);
        found.extend(frequent.map(|(name, _)| name));
    }
    Ok(found)
}

/// Returns the values of a field that names sources, with their first and last events.
fn sources(set: EventSet<'_>, runs: &[Arc<dyn Run>], field: &str) -> Result<BTreeMap<String, Seen>> {
    let names: [Name; 5] = ["source", "n", "first", "last", "arrived"].map(Name::from);
    let time = || Some(Expr::Field("@timestamp".into()));
    let arrival = Some(Expr::Field("@ingestionTime".into()));
    let aggregate = |name: &Name, kind, argument| Aggregate { name: name.clone(), kind, argument };
    let mut operators = conditions_of(set.plan);
    if field != "@log" {
        operators.push(Operator::Filter(is_present(field)));
    }
    operators.push(Operator::Aggregate {
        by: vec![(names[0].clone(), Expr::Field(field.into()))],
        aggregates: vec![
            aggregate(&names[1], AggregateKind::Count, None),
            aggregate(&names[2], AggregateKind::Min, time()),
            aggregate(&names[3], AggregateKind::Max, time()),
            aggregate(&names[4], AggregateKind::Max, arrival),
        ],
    });
    let columns = names.iter().map(|name| (name.clone(), Expr::Field(name.clone()))).collect();
    operators.push(Operator::Project { columns, is_events: false });
    let answer = execute(&Plan::new(operators), runs, set.request)?;
    if answer.rows.len() > SOURCES_MAX {
        return Ok(BTreeMap::new());
    }
    let seen = |row: &Vec<Option<Value>>| {
        let [Some(name), Some(Value::Integer(n_events)), times @ ..] = &row[..] else { return None };
        let [Some(Value::Timestamp(first)), Some(Value::Timestamp(last)), arrived] = times else { return None };
        let arrived = if let Some(Value::Timestamp(arrived)) = arrived { arrived.0 } else { last.0 };
        Some((name.to_string(), Seen { n_events: *n_events, first: first.0, last: last.0, arrived }))
    };
    Ok(answer.rows.iter().filter_map(seen).collect())
}
