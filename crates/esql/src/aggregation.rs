//! The state of a `STATS` command while its aggregates are read.

use super::scope::Scope;
use super::typed::TypedExpr;
use plan::{Aggregate, Expr};

/// What is known while the aggregates of a `STATS` are read.
pub(super) struct Aggregation {
    /// The columns before it, which arguments speak of.
    pub(super) before: Scope,
    /// Groups: the texts of their expressions, and the columns that they become.
    pub(super) groups: Vec<(String, TypedExpr)>,
    /// Aggregates so far.
    pub(super) aggregates: Vec<Aggregate>,
    /// Rows that the aggregate is about.
    pub(super) condition: Option<Expr>,
    /// Whether the argument of an aggregate is being read.
    pub(super) is_inside: bool,
}
