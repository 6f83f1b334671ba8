//! Writes answers of queries: JSON, NDJSON and CSV, as streams.
//!
//! Rows are taken out of the answer as they are written, so that a large result is in memory once, not twice.
//! Nothing here decides what is in an answer.

mod sheet;

use std::convert::Infallible;
use std::sync::Arc;
use std::vec::IntoIter;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use execute::{Answer, ColumnInfo, MemoryReservation};
use plan::{Formulas, write_csv_cell, write_csv_name};
use serde_json::{Map, Value as Json, json};
use types::Value;

use door::{PIECE_BYTES, reason_json, stats_json, warning_json, write_value};

pub(crate) use self::sheet::{Kind, Sheet};

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// One JSON object.
    Json,
    /// One JSON value a line.
    Ndjson,
    /// RFC 4180.
    Csv(Formulas),
    /// A file to keep: rows alone, with times by the clock of a zone.
    Sheet(Sheet),
}

impl Form {
    /// Chooses by the `Accept` header; JSON unless another form is named. `text/csv;raw=true` is a table whose texts are
    /// as they were logged, also where a spreadsheet would calculate them.
    pub(crate) fn of_accept(accept: &str) -> Self {
        let mut named = accept.split(',').filter_map(|part| {
            match &*part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase() {
                "application/json" | "application/*" => Some(Self::Json),
                "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::Ndjson),
                "text/csv" => Some(Self::Csv(formulas_of(part))),
                _ => None,
            }
        });
        named.next().unwrap_or(Self::Json)
    }

    /// Returns the content type of the form.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv(_) => "text/csv; charset=utf-8",
            Self::Sheet(sheet) => sheet.kind.content_type(),
        }
    }

    /// Returns the headers of an answer: its content type, and a download for what a browser must not show as a page.
    pub(crate) fn headers(self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type()));
        let file = match self {
            Self::Json => return headers,
            Self::Ndjson => "attachment; filename=\"catat.ndjson\"",
            Self::Csv(_) => "attachment; filename=\"catat.csv\"",
            // What asked for a file gives it its name.
            Self::Sheet(_) => "attachment",
        };
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(file));
        headers
    }

    /// Reports whether the form has rows only, with no place for errors or warnings.
    pub(crate) fn is_bare(self) -> bool {
        matches!(self, Self::Csv(_) | Self::Sheet(_))
    }

    /// Reports whether a row leaves out what its event lacks.
    pub(crate) fn is_sparse(self) -> bool {
        matches!(self, Self::Sheet(Sheet { kind: Kind::Ndjson | Kind::Text, .. }))
    }

    /// Returns the text before the rows.
    pub(crate) fn head(self, columns: &[ColumnInfo]) -> String {
        match self {
            Self::Json => format!("{{\"columns\":{},\"rows\":[", columns_json(columns)),
            Self::Ndjson => format!("{{\"columns\":{}}}\n", columns_json(columns)),
            Self::Csv(formulas) => csv_head(columns, formulas),
            Self::Sheet(sheet) => sheet.head(columns),
        }
    }
}

/// Returns what the parameters of a media type say about formulas.
fn formulas_of(media_type: &str) -> Formulas {
    let mut parameters = media_type.split(';').skip(1).map(|parameter| parameter.trim());
    let is_raw = parameters.any(|parameter| parameter.eq_ignore_ascii_case("raw=true"));
    if is_raw { Formulas::Kept } else { Formulas::Disarmed }
}

/// Returns the answer as a response in the requested form; JSON and NDJSON answers end with the `extra` members.
pub(crate) fn respond(form: Form, answer: Answer, extra: Map<String, Json>) -> Response {
    let is_partial = !answer.partial_reasons.is_empty();
    let mut pieces = Pieces::new(form, answer, extra);
    let first = pieces.next().unwrap_or_default();
    let body = if pieces.is_done {
        Body::from(first)
    } else {
        let rest = std::iter::once(first).chain(pieces);
        Body::from_stream(tokio_stream::iter(rest.map(Ok::<_, Infallible>)))
    };
    let mut response = (form.headers(), body).into_response();
    if is_partial {
        response.headers_mut().insert("x-catat-partial", HeaderValue::from_static("true"));
    }
    response
}

/// Returns an answer as one JSON object, which ends with the `extra` members.
pub(crate) fn json_text(answer: Answer, extra: Map<String, Json>) -> String {
    let pieces: Vec<Bytes> = Pieces::new(Form::Json, answer, extra).collect();
    String::from_utf8_lossy(&pieces.concat()).into_owned()
}

