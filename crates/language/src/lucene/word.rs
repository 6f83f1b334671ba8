//! Words, ranges and values of a query string, as conditions on their target.

use pest::iterators::Pair;
use plan::{Comparison, Expr, Result, Span, balanced};
use types::Value;

use super::grammar::Rule;
use super::pattern::has_wildcard;
use super::reader::Reader;
use super::target::Target;
use super::text::{inside, unescaped, value_of};
use crate::grammar::span_of;
use crate::logic::not;

impl Reader<'_> {
    /// Returns a word as it was written, perhaps with `*` and `?`.
    pub(super) fn word(&mut self, target: &Target, written: &str, span: Span) -> Result<Option<Expr>> {
        let text = unescaped(written);
        match target {
            Target::Presence => return Ok(Some(self.present(&text))),
            Target::Any(_) if written == "*" => return Ok(None),
            Target::Field { .. } if written == "*" => return Ok(Some(target.is_there())),
            _ => {}
        }
        let is_pattern = self.is_fuzzy || has_wildcard(written);
        if let Some(answer) = self.misfit(target, &text, is_pattern.then_some("wildcard"), span) {
            return answer.map(Some);
        }
        if self.is_fuzzy {
            let source = if target.is_loose() { target.similar(&text) } else { target.similar(&text.to_lowercase()) };
            let regex = self.regex(&source, span)?;
            return Ok(Some(target.matching(regex)));
        }
        if has_wildcard(written) {
            let sources = target.wildcards(written);
            let mut found = Vec::with_capacity(sources.len());
            for source in sources {
                found.push(target.matching(self.regex(&source, span)?));
            }
            return Ok(Some(balanced(found, Expr::Or)));
        }
        if target.is_time() {
            return self.against(target, Comparison::Equal, &text, value_of(&text), span).map(Some);
        }
        Ok(Some(target.value(&text).unwrap_or_else(|| not(None))))
    }

    /// `[a TO b]`, `{a TO b}`; `*` is an open end.
    pub(super) fn range(&self, target: &Target, pair: Pair<'_, Rule>) -> Result<Option<Expr>> {
        let (mut includes_low, mut includes_high, mut bounds) = (true, true, Vec::new());
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::range_open => includes_low = part.as_str() == "[",
                Rule::range_close => includes_high = part.as_str() == "]",
                Rule::bound => bounds.push(bound(&part)),
                _ => {}
            }
        }
        let Ok([low, high]) = <[_; 2]>::try_from(bounds) else { return Ok(None) };
        let low_sign = if includes_low { Comparison::GreaterOrEqual } else { Comparison::Greater };
        let high_sign = if includes_high { Comparison::LessOrEqual } else { Comparison::Less };
        let mut read = Vec::new();
        for (comparison, bound) in [(low_sign, low), (high_sign, high)] {
            let Some((text, value, span)) = bound else { continue };
            if let Some(answer) = self.misfit(target, &text, None, span) {
                return answer.map(Some);
            }
            read.push(self.bound(target, comparison, &text, value, span)?);
        }
        Ok(match (read.is_empty(), target) {
            (false, _) => Some(target.between(read)),
            (true, Target::Field { .. }) => Some(target.is_there()),
            (true, _) => None,
        })
    }
}

/// Returns one end of a range: its text, its value and its place. `None` where it is open.
fn bound(pair: &Pair<'_, Rule>) -> Option<(String, Value, Span)> {
    (pair.as_str() != "*").then(|| (text_of(pair), scalar_of(pair), span_of(pair)))
}

/// Returns a word or a text in quotes without what they were written with.
pub(super) fn text_of(pair: &Pair<'_, Rule>) -> String {
    let written = pair.as_str();
    unescaped(if written.starts_with('"') { inside(written) } else { written })
}

/// Returns a word or a text in quotes as a value.
pub(super) fn scalar_of(pair: &Pair<'_, Rule>) -> Value {
    let written = pair.as_str();
    match written.starts_with('"') {
        true => Value::text(unescaped(inside(written))),
        false => value_of(&unescaped(written)),
    }
}
