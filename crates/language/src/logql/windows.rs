//! Windows of range functions: how the time that they cover is cut, and how a window is put together of its pieces.
//!
//! A window is `(instant − length, instant]`. Time is cut wherever a window begins or ends; the pieces are segments,
//! and a window is some segments in a row. One aggregation gives the partial of every segment, so that a query reads
//! its events once, whatever the window and the step are:
//!
//! ```text
//! windows     (────────────]              length 5, step 3
//!                   (────────────]
//! segments    |  0  |1| 2  |3| 4 …        two to a step, one where the length is a multiple of it
//! ```
//!
//! Sums, counts, extremes and variances are merged; percentiles and counters keep the numbers of a segment.

use std::collections::HashMap;

use types::{TimeRange, Timestamp, Value};

use super::metric::{RangeCall, RangeFunction};
use super::samples::{counter_rate, of_numbers, seconds};
use super::steps::Steps;
use super::vector::{Labels, Values};
use plan::template::parse_float;
use plan::{Aggregate, AggregateKind, Expr, Function, Length, Name};

/// Where windows of the same length begin and end, as half-open ranges of nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segments {
    /// The first nanosecond of the first window.
    origin: i64,
    window_ns: i64,
    step_ns: i64,
    pub(super) n_steps: usize,
}

impl Segments {
    pub(super) fn new(call: &RangeCall, steps: Steps, n_steps: usize) -> Self {
        let first = steps.start.0.saturating_sub(call.offset_ns);
        let origin = first.saturating_sub(call.window_ns).saturating_add(1);
        Self { origin, window_ns: call.window_ns, step_ns: steps.step_ns.max(1), n_steps }
    }

    /// Returns the windows of the steps from `from` to before `to`.
    pub(super) fn part(self, from: usize, to: usize) -> Self {
        let origin = self.origin.saturating_add(self.step_ns.saturating_mul(from as i64));
        Self { origin, n_steps: to - from, ..self }
    }

    /// From the start of the first window to the end of the last one.
    pub(super) fn range(&self) -> TimeRange {
        let last = self.step_ns.saturating_mul(self.n_steps.saturating_sub(1) as i64);
        let end = self.origin.saturating_add(last).saturating_add(self.window_ns);
        TimeRange { from: Timestamp(self.origin), to: Timestamp(end) }
    }

    /// Returns what is left of a window beside whole steps.
    fn rest_ns(&self) -> i64 {
        self.window_ns % self.step_ns
    }

    /// Reports whether every window is a segment of its own.
    pub(super) fn are_windows(&self) -> bool {
        self.n_steps <= 1 || self.window_ns <= self.step_ns
    }

    /// Returns columns that together tell the segments of events apart; [`index`](Self::index) reads their values.
    pub(super) fn columns(&self) -> Vec<(Name, Expr)> {
        let bucket = |origin: i64| {
            let origin = Expr::Literal(Some(Value::Timestamp(Timestamp(origin))));
            let length = Expr::Duration(Length::Nanoseconds(self.step_ns));
            Expr::Call(Function::TimeBucket, vec![Expr::Field("@timestamp".into()), origin, length])
        };
        if self.n_steps <= 1 {
            return Vec::new();
        }
        let mut columns = vec![("#bucket".into(), bucket(self.origin))];
        if self.rest_ns() > 0 {
            columns.push(("#rest".into(), bucket(self.origin.saturating_add(self.rest_ns()))));
        }
        columns
    }

    /// Returns the number of a segment, given the values of the columns.
    fn index(&self, row: &[Option<Value>]) -> Option<usize> {
        if self.n_steps <= 1 {
            return Some(0);
        }
        let step = |value: &Option<Value>, origin: i64| match value {
            Some(Value::Timestamp(at)) => Some(at.0.saturating_sub(origin).div_euclid(self.step_ns)),
            _ => None,
        };
        let at = step(row.first()?, self.origin)?;
        if self.rest_ns() == 0 {
            return usize::try_from(at).ok();
        }
        let is_second = step(row.get(1)?, self.origin.saturating_add(self.rest_ns()))? == at;
        usize::try_from(at.checked_mul(2)?.checked_add(i64::from(is_second))?).ok()
    }

