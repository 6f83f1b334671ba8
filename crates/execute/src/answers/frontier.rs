//! Event rows that leave while the scan continues.
//!
//! Blocks are worked off in waves, in the order in which rows are wanted. After a wave stands the frontier: no block
//! that remains has an event on this side of it. So whatever was found on this side is final, is read, and leaves;
//! rows at the very instant of the frontier wait, for equal times go by `@id`. Memory is that of the rows between
//! two frontiers, however many there are altogether.

use std::sync::Arc;

use plan::{Expr, Name, Operator, fields_of};

use crate::operators::table::Table;
use crate::request::answer::Answer;
use crate::request::candidate::{Candidate, candidate_bytes};
use crate::request::error::Result;
use crate::request::item::Item;
use crate::request::parameters::TakeRows;
use crate::scan::matches::Matcher;
use crate::scan::row_order::RowOrder;
use crate::scan::rows::{RowSelection, candidates};
use crate::scan::scanner::{Flow, Scan};
use crate::scan::selection::{Cut, EventSelection};
use crate::scan::steps::Steps;
use evaluate::{Place, Stop};

pub(crate) use crate::request::answer::widen;

/// Most blocks of one wave for each thread. The first ones are short, so that the first rows come soon.
const WAVE_MAX: usize = 32;

/// Rows that are read and given away at once: so many hold some megabytes.
const ROWS_AT_ONCE: usize = 2_048;

/// Rows on their way.
pub(crate) struct Rows<'a> {
    pub(crate) scan: &'a Scan<'a>,
    pub(crate) lead: &'a [Operator],
    pub(crate) wanted: &'a EventSelection<'a>,
    /// Rows that are read and given away at once.
    pub(crate) n_at_once: usize,
    /// Most blocks of one wave.
    pub(crate) n_wave_max: usize,
}

/// Takes rows; `false` where no more are wanted.
pub(crate) type Receive<'r> = dyn FnMut(Table) -> Result<bool, Stop> + 'r;

/// Reports whether rows may leave before all are known: their order is that of time, and what is done to them is done
/// to each alone, and a cut counts rows as they are found.
pub(crate) fn can_leave(wanted: &EventSelection<'_>, cut: Cut) -> bool {
    let is_alone = |operator: &Operator| {
        matches!(
            operator,
            Operator::Filter(_) | Operator::Extend { .. } | Operator::Parse(_) | Operator::Project { .. }
        )
    };
    let can_count = wanted.is_final || matches!(cut, crate::scan::selection::Cut::No);
    matches!(
        wanted.order,
        crate::scan::row_order::RowOrder::Newest
            | crate::scan::row_order::RowOrder::Oldest
            | crate::scan::row_order::RowOrder::Forward
    ) && can_count
        && wanted.rest.iter().all(is_alone)
}

