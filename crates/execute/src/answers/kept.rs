//! Whole answers about events that never change: who asks the same again is given the same.
//!
//! Partials serve whoever asks for another range, or while events still arrive; putting thousands of groups together
//! and in order is work all the same. Here nothing is left to do. Only aggregations are kept, and only where every run
//! that the range touches is in segments.

use std::sync::Arc;
use std::time::Duration;

use plan::Operator;

use crate::request::answer::Answer;
use crate::request::cache::{CacheEntry, PartialCache};
use crate::request::cache_entries::CachedAnswer;
use crate::scan::fingerprint::Fingerprint;
use crate::scan::scanner::Scan;
use crate::scan::selection::Cut;
use evaluate::value_bytes;

/// What took less is not worth a place.
const ELAPSED_MIN: Duration = Duration::from_micros(500);

/// Bytes of a value next to those that it points to.
const CELL_BYTES: usize = 32;

/// Where the answer to one question is kept.
pub(crate) struct AnswerKeeper<'a> {
    cache: &'a PartialCache,
    key: u128,
}

impl<'a> AnswerKeeper<'a> {
    /// Returns where the answer of `operators` is kept; `None` where it depends on anything that may change.
    pub(crate) fn of(scan: &Scan<'a>, operators: &[Operator], cut: Cut) -> Option<Self> {
        let cache = scan.request.support.cache?;
        let is_aggregation = operators.iter().any(|operator| matches!(operator, Operator::Aggregate { .. }));
        let never_change = scan.sources.iter().all(|source| source.run.info().key.is_some());
        if !is_aggregation || !never_change {
            return None;
        }
        let key = Fingerprint::of_answer(operators, cut, scan.request)?.key_of_all(scan)?;
        Some(Self { cache, key })
    }

    /// Returns what was kept, and whether there were more rows.
    pub(crate) fn find(&self, scan: &Scan<'_>) -> Option<(Answer, bool)> {
        let kept = self.cache.answer(self.key)?;
        scan.hold(kept.n_bytes).ok()?;
        scan.count_kept(scan.sources.len(), kept.n_scanned, kept.n_matched);
        let held = Some(scan.budget().keep(kept.n_bytes));
        let answer = Answer { columns: kept.columns.clone(), rows: kept.rows.clone(), held, ..Answer::default() };
        Some((answer, kept.more))
    }

    /// Keeps an answer that is whole.
    pub(crate) fn keep(&self, scan: &Scan<'_>, answer: &Answer) {
        let is_whole = answer.partial_reasons.is_empty() && !scan.env.warnings.has_added();
        if !is_whole || scan.elapsed() < ELAPSED_MIN {
            return;
        }
        let cells = answer.rows.iter().flatten();
        let n_bytes = cells.map(|cell| CELL_BYTES + cell.as_ref().map_or(0, value_bytes)).sum();
        if n_bytes > self.cache.entry_bytes_max() {
            return;
        }
        let kept = CachedAnswer {
            columns: answer.columns.clone(),
            rows: answer.rows.clone(),
            more: answer.more,
            n_scanned: answer.stats.events_scanned,
            n_matched: answer.stats.events_matched,
            n_bytes,
        };
        self.cache.put(self.key, CacheEntry::Answer(Arc::new(kept)));
    }
}
