//! Reads the datapoints of an alarm, as the author of the alarm sees the store.
//!
//! Periods end at the last whole minute, of periods under a minute at the last whole ten seconds: an alarm on five minutes looks at
//! minutes 1 to 5, and a minute later at minutes 2 to 6. All else counts periods from 1970, so data are read shifted by what
//! is left of a period.

use alert::{Ask, EventTime, Question};
use door::problem::Problem;
use execute::BlockVisitor;
use plan::Plan;
use types::{GroupPattern, GroupScope, TimeRange, Timestamp};

use super::super::data::points_of;
use super::super::store::MetricSource;
use super::definition::MetricAlarm;
use super::judgement::EVALUATION_MORE;

/// Most data of an alarm that are held at once.
const DATA_MAX: usize = 1 << 20;

const MINUTE_MS: i64 = 60_000;
const SHORT_STEP_MS: i64 = 10_000;

/// The store as the author of an alarm sees it.
struct AlarmSource<'a> {
    ask: &'a dyn Ask,
    scope: &'a GroupScope,
    now: Timestamp,
    shift_ms: i64,
}

impl MetricSource for AlarmSource<'_> {
    fn n_data_max(&self) -> usize {
        DATA_MAX
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
    ) -> Result<Option<String>, Problem> {
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

/// Returns the datapoints of the evaluation range of an alarm at `now`: each period's start in ms and its value, if it has one,
/// the oldest first.
///
/// # Errors
/// Why they cannot be read.
pub(super) fn periods(
    alarm: &MetricAlarm,
    ask: &dyn Ask,
    scope: &GroupScope,
    now: Timestamp,
) -> Result<Vec<(i64, Option<f64>)>, String> {
    let period_ms = alarm.period_s * 1_000;
    let step_ms = if period_ms < MINUTE_MS { SHORT_STEP_MS } else { MINUTE_MS };
    let now_ms = now.0.div_euclid(Timestamp::MILLISECOND);
    let end = now_ms.div_euclid(step_ms) * step_ms;
    let shift_ms = end.rem_euclid(period_ms);
    let n = i64::try_from(alarm.datapoints.of + EVALUATION_MORE).unwrap_or(i64::MAX / period_ms);
    let start = end - n * period_ms;
    let source = AlarmSource { ask, scope, now, shift_ms };
    let points = points_of(&source, &alarm.queries, (start - shift_ms, end - shift_ms));
    let points = points.map_err(|problem| problem.message)?;
    let value_at = |time: i64| points.iter().find(|(at, _)| *at == time - shift_ms).map(|(_, value)| *value);
    Ok((0..n).map(|number| start + number * period_ms).map(|time| (time, value_at(time))).collect())
}
