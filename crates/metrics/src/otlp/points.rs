//! Points of OTLP as samples of series.

use std::borrow::Cow;
use std::collections::BTreeMap;

use ingest::sample::{Exemplar, METRIC_NAME, NAME_BYTES_MAX, STALE_BITS, SampleValue, SampleWriter, SeriesLabels};
use ingest::{Collector, DecodeBudget, IngestAnswer, OutOfScope, Result};
use types::{Limits, Timestamp};

use super::attributes::{labels, number_text};
use super::exponential::Exponential;
use super::name::{Kind, label_name, metric_name, unit_words};
use crate::exemplars::NewExemplars;
use crate::metadata::{Metadata, MetricsState};

/// The series that has the attributes of a resource as labels.
const TARGET_INFO: &str = "target_info";

/// Attributes of a resource that say which one it is.
const IDENTITY: [&str; 3] = ["service.name", "service.namespace", "service.instance.id"];

/// Milliseconds after which that series has another sample, where there are points: half of PromQL's look back, as in Prometheus.
const INFO_INTERVAL: i64 = 150_000;

/// Milliseconds between two of its samples, at least: the points of one collection are not all of the same time.
const INFO_APART: i64 = 10_000;

/// Nanoseconds in a millisecond.
const MILLISECOND: u64 = Timestamp::MILLISECOND.cast_unsigned();

/// A metric whose points follow.
pub(super) struct Metric {
    /// Its name, or why it has none.
    name: Result<String, String>,
    metadata: Metadata,
    kind: Kind,
}

impl Metric {
    pub(super) fn new(name: &str, unit: &str, description: &str, kind: Kind) -> Self {
        let word = match kind {
            Kind::Gauge | Kind::UpDownCounter => "gauge",
            Kind::Counter => "counter",
            Kind::Histogram | Kind::ExponentialHistogram => "histogram",
            Kind::Summary => "summary",
        };
        let (main, divided_by) = unit_words(unit);
        let words = [main.trim_end_matches('_'), &divided_by].into_iter().filter(|part| !part.is_empty());
        let words: Vec<&str> = words.collect();
        let shown = &name[..name.floor_char_boundary(200)];
        let nameless = || format!("metric {shown:?} has no name of letters and digits");
        Self {
            name: metric_name(name, unit, kind).ok_or_else(nameless),
            metadata: Metadata { kind: word, help: description.to_owned(), unit: words.join("_") },
            kind,
        }
    }
}

/// A point as sent.
#[derive(Default)]
pub(super) struct Point {
    pub(super) attributes: Vec<(String, String)>,
    pub(super) time_ns: u64,
    /// Whether the series ends here.
    pub(super) is_stale: bool,
    /// The value of a gauge or sum.
    pub(super) value: f64,
    pub(super) distribution: Distribution,
    /// What a point of an exponential histogram says.
    pub(super) exponential: Exponential,
    pub(super) exemplars: Vec<PointExemplar>,
}

/// An exemplar of a point.
#[derive(Clone, Default)]
pub(super) struct PointExemplar {
    pub(super) time_ns: u64,
    pub(super) value: f64,
    /// Ids of trace and span, by the names of their labels.
    pub(super) ids: Vec<(&'static str, String)>,
    /// Attributes that are none of the point.
    pub(super) attributes: Vec<(String, String)>,
}

impl PointExemplar {
    /// Returns the exemplar with its attributes as labels, or without them where they are too long or cannot be labels.
    fn exemplar(&self) -> Exemplar<'_> {
        let ids = self.ids.iter().map(|(name, id)| (Cow::Borrowed(*name), Cow::Borrowed(id.as_str())));
        let is_free = |name: &str| self.ids.iter().all(|(id, _)| *id != name);
        let others = labels(self.attributes.clone()).unwrap_or_default();
        let others = others.into_iter().filter(|(name, _)| is_free(name));
        let others = others.map(|(name, value)| (Cow::Owned(name), Cow::Owned(value)));
        let time = i64::try_from(self.time_ns / MILLISECOND).unwrap_or(i64::MAX);
        let whole = Exemplar { labels: ids.clone().chain(others).collect(), value: self.value, time };
        if whole.text().is_ok() { whole } else { Exemplar { labels: ids.collect(), ..whole } }
    }
}

/// What a point of a histogram or summary says.
#[derive(Default)]
pub(super) struct Distribution {
    pub(super) count: u64,
    pub(super) sum: Option<f64>,
    /// Values in each bucket, one more than there are bounds.
    pub(super) counts: Vec<u64>,
    pub(super) bounds: Vec<f64>,
    /// Quantiles with their values.
    pub(super) quantiles: Vec<(f64, f64)>,
}

