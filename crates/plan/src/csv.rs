//! Tables as people upload them and as answers are given to them: comma-separated values (RFC 4180) with a header.
//!
//! Read, cells are texts; those that read as numbers are numbers to comparison and arithmetic, like everywhere. An
//! empty cell is a missing value. Line ends within quotes belong to the cell; a byte order mark at the beginning is no
//! part of it.

use std::sync::Arc;

use types::{Value, ensure};

use crate::name::Name;
use crate::operator::Rows;

/// Largest text of a table. It is held in memory as long as a query needs it.
pub const CSV_BYTES_MAX: usize = 8 << 20;

/// Most columns of a table.
pub const CSV_COLUMNS_MAX: usize = 256;

/// Why a text is no table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct CsvError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
}

/// Reads a table.
pub fn read_csv(text: &str) -> Result<Rows, CsvError> {
    let error = |line, problem: String| CsvError { line, problem };
    if text.len() > CSV_BYTES_MAX {
        return Err(error(1, format!("the table has {} bytes, more than the {CSV_BYTES_MAX} allowed", text.len())));
    }
    let mut records = Records { rest: text.strip_prefix('\u{feff}').unwrap_or(text), line: 1 };
    let header = records.next().ok_or_else(|| error(1, "the header with the names of columns is missing".into()))?;
    let (_, header) = header?;
    if header.len() > CSV_COLUMNS_MAX {
        return Err(error(1, format!("the table has {} columns, more than {CSV_COLUMNS_MAX}", header.len())));
    }
    let mut columns: Vec<Name> = Vec::with_capacity(header.len());
    for name in &header {
        let name = name.trim();
        ensure!(!name.is_empty(), error(1, format!("column {} has no name", columns.len() + 1)));
        ensure!(!columns.iter().any(|known| **known == *name), error(1, format!("two columns are named `{name}`")));
        columns.push(Arc::from(name));
    }
    let mut rows = Vec::new();
    for record in records {
        let (line, cells) = record?;
        if cells.len() != columns.len() {
            return Err(error(line, format!("{} cells where the header has {}", cells.len(), columns.len())));
        }
        rows.push(cells.into_iter().map(|cell| (!cell.is_empty()).then(|| Value::text(cell))).collect());
    }
    Ok(Rows { columns, rows })
}

/// Records with the lines that they begin in. Lines without anything are passed over.
struct Records<'a> {
    rest: &'a str,
    line: usize,
}

impl Iterator for Records<'_> {
    type Item = Result<(usize, Vec<String>), CsvError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let stripped = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix('\n'));
            let Some(stripped) = stripped else { break };
            self.rest = stripped;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let first = self.line;
        let mut cells = Vec::new();
        loop {
            match self.cell() {
                Ok((cell, is_last)) => {
                    cells.push(cell);
                    if is_last {
                        return Some(Ok((first, cells)));
                    }
                }
                Err(problem) => {
                    self.rest = "";
                    return Some(Err(CsvError { line: first, problem }));
                }
            }
        }
    }
}

impl Records<'_> {
    /// Returns the next cell, and whether it is the last of its record. The line end stays.
    fn cell(&mut self) -> Result<(String, bool), String> {
        let mut cell = String::new();
        if let Some(mut inside) = self.rest.strip_prefix('"') {
            loop {
                let Some(end) = inside.find('"') else { return Err("a quoted cell is not closed".into()) };
                cell.push_str(&inside[..end]);
                inside = &inside[end + 1..];
                let Some(more) = inside.strip_prefix('"') else { break };
                cell.push('"');
                inside = more;
            }
            self.line += cell.matches('\n').count();
            self.rest = inside;
        } else {
            let end = self.rest.find([',', '\n']).unwrap_or(self.rest.len());
            cell.push_str(self.rest[..end].trim_end_matches('\r'));
            self.rest = &self.rest[end..];
        }
        if let Some(rest) = self.rest.strip_prefix(',') {
            self.rest = rest;
            return Ok((cell, false));
        }
        if self.rest.is_empty() || self.rest.starts_with('\n') || self.rest.starts_with("\r\n") {
            return Ok((cell, true));
        }
        Err("a closing quote is followed by neither a comma nor the end of the line".into())
    }
}

/// What becomes of texts that a spreadsheet would take for formulas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Formulas {
    /// An apostrophe is put before them, by which spreadsheets know a text.
    Disarmed,
    /// They are written as they are.
    Kept,
}

/// Writes a cell, in quotes where it needs them.
pub fn write_csv_cell(text: &str, formulas: Formulas, out: &mut String) {
    let mark = if formulas == Formulas::Disarmed && is_formula(text) { "'" } else { "" };
    let is_quoted = text.contains(['"', ',', '\n', '\r']);
    out.push_str(if is_quoted { "\"" } else { "" });
    out.push_str(mark);
    if is_quoted {
        out.push_str(&text.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(text);
    }
}

/// Writes a cell of a table whose cells are parted by tabs: tabs, line ends and backslashes in it are escaped.
pub fn write_tsv_cell(text: &str, formulas: Formulas, out: &mut String) {
    out.push_str(if formulas == Formulas::Disarmed && is_formula(text) { "'" } else { "" });
    for c in text.chars() {
        match c {
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\\' => out.push_str("\\\\"),
            other => out.push(other),
        }
    }
}

/// Writes the name of a column as a cell. Names such as `@timestamp` call nothing, and programs look for them.
pub fn write_csv_name(name: &str, formulas: Formulas, out: &mut String) {
    let is_plain = name.strip_prefix('@').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_alphanumeric()));
    write_csv_cell(name, if is_plain { Formulas::Kept } else { formulas }, out);
}

/// Reports whether a spreadsheet may calculate a text. Some look after quotes, blanks and line ends. A number is no
/// formula, and neither is what has nothing to calculate with, such as the `-` of access logs.
fn is_formula(text: &str) -> bool {
    let begins = |text: &str| text.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']);
    (begins(text) || begins(text.trim_start_matches(['"', '\'', ' ', '\n'])))
        && text.contains(char::is_alphanumeric)
        && !is_number(text)
}

/// Reports whether a text is a number in decimal digits: sign, digits, fraction, exponent.
fn is_number(text: &str) -> bool {
    let is_usual = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    text.bytes().all(is_usual) && text.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests;
