//! Rows into groups: which group each row belongs to, and the partial aggregates of each group.

mod codec;
mod repeats;

pub(crate) use self::codec::VERSION;

use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::sync::Arc;

use types::{Addresses, Column, EventId, MISSING_CODE, RowSet, Value};

use self::repeats::Repeats;
use super::address::text_of;
use super::aggregate::{self, Partial, Place, Rows, add_rows, canonical, depends_on_order, write_key};
use super::budget::Budget;
use super::cell::{Cell, compare_levels, strict_order};
use super::expression::{Environment, Stop, evaluate};
use super::frame::Frame;
use super::functions::value_bytes;
use plan::each::field_of_each;
use plan::fields::PLACE_FIELDS;
use plan::{Aggregate, AggregateKind, Expr, Name};

type Map<K> = HashMap<K, u32, foldhash::fast::RandomState>;

/// Bytes of one aggregate's state and its share of the tables, roughly.
const STATE_BYTES: usize = std::mem::size_of::<Partial>() + 16;

/// Whole numbers from 0 below this are numbered by a table.
const SMALL_END: i64 = 4096;

/// Bytes of one value of a column of values, where it is a text: with what stands around the text.
const VALUE_BYTES: usize = 48;

/// Groups between two looks at whether the query is over: merging one may be as much work as thousands of rows.
const GROUPS_BETWEEN_LOOKS: usize = 64;

/// The number of what was not seen yet.
const UNSEEN: u32 = u32::MAX;

/// Pairs that a table holds at most.
const TABLE_MAX: usize = 1 << 18;

/// In which order the rows of a frame come.
#[derive(Clone, Copy, PartialEq)]
enum RowOrder {
    /// By their places, among the rows of other frames.
    Place,
    /// As they lie in the frame.
    AsTheyLie,
}

/// The values of a group column in the rows of a frame.
enum Key {
    Column(Arc<Column>),
    Addresses(Addresses),
}

impl Key {
    fn of(expr: &Expr, frame: &mut Frame<'_>, env: &Environment) -> Result<Self, Stop> {
        if let Expr::Field(name) = expr
            && let Some(addresses) = frame.addresses(name)?
        {
            return Ok(Self::Addresses(addresses));
        }
        evaluate(expr, frame, env).map(Self::Column)
    }
}

/// The distinct values of one group column, numbered in the order in which they come.
#[derive(Clone, Default)]
struct Parts {
    values: Vec<Option<Value>>,
    texts: Map<Arc<str>>,
    integers: Map<i64>,
    /// Numbers of small whole numbers, once there are some.
    small: Vec<u32>,
    addresses: Map<u32>,
    times: Map<i64>,
    others: Map<Vec<u8>>,
    missing: Option<u32>,
    /// Numbers of the codes of the dictionary seen last: blocks of a run share one.
    dictionary: Option<(Arc<Vec<Value>>, Vec<u32>)>,
    bytes: usize,
}

impl Parts {
    fn number(&mut self, cell: Cell<'_>) -> u32 {
        let next = self.values.len() as u32;
        let number = match cell {
            Cell::Missing => *self.missing.get_or_insert(next),
            Cell::Text(text) => match self.texts.get(text) {
                Some(known) => *known,
                None => return self.add_text(text),
            },
            Cell::Integer(value) => *self.integers.entry(value).or_insert(next),
            Cell::Time(value) => *self.times.entry(value).or_insert(next),
            other => {
                let mut key = Vec::new();
                if let Some(Value::Integer(whole)) =
                    other.to_value().filter(|_| matches!(other, Cell::Float(_))).map(canonical)
                {
                    return self.number(Cell::Integer(whole));
                }
                write_key(other, &mut key);
                *self.others.entry(key).or_insert(next)
            }
        };
        if number == next {
            let value = cell.to_value().map(canonical);
            self.bytes += 80 + value.as_ref().map_or(0, |value| 2 * value_bytes(value));
            self.values.push(value);
        }
        number
    }

    fn add_text(&mut self, text: &str) -> u32 {
        let (number, text) = (self.values.len() as u32, Arc::<str>::from(text));
        self.bytes += 80 + 2 * text.len();
        self.texts.insert(text.clone(), number);
        self.values.push(Some(Value::String(text)));
        number
    }

