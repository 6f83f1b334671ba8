//! The distinct values of a group column.

use std::sync::Arc;

use plan::Expr;
use types::{Addresses, Column, MISSING_CODE, RowSet, Value};

use super::key::Key;
use evaluate::columns::place::Map;
use evaluate::expressions::address::{number_of, text_of};
use evaluate::{Budget, Cell, Result, canonical, put_group_key, value_bytes, write_key};

/// The number of what was not seen yet.
pub(super) const UNSEEN: u32 = u32::MAX;

/// Whole numbers from 0 below this are numbered by a table.
const SMALL_END: i64 = 4096;

/// A value as it is kept until it is shown.
#[derive(Clone)]
pub(super) enum GroupValue {
    /// None.
    Missing,
    /// The text of an address: most of them are never shown.
    Address(u32),
    /// Any other.
    Other(Value),
}

impl GroupValue {
    /// Returns the value itself.
    pub(super) fn value(&self) -> Option<Value> {
        match self {
            Self::Missing => None,
            Self::Address(address) => Some(Value::text(text_of(*address))),
            Self::Other(value) => Some(value.clone()),
        }
    }
}

/// The distinct values of one group column, numbered in the order in which they come.
#[derive(Clone, Default)]
pub(super) struct GroupValues {
    pub(super) values: Vec<GroupValue>,
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
    pub(super) bytes: usize,
}

impl GroupValues {
    pub(super) fn number(&mut self, cell: Cell<'_>) -> u32 {
        let next = self.values.len() as u32;
        let number = match cell {
            Cell::Missing => *self.missing.get_or_insert(next),
            Cell::Text(text) => return self.number_of_text(text),
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
            self.values.push(value.map_or(GroupValue::Missing, GroupValue::Other));
        }
        number
    }

    /// Returns the number of a value of another column.
    pub(super) fn number_of_value(&mut self, value: &GroupValue) -> u32 {
        match value {
            GroupValue::Missing => self.number(Cell::Missing),
            GroupValue::Address(address) => self.number_of_address(*address),
            GroupValue::Other(Value::String(text)) => match self.texts.get(text) {
                Some(known) => *known,
                None => self.add_text(text.clone()),
            },
            GroupValue::Other(value) => self.number(Cell::of(Some(value))),
        }
    }

    fn number_of_address(&mut self, address: u32) -> u32 {
        let next = self.values.len() as u32;
        let number = *self.addresses.entry(address).or_insert(next);
        if number == next {
            self.bytes += 32;
            self.values.push(GroupValue::Address(address));
        }
        number
    }

    fn number_of_text(&mut self, text: &str) -> u32 {
        if let Some(known) = self.texts.get(text) {
            return *known;
        }
        match number_of(text.as_bytes()) {
            // Other blocks may keep the same addresses as numbers.
            Some(address) => self.number_of_address(address),
            None => self.add_text(text.into()),
        }
    }

    fn add_text(&mut self, text: Arc<str>) -> u32 {
        let number = self.values.len() as u32;
        self.bytes += 80 + 2 * text.len();
        self.texts.insert(text.clone(), number);
        self.values.push(GroupValue::Other(Value::String(text)));
        number
    }

    /// Returns the number of each row's value.
    pub(super) fn numbers(&mut self, key: &Key) -> Vec<u32> {
        let column = match key {
            Key::Addresses(addresses) => return self.numbers_of_addresses(addresses),
            Key::Column(column) => &**column,
        };
        match column {
            Column::Dictionary { codes, values } => return self.numbers_of_codes(codes, values),
            Column::Integers { values, present } => return self.numbers_of_integers(values, present.as_ref()),
            Column::Timestamps(values) => return self.numbers_of_times(values),
            Column::Strings { values, present: None } => {
                return values.iter().map(|text| self.number_of_text(text)).collect();
            }
            _ => {}
        }
        (0..column.n_rows()).map(|row| self.number(Cell::at(column, row))).collect()
    }

    /// Times, and bins of times, come in order.
    fn numbers_of_times(&mut self, values: &[i64]) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(values.len());
        for run in values.chunk_by(|a, b| a == b) {
            let number = self.number_of_time(run[0]);
            numbers.resize(numbers.len() + run.len(), number);
        }
        numbers
    }

    pub(super) fn number_of_time(&mut self, time: i64) -> u32 {
        self.number(Cell::Time(time))
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
            numbers.push(self.number_of_address(*address));
        }
        numbers
    }

    pub(super) fn numbers_of_codes(&mut self, codes: &[u32], values: &Arc<Vec<Value>>) -> Vec<u32> {
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

/// Returns where each of the values `used` of a group column is in sort order; of the others, nothing is said.
pub(super) fn rank(
    parts: &GroupValues,
    used: impl Iterator<Item = u32>,
    expr: &Expr,
    budget: &Budget<'_>,
) -> Result<Vec<u32>> {
    let mut is_used = vec![false; parts.values.len()];
    used.for_each(|number| is_used[number as usize] = true);
    let mut order: Vec<u32> = (0..parts.values.len() as u32).filter(|number| is_used[*number as usize]).collect();
    let mut ranks = vec![0; parts.values.len()];
    // Read once, not in each comparison: a text may be a number, and an address becomes a text.
    let (mut keys, mut ends) = (Vec::new(), vec![0; parts.values.len() + 1]);
    for (number, value) in parts.values.iter().enumerate() {
        if is_used[number] {
            put_group_key(expr, Cell::of(value.value().as_ref()), &mut keys);
        }
        ends[number + 1] = keys.len();
    }
    let key = |number: u32| &keys[ends[number as usize]..ends[number as usize + 1]];
    budget.holding(keys.len() + 8 * ends.len(), || budget.sort_by(&mut order, |a, b| key(*a).cmp(key(*b))))?;
    order.iter().enumerate().for_each(|(rank, number)| ranks[*number as usize] = rank as u32);
    Ok(ranks)
}
