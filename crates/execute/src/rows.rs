//! The events that a query without an aggregation shows: which ones, in which order, with which fields.
//!
//! First only what decides is read: conditions, sort keys, times. The other fields are read for the rows that are
//! shown, and for no others.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use types::{Column, RowSet, Value};

use super::ExecuteError;
use super::aggregate::Place;
use super::cell::{Cell, severity, sort_order};
use super::expression::{Stop, evaluate};
use super::frame::Frame;
use super::functions::value_bytes;
use super::group::places;
use super::matches::Matcher;
use super::scan::{Flow, Item, Scan};
use super::steps::Steps;
use plan::fields::{is_field, visit_fields};
use plan::{Expr, Name, Operator, SortKey};

/// Bytes of a candidate beside its keys.
const CANDIDATE_BYTES: usize = 64;

/// The order in which rows are wanted.
pub(crate) enum RowOrder<'p> {
    /// Newest first.
    Newest,
    /// By time, oldest first; equal times newest first.
    Oldest,
    /// By time, oldest first; equal times by group and acceptance, as ids are ordered.
    Forward,
    /// By keys; ties newest first.
    Keys(&'p [SortKey]),
}

impl<'p> RowOrder<'p> {
    /// The order of a sort over events.
    pub(crate) fn of(keys: &'p [SortKey]) -> Self {
        match keys {
            [SortKey { expr, descending }] if is_field(expr, "@timestamp") => {
                if *descending {
                    Self::Newest
                } else {
                    Self::Oldest
                }
            }
            [SortKey { expr: time, descending: false }, SortKey { expr: id, descending: false }]
                if is_field(time, "@timestamp") && is_field(id, "@id") =>
            {
                Self::Forward
            }
            keys => Self::Keys(keys),
        }
    }

    /// The keys of an order that has some.
    pub(crate) fn keys(&self) -> &'p [SortKey] {
        match self {
            Self::Keys(keys) => keys,
            _ => &[],
        }
    }

    /// Tells whether rows come in ascending order of time.
    pub(crate) fn is_ascending(&self) -> bool {
        matches!(self, Self::Oldest | Self::Forward)
    }

    /// Tells orders apart that have no keys.
    pub(crate) fn number(&self) -> u8 {
        match self {
            Self::Newest | Self::Keys(_) => 0,
            Self::Oldest => 1,
            Self::Forward => 2,
        }
    }

    pub(crate) fn compare(&self, a: &Candidate, b: &Candidate) -> Ordering {
        self.compare_rows((&a.keys, &a.place), (&b.keys, &b.place))
    }

    /// Compares two rows by the values of the keys and by place.
    pub(crate) fn compare_rows(&self, a: (&[Option<Value>], &Place), b: (&[Option<Value>], &Place)) -> Ordering {
        if matches!(self, Self::Oldest) {
            return a.1.time.cmp(&b.1.time).then_with(|| b.1.cmp(a.1));
        }
        if matches!(self, Self::Forward) {
            let id = |place: &Place| (place.time, place.group, place.sequence);
            return id(a.1).cmp(&id(b.1)).then_with(|| b.1.cmp(a.1));
        }
        compare_keys(self.keys(), a.0, b.0).then_with(|| b.1.cmp(a.1))
    }
}

/// Compares the values of sort keys; missing ones are last either way.
pub(crate) fn compare_keys(keys: &[SortKey], a: &[Option<Value>], b: &[Option<Value>]) -> Ordering {
    compare_cells(keys, a.iter().map(|a| Cell::of(a.as_ref())).zip(b.iter().map(|b| Cell::of(b.as_ref()))))
}

