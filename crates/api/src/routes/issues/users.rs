//! Whom an issue affects: how many different values a field of its stored events has, of users, customers or devices.

use incident::IssueView;
use plan::{Aggregate, AggregateKind, Expr, Name, Operator, Plan, SortKey};
use serde_json::{Value as Json, json};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use crate::ask;
use crate::json::value_json;
use crate::state::Shared;
use door::{Outcome, Problem, QueryRun, Reply, Result, Scope};

/// Issues of one answer whose users are counted: those with the newest events.
const ISSUES_MAX: usize = 100;

/// Different values that are counted; of more there are at least so many.
const USERS_MAX: usize = 10_000;

/// Values that are named, those with most events.
const NAMED_MAX: usize = 10;

/// Longest name of a field.
const FIELD_BYTES_MAX: usize = 200;

/// Answers with issues as JSON; if a field is named, each with the number of its different values among the stored events.
pub(super) fn with_users(
    server: &Shared,
    issues: Vec<IssueView>,
    field: Option<&str>,
    answer: impl FnOnce(&Json) -> Outcome + Send + 'static,
) -> Outcome {
    let Some(field) = field.map(str::trim) else { return answer(&json!(issues)) };
    if field.is_empty() || field.len() > FIELD_BYTES_MAX {
        let problem = Problem::bad_parameter("users is no name of a field");
        return Err(problem.hint("name a field of events that tells users apart, such as user_id"));
    }
    let (name, now) = (Name::from(field), server.now());
    Ok(Reply::query(server, "users of issues", move |reading| {
        let mut shown = json!(issues);
        for (place, issue) in issues.iter().enumerate().take(ISSUES_MAX) {
            shown[place]["users"] = users(reading, issue, &name, now)?;
        }
        answer(&shown)
    }))
}

/// Counts the values of a field among the events of an issue.
fn users(reading: &QueryRun<'_>, issue: &IssueView, field: &Name, now: Timestamp) -> Result<Json> {
    let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap_or(now);
    let (from, last) = (at(&issue.first_seen), at(&issue.last_seen));
    let range = TimeRange { from, to: Timestamp(last.0.saturating_add(1)) };
    let scope = Scope { groups: vec![GroupPattern::new(&*issue.group)], limit: None, time_zone: chrono_tz::UTC, now };
    let options = language::ParseOptions { now, time_zone: scope.time_zone };
    let answer = reading.execute(&plan(&ask::parse(&issue.query, None, &options)?, field), &scope, range)?;
    let counted = |row: &Vec<Option<Value>>| match row.as_slice() {
        [Some(value), Some(Value::Integer(n_events))] => Some(json!({"value": value_json(value), "events": n_events})),
        _ => None,
    };
    let named: Vec<Json> = answer.rows.iter().take(NAMED_MAX).filter_map(counted).collect();
    Ok(json!({
        "field": &**field,
        "count": answer.rows.len().min(USERS_MAX),
        "more": answer.rows.len() > USERS_MAX,
        "values": named,
        "partial": !answer.partial_reasons.is_empty(),
    }))
}

/// Returns a plan that counts the values of a field, the most frequent first, among the events of another plan.
fn plan(events: &Plan, field: &Name) -> Plan {
    let (value, n_events) = (Name::from("value"), Name::from("events"));
    let mut operators: Vec<Operator> =
        events.operators().iter().take_while(|operator| matches!(operator, Operator::Filter(_))).cloned().collect();
    operators.push(Operator::Filter(Expr::Call(plan::function::Function::IsPresent, vec![Expr::Field(field.clone())])));
    operators.push(Operator::Aggregate {
        by: vec![(value.clone(), Expr::Field(field.clone()))],
        aggregates: vec![Aggregate { name: n_events.clone(), kind: AggregateKind::Count, argument: None }],
    });
    let key = |name: &Name, descending| SortKey { expr: Expr::Field(name.clone()), descending };
    operators.push(Operator::Sort(vec![key(&n_events, true), key(&value, false)]));
    operators.push(Operator::Limit(USERS_MAX as u64 + 1));
    let columns = [value, n_events].map(|name| (name.clone(), Expr::Field(name)));
    operators.push(Operator::Project { columns: columns.to_vec(), is_events: false });
    Plan::new(operators)
}
