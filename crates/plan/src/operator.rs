//! Operators and their settings as far as they hold no expressions.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use types::Value;

use crate::length::Length;
use crate::name::Name;
use crate::times::Earlier;

/// The most or least frequent groups. Equal counts go by value.
#[derive(Clone, Debug)]
pub struct Rank {
    /// Columns within whose values the groups are ranked apart.
    pub by: Vec<Name>,
    /// Columns whose values are ranked; groups that miss one of them only count as part of all.
    pub fields: Vec<Name>,
    /// The column with how many rows each group has.
    pub count: Name,
    /// The new column with the share of all of them, 0 to 1.
    pub share: Name,
    /// How many groups are kept for each value of `by`.
    pub most: u64,
    /// Whether the least frequent ones are.
    pub rarest_first: bool,
}

/// The column with a list of counts over time: for each span its start and the count, as a list of two.
pub const COUNTS_COLUMN: &str = "@counts";

/// Columns next to it: times of the first and of the last event, the first one's id, and what holds for the events as
/// text of the query language, of the most frequent patterns.
pub const END_COLUMNS: [&str; 4] = ["@first", "@last", "@firstId", "@condition"];

/// Columns of patterns.
pub const PATTERN_COLUMNS: [&str; 6] =
    ["@pattern", "@ratio", "@sampleCount", "@severityLabel", "@patternId", "@sample"];

/// Columns that comparing counts with earlier ones adds.
pub const CHANGE_COLUMNS: [&str; 3] = ["@previous", "@difference", "@description"];

/// Columns that say how unusual something is.
pub const SCORE_COLUMNS: [&str; 4] = ["@score", "@lower", "@upper", "@reason"];

/// Rows beside those of an earlier time.
#[derive(Clone, Debug)]
pub struct Compare {
    /// Which one.
    pub earlier: Earlier,
    /// Columns that say which rows belong together.
    pub keys: Vec<Name>,
    /// The one of these that holds times, which are moved, and how long a span of time is.
    pub time: Option<(Name, Length)>,
    /// Columns compared, and whether they count events; with several, the names of the new columns end in theirs.
    pub values: Vec<(Name, bool)>,
}

impl Compare {
    /// Returns the new columns for one of the values, in the order of [`CHANGE_COLUMNS`].
    pub fn columns_of(&self, value: &str) -> [Name; 3] {
        CHANGE_COLUMNS.map(|name| if self.values.len() == 1 { name.into() } else { format!("{name}.{value}").into() })
    }
}

/// How unusual the values of series are.
#[derive(Clone, Debug)]
pub struct Score {
    /// The column with the start of each span of time.
    pub time: Name,
    /// How long a span is.
    pub span: Length,
    /// Columns whose combinations of values are the series.
    pub series: Vec<Name>,
    /// Columns with values, and whether they count events.
    pub values: Vec<(Name, bool)>,
}

/// Rows for the spans of time, within the range of the query, in which a series has none.
#[derive(Clone, Debug)]
pub struct FillBuckets {
    /// The column with the start of each span.
    pub time: Name,
    /// How long a span is.
    pub span: Length,
    /// Columns whose combinations of values are the series; every one that occurs is filled.
    pub series: Vec<Name>,
    /// What the columns of new rows hold; others are missing.
    pub values: Vec<(Name, Value)>,
    /// How much earlier the events are than the times that are shown; see [`Times::offset`].
    pub offset: Option<Length>,
}

/// Rows in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<Name>,
    /// The rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
}

impl Rows {
    /// Reports whether a column holds a time.
    pub fn has_times(&self, column: usize) -> bool {
        self.rows.iter().any(|row| matches!(row.get(column), Some(Some(Value::Timestamp(_)))))
    }
}

/// Sums of rows and columns. What is no number counts as nothing; without any number there is no sum.
#[derive(Clone, Debug)]
pub struct AddTotals {
    /// Columns that are added up.
    pub fields: Vec<Name>,
    /// The new column with the sum of each row.
    pub row: Option<Name>,
    /// A last row with the sum of each column.
    pub column: Option<ColumnTotals>,
}

/// The row with the sums of columns.
#[derive(Clone, Debug)]
pub struct ColumnTotals {
    /// The field that says what this row is.
    pub label_field: Option<Name>,
    /// What it says.
    pub label: Name,
}

