//! Calls between services over a range, for the APIs that show them as a list.

use std::sync::Arc;

use door::{Outcome, Problem, Reply};
use types::{TimeRange, Timestamp};

use crate::map::{self, graph::NodeKind};
use crate::read::{Reading, query};
use crate::state::Call;

/// The range of a request that names none.
const DEFAULT_RANGE_NS: i64 = Timestamp::DAY;

/// Calls of one service to another.
#[derive(Clone, Debug)]
pub(crate) struct Dependency {
    pub(crate) parent: Arc<str>,
    pub(crate) child: Arc<str>,
    pub(crate) n_calls: u64,
    pub(crate) n_errors: u64,
}

/// Answers with what is made of the calls between services, and of what reading them took; `endTs` and `lookback` are in units of
/// `unit_ns`.
pub(crate) fn dependencies(
    Call { server, parameters, .. }: &Call,
    unit_ns: i64,
    answer: fn(Vec<Dependency>, &Reading) -> Reply,
) -> Outcome {
    let length = |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(unit_ns)));
    let to = length("endTs")?.unwrap_or_else(|| server.now().0);
    let lookback = length("lookback")?.filter(|lookback| *lookback > 0).unwrap_or(DEFAULT_RANGE_NS);
    let range = TimeRange { from: Timestamp(to.saturating_sub(lookback).max(0)), to: Timestamp(to.max(1)) };
    if range.from >= range.to {
        return Err(Problem::bad_request("empty-range", format!("the range is empty: it ends at {}", range.to)));
    }
    let state = server.state.clone();
    query(server, "service map", move |run, reading| {
        let graph = map::map(run, &state, range, &[], reading)?;
        let calls = graph.edges.into_iter().filter(|((_, to), _)| to.0 == NodeKind::Service);
        let call = calls.map(|((from, to), total)| Dependency {
            parent: from.1,
            child: to.1,
            n_calls: total.n,
            n_errors: total.n_errors,
        });
        Ok(answer(call.collect(), reading))
    })
}
