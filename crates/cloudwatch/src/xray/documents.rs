//! Segment documents as spans: a segment, its subsegments, and those below them.
//!
//! An invalid subsegment is refused with everything below it; the rest of its document is stored.

use ingest::span::{Span, SpanAttributes, span_group};
use ingest::{Collector, IngestError, OutOfScope};
use serde_json::{Map, Value};

use super::segment::{self, Ids, Members, stream_of};

/// A segment that was not stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedSegment {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// The kind of the error.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

/// Passes the spans of documents to the collector.
pub(super) struct Documents<'s> {
    pub(super) collector: Collector<'s>,
    pub(super) refused: Vec<RefusedSegment>,
    /// The reason why the first document was outside the sender's scope.
    pub(super) out_of_scope: Option<OutOfScope>,
}

impl<'s> Documents<'s> {
    pub(super) fn new(collector: Collector<'s>) -> Self {
        Self { collector, refused: Vec::new(), out_of_scope: None }
    }

    /// Adds the spans of a document, or refuses it.
    pub(super) fn add(&mut self, text: &str) -> Result<(), IngestError> {
        let limits = self.collector.received().limits;
        if text.len() > limits.event_bytes_max {
            // A tree needs dozens of times the memory of its text.
            let message = format!("document has {} bytes, at most {} are allowed", text.len(), limits.event_bytes_max);
            self.refuse(None, "DocumentTooLarge", message);
            return Ok(());
        }
        let members: Map<String, Value> = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(error) => {
                self.refuse(None, "ParseError", error);
                return Ok(());
            }
        };
        let is_subsegment = segment::text(&members, "type") == "subsegment";
        // A subsegment that is sent alone does not name its service.
        let service = if is_subsegment { "" } else { segment::text(&members, "name") };
        let place = match self.collector.group(&span_group(service)) {
            Ok(place) => place,
            Err(refused) => {
                self.refuse(Some(&members), "AccessDenied", &refused);
                self.out_of_scope.get_or_insert(refused);
                return Ok(());
            }
        };
        let trace_id = match segment::trace_id(segment::text(&members, "trace_id")) {
            Ok(id) => id,
            Err(reason) => {
                self.refuse(Some(&members), "InvalidTraceId", reason);
                return Ok(());
            }
        };
        self.collector.set_stream(place, stream_of(&members));
        let above = Ids { trace_id, parent: None };
        self.add_segment(&members, is_subsegment, above, (service, place))
    }

    /// Adds a segment and all below it. Documents are nested at most as deep as `serde_json` reads them.
    fn add_segment(
        &mut self,
        members: &Members,
        is_subsegment: bool,
        above: Ids,
        (service, place): (&str, usize),
    ) -> Result<(), IngestError> {
        let limits = self.collector.received().limits;
        let mut span = match segment::span_of(members, is_subsegment, &above, limits) {
            Ok(span) => Span { service: service.into(), ..span },
            Err(reason) => {
                self.refuse(Some(members), "InvalidSegment", reason);
                return Ok(());
            }
        };
        let below = Ids { trace_id: above.trace_id, parent: Some(span.span_id) };
        let attributes = segment::attributes_of(members, service);
        let write = |fields: &mut SpanAttributes<'_, '_>| {
            for (name, value) in &attributes {
                fields.json(name, value);
            }
        };
        let n_max = attributes.iter().map(|(_, value)| ingest::span::n_json_fields(value)).sum();
        let status = attributes.iter().find(|(name, _)| name == "http.response.status_code");
        let status = status.and_then(|(_, value)| value.as_u64()).map(|status| status.to_string());
        if let Err(refused) = span.add_to(&mut self.collector, place, (n_max, &write), status.as_deref())? {
            self.refuse(Some(members), "TooOld", refused);
        }
        for subsegment in members.get("subsegments").and_then(Value::as_array).into_iter().flatten() {
            match subsegment.as_object() {
                Some(subsegment) => self.add_segment(subsegment, true, below, (service, place))?,
                None => self.refuse(Some(members), "InvalidSegment", "an element of subsegments is not an object"),
            }
        }
        Ok(())
    }

    /// Refuses a segment, with everything below it.
    pub(super) fn refuse(&mut self, members: Option<&Members>, code: &'static str, message: impl std::fmt::Display) {
        let id = members.map(|members| segment::text(members, "id")).filter(|id| !id.is_empty());
        let id = id.map(|id| id.chars().take(40).collect());
        self.refused.push(RefusedSegment { id, code, message: message.to_string() });
    }
}
