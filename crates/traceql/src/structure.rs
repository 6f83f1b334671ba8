//! Structural operators: they find the spans of one set that are related to spans of another.
//!
//! Sets are lists of places in ascending order. Each operator sorts one side by its numbers in the tree and searches it for
//! each span of the other: O(n log n) for n spans on both sides together, whatever the shape of the tree.

use crate::syntax::{Relation, Side};
use crate::trace::Trace;

/// Returns the spans that a structural operator gives, in ascending order.
pub(crate) fn related(trace: &Trace<'_>, relation: Relation, side: Side, left: &[u32], right: &[u32]) -> Vec<u32> {
    match side {
        Side::Right => having(trace, relation, left, right, true),
        Side::RightWithout => having(trace, relation, left, right, false),
        Side::Both => {
            let found = having(trace, relation, left, right, true);
            union(&found, &having(trace, inverse(relation), right, left, true))
        }
    }
}

fn inverse(relation: Relation) -> Relation {
    match relation {
        Relation::Child => Relation::Parent,
        Relation::Parent => Relation::Child,
        Relation::Descendant => Relation::Ancestor,
        Relation::Ancestor => Relation::Descendant,
        Relation::Sibling => Relation::Sibling,
    }
}

/// Returns the spans of `of` that are (or are not) in the relation to a span of `to`.
fn having(trace: &Trace<'_>, relation: Relation, to: &[u32], of: &[u32], has: bool) -> Vec<u32> {
    let keep = |is_related: &dyn Fn(u32) -> bool| of.iter().copied().filter(|span| is_related(*span) == has).collect();
    match relation {
        Relation::Child => keep(&|span| trace.parent(span).is_some_and(|parent| to.binary_search(&parent).is_ok())),
        Relation::Parent => {
            let parents = sorted(to.iter().filter_map(|span| trace.parent(*span)));
            keep(&|span| parents.binary_search(&span).is_ok())
        }
        Relation::Descendant => {
            let outermost = outermost(trace, to);
            keep(&|span| {
                let n_before = outermost.partition_point(|(left, _)| *left < trace.left(span));
                n_before > 0 && outermost[n_before - 1].1 > trace.right(span)
            })
        }
        Relation::Ancestor => {
            let lefts = sorted(to.iter().map(|span| trace.left(*span)));
            keep(&|span| {
                let first_inside = lefts.partition_point(|left| *left <= trace.left(span));
                lefts.get(first_inside).is_some_and(|left| *left < trace.right(span))
            })
        }
        Relation::Sibling => {
            let families = sorted(to.iter().map(|span| trace.family(*span)));
            keep(&|span| {
                let family = trace.family(span);
                let from = families.partition_point(|known| *known < family);
                let n = families[from..].partition_point(|known| *known == family);
                // No span is its own sibling.
                n > usize::from(to.binary_search(&span).is_ok())
            })
        }
    }
}

fn sorted(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    let mut sorted: Vec<u32> = numbers.collect();
    sorted.sort_unstable();
    sorted
}

/// Returns the intervals of spans that lie in no other one, in their order.
fn outermost(trace: &Trace<'_>, spans: &[u32]) -> Vec<(u32, u32)> {
    let mut intervals: Vec<(u32, u32)> = spans.iter().map(|span| (trace.left(*span), trace.right(*span))).collect();
    intervals.sort_unstable();
    let mut end = 0;
    intervals.retain(|(_, right)| {
        let is_outside = *right > end;
        end = end.max(*right);
        is_outside
    });
    intervals
}

/// Returns the spans of either list, in ascending order.
pub(crate) fn union(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut both: Vec<u32> = a.iter().chain(b).copied().collect();
    both.sort_unstable();
    both.dedup();
    both
}
