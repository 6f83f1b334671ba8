//! KQL, Kibana's own language of questions, as conditions of a plan.
//!
//! It knows fields, values, comparisons, `and`, `or`, `not` and brackets, and nothing else: other signs are letters
//! like any other. Words beside each other are one text, of which one word is enough, as a `match` query has it; in
//! quotes they stand one after the other. `*` stands for any letters. Words, fields and times mean what they mean in
//! [`crate::lucene`].

#[cfg(test)]
mod tests;

use pest::Parser;
use pest::iterators::Pair;
use types::{Timestamp, Value};

use crate::grammar::span_of;
use crate::logic::not;
use crate::lucene::{Analysis, Target, comparison_of, inside, present, value_of};
use crate::search_query::{CLAUSES_MAX, NESTING_MAX, SyntaxError, check_length, explain, plan_of};
use plan::{
    Comparison, Expr, Operator, Plan, QueryError, QueryErrors, REGEXES_MAX, Result, Span, balanced, compile_regex,
};

/// The generated parser.
mod generated {
    #![allow(missing_docs)]

    /// Reads KQL.
    #[derive(pest_derive::Parser)]
    #[grammar = "../../grammar/kql.pest"]
    pub(crate) struct Kql;
}

use generated::Rule;

/// Reads KQL and makes the plan of it: the events that match, newest first. `now` is what times count from.
pub fn parse_kql(text: &str, now: Timestamp) -> Result<Plan, QueryErrors> {
    Ok(plan_of(parse(text, Some(now))?))
}

/// Returns the filter that a query is; none where it matches everything. Without `now`, relative times are refused.
pub(crate) fn parse(text: &str, now: Option<Timestamp>) -> Result<Vec<Operator>, QueryErrors> {
    check_length(text)?;
    let mut pairs = generated::Kql::parse(Rule::query, text).map_err(|error| explain(&error, text, no_word))?;
    let mut reader = Reader { text, now, n_clauses: 0, n_regexes: 0 };
    let sum = pairs.next().and_then(|query| query.into_inner().find(|part| part.as_rule() == Rule::sum));
    let condition = sum.map(|sum| reader.sum(sum, None, 0)).transpose()?.flatten();
    Ok(condition.map(Operator::Filter).into_iter().collect())
}

/// Turns what the grammar found into a condition; `None` is one that always holds.
struct Reader<'a> {
    text: &'a str,
    pub now: Option<Timestamp>,
    n_clauses: usize,
    n_regexes: usize,
}

