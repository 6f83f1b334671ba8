//! Rows of an aggregation while it is under way: what has been counted so far, as it would be shown.
//!
//! Whoever has worked a block off and finds that it is time takes what all threads have found, between two blocks of
//! each, so that no event is in it twice or in part. Only few groups are worth it: rows on their way to thousands of
//! others say little, and copying them would hold the threads up.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use plan::{Expr, Name, Operator};

use crate::operators::group::Groups;
use crate::operators::table::Table;
use crate::request::parameters::{Request, TakePartialRows};
use crate::scan::scanner::Scan;
use evaluate::PreparedElements;

/// When rows are shown first, and how often from then on.
const FIRST: Duration = Duration::from_millis(25);
const INTERVAL: Duration = Duration::from_millis(250);

/// Most groups, and bytes of them, that are copied while others wait.
const GROUPS_MAX: usize = 1_000;
const BYTES_MAX: usize = 4 << 20;

/// Who wants such rows, and how they are made from groups.
pub(crate) struct Preview<'a> {
    take: &'a TakePartialRows<'a>,
    rest: &'a [Operator],
    columns: &'a [(Name, Expr)],
    /// Milliseconds since the scan began, from which on the next rows are wanted.
    next_ms: AtomicU64,
}

impl<'a> Preview<'a> {
    /// Returns where someone wants them, and what is done to the groups can be done again and again.
    pub(crate) fn of(request: &Request<'a>, rest: &'a [Operator]) -> Option<Self> {
        let take = request.support.take_partial_rows?;
        let Some(Operator::Project { columns, .. }) = rest.last() else { return None };
        // It would ask for the events of another time.
        let is_alone = |operator: &Operator| !matches!(operator, Operator::Compare(_));
        let next_ms = AtomicU64::new(FIRST.as_millis() as u64);
        rest.iter().all(is_alone).then_some(Self { take, rest, columns, next_ms })
    }

    /// Tells one of those who ask that it is time.
    pub(crate) fn is_due(&self, scan: &Scan<'_>) -> bool {
        let (now_ms, next_ms) = (scan.elapsed().as_millis() as u64, self.next_ms.load(Relaxed));
        let after = now_ms + INTERVAL.as_millis() as u64;
        now_ms >= next_ms && self.next_ms.compare_exchange(next_ms, after, Relaxed, Relaxed).is_ok()
    }

    /// Returns what all `parts` have together; none where that is too much.
    pub(crate) fn together<'p, 'g>(
        &self,
        scan: &Scan<'_>,
        parts: impl Iterator<Item = &'g Groups<'p>> + Clone,
    ) -> Option<Groups<'p>>
    where
        'p: 'g,
    {
        let (n_groups, n_bytes) =
            parts.clone().fold((0, 0), |(n, bytes), part| (n + part.n_groups, bytes + part.memory_bytes()));
        if n_groups > GROUPS_MAX || n_bytes > BYTES_MAX {
            return None;
        }
        let mut together: Option<Groups<'p>> = None;
        for part in parts {
            match &mut together {
                None => together = Some(part.clone()),
                Some(together) => together.merge(part.clone(), scan.budget()).ok()?,
            }
        }
        together
    }

    /// Shows groups as the answer would.
    pub(crate) fn show(&self, scan: &Scan<'_>, groups: Groups<'_>) {
        let request = Request { progress: None, ..*scan.request };
        let mut aside = Scan::new(&[], &request);
        aside.env.prepared = PreparedElements::of(self.rest);
        let rows =
            aside.hold(groups.memory_bytes()).and_then(|()| groups.finish(None, aside.budget())).and_then(|finished| {
                let mut table = Table::of_groups(finished);
                self.rest.iter().try_for_each(|operator| table.apply(operator, &aside))?;
                table.truncate(GROUPS_MAX);
                Ok(table.project(self.columns, false, &aside)?.rows)
            });
        // What cannot be shown now is shown later, or the query ends for the same reason.
        if let Ok(rows) = rows
            && !rows.is_empty()
        {
            (self.take)(rows);
        }
    }
}
