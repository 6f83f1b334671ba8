//! Parts of queries, asked of other nodes.
//!
//! ```text
//! request   POST /api/v1/fleet/part, the part (execute::Part), its code in a header
//! answer    frames: 0 · events looked at so far u64            every 200 ms, so that silence means that nobody is there
//!                   1 · the answer · its code                  to the end
//!                   2 · why there is none, as text             to the end
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use execute::{PeerId, Peers};
use hmac::Mac;
use storage::{NodeStatus, Store};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use types::{Run, RunKey, ensure};
use xxhash_rust::xxh3::xxh3_64;

use super::link::{CODE_BYTES, CODE_HEADER, FleetLink, PART_PATH, cause_of};

/// The frame of a node that is at work.
pub const UNDER_WAY: u8 = 0;

/// The frame of an answer.
pub const ANSWER: u8 = 1;

/// The frame of a node that has no answer.
pub const FAILED: u8 = 2;

/// How long nothing may be heard of a node that works on a part.
const SILENCE_MAX: Duration = Duration::from_secs(1);

/// How long a node may work without reading another event. One that takes longer is overloaded or waits for the bucket.
const STANDSTILL_MAX: Duration = Duration::from_secs(2);

/// Interval of checks whether the query has ended.
const LOOK: Duration = Duration::from_millis(10);

/// A node and the runs of a query whose home it is.
pub struct Home {
    /// Name of the node.
    pub node: String,
    /// Number of runs.
    pub runs: u64,
    /// Number of their events.
    pub events: u64,
}

/// The nodes that work out parts of one query.
pub(crate) struct QueryPeers {
    pub(super) link: Arc<FleetLink>,
    pub(super) nodes: Vec<NodeStatus>,
    pub(super) runtime: Handle,
    /// Most bytes of an answer.
    pub(super) bytes_max: usize,
}

impl QueryPeers {
    /// Returns the nodes that may be asked now; `None` if there are none. Must be called within a runtime.
    pub(crate) fn of(link: &Arc<FleetLink>, store: &Store, bytes_max: usize) -> Option<Self> {
        let nodes = link.others(store, "query");
        let runtime = Handle::try_current().ok()?;
        (!nodes.is_empty()).then(|| Self { link: link.clone(), nodes, runtime, bytes_max })
    }

    /// Returns the homes of runs, ordered by the names of the nodes; runs without a home are left out.
    pub(crate) fn homes(&self, runs: &[Arc<dyn Run>]) -> Vec<Home> {
        let mut homes: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for info in runs.iter().map(|run| run.info()) {
            let Some(Some(home)) = info.key.map(|key| self.order(key).first().copied()) else { continue };
            let node = home.map_or(&self.link.options.node, |peer| &self.nodes[peer].name);
            let (n_runs, n_events) = homes.entry(node).or_default();
            (*n_runs, *n_events) = (*n_runs + 1, *n_events + info.n_events);
        }
        let home = |(node, (runs, events)): (&str, _)| Home { node: node.to_owned(), runs, events };
        homes.into_iter().map(home).collect()
    }

