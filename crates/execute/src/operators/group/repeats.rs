//! Rows that belong to several groups, and arguments that have several values in a row: those of lists.

use std::sync::Arc;

use plan::each::field_of_each;
use plan::{AggregateKind, Expr, Name};
use types::{Addresses, Column, RowSet, ensure};

use crate::operators::aggregate::{Partial, Rows, add_rows};
use crate::operators::group::key::Key;
use evaluate::columns::frame::permute;
use evaluate::expressions::each::Spread;
use evaluate::{Environment, Result};

/// Most rows that those of one frame become: each list multiplies those of the others.
const ROWS_MAX: usize = 1 << 24;

/// Which row of a frame each repeated row is; nothing where none is repeated.
pub(crate) struct Repeats(Option<Vec<u32>>);

impl Repeats {
    /// Repeats rows for the values of group columns that have several, each value once.
    pub(super) fn of(
        by: &[(Name, Expr)],
        mut keys: Vec<Key>,
        n_rows: usize,
        env: &Environment,
    ) -> Result<(Vec<Key>, Self)> {
        let mut repeats = Self(None);
        for index in 0..keys.len() {
            let crate::operators::group::key::Key::Column(column) = &keys[index] else { continue };
            if field_of_each(&by[index].1).is_none() {
                continue;
            }
            let Some(spread) = Spread::of(column, true) else { continue };
            ensure!(spread.owners.len() <= ROWS_MAX, evaluate::columns::stop::Stop::Memory);
            env.budget.permits(spread.owners.len().saturating_mul(24 * (1 + keys.len())))?;
            for (other, key) in keys.iter_mut().enumerate() {
                *key = match key {
                    crate::operators::group::key::Key::Column(_) if other == index => continue,
                    crate::operators::group::key::Key::Column(column) => {
                        crate::operators::group::key::Key::Column(Arc::new(permute(column, &spread.owners)))
                    }
                    crate::operators::group::key::Key::Addresses(addresses) => {
                        crate::operators::group::key::Key::Addresses(repeated(addresses, &spread.owners))
                    }
                };
            }
            keys[index] = crate::operators::group::key::Key::Column(Arc::new(spread.column));
            let before = repeats.0.unwrap_or_else(|| (0..n_rows as u32).collect());
            repeats = Self(Some(spread.owners.iter().map(|owner| before[*owner as usize]).collect()));
        }
        Ok((keys, repeats))
    }

    /// Reports whether every row stands for itself.
    pub(super) fn is_none(&self) -> bool {
        self.0.is_none()
    }

    /// Returns the number of rows that `n_rows` become.
    pub(super) fn n_rows(&self, n_rows: usize) -> usize {
        self.0.as_ref().map_or(n_rows, Vec::len)
    }

    /// Returns a column of the frame with its rows repeated.
    pub(super) fn column(&self, column: Arc<Column>) -> Arc<Column> {
        match &self.0 {
            Some(order) => Arc::new(permute(&column, order)),
            None => column,
        }
    }

    /// Returns something of each row repeated.
    pub(super) fn rows<T: Copy>(&self, rows: Vec<T>) -> Vec<T> {
        match &self.0 {
            Some(order) => order.iter().map(|row| rows[*row as usize]).collect(),
            None => rows,
        }
    }
}

fn repeated(addresses: &Addresses, order: &[u32]) -> Addresses {
    let row_of = |row: usize| order[row] as usize;
    Addresses {
        values: order.iter().map(|row| addresses.values[*row as usize]).collect(),
        present: addresses.present.as_ref().map(|set| RowSet::of(order.len(), |row| set.contains(row_of(row)))),
    }
}

/// Adds the values of lists to the states of one aggregate; answers how many bytes more they hold.
pub(super) fn add_values(kind: AggregateKind, states: &mut [Partial], argument: &Column, rows: &Rows<'_>) -> usize {
    let Some(spread) = Spread::of(argument, false) else { return add_rows(kind, states, rows) };
    let owners = &spread.owners;
    let groups: Vec<u32> = owners.iter().map(|row| rows.groups[*row as usize]).collect();
    let places = rows.places.map(|places| owners.iter().map(|row| places[*row as usize]).collect::<Vec<_>>());
    let times = rows.times.map(|times| permute(times, owners));
    let weights = rows.weights.map(|weights| owners.iter().map(|row| weights[*row as usize]).collect::<Vec<_>>());
    let rows = Rows {
        groups: &groups,
        argument: Some(&spread.column),
        places: places.as_deref(),
        times: times.as_ref(),
        weights: weights.as_deref(),
    };
    add_rows(kind, states, &rows)
}
