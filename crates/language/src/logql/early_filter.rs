//! Conditions on labels that Loki checks while a parser reads a line.

use pest::iterators::Pair;

use super::grammar::Rule;
use plan::label_set::ERROR;

/// A condition on one label that parsers look at as well.
///
/// Loki leaves a line out as soon as a parser finds a label that does not fit the first condition on it, wherever in
/// the query that condition is: in front of the parser too, or after a stage that gives the label another value. If the
/// label cannot be compared, the line has its error from there on: of several such labels that of the one that the
/// parser found first. `logfmt --strict` does the same with `__error__`.
pub(super) struct EarlyFilter<'p> {
    pub(super) name: &'p str,
    pub(super) condition: Pair<'p, Rule>,
    /// Places of the parsers for which that makes a difference.
    pub(super) parsers: Vec<usize>,
}

impl<'p> EarlyFilter<'p> {
    /// Returns the filters of a query that stand for more than themselves.
    pub(super) fn all(parts: &[Pair<'p, Rule>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        let competes = parts.iter().filter(|part| compares(part)).count() > 1;
        for (place, part) in parts.iter().enumerate() {
            let Some((name, condition)) = lone_condition(part.clone()) else { continue };
            if name.starts_with("__") && name != ERROR || all.iter().any(|filter| filter.name == name) {
                continue;
            }
            let may_fail = name == ERROR || compares(&condition);
            let makes_difference = |parser: &usize| {
                let between = parts.get(parser + 1..place).unwrap_or_default();
                let is_seen = |part: &Pair<'_, Rule>| changes_labels(part) || may_fail && reads_errors(part);
                place < *parser || competes && may_fail || between.iter().any(is_seen)
            };
            let finds = |at: &usize| if name == ERROR { is_strict(&parts[*at]) } else { finds_all(&parts[*at]) };
            let parsers = (0..parts.len()).filter(finds).filter(makes_difference).collect();
            all.push(Self { name, condition, parsers });
        }
        all
    }
}

/// Reports whether a stage compares labels with numbers, durations or sizes, which may fail.
fn compares(part: &Pair<'_, Rule>) -> bool {
    matches!(part.as_rule(), Rule::label_filter | Rule::condition)
        && part.clone().into_inner().flatten().any(|part| part.as_rule() == Rule::quantity)
}

/// Reports whether a stage gives labels other values.
fn changes_labels(part: &Pair<'_, Rule>) -> bool {
    let is_changer = matches!(part.as_rule(), Rule::label_format | Rule::drop | Rule::keep);
    is_changer || matches!(part.as_rule(), Rule::json | Rule::logfmt) && !finds_all(part)
}

/// Reports whether a stage may ask what could not be read.
fn reads_errors(part: &Pair<'_, Rule>) -> bool {
    matches!(part.as_rule(), Rule::label_filter | Rule::line_format) && part.as_str().contains("__error")
}

/// Reports whether a stage makes labels of all that it finds.
fn finds_all(part: &Pair<'_, Rule>) -> bool {
    let names = || part.clone().into_inner().any(|part| part.as_rule() == Rule::extraction);
    match part.as_rule() {
        Rule::json | Rule::logfmt => !names(),
        rule => matches!(rule, Rule::regexp | Rule::pattern | Rule::unpack),
    }
}

/// Reports whether a stage is the parser that asks for its error as soon as it fails.
fn is_strict(part: &Pair<'_, Rule>) -> bool {
    let is_strict = |part: Pair<'_, Rule>| part.as_rule() == Rule::logfmt_flag && part.as_str() == "--strict";
    part.as_rule() == Rule::logfmt && finds_all(part) && part.clone().into_inner().any(is_strict)
}

/// Returns the label of a stage that is one condition, in brackets or not, and the condition.
fn lone_condition(part: Pair<'_, Rule>) -> Option<(&str, Pair<'_, Rule>)> {
    if part.as_rule() == Rule::condition {
        let name = part.clone().into_inner().next()?.as_str();
        return Some((name, part));
    }
    let is_filter = matches!(part.as_rule(), Rule::label_filter | Rule::label_paren);
    let is_bracket = |part: &Pair<'_, Rule>| matches!(part.as_rule(), Rule::open | Rule::close);
    let mut inner = part.into_inner().filter(|part| !is_bracket(part));
    let first = inner.next().filter(|_| is_filter)?;
    if inner.next().is_some() { None } else { lone_condition(first) }
}
