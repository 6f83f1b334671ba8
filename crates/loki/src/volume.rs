//! `index/volume`: bytes of the lines that a selector matches, by the labels of their streams, for Drilldown.
//!
//! Bytes are counted, while Loki estimates them from its chunks. Series and steps are as in Loki.

use std::collections::{BTreeMap, BTreeSet};

use language::logql::{LogQuery, Selector};
use plan::{Aggregate, AggregateKind, Expr, Function, Length, Name, Operator, Plan};
use serde_json::{Value as Shown, json};
use types::{TimeRange, Timestamp, Value};

use super::lines::{self, LABEL_FIELDS, Labels};
use super::{select, times};
use crate::problem::in_time;
use crate::state::Call;
use door::{Outcome, Parameters, Problem, Reply, Result, Scope};

/// Default and limit of the number of series, as in Loki.
const DEFAULT: usize = 100;
pub(crate) const MOST: usize = 5_000;

/// Limit on the rows of one answer before they are merged.
const ROWS_MAX: u64 = 500_000;

/// Bytes of each series at each time, in the order of the times.
type Volumes = BTreeMap<Labels, BTreeMap<Timestamp, u64>>;

/// One series of an answer.
type Series = (Labels, BTreeMap<Timestamp, u64>);

/// Answers with one number for each series over the whole range.
pub(crate) fn whole(call: Call) -> Outcome {
    let range = times::range(&call.parameters, call.server.now())?;
    with_volumes(&call, range, None, move |series| {
        let sample = |(labels, bytes): &Series| json!({"metric": labels, "value": [seconds(range.to), total(bytes).to_string()]});
        envelope("vector", series.iter().map(sample).collect())
    })
}

/// Answers with a number for each step.
pub(crate) fn over_range(call: Call) -> Outcome {
    let range = times::range(&call.parameters, call.server.now())?;
    let step = times::step(&call.parameters, range)?;
    with_volumes(&call, range, Some(step), |series| {
        let sample = |(labels, bytes): &Series| {
            let values: Vec<Shown> = bytes.iter().map(|(at, bytes)| json!([seconds(*at), bytes.to_string()])).collect();
            json!({"metric": labels, "values": values})
        };
        envelope("matrix", series.iter().map(sample).collect())
    })
}

/// The grouping of streams by `aggregateBy` and `targetLabels`.
enum Grouping {
    /// Series by the values of these labels, or of all labels.
    Series(Option<BTreeSet<String>>),
    /// One series for each of these labels, or of all labels, without values.
    Names(Option<BTreeSet<String>>),
}

impl Grouping {
    /// Reads the grouping. Without target labels, the labels of the selector are used.
    fn of(parameters: &Parameters, selector: &Selector, targets: &[String]) -> Result<Self> {
        let named = |names: &[String]| (!names.is_empty()).then(|| names.iter().cloned().collect());
        match parameters.get("aggregateBy") {
            None | Some("series") if targets.is_empty() => Ok(Self::Series(named(&selector.labels))),
            None | Some("series") => Ok(Self::Series(named(targets))),
            Some("labels") => Ok(Self::Names(named(targets))),
            Some(other) => {
                let message = format!("invalid aggregation option {other:?}: aggregateBy is series or labels");
                Err(Problem::bad_parameter(message))
            }
        }
    }

    /// Returns the series of a stream.
    fn series(&self, labels: Labels) -> Vec<Labels> {
        let is_in = |named: &Option<BTreeSet<String>>, name: &str| named.as_ref().is_none_or(|n| n.contains(name));
        match self {
            Self::Series(named) => vec![labels.into_iter().filter(|(name, _)| is_in(named, name)).collect()],
            Self::Names(named) => {
                let names = labels.into_keys().filter(|name| is_in(named, name));
                names.map(|name| Labels::from([(name, String::new())])).collect()
            }
        }
    }
}

/// Returns the labels of `targetLabels`.
fn target_labels(parameters: &Parameters) -> Vec<String> {
    let names = parameters.get("targetLabels").unwrap_or_default().split(',');
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Answers with what `shown` makes of the largest series, largest first.
fn with_volumes(
    call: &Call,
    range: TimeRange,
    step: Option<i64>,
    shown: impl FnOnce(Vec<Series>) -> Shown + Send + 'static,
) -> Outcome {
    let parameters = &call.parameters;
    let text = parameters.get("query").unwrap_or_default();
    let targets = target_labels(parameters);
    let grouping = Grouping::of(parameters, &language::logql::selector(text, text.trim() != "{}")?, &targets)?;
    let limit = match parameters.number::<i64>("limit")?.unwrap_or_default() {
        0 => DEFAULT,
        limit => usize::try_from(limit).map_err(|_| select::bad_limit())?.min(MOST),
    };
    let (log, now) = (select::selector(text)?, call.server.now());
    Ok(Reply::query(&call.server, text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
        let answer = in_time(reading.execute(&plan(&log, range, step), &scope, range)?)?;
        let mut series = volumes(&answer.rows, &grouping, &targets, step, range.to)?;
        series.truncate(limit);
        Ok(Reply::json(&shown(series)))
    }))
}

