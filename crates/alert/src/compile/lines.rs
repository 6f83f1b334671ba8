//! The lines of a row: as conditions, and as a query that a person can open.

use crate::compile::compiled_rule::CompiledRule;
use crate::compile::patterns::MORE;
use execute::pattern_lines;
use language::events_text;
use plan::{Comparison, Expr, Name, Operator};
use types::Value;

/// A query for the lines of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    /// In Insights QL.
    pub(crate) query: String,
    /// The group that all of them are in, where the label set names it.
    pub(crate) group: Option<String>,
}

impl CompiledRule {
    /// Returns for each column that makes label sets the condition that a row's value puts on events.
    pub(super) fn conditions<'c>(&'c self, row: &'c [Option<Value>]) -> impl Iterator<Item = (&'c Expr, Expr)> {
        self.by.iter().filter_map(move |(name, expr)| Some((expr, condition(expr, self.label_of(row, name)?))))
    }

    fn label_of<'r>(&self, row: &'r [Option<Value>], name: &Name) -> Option<&'r Option<Value>> {
        let (at, _) = self.labels.iter().find(|(_, label)| **label == **name)?;
        Some(row.get(*at).unwrap_or(&None))
    }

    /// Returns the query for all lines that the rule looks at.
    pub(crate) fn all_lines(&self) -> Option<Lines> {
        let before: Vec<Operator> = self.steps().collect();
        Some(Lines { query: events_text(&self.sources, &before, &[])?, group: None })
    }

    /// Returns what the rule does to each event; what is shown of events is left to the page.
    fn steps(&self) -> impl Iterator<Item = Operator> {
        self.before.iter().filter(|step| !matches!(step, Operator::Project { .. })).cloned()
    }

    /// Returns the query for the lines of a row; `message` is one of them. `None` if no query can say it.
    pub(crate) fn lines(&self, row: &[Option<Value>], message: Option<&str>) -> Option<Lines> {
        let mut group = None;
        let mut conditions = Vec::new();
        for (expr, condition) in self.conditions(row) {
            match (expr, &condition) {
                (Expr::Field(name), Expr::Compare(_, _, value)) if &**name == "@log" && self.sources.is_empty() => {
                    let Expr::Literal(Some(value)) = &**value else { continue };
                    group = Some(value.to_string());
                }
                _ => conditions.push(condition),
            }
        }
        let pattern = self.pattern.and_then(|at| row.get(at)?.as_ref()).map(ToString::to_string);
        if let Some(pattern) = pattern.filter(|pattern| pattern != MORE) {
            conditions.push(pattern_lines(&pattern, message)?);
        }
        let before: Vec<Operator> = self.steps().collect();
        Some(Lines { query: events_text(&self.sources, &before, &conditions)?, group })
    }
}

/// Returns the condition that an expression has this value, or none.
fn condition(expr: &Expr, value: &Option<Value>) -> Expr {
    let is = |right: Expr| Expr::Compare(Comparison::Equal, Box::new(expr.clone()), Box::new(right));
    match value {
        Some(value) => is(Expr::Literal(Some(value.clone()))),
        None => Expr::Not(Box::new(is(expr.clone()))),
    }
}
