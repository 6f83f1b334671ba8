//! Words of the message: `ERROR -DEBUG ?WARN ?FATAL "exact phrase" %regex%`.

use pest::iterators::Pair;

use super::grammar::Rule;
use super::reader::{Reader, message};
use super::value;
use crate::grammar::span_of;
use plan::{Expr, Result, Span, TextPattern, Warning, balanced, not};

/// What the sign before a term says of it.
#[derive(Clone, Copy, PartialEq)]
enum TermSign {
    Always,
    Never,
    OneOf,
}

/// Returns the conditions of a pattern, all of which must hold.
pub(super) fn conditions(reader: &Reader<'_>, pair: Pair<'_, Rule>, warnings: &mut Vec<Warning>) -> Result<Vec<Expr>> {
    let (mut conditions, mut choices) = (Vec::new(), Vec::new());
    let mut first_choice: Option<Span> = None;
    for term in pair.into_inner() {
        let span = span_of(&term);
        let (wanted, condition) = read(reader, term)?;
        match wanted {
            TermSign::Always => conditions.push(condition),
            TermSign::Never => conditions.push(not(condition)),
            TermSign::OneOf => {
                first_choice.get_or_insert(span);
                choices.push(condition);
            }
        }
    }
    match first_choice {
        Some(_) if conditions.is_empty() => conditions.push(balanced(choices, Expr::Or)),
        Some(span) => {
            let message = "terms with `?` have no effect next to terms without it, as in CloudWatch";
            let hint = "give every term a `?` for one of them, or write %WARN|FATAL% for a choice next to other terms";
            warnings.push(reader.warning("optional-term-ignored", message, span, hint));
        }
        None => {}
    }
    Ok(conditions)
}

fn read(reader: &Reader<'_>, pair: Pair<'_, Rule>) -> Result<(TermSign, Expr)> {
    let mut wanted = TermSign::Always;
    let mut pattern = TextPattern::Substring(String::new());
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::excluded => wanted = TermSign::Never,
            Rule::optional => wanted = TermSign::OneOf,
            Rule::quoted => pattern = TextPattern::Substring(value::unquoted(part.as_str())),
            Rule::regex => pattern = TextPattern::Regex(value::regex(reader, &part)?),
            _ => pattern = TextPattern::Substring(part.as_str().to_owned()),
        }
    }
    // Amazon's pattern for every event is a blank in quotes.
    let is_everything = matches!(&pattern, TextPattern::Substring(text) if text.trim().is_empty());
    let everything = || Expr::Literal(Some(types::Value::Boolean(true)));
    Ok((wanted, if is_everything { everything() } else { Expr::Match(Box::new(message()), pattern) }))
}
