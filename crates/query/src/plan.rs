//! The logical plan: what every dialect becomes, and all that execution knows of a query.
//!
//! A plan is a row of [`Operator`]s, each working on the rows that the one before it gives. Names are resolved,
//! functions are known, patterns are compiled and checked when a plan exists: running one can fail for lack of
//! memory or time or because data is damaged, never because the query was wrong.

mod alternatives;

use std::sync::Arc;

use chrono_tz::Tz;
use regex::Regex;
use types::{GroupPattern, TimeRange, Timestamp, Value};

use crate::function::Function;
use crate::template::Template;
pub use crate::words::{Word, Words};
pub use alternatives::Alternatives;

/// A field or column name.
pub type Name = Arc<str>;

/// A checked query.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Groups named by the query itself (`source …`); empty means those of the request.
    pub sources: Vec<GroupPattern>,
    /// Times named by the query itself; see [`Plan::range`].
    pub times: Times,
    /// What happens to the rows, in order. The last one is always [`Operator::Project`].
    pub operators: Vec<Operator>,
    /// What the query's author should know, such as commands moved or without effect.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// The range of events to look at, where the request asks for `asked`.
    pub fn range(&self, asked: TimeRange, now: Timestamp, time_zone: Tz) -> TimeRange {
        self.times.range(asked, now, time_zone)
    }

    /// The time that has to be there for the answer over `range`: longer where it is compared with an earlier one.
    pub fn reach(&self, range: TimeRange, time_zone: Tz) -> TimeRange {
        let earlier = self.operators.iter().find_map(|operator| match operator {
            Operator::Patterns(patterns) => patterns.earlier,
            Operator::Compare(compare) => Some(compare.earlier),
            _ => None,
        });
        let before = earlier.and_then(|earlier| crate::execute::earlier_range(earlier, range, time_zone));
        before.map_or(range, |before| TimeRange { from: before.from.min(range.from), to: range.to })
    }
}

/// What a query itself says about the times of the events that it looks at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// `start=` of `source`, as it was written: `-1d` is meant from when the query runs.
    pub start: Option<Name>,
    /// `end=` of `source`; an event of this instant belongs to the range.
    pub end: Option<Name>,
    /// How much earlier than asked for the events are that are shown (`stats … offset 1d`).
    pub offset: Option<Span>,
}

impl Times {
    /// The range in place of the one asked for.
    pub fn range(&self, asked: TimeRange, now: Timestamp, time_zone: Tz) -> TimeRange {
        let at = |text: &Name| crate::time::parse(text, now, time_zone).ok();
        let from = self.start.as_ref().and_then(at).unwrap_or(asked.from);
        let end = self.end.as_ref().and_then(at);
        let to = end.map_or(asked.to, |end| Timestamp(end.0.saturating_add(1)));
        // A side that is open stays open.
        let earlier = |time: Timestamp| match self.offset {
            Some(span) if !matches!(time.0, i64::MIN | i64::MAX) => {
                crate::execute::earlier(time_zone, time.0, span).map_or(time, Timestamp)
            }
            _ => time,
        };
        // Never a range that ends before it begins.
        TimeRange { from: earlier(from), to: earlier(to.max(from)) }
    }
}

/// Something the author of a query should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Stable code, `kebab-case`.
    pub code: &'static str,
    /// What is so, in one sentence.
    pub message: String,
    /// Line of the text concerned, from 1.
    pub line: Option<usize>,
    /// Column of the text concerned in code points, from 1.
    pub column: Option<usize>,
    /// What to write instead.
    pub hint: Option<String>,
}