/// Gives rows away as they are shown. The answer has none left, and says whether there were more than `cut` lets through.
pub(crate) fn give_shown(
    scan: &Scan<'_>,
    lead: &[Operator],
    wanted: &EventSelection<'_>,
    cut: Cut,
    (columns, take): (&[(Name, Expr)], &TakeRows<'_>),
) -> Result<(Answer, bool)> {
    let mut answer = Answer::default();
    // One more than may be shown was looked for.
    let mut n_left = match cut {
        Cut::At(most) if wanted.is_final => most,
        _ => usize::MAX,
    };
    let n_wave_max = WAVE_MAX * scan.request.n_threads.max(1);
    let rows = Rows { scan, lead, wanted, n_at_once: ROWS_AT_ONCE, n_wave_max };
    rows.give(&mut |mut table| {
        answer.more = table.n_rows() > n_left;
        table.truncate(n_left);
        n_left -= table.n_rows();
        let before = scan.budget().held();
        wanted.rest.iter().try_for_each(|operator| table.apply(operator, scan))?;
        let projected = table.project(columns, false, scan);
        scan.budget().release(scan.budget().held().saturating_sub(before));
        let mut part = projected?;
        widen(&mut answer.columns, part.columns);
        let rows = std::mem::take(&mut part.rows);
        if !scan.budget().pause(|| take(rows)) {
            scan.budget().end("cancelled", "the reader of the rows is gone");
            return Ok(false);
        }
        Ok(true)
    })?;
    if answer.columns.is_empty() {
        // Nothing was found: columns all the same.
        let nothing = Table::of_events(evaluate::columns::frame::Frame::of_columns(0, Vec::new()));
        answer.columns = nothing.project(columns, false, scan).map(|empty| empty.columns).unwrap_or_default();
    }
    let more = answer.more;
    Ok((answer, more))
}

impl Rows<'_> {
    /// Gives away the rows that are wanted, in their order.
    pub(crate) fn give(&self, receive: &mut Receive<'_>) -> Result<()> {
        let (scan, wanted) = (self.scan, self.wanted);
        let steps = Steps::new(self.lead, &wanted.sort_fields);
        let matcher = Matcher::new(scan, (self.lead, &wanted.sort_fields), &steps);
        let mut items = scan.items();
        if wanted.order.is_ascending() {
            items.sort_by_key(|item| (item.first, item.last));
        }
        scan.expect(&items);
        let items: Arc<[Item]> = items.into();
        let mut pending: Vec<Candidate> = Vec::new();
        let mut left = wanted.cap.unwrap_or(usize::MAX);
        let (mut next, mut n_wave) = (0, scan.request.n_threads.max(1));
        while next < items.len() && left > 0 && !scan.is_over() {
            let end = items.len().min(next + n_wave);
            self.work_off(&matcher, &items, next..end, &mut pending)?;
            pending.sort_unstable_by(|a, b| wanted.order.compare(a, b));
            let n_ready = match items.get(end) {
                Some(item) => pending.partition_point(|candidate| is_final(&wanted.order, &candidate.place, item)),
                None => pending.len(),
            };
            (next, n_wave) = (end, (n_wave * 2).min(self.n_wave_max));
            let rest = pending.split_off(n_ready);
            let mut ready = std::mem::replace(&mut pending, rest);
            scan.budget().release(ready.iter().map(candidate_bytes).sum());
            ready.truncate(left);
            left -= ready.len();
            if !self.emit(&items, &ready, receive)? {
                break;
            }
        }
        matcher.keep(scan);
        Ok(())
    }

    /// Finds the rows of some blocks.
    fn work_off(
        &self,
        matcher: &Matcher<'_>,
        items: &[Item],
        wave: std::ops::Range<usize>,
        pending: &mut Vec<Candidate>,
    ) -> Result<()> {
        let first = wave.start;
        let states = self.scan.for_each(&items[wave], Vec::new, |found, index, item| {
            let frame = matcher.frame(self.scan, item)?;
            let (order, cap) = (&self.wanted.order, self.wanted.cap);
            let more = candidates(self.scan, frame, (first + index) as u32, order, cap, None)?;
            self.scan.hold(more.iter().map(candidate_bytes).sum())?;
            found.extend(more);
            Ok(Flow::Continue)
        })?;
        pending.extend(states.into_iter().flatten());
        Ok(())
    }

    /// Reads rows and gives them away; `false` where no more are wanted.
    fn emit(&self, items: &Arc<[Item]>, ready: &[Candidate], receive: &mut Receive<'_>) -> Result<bool> {
        let mut needed = fields_of(self.wanted.rest);
        needed.insert("@id".into());
        for part in ready.chunks(self.n_at_once) {
            let before = self.scan.budget().held();
            let chosen = RowSelection::of(items.clone(), part);
            let table = Table::of_events(chosen.read(self.scan, self.lead, &needed)?.into_frame(&needed));
            let n_bytes = self.scan.budget().held().saturating_sub(before);
            let received = receive(table);
            self.scan.budget().release(n_bytes);
            match received {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(stop) => {
                    self.scan.or_nothing::<()>(Err(stop));
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Reports whether a row at `place` comes before every row of the blocks from `item` on.
fn is_final(order: &RowOrder<'_>, place: &Place, item: &Item) -> bool {
    match order {
        crate::scan::row_order::RowOrder::Oldest | crate::scan::row_order::RowOrder::Forward => {
            place.time < item.first.0
        }
        _ => place.time > item.last.0,
    }
}

#[cfg(test)]
mod tests;
