//! The fields `level` and `log.level`: what was sent, and what is recognised where nothing was.
//!
//! Hits show the level as it was sent, and the recognised one as `level` where an event has neither field. Buckets, orders
//! and presence are about what hits show, so that what a bucket is named is what its events have. A query by the name of
//! a level finds all ways to write it too, unless the field is declared or asked for as a `.keyword`.

use plan::each::{each, has_value};
use plan::{Comparison, Expr, Function};
use types::{LEVELS, Level, Value};

use crate::logic::{both, not};

pub(super) fn is_of_level(name: &str) -> bool {
    matches!(name, "level" | "log.level")
}

/// Returns the recognised level of events that show it as `level`.
fn recognised() -> Expr {
    let is_sent = both(has_value(&"level".into()), has_value(&"log.level".into()), Expr::Or);
    Expr::Call(Function::If, vec![not(Some(is_sent)), Expr::Field("@level".into())])
}

/// Returns the value that hits show under the name of a field.
pub fn shown(name: &str) -> Expr {
    match name {
        "level" => Expr::Call(Function::Coalesce, vec![Expr::Field(name.into()), recognised()]),
        name => Expr::Field(name.into()),
    }
}

/// Returns the condition that hits show a field.
pub(super) fn has_sent(name: &str) -> Expr {
    let is_sent = has_value(&name.into());
    match name {
        "level" => both(is_sent, Expr::Call(Function::IsPresent, vec![recognised()]), Expr::Or),
        _ => is_sent,
    }
}

/// What stands for the recognised level in a condition on one of the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// Nothing: the condition is about what was sent.
    Sent,
    /// The names of levels, which find what was sent so, too.
    Names,
    /// Every word for a level, as people mean it; other texts are those that were sent.
    AllWords,
}

/// Returns a condition on one of the fields, as one on what is shown, or on what is meant too.
pub(super) fn of_level(name: &str, condition: Expr, meaning: Meaning) -> Expr {
    let replaced = |by: &Expr| with(&condition, name, by);
    let is_sent = || each(&name.into(), condition.clone());
    if meaning == Meaning::Sent {
        return match name {
            "level" => both(is_sent(), replaced(&recognised()), Expr::Or),
            _ => is_sent(),
        };
    }
    let takes_words = meaning == Meaning::AllWords || is_ordered(&condition);
    match by_meaning(&replaced(&Expr::Field("@level".into())), takes_words) {
        Some((by_meaning, true)) if takes_words => by_meaning,
        Some((by_meaning, _)) => both(by_meaning, is_sent(), Expr::Or),
        None => is_sent(),
    }
}

/// Returns the part of a condition that is about levels by their names or by all words for them, or by a pattern of them,
/// and whether that is all that it is about.
fn by_meaning(condition: &Expr, takes_words: bool) -> Option<(Expr, bool)> {
    let is_level = |value: &Expr| match value {
        Expr::Literal(Some(Value::String(text))) => {
            LEVELS.iter().any(|level| level.name().eq_ignore_ascii_case(text))
                || takes_words && Level::parse(text).is_some()
        }
        _ => false,
    };
    let whole = |is_whole: bool| is_whole.then(|| (condition.clone(), true));
    match condition {
        Expr::Match(..) => Some((condition.clone(), false)),
        Expr::Compare(_, _, value) => whole(is_level(value)),
        Expr::Between(_, low, high) => whole(is_level(low) && is_level(high)),
        Expr::In(field, values) => {
            let levels: Vec<Expr> = values.iter().filter(|value| is_level(value)).cloned().collect();
            let is_all = levels.len() == values.len();
            (!levels.is_empty()).then(|| (Expr::In(field.clone(), levels), is_all))
        }
        Expr::And(left, right) => {
            let ((left, is_left), (right, is_right)) =
                (by_meaning(left, takes_words)?, by_meaning(right, takes_words)?);
            Some((both(left, right, Expr::And), is_left && is_right))
        }
        _ => None,
    }
}

/// Reports whether a condition asks which value is greater. Levels are ordered by what they mean, not as texts.
fn is_ordered(condition: &Expr) -> bool {
    match condition {
        Expr::Compare(comparison, ..) => !matches!(comparison, Comparison::Equal | Comparison::NotEqual),
        Expr::Between(..) | Expr::And(..) => true,
        _ => false,
    }
}

/// Returns an expression with another operand in the place of a field.
fn with(expr: &Expr, name: &str, by: &Expr) -> Expr {
    let of = |part: &Expr| with(part, name, by);
    let boxed = |part: &Expr| Box::new(of(part));
    let all = |parts: &[Expr]| parts.iter().map(of).collect();
    match expr {
        Expr::Field(field) if **field == *name => by.clone(),
        Expr::Not(part) => Expr::Not(boxed(part)),
        Expr::And(left, right) => Expr::And(boxed(left), boxed(right)),
        Expr::Or(left, right) => Expr::Or(boxed(left), boxed(right)),
        Expr::Compare(comparison, left, right) => Expr::Compare(*comparison, boxed(left), boxed(right)),
        Expr::Match(text, pattern) => Expr::Match(boxed(text), pattern.clone()),
        Expr::In(value, list) => Expr::In(boxed(value), all(list)),
        Expr::Between(value, low, high) => Expr::Between(boxed(value), boxed(low), boxed(high)),
        Expr::Call(function, arguments) => Expr::Call(*function, all(arguments)),
        other => other.clone(),
    }
}
