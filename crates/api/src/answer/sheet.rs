//! Rows as files that people keep: comma- and tab-separated tables, one JSON object a line, plain text.
//!
//! All four hold the same values, and times say the same instants by the clock of one zone, with its offset.

use std::fmt::Write;

use chrono_tz::Tz;
use execute::ColumnInfo;
use plan::{Formulas, write_csv_cell, write_csv_name, write_tsv_cell, write_zoned};
use types::Value;

/// What is between the values of a line of text.
const GAP: &str = "  ";

/// A file's kind, and the zone of its times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) kind: Kind,
    pub(crate) zone: Tz,
}

types::named! {
    /// Kinds of files.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Kind {
        /// RFC 4180.
        Csv = "csv",
        /// Cells parted by tabs; tabs, line ends and backslashes in them are escaped.
        Tsv = "tsv",
        /// An object a line, without the members that an event lacks.
        Ndjson = "ndjson",
        /// A line for people: what every event has as it is, the rest as `name=value`.
        Text = "text",
    }
}

impl Kind {
    /// Returns the extension of file names.
    pub(crate) fn ending(self) -> &'static str {
        if self == Self::Text { "txt" } else { self.name() }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Tsv => "text/tab-separated-values; charset=utf-8",
            Self::Ndjson => "application/x-ndjson",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

impl Sheet {
    /// Returns the text before the rows.
    pub(super) fn head(self, columns: &[ColumnInfo]) -> String {
        let mut head = String::new();
        let (separator, end) = match self.kind {
            Kind::Csv => (",", "\r\n"),
            Kind::Tsv => ("\t", "\n"),
            Kind::Ndjson | Kind::Text => return head,
        };
        for (at, column) in columns.iter().enumerate() {
            head.push_str(if at > 0 { separator } else { "" });
            match self.kind {
                Kind::Tsv => write_tsv_cell(&column.name, Formulas::Kept, &mut head),
                _ => write_csv_name(&column.name, Formulas::Disarmed, &mut head),
            }
        }
        head + end
    }

    /// Writes a row and what ends it.
    pub(super) fn write_row(self, names: &[String], row: &[Option<Value>], out: &mut String) {
        match self.kind {
            Kind::Csv => self.write_cells(row, ",", write_csv_cell, out),
            Kind::Tsv => self.write_cells(row, "\t", write_tsv_cell, out),
            Kind::Ndjson => self.write_object(names, row, out),
            Kind::Text => self.write_line(names, row, out),
        }
        out.push_str(if self.kind == Kind::Csv { "\r\n" } else { "\n" });
    }

    fn write_cells(
        self,
        row: &[Option<Value>],
        separator: &str,
        write: fn(&str, Formulas, &mut String),
        out: &mut String,
    ) {
        for (at, value) in row.iter().enumerate() {
            out.push_str(if at > 0 { separator } else { "" });
            if let Some(value) = value {
                let formulas = if matches!(value, Value::String(_)) { Formulas::Disarmed } else { Formulas::Kept };
                write(&self.text_of(value), formulas, out);
            }
        }
    }

    fn write_object(self, names: &[String], row: &[Option<Value>], out: &mut String) {
        out.push('{');
        let present = names.iter().zip(row).filter_map(|(name, value)| Some((name, value.as_ref()?)));
        for (at, (name, value)) in present.enumerate() {
            out.push_str(if at > 0 { "," } else { "" });
            Value::text(name.as_str()).write_json(out);
            out.push(':');
            match value {
                Value::Timestamp(_) => Value::text(self.text_of(value)).write_json(out),
                other => other.write_json(out),
            }
        }
        out.push('}');
    }

    fn write_line(self, names: &[String], row: &[Option<Value>], out: &mut String) {
        let begin = out.len();
        for (name, value) in names.iter().zip(row).filter_map(|(name, value)| Some((name, value.as_ref()?))) {
            out.push_str(if out.len() > begin { GAP } else { "" });
            if !name.starts_with('@') {
                write_shown(name, out);
                out.push('=');
            }
            write_shown(&self.text_of(value), out);
        }
    }

    fn text_of(self, value: &Value) -> String {
        let mut text = String::new();
        match value {
            Value::Timestamp(instant) => write_zoned(*instant, self.zone, &mut text),
            other => {
                // Writing into a String cannot fail.
                let _ = write!(text, "{other}");
            }
        }
        text
    }
}

/// Writes a text so that a terminal that shows the file is not told to do anything: control characters as their pictures.
fn write_shown(text: &str, out: &mut String) {
    out.extend(text.chars().map(|c| match c {
        '\n' | '\t' => c,
        '\u{7f}' => '\u{2421}',
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(c),
        other => other,
    }));
}

#[cfg(test)]
mod tests;