/// One step over rows.
#[derive(Clone, Debug)]
pub enum Operator {
    /// Keeps the rows for which the expression is true.
    Filter(Expr),
    /// Gives each row the field `name`, computed; a field of that name is hidden from then on.
    Extend {
        /// The new field.
        name: Name,
        /// Its value.
        expr: Expr,
    },
    /// Adds fields taken out of a text.
    Parse(Parse),
    /// Groups rows and computes aggregates; the rows from here on are the groups.
    Aggregate {
        /// Group columns; without any there is exactly one row.
        by: Vec<(Name, Expr)>,
        /// Aggregates.
        aggregates: Vec<Aggregate>,
    },
    /// Orders the rows; ties keep their order.
    Sort(Vec<SortKey>),
    /// Keeps the first rows.
    Limit(u64),
    /// Keeps the last rows.
    Tail(u64),
    /// Keeps the first row of each combination of values; rows that miss one of the fields stay.
    Dedup(Vec<Name>),
    /// Gives one row for each element of a list, which becomes the field `name`: none for an empty list or a missing
    /// value, one for a value that is no list.
    Unnest {
        /// The list.
        list: Expr,
        /// The element's name.
        name: Name,
        /// How many elements of a list are taken; `None` is all.
        most: Option<u64>,
    },
    /// Of groups with a count, keeps the most or least frequent ones and says which share of all they are.
    Rank(Rank),
    /// Inserts rows for the spans of time in which there is none.
    FillBuckets(FillBuckets),
    /// Brings texts together that are alike; the rows from here on are the patterns, most frequent first.
    Patterns(Patterns),
    /// Puts beside the rows what the same operators give for an earlier time.
    Compare(Compare),
    /// Says of each value of a series how unusual it is.
    Score(Score),
    /// Gives the rows that miss one of the fields the value of the row before.
    FillDown(Vec<Name>),
    /// Gives each row the columns of the first row of a table with the same keys; works row by row.
    Lookup(Lookup),
    /// Puts each row together with the rows of another query that have the same keys.
    Join(Join),
    /// Puts the columns of the first, second, … row of another query beside those of the first, second, … row.
    AppendColumns(AppendColumns),
    /// Adds up the numbers of each row, of each column, or both.
    AddTotals(AddTotals),
    /// Gives each row values that the rows before it have.
    Autoregress(Autoregress),
    /// Numbers the sessions that rows belong to.
    Sessionize(Sessionize),
    /// Cuts or takes away numbers that lie far outside.
    Outlier(Outlier),
    /// The columns shown, in order. `is_events`: rows are still events, so each also carries its `@id`.
    Project {
        /// Columns: the field or computed column, and the name it is shown under.
        columns: Vec<(Name, Expr)>,
        /// Whether rows are events rather than groups.
        is_events: bool,
    },
}

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

/// Patterns of texts.
#[derive(Clone, Debug)]
pub struct Patterns {
    /// The texts; rows without one belong to no pattern. Of `@message` the field `message` or `msg` is taken where
    /// there is one.
    pub text: Expr,
    /// The time that counts are compared with.
    pub earlier: Option<Earlier>,
    /// Whether it is said how unusual each pattern's counts are over time.
    pub is_scored: bool,
    /// Whether the counts over time are shown, each of about so many nanoseconds, in a column [`COUNTS_COLUMN`].
    pub counts: Option<i64>,
}

/// The column with a list of counts over time: for each span its start and the count, as a list of two.
pub const COUNTS_COLUMN: &str = "@counts";

/// Columns beside it: times of the first and of the last event, the first one's id, and what holds for the events as text
/// of the query language, of the most frequent patterns.
pub const END_COLUMNS: [&str; 4] = ["@first", "@last", "@firstId", "@condition"];

/// Columns of patterns.
pub const PATTERN_COLUMNS: [&str; 6] =
    ["@pattern", "@ratio", "@sampleCount", "@severityLabel", "@patternId", "@sample"];

/// Columns that comparing counts with earlier ones adds.
pub const CHANGE_COLUMNS: [&str; 3] = ["@previous", "@difference", "@description"];

/// Columns that say how unusual something is.
pub const SCORE_COLUMNS: [&str; 4] = ["@score", "@lower", "@upper", "@reason"];

/// Which time something is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// The time of the same length just before.
    Preceding,
    /// So much before.
    Shift(Span),
}

/// Rows beside those of an earlier time.
#[derive(Clone, Debug)]
pub struct Compare {
    /// Which one.
    pub earlier: Earlier,
    /// Columns that say which rows belong together.
    pub keys: Vec<Name>,
    /// The one of these that holds times, which are moved, and how long a span of time is.
    pub time: Option<(Name, Span)>,
    /// Columns compared, and whether they count events; with several, the names of the new columns end in theirs.
    pub values: Vec<(Name, bool)>,
}

