//! How much a selector finds, in bytes, by the labels of its streams: the bars and lists of Drilldown.
//!
//! Bytes are estimated from the number of events and the mean length of an event of their group.

use std::collections::{BTreeMap, BTreeSet};

use axum::Json;
use query::function::Function;
use query::logql::LogQuery;
use query::plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan, Span};
use serde_json::{Value as Shown, json};
use types::{TimeRange, Timestamp, Value};

use super::lines::{self, LABEL_FIELDS, Labels};
use super::{LokiParameters, LokiProblem, select, times};
use crate::parameters::Parameters;
use crate::problem::Problem;
use crate::reading::{Scope, read};
use crate::server::Shared;

/// Series where no limit is given, as in Loki, and at most.
const DEFAULT: usize = 100;
const MOST: usize = 5_000;

/// Rows of one answer before they are put together.
const ROWS_MAX: u64 = 500_000;

/// Bytes of each series at each time, in the order of the times.
type Volumes = BTreeMap<Labels, BTreeMap<Timestamp, f64>>;

/// The whole range as one number for each series.
pub(crate) async fn whole(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Shown>, LokiProblem> {
    let range = times::range(&parameters, server.now())?;
    let series = volumes(&server, &parameters, range, None).await?;
    let sample = |(labels, bytes): &(Labels, BTreeMap<Timestamp, f64>)| json!({"metric": labels, "value": [seconds(range.to), text(total(bytes))]});
    Ok(envelope("vector", series.iter().map(sample).collect()))
}

/// A number for each step.
pub(crate) async fn over_range(
    server: Shared,
    LokiParameters(parameters): LokiParameters,
) -> Result<Json<Shown>, LokiProblem> {
    let range = times::range(&parameters, server.now())?;
    let step = times::step(&parameters, range)?;
    let series = volumes(&server, &parameters, range, Some(step)).await?;
    let sample = |(labels, bytes): &(Labels, BTreeMap<Timestamp, f64>)| {
        let values: Vec<Shown> = bytes.iter().map(|(at, bytes)| json!([seconds(*at), text(*bytes)])).collect();
        json!({"metric": labels, "values": values})
    };
    Ok(envelope("matrix", series.iter().map(sample).collect()))
}

/// What the parameters want to be told apart.
enum Kept {
    /// Series by these labels; by all but levels where none are named.
    Series(BTreeSet<String>),
    /// Each label by itself, without its values; those named, else all.
    Names(BTreeSet<String>),
}

impl Kept {
    fn of(parameters: &Parameters) -> Result<Self, Problem> {
        let named = parameters.get("targetLabels").unwrap_or_default();
        let named: BTreeSet<String> =
            named.split(',').map(str::trim).filter(|n| !n.is_empty()).map(Into::into).collect();
        match parameters.get("aggregateBy") {
            None | Some("" | "series") => Ok(Self::Series(named)),
            Some("labels") => Ok(Self::Names(named)),
            Some(other) => {
                let message = format!("invalid aggregateBy {other:?}: it is series or labels");
                Err(Problem::bad_request("bad-parameter", message))
            }
        }
    }

    /// The series that the events of a stream belong to.
    fn series(&self, labels: Labels) -> Vec<Labels> {
        let is_kept = |named: &BTreeSet<String>, name: &str| match named.is_empty() {
            true => !matches!(name, "level" | "detected_level"),
            false => named.contains(name),
        };
        match self {
            Self::Series(named) => {
                let kept: Labels = labels.into_iter().filter(|(name, _)| is_kept(named, name)).collect();
                if kept.is_empty() { Vec::new() } else { vec![kept] }
            }
            Self::Names(named) => {
                let kept = labels.into_keys().filter(|name| is_kept(named, name));
                kept.map(|name| Labels::from([(name, String::new())])).collect()
            }
        }
    }
}

/// The largest series, largest first.
async fn volumes(
    server: &Shared,
    parameters: &Parameters,
    range: TimeRange,
    step: Option<i64>,
) -> Result<Vec<(Labels, BTreeMap<Timestamp, f64>)>, Problem> {
    let kept = Kept::of(parameters)?;
    let limit = parameters.number("limit")?.unwrap_or(DEFAULT).clamp(1, MOST);
    let text = parameters.get("query").unwrap_or_default().to_owned();
    let log = select::selector(&text)?;
    let now = server.now();
    let (rows, groups) = read(server, &text, move |reading| {
        let scope = Scope { groups: log.sources.clone(), ..select::scope(now) };
        let answer = reading.execute(&plan(&log, range, step), &scope, range)?;
        Ok((answer.rows, reading.server.groups()))
    })
    .await?;
    let means: BTreeMap<&str, f64> = groups
        .iter()
        .map(|group| (group.name.as_str(), group.bytes_raw as f64 / group.n_events.max(1) as f64))
        .collect();
    let mut volumes = Volumes::new();
    for row in &rows {
        let [at, count, fields @ ..] = row.as_slice() else { continue };
        let Some(Value::Integer(count)) = count else { continue };
        let at = match at {
            Some(Value::Timestamp(at)) => *at,
            _ => range.to,
        };
        let group = fields.first().and_then(Option::as_ref).map(Value::to_string).unwrap_or_default();
        let bytes = means.get(group.as_str()).copied().unwrap_or_default() * *count as f64;
        for labels in kept.series(lines::labels(fields)) {
            *volumes.entry(labels).or_default().entry(at).or_default() += bytes;
        }
    }
    let mut series: Vec<_> = volumes.into_iter().collect();
    series.sort_by(|a, b| total(&b.1).total_cmp(&total(&a.1)).then_with(|| a.0.cmp(&b.0)));
    series.truncate(limit);
    Ok(series)
}

/// Counts by the fields that make labels, and by time where there are steps. Columns: time, count, those fields.
fn plan(log: &LogQuery, range: TimeRange, step: Option<i64>) -> Plan {
    let field = |name: &str| (Name::from(name), Expr::Field(name.into()));
    let mut by: Vec<(Name, Expr)> = LABEL_FIELDS.iter().map(|name| field(name)).collect();
    let at: Name = "#at".into();
    let shown_at = match step {
        Some(step) => {
            let origin = Expr::Literal(Some(Value::Timestamp(range.from)));
            let arguments = vec![Expr::Field("@timestamp".into()), origin, Expr::Duration(Span::Nanoseconds(step))];
            by.push((at.clone(), Expr::Call(Function::TimeBucket, arguments)));
            Expr::Field(at.clone())
        }
        None => Expr::Literal(None),
    };
    let count: Name = "#count".into();
    let mut operators = log.operators.clone();
    let aggregate = Aggregate { name: count.clone(), kind: AggregateKind::Count, argument: None };
    operators.push(Operator::Aggregate { by, aggregates: vec![aggregate] });
    operators.push(Operator::Limit(ROWS_MAX));
    let mut columns = vec![(at, shown_at), (count.clone(), Expr::Field(count))];
    columns.extend(LABEL_FIELDS.iter().map(|name| field(name)));
    lines::finished(log, operators, columns)
}

fn total(bytes: &BTreeMap<Timestamp, f64>) -> f64 {
    bytes.values().sum()
}

fn seconds(at: Timestamp) -> i64 {
    at.0.div_euclid(Timestamp::SECOND)
}

fn text(bytes: f64) -> String {
    (bytes.round() as u64).to_string()
}

fn envelope(kind: &str, result: Vec<Shown>) -> Json<Shown> {
    Json(json!({"status": "success", "data": {"resultType": kind, "result": result}}))
}
