//! The calls counted so far, by client and server.

use std::collections::BTreeMap;
use std::sync::Arc;

use types::Timestamp;

/// Limit on the pairs of client and server; further ones count as one.
const EDGES_MAX: usize = 2_000;

/// The client and the server of calls beyond the limit.
const OTHER: &str = "(other)";

/// Upper bounds of the durations of a histogram in seconds: those of the metrics of spans.
pub(super) const BOUNDS: [f64; 14] =
    [0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192, 16.384];

types::named! {
    /// How a call reaches its server.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub(super) enum Connection {
        /// By a request that the server's own span answers.
        Direct = "",
        /// By a message.
        Messaging = "messaging_system",
        /// To a database.
        Database = "database",
        /// From or to something that sends no spans.
        Virtual = "virtual_node",
    }
}

/// A client, a server, and how calls get from one to the other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Edge {
    pub(super) client: Arc<str>,
    pub(super) server: Arc<str>,
    pub(super) connection: Connection,
}

/// A call, as both of its sides saw it. A side that sent no span took as long as the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallTimes {
    pub(super) client_ns: i64,
    pub(super) server_ns: i64,
    pub(super) is_failed: bool,
}

/// Calls by their duration.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Histogram {
    /// Calls between each bound and the one before.
    between: [u64; BOUNDS.len()],
    pub(super) n: u64,
    pub(super) sum_s: f64,
}

impl Histogram {
    fn add(&mut self, duration_ns: i64) {
        let seconds = duration_ns as f64 / Timestamp::SECOND as f64;
        let place = BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(n) = self.between.get_mut(place) {
            *n += 1;
        }
        self.n += 1;
        self.sum_s += seconds;
    }

    /// Returns each bound and the number of calls that took no longer.
    pub(super) fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let sums = self.between.iter().scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        });
        BOUNDS.into_iter().zip(sums)
    }
}

/// The calls of one edge.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct EdgeCount {
    pub(super) n: u64,
    pub(super) n_failed: u64,
    pub(super) client: Histogram,
    pub(super) server: Histogram,
    /// When the last call was counted.
    pub(super) last: Timestamp,
    /// Whether samples of it were written.
    pub(super) is_written: bool,
}

/// What was counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) edges: BTreeMap<Edge, EdgeCount>,
    /// Spans whose other side did not come, by service: those of clients, those of servers.
    pub(super) unpaired: BTreeMap<(Arc<str>, Arc<str>), u64>,
    /// Spans that were not looked at because too many came at once.
    pub(super) n_dropped: u64,
}

impl Counts {
    /// Counts a call.
    pub(super) fn add(&mut self, edge: Edge, times: CallTimes, now: Timestamp) {
        let is_known = self.edges.len() < EDGES_MAX || self.edges.contains_key(&edge);
        let edge = if is_known {
            edge
        } else {
            Edge { client: OTHER.into(), server: OTHER.into(), connection: Connection::Direct }
        };
        let count = self.edges.entry(edge).or_default();
        count.n += 1;
        count.n_failed += u64::from(times.is_failed);
        count.client.add(times.client_ns);
        count.server.add(times.server_ns);
        count.last = now;
    }

    /// Counts the span of a client whose server, or of a server whose client is not known; the other name is empty.
    pub(super) fn add_unpaired(&mut self, client: Arc<str>, server: Arc<str>) {
        if self.unpaired.len() < EDGES_MAX || self.unpaired.contains_key(&(client.clone(), server.clone())) {
            *self.unpaired.entry((client, server)).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests;
