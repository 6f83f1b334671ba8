//! Which samples the value at a step depends on, so that steps can be answered apart from each other.

use crate::answer::Query;
use crate::labels::METRIC_NAME;
use crate::matcher::{MatchKind, Matcher};
use crate::options::Options;
use crate::syntax::{Expr, Node, Operator, Selector, Shift};

/// How far the samples lie from a step that its value depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reach {
    /// Samples from this many ms before the step on; less than 0 where all of them are after it.
    pub before: i64,
    /// Samples up to this many ms after the step; less than 0 where all of them are before it.
    pub after: i64,
}

impl Reach {
    const STEP: Self = Self { before: 0, after: 0 };

    /// Returns the reach of an expression that is evaluated within this reach, with an offset and a range of its own.
    fn over(self, shift: Shift, range: i64) -> Self {
        let before = self.before.saturating_add(shift.offset).saturating_add(range);
        Self { before, after: self.after.saturating_sub(shift.offset) }
    }

    /// Returns the reach of a selector within this reach.
    fn of(self, shift: Shift, range: i64, lookback: i64) -> Self {
        let (back, ahead) = shift.margins(lookback);
        let reach = self.over(shift, range);
        Self { before: reach.before.saturating_add(back), after: reach.after.saturating_add(ahead) }
    }
}

impl Query {
    /// Returns which samples the value at each step depends on; `None` where it also depends on the range that is asked, or
    /// on which series there are at other steps.
    pub fn reach(&self, options: &Options) -> Option<Reach> {
        let mut found: Option<Reach> = None;
        let mut add = |reach: Reach| {
            let all = found.get_or_insert(reach);
            *all = Reach { before: all.before.max(reach.before), after: all.after.max(reach.after) };
        };
        is_divisible(&self.node, (Reach::STEP, false), options, &mut add).then_some(found.unwrap_or(Reach::STEP))
    }
}

/// Reports whether the value of a node at each step can be computed without the other steps, and adds the reach of its selectors.
/// The node is evaluated in the reach `around` a step.
fn is_divisible(
    node: &Node,
    (around, is_in_subquery): (Reach, bool),
    options: &Options,
    add: &mut dyn FnMut(Reach),
) -> bool {
    let mut is_inner_divisible = |inner: &Node| is_divisible(inner, (around, is_in_subquery), options, add);
    match &node.expr {
        Expr::Number(_) | Expr::Text(_) => true,
        Expr::Paren(inner) | Expr::Negate(inner) => is_inner_divisible(inner),
        Expr::Computed(inner, durations) => {
            let is_fixed = |(_, duration): &(_, Node)| !duration.depends_on_range();
            durations.iter().all(is_fixed) && is_inner_divisible(inner)
        }
        Expr::Selector(Selector { shift, .. }) => {
            add(around.of(*shift, options.lookback, options.lookback));
            shift.at.is_none()
        }
        Expr::Matrix(Selector { matchers, shift }, range) => {
            add(around.of(*shift, *range, options.lookback));
            // Functions over ranges take the name away: two metrics may become the same series, at whichever steps they are.
            shift.at.is_none() && names_metric(matchers)
        }
        Expr::Subquery { inner, range, shift, .. } => {
            shift.at.is_none() && is_divisible(inner, (around.over(*shift, *range), true), options, add)
        }
        Expr::Call(function, args) => {
            let may_rename = is_in_subquery && matches!(function.name, "label_replace" | "label_join");
            !function.experimental && !may_rename && args.iter().all(is_inner_divisible)
        }
        Expr::Aggregate { param, inner, .. } => {
            param.iter().all(|param| is_inner_divisible(param)) && is_inner_divisible(inner)
        }
        Expr::Binary { operator, left, right, .. } => {
            let may_mix_names = is_in_subquery && *operator == Operator::Or;
            !may_mix_names && is_inner_divisible(left) && is_inner_divisible(right)
        }
    }
}

fn names_metric(matchers: &[Matcher]) -> bool {
    let names = |matcher: &Matcher| {
        *matcher.name == *METRIC_NAME && matches!(matcher.kind, MatchKind::Equal) && !matcher.value.is_empty()
    };
    matchers.iter().any(names)
}

#[cfg(test)]
mod tests;
