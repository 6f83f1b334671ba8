//! Evaluates metric queries: one aggregation per range function wherever its window allows it.
//!
//! The value at an instant is that of the events in the window `(instant − length, instant]`; where instants and windows
//! are whole minutes, in `[instant − length, instant)`, as `bin` has it. Events are
//! aggregated into buckets whose length divides both the window and the step, and windows are put together from
//! buckets; where window and step are equal, as in the histogram of Grafana's Explore, every window is one bucket.

use std::collections::{BTreeMap, HashMap};

use types::{TimeRange, Timestamp, Value};

use super::label::STREAM_LABELS;
use super::metric::{AggregationKind, Grouping, Metric, MetricQuery, RangeCall, RangeFunction};
use super::vector::{self, Labels, Numbers, Values};
use crate::function::Function;
use crate::optimise::optimise;
use crate::plan::{Aggregate, AggregateKind, ArithmeticOperator, Expr, Name, Operator, Parse, ParseMethod, Plan, Span};

// What Prometheus and Loki allow, and more than any screen has pixels.
const STEPS_MAX: i64 = 11_000;

/// Most series of an answer, as for `/series` (DESIGN.md §15).
const SERIES_MAX: usize = 5_000;

// Eight bytes each for every series; windows that are put together of more are read one by one.
const BUCKETS_MAX: i64 = 20_000;

// Each is a query of its own.
const WINDOWS_READ_MAX: i64 = 200;

/// The instants at which a metric query is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// First instant.
    pub start: Timestamp,
    /// Last possible instant.
    pub end: Timestamp,
    /// Nanoseconds between two instants, above 0.
    pub step_ns: i64,
}

impl Steps {
    /// One instant.
    pub fn instant(at: Timestamp) -> Self {
        Self { start: at, end: at, step_ns: Timestamp::SECOND }
    }

    fn count(&self) -> i64 {
        let span = self.end.0.saturating_sub(self.start.0);
        if span < 0 { 0 } else { (span / self.step_ns.max(1)).saturating_add(1) }
    }

    fn at(&self, step: i64) -> Timestamp {
        Timestamp(self.start.0.saturating_add(step.saturating_mul(self.step_ns)))
    }
}

/// A number at an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// The instant.
    pub at: Timestamp,
    /// The number.
    pub value: f64,
}

/// Numbers over time that share their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Names and values in the order of the names.
    pub labels: Vec<(String, String)>,
    /// In order of time; instants without a number are not there.
    pub points: Vec<Point>,
}

/// Why a metric query has no answer. `E` is what running a plan may fail with.
#[derive(Debug, thiserror::Error)]
pub enum MetricError<E> {
    /// Running a plan failed.
    #[error(transparent)]
    Execute(E),
    /// Too many instants.
    #[error("the query asks for {0} points per series, more than {STEPS_MAX}; use a longer step")]
    TooManySteps(i64),
    /// Series that cannot meet.
    #[error("{0}")]
    Matching(String),
    /// Too many series.
    #[error("the query gives more than {SERIES_MAX} series; keep fewer labels, such as sum by (level) (…)")]
    TooManySeries,
    /// Window and step do not fit.
    #[error(
        "the window of {window_ns} ns and the step of {step_ns} ns share no usable length; make one a multiple of the other"
    )]
    UnevenWindow {
        /// Length of the window.
        window_ns: i64,
        /// Length of the step.
        step_ns: i64,
    },
}

