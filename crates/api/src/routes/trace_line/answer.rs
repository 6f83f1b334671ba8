//! The stages `range` and `query`: whether the event is in the answer of a query, and which command leaves it out.

use door::{QueryRun, Result, Scope};
use execute::{Side, beyond};
use language::ParseOptions;
use plan::{Comparison, Expr, Operator, Plan};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use super::stage::{Outcome, Stage};
use super::stored::FoundEvent;
use crate::ask::Question;

/// Rows of an answer where neither the query nor the request says how many.
const ROWS_DEFAULT: u64 = 1_000;

/// Returns the stages of an event in the answer of a question.
pub(super) fn stages(reading: &QueryRun<'_>, question: &Question, event: &FoundEvent) -> Result<Vec<Stage>> {
    let groups = &question.scope.groups;
    let is_of_groups = groups.is_empty() || GroupPattern::any_matches(groups, &event.group);
    let (time, range) = (event.id.timestamp, question.range);
    let stopped = |text: String| Ok(vec![Stage::new("range", Outcome::Stopped, text)]);
    if !is_of_groups {
        let asked: Vec<&str> = groups.iter().map(GroupPattern::as_str).collect();
        return stopped(format!("the query asks the groups {}; the event is in {}", asked.join(", "), event.group));
    }
    if time < range.from || time >= range.to {
        let text = format!("the query is about {} to {}; the event is of {time}", range.from, range.to);
        return stopped(text);
    }
    let passed = Stage::new("range", Outcome::Passed, "the event is in the range and the groups of the query");
    Ok(vec![passed, query(reading, question, event)?])
}

/// Returns whether the commands of a query let an event through.
fn query(reading: &QueryRun<'_>, question: &Question, event: &FoundEvent) -> Result<Stage> {
    if plan::has_subqueries(&question.plan) {
        let text = "the query has subqueries, which are not traced";
        return Ok(Stage::new("query", Outcome::Unknown, text));
    }
    let operators = question.plan.operators();
    let n_lead = operators.iter().take_while(|operator| is_row_wise(operator)).count();
    let (lead, rest) = operators.split_at(n_lead);
    for (place, operator) in lead.iter().enumerate() {
        let is_filter = matches!(operator, Operator::Filter(_));
        if is_filter && !is_let_through(reading, question, event, &lead[..=place])? {
            let text = format!("the condition `{operator}` leaves it out");
            return Ok(Stage::new("query", Outcome::Stopped, text).with("operator", operator.to_string()));
        }
    }
    match rest.iter().find(|operator| !is_about_order(operator)) {
        Some(operator) => {
            let text = format!("all conditions let it through; it is one of the events of `{operator}`");
            Ok(Stage::new("query", Outcome::Passed, text))
        }
        None => placed(reading, question, event, (lead, rest)),
    }
}

/// Returns whether an event that all conditions let through is among the rows that are shown.
fn placed(
    reading: &QueryRun<'_>,
    question: &Question,
    event: &FoundEvent,
    (lead, rest): (&[Operator], &[Operator]),
) -> Result<Stage> {
    let is_sorted = rest.iter().any(|operator| matches!(operator, Operator::Sort(_) | Operator::Tail(_)));
    if is_sorted {
        let text =
            "all conditions let it through; whether it is among the rows shown depends on the order of the query";
        return Ok(Stage::new("query", Outcome::Passed, text));
    }
    let of_query = rest.iter().find_map(|operator| if let Operator::Limit(n) = operator { Some(*n) } else { None });
    let limit = of_query.or(question.scope.limit.map(|limit| limit as u64)).unwrap_or(ROWS_DEFAULT);
    let n_newer = n_newer(reading, question, event, lead)?;
    if n_newer < limit {
        let text = format!("it is in the answer: row {} of the newest {limit}", n_newer + 1);
        return Ok(Stage::new("query", Outcome::Passed, text));
    }
    let text = format!("it matches, but the answer shows the newest {limit} of {} events up to it", n_newer + 1);
    Ok(Stage::new("query", Outcome::Stopped, text))
}

fn is_row_wise(operator: &Operator) -> bool {
    matches!(operator, Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Lookup(_))
}

fn is_about_order(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::Sort(_) | Operator::Limit(_) | Operator::Tail(_) | Operator::Project { is_events: true, .. }
    )
}

fn is_let_through(reading: &QueryRun<'_>, question: &Question, event: &FoundEvent, lead: &[Operator]) -> Result<bool> {
    let id = Box::new(Expr::Literal(Some(Value::text(event.id.encode()))));
    let is_event = Expr::Compare(Comparison::Equal, Box::new(Expr::Field("@id".into())), id);
    let mut operators = vec![Operator::Filter(is_event)];
    operators.extend(lead.iter().cloned());
    let columns = vec![("@message".into(), Expr::Field("@message".into()))];
    operators.push(Operator::Project { columns, is_events: true });
    let time = event.id.timestamp;
    let instant = TimeRange { from: time, to: Timestamp(time.0.saturating_add(1)) };
    let answer = reading.execute(&question.plan.with_operators(operators), &of_event(question, event), instant)?;
    Ok(!answer.rows.is_empty())
}

/// Counts events that match and come before the event in the answer.
fn n_newer(reading: &QueryRun<'_>, question: &Question, event: &FoundEvent, lead: &[Operator]) -> Result<u64> {
    let options = ParseOptions { now: question.scope.now, time_zone: question.scope.time_zone };
    let count: Plan = language::parse_insights("stats count(*) as n", &options)?;
    let mut operators = lead.to_vec();
    operators.push(Operator::Filter(beyond(event.id, Side::After)));
    operators.extend(count.operators().iter().cloned());
    let range = TimeRange { from: event.id.timestamp, to: question.range.to };
    let answer = reading.execute(&question.plan.with_operators(operators), &question.scope, range)?;
    match answer.rows.first().and_then(|row| row.first()) {
        Some(Some(Value::Integer(n))) => Ok(u64::try_from(*n).unwrap_or_default()),
        _ => Ok(0),
    }
}

/// Returns the scope of the question, for the group of the event alone.
fn of_event(question: &Question, event: &FoundEvent) -> Scope {
    Scope { groups: vec![GroupPattern::new(&event.group)], ..question.scope.clone() }
}
