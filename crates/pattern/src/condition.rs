//! Conditions that hold for the events of one pattern and of no other.
//!
//! A pattern is what several masked texts have in common, and a query sees texts, not masks. A part of the text that
//! no other pattern has is the condition that people read best; where no part is that rare, two of them, and where
//! that is not enough either, a regular expression of the whole. Which of these is exact is looked up among all masked
//! texts there are.

use parse::exception::headline;
use plan::{Expr, TextPattern};
use regex::Regex;

use super::mask::WILDCARD;

/// How a wildcard is shown.
const SHOWN: &str = "<*>";

/// Where the expression for a whole pattern begins: at the head of the text, at that of a line, or anywhere in a report.
const START: &str = r"(?s)^\s*";
const LINE_START: &str = r"(?ms)^\s*";
const ANYWHERE: &str = "(?ms)";

/// Where it ends.
const END: &str = r"\s*$";

/// Shorter parts say too little to be read as the pattern.
const PART_BYTES_MIN: usize = 6;

/// Parts of a pattern that are tried, the longest ones.
const PARTS_MAX: usize = 4;

/// A condition.
pub struct Condition {
    /// Holds for the events of the pattern.
    pub expr: Expr,
    /// Whether it holds for none of the other patterns' texts.
    pub is_exact: bool,
}

/// Masked texts.
pub struct Texts<'t> {
    /// Of the pattern itself.
    pub own: &'t [&'t str],
    /// Of all other patterns.
    pub others: &'t [&'t str],
}

/// Returns the condition for `pattern` on `text`; `sample` is an event's text.
pub fn condition(pattern: &str, text: &Expr, sample: Option<&str>, texts: &Texts<'_>) -> Option<Condition> {
    let Texts { own, others } = texts;
    let matched = |pattern: TextPattern| Expr::Match(Box::new(text.clone()), pattern);
    let part_of = |part: &str| matched(TextPattern::Substring(part.to_owned()));
    let is_in_sample = |part: &&str| sample.is_none_or(|sample| sample.contains(*part));
    let mut parts: Vec<&str> = pattern.split(SHOWN).map(str::trim).filter(is_in_sample).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.retain(|part| part.len() >= PART_BYTES_MIN && own.iter().all(|text| text.contains(part)));
    parts.truncate(PARTS_MAX);
    if let Some(part) = parts.iter().find(|part| !others.iter().any(|other| other.contains(**part))) {
        return Some(Condition { expr: part_of(part), is_exact: true });
    }
    for (at, one) in parts.iter().enumerate() {
        for two in &parts[at + 1..] {
            if !others.iter().any(|other| other.contains(one) && other.contains(two)) {
                let expr = Expr::And(Box::new(part_of(one)), Box::new(part_of(two)));
                return Some(Condition { expr, is_exact: true });
            }
        }
    }
    let start = if sample.and_then(headline).is_some() { ANYWHERE } else { START };
    let regex = expression(pattern, start, END)?;
    let matches = |text: &&str| regex.is_match(&text.replace(WILDCARD, "0"));
    let is_exact = own.iter().all(matches) && !others.iter().any(matches);
    Some(Condition { expr: matched(TextPattern::Regex(regex)), is_exact })
}

/// Returns the condition for the lines of a pattern, which may be cut and then ends in `…`. `message` is one of them:
/// it shows whether the whole line or its field with the message has the pattern, and whether that is part of a report.
/// Without one the condition is wider.
pub fn pattern_lines(pattern: &str, message: Option<&str>) -> Option<Expr> {
    let (pattern, end) = pattern.strip_suffix('…').map_or((pattern, END), |pattern| (pattern, ""));
    let start = match message.map(headline) {
        Some(None) => START,
        Some(Some(_)) => ANYWHERE,
        None => LINE_START,
    };
    let regex = expression(pattern, start, end)?;
    let text = match message {
        Some(message) if regex.is_match(message) => Expr::Field("@message".into()),
        _ => crate::text::text_of_event(),
    };
    Some(Expr::Match(Box::new(text), TextPattern::Regex(regex)))
}

/// Returns a regular expression for the texts of a pattern.
fn expression(pattern: &str, start: &str, end: &str) -> Option<Regex> {
    let words = |part: &str| part.split(' ').map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    let parts: Vec<String> = pattern.split(SHOWN).map(words).collect();
    // A query of Insights writes expressions between slashes.
    let written = format!("{start}{}{end}", parts.join(".*")).replace('/', r"\x2f");
    Regex::new(&written).ok()
}

#[cfg(test)]
mod tests;
