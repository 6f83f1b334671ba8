//! The events that a pipeline takes away, as far as its definition tells, and whether a query may need one of them.
//!
//! Everything that is not understood is left out of the selection, which makes it larger: a query that needs none of the larger
//! selection needs none of the smaller one.

use std::borrow::Cow;

use plan::{Comparison, Expr, MESSAGE_FIELDS, Operator, TextPattern};
use serde_json::Value as Json;
use types::{GroupPattern, Level, Value};

use crate::language::TextLanguage;

/// Levels, none first.
const LEVELS: [Option<Level>; 7] = [
    None,
    Some(Level::Trace),
    Some(Level::Debug),
    Some(Level::Info),
    Some(Level::Warn),
    Some(Level::Error),
    Some(Level::Fatal),
];

/// Events that a step of a pipeline takes away from their group.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Patterns of their groups; none for all.
    groups: Vec<String>,
    levels: Vec<Option<Level>>,
    /// What the texts of fields are.
    texts: Vec<(String, TextLanguage)>,
}

/// What is known of a condition over all events of a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Truth {
    can_hold: bool,
    can_fail: bool,
}

impl Truth {
    const UNKNOWN: Self = Self { can_hold: true, can_fail: true };

    fn not(self) -> Self {
        Self { can_hold: self.can_fail, can_fail: self.can_hold }
    }

    fn and(self, other: Self) -> Self {
        Self { can_hold: self.can_hold && other.can_hold, can_fail: self.can_fail || other.can_fail }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }

    fn can_hold(can_hold: bool) -> Self {
        Self { can_hold, can_fail: true }
    }
}

impl Selection {
    /// Returns the selections of the steps of a pipeline that take events away: that drop, sample or route them.
    pub fn all_of(definition: &Json) -> Vec<Self> {
        let steps = definition["steps"].as_array().map_or(&[][..], Vec::as_slice);
        let takes = |step: &&Json| {
            step["drop"] == "event" || step.get("route").is_some() || step["sample"].as_u64().is_some_and(|n| n > 1)
        };
        let of = |(place, step): (usize, &Json)| {
            let mut selection =
                Self { groups: groups_of(&definition["match"]), levels: LEVELS.to_vec(), texts: Vec::new() };
            // A step before it may change the level or the text that would have been stored.
            if place == 0 {
                selection.narrow(&definition["match"]);
                selection.narrow(&step["when"]);
            }
            selection
        };
        steps.iter().enumerate().filter(|(_, step)| takes(step)).map(of).collect()
    }

    /// Reports whether events of a group that one of the patterns matches may be among these. Without patterns every group is.
    pub fn may_be_in(&self, groups: &[String]) -> bool {
        let overlap = |own: &String, other: &String| match (own.contains('*'), other.contains('*')) {
            (true, true) => true,
            (false, _) => GroupPattern::new(other.as_str()).matches(own),
            (true, false) => GroupPattern::new(own.as_str()).matches(other),
        };
        groups.is_empty()
            || self.groups.is_empty()
            || self.groups.iter().any(|own| groups.iter().any(|other| overlap(own, other)))
    }

    /// Reports whether a query may need one of these events. `false` is sure.
    pub fn may_be_used_by(&self, operators: &[Operator]) -> bool {
        let mut changed: Vec<&str> = Vec::new();
        for operator in operators {
            match operator {
                Operator::Filter(condition) if !self.truth(condition, &changed).can_hold => return false,
                Operator::Filter(_) => {}
                Operator::Extend { name, .. } => changed.push(name),
                // What comes next sees something else than events.
                _ => return true,
            }
        }
        true
    }

    /// Adds what a condition of a pipeline says.
    fn narrow(&mut self, condition: &Json) {
        if let Some(levels) = levels_of(&condition["level"]) {
            self.levels.retain(|level| level.is_some_and(|level| levels.contains(&level)));
        }
        let not = &condition["not"];
        // `not` is one condition over all that it names: of several, none holds by itself.
        if let (Some(levels), Some(1)) = (levels_of(&not["level"]), not.as_object().map(serde_json::Map::len)) {
            self.levels.retain(|level| level.is_none_or(|level| !levels.contains(&level)));
        }
        let texts = match &condition["matches"] {
            Json::String(regex) => vec![("@message".to_owned(), regex.as_str())],
            Json::Object(fields) => {
                fields.iter().filter_map(|(field, regex)| Some((field.clone(), regex.as_str()?))).collect()
            }
            _ => Vec::new(),
        };
        let read = |(field, regex): (String, &str)| Some((field, TextLanguage::of(regex)?));
        self.texts.extend(texts.into_iter().filter_map(read));
    }

