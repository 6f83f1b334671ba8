//! Answers of LogQL in the form of golden cases.
//!
//! A log query gives a row per line, oldest first: the line, and its labels but for those that every event of a case
//! has, `group` and `filename`, as `name=value` in the order of the names. A metric query gives a row per series: its
//! labels, and its value at each step, or at ten past six where a case names no steps.

use execute::{Answer, ColumnInfo, ColumnKind};
use language::logql;
use language::logql::{LogQuery, MetricQuery, Query, Series, Steps, run_metric};
use plan::{Expr, LabelSet, Operator, Plan, PlanDraft, QueryErrors, SortKey};
use types::{TimeRange, Timestamp, Value, parse_duration_ns};

use super::case::Case;

/// The day of all cases, and the instant of those without steps.
const DAY: &str = "2026-11-20T";
const INSTANT: &str = "06:10:00";

/// Asks a case; `execute` runs a plan.
pub(crate) fn answer(case: &Case, execute: &mut dyn FnMut(&Plan, TimeRange) -> Answer) -> Result<Answer, QueryErrors> {
    Ok(match logql::parse(&case.query)? {
        Query::Log(log) => lines(&log, execute),
        Query::Metric(metric) => series(case, &metric, execute),
    })
}

fn lines(log: &LogQuery, execute: &mut dyn FnMut(&Plan, TimeRange) -> Answer) -> Answer {
    let mut operators = log.operators.clone();
    operators.push(Operator::Sort(vec![SortKey { expr: Expr::Field("@timestamp".into()), descending: false }]));
    let columns =
        vec![("line".into(), Expr::Field("@message".into())), ("labels".into(), Expr::Field("#shown".into()))];
    let shown_at = operators.len() - 1;
    operators.insert(shown_at, Operator::Extend { name: "#shown".into(), expr: log.shown.label_set() });
    operators.push(Operator::Project { columns, is_events: true });
    let answer = execute(
        &PlanDraft { sources: log.sources.clone(), operators, ..PlanDraft::default() }.finish(),
        TimeRange::ALL,
    );
    let rows = answer.rows.iter().map(|row| {
        let set = row[1].as_ref().map(Value::to_string).unwrap_or_default();
        vec![
            row[0].clone(),
            Some(shown(LabelSet::read(&set).labels().into_iter().filter(|(name, _)| !is_of_all(name)))),
        ]
    });
    of_rows(vec!["line".into(), "labels".into()], rows.collect())
}

fn is_of_all(name: &str) -> bool {
    matches!(name, "group" | "filename")
}

fn series(case: &Case, metric: &MetricQuery, execute: &mut dyn FnMut(&Plan, TimeRange) -> Answer) -> Answer {
    let at = |time: &str| Timestamp::parse_rfc3339(&format!("{DAY}{time}Z")).expect("a time of the day");
    let steps = match case.steps.as_deref().map(|text| text.split(' ').collect::<Vec<_>>()).as_deref() {
        Some([start, end, step]) => {
            Steps { start: at(start), end: at(end), step_ns: parse_duration_ns(step).expect("a duration") }
        }
        Some(other) => panic!("steps are start, end and step: {other:?}"),
        None => Steps::instant(at(INSTANT)),
    };
    let run = |plan: &Plan, range| Ok::<_, std::convert::Infallible>(execute(plan, range).rows);
    let found = run_metric(metric, steps, run);
    let times: Vec<Timestamp> =
        (0..).map(|n| Timestamp(steps.start.0 + n * steps.step_ns)).take_while(|at| *at <= steps.end).collect();
    let value = |series: &Series, at: Timestamp| {
        series.points.iter().find(|point| point.at == at).map(|point| Value::Float(point.value))
    };
    let row = |series: &Series| {
        let labels = series.labels.iter().filter(|(name, _)| !is_of_all(name)).cloned();
        std::iter::once(Some(shown(labels))).chain(times.iter().map(|at| value(series, *at))).collect()
    };
    let rows = match found {
        Ok(series) => series.iter().map(row).collect(),
        Err(error) => {
            let no_values = times.iter().map(|_| None);
            vec![std::iter::once(Some(Value::text(error.to_string()))).chain(no_values).collect()]
        }
    };
    let mut names = vec!["series".to_owned()];
    names.extend(times.iter().map(|at| at.to_string()[11..19].to_owned()));
    of_rows(names, rows)
}

fn shown(labels: impl Iterator<Item = (String, String)>) -> Value {
    Value::text(labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" "))
}

fn of_rows(names: Vec<String>, rows: Vec<Vec<Option<Value>>>) -> Answer {
    let column = |name| ColumnInfo { name, kind: ColumnKind::Any, approximate: false };
    Answer { columns: names.into_iter().map(column).collect(), rows, ..Answer::default() }
}
