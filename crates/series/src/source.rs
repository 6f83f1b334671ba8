//! The samples of a store as series: what PromQL is evaluated over.
//!
//! A plan selects the samples by the labels that must be equal; whether a series is meant is then decided by the labels in
//! its stream, once for each stream of a block.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use execute::BlockVisitor;
use ingest::sample::{SAMPLE_TYPE, field_of_label, label_pairs, label_text, number_of_text};
use memchr::memmem::Finder;
use plan::{Comparison, Expr, Name, Operator, Plan};
use promql::{EvalError, Histogram, Labels, MatchKind, Matcher, Selection, SeriesRef, Source, SourceError, Visit};
use types::{Column, GroupPattern, HISTOGRAM_FIELD, METRIC_NAME, TimeRange, Timestamp, VALUE_FIELD, Value};

/// The groups that contain samples: their own, and the one for groups beyond the limit.
pub const SAMPLE_GROUPS: [&str; 2] = ["metrics/*", "overflow"];

/// The columns of the plan: stream, time, number, histogram, time of arrival. The last is read only where a series has a time twice.
const COLUMNS: [&str; 5] = ["@logStream", "@timestamp", VALUE_FIELD, HISTOGRAM_FIELD, "@ingestionTime"];

/// How a canonical text begins whose first label is the name of the metric.
const NAME_FIRST: &str = r#"{"__name__":"#;

/// Bytes of the text of a histogram that count as one sample.
const TEXT_BYTES_PER_SAMPLE: usize = 8;

/// Reads blocks of a store.
pub trait ReadBlocks: Sync {
    /// Why blocks cannot be read.
    type Error: Display;

    /// Gives the columns of `plan` over the events of `groups` in `range` to `visitor`; returns why some may be missing.
    fn read(
        &self,
        plan: &Plan,
        groups: &[GroupPattern],
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Vec<String>, Self::Error>;
}

/// Samples of a store as series.
pub struct SampleSource<B> {
    blocks: B,
    groups: Vec<GroupPattern>,
    samples_max: usize,
    /// Why samples may be missing.
    missing: Mutex<Vec<String>>,
}

impl<B: ReadBlocks> SampleSource<B> {
    /// Reads samples of all groups that contain some, at most `samples_max` for one selection.
    pub fn new(blocks: B, samples_max: usize) -> Self {
        Self { blocks, groups: SAMPLE_GROUPS.map(GroupPattern::new).to_vec(), samples_max, missing: Mutex::default() }
    }

    /// Reads only the samples of some groups.
    pub fn within(self, groups: Vec<GroupPattern>) -> Self {
        Self { groups, ..self }
    }

