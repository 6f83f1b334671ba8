//! Which events a deletion takes: a query that only chooses events, one at a time.
//!
//! Whether an event is deleted must not depend on other events, on their order or on how many there are, so that
//! asking again finds nothing and a damaged or late event changes nothing for the others. Everything else is refused
//! with its place. So are plain words: a mistyped command would search for a phrase, and that is too little care here.

use super::syntax::{Command, CommandKind, Node, NodeKind};
use super::{ParseOptions, check, parse, phrase};
use plan::{Plan, PlanDraft, QueryError, QueryErrors, Span};

/// Checks a query that says which events are to be deleted.
pub(super) fn plan(text: &str, options: &ParseOptions) -> Result<Plan, QueryErrors> {
    let everything = Span { start: 0, end: text.len() };
    if text.trim().is_empty() {
        let error = QueryError::new("empty-query", "a deletion must say which events it takes", text, everything);
        return Err(error.with_hint("write a filter; `fields @timestamp` takes all events of the range").into());
    }
    if let Some(phrase) = phrase::split(text) {
        let error = QueryError::new("no-query", "a deletion searches for no phrase", text, phrase.span);
        return Err(error.with_hint(format!("write filter @any like \"{}\"", phrase.words.join(" "))).into());
    }
    let commands = parse::parse(text, text)?;
    let errors: Vec<QueryError> = commands.iter().filter_map(|command| refuse(command, text)).collect();
    types::ensure!(errors.is_empty(), QueryErrors(errors));
    check::Checker::new(text, options).draft(&commands).map(PlanDraft::finish)
}

/// Why a command has no place in a deletion, where it has none.
fn refuse(command: &Command, text: &str) -> Option<QueryError> {
    let (name, why) = match &command.kind {
        kind if nodes_of(kind).into_iter().any(has_subquery) => ("a subquery", OTHER_EVENTS),
        CommandKind::Filter(_) | CommandKind::Fields(_) | CommandKind::Eval(_) | CommandKind::Parse { .. } => {
            return None;
        }
        CommandKind::Source { .. } => ("source", "a deletion is about the one group that it names"),
        CommandKind::Display(_) => ("display", NOTHING_CHOSEN),
        CommandKind::Drop(_) => ("drop", NOTHING_CHOSEN),
        CommandKind::Rename(_) => ("rename", NOTHING_CHOSEN),
        CommandKind::Stats(_) => ("stats", OTHER_EVENTS),
        CommandKind::Timechart { .. } => ("timechart", OTHER_EVENTS),
        CommandKind::Ranking { rarest_first: true, .. } => ("rare", OTHER_EVENTS),
        CommandKind::Ranking { .. } => ("top", OTHER_EVENTS),
        CommandKind::FillMissing(_) => ("fillmissing", OTHER_EVENTS),
        CommandKind::FillDown(_) => ("filldown", OTHER_EVENTS),
        CommandKind::Unnest { .. } => ("unnest", "a deletion takes events whole"),
        CommandKind::Expand(_) => ("mvexpand", "a deletion takes events whole"),
        CommandKind::AddTotals(_) => ("addtotals", NOTHING_CHOSEN),
        CommandKind::Autoregress { .. } => ("autoregress", OTHER_EVENTS),
        CommandKind::Sessionize { .. } => ("sessionize", OTHER_EVENTS),
        CommandKind::Outlier(_) => ("outlier", OTHER_EVENTS),
        CommandKind::Lookup { .. } => ("lookup", "the table may change"),
        CommandKind::Join { .. } => ("join", OTHER_EVENTS),
        CommandKind::AppendColumns { .. } => ("appendcols", OTHER_EVENTS),
        CommandKind::Pattern(_) => ("pattern", OTHER_EVENTS),
        CommandKind::Compare { command, .. } => (*command, OTHER_EVENTS),
        CommandKind::Anomaly => ("anomaly", OTHER_EVENTS),
        CommandKind::Sort(_) => ("sort", OTHER_EVENTS),
        CommandKind::Limit(_) => ("limit", OTHER_EVENTS),
        CommandKind::Tail(_) => ("tail", OTHER_EVENTS),
        CommandKind::Dedup(_) => ("dedup", OTHER_EVENTS),
    };
    let error =
        QueryError::new("not-a-filter", format!("{name} has no place in a deletion: {why}"), text, command.span);
    Some(error.with_hint("a deletion takes filter, parse, fields and eval"))
}

const OTHER_EVENTS: &str = "whether an event is deleted must not depend on other events";
const NOTHING_CHOSEN: &str = "it chooses no events";

/// Returns the expressions of a command that has a place in a deletion.
fn nodes_of(kind: &CommandKind) -> Vec<&Node> {
    match kind {
        CommandKind::Filter(node) => vec![node],
        CommandKind::Eval(assignments) => assignments.iter().map(|(_, node)| node).collect(),
        CommandKind::Fields(items) => items.iter().map(|item| &item.expr).collect(),
        CommandKind::Parse { source, .. } => source.iter().collect(),
        _ => Vec::new(),
    }
}

fn has_subquery(node: &Node) -> bool {
    match &node.kind {
        NodeKind::InQuery { .. } => true,
        NodeKind::Literal(_) | NodeKind::Duration(_) | NodeKind::Field(_) => false,
        NodeKind::Call { arguments, .. } => arguments.iter().any(has_subquery),
        NodeKind::Negate(inner) | NodeKind::Not(inner) => has_subquery(inner),
        NodeKind::And(nodes) | NodeKind::Or(nodes) => nodes.iter().any(has_subquery),
        NodeKind::Binary(_, a, b) => has_subquery(a) || has_subquery(b),
        NodeKind::Like { value, .. } => has_subquery(value),
        NodeKind::In { value, items, .. } => has_subquery(value) || items.iter().any(has_subquery),
        NodeKind::Between { value, bounds, .. } => {
            has_subquery(value) || has_subquery(&bounds.0) || has_subquery(&bounds.1)
        }
    }
}

#[cfg(test)]
mod tests;
