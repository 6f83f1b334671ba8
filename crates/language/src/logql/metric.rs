//! Metric queries: their tree, and how it is read.

use pest::iterators::Pair;
use types::parse_duration_ns;

use super::grammar::Rule;
use super::grouping::{Grouping, grouping};
use super::log_query::LogQuery;
use super::operator::{BinaryOperator, VectorMatching};
use super::reader::Reader;
use super::stage::{self, Unwrap};
use crate::grammar::span_of;
use plan::label_set::{ERROR, ERROR_DETAILS};
use plan::units::duration_ns;
use plan::{Expr, Result};

/// A query for numbers over time.
#[derive(Clone, Debug)]
pub struct MetricQuery {
    pub(super) root: Metric,
}

impl MetricQuery {
    /// Reports whether the answer is one number without labels, as `1 + 1` gives it.
    pub fn is_scalar(&self) -> bool {
        self.root.is_scalar()
    }

    /// Returns the labels that every series of the answer has at most, where the query names them by `by`.
    pub fn labels_only(&self) -> Option<Vec<String>> {
        match &self.root {
            // These keep the labels of the series that they choose.
            Metric::Aggregation { kind: AggregationKind::Top(_) | AggregationKind::Bottom(_), .. } => None,
            Metric::Aggregation { grouping: Grouping::By(labels), .. } => Some(labels.clone()),
            _ => None,
        }
    }

    /// Returns the events that the first number of the query is made of.
    pub fn first_events(&self) -> Option<&LogQuery> {
        self.root.first_events()
    }

    /// Returns the query as counts of events, if it is `sum by (…) (count_over_time(…))`, or the same with `rate`.
    pub(crate) fn as_counts(&self) -> Option<Counts<'_>> {
        let Metric::Aggregation { kind: AggregationKind::Sum, grouping: Grouping::By(labels), inner } = &self.root
        else {
            return None;
        };
        let Metric::Range(call) = &**inner else { return None };
        let per_second = match call.function {
            RangeFunction::Count => false,
            RangeFunction::Rate if call.unwrap.is_none() => true,
            _ => return None,
        };
        let by = labels.iter().map(|label| (&**label, call.log.shown.sight.label(label))).collect();
        (call.offset_ns == 0).then_some(Counts { log: &call.log, by, window_ns: call.window_ns, per_second })
    }
}

/// Events counted by labels in windows of time.
pub(crate) struct Counts<'m> {
    /// The events.
    pub(crate) log: &'m LogQuery,
    /// Labels and their values.
    pub(crate) by: Vec<(&'m str, Expr)>,
    /// Length of the window.
    pub(crate) window_ns: i64,
    /// Whether the count is divided by the seconds of the window.
    pub(crate) per_second: bool,
}

/// A tree of numbers over time.
#[derive(Clone, Debug)]
pub(super) enum Metric {
    Number(f64),
    /// `vector(n)`: a series without labels.
    Vector(f64),
    Range(Box<RangeCall>),
    Aggregation {
        kind: AggregationKind,
        grouping: Grouping,
        inner: Box<Metric>,
    },
    /// `sort` and `sort_desc`: an order of the series at one instant.
    Sorted {
        descending: bool,
        inner: Box<Metric>,
    },
    /// `label_replace`.
    Relabelled {
        inner: Box<Metric>,
        relabelling: Relabelling,
    },
    Binary {
        operator: BinaryOperator,
        matching: VectorMatching,
        left: Box<Metric>,
        right: Box<Metric>,
    },
}

/// A label made of what a regular expression finds in another one.
#[derive(Clone, Debug)]
pub(super) struct Relabelling {
    pub target: String,
    pub with: String,
    pub source: String,
    pub regex: regex::Regex,
}

/// A function of the events in a window.
#[derive(Clone, Debug)]
pub(super) struct RangeCall {
    pub log: LogQuery,
    pub function: RangeFunction,
    pub unwrap: Option<Unwrap>,
    pub window_ns: i64,
    pub offset_ns: i64,
    /// Labels of the series; `None` is those of the stream.
    pub grouping: Option<Grouping>,
}

impl RangeCall {
    /// Returns labels that its series do not have: those that it leaves out, or a sum around it that Loki computes
    /// with it, and the one that its numbers are taken from.
    pub(super) fn left_out(&self, sum: Option<&Grouping>) -> Vec<String> {
        let without = match self.grouping.as_ref().or(sum) {
            Some(Grouping::Without(labels)) => labels.clone(),
            _ => Vec::new(),
        };
        without.into_iter().chain(self.unwrap.iter().map(|unwrap| unwrap.label.clone())).collect()
    }