impl Reader<'_> {
    fn error(&self, code: &'static str, message: impl Into<String>, span: Span) -> QueryError {
        QueryError::new(code, message, self.text, span)
    }

    /// Reads alternatives, one of which is enough.
    fn sum(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        if nesting > NESTING_MAX {
            let message = format!("brackets are nested more than {NESTING_MAX} deep here");
            return Err(self.error("nested-too-deeply", message, span_of(&pair)));
        }
        let (mut conditions, mut holds_always) = (Vec::new(), false);
        for product in pair.into_inner() {
            match self.product(product, target, nesting)? {
                Some(condition) => conditions.push(condition),
                None => holds_always = true,
            }
        }
        Ok((!holds_always && !conditions.is_empty()).then(|| balanced(conditions, Expr::Or)))
    }

    /// Reads conditions that must all hold.
    fn product(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        let mut conditions = Vec::new();
        for factor in pair.into_inner() {
            conditions.extend(self.factor(factor, target, nesting)?);
        }
        Ok((!conditions.is_empty()).then(|| balanced(conditions, Expr::And)))
    }

    fn factor(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        self.n_clauses += 1;
        let span = span_of(&pair);
        if self.n_clauses > CLAUSES_MAX {
            return Err(self.error("too-many-clauses", format!("the query has more than {CLAUSES_MAX} clauses"), span));
        }
        let (mut is_negated, mut condition) = (false, None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::not_sign => is_negated = !is_negated,
                Rule::paren => condition = self.paren(part, target, nesting)?,
                Rule::test if target.is_some() => {
                    let message = "a field cannot stand among the values of another";
                    let error = self.error("field-among-values", message, span_of(&part));
                    return Err(error.with_hint("write host:(a or b) and service:c"));
                }
                Rule::test => condition = self.test(part, nesting)?,
                Rule::bare => condition = self.bare(part, target.unwrap_or(&Target::any()))?,
                _ => {}
            }
        }
        Ok(if is_negated { Some(not(condition)) } else { condition })
    }

    fn paren(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        match pair.into_inner().find(|part| part.as_rule() == Rule::sum) {
            Some(sum) => self.sum(sum, target, nesting + 1),
            None => Ok(None),
        }
    }

    /// `field:value` and `field >= value`.
    fn test(&mut self, pair: Pair<'_, Rule>, nesting: usize) -> Result<Option<Expr>> {
        let (mut target, mut comparison) = (Target::any(), None);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::field => target = self.field(&part)?,
                Rule::comparison => comparison = Some(comparison_of(part.as_str())),
                Rule::paren => return self.paren(part, Some(&target), nesting),
                Rule::nested => {
                    let message = "nested objects are not supported: the fields of an event are flat";
                    let error = self.error("not-supported", message, span_of(&part));
                    return Err(error.with_hint("write the whole name: items.name:banana and items.stock > 9"));
                }
                Rule::bare => {
                    return match comparison {
                        Some(comparison) => self.compared(part, &target, comparison).map(Some),
                        None => self.bare(part, &target),
                    };
                }
                _ => {}
            }
        }
        Ok(None)
    }

    fn field(&self, pair: &Pair<'_, Rule>) -> Result<Target> {
        let written = pair.as_str();
        if written.starts_with('"') {
            return Ok(Target::field_in(&unescaped(inside(written)), Analysis::Loose));
        }
        if let [.., _, last] = words(written).as_slice() {
            let message = format!("more than one word before the colon of {last}");
            let error = self.error("bad-field", message, span_of(pair));
            return Err(error.with_hint(format!("write `and` or `or` before {last}")));
        }
        if written != "*" && has_star(written) {
            let message = "names of fields with a star are not supported";
            let error = self.error("not-supported", message, span_of(pair));
            return Err(error.with_hint("name the fields, joined by `or`; *:value looks into all of them"));
        }
        Ok(Target::field_in(&unescaped(written), Analysis::Loose))
    }

    fn compared(&mut self, pair: Pair<'_, Rule>, target: &Target, comparison: Comparison) -> Result<Expr> {
        let (span, written) = (span_of(&pair), pair.as_str());
        let (text, value) = match written.starts_with('"') {
            true => {
                let text = unescaped(inside(written));
                (text.clone(), Value::text(text))
            }
            false => (unescaped(written), value_of(&unescaped(written))),
        };
        match target.against(comparison, &text, value, self.now) {
            Some(condition) => Ok(condition),
            None => Err(self.relative(span)),
        }
    }

    fn relative(&self, span: Span) -> QueryError {
        let error = self.error("not-supported", "relative times are not supported here", span);
        error.with_hint("choose the time range next to the query")
    }

    /// Returns a text in quotes, or words of which one is enough.
    fn bare(&mut self, pair: Pair<'_, Rule>, target: &Target) -> Result<Option<Expr>> {
        let (span, written) = (span_of(&pair), pair.as_str());
        let is_quoted = written.starts_with('"');
        let text = unescaped(if is_quoted { inside(written) } else { written });
        if target.is_time() && !has_star(written) {
            return match target.against(Comparison::Equal, &text, Value::text(text.as_str()), self.now) {
                Some(condition) => Ok(Some(condition)),
                None => Err(self.relative(span)),
            };
        }
        if is_quoted {
            return Ok(Some(target.phrase(&text).unwrap_or_else(|| not(None))));
        }
        if target.is_keyword() && !has_star(written) {
            return Ok(target.phrase(&text));
        }
        let parts = if target.is_keyword() { vec![written] } else { words(written) };
        let mut found = Vec::new();
        for word in parts {
            match self.word(word, target, span)? {
                Some(condition) => found.push(condition),
                None => return Ok(None),
            }
        }
        Ok((!found.is_empty()).then(|| balanced(found, Expr::Or)))
    }

    fn word(&mut self, written: &str, target: &Target, span: Span) -> Result<Option<Expr>> {
        match target {
            Target::Any(_) if written == "*" => return Ok(None),
            Target::Field { name, .. } if written == "*" => return Ok(Some(present(name))),
            _ => {}
        }
        if !has_star(written) {
            return Ok(Some(target.value(&unescaped(written)).unwrap_or_else(|| not(None))));
        }
        self.n_regexes += 1;
        if self.n_regexes > REGEXES_MAX {
            let message = format!("the query has more than {REGEXES_MAX} words with stars");
            return Err(self.error("too-many-regexes", message, span));
        }
        let mut found = Vec::new();
        for source in target.wildcards(&as_wildcard(written)) {
            let regex = compile_regex(&source, false).map_err(|(message, _)| self.error("bad-regex", message, span))?;
            found.push(target.matching(regex));
        }
        Ok(Some(balanced(found, Expr::Or)))
    }
}

/// Characters of a text as it was written: each with whether a backslash makes it one that means itself.
fn characters(written: &str) -> Vec<(char, bool)> {
    let mut found = Vec::with_capacity(written.len());
    let mut rest = written.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            found.push((c, false));
            continue;
        }
        let Some(escaped) = rest.next() else { break };
        let digits: String = rest.clone().take(4).collect();
        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4).and_then(char::from_u32);
        found.push(match (escaped, code) {
            ('t', _) => ('\t', true),
            ('r', _) => ('\r', true),
            ('n', _) if !is_keyword(rest.as_str()) => ('\n', true),
            ('u', Some(code)) => {
                rest.nth(3);
                (code, true)
            }
            (escaped, _) => (escaped, true),
        });
    }
    found
}

/// Reports whether what is after `\n` makes `\not` of it.
fn is_keyword(rest: &str) -> bool {
    rest.get(..2).is_some_and(|two| two.eq_ignore_ascii_case("ot"))
        && !rest[2..].starts_with(|c: char| !c.is_whitespace() && !"():<>\"{}".contains(c))
}

fn unescaped(written: &str) -> String {
    characters(written).into_iter().map(|(c, _)| c).collect()
}

fn has_star(written: &str) -> bool {
    !written.starts_with('"') && characters(written).contains(&('*', false))
}

/// Returns the text with stars as its only signs, as [`Target::wildcard`] reads it.
fn as_wildcard(written: &str) -> String {
    let mut text = String::with_capacity(written.len());
    for (c, is_escaped) in characters(written) {
        if matches!(c, '\\' | '?') || (c == '*' && is_escaped) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Returns the words of a text without quotes; a blank after a backslash is part of one.
fn words(written: &str) -> Vec<&str> {
    let (mut words, mut start, mut is_escaped) = (Vec::new(), 0, false);
    for (at, c) in written.char_indices() {
        if c.is_whitespace() && !is_escaped {
            words.push(&written[start..at]);
            start = at + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    words.push(&written[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// Returns the words for a letter that begins no word here.
fn no_word(first: char) -> Option<SyntaxError> {
    let hint = Some("join conditions with `and` or `or`");
    first.is_alphabetic().then(|| SyntaxError { message: format!("`{first}` begins a word where none fits"), hint })
}
