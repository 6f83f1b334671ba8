//! Operators and expressions of a plan as text of Insights QL.
//!
//! The text has the same plan as the original, which tests of the language hold it to. What Insights has no words for
//! is `None`.

mod expression;

use crate::plan::{Expr, Operator, Parse, ParseMethod};
pub use expression::{name, operand, quoted, regex_literal, text, written};

/// Returns the commands that operators come from, over the groups of `sources`; the operator that has none is the
/// error.
pub fn commands(sources: &[types::GroupPattern], operators: &[Operator]) -> Result<Vec<String>, Box<Operator>> {
    let mut commands = Vec::new();
    if !sources.is_empty() {
        let names: Vec<String> = sources.iter().map(|source| quoted(source.as_str())).collect();
        commands.push(format!("source {}", names.join(", ")));
    }
    for operator in operators {
        commands.push(command(operator).ok_or_else(|| Box::new(operator.clone()))?);
    }
    Ok(commands)
}

/// Writes a query for single events: what `operators` do to them, and further conditions. `None` where Insights has no
/// words for some of it. The language may still refuse the text.
pub fn events_text(sources: &[types::GroupPattern], operators: &[Operator], also: &[Expr]) -> Option<String> {
    let computed = |operator: &Operator| match operator {
        Operator::Extend { name, expr } => {
            Some(format!("eval {} = {}", expression::name(name)?, expression::text(expr)?))
        }
        operator => command(operator),
    };
    let mut all = commands(sources, &[]).ok()?;
    let filters: Vec<Operator> = also.iter().cloned().map(Operator::Filter).collect();
    for operator in operators.iter().chain(&filters) {
        all.push(computed(operator)?);
    }
    Some(all.join(" | "))
}

/// Returns the command that an operator comes from.
pub fn command(operator: &Operator) -> Option<String> {
    match operator {
        Operator::Filter(condition) => Some(format!("filter {}", expression::text(condition)?)),
        Operator::Parse(parse) => parse_command(parse),
        // Columns that only another dialect knows have no words.
        Operator::Extend { name, expr } if !name.starts_with('#') => {
            Some(format!("eval {} = {}", expression::name(name)?, expression::text(expr)?))
        }
        _ => None,
    }
}

/// Returns the text of a `parse` command in Insights QL, if it can be written there.
pub fn parse_command(parse: &Parse) -> Option<String> {
    let text = expression::operand(&parse.text)?;
    let method = match &parse.method {
        ParseMethod::Format { format, prefix: None } => format.name().to_owned(),
        ParseMethod::Format { format, prefix: Some(prefix) } => {
            format!("{} as {}", format.name(), expression::name(prefix)?)
        }
        ParseMethod::Regex { regex, .. } => regex_literal(regex.as_str())?,
        ParseMethod::Glob { literals, names } => {
            let names = names.iter().map(|name| expression::name(name)).collect::<Option<Vec<String>>>()?;
            format!("{} as {}", quoted(&literals.join("*")), names.join(", "))
        }
    };
    Some(format!("parse {text} {method}"))
}
