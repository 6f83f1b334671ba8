//! Rows of another table by the values of some of their columns: what `join` and `lookup` find.
//!
//! Values are equal as `=` says: numbers by value, whatever their type and spelling, times by instant, levels by
//! severity, all else by text. A missing value is equal to nothing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use plan::{Name, Rows};
use types::{Column, Hold, Value};

use crate::columns::cell::{Cell, instant_of, severity};
use crate::columns::stop::Result;
use crate::expressions::elements::Key;

/// Bytes of an entry next to its texts.
const ENTRY_BYTES: usize = 80;

/// How the values of a key are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// As numbers and texts.
    Plain,
    /// As instants, because on one side there are times.
    Instants,
    /// By severity.
    Levels,
}

/// Places of rows by key.
#[derive(Debug)]
pub struct Partners {
    forms: Vec<Form>,
    places: HashMap<Box<[Key]>, Vec<u32>, foldhash::fast::RandomState>,
    /// What it holds, roughly.
    pub n_bytes: usize,
}

impl Partners {
    fn of(rows: &Rows, columns: &[Option<usize>], forms: &[Form]) -> Self {
        let mut partners = Self { forms: forms.to_vec(), places: HashMap::default(), n_bytes: 0 };
        for (place, row) in rows.rows.iter().enumerate() {
            let cells = columns.iter().map(|column| Cell::of(column.and_then(|column| row.get(column)?.as_ref())));
            let Some(key) = partners.key(cells) else { continue };
            let texts: usize = key.iter().map(Key::n_bytes).sum();
            partners.n_bytes += ENTRY_BYTES + texts;
            partners.places.entry(key).or_default().push(place as u32);
        }
        partners
    }

    /// Places of the rows whose keys are equal to `cells`, in order.
    pub fn of_cells<'c>(&self, cells: impl Iterator<Item = Cell<'c>>) -> &[u32] {
        self.key(cells).and_then(|key| self.places.get(&key)).map_or(&[], |places| places)
    }

    fn key<'c>(&self, cells: impl Iterator<Item = Cell<'c>>) -> Option<Box<[Key]>> {
        let key = |(cell, form): (Cell<'c>, &Form)| match form {
            Form::Instants if cell.is_present() => match instant_of(cell) {
                Some((instant, _)) => Some(Key::Instant(instant)),
                None => Key::of(cell),
            },
            Form::Levels => match severity(cell) {
                Some(level) => Some(Key::Text(level.name().to_owned())),
                None => Key::of(cell),
            },
            _ => Key::of(cell),
        };
        cells.zip(&self.forms).map(key).collect()
    }
}

/// Indexes of the tables of a plan, made when they are first asked for. A table is known by where it lies, which says
/// enough as long as the plan is neither changed nor dropped.
#[derive(Clone, Debug, Default)]
pub struct PartnersOfPlan(Arc<Mutex<HashMap<IndexKey, Arc<Partners>>>>);

/// Where a table lies, its columns that are the key, and how they are compared.
type IndexKey = (usize, Vec<Name>, Vec<Form>);

impl PartnersOfPlan {
    /// Returns the index of `rows` by `columns`, for what is to be compared with them: these columns of other rows.
    pub fn of(
        &self,
        rows: &Arc<Rows>,
        columns: &[Name],
        others: &[(Arc<Column>, bool)],
        hold: &dyn Fn(usize) -> Result<()>,
    ) -> Result<Arc<Partners>> {
        let places: Vec<Option<usize>> =
            columns.iter().map(|name| rows.columns.iter().position(|known| known == name)).collect();
        let form = |(place, (other, is_level)): (&Option<usize>, &(Arc<Column>, bool))| {
            if *is_level {
                Form::Levels
            } else if has_times(other) || place.is_some_and(|place| rows.has_times(place)) {
                Form::Instants
            } else {
                Form::Plain
            }
        };
        let forms: Vec<Form> = places.iter().zip(others).map(form).collect();
        let key = (Arc::as_ptr(rows) as usize, columns.to_vec(), forms);
        let mut known = self.0.hold();
        if let Some(partners) = known.get(&key) {
            return Ok(partners.clone());
        }
        let partners = Arc::new(Partners::of(rows, &places, &key.2));
        hold(partners.n_bytes)?;
        known.insert(key, partners.clone());
        Ok(partners)
    }
}

fn has_times(column: &Column) -> bool {
    match column {
        Column::Timestamps(_) => true,
        Column::Dictionary { values, .. } => values.iter().any(|value| matches!(value, Value::Timestamp(_))),
        Column::Mixed(values) => values.iter().any(|value| matches!(value, Some(Value::Timestamp(_)))),
        _ => false,
    }
}
