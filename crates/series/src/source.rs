//! The samples of a store as series: what PromQL is evaluated over.
//!
//! A plan selects the samples by the labels that must be equal; whether a series is meant is then decided by the labels in
//! its stream, once for each stream of a run. Where a run keeps samples by stream, those of other streams cost nothing.

use std::fmt::Display;
use std::sync::{Arc, Mutex};

use execute::{BlockVisitor, PartialCache};
use ingest::sample::{SAMPLE_TYPE, field_of_label};
use plan::{Comparison, Expr, Name, Operator, Plan};
use promql::{EvalError, Labels, MatchKind, Matcher, Selection, Source, SourceError, Visit};
use types::{GroupPattern, HISTOGRAM_FIELD, Hold, Run, TimeRange, Timestamp, VALUE_FIELD, Value, ensure};

use crate::collected::Samples;
use crate::reader::{ReadDetail, SampleReader};
use crate::stream_filter::StreamFilter;

/// The groups that contain samples: their own, and the one for groups beyond the limit.
pub const SAMPLE_GROUPS: [&str; 2] = ["metrics/*", "overflow"];

/// The columns of the plan: stream, time, number, histogram, time of arrival, identity. The last two are read only where a series has a
/// time twice.
const COLUMNS: [&str; 6] = ["@logStream", "@timestamp", VALUE_FIELD, HISTOGRAM_FIELD, "@ingestionTime", "@id"];

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

    /// Holds the runs of `groups` that have events in `range`: what is read of these groups within `range` from now on is read from
    /// them. Returns them, and where answers made of them are kept; `None` where none are, or some events cannot be read.
    fn hold(&self, _groups: &[GroupPattern], _range: TimeRange) -> Option<(&PartialCache, Vec<Arc<dyn Run>>)> {
        None
    }

    /// Returns how many threads may work on one query.
    fn n_threads(&self) -> usize {
        1
    }
}

/// Samples of a store as series.
pub struct SampleSource<B> {
    pub(crate) blocks: B,
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

    pub(crate) fn groups(&self) -> &[GroupPattern] {
        &self.groups
    }

    /// Reports whether samples may be missing.
    pub(crate) fn is_missing_some(&self) -> bool {
        !self.missing.hold().is_empty()
    }

    /// Returns the reasons why samples may be missing.
    pub fn into_missing(self) -> Vec<String> {
        self.missing.into_held()
    }

    /// Returns the label sets of the series with samples from `from` to `until`, both included, in ms.
    pub fn label_sets(&self, matchers: &[Matcher], (from, until): (i64, i64)) -> Result<Vec<Labels>, B::Error> {
        let range = (from, until);
        let mut sets = self.read(matchers, range, ReadDetail::Series(range))?.into_label_sets();
        sets.sort_unstable();
        sets.dedup();
        Ok(sets)
    }

    fn read(&self, matchers: &[Matcher], range: (i64, i64), wanted: ReadDetail) -> Result<Samples, B::Error> {
        let (names, limit) = match wanted {
            ReadDetail::Series(_) => (&COLUMNS[..1], usize::MAX),
            ReadDetail::Samples(_) => (&COLUMNS[..4], self.samples_max),
            ReadDetail::Arrivals => (&COLUMNS[..], self.samples_max),
        };
        let filter = StreamFilter::of(matchers);
        let is_wanted = |stream: &str| filter.accepts(stream);
        let reader = SampleReader::new(matchers, (&filter, &is_wanted), wanted, limit);
        let reasons = self.blocks.read(&plan(matchers, names), &self.groups, time_range(range), &reader)?;
        let mut missing = self.missing.hold();
        missing.extend(reasons.iter().map(|reason| format!("samples may be missing: {reason}")));
        drop(missing);
        Ok(reader.into_samples())
    }
}

impl<B: ReadBlocks> Source for SampleSource<B> {
    fn select(&self, selection: &Selection<'_>, visit: &Visit<'_>) -> Result<(), EvalError> {
        let range = (selection.after.saturating_add(1), selection.until);
        let of_problem = |problem: B::Error| EvalError::Source(SourceError(problem.to_string()));
        let mut samples = self.read(selection.matchers, range, ReadDetail::Samples(range)).map_err(of_problem)?;
        if samples.has_times_twice() {
            samples = self.read(selection.matchers, range, ReadDetail::Arrivals).map_err(of_problem)?;
        }
        ensure!(samples.n <= self.samples_max, EvalError::TooManySamples(self.samples_max));
        samples.visit(self.blocks.n_threads(), visit)
    }
}

/// Returns the range of times in ms, both included.
pub(crate) fn time_range((from, until): (i64, i64)) -> TimeRange {
    let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
    TimeRange { from: instant(from), to: instant(until.saturating_add(1)) }
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
