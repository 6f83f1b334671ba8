//! Reads slices: the spans that are calls, requests or roots, with the columns that the map needs and no others.

use std::sync::{Arc, Mutex, PoisonError};

use plan::function::Function;
use plan::{Expr, Name, Operator, Plan, not};
use storage::Snapshot;
use types::{TimeRange, Timestamp, Value};

use door::problem::Problem;
use door::query_run::{QueryRun, Takers};

use super::measure::Call;
use super::slices::{MapSpan, Slice, SliceBuilder, Target, TargetKind, key};
use crate::plans::{equal, field, first_of, is_present, is_span, one_of};
use crate::read::Reading;
use crate::span::{SpanKind, member, nanoseconds, number};
use crate::times;

/// Limit on the links of a message that are followed.
const LINKS_MAX: usize = 16;

/// Attributes that name what a call goes to, in order of their OpenTelemetry versions.
const DATABASE: [&str; 2] = ["db.system.name", "db.system"];
const QUEUE: [&str; 1] = ["messaging.system"];
const PEER: [&str; 1] = ["peer.service"];
const ADDRESS: [&str; 5] = ["server.address", "net.peer.name", "network.peer.address", "http.host", "net.peer.ip"];

/// Reads the slices of a range, oldest first.
pub(crate) fn read_slices(
    run: &QueryRun<'_>,
    snapshot: &Snapshot,
    range: TimeRange,
    step: i64,
    reading: &mut Reading,
) -> Result<Vec<Slice>, Problem> {
    let n_slices = usize::try_from(range.to.0.saturating_sub(range.from.0) / step).unwrap_or_default();
    let progress = Mutex::new(Progress { slices: vec![Slice::default(); n_slices], current: None });
    let take = |rows: Vec<Vec<Option<Value>>>| {
        let mut progress = progress.lock().unwrap_or_else(PoisonError::into_inner);
        for row in &rows {
            let Some((at, span)) = span(row) else { continue };
            let slice = at.0.saturating_sub(range.from.0) / step;
            progress.builder(usize::try_from(slice).unwrap_or_default()).add(span);
        }
        true
    };
    let takers = Takers { rows: &take, partial_rows: &|_| {} };
    let scope = times::scope(run.server.now());
    let answer = run.execute_into(snapshot, &plan(), &scope, range, takers)?;
    // Rows that did not leave early.
    take(reading.add(answer));
    let mut progress = progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    progress.close();
    Ok(progress.slices)
}

/// Slices under way: rows come in order of time, so one is built at a time.
struct Progress {
    slices: Vec<Slice>,
    current: Option<(usize, SliceBuilder)>,
}

impl Progress {
    /// Returns the builder of a slice.
    fn builder(&mut self, index: usize) -> &mut SliceBuilder {
        if self.current.as_ref().is_none_or(|(current, _)| *current != index) {
            self.close();
        }
        &mut self.current.get_or_insert_with(|| (index, SliceBuilder::default())).1
    }

    /// Finishes the slice that is built.
    fn close(&mut self) {
        if let Some((index, builder)) = self.current.take()
            && let Some(slice) = self.slices.get_mut(index)
        {
            *slice = builder.finish();
        }
    }
}

/// Returns the plan of the spans that concern the map, newest first.
fn plan() -> Plan {
    let kinds = ["server", "client", "producer", "consumer"].map(str::to_owned);
    let is_root = not(is_present("parent_span_id"));
    let concerns = Expr::Or(Box::new(one_of("kind", &kinds)), Box::new(is_root));
    let links = Expr::Call(Function::If, vec![equal("kind", "consumer"), field("links"), Expr::Literal(None)]);
    let own = ["@timestamp", "trace_id", "span_id", "parent_span_id", "service", "kind", "status", "duration_ms"];
    let mut columns: Vec<(Name, Expr)> = own.iter().map(|name| (Name::from(*name), field(name))).collect();
    let is_call = || one_of("kind", &["client".to_owned(), "producer".to_owned()]);
    let targets = [("database", &DATABASE[..]), ("queue", &QUEUE), ("peer", &PEER), ("address", &ADDRESS)];
    for (name, fields) in targets {
        let of_call = Expr::Call(Function::If, vec![is_call(), first_of(fields), Expr::Literal(None)]);
        columns.push((name.into(), of_call));
    }
    columns.push(("links".into(), links));
    Plan::new(vec![
        Operator::Filter(is_span()),
        Operator::Filter(concerns),
        Operator::Project { columns, is_events: true },
    ])
}

/// Returns a span and its start, given the columns of [`plan`].
fn span(row: &[Option<Value>]) -> Option<(Timestamp, MapSpan)> {
    let [Some(Value::Timestamp(at)), trace_id, span_id, parent, service, kind, status, duration, targets @ .., links] =
        row
    else {
        return None;
    };
    let text = |value: &Option<Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string().into(),
        None => Arc::from(""),
    };
    let trace_id = text(trace_id);
    let mut causes: Vec<u64> = parent.iter().map(|parent| key(&trace_id, &text(&Some(parent.clone())))).collect();
    if let Some(Value::List(items)) = links {
        for item in items.iter().take(LINKS_MAX) {
            let Some(Value::Object(link)) = item else { continue };
            let id = |name: &str| member(link, name).map(Value::to_string).unwrap_or_default();
            causes.push(key(&id("trace_id"), &id("span_id")));
        }
        causes.dedup();
    }
    let duration_ns = nanoseconds(duration.as_ref().and_then(number).unwrap_or_default());
    let span = MapSpan {
        key: key(&trace_id, &text(span_id)),
        causes,
        service: text(service),
        kind: SpanKind::of(&text(kind)),
        call: Call::of(duration_ns, matches!(status, Some(Value::String(status)) if &**status == "error")),
        target: target(targets),
    };
    Some((*at, span))
}

/// Returns what a call goes to, given its database, queue, peer and address.
fn target(columns: &[Option<Value>]) -> Option<Target> {
    let [database, queue, peer, address] = columns else { return None };
    let kind = match (database, queue) {
        (Some(_), _) => TargetKind::Database,
        (None, Some(_)) => TargetKind::Queue,
        (None, None) => TargetKind::External,
    };
    let named = [peer, database, queue, address].into_iter().flatten().map(Value::to_string);
    let name = named.into_iter().find(|name| !name.is_empty())?;
    Some(Target { kind, name: name.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_have_the_best_name_and_the_kind_of_their_system() {
        let check = |columns: [&str; 4], expected: Option<(TargetKind, &str)>| {
            let columns = columns.map(|text| (!text.is_empty()).then(|| Value::text(text)));
            let found = target(&columns).map(|target| (target.kind, target.name.to_string()));
            assert_eq!(found, expected.map(|(kind, name)| (kind, name.to_owned())));
        };
        check(["postgresql", "", "", "db-1"], Some((TargetKind::Database, "postgresql")));
        check(["postgresql", "", "orders-db", "db-1"], Some((TargetKind::Database, "orders-db")));
        check(["", "kafka", "", "k"], Some((TargetKind::Queue, "kafka")));
        check(["", "", "", "api.example.com"], Some((TargetKind::External, "api.example.com")));
        check(["", "", "", ""], None);
    }
}
