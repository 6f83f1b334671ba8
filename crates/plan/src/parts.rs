//! What operators and expressions are made of: the one place that knows where expressions stand in others.

use crate::plan::{Expr, Operator};

macro_rules! expressions {
    ($(#[$doc:meta])* $name:ident, $iter:ident, $as_ref:ident $(, $mut:ident)?) => {
        $(#[$doc])*
        pub fn $name(&$($mut)? self) -> Vec<&$($mut)? Expr> {
            match self {
                Self::Filter(expr) | Self::Extend { expr, .. } | Self::Unnest { list: expr, .. } => vec![expr],
                Self::Parse(parse) => vec![&$($mut)? parse.text],
                Self::Aggregate { by, aggregates } => {
                    let arguments = aggregates.$iter().filter_map(|aggregate| aggregate.argument.$as_ref());
                    by.$iter().map(|(_, expr)| expr).chain(arguments).collect()
                }
                Self::Sort(keys) => keys.$iter().map(|key| &$($mut)? key.expr).collect(),
                Self::Patterns(patterns) => vec![&$($mut)? patterns.text],
                Self::Lookup(lookup) => lookup.keys.$iter().map(|(_, expr)| expr).collect(),
                Self::Project { columns, .. } => columns.$iter().map(|(_, expr)| expr).collect(),
                _ => Vec::new(),
            }
        }
    };
}

macro_rules! parts {
    ($(#[$doc:meta])* $name:ident $(, $mut:ident)?) => {
        $(#[$doc])*
        pub fn $name(&$($mut)? self) -> impl Iterator<Item = &$($mut)? Self> {
            let (first, rest): ([Option<&$($mut)? Self>; 3], &$($mut)? [Self]) = match self {
                Self::Literal(_) | Self::Duration(_) | Self::Regex(_) | Self::Template(_) | Self::Field(_) => {
                    ([None, None, None], &$($mut)? [])
                }
                Self::Negate(a) | Self::Not(a) | Self::Match(a, _) | Self::InQuery(a, _) => {
                    ([Some(a), None, None], &$($mut)? [])
                }
                Self::And(a, b) | Self::Or(a, b) | Self::Compare(_, a, b) | Self::Arithmetic(_, a, b) => {
                    ([Some(a), Some(b), None], &$($mut)? [])
                }
                Self::Between(a, b, c) => ([Some(a), Some(b), Some(c)], &$($mut)? []),
                Self::In(item, list) => ([Some(item), None, None], list),
                Self::Call(_, arguments) => ([None, None, None], arguments),
            };
            first.into_iter().flatten().chain(rest)
        }
    };
}

impl Operator {
    expressions! {
        /// Returns the expressions of an operator, in the order of the text.
        expressions, iter, as_ref
    }

    expressions! {
        /// Returns the same to be changed.
        expressions_mut, iter_mut, as_mut, mut
    }
}

impl Expr {
    parts! {
        /// Returns the expressions that an expression is directly made of, in the order of the text.
        parts
    }

    parts! {
        /// Returns the same to be changed.
        parts_mut, mut
    }
}