fn compare_cells<'c>(keys: &[SortKey], pairs: impl Iterator<Item = (Cell<'c>, Cell<'c>)>) -> Ordering {
    for (key, (a, b)) in keys.iter().zip(pairs) {
        let order = match (a, b) {
            (Cell::Missing, Cell::Missing) => Ordering::Equal,
            (Cell::Missing, _) => Ordering::Greater,
            (_, Cell::Missing) => Ordering::Less,
            (a, b) => {
                let order = sort_order(a, b);
                if key.descending { order.reverse() } else { order }
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// The columns of sort keys; levels become their severity.
pub(crate) fn key_columns(keys: &[SortKey], frame: &mut Frame<'_>, scan: &Scan<'_>) -> Result<Vec<Arc<Column>>, Stop> {
    let column = |key: &SortKey| {
        let column = evaluate(&key.expr, frame, &scan.env)?;
        if !is_field(&key.expr, "@level") {
            return Ok(column);
        }
        let rank = |row| match severity(Cell::at(&column, row)) {
            Some(level) => Some(Value::Integer(level.code().into())),
            None => column.value(row),
        };
        Ok(Arc::new(Column::of_values((0..column.n_rows()).map(rank).collect())))
    };
    keys.iter().map(column).collect()
}

/// A row that may be shown.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    keys: Box<[Option<Value>]>,
    pub(crate) place: Place,
    item: u32,
    row: u32,
}

impl Candidate {
    /// The block that it was found in.
    pub(crate) fn item<'i>(&self, items: &'i [Item]) -> &'i Item {
        &items[self.item as usize]
    }
}

/// The best candidates so far.
struct Best<'p> {
    order: &'p RowOrder<'p>,
    cap: Option<usize>,
    rows: Vec<Candidate>,
    /// The last row that is still wanted, once there are enough.
    worst: Option<Candidate>,
    /// Bytes of the rows, as they were taken of the query's memory.
    n_bytes: usize,
}

impl Best<'_> {
    fn add(&mut self, more: Vec<Candidate>, scan: &Scan<'_>) -> Result<(), Stop> {
        let mut n_bytes = self.n_bytes + more.iter().map(candidate_bytes).sum::<usize>();
        self.rows.extend(more);
        let n_rows = self.rows.len();
        self.shrink_to_cap();
        if self.rows.len() < n_rows {
            n_bytes = self.rows.iter().map(candidate_bytes).sum();
        }
        let before = std::mem::replace(&mut self.n_bytes, n_bytes);
        scan.release(before.saturating_sub(n_bytes));
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

    /// Tells whether no row of an item can be among the best any more.
    fn is_beyond(&self, item: &Item) -> bool {
        match (&self.worst, self.order) {
            (Some(worst), RowOrder::Newest) => item.last.0 < worst.place.time,
            (Some(worst), RowOrder::Oldest | RowOrder::Forward) => item.first.0 > worst.place.time,
            _ => self.cap == Some(0),
        }
    }
}

/// Chosen rows, in order, as places in blocks.
pub(crate) struct Chosen {
    items: Arc<[Item]>,
    rows: Vec<(u32, u32)>,
}