impl Compare {
    /// The new columns for one of the values, in the order of [`CHANGE_COLUMNS`].
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
    pub span: Span,
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
    pub span: Span,
    /// Columns whose combinations of values are the series; every one that occurs is filled.
    pub series: Vec<Name>,
    /// What the columns of new rows hold; others are missing.
    pub values: Vec<(Name, Value)>,
    /// How much earlier the events are than the times that are shown; see [`Times::offset`].
    pub offset: Option<Span>,
}

/// Rows that come from somewhere else. Before a plan runs, queries and tables have become rows.
#[derive(Clone, Debug)]
pub enum Other {
    /// Those of a query, over the groups that it names, else those of the request; in the range of the request, unless
    /// the query names its own.
    Query(Arc<Plan>),
    /// Those of the uploaded table of this name.
    Table(Name),
    /// These.
    Rows(Arc<Rows>),
}

/// Rows in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<Name>,
    /// The rows, each with a value or none per column.
    pub rows: Vec<Vec<Option<Value>>>,
}

/// Columns of an uploaded table for rows that have the same keys. Keys are equal as in `=`; of several rows of the table
/// with the same keys the first one counts; rows without one stay, without values.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The table: [`Other::Table`], then [`Other::Rows`].
    pub table: Other,
    /// Columns of the table and what they must be equal to.
    pub keys: Vec<(Name, Expr)>,
    /// Columns of the table and the fields that they become.
    pub columns: Vec<(Name, Name)>,
}

/// Rows put together with those of another query.
#[derive(Clone, Debug)]
pub struct Join {
    /// Whether rows without a partner stay.
    pub keeps_all: bool,
    /// What must be equal, as in `=`: a field of the row, a column of the other query. Missing is equal to nothing.
    pub keys: Vec<(Name, Name)>,
    /// Columns of the other query and the fields that they become.
    pub columns: Vec<(Name, Name)>,
    /// The other query: [`Other::Query`], then [`Other::Rows`].
    pub other: Other,
}

/// Columns of another query beside those of the rows, by the places of the rows.
#[derive(Clone, Debug)]
pub struct AppendColumns {
    /// Columns of the other query and the fields that they become.
    pub columns: Vec<(Name, Name)>,
    /// How many rows of the other query are used.
    pub most: u64,
    /// The other query: [`Other::Query`], then [`Other::Rows`].
    pub other: Other,
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
    pub pause: Span,
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
    /// Per column of `fields` a new one that says whether the number lay outside; empty where nobody asked.
    pub marks: Vec<Name>,
}

/// Takes fields out of a text.
#[derive(Clone, Debug)]
pub struct Parse {
    /// The text.
    pub text: Expr,
    /// How.
    pub method: ParseMethod,
}

/// Ways of taking fields out of a text.
#[derive(Clone, Debug)]
pub enum ParseMethod {
    /// Literals between stars: `literals.len() == names.len() + 1`; the first may start anywhere, each star is
    /// lazy, and a star at the very end takes the rest.
    Glob {
        /// What stands between the stars.
        literals: Vec<String>,
        /// Names of the stars.
        names: Vec<Name>,
    },
    /// Named groups of a regular expression.
    Regex {
        /// The expression.
        regex: Regex,
        /// Group names that become fields, with the group's index.
        names: Vec<(Name, usize)>,
    },
    /// What the format names becomes fields, under `prefix.` where there is one.
    Format {
        /// How the text is written.
        format: Format,
        /// Put before each name.
        prefix: Option<Name>,
    },
}

/// How a text is written that names its own fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// An object's members become fields with their JSON types.
    Json,
    /// `key=value` pairs become text fields.
    Logfmt,
    /// An access log in the common format.
    CommonLog,
    /// An access log in the combined format.
    CombinedLog,
    /// A syslog message of RFC 5424 or RFC 3164.
    Syslog,
    /// A VPC flow log of version 2.
    VpcFlowLog,
}