    /// Sends a part and receives the answer of the node.
    async fn hear(
        &self,
        node: &NodeStatus,
        (part, code): (&[u8], &[u8]),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Frames, String> {
        let url = format!("{}{PART_PATH}", node.address.trim_end_matches('/'));
        let request = self.link.client.post(url).header(CODE_HEADER, HEXLOWER.encode(code)).body(part.to_vec());
        let silent = |_| format!("nothing was heard of it for {} ms", SILENCE_MAX.as_millis());
        let sent = timeout(SILENCE_MAX, request.send()).await.map_err(silent)?;
        let mut response = sent.map_err(|error| cause_of(&error))?;
        ensure!(response.status().is_success(), format!("it answered {}", response.status()));
        let mut frames = Frames::default();
        let (mut furthest, mut progressed) = (0, Instant::now());
        loop {
            let heard = timeout(SILENCE_MAX, response.chunk()).await.map_err(silent)?;
            let Some(chunk) = heard.map_err(|error| cause_of(&error))? else { return Ok(frames) };
            frames.take(&chunk, &mut |n_events| {
                if n_events > furthest {
                    (furthest, progressed) = (n_events, Instant::now());
                }
                progress(n_events);
            });
            if frames.bytes.is_empty() && progressed.elapsed() > STANDSTILL_MAX {
                return Err(format!("it is alive but has made no progress for {} s", STANDSTILL_MAX.as_secs()));
            }
            if frames.bytes.len() > self.bytes_max {
                return Err(format!("its answer is larger than {} bytes", self.bytes_max));
            }
        }
    }
}

impl Peers for QueryPeers {
    /// By rendezvous hashing: while nodes come and go, runs whose home stays keep it.
    fn order(&self, run: RunKey) -> Vec<Option<PeerId>> {
        let weight = |name: &str| {
            let mut bytes = Vec::with_capacity(name.len() + 20);
            bytes.extend_from_slice(&run.segment.to_le_bytes());
            bytes.extend_from_slice(&run.run.to_le_bytes());
            bytes.extend_from_slice(name.as_bytes());
            xxh3_64(&bytes)
        };
        let others = self.nodes.iter().enumerate().map(|(peer, node)| (weight(&node.name), Some(peer)));
        let own = self.link.options.does("query").then(|| (weight(&self.link.options.node), None));
        let mut order: Vec<(u64, Option<PeerId>)> = others.chain(own).collect();
        order.sort_unstable_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        order.into_iter().map(|(_, peer)| peer).collect()
    }

    fn ask(
        &self,
        peer: PeerId,
        part: &[u8],
        is_over: &(dyn Fn() -> bool + Sync),
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Vec<u8>, String> {
        let Some(node) = self.nodes.get(peer) else { return Err("there is no such node".into()) };
        let ended = async {
            while !is_over() {
                sleep(LOOK).await;
            }
        };
        let code = self.link.code("part", &[part]);
        let heard = self.runtime.block_on(async {
            tokio::select! {
                heard = self.hear(node, (part, &code), progress) => heard,
                // The connection ends, and with it the other node's work.
                () = ended => return Err("the query has ended".to_owned()),
            }
            .inspect_err(|problem| self.link.suspect(&node.name, problem))
        });
        let answered = heard.and_then(|frames| frames.answer(&self.link, &code));
        answered.map_err(|problem| format!("{}: {problem}", node.name))
    }
}

/// An answer as far as it has come.
#[derive(Default)]
struct Frames {
    bytes: Vec<u8>,
}

impl Frames {
    /// Adds bytes, and removes frames that only report progress.
    fn take(&mut self, chunk: &[u8], progress: &mut dyn FnMut(u64)) {
        self.bytes.extend_from_slice(chunk);
        let mut n_taken = 0;
        while let [UNDER_WAY, count @ ..] = &self.bytes[n_taken..]
            && let Some(count) = count.first_chunk::<8>()
        {
            progress(u64::from_le_bytes(*count));
            n_taken += 9;
        }
        self.bytes.drain(..n_taken);
    }

    /// Returns the answer to the part with this code.
    fn answer(mut self, link: &FleetLink, of_part: &[u8]) -> Result<Vec<u8>, String> {
        match self.bytes.first() {
            Some(&ANSWER) if self.bytes.len() > CODE_BYTES => {
                let code = self.bytes.split_off(self.bytes.len() - CODE_BYTES);
                self.bytes.remove(0);
                let is_right = link.mac("answer", &[of_part, &self.bytes]).verify_slice(&code).is_ok();
                if is_right { Ok(self.bytes) } else { Err("its answer is not authentic, or damaged".into()) }
            }
            Some(&FAILED) => Err(String::from_utf8_lossy(&self.bytes[1..]).into_owned()),
            _ => Err("its answer broke off".into()),
        }
    }
}
