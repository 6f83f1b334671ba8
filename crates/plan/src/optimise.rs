//! Makes a plan cheaper without changing its answer.
//!
//! Conditions joined by `and` become filters of their own, so that each can be pushed and indexed alone; many on one
//! field joined by `or` become one; filters move before fields and orders that they do not depend on; fields that no
//! one reads are not computed. Before that, what can be said in several ways is said in one (`spelling`).

mod gather;
mod spelling;

use std::collections::BTreeSet;
use std::ops::Bound;

use types::Value;

use crate::fields::{fields_of, visit_fields};
use crate::name::Name;
use crate::plan::{Expr, Operator, ParseMethod, balanced};
use gather::{gather_exclusions, gathered};

// Pushing filters costs the product of filters and other operators; no query that a person writes has so many.
const OPERATORS_PUSHED_MAX: usize = 512;

/// Returns operators that give the same answer.
pub(crate) fn optimise(written: Vec<Operator>) -> Vec<Operator> {
    let mut operators = Vec::with_capacity(written.len());
    for operator in spelling::respelled(written) {
        match operator {
            Operator::Filter(condition) => split(condition, &mut operators),
            other => operators.push(other),
        }
    }
    let mut operators = without_unread(gather_exclusions(operators));
    if operators.len() <= OPERATORS_PUSHED_MAX {
        push_filters(&mut operators);
    }
    operators
}

/// Adds the parts of a condition that must all be true.
fn split(condition: Expr, operators: &mut Vec<Operator>) {
    match condition {
        Expr::And(left, right) => {
            split(*left, operators);
            split(*right, operators);
        }
        Expr::Not(inner) => match *inner {
            // True where neither side is true.
            Expr::Or(left, right) => {
                split(Expr::Not(left), operators);
                split(Expr::Not(right), operators);
            }
            // A missing value is not true, so `not not x` is true exactly where x is.
            Expr::Not(twice) => split(*twice, operators),
            other => operators.push(Operator::Filter(Expr::Not(Box::new(other)))),
        },
        Expr::Literal(Some(Value::Boolean(true))) => {}
        other => operators.push(Operator::Filter(flattened(other))),
    }
}

/// Returns the same condition as a balanced tree wherever `and` or `or` follows itself, so that it does not matter
/// where brackets stood or which language it was written in.
fn flattened(condition: Expr) -> Expr {
    match condition {
        Expr::And(..) => {
            let mut parts = Vec::new();
            parts_of(condition, true, &mut parts);
            balanced(parts, Expr::And)
        }
        Expr::Or(..) => {
            let mut parts = Vec::new();
            parts_of(condition, false, &mut parts);
            balanced(gathered(parts), Expr::Or)
        }
        Expr::Not(inner) => Expr::Not(Box::new(flattened(*inner))),
        other => other,
    }
}

/// Adds the conditions that `and` (or `or`) joins, from left to right.
fn parts_of(condition: Expr, is_and: bool, parts: &mut Vec<Expr>) {
    match (condition, is_and) {
        (Expr::And(left, right), true) | (Expr::Or(left, right), false) => {
            parts_of(*left, is_and, parts);
            parts_of(*right, is_and, parts);
        }
        (other, _) => parts.push(flattened(other)),
    }
}

/// Leaves out computed fields that no later operator reads.
fn without_unread(operators: Vec<Operator>) -> Vec<Operator> {
    let mut read = FieldReads::default();
    let mut kept = Vec::with_capacity(operators.len());
    for operator in operators.into_iter().rev() {
        let is_needed = match &operator {
            Operator::Extend { name, .. } => read.needs(name),
            Operator::Parse(parse) => match &parse.method {
                ParseMethod::Glob { names, .. } => names.iter().any(|name| read.needs(name)),
                ParseMethod::Regex { names, .. } => names.iter().any(|(name, _)| read.needs(name)),
                ParseMethod::Format { .. } => true,
            },
            _ => true,
        };
        if is_needed {
            read.operator(&operator);
            kept.push(operator);
        }
    }
    kept.reverse();
    kept
}

/// Paths above a name that are looked up one by one.
const PATHS_MAX: usize = 64;

/// Fields that the operators after some point read.
#[derive(Default)]
struct FieldReads {
    names: BTreeSet<Name>,
    /// `@any` reads everything.
    is_all: bool,
}

impl FieldReads {
    fn needs(&self, name: &str) -> bool {
        self.is_all || self.names.contains(name) || self.has_above(name) || self.has_below(name)
    }

    /// Reports whether `a` or `a.b` is read, of which `a.b.c` is a part.
    fn has_above(&self, name: &str) -> bool {
        // A name may consist of dots; looking up every path above it would cost its length squared.
        let n_paths = name.match_indices('.').take(PATHS_MAX).count();
        if n_paths < PATHS_MAX {
            return name.match_indices('.').any(|(dot, _)| self.names.contains(&name[..dot]));
        }
        self.names.iter().any(|read| name.strip_prefix(&**read).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Reports whether `a.b.c` is read, which is a part of `a` and `a.b`.
    fn has_below(&self, name: &str) -> bool {
        let mut below = name.to_owned();
        below.push('.');
        let first = self.names.range::<str, _>((Bound::Included(&*below), Bound::Unbounded)).next();
        first.is_some_and(|read| read.starts_with(&below))
    }

    fn field(&mut self, name: &Name) {
        self.is_all |= **name == *"@any";
        self.names.insert(name.clone());
    }

    fn operator(&mut self, operator: &Operator) {
        if matches!(operator, Operator::Aggregate { .. } | Operator::Patterns(_)) {
            *self = Self::default();
        }
        match operator {
            // The values that it fills in are asked for by the operator that shows them.
            Operator::FillBuckets(fill) => fill.series.iter().chain([&fill.time]).for_each(|name| self.field(name)),
            other => fields_of(std::slice::from_ref(other)).iter().for_each(|name| self.field(name)),
        }
    }
}

/// Moves every filter as far to the front as it may go; filters that meet keep their order.
fn push_filters(operators: &mut [Operator]) {
    let is_filter = |operator: &Operator| matches!(operator, Operator::Filter(_));
    for from in 1..operators.len() {
        let Operator::Filter(condition) = &operators[from] else { continue };
        let passed = operators[..from].iter().rev();
        let n_passed = passed.take_while(|operator| is_filter(operator) || may_pass(condition, operator)).count();
        let first = from - n_passed;
        let to = first + operators[first..from].iter().take_while(|operator| is_filter(operator)).count();
        operators[to..=from].rotate_right(1);
    }
}

/// Reports whether a filter before `operator` keeps the same rows as after it.
fn may_pass(condition: &Expr, operator: &Operator) -> bool {
    let reads = |made: &Name| {
        let mut found = false;
        visit_fields(condition, &mut |field| found |= depends(field, made));
        found
    };
    match operator {
        Operator::Extend { name, .. } | Operator::Unnest { name, .. } => !reads(name),
        Operator::Sort(_) => true,
        Operator::Parse(parse) => match &parse.method {
            ParseMethod::Glob { names, .. } => !names.iter().any(reads),
            ParseMethod::Regex { names, .. } => !names.iter().any(|(name, _)| reads(name)),
            ParseMethod::Format { prefix: Some(prefix), .. } => !reads(prefix),
            // Without a prefix any name may be made.
            ParseMethod::Format { prefix: None, .. } => false,
        },
        _ => false,
    }
}

/// Reports whether the value of `field` may change when `made` is made.
fn depends(field: &str, made: &str) -> bool {
    let is_below = |path: &str, parent: &str| {
        path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    field == "@any" || is_below(field, made) || is_below(made, field)
}
