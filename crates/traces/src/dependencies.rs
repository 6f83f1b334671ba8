//! Calls between services over a range, for the APIs that show them as a list.

use std::sync::Arc;

use door::parameters::Parameters;
use door::problem::Problem;
use door::query_run::read;
use door::server::FamilyServer;
use types::{TimeRange, Timestamp};

use crate::map::{self, graph::NodeKind};
use crate::read::Reading;
use crate::state::TracesState;

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

/// Returns the calls between services, with `endTs` and `lookback` in units of `unit_ns`, and what reading them took.
pub(crate) async fn dependencies(
    server: &FamilyServer<TracesState>,
    parameters: &Parameters,
    unit_ns: i64,
) -> Result<(Vec<Dependency>, Reading), Problem> {
    let length = |name: &str| Ok::<_, Problem>(parameters.number::<i64>(name)?.map(|n| n.saturating_mul(unit_ns)));
    let to = length("endTs")?.unwrap_or_else(|| server.now().0);
    let lookback = length("lookback")?.filter(|lookback| *lookback > 0).unwrap_or(DEFAULT_RANGE_NS);
    let range = TimeRange { from: Timestamp(to.saturating_sub(lookback).max(0)), to: Timestamp(to.max(1)) };
    if range.from >= range.to {
        return Err(Problem::bad_request("empty-range", format!("the range is empty: it ends at {}", range.to)));
    }
    let state = server.state.clone();
    read(server, "service map", move |run| {
        let mut reading = Reading::default();
        let graph = map::map(run, &state, range, &[], &mut reading)?;
        let calls = graph.edges.into_iter().filter(|((_, to), _)| to.0 == NodeKind::Service);
        let call = calls.map(|((from, to), total)| Dependency {
            parent: from.1,
            child: to.1,
            n_calls: total.n,
            n_errors: total.n_errors,
        });
        Ok((call.collect(), reading))
    })
    .await
}
