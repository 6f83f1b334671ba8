//! The document of a dashboard, as it is sent, kept and written to files.

use language::Language;
use serde::{Deserialize, Serialize};

/// Columns of the grid.
pub const COLUMNS: u32 = 24;

/// A dashboard: panels on a grid, over one range of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// What people call it.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// The range that it opens with.
    #[serde(default)]
    pub range: Range,
    /// The distance of refreshes, as `30s`; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<String>,
    /// Values that queries, titles and texts name as `$name`, in the order in which they are chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Variable>,
    /// The panels, in the order in which they are read.
    #[serde(default)]
    pub panels: Vec<Panel>,
}

/// A range of time, as it is typed: `now-24h` to `now`, or instants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// Its beginning.
    pub from: String,
    /// Its end.
    #[serde(default = "now")]
    pub to: String,
}

/// A value that is chosen: of a list, or of what a query returns in its first column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Its name in queries, without the `$`.
    pub name: String,
    /// What people read; absent: the name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
    /// The values; only without a query.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The query whose first column has the values; it may name variables that stand before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The query's language.
    #[serde(default, skip_serializing_if = "is_insights")]
    pub language: Language,
    /// The groups that the query reads; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Whether several values may be chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// Whether *all* may be chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub all: bool,
    /// What is chosen at first; none: all where that may be chosen, else the first value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub default: Vec<String>,
}

/// A picture of what queries return.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Tells it from the others.
    pub id: String,
    /// What people read above it.
    #[serde(default)]
    pub title: String,
    /// How it is drawn.
    pub kind: PanelKind,
    /// Its first column, 0 to 23.
    pub x: u32,
    /// Its first row.
    pub y: u32,
    /// Its columns.
    pub w: u32,
    /// Its rows, of 30 pixels each.
    pub h: u32,
    /// What it asks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub queries: Vec<PanelQuery>,
    /// Arithmetic over the ids of its queries, point by point: `a / b * 100`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What its numbers are, as `bytes` or `ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Decimals of its numbers; absent: as many as they need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Values from which on a number is worth a colour.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// Whether series are put on top of each other.
    #[serde(default, skip_serializing_if = "is_false")]
    pub stack: bool,
    /// The scale of its values.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale: Scale,
    /// What is drawn where there is no value.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nulls: Nulls,
    /// Where its legend is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub legend: Legend,
    /// Numbers of each series in the legend.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub legend_values: Vec<LegendValue>,
    /// The text of a panel of that kind, in Markdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The section that it belongs to; sections are in the order of their first panels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// Where its title leads: a path of the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// One query of a panel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PanelQuery {
    /// Its name in the panel's expression; absent: `a` for the first, `b` for the second, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its text.
    pub query: String,
    /// Its language.
    #[serde(default, skip_serializing_if = "is_insights")]
    pub language: Language,
    /// The groups that it reads; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What its series are called: a text in which `{label}` is the value of a label or column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A value from which on numbers have a level's colour and word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// The lowest value that is meant.
    pub value: f64,
    /// The level.
    pub level: Grade,
}

/// How good or bad a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// All is well.
    Ok,
    /// Nothing to worry about.
    Info,
    /// Somebody should look.
    Warn,
    /// Something is wrong.
    Error,
    /// Something is badly wrong.
    Fatal,
}

/// How a panel is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PanelKind {
    /// Lines over time.
    #[default]
    Line,
    /// Areas over time.
    Area,
    /// Bars, over time or by name.
    Bar,
    /// Shares of a whole.
    Pie,
    /// One number, with its course.
    Number,
    /// Rows and columns.
    Table,
    /// Events.
    Logs,
    /// A text.
    Text,
    /// Counts by time and value.
    Heatmap,
    /// The service map.
    Map,
}

/// The scale of a panel's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Equal distances are equal differences.
    #[default]
    Linear,
    /// Equal distances are equal ratios.
    Log,
}

/// What is drawn where there is no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Nulls {
    /// Nothing.
    #[default]
    Gap,
    /// Zero.
    Zero,
    /// A line to the next value.
    Connect,
}

/// Where a panel's legend is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Legend {
    /// Below.
    #[default]
    Bottom,
    /// At the right.
    Right,
    /// Nowhere.
    None,
}

/// A number of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegendValue {
    /// Its last value.
    Last,
    /// Its largest value.
    Max,
    /// Its smallest value.
    Min,
    /// The mean of its values.
    Mean,
    /// The sum of its values.
    Sum,
}

impl Default for Range {
    fn default() -> Self {
        Self { from: "now-24h".to_owned(), to: now() }
    }
}

fn is_insights(language: &Language) -> bool {
    *language == Language::Insights
}

impl Panel {
    /// Returns the name of a query in the panel's expression.
    pub fn query_id(&self, at: usize) -> String {
        let given = self.queries.get(at).and_then(|query| query.id.clone());
        given.unwrap_or_else(|| char::from_digit(10 + at as u32, 36).unwrap_or('z').to_string())
    }
}

fn now() -> String {
    "now".to_owned()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
