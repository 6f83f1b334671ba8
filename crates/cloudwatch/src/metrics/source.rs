//! What the data of metrics are read from.

use chrono_tz::Tz;
use door::{Problem, QueryRun, Result, Scope};
use execute::BlockVisitor;
use plan::Plan;
use types::{GroupPattern, TimeRange, Timestamp};

use crate::metric_filters::{Filter, counters};

/// Bytes of memory for each datum that is read.
const DATUM_BYTES: usize = 64;

/// What data are read from: the store as a caller sees it, or as the author of a rule does.
pub(super) trait MetricSource {
    /// Returns the most data that may be held at once.
    fn n_data_max(&self) -> usize;

    /// Returns the metric filters that may make metrics of a name, or all.
    fn filters(&self, metric: Option<&str>) -> Result<Vec<Filter>>;

    /// Returns how much later data are than they are asked for and given, in ms.
    fn shift_ms(&self) -> i64 {
        0
    }

    /// Gives the columns of events to a visitor; returns why some may be missing.
    fn visit(
        &self,
        plan: &Plan,
        groups: Vec<GroupPattern>,
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Option<String>>;

    /// Gives the same to a visitor, of a range from its start to before its end, in ms.
    ///
    /// # Errors
    /// If some are missing: a statistic of a part of the values would look like one of all.
    fn visit_all(
        &self,
        plan: &Plan,
        groups: Vec<GroupPattern>,
        (from, to): (i64, i64),
        visitor: &dyn BlockVisitor,
    ) -> Result<()> {
        let instant = |ms: i64| Timestamp(ms.saturating_mul(Timestamp::MILLISECOND));
        match self.visit(plan, groups, TimeRange { from: instant(from), to: instant(to) }, visitor)? {
            None => Ok(()),
            Some(reason) => Err(Problem::internal(format!("not all data can be read: {reason}"))),
        }
    }
}

impl MetricSource for QueryRun<'_> {
    fn n_data_max(&self) -> usize {
        self.server.app.limits.query_memory_bytes / DATUM_BYTES
    }

    fn filters(&self, metric: Option<&str>) -> Result<Vec<Filter>> {
        counters::filters_of(self.server.settings(), metric)
    }

    fn visit(
        &self,
        plan: &Plan,
        groups: Vec<GroupPattern>,
        range: TimeRange,
        visitor: &dyn BlockVisitor,
    ) -> Result<Option<String>> {
        let snapshot = self.snapshot(&groups, range);
        let scope = Scope { groups, limit: None, time_zone: Tz::UTC, now: self.server.now() };
        let answer = QueryRun::visit(self, &snapshot, plan, &scope, range, visitor)?;
        Ok(answer.partial_reasons.first().map(|reason| reason.message.clone()))
    }
}
