//! Where levels are ordered: sort keys, extremes and comparisons go by severity, not by letters.
//!
//! `@level` itself is known to the executor, which compares and groups it by severity through an index. What only
//! carries a level (`fields @level as l`, `stats max(@level) as worst`) is known here: such expressions are ordered
//! through [`Function::Severity`], and what comes out of an aggregate gets its name back.

use types::{Level, Value};

use super::checker::Checker;
use plan::function::severity_key;
use plan::{AggregateKind, Comparison, Expr, Function};

impl Checker<'_> {
    /// Reports whether the values of an expression are levels.
    pub(super) fn is_level(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Field(name) => match &self.aggregation {
                Some(aggregation) => aggregation.levels.contains(name),
                None => self.levels.contains(name),
            },
            Expr::Call(Function::LevelName, _) => true,
            Expr::Call(Function::Coalesce | Function::Unmask, arguments) => {
                arguments.iter().any(|argument| self.is_level(argument))
            }
            Expr::Call(Function::If, arguments) => arguments.iter().skip(1).any(|argument| self.is_level(argument)),
            _ => false,
        }
    }

    /// Reports whether a condition on these sides must be put by severity here: the executor knows `@level` itself.
    fn carries_level(&self, sides: &[&Expr]) -> bool {
        let is_known = |side: &&Expr| matches!(side, Expr::Field(name) if **name == *"@level");
        sides.iter().any(|side| self.is_level(side)) && !sides.iter().any(is_known)
    }

    /// Returns the comparison of two sides, by severity where both can be levels.
    pub(super) fn compared(&self, comparison: Comparison, left: Expr, right: Expr) -> Expr {
        let sides = [left, right];
        let is_by_severity = self.carries_level(&sides.each_ref()) && sides.iter().all(may_be_level);
        let [left, right] = if is_by_severity { sides.map(severity) } else { sides };
        Expr::Compare(comparison, Box::new(left), Box::new(right))
    }

    /// `between`, each of whose bounds may be a level or not.
    pub(super) fn between(&self, value: Expr, low: Expr, high: Expr) -> Expr {
        if !self.carries_level(&[&value, &low, &high]) {
            return Expr::Between(Box::new(value), Box::new(low), Box::new(high));
        }
        let low = self.compared(Comparison::GreaterOrEqual, value.clone(), low);
        let high = self.compared(Comparison::LessOrEqual, value, high);
        Expr::And(Box::new(low), Box::new(high))
    }

    /// Does the same for `in`, whose first side is compared with every item.
    pub(super) fn items_by_severity(&self, value: Expr, items: Vec<Expr>) -> (Expr, Vec<Expr>) {
        if self.carries_level(&[&value]) {
            return (severity(value), items.into_iter().map(severity).collect());
        }
        (value, items)
    }

    /// Returns what a sort key or the argument of an aggregate that orders is ordered by.
    pub(super) fn ordered(&self, expr: Expr) -> Expr {
        if self.carries_level(&[&expr]) { severity(expr) } else { expr }
    }
}

/// Returns the level that a literal spells.
fn level_of(expr: &Expr) -> Option<Level> {
    match expr {
        Expr::Literal(Some(Value::String(text))) => Level::parse(text),
        Expr::Literal(Some(Value::Integer(number))) => Level::parse(&number.to_string()),
        _ => None,
    }
}

fn may_be_level(expr: &Expr) -> bool {
    !matches!(expr, Expr::Literal(_)) || level_of(expr).is_some()
}

/// Returns what orders a level; known at once of a literal.
pub(super) fn severity(expr: Expr) -> Expr {
    match level_of(&expr) {
        Some(level) => Expr::Literal(Some(severity_key(level))),
        None => Expr::Call(Function::Severity, vec![expr]),
    }
}

/// Returns the name of a level that [`severity`] has put by.
pub(super) fn level_name(expr: Expr) -> Expr {
    Expr::Call(Function::LevelName, vec![expr])
}

/// Reports whether an aggregate orders values, so that levels must be put by severity in it.
pub(super) fn orders(kind: AggregateKind) -> bool {
    matches!(kind, AggregateKind::Min | AggregateKind::Max | AggregateKind::Values(_) | AggregateKind::Mode)
}

/// Reports whether an aggregate gives one of the values that it was given.
pub(super) fn gives_a_value(kind: AggregateKind) -> bool {
    use AggregateKind as Kind;
    matches!(kind, Kind::Min | Kind::Max | Kind::Mode | Kind::First | Kind::Last | Kind::Earliest | Kind::Latest)
}