    /// Returns the reasons why samples may be missing.
    pub fn into_missing(self) -> Vec<String> {
        self.missing.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the label sets of the series with samples from `from` to `until`, both included, in ms.
    pub fn label_sets(&self, matchers: &[Matcher], (from, until): (i64, i64)) -> Result<Vec<Labels>, B::Error> {
        let samples = self.read(matchers, (from, until), &COLUMNS[..1])?;
        let mut sets: Vec<Labels> = samples.series.into_iter().map(|series| series.labels).collect();
        sets.sort_unstable();
        sets.dedup();
        Ok(sets)
    }

    fn read(&self, matchers: &[Matcher], range: (i64, i64), names: &[&str]) -> Result<Samples, B::Error> {
        let limit = if names.len() > 1 { self.samples_max } else { usize::MAX };
        let wanted = StreamFilter::of(matchers);
        let is_wanted = |stream: &str| wanted.accepts(stream);
        let (n, samples) = (AtomicUsize::new(0), Mutex::default());
        let reader = SampleReader { matchers, is_wanted: &is_wanted, limit, n, samples };
        let reasons = self.blocks.read(&plan(matchers, names), &self.groups, time_range(range), &reader)?;
        let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.extend(reasons.iter().map(|reason| format!("samples may be missing: {reason}")));
        drop(missing);
        Ok(reader.samples.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<B: ReadBlocks> Source for SampleSource<B> {
    fn select(&self, selection: &Selection<'_>, visit: &Visit<'_>) -> Result<(), EvalError> {
        let range = (selection.after.saturating_add(1), selection.until);
        let of_problem = |problem: B::Error| EvalError::Source(SourceError(problem.to_string()));
        let mut samples = self.read(selection.matchers, range, &COLUMNS[..4]).map_err(of_problem)?;
        if samples.has_times_twice() {
            samples = self.read(selection.matchers, range, &COLUMNS).map_err(of_problem)?;
        }
        if samples.n > self.samples_max {
            return Err(EvalError::TooManySamples(self.samples_max));
        }
        for series in samples.series {
            let SeriesSamples { labels, mut floats, mut histograms } = series;
            in_order(&mut floats, |number| number.to_bits());
            in_order(&mut histograms, |histogram| histogram.sum.to_bits());
            let ((times, values), (histogram_times, histograms)) = apart(floats, histograms);
            visit(SeriesRef {
                labels: &labels,
                times: &times,
                values: &values,
                histogram_times: &histogram_times,
                histograms: &histograms,
            })?;
        }
        Ok(())
    }
}

/// Brings samples into the order of time. Of several samples of one time the first to arrive counts, as in Prometheus.
fn in_order<V>(points: &mut Vec<Point<V>>, bits: impl Fn(&V) -> u64) {
    let key = |point: &Point<V>| (point.time, point.arrived, bits(&point.value));
    if !points.is_sorted_by_key(key) {
        points.sort_unstable_by_key(key);
    }
    points.dedup_by_key(|point| point.time);
}

/// Times of samples, and their values.
type Timed<V> = (Vec<i64>, Vec<V>);

/// Returns times and values of the floats, and of the histograms. Of a float and a histogram of one time the first to arrive counts.
fn apart<F, H>(mut floats: Vec<Point<F>>, mut histograms: Vec<Point<H>>) -> (Timed<F>, Timed<H>) {
    if !floats.is_empty() && !histograms.is_empty() {
        let twin = |time| histograms.binary_search_by_key(&time, |point| point.time).ok().map(|at| &histograms[at]);
        floats.retain(|point| twin(point.time).is_none_or(|twin| point.arrived <= twin.arrived));
        histograms.retain(|point| floats.binary_search_by_key(&point.time, |point| point.time).is_err());
    }
    let floats = floats.into_iter().map(|point| (point.time, point.value)).unzip();
    (floats, histograms.into_iter().map(|point| (point.time, point.value)).unzip())
}

/// Returns the range of times in ms, both included.
pub(crate) fn time_range((from, until): (i64, i64)) -> TimeRange {
    let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
    TimeRange { from: instant(from), to: instant(until.saturating_add(1)) }
}

/// What the streams have of every series that some matchers may accept.
struct StreamFilter {
    /// The label with the name of the metric, as canonical texts have it.
    name: Option<String>,
    /// The same of other labels.
    labels: Vec<Finder<'static>>,
}

impl StreamFilter {
    fn of(matchers: &[Matcher]) -> Self {
        let is_equal = |matcher: &&Matcher| matches!(matcher.kind, MatchKind::Equal) && !matcher.value.is_empty();
        let (mut name, mut labels) = (None, Vec::new());
        for matcher in matchers.iter().filter(is_equal) {
            let text = label_text(&matcher.name, &matcher.value);
            match &*matcher.name {
                METRIC_NAME if name.is_none() => name = Some(text),
                _ => labels.push(Finder::new(&text).into_owned()),
            }
        }
        Self { name, labels }
    }

    /// Reports whether a stream has all of them; every stream is asked for by every question.
    fn accepts(&self, stream: &str) -> bool {
        let has_name = |name: &String| match stream.strip_prefix(NAME_FIRST) {
            // Nearly all streams begin with the name of the metric.
            Some(rest) => name.strip_prefix(&NAME_FIRST[1..]).is_some_and(|value| rest.starts_with(value)),
            None => stream.contains(&**name),
        };
        self.name.as_ref().is_none_or(has_name) && self.labels.iter().all(|text| text.find(stream.as_bytes()).is_some())
    }
}

/// Returns the plan that reads the samples which the matchers may accept.
fn plan(matchers: &[Matcher], names: &[&str]) -> Plan {
    plan_of(SAMPLE_TYPE, matchers, names)
}

/// Returns the same plan for events of another type.
pub(crate) fn plan_of(kind: &str, matchers: &[Matcher], names: &[&str]) -> Plan {
    let equal = |name: &str, text: &str| {
        let literal = Expr::Literal(Some(Value::text(text)));
        Expr::Compare(Comparison::Equal, Box::new(Expr::Field(name.into())), Box::new(literal))
    };
    let mut operators = vec![Operator::Filter(equal("@type", kind))];
    for matcher in matchers {
        if matches!(matcher.kind, MatchKind::Equal) && !matcher.value.is_empty() {
            operators.push(Operator::Filter(equal(&field_of_label(&matcher.name), &matcher.value)));
        }
    }
    let columns = names.iter().map(|name| (Name::from(*name), Expr::Field((*name).into()))).collect();
    operators.push(Operator::Project { columns, is_events: true });
    Plan::new(operators)
}

/// A sample of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point<V> {
    time: i64,
    value: V,
    /// When it arrived, in ns since the epoch.
    arrived: i64,
}

struct SeriesSamples {
    labels: Labels,
    floats: Vec<Point<f64>>,
    histograms: Vec<Point<Arc<Histogram>>>,
}

/// The samples read so far.
#[derive(Default)]
struct Samples {
    series: Vec<SeriesSamples>,
    /// The place of each stream; `None` if it is not meant.
    places: HashMap<Arc<str>, Option<usize>>,
    n: usize,
}

/// Collects the samples of blocks.
struct SampleReader<'m> {
    matchers: &'m [Matcher],
    /// Accepts every stream that the matchers may accept.
    is_wanted: &'m (dyn Fn(&str) -> bool + Sync),
    limit: usize,
    n: AtomicUsize,
    samples: Mutex<Samples>,
}

impl BlockVisitor for SampleReader<'_> {
    fn expect(&self, _: &[(Timestamp, Timestamp)]) {}

    fn streams(&self) -> Option<&(dyn Fn(&str) -> bool + Sync)> {
        Some(self.is_wanted)
    }

    fn visit(&self, _: usize, columns: &[Arc<Column>]) {
        let Some((streams, rest)) = columns.split_first() else { return };
        let n_rows = streams.n_rows();
        // What is over the limit is counted, and refused afterwards.
        if n_rows == 0 || self.n.fetch_add(n_rows, Ordering::Relaxed) > self.limit {
            self.samples.lock().unwrap_or_else(PoisonError::into_inner).n += n_rows;
            return;
        }
        let rows = by_stream(streams);
        let read: Vec<(Arc<str>, BlockPoints)> =
            rows.into_iter().map(|(stream, rows)| (stream, self.points(rest, &rows))).collect();
        let mut samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner);
        samples.n += n_rows;
        for (stream, points) in read {
            samples.n += points.n_more;
            if let Some(place) = samples.place_of(&stream, self.matchers) {
                samples.series[place].floats.extend(points.floats);
                samples.series[place].histograms.extend(points.histograms);
            }
        }
    }
}

/// The samples of a series in a block.
#[derive(Default)]
struct BlockPoints {
    floats: Vec<Point<f64>>,
    histograms: Vec<Point<Arc<Histogram>>>,
    /// How many samples the histograms count for besides themselves.
    n_more: usize,
}

impl SampleReader<'_> {
    /// Reads the samples of rows.
    fn points(&self, columns: &[Arc<Column>], rows: &[usize]) -> BlockPoints {
        let [times, values, histograms, arrived @ ..] = columns else { return BlockPoints::default() };
        let mut points = BlockPoints::default();
        for row in rows {
            let Some(time) = nanoseconds(times, *row) else { continue };
            let time = time.div_euclid(Timestamp::MILLISECOND);
            let arrived = arrived.first().and_then(|arrived| nanoseconds(arrived, *row)).unwrap_or_default();
            if let Some(value) = float(values, *row) {
                points.floats.push(Point { time, value, arrived });
            } else if let Some(text) = text(histograms, *row) {
                let n_more = text.len() / TEXT_BYTES_PER_SAMPLE;
                points.n_more += n_more;
                if self.n.fetch_add(n_more, Ordering::Relaxed) <= self.limit
                    && let Some(histogram) = Histogram::of_text(&text)
                {
                    points.histograms.push(Point { time, value: Arc::new(histogram), arrived });
                }
            }
        }
        points
    }
}

