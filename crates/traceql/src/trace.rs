//! The spans of one trace as a tree, with their places in it as intervals.
//!
//! A walk from the roots counts when it enters and when it leaves each span. A span is below another where its interval lies
//! inside the other's, so that structural questions are comparisons of numbers. Any set of spans has a tree: a span whose
//! parent is missing begins a tree of its own, and so does the first span of a cycle of parents. If several spans have one
//! id, the first has the children.

use std::collections::HashMap;

use crate::span_view::{PARENT_FIELD, SpanView};

/// The parent number of a root, as in Tempo.
const NO_PARENT: i64 = -1;

/// The parent number of a span whose parent is missing, as in Tempo.
const UNKNOWN_PARENT: i64 = 0;

/// The spans of one trace.
#[derive(Debug)]
pub struct Trace<'s> {
    pub(crate) spans: &'s [SpanView],
    /// Places of the parents among the spans.
    parents: Vec<Option<u32>>,
    /// When a walk through the tree enters each span, from 1.
    left: Vec<u32>,
    /// When it leaves it.
    right: Vec<u32>,
    n_children: Vec<u32>,
    /// Equal for the spans with one parent id, and for roots.
    families: Vec<u32>,
    /// The root that began first.
    root: Option<usize>,
    /// The time from the first start to the last end, in nanoseconds.
    pub(crate) duration_ns: i64,
}

impl<'s> Trace<'s> {
    /// Builds the tree of the spans of one trace, given in any order; at most `u32::MAX / 2` of them are used.
    pub fn new(spans: &'s [SpanView]) -> Self {
        let spans = &spans[..spans.len().min(u32::MAX as usize / 2)];
        let mut places: HashMap<&str, u32> = HashMap::with_capacity(spans.len());
        for (place, span) in spans.iter().enumerate() {
            places.entry(span.text("span_id").unwrap_or_default()).or_insert(place as u32);
        }
        let parent = |(place, span): (usize, &SpanView)| {
            let parent = span.text(PARENT_FIELD).and_then(|id| places.get(id).copied());
            parent.filter(|parent| *parent as usize != place)
        };
        let mut family_of: HashMap<Option<&str>, u32> = HashMap::new();
        let mut family = |span: &'s SpanView| {
            let next = family_of.len() as u32;
            *family_of.entry(span.text(PARENT_FIELD)).or_insert(next)
        };
        let roots = spans.iter().enumerate().filter(|(_, span)| span.text(PARENT_FIELD).is_none());
        let start = spans.iter().map(|span| span.start.0).min().unwrap_or_default();
        let end = spans.iter().map(|span| span.start.0.saturating_add(span.duration_ns())).max().unwrap_or_default();
        let mut trace = Self {
            spans,
            parents: spans.iter().enumerate().map(parent).collect(),
            left: vec![0; spans.len()],
            right: vec![0; spans.len()],
            n_children: vec![0; spans.len()],
            families: spans.iter().map(&mut family).collect(),
            root: roots.min_by_key(|(_, span)| span.start).map(|(place, _)| place),
            duration_ns: end.saturating_sub(start),
        };
        trace.walk();
        trace
    }

    /// Numbers all spans.
    fn walk(&mut self) {
        let children = Children::of(&self.parents);
        let mut next = 1;
        let tops: Vec<usize> = (0..self.spans.len()).filter(|place| self.parents[*place].is_none()).collect();
        tops.into_iter().for_each(|top| self.walk_from(top, &children, &mut next));
        for place in 0..self.spans.len() {
            if self.left[place] == 0 {
                // Only cycles are left, and the spans below them: this one is cut here.
                self.parents[place] = None;
                self.walk_from(place, &children, &mut next);
            }
        }
        for parent in self.parents.iter().flatten() {
            self.n_children[*parent as usize] += 1;
        }
    }

    fn walk_from(&mut self, top: usize, children: &Children, next: &mut u32) {
        let mut count = || {
            *next += 1;
            *next - 1
        };
        self.left[top] = count();
        let mut pending = vec![(top, 0)];
        while let Some((place, n_seen)) = pending.pop() {
            let Some(child) = children.of_span(place).get(n_seen).map(|child| *child as usize) else {
                self.right[place] = count();
                continue;
            };
            pending.push((place, n_seen + 1));
            // The top of a cycle is a child too, and was visited.
            if self.left[child] == 0 {
                self.left[child] = count();
                pending.push((child, 0));
            }
        }
    }

    pub(crate) fn parent(&self, place: u32) -> Option<u32> {
        self.parents[place as usize]
    }

    pub(crate) fn left(&self, place: u32) -> u32 {
        self.left[place as usize]
    }

    pub(crate) fn right(&self, place: u32) -> u32 {
        self.right[place as usize]
    }

    pub(crate) fn n_children(&self, place: u32) -> u32 {
        self.n_children[place as usize]
    }

    pub(crate) fn family(&self, place: u32) -> u32 {
        self.families[place as usize]
    }

    /// Returns the number of the parent, as in Tempo.
    pub(crate) fn parent_number(&self, place: u32) -> i64 {
        match self.parent(place) {
            Some(parent) => self.left(parent).into(),
            None if self.spans[place as usize].text(PARENT_FIELD).is_none() => NO_PARENT,
            None => UNKNOWN_PARENT,
        }
    }

    /// Returns the root that began first; `None` if no root has arrived.
    pub(crate) fn root(&self) -> Option<&'s SpanView> {
        self.root.map(|root| &self.spans[root])
    }
}

/// The children of each span, one list after the other.
struct Children {
    begins: Vec<u32>,
    places: Vec<u32>,
}

impl Children {
    fn of(parents: &[Option<u32>]) -> Self {
        let mut begins = vec![0u32; parents.len() + 1];
        parents.iter().flatten().for_each(|parent| begins[*parent as usize + 1] += 1);
        for place in 0..parents.len() {
            begins[place + 1] += begins[place];
        }
        let mut next = begins.clone();
        let mut places = vec![0; parents.iter().flatten().count()];
        for (place, parent) in parents.iter().enumerate() {
            if let Some(parent) = parent {
                places[next[*parent as usize] as usize] = place as u32;
                next[*parent as usize] += 1;
            }
        }
        Self { begins, places }
    }

    fn of_span(&self, place: usize) -> &[u32] {
        &self.places[self.begins[place] as usize..self.begins[place + 1] as usize]
    }
}
