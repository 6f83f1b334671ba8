//! Searches for traces by one of their spans.
//!
//! All conditions of a search are about one span. `candidates` finds the traces of such spans, newest or slowest first; then all
//! spans of these traces are read with the few columns that a summary needs.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use plan::{Comparison, Expr, Function, Operator, Plan};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use door::{Problem, QueryRun, Result};

use crate::plans::{compare, equal, field, is_present, is_span, one_of, show, span_groups};
use crate::read::Reading;
use crate::span::{Span, SpanKind, field_of_attribute, milliseconds, nanoseconds, number};
use crate::times;

/// Default and limit of the number of traces of one search.
pub(crate) const TRACES_DEFAULT: usize = 20;
pub(crate) const TRACES_MAX: usize = 1_000;

/// Limit on the spans that are read at once.
const SUMMED_SPANS_MAX: usize = 200_000;

/// The time around the range of a search in which the other spans of a trace are read.
const MARGIN_NS: i64 = Timestamp::HOUR;

/// The columns of a span that a summary needs.
const SUMMARY_COLUMNS: [&str; 9] =
    ["@timestamp", "trace_id", "span_id", "parent_span_id", "service", "name", "kind", "status", "duration_ms"];

/// The order of traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TraceOrder {
    /// By the start of the newest matching span.
    #[default]
    Newest,
    /// By the duration of the slowest matching span.
    Slowest,
}

/// A search for traces.
#[derive(Clone, Debug)]
pub(crate) struct TraceSearch {
    /// The service of the span.
    pub(crate) service: Option<String>,
    /// The name of the span.
    pub(crate) name: Option<String>,
    /// The kind of the span.
    pub(crate) kind: Option<SpanKind>,
    /// Attributes of the span and the texts or numbers that they equal.
    pub(crate) attributes: Vec<(String, Value)>,
    /// The least duration of the span, in nanoseconds.
    pub(crate) min_ns: Option<i64>,
    /// The greatest duration of the span, in nanoseconds.
    pub(crate) max_ns: Option<i64>,
    /// Whether the span failed.
    pub(crate) is_error: bool,
    /// Other conditions on the span.
    pub(crate) filters: Vec<Operator>,
    /// The range of the span's start.
    pub(crate) range: TimeRange,
    /// Groups; none means those of spans.
    pub(crate) groups: Vec<GroupPattern>,
    /// Limit on the traces.
    pub(crate) limit: usize,
    /// Their order.
    pub(crate) order: TraceOrder,
}

/// The summary of a trace that a search found.
#[derive(Clone, Debug, Default)]
pub(crate) struct TraceSummary {
    /// The trace.
    pub(crate) trace_id: Arc<str>,
    /// The service of the root, or of the earliest span if the root is missing.
    pub(crate) root_service: Arc<str>,
    /// The name of the same span.
    pub(crate) root_name: Arc<str>,
    /// Whether every span has a parent.
    pub(crate) is_root_missing: bool,
    /// The start of the earliest span.
    pub(crate) start: Timestamp,
    /// The end of the last one.
    pub(crate) end: Timestamp,
    /// Its spans, each counted once.
    pub(crate) n_spans: usize,
    /// Those that failed.
    pub(crate) n_errors: usize,
    /// Spans and failed spans by service.
    pub(crate) services: BTreeMap<Arc<str>, (usize, usize)>,
}

impl TraceSearch {
    /// Returns a search for all traces of a range.
    pub(crate) fn of(range: TimeRange) -> Self {
        Self {
            service: None,
            name: None,
            kind: None,
            attributes: Vec::new(),
            min_ns: None,
            max_ns: None,
            is_error: false,
            filters: Vec::new(),
            range,
            groups: Vec::new(),
            limit: TRACES_DEFAULT,
            order: TraceOrder::Newest,
        }
    }

    /// Returns the conditions on the span.
    pub(crate) fn conditions(&self) -> Vec<Operator> {
        let mut conditions = vec![is_span()];
        let texts = [("service", self.service.as_deref()), ("name", self.name.as_deref())];
        conditions.extend(texts.into_iter().filter_map(|(field, text)| Some(equal(field, text?))));
        conditions.extend(self.kind.map(|kind| equal("kind", kind.name())));
        conditions.extend(self.is_error.then(|| equal("status", "error")));
        let duration = |comparison, ns: Option<i64>| {
            ns.map(|ns| compare("duration_ms", comparison, Value::Float(milliseconds(ns))))
        };
        conditions.extend(duration(Comparison::GreaterOrEqual, self.min_ns));
        conditions.extend(duration(Comparison::LessOrEqual, self.max_ns));
        for (name, value) in &self.attributes {
            // An item of a list is a value of its attribute, as in TraceQL.
            let name = field_of_attribute(name);
            let equal = compare(&name, Comparison::Equal, value.clone());
            conditions.push(Expr::Call(Function::Each, vec![field(&name), equal]));
        }
        conditions.into_iter().map(Operator::Filter).chain(self.filters.iter().cloned()).collect()
    }
}

