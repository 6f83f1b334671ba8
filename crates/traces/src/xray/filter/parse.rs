//! Reads filter expressions.

use pest::Parser;
use pest::error::{Error, InputLocation};
use pest::iterators::Pair;
use plan::{Comparison, QueryError, Span, nearest, span_of};

use super::{AnnotationTest, Filter, Node, NumberKey, Outcome, TextKey, TextTest};

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads filter expressions.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/xray.pest"]
    pub(crate) struct XRayFilter;
}

use self::generated::{Rule, XRayFilter};

/// Longest expression in bytes; X-Ray's own limit is 2,000 characters.
pub(crate) const FILTER_BYTES_MAX: usize = 8_000;

/// Deepest nesting of brackets and braces.
const NESTING_MAX: usize = 32;

/// Keywords of X-Ray for properties that spans do not have: root causes, groups, and inferred properties of nodes.
const UNSUPPORTED: [&str; 14] = [
    "rootcause", "group", "json", "coverage", "remote", "root", "first", "last", "index", "inferred", "message",
    "type", "resource", "id",
];

/// Reads an expression.
///
/// # Errors
/// What is wrong, where, and what to write instead.
pub(crate) fn parse(text: &str) -> Result<Filter, QueryError> {
    let reader = Reader { text };
    if text.len() > FILTER_BYTES_MAX {
        let message = format!("the filter expression has {} bytes; at most {FILTER_BYTES_MAX} are read", text.len());
        return Err(reader.error("query-too-long", message, Span { start: FILTER_BYTES_MAX, end: text.len() }));
    }
    if let Some(at) = too_deep(text) {
        let message = format!("brackets are nested more than {NESTING_MAX} deep");
        return Err(reader.error("nested-too-deeply", message, Span { start: at, end: at + 1 }));
    }
    let mut found = XRayFilter::parse(Rule::expression, text).map_err(|error| reader.explain(&error))?;
    let any_of = found.next().and_then(|expression| expression.into_inner().next());
    match any_of {
        Some(any_of) => reader.any_of(any_of, false),
        None => Err(reader.error("syntax", "the filter expression is empty", Span::default())),
    }
}

/// Returns where brackets are nested too deeply.
fn too_deep(text: &str) -> Option<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = is_text,
            '"' => is_text = !is_text,
            '(' | '{' if !is_text => depth += 1,
            ')' | '}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING_MAX {
            return Some(at);
        }
    }
    None
}

/// The parts of a pair that the grammar names, in order.
fn parts(pair: Pair<'_, Rule>) -> Vec<Pair<'_, Rule>> {
    pair.into_inner().filter(|part| !matches!(part.as_rule(), Rule::kw_and | Rule::kw_or | Rule::EOI)).collect()
}

/// Returns the text of a string without its quotes and escapes.
fn string(pair: Pair<'_, Rule>) -> String {
    let inner = pair.into_inner().next();
    let mut letters = inner.as_ref().map_or("", |inner| inner.as_str()).chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        text.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    text
}

/// Turns the pairs of the grammar into a filter.
struct Reader<'t> {
    text: &'t str,
}

/// A value that something is compared with.
enum Literal {
    Text(String),
    Number(f64),
    Boolean(bool),
}

