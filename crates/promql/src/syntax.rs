//! The checked tree of a query.

use std::ops::Range;
use std::sync::Arc;

use crate::function::{Function, Kind};
use crate::matcher::Matcher;

/// Bytes of the text.
pub(crate) type Span = Range<usize>;

/// An expression with its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) expr: Expr,
    pub(crate) span: Span,
}

/// A fixed evaluation time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// ms since the epoch.
    Time(i64),
    /// Start of the query.
    Start,
    /// End of the query.
    End,
}

/// What a selector yields at the ends of its range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Edges {
    /// The samples in the range.
    #[default]
    Inside,
    Anchored,
    Smoothed,
}

/// `offset` (ms), `@`, and `anchored` or `smoothed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shift {
    pub(crate) offset: i64,
    pub(crate) at: Option<At>,
    pub(crate) edges: Edges,
}

impl Shift {
    /// Returns how far before and after its range a selector needs samples, ms.
    pub(crate) fn margins(self, lookback: i64) -> (i64, i64) {
        match self.edges {
            Edges::Inside => (0, 0),
            Edges::Anchored => (lookback, 0),
            Edges::Smoothed => (lookback, lookback),
        }
    }
}

impl Edges {
    /// Returns the modifier, with the functions that may be applied to a range with it.
    pub(crate) fn modifier(self) -> Option<(&'static str, &'static [&'static str])> {
        match self {
            Self::Inside => None,
            Self::Anchored => Some(("anchored", &["changes", "delta", "increase", "rate", "resets"])),
            Self::Smoothed => Some(("smoothed", &["delta", "increase", "rate"])),
        }
    }
}

/// `name{…}` with its shift.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
}

/// `by` or `without` of an aggregation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Grouping {
    pub(crate) labels: Vec<Arc<str>>,
    pub(crate) without: bool,
}

/// Which side of a binary operation may have several series per match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Many {
    #[default]
    None,
    Left,
    Right,
}

/// How series of two vectors are matched.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matching {
    /// `on` names the labels that count, `ignoring` those that do not.
    pub(crate) on: bool,
    pub(crate) labels: Vec<Arc<str>>,
    pub(crate) many: Many,
    /// Labels that the "one" side adds to the result.
    pub(crate) include: Vec<Arc<str>>,
    pub(crate) fill_left: Option<f64>,
    pub(crate) fill_right: Option<f64>,
}

impl Matching {
    /// Reports whether series without a partner get a value.
    pub(crate) fn is_filled(&self) -> bool {
        self.fill_left.is_some() || self.fill_right.is_some()
    }

    /// Reports whether nothing is said of how series are matched.
    pub(crate) fn is_plain(&self) -> bool {
        !(self.on || self.is_filled()) && self.labels.is_empty() && self.many == Many::None
    }
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    And,
    Or,
    Unless,
    /// `</` removes the observations of histograms above a value.
    TrimUpper,
    /// `>/` removes the observations of histograms below a value.
    TrimLower,
}

impl Operator {
    pub(crate) const ALL: [(&'static str, Self); 18] = [
        ("+", Self::Add),
        ("-", Self::Sub),
        ("*", Self::Mul),
        ("/", Self::Div),
        ("%", Self::Mod),
        ("^", Self::Pow),
        ("atan2", Self::Atan2),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        (">", Self::Greater),
        ("<", Self::Less),
        (">=", Self::GreaterEqual),
        ("<=", Self::LessEqual),
        ("and", Self::And),
        ("or", Self::Or),
        ("unless", Self::Unless),
        ("</", Self::TrimUpper),
        (">/", Self::TrimLower),
    ];

    pub(crate) fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, operator)| *operator == self).map_or("", |(text, _)| text)
    }

    /// Returns how tightly the operator binds.
    pub(crate) fn level(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::And | Self::Unless => 1,
            Self::Add | Self::Sub => 3,
            Self::Mul | Self::Div | Self::Mod | Self::Atan2 => 4,
            Self::Pow => 5,
            _ => 2,
        }
    }

    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }

    pub(crate) fn is_trim(self) -> bool {
        matches!(self, Self::TrimUpper | Self::TrimLower)
    }

    /// Reports whether results are another metric, so that the name goes.
    pub(crate) fn is_arithmetic(self) -> bool {
        !self.is_set() && !self.is_comparison() && !self.is_trim()
    }

    pub(crate) fn is_comparison(self) -> bool {
        use Operator::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
        matches!(self, Equal | NotEqual | Greater | Less | GreaterEqual | LessEqual)
    }
}

