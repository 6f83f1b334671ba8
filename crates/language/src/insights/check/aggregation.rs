//! The state of a `stats` command while its items are checked.

use std::collections::{HashMap, HashSet};

use plan::{Aggregate, Expr};

/// A `stats` while its items are being checked.
#[derive(Debug, Default)]
pub(super) struct Aggregation {
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) extends: Vec<(plan::Name, Expr)>,
    /// Columns made so far, by groups and earlier items.
    pub(super) names: HashSet<plan::Name>,
    /// Columns made so far by the text of their expression, hidden ones included.
    pub(super) calls: HashMap<String, plan::Name>,
    /// Those columns whose values are levels.
    pub(super) levels: HashSet<plan::Name>,
}

impl Aggregation {
    /// Reports whether an item may speak of this column.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains(name)
    }
}