/// Reads the summaries of some traces found in the range `asked`, in the order of `ids`.
pub(crate) fn summaries(
    run: &QueryRun<'_>,
    ids: &[String],
    asked: TimeRange,
    groups: &[GroupPattern],
    reading: &mut Reading,
) -> Result<Vec<TraceSummary>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let operators = vec![
        Operator::Filter(is_span()),
        Operator::Filter(one_of("trace_id", ids)),
        Operator::Limit(SUMMED_SPANS_MAX as u64 + 1),
        show(SUMMARY_COLUMNS, true),
    ];
    let (range, scope) = (times::widened(asked, MARGIN_NS), times::scope(run.server.now()));
    let snapshot = run.snapshot(&span_groups(groups), range);
    let rows = reading.add(run.execute_on(&snapshot, &Plan::new(operators), &scope, range)?);
    if rows.len() > SUMMED_SPANS_MAX {
        if let (first @ [_, ..], rest @ [_, ..]) = ids.split_at(ids.len() / 2) {
            drop(rows);
            let mut all = summaries(run, first, asked, groups, reading)?;
            all.extend(summaries(run, rest, asked, groups, reading)?);
            return Ok(all);
        }
        reading.cut(format!("trace {} has more than {SUMMED_SPANS_MAX} spans; only the newest were counted", ids[0]));
    }
    let names = SUMMARY_COLUMNS.map(plan::Name::from);
    let mut by_trace: HashMap<Arc<str>, Vec<Span>> = HashMap::new();
    for row in rows {
        let fields = names.iter().cloned().zip(row).filter_map(|(name, value)| Some((name, value?))).collect();
        let span = Span::of_event(fields);
        by_trace.entry(span.trace_id.clone()).or_default().push(span);
    }
    let of_trace = |mut spans: Vec<Span>| {
        crate::tree::without_repeated(&mut spans);
        summary(&spans)
    };
    Ok(ids.iter().filter_map(|id| by_trace.remove(id.as_str())).map(of_trace).collect())
}

/// Returns the summary of one trace, given its spans: at least one, and none repeated.
pub(crate) fn summary(spans: &[Span]) -> TraceSummary {
    let root = spans.iter().find(|span| span.parent_id.is_none());
    let mut summary = TraceSummary { is_root_missing: root.is_none(), n_spans: spans.len(), ..TraceSummary::default() };
    if let Some(shown) = root.or(spans.first()) {
        (summary.trace_id, summary.root_service) = (shown.trace_id.clone(), shown.service.clone());
        summary.root_name = shown.name.clone();
    }
    summary.start = spans.iter().map(|span| span.start).min().unwrap_or_default();
    summary.end = spans.iter().map(Span::end).max().unwrap_or_default();
    for span in spans {
        let (n_spans, n_errors) = summary.services.entry(span.service.clone()).or_default();
        *n_spans += 1;
        *n_errors += usize::from(span.is_error);
        summary.n_errors += usize::from(span.is_error);
    }
    summary
}

impl TraceSummary {
    /// Returns the time from the first start to the last end, in nanoseconds.
    pub(crate) fn duration_ns(&self) -> i64 {
        self.end.0.saturating_sub(self.start.0)
    }
}

/// Adds the condition that a tag in a request of another API means: `error` is the status, names of a span's own fields
/// are those fields, everything else is an attribute.
pub(crate) fn add_tag(search: &mut TraceSearch, name: &str, value: &str) {
    match (name, value) {
        ("error", "true") => search.is_error = true,
        ("error", "false") => search.filters.push(Operator::Filter(plan::not(equal("status", "error")))),
        ("service.name", _) => search.service = Some(value.to_owned()),
        ("name", _) => search.name = Some(value.to_owned()),
        ("span.kind", _) => search.kind = Some(SpanKind::of(value)),
        ("status.code" | "otel.status_code" | "status", _) => {
            let status = equal("status", value.to_ascii_lowercase());
            search.filters.push(Operator::Filter(status));
        }
        (name, "") => search.filters.push(Operator::Filter(is_present(&field_of_attribute(name)))),
        (name, value) => {
            let field = field_of_attribute(name);
            let text = equal(&field, value);
            // The sender may have meant a number or a truth value.
            let other =
                number(&Value::text(value)).map(Value::Float).or_else(|| value.parse().ok().map(Value::Boolean));
            let condition = match other {
                Some(other) => Expr::Or(Box::new(text), Box::new(compare(&field, Comparison::Equal, other))),
                None => text,
            };
            search.filters.push(Operator::Filter(condition));
        }
    }
}

/// Parses a duration: units as in `1.5s`, or a number of `unit_ns` nanoseconds.
pub(crate) fn duration(name: &str, text: &str, unit_ns: i64) -> Result<i64> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    let parsed = number.map(|number| nanoseconds(number * milliseconds(unit_ns)));
    let parsed = parsed.or_else(|| types::parse_duration_ns(text).ok().filter(|ns| *ns >= 0));
    let message = || format!("{name} is not a duration: {text:?}");
    parsed.ok_or_else(|| Problem::bad_request("bad-duration", message()).hint("write 250ms or 1.5s"))
}