    fn truth(&self, condition: &Expr, changed: &[&str]) -> Truth {
        match condition {
            Expr::And(a, b) => self.truth(a, changed).and(self.truth(b, changed)),
            Expr::Or(a, b) => self.truth(a, changed).or(self.truth(b, changed)),
            Expr::Not(inner) => self.truth(inner, changed).not(),
            Expr::Match(text, pattern) => match self.text_of(text, changed) {
                Some(language) => matches(language, pattern),
                None => Truth::UNKNOWN,
            },
            Expr::Compare(comparison, left, right) => match (&**left, &**right) {
                (Expr::Field(name), Expr::Literal(Some(value)))
                    if &**name == "@level" && !changed.contains(&"@level") =>
                {
                    self.compared(*comparison, value)
                }
                (text, Expr::Literal(Some(Value::String(value)))) => match self.text_of(text, changed) {
                    Some(language) if *comparison == Comparison::Equal => {
                        Truth::can_hold(language.may_contain(value, false))
                    }
                    _ => Truth::UNKNOWN,
                },
                _ => Truth::UNKNOWN,
            },
            Expr::In(value, items) => {
                let one = |item: &Expr| {
                    self.truth(&Expr::Compare(Comparison::Equal, value.clone(), Box::new(item.clone())), changed)
                };
                items.iter().map(one).fold(Truth { can_hold: false, can_fail: true }, Truth::or)
            }
            _ => Truth::UNKNOWN,
        }
    }

    /// Returns what is known of a text, where it is one whose form the selection tells.
    fn text_of(&self, text: &Expr, changed: &[&str]) -> Option<&TextLanguage> {
        let Expr::Field(name) = text else { return None };
        if changed.contains(&&**name) {
            return None;
        }
        // The message of a record is its field `message` or `msg`; that of a line that is JSON is not.
        let known = |wanted: &str| self.texts.iter().find(|(field, _)| field == wanted).map(|(_, language)| language);
        known(name).filter(|_| &**name == "@message" || MESSAGE_FIELDS.contains(&&**name))
    }

    /// Compares the levels of the events, as `@level` compares.
    fn compared(&self, comparison: Comparison, value: &Value) -> Truth {
        let wanted = match value {
            Value::String(text) => Level::parse(text),
            _ => None,
        };
        let Some(wanted) = wanted else { return Truth::UNKNOWN };
        let holds = |level: &Option<Level>| comparison.holds_for(level.map(|level| level.cmp(&wanted)));
        Truth { can_hold: self.levels.iter().any(holds), can_fail: !self.levels.iter().all(holds) }
    }
}

fn groups_of(condition: &Json) -> Vec<String> {
    match &condition["group"] {
        Json::String(group) => vec![group.clone()],
        Json::Array(groups) => groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

/// Returns the levels that a condition names; `None` where it names none, or one that there is not.
fn levels_of(value: &Json) -> Option<Vec<Level>> {
    let names: Vec<Cow<'_, str>> = match value {
        Json::String(name) => vec![Cow::Borrowed(name.as_str())],
        Json::Array(names) => names.iter().filter_map(|name| name.as_str().map(Cow::Borrowed)).collect(),
        _ => return None,
    };
    names.iter().map(|name| Level::parse(name)).collect()
}

/// Reports what is known of a match in all texts of a language.
fn matches(language: &TextLanguage, pattern: &TextPattern) -> Truth {
    match pattern {
        TextPattern::Substring(text) => {
            Truth { can_hold: language.may_contain(text, false), can_fail: !language.always_contains(text) }
        }
        TextPattern::Phrase(words) => Truth::can_hold(words.iter().all(|word| language.may_contain(word, true))),
        TextPattern::OneOf(alternatives) => {
            let one = alternatives.patterns.iter().map(|pattern| matches(language, pattern));
            one.fold(Truth { can_hold: false, can_fail: true }, Truth::or)
        }
        // A plain text written as an expression is one.
        TextPattern::Regex(regex) => match plain(regex.as_str()) {
            Some((text, ignores_case)) => Truth::can_hold(language.may_contain(&text, ignores_case)),
            None => Truth::UNKNOWN,
        },
        TextPattern::Words(_) => Truth::UNKNOWN,
    }
}

/// Returns the text that an expression stands for, and whether case does not matter; `None` for any other expression.
fn plain(regex: &str) -> Option<(String, bool)> {
    let (rest, ignores_case) = regex.strip_prefix("(?i)").map_or((regex, false), |rest| (rest, true));
    let hir = regex_syntax::Parser::new().parse(rest).ok()?;
    match hir.kind() {
        regex_syntax::hir::HirKind::Literal(literal) => {
            Some((String::from_utf8(literal.0.to_vec()).ok()?, ignores_case))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