    /// The number of each row's value.
    fn numbers(&mut self, key: &Key) -> Vec<u32> {
        let column = match key {
            Key::Addresses(addresses) => return self.numbers_of_addresses(addresses),
            Key::Column(column) => &**column,
        };
        match column {
            Column::Dictionary { codes, values } => return self.numbers_of_codes(codes, values),
            Column::Integers { values, present } => return self.numbers_of_integers(values, present.as_ref()),
            _ => {}
        }
        let mut last: Option<(i64, u32)> = None;
        (0..column.n_rows())
            .map(|row| match (Cell::at(column, row), last) {
                // Times and bins of times come in order.
                (Cell::Time(value), Some((known, number))) if known == value => number,
                (cell @ Cell::Time(value), _) => {
                    let number = self.number(cell);
                    last = Some((value, number));
                    number
                }
                (cell, _) => self.number(cell),
            })
            .collect()
    }

    fn numbers_of_integers(&mut self, values: &[i64], present: Option<&RowSet>) -> Vec<u32> {
        self.small.resize(SMALL_END as usize, UNSEEN);
        let mut numbers = Vec::with_capacity(values.len());
        for (row, value) in values.iter().enumerate() {
            if present.is_some_and(|present| !present.contains(row)) {
                numbers.push(self.number(Cell::Missing));
                continue;
            }
            let known = usize::try_from(*value).ok().and_then(|small| self.small.get(small).copied());
            let number = match known {
                Some(number) if number != UNSEEN => number,
                _ => self.number(Cell::Integer(*value)),
            };
            if known == Some(UNSEEN) {
                self.small[*value as usize] = number;
            }
            numbers.push(number);
        }
        numbers
    }

    fn numbers_of_addresses(&mut self, addresses: &Addresses) -> Vec<u32> {
        let present = addresses.present.as_ref();
        let mut numbers = Vec::with_capacity(addresses.values.len());
        for (row, address) in addresses.values.iter().enumerate() {
            if present.is_some_and(|present| !present.contains(row)) {
                numbers.push(self.number(Cell::Missing));
                continue;
            }
            numbers.push(match self.addresses.get(address) {
                Some(known) => *known,
                None => {
                    // Other blocks may keep the same addresses as texts.
                    let number = self.number(Cell::Text(&text_of(*address)));
                    self.addresses.insert(*address, number);
                    self.bytes += 16;
                    number
                }
            });
        }
        numbers
    }

    fn numbers_of_codes(&mut self, codes: &[u32], values: &Arc<Vec<Value>>) -> Vec<u32> {
        let known = self.dictionary.take().filter(|(known, _)| Arc::ptr_eq(known, values));
        // One place more than there are values, for rows without one.
        let mut table = known.map_or_else(|| vec![UNSEEN; values.len() + 1], |(_, table)| table);
        let mut numbers = Vec::with_capacity(codes.len());
        for code in codes {
            let place = (*code as usize).min(values.len());
            if table[place] == UNSEEN {
                table[place] = self.number(Cell::of(values.get(*code as usize).filter(|_| *code != MISSING_CODE)));
            }
            numbers.push(table[place]);
        }
        self.dictionary = Some((values.clone(), table));
        numbers
    }
}

/// Groups with their states.
#[derive(Clone)]
pub(crate) struct Groups<'p> {
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    parts: Vec<Parts>,
    /// From the second column on: the group so far and the column's value to the group with that value.
    pairs: Vec<Map<(u32, u32)>>,
    /// The same once more for the first pairs, as tables.
    tables: Vec<PairTable>,
    /// Per pair table, the pairs in the order of their numbers.
    pair_list: Vec<Vec<(u32, u32)>>,
    n_groups: usize,
    /// Per aggregate the first one that has the same state: itself, unless states are shared.
    owners: Vec<usize>,
    /// Per aggregate that owns its state, per group.
    states: Vec<Vec<Partial>>,
    state_bytes: usize,
}

/// Groups of pairs of a group so far and a column's value, by their places in a table of lines, one for each group.
#[derive(Clone, Default)]
struct PairTable {
    /// Values in a line, as an exponent of two.
    line_bits: u32,
    groups: Vec<u32>,
}