impl Samples {
    /// Sorts the samples of each series by time; reports whether one has several of the same time, which may differ.
    fn has_times_twice(&mut self) -> bool {
        self.series.iter_mut().any(|SeriesSamples { floats, histograms, .. }| {
            let has_others = sort_finds_others(floats, |a, b| a.to_bits() == b.to_bits());
            let has_other_histograms = sort_finds_others(histograms, |a, b| a == b);
            let is_of_float = |time: i64| floats.binary_search_by_key(&time, |point| point.time).is_ok();
            has_others || has_other_histograms || histograms.iter().any(|point| is_of_float(point.time))
        })
    }

    /// Returns the place of a stream's series; `None` if the matchers refuse it.
    fn place_of(&mut self, stream: &Arc<str>, matchers: &[Matcher]) -> Option<usize> {
        if let Some(place) = self.places.get(stream) {
            return *place;
        }
        let labels = label_pairs(stream).map(Labels::new);
        let wanted = labels.filter(|labels| matchers.iter().all(|matcher| matcher.accepts(labels.get(&matcher.name))));
        let place = wanted.map(|labels| {
            self.series.push(SeriesSamples { labels, floats: Vec::new(), histograms: Vec::new() });
            self.series.len() - 1
        });
        self.places.insert(stream.clone(), place);
        place
    }
}

/// Sorts samples by time; reports whether there are several of the same time that are not the same.
fn sort_finds_others<V>(points: &mut [Point<V>], is_same: impl Fn(&V, &V) -> bool) -> bool {
    if !points.is_sorted_by_key(|point| point.time) {
        points.sort_by_key(|point| point.time);
    }
    points.windows(2).any(|pair| pair[0].time == pair[1].time && !is_same(&pair[0].value, &pair[1].value))
}

