//! Tables with a header: CSV, and the same with tabs or other marks between the cells.

use std::io;

use types::write_json_string;

use super::{RECORD_BYTES_MAX, Rewrite, invalid, without_mark};

/// Columns beyond these are named in no table that people make.
const COLUMNS_MAX: usize = 4096;

/// Makes a line of JSON of each row; cells that are numbers or truths are such values.
#[derive(Debug)]
pub(crate) struct Table {
    mark: u8,
    /// `"name":` of each column, once its header was read.
    keys: Vec<String>,
    /// What was read of the row at hand.
    rest: Vec<u8>,
    n_lines: u64,
    /// Rows that have more or fewer cells than the header, and the line of the first one.
    unequal: (u64, u64),
}

impl Table {
    /// The table in a file that begins with `head`, where its name says that it is one and its first line has the names of columns.
    pub(crate) fn of(name: &str, head: &[u8]) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
        let mark = match name.rsplit_once('.')?.1 {
            "tsv" => b'\t',
            "csv" => {
                let line = head.split(|byte| *byte == b'\n').next()?;
                let n_of = |mark: &u8| line.iter().filter(|byte| *byte == mark).count();
                *[b'|', b'\t', b';', b','].iter().max_by_key(|mark| n_of(mark))?
            }
            _ => return None,
        };
        let mut table = Self { mark, keys: Vec::new(), rest: Vec::new(), n_lines: 0, unequal: (0, 0) };
        let (cells, _) = table.row(without_mark(head), true)?;
        // Rows without a header, such as PostgreSQL's, begin with a time or a number.
        let is_name = |cell: &Cell| !cell.text.is_empty() && !cell.text.starts_with(|c: char| c.is_ascii_digit());
        (cells.iter().all(is_name) && cells.len() <= COLUMNS_MAX).then(|| {
            // What Splunk calls the text of an event.
            let name = |cell: &Cell| if cell.text == "_raw" { key("@message") } else { key(cell.text.trim()) };
            table.keys = cells.iter().map(name).collect();
            table
        })
    }

    /// Reads the row that `bytes` begin with; returns its cells and how many bytes it has, `None` where more must be read.
    fn row(&self, bytes: &[u8], is_end: bool) -> Option<(Vec<Cell>, usize)> {
        let (mut cells, mut at) = (Vec::with_capacity(self.keys.len()), 0);
        loop {
            let (cell, end) =
                if bytes.get(at) == Some(&b'"') { quoted(bytes, at + 1, is_end)? } else { (Cell::default(), at) };
            let end_of_cell = memchr::memchr2(self.mark, b'\n', &bytes[end..]).map(|length| end + length);
            let next = end_of_cell.or(is_end.then_some(bytes.len()))?;
            let tail = String::from_utf8_lossy(&bytes[end..next]);
            let is_last = bytes.get(next) != Some(&self.mark);
            let tail = if is_last { tail.strip_suffix('\r').unwrap_or(&tail) } else { &tail };
            cells.push(Cell { text: cell.text + tail, is_quoted: cell.is_quoted });
            at = next + 1;
            if is_last {
                return Some((cells, at.min(bytes.len())));
            }
        }
    }

    /// Makes lines of the rows that are whole.
    fn rows(&mut self, lines: &mut Vec<u8>, is_end: bool) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.rest);
        let mut at = 0;
        while at < bytes.len() {
            let Some((cells, n_bytes)) = self.row(&bytes[at..], is_end) else { break };
            let n_before = self.n_lines;
            self.n_lines += bytes[at..at + n_bytes].iter().filter(|byte| **byte == b'\n').count() as u64;
            at += n_bytes;
            let is_empty = matches!(&cells[..], [cell] if cell.text.is_empty());
            if n_before > 0 && !is_empty {
                self.write(&cells, n_before + 1, lines);
            }
        }
        self.rest = bytes[at..].to_vec();
        match self.rest.len() {
            0 => Ok(()),
            _ if is_end => Err(invalid(format!(
                "a text that begins with a quote does not end, in or after line {}",
                self.n_lines + 1
            ))),
            1..=RECORD_BYTES_MAX => Ok(()),
            _ => Err(invalid(format!("the row in line {} has more than {RECORD_BYTES_MAX} bytes", self.n_lines + 1))),
        }
    }

    fn write(&mut self, cells: &[Cell], line: u64, lines: &mut Vec<u8>) {
        if cells.len() != self.keys.len() {
            self.unequal.0 += 1;
            self.unequal.1 = if self.unequal.1 == 0 { line } else { self.unequal.1 };
        }
        let mut json = String::from("{");
        for (place, cell) in cells.iter().enumerate() {
            match self.keys.get(place) {
                Some(key) => cell.write(key, &mut json),
                None => cell.write(&key(&format!("column{}", place + 1)), &mut json),
            }
        }
        json.push_str("}\n");
        lines.extend_from_slice(json.as_bytes());
    }
}

/// A cell as it is meant.
#[derive(Debug, Default)]
struct Cell {
    text: String,
    is_quoted: bool,
}

impl Cell {
    /// Adds the cell to an object; one with nothing in it is no value.
    fn write(&self, key: &str, json: &mut String) {
        if self.text.is_empty() && !self.is_quoted {
            return;
        }
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(key);
        match &*self.text {
            "true" | "True" | "TRUE" => json.push_str("true"),
            "false" | "False" | "FALSE" => json.push_str("false"),
            number if is_number(number.as_bytes()) => json.push_str(number),
            text => write_json_string(text, json),
        }
    }
}

/// Reads a text in quotes from behind the first one, in which two quotes stand for one; returns where it ends.
fn quoted(bytes: &[u8], from: usize, is_end: bool) -> Option<(Cell, usize)> {
    let (mut text, mut at) = (Vec::new(), from);
    loop {
        let quote = at + memchr::memchr(b'"', &bytes[at..])?;
        text.extend_from_slice(&bytes[at..quote]);
        match bytes.get(quote + 1) {
            Some(b'"') => {
                text.push(b'"');
                at = quote + 2;
            }
            None if !is_end => return None,
            _ => return Some((Cell { text: String::from_utf8_lossy(&text).into_owned(), is_quoted: true }, quote + 1)),
        }
    }
}

fn key(name: &str) -> String {
    let mut key = String::new();
    write_json_string(name, &mut key);
    key + ":"
}

/// Whether a cell is a number that reads the same when it is written again, but for zeros at the end of a fraction. Leading zeros are
/// those of names that happen to have digits only.
fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let point = digits.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = digits.split_at(point.unwrap_or(digits.len()));
    let are_digits = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let n_digits = whole.len() + fraction.len();
    let is_whole =
        are_digits(whole) && (whole[0] != b'0' || (whole.len() == 1 && (point.is_some() || text.len() == 1)));
    is_whole && n_digits <= 18 && (point.is_none() || (are_digits(&fraction[1..]) && n_digits <= 16))
}

impl Rewrite for Table {
    fn take(&mut self, bytes: &[u8], lines: &mut Vec<u8>) -> io::Result<()> {
        let is_first = self.n_lines == 0 && self.rest.is_empty();
        self.rest.extend_from_slice(if is_first { without_mark(bytes) } else { bytes });
        self.rows(lines, false)
    }

    fn finish(&mut self, lines: &mut Vec<u8>) -> io::Result<()> {
        self.rows(lines, true)?;
        match self.unequal {
            (0, _) => Ok(()),
            (n_rows, first) => Err(invalid(format!(
                "{n_rows} rows have more or fewer cells than the {} of the header, the first in line {first}; they were read \
                 as far as that goes",
                self.keys.len()
            ))),
        }
    }
}
