//! The distinct texts of a column.

use std::collections::HashMap;

use types::{Column, MISSING_CODE, Value};

use crate::columns::cell::Cell;

/// The distinct texts of a column, and which of them each row has.
pub(super) struct Distinct {
    texts: Vec<String>,
    pub(super) codes: Vec<u32>,
}

impl Distinct {
    pub(super) fn of(column: &Column) -> Self {
        if let Column::Dictionary { codes, values } = column {
            return Self { texts: values.iter().map(Value::to_string).collect(), codes: codes.clone() };
        }
        let (mut texts, mut places) = (Vec::new(), HashMap::new());
        let code = |row: usize| {
            let Some(text) = Cell::at(column, row).text() else { return MISSING_CODE };
            if let Some(code) = places.get(&*text) {
                return *code;
            }
            let code = texts.len() as u32;
            texts.push(text.clone().into_owned());
            places.insert(text.into_owned(), code);
            code
        };
        let codes = (0..column.n_rows()).map(code).collect();
        Self { texts, codes }
    }

    pub(super) fn text(&self, code: u32) -> Option<&str> {
        self.texts.get(code as usize).map(String::as_str)
    }

    /// Returns the texts, taken apart; after them what a missing one gives.
    pub(super) fn each<T>(&self, read: impl Fn(Option<&str>) -> T) -> Vec<T> {
        self.texts.iter().map(|text| read(Some(text))).chain([read(None)]).collect()
    }

    pub(super) fn place(&self, row: usize) -> usize {
        (self.codes[row] as usize).min(self.texts.len())
    }
}
