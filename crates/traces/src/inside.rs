//! Names and values of attributes of events and links, for pickers.
//!
//! Events and links are lists of objects within a span. No column and no filter knows their attributes, so the newest spans with such a
//! list are read.

use std::collections::{BTreeSet, HashMap};

use door::{QueryRun, Result};
use plan::{Operator, Plan};
use types::{TimeRange, Value};

use crate::plans::{is_present, is_span, show, sort, span_groups};
use crate::read::Reading;
use crate::span::{member, objects_of};
use crate::times;
use crate::values::items;

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

/// Returns the names of the attributes of a list's objects among the spans that meet the conditions.
pub(crate) fn attribute_names(
    run: &QueryRun<'_>,
    list: SpanList,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let lists = lists(run, list, conditions, range, reading)?;
    for object in lists.iter().flat_map(objects_of) {
        if let Some(Value::Object(attributes)) = member(object, ATTRIBUTES) {
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
) -> Result<Vec<Value>> {
    let mut counts: HashMap<String, (usize, Value)> = HashMap::new();
    let lists = lists(run, list, conditions, range, reading)?;
    for object in lists.iter().flat_map(objects_of) {
        let value = match (part, member(object, ATTRIBUTES)) {
            (ObjectPart::Own(name), _) => member(object, name),
            (ObjectPart::Attribute(name), Some(Value::Object(attributes))) => member(attributes, name),
            (ObjectPart::Attribute(_), _) => None,
        };
        for value in value.cloned().into_iter().flat_map(items) {
            counts.entry(value.to_string()).or_insert((0, value)).0 += 1;
        }
    }
    let mut counted: Vec<(String, (usize, Value))> = counts.into_iter().collect();
    counted.sort_unstable_by(|(text, (n, _)), (other, (of_other, _))| of_other.cmp(n).then_with(|| text.cmp(other)));
    Ok(counted.into_iter().map(|(_, (_, value))| value).collect())
}

/// Reads a list of the newest spans that have it.
fn lists(
    run: &QueryRun<'_>,
    list: SpanList,
    conditions: &[Operator],
    range: TimeRange,
    reading: &mut Reading,
) -> Result<Vec<Value>> {
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
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}