impl PairTable {
    /// Makes room for so many groups and values; `false` where the table would become too large.
    fn reserve(&mut self, n_groups: usize, n_values: usize) -> bool {
        let line_bits = n_values.next_power_of_two().trailing_zeros();
        if n_groups.checked_shl(line_bits.max(self.line_bits)).is_none_or(|n| n > TABLE_MAX) || n_values > TABLE_MAX {
            return false;
        }
        if line_bits > self.line_bits {
            self.line_bits = line_bits;
            self.groups.clear();
        }
        let n_places = n_groups << self.line_bits;
        if self.groups.len() < n_places {
            self.groups.resize(n_places, UNSEEN);
        }
        true
    }

    fn place(&mut self, (group, number): (u32, u32)) -> &mut u32 {
        &mut self.groups[((group as usize) << self.line_bits) + number as usize]
    }
}

impl<'p> Groups<'p> {
    /// No rows yet. Without group columns there is one group from the start.
    pub(crate) fn new(by: &'p [(Name, Expr)], aggregates: &'p [Aggregate]) -> Self {
        let n_pairs = by.len().saturating_sub(1);
        let mut groups = Self {
            by,
            aggregates,
            parts: by.iter().map(|_| Parts::default()).collect(),
            pairs: (0..n_pairs).map(|_| Map::default()).collect(),
            tables: (0..n_pairs).map(|_| PairTable::default()).collect(),
            pair_list: vec![Vec::new(); n_pairs],
            n_groups: 0,
            owners: owners(aggregates),
            states: vec![Vec::new(); aggregates.len()],
            state_bytes: 0,
        };
        groups.grow(usize::from(by.is_empty()));
        groups
    }

