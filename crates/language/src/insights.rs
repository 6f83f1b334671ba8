//! Insights QL: text to plan.
//!
//! Reading (`parse`) gives a tree with places, checking (`check`) resolves names and functions and gives the plan.
//! Both are pure. A text that is plain words instead of a query becomes a phrase search.

mod aggregate_name;
mod check;
mod command_names;
mod complete;
mod deletion;
mod expect;
mod expression;
mod foreign;
mod format;
mod grammar;
mod parse;
mod parse_options;
mod pattern;
mod phrase;
mod reader;
mod recover;
mod syntax;
mod token;

#[cfg(test)]
mod optimised_tests;
#[cfg(test)]
mod tests;

pub use complete::{Choice, ChoiceKind, Completion, complete_insights, prefix_regex};
pub use format::format_insights;
pub use parse_options::ParseOptions;

use plan::{Earlier, Plan, PlanDraft, QueryError, QueryErrors};
use syntax::{Command, CommandKind};

/// Checks a query and makes the plan of it.
///
/// Errors: every mistake that could be found, with its place; grammar mistakes hide those after them.
pub fn parse_insights(text: &str, options: &ParseOptions) -> Result<Plan, QueryErrors> {
    draft(text, options).map(PlanDraft::finish)
}

/// Checks a query that says which events are to be deleted, and makes the plan of it: only commands that choose events
/// one by one are taken.
pub fn parse_deletion(text: &str, options: &ParseOptions) -> Result<Plan, QueryErrors> {
    deletion::plan(text, options)
}

/// Checks the query of an alert rule and returns its draft, to which the rule adds. The rule says at which events it
/// looks: a query that names times itself is refused. A value that is a condition by itself, and a text that is no time, are warnings:
/// the rule may be in force since before they were refused ([`parse_insights`]).
pub fn parse_rule(text: &str, options: &ParseOptions) -> Result<PlanDraft, QueryErrors> {
    let (checker, commands) = read(text, options)?;
    let settings = commands.iter().flat_map(|command| match &command.kind {
        CommandKind::Source { options, .. } => options.as_slice(),
        _ => &[],
    });
    let refused =
        settings.filter(|setting| ["start", "end"].iter().any(|key| setting.key.text.eq_ignore_ascii_case(key)));
    let refused: Vec<QueryError> = refused
        .map(|setting| {
            let message =
                format!("`{}` has no place in a rule, whose window says which events it looks at", setting.key.text);
            QueryError::new("rule-with-times", message, text, setting.key.span.to(setting.value.span))
                .with_hint("leave it out, and give the rule a longer window where it needs older events")
        })
        .collect();
    types::ensure!(refused.is_empty(), QueryErrors(refused));
    checker.in_force().draft(&commands)
}

/// Reads which earlier time something is compared with: `previous`, `previousDay`, `previousWeek`, `previousMonth`, or
/// a length of time such as `7d`.
pub fn parse_baseline(text: &str) -> Option<Earlier> {
    let written = match &*text.to_lowercase() {
        "previous" => return Some(Earlier::Preceding),
        "previousday" => "1d".into(),
        "previousweek" => "1w".into(),
        "previousmonth" => "1mo".into(),
        other => other.to_owned(),
    };
    pattern::length(&written).ok().map(Earlier::Shift)
}

/// Returns the draft of the plan, as the query says it.
pub(crate) fn draft(text: &str, options: &ParseOptions) -> Result<PlanDraft, QueryErrors> {
    let (checker, commands) = read(text, options)?;
    checker.draft(&commands)
}

/// Returns the commands of a query, and who checks them.
fn read<'a>(text: &'a str, options: &'a ParseOptions) -> Result<(check::Checker<'a>, Vec<Command>), QueryErrors> {
    let mut checker = check::Checker::new(text, options);
    let commands = match phrase::split(text) {
        Some(phrase) => {
            checker.phrase(&phrase);
            crate::insights::parse::parse(&phrase.rest, text)?
        }
        None => crate::insights::parse::parse(text, text)?,
    };
    Ok((checker, commands))
}
