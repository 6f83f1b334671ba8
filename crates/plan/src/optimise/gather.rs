//! Many conditions on one field, joined by `or`, as one that looks all of them up at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::name::Name;
use crate::operator::Comparison;
use crate::plan::{Expr, Operator};
use crate::text_pattern::{Alternatives, TextPattern};

/// Fewer conditions of one kind on one field than this are answered one by one.
const CONDITIONS_MIN: usize = 8;

/// The same on `@any`, where an index answers each of a few from the fields that may hold it.
const CONDITIONS_ON_ANY_MIN: usize = 64;

/// Conditions that can be gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Equal,
    Substring,
    Phrase,
}

/// `a = 1 or a = 2 or …` as `a in [1, 2, …]`, and `a like "x" or a like "y" or …` as one search for all of them.
pub(super) fn gathered(parts: Vec<Expr>) -> Vec<Expr> {
    let mut counts: BTreeMap<(Kind, Name), usize> = BTreeMap::new();
    for (kind, name) in parts.iter().filter_map(kind_of) {
        *counts.entry((kind, name.clone())).or_default() += 1;
    }
    counts.retain(|(_, name), count| *count >= if **name == *"@any" { CONDITIONS_ON_ANY_MIN } else { CONDITIONS_MIN });
    if counts.is_empty() {
        return parts;
    }
    // Where the first of each kind stands, the conditions of that kind.
    let mut places: BTreeMap<(Kind, Name), usize> = BTreeMap::new();
    let mut kept: Vec<Vec<Expr>> = Vec::with_capacity(parts.len());
    for part in parts {
        let key = kind_of(&part).map(|(kind, name)| (kind, name.clone())).filter(|key| counts.contains_key(key));
        match key.as_ref().and_then(|key| places.get(key)) {
            Some(place) => kept[*place].push(part),
            None => {
                places.extend(key.map(|key| (key, kept.len())));
                kept.push(vec![part]);
            }
        }
    }
    kept.into_iter().flat_map(as_one).collect()
}

/// Does the same where none of many conditions may hold: of filters that follow one another, those of that kind become
/// one.
pub(super) fn gather_exclusions(operators: Vec<Operator>) -> Vec<Operator> {
    let is_filter = |operator: &Operator| matches!(operator, Operator::Filter(_));
    let mut done: Vec<Operator> = Vec::with_capacity(operators.len());
    let mut rest = operators.into_iter().peekable();
    while let Some(operator) = rest.next() {
        let mut filters = vec![operator];
        while is_filter(&filters[0])
            && let Some(next) = rest.next_if(is_filter)
        {
            filters.push(next);
        }
        done.extend(if filters.len() < CONDITIONS_MIN { filters } else { without_each(filters) });
    }
    done
}

/// Filters that follow one another, with what many of them exclude as one.
fn without_each(filters: Vec<Operator>) -> Vec<Operator> {
    let (mut kept, mut excluded) = (Vec::new(), Vec::new());
    for filter in filters {
        match filter {
            Operator::Filter(Expr::Not(inner)) if kind_of(&inner).is_some() => excluded.push(*inner),
            other => kept.push(other),
        }
    }
    kept.extend(gathered(excluded).into_iter().map(|condition| Operator::Filter(Expr::Not(Box::new(condition)))));
    kept
}

/// Returns the field that a condition is on, where it can be gathered with others.
fn kind_of(condition: &Expr) -> Option<(Kind, &Name)> {
    match condition {
        Expr::Compare(Comparison::Equal, field, literal) => match (&**field, &**literal) {
            (Expr::Field(name), Expr::Literal(Some(_))) => Some((Kind::Equal, name)),
            _ => None,
        },
        Expr::Match(field, pattern) => match (&**field, pattern) {
            (Expr::Field(name), TextPattern::Substring(_)) => Some((Kind::Substring, name)),
            (Expr::Field(name), TextPattern::Phrase(_)) => Some((Kind::Phrase, name)),
            _ => None,
        },
        _ => None,
    }
}

/// Returns one condition for several of one kind on one field.
fn as_one(conditions: Vec<Expr>) -> Vec<Expr> {
    match &conditions[..] {
        [Expr::Compare(_, field, _), _, ..] => {
            let field = field.clone();
            let literal = |condition| match condition {
                Expr::Compare(_, _, literal) => Some(*literal),
                _ => None,
            };
            vec![Expr::In(field, conditions.into_iter().filter_map(literal).collect())]
        }
        [Expr::Match(field, _), _, ..] => {
            let pattern = |condition: &Expr| match condition {
                Expr::Match(_, pattern) => Some(pattern.clone()),
                _ => None,
            };
            match Alternatives::new(conditions.iter().filter_map(pattern).collect()) {
                Some(one_of) => vec![Expr::Match(field.clone(), TextPattern::OneOf(Arc::new(one_of)))],
                None => conditions,
            }
        }
        _ => conditions,
    }
}