/// A label that a sample has besides those of its point.
type Extra<'e> = Option<(&'static str, &'e str)>;

/// The outcome of adding a sample: the inner error is why it was left out, the outer one ends the request.
type Added = Result<Result<(), String>>;

/// A point with its name, its labels and its time in milliseconds.
struct NamedPoint<'p> {
    name: &'p str,
    labels: &'p BTreeMap<String, String>,
    time: i64,
    point: &'p Point,
}

/// Writes the points of a request, and counts those that cannot be kept.
pub(super) struct Points<'c, 'a> {
    collector: &'c mut Collector<'a>,
    limits: &'c Limits,
    state: &'c MetricsState,
    /// The latest time of a sample, in ms.
    latest: i64,
    answer: IngestAnswer,
    n_points: usize,
    out_of_scope: Option<OutOfScope>,
    /// The attributes of the resource that do not say which one it is.
    described_by: Vec<(String, String)>,
    /// The labels `job` and `instance` of the resource.
    identity: Vec<(&'static str, String)>,
    /// Times of points of the resource, in ms: the first of each interval, and the last.
    times: BTreeMap<i64, (i64, i64)>,
    exemplars: NewExemplars,
    /// What may be made of the request.
    pub(super) budget: DecodeBudget,
}

impl<'c, 'a> Points<'c, 'a> {
    pub(super) fn new(
        collector: &'c mut Collector<'a>,
        now: Timestamp,
        limits: &'c Limits,
        state: &'c MetricsState,
        n_bytes: usize,
    ) -> Self {
        let budget = DecodeBudget::of_body(n_bytes);
        let latest = now.0.saturating_add(limits.future_ns_max) / Timestamp::MILLISECOND;
        let (answer, described_by, identity, times) = Default::default();
        let (n_points, out_of_scope) = (0, None);
        let exemplars = NewExemplars::default();
        Self {
            collector,
            limits,
            state,
            latest,
            answer,
            n_points,
            out_of_scope,
            described_by,
            identity,
            times,
            exemplars,
            budget,
        }
    }

    /// Begins the metrics of a resource.
    pub(super) fn begin_resource(&mut self, attributes: Vec<(String, String)>) {
        let said = |name: &str| {
            let found = attributes.iter().rev().find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.clone())
        };
        let [service, namespace, instance] = IDENTITY.map(said);
        let job =
            service.map(|service| namespace.map_or(service.clone(), |namespace| format!("{namespace}/{service}")));
        self.identity = [("job", job), ("instance", instance)]
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect();
        self.described_by = attributes.into_iter().filter(|(key, _)| !IDENTITY.contains(&key.as_str())).collect();
        self.times.clear();
    }

    /// Ends them with what the resource is described by, as a series of its own. Nothing could be joined with one whose
    /// resource nobody can tell.
    pub(super) fn end_resource(&mut self) -> Result<()> {
        let (described_by, times) = (std::mem::take(&mut self.described_by), std::mem::take(&mut self.times));
        if times.is_empty() || self.identity.is_empty() || described_by.is_empty() {
            return Ok(());
        }
        // An attribute that cannot be a label is left out: it tells no two resources apart.
        let is_label = |(key, value): &(String, String)| {
            value.len() <= self.limits.field_bytes_max && label_name(key).is_ok_and(|name| name.len() <= NAME_BYTES_MAX)
        };
        let described_by: Vec<_> = described_by.into_iter().filter(is_label).collect();
        let Ok(described_by) = self.labels(described_by) else { return Ok(()) };
        let help = "Attributes of the resource that sends metrics.".to_owned();
        self.state.note(TARGET_INFO, Metadata { kind: "gauge", help, unit: String::new() });
        // Points that waited in a sender's queue need a sample near their own time.
        let last = times.values().next_back().map(|(_, last)| *last);
        let firsts = times.values().map(|(first, _)| *first);
        let mut written: Option<i64> = None;
        let mut times: Vec<i64> = firsts.chain(last).collect();
        times.retain(|time| {
            let is_apart = written.is_none_or(|written| time - written >= INFO_APART);
            written = if is_apart { Some(*time) } else { written };
            is_apart
        });
        // A resource that cannot be described loses nothing else.
        match self.series(TARGET_INFO, &described_by, None) {
            Ok(labels) if self.collector.group(labels.group()).is_ok() => {
                let mut writer = SampleWriter::new(self.collector, &labels)?;
                for time in times {
                    if let Err(refusal) = writer.add(time, 1.0)? {
                        tracing::debug!(%refusal, "target_info not stored");
                    }
                }
            }
            Ok(_) => {}
            Err(problem) => tracing::debug!(problem, "target_info not stored"),
        }
        Ok(())
    }

