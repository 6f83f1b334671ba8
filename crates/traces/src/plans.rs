//! Parts of plans over spans.

use ingest::span::SPAN_GROUPS;
use plan::{Aggregate, AggregateKind, Comparison, Expr, Function, Name, Operator, SortKey, balanced};
use types::{GroupPattern, Value};

use crate::span::SPAN_TYPE;

/// Fields of log lines that hold the id of a trace: those of OpenTelemetry and ECS, and those common among loggers.
const TRACE_FIELDS: [&str; 5] = ["trace_id", "trace.id", "traceId", "traceID", "TraceId"];

/// Returns the groups that a request names, else those that contain spans.
pub(crate) fn span_groups(asked: &[GroupPattern]) -> Vec<GroupPattern> {
    if asked.is_empty() { SPAN_GROUPS.map(GroupPattern::new).to_vec() } else { asked.to_vec() }
}

pub(crate) fn field(name: &str) -> Expr {
    Expr::Field(name.into())
}

pub(crate) fn literal(value: Value) -> Expr {
    Expr::Literal(Some(value))
}

pub(crate) fn compare(name: &str, comparison: Comparison, value: Value) -> Expr {
    Expr::Compare(comparison, Box::new(field(name)), Box::new(literal(value)))
}

pub(crate) fn equal(name: &str, value: impl Into<std::sync::Arc<str>>) -> Expr {
    compare(name, Comparison::Equal, Value::text(value))
}

/// Returns the condition that a field has one of some texts.
pub(crate) fn one_of(name: &str, texts: &[String]) -> Expr {
    match texts {
        [only] => equal(name, only.as_str()),
        texts => {
            Expr::In(Box::new(field(name)), texts.iter().map(|text| literal(Value::text(text.as_str()))).collect())
        }
    }
}

/// Returns the condition that a field has a value.
pub(crate) fn is_present(name: &str) -> Expr {
    Expr::Call(Function::IsPresent, vec![field(name)])
}

/// Returns the condition that an event is a span.
pub(crate) fn is_span() -> Expr {
    equal("@type", SPAN_TYPE)
}

/// Returns the condition that an event belongs to a trace, whose id has 32 digits: spans and log lines.
pub(crate) fn is_of_trace(id: &str) -> Expr {
    let mut forms = vec![id.to_owned()];
    // An id of 64 bits is stored with 32 digits for spans; a logger may have written 16.
    forms.extend(id.strip_prefix("0000000000000000").map(str::to_owned));
    let conditions = TRACE_FIELDS.iter().map(|name| one_of(name, &forms)).collect();
    balanced(conditions, Expr::Or)
}

/// Returns the first of some fields that has a value.
pub(crate) fn first_of(names: &[&str]) -> Expr {
    Expr::Call(Function::Coalesce, names.iter().map(|name| field(name)).collect())
}

pub(crate) fn aggregate(name: &str, kind: AggregateKind, argument: Option<Expr>) -> Aggregate {
    Aggregate { name: name.into(), kind, argument }
}

/// Returns the operator that counts rows by some columns into the column `n`.
pub(crate) fn count_by(by: &[&str]) -> Operator {
    let by = by.iter().map(|name| (Name::from(*name), field(name))).collect();
    Operator::Aggregate { by, aggregates: vec![aggregate("n", AggregateKind::Count, None)] }
}

pub(crate) fn sort(name: &str, descending: bool) -> SortKey {
    SortKey { expr: field(name), descending }
}

/// Returns the last operator of a plan: the columns shown.
pub(crate) fn show<'n>(names: impl IntoIterator<Item = &'n str>, is_events: bool) -> Operator {
    let columns = names.into_iter().map(|name| (Name::from(name), field(name))).collect();
    Operator::Project { columns, is_events }
}
