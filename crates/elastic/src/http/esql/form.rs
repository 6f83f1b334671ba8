//! The forms of answers to ES|QL.

use axum::http::{HeaderMap, header};
use esql::Kind;
use serde_json::{Map, Value as Json, json};
use types::Value;

use crate::http::errors::NOT_SUPPORTED;
use door::{Parameters, Problem, Result};

/// Least width of a column of text, as in Elasticsearch.
const WIDTH_MIN: usize = 15;

/// The format of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    /// The delimiter, and whether the first line contains names.
    Csv(char, bool),
    Tsv(bool),
    Text(bool),
}

impl Form {
    /// Reads the parameter `format`, else the `Accept` header.
    pub(super) fn of(parameters: &Parameters, headers: &HeaderMap) -> Result<Self> {
        let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let kind = accepted.split([',', ';']).next().unwrap_or_default().trim().to_ascii_lowercase();
        let has_names = !accepted.replace(' ', "").contains("header=absent");
        let named = match (parameters.get("format"), kind.as_str()) {
            (Some(named), _) => named.to_owned(),
            (None, "text/csv") => "csv".into(),
            (None, "text/tab-separated-values") => "tsv".into(),
            (None, "text/plain") => "txt".into(),
            (None, kind) if kind.is_empty() || kind.contains("json") || kind.contains('*') => "json".into(),
            (None, kind) => kind.to_owned(),
        };
        let delimiter = parameters.get("delimiter");
        let refused = |message: String| Problem::bad_request("illegal_argument_exception", message);
        if delimiter.is_some() && named != "csv" {
            return Err(refused(format!(
                "request [/_query] contains unrecognized parameter: [delimiter] for [{named}]"
            )));
        }
        match named.as_str() {
            "json" => Ok(Self::Json),
            "tsv" => Ok(Self::Tsv(has_names)),
            "txt" => Ok(Self::Text(has_names)),
            "csv" => {
                let mut signs = delimiter.unwrap_or(",").chars();
                match (signs.next(), signs.next()) {
                    (Some(sign), None) if !matches!(sign, '"' | '\n' | '\r' | '\t') => Ok(Self::Csv(sign, has_names)),
                    (Some('"' | '\n' | '\r'), None) => Err(refused("illegal reserved character specified as delimiter".into())),
                    (Some('\t'), None) => Err(refused("illegal delimiter [TAB] specified as delimiter for the [csv] format; choose the [tsv] format instead".into())),
                    _ => Err(refused(format!("invalid delimiter [{}] specified: it must be a single character", delimiter.unwrap_or_default()))),
                }
            }
            other => Err(refused(format!("the format [{other:.100}] {NOT_SUPPORTED}"))),
        }
    }

    pub(super) fn is_json(&self) -> bool {
        *self == Self::Json
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv(_, true) => "text/csv; charset=UTF-8; header=present",
            Self::Csv(_, false) => "text/csv; charset=UTF-8; header=absent",
            Self::Tsv(true) => "text/tab-separated-values; charset=UTF-8; header=present",
            Self::Tsv(false) => "text/tab-separated-values; charset=UTF-8; header=absent",
            Self::Text(_) => "text/plain; charset=UTF-8",
        }
    }
}

/// The columns and rows of an answer.
pub(super) struct Table<'a> {
    pub(super) columns: &'a [(String, Kind)],
    pub(super) rows: &'a [Vec<Option<Value>>],
}

impl Table<'_> {
    /// Adds columns and values to an answer.
    pub(super) fn add_json(&self, members: &mut Map<String, Json>, is_columnar: bool, drops_empty: bool) {
        let column = |(name, kind): &(String, Kind)| json!({"name": name, "type": kind.column_name()});
        let is_kept = |at: usize| !drops_empty || self.rows.iter().any(|row| row.get(at).is_some_and(Option::is_some));
        let kept: Vec<usize> = (0..self.columns.len()).filter(|at| is_kept(*at)).collect();
        if drops_empty {
            members.insert("all_columns".into(), self.columns.iter().map(column).collect());
        }
        members.insert("columns".into(), kept.iter().map(|at| column(&self.columns[*at])).collect());
        let value = |row: &Vec<Option<Value>>, at: usize| self.columns[at].1.json(row.get(at).and_then(Option::as_ref));
        let values: Json = if is_columnar {
            kept.iter().map(|at| self.rows.iter().map(|row| value(row, *at)).collect::<Json>()).collect()
        } else {
            self.rows.iter().map(|row| kept.iter().map(|at| value(row, *at)).collect::<Json>()).collect()
        };
        members.insert("values".into(), values);
    }

    /// Returns the table as text.
    pub(super) fn text(&self, form: &Form) -> String {
        match form {
            Form::Csv(delimiter, has_names) => self.lines(*has_names, &delimiter.to_string(), "\r\n", &|text| {
                let is_quoted = text.contains(['"', '\n', '\r', *delimiter]);
                if is_quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
            }),
            Form::Tsv(has_names) => {
                self.lines(*has_names, "\t", "\n", &|text| text.replace('\t', "\\t").replace('\n', "\\n"))
            }
            Form::Text(has_names) => self.plain(*has_names),
            Form::Json => String::new(),
        }
    }

    fn lines(&self, has_names: bool, delimiter: &str, end: &str, escape: &dyn Fn(&str) -> String) -> String {
        let names = has_names.then(|| self.columns.iter().map(|(name, _)| escape(name)).collect::<Vec<_>>());
        let cells = |row: &Vec<Option<Value>>| -> Vec<String> {
            self.columns.iter().zip(row).map(|((_, kind), value)| escape(&kind.text(value.as_ref()))).collect()
        };
        let mut text = String::new();
        for line in names.into_iter().chain(self.rows.iter().map(cells)) {
            text.push_str(&line.join(delimiter));
            text.push_str(end);
        }
        text
    }

    fn plain(&self, has_names: bool) -> String {
        let cell = |((_, kind), value): (&(String, Kind), &Option<Value>)| match value {
            Some(value) => kind.text(Some(value)),
            None => "null".into(),
        };
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| self.columns.iter().zip(row).map(cell).collect()).collect();
        let length = |text: &str| text.chars().count();
        let width = |at: usize| {
            let of_rows = rows.iter().map(|row| length(&row[at])).max().unwrap_or(0);
            of_rows.max(length(&self.columns[at].0)).max(WIDTH_MIN)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let mut text = String::new();
        if has_names {
            let centred = |(name, width): (&str, &usize)| {
                let left = (width - length(name)) / 2;
                let right = width - length(name) - left;
                format!("{}{name}{}", " ".repeat(left), " ".repeat(right))
            };
            let names = self.columns.iter().map(|(name, _)| name.as_str()).zip(&widths).map(centred);
            text.push_str(&names.collect::<Vec<_>>().join("|"));
            text.push('\n');
            text.push_str(&widths.iter().map(|width| "-".repeat(*width)).collect::<Vec<_>>().join("+"));
            text.push('\n');
        }
        for row in &rows {
            let cells =
                row.iter().zip(&widths).map(|(cell, width)| format!("{cell}{}", " ".repeat(width - length(cell))));
            text.push_str(&cells.collect::<Vec<_>>().join("|"));
            text.push('\n');
        }
        text
    }
}
