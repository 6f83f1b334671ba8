//! The elements of a long `in`, looked up instead of compared one by one.
//!
//! An element is found exactly where `=` would say that it equals the value: numbers by value, whatever their type
//! or spelling; times by instant, with numbers and texts that say one; levels by severity; all else by text.

use std::collections::{HashMap, HashSet};
use std::marker::PhantomData;

use types::{Level, Value};

use crate::columns::cell::{Cell, instant_of, severity};
use plan::{Expr, Number, Operator};

/// Fewer elements are compared one by one.
const ELEMENTS_MIN: usize = 9;

/// What equal values have in common, where none is a time.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A whole number, however it is stored.
    Whole(i128),
    /// The bits of another number.
    Decimal(u64),
    /// A text.
    Text(String),
    /// Only where values are compared as instants.
    Instant(i128),
}

impl Key {
    /// Returns the key of a value; none where it has none.
    pub fn of(cell: Cell<'_>) -> Option<Self> {
        Some(match cell.plain_number() {
            Some(Number::Integer(whole)) => Self::Whole(whole),
            Some(Number::Float(decimal)) if decimal.fract() == 0.0 && decimal.abs() < 1e38 => {
                Self::Whole(decimal as i128)
            }
            Some(Number::Float(decimal)) => Self::Decimal(decimal.to_bits()),
            None => Self::Text(cell.text()?.into_owned()),
        })
    }

    /// Returns bytes of its text.
    pub fn n_bytes(&self) -> usize {
        if let Self::Text(text) = self { text.len() } else { 0 }
    }
}

/// Elements made ready.
#[derive(Debug, Default)]
pub struct Elements {
    keys: HashSet<Key>,
    /// The elements, if all of them are texts that are neither numbers nor times: a text among them is found as it is.
    texts: Option<HashSet<Box<str>, foldhash::fast::RandomState>>,
    /// Keys of elements that name no severity.
    keys_without_level: HashSet<Key>,
    levels: HashSet<Level>,
    /// Instants that elements are or say, and whether a number was taken as seconds for it.
    instants: HashMap<i128, bool>,
    /// Instants that elements are.
    times: HashSet<i128>,
}

impl Elements {
    /// Prepares a list, where that pays and all elements are known.
    pub fn of(list: &[Expr]) -> Option<Self> {
        if list.len() < ELEMENTS_MIN {
            return None;
        }
        let mut elements = Self::default();
        for element in list {
            match element {
                Expr::Literal(Some(value)) => elements.add(value),
                Expr::Literal(None) => {}
                _ => return None,
            }
        }
        let texts = elements.keys.iter().map(|key| if let Key::Text(text) = key { Some(&**text) } else { None });
        elements.texts = texts.map(|text| text.map(Box::from)).collect();
        elements.texts.take_if(|_| !elements.times.is_empty());
        Some(elements)
    }

    fn add(&mut self, value: &Value) {
        let cell = Cell::of(Some(value));
        if let Some((instant, took_seconds)) = instant_of(cell) {
            self.instants.entry(instant).or_insert(took_seconds);
        }
        if let Cell::Time(nanos) = cell {
            self.times.insert(nanos.into());
            return;
        }
        match severity(cell) {
            Some(level) => {
                self.levels.insert(level);
            }
            None => self.keys_without_level.extend(Key::of(cell)),
        }
        self.keys.extend(Key::of(cell));
    }

    /// Reports whether one of the elements equals `cell`; sets `took_seconds` where a number was taken as such.
    pub fn contain(&self, cell: Cell<'_>, is_level: bool, took_seconds: &mut bool) -> bool {
        if let Cell::Time(nanos) = cell {
            let found = self.instants.get(&nanos.into());
            *took_seconds |= found == Some(&true);
            return found.is_some();
        }
        if !self.times.is_empty()
            && let Some((instant, is_seconds)) = instant_of(cell)
            && self.times.contains(&instant)
        {
            *took_seconds |= is_seconds;
            return true;
        }
        let keys = match is_level.then(|| severity(cell)).flatten() {
            Some(level) if self.levels.contains(&level) => return true,
            Some(_) => &self.keys_without_level,
            None => match (cell, &self.texts) {
                (Cell::Text(text), Some(texts)) => return texts.contains(text),
                _ => &self.keys,
            },
        };
        !keys.is_empty() && Key::of(cell).is_some_and(|key| keys.contains(&key))
    }
}

/// Elements of the lists of a plan, prepared once and not for each block. A list is known by where it lies, which
/// says enough as long as the plan is neither changed nor dropped: the plan is borrowed for that long.
#[derive(Debug, Default)]
pub struct PreparedElements<'p>(HashMap<usize, Elements>, PhantomData<&'p Expr>);

impl<'p> PreparedElements<'p> {
    /// Prepares the lists in conditions of `operators`.
    pub fn of(operators: &'p [Operator]) -> Self {
        let expr = |operator: &'p Operator| match operator {
            Operator::Filter(expr) | Operator::Extend { expr, .. } => Some(expr),
            _ => None,
        };
        Self::default().and(operators.iter().filter_map(expr))
    }

    /// Prepares the lists of other conditions too.
    pub fn and(mut self, conditions: impl IntoIterator<Item = &'p Expr>) -> Self {
        for condition in conditions {
            visit_lists(condition, &mut |list| {
                if let Some(elements) = Elements::of(list) {
                    self.0.insert(list.as_ptr() as usize, elements);
                }
            });
        }
        self
    }

    /// Returns the elements of a list of the plan.
    pub fn get(&self, list: &[Expr]) -> Option<&Elements> {
        self.0.get(&(list.as_ptr() as usize))
    }
}

fn visit_lists(expr: &Expr, visit: &mut dyn FnMut(&[Expr])) {
    match expr {
        Expr::In(_, list) => visit(list),
        other => other.parts().for_each(|part| visit_lists(part, visit)),
    }
}

#[cfg(test)]
mod tests;