    /// Reports whether the segment of a row lies in a window; between windows that are shorter than a step lie others.
    pub(super) fn is_of_a_window(&self, row: &[Option<Value>]) -> bool {
        let has_gaps = self.n_steps > 1 && self.window_ns < self.step_ns;
        !has_gaps || self.index(row).is_some_and(|index| index % 2 == 0)
    }

    /// Returns the segments of the window of a step.
    fn window(&self, step: usize) -> std::ops::Range<usize> {
        if self.n_steps <= 1 {
            return 0..1;
        }
        let n_whole = usize::try_from(self.window_ns / self.step_ns).unwrap_or(usize::MAX);
        let end = step.saturating_add(n_whole);
        if self.rest_ns() == 0 { step..end } else { step * 2..end.saturating_mul(2).saturating_add(1) }
    }

    /// Returns the instant at which the window of a step ends.
    fn end(&self, step: usize) -> i64 {
        let moved = self.step_ns.saturating_mul(step as i64);
        self.origin.saturating_add(moved).saturating_add(self.window_ns).saturating_sub(1)
    }
}

/// Aggregates whose values [`Partial::of`] reads. `value` is missing where an event has no number.
/// `odd` is there where it has one that is not finite.
pub(super) fn aggregates(
    function: RangeFunction,
    (value, odd): (Option<Expr>, Option<Expr>),
    how: WindowMethod,
) -> Vec<Aggregate> {
    let bytes = || Expr::Call(Function::ByteLength, vec![Expr::Field("@message".into())]);
    let (kind, argument) = match function {
        _ if how == WindowMethod::Texts => (AggregateKind::List, value.clone()),
        RangeFunction::Count | RangeFunction::Absent => (AggregateKind::Count, value.clone()),
        RangeFunction::Deviation | RangeFunction::Variance => (AggregateKind::Variance, value.clone()),
        RangeFunction::Rate if value.is_some() => (AggregateKind::Sum, value.clone()),
        RangeFunction::Rate => (AggregateKind::Count, None),
        RangeFunction::Bytes | RangeFunction::BytesRate => (AggregateKind::Sum, Some(bytes())),
        RangeFunction::Sum | RangeFunction::Average => (AggregateKind::Sum, value.clone()),
        RangeFunction::Min => (AggregateKind::Min, value.clone()),
        RangeFunction::Max => (AggregateKind::Max, value.clone()),
        RangeFunction::Quantile(quantile) if how == WindowMethod::Sketch => {
            (AggregateKind::Percentile(quantile * 100.0), value.clone())
        }
        RangeFunction::Quantile(_) | RangeFunction::RateCounter => (AggregateKind::List, value.clone()),
        RangeFunction::First => (AggregateKind::Earliest, value.clone()),
        RangeFunction::Last => (AggregateKind::Latest, value.clone()),
    };
    // How many events there were: an average divides by it, and a window without events has no value.
    let mut all = vec![
        Aggregate { name: "#value".into(), kind, argument },
        Aggregate { name: "#count".into(), kind: AggregateKind::Count, argument: value.clone() },
    ];
    all.extend(odd.map(|odd| Aggregate { name: "#odd".into(), kind: AggregateKind::Count, argument: Some(odd) }));
    let mut add =
        |name: &str, kind, argument| all.push(Aggregate { name: name.into(), kind, argument: Some(argument) });
    match (function, value) {
        (RangeFunction::Deviation | RangeFunction::Variance, Some(value)) if how != WindowMethod::Texts => {
            add("#sum", AggregateKind::Sum, value)
        }
        (RangeFunction::RateCounter, Some(value)) => {
            let has_value = Expr::Call(Function::IsPresent, vec![value]);
            let time = Expr::Call(Function::If, vec![has_value, Expr::Field("@timestamp".into())]);
            add("#first", AggregateKind::Min, time.clone());
            add("#last", AggregateKind::Max, time);
        }
        _ => {}
    }
    all
}

