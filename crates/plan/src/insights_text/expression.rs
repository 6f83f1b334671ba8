//! Expressions of a plan as Insights writes them, with no more brackets than it takes.

use types::Value;

use crate::function::{Function, Signature};
use crate::operator::ArithmeticOperator;
use crate::plan::Expr;
use crate::text_pattern::TextPattern;

/// How tightly each form binds; what binds less is in brackets inside.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const TEST: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const POWER: u8 = 7;
const ATOM: u8 = 9;

/// Returns the text of an expression; `None` where Insights has none.
pub fn text(expr: &Expr) -> Option<String> {
    write(expr, 0)
}

/// Returns the text of a field or call, as `parse` takes it.
pub fn operand(expr: &Expr) -> Option<String> {
    matches!(expr, Expr::Field(_) | Expr::Call(..)).then(|| write(expr, 0))?
}

/// Returns a name, in backticks where it needs them.
pub fn name(name: &str) -> Option<String> {
    (!name.is_empty() && !name.contains(['`', '\n', '\r'])).then(|| written(name))
}

/// Returns a text in quotes that reads as `text`.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Returns a regular expression between slashes; `None` where it cannot be there.
pub fn regex_literal(source: &str) -> Option<String> {
    (!source.is_empty() && !source.contains(['/', '\n', '\r'])).then(|| format!("/{source}/"))
}

/// Returns what is said of one value of a field: the language has no conditions about all values, or about texts as
/// dates, under plain names.
fn plain(expr: &Expr) -> &Expr {
    match expr {
        Expr::Call(Function::Each, arguments) => arguments.get(1).map_or(expr, plain),
        Expr::Call(Function::IfDate, arguments) => arguments.get(2).map_or(expr, plain),
        expr => expr,
    }
}

/// Writes `expr` so that it can be next to an operator of strength `least`.
fn write(expr: &Expr, least: u8) -> Option<String> {
    let expr = plain(expr);
    let (strength, text) = match expr {
        Expr::Literal(value) => (ATOM, literal(value.as_ref())?),
        Expr::Duration(span) => (ATOM, span.to_string()),
        Expr::Regex(regex) => (ATOM, quoted(regex.as_str())),
        Expr::Template(_) => return None,
        Expr::Field(field) => (ATOM, name(field)?),
        // Before a number the sign would become a part of it.
        Expr::Negate(operand) if matches!(**operand, Expr::Literal(_)) => return None,
        Expr::Negate(operand) => (ATOM - 1, format!("-{}", write(operand, ATOM)?)),
        Expr::Not(operand) => match plain(operand) {
            Expr::Match(..) | Expr::In(..) | Expr::Between(..) => (TEST, test(plain(operand), " not")?),
            operand => (NOT, format!("not {}", write(operand, NOT + 1)?)),
        },
        Expr::And(..) => (AND, chain(expr, AND)?),
        Expr::Or(..) => (OR, chain(expr, OR)?),
        Expr::Compare(comparison, left, right) => {
            (TEST, format!("{} {comparison} {}", write(left, SUM)?, write(right, SUM)?))
        }
        Expr::Arithmetic(operator, left, right) => {
            let strength = match operator {
                ArithmeticOperator::Add | ArithmeticOperator::Subtract => SUM,
                ArithmeticOperator::Power => POWER,
                _ => PRODUCT,
            };
            let is_right = *operator == ArithmeticOperator::Power;
            let (left_least, right_least) = if is_right { (strength + 1, strength) } else { (strength, strength + 1) };
            (strength, format!("{} {operator} {}", write(left, left_least)?, write(right, right_least)?))
        }
        Expr::Match(..) | Expr::In(..) | Expr::Between(..) => (TEST, test(expr, "")?),
        Expr::InQuery(..) => return None,
        Expr::Call(Function::HasValue, arguments) => (ATOM, format!("ispresent({})", write(arguments.first()?, 0)?)),
        Expr::Call(function, arguments) => {
            // Functions that only other dialects use have no name in the table.
            Signature::find(function.name())?;
            let arguments: Option<Vec<String>> = arguments.iter().map(|argument| write(argument, 0)).collect();
            (ATOM, format!("{}({})", function.name(), arguments?.join(", ")))
        }
    };
    Some(if strength < least { format!("({text})") } else { text })
}