/// Evaluates a metric query at every step. `execute` runs a plan over a range and gives all its rows.
pub fn run_metric<E>(
    query: &MetricQuery,
    steps: Steps,
    mut execute: impl FnMut(&Plan, TimeRange) -> Result<Vec<Vec<Option<Value>>>, E>,
) -> Result<Vec<Series>, MetricError<E>> {
    let n_steps = steps.count();
    if n_steps > STEPS_MAX {
        return Err(MetricError::TooManySteps(n_steps));
    }
    let mut evaluation = Evaluation { steps, n_steps: n_steps as usize, execute: &mut execute };
    let numbers = evaluation.evaluate(&query.root, None)?;
    let series = match numbers {
        Numbers::Scalar(number) => BTreeMap::from([(Labels::new(), vec![Some(number); n_steps as usize])]),
        Numbers::Vector(series) => series,
    };
    let point = |(step, value): (usize, Option<f64>)| Some(Point { at: steps.at(step as i64), value: value? });
    let shown = |(labels, values): (Labels, Values)| Series {
        labels: labels.into_iter().collect(),
        points: values.into_iter().enumerate().filter_map(point).collect(),
    };
    let mut series: Vec<Series> = series.into_iter().map(shown).filter(|series| !series.points.is_empty()).collect();
    // An order over time has no meaning: like Loki, only an instant is sorted.
    if let (Metric::Sorted { descending, .. }, 1) = (&query.root, n_steps) {
        let value = |series: &Series| series.points.first().map_or(f64::NAN, |point| point.value);
        series.sort_by(|a, b| value(a).total_cmp(&value(b)));
        if *descending {
            series.reverse();
        }
    }
    Ok(series)
}

struct Evaluation<'a, X> {
    steps: Steps,
    n_steps: usize,
    execute: &'a mut X,
}

type Rows = Vec<Vec<Option<Value>>>;