    /// Notes what is said of a metric.
    pub(super) fn note(&self, metric: &Metric) {
        if let Ok(name) = &metric.name {
            self.state.note(name, metric.metadata.clone());
        }
    }

    /// Rejects the next point.
    pub(super) fn reject(&mut self, reason: &dyn std::fmt::Display) {
        self.n_points += 1;
        self.answer.reject(self.n_points, reason);
    }

    /// Adds the next point, or rejects it.
    pub(super) fn add(&mut self, metric: &Metric, mut point: Point) -> Result<()> {
        let attributes = std::mem::take(&mut point.attributes);
        let name = match &metric.name {
            Ok(name) => name,
            Err(reason) => {
                self.reject(reason);
                return Ok(());
            }
        };
        if point.time_ns == 0 {
            self.reject(&format!("{name}: the point has no time; timeUnixNano is missing"));
            return Ok(());
        }
        let time = i64::try_from(point.time_ns / MILLISECOND).unwrap_or(i64::MAX);
        if time > self.latest {
            let (time, latest) = (Timestamp(time.saturating_mul(Timestamp::MILLISECOND)), self.latest);
            let latest = Timestamp(latest.saturating_mul(Timestamp::MILLISECOND));
            self.reject(&format!("{name}: {time} is after {latest}; check the sender's clock"));
            return Ok(());
        }
        let labels = match self.labels(attributes) {
            Ok(labels) => labels,
            Err(reason) => {
                self.reject(&format!("{name}: {reason}"));
                return Ok(());
            }
        };
        let of = NamedPoint { name, labels: &labels, time, point: &point };
        let added = match metric.kind {
            Kind::Histogram => self.histogram(&of)?,
            Kind::Summary => self.summary(&of)?,
            Kind::ExponentialHistogram => self.exponential(&of)?,
            _ => {
                self.exemplars(&of, name, None, &mut point.exemplars.iter())?;
                self.sample(&of, name, None, point.value)?
            }
        };
        match added {
            Ok(()) => {
                self.n_points += 1;
                self.answer.accepted += 1;
                let times = self.times.entry(time.div_euclid(INFO_INTERVAL)).or_insert((time, time));
                *times = (times.0.min(time), times.1.max(time));
            }
            Err(reason) => self.reject(&format!("{name}: {reason}")),
        }
        Ok(())
    }

    /// Returns what was rejected, and the exemplars. If all points are outside the sender's scope, the request fails.
    pub(super) fn end(self) -> Result<(IngestAnswer, NewExemplars)> {
        match self.out_of_scope {
            Some(refused) if self.collector.n_records() == 0 => Err(refused.into()),
            _ => Ok((self.answer, self.exemplars)),
        }
    }

