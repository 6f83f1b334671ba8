//! The texts of rows: what a run knows of them where they are the messages that it stores, or the texts themselves.

use std::sync::Arc;

use plan::fields::takes_message_field;
use plan::{Expr, MESSAGE_FIELDS, Patterns};
use types::{Column, Examples, Level, MISSING_CODE, RowSet, Value};

use crate::scan::scanner::Scan;
use evaluate::{Cell, Frame, Result};

/// What a run knows of the texts of a frame's rows.
pub(crate) struct RunTexts {
    pub(crate) examples: Arc<Examples>,
    pub(crate) numbers: Vec<u32>,
    /// Rows whose text is another field's, and that field of all rows.
    pub(crate) texts: Option<(RowSet, Column)>,
}

/// Asks the run for examples of the texts, where the texts are the messages that it stores.
pub(crate) fn known_examples(frame: &mut Frame<'_>, patterns: &Patterns) -> Result<Option<RunTexts>> {
    let Expr::Field(name) = &patterns.text else { return Ok(None) };
    let Some(block) = frame.stored().cloned() else { return Ok(None) };
    let run = &block.source.run;
    if !run.is_message(name) {
        return Ok(None);
    }
    let Some(examples) = run.examples()? else { return Ok(None) };
    let mut texts: Option<(RowSet, Column)> = None;
    for field in MESSAGE_FIELDS.iter().rev().filter(|_| takes_message_field(patterns)) {
        if block.source.has(field)? && !run.is_message(field) {
            let column = frame.column(field)?;
            let below = texts.take().map_or(Column::Missing { n_rows: frame.n_rows() }, |(_, column)| column);
            let column = texts_over(&column, &below);
            let rows = RowSet::of(frame.n_rows(), |row| matches!(Cell::at(&column, row), Cell::Text(_)));
            texts = Some((rows, column));
        }
    }
    let numbers = run.example_numbers(block.block, &block.rows)?;
    Ok(Some(RunTexts { examples, numbers, texts }))
}

/// Returns the texts of a frame's rows, and whether some are fields of their own.
pub(crate) fn texts_of(frame: &mut Frame<'_>, patterns: &Patterns, scan: &Scan<'_>) -> Result<(Arc<Column>, bool)> {
    let mut texts = scan.env.evaluate(&patterns.text, frame)?;
    let mut is_field = false;
    if takes_message_field(patterns) {
        for name in MESSAGE_FIELDS.iter().rev() {
            let field = scan.env.evaluate(&Expr::Field((*name).into()), frame)?;
            let is_message = frame.block().is_some_and(|block| block.source.run.is_message(name));
            is_field |= !is_message && !matches!(*field, Column::Missing { .. });
            texts = Arc::new(texts_over(&field, &texts));
        }
    }
    Ok((texts, is_field))
}

/// Returns the texts of `upper`, where it has none those of `lower`.
pub(crate) fn texts_over(upper: &Column, lower: &Column) -> Column {
    let is_text = |row: usize| matches!(Cell::at(upper, row), Cell::Text(_));
    if !(0..upper.n_rows()).any(is_text) {
        return lower.clone();
    }
    let value = |row: usize| if is_text(row) { upper.value(row) } else { lower.value(row) };
    Column::of_values((0..upper.n_rows()).map(value).collect())
}

/// Level codes of rows, 0 for those without one.
pub(crate) fn level_codes(column: &Column) -> Vec<u8> {
    let of_text = |text: &str| Level::parse(text).map_or(0, Level::code);
    match column {
        Column::Missing { n_rows } => vec![0; *n_rows],
        Column::Dictionary { codes, values } => {
            let of_value = |value: &Value| if let Value::String(text) = value { of_text(text) } else { 0 };
            let known: Vec<u8> = values.iter().map(of_value).collect();
            let code = |code: &u32| if *code == MISSING_CODE { 0 } else { known[*code as usize] };
            codes.iter().map(code).collect()
        }
        other => {
            let code = |row| if let Cell::Text(text) = Cell::at(other, row) { of_text(text) } else { 0 };
            (0..other.n_rows()).map(code).collect()
        }
    }
}
