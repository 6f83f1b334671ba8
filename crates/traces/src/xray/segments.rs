//! A trace as X-Ray sees it: segments, each the work of one service for one request, the subsegments below them, and inferred
//! segments for calls that no segment answers.
//!
//! A segment is a span without a parent, of the kinds server and consumer, or of another service than its parent. All others are
//! subsegments. A subsegment whose parent is missing and whose service is unknown was sent alone; it counts as a segment.

use std::collections::BTreeSet;

use crate::node::Place;
use crate::read::Trace;
use crate::span::{Span, SpanKind};

use super::attributes::{account, call_name, call_type, is_in_progress, namespace, origin};

/// The service of spans that name none.
const UNKNOWN_SERVICE: &str = "unknown_service";

/// A service: its name and, as far as they are known, its type and account.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ServiceId {
    pub(super) name: String,
    /// The type, such as `AWS::EC2::Instance` or `remote`.
    pub(super) kind: Option<String>,
    /// Amazon's account.
    pub(super) account: Option<String>,
}

/// A segment of a trace.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    /// The index of its span; of an inferred one, that of the call.
    pub(super) span: usize,
    /// Its service.
    pub(super) service: ServiceId,
    /// Whether it is known from the call only.
    pub(super) is_inferred: bool,
    /// The index of the segment that called it.
    pub(super) caller: Option<usize>,
    /// The indexes of all its spans.
    pub(super) spans: Vec<usize>,
}

/// The segments of a trace.
#[derive(Debug)]
pub(super) struct Segments<'t> {
    pub(super) spans: &'t [Span],
    /// Segments, each after its caller, then inferred ones.
    pub(super) all: Vec<Segment>,
    /// The segment of each span, by index.
    pub(super) of_span: Vec<usize>,
    /// The subsegments directly below each span, by index.
    pub(super) below: Vec<Vec<usize>>,
    root: Option<usize>,
}

impl<'t> Segments<'t> {
    /// Divides a trace into segments.
    pub(super) fn of(trace: &'t Trace) -> Self {
        let spans: &[Span] = &trace.spans;
        let mut segments = Self {
            spans,
            all: Vec::new(),
            of_span: vec![0; spans.len()],
            below: vec![Vec::new(); spans.len()],
            root: None,
        };
        let mut is_answered = vec![false; spans.len()];
        let span_at = |node: usize| match trace.tree.nodes[node].place {
            Place::Span(span) => Some(span),
            Place::Gap(_) => None,
        };
        // Parents come first.
        for node in 0..trace.tree.nodes.len() {
            let Some(span) = span_at(node) else { continue };
            let parent = trace.tree.nodes[node].parent.and_then(span_at);
            let within = parent.filter(|parent| !is_segment(&spans[span], &spans[*parent]));
            if let Some(parent) = within {
                let segment = segments.of_span[parent];
                segments.of_span[span] = segment;
                segments.all[segment].spans.push(span);
                segments.below[parent].push(span);
                continue;
            }
            if let Some(parent) = parent {
                is_answered[parent] = true;
            }
            segments.of_span[span] = segments.all.len();
            let caller = parent.map(|parent| segments.of_span[parent]);
            let service = ServiceId {
                name: segment_name(&spans[span]).to_owned(),
                kind: origin(&spans[span]),
                account: account(&spans[span]),
            };
            segments.all.push(Segment { span, service, is_inferred: false, caller, spans: vec![span] });
        }
        for (index, span) in spans.iter().enumerate() {
            if namespace(span).is_some() && !is_answered[index] {
                let service = ServiceId { name: call_name(span), kind: Some(call_type(span)), account: None };
                let caller = Some(segments.of_span[index]);
                segments.all.push(Segment { span: index, service, is_inferred: true, caller, spans: vec![index] });
            }
        }
        segments.root = trace.tree.root().map(|span| segments.of_span[span]);
        segments
    }

    /// Returns the segment that the request began with.
    pub(super) fn root(&self) -> Option<&Segment> {
        self.all.get(self.root?)
    }

    /// Returns the span of a segment.
    pub(super) fn span(&self, segment: &Segment) -> &'t Span {
        &self.spans[segment.span]
    }

    /// Returns the time from the first start to the last end, in nanoseconds.
    pub(super) fn duration_ns(&self) -> i64 {
        let start = self.spans.iter().map(|span| span.start).min().unwrap_or_default();
        let end = self.spans.iter().map(Span::end).max().unwrap_or_default();
        end.0.saturating_sub(start.0)
    }

    /// Reports whether a segment or subsegment has not ended.
    pub(super) fn is_partial(&self) -> bool {
        self.spans.iter().any(is_in_progress)
    }

    /// Returns the services, each once.
    pub(super) fn services(&self) -> BTreeSet<&ServiceId> {
        self.all.iter().map(|segment| &segment.service).collect()
    }
}

/// Reports whether a span begins a segment, given its parent.
fn is_segment(span: &Span, parent: &Span) -> bool {
    let is_called = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
    is_called || span.service != parent.service && &*span.service != UNKNOWN_SERVICE
}

/// Reports whether a span is a subsegment that was sent alone.
pub(super) fn is_alone(span: &Span) -> bool {
    span.parent_id.is_some()
        && &*span.service == UNKNOWN_SERVICE
        && matches!(span.kind, SpanKind::Internal | SpanKind::Client)
}

/// Returns the name of a segment: its service.
pub(super) fn segment_name(span: &Span) -> &str {
    if is_alone(span) || span.service.is_empty() { &span.name } else { &span.service }
}
