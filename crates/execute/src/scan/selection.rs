//! Which event rows a plan shows, and how many.

use std::collections::BTreeSet;

use plan::Operator;

use crate::request::parameters::Request;
use crate::scan::row_order::RowOrder;

/// Whether event rows are cut by the request's limit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// They are all shown.
    No,
    /// After so many.
    At(usize),
}

impl Cut {
    pub(crate) fn of(operators: &[Operator], request: &Request<'_>) -> Self {
        let says_itself = |operator: &Operator| {
            matches!(
                operator,
                Operator::Limit(_) | Operator::Tail(_) | Operator::Aggregate { .. } | Operator::Patterns(_)
            )
        };
        match request.limit {
            Some(limit) if !operators.iter().any(says_itself) => Self::At(limit),
            _ => Self::No,
        }
    }
}

/// Which event rows a plan wants.
pub(crate) struct EventSelection<'p> {
    /// Their order.
    pub(crate) order: RowOrder<'p>,
    /// Fields that the order speaks of.
    pub(crate) sort_fields: BTreeSet<plan::Name>,
    /// How many are wanted: the first ones, and one more where that tells whether there are more.
    pub(crate) cap: Option<usize>,
    /// Whether nothing that follows takes rows away.
    pub(crate) is_final: bool,
    /// What remains to be done with them.
    pub(crate) rest: &'p [Operator],
}

impl<'p> EventSelection<'p> {
    pub(crate) fn of(lead: &[Operator], rest: &'p [Operator], cut: Cut) -> Self {
        let (order, rest) = match rest {
            // The order by time is that of the stored time only as long as nothing else took its name; so of ids.
            [Operator::Sort(keys), rest @ ..] if lead.iter().any(takes_a_name_of_order) => {
                (crate::scan::row_order::RowOrder::Keys(keys), rest)
            }
            [Operator::Sort(keys), rest @ ..] => (crate::scan::row_order::RowOrder::of(keys), rest),
            rest => (crate::scan::row_order::RowOrder::Newest, rest),
        };
        let sort_fields = match &order {
            crate::scan::row_order::RowOrder::Keys(keys) => crate::scan::row_order::key_fields(keys),
            _ => BTreeSet::new(),
        };
        let (cap, rest) = match rest {
            [Operator::Limit(most), rest @ ..] => (Some(usize::try_from(*most).unwrap_or(usize::MAX)), rest),
            rest => (None, rest),
        };
        // Nothing that follows takes rows away: one more than shown tells whether there are more.
        let is_final = rest.iter().all(is_row_by_row);
        let cap = match (cut, cap) {
            (Cut::At(most), None) if is_final => Some(most.saturating_add(1)),
            (_, cap) => cap,
        };
        Self { order, sort_fields, cap, is_final, rest }
    }
}

/// Reports whether an operator gives something else a name by which events lie in order.
pub(crate) fn takes_a_name_of_order(operator: &Operator) -> bool {
    ["@timestamp", "@id"].iter().any(|name| crate::scan::steps::defines(operator, name))
}

/// Reports whether an operator keeps all rows and looks at none after the present one.
pub(crate) fn is_row_by_row(operator: &Operator) -> bool {
    match operator {
        Operator::Extend { .. } | Operator::Parse(_) | Operator::FillDown(_) | Operator::Project { .. } => true,
        Operator::Autoregress(_) | Operator::Lookup(_) | Operator::AppendColumns(_) => true,
        Operator::AddTotals(totals) => totals.column.is_none(),
        _ => false,
    }
}
