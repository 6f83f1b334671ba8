//! Events on a terminal: with level and group, where the query does not say what is shown of them.

use std::io::IsTerminal;

use chrono_tz::Tz;
use language::{ParseOptions, parse_insights};
use plan::{Operator, Plan};
use storage::Clock;

use crate::arguments::Format;

/// Returns a query that shows what people need to tell events apart, for one that shows time and text alone. Programs get what
/// the query says, and so does who asks for another format.
pub(crate) fn with_level_and_group(query: &str, output: Option<Format>, has_groups: bool) -> Option<String> {
    if !std::io::stdout().is_terminal() || output.is_some_and(|format| format != Format::Lines) {
        return None;
    }
    with_columns(query, has_groups)
}

fn with_columns(query: &str, has_groups: bool) -> Option<String> {
    let parse =
        |text: &str| parse_insights(text, &ParseOptions { now: Clock::system().now(), time_zone: Tz::UTC }).ok();
    shows_text_alone(&parse(query)?).then_some(())?;
    let group = if has_groups { ", @log" } else { "" };
    let columns = format!("fields @timestamp, @level{group}, @message");
    // Behind the query, so that places of mistakes stay.
    let shown = if query.trim().is_empty() { columns } else { format!("{query}\n| {columns}") };
    parse(&shown).map(|_| shown)
}

fn shows_text_alone(plan: &Plan) -> bool {
    let Some(Operator::Project { columns, is_events: true }) = plan.operators().last() else { return false };
    columns.iter().map(|(name, _)| &**name).eq(["@timestamp", "@message"])
}

#[cfg(test)]
mod tests;