    /// Reports whether a condition asks whether its number could be read.
    fn asks_number_error(&self) -> bool {
        let asked = |unwrap: &Unwrap| self.log.shown.sight.asked.get(unwrap.n_asked..).unwrap_or_default();
        self.unwrap.iter().flat_map(asked).any(|name| matches!(&**name, ERROR | ERROR_DETAILS))
    }

    /// Reports whether a condition asks what could not be read.
    pub(super) fn asks_error(&self) -> bool {
        self.log.shown.sight.asked.iter().any(|name| name == ERROR)
    }

    /// Reports whether labels without value are missing from its series: where stages or `without` take labels away,
    /// Loki merges series that several of its parts may have, and they are lost in it. A sum of what adds up is merged
    /// as a whole.
    pub(super) fn loses_empty(&self, outer: Option<AggregationKind>) -> bool {
        use RangeFunction::{Average, Max, Min};
        let is_merged = match self.function {
            function if function.is_additive() => outer != Some(AggregationKind::Sum),
            Max | Min => true,
            Average => !self.asks_number_error(),
            _ => false,
        };
        let loses_labels = match &self.grouping {
            Some(Grouping::By(_)) => false,
            Some(Grouping::Without(labels)) => !labels.is_empty() || self.log.shown.loses_labels,
            None => self.log.shown.loses_labels,
        };
        is_merged && loses_labels
    }
}

impl RangeFunction {
    /// Reports whether what it gives for parts of the lines adds up to what it gives for all.
    pub(super) fn is_additive(self) -> bool {
        matches!(self, Self::Count | Self::Rate | Self::Bytes | Self::BytesRate | Self::Sum)
    }
}

/// What is computed of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RangeFunction {
    Count,
    Rate,
    Bytes,
    BytesRate,
    Sum,
    Average,
    Min,
    Max,
    Quantile(f64),
    First,
    Last,
    Deviation,
    Variance,
    /// How fast a counter rises per second.
    RateCounter,
    /// 1 where there is no event.
    Absent,
}

/// How series are merged at each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum AggregationKind {
    Sum,
    Min,
    Max,
    Average,
    Count,
    Top(usize),
    Bottom(usize),
    Deviation,
    Variance,
}

impl Metric {
    fn first_events(&self) -> Option<&LogQuery> {
        match self {
            Self::Number(_) | Self::Vector(_) => None,
            Self::Range(call) => Some(&call.log),
            Self::Aggregation { inner, .. } | Self::Sorted { inner, .. } | Self::Relabelled { inner, .. } => {
                inner.first_events()
            }
            Self::Binary { left, right, .. } => left.first_events().or_else(|| right.first_events()),
        }
    }

    pub(super) fn is_scalar(&self) -> bool {
        match self {
            Self::Number(_) => true,
            Self::Binary { left, right, .. } => left.is_scalar() && right.is_scalar(),
            _ => false,
        }
    }
}

/// Reads `metric`: operands with operators between.
pub(super) fn read(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Metric> {
    let span = span_of(&pair);
    let mut operands: Vec<Metric> = Vec::new();
    let mut waiting: Vec<(BinaryOperator, VectorMatching)> = Vec::new();
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::binary_sign => {
                reader.nest(span_of(&part))?;
                let Some(operator) = BinaryOperator::named(&part.as_str().to_ascii_lowercase()) else { continue };
                let is_right = operator == BinaryOperator::Power;
                let binds = |top: BinaryOperator| {
                    top.strength() > operator.strength() || (top.strength() == operator.strength() && !is_right)
                };
                while let Some((top, matching)) = waiting.pop_if(|(top, _)| binds(*top)) {
                    join(&mut operands, top, matching);
                }
                waiting.push((operator, VectorMatching::default()));
            }
            Rule::kw_bool => {
                if let Some(last) = waiting.last_mut() {
                    last.1.gives_bool = true;
                }
            }
            Rule::matching => {
                if let Some(last) = waiting.last_mut() {
                    last.1.read(part);
                }
            }
            _ => operands.push(operand(reader, part)?),
        }
    }
    while let Some((operator, matching)) = waiting.pop() {
        join(&mut operands, operator, matching);
    }
    operands.pop().ok_or_else(|| reader.error("syntax", "a number is missing here", span))
}

/// Puts the last two operands together. The grammar gives one operand more than operators.
fn join(operands: &mut Vec<Metric>, operator: BinaryOperator, matching: VectorMatching) {
    if let (Some(right), Some(left)) = (operands.pop(), operands.pop()) {
        operands.push(Metric::Binary { operator, matching, left: Box::new(left), right: Box::new(right) });
    }
}

