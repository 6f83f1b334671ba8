//! Names and values of what is inside the events and links of spans, for pickers.
//!
//! These are objects in a list of each span, of which no column tells: the newest spans that have some are read.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use door::problem::Problem;
use door::query_run::QueryRun;
use plan::{Operator, Plan};
use types::{TimeRange, Value};

use crate::plans::{is_present, is_span, show, sort, span_groups};
use crate::read::Reading;
use crate::times;

/// Limit on the spans that are read for one list.
const SPANS_MAX: u64 = 10_000;

/// The member of an event or a link that holds its attributes.
const ATTRIBUTES: &str = "attributes";

/// The field of a span that holds a list of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpanList {
    Events,
    Links,
}

impl SpanList {
    fn field(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Links => "links",
        }
    }
}

/// A part of each object of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ObjectPart {
    /// A member of the object itself, as `name`.
    Own(&'static str),
    /// An attribute.
    Attribute(String),
}

type Object = Vec<(Arc<str>, Option<Value>)>;

/// Returns the names of the attributes of a list's objects among the spans that meet the conditions.
pub(crate) fn attribute_names(
    run: &QueryRun<'_>,
    list: SpanList,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<BTreeSet<String>, Problem> {
    let mut names = BTreeSet::new();
    for object in objects(run, list, conditions, range, reading)? {
        if let Some(Value::Object(attributes)) = member(&object, ATTRIBUTES) {
            names.extend(attributes.iter().map(|(name, _)| name.to_string()));
        }
    }
    Ok(names)
}

/// Returns the values of a part of a list's objects among the spans that meet the conditions, most frequent first.
pub(crate) fn values(
    run: &QueryRun<'_>,
    (list, part): (SpanList, &ObjectPart),
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Value>, Problem> {
    let mut counts: HashMap<String, (usize, Value)> = HashMap::new();
    for object in objects(run, list, conditions, range, reading)? {
        let value = match (part, member(&object, ATTRIBUTES)) {
            (ObjectPart::Own(name), _) => member(&object, name),
            (ObjectPart::Attribute(name), Some(Value::Object(attributes))) => member(attributes, name),
            (ObjectPart::Attribute(_), _) => None,
        };
        for value in value.into_iter().flat_map(items) {
            counts.entry(value.to_string()).or_insert_with(|| (0, value.clone())).0 += 1;
        }
    }
    let mut counted: Vec<(String, (usize, Value))> = counts.into_iter().collect();
    counted.sort_unstable_by(|(text, (n, _)), (other, (of_other, _))| of_other.cmp(n).then_with(|| text.cmp(other)));
    Ok(counted.into_iter().map(|(_, (_, value))| value).collect())
}

/// Returns the value, or the items of a list: those are what conditions compare.
fn items(value: &Value) -> Vec<&Value> {
    match value {
        Value::List(items) => items.iter().flatten().collect(),
        value => vec![value],
    }
}

fn member<'o>(object: &'o [(Arc<str>, Option<Value>)], name: &str) -> Option<&'o Value> {
    object.iter().find(|(member, _)| **member == *name)?.1.as_ref()
}

/// Reads the objects of a list of the newest spans that have some.
fn objects(
    run: &QueryRun<'_>,
    list: SpanList,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Arc<Object>>, Problem> {
    let field = list.field();
    let mut operators = vec![Operator::Filter(is_span()), Operator::Filter(is_present(field))];
    operators.extend(conditions.iter().cloned());
    operators.extend([Operator::Sort(vec![sort("@timestamp", true)]), Operator::Limit(SPANS_MAX + 1)]);
    operators.push(show([field], true));
    let (groups, scope) = (span_groups(&[]), times::scope(run.server.now()));
    let snapshot = run.snapshot(&groups, range);
    let mut rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    if rows.len() as u64 > SPANS_MAX {
        reading.cut(format!(
            "only the {field} of the {SPANS_MAX} newest spans that have some were read; rare ones may be missing"
        ));
        rows.truncate(SPANS_MAX as usize);
    }
    let lists = rows.into_iter().filter_map(|row| row.into_iter().next().flatten());
    let objects = lists.flat_map(|list| match list {
        Value::List(items) => items.iter().flatten().filter_map(object_of).collect(),
        _ => Vec::new(),
    });
    Ok(objects.collect())
}

fn object_of(value: &Value) -> Option<Arc<Object>> {
    if let Value::Object(object) = value { Some(object.clone()) } else { None }
}
