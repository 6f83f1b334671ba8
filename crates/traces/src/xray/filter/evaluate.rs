//! Evaluates a filter over the segments of a trace.

use types::Value;

use super::{AnnotationTest, Filter, Node, NumberKey, Outcome, TextKey, TextTest};
use crate::span::number;
use crate::xray::attributes::{annotations, http, is_in_progress, machine, outcomes, user};
use crate::xray::segments::{Segment, Segments, ServiceId};

/// Nanoseconds of a second.
const SECOND: f64 = 1e9;

/// What conditions are about: a whole trace, or one of its segments.
#[derive(Clone, Copy)]
struct Subject<'s> {
    segments: &'s Segments<'s>,
    /// The segment; for a trace, its root.
    segment: Option<&'s Segment>,
    is_trace: bool,
}

/// Reports whether a trace matches a filter.
pub(crate) fn matches(filter: &Filter, segments: &Segments<'_>) -> bool {
    Subject { segments, segment: segments.root(), is_trace: true }.fulfils(filter)
}

impl<'s> Subject<'s> {
    fn fulfils(self, filter: &Filter) -> bool {
        match filter {
            Filter::All(filters) => filters.iter().all(|filter| self.fulfils(filter)),
            Filter::Any(filters) => filters.iter().any(|filter| self.fulfils(filter)),
            Filter::Not(filter) => !self.fulfils(filter),
            Filter::Outcome(outcome, is) => self.ended(*outcome) == *is,
            Filter::Number(key, order, value) => {
                self.number(*key).is_some_and(|found| order.holds_for(found.partial_cmp(value)))
            }
            Filter::Text(key, test) => self.texts(*key).iter().any(|text| test.holds(text)),
            Filter::Annotation(name, test) => self.has_annotation(name, test),
            Filter::Service(node, filter) => {
                let is_meant = |segment: &&Segment| node.is(&segment.service);
                self.segments.all.iter().filter(is_meant).any(|segment| self.within(segment, filter.as_deref()))
            }
            Filter::Edge(from, to, filter) => {
                let all = &self.segments.all;
                let is_meant = |segment: &&Segment| {
                    to.is(&segment.service) && segment.caller.is_some_and(|caller| from.is(&all[caller].service))
                };
                all.iter().filter(is_meant).any(|segment| self.within(segment, filter.as_deref()))
            }
        }
    }

    /// Reports whether a segment matches the filter in braces; without one, any segment does.
    fn within(self, segment: &'s Segment, filter: Option<&Filter>) -> bool {
        let subject = Self { segment: Some(segment), is_trace: false, ..self };
        filter.is_none_or(|filter| subject.fulfils(filter))
    }

    /// Returns the indexes of the spans that conditions on any segment are about.
    fn spans(self) -> Vec<usize> {
        match self.segment {
            _ if self.is_trace => (0..self.segments.spans.len()).collect(),
            Some(segment) => segment.spans.clone(),
            None => Vec::new(),
        }
    }

    fn ended(self, outcome: Outcome) -> bool {
        let Some(segment) = self.segment else { return false };
        let found = outcomes(self.segments.span(segment));
        match outcome {
            Outcome::Ok => found.is_ok(),
            Outcome::Error => found.is_error,
            Outcome::Throttle => found.is_throttle,
            Outcome::Fault => found.is_fault,
            Outcome::Partial => self.spans().into_iter().any(|span| is_in_progress(&self.segments.spans[span])),
        }
    }

    fn number(self, key: NumberKey) -> Option<f64> {
        let span = self.segments.span(self.segment?);
        match key {
            NumberKey::HttpStatus => http(span).status.map(|status| status as f64),
            NumberKey::Duration if self.is_trace => Some(self.segments.duration_ns() as f64 / SECOND),
            NumberKey::ResponseTime | NumberKey::Duration => Some(span.duration_ns as f64 / SECOND),
        }
    }

    fn texts(self, key: TextKey) -> Vec<String> {
        let spans = || self.spans().into_iter().map(|span| &self.segments.spans[span]);
        let root = || self.segment.map(|segment| http(self.segments.span(segment))).unwrap_or_default();
        match key {
            TextKey::HttpUrl => root().url.into_iter().collect(),
            TextKey::HttpMethod => root().method.into_iter().collect(),
            TextKey::HttpUserAgent => root().user_agent.into_iter().collect(),
            TextKey::HttpClientIp => root().client_ip.into_iter().collect(),
            TextKey::User => spans().filter_map(user).collect(),
            TextKey::InstanceId => spans().filter_map(|span| machine(span).0).collect(),
            TextKey::AvailabilityZone => spans().filter_map(|span| machine(span).1).collect(),
            TextKey::Name if self.is_trace => {
                self.segments.services().into_iter().map(|service| service.name.clone()).collect()
            }
            TextKey::Name => self.segment.map(|segment| segment.service.name.clone()).into_iter().collect(),
        }
    }

    fn has_annotation(self, name: &str, test: &AnnotationTest) -> bool {
        let spans = self.spans();
        let found = spans.iter().flat_map(|span| annotations(&self.segments.spans[*span]));
        let mut values = found.filter(|(known, _)| *known == name).map(|(_, value)| value);
        values.any(|value| test.holds(value))
    }
}

impl Node {
    fn is(&self, service: &ServiceId) -> bool {
        let has_type = self.kind.as_ref().is_none_or(|kind| service.kind.as_ref() == Some(kind));
        self.name.as_ref().is_none_or(|name| service.name == *name) && has_type
    }
}

impl TextTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Equal(value) => text == value,
            Self::NotEqual(value) => text != value,
            Self::Contains(value) => text.contains(value),
            Self::BeginsWith(value) => text.starts_with(value),
            Self::EndsWith(value) => text.ends_with(value),
        }
    }
}

impl AnnotationTest {
    fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            // Any value contains the empty text: the annotation is there.
            (Self::Text(TextTest::Contains(text)), _) if text.is_empty() => true,
            (Self::Text(test), Value::String(text)) => test.holds(text),
            (Self::Number(order, number_), Value::Integer(_) | Value::Float(_)) => {
                number(value).is_some_and(|found| order.holds_for(found.partial_cmp(number_)))
            }
            (Self::Boolean(is), Value::Boolean(found)) => is == found,
            _ => false,
        }
    }
}