/// Aggregations; those from `Quantile` on have a parameter as the first of two arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aggregation {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Quantile,
    CountValues,
    Topk,
    Bottomk,
    Limitk,
    LimitRatio,
}

impl Aggregation {
    pub(crate) const ALL: [(&'static str, Self); 14] = [
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("min", Self::Min),
        ("max", Self::Max),
        ("count", Self::Count),
        ("group", Self::Group),
        ("stddev", Self::Stddev),
        ("stdvar", Self::Stdvar),
        ("quantile", Self::Quantile),
        ("count_values", Self::CountValues),
        ("topk", Self::Topk),
        ("bottomk", Self::Bottomk),
        ("limitk", Self::Limitk),
        ("limit_ratio", Self::LimitRatio),
    ];

    pub(crate) fn n_args(self) -> usize {
        if self as usize >= Self::Quantile as usize { 2 } else { 1 }
    }

    pub(crate) fn text(self) -> &'static str {
        Self::ALL.iter().find(|(_, aggregation)| *aggregation == self).map_or("", |(text, _)| text)
    }
}

/// A duration of a selector or a subquery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    Range,
    Step,
    Offset,
}

/// Expressions.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Number(f64),
    Text(Arc<str>),
    Paren(Box<Node>),
    Negate(Box<Node>),
    Selector(Selector),
    /// A selector with its range in ms.
    Matrix(Selector, i64),
    Subquery {
        inner: Box<Node>,
        /// ms
        range: i64,
        /// ms; `None` is the default of the options.
        step: Option<i64>,
        shift: Shift,
    },
    Call(&'static Function, Vec<Node>),
    Aggregate {
        aggregation: Aggregation,
        param: Option<Box<Node>>,
        inner: Box<Node>,
        grouping: Grouping,
    },
    Binary {
        operator: Operator,
        left: Box<Node>,
        right: Box<Node>,
        matching: Matching,
        return_bool: bool,
    },
    /// A selector or subquery with durations written as arithmetic. Those with `step()` or `range()` are 0 until they are
    /// [resolved](crate::duration::resolve), the first step of an evaluation.
    Computed(Box<Node>, Vec<(Length, Node)>),
}

impl Node {
    /// Returns the type of the expression.
    pub(crate) fn kind(&self) -> Kind {
        match &self.expr {
            Expr::Number(_) => Kind::Scalar,
            Expr::Text(_) => Kind::Text,
            Expr::Paren(inner) | Expr::Negate(inner) | Expr::Computed(inner, _) => inner.kind(),
            Expr::Selector(_) | Expr::Aggregate { .. } => Kind::Vector,
            Expr::Matrix(..) | Expr::Subquery { .. } => Kind::Matrix,
            Expr::Call(function, _) => function.returns,
            Expr::Binary { left, right, .. } => {
                if left.kind() == Kind::Scalar && right.kind() == Kind::Scalar {
                    Kind::Scalar
                } else {
                    Kind::Vector
                }
            }
        }
    }

    /// Returns what the parentheses hold.
    pub(crate) fn bare(&self) -> &Self {
        match &self.expr {
            Expr::Paren(inner) => inner.bare(),
            _ => self,
        }
    }

    /// Calls `visit` for this node and all below it; nodes of durations are left out.
    pub(crate) fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        visit(self);
        match &self.expr {
            Expr::Number(_) | Expr::Text(_) | Expr::Selector(_) | Expr::Matrix(..) => {}
            Expr::Paren(inner) | Expr::Negate(inner) | Expr::Subquery { inner, .. } | Expr::Computed(inner, _) => {
                inner.walk(visit);
            }
            Expr::Call(_, args) => args.iter().for_each(|arg| arg.walk(visit)),
            Expr::Aggregate { param, inner, .. } => {
                param.iter().for_each(|param| param.walk(visit));
                inner.walk(visit);
            }
            Expr::Binary { left, right, .. } => {
                left.walk(visit);
                right.walk(visit);
            }
        }
    }

    pub(crate) fn children_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.expr {
            Expr::Number(_) | Expr::Text(_) | Expr::Selector(_) | Expr::Matrix(..) => Vec::new(),
            Expr::Paren(inner) | Expr::Negate(inner) | Expr::Subquery { inner, .. } | Expr::Computed(inner, _) => {
                vec![inner]
            }
            Expr::Call(_, args) => args.iter_mut().collect(),
            Expr::Aggregate { param, inner, .. } => param.iter_mut().chain([inner]).map(|node| &mut **node).collect(),
            Expr::Binary { left, right, .. } => vec![left, right],
        }
    }
}