    /// Returns attributes as labels, with those of the resource, or why one cannot be a label.
    fn labels(&self, attributes: Vec<(String, String)>) -> Result<BTreeMap<String, String>, String> {
        let mut labels = labels(attributes)?;
        labels.extend(self.identity.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        Ok(labels)
    }

    fn histogram(&mut self, of: &NamedPoint<'_>) -> Added {
        let (point, distribution) = (of.point, &of.point.distribution);
        let bucket = format!("{}_bucket", of.name);
        let (mut below, mut last) = (0u64, None);
        let is_until =
            |exemplar: &PointExemplar, bound: Option<f64>| bound.is_some_and(|bound| exemplar.value <= bound);
        for (bound, count) in distribution.bounds.iter().zip(&distribution.counts) {
            below = below.saturating_add(*count);
            if bound.is_infinite() {
                continue;
            }
            let text = number_text(*bound);
            let of_bucket = point.exemplars.iter();
            let mut of_bucket = of_bucket.filter(|one| !is_until(one, last) && is_until(one, Some(*bound)));
            self.exemplars(of, &bucket, Some(("le", &text)), &mut of_bucket)?;
            last = Some(*bound);
            if let Err(reason) = self.sample(of, &bucket, Some(("le", &text)), below as f64)? {
                return Ok(Err(reason));
            }
        }
        let mut of_bucket = point.exemplars.iter().filter(|exemplar| !is_until(exemplar, last));
        self.exemplars(of, &bucket, Some(("le", "+Inf")), &mut of_bucket)?;
        if let Err(reason) = self.sample(of, &bucket, Some(("le", "+Inf")), distribution.count as f64)? {
            return Ok(Err(reason));
        }
        self.sum_and_count(of)
    }

    fn exponential(&mut self, of: &NamedPoint<'_>) -> Added {
        let text = match of.point.exponential.histogram(of.point.is_stale) {
            Ok(histogram) => histogram.to_text(),
            Err(reason) => return Ok(Err(reason)),
        };
        if text.len() > self.limits.field_bytes_max {
            let (n, most) = (text.len(), self.limits.field_bytes_max);
            return Ok(Err(format!("the histogram takes {n} bytes; at most {most} are possible")));
        }
        self.exemplars(of, of.name, None, &mut of.point.exemplars.iter())?;
        self.value(of, of.name, None, SampleValue::Histogram(&text))
    }

    fn summary(&mut self, of: &NamedPoint<'_>) -> Added {
        for (quantile, value) in &of.point.distribution.quantiles {
            let quantile = number_text(*quantile);
            if let Err(reason) = self.sample(of, of.name, Some(("quantile", &quantile)), *value)? {
                return Ok(Err(reason));
            }
        }
        self.sum_and_count(of)
    }

    fn sum_and_count(&mut self, of: &NamedPoint<'_>) -> Added {
        let distribution = &of.point.distribution;
        if let Some(sum) = distribution.sum
            && let Err(reason) = self.sample(of, &format!("{}_sum", of.name), None, sum)?
        {
            return Ok(Err(reason));
        }
        self.sample(of, &format!("{}_count", of.name), None, distribution.count as f64)
    }

    /// Counts the work of naming a series. Each bucket is one, and repeats the labels of its point.
    fn spend(&mut self, labels: &BTreeMap<String, String>) -> Result<()> {
        self.budget.spend(labels.iter().map(|(name, value)| name.len() + value.len() + 8).sum())
    }

    /// Returns the labels of a series.
    fn series(&self, name: &str, labels: &BTreeMap<String, String>, extra: Extra<'_>) -> Result<SeriesLabels, String> {
        let is_own = |label: &str| label == METRIC_NAME || extra.is_some_and(|(own, _)| own == label);
        let of_point =
            labels.iter().filter(|(label, _)| !is_own(label)).map(|(label, value)| (label.as_str(), value.as_str()));
        let all = of_point.chain([(METRIC_NAME, name)]).chain(extra);
        SeriesLabels::new(all.map(|(name, value)| (Cow::from(name), Cow::from(value))), self.limits)
    }

    /// Adds the exemplars of a series. One that cannot be stored loses nothing else: OTLP has no word for it.
    fn exemplars(
        &mut self,
        of: &NamedPoint<'_>,
        name: &str,
        extra: Extra<'_>,
        exemplars: &mut dyn Iterator<Item = &PointExemplar>,
    ) -> Result<()> {
        let Some(first) = exemplars.next() else { return Ok(()) };
        self.spend(of.labels)?;
        let Ok(labels) = self.series(name, of.labels, extra) else { return Ok(()) };
        if self.collector.group(labels.group()).is_err() {
            return Ok(());
        }
        let mut series = None;
        let latest = self.latest;
        let stored = std::iter::once(first).chain(exemplars).map(PointExemplar::exemplar);
        for exemplar in stored.filter(|exemplar| exemplar.time <= latest) {
            let series = series.get_or_insert_with(|| self.collector.series(&labels));
            let added = self.exemplars.add(self.collector, (series, &exemplar), self.state)?;
            if let Err(problem) = added {
                tracing::debug!(problem, "exemplar not stored");
            }
        }
        Ok(())
    }

    /// Adds a sample, or the mark that ends its series.
    fn sample(&mut self, of: &NamedPoint<'_>, name: &str, extra: Extra<'_>, value: f64) -> Added {
        let value = if of.point.is_stale { f64::from_bits(STALE_BITS) } else { value };
        self.value(of, name, extra, SampleValue::Float(value))
    }

    fn value(&mut self, of: &NamedPoint<'_>, name: &str, extra: Extra<'_>, value: SampleValue<'_>) -> Added {
        self.spend(of.labels)?;
        let series = match self.series(name, of.labels, extra) {
            Ok(series) => series,
            Err(reason) => return Ok(Err(reason)),
        };
        if let Err(refused) = self.collector.group(series.group()) {
            let reason = refused.to_string();
            self.out_of_scope.get_or_insert(refused);
            return Ok(Err(reason));
        }
        let added = SampleWriter::new(self.collector, &series)?.add_value(of.time, value)?;
        Ok(added.map_err(|refusal| refusal.to_string()))
    }
}
