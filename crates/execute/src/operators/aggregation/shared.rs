//! Parts of an aggregation that other nodes work out, each those runs whose home it is.
//!
//! What a node does not answer, or does not know, goes to the next one in the run's order, and at last to this one.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Scope, ScopedJoinHandle};

use plan::{Aggregate, Expr, Name, Operator};

use super::merged::merge_held;
use crate::operators::group::Groups;
use crate::request::part::{Part, PartAnswer};
use crate::request::peers::{PeerId, Peers};
use crate::scan::scanner::Scan;
use evaluate::Stop;
use types::codec::Cursor;

/// With fewer events a part costs more on its way than it saves.
const EVENTS_MIN: u64 = 100_000;

/// How the runs of a query are shared.
pub(super) struct Sharing<'s, 'q, 'p> {
    scan: &'s Scan<'q>,
    peers: &'s dyn Peers,
    lead: &'p [Operator],
    /// The operators between these and the aggregation, and the aggregation.
    rest: Vec<Operator>,
    by: &'p [(Name, Expr)],
    aggregates: &'p [Aggregate],
    /// Nodes that did not answer this query, or not as asked.
    failed: HashSet<PeerId>,
}

/// The answer of a node for its part, and the sources in the part.
pub(super) struct PartReply {
    peer: PeerId,
    sources: Vec<usize>,
    answer: Result<Vec<u8>, String>,
}

impl<'s, 'q, 'p> Sharing<'s, 'q, 'p> {
    /// Prepares to share the aggregation at the end of `rest`; `None` without other nodes.
    pub(super) fn of(
        scan: &'s Scan<'q>,
        lead: &'p [Operator],
        rest: Vec<Operator>,
        (by, aggregates): (&'p [(Name, Expr)], &'p [Aggregate]),
    ) -> Option<Self> {
        let peers = scan.request.support.peers?;
        Some(Self { scan, peers, lead, rest, by, aggregates, failed: HashSet::new() })
    }

    /// Takes `sources` apart: those of this node, and those of others by node.
    pub(super) fn divide(&self, sources: Vec<usize>) -> (Vec<usize>, BTreeMap<PeerId, Vec<usize>>) {
        let mut of_peers: BTreeMap<PeerId, Vec<usize>> = BTreeMap::new();
        let mut own = Vec::new();
        for source in sources {
            let may_answer = |peer: &Option<PeerId>| peer.is_none_or(|peer| !self.failed.contains(&peer));
            let key = self.scan.sources[source].run.info().key;
            let home = key.and_then(|key| self.peers.order(key).into_iter().find(may_answer).flatten());
            match home {
                Some(peer) => of_peers.entry(peer).or_default().push(source),
                None => own.push(source),
            }
        }
        let n_events = |sources: &[usize]| -> u64 {
            sources.iter().map(|source| self.scan.sources[*source].run.info().n_events).sum()
        };
        of_peers.retain(|_, sources| {
            let is_worth_it = n_events(sources) >= EVENTS_MIN;
            if !is_worth_it {
                own.append(sources);
            }
            is_worth_it
        });
        own.sort_unstable();
        (own, of_peers)
    }

    /// Begins asking the nodes, each in a thread of its own.
    pub(super) fn ask<'t>(
        &'t self,
        scope: &'t Scope<'t, '_>,
        of_peers: BTreeMap<PeerId, Vec<usize>>,
    ) -> Vec<ScopedJoinHandle<'t, PartReply>> {
        let asked = of_peers.into_iter().map(|(peer, sources)| scope.spawn(move || self.ask_one(peer, sources)));
        asked.collect()
    }

    fn ask_one(&self, peer: PeerId, sources: Vec<usize>) -> PartReply {
        let run = |source: &usize| {
            let info = self.scan.sources[*source].run.info();
            Some((info.key?, info.group.as_str().to_owned()))
        };
        let of = (self.scan.request.range, self.scan.request.time_zone);
        let part = Part::new(of, sources.iter().filter_map(run), self.lead, self.rest.clone()).write();
        let told = AtomicU64::new(0);
        let progress = |n_scanned: u64| {
            let before = told.fetch_max(n_scanned, Relaxed);
            self.scan.count_passing(n_scanned.saturating_sub(before), 0);
        };
        let unable = || Err("the query does not travel".to_owned());
        let answer = part.map_or_else(unable, |part| self.peers.ask(peer, &part, &|| self.scan.is_over(), &progress));
        // What it has looked at is counted with its answer.
        self.scan.uncount_passing(told.load(Relaxed));
        PartReply { peer, sources, answer }
    }

    /// Adds what a node has answered; returns the runs that it has not.
    pub(super) fn take(&mut self, asked: PartReply, total: &mut Groups<'p>) -> Vec<usize> {
        let PartReply { peer, sources, answer } = asked;
        let left = match answer {
            Ok(bytes) => self.read(&bytes, &sources, total),
            Err(problem) => {
                tracing::info!(problem, "another node did not answer its part of a query");
                None
            }
        };
        let left = left.unwrap_or(sources);
        if !left.is_empty() {
            self.failed.insert(peer);
        }
        left
    }

    fn read(&self, bytes: &[u8], sources: &[usize], total: &mut Groups<'p>) -> Option<Vec<usize>> {
        let mut reader = Cursor::new(bytes);
        let answer = PartAnswer::read(sources.len(), &mut reader);
        let groups = Groups::decode(self.by, self.aggregates, &mut reader);
        let (Ok(answer), Ok(groups), true) = (answer, groups, reader.is_at_end()) else {
            tracing::warn!("another node's part of a query is not what was asked for");
            return None;
        };
        self.scan.count_shared(answer.n_scanned, answer.n_matched, answer.n_bytes_read);
        let taken = self.scan.hold(groups.memory_bytes()).and_then(|()| merge_held(self.scan, total, groups));
        taken.unwrap_or_else(|stop: Stop| self.scan.note_stop(stop));
        let is_done = |place: usize| answer.runs.binary_search(&place).is_ok();
        let left = sources.iter().enumerate().filter(|(place, _)| !is_done(*place)).map(|(_, source)| *source);
        Some(left.collect())
    }
}
