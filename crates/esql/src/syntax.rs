//! The syntax tree of ES|QL, with the place of everything in the text.

use plan::{ArithmeticOperator, Comparison, Span};

/// A query.
#[derive(Clone, Debug)]
pub(super) struct Query {
    pub(super) source: Source,
    pub(super) commands: Vec<Command>,
}

/// Where the rows come from.
#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Events of indices, named by patterns.
    From { indices: Vec<Identifier>, metadata: Vec<Identifier> },
    /// One row.
    Row(Vec<Field>),
}

/// A name and its place.
#[derive(Clone, Debug)]
pub(super) struct Identifier {
    pub(super) name: String,
    pub(super) span: Span,
}

/// A command after the source.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Where(Expression),
    Eval(Vec<Field>),
    Stats { aggregates: Vec<(Field, Option<Expression>)>, groups: Vec<Field>, span: Span },
    Sort(Vec<Order>),
    Limit(u64),
    Keep(Vec<Pattern>),
    Drop(Vec<Pattern>),
    Rename(Vec<(Identifier, Identifier)>),
    Dissect { text: Expression, pattern: Identifier, separator: String },
    Grok { text: Expression, pattern: Identifier },
}

/// A column that an expression becomes.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Its name, where it was given one.
    pub(super) name: Option<Identifier>,
    pub(super) expression: Expression,
}

/// One key of a sort.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) expression: Expression,
    pub(super) descending: bool,
    /// Whether rows without a value come first; `None` is the default of the direction.
    pub(super) nulls_first: Option<bool>,
}

/// A name of columns that may contain stars.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// Literal parts; any text is between two of them.
    pub(super) literals: Vec<String>,
    pub(super) span: Span,
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    pub(super) node: Node,
    pub(super) span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Literal(Literal),
    /// `1 hour`
    Duration(i64, Unit),
    Name(String),
    Call {
        name: String,
        arguments: Vec<Expression>,
        has_star: bool,
        options: Vec<(String, Literal)>,
    },
    Cast(Box<Expression>, String),
    Negate(Box<Expression>),
    Arithmetic(ArithmeticOperator, Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
    IsNull(Box<Expression>, bool),
    Like {
        text: Box<Expression>,
        patterns: Vec<String>,
        is_regex: bool,
        is_negated: bool,
    },
    In {
        value: Box<Expression>,
        list: Vec<Expression>,
        is_negated: bool,
    },
    Matches(Box<Expression>, Literal),
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Boolean(bool),
    /// Whole numbers; `Integer` in ES|QL where 32 bits hold it.
    Whole(i64),
    Decimal(f64),
    Text(String),
    List(Vec<Literal>),
}

/// Units of lengths of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Milliseconds(i64),
    Days(i64),
    Months(i64),
}

impl Unit {
    /// Returns the unit of a name, in singular, plural or short.
    pub(super) fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "millisecond" | "milliseconds" | "ms" => Self::Milliseconds(1),
            "second" | "seconds" | "sec" | "s" => Self::Milliseconds(1_000),
            "minute" | "minutes" | "min" | "m" => Self::Milliseconds(60_000),
            "hour" | "hours" | "h" => Self::Milliseconds(3_600_000),
            "day" | "days" | "d" => Self::Days(1),
            "week" | "weeks" | "w" => Self::Days(7),
            "month" | "months" | "mo" => Self::Months(1),
            "quarter" | "quarters" | "q" => Self::Months(3),
            "year" | "years" | "yr" | "y" => Self::Months(12),
            _ => return None,
        })
    }
}