/// How windows are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WindowMethod {
    /// From the state that an aggregate keeps of the numbers.
    Exact,
    /// The same, percentiles of a sketch of the numbers, where all of them need too much memory.
    Sketch,
    /// From the texts of all numbers, where some are `NaN` or infinite: aggregates take these for no numbers.
    Texts,
}

/// The place of the count of such numbers among the columns of [`aggregates`].
pub(super) const N_ODD_AT: usize = 2;

/// What an aggregation gives for a segment.
#[derive(Clone, Debug)]
enum Partial {
    Number(Summary),
    /// In order of time, with the times of the first and the last one.
    Samples {
        values: Vec<f64>,
        first: i64,
        last: i64,
    },
}

/// Numbers merged into a few.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Summary {
    /// The sum, the least number, … as the function has it; of a variance the sum of squared distances from the mean.
    value: f64,
    count: f64,
    mean: f64,
}

impl Partial {
    /// Reads the values of [`aggregates`]; `None` where no event had a number.
    fn of(row: &[Option<Value>], function: RangeFunction) -> Option<Self> {
        let number = |index: usize| match row.get(index)?.as_ref()? {
            Value::Timestamp(at) => Some(at.0 as f64),
            other => other.as_f64(),
        };
        let count = number(1).filter(|count| *count > 0.0)?;
        if let Some(Some(Value::List(list))) = row.first() {
            let number = |value: &Option<Value>| match value {
                Some(Value::String(text)) => parse_float(text),
                other => other.as_ref()?.as_f64(),
            };
            // Rows come newest first.
            let values: Vec<f64> = list.iter().rev().filter_map(number).collect();
            let time = |index: usize| match row.get(index) {
                Some(Some(Value::Timestamp(at))) => at.0,
                _ => 0,
            };
            return (!values.is_empty()).then(|| Self::Samples { values, first: time(3), last: time(4) });
        }
        let is_variance = matches!(function, RangeFunction::Deviation | RangeFunction::Variance);
        // The variance of a single number is missing.
        let value = number(0).or((is_variance && count == 1.0).then_some(0.0))?;
        let mean = if is_variance { number(3)? / count } else { 0.0 };
        // Ours is that of a sample.
        let value = if is_variance { value * (count - 1.0) } else { value };
        Some(Self::Number(Summary { value, count, mean }))
    }

    fn samples(&self) -> (&[f64], i64, i64) {
        match self {
            Self::Samples { values, first, last } => (values, *first, *last),
            Self::Number(_) => (&[], 0, 0),
        }
    }
}

impl Summary {
    /// Merges with a later segment.
    fn merge(self, later: Self, function: RangeFunction) -> Self {
        let count = self.count + later.count;
        let distance = later.mean - self.mean;
        let mean = self.mean + distance * later.count / count;
        let value = match function {
            RangeFunction::Min => self.value.min(later.value),
            RangeFunction::Max => self.value.max(later.value),
            RangeFunction::First => self.value,
            RangeFunction::Last => later.value,
            RangeFunction::Deviation | RangeFunction::Variance => {
                self.value + later.value + distance * distance * self.count * later.count / count
            }
            _ => self.value + later.value,
        };
        Self { value, count, mean }
    }

    fn finish(self, call: &RangeCall) -> f64 {
        match call.function {
            RangeFunction::Rate | RangeFunction::BytesRate => self.value / seconds(call.window_ns),
            RangeFunction::Average => self.value / self.count,
            RangeFunction::Variance => self.value / self.count,
            RangeFunction::Deviation => (self.value / self.count).sqrt(),
            _ => self.value,
        }
    }
}

/// Segments of series, as the rows of an aggregation give them.
#[derive(Debug, Default)]
pub(super) struct SegmentedSeries {
    series: HashMap<Labels, Vec<(usize, Partial)>>,
}