impl<E, X: FnMut(&Plan, TimeRange) -> Result<Rows, E>> Evaluation<'_, X> {
    /// `outer` is the grouping of a sum around this part, if there is one: only its labels are then needed.
    fn evaluate(&mut self, metric: &Metric, outer: Option<&Outer<'_>>) -> Result<Numbers, MetricError<E>> {
        match metric {
            Metric::Number(number) => Ok(Numbers::Scalar(*number)),
            Metric::Vector(number) => {
                Ok(Numbers::Vector(BTreeMap::from([(Labels::new(), vec![Some(*number); self.n_steps])])))
            }
            Metric::Range(call) if call.function == RangeFunction::Absent => {
                let found = self.range(call, &[])?;
                let is_found = |step: usize| found.values().any(|values| values.get(step).copied().flatten().is_some());
                let absent: Values = (0..self.n_steps).map(|step| (!is_found(step)).then_some(1.0)).collect();
                Ok(Numbers::Vector(BTreeMap::from([(call.log.equal_labels(), absent)])))
            }
            Metric::Range(call) => Ok(Numbers::Vector(self.range(call, &labels_of(call, outer))?)),
            Metric::Aggregation { kind, grouping, inner } => {
                let outer = Outer { grouping, kind: *kind };
                match self.evaluate(inner, Some(&outer))? {
                    Numbers::Vector(series) => Ok(Numbers::Vector(vector::aggregate(series, *kind, grouping))),
                    scalar => Ok(scalar),
                }
            }
            Metric::Sorted { inner, .. } => self.evaluate(inner, outer),
            Metric::Relabelled { inner, relabelling } => match self.evaluate(inner, None)? {
                Numbers::Vector(series) => Ok(Numbers::Vector(vector::relabel(series, relabelling))),
                scalar => Ok(scalar),
            },
            Metric::Binary { operator, matching, left, right } => {
                let left = self.evaluate(left, None)?;
                let right = self.evaluate(right, None)?;
                vector::combine(*operator, matching, left, right).map_err(MetricError::Matching)
            }
        }
    }

    fn range(&mut self, call: &RangeCall, labels: &[String]) -> Result<BTreeMap<Labels, Values>, MetricError<E>> {
        if self.n_steps == 0 {
            return Ok(BTreeMap::new());
        }
        let step_ns = self.steps.step_ns.max(1);
        let last = self.n_steps as i64 - 1;
        if last == 0 {
            return self.windows(call, labels);
        }
        let bucket_ns = common_divisor(call.window_ns, step_ns);
        let per_window = call.window_ns / bucket_ns;
        let span_ns = last.saturating_mul(step_ns).saturating_add(call.window_ns);
        let is_mergeable = per_window == 1 || !is_whole(call.function);
        if is_mergeable && span_ns / bucket_ns <= BUCKETS_MAX {
            return self.buckets(call, labels, bucket_ns);
        }
        if last < WINDOWS_READ_MAX {
            return self.windows(call, labels);
        }
        Err(MetricError::UnevenWindow { window_ns: call.window_ns, step_ns })
    }

    /// One aggregation over everything, by buckets; windows are merged of them.
    fn buckets(
        &mut self,
        call: &RangeCall,
        labels: &[String],
        bucket_ns: i64,
    ) -> Result<BTreeMap<Labels, Values>, MetricError<E>> {
        let first = self.steps.start.0.saturating_sub(call.offset_ns);
        let last = self.steps.at(self.n_steps as i64 - 1).0.saturating_sub(call.offset_ns);
        let shift = self.shift(call);
        let origin = first.saturating_sub(call.window_ns).saturating_add(shift);
        let range = TimeRange { from: Timestamp(origin), to: Timestamp(last.saturating_add(shift)) };
        let plan = plan_of(call, labels, Some((origin, bucket_ns)));
        let rows = (self.execute)(&plan, range).map_err(MetricError::Execute)?;
        let n_buckets = (range.to.0.saturating_sub(origin)).div_euclid(bucket_ns) + 1;
        let mut series: HashMap<Labels, Vec<Option<Partial>>> = HashMap::new();
        for row in rows {
            let Some(Some(Value::Timestamp(bucket))) = row.first() else { continue };
            let index = bucket.0.saturating_sub(origin).div_euclid(bucket_ns);
            let (Ok(index), Some(partial)) = (usize::try_from(index), Partial::of(&row, labels.len() + 1)) else {
                continue;
            };
            let buckets = series.entry(labels_of_row(labels, &row[1..])).or_default();
            if buckets.is_empty() {
                buckets.resize(n_buckets as usize, None);
            }
            if let Some(bucket) = buckets.get_mut(index) {
                *bucket = Some(partial);
            }
        }
        if series.len() > SERIES_MAX {
            return Err(MetricError::TooManySeries);
        }
        let (per_window, per_step) = (call.window_ns / bucket_ns, self.steps.step_ns / bucket_ns);
        let value_at = |buckets: &[Option<Partial>], step: usize| {
            let from = step as i64 * per_step;
            let window = buckets.get(from as usize..(from + per_window) as usize)?;
            let merged = window.iter().flatten().copied().reduce(|a, b| a.merge(b, call.function))?;
            Some(merged.finish(call))
        };
        let values = |buckets: &[Option<Partial>]| (0..self.n_steps).map(|step| value_at(buckets, step)).collect();
        Ok(series.into_iter().map(|(labels, buckets)| (labels, values(&buckets))).collect())
    }

    /// A window is open at its start and closed at its end; ranges of ours are the other way round, so that they are later
    /// by this. Where all of a query over time is whole minutes they are not: then windows are those of `bin`, whose
    /// events are counted already.
    fn shift(&self, call: &RangeCall) -> i64 {
        let first = self.steps.start.0.saturating_sub(call.offset_ns);
        let times = [first, call.window_ns, self.steps.step_ns];
        i64::from(self.n_steps == 1 || times.iter().any(|time| time % Timestamp::MINUTE != 0))
    }

    /// One aggregation for each window.
    fn windows(&mut self, call: &RangeCall, labels: &[String]) -> Result<BTreeMap<Labels, Values>, MetricError<E>> {
        let plan = plan_of(call, labels, None);
        let mut series: BTreeMap<Labels, Values> = BTreeMap::new();
        for step in 0..self.n_steps {
            let end = self.steps.at(step as i64).0.saturating_sub(call.offset_ns);
            let shift = self.shift(call);
            let from = Timestamp(end.saturating_sub(call.window_ns).saturating_add(shift));
            let range = TimeRange { from, to: Timestamp(end.saturating_add(shift)) };
            for row in (self.execute)(&plan, range).map_err(MetricError::Execute)? {
                let Some(partial) = Partial::of(&row, labels.len()) else { continue };
                let values = series.entry(labels_of_row(labels, &row)).or_default();
                values.resize(self.n_steps, None);
                values[step] = Some(partial.finish(call));
            }
            if series.len() > SERIES_MAX {
                return Err(MetricError::TooManySeries);
            }
        }
        Ok(series)
    }
}

/// Whether a value can only be had of all events of a window at once.
fn is_whole(function: RangeFunction) -> bool {
    matches!(function, RangeFunction::Quantile(_) | RangeFunction::Deviation | RangeFunction::Variance)
}

