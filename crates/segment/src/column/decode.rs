//! Decodes the column of a field, or rows of it.

use std::sync::Arc;

use types::{Addresses, Column, MISSING_CODE, RowSet, Strings, Value, ensure};

use super::dictionary::{skip_values, take_chosen_values, take_dictionary, take_flags, take_values};
use crate::bytes::{Cursor, Damage, Decoded};
use crate::strings::{ChosenCodes, take_addresses, take_chosen_texts, take_texts};

/// Rows per distinct value from which on a block's dictionary is read as one.
const ROWS_PER_VALUE_MIN: usize = 2;

/// Of how many values one has to be wanted, so that taking those wanted one by one costs less than taking all.
const ROWS_PER_VALUE_TAKEN: usize = 8;

/// Which of the values stored are wanted, and the rows that they go to.
struct RowSelection {
    /// How many values are stored.
    n_stored: usize,
    /// Which of them are wanted; `None` if all are.
    chosen: Option<RowSet>,
    /// Of the rows wanted, those that have a value.
    present: RowSet,
}

impl RowSelection {
    fn new(present: &RowSet, rows: &RowSet) -> Self {
        let chosen = present.places_of(rows);
        Self {
            n_stored: present.count(),
            chosen: (!chosen.is_all()).then_some(chosen),
            present: rows.places_of(present),
        }
    }

    fn some_present(&self) -> Option<RowSet> {
        (!self.present.is_all()).then(|| self.present.clone())
    }

    /// Reads the integers wanted.
    fn integers(&self, cursor: &mut Cursor<'_>) -> Decoded<Vec<i64>> {
        match self.few() {
            Some(chosen) => cursor.integers_at(self.n_stored, chosen),
            None => Ok(self.of_stored(cursor.integers(self.n_stored)?)),
        }
    }

    /// Reads the codes wanted, which are below `n_values`.
    fn codes(&self, cursor: &mut Cursor<'_>, n_values: usize) -> Decoded<Vec<u32>> {
        match self.few() {
            Some(chosen) => {
                let codes = cursor.integers_at(self.n_stored, chosen)?.into_iter();
                let checked = |code| usize::try_from(code).ok().filter(|code| *code < n_values);
                codes
                    .map(|code| checked(code).map(|code| code as u32).ok_or(Damage("a code is out of range")))
                    .collect()
            }
            None => Ok(self.of_stored(checked_codes(cursor.codes(self.n_stored)?, n_values)?)),
        }
    }

    /// Reads the texts wanted, at their rows.
    fn texts(&self, cursor: &mut Cursor<'_>) -> Decoded<Strings> {
        match self.few() {
            Some(chosen) => spread_texts(take_chosen_texts(cursor, self.n_stored, chosen)?, &self.present),
            None => self.spread_texts(take_texts(cursor, self.n_stored)?),
        }
    }

    /// Reads the values wanted.
    fn values(&self, cursor: &mut Cursor<'_>) -> Decoded<Vec<Option<Value>>> {
        if let Some(chosen) = self.few() {
            return take_chosen_values(cursor, self.n_stored, chosen);
        }
        let stored = take_values(cursor, self.n_stored)?;
        Ok(match &self.chosen {
            None => stored,
            Some(chosen) => chosen.iter().map(|place| stored[place].clone()).collect(),
        })
    }

    /// Returns the values wanted if taking them one by one costs less than taking all.
    fn few(&self) -> Option<&RowSet> {
        self.chosen.as_ref().filter(|_| self.present.count() * ROWS_PER_VALUE_TAKEN < self.n_stored)
    }

    /// Returns the values wanted of all.
    fn of_stored<T: Copy>(&self, stored: Vec<T>) -> Vec<T> {
        match &self.chosen {
            None => stored,
            Some(chosen) => chosen.iter().map(|place| stored[place]).collect(),
        }
    }

    /// Puts the values wanted at their rows.
    fn spread<T: Copy>(&self, values: Vec<T>, missing: T) -> Vec<T> {
        spread(values, &self.present, missing)
    }

    /// Returns the rows wanted whose stored value is in `stored`.
    fn spread_rows(&self, stored: RowSet) -> RowSet {
        let chosen = match &self.chosen {
            None => stored,
            Some(chosen) => chosen.places_of(&stored),
        };
        self.present.select(&chosen)
    }

    fn spread_texts(&self, stored: Strings) -> Decoded<Strings> {
        match &self.chosen {
            None => spread_texts(stored, &self.present),
            Some(chosen) => spread_texts(stored.gather(chosen.iter()), &self.present),
        }
    }
}

/// Reads the rows `rows` of a column in which the rows in `present`, a set over the same block, have values.
pub(crate) fn decode(
    bytes: &[u8],
    present: &RowSet,
    rows: &RowSet,
    dictionary: Option<&Arc<Vec<Value>>>,
) -> Decoded<Column> {
    let wanted = RowSelection::new(present, rows);
    let (n_rows, n) = (wanted.present.n_rows(), wanted.n_stored);
    if wanted.present.is_empty() || bytes.is_empty() {
        return Ok(Column::Missing { n_rows });
    }
    let mut cursor = Cursor::new(bytes);
    let column = match cursor.byte()? {
        0 => {
            let values = dictionary.ok_or(Damage("a dictionary is missing"))?.clone();
            let codes = wanted.codes(&mut cursor, values.len())?;
            Column::Dictionary { codes: wanted.spread(codes, MISSING_CODE), values }
        }
        1 => {
            let n_values = cursor.varint()? as usize;
            ensure!(n_values <= n, Damage("a dictionary is too large"));
            decode_block_dictionary(&mut cursor, n_values, &wanted)?
        }
        2 => {
            Column::Integers { values: wanted.spread(wanted.integers(&mut cursor)?, 0), present: wanted.some_present() }
        }
        tag @ (3 | 4) => {
            let values = take_floats(&mut cursor, &wanted, tag)?;
            let flags = take_flags(&mut cursor, n)?;
            let integers = flags.map(|flags| wanted.spread_rows(flags));
            Column::Floats { values: wanted.spread(values, 0.0), present: wanted.some_present(), integers }
        }
        5 => Column::Strings { values: wanted.texts(&mut cursor)?, present: wanted.some_present() },
        6 => {
            let mut rows = vec![None; n_rows];
            let values = wanted.values(&mut cursor)?;
            wanted.present.iter().zip(values).for_each(|(row, value)| rows[row] = value);
            Column::Mixed(rows)
        }
        _ => return Err(Damage("unknown kind of column")),
    };
    if cursor.is_at_end() { Ok(column) } else { Err(Damage("bytes are left over")) }
}

