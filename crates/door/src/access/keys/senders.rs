//! Those who sent without a key within a day, counted in memory: whom the first key would cut off.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Mutex;

use serde::Serialize;
use types::{GroupName, Hold, Timestamp};

/// How long a sender is remembered: programs that run once a day are among them.
const WINDOW_NS: i64 = Timestamp::DAY;

/// Most senders, groups of each, and characters of its `User-Agent`: together they bound the table to about 2 MB.
const SENDERS_MAX: usize = 256;
const GROUPS_MAX: usize = 20;
const AGENT_CHARS_MAX: usize = 200;

/// Those who sent lately.
#[derive(Default)]
pub struct AnonymousSenders {
    /// Since when they are counted.
    began: Timestamp,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    senders: HashMap<(Option<IpAddr>, String), Sent>,
    /// When the last one was forgotten to make room.
    left_out: Option<Timestamp>,
}

/// What one sender has sent.
struct Sent {
    first: Timestamp,
    last: Timestamp,
    n_requests: u64,
    routes: BTreeSet<String>,
    groups: BTreeSet<GroupName>,
    has_more_groups: bool,
}

/// What is shown of a sender.
#[derive(Debug, Serialize)]
pub(super) struct SenderView {
    address: Option<IpAddr>,
    /// What it calls itself, its `User-Agent`.
    agent: String,
    routes: BTreeSet<String>,
    groups: Vec<String>,
    /// Whether it sent to further groups.
    more_groups: bool,
    /// Since `first`.
    requests: u64,
    first: String,
    last: String,
}

impl AnonymousSenders {
    pub(super) fn new(now: Timestamp) -> Self {
        Self { began: now, table: Mutex::default() }
    }

    /// Returns since when the list is complete.
    pub(super) fn since(&self, now: Timestamp) -> Timestamp {
        self.began.max(Timestamp(now.0.saturating_sub(WINDOW_NS)))
    }

    /// Notes a request that sent something.
    pub fn note(
        &self,
        (address, agent): (Option<IpAddr>, &str),
        route: &str,
        groups: BTreeSet<GroupName>,
        now: Timestamp,
    ) {
        let name = (address, agent.chars().take(AGENT_CHARS_MAX).collect::<String>());
        let mut table = self.table.hold();
        let Table { senders, left_out } = &mut *table;
        if senders.len() >= SENDERS_MAX && !senders.contains_key(&name) {
            let oldest = senders.iter().min_by_key(|(_, sent)| sent.last).map(|(name, sent)| (name.clone(), sent.last));
            if let Some((oldest, last)) = oldest {
                senders.remove(&oldest);
                *left_out = Some(last).max(*left_out);
            }
        }
        let (routes, none) = (BTreeSet::new(), BTreeSet::new());
        let new = Sent { first: now, last: now, n_requests: 0, routes, groups: none, has_more_groups: false };
        let sent = senders.entry(name).or_insert(new);
        sent.last = sent.last.max(now);
        sent.n_requests += 1;
        if !sent.routes.contains(route) {
            // Routes are few, and known.
            sent.routes.insert(route.to_owned());
        }
        for group in groups {
            if sent.groups.len() < GROUPS_MAX {
                sent.groups.insert(group);
            } else {
                sent.has_more_groups |= !sent.groups.contains(&group);
            }
        }
    }

    /// Returns those who sent within a day, the latest first; and whether some are not among them.
    pub(super) fn views(&self, now: Timestamp) -> (Vec<SenderView>, bool) {
        let mut table = self.table.hold();
        let is_recent = |last: Timestamp| now.0.saturating_sub(last.0) < WINDOW_NS;
        table.senders.retain(|_, sent| is_recent(sent.last));
        let mut latest: Vec<_> = table.senders.iter().collect();
        latest.sort_by(|(a_name, a), (b_name, b)| (b.last, a_name).cmp(&(a.last, b_name)));
        let view = |(address, agent): &(Option<IpAddr>, String), sent: &Sent| SenderView {
            address: *address,
            agent: agent.clone(),
            routes: sent.routes.clone(),
            groups: sent.groups.iter().map(ToString::to_string).collect(),
            more_groups: sent.has_more_groups,
            requests: sent.n_requests,
            first: sent.first.to_string(),
            last: sent.last.to_string(),
        };
        (latest.into_iter().map(|(name, sent)| view(name, sent)).collect(), table.left_out.is_some_and(is_recent))
    }
}

#[cfg(test)]
mod tests;