/// The aggregation around a range function.
struct Outer<'a> {
    grouping: &'a Grouping,
    kind: AggregationKind,
}

/// Labels that the series of a range function need.
fn labels_of(call: &RangeCall, outer: Option<&Outer<'_>>) -> Vec<String> {
    if let Some(Grouping::By(labels)) = &call.grouping {
        return unique(labels.iter().cloned());
    }
    use RangeFunction::{Bytes, BytesRate, Count, Max, Min, Rate, Sum};
    // A sum of sums needs no more than its own labels, and so the greatest of the greatest: one pass gives the answer.
    let is_of_one_kind = |outer: &Outer<'_>| match outer.kind {
        AggregationKind::Sum => matches!(call.function, Count | Rate | Bytes | BytesRate | Sum),
        AggregationKind::Min => call.function == Min,
        AggregationKind::Max => call.function == Max,
        _ => false,
    };
    let without: &[String] = match &call.grouping {
        Some(Grouping::Without(labels)) => labels,
        _ => &[],
    };
    let shown = &call.log.shown;
    let made = shown.parsed.iter().map(|name| name.to_string());
    let of_stream = unique(STREAM_LABELS.into_iter().map(str::to_owned).chain(made)).into_iter();
    let of_stream = of_stream.filter(|label| shown.has(label));
    let all = match outer {
        Some(outer @ Outer { grouping: Grouping::By(labels), .. })
            if call.grouping.is_none() && is_of_one_kind(outer) =>
        {
            unique(labels.iter().cloned())
        }
        Some(Outer { grouping: Grouping::By(labels), .. }) => unique(of_stream.chain(labels.iter().cloned())),
        _ => of_stream.collect(),
    };
    all.into_iter().filter(|label| !without.contains(label)).collect()
}

fn unique(labels: impl Iterator<Item = String>) -> Vec<String> {
    let mut kept = Vec::new();
    for label in labels {
        if !kept.contains(&label) {
            kept.push(label);
        }
    }
    kept
}

