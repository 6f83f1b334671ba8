//! Tables as people upload them: comma-separated values (RFC 4180) with a header.
//!
//! Cells are texts; those that read as numbers are numbers to comparison and arithmetic, like everywhere. An empty cell is
//! a missing value. Line ends within quotes belong to the cell; a byte order mark at the beginning is no part of it.

use std::sync::Arc;

use types::Value;

use crate::plan::{Name, Rows};

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
    let Some(header) = records.next() else {
        return Err(error(1, "the header with the names of columns is missing".into()));
    };
    let (_, header) = header?;
    if header.len() > CSV_COLUMNS_MAX {
        return Err(error(1, format!("the table has {} columns, more than {CSV_COLUMNS_MAX}", header.len())));
    }
    let mut columns: Vec<Name> = Vec::with_capacity(header.len());
    for name in &header {
        let name = name.trim();
        if name.is_empty() {
            return Err(error(1, format!("column {} has no name", columns.len() + 1)));
        }
        if columns.iter().any(|known| **known == *name) {
            return Err(error(1, format!("two columns are named `{name}`")));
        }
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
    /// The next cell, and whether it is the last of its record. The line end stays.
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
        Err("after a closing quote stands neither a comma nor the end of the line".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let shown = read_csv(text).map(|table| {
            let cell = |cell: &Option<Value>| cell.as_ref().map_or("-".into(), ToString::to_string);
            let rows = table.rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join("|"));
            std::iter::once(table.columns.join("|")).chain(rows).collect::<Vec<_>>().join("/")
        });
        assert_eq!(shown.as_deref().map_err(ToString::to_string), expected.map_err(str::to_owned), "{text:?}");
    }

    #[test]
    fn tables_are_read_as_spreadsheets_write_them() {
        check("id,name\n1,ann\n2,\n", Ok("id|name/1|ann/2|-"));
        check("\u{feff}id , name\r\n1,\"a \"\"b\"\", c\r\nd\"\r\n\r\n2,x", Ok("id|name/1|a \"b\", c\r\nd/2|x"));
        check("id\n", Ok("id"));
        check("a,b\n,\n\"\",\"x\"", Ok("a|b/-|-/-|x"));
    }

    #[test]
    fn what_is_no_table_is_refused_with_its_line() {
        check("", Err("line 1: the header with the names of columns is missing"));
        check("a,\n", Err("line 1: column 2 has no name"));
        check("a,a\n", Err("line 1: two columns are named `a`"));
        check("a,b\n\"1\n2\",x\n\n3\n", Err("line 5: 1 cells where the header has 2"));
        check("a\n\"x", Err("line 2: a quoted cell is not closed"));
        check("a\n\"x\"y\n", Err("line 2: after a closing quote stands neither a comma nor the end of the line"));
    }
}
