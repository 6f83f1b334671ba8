//! Selectors by themselves, as the lookups of the Loki API take them: matchers of labels and nothing else.

use pest::Parser;

use super::explain;
use super::grammar::{LogQl, Rule};
use super::reader::Reader;
use crate::grammar::span_of;
use plan::{QueryError, QueryErrors, Span};

/// What Loki answers to a lookup with stages or functions.
const ONLY_MATCHERS: &str = "only label matchers are supported";

/// What Loki answers to a selector that may match every stream.
const NO_MATCHER: &str = "queries require at least one regexp or equality matcher that does not have an \
                          empty-compatible value. For instance, app=~\".*\" does not meet this requirement, but app=~\".+\" will";

/// Names of the labels that a selector compares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// One name for each matcher, in their order.
    pub labels: Vec<String>,
}

/// Reads a selector that has no stages.
///
/// Errors: whatever is no selector; with `narrows`, also a selector that the empty label set matches.
pub fn selector(text: &str, narrows: bool) -> Result<Selector, QueryErrors> {
    let error = |code, message: &str| QueryError::new(code, message, text, Span { start: 0, end: text.len() });
    let pairs = LogQl::parse(Rule::query, text).map_err(|found| explain::explain(&found, text))?;
    let reader = Reader::new(text, false);
    let (mut found, mut is_narrow) = (Selector { labels: Vec::new() }, false);
    for pair in pairs.flatten() {
        match pair.as_rule() {
            Rule::query | Rule::log | Rule::selector | Rule::EOI => {}
            Rule::open_brace | Rule::close_brace | Rule::comma | Rule::label | Rule::match_sign | Rule::string => {}
            Rule::matcher => {
                let parts: Vec<_> = pair.into_inner().collect();
                let [name, sign, value] = parts.as_slice() else { continue };
                let text = reader.string(value)?;
                is_narrow |= match sign.as_str() {
                    "=" => !text.is_empty(),
                    "!=" => text.is_empty(),
                    sign => {
                        let matches_empty = reader.regex(&format!("^(?s:{text})$"), span_of(value))?.is_match("");
                        matches_empty == sign.starts_with('!')
                    }
                };
                found.labels.push(name.as_str().to_owned());
            }
            _ => return Err(error("bad-selector", ONLY_MATCHERS).into()),
        }
    }
    types::ensure!(!narrows || is_narrow, error("empty-selector", NO_MATCHER).into());
    Ok(found)
}

/// Refuses a query with a selector that may match every stream, as Loki refuses it.
///
/// Errors: no matcher of some selector leaves the empty text out. What cannot be read is left to
/// [`parse`](super::parse).
pub fn require_narrow_selectors(text: &str) -> Result<(), QueryErrors> {
    let Ok(pairs) = LogQl::parse(Rule::query, text) else { return Ok(()) };
    for pair in pairs.flatten().filter(|pair| pair.as_rule() == Rule::selector) {
        selector(pair.as_str(), true).map_err(|errors| match errors.0.first() {
            Some(error) if error.code == "empty-selector" => {
                QueryError::new("empty-selector", NO_MATCHER, text, span_of(&pair)).into()
            }
            _ => errors,
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
