//! What a page is made of: a board, and the answers of its panels' queries.

use chrono_tz::Tz;
use types::{Locale, TimeRange, Timestamp, Value};

use crate::document::Dashboard;
use crate::fill::Choices;

/// A board, and what its panels' queries returned.
#[derive(Debug)]
pub struct Page<'a> {
    /// The board.
    pub board: &'a Dashboard,
    /// What each panel shows, in the order of the board's panels.
    pub answers: &'a [PanelAnswer],
    /// What was chosen for the board's variables.
    pub choices: &'a Choices,
    /// The range that was asked for.
    pub range: TimeRange,
    /// When it was asked.
    pub at: Timestamp,
    /// The zone whose clock times are shown by.
    pub time_zone: Tz,
    /// The language of labels and messages.
    pub locale: Locale,
    /// Where the board itself is; none where nobody knows.
    pub url: Option<&'a str>,
}

/// What a panel shows.
#[derive(Clone, Debug)]
pub enum PanelAnswer {
    /// Answers of its queries, in their order; none of a text.
    Tables(Vec<Table>),
    /// Why there is no answer.
    Failed(String),
}

/// The answer of a query.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<TableColumn>,
    /// Its rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
    /// Whether there are more rows.
    pub is_cut: bool,
    /// What a reader should know: why rows may be missing.
    pub notes: Vec<String>,
    /// How much later its times are than the starts of the bins that they belong to, in ms: the width of a bin for series at the
    /// ends of bins.
    pub lag_ms: i64,
}

/// A column of an answer.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: TableKind,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableKind {
    /// Instants.
    Time,
    /// Numbers.
    Number,
    /// Names, also where they are numbers.
    Name,
    /// Several of these, or nothing is known.
    Any,
}
