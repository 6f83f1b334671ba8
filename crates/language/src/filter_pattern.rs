//! Filter patterns, the second language of CloudWatch Logs: text to plan.
//!
//! Metric filters, subscription filters, live tail and `FilterLogEvents` use it. A pattern has one of three forms:
//! words that the message holds (`ERROR -DEBUG "exact phrase" %regex%`), a condition on the properties of a JSON event
//! (`{ $.status >= 500 && $.path = "/api*" }`), or the columns of an event whose words are between blanks
//! (`[ip, ..., status = 4*, bytes > 1000]`). All become filters of a [`Plan`], so that an index serves them as it
//! serves every other language.
//!
//! Properties are the fields of the event, whatever door it came through. A pattern of the second form never takes an
//! event that is no record; one of the third form only events with as many columns as it names.

mod columns;
mod explain;
mod grammar;
mod json;
mod reader;
mod terms;
mod value;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use pest::Parser;
use pest::iterators::Pair;

use self::grammar::{FilterPattern, Rule};
use self::reader::Reader;
use plan::{Expr, Operator, Plan, PlanDraft, QueryErrors, Result, Span, Warning};

/// Longest pattern in code points, as Amazon has it.
const PATTERN_CHARS_MAX: usize = 1_024;

/// Deepest nesting of brackets: the generated parser recurses over them.
const NESTING_MAX: usize = 32;

/// Reads a pattern and makes the plan of it: the newest events that match, with `@timestamp` and `@message`.
///
/// Errors: what cannot be read and expressions that are not valid, with their place.
pub fn parse_filter_pattern(text: &str) -> Result<Plan, QueryErrors> {
    let (mut operators, warnings) = conditions(text)?;
    let shown = ["@timestamp", "@message"].map(|name| (name.into(), Expr::Field(name.into())));
    operators.push(Operator::Project { columns: shown.to_vec(), is_events: true });
    Ok(PlanDraft { operators, warnings, ..PlanDraft::default() }.finish())
}

/// Does the same with other columns: what selectors name, `$.property` of a JSON event or `$column` of a pattern of
/// columns.
///
/// Errors: those of the pattern, and a selector that names nothing, with its place in itself.
pub fn parse_filter_pattern_showing(text: &str, selectors: &[&str]) -> Result<Plan, QueryErrors> {
    let (mut operators, warnings) = conditions(text)?;
    let form = form(&Reader { text })?;
    let columns = form.filter(|form| form.as_rule() == Rule::columns).map(columns::named).unwrap_or_default();
    let shown = selectors.iter().map(|selector| Ok(((*selector).into(), selected(selector, &columns)?)));
    let shown = shown.collect::<Result<Vec<_>, QueryErrors>>()?;
    operators.push(Operator::Project { columns: shown, is_events: true });
    Ok(PlanDraft { operators, warnings, ..PlanDraft::default() }.finish())
}

/// Returns the selectors of a pattern, as written and each once: `$.property` of a JSON event, `$column` of a pattern
/// of columns; none for words.
///
/// Errors: what cannot be read, with its place.
pub fn filter_pattern_selectors(text: &str) -> Result<Vec<String>, QueryErrors> {
    let mut selectors: Vec<String> = match form(&Reader { text })? {
        Some(form) if form.as_rule() == Rule::columns => {
            columns::named(form).into_iter().map(|(name, _)| format!("${name}")).collect()
        }
        Some(form) if form.as_rule() == Rule::json => {
            let selectors = form.into_inner().flatten().filter(|part| part.as_rule() == Rule::selector);
            // One with a wildcard has no single value that could be shown.
            let selectors = selectors.filter(|selector| !json::has_wildcard(selector));
            selectors.map(|selector| selector.as_str().to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let mut seen = HashSet::new();
    selectors.retain(|selector| seen.insert(selector.clone()));
    Ok(selectors)
}

/// Returns what a selector names.
fn selected(selector: &str, columns: &[(&str, Expr)]) -> Result<Expr, QueryErrors> {
    let reader = Reader { text: selector };
    check_size(&reader)?;
    let whole = Span { start: 0, end: selector.len() };
    if let Some((_, column)) = columns.iter().find(|(name, _)| selector.strip_prefix('$') == Some(*name)) {
        return Ok(column.clone());
    }
    let found = FilterPattern::parse(Rule::selector, selector).ok().and_then(|mut pairs| pairs.next());
    match found.filter(|pair| pair.as_str().len() == selector.len()) {
        Some(pair) => Ok(Expr::Field(json::path(&reader, pair)?.into())),
        None => {
            let message = format!("`{selector}` names no property ($.name) and no column of the pattern ($name)");
            Err(reader.error("unknown-selector", message, whole).into())
        }
    }
}

/// Returns what a pattern is made of.
fn form<'a>(reader: &Reader<'a>) -> Result<Option<Pair<'a, Rule>>, QueryErrors> {
    check_size(reader)?;
    let parsed = FilterPattern::parse(Rule::pattern, reader.text);
    let mut pairs = parsed.map_err(|error| crate::filter_pattern::explain::explain(&error, reader.text))?;
    Ok(pairs.next().and_then(|pattern| pattern.into_inner().next()))
}

/// Returns what chooses the events, and what is to be said about it.
pub(crate) fn conditions(text: &str) -> Result<(Vec<Operator>, Vec<Warning>), QueryErrors> {
    let reader = Reader { text };
    let mut warnings = Vec::new();
    let operators = match form(&reader)? {
        Some(form) if form.as_rule() == Rule::json => vec![Operator::Filter(json::condition(&reader, form)?)],
        Some(form) if form.as_rule() == Rule::columns => columns::operators(&reader, form)?,
        Some(form) => terms::conditions(&reader, form, &mut warnings)?.into_iter().map(Operator::Filter).collect(),
        None => Vec::new(),
    };
    Ok((operators, warnings))
}

fn check_size(reader: &Reader<'_>) -> Result<()> {
    let text = reader.text;
    if let Some((start, _)) = text.char_indices().nth(PATTERN_CHARS_MAX) {
        let message = format!("a filter pattern has at most {PATTERN_CHARS_MAX} characters");
        return Err(reader.error("query-too-long", message, Span { start, end: text.len() }));
    }
    // Brackets in texts count too: no one writes this many of them.
    let mut depth = 0usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => continue,
        }
        if depth > NESTING_MAX {
            let message = format!("brackets are nested more than {NESTING_MAX} deep here");
            return Err(reader.error("nested-too-deeply", message, Span { start: at, end: at + 1 }));
        }
    }
    Ok(())
}
