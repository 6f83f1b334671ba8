//! Pairs of spans that are the two sides of a call.
//!
//! A side waits for the other one for [`WAIT_NS`]. A call to a database is counted at once, since a database sends no spans; one that
//! no span answers counts with the name that its attributes give its target, and a request without a parent comes from a user. A
//! message may have several receivers, so its sender goes on waiting after the first. A span that is sent twice within the wait counts
//! once.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};
use types::Timestamp;

use super::counts::{CallTimes, Connection, Counts, Edge};
use crate::map::slices::{MapSpan, TargetKind};
use crate::span::SpanKind;

/// How long one side of a call waits for the other.
const WAIT_NS: i64 = 30 * Timestamp::SECOND;

/// Limit on the spans that wait; what comes beyond is counted as dropped.
const SPANS_MAX: usize = 200_000;

/// The client of requests without a parent.
const USER: &str = "user";

/// Spans whose other side may still come.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    /// By the key of the calling span.
    waiting: HashMap<u64, Waiting>,
    /// All spans of the wait, each once.
    seen: HashSet<(u64, SpanKind)>,
    /// The same in the order in which they came.
    expiries: VecDeque<Expiry>,
}

/// What is known of a call.
#[derive(Debug, Default)]
struct Waiting {
    caller: Option<MapSpan>,
    is_answered: bool,
    /// Requests that came before their caller.
    called: Vec<MapSpan>,
}

/// The end of the wait of a span.
#[derive(Debug)]
struct Expiry {
    at: Timestamp,
    span: (u64, SpanKind),
    /// The key under which it waits.
    waits: Option<u64>,
}

impl Pairs {
    /// Takes a span, and counts what it completes.
    pub(super) fn add(&mut self, span: MapSpan, now: Timestamp, counts: &mut Counts) {
        let of_span = (span.key, span.kind);
        if span.kind == SpanKind::Internal || self.seen.contains(&of_span) {
            return;
        }
        if self.seen.len() >= SPANS_MAX {
            counts.n_dropped += 1;
            return;
        }
        self.seen.insert(of_span);
        let waits = match span.kind {
            SpanKind::Client | SpanKind::Producer => self.add_call(span, now, counts),
            _ => self.add_request(span, now, counts),
        };
        self.expiries.push_back(Expiry { at: Timestamp(now.0.saturating_add(WAIT_NS)), span: of_span, waits });
    }

    fn add_call(&mut self, span: MapSpan, now: Timestamp, counts: &mut Counts) -> Option<u64> {
        if span.target.as_ref().is_some_and(|target| target.kind == TargetKind::Database) {
            count_target(&span, now, counts);
            return None;
        }
        let key = span.key;
        let waiting = self.waiting.entry(key).or_default();
        for called in waiting.called.drain(..) {
            count_pair(&span, &called, now, counts);
            waiting.is_answered = true;
        }
        waiting.caller = Some(span);
        Some(key)
    }

    fn add_request(&mut self, span: MapSpan, now: Timestamp, counts: &mut Counts) -> Option<u64> {
        let Some(first) = span.causes.iter().next() else {
            if span.kind == SpanKind::Server {
                let edge = Edge { client: USER.into(), server: span.service, connection: Connection::Virtual };
                let (client_ns, server_ns) = (span.duration_ns, span.duration_ns);
                counts.add(edge, CallTimes { client_ns, server_ns, is_failed: span.call.is_error }, now);
            }
            return None;
        };
        let mut is_paired = false;
        for cause in span.causes.iter() {
            let waiting = self.waiting.get_mut(&cause);
            if let Some(Waiting { caller: Some(caller), is_answered, .. }) = waiting {
                count_pair(caller, &span, now, counts);
                (*is_answered, is_paired) = (true, true);
            }
        }
        if is_paired {
            return None;
        }
        self.waiting.entry(first).or_default().called.push(span);
        Some(first)
    }

    /// Ends the wait of spans that came long ago.
    pub(super) fn expire(&mut self, now: Timestamp, counts: &mut Counts) {
        while self.expiries.front().is_some_and(|expiry| expiry.at <= now) {
            let Some(Expiry { span, waits, .. }) = self.expiries.pop_front() else { return };
            self.seen.remove(&span);
            let Some(key) = waits else { continue };
            let is_call = matches!(span.1, SpanKind::Client | SpanKind::Producer);
            let has_caller = self.waiting.get(&key).is_some_and(|waiting| waiting.caller.is_some());
            if is_call != has_caller {
                // Its other side came, and waits for others.
                continue;
            }
            let Some(Waiting { caller, is_answered, called }) = self.waiting.remove(&key) else { continue };
            for request in called {
                counts.add_unpaired(Arc::default(), request.service);
            }
            let Some(caller) = caller.filter(|_| !is_answered) else { continue };
            if caller.target.is_some() {
                count_target(&caller, now, counts);
            } else {
                counts.add_unpaired(caller.service, Arc::default());
            }
        }
    }
}

/// Counts a call whose two sides are known.
fn count_pair(caller: &MapSpan, called: &MapSpan, now: Timestamp, counts: &mut Counts) {
    let is_message = caller.kind == SpanKind::Producer || called.kind == SpanKind::Consumer;
    let edge = Edge {
        client: caller.service.clone(),
        server: called.service.clone(),
        connection: if is_message { Connection::Messaging } else { Connection::Direct },
    };
    let is_failed = caller.call.is_error || called.call.is_error;
    counts.add(edge, CallTimes { client_ns: caller.duration_ns, server_ns: called.duration_ns, is_failed }, now);
}

/// Counts a call that no span answers, to the target that it names.
fn count_target(caller: &MapSpan, now: Timestamp, counts: &mut Counts) {
    let Some(target) = &caller.target else { return };
    let connection = match target.kind {
        TargetKind::Database => Connection::Database,
        TargetKind::Queue => Connection::Messaging,
        TargetKind::External => Connection::Virtual,
    };
    let edge = Edge { client: caller.service.clone(), server: target.name.clone(), connection };
    let (client_ns, server_ns) = (caller.duration_ns, caller.duration_ns);
    counts.add(edge, CallTimes { client_ns, server_ns, is_failed: caller.call.is_error }, now);
}

#[cfg(test)]
mod tests;