fn labels_of_row(labels: &[String], row: &[Option<Value>]) -> Labels {
    let text = |value: &Option<Value>| value.as_ref().map(Value::to_string).filter(|text| !text.is_empty());
    labels.iter().zip(row).filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// The plan of one aggregation. Columns: the bucket's start where there are buckets, labels, then the numbers that
/// [`Partial::of`] reads.
fn plan_of(call: &RangeCall, labels: &[String], buckets: Option<(i64, i64)>) -> Plan {
    let mut by: Vec<(Name, Expr)> = Vec::new();
    if let Some((origin, length)) = buckets {
        let arguments = vec![
            Expr::Field("@timestamp".into()),
            Expr::Literal(Some(Value::Timestamp(Timestamp(origin)))),
            Expr::Duration(Span::Nanoseconds(length)),
        ];
        by.push(("#bucket".into(), Expr::Call(Function::TimeBucket, arguments)));
    }
    by.extend(labels.iter().map(|name| (Name::from(format!("#label {name}")), call.log.shown.sight.label(name))));
    let value = call.unwrap.as_ref().map(|unwrap| {
        let zero = Box::new(Expr::Literal(Some(Value::Integer(0))));
        // The sum with 0 is missing for what is no number, so that only numbers are counted.
        Expr::Arithmetic(ArithmeticOperator::Add, Box::new(unwrap.value.clone()), zero)
    });
    let bytes = || Expr::Call(Function::ByteLength, vec![Expr::Field("@message".into())]);
    let (kind, argument) = match call.function {
        RangeFunction::Count | RangeFunction::Absent => (AggregateKind::Count, value.clone()),
        RangeFunction::Deviation | RangeFunction::Variance => (AggregateKind::Variance, value.clone()),
        RangeFunction::Rate if value.is_some() => (AggregateKind::Sum, value.clone()),
        RangeFunction::Rate => (AggregateKind::Count, None),
        RangeFunction::Bytes | RangeFunction::BytesRate => (AggregateKind::Sum, Some(bytes())),
        RangeFunction::Sum | RangeFunction::Average => (AggregateKind::Sum, value.clone()),
        RangeFunction::Min => (AggregateKind::Min, value.clone()),
        RangeFunction::Max => (AggregateKind::Max, value.clone()),
        RangeFunction::Quantile(quantile) => (AggregateKind::Percentile(quantile * 100.0), value.clone()),
        RangeFunction::First => (AggregateKind::Earliest, value.clone()),
        RangeFunction::Last => (AggregateKind::Latest, value.clone()),
    };
    let mut aggregates = vec![Aggregate { name: "#value".into(), kind, argument }];
    // How many events there were: an average divides by it, and a window without events has no value.
    aggregates.push(Aggregate { name: "#count".into(), kind: AggregateKind::Count, argument: value });
    let names: Vec<Name> = by.iter().map(|(name, _)| name.clone()).collect();
    let columns = names.into_iter().chain(["#value".into(), "#count".into()]);
    let columns = columns.map(|name: Name| (name.clone(), Expr::Field(name))).collect();
    let mut operators = without_idle_parsers(&call.log.operators, &by, &aggregates);
    operators.push(Operator::Aggregate { by, aggregates });
    operators.push(Operator::Project { columns, is_events: false });
    optimise(Plan { sources: call.log.sources.clone(), operators, ..Plan::default() })
}

/// Leaves out parsers that name their fields themselves where nothing but what is known of every event is asked for
/// behind them: they take longest of all, and histograms above a search have them.
fn without_idle_parsers(operators: &[Operator], by: &[(Name, Expr)], aggregates: &[Aggregate]) -> Vec<Operator> {
    let asks = |expr: &Expr| {
        let mut asks = false;
        expr.visit_fields(&mut |name| asks |= !name.starts_with('@'));
        asks
    };
    let arguments = aggregates.iter().filter_map(|aggregate| aggregate.argument.as_ref());
    let mut asks_for_fields = by.iter().map(|(_, expr)| expr).chain(arguments).any(asks);
    let mut kept = Vec::with_capacity(operators.len());
    for operator in operators.iter().rev() {
        asks_for_fields |= match operator {
            Operator::Filter(expr) | Operator::Extend { expr, .. } => asks(expr),
            Operator::Parse(Parse { method: ParseMethod::Format { prefix: None, .. }, .. }) if !asks_for_fields => {
                continue;
            }
            Operator::Parse(parse) => asks(&parse.text),
            _ => false,
        };
        kept.push(operator.clone());
    }
    kept.reverse();
    kept
}

/// What one aggregation gives for a bucket.
#[derive(Clone, Copy, Debug)]
struct Partial {
    value: f64,
    count: f64,
}

impl Partial {
    /// Reads the two numbers at `at`; `None` where no event had a number.
    fn of(row: &[Option<Value>], at: usize) -> Option<Self> {
        let number = |index: usize| match row.get(index)?.as_ref()? {
            Value::Integer(number) => Some(*number as f64),
            Value::Float(number) => Some(*number),
            _ => None,
        };
        let count = number(at + 1).filter(|count| *count > 0.0)?;
        // The variance of a single number is missing.
        let value = number(at).or((count == 1.0).then_some(0.0))?;
        Some(Self { value, count })
    }

    /// Merges with a later bucket.
    fn merge(self, later: Self, function: RangeFunction) -> Self {
        let value = match function {
            RangeFunction::Min => self.value.min(later.value),
            RangeFunction::Max => self.value.max(later.value),
            RangeFunction::First => self.value,
            RangeFunction::Last => later.value,
            _ => self.value + later.value,
        };
        Self { value, count: self.count + later.count }
    }

    fn finish(self, call: &RangeCall) -> f64 {
        let seconds = call.window_ns as f64 / Timestamp::SECOND as f64;
        match call.function {
            RangeFunction::Rate | RangeFunction::BytesRate => self.value / seconds,
            RangeFunction::Average => self.value / self.count,
            // Ours is that of a sample, Loki's that of the whole.
            RangeFunction::Variance => self.value * (self.count - 1.0) / self.count,
            RangeFunction::Deviation => (self.value * (self.count - 1.0) / self.count).sqrt(),
            _ => self.value,
        }
    }
}

/// The greatest length that divides both.
fn common_divisor(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a.max(1), b.max(1));
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