impl Reader<'_> {
    fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    /// Turns an error of the grammar into one of the filter.
    fn explain(&self, error: &Error<Rule>) -> QueryError {
        let at = match error.location {
            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
        };
        let rest = self.text.get(at..).unwrap_or_default();
        let found = rest.chars().take_while(|letter| letter.is_alphanumeric()).count().max(1);
        let shown: String = rest.chars().take(found.min(40)).collect();
        let span = Span { start: at, end: at + shown.len() };
        if shown.trim().is_empty() {
            let error = self.error("syntax", "the filter expression ends too early", span);
            return error.with_hint("write a condition such as responsetime > 5, fault or service(\"NAME\")");
        }
        let error = self.error("syntax", format!("{shown:?} cannot be read here"), span);
        match rest.chars().next() {
            Some('\'') => error.with_hint("texts have double quotes"),
            Some('"') if rest[1..].find('"').is_none() => error.with_hint("the text has no closing quote"),
            _ => error
                .with_hint("conditions are KEYWORD, KEYWORD SIGN VALUE, service(\"NAME\") { … }, joined by AND or OR"),
        }
    }

    /// Reads alternatives; `is_inside` is set in the braces of a service or an edge.
    fn any_of(&self, pair: Pair<'_, Rule>, is_inside: bool) -> Result<Filter, QueryError> {
        let mut filters: Vec<Filter> =
            parts(pair).into_iter().map(|part| self.all_of(part, is_inside)).collect::<Result<_, _>>()?;
        Ok(if filters.len() == 1 { filters.remove(0) } else { Filter::Any(filters) })
    }

    fn all_of(&self, pair: Pair<'_, Rule>, is_inside: bool) -> Result<Filter, QueryError> {
        let mut filters: Vec<Filter> =
            parts(pair).into_iter().map(|part| self.negation(part, is_inside)).collect::<Result<_, _>>()?;
        Ok(if filters.len() == 1 { filters.remove(0) } else { Filter::All(filters) })
    }

    fn negation(&self, pair: Pair<'_, Rule>, is_inside: bool) -> Result<Filter, QueryError> {
        let span = span_of(&pair);
        let mut parts = parts(pair);
        let operand = parts.pop().ok_or_else(|| self.error("syntax", "a condition is missing", span))?;
        let filter = match operand.as_rule() {
            Rule::group => match operand.into_inner().next() {
                Some(any_of) => self.any_of(any_of, is_inside)?,
                None => return Err(self.error("syntax", "a condition is missing", span)),
            },
            Rule::call => self.call(operand, is_inside)?,
            Rule::braced => return Err(self.unknown(operand)),
            _ => self.test(operand)?,
        };
        Ok(if parts.len() % 2 == 1 { Filter::Not(Box::new(filter)) } else { filter })
    }

    /// Reads `service(…) {…}` and `edge(…) {…}`.
    fn call(&self, pair: Pair<'_, Rule>, is_inside: bool) -> Result<Filter, QueryError> {
        let span = span_of(&pair);
        let mut parts = parts(pair.clone());
        let braces = parts.pop_if(|part| part.as_rule() == Rule::braces);
        let word = parts.first().map_or("", |word| word.as_str());
        let n_nodes = match &*word.to_ascii_lowercase() {
            "service" => 0..=1,
            "edge" => 2..=2,
            _ => return Err(self.unknown(pair)),
        };
        if is_inside {
            let message = format!("{word}() cannot be used inside the braces of a service or an edge");
            return Err(self.error("syntax", message, span).with_hint("join them outside with AND"));
        }
        let n_given = parts.len() - 1;
        if !n_nodes.contains(&n_given) {
            let takes = if *n_nodes.end() == 2 { "two services" } else { "at most one service" };
            return Err(self.error("syntax", format!("{word}() takes {takes}, not {n_given}"), span));
        }
        let filter = braces.and_then(|braces| braces.into_inner().next());
        let filter = filter.map(|filter| self.any_of(filter, true).map(Box::new)).transpose()?;
        let mut nodes =
            parts.into_iter().skip(1).map(|node| self.node(node)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let first = nodes.next().unwrap_or_default();
        Ok(match nodes.next() {
            Some(second) => Filter::Edge(first, second, filter),
            None => Filter::Service(first, filter),
        })
    }

    /// Reads `"NAME"` or `id(name: "NAME", type: "TYPE")`.
    fn node(&self, pair: Pair<'_, Rule>) -> Result<Node, QueryError> {
        let mut node = Node::default();
        for part in pair.into_inner() {
            let span = span_of(&part);
            match part.as_rule() {
                Rule::string => node.name = Some(string(part)),
                Rule::word if part.as_str().eq_ignore_ascii_case("id") => {}
                Rule::part => {
                    let mut member = part.into_inner();
                    let name = member.next().map_or("", |word| word.as_str());
                    let text = member.next().map(string);
                    match name {
                        "name" => node.name = text,
                        "type" => node.kind = text,
                        other => {
                            let message = format!("id() has no part {other:?} here");
                            let error = self.error("not-supported", message, span);
                            return Err(error.with_hint("write id(name: \"NAME\", type: \"TYPE\")"));
                        }
                    }
                }
                _ => {
                    let message = format!("{:?} cannot name a service", part.as_str());
                    let error = self.error("syntax", message, span);
                    return Err(error.with_hint("write \"NAME\" or id(name: \"NAME\", type: \"TYPE\")"));
                }
            }
        }
        Ok(node)
    }

    /// Reads `KEYWORD` and `KEYWORD SIGN VALUE`.
    fn test(&self, pair: Pair<'_, Rule>) -> Result<Filter, QueryError> {
        let span = span_of(&pair);
        let mut members = pair.clone().into_inner();
        let mut keyword = members.next().map(Pair::into_inner).into_iter().flatten();
        let word = keyword.next().map_or("", |word| word.as_str());
        let key = keyword.next().map(|key| key.as_str().trim().trim_matches('"'));
        let (sign, value) = (members.next(), members.next());
        let compared = sign.as_ref().map(Pair::as_str).zip(value.and_then(|value| self.literal(value)));
        let key = match (word.split_once('.'), key) {
            (None, Some(key)) if word.eq_ignore_ascii_case("annotation") => Some(key),
            (Some((head, rest)), None) if head.eq_ignore_ascii_case("annotation") => Some(rest),
            (_, None) => None,
            _ => return Err(self.unknown(pair)),
        };
        if let Some(key) = key {
            let hint = "compare it: annotation[KEY] = \"TEXT\", = NUMBER or = true";
            let compared = compared.ok_or_else(|| {
                self.error("syntax", format!("annotation {key:?} is not compared"), span).with_hint(hint)
            })?;
            let test = annotation_test(compared).ok_or_else(|| {
                self.error("syntax", format!("annotation {key:?} cannot be compared like this"), span).with_hint(hint)
            })?;
            return Ok(Filter::Annotation(key.to_owned(), test));
        }
        let wrong =
            |hint: &str| self.error("syntax", format!("{word} cannot be compared like this"), span).with_hint(hint);
        let lower = word.to_ascii_lowercase();
        if let Some(outcome) = Outcome::named(&lower) {
            let is = match compared {
                None => Some(true),
                Some((sign, Literal::Boolean(is))) => equality(sign, is),
                Some((sign, Literal::Text(text))) => text.parse().ok().and_then(|is| equality(sign, is)),
                Some(_) => None,
            };
            let hint = format!("write {word}, !{word} or {word} = true");
            return is.map(|is| Filter::Outcome(outcome, is)).ok_or_else(|| wrong(&hint));
        }
        if let Some(number) = NumberKey::named(&lower) {
            let order = compared.as_ref().and_then(|(sign, _)| Comparison::named(sign));
            let hint = format!("write {word} > NUMBER, with =, !=, <, <=, > or >=");
            return match (order, compared) {
                (Some(order), Some((_, Literal::Number(value)))) => Ok(Filter::Number(number, order, value)),
                _ => Err(wrong(&hint)),
            };
        }
        if let Some(text) = TextKey::named(&lower) {
            let hint = format!("write {word} CONTAINS \"TEXT\", with =, !=, CONTAINS, BEGINSWITH or ENDSWITH");
            return match compared {
                Some((sign, Literal::Text(value))) => {
                    text_test(sign, value).map(|test| Filter::Text(text, test)).ok_or_else(|| wrong(&hint))
                }
                _ => Err(wrong(&hint)),
            };
        }
        Err(self.unknown(pair))
    }

    fn literal(&self, value: Pair<'_, Rule>) -> Option<Literal> {
        let value = value.into_inner().next()?;
        match value.as_rule() {
            Rule::string => Some(Literal::Text(string(value))),
            Rule::number => value.as_str().parse().ok().filter(|n: &f64| n.is_finite()).map(Literal::Number),
            _ => Some(Literal::Boolean(value.as_str().eq_ignore_ascii_case("true"))),
        }
    }

    /// Refuses a keyword or function that is unknown, or that X-Ray has but catat does not support.
    fn unknown(&self, pair: Pair<'_, Rule>) -> QueryError {
        let span = span_of(&pair);
        let word: String =
            pair.as_str().chars().take_while(|letter| letter.is_alphanumeric() || "._-".contains(*letter)).collect();
        let span = Span { start: span.start, end: span.start + word.len() };
        let head = word.split('.').next().unwrap_or_default().to_ascii_lowercase();
        if UNSUPPORTED.contains(&&*head) {
            return self.error("not-supported", format!("the keyword {word} is not supported"), span);
        }
        let error = self.error("unknown-keyword", format!("there is no keyword {word}"), span);
        let names = Outcome::ALL.map(Outcome::name).into_iter().chain(NumberKey::ALL.map(NumberKey::name));
        let names = names.chain(TextKey::ALL.map(TextKey::name)).chain(["service", "edge", "annotation"]);
        match nearest(&word, names) {
            Some(near) => error.with_hint(format!("did you mean {near}?")),
            None => error.with_hint("annotations are written annotation[KEY], services service(\"NAME\")"),
        }
    }
}

/// Returns the truth value that a comparison with `is` demands.
fn equality(sign: &str, is: bool) -> Option<bool> {
    match sign {
        "=" => Some(is),
        "!=" => Some(!is),
        _ => None,
    }
}

fn text_test(sign: &str, text: String) -> Option<TextTest> {
    Some(match &*sign.to_ascii_lowercase() {
        "=" => TextTest::Equal(text),
        "!=" => TextTest::NotEqual(text),
        "contains" => TextTest::Contains(text),
        "beginswith" => TextTest::BeginsWith(text),
        "endswith" => TextTest::EndsWith(text),
        _ => return None,
    })
}

fn annotation_test((sign, value): (&str, Literal)) -> Option<AnnotationTest> {
    Some(match value {
        Literal::Text(text) => AnnotationTest::Text(text_test(sign, text)?),
        Literal::Number(number) => AnnotationTest::Number(Comparison::named(sign)?, number),
        Literal::Boolean(is) => AnnotationTest::Boolean(equality(sign, is)?),
    })
}
