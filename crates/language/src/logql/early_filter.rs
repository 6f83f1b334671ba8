//! Conditions on labels that Loki checks while a parser reads a line.

use pest::iterators::Pair;

use super::grammar::Rule;

/// A condition on one label that parsers look at as well.
///
/// Loki leaves a line out as soon as a parser finds a label that does not fit the first condition on it, wherever in
/// the query that condition is: in front of the parser too, or after a stage that gives the label another value.
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
        for (place, part) in parts.iter().enumerate() {
            let Some((name, condition)) = lone_condition(part) else { continue };
            if name.starts_with("__") || all.iter().any(|filter| filter.name == name) {
                continue;
            }
            let makes_difference = |parser: &usize| {
                let between = parts.get(parser + 1..place).unwrap_or_default();
                place < *parser || between.iter().any(|part| CHANGES_LABELS.contains(&part.as_rule()))
            };
            let parsers = (0..parts.len()).filter(|at| finds_all(&parts[*at])).filter(makes_difference).collect();
            all.push(Self { name, condition, parsers });
        }
        all
    }
}

/// Stages that give labels other values.
const CHANGES_LABELS: [Rule; 3] = [Rule::label_format, Rule::drop, Rule::keep];

/// Reports whether a stage makes labels of all that it finds.
fn finds_all(part: &Pair<'_, Rule>) -> bool {
    let names = || part.clone().into_inner().any(|part| part.as_rule() == Rule::extraction);
    match part.as_rule() {
        Rule::json | Rule::logfmt => !names(),
        rule => matches!(rule, Rule::regexp | Rule::pattern | Rule::unpack),
    }
}

/// Returns the label of a stage that is one condition, and the condition.
fn lone_condition<'p>(part: &Pair<'p, Rule>) -> Option<(&'p str, Pair<'p, Rule>)> {
    let only = |pair: Pair<'p, Rule>, rule: Rule| {
        let mut inner = pair.into_inner();
        let first = inner.next().filter(|first| first.as_rule() == rule)?;
        inner.next().is_none().then_some(first)
    };
    let whole = Some(part.clone()).filter(|part| part.as_rule() == Rule::label_or)?;
    let condition = only(only(whole, Rule::label_and)?, Rule::condition)?;
    let name = condition.clone().into_inner().next()?.as_str();
    Some((name, condition))
}