/// Values of the rows before.
#[derive(Clone, Debug)]
pub struct Autoregress {
    /// The field whose values they are.
    pub field: Name,
    /// New fields, each with how many rows before the value stands, at least 1.
    pub lags: Vec<(Name, usize)>,
}

/// Sessions: rows of the same identity, none of which is further from the next one than a length of time.
#[derive(Clone, Debug)]
pub struct Sessionize {
    /// Fields that make up an identity; rows that miss one belong to no session.
    pub fields: Vec<Name>,
    /// The longest pause inside a session.
    pub pause: Length,
    /// The new field: the number of the session, from 1, in order of their beginnings.
    pub name: Name,
}

/// Numbers beyond the quartiles by more than so many times their distance.
#[derive(Clone, Debug)]
pub struct Outlier {
    /// Columns that are looked at, each by itself.
    pub fields: Vec<Name>,
    /// How many distances of the quartiles a number may lie outside.
    pub factor: f64,
    /// Whether small numbers are looked at too.
    pub uses_lower: bool,
    /// Whether rows are taken away; else the numbers become the limit.
    pub removes: bool,
    /// Per column of `fields` a new one that says whether the number lay outside; empty where no one asked.
    pub marks: Vec<Name>,
}

types::named! {
    /// How a text is written that names its own fields.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum Format {
        /// An object's members become fields with their JSON types.
        Json = "json",
        /// `key=value` pairs become text fields.
        Logfmt = "logfmt",
        /// An access log in the common format.
        CommonLog = "clf",
        /// An access log in the combined format.
        CombinedLog = "combined",
        /// A syslog message of RFC 5424 or RFC 3164.
        Syslog = "syslog",
        /// A VPC flow log of version 2.
        VpcFlowLog = "vpc",
    }
}

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum AggregateKind {
    /// How many rows (that have the argument).
    Count,
    /// How many distinct values.
    CountDistinct,
    /// Sum of numbers.
    Sum,
    /// Mean of numbers.
    Average,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Percentile, 0 to 100.
    Percentile(#[serde(with = "crate::wire::decimal")] f64),
    /// How many numbers lie in each of so many ranges of equal width.
    Histogram(usize),
    /// Standard deviation of a sample.
    StandardDeviation,
    /// Variance of a sample.
    Variance,
    /// Value of the first row that has one, in row order.
    First,
    /// Value of the last row that has one, in row order.
    Last,
    /// Value of the earliest row by `@timestamp`.
    Earliest,
    /// Value of the latest row by `@timestamp`.
    Latest,
    /// Distinct values in sort order, at most so many.
    Values(Option<usize>),
    /// All values in row order.
    List,
    /// Most frequent value.
    Mode,
}

impl AggregateKind {
    /// Reports whether an aggregate depends on the order in which rows come.
    pub fn depends_on_order(self) -> bool {
        matches!(self, Self::First | Self::Last | Self::List)
    }

    /// Reports whether an aggregate asks for the places of rows.
    pub fn needs_places(self) -> bool {
        matches!(
            self,
            Self::First | Self::Last | Self::Earliest | Self::Latest | Self::List | Self::Values(_) | Self::Mode
        )
    }
}

types::named! {
    /// Comparison operators.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    pub enum Comparison {
        /// `=`
        Equal = "=",
        /// `!=`
        NotEqual = "!=",
        /// `<`
        Less = "<",
        /// `<=`
        LessOrEqual = "<=",
        /// `>`
        Greater = ">",
        /// `>=`
        GreaterOrEqual = ">=",
    }
}

impl Comparison {
    /// Reports whether it holds for values in an order.
    #[inline]
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }

    /// Reports whether it holds for values that may have no order; such are not equal.
    #[inline]
    pub fn holds_for(self, order: Option<Ordering>) -> bool {
        order.map_or(self == Self::NotEqual, |order| self.holds(order))
    }

    /// Returns the one that says the same with its sides swapped.
    pub fn swapped(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            symmetric => symmetric,
        }
    }
}

types::named! {
    /// Arithmetic operators.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub enum ArithmeticOperator {
        /// `+`
        Add = "+",
        /// `-`
        Subtract = "-",
        /// `*`
        Multiply = "*",
        /// `/`
        Divide = "/",
        /// `%`
        Remainder = "%",
        /// `^`
        Power = "^",
    }
}
