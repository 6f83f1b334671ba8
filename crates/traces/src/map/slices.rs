//! What a map needs from the spans that began within one slice of time.
//!
//! Calls with both sides in the slice are edges. The other side of the remaining calls may have begun in another slice, so these
//! calls are kept with the hash of the ids that identify it.

use std::sync::Arc;

use foldhash::{HashMap, HashMapExt, HashSet};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::measure::{Call, Measure};
use crate::span::SpanKind;

/// The kind of a call's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum TargetKind {
    /// A database.
    Database,
    /// A message queue.
    Queue,
    /// Anything else outside.
    External,
}

/// The target of a call, by the attributes of the calling span.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Target {
    pub(crate) kind: TargetKind,
    pub(crate) name: Arc<str>,
}

/// The part of a span that the map needs.
#[derive(Clone, Debug)]
pub(crate) struct MapSpan {
    pub(crate) key: u64,
    pub(crate) causes: Causes,
    pub(crate) service: Arc<str>,
    pub(crate) kind: SpanKind,
    pub(crate) call: Call,
    pub(crate) duration_ns: i64,
    pub(crate) target: Option<Target>,
}

/// The keys of the spans that caused a span.
#[derive(Clone, Debug, Default)]
pub(crate) struct Causes {
    /// Its parent.
    pub(crate) parent: Option<u64>,
    /// For a message, the spans that it links to.
    pub(crate) links: Vec<u64>,
}

impl Causes {
    fn is_empty(&self) -> bool {
        self.parent.is_none() && self.links.is_empty()
    }

    /// Returns all keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u64> {
        self.parent.into_iter().chain(self.links.iter().copied())
    }
}

/// Returns the key of a span: the hash of its ids.
pub(crate) fn key(trace_id: &str, span_id: &str) -> u64 {
    xxh3_64_with_seed(span_id.as_bytes(), xxh3_64_with_seed(trace_id.as_bytes(), 0))
}

/// A call without an answer in its slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenCall {
    pub(crate) key: u64,
    pub(crate) service: u32,
    /// The index of its target; [`NO_TARGET`] if the span names none.
    pub(crate) target: u32,
    pub(crate) call: Call,
}

/// Stands for the index of a target in calls that name none.
pub(crate) const NO_TARGET: u32 = u32::MAX;

/// A request whose caller is not in its slice.
#[derive(Clone, Debug)]
pub(crate) struct OpenRequest {
    pub(crate) causes: Causes,
    pub(crate) service: u32,
    /// The request itself, if it is a message: the time of sending it says nothing.
    pub(crate) message: Option<Call>,
}

/// The spans that began within one slice of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slice {
    /// Services and targets, by index.
    pub(crate) services: Vec<Arc<str>>,
    pub(crate) targets: Vec<Target>,
    /// Requests by service.
    pub(crate) requests: Vec<(u32, Measure)>,
    /// Answered calls by both services.
    pub(crate) edges: Vec<((u32, u32), Measure)>,
    /// Unanswered calls by service and target.
    pub(crate) outside: Vec<((u32, u32), Measure)>,
    /// Unanswered calls that a span of another slice may answer, by key; none to databases, which send no spans.
    pub(crate) open_calls: Vec<OpenCall>,
    /// Requests without their caller.
    pub(crate) open_requests: Vec<OpenRequest>,
}

impl Slice {
    /// Returns its approximate size in bytes.
    pub(crate) fn n_bytes(&self) -> usize {
        let names: usize = self.services.iter().map(|name| name.len() + 32).sum();
        let targets: usize = self.targets.iter().map(|target| target.name.len() + 48).sum();
        let pairs = self.edges.iter().chain(&self.outside).map(|(_, measure)| measure.n_bytes() + 8);
        let requests: usize = self.requests.iter().map(|(_, measure)| measure.n_bytes() + 4).sum();
        let open_requests: usize =
            self.open_requests.iter().map(|open| size_of::<OpenRequest>() + open.causes.links.len() * 8).sum();
        names
            + targets
            + pairs.sum::<usize>()
            + requests
            + open_requests
            + self.open_calls.len() * size_of::<OpenCall>()
    }

