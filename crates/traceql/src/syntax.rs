//! The syntax tree of a query, with the place of everything in the text that an error may name.

use plan::{ArithmeticOperator, Comparison, Span};
use regex::Regex;

use crate::field::Field;
use crate::literal::Literal;

/// A checked query.
#[derive(Clone, Debug)]
pub struct Query {
    /// The text that it was read from.
    pub(crate) text: String,
    pub(crate) pipeline: Pipeline,
    /// The function over time of the spans that the pipeline keeps.
    pub(crate) metric: Option<Metric>,
    /// Several metrics queries, in the place of a pipeline.
    pub(crate) arithmetic: Option<Arithmetic>,
    pub(crate) hints: Vec<Hint>,
}

/// Metrics queries and numbers, joined by arithmetic.
#[derive(Clone, Debug)]
pub(crate) enum Arithmetic {
    /// A number.
    Number(f64),
    /// A metrics query in brackets.
    Series(Box<Query>),
    /// `a + b`
    Binary(ArithmeticOperator, Box<Arithmetic>, Box<Arithmetic>),
    /// Stages after the result.
    Second(Box<Arithmetic>, Vec<SecondStage>),
}

impl Arithmetic {
    /// Calls `visit` for each metrics query, in the order of the text.
    pub(crate) fn visit_queries<'q>(&'q self, visit: &mut dyn FnMut(&'q Query)) {
        match self {
            Self::Number(_) => {}
            Self::Series(query) => visit(query),
            Self::Binary(_, left, right) => {
                left.visit_queries(visit);
                right.visit_queries(visit);
            }
            Self::Second(inner, _) => inner.visit_queries(visit),
        }
    }
}

/// A name and a value after `with`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hint {
    pub(crate) name: String,
    pub(crate) value: Literal,
    pub(crate) span: Span,
}

/// Stages, each working on the spansets of the one before.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pipeline {
    pub(crate) stages: Vec<Stage>,
}

/// One step over spansets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Selects spans of each spanset.
    Spansets(Spansets),
    /// Splits each spanset by a value of its spans.
    Group(Expression),
    /// Merges all spansets into one.
    Coalesce,
    /// Names fields for the answer; changes no spanset.
    Select(Vec<Field>),
    /// Keeps the spansets whose aggregate passes the comparison.
    Scalar { aggregate: Aggregate, comparison: Comparison, value: Literal },
}

/// A selection of spans.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Spansets {
    /// `{ … }`
    Filter(Expression),
    /// `( … )`
    Pipeline(Pipeline),
    /// Two selections related to each other.
    Combined(Box<Combined>),
}

/// Two selections related to each other.
#[derive(Clone, Debug)]
pub(crate) struct Combined {
    pub(crate) operator: SetOperator,
    pub(crate) left: Spansets,
    pub(crate) right: Spansets,
    /// The operator.
    pub(crate) span: Span,
}

/// Trees are equal whatever their places in the text.
impl PartialEq for Combined {
    fn eq(&self, other: &Self) -> bool {
        (self.operator, &self.left, &self.right) == (other.operator, &other.left, &other.right)
    }
}

/// An operator between selections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOperator {
    /// `&&`: the spans of both where neither is empty.
    And,
    /// `||`: the spans of both.
    Or,
    /// A relation between places in the tree.
    Related(Relation, Side),
}

types::named! {
    /// The relation of a span on the right to one on the left.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Relation {
        /// `>`
        Child = ">",
        /// `<`
        Parent = "<",
        /// `>>`
        Descendant = ">>",
        /// `<<`
        Ancestor = "<<",
        /// `~`
        Sibling = "~",
    }
}

/// Which spans a structural operator gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Those on the right with one on the left.
    Right,
    /// `!`: those on the right without one on the left.
    RightWithout,
    /// `&`: those of both sides that belong together.
    Both,
}

/// A function of a spanset.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) function: AggregateFunction,
    /// Its argument; `None` only for `count()`.
    pub(crate) argument: Option<Expression>,
    pub(crate) span: Span,
}

/// Trees are equal whatever their places in the text.
impl PartialEq for Aggregate {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.argument == other.argument
    }
}

types::named! {
    /// Functions of the spans of a spanset.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum AggregateFunction {
        Count = "count",
        Average = "avg",
        Min = "min",
        Max = "max",
        Sum = "sum",
    }
}

/// A function over time.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) function: MetricFunction,
    /// Fields whose values divide the spans into series.
    pub(crate) by: Vec<Field>,
    pub(crate) second: Vec<SecondStage>,
    pub(crate) span: Span,
}

