//! Spells an expression with all ids replaced by what they stand for, so that two expressions over the same metrics are the same
//! text whatever their queries are called.

use std::collections::BTreeSet;

use super::MathProblem;
use super::evaluate::BAND;
use super::parse::Expression;

/// Deepest chain of expressions that use each other.
const CHAIN_MAX: usize = 100;

/// Functions whose series depend on more than their arguments.
const REFUSED: [&str; 3] = [BAND, "METRICS", "SEARCH"];

/// What an id stands for.
pub(in crate::metrics) enum Named<'q> {
    /// A metric, as a text.
    Metric(String),
    Expression(&'q Expression),
}

/// Returns the spelling of an expression, and the ids of the queries that it uses; `named` says what an id stands for, if it is one.
///
/// # Errors
/// If it uses a function that depends on more than its arguments, or expressions use each other in a circle.
pub(in crate::metrics) fn canonical<'q>(
    expression: &Expression,
    named: &dyn Fn(&str) -> Option<Named<'q>>,
) -> Result<(String, BTreeSet<String>), MathProblem> {
    let mut speller = Speller { named, used: BTreeSet::new() };
    let text = speller.text(expression, 0)?;
    Ok((text, speller.used))
}

struct Speller<'s, 'q> {
    named: &'s dyn Fn(&str) -> Option<Named<'q>>,
    used: BTreeSet<String>,
}

impl Speller<'_, '_> {
    fn text(&mut self, expression: &Expression, depth: usize) -> Result<String, MathProblem> {
        types::ensure!(depth <= CHAIN_MAX, MathProblem("expressions use each other in a circle".to_owned()));
        Ok(match expression {
            Expression::Number(number) => number.to_string(),
            Expression::Text(text) => format!("{text:?}"),
            Expression::Word(word) => match (self.named)(word) {
                None => word.to_ascii_uppercase(),
                Some(named) => {
                    self.used.insert(word.clone());
                    match named {
                        Named::Metric(metric) => metric,
                        Named::Expression(inner) => self.text(inner, depth + 1)?,
                    }
                }
            },
            Expression::List(items) => format!("[{}]", self.list(items, depth)?),
            Expression::Negated(inner) => format!("(-{})", self.text(inner, depth + 1)?),
            Expression::Binary(operator, left, right) => {
                format!("({} {operator:?} {})", self.text(left, depth + 1)?, self.text(right, depth + 1)?)
            }
            Expression::Call(name, arguments) => {
                let name = name.to_ascii_uppercase();
                if REFUSED.contains(&&*name) {
                    return Err(MathProblem(format!("{name} is not supported in what anomalies are detected of")));
                }
                format!("{name}({})", self.list(arguments, depth)?)
            }
        })
    }

    fn list(&mut self, items: &[Expression], depth: usize) -> Result<String, MathProblem> {
        let texts = items.iter().map(|item| self.text(item, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        Ok(texts.join(", "))
    }
}

#[cfg(test)]
mod tests;
