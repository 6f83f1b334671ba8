//! Conditions on labels and lines, which selectors and stages share.

use plan::{Comparison, Expr, Function, LabelsFunction, Result, Span, TextPattern, balanced, not};
use types::Value;

use super::label;
use super::loose::{LooseText, loose_texts};
use super::reader::Reader;

pub(super) fn message() -> Expr {
    Expr::Field("@message".into())
}

/// Returns the condition of a label matcher; `None` where it holds for every event. A missing label is the empty text.
pub(super) fn label_matches(
    reader: &Reader<'_>,
    name: &str,
    sign: &str,
    value: &str,
    span: Span,
) -> Result<Option<Expr>> {
    let label = reader.sight.label(name);
    let is_regex = matches!(sign, "=~" | "!~") && !reader.sight.is_plain;
    let Some(texts) = is_regex.then(|| loose_texts(value)).flatten() else {
        return text_matches(reader, label, (sign, Dot::NoLineEnd), value, span);
    };
    let mut conditions = Vec::with_capacity(texts.len());
    for text in texts {
        conditions.push(match text {
            LooseText::Any => Expr::Literal(Some(Value::Boolean(true))),
            LooseText::Present => not(Expr::Call(Function::IsEmpty, vec![label.clone()])),
            LooseText::Literal { text, is_whole: true, folds: false } => equal(reader, label.clone(), &text),
            LooseText::Literal { text, is_whole: false, folds: false } => {
                Expr::Match(Box::new(label.clone()), TextPattern::Substring(text))
            }
            LooseText::Literal { text, is_whole, folds: true } => {
                let (start, end) = if is_whole { ("^", "$") } else { ("", "") };
                let regex = reader.regex(&format!("{start}(?i:{}){end}", regex::escape(&text)), span)?;
                Expr::Match(Box::new(label.clone()), TextPattern::Regex(regex))
            }
        });
    }
    let positive = balanced(conditions, Expr::Or);
    Ok(Some(if sign == "!~" { not(positive) } else { positive }))
}

/// What the point of a regular expression stands for: matchers read more into it than conditions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Dot {
    AnyCharacter,
    NoLineEnd,
}

/// Does the same of any value.
pub(super) fn text_matches(
    reader: &Reader<'_>,
    label: Expr,
    (sign, dot): (&str, Dot),
    value: &str,
    span: Span,
) -> Result<Option<Expr>> {
    let is_empty = |label: Expr| Expr::Call(Function::IsEmpty, vec![label]);
    let positive = match sign {
        "=~" | "!~" => {
            // Matchers of labels are anchored, line filters are not.
            let flag = if dot == Dot::AnyCharacter { "s" } else { "" };
            let regex = reader.regex(&format!("^(?{flag}:{value})$"), span)?;
            let matches_empty = regex.is_match("");
            if matches_empty && matches!(value, ".*" | "") {
                let condition = if value.is_empty() { Some(is_empty(label)) } else { None };
                return Ok(match (condition, sign) {
                    (Some(condition), "!~") => Some(not(condition)),
                    (None, "!~") => Some(Expr::Literal(Some(Value::Boolean(false)))),
                    (condition, _) => condition,
                });
            }
            let matches = Expr::Match(Box::new(label.clone()), TextPattern::Regex(regex));
            if matches_empty { Expr::Or(Box::new(is_empty(label)), Box::new(matches)) } else { matches }
        }
        _ if value.is_empty() => is_empty(label),
        _ => equal(reader, label, value),
    };
    Ok(Some(if sign.starts_with('!') { not(positive) } else { positive }))
}

fn equal(reader: &Reader<'_>, label: Expr, value: &str) -> Expr {
    let same = label::call(LabelsFunction::Same, vec![label.clone(), label::text(value)]);
    let equal = Expr::Compare(Comparison::Equal, Box::new(label), Box::new(label::text(value)));
    // Numbers are equal whatever their spelling, labels are not.
    let may_be_number = value.parse::<f64>().is_ok() && !reader.sight.is_plain;
    if may_be_number { both(equal, same) } else { equal }
}

pub(super) fn is_present(expr: Expr) -> Expr {
    Expr::Call(Function::IsPresent, vec![expr])
}

pub(super) fn both(left: Expr, right: Expr) -> Expr {
    Expr::And(Box::new(left), Box::new(right))
}
