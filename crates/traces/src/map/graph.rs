//! A service map: the sum of its slices, and the calls whose two sides began in different slices.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use types::TimeRange;

use super::logs::LoggedService;
use super::measure::Total;
use super::slices::{NO_TARGET, OpenRequest, Slice, Target, TargetKind};

/// Number of slices before that of a request in which its caller is looked for.
const SLICES_BACK: usize = 10;

/// The kind of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum NodeKind {
    /// A service that sends spans, or log lines with ids of traces.
    Service,
    /// The target of calls, which sends no spans.
    Target(TargetKind),
}

impl NodeKind {
    /// Returns the name that answers use.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Target(TargetKind::Database) => "database",
            Self::Target(TargetKind::Queue) => "queue",
            Self::Target(TargetKind::External) => "external",
        }
    }
}

/// A node of the map by its kind and name.
pub(crate) type NodeId = (NodeKind, Arc<str>);

/// A node of the map.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// Its requests: those that a service served, or the calls to a target.
    pub(crate) requests: Total,
    /// Requests that name a caller whose call is not known.
    pub(crate) n_callers_unknown: u64,
    /// Calls that no span answered and that name no target.
    pub(crate) n_targets_unknown: u64,
    /// Whether it is known from log lines only; its requests are then distinct traces.
    pub(crate) is_logged_only: bool,
}

/// A service map.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// Its range.
    pub(crate) range: TimeRange,
    /// Its nodes.
    pub(crate) nodes: BTreeMap<NodeId, Node>,
    /// Its edges, from the caller to the called.
    pub(crate) edges: BTreeMap<(NodeId, NodeId), Total>,
}

impl Graph {
    /// Adds up consecutive slices.
    pub(crate) fn of(slices: &[Arc<Slice>], range: TimeRange) -> Self {
        let mut graph = Self { range, nodes: BTreeMap::new(), edges: BTreeMap::new() };
        let services: BTreeSet<&Arc<str>> = slices.iter().flat_map(|slice| &slice.services).collect();
        let place: HashMap<&Arc<str>, u32> = services.iter().copied().zip(0..).collect();
        let names: Vec<&Arc<str>> = services.into_iter().collect();
        let mut totals = Totals::default();
        for slice in slices {
            totals.add(slice, &place);
        }
        totals.join(slices, &place);
        let service = |index: u32| (NodeKind::Service, names[index as usize].clone());
        for name in &names {
            graph.nodes.entry((NodeKind::Service, (*name).clone())).or_default();
        }
        for (index, total) in &totals.requests {
            graph.node(service(*index)).requests.merge(total);
        }
        for ((from, to), total) in totals.edges {
            graph.edges.insert((service(from), service(to)), total);
        }
        for (index, n_requests) in totals.callers_unknown {
            graph.node(service(index)).n_callers_unknown = n_requests;
        }
        for (index, n_calls) in totals.targets_unknown {
            graph.node(service(index)).n_targets_unknown = n_calls;
        }
        for ((from, target), total) in totals.outside.into_iter().filter(|(_, total)| total.n > 0) {
            // A target with the name of a service is that service, though its spans are missing.
            let is_service = target.kind == TargetKind::External && place.contains_key(&target.name);
            let kind = if is_service { NodeKind::Service } else { NodeKind::Target(target.kind) };
            let to = (kind, target.name);
            if !is_service {
                graph.node(to.clone()).requests.merge(&total);
            }
            graph.edges.entry((service(from), to)).or_default().merge(&total);
        }
        graph
    }

    /// Adds services that are known from log lines only.
    pub(crate) fn add_logged(&mut self, services: Vec<LoggedService>) {
        for logged in services {
            self.nodes.entry((NodeKind::Service, logged.service)).or_insert_with(|| {
                let requests = Total::of_counts(logged.n_traces, logged.n_errors);
                Node { requests, is_logged_only: true, ..Node::default() }
            });
        }
    }

    fn node(&mut self, id: NodeId) -> &mut Node {
        self.nodes.entry(id).or_default()
    }
}

/// Sums by the indexes of services.
#[derive(Default)]
struct Totals {
    requests: HashMap<u32, Total>,
    edges: HashMap<(u32, u32), Total>,
    outside: HashMap<(u32, Target), Total>,
    callers_unknown: HashMap<u32, u64>,
    targets_unknown: HashMap<u32, u64>,
}

impl Totals {
    /// Adds a slice. `place` has the index of each service among those of all slices.
    fn add(&mut self, slice: &Slice, place: &HashMap<&Arc<str>, u32>) {
        let service = |index: u32| place[&slice.services[index as usize]];
        for (index, measure) in &slice.requests {
            self.requests.entry(service(*index)).or_default().add(measure);
        }
        for ((from, to), measure) in &slice.edges {
            self.edges.entry((service(*from), service(*to))).or_default().add(measure);
        }
        for ((from, target), measure) in &slice.outside {
            let target = slice.targets[*target as usize].clone();
            self.outside.entry((service(*from), target)).or_default().add(measure);
        }
        for call in slice.open_calls.iter().filter(|call| call.target == NO_TARGET) {
            *self.targets_unknown.entry(service(call.service)).or_default() += 1;
        }
    }

    /// Joins requests with calls of other slices.
    fn join(&mut self, slices: &[Arc<Slice>], place: &HashMap<&Arc<str>, u32>) {
        let mut answered: HashSet<(usize, usize)> = HashSet::new();
        for (index, slice) in slices.iter().enumerate() {
            for request in &slice.open_requests {
                let service = place[&slice.services[request.service as usize]];
                let Some((other, call)) = caller(slices, index, request) else {
                    *self.callers_unknown.entry(service).or_default() += 1;
                    continue;
                };
                let (calling, open) = (&slices[other], slices[other].open_calls[call]);
                let from = place[&calling.services[open.service as usize]];
                self.edges.entry((from, service)).or_default().add_call(request.message.unwrap_or(open.call));
                if !answered.insert((other, call)) {
                    continue;
                }
                match calling.targets.get(open.target as usize) {
                    Some(target) => {
                        self.outside.entry((from, target.clone())).or_default().take_away(open.call);
                    }
                    None => {
                        let n_calls = self.targets_unknown.entry(from).or_default();
                        *n_calls = n_calls.saturating_sub(1);
                    }
                }
            }
        }
    }
}

/// Returns the slice and the index of the open call that caused a request of the slice `index`. Callers begin earlier, unless
/// clocks differ.
fn caller(slices: &[Arc<Slice>], index: usize, request: &OpenRequest) -> Option<(usize, usize)> {
    let before = (index.saturating_sub(SLICES_BACK)..index).rev();
    let places = before.chain((index + 1 < slices.len()).then_some(index + 1));
    let mut found = places.flat_map(|place| request.causes.iter().map(move |cause| (place, cause)));
    found.find_map(|(place, cause)| Some((place, slices[place].open_call(cause)?)))
}
