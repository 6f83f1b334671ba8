//! What a page is made of: a board, the answers of its panels' queries, and what draws them.

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
    /// What draws the panels.
    pub program: &'a Program<'a>,
}

/// The program that draws the panels of a page: the page's own code, built into one script.
#[derive(Debug)]
pub struct Program<'a> {
    /// The script. It must not contain what ends its element.
    pub script: &'a str,
    /// The SHA-256 of the script, in base64.
    pub digest: &'a str,
    /// The style sheet of the panels and the frame.
    pub style: &'a str,
    /// Its texts in the page's language, as a JSON object by the English ones.
    pub texts: &'a str,
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
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
    /// Whether there are more rows.
    pub is_cut: bool,
    /// What a reader should know: why rows may be missing.
    pub notes: Vec<String>,
    /// The answer as a JSON object, as the API gives it, and how it was asked for: `query`, the text with the values of
    /// variables; `step`, the distance of instants in ms; `ends`, how much later times are than the starts of the bins that they
    /// belong to, in ms.
    pub json: String,
}