/// Produces the text of an answer piece by piece.
pub(crate) struct Pieces {
    form: Form,
    names: Names,
    head: Option<String>,
    rows: IntoIter<Vec<Option<Value>>>,
    tail: Option<String>,
    is_first_row: bool,
    is_done: bool,
    /// The memory of the rows.
    _held: Option<Arc<MemoryReservation>>,
}

impl Pieces {
    pub(crate) fn new(form: Form, answer: Answer, extra: Map<String, Json>) -> Self {
        let head = form.head(&answer.columns);
        let tail = match form {
            Form::Json => {
                let ids = answer.ids.as_ref().map(|ids| format!("\"ids\":{},", json!(ids))).unwrap_or_default();
                // The closing object continues the one that the head began.
                format!("],{ids}{}", &end_json(&answer, extra).to_string()[1..])
            }
            Form::Ndjson => format!("{}\n", end_json(&answer, extra)),
            Form::Csv(_) | Form::Sheet(_) => String::new(),
        };
        let names = names_of(&answer.columns);
        let rows = answer.rows.into_iter();
        Self {
            form,
            names,
            head: Some(head),
            rows,
            tail: Some(tail),
            is_first_row: true,
            is_done: false,
            _held: answer.held,
        }
    }

    /// Leaves out what stands before the rows, which was sent already.
    pub(crate) fn without_head(mut self) -> Self {
        self.head = None;
        self
    }
}

/// What the columns are called.
pub(crate) type Names = Arc<[String]>;

/// Returns the names of columns.
pub(crate) fn names_of(columns: &[ColumnInfo]) -> Names {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// Writes a row, with what ends it in this form.
pub(crate) fn write_row(form: Form, names: &[String], row: &[Option<Value>], out: &mut String) {
    match form {
        Form::Csv(formulas) => {
            for (at, value) in row.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                if let Some(value) = value {
                    let formulas = if matches!(value, Value::String(_)) { formulas } else { Formulas::Kept };
                    write_csv_cell(&value.to_string(), formulas, out);
                }
            }
            out.push_str("\r\n");
        }
        Form::Sheet(sheet) => sheet.write_row(names, row, out),
        Form::Json => write_row_json(row, out),
        Form::Ndjson => {
            write_row_json(row, out);
            out.push('\n');
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.is_done {
            return None;
        }
        let mut out = self.head.take().unwrap_or_default();
        while out.len() < PIECE_BYTES {
            let Some(row) = self.rows.next() else {
                out.push_str(&self.tail.take().unwrap_or_default());
                self.is_done = true;
                break;
            };
            if self.form == Form::Json && !self.is_first_row {
                out.push(',');
            }
            write_row(self.form, &self.names, &row, &mut out);
            self.is_first_row = false;
        }
        Some(Bytes::from(out))
    }
}

/// Returns the text after the rows: statistics, completeness, warnings.
fn end_json(answer: &Answer, extra: Map<String, Json>) -> Json {
    let mut end = Map::new();
    end.insert("more".into(), answer.more.into());
    end.insert("stats".into(), stats_json(&answer.stats));
    end.insert("partial".into(), (!answer.partial_reasons.is_empty()).into());
    end.insert("partial_reasons".into(), answer.partial_reasons.iter().map(reason_json).collect());
    end.insert("warnings".into(), answer.warnings.iter().map(warning_json).collect());
    end.extend(extra);
    Json::Object(end)
}

/// Columns as every answer begins with them.
pub(crate) fn columns_json(columns: &[ColumnInfo]) -> Json {
    let column = |column: &ColumnInfo| {
        let mut json = json!({"name": column.name, "type": column.kind.name()});
        if column.approximate {
            json["approximate"] = true.into();
        }
        json
    };
    columns.iter().map(column).collect()
}

/// One row as a JSON array; missing values are `null`.
fn write_row_json(row: &[Option<Value>], out: &mut String) {
    out.push('[');
    for (at, value) in row.iter().enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        write_value(value.as_ref(), out);
    }
    out.push(']');
}

/// Returns the first line of a table.
fn csv_head(columns: &[ColumnInfo], formulas: Formulas) -> String {
    let mut head = String::new();
    for (at, column) in columns.iter().enumerate() {
        head.push_str(if at > 0 { "," } else { "" });
        write_csv_name(&column.name, formulas, &mut head);
    }
    head + "\r\n"
}

#[cfg(test)]
mod tests;
