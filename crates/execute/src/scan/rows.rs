//! The events that a query without an aggregation shows: which ones, in which order, with which fields.
//!
//! First only what decides is read: conditions, sort keys, times. The other fields are read for the rows that are
//! shown, and for no others.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex};

use plan::{Expr, Name, Operator};
use types::{Hold, RowSet, Value};

use crate::request::candidate::{Candidate, candidate_bytes};
use crate::request::error::Result;
use crate::request::item::Item;
use crate::scan::matches::Matcher;
use crate::scan::row_order::{RowOrder, compare_cells, key_columns};
use crate::scan::scanner::{Flow, Scan};
use crate::scan::steps::Steps;
use evaluate::columns::row_columns::column_of;
use evaluate::{Cell, Frame, RowColumns, Stop, places, value_bytes};

/// The best candidates so far.
struct BestCandidates<'p> {
    order: &'p RowOrder<'p>,
    cap: Option<usize>,
    rows: Vec<Candidate>,
    /// The last row that is still wanted, once there are enough.
    worst: Option<Candidate>,
    /// Bytes of the rows, as they were taken of the query's memory.
    n_bytes: usize,
}

impl BestCandidates<'_> {
    fn add(&mut self, more: Vec<Candidate>, scan: &Scan<'_>) -> Result<(), Stop> {
        let mut n_bytes = self.n_bytes + more.iter().map(candidate_bytes).sum::<usize>();
        self.rows.extend(more);
        let n_rows = self.rows.len();
        self.shrink_to_cap();
        if self.rows.len() < n_rows {
            n_bytes = self.rows.iter().map(candidate_bytes).sum();
        }
        let before = std::mem::replace(&mut self.n_bytes, n_bytes);
        scan.budget().release(before.saturating_sub(n_bytes));
        scan.hold(n_bytes.saturating_sub(before))
    }

    fn shrink_to_cap(&mut self) {
        if let Some(cap) = self.cap
            && self.rows.len() >= cap.saturating_mul(2).max(cap.saturating_add(64))
        {
            self.shrink(cap);
        } else if let Some(cap) = self.cap
            && self.worst.is_none()
            && self.rows.len() >= cap
        {
            self.shrink(cap);
        }
    }

    fn shrink(&mut self, cap: usize) {
        if cap == 0 {
            self.rows.clear();
            return;
        }
        if self.rows.len() >= cap {
            self.rows.select_nth_unstable_by(cap - 1, |a, b| self.order.compare(a, b));
            self.rows.truncate(cap);
            self.worst = self.rows.last().cloned();
        }
    }

    /// Reports whether no row of an item can be among the best any more.
    fn is_beyond(&self, item: &Item) -> bool {
        match (&self.worst, self.order) {
            (Some(worst), RowOrder::Newest) => item.last.0 < worst.place.time,
            (Some(worst), RowOrder::Oldest | RowOrder::Forward) => item.first.0 > worst.place.time,
            _ => self.cap == Some(0),
        }
    }
}

/// Chosen rows, in order, as places in blocks.
pub(crate) struct RowSelection {
    items: Arc<[Item]>,
    rows: Vec<(u32, u32)>,
}

