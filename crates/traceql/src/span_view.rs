//! A span as evaluation sees it: the time and the fields of its event.

use std::sync::Arc;

use types::path::dig;
use types::{Timestamp, Value};

use crate::field::{Field, Intrinsic, Members, Scope};

/// The fields that are part of a span itself, as senders' spans are stored. All others are attributes; one with such a name is
/// stored as `attributes.NAME`.
pub const OWN_FIELDS: [&str; 19] = [
    "trace_id",
    "span_id",
    "parent_span_id",
    "name",
    "kind",
    "status",
    "status_message",
    "service",
    "duration_ms",
    "scope.name",
    "scope.version",
    "trace_state",
    "flags",
    "events",
    "links",
    "span_problem",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
];

/// The field with the duration of a span, in milliseconds.
pub(crate) const DURATION_FIELD: &str = "duration_ms";

/// The field with the id of the parent span, missing for a root.
pub(crate) const PARENT_FIELD: &str = "parent_span_id";

/// A span: the time and the fields of its event.
#[derive(Clone, Debug)]
pub struct SpanView {
    /// When the span began.
    pub start: Timestamp,
    duration_ns: i64,
    /// In the order of their names.
    fields: Vec<(Arc<str>, Value)>,
}

impl SpanView {
    /// Returns the view of a span that starts at `start` and has these fields; of equal names the last one counts.
    pub fn new(start: Timestamp, fields: impl IntoIterator<Item = (Arc<str>, Value)>) -> Self {
        let mut fields: Vec<(Arc<str>, Value)> = fields.into_iter().collect();
        fields.reverse();
        fields.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields.dedup_by(|(later, _), (kept, _)| later == kept);
        let mut span = Self { start, duration_ns: 0, fields };
        span.duration_ns = match span.field(DURATION_FIELD) {
            // The product is within a quarter of a nanosecond of the whole number that was sent.
            Some(Value::Float(ms)) => (ms * 1e6).round() as i64,
            Some(Value::Integer(ms)) => ms.saturating_mul(1_000_000),
            _ => 0,
        };
        span
    }

    /// Returns how long it took, in nanoseconds.
    pub fn duration_ns(&self) -> i64 {
        self.duration_ns
    }

    /// Returns the value of a field of its event.
    pub fn field(&self, name: &str) -> Option<&Value> {
        let found = self.fields.binary_search_by(|(known, _)| (**known).cmp(name));
        found.ok().map(|at| &self.fields[at].1)
    }

    /// Returns the text of a field.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.field(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// Returns a field as plans see it: a path may lead into a list or an object.
    pub(crate) fn path(&self, name: &str) -> Option<&Value> {
        let above = || name.match_indices('.').rev().map(|(dot, _)| (&name[..dot], &name[dot + 1..]));
        self.field(name).or_else(|| above().find_map(|(above, rest)| dig(self.field(above)?, rest)))
    }

    /// Reports whether fields have names below `name`, so that a plan sees an object there.
    pub(crate) fn has_below(&self, name: &str) -> bool {
        let from = self.fields.partition_point(|(known, _)| **known < *name);
        let below = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.fields[from..].iter().take_while(|(known, _)| known.starts_with(name)).any(|(known, _)| below(known))
    }

    /// Returns its events or links.
    pub(crate) fn members(&self, members: Members) -> &[Option<Value>] {
        let name = match members {
            Members::Events => "events",
            Members::Links => "links",
        };
        match self.field(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
}

/// Returns the part of an event or a link.
pub(crate) fn member_part<'v>(member: &'v Value, name: &str) -> Option<&'v Value> {
    match member {
        Value::Object(parts) => {
            parts.iter().rev().find(|(known, _)| **known == *name).and_then(|(_, part)| part.as_ref())
        }
        _ => None,
    }
}

/// Returns the field of a span's event that holds what a query names; `None` if no single field holds it.
///
/// Spans, resources and instrumentation scopes store their attributes next to each other, each under its own name, so
/// `.x`, `span.x`, `resource.x` and `instrumentation.x` read the same field. The attribute `service.name` of the
/// resource is the field `service`, which every span has.
pub(crate) fn stored_field(field: &Field) -> Option<Arc<str>> {
    let name = match field {
        Field::Attribute { scope: Scope::Event | Scope::Link, .. } | Field::Parent(_) => return None,
        Field::Attribute { scope: Scope::Any | Scope::Resource, name } if **name == *"service.name" => "service",
        Field::Attribute { name, .. } if OWN_FIELDS.contains(&&**name) => {
            return Some(format!("attributes.{name}").into());
        }
        Field::Attribute { name, .. } => return Some(name.clone()),
        Field::Intrinsic(intrinsic) => match intrinsic {
            Intrinsic::Name => "name",
            Intrinsic::Duration => DURATION_FIELD,
            Intrinsic::Status => "status",
            Intrinsic::StatusMessage => "status_message",
            Intrinsic::Kind => "kind",
            Intrinsic::SpanId => "span_id",
            Intrinsic::ParentId => PARENT_FIELD,
            Intrinsic::TraceId => "trace_id",
            Intrinsic::InstrumentationName => "scope.name",
            Intrinsic::InstrumentationVersion => "scope.version",
            _ => return None,
        },
    };
    Some(name.into())
}