/// `a and b and c`, whatever the shape of its tree.
fn chain(expr: &Expr, strength: u8) -> Option<String> {
    let mut parts = Vec::new();
    let mut left_to_do = vec![expr];
    while let Some(part) = left_to_do.pop() {
        match part {
            Expr::And(left, right) if strength == AND => left_to_do.extend([&**right, &**left]),
            Expr::Or(left, right) if strength == OR => left_to_do.extend([&**right, &**left]),
            part => parts.push(write(part, strength + 1)?),
        }
    }
    Some(parts.join(if strength == AND { " and " } else { " or " }))
}

/// `value like pattern`; of many patterns each.
fn match_text(value: &str, pattern: &TextPattern, not: &str) -> Option<String> {
    Some(match pattern {
        TextPattern::Substring(part) => format!("{value}{not} like {}", quoted(part)),
        TextPattern::Phrase(words) => {
            let is_sound = !words.is_empty() && words.iter().all(|word| !word.contains(char::is_whitespace));
            format!("{value}{not} has {}", is_sound.then(|| quoted(&words.join(" ")))?)
        }
        TextPattern::Regex(regex) => match (regex_literal(regex.as_str()), not.is_empty()) {
            (Some(literal), _) => format!("{value}{not} like {literal}"),
            (None, true) => format!("{value} =~ {}", quoted(regex.as_str())),
            (None, false) => format!("{value} !~ {}", quoted(regex.as_str())),
        },
        TextPattern::Words(words) => match (words.exact(), words.as_regex()) {
            (Some(words), _) => format!("{value}{not} has {}", quoted(&words.join(" "))),
            (None, Some(regex)) if not.is_empty() => format!("{value} =~ {}", quoted(&regex)),
            (None, Some(regex)) => format!("{value} !~ {}", quoted(&regex)),
            (None, None) => return None,
        },
        TextPattern::OneOf(alternatives) => {
            let each = alternatives.patterns.iter().map(|pattern| match_text(value, pattern, ""));
            let each = each.collect::<Option<Vec<String>>>()?.join(" or ");
            if not.is_empty() { format!("({each})") } else { format!("(not ({each}))") }
        }
    })
}

/// `value like pattern`, `value in […]`, `value between a and b`; `not` goes in between.
fn test(expr: &Expr, not: &str) -> Option<String> {
    Some(match expr {
        Expr::Match(value, pattern) => match_text(&write(value, SUM)?, pattern, not)?,
        Expr::In(value, items) => {
            let items: Option<Vec<String>> = items.iter().map(|item| write(item, 0)).collect();
            format!("{}{not} in [{}]", write(value, SUM)?, items?.join(", "))
        }
        Expr::Between(value, low, high) => {
            format!("{}{not} between {} and {}", write(value, SUM)?, write(low, SUM)?, write(high, SUM)?)
        }
        _ => return None,
    })
}

fn literal(value: Option<&Value>) -> Option<String> {
    Some(match value {
        None => "null".to_owned(),
        Some(Value::String(text)) => quoted(text),
        Some(Value::Integer(number)) => number.to_string(),
        // With a point or an exponent, so that it stays no whole number.
        Some(Value::Float(number)) if number.is_finite() => format!("{number:?}"),
        Some(Value::Boolean(truth)) => truth.to_string(),
        Some(Value::Timestamp(instant)) => quoted(&instant.to_string()),
        Some(_) => return None,
    })
}

/// Returns a name as it is in a query: in backticks where it has other characters or is a word of the language.
pub fn written(name: &str) -> String {
    const RESERVED: [&str; 8] = ["and", "or", "not", "in", "like", "between", "as", "by"];
    let starts_well = name.starts_with(|c: char| c.is_alphabetic() || matches!(c, '_' | '@'));
    let is_word_of_ours = RESERVED.iter().chain(&["true", "false", "null"]).any(|word| word.eq_ignore_ascii_case(name));
    if starts_well && name.chars().all(is_word) && !is_word_of_ours { name.to_owned() } else { format!("`{name}`") }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '.')
}
