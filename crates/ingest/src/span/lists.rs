//! The events and links of a span, within the limits of a field.

use std::sync::{Arc, LazyLock};

use data_encoding::HEXLOWER;
use parse::FieldWriter;
use types::{Limits, Timestamp, Value};

/// Most events or links of a span. OpenTelemetry's SDKs send 128 at most.
pub(super) const ELEMENTS_MAX: usize = 1_000;

/// Names and values of an object.
pub type Members = Vec<(Arc<str>, Option<Value>)>;

/// The events or links of a span.
#[derive(Debug, Default)]
pub struct SpanList {
    elements: Arc<Vec<Option<Value>>>,
    n_bytes: usize,
    /// Elements left out by the sender.
    n_dropped_before: u64,
    /// Elements left out because the span has too many.
    pub(super) n_excess: u64,
    /// Elements left out because they are invalid.
    n_invalid: u64,
    /// Buffer for the size of an element.
    json: String,
}

impl SpanList {
    /// Adds an element if the list still fits into a field.
    pub fn push(&mut self, element: Value, limits: &Limits) {
        self.json.clear();
        element.write_json(&mut self.json);
        let n_bytes = self.n_bytes + self.json.len() + 1;
        if self.elements.len() >= ELEMENTS_MAX || n_bytes > limits.field_bytes_max {
            self.n_excess += 1;
        } else {
            self.n_bytes = n_bytes;
            Arc::make_mut(&mut self.elements).push(Some(element));
        }
    }

    /// Reports whether no further element can be stored.
    pub fn is_full(&self) -> bool {
        self.elements.len() >= ELEMENTS_MAX
    }

    /// Counts an element that a full list cannot hold.
    pub fn skip(&mut self) {
        self.n_excess += 1;
    }

    /// Counts an element that is invalid. Returns `true` if it is not the first one.
    pub fn refuse(&mut self) -> bool {
        self.n_invalid += 1;
        self.n_invalid > 1
    }

    /// Sets the number of elements that the sender left out.
    pub fn set_dropped(&mut self, n_dropped: u64) {
        self.n_dropped_before = n_dropped;
    }

    /// Returns the number of elements left out, by the sender and here.
    pub(super) fn n_dropped(&self) -> u64 {
        self.n_dropped_before.saturating_add(self.n_excess).saturating_add(self.n_invalid)
    }

    pub(super) fn write(&self, name: &str, fields: &mut FieldWriter<'_>) {
        if !self.elements.is_empty() {
            fields.value(name, &Value::List(self.elements.clone()));
        }
    }
}

fn object(members: Members) -> Value {
    Value::Object(Arc::new(members))
}

/// The names of the members of an event, shared by all events.
static EVENT_MEMBERS: LazyLock<[Arc<str>; 3]> = LazyLock::new(|| ["timestamp", "name", "attributes"].map(Arc::from));

/// Returns an event of a span at a time in nanoseconds since the epoch; 0 is unknown.
pub fn span_event(time: u64, name: &str, attributes: Members) -> Value {
    let [of_time, of_name, of_attributes] = &*EVENT_MEMBERS;
    let mut members: Members = Vec::with_capacity(3);
    if time > 0 {
        let mut text = String::with_capacity(30);
        Timestamp(i64::try_from(time).unwrap_or(i64::MAX)).write_rfc3339(9, &mut text);
        members.push((of_time.clone(), Some(Value::text(text))));
    }
    members.push((of_name.clone(), Some(Value::text(name))));
    members.push((of_attributes.clone(), Some(object(attributes))));
    object(members)
}

/// Returns a link to a span.
pub fn link(trace_id: &[u8; 16], span_id: &[u8; 8], trace_state: &str, attributes: Members) -> Value {
    let hex = |id: &[u8]| Some(Value::text(HEXLOWER.encode(id)));
    let mut members: Members = vec![("trace_id".into(), hex(trace_id)), ("span_id".into(), hex(span_id))];
    if !trace_state.is_empty() {
        members.push(("trace_state".into(), Some(Value::text(trace_state))));
    }
    members.push(("attributes".into(), Some(object(attributes))));
    object(members)
}
