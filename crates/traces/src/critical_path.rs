//! Self time, and the critical path: the spans that the end of the trace waited for.
//!
//! The path runs backwards from the end of each root: at any instant it is in the child that ended last before it, and in the
//! span itself where no child ran. Time that children run after the end of their parent is not on the path.

use crate::node::{Node, Place};
use crate::span::Span;

/// A part of the path that remains to be measured: a node, and the instants between which it is on the path.
struct Part {
    node: usize,
    from: i64,
    until: i64,
}

/// Measures the self time of each node, and its time on the path.
pub(crate) fn measure(spans: &[Span], nodes: &mut [Node]) {
    let times = times(spans, nodes);
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    for (index, node) in nodes.iter().enumerate() {
        if let Some(parent) = node.parent {
            children[parent].push(index);
        }
    }
    for (index, below) in children.iter_mut().enumerate() {
        below.sort_by_key(|child| times[*child].0);
        nodes[index].self_ns = alone(times[index], below.iter().map(|child| times[*child]));
        // By end, so that the child that ended last comes last.
        below.sort_by_key(|child| times[*child].1);
    }
    let roots = (0..nodes.len()).filter(|index| nodes[*index].parent.is_none());
    let mut parts: Vec<Part> = roots.map(|node| Part { node, from: times[node].0, until: times[node].1 }).collect();
    while let Some(Part { node, from, until }) = parts.pop() {
        let start = times[node].0.max(from);
        let mut at = until.min(times[node].1).max(start);
        for child in children[node].iter().rev() {
            let (child_start, child_end) = times[*child];
            let end = child_end.min(until);
            // Skips a child that overlaps the part chosen before it, or lies outside.
            if end > at || child_start >= at || end <= start {
                continue;
            }
            nodes[node].critical_ns = nodes[node].critical_ns.saturating_add(at.saturating_sub(end));
            parts.push(Part { node: *child, from: start, until: end });
            at = child_start.max(start);
        }
        nodes[node].critical_ns = nodes[node].critical_ns.saturating_add(at.saturating_sub(start));
    }
    for node in nodes.iter_mut().filter(|node| matches!(node.place, Place::Gap(_))) {
        (node.self_ns, node.critical_ns) = (0, 0);
    }
}

/// Returns start and end of the nodes by the clock of the trace. A gap ends with the last of its spans.
fn times(spans: &[Span], nodes: &[Node]) -> Vec<(i64, i64)> {
    let of_node = |node: &Node| match node.place {
        Place::Span(span) => (node.start.0, node.start.0.saturating_add(spans[span].duration_ns)),
        Place::Gap(_) => (node.start.0, node.start.0),
    };
    let mut times: Vec<(i64, i64)> = nodes.iter().map(of_node).collect();
    for (index, node) in nodes.iter().enumerate().rev() {
        if let Some(parent) = node.parent.filter(|parent| matches!(nodes[*parent].place, Place::Gap(_))) {
            times[parent].1 = times[parent].1.max(times[index].1);
        }
    }
    times
}

/// Returns the length of the interval's parts that no other interval covers. The others are in order of their starts.
fn alone((start, end): (i64, i64), others: impl Iterator<Item = (i64, i64)>) -> i64 {
    let (mut at, mut alone) = (start, 0_i64);
    for (from, to) in others {
        if from > at {
            alone = alone.saturating_add(from.min(end).saturating_sub(at).max(0));
        }
        at = at.max(to.min(end));
    }
    alone.saturating_add(end.saturating_sub(at).max(0))
}
