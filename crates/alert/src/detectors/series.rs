//! Queries of PromQL: the labels of a series are a label set, its sample is the value.
//!
//! In Prometheus' form labels and annotations of the rule are filled in here, with the sample of each row: only here the labels
//! that the series had itself are known.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use execute::BlockVisitor;
use plan::{Name, Plan};
use promql::{Data, METRIC_NAME, Options, Stop, Value as SampleValue};
use series::{ReadBlocks, SAMPLE_GROUPS, SampleSource};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use super::DetectorInput;
use crate::compile::{CompiledRule, SeriesQuery};
use crate::detectors::cells::{columns_of, number};
use crate::labels::Labels;
use crate::prometheus_text::{QuerySample, Sample, render};
use crate::{Ask, EventTime, Question, Rule, Table};

/// The column with the number.
const VALUE: &str = "value";

/// Most samples of one selection, at 40 bytes each: 128 MiB.
const SAMPLES_MAX: usize = (128 << 20) / 40;

/// Longest that the query of one rule may run; other rules wait for it.
const TIME_MAX: Duration = Duration::from_secs(10);

/// Groups that a query in PromQL is about unless its rule names others.
pub(crate) const GROUPS: &str = "metrics/*";

/// A sample of an answer: all labels of its series, and its value.
pub(crate) type Found = (promql::Labels, SampleValue);

/// Asks a query at an instant in ms; returns its samples, and why some may be missing.
pub(crate) fn ask(
    rule: &Rule,
    query: &promql::Query,
    at: i64,
    asking: &DetectorInput<'_>,
) -> Result<(Vec<Found>, Option<String>), String> {
    let blocks = RuleBlocks { rule, ask: asking.ask, now: asking.now };
    let source = SampleSource::new(blocks, SAMPLES_MAX).within(groups_of(rule));
    let until = Instant::now() + TIME_MAX;
    let stop = move || (Instant::now() > until).then_some(Stop::TimedOut);
    let options = Options { samples_max: SAMPLES_MAX, stop: Some(std::sync::Arc::new(stop)), ..Options::default() };
    let answer = promql::instant(query, at, &source, &options).map_err(|error| error.to_string())?;
    let found = match answer.data {
        Data::Scalar(value) => vec![(promql::Labels::default(), SampleValue::Float(value))],
        Data::Vector(rows) => {
            let sample = |row: promql::Row| Some((row.labels, row.samples.into_iter().next()?.value));
            rows.into_iter().filter_map(sample).collect()
        }
        Data::String(_) | Data::Matrix(_) => return Err("the query gives no numbers".to_owned()),
    };
    let missing = source.into_missing();
    Ok((found, (!missing.is_empty()).then(|| missing.join("; "))))
}

/// Returns the number of a sample.
fn number_of(value: &SampleValue) -> Result<f64, String> {
    match value {
        SampleValue::Float(number) => Ok(*number),
        SampleValue::Histogram(_) => Err(
            "the query gives native histograms, an alert needs numbers; take one from them, as with histogram_quantile"
                .to_owned(),
        ),
    }
}

/// Returns the groups whose samples a rule sees. Those for groups beyond the limit are among them if it names none.
fn groups_of(rule: &Rule) -> Vec<GroupPattern> {
    let is_usual = rule.groups.iter().all(|group| group.as_str() == GROUPS);
    if is_usual { SAMPLE_GROUPS.map(GroupPattern::new).to_vec() } else { rule.groups.clone() }
}

/// Returns the instant in ms that a rule asks about.
pub(crate) fn instant_of(rule: &Rule, now: Timestamp) -> i64 {
    let offset_ns = rule.prometheus.as_ref().map_or(0, |form| form.query_offset_ns);
    now.0.saturating_sub(offset_ns).div_euclid(Timestamp::MILLISECOND)
}