/// Decodes values as addresses; `None` if they are stored as something else.
pub(crate) fn decode_addresses(bytes: &[u8], present: &RowSet, rows: &RowSet) -> Decoded<Option<Addresses>> {
    let wanted = RowSelection::new(present, rows);
    let mut cursor = Cursor::new(bytes);
    let values = match cursor.byte()? {
        1 => {
            let n_values = cursor.varint()? as usize;
            ensure!(n_values <= wanted.n_stored, Damage("a dictionary is too large"));
            if cursor.byte()? != 0 {
                return Ok(None);
            }
            let Some(distinct) = take_addresses(&mut cursor, n_values)? else { return Ok(None) };
            let codes = checked_codes(cursor.codes(wanted.n_stored)?, distinct.len())?;
            codes.into_iter().map(|code| distinct[code as usize]).collect()
        }
        5 => {
            let Some(values) = take_addresses(&mut cursor, wanted.n_stored)? else { return Ok(None) };
            values
        }
        _ => return Ok(None),
    };
    ensure!(cursor.is_at_end(), Damage("bytes are left over"));
    Ok(Some(Addresses { values: wanted.spread(wanted.of_stored(values), 0), present: wanted.some_present() }))
}

/// Reads a dictionary of the block and the codes into it.
///
/// Where values hardly repeat, one allocation for all texts costs less than one for each value.
fn decode_block_dictionary(cursor: &mut Cursor<'_>, n_values: usize, wanted: &RowSelection) -> Decoded<Column> {
    if let Some(chosen) = wanted.few() {
        let mut values = cursor.clone();
        skip_values(cursor, n_values)?;
        let (used, codes) = ChosenCodes::take(cursor, wanted.n_stored, chosen, n_values)?.into_parts();
        let used = take_chosen_values(&mut values, n_values, &used)?.into_iter();
        let values = used.map(|value| value.ok_or(Damage("a dictionary has a gap"))).collect::<Decoded<Vec<_>>>()?;
        return Ok(Column::Dictionary { codes: wanted.spread(codes, MISSING_CODE), values: Arc::new(values) });
    }
    let is_texts = cursor.clone().byte()? == 0;
    if !is_texts || n_values * ROWS_PER_VALUE_MIN < wanted.present.count() {
        let values = Arc::new(take_dictionary(cursor, n_values)?);
        let codes = wanted.codes(cursor, values.len())?;
        return Ok(Column::Dictionary { codes: wanted.spread(codes, MISSING_CODE), values });
    }
    cursor.byte()?;
    let distinct = take_texts(cursor, n_values)?;
    let codes = wanted.codes(cursor, distinct.len())?;
    let texts: Strings = codes.into_iter().map(|code| distinct.get(code as usize)).collect();
    Ok(Column::Strings { values: spread_texts(texts, &wanted.present)?, present: wanted.some_present() })
}

fn take_floats(cursor: &mut Cursor<'_>, wanted: &RowSelection, tag: u8) -> Decoded<Vec<f64>> {
    if tag == 4 {
        return Ok(wanted.integers(cursor)?.into_iter().map(|bits| f64::from_bits(bits as u64)).collect());
    }
    let scale = cursor.byte()?;
    let factor = 10f64.powi(i32::from(scale.min(9)));
    Ok(wanted.integers(cursor)?.into_iter().map(|scaled| scaled as f64 / factor).collect())
}

fn checked_codes(codes: Vec<u32>, n_values: usize) -> Decoded<Vec<u32>> {
    // Without an early end, so that it is done many codes at a time.
    let is_right = codes.iter().fold(true, |is_right, code| is_right & ((*code as usize) < n_values));
    if is_right { Ok(codes) } else { Err(Damage("a code is out of range")) }
}

/// Puts compact values at the rows in `present`.
fn spread<T: Copy>(compact: Vec<T>, present: &RowSet, missing: T) -> Vec<T> {
    if compact.len() == present.n_rows() {
        return compact;
    }
    let mut rows = vec![missing; present.n_rows()];
    present.iter().zip(compact).for_each(|(row, value)| rows[row] = value);
    rows
}

/// Puts texts at the rows in `present`; others get empty ones, so that only the ends change.
fn spread_texts(compact: Strings, present: &RowSet) -> Decoded<Strings> {
    if compact.len() == present.n_rows() {
        return Ok(compact);
    }
    let mut rows = vec![0; present.n_rows()];
    present.iter().zip(compact.ends()).for_each(|(row, end)| rows[row] = *end);
    let mut last = 0;
    for end in &mut rows {
        last = last.max(*end);
        *end = last;
    }
    Strings::of_parts(compact.into_text(), rows).ok_or(Damage("a text ends within a character"))
}
