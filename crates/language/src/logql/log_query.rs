//! Queries for events.

use std::collections::BTreeMap;

use plan::{Expr, Operator, Plan, PlanDraft, SortKey, visit_fields};
use types::GroupPattern;

use super::label::STREAM_LABELS;
use super::label_view::LabelView;

/// A query for events: those of a selector that pass all stages.
#[derive(Clone, Debug)]
pub struct LogQuery {
    /// Groups that can hold such events; empty means all.
    pub sources: Vec<GroupPattern>,
    /// Filters and parsers in order.
    pub operators: Vec<Operator>,
    /// Which labels are shown.
    pub shown: LabelView,
}

impl LogQuery {
    /// Returns what a label of its events is.
    pub fn label(&self, name: &str) -> Expr {
        self.shown.sight.label(name)
    }

    /// Reports whether a condition asks for labels that stages made.
    pub(super) fn filters_labels(&self) -> bool {
        let mut asks = false;
        for operator in &self.operators {
            if let Operator::Filter(condition) = operator {
                visit_fields(condition, &mut |name| asks |= name.starts_with("#labels"));
            }
        }
        asks
    }

    /// Returns labels of which the selector asks nothing but to be equal to a text.
    pub(super) fn equal_labels(&self) -> BTreeMap<String, String> {
        let of = |wanted: &str| self.shown.equal.iter().filter(move |(name, _)| name == wanted).collect::<Vec<_>>();
        let alone = |(name, _): &&(String, Option<String>)| of(name).len() == 1;
        let label = |(name, value): &(String, Option<String>)| Some((name.clone(), value.clone()?));
        self.shown.equal.iter().filter(alone).filter_map(label).collect()
    }

    /// Returns the plan that gives the first `limit` events.
    ///
    /// Columns: `@timestamp`, `@message`, then those of [`STREAM_LABELS`].
    pub fn plan(&self, direction: Direction, limit: u64) -> Plan {
        let mut operators = self.operators.clone();
        if direction == Direction::Forward {
            operators.push(forward());
        }
        operators.push(Operator::Limit(limit));
        let fixed = ["@timestamp", "@message"].into_iter().map(|name| (name.into(), Expr::Field(name.into())));
        let labels = STREAM_LABELS.into_iter().map(|name| (name.into(), self.label(name)));
        operators.push(Operator::Project { columns: fixed.chain(labels).collect(), is_events: true });
        PlanDraft { sources: self.sources.clone(), operators, ..PlanDraft::default() }.finish()
    }
}

/// Returns the order of a query that asks for the oldest events first: those of one instant as they arrived.
pub fn forward() -> Operator {
    let key = |name: &str| SortKey { expr: Expr::Field(name.into()), descending: false };
    Operator::Sort(["@timestamp", "@id"].map(key).to_vec())
}

/// Which events come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Newest first.
    Backward,
    /// Oldest first.
    Forward,
}