    /// Whether there is no group yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.n_groups == 0
    }

    /// How many groups there are.
    pub(crate) fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// No rows yet, of the same aggregation.
    pub(crate) fn fresh(&self) -> Self {
        Self::new(self.by, self.aggregates)
    }

    /// Bytes held, roughly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(|parts| parts.bytes).sum();
        let pairs: usize = self.pair_list.iter().map(|list| list.len() * 32).sum();
        let n_states = self.states.iter().map(Vec::len).sum::<usize>();
        parts + pairs + self.state_bytes + n_states * STATE_BYTES
    }

    fn grow(&mut self, n_groups: usize) {
        self.n_groups = self.n_groups.max(n_groups);
        for (index, aggregate) in self.aggregates.iter().enumerate().filter(|(index, _)| self.owners[*index] == *index)
        {
            self.states[index].resize_with(self.n_groups, || Partial::new(aggregate.kind));
        }
    }

    /// Adds the rows of a frame; `weights` say how many events each stands for.
    pub(crate) fn add(
        &mut self,
        frame: &mut Frame<'_>,
        env: &Environment,
        weights: Option<&[u64]>,
    ) -> Result<(), Stop> {
        self.add_by(frame, env, weights, RowOrder::Place)
    }

    /// Adds all rows of a table: what goes by the order of rows goes by theirs, even where they still are events.
    pub(crate) fn add_table(&mut self, frame: &mut Frame<'_>, env: &Environment) -> Result<(), Stop> {
        self.add_by(frame, env, None, RowOrder::AsTheyLie)
    }

    fn add_by(
        &mut self,
        frame: &mut Frame<'_>,
        env: &Environment,
        weights: Option<&[u64]>,
        order: RowOrder,
    ) -> Result<(), Stop> {
        // Everything is read before anything is added: a damaged block counts wholly or not at all.
        let keys: Vec<Key> = self.by.iter().map(|(_, expr)| Key::of(expr, frame, env)).collect::<Result<_, Stop>>()?;
        let (keys, repeats) = Repeats::of(self.by, keys, frame.n_rows(), env)?;
        let argument = |aggregate: &Aggregate, frame: &mut Frame<'_>| match &aggregate.argument {
            Some(expr) => evaluate(expr, frame, env).map(|column| Some(repeats.column(column))),
            None => Ok(None),
        };
        let mut arguments: Vec<Option<Arc<Column>>> = Vec::with_capacity(self.aggregates.len());
        let mut addresses: Vec<Option<Addresses>> = Vec::with_capacity(self.aggregates.len());
        for aggregate in self.aggregates {
            let found = match (&aggregate.argument, aggregate.kind) {
                (Some(Expr::Field(name)), AggregateKind::CountDistinct) if repeats.is_none() => {
                    frame.addresses(name)?
                }
                _ => None,
            };
            arguments.push(if found.is_some() { None } else { argument(aggregate, frame)? });
            addresses.push(found);
        }
        let kinds = || self.aggregates.iter().map(|aggregate| aggregate.kind);
        let places = if kinds().any(AggregateKind::needs_places) { Some(repeats.rows(places(frame)?)) } else { None };
        let lines: Option<Vec<Place>> =
            (order == RowOrder::AsTheyLie).then(|| repeats.rows((0..frame.n_rows()).map(Place::of_row).collect()));
        let by_time = |kind| matches!(kind, AggregateKind::Earliest | AggregateKind::Latest);
        let times = if kinds().any(by_time) { Some(repeats.column(frame.column("@timestamp")?)) } else { None };
        let weights = weights.map(|weights| repeats.rows(weights.to_vec()));
        let groups = self.groups_of(&keys, repeats.n_rows(frame.n_rows()));
        for (index, (aggregate, argument)) in self.aggregates.iter().zip(&arguments).enumerate() {
            if self.owners[index] != index {
                continue;
            }
            if let Some(addresses) = &addresses[index] {
                let states = &mut self.states[index];
                self.state_bytes += aggregate::add_distinct_addresses(states, &groups, addresses);
                continue;
            }
            let rows = Rows {
                groups: &groups,
                argument: argument.as_deref(),
                places: match &lines {
                    Some(lines) if depends_on_order(aggregate.kind) => Some(lines),
                    _ => places.as_deref(),
                },
                times: times.as_deref(),
                weights: weights.as_deref(),
            };
            let states = &mut self.states[index];
            self.state_bytes += match aggregate.argument.as_ref().and_then(field_of_each).and(argument.as_deref()) {
                Some(argument) => repeats::add_values(aggregate.kind, states, argument, &rows),
                None => add_rows(aggregate.kind, states, &rows),
            };
        }
        Ok(())
    }

    /// The group of each row; new groups get their states.
    fn groups_of(&mut self, keys: &[Key], n_rows: usize) -> Vec<u32> {
        let Some(first) = keys.first() else { return vec![0; n_rows] };
        let mut groups = self.parts[0].numbers(first);
        for (level, key) in keys.iter().enumerate().skip(1) {
            let numbers = self.parts[level].numbers(key);
            let n_before = groups.iter().copied().max().map_or(0, |most| most as usize + 1);
            if self.tables[level - 1].reserve(n_before, self.parts[level].values.len()) {
                for (group, number) in groups.iter_mut().zip(numbers) {
                    let pair = (*group, number);
                    let known = *self.tables[level - 1].place(pair);
                    *group = if known != UNSEEN { known } else { self.pair(level - 1, pair) };
                    if known == UNSEEN {
                        *self.tables[level - 1].place(pair) = *group;
                    }
                }
                continue;
            }
            let mut last: Option<((u32, u32), u32)> = None;
            for (group, number) in groups.iter_mut().zip(numbers) {
                let pair = (*group, number);
                *group = match last {
                    Some((known, group)) if known == pair => group,
                    _ => self.pair(level - 1, pair),
                };
                last = Some((pair, *group));
            }
        }
        self.grow_to_keys();
        groups
    }

    fn pair(&mut self, level: usize, pair: (u32, u32)) -> u32 {
        let list = &mut self.pair_list[level];
        *self.pairs[level].entry(pair).or_insert_with(|| {
            list.push(pair);
            list.len() as u32 - 1
        })
    }

    fn grow_to_keys(&mut self) {
        let n_groups = self.pair_list.last().map_or_else(|| self.parts.first().map_or(1, |p| p.values.len()), Vec::len);
        self.grow(n_groups);
    }

    /// The number of each group column's value in a group.
    fn parts_of(&self, group: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(self.by.len());
        let mut group = group as u32;
        for list in self.pair_list.iter().rev() {
            let (before, number) = list[group as usize];
            numbers.push(number);
            group = before;
        }
        if !self.by.is_empty() {
            numbers.push(group);
        }
        numbers.reverse();
        numbers
    }

    /// Adds the groups of another thread.
    pub(crate) fn merge(&mut self, other: Self, budget: &Budget<'_>) -> Result<(), Stop> {
        let mut translated: Vec<Vec<u32>> = Vec::with_capacity(self.by.len());
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            let numbers = budget.rows(theirs.values.len());
            translated.push(numbers.map(|at| mine.number(Cell::of(theirs.values[at].as_ref()))).collect());
            budget.check_or_cut()?;
        }
        let mut targets = Vec::with_capacity(other.n_groups);
        for group in budget.rows(other.n_groups) {
            let numbers = other.parts_of(group);
            let mut numbers = numbers.iter().zip(&translated).map(|(number, table)| table[*number as usize]);
            let first = numbers.next().unwrap_or(0);
            let numbers: Vec<u32> = numbers.collect();
            targets.push(numbers.into_iter().enumerate().fold(first, |group, (level, n)| self.pair(level, (group, n))));
        }
        budget.check_or_cut()?;
        self.grow_to_keys();
        for ((aggregate, mine), theirs) in self.aggregates.iter().zip(&mut self.states).zip(other.states) {
            for (at, (target, state)) in targets.iter().zip(theirs).enumerate() {
                if at % GROUPS_BETWEEN_LOOKS == 0 {
                    budget.check_or_cut()?;
                }
                self.state_bytes += mine[*target as usize].merge(aggregate.kind, state);
            }
        }
        Ok(())
    }

    /// The groups as rows: group columns, then aggregates; in the order of the group columns' values. What they held of
    /// the query's memory is given back, and what the rows hold is taken.
    pub(crate) fn finish(self, budget: &Budget<'_>) -> Result<Finished, Stop> {
        let n_bytes = self.memory_bytes();
        // Keys, ranks and order, and a value in each column.
        let n_columns = self.by.len() + self.aggregates.len();
        budget.hold(self.n_groups * (8 * self.by.len() + 12 + VALUE_BYTES * n_columns))?;
        let texts: usize = self.parts.iter().map(|parts| parts.bytes / 2).sum();
        budget.hold(texts)?;
        let n_groups = self.n_groups;
        let by = self.by.len();
        let finished = self.finished(budget)?;
        budget.release(n_bytes + n_groups * (8 * by + 12));
        Ok(finished)
    }

    fn finished(mut self, budget: &Budget<'_>) -> Result<Finished, Stop> {
        let mut keys: Vec<Vec<u32>> = vec![Vec::with_capacity(self.n_groups); self.by.len()];
        for group in budget.rows(self.n_groups) {
            keys.iter_mut().zip(self.parts_of(group)).for_each(|(keys, number)| keys.push(number));
        }
        budget.check_or_cut()?;
        let mut ranks: Vec<Vec<u32>> = Vec::with_capacity(self.by.len());
        for (parts, (_, expr)) in self.parts.iter().zip(self.by) {
            ranks.push(rank(parts, expr, budget)?);
        }
        let mut order: Vec<u32> = (0..self.n_groups as u32).collect();
        let place = |group: u32, column: usize| ranks[column][keys[column][group as usize] as usize];
        budget.sort_by(&mut order, |a, b| {
            let columns = (0..self.by.len()).map(|column| place(*a, column).cmp(&place(*b, column)));
            columns.fold(Ordering::Equal, Ordering::then)
        })?;
        let mut columns: Vec<(Name, Arc<Column>)> = Vec::new();
        for ((name, _), (parts, keys)) in self.by.iter().zip(self.parts.iter().zip(&keys)) {
            budget.check_or_cut()?;
            let value = |group: &u32| parts.values[keys[*group as usize] as usize].clone();
            columns.push((name.clone(), Arc::new(Column::of_values(order.iter().map(value).collect()))));
        }
        let mut approximate = Vec::new();
        for (index, aggregate) in self.aggregates.iter().enumerate() {
            budget.check_or_cut()?;
            let owner = self.owners[index];
            let is_asked_again = self.owners[index + 1..].contains(&owner);
            let states =
                if is_asked_again { self.states[owner].clone() } else { std::mem::take(&mut self.states[owner]) };
            if states.iter().any(Partial::is_approximate) {
                approximate.push(aggregate.name.clone());
            }
            let mut values: Vec<Option<Value>> = Vec::with_capacity(states.len());
            for (at, state) in states.into_iter().enumerate() {
                if at % GROUPS_BETWEEN_LOOKS == 0 {
                    budget.check_or_cut()?;
                }
                values.push(state.finish(aggregate.kind));
            }
            let values = order.iter().map(|group| values[*group as usize].take()).collect();
            columns.push((aggregate.name.clone(), Arc::new(Column::of_values(values))));
        }
        Ok(Finished { n_rows: order.len(), columns, approximate })
    }
}

