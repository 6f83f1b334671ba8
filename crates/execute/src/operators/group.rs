//! Rows into groups: which group each row belongs to, and the partial aggregates of each group.

mod codec;
mod counts;
pub(crate) mod key;
mod pair_table;
pub(crate) mod repeats;
pub(crate) mod spilled;
mod values;

use std::cmp::Ordering;
use std::sync::Arc;

use plan::each::field_of_each;
use plan::{Aggregate, AggregateKind, Expr, Name};
use types::{Addresses, Column, Value};

use self::pair_table::PairTable;
use self::repeats::Repeats;
use self::values::{GroupValues, UNSEEN, rank};
use crate::operators::aggregate;
use crate::operators::aggregate::{Partial, Rows, add_rows};
use crate::operators::group::key::Key;
use evaluate::columns::place::Map;
use evaluate::{Budget, Environment, Frame, Place, Result, kept_places, places};

/// Bytes of one aggregate's state and its share of the tables, roughly.
const STATE_BYTES: usize = std::mem::size_of::<Partial>() + 16;

/// Bytes of one value of a column of values, where it is a text: with what is around the text.
const VALUE_BYTES: usize = 48;

/// Groups between two looks at whether the query is over: merging one may be as much work as thousands of rows.
const GROUPS_BETWEEN_LOOKS: usize = 64;

/// In which order the rows of a frame come.
#[derive(Clone, Copy, PartialEq)]
enum RowOrder {
    /// By their places, among the rows of other frames.
    Place,
    /// As they lie in the frame, after so many rows of the same table.
    AsTheyLie(usize),
}

impl RowOrder {
    /// Returns the places of a frame's rows, and what aggregates that go by the order of rows take instead.
    fn places(self, frame: &mut Frame<'_>) -> Result<(Vec<Place>, Option<Vec<Place>>)> {
        let Self::AsTheyLie(n_before) = self else { return Ok((places(frame)?, None)) };
        let lines: Vec<Place> = (n_before..n_before + frame.n_rows()).map(Place::of_row).collect();
        // Rows of other parts of the table have places too, where these have none of their own.
        let places =
            if frame.block().is_none() && kept_places(frame)?.is_none() { lines.clone() } else { places(frame)? };
        Ok((places, Some(lines)))
    }
}

/// Groups with their states.
#[derive(Clone)]
pub(crate) struct Groups<'p> {
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    parts: Vec<GroupValues>,
    /// From the second column on: the group so far and the column's value to the group with that value.
    pairs: Vec<Map<(u32, u32)>>,
    /// The same once more for the first pairs, as tables.
    tables: Vec<PairTable>,
    /// Per pair table, the pairs in the order of their numbers.
    pair_list: Vec<Vec<(u32, u32)>>,
    /// How many groups there are.
    pub(crate) n_groups: usize,
    /// Per aggregate the first one that has the same state: itself, unless states are shared.
    owners: Vec<usize>,
    /// Per aggregate that owns its state, per group.
    states: Vec<Vec<Partial>>,
    state_bytes: usize,
}