/// Trees are equal whatever their places in the text.
impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        (&self.function, &self.by, &self.second) == (&other.function, &other.by, &other.second)
    }
}

/// Functions of spans over time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum MetricFunction {
    /// Spans per second.
    Rate,
    /// Spans.
    Count,
    /// The least, greatest, average or sum of the values of a field.
    Simple(AggregateFunction, Field),
    /// Quantiles between 0 and 1 of the values of a field.
    Quantile(Field, Vec<f64>),
    /// The number of values of a field in each range between powers of two.
    Histogram(Field),
    /// The number of times that each value occurs among selected spans and among the others.
    Compare { selection: Expression, most: u64, between: Option<(i64, i64)> },
}

/// A stage after a function over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SecondStage {
    /// Keeps the greatest values of each instant.
    Top(u64),
    /// Keeps the least values of each instant.
    Bottom(u64),
    /// Keeps the values that pass the comparison.
    Compare(Comparison, Threshold),
}

/// The other side of a comparison with a value of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Threshold {
    /// A number.
    Number(f64),
    /// Nanoseconds; the values are seconds.
    Duration(i64),
}

/// An expression of the fields of a span.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    pub(crate) kind: ExpressionKind,
    pub(crate) span: Span,
}

/// Trees are equal whatever their places in the text.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The forms of expressions.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ExpressionKind {
    Literal(Literal),
    Field(Field),
    /// `-x`
    Negate(Box<Expression>),
    /// `!x`
    Not(Box<Expression>),
    Binary(BinaryOperator, Box<Expression>, Box<Expression>),
    /// `x =~ "…"`, or with `true` `x !~ "…"`.
    Match(Box<Expression>, Pattern, bool),
    /// `x != nil`, or with `false` `x = nil`.
    Exists(Box<Expression>, bool),
}

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    And,
    Or,
    Compare(Comparison),
    Arithmetic(ArithmeticOperator),
}

/// A regular expression for whole texts.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    /// As it was written.
    pub(crate) source: String,
    pub(crate) regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Expression {
    /// Calls `visit` for each field of the expression, in the order of the text.
    pub(crate) fn visit_fields<'e>(&'e self, visit: &mut dyn FnMut(&'e Field)) {
        match &self.kind {
            ExpressionKind::Literal(_) => {}
            ExpressionKind::Field(field) => visit(field),
            ExpressionKind::Negate(inner)
            | ExpressionKind::Not(inner)
            | ExpressionKind::Match(inner, ..)
            | ExpressionKind::Exists(inner, _) => inner.visit_fields(visit),
            ExpressionKind::Binary(_, left, right) => {
                left.visit_fields(visit);
                right.visit_fields(visit);
            }
        }
    }
}

impl Pipeline {
    /// Calls `visit` for each field of the pipeline, in the order of the text.
    pub(crate) fn visit_fields<'e>(&'e self, visit: &mut dyn FnMut(&'e Field)) {
        for stage in &self.stages {
            match stage {
                Stage::Spansets(spansets) => spansets.visit_fields(visit),
                Stage::Group(by) => by.visit_fields(visit),
                Stage::Scalar { aggregate, .. } => aggregate.argument.iter().for_each(|of| of.visit_fields(visit)),
                Stage::Select(chosen) => chosen.iter().for_each(&mut *visit),
                Stage::Coalesce => {}
            }
        }
    }
}

impl Spansets {
    fn visit_fields<'e>(&'e self, visit: &mut dyn FnMut(&'e Field)) {
        match self {
            Self::Filter(condition) => condition.visit_fields(visit),
            Self::Pipeline(pipeline) => pipeline.visit_fields(visit),
            Self::Combined(combined) => {
                combined.left.visit_fields(visit);
                combined.right.visit_fields(visit);
            }
        }
    }
}

impl Metric {
    /// Returns the name of the function.
    pub(crate) fn name(&self) -> &'static str {
        match &self.function {
            MetricFunction::Rate => "rate",
            MetricFunction::Count => "count_over_time",
            MetricFunction::Simple(AggregateFunction::Min, _) => "min_over_time",
            MetricFunction::Simple(AggregateFunction::Max, _) => "max_over_time",
            MetricFunction::Simple(AggregateFunction::Average, _) => "avg_over_time",
            MetricFunction::Simple(..) => "sum_over_time",
            MetricFunction::Quantile(..) => "quantile_over_time",
            MetricFunction::Histogram(_) => "histogram_over_time",
            MetricFunction::Compare { .. } => "compare",
        }
    }
}