/// Returns the series of rows of [`plan`], largest first.
fn volumes(
    rows: &[Vec<Option<Value>>],
    grouping: &Grouping,
    targets: &[String],
    step: Option<i64>,
    end: Timestamp,
) -> Result<Vec<Series>> {
    if rows.len() as u64 >= ROWS_MAX {
        let message =
            format!("there are more than {ROWS_MAX} streams and steps; ask for a shorter range or a longer step");
        return Err(Problem::bad_request("too-many-series", message));
    }
    let mut volumes = Volumes::new();
    for row in rows {
        let [at, Some(Value::Integer(bytes)), fields @ ..] = row.as_slice() else { continue };
        let labels = lines::labels(fields);
        // Streams without one of the target labels are left out, as if the selector required it.
        if targets.iter().any(|target| !labels.contains_key(target)) {
            continue;
        }
        let at = match (at, step) {
            (Some(Value::Timestamp(at)), Some(step)) => shown_at(*at, step, end),
            _ => end,
        };
        for series in grouping.series(labels) {
            let sum = volumes.entry(series).or_default().entry(at).or_default();
            *sum = sum.saturating_add(u64::try_from(*bytes).unwrap_or_default());
        }
    }
    let mut series: Vec<_> = volumes.into_iter().collect();
    series.sort_by(|a, b| total(&b.1).cmp(&total(&a.1)).then_with(|| a.0.cmp(&b.0)));
    Ok(series)
}

/// Returns the time at which a step is shown: its last millisecond, or the end of the range if that is earlier.
fn shown_at(start: Timestamp, step: i64, end: Timestamp) -> Timestamp {
    let next = start.0.saturating_add(step);
    Timestamp(if next >= end.0 { end.0 } else { next - Timestamp::SECOND / 1000 })
}

/// Sums bytes by the fields of labels, and by time if there are steps. Columns: time, bytes, those fields.
fn plan(log: &LogQuery, range: TimeRange, step: Option<i64>) -> Plan {
    let field = |name: &str| (Name::from(name), Expr::Field(name.into()));
    let mut by: Vec<(Name, Expr)> = LABEL_FIELDS.iter().map(|name| field(name)).collect();
    let at: Name = "#at".into();
    let shown_at = match step {
        Some(step) => {
            // Steps begin at multiples of their length, not at the start of the range.
            let origin = Expr::Literal(Some(Value::Timestamp(Timestamp(range.from.0 - range.from.0.rem_euclid(step)))));
            let arguments = vec![Expr::Field("@timestamp".into()), origin, Expr::Duration(Length::Nanoseconds(step))];
            by.push((at.clone(), Expr::Call(Function::TimeBucket, arguments)));
            Expr::Field(at.clone())
        }
        None => Expr::Literal(None),
    };
    let bytes: Name = "#bytes".into();
    let mut operators = log.operators.clone();
    let length = Expr::Call(Function::ByteLength, vec![Expr::Field("@message".into())]);
    let aggregate = Aggregate { name: bytes.clone(), kind: AggregateKind::Sum, argument: Some(length) };
    operators.push(Operator::Aggregate { by, aggregates: vec![aggregate] });
    operators.push(Operator::Limit(ROWS_MAX));
    let mut columns = vec![(at, shown_at), (bytes.clone(), Expr::Field(bytes))];
    columns.extend(LABEL_FIELDS.iter().map(|name| field(name)));
    lines::finished(log, operators, columns)
}

fn total(bytes: &BTreeMap<Timestamp, u64>) -> u64 {
    bytes.values().sum()
}

/// Returns seconds, with milliseconds unless they are 0.
fn seconds(at: Timestamp) -> Shown {
    let milliseconds = at.0.div_euclid(Timestamp::SECOND / 1000);
    if milliseconds % 1000 == 0 { json!(milliseconds / 1000) } else { json!(milliseconds as f64 / 1000.0) }
}

fn envelope(kind: &str, result: Vec<Shown>) -> Shown {
    json!({"status": "success", "data": {"resultType": kind, "result": result}})
}
