//! Labels, their values, and the label sets of streams.

use std::collections::BTreeSet;

use language::logql::{LabelView, LogQuery};
use plan::{Aggregate, AggregateKind, Expr, Name, Operator};
use serde_json::{Value, json};
use types::{LEVELS, TimeRange};

use super::lines::{self, LABEL_FIELDS, Labels};
use super::{select, times};
use crate::problem::in_time;
use crate::state::Call;
use door::{Outcome, Parameters, Problem, QueryRun, Reply, Result, Scope};

/// Limit on the label sets of an answer that says when there are more.
const SERIES_MAX: usize = 5_000;

/// Limit on the label sets that a request goes through. Beyond it, the request is refused: an answer would lack labels or values.
const SETS_MAX: usize = 100_000;

pub(crate) fn names(call: Call) -> Outcome {
    check_selector(&call.parameters)?;
    with_sets(&call, &["query"], &LABEL_FIELDS, |sets| {
        let names: BTreeSet<&String> = sets.iter().flat_map(|labels| labels.keys()).collect();
        json!({"status": "success", "data": names})
    })
}

pub(crate) fn series(call: Call) -> Outcome {
    let names = ["match[]", "match"];
    for text in names.iter().flat_map(|name| call.parameters.all(name)).filter(|text| text.trim() != "{}") {
        language::logql::selector(text, true)?;
    }
    with_sets(&call, &names, &LABEL_FIELDS, |sets| {
        let mut sets = Vec::from_iter(sets);
        let mut answer = json!({"status": "success"});
        if sets.len() > SERIES_MAX {
            sets.truncate(SERIES_MAX);
            answer["warnings"] = json!([format!("there are more than {SERIES_MAX} series; these are some of them")]);
        }
        answer["data"] = json!(sets);
        answer
    })
}

pub(crate) fn values(mut call: Call) -> Outcome {
    check_selector(&call.parameters)?;
    let label = call.variable();
    with_sets(&call, &["query"], fields_of(&label), move |sets| {
        let values: BTreeSet<String> = sets.into_iter().filter_map(|mut labels| labels.remove(&label)).collect();
        let mut values: Vec<String> = values.into_iter().filter(|value| !value.is_empty()).collect();
        // The few levels are in order of severity.
        if values.iter().all(|value| LEVELS.iter().any(|level| level.name() == value)) {
            values.sort_by_key(|value| LEVELS.iter().position(|level| level.name() == value));
        }
        json!({"status": "success", "data": values})
    })
}

/// Refuses a selector with stages, or one that matches everything.
pub(crate) fn check_selector(parameters: &Parameters) -> Result<()> {
    let Some(text) = parameters.get("query") else { return Ok(()) };
    language::logql::selector(text, true)?;
    Ok(())
}

/// Returns the fields from which a label may come. Any label may be part of the name of the stream. Counting by fewer
/// fields is faster.
fn fields_of(label: &str) -> &'static [&'static str] {
    match label {
        "group" => &["@log", "@logStream"],
        "service_name" => &["@logStream", "service_name", "service.name", "service"],
        "host" => &["@logStream", "host"],
        _ => &["@logStream"],
    }
}

/// Returns the query of a selector, or one for everything.
pub(crate) fn selection(selector: Option<&str>) -> Result<LogQuery> {
    match selector {
        None => Ok(LogQuery { sources: Vec::new(), operators: Vec::new(), shown: LabelView::default() }),
        Some(text) => select::selector(text),
    }
}

/// Answers with what `shown` makes of the label sets of all streams that match any of the selectors in the parameters `names`; labels
/// are those from some fields, of [`LABEL_FIELDS`].
pub(crate) fn with_sets(
    call: &Call,
    names: &[&str],
    fields: &'static [&'static str],
    shown: impl FnOnce(BTreeSet<Labels>) -> Value + Send + 'static,
) -> Outcome {
    let (range, now) = (times::range(&call.parameters, call.server.now())?, call.server.now());
    let mut selectors: Vec<&str> = names.iter().flat_map(|name| call.parameters.all(name)).collect();
    selectors.dedup();
    let mut selections = selectors.iter().map(|text| selection(Some(*text))).collect::<Result<Vec<_>, _>>()?;
    if selections.is_empty() {
        selections.push(selection(None)?);
    }
    Ok(Reply::query(&call.server, &selectors.join(" "), move |reading| {
        let mut sets = BTreeSet::new();
        for log in &selections {
            sets.extend(sets_of(reading, log, fields, range, now)?);
            if sets.len() > SETS_MAX {
                let message = format!(
                    "there are more than {SETS_MAX} streams; name some by a selector, or ask for a shorter range"
                );
                return Err(Problem::bad_request("too-many-series", message));
            }
        }
        Ok(Reply::json(&shown(sets)))
    }))
}

/// Returns the label sets of the events of one plan, by an aggregation over `fields`.
fn sets_of(
    reading: &QueryRun<'_>,
    log: &LogQuery,
    fields: &[&str],
    range: TimeRange,
    now: types::Timestamp,
) -> Result<Vec<Labels>> {
    let field = |name: &str| (Name::from(name), Expr::Field(name.into()));
    let by: Vec<(Name, Expr)> = fields.iter().map(|name| field(name)).collect();
    let count = Aggregate { name: "count".into(), kind: AggregateKind::Count, argument: None };
    let mut operators = log.operators.clone();
    operators.push(Operator::Aggregate { by, aggregates: vec![count] });
    operators.push(Operator::Limit(SETS_MAX as u64 + 1));
    let column = |name: &str| if fields.contains(&name) { field(name) } else { (name.into(), Expr::Literal(None)) };
    let columns = LABEL_FIELDS.iter().map(|name| column(name)).collect();
    let scope = Scope { groups: log.sources.clone(), ..times::scope(now) };
    let answer = in_time(reading.execute(&lines::finished(log, operators, columns), &scope, range)?)?;
    Ok(answer.rows.iter().map(|row| lines::labels(row)).collect())
}