/// Finds the first `cap` rows in the order wanted: those of the `part` of the items, which are in that order, and those
/// that were found before.
pub(crate) fn choose(
    scan: &Scan<'_>,
    matcher: &Matcher<'_>,
    (order, cap): (&RowOrder<'_>, Option<usize>),
    (items, part): (&[Item], Range<usize>),
    found: Vec<Candidate>,
) -> Result<Vec<Candidate>> {
    let first = part.start;
    let items = &items[part];
    scan.expect(items);
    let mut best = BestCandidates { order, cap, rows: Vec::new(), worst: None, n_bytes: 0 };
    if let Err(stop) = best.add(found, scan) {
        scan.note_stop(stop);
    }
    let best = Mutex::new(best);
    let lock = || best.hold();
    if !items.is_empty() {
        scan.for_each(
            items,
            || (),
            |(), index, item| {
                let (is_beyond, worst) = {
                    let best = lock();
                    (best.is_beyond(item), best.worst.clone())
                };
                if is_beyond {
                    return Ok(Flow::Done);
                }
                let frame = matcher.frame(scan, item)?;
                let found = candidates(scan, frame, (first + index) as u32, order, cap, worst.as_ref())?;
                lock().add(found, scan)?;
                Ok(Flow::Continue)
            },
        )?;
    }
    let rows = best.into_held().rows;
    let mut places: Vec<u32> = (0..rows.len() as u32).collect();
    let sorted = scan.budget().sort_by(&mut places, |a, b| order.compare(&rows[*a as usize], &rows[*b as usize]));
    scan.or_nothing(sorted);
    places.truncate(cap.unwrap_or(usize::MAX));
    let mut rows: Vec<Option<Candidate>> = rows.into_iter().map(Some).collect();
    Ok(places.into_iter().filter_map(|place| rows[place as usize].take()).collect())
}

/// Returns the rows of a block that may be among the best.
pub(crate) fn candidates(
    scan: &Scan<'_>,
    mut frame: Frame<'_>,
    item: u32,
    order: &RowOrder<'_>,
    cap: Option<usize>,
    worst: Option<&Candidate>,
) -> Result<Vec<Candidate>, Stop> {
    let n_rows = frame.n_rows();
    if n_rows == 0 {
        // Nothing is read of the block to say where no row stands.
        return Ok(Vec::new());
    }
    if let (RowOrder::Newest, Some(cap)) = (order, cap)
        && n_rows > cap
    {
        // Rows of a block are in order of time and acceptance: the newest ones are the last.
        frame.retain(&RowSet::of(n_rows, |row| row >= n_rows - cap));
    }
    if let (RowOrder::Forward, Some(cap)) = (order, cap)
        && n_rows > cap
    {
        frame.retain(&RowSet::of(n_rows, |row| row < cap));
    }
    if let (RowOrder::Oldest, Some(cap)) = (order, cap)
        && n_rows > cap
        && cap > 0
    {
        let times = frame.column("@timestamp")?;
        let border = Cell::at(&times, cap - 1).time();
        frame.retain(&RowSet::of(n_rows, |row| Cell::at(&times, row).time() <= border));
    }
    let mut keys = key_columns(order.keys(), &mut frame, scan)?;
    if let (RowOrder::Keys(sort_keys), Some(worst)) = (order, worst) {
        let may_win = RowSet::of(frame.n_rows(), |row| {
            let cells = keys.iter().map(|column| Cell::at(column, row));
            let worst = worst.keys.iter().map(|value| Cell::of(value.as_ref()));
            compare_cells(sort_keys, cells.zip(worst)) != Ordering::Greater
        });
        keys.iter_mut().for_each(|column| *column = Arc::new(column.gather(&may_win)));
        frame.retain(&may_win);
    }
    let places = places(&mut frame)?;
    let Some(block) = frame.block() else { return Ok(Vec::new()) };
    let candidate = |(index, row): (usize, usize)| Candidate {
        keys: keys.iter().map(|column| column.value(index)).collect(),
        place: places[index],
        item,
        row: row as u32,
    };
    Ok(block.rows.iter().enumerate().map(candidate).collect())
}

impl RowSelection {
    /// Returns rows that were found in `items`.
    pub(crate) fn of(items: Arc<[Item]>, rows: &[Candidate]) -> Self {
        Self { items, rows: rows.iter().map(|candidate| (candidate.item, candidate.row)).collect() }
    }

    /// Reads the fields `needed` of the rows, computing those that `lead` makes.
    pub(crate) fn read(self, scan: &Scan<'_>, lead: &[Operator], needed: &BTreeSet<Name>) -> Result<RowColumns> {
        let steps = Steps::without_conditions(lead, needed);
        let mut by_item: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
        for (place, (item, row)) in self.rows.iter().enumerate() {
            by_item.entry(*item).or_default().push((*row, place as u32));
        }
        let work: Vec<(Item, Vec<(u32, u32)>)> =
            by_item.into_iter().map(|(item, rows)| (self.items[item as usize], rows)).collect();
        let items: Vec<Item> = work.iter().map(|(item, _)| *item).collect();
        let parts = scan.for_each(&items, Vec::<Part>::new, |parts, index, item| {
            let mut rows = work[index].1.clone();
            rows.sort_unstable();
            let chosen: BTreeSet<u32> = rows.iter().map(|(row, _)| *row).collect();
            let n_rows = scan.sources[item.source].run.block_rows(item.block);
            let mut frame = scan.chosen(item, RowSet::of(n_rows, |row| chosen.contains(&(row as u32))));
            steps.apply_to(&mut frame, &scan.env)?;
            let mut columns = Vec::with_capacity(needed.len());
            for name in needed {
                let column = scan.env.evaluate(&Expr::Field(name.clone()), &mut frame)?;
                let values: Vec<Option<Value>> = (0..column.n_rows()).map(|row| column.value(row)).collect();
                scan.hold(values.iter().map(|value| 32 + value.as_ref().map_or(0, value_bytes)).sum())?;
                columns.push(values);
            }
            parts.push((rows.into_iter().map(|(_, place)| place).collect(), columns));
            Ok(Flow::Continue)
        })?;
        Ok(assemble(self.rows.len(), needed.len(), parts.into_iter().flatten().collect()))
    }
}

/// Rows of one block that were read: their places in the answer, and per field their values.
type Part = (Vec<u32>, Vec<Vec<Option<Value>>>);

/// Puts the rows read block by block into their order.
fn assemble(n_rows: usize, n_columns: usize, parts: Vec<Part>) -> RowColumns {
    let mut is_read = vec![false; n_rows];
    let mut columns: Vec<Vec<Option<Value>>> = vec![vec![None; n_rows]; n_columns];
    for (places, values) in parts {
        places.iter().for_each(|place| is_read[*place as usize] = true);
        for (column, values) in columns.iter_mut().zip(values) {
            places.iter().zip(values).for_each(|(place, value)| column[*place as usize] = value);
        }
    }
    RowColumns { read: RowSet::of(n_rows, |row| is_read[row]), columns: columns.into_iter().map(column_of).collect() }
}