/// The rows that groups became.
#[derive(Default)]
pub(crate) struct Finished {
    /// How many groups there are.
    pub(crate) n_rows: usize,
    /// Their columns.
    pub(crate) columns: Vec<(Name, Arc<Column>)>,
    /// Columns that hold estimates.
    pub(crate) approximate: Vec<Name>,
}

/// Per aggregate the first one whose state serves it too.
fn owners(aggregates: &[Aggregate]) -> Vec<usize> {
    let is_shared = |a: &Aggregate, b: &Aggregate| match (&a.argument, &b.argument) {
        (Some(Expr::Field(field)), Some(Expr::Field(other))) => {
            field == other && aggregate::share_state(a.kind, b.kind)
        }
        _ => false,
    };
    let owner = |index: usize| (0..index).find(|first| is_shared(&aggregates[*first], &aggregates[index]));
    (0..aggregates.len()).map(|index| owner(index).unwrap_or(index)).collect()
}

/// Where each distinct value of a group column stands in sort order.
fn rank(parts: &Parts, expr: &Expr, budget: &Budget<'_>) -> Result<Vec<u32>, Stop> {
    let is_level = plan::fields::is_field(expr, "@level");
    let mut order: Vec<u32> = (0..parts.values.len() as u32).collect();
    budget.sort_by(&mut order, |a, b| {
        let (a, b) = (&parts.values[*a as usize], &parts.values[*b as usize]);
        let (a, b) = (Cell::of(a.as_ref()), Cell::of(b.as_ref()));
        let by_level = if is_level { compare_levels(a, b).order } else { None };
        by_level.filter(|order| order.is_ne()).unwrap_or_else(|| strict_order(a, b))
    })?;
    let mut ranks = vec![0; order.len()];
    order.iter().enumerate().for_each(|(rank, number)| ranks[*number as usize] = rank as u32);
    Ok(ranks)
}