impl SegmentedSeries {
    /// Adds a row: columns of segments, of which there are `n_columns`, those of labels, then those of aggregates.
    pub(super) fn add(
        &mut self,
        segments: &Segments,
        function: RangeFunction,
        (n_columns, n_labels): (usize, usize),
        row: &[Option<Value>],
        labels: impl FnOnce(&[Option<Value>]) -> Labels,
    ) {
        let Some((head, rest)) = row.split_at_checked(n_columns + n_labels) else { return };
        let (Some(index), Some(partial)) = (segments.index(head), Partial::of(rest, function)) else { return };
        self.series.entry(labels(&head[n_columns..])).or_default().push((index, partial));
    }

    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    /// Returns the value of each window of each series.
    pub(super) fn values(self, segments: &Segments, call: &RangeCall) -> impl Iterator<Item = (Labels, Values)> {
        self.series.into_iter().map(move |(labels, mut pieces)| {
            pieces.sort_by_key(|(index, _)| *index);
            let is_sampled = pieces.iter().any(|(_, partial)| matches!(partial, Partial::Samples { .. }));
            let values = if is_sampled { sampled(segments, call, &pieces) } else { merged(segments, call, &pieces) };
            (labels, values)
        })
    }
}

/// Windows of numbers that are merged: a queue of segments, of which each is merged a bounded number of times.
fn merged(segments: &Segments, call: &RangeCall, pieces: &[(usize, Partial)]) -> Values {
    let mut queue = Queue { function: call.function, front: Vec::new(), back: Vec::new(), back_merged: None };
    let mut next = pieces.iter().peekable();
    let value = |step: usize| {
        let window = segments.window(step);
        while let Some((index, partial)) = next.next_if(|(index, _)| *index < window.end) {
            if let Partial::Number(summary) = partial {
                queue.push(*index, *summary);
            }
        }
        queue.drop_before(window.start);
        queue.merged().map(|summary| summary.finish(call))
    };
    (0..segments.n_steps).map(value).collect()
}

/// A queue of summaries that knows what all of them come to. Summaries are merged in order of time.
struct Queue {
    function: RangeFunction,
    /// Oldest last; each merged with those that were after it when it came here.
    front: Vec<(usize, Summary)>,
    /// Oldest first.
    back: Vec<(usize, Summary)>,
    back_merged: Option<Summary>,
}

impl Queue {
    fn push(&mut self, index: usize, summary: Summary) {
        self.back.push((index, summary));
        self.back_merged = Some(self.back_merged.map_or(summary, |known| known.merge(summary, self.function)));
    }

    fn drop_before(&mut self, start: usize) {
        while self.front.pop_if(|(index, _)| *index < start).is_some() {}
        if !self.front.is_empty() {
            return;
        }
        let mut later: Option<Summary> = None;
        for (index, summary) in self.back.drain(..).rev().take_while(|(index, _)| *index >= start) {
            let all = later.map_or(summary, |later| summary.merge(later, self.function));
            self.front.push((index, all));
            later = Some(all);
        }
        self.back_merged = None;
    }

    fn merged(&self) -> Option<Summary> {
        match (self.front.last(), self.back_merged) {
            (Some((_, front)), Some(back)) => Some(front.merge(back, self.function)),
            (Some((_, front)), None) => Some(*front),
            (None, back) => back,
        }
    }
}

/// Windows of all numbers.
fn sampled(segments: &Segments, call: &RangeCall, pieces: &[(usize, Partial)]) -> Values {
    let value = |step: usize| {
        let window = segments.window(step);
        let from = pieces.partition_point(|(index, _)| *index < window.start);
        let to = pieces.partition_point(|(index, _)| *index < window.end);
        let pieces = pieces.get(from..to).filter(|pieces| !pieces.is_empty())?;
        let values: Vec<f64> = pieces.iter().flat_map(|(_, partial)| partial.samples().0).copied().collect();
        let (first, last) = (pieces.first()?.1.samples().1, pieces.last()?.1.samples().2);
        Some(match call.function {
            RangeFunction::RateCounter => counter_rate(&values, (first, last), segments.end(step), call.window_ns),
            RangeFunction::Rate => of_numbers(call.function, values) / seconds(call.window_ns),
            function => of_numbers(function, values),
        })
    };
    (0..segments.n_steps).map(value).collect()
}

#[cfg(test)]
mod tests;