/// The formats by the names that a query calls them by.
pub const FORMATS: [(&str, Format); 6] = [
    ("json", Format::Json),
    ("logfmt", Format::Logfmt),
    ("clf", Format::CommonLog),
    ("combined", Format::CombinedLog),
    ("syslog", Format::Syslog),
    ("vpc", Format::VpcFlowLog),
];

impl Format {
    /// The name that a query calls it by.
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// One aggregate of an aggregation.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The column it makes.
    pub name: Name,
    /// What is computed.
    pub kind: AggregateKind,
    /// Of what; `None` only for `count(*)`.
    pub argument: Option<Expr>,
}

/// What an aggregate computes.
#[derive(Clone, Copy, Debug, PartialEq)]
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
    Percentile(f64),
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

/// One key of a sort.
#[derive(Clone, Debug)]
pub struct SortKey {
    /// What is compared.
    pub expr: Expr,
    /// Greatest first; missing values are last either way.
    pub descending: bool,
}

/// An expression over the fields of a row.
#[derive(Clone, Debug)]
pub enum Expr {
    /// A constant; `None` is `null`.
    Literal(Option<Value>),
    /// A length of time, as `bin` and `datefloor` take it.
    Duration(Span),
    /// A compiled pattern; only ever an argument of `regexp_extract` and `regexp_replace`.
    Regex(Regex),
    /// A template; only ever the first argument of [`Function::Template`].
    Template(Template),
    /// A field's value.
    Field(Name),
    /// `-x`.
    Negate(Box<Expr>),
    /// `not x`: true where `x` is not true.
    Not(Box<Expr>),
    /// Both true.
    And(Box<Expr>, Box<Expr>),
    /// One true.
    Or(Box<Expr>, Box<Expr>),
    /// A comparison; false where a side is missing (`NotEqual` is the exact complement of `Equal`).
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Arithmetic; missing where a side is missing or no number.
    Arithmetic(ArithmeticOperator, Box<Expr>, Box<Expr>),
    /// A text holds a substring or matches a regular expression.
    Match(Box<Expr>, TextPattern),
    /// Equal to one of the elements.
    In(Box<Expr>, Vec<Expr>),
    /// Equal to one of the values that the only column of another query has. Must be answered before the query runs.
    InQuery(Box<Expr>, Arc<Plan>),
    /// Between two values, both included.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function of values.
    Call(Function, Vec<Expr>),
}

impl Expr {
    /// Calls `visit` for every field that the expression reads, in the order of the text.
    pub fn visit_fields(&self, visit: &mut dyn FnMut(&Name)) {
        match self {
            Self::Literal(_) | Self::Duration(_) | Self::Regex(_) | Self::Template(_) => {}
            Self::Field(name) => visit(name),
            Self::Negate(operand) | Self::Not(operand) | Self::Match(operand, _) | Self::InQuery(operand, _) => {
                operand.visit_fields(visit)
            }
            Self::And(left, right)
            | Self::Or(left, right)
            | Self::Compare(_, left, right)
            | Self::Arithmetic(_, left, right) => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
            Self::In(value, items) => {
                value.visit_fields(visit);
                items.iter().for_each(|item| item.visit_fields(visit));
            }
            Self::Between(value, low, high) => [value, low, high].into_iter().for_each(|part| part.visit_fields(visit)),
            Self::Call(_, arguments) => arguments.iter().for_each(|argument| argument.visit_fields(visit)),
        }
    }
}

/// What a text is matched against.
#[derive(Clone, Debug)]
pub enum TextPattern {
    /// Holds this text, upper and lower case told apart.
    Substring(String),
    /// Matches this regular expression somewhere.
    Regex(Regex),
    /// Holds these words one after the other as whole words, whatever their case. Words are as they were written,
    /// cut at white space: `10.1.2.3` is one.
    Phrase(Vec<String>),
    /// One of many: all of them substrings, or all phrases.
    OneOf(Arc<Alternatives>),
    /// Has these words one after the other, as Elasticsearch's standard analyser finds words. A number has one, itself.
    Words(Words),
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Arithmetic operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
    /// `^`
    Power,
}

/// A length of time: fixed nanoseconds, or calendar months.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Nanoseconds, above 0.
    Nanoseconds(i64),
    /// Calendar months, above 0 (a quarter is 3, a year 12).
    Months(u32),
}