impl<'p> Groups<'p> {
    /// No rows yet. Without group columns there is one group from the start.
    pub(crate) fn new(by: &'p [(Name, Expr)], aggregates: &'p [Aggregate]) -> Self {
        let n_pairs = by.len().saturating_sub(1);
        let mut groups = Self {
            by,
            aggregates,
            parts: by.iter().map(|_| GroupValues::default()).collect(),
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

    /// Reports whether there is no group yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.n_groups == 0
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
    pub(crate) fn add(&mut self, frame: &mut Frame<'_>, env: &Environment, weights: Option<&[u64]>) -> Result<()> {
        self.add_by(frame, env, weights, RowOrder::Place)
    }

    /// Adds all rows of a table: what goes by the order of rows goes by theirs, even where they still are events.
    pub(crate) fn add_table(&mut self, frame: &mut Frame<'_>, env: &Environment) -> Result<()> {
        self.add_part(frame, env, 0)
    }

    /// Adds rows of a table of which `n_before` rows were added.
    pub(crate) fn add_part(&mut self, frame: &mut Frame<'_>, env: &Environment, n_before: usize) -> Result<()> {
        self.add_by(frame, env, None, RowOrder::AsTheyLie(n_before))
    }

    fn add_by(
        &mut self,
        frame: &mut Frame<'_>,
        env: &Environment,
        weights: Option<&[u64]>,
        order: RowOrder,
    ) -> Result<()> {
        // Everything is read before anything is added: a damaged block counts wholly or not at all.
        let keys: Vec<Key> = self.by.iter().map(|(_, expr)| Key::of(expr, frame, env)).collect::<Result<_>>()?;
        let (keys, repeats) = Repeats::of(self.by, keys, frame.n_rows(), env)?;
        if weights.is_none() && repeats.is_none() && self.count_by_codes(&keys) {
            return Ok(());
        }
        let argument = |aggregate: &Aggregate, frame: &mut Frame<'_>| match &aggregate.argument {
            Some(expr) => env.evaluate(expr, frame).map(|column| Some(repeats.column(column))),
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
        let (places, lines) = if kinds().any(AggregateKind::needs_places) {
            let (places, lines) = order.places(frame)?;
            (Some(repeats.rows(places)), lines.map(|lines| repeats.rows(lines)))
        } else {
            (None, None)
        };
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
                    Some(lines) if aggregate.kind.depends_on_order() => Some(lines),
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

    /// Returns the group of each row; new groups get their states.
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

    /// Returns the number of each group column's value in a group.
    fn parts_of(&self, group: usize) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(self.by.len());
        self.put_parts_of(group, &mut numbers);
        numbers
    }

    /// Puts these numbers into `numbers`.
    fn put_parts_of(&self, group: usize, numbers: &mut Vec<u32>) {
        numbers.clear();
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
    }

    /// Adds the groups of another thread.
    pub(crate) fn merge(&mut self, other: Self, budget: &Budget<'_>) -> Result<()> {
        let mut translated: Vec<Vec<u32>> = Vec::with_capacity(self.by.len());
        for (mine, theirs) in self.parts.iter_mut().zip(&other.parts) {
            let numbers = budget.rows(theirs.values.len());
            translated.push(numbers.map(|at| mine.number_of_value(&theirs.values[at])).collect());
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

    /// Returns the groups as rows: group columns, then aggregates; in the order of the group columns' values. What they
    /// held of the query's memory is given back, and what the rows hold is taken. Where `shown` lists groups, there are
    /// no others.
    pub(crate) fn finish(self, shown: Option<Vec<u32>>, budget: &Budget<'_>) -> Result<GroupRows> {
        let n_bytes = self.memory_bytes();
        let shown = shown.unwrap_or_else(|| (0..self.n_groups as u32).collect());
        // Keys, ranks and order, and a value in each column.
        let n_columns = self.by.len() + self.aggregates.len();
        let n_bytes_of_order = shown.len() * (8 * self.by.len() + 12);
        budget.hold(n_bytes_of_order + shown.len() * VALUE_BYTES * n_columns)?;
        let texts: usize = self.parts.iter().map(|parts| parts.bytes / 2).sum();
        budget.hold(if shown.len() == self.n_groups { texts } else { 0 })?;
        let finished = self.finished(&shown, budget)?;
        budget.release(n_bytes + n_bytes_of_order);
        Ok(finished)
    }

    /// Returns an aggregate's count of each group.
    pub(crate) fn counts_of(&self, aggregate: usize) -> Vec<u64> {
        let count = |state: &Partial| if let Partial::Count(count) = state { *count } else { 0 };
        self.states[self.owners[aggregate]].iter().map(count).collect()
    }

    /// Returns the values that some aggregates have so far, group by group.
    pub(crate) fn aggregate_columns(
        &self,
        aggregates: &[usize],
        budget: &Budget<'_>,
    ) -> Result<Vec<(Name, Arc<Column>)>> {
        let column = |index: &usize| {
            let aggregate = &self.aggregates[*index];
            let states = &self.states[self.owners[*index]];
            let value = |at: usize| states[at].clone().finish(aggregate.kind);
            let values = budget.rows(states.len()).map(value).collect();
            budget.check_or_cut()?;
            Ok((aggregate.name.clone(), Arc::new(Column::of_values(values))))
        };
        aggregates.iter().map(column).collect()
    }

    fn finished(mut self, shown: &[u32], budget: &Budget<'_>) -> Result<GroupRows> {
        let mut keys: Vec<Vec<u32>> = vec![Vec::with_capacity(shown.len()); self.by.len()];
        for at in budget.rows(shown.len()) {
            let numbers = self.parts_of(shown[at] as usize);
            keys.iter_mut().zip(numbers).for_each(|(keys, number)| keys.push(number));
        }
        budget.check_or_cut()?;
        let mut ranks: Vec<Vec<u32>> = Vec::with_capacity(self.by.len());
        for ((parts, keys), (_, expr)) in self.parts.iter().zip(&keys).zip(self.by) {
            ranks.push(rank(parts, keys.iter().copied(), expr, budget)?);
        }
        let mut order: Vec<u32> = (0..shown.len() as u32).collect();
        let place = |at: u32, column: usize| ranks[column][keys[column][at as usize] as usize];
        budget.sort_by(&mut order, |a, b| {
            let columns = (0..self.by.len()).map(|column| place(*a, column).cmp(&place(*b, column)));
            columns.fold(Ordering::Equal, Ordering::then)
        })?;
        let mut columns: Vec<(Name, Arc<Column>)> = Vec::new();
        for ((name, _), (parts, keys)) in self.by.iter().zip(self.parts.iter().zip(&keys)) {
            budget.check_or_cut()?;
            let value = |at: &u32| parts.values[keys[*at as usize] as usize].value();
            columns.push((name.clone(), Arc::new(Column::of_values(order.iter().map(value).collect()))));
        }
        let mut approximate = Vec::new();
        for (index, aggregate) in self.aggregates.iter().enumerate() {
            budget.check_or_cut()?;
            let owner = self.owners[index];
            let is_asked_again = self.owners[index + 1..].contains(&owner);
            let mut is_approximate = false;
            let mut values: Vec<Option<Value>> = Vec::with_capacity(shown.len());
            for (at, group) in order.iter().map(|at| shown[*at as usize] as usize).enumerate() {
                if at % GROUPS_BETWEEN_LOOKS == 0 {
                    budget.check_or_cut()?;
                }
                let state = &mut self.states[owner][group];
                is_approximate |= state.is_approximate();
                let empty = || Partial::new(aggregate.kind);
                let state = if is_asked_again { state.clone() } else { std::mem::replace(state, empty()) };
                values.push(state.finish(aggregate.kind));
            }
            if is_approximate {
                approximate.push(aggregate.name.clone());
            }
            columns.push((aggregate.name.clone(), Arc::new(Column::of_values(values))));
        }
        Ok(GroupRows { n_rows: order.len(), columns, approximate })
    }
}

/// The rows that groups became.
#[derive(Default)]
pub(crate) struct GroupRows {
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
