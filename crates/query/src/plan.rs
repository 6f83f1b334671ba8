//! The logical plan: what every dialect becomes, and all that execution knows of a query.
//!
//! A plan is a row of [`Operator`]s, each working on the rows that the one before it gives. Names are resolved,
//! functions are known, patterns are compiled and checked when a plan exists: running one can fail for lack of
//! memory or time or because data is damaged, never because the query was wrong.

use std::sync::Arc;

use regex::Regex;
use types::{GroupPattern, Value};

use crate::function::Function;

/// A field or column name.
pub type Name = Arc<str>;

/// A checked query.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Groups named by the query itself (`source …`); empty means those of the request.
    pub sources: Vec<GroupPattern>,
    /// What happens to the rows, in order. The last one is always [`Operator::Project`].
    pub operators: Vec<Operator>,
    /// What the query's author should know, such as commands moved or without effect.
    pub warnings: Vec<Warning>,
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
    },
    /// Of groups with a count, keeps the most or least frequent ones and says which share of all they are.
    Rank(Rank),
    /// Inserts rows for the spans of time in which there is none.
    FillBuckets(FillBuckets),
    /// Gives the rows that miss one of the fields the value of the row before.
    FillDown(Vec<Name>),
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
    /// An object's members become fields with their JSON types, under `prefix.` where there is one.
    Json {
        /// Put before each name.
        prefix: Option<Name>,
    },
    /// `key=value` pairs become text fields.
    Logfmt {
        /// Put before each name.
        prefix: Option<Name>,
    },
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
            Self::Literal(_) | Self::Duration(_) | Self::Regex(_) => {}
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
