//! Selectors by themselves, as the lookups of the Loki API take them: matchers of labels and nothing else.

use pest::Parser;

use super::explain;
use super::grammar::{LogQl, Rule};
use super::reader::Reader;
use crate::grammar::span_of;
use plan::error::{QueryError, QueryErrors, Span};

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
    if narrows && !is_narrow {
        return Err(error("empty-selector", NO_MATCHER).into());
    }
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
mod tests {
    use super::*;

    #[test]
    fn every_selector_of_a_query_must_narrow() {
        assert!(require_narrow_selectors(r#"sum(rate({app="a"}[1m])) / sum(rate({b=~".+"}[1m]))"#).is_ok());
        assert!(require_narrow_selectors(r#"sum(rate({app="a"}[1m])) / sum(rate({b!="x"}[1m]))"#).is_err());
        assert!(require_narrow_selectors("{} |= `a`").is_err());
        assert!(require_narrow_selectors("vector(1)").is_ok());
    }

    fn check(text: &str, narrows: bool) -> Result<Vec<String>, String> {
        let found = selector(text, narrows).map(|selector| selector.labels);
        found.map_err(|errors| errors.0.first().map(|error| error.message.clone()).unwrap_or_default())
    }

    #[test]
    fn a_selector_names_its_labels_and_has_no_stages() {
        assert_eq!(check(r#"{app="a", env=~"b|c"}"#, true), Ok(vec!["app".into(), "env".into()]));
        assert_eq!(check("{}", false), Ok(Vec::new()));
        for refused in [r#"{app="a"} |= "x""#, r#"rate({app="a"}[1m])"#, "vector(1)", r#"{app="a"} | json"#] {
            assert_eq!(check(refused, false), Err(ONLY_MATCHERS.into()), "{refused}");
        }
    }

    #[test]
    fn a_selector_that_matches_every_stream_is_refused_where_it_must_narrow() {
        for wide in ["{}", r#"{app=~".*"}"#, r#"{app!="web"}"#, r#"{app=""}"#, r#"{app!~"x"}"#, r#"{app=~"a|"}"#] {
            assert_eq!(check(wide, true), Err(NO_MATCHER.into()), "{wide}");
        }
        for narrow in [r#"{app=~".+"}"#, r#"{app!=""}"#, r#"{app=~".*",env="x"}"#, r#"{app!~".*"}"#] {
            assert!(check(narrow, true).is_ok(), "{narrow}");
        }
    }
}
