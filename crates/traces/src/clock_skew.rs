//! Clocks that differ between the two sides of a call.
//!
//! A server cannot begin before its client sends. If it does, or if it ends after a client that waited at least as long, their
//! clocks differ. The server's span is then moved to the middle of the client's, together with the spans below it that the
//! same process made. A server that continues after its client has given up is not skew.

use types::Timestamp;

use crate::node::{Node, Place};
use crate::problem::{ProblemCode, TraceProblem};
use crate::span::{Span, SpanKind};
use crate::times::MICROSECOND;

/// Adjusts the starts of the nodes, parents first, and names each pair whose clocks differ.
pub(crate) fn adjust(spans: &[Span], nodes: &mut [Node], problems: &mut Vec<TraceProblem>) {
    for index in 0..nodes.len() {
        let (Place::Span(child), Some(parent)) = (&nodes[index].place, nodes[index].parent) else { continue };
        let Place::Span(above) = nodes[parent].place else { continue };
        let (child, above, above_start) = (&spans[*child], &spans[above], nodes[parent].start);
        let inherited = if is_same_clock(above, child) { above_start.0.saturating_sub(above.start.0) } else { 0 };
        let start = Timestamp(child.start.0.saturating_add(inherited));
        nodes[index].start = start;
        if above.kind != SpanKind::Client || child.kind != SpanKind::Server {
            continue;
        }
        let Some(adjusted) = within(above_start, above.duration_ns, start, child.duration_ns) else { continue };
        nodes[index].start = adjusted;
        let by = adjusted.0.saturating_sub(start.0);
        let apart = types::format_duration_ns(by.saturating_abs() / MICROSECOND * MICROSECOND);
        let direction = if by > 0 { "behind" } else { "ahead of" };
        let message = format!(
            "the clock of {} is about {apart} {direction} that of {}; its span is shown within the call, its own times are unchanged",
            child.service, above.service
        );
        problems.push(TraceProblem::of_span(ProblemCode::ClockSkew, &child.span_id, message));
    }
}

/// Reports whether two spans were timed by one process.
fn is_same_clock(a: &Span, b: &Span) -> bool {
    a.service == b.service && a.field("@logStream") == b.field("@logStream")
}

/// Returns the adjusted start of a called span; `None` if it is within its caller, or outlives it as calls may.
fn within(caller: Timestamp, caller_ns: i64, called: Timestamp, called_ns: i64) -> Option<Timestamp> {
    let middle = Timestamp(caller.0.saturating_add(caller_ns.saturating_sub(called_ns).max(0) / 2));
    let is_before = called < caller;
    let is_after = called.0.saturating_add(called_ns) > caller.0.saturating_add(caller_ns) && called_ns <= caller_ns;
    (is_before || is_after).then_some(middle)
}