fn operand(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Metric> {
    let span = span_of(&pair);
    reader.nest(span)?;
    let is_grouped = std::mem::take(&mut reader.is_grouped);
    let missing = |reader: &Reader<'_>| reader.error("syntax", "a number is missing here", span);
    match pair.as_rule() {
        Rule::number => Ok(Metric::Number(number(reader, &pair)?)),
        Rule::vector => match pair.into_inner().find(|part| part.as_rule() == Rule::number) {
            Some(part) => Ok(Metric::Vector(number(reader, &part)?)),
            None => Err(missing(reader)),
        },
        Rule::paren => match pair.into_inner().find(|part| part.as_rule() == Rule::metric) {
            Some(inner) => {
                reader.is_grouped = is_grouped && inner.clone().into_inner().count() == 1;
                read(reader, inner)
            }
            None => Err(missing(reader)),
        },
        Rule::aggregation => aggregation(reader, pair),
        Rule::sorted => {
            let descending = pair.as_str().to_ascii_lowercase().starts_with("sort_desc");
            match pair.into_inner().find(|part| part.as_rule() == Rule::metric) {
                Some(inner) => Ok(Metric::Sorted { descending, inner: Box::new(read(reader, inner)?) }),
                None => Err(missing(reader)),
            }
        }
        Rule::relabelled => relabelled(reader, pair),
        Rule::range_call => {
            reader.is_grouped = is_grouped;
            Ok(Metric::Range(Box::new(range_call(reader, pair)?)))
        }
        _ => Err(missing(reader)),
    }
}

fn relabelled(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Metric> {
    let span = span_of(&pair);
    let parts: Vec<Pair<'_, Rule>> = pair.into_inner().collect();
    let of = |rule: Rule| parts.iter().filter(move |part| part.as_rule() == rule);
    let texts: Vec<String> = of(Rule::string).map(|part| reader.string(part)).collect::<Result<_, _>>()?;
    let ([target, with, source, pattern], Some(inner)) = (texts.as_slice(), of(Rule::metric).next()) else {
        return Err(reader.error("syntax", "an argument is missing here", span));
    };
    // Unlike those of labels, this one has a period that matches no line break.
    let regex = reader.regex(&format!("^(?:{pattern})$"), span)?;
    let relabelling = Relabelling { target: target.clone(), with: with.clone(), source: source.clone(), regex };
    Ok(Metric::Relabelled { inner: Box::new(read(reader, inner.clone())?), relabelling })
}

fn number(reader: &Reader<'_>, pair: &Pair<'_, Rule>) -> Result<f64> {
    let number = pair.as_str().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| reader.error("number-too-large", "this number is too large", span_of(pair)))
}

fn aggregation(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<Metric> {
    let span = span_of(&pair);
    let (mut name, mut name_span, mut parameter) = (String::new(), span, None);
    let written = pair.clone().into_inner().find(|part| part.as_rule() == Rule::grouping);
    let (kept, mut inner) = (written.map_or_else(|| Grouping::By(Vec::new()), grouping), None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::aggregate_name => (name, name_span) = (part.as_str().to_ascii_lowercase(), span_of(&part)),
            Rule::arguments => {
                reader.is_grouped = name == "sum" && matches!(&kept, Grouping::By(labels) if !labels.is_empty());
                for argument in part.into_inner() {
                    match argument.as_rule() {
                        Rule::number => parameter = Some(number(reader, &argument)?),
                        Rule::metric => inner = Some(read(reader, argument)?),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let n_kept = || parameter.filter(|n| *n >= 1.0 && *n <= 1e6 && n.fract() == 0.0).map(|n| n as usize);
    let kind = match (&*name, parameter) {
        ("topk", _) => n_kept().map(AggregationKind::Top),
        ("bottomk", _) => n_kept().map(AggregationKind::Bottom),
        (_, Some(_)) => None,
        ("min", _) => Some(AggregationKind::Min),
        ("max", _) => Some(AggregationKind::Max),
        ("avg", _) => Some(AggregationKind::Average),
        ("count", _) => Some(AggregationKind::Count),
        ("stddev", _) => Some(AggregationKind::Deviation),
        ("stdvar", _) => Some(AggregationKind::Variance),
        _ => Some(AggregationKind::Sum),
    };
    let Some(kind) = kind else {
        let error = reader.error("wrong-arguments", format!("wrong arguments of {name}"), name_span);
        return Err(error.with_hint("topk and bottomk take a whole number first, the others do not: topk(5, …)"));
    };
    match inner {
        Some(Metric::Number(_)) => {
            let message = format!("{name} merges series, and a number is none");
            Err(reader.error("wrong-arguments", message, span).with_hint("write vector(1) for a series"))
        }
        Some(inner) => Ok(Metric::Aggregation { kind, grouping: kept, inner: Box::new(inner) }),
        None => Err(reader.error("syntax", "an argument is missing here", span)),
    }
}

fn range_call(reader: &mut Reader<'_>, pair: Pair<'_, Rule>) -> Result<RangeCall> {
    let span = span_of(&pair);
    let (mut name, mut name_span, mut parameter, mut kept, mut range) = (String::new(), span, None, None, None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::range_name => (name, name_span) = (part.as_str().to_ascii_lowercase(), span_of(&part)),
            Rule::number => parameter = Some(number(reader, &part)?),
            Rule::grouping => kept = Some(grouping(part)),
            Rule::range => range = Some(part),
            _ => {}
        }
    }
    let Some(range) = range else { return Err(reader.error("syntax", "a range is missing here", span)) };
    let (window_ns, offset_ns) = window(reader, &range)?;
    let adds_up = matches!(&*name, "count_over_time" | "rate" | "bytes_over_time" | "bytes_rate" | "sum_over_time");
    reader.is_grouped = match &kept {
        Some(Grouping::By(labels)) => !labels.is_empty(),
        Some(Grouping::Without(_)) => false,
        None => reader.is_grouped && adds_up,
    };
    let (log, unwrap) = stage::log(reader, range, name.starts_with("bytes"))?;
    reader.is_grouped = false;
    let function = match (&*name, parameter) {
        ("quantile_over_time", Some(quantile)) => RangeFunction::Quantile(quantile),
        ("quantile_over_time", _) | (_, Some(_)) => {
            let error = reader.error("wrong-arguments", format!("wrong arguments of {name}"), name_span);
            return Err(error.with_hint("quantile_over_time takes a number first, the others do not"));
        }
        ("count_over_time", _) => RangeFunction::Count,
        // The rate of an unwrapped value is its sum per second.
        ("rate", _) => RangeFunction::Rate,
        ("rate_counter", _) => RangeFunction::RateCounter,
        ("bytes_over_time", _) => RangeFunction::Bytes,
        ("bytes_rate", _) => RangeFunction::BytesRate,
        ("sum_over_time", _) => RangeFunction::Sum,
        ("avg_over_time", _) => RangeFunction::Average,
        ("min_over_time", _) => RangeFunction::Min,
        ("max_over_time", _) => RangeFunction::Max,
        ("stddev_over_time", _) => RangeFunction::Deviation,
        ("stdvar_over_time", _) => RangeFunction::Variance,
        ("absent_over_time", _) => RangeFunction::Absent,
        ("first_over_time", _) => RangeFunction::First,
        _ => RangeFunction::Last,
    };
    let is_of_value = !matches!(
        function,
        RangeFunction::Count
            | RangeFunction::Rate
            | RangeFunction::Bytes
            | RangeFunction::BytesRate
            | RangeFunction::Absent
    );
    if is_of_value && unwrap.is_none() {
        let error = reader.error("unwrap-missing", format!("{name} needs a number of each event"), name_span);
        return Err(error.with_hint("name it: {…} | unwrap latency [5m]"));
    }
    let takes_value = is_of_value || matches!(function, RangeFunction::Rate | RangeFunction::Absent);
    if unwrap.is_some() && !takes_value {
        let message = format!("invalid aggregation {name} with unwrap");
        return Err(reader.error("wrong-arguments", message, name_span).with_hint("leave `| unwrap` out"));
    }
    let takes_grouping = is_of_value && !matches!(function, RangeFunction::Sum | RangeFunction::RateCounter);
    if kept.is_some() && !takes_grouping {
        let message = format!("grouping not allowed for {name} aggregation");
        return Err(reader
            .error("wrong-arguments", message, name_span)
            .with_hint(format!("write sum by (…) ({name}(…))")));
    }
    Ok(RangeCall { log, function, unwrap, window_ns, offset_ns, grouping: kept })
}

/// Length and offset of a window, both in nanoseconds.
fn window(reader: &Reader<'_>, range: &Pair<'_, Rule>) -> Result<(i64, i64)> {
    let (mut length, mut offset) = (0, 0);
    let nested = range.clone().into_inner().find(|part| part.as_rule() == Rule::range);
    if let Some(nested) = nested {
        return window(reader, &nested);
    }
    for window in range.clone().into_inner().filter(|part| part.as_rule() == Rule::window) {
        for part in window.into_inner() {
            let duration = || {
                let (text, sign) = part.as_str().strip_prefix('-').map_or((part.as_str(), 1), |text| (text, -1));
                let parsed = parse_duration_ns(text).ok().or_else(|| duration_ns(text)).map(|length| length * sign);
                let parsed = parsed.filter(|_| part.as_rule() != Rule::duration || !text.contains('.'));
                let wrong = || reader.error("bad-duration", "this is no duration", span_of(&part));
                parsed.ok_or_else(|| wrong().with_hint("write 30s, 5m or 1h30m"))
            };
            match part.as_rule() {
                Rule::duration => length = duration()?,
                Rule::offset => offset = duration()?,
                _ => {}
            }
        }
    }
    Ok((length, offset))
}