/// Finds the first `cap` rows in the order wanted: those of the `part` of the items, which stand in that order, and those
/// that were found before.
pub(crate) fn choose(
    scan: &Scan<'_>,
    matcher: &Matcher<'_>,
    (order, cap): (&RowOrder<'_>, Option<usize>),
    (items, part): (&[Item], Range<usize>),
    found: Vec<Candidate>,
) -> Result<Vec<Candidate>, ExecuteError> {
    let first = part.start;
    let items = &items[part];
    scan.expect(items);
    let mut best = Best { order, cap, rows: Vec::new(), worst: None, n_bytes: 0 };
    if let Err(stop) = best.add(found, scan) {
        scan.note_stop(stop);
    }
    let best = Mutex::new(best);
    let lock = || best.lock().unwrap_or_else(PoisonError::into_inner);
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
    let rows = best.into_inner().unwrap_or_else(PoisonError::into_inner).rows;
    let mut places: Vec<u32> = (0..rows.len() as u32).collect();
    let sorted = scan.budget().sort_by(&mut places, |a, b| order.compare(&rows[*a as usize], &rows[*b as usize]));
    scan.or_nothing(sorted);
    places.truncate(cap.unwrap_or(usize::MAX));
    let mut rows: Vec<Option<Candidate>> = rows.into_iter().map(Some).collect();
    Ok(places.into_iter().filter_map(|place| rows[place as usize].take()).collect())
}

pub(crate) fn candidate_bytes(candidate: &Candidate) -> usize {
    CANDIDATE_BYTES + candidate.keys.iter().flatten().map(|value| 24 + value_bytes(value)).sum::<usize>()
}

/// The rows of a block that may be among the best.
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
        // Rows of a block stand in order of time and acceptance: the newest ones are the last.
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

impl Chosen {
    /// Rows that were found in `items`.
    pub(crate) fn of(items: Arc<[Item]>, rows: &[Candidate]) -> Self {
        Self { items, rows: rows.iter().map(|candidate| (candidate.item, candidate.row)).collect() }
    }

    /// Reads the fields `needed` of the rows, computing those that `lead` makes.
    pub(crate) fn read(
        self,
        scan: &Scan<'_>,
        lead: &[Operator],
        needed: &BTreeSet<Name>,
    ) -> Result<RowColumns, ExecuteError> {
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
                let column = evaluate(&Expr::Field(name.clone()), &mut frame, &scan.env)?;
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

fn column_of(values: Vec<Option<Value>>) -> Option<Arc<Column>> {
    values.iter().any(Option::is_some).then(|| Arc::new(Column::Mixed(values)))
}

/// Fields of rows that were read, one column each; none for a field that no row has.
#[derive(Clone, Debug)]
pub(crate) struct RowColumns {
    /// All rows but those of blocks that turned out to be damaged.
    read: RowSet,
    columns: Vec<Option<Arc<Column>>>,
}

impl RowColumns {
    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.read.n_rows()
    }

    /// Tells whether rows could not be read.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.read.is_all()
    }

    /// Bytes held, roughly.
    pub(crate) fn n_bytes(&self) -> usize {
        let bytes = |column: &Arc<Column>| match &**column {
            Column::Mixed(values) => values.iter().map(|value| 32 + value.as_ref().map_or(0, value_bytes)).sum(),
            other => 32 * other.n_rows(),
        };
        self.columns.iter().flatten().map(bytes).sum()
    }

    /// The rows at the places `rows`.
    pub(crate) fn gather(&self, rows: &RowSet) -> Self {
        if rows.is_all() {
            return self.clone();
        }
        let gathered = |column: &Option<Arc<Column>>| {
            let column = column.as_ref()?;
            column_of(rows.iter().map(|row| column.value(row)).collect())
        };
        let read = RowSet::of_places(
            rows.count(),
            (0..).zip(rows.iter()).filter(|(_, row)| self.read.contains(*row)).map(|(place, _)| place),
        );
        Self { read, columns: self.columns.iter().map(gathered).collect() }
    }

    /// Rows of two, in the order of `rows`: whether each is of `these`, and its place among its own.
    pub(crate) fn interleaved(rows: &[(bool, usize)], these: &Self, those: &Self) -> Self {
        let column = |(these, those): (&Option<Arc<Column>>, &Option<Arc<Column>>)| {
            let value = |(is_this, place): &(bool, usize)| {
                let column = if *is_this { these } else { those };
                column.as_ref().and_then(|column| column.value(*place))
            };
            column_of(rows.iter().map(value).collect())
        };
        let columns = these.columns.iter().zip(&those.columns).map(column).collect();
        Self { read: RowSet::all(rows.len()), columns }
    }

    /// The rows that could be read, as columns of the names `needed`.
    pub(crate) fn into_frame(self, needed: &BTreeSet<Name>) -> Frame<'static> {
        let named = needed.iter().zip(self.columns).filter_map(|(name, column)| Some((name.clone(), column?)));
        let mut frame = Frame::of_columns(self.read.n_rows(), named.collect());
        frame.retain(&self.read);
        frame
    }
}

/// Fields that sort keys speak of.
pub(crate) fn key_fields(keys: &[SortKey]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for key in keys {
        visit_fields(&key.expr, &mut |name| {
            names.insert(name.clone());
        });
    }
    names
}
