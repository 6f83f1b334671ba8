//! The order of event rows.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use plan::fields::is_field;
use plan::{Name, SortKey, visit_fields};
use types::{Column, Value};

use crate::request::candidate::Candidate;
use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Place, Result, severity, sort_order};

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
    /// Returns the order of a sort over events.
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

    /// Returns the keys of an order that has some.
    pub(crate) fn keys(&self) -> &'p [SortKey] {
        match self {
            Self::Keys(keys) => keys,
            _ => &[],
        }
    }

    /// Reports whether rows come in ascending order of time.
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

pub(crate) fn compare_cells<'c>(keys: &[SortKey], pairs: impl Iterator<Item = (Cell<'c>, Cell<'c>)>) -> Ordering {
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

/// Returns the columns of sort keys; levels become their severity.
pub(crate) fn key_columns(keys: &[SortKey], frame: &mut Frame<'_>, scan: &Scan<'_>) -> Result<Vec<Arc<Column>>> {
    let column = |key: &SortKey| {
        let column = scan.env.evaluate(&key.expr, frame)?;
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

/// Returns fields that sort keys speak of.
pub(crate) fn key_fields(keys: &[SortKey]) -> BTreeSet<Name> {
    let mut names = BTreeSet::new();
    for key in keys {
        visit_fields(&key.expr, &mut |name| {
            names.insert(name.clone());
        });
    }
    names
}
