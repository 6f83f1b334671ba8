//! The tree of a trace: which span caused which.
//!
//! Any set of spans has a tree. A span whose parent is missing is below a gap with the parent's id, and the gap is below the
//! first root; a cycle of parents is cut at the earliest of its spans; without any root the gaps are roots. Nothing here
//! recurses, since a trace can be as deep as it has spans.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::node::{Node, Place};
use crate::problem::{ProblemCode, TraceProblem};
use crate::span::{Span, SpanKind};
use crate::{clock_skew, critical_path};

/// The spans of a trace in the order of a tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// The nodes, each after its parent, followed by its children in order of time.
    pub(crate) nodes: Vec<Node>,
    /// What is wrong with the spans.
    pub(crate) problems: Vec<TraceProblem>,
}

impl Tree {
    /// Returns the tree of `spans`, which are in order of time without repetitions.
    pub(crate) fn of(spans: &[Span]) -> Self {
        let mut problems = Vec::new();
        let parents = parents(spans, &mut problems);
        let mut nodes = in_order(spans, &parents, &mut problems);
        clock_skew::adjust(spans, &mut nodes, &mut problems);
        critical_path::measure(spans, &mut nodes);
        Self { nodes, problems }
    }

    /// Returns the first root that is a span, else the first span.
    pub(crate) fn root(&self) -> Option<usize> {
        let span = |node: &Node| if let Place::Span(span) = node.place { Some(span) } else { None };
        let root = self.nodes.iter().filter(|node| node.parent.is_none()).find_map(span);
        root.or_else(|| self.nodes.iter().find_map(span))
    }
}

/// Removes spans that were sent more than once, which have the same ids, kind and start, and puts the others in order of
/// time. If a span was also sent before it ended, the longest one is kept. Returns the number removed.
pub(crate) fn without_repeated(spans: &mut Vec<Span>) -> usize {
    let n_spans = spans.len();
    spans.sort_by_key(|span| (span.field("aws.xray.in_progress").is_some(), Reverse(span.duration_ns)));
    let mut known = HashSet::with_capacity(n_spans);
    spans.retain(|span| {
        span.span_id.is_empty() || known.insert((span.trace_id.clone(), span.span_id.clone(), span.kind, span.start))
    });
    spans.sort_by(|a, b| {
        (a.start, &b.parent_id.is_none(), &a.span_id).cmp(&(b.start, &a.parent_id.is_none(), &b.span_id))
    });
    n_spans - spans.len()
}

/// The parent of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Parent {
    None,
    Span(usize),
    Missing(Arc<str>),
}

/// Returns the parent of each span. Cycles are cut.
fn parents(spans: &[Span], problems: &mut Vec<TraceProblem>) -> Vec<Parent> {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate().filter(|(_, span)| !span.span_id.is_empty()) {
        by_id.entry(&span.span_id).or_default().push(index);
    }
    let is_called = |index: usize| matches!(spans[index].kind, SpanKind::Server | SpanKind::Consumer);
    let parent = |(index, span): (usize, &Span)| {
        // Both sides of a call may have one id (Zipkin): then the called side is below the calling one.
        let same = by_id.get(&*span.span_id).map(Vec::as_slice).unwrap_or_default();
        if is_called(index)
            && let Some(caller) = same.iter().find(|other| **other != index && !is_called(**other))
        {
            return Parent::Span(*caller);
        }
        let Some(id) = &span.parent_id else { return Parent::None };
        let known = by_id.get(&**id).map(Vec::as_slice).unwrap_or_default();
        let others = || known.iter().copied().filter(|other| *other != index);
        let chosen = others().find(|other| is_called(*other)).or_else(|| others().next());
        match chosen {
            Some(parent) => Parent::Span(parent),
            // A span that names itself is a cycle of one.
            None if known.contains(&index) => Parent::Span(index),
            None => Parent::Missing(id.clone()),
        }
    };
    let mut parents: Vec<Parent> = spans.iter().enumerate().map(parent).collect();
    cut_cycles(spans, &mut parents, problems);
    parents
}

