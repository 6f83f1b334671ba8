//! Reads the datapoints of an alarm, as the author of the alarm sees the store.
//!
//! Periods end at the last whole minute, of periods under a minute at the last whole ten seconds: an alarm on five minutes looks at
//! minutes 1 to 5, and a minute later at minutes 2 to 6. All else counts periods from 1970, so data are read shifted by what
//! is left of a period.

use std::collections::BTreeMap;

use alert::{AlarmQuestion, Ask, EventTime, Question};
use door::{Problem, Result};
use execute::BlockVisitor;
use plan::Plan;
use types::{GroupPattern, GroupScope, TimeRange, Timestamp};
use xxhash_rust::xxh3::xxh3_64;

use super::super::band::{BandConfig, BandContext, ModelCache};
use super::super::data::alarm_data;
use super::super::math::MathProblem;
use super::super::source::MetricSource;
use super::definition::{MetricAlarm, Threshold};
use super::judgement::EVALUATION_MORE;
use super::threshold::Bounds;
use crate::metric_filters::Filter;

/// Most data of an alarm that are held at once.
const DATA_MAX: usize = 1 << 20;

const MINUTE_MS: i64 = 60_000;
const SHORT_STEP_MS: i64 = 10_000;

/// The store as the author of an alarm sees it.
struct AlarmSource<'a> {
    ask: &'a dyn Ask,
    filters: &'a FiltersOf<'a>,
    /// The groups of the alarm: who sees it may read them.
    groups: &'a [GroupPattern],
    scope: &'a GroupScope,
    now: Timestamp,
    shift_ms: i64,
}

impl MetricSource for AlarmSource<'_> {
    fn n_data_max(&self) -> usize {
        DATA_MAX
    }

    fn filters(&self, metric: Option<&str>) -> Result<Vec<Filter>> {
        let mut filters = (self.filters)(metric)?;
        filters.retain(|filter| self.groups.iter().any(|group| group.as_str() == filter.group));
        Ok(filters)
    }

    fn shift_ms(&self) -> i64 {
        self.shift_ms
    }

    fn visit(
        &self,
        plan: &Plan,
        groups: Vec<GroupPattern>,
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Option<String>> {
        let question = Question {
            plan,
            groups: &groups,
            scope: self.scope,
            range,
            now: self.now,
            n_rows_max: usize::MAX,
            time: EventTime::Own,
        };
        let reasons = self.ask.visit(&question, visitor).map_err(Problem::internal)?;
        Ok(reasons.into_iter().next())
    }
}

/// A period of an alarm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AlarmPeriod {
    /// Its start in ms.
    pub(super) time: i64,
    pub(super) value: Option<f64>,
    /// What its value is compared with; none of a band without a model.
    pub(super) bounds: Option<Bounds>,
}

/// Returns the metric filters that may make metrics of a name, or all.
type FiltersOf<'a> = dyn Fn(Option<&str>) -> Result<Vec<Filter>> + 'a;

/// What alarms are judged with: the metric filters, and how bands are found.
pub(super) struct AlarmInputs<'a> {
    pub(super) filters: &'a FiltersOf<'a>,
    pub(super) config: &'a dyn Fn(&str) -> Result<BandConfig, MathProblem>,
    pub(super) models: &'a ModelCache,
}

/// Returns the periods of the evaluation range of an alarm, the oldest first.
///
/// # Errors
/// Why they cannot be read.
pub(super) fn periods(
    alarm: &MetricAlarm,
    question: &AlarmQuestion<'_>,
    inputs: &AlarmInputs<'_>,
) -> Result<Vec<AlarmPeriod>, String> {
    let (ask, scope, now) = (question.ask, question.scope, question.now);
    let period_ms = alarm.period_s * 1_000;
    let step_ms = if period_ms < MINUTE_MS { SHORT_STEP_MS } else { MINUTE_MS };
    let now_ms = now.0.div_euclid(Timestamp::MILLISECOND);
    let end = now_ms.div_euclid(step_ms) * step_ms;
    let shift_ms = end.rem_euclid(period_ms);
    let n = i64::try_from(alarm.datapoints.of + EVALUATION_MORE).unwrap_or(i64::MAX / period_ms);
    let start = end - n * period_ms;
    let source = AlarmSource { ask, filters: inputs.filters, groups: question.groups, scope, now, shift_ms };
    // Authors with other groups see other data.
    let seen = xxh3_64(format!("{scope:?} {:?}", question.groups).as_bytes());
    let unshifted = AlarmSource { shift_ms: 0, ..source };
    let context = BandContext { source: &unshifted, config: inputs.config, cache: Some((inputs.models, seen)) };
    let range = (start - shift_ms, end - shift_ms);
    let data = alarm_data(&source, &alarm.queries, range, (&context, alarm.threshold.band()));
    let data = data.map_err(|problem| problem.message)?;
    let values: BTreeMap<i64, f64> = data.points.into_iter().collect();
    let period = |number: i64| {
        let time = start + number * period_ms;
        let bounds = match alarm.threshold {
            Threshold::Fixed(threshold) => Some(Bounds::threshold(threshold)),
            Threshold::Band(_) => {
                data.bounds.get(&(time - shift_ms)).map(|(lower, upper)| Bounds { lower: *lower, upper: *upper })
            }
        };
        AlarmPeriod { time, value: values.get(&(time - shift_ms)).copied(), bounds }
    };
    Ok((0..n).map(period).collect())
}

#[cfg(test)]
mod tests;
