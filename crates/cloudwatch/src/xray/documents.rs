//! Segment documents as spans: a segment, its subsegments, and those below them.
//!
//! An invalid subsegment is refused with everything below it; the rest of its document is stored. A subsegment that is sent
//! alone does not name its service: it waits for the document of its parent, which may be anywhere in the request.

use std::collections::HashMap;
use std::sync::Arc;

use ingest::span::{Span, SpanAttributes, span_group};
use ingest::{Collector, IngestError, OutOfScope};
use serde_json::Value;

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

/// Maximum number of refused segments in an answer. X-Ray's SDKs send at most 50 documents in a request.
const REFUSED_MAX: usize = 1_000;

/// Maximum length of the message about a refused segment, in bytes.
const MESSAGE_BYTES_MAX: usize = 500;

/// A segment: its trace and its own id.
type SegmentKey = ([u8; 16], [u8; 8]);

/// Passes the spans of documents to the collector.
pub(super) struct Documents<'s> {
    pub(super) collector: Collector<'s>,
    refused: Vec<RefusedSegment>,
    /// How many segments were refused beyond those.
    n_unnamed: u64,
    /// The reason why the first document was outside the sender's scope.
    pub(super) out_of_scope: Option<OutOfScope>,
    /// The services of the segments added.
    services: HashMap<SegmentKey, Arc<str>>,
    /// Subsegments sent alone, in order of arrival; `None` once they are added.
    alone: Vec<Option<String>>,
    /// Those that wait for a parent, by that parent.
    waiting: HashMap<SegmentKey, Vec<usize>>,
    /// Those whose parent was added, with its service.
    ready: Vec<(Arc<str>, usize)>,
}

impl<'s> Documents<'s> {
    pub(super) fn new(collector: Collector<'s>) -> Self {
        Self {
            collector,
            refused: Vec::new(),
            n_unnamed: 0,
            out_of_scope: None,
            services: HashMap::new(),
            alone: Vec::new(),
            waiting: HashMap::new(),
            ready: Vec::new(),
        }
    }

    /// Adds the spans of a document, or refuses it. A subsegment may be added later, at the latest by [`Self::finish`].
    pub(super) fn add(&mut self, text: &str) -> Result<(), IngestError> {
        let limits = self.collector.received().limits;
        if text.len() > limits.event_bytes_max {
            // A tree needs dozens of times the memory of its text.
            let message = format!("document has {} bytes, at most {} are allowed", text.len(), limits.event_bytes_max);
            self.refuse(None, "DocumentTooLarge", message);
            return Ok(());
        }
        let members: Members = match serde_json::from_str(text) {
            Ok(members) => members,
            Err(error) => {
                self.refuse(None, "ParseError", error);
                return Ok(());
            }
        };
        let is_subsegment = segment::text(&members, "type") == "subsegment";
        if !is_subsegment {
            self.add_document(&members, false, segment::text(&members, "name"))?;
        } else {
            match segment::parent_key(&members) {
                None => self.add_document(&members, true, "")?,
                Some(parent) => match self.services.get(&parent).cloned() {
                    Some(service) => self.add_document(&members, true, &service)?,
                    None => {
                        self.waiting.entry(parent).or_default().push(self.alone.len());
                        self.alone.push(Some(text.to_owned()));
                    }
                },
            }
        }
        while let Some((service, index)) = self.ready.pop() {
            self.add_alone(index, &service)?;
        }
        Ok(())
    }

    /// Adds the subsegments whose parents did not arrive, without a service.
    pub(super) fn finish(&mut self) -> Result<(), IngestError> {
        self.waiting.clear();
        (0..self.alone.len()).try_for_each(|index| self.add_alone(index, ""))
    }

    fn add_alone(&mut self, index: usize, service: &str) -> Result<(), IngestError> {
        // It was read before.
        let members: Option<Members> = self.alone[index].take().and_then(|text| serde_json::from_str(&text).ok());
        members.map_or(Ok(()), |members| self.add_document(&members, true, service))
    }

    fn add_document(&mut self, members: &Members, is_subsegment: bool, service: &str) -> Result<(), IngestError> {
        let place = match self.collector.group(&span_group(service)) {
            Ok(place) => place,
            Err(refused) => {
                self.refuse(Some(members), "AccessDenied", &refused);
                self.out_of_scope.get_or_insert(refused);
                return Ok(());
            }
        };
        let trace_id = match segment::trace_id(segment::text(members, "trace_id")) {
            Ok(id) => id,
            Err(reason) => {
                self.refuse(Some(members), "InvalidTraceId", reason);
                return Ok(());
            }
        };
        self.collector.set_stream(place, stream_of(members));
        let above = Ids { trace_id, parent: None };
        self.add_segment(members, is_subsegment, above, (&Arc::from(service), place))
    }

    /// Adds a segment and all below it. Documents are nested at most as deep as `serde_json` reads them.
    fn add_segment(
        &mut self,
        members: &Members,
        is_subsegment: bool,
        above: Ids,
        (service, place): (&Arc<str>, usize),
    ) -> Result<(), IngestError> {
        let limits = self.collector.received().limits;
        let mut span = match segment::span_of(members, is_subsegment, &above, limits) {
            Ok(span) => Span { service: service.as_ref().into(), ..span },
            Err(reason) => {
                self.refuse(Some(members), "InvalidSegment", reason);
                return Ok(());
            }
        };
        let below = Ids { trace_id: above.trace_id, parent: Some(span.span_id) };
        if !service.is_empty() {
            let key = (above.trace_id, span.span_id);
            self.services.insert(key, service.clone());
            self.ready.extend(self.waiting.remove(&key).into_iter().flatten().map(|index| (service.clone(), index)));
        }
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
        if self.refused.len() >= REFUSED_MAX {
            self.n_unnamed += 1;
            return;
        }
        let id = members.map(|members| segment::text(members, "id")).filter(|id| !id.is_empty());
        let id = id.map(|id| id.chars().take(40).collect());
        let mut message = message.to_string();
        if message.len() > MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
            message.push('…');
        }
        self.refused.push(RefusedSegment { id, code, message });
    }

    /// Returns the segments that were refused; the last entry counts those that are not named.
    pub(super) fn take_refused(&mut self) -> Vec<RefusedSegment> {
        let mut refused = std::mem::take(&mut self.refused);
        if self.n_unnamed > 0 {
            let message = format!("{} further segments were not stored", self.n_unnamed);
            refused.push(RefusedSegment { id: None, code: "TooManyErrors", message });
        }
        refused
    }
}