/// Makes the earliest span of each cycle of parents a root.
fn cut_cycles(spans: &[Span], parents: &mut [Parent], problems: &mut Vec<TraceProblem>) {
    // 0: not visited; `index + 1`: visited on the way from that span.
    let mut seen_from = vec![0; parents.len()];
    for from in 0..parents.len() {
        let mut at = from;
        while seen_from[at] == 0 {
            seen_from[at] = from + 1;
            match parents[at] {
                Parent::Span(parent) => at = parent,
                _ => break,
            }
        }
        if seen_from[at] != from + 1 || !matches!(parents[at], Parent::Span(_)) {
            continue;
        }
        let (mut earliest, mut next, mut n_spans) = (at, at, 0);
        loop {
            (earliest, n_spans) = (earliest.min(next), n_spans + 1);
            match parents[next] {
                Parent::Span(parent) if parent != at => next = parent,
                _ => break,
            }
        }
        parents[earliest] = Parent::None;
        let message = match n_spans {
            1 => "the span names itself as its parent; it is shown as a root".to_owned(),
            n => format!("{n} spans name each other as parents in a cycle; the earliest of them is shown as a root"),
        };
        problems.push(TraceProblem::of_span(ProblemCode::Cycle, &spans[earliest].span_id, message));
    }
}

/// Returns the nodes in order, each after its parent. Items are the spans, then the gaps.
fn in_order(spans: &[Span], parents: &[Parent], problems: &mut Vec<TraceProblem>) -> Vec<Node> {
    let mut orphans: BTreeMap<&Arc<str>, Vec<usize>> = BTreeMap::new();
    let (mut children, mut roots) = (vec![Vec::new(); spans.len()], Vec::new());
    for (index, parent) in parents.iter().enumerate() {
        match parent {
            Parent::None => roots.push(index),
            Parent::Span(parent) => children[*parent].push(index),
            Parent::Missing(id) => orphans.entry(id).or_default().push(index),
        }
    }
    if roots.len() > 1 {
        let message = format!("{} spans have no parent: the trace has several roots", roots.len());
        problems.push(TraceProblem::of_span(ProblemCode::SeveralRoots, &spans[roots[0]].span_id, message));
    }
    let mut gaps: Vec<(&Arc<str>, Vec<usize>)> = orphans.into_iter().collect();
    gaps.sort_by_key(|(_, orphans)| orphans.first().copied());
    for (id, orphans) in &gaps {
        let message = match orphans.len() {
            1 => format!("span {id} is missing: 1 span names it as its parent"),
            n_spans => format!("span {id} is missing: {n_spans} spans name it as their parent"),
        };
        problems.push(TraceProblem::of_span(ProblemCode::MissingParent, id, message));
    }
    let of_gaps = spans.len()..spans.len() + gaps.len();
    match roots.first() {
        Some(root) => children[*root].extend(of_gaps),
        None => roots.extend(of_gaps),
    }
    let place = |item: usize| match item.checked_sub(spans.len()).and_then(|gap| gaps.get(gap)) {
        Some((id, orphans)) => (Place::Gap((*id).clone()), spans[orphans[0]].start, orphans.as_slice()),
        None => (Place::Span(item), spans[item].start, children[item].as_slice()),
    };
    let mut nodes: Vec<Node> = Vec::with_capacity(spans.len() + gaps.len());
    let mut stack: Vec<(usize, Option<usize>)> = roots.iter().rev().map(|root| (*root, None)).collect();
    while let Some((item, parent)) = stack.pop() {
        let depth = parent.map_or(0, |parent: usize| nodes[parent].depth + 1);
        let (place, start, below) = place(item);
        stack.extend(below.iter().rev().map(|child| (*child, Some(nodes.len()))));
        nodes.push(Node { place, parent, depth, start, self_ns: 0, critical_ns: 0 });
    }
    nodes
}

#[cfg(test)]
mod tests;
