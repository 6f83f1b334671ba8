//! What a regular expression leaves room for: whether any text that it matches can contain another text, and whether all do.
//!
//! Expressions of a form that is not followed (alternatives, groups with repetitions) leave room for everything.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Places in an expression; more are not followed.
const PLACES_MAX: usize = 20_000;

/// Characters at one place of a text.
#[derive(Clone, Debug)]
enum Characters {
    One(char),
    Ranges(Vec<(char, char)>),
}

/// One place of an expression.
#[derive(Clone, Debug)]
struct Place {
    characters: Characters,
    /// Whether it may be left out.
    is_optional: bool,
    /// Whether it may be repeated.
    is_repeated: bool,
}

/// The texts that an expression matches as a whole.
#[derive(Clone, Debug)]
pub(crate) struct TextLanguage {
    places: Vec<Place>,
}

impl Characters {
    fn holds(&self, wanted: char) -> bool {
        match self {
            Self::One(character) => *character == wanted,
            Self::Ranges(ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&wanted)),
        }
    }

    /// Reports whether a character is among these, in upper or lower case.
    fn holds_any_case(&self, wanted: char) -> bool {
        let is_one = |mut cases: Box<dyn Iterator<Item = char>>| cases.any(|case| self.holds(case));
        self.holds(wanted) || is_one(Box::new(wanted.to_lowercase())) || is_one(Box::new(wanted.to_uppercase()))
    }
}

impl TextLanguage {
    /// Reads an expression that is anchored at both ends; `None` where it is not, or cannot be followed.
    pub(crate) fn of(regex: &str) -> Option<Self> {
        let hir = regex_syntax::Parser::new().parse(regex).ok()?;
        let HirKind::Concat(parts) = hir.kind() else { return None };
        let ([first, inner @ ..], HirKind::Look(Look::End)) = (parts.as_slice(), parts.last()?.kind()) else {
            return None;
        };
        let (HirKind::Look(Look::Start), Some((_, inner))) = (first.kind(), inner.split_last()) else { return None };
        let mut places = Vec::new();
        for part in inner {
            add(part, &mut places)?;
        }
        Some(Self { places })
    }

    /// Reports whether a text of the language may contain `wanted`.
    pub(crate) fn may_contain(&self, wanted: &str, ignores_case: bool) -> bool {
        let n = self.places.len();
        let mut states = vec![true; n + 1];
        for character in wanted.chars() {
            let mut next = vec![false; n + 1];
            for (at, place) in self.places.iter().enumerate().filter(|(at, _)| states[*at]) {
                let holds = if ignores_case {
                    place.characters.holds_any_case(character)
                } else {
                    place.characters.holds(character)
                };
                if holds {
                    next[at] |= place.is_repeated;
                    next[at + 1] = true;
                }
            }
            // A place that may be left out, or was there already, is passed by.
            for at in 0..n {
                next[at + 1] |= next[at] && self.places[at].is_optional;
            }
            states = next;
            if !states.contains(&true) {
                return false;
            }
        }
        true
    }

    /// Reports whether every text of the language contains `wanted`.
    pub(crate) fn always_contains(&self, wanted: &str) -> bool {
        let fixed = |place: &Place| match place.characters {
            Characters::One(character) if !place.is_optional && !place.is_repeated => Some(character),
            _ => None,
        };
        let mut run = String::new();
        for place in &self.places {
            match fixed(place) {
                Some(character) => run.push(character),
                None if run.contains(wanted) => return true,
                None => run.clear(),
            }
        }
        run.contains(wanted)
    }
}

/// Adds the places of a part of an expression.
fn add(part: &Hir, places: &mut Vec<Place>) -> Option<()> {
    if places.len() > PLACES_MAX {
        return None;
    }
    let once = |characters| Place { characters, is_optional: false, is_repeated: false };
    match part.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            places.extend(text.chars().map(|character| once(Characters::One(character))));
        }
        HirKind::Class(class) => places.push(once(of_class(class))),
        HirKind::Capture(capture) => add(&capture.sub, places)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| add(part, places))?,
        HirKind::Repetition(repetition) => {
            let mut inner = Vec::new();
            add(&repetition.sub, &mut inner)?;
            let is_repeated = repetition.max != Some(1);
            let [Place { characters, is_optional: false, is_repeated: false }] = inner.as_slice() else {
                return optional_run(&inner, repetition.max, places);
            };
            let (characters, is_optional) = (characters.clone(), repetition.min == 0);
            places.push(Place { characters, is_optional, is_repeated });
        }
        HirKind::Look(_) | HirKind::Alternation(_) => return None,
    }
    Some(())
}

/// Adds a group that comes once or not at all: each place of it may be left out, which leaves room for more than there is.
fn optional_run(inner: &[Place], max: Option<u32>, places: &mut Vec<Place>) -> Option<()> {
    if max != Some(1) {
        return None;
    }
    places.extend(inner.iter().map(|place| Place { is_optional: true, ..place.clone() }));
    Some(())
}

fn of_class(class: &Class) -> Characters {
    Characters::Ranges(match class {
        Class::Unicode(class) => class.ranges().iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            class.ranges().iter().map(|range| (char::from(range.start()), char::from(range.end()))).collect()
        }
    })
}

#[cfg(test)]
mod tests;
