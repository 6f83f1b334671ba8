//! What is compared over time: how many events there are, their share among others, or a percentile of their numbers.

use plan::{Comparison, Expr, Name, Operator, Plan};

use super::change_point::Law;
use crate::text::{compare, conditions_of};

/// What is compared over time.
#[derive(Clone, Debug)]
pub enum Measure {
    /// How many events there are.
    Count,
    /// Their share among the events of this plan; those that are not among them do not count.
    Share(Plan),
    /// A percentile of a field's numbers.
    Percentile {
        /// The field.
        field: Name,
        /// Which one, from 0 to 100.
        percent: f64,
    },
}

/// The events that are counted, and those among which they are, as conditions.
pub(super) struct CountedEvents {
    pub(super) law: Law,
    pub(super) events: Vec<Operator>,
    /// `None` where events are counted by themselves.
    pub(super) among: Option<Vec<Operator>>,
}

impl CountedEvents {
    /// Counts the events of a plan by themselves.
    pub(super) fn events(plan: &Plan) -> Self {
        Self { law: Law::Rate, events: conditions_of(plan), among: None }
    }

    /// Counts the events of a plan among those of another one.
    pub(super) fn share(plan: &Plan, among: &Plan) -> Self {
        let among = conditions_of(among);
        let events = among.iter().cloned().chain(conditions_of(plan)).collect();
        Self { law: Law::Share, events, among: Some(among) }
    }

    /// Counts the events of a plan whose number in a field is above a threshold, among those with a number.
    pub(super) fn above(plan: &Plan, field: &Name, threshold: f64) -> Self {
        let above = compare(field, Comparison::Greater, threshold);
        let number = Expr::Or(Box::new(above.clone()), Box::new(compare(field, Comparison::LessOrEqual, threshold)));
        let with = |condition: Expr| {
            let mut operators = conditions_of(plan);
            operators.push(Operator::Filter(condition));
            operators
        };
        Self { law: Law::Share, events: with(above), among: Some(with(number)) }
    }
}