/// Asks a query in PromQL at the instant of the evaluation.
pub(super) fn answer(rule: &Rule, compiled: &mut CompiledRule, asking: &DetectorInput<'_>) -> Result<Table, String> {
    let Some(series) = &compiled.series else { return Ok(Table::default()) };
    let (found, partial) = ask(rule, &series.query, instant_of(rule, asking.now), asking)?;
    let mut annotations = Vec::new();
    let mut sets: Vec<(Labels, f64)> = Vec::with_capacity(found.len());
    let is_filled_in = rule.prometheus.is_some();
    for (labels, value) in found {
        let value = number_of(&value)?;
        let all: Labels = labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect();
        let set = match is_filled_in {
            true => {
                let (set, texts) = filled_in(rule, series, all, value, asking);
                annotations.push(texts);
                set
            }
            false => all.into_iter().filter(|(name, _)| name != METRIC_NAME && name != VALUE).collect(),
        };
        sets.push((set, value));
    }
    let distinct: BTreeSet<&Labels> = sets.iter().map(|(labels, _)| labels).collect();
    if is_filled_in && distinct.len() < sets.len() {
        return Err("vector contains metrics with the same labelset after applying alert labels".to_owned());
    }
    let (names, mut rows) = rows_of(&sets);
    let columns: Vec<String> = names.iter().cloned().chain([VALUE.to_owned()]).collect();
    let of_condition: Vec<Name> = columns.iter().map(|name| Name::from(name.as_str())).collect();
    let holds = match is_filled_in {
        // Every sample that a query gives is an alert.
        true => vec![true; rows.len()],
        false => execute::holds_for(&series.condition, &of_condition, &rows, asking.now),
    };
    for (row, holds) in rows.iter_mut().zip(holds) {
        if let Some(Some(Value::Float(value))) = row.last()
            && !value.is_finite()
        {
            // JSON has no such number.
            let text = Value::text(gotemplate::general(*value, None));
            row.pop();
            row.push(Some(text));
        }
        row.push(Some(Value::Boolean(holds)));
    }
    compiled.value = Some(names.len());
    compiled.labels = names.iter().cloned().enumerate().collect();
    compiled.annotations = annotations;
    Ok(Table { columns: columns_of(&columns, []), rows, partial })
}

/// Returns names of labels, and for each set a row of them with its value at the end.
fn rows_of(sets: &[(Labels, f64)]) -> (Vec<String>, Vec<Vec<Option<Value>>>) {
    let names: BTreeSet<&String> = sets.iter().flat_map(|(labels, _)| labels.keys()).collect();
    let row = |(labels, value): &(Labels, f64)| {
        let cells = names.iter().map(|name| labels.get(*name).map(|text| Value::text(text.as_str())));
        cells.chain([Some(if value.is_finite() { number(*value) } else { Value::Float(*value) })]).collect()
    };
    let rows = sets.iter().map(row).collect();
    (names.into_iter().cloned().collect(), rows)
}

/// Fills in labels and annotations of a rule in Prometheus' form with a sample.
fn filled_in(
    rule: &Rule,
    series: &SeriesQuery,
    all: Labels,
    value: f64,
    asking: &DetectorInput<'_>,
) -> (Labels, BTreeMap<String, String>) {
    let query = |text: &str| -> Result<Vec<QuerySample>, String> {
        let query = promql::parse(text).map_err(|error| error.located(text))?;
        let at = asking.now.0.div_euclid(Timestamp::MILLISECOND);
        let (found, _) = ask(rule, &query, at, asking)?;
        let sample = |(labels, value): Found| {
            let labels = labels.iter().map(|label| (label.name.to_string(), label.value.to_string())).collect();
            Ok((labels, number_of(&value)?))
        };
        found.into_iter().map(sample).collect()
    };
    let now = asking.now.0 as f64 / 1e9;
    let sample = Sample::new(&all, value, asking.base_url, now, &query);
    let mut set = all;
    set.remove(METRIC_NAME);
    for (name, template) in &series.labels {
        let text = render(template, &sample);
        match text.is_empty() {
            true => set.remove(name),
            false => set.insert(name.clone(), text),
        };
    }
    let filled = series.annotations.iter().map(|(name, template)| (name.clone(), render(template, &sample)));
    (set, filled.collect())
}

/// The blocks that a rule sees.
struct RuleBlocks<'a> {
    rule: &'a Rule,
    ask: &'a dyn Ask,
    now: Timestamp,
}

impl ReadBlocks for RuleBlocks<'_> {
    type Error = String;

    fn read(
        &self,
        plan: &Plan,
        groups: &[GroupPattern],
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Vec<String>, String> {
        let (scope, now) = (&self.rule.scope, self.now);
        let time = EventTime::Own;
        self.ask.visit(&Question { plan, groups, scope, range, now, n_rows_max: usize::MAX, time }, visitor)
    }
}