    /// Returns the index of the open call with a key.
    pub(crate) fn open_call(&self, key: u64) -> Option<usize> {
        self.open_calls.binary_search_by_key(&key, |call| call.key).ok()
    }
}

/// Builds a slice from its spans, in any order.
#[derive(Debug, Default)]
pub(crate) struct SliceBuilder {
    services: Names<Arc<str>>,
    targets: Names<Target>,
    requests: HashMap<u32, Measure>,
    calls: Vec<OpenCall>,
    called: Vec<OpenRequest>,
    seen: HashSet<(u64, SpanKind)>,
}

impl SliceBuilder {
    /// Adds a span. A repeated span has the same start and counts once.
    pub(crate) fn add(&mut self, span: MapSpan) {
        if !self.seen.insert((span.key, span.kind)) {
            return;
        }
        let service = self.services.index(span.service);
        if matches!(span.kind, SpanKind::Client | SpanKind::Producer) {
            let target = span.target.map_or(NO_TARGET, |target| self.targets.index(target));
            self.calls.push(OpenCall { key: span.key, service, target, call: span.call });
        }
        let is_called = matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
        if is_called || span.causes.is_empty() {
            self.requests.entry(service).or_default().add(span.call);
        }
        if is_called && !span.causes.is_empty() {
            let message = (span.kind == SpanKind::Consumer).then_some(span.call);
            self.called.push(OpenRequest { causes: span.causes, service, message });
        }
    }

    /// Joins both sides of calls.
    pub(crate) fn finish(mut self) -> Slice {
        self.calls.sort_by_key(|call| call.key);
        self.calls.dedup_by_key(|call| call.key);
        let mut is_answered = vec![false; self.calls.len()];
        let mut edges: HashMap<(u32, u32), Measure> = HashMap::new();
        let calls = &self.calls;
        self.called.retain(|request| {
            let mut found = false;
            for cause in request.causes.iter() {
                if let Ok(place) = calls.binary_search_by_key(&cause, |call| call.key) {
                    let call = calls[place];
                    (found, is_answered[place]) = (true, true);
                    edges.entry((call.service, request.service)).or_default().add(request.message.unwrap_or(call.call));
                }
            }
            !found
        });
        let mut outside: HashMap<(u32, u32), Measure> = HashMap::new();
        let mut open_calls = Vec::new();
        for (call, _) in self.calls.iter().zip(is_answered).filter(|(_, is_answered)| !is_answered) {
            let target = self.targets.names.get(call.target as usize);
            if target.is_some() {
                outside.entry((call.service, call.target)).or_default().add(call.call);
            }
            if target.is_none_or(|target| target.kind != TargetKind::Database) {
                open_calls.push(*call);
            }
        }
        Slice {
            services: self.services.names,
            targets: self.targets.names,
            requests: self.requests.into_iter().collect(),
            edges: edges.into_iter().collect(),
            outside: outside.into_iter().collect(),
            open_calls,
            open_requests: self.called,
        }
    }
}

/// Names by index, each once.
#[derive(Debug)]
pub(crate) struct Names<T> {
    pub(crate) names: Vec<T>,
    known: HashMap<T, u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { names: Vec::new(), known: HashMap::new() }
    }
}

impl<T: Clone + Eq + std::hash::Hash> Names<T> {
    /// Returns the index of a name.
    pub(crate) fn index(&mut self, name: T) -> u32 {
        if let Some(index) = self.known.get(&name) {
            return *index;
        }
        // A slice has fewer spans than this can count.
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX - 1);
        self.names.push(name.clone());
        self.known.insert(name, index);
        index
    }
}
