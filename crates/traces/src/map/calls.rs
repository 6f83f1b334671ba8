//! The calls of two times, which a first look compares.

use std::collections::BTreeSet;

use cause::CallCounts;
use door::{Problem, QueryRun};
use execute::PartialReason;
use types::{GroupPattern, TimeRange};

use super::graph::{Graph, NodeId, NodeKind};
use super::measure::Total;
use super::{aligned, slices};
use crate::read::Reading;
use crate::state::TracesState;

/// Counts the calls of two ranges, each widened to whole slices: those of the spans in some groups, or of all spans where
/// these have none. Why some may be missing is the second part.
pub fn count_calls_of(
    run: &QueryRun<'_>,
    state: &TracesState,
    ranges: [TimeRange; 2],
    groups: &[GroupPattern],
) -> (Vec<CallCounts>, Vec<PartialReason>) {
    let mut reading = Reading::default();
    let mut counted = graphs(run, state, ranges, groups, &mut reading);
    let has_none = |graphs: &[Graph; 2]| graphs.iter().all(|graph| graph.edges.is_empty());
    if !groups.is_empty() && counted.as_ref().is_ok_and(has_none) {
        counted = graphs(run, state, ranges, &[], &mut reading);
    }
    let mut reasons = reading.partial_reasons;
    match counted {
        Ok(graphs) => (compared(&graphs), reasons),
        Err(problem) => {
            let message = format!("calls between services are not counted: {}", problem.message);
            reasons.push(PartialReason { code: "unreadable", message });
            (Vec::new(), reasons)
        }
    }
}

fn graphs(
    run: &QueryRun<'_>,
    state: &TracesState,
    ranges: [TimeRange; 2],
    groups: &[GroupPattern],
    reading: &mut Reading,
) -> Result<[Graph; 2], Problem> {
    let mut graph = |range: TimeRange| {
        let (range, step) = aligned(range);
        Ok::<_, Problem>(Graph::of(&slices(run, state, (range, step), groups, reading)?, range))
    };
    Ok([graph(ranges[0])?, graph(ranges[1])?])
}

fn compared(graphs: &[Graph; 2]) -> Vec<CallCounts> {
    let edges: BTreeSet<&(NodeId, NodeId)> = graphs.iter().flat_map(|graph| graph.edges.keys()).collect();
    let counts = |edge: &(NodeId, NodeId)| {
        let totals = graphs.each_ref().map(|graph| graph.edges.get(edge));
        let n = |of: fn(&Total) -> u64| totals.map(|total| total.map(of).unwrap_or_default());
        let durations = totals.map(|total| {
            let histogram = total.into_iter().flat_map(Total::histogram);
            histogram.map(|(seconds, n)| (seconds * 1e3, n)).collect::<Vec<(f64, u64)>>()
        });
        let ((_, from), (kind, to)) = edge;
        CallCounts {
            from: from.to_string(),
            to: to.to_string(),
            is_service: *kind == NodeKind::Service,
            n_calls: n(|total| total.n),
            n_errors: n(|total| total.n_errors),
            durations,
        }
    };
    edges.into_iter().map(counts).collect()
}
