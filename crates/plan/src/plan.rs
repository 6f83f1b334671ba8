//! The logical plan: what every dialect becomes, and all that execution knows of a query.
//!
//! A plan is a row of [`Operator`]s, each working on the rows that the one before it gives. Names are resolved,
//! functions are known, patterns are compiled and checked when a plan exists: running one can fail for lack of
//! memory or time or because data is damaged, never because the query was wrong.

use std::sync::Arc;

use chrono_tz::Tz;
use regex::Regex;
use serde::{Deserialize, Serialize};
use types::{GroupPattern, TimeRange, Timestamp, Value};

use crate::function::Function;
use crate::length::Length;
use crate::name::Name;
use crate::operator::{
    AddTotals, AggregateKind, ArithmeticOperator, Autoregress, Compare, Comparison, FillBuckets, Format, Outlier, Rank,
    Rows, Score, Sessionize,
};
use crate::template::Template;
use crate::text_pattern::TextPattern;
use crate::times::{Earlier, Times, earlier_range};
use crate::warning::Warning;

/// A checked and optimised query. [`PlanDraft`](crate::PlanDraft) makes one.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Groups named by the query itself (`source …`); empty means those of the request.
    pub sources: Vec<GroupPattern>,
    /// Times named by the query itself; see [`Plan::range`].
    pub times: Times,
    /// What happens to the rows, in order. The last one is always [`Operator::Project`].
    pub(crate) operators: Vec<Operator>,
    /// What the query's author should know, such as commands moved or without effect.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// Returns what happens to the rows, in order; the last operator is always [`Operator::Project`].
    pub fn operators(&self) -> &[Operator] {
        &self.operators
    }

    /// Returns the range of events to look at, where the request asks for `asked`.
    pub fn range(&self, asked: TimeRange, now: Timestamp, time_zone: Tz) -> TimeRange {
        self.times.range(asked, now, time_zone)
    }

    /// Returns the time that has to be there for the answer over `range`: longer where it is compared with an earlier
    /// one.
    pub fn reach(&self, range: TimeRange, time_zone: Tz) -> TimeRange {
        let earlier = self.operators.iter().find_map(|operator| match operator {
            Operator::Patterns(patterns) => patterns.earlier,
            Operator::Compare(compare) => Some(compare.earlier),
            _ => None,
        });
        let before = earlier.and_then(|earlier| earlier_range(earlier, range, time_zone));
        before.map_or(range, |before| TimeRange { from: before.from.min(range.from), to: range.to })
    }
}

/// One step over rows.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    #[serde(skip)]
    Sort(Vec<SortKey>),
    /// Keeps the first rows.
    #[serde(skip)]
    Limit(u64),
    /// Keeps the last rows.
    #[serde(skip)]
    Tail(u64),
    /// Keeps the first row of each combination of values; rows that miss one of the fields stay.
    #[serde(skip)]
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
    #[serde(skip)]
    Rank(Rank),
    /// Inserts rows for the spans of time in which there is none.
    #[serde(skip)]
    FillBuckets(FillBuckets),
    /// Brings texts together that are alike; the rows from here on are the patterns, most frequent first.
    #[serde(skip)]
    Patterns(Patterns),
    /// Puts next to the rows what the same operators give for an earlier time.
    #[serde(skip)]
    Compare(Compare),
    /// Says of each value of a series how unusual it is.
    #[serde(skip)]
    Score(Score),
    /// Gives the rows that miss one of the fields the value of the row before.
    #[serde(skip)]
    FillDown(Vec<Name>),
    /// Gives each row the columns of the first row of a table with the same keys; works row by row.
    #[serde(skip)]
    Lookup(Lookup),
    /// Puts each row together with the rows of another query that have the same keys.
    #[serde(skip)]
    Join(Join),
    /// Puts the columns of the first, second, … row of another query beside those of the first, second, … row.
    #[serde(skip)]
    AppendColumns(AppendColumns),
    /// Adds up the numbers of each row, of each column, or both.
    #[serde(skip)]
    AddTotals(AddTotals),
    /// Gives each row values that the rows before it have.
    #[serde(skip)]
    Autoregress(Autoregress),
    /// Numbers the sessions that rows belong to.
    #[serde(skip)]
    Sessionize(Sessionize),
    /// Cuts or takes away numbers that lie far outside.
    #[serde(skip)]
    Outlier(Outlier),
    /// The columns shown, in order. `is_events`: rows are still events, so each also carries its `@id`.
    #[serde(skip)]
    Project {
        /// Columns: the field or computed column, and the name it is shown under.
        columns: Vec<(Name, Expr)>,
        /// Whether rows are events rather than groups.
        is_events: bool,
    },
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

/// Columns of an uploaded table for rows that have the same keys. Keys are equal as in `=`; of several rows of the
/// table with the same keys the first one counts; rows without one stay, without values.
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

/// Takes fields out of a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parse {
    /// The text.
    pub text: Expr,
    /// How.
    pub method: ParseMethod,
}

/// Ways of taking fields out of a text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ParseMethod {
    /// Literals between stars: `literals.len() == names.len() + 1`; the first may start anywhere, each star is
    /// lazy, and a star at the very end takes the rest.
    Glob {
        /// What is between the stars.
        literals: Vec<String>,
        /// Names of the stars.
        names: Vec<Name>,
    },
    /// Named groups of a regular expression.
    Regex {
        /// The expression.
        #[serde(with = "crate::wire::regex")]
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

/// One aggregate of an aggregation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aggregate {
    /// The column it makes.
    pub name: Name,
    /// What is computed.
    pub kind: AggregateKind,
    /// Of what; `None` only for `count(*)`.
    pub argument: Option<Expr>,
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Expr {
    /// A constant; `None` is `null`.
    Literal(#[serde(with = "crate::wire::literal")] Option<Value>),
    /// A length of time, as `bin` and `datefloor` take it.
    Duration(Length),
    /// A compiled pattern; only ever an argument of `regexp_extract` and `regexp_replace`.
    Regex(#[serde(with = "crate::wire::regex")] Regex),
    /// A template; only ever the first argument of [`Function::Template`].
    Template(#[serde(with = "crate::wire::template")] Template),
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
    #[serde(skip)]
    InQuery(Box<Expr>, Arc<Plan>),
    /// Between two values, both included.
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// A function of values.
    Call(Function, Vec<Expr>),
}

/// Joins expressions to a tree of the least depth: long rows of `or` must not nest deeply.
pub fn balanced(mut exprs: Vec<Expr>, join: fn(Box<Expr>, Box<Expr>) -> Expr) -> Expr {
    while exprs.len() > 1 {
        let mut joined = Vec::with_capacity(exprs.len().div_ceil(2));
        let mut rest = exprs.into_iter();
        while let Some(left) = rest.next() {
            joined.push(match rest.next() {
                Some(right) => join(Box::new(left), Box::new(right)),
                None => left,
            });
        }
        exprs = joined;
    }
    exprs.pop().unwrap_or(Expr::Literal(Some(Value::Boolean(true))))
}

/// Returns the condition that a time lies in a half-open range.
pub fn within(time: Box<Expr>, from: i64, to: i64) -> Expr {
    let literal = |instant| Box::new(Expr::Literal(Some(Value::Timestamp(Timestamp(instant)))));
    let low = Expr::Compare(Comparison::GreaterOrEqual, time.clone(), literal(from));
    let high = Expr::Compare(Comparison::Less, time, literal(to));
    Expr::And(Box::new(low), Box::new(high))
}

/// Negates a condition.
pub fn not(condition: Expr) -> Expr {
    Expr::Not(Box::new(condition))
}