/// Returns the rows of each stream, in order.
fn by_stream(streams: &Column) -> Vec<(Arc<str>, Vec<usize>)> {
    let mut found: Vec<(Arc<str>, Vec<usize>)> = Vec::new();
    let mut places: HashMap<Arc<str>, usize> = HashMap::new();
    let mut place_of = |stream: &Arc<str>, found: &mut Vec<(Arc<str>, Vec<usize>)>| {
        *places.entry(stream.clone()).or_insert_with(|| {
            found.push((stream.clone(), Vec::new()));
            found.len() - 1
        })
    };
    // A text of a dictionary is looked up once; its other rows go by its code.
    let mut known: Vec<Option<usize>> = Vec::new();
    for row in 0..streams.n_rows() {
        let code = match streams {
            Column::Dictionary { codes, .. } => codes[row] as usize,
            _ => usize::MAX,
        };
        if let Some(Some(place)) = known.get(code) {
            found[*place].1.push(row);
        } else if let Some(Value::String(stream)) = streams.value(row) {
            let place = place_of(&stream, &mut found);
            found[place].1.push(row);
            if code != usize::MAX {
                known.resize(known.len().max(code + 1), None);
                known[code] = Some(place);
            }
        }
    }
    found
}

/// Returns the time of a row in ns since the epoch.
fn nanoseconds(column: &Column, row: usize) -> Option<i64> {
    match column {
        Column::Timestamps(values) => values.get(row).copied(),
        column => match column.value(row) {
            Some(Value::Timestamp(time)) => Some(time.0),
            _ => None,
        },
    }
}

/// Returns the number of a row.
fn float(values: &Column, row: usize) -> Option<f64> {
    match values {
        Column::Floats { values, present: None, .. } => values.get(row).copied(),
        values => match values.value(row)? {
            Value::Float(number) => Some(number),
            Value::Integer(number) => Some(number as f64),
            Value::String(text) => number_of_text(&text),
            _ => None,
        },
    }
}

/// Returns the text of a row.
fn text(column: &Column, row: usize) -> Option<Arc<str>> {
    match column.value(row)? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_samples_of_one_time_the_first_to_arrive_counts() {
        let point = |time, value, arrived| Point { time, value, arrived };
        let mut points = vec![point(2, 5.0, 9), point(1, 1.0, 3), point(2, 4.0, 7), point(1, 1.0, 3)];
        in_order(&mut points, |number: &f64| number.to_bits());
        assert_eq!(points, [point(1, 1.0, 3), point(2, 4.0, 7)]);
        let histograms = vec![point(1, 6.0, 2), point(2, 7.0, 8), point(3, 8.0, 1)];
        assert_eq!(apart(points, histograms), ((vec![2], vec![4.0]), (vec![1, 3], vec![6.0, 8.0])));
    }

    #[test]
    fn streams_are_chosen_by_their_labels_wherever_those_stand() {
        let matcher = |name, operator, value| Matcher::new(name, operator, value).expect("a matcher");
        let filter =
            StreamFilter::of(&[matcher("__name__", "=", "up"), matcher("job", "=", "a\"b"), matcher("x", "!=", "1")]);
        assert!(filter.accepts(r#"{"__name__":"up","job":"a\"b","x":"2"}"#));
        assert!(filter.accepts(r#"{"ZONE":"eu","__name__":"up","job":"a\"b"}"#), "a label before the name");
        assert!(!filter.accepts(r#"{"__name__":"up","job":"a"}"#));
        assert!(!filter.accepts(r#"{"__name__":"up2","job":"a\"b"}"#));
        assert!(!filter.accepts(r#"{"ZONE":"eu","__name__":"down","job":"a\"b"}"#));
        assert!(StreamFilter::of(&[matcher("x", "=", "")]).accepts(r#"{"__name__":"up"}"#), "it may be missing");
    }

    #[test]
    fn rows_go_to_their_streams_whatever_form_the_column_has() {
        let texts = |names: &[&str]| names.iter().map(|name| Value::text(*name)).collect::<Vec<_>>();
        let coded = Column::Dictionary { codes: vec![1, 0, 1, 2], values: Arc::new(texts(&["a", "b", "b"])) };
        let mixed = Column::Mixed(texts(&["b", "a", "b", "b"]).into_iter().map(Some).collect());
        for column in [coded, mixed] {
            let expected: Vec<(Arc<str>, Vec<usize>)> = vec![("b".into(), vec![0, 2, 3]), ("a".into(), vec![1])];
            assert_eq!(by_stream(&column), expected);
        }
    }
}