/// The places that rows in memory have kept of their events: they were read as [`PLACE_FIELDS`]. Rows of one event
/// count up.
fn kept_places(frame: &Frame<'_>) -> Result<Option<Vec<Place>>, Stop> {
    let [times, groups, sequences] = PLACE_FIELDS.map(|name| frame.peek(name));
    let (times, groups, sequences) = (times?, groups?, sequences?);
    let number = |column: &Column, row: usize| match Cell::at(column, row) {
        Cell::Integer(number) => Some(number),
        _ => None,
    };
    let mut places: Vec<Place> = Vec::with_capacity(frame.n_rows());
    let mut n_of_event: Map<(i64, i64, u64)> = Map::default();
    for row in 0..frame.n_rows() {
        let (Some(time), Some(group)) = (number(&times, row), number(&groups, row)) else { return Ok(None) };
        let sequence = number(&sequences, row).unwrap_or_default().cast_unsigned();
        let n_before = n_of_event.entry((time, group, sequence)).or_default();
        places.push(Place { time, group: group as u32, sequence, part: Reverse(*n_before) });
        *n_before = n_before.saturating_add(1);
    }
    Ok(Some(places))
}

/// The places of a frame's rows, whatever has been computed under the names of their own times and ids.
pub(crate) fn places(frame: &mut Frame<'_>) -> Result<Vec<Place>, Stop> {
    let Some(block) = frame.block() else {
        let kept = kept_places(frame)?;
        return Ok(kept.unwrap_or_else(|| (0..frame.n_rows()).map(Place::of_row).collect()));
    };
    let group = block.source.run.info().group_id;
    let (times, ids) = match frame.stored().is_some() {
        true => (frame.column("@timestamp")?, frame.column("@id")?),
        false => (Arc::new(block.read("@timestamp")?), Arc::new(block.read("@id")?)),
    };
    let place = |row: usize| {
        let time = Cell::at(&times, row).time().unwrap_or_default();
        let sequence = match Cell::at(&ids, row) {
            Cell::Text(id) => EventId::decode(id).map_or(0, |id| id.sequence),
            _ => 0,
        };
        Place { time, group, sequence, part: Reverse(0) }
    };
    Ok((0..frame.n_rows()).map(place).collect())
}

/// Tells whether the aggregates depend on the order in which rows come.
pub(crate) fn depend_on_order(aggregates: &[Aggregate]) -> bool {
    aggregates.iter().any(|aggregate| depends_on_order(aggregate.kind))
}
