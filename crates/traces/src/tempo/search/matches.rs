//! The spans of a trace that a query of TraceQL finds, in Tempo's form.

use serde_json::{Value as Json, json};
use traceql::{Query, SpanView, Spanset};
use types::Value;

use crate::otlp::json_attribute;
use crate::read::Trace;
use crate::search::{TraceSummary, summary};

/// Default and limit of the number of matching spans shown of each spanset.
pub(super) const MATCHING_SPANS_DEFAULT: usize = 3;
pub(super) const MATCHING_SPANS_MAX: usize = 1_000;

/// The summary of a trace, and the spansets that a query finds in it.
pub(super) struct TraceMatch {
    pub(super) summary: TraceSummary,
    pub(super) spansets: Vec<Json>,
}

/// Evaluates a query over a trace, which has spans.
pub(super) fn found_in(trace: &Trace, query: &Query, n_spans: usize) -> TraceMatch {
    let views: Vec<SpanView> =
        trace.spans.iter().map(|span| SpanView::new(span.start, span.fields.iter().cloned())).collect();
    let evaluated = traceql::Trace::new(&views);
    let spansets = traceql::search(query, &evaluated);
    let shown = spansets.iter().map(|spanset| spanset_json(trace, &evaluated, query, spanset, n_spans));
    TraceMatch { summary: summary(&trace.spans), spansets: shown.collect() }
}

fn spanset_json(
    trace: &Trace,
    evaluated: &traceql::Trace<'_>,
    query: &Query,
    spanset: &Spanset,
    n_spans: usize,
) -> Json {
    let fields = query.fields();
    let span_json = |place: &u32| {
        let span = &trace.spans[*place as usize];
        let value = |field: &&traceql::Field| Some((field.to_string(), evaluated.value(field, *place)?));
        let attributes = fields.iter().filter_map(value).map(|(name, value)| json_attribute(&name, &value));
        json!({
            "spanID": &*span.span_id, "name": &*span.name, "startTimeUnixNano": span.start.0.to_string(),
            "durationNanos": span.duration_ns.to_string(), "attributes": attributes.collect::<Vec<_>>(),
        })
    };
    let nil = Value::text("nil");
    let values = spanset.values.iter().map(|(name, value)| json_attribute(name, value.as_ref().unwrap_or(&nil)));
    json!({
        "spans": spanset.spans.iter().take(n_spans).map(span_json).collect::<Vec<_>>(),
        "matched": spanset.spans.len(), "attributes": values.collect::<Vec<_>>(),
    })
}
