//! Query strings of Lucene: what people type into Kibana and Grafana, as conditions of a plan. KQL is in
//! [`crate::kql`].
//!
//! A clause may hold, must hold or must not hold. `AND` makes the clauses on both sides necessary, `+` one and `NOT`
//! and `-` forbid one; `OR` and nothing leave them as they are, so that `a OR b AND c` needs `b` and `c`, as in Lucene.
//! A word without a field is looked for as a whole word, in any case, in every text of the event; a word after a field
//! in that field; after `field.keyword` it is the whole value. `*` and `?` in a word that follows a field match the
//! whole value too. Weights (`^2`) only order answers by relevance, which logs do not have: they change nothing.

mod bound;
mod condition;
mod defaults;
mod grammar;
mod mapped_field;
mod pattern;
mod reader;
pub mod regexp;
mod sent_level;
mod target;
#[cfg(test)]
mod tests;
mod text;
mod word;

use pest::Parser;
use pest::iterators::Pair;

pub(crate) use self::bound::Bound;
pub(crate) use self::condition::present;
pub(crate) use self::defaults::Defaults;
use self::grammar::{Lucene, Rule};
pub(crate) use self::pattern::FUZZY_LETTERS_MAX;
pub use self::pattern::wildcard;
use self::reader::Reader;
pub use self::sent_level::shown;
pub(crate) use self::target::{Analysis, Target};
use self::text::unescaped;
pub(crate) use self::text::{comparison_of, inside, value_of};
use self::word::{scalar_of, text_of};
use crate::grammar::span_of;
use crate::logic::not;
use crate::search_query::{CLAUSES_MAX, NESTING_MAX, SyntaxError, check_length, explain, plan_of};
use plan::{Comparison, Expr, Operator, Plan, QueryErrors, Result, balanced};
use types::{Timestamp, Value};

/// Reads a query string and makes the plan of it: the events that match, newest first. `now` is what times count from.
pub fn parse_lucene(text: &str, now: Timestamp) -> Result<Plan, QueryErrors> {
    Ok(plan_of(parse(text, Some(now))?))
}

/// Returns the filter that a query string is; none where it matches everything. Without `now`, relative times are
/// refused.
pub(crate) fn parse(text: &str, now: Option<Timestamp>) -> Result<Vec<Operator>, QueryErrors> {
    let defaults = Defaults { targets: vec![Target::any()], joins_all: false, now, ..Defaults::loose() };
    let condition = parse_with(text, &defaults)?;
    Ok(condition.map(Operator::Filter).into_iter().collect())
}

/// Returns the condition that a query string is; none where it matches everything.
pub(crate) fn parse_with(text: &str, defaults: &Defaults) -> Result<Option<Expr>, QueryErrors> {
    check_length(text)?;
    let mut pairs = Lucene::parse(Rule::query, text).map_err(|error| explain(&error, text, no_range))?;
    let mut reader = Reader { text, defaults, n_clauses: 0, n_regexes: 0, is_fuzzy: false };
    let clauses = pairs.next().and_then(|query| query.into_inner().find(|part| part.as_rule() == Rule::clauses));
    Ok(clauses.map(|clauses| reader.clauses(clauses, None, 0)).transpose()?.flatten())
}

/// How a clause counts among its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Occurrence {
    Should,
    Must,
    MustNot,
}

/// The clauses of a row. An operator has no precedence: it decides how the clause before it and the clause after it
/// count.
///
/// Source: `QueryParserBase.addClause` of Lucene 10.
struct Row {
    joins_all: bool,
    clauses: Vec<(Occurrence, Option<Expr>)>,
}

impl Row {
    /// Adds a clause with its modifier, and what is written before it: `AND`, `OR` or nothing.
    fn add(&mut self, operator: Option<Rule>, modifier: Occurrence, condition: Option<Expr>) {
        if let Some((before, _)) = self.clauses.last_mut().filter(|(before, _)| *before != Occurrence::MustNot) {
            match operator {
                Some(Rule::and_sign) => *before = Occurrence::Must,
                Some(Rule::or_sign) if self.joins_all => *before = Occurrence::Should,
                _ => {}
            }
        }
        let is_needed = if self.joins_all { operator != Some(Rule::or_sign) } else { operator == Some(Rule::and_sign) };
        let occurrence = if modifier == Occurrence::Should && is_needed { Occurrence::Must } else { modifier };
        self.clauses.push((occurrence, condition));
    }

    /// Returns the condition of all clauses. Beside a clause that is necessary, those that may hold would only change
    /// the order of an answer.
    fn finish(self) -> Option<Expr> {
        let has_must = self.clauses.iter().any(|(occurrence, _)| *occurrence == Occurrence::Must);
        let (mut should, mut must, mut holds_always) = (Vec::new(), Vec::new(), has_must);
        for (occurrence, condition) in self.clauses {
            match (occurrence, condition) {
                (Occurrence::Should, Some(condition)) => should.push(condition),
                (Occurrence::Should, None) => holds_always = true,
                (Occurrence::Must, condition) => must.extend(condition),
                (Occurrence::MustNot, condition) => must.push(not(condition)),
            }
        }
        if !holds_always && !should.is_empty() {
            must.insert(0, balanced(should, Expr::Or));
        }
        (!must.is_empty()).then(|| balanced(must, Expr::And))
    }
}

impl Reader<'_> {
    /// Reads a row of clauses, those in brackets included.
    fn clauses(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        if nesting > NESTING_MAX {
            let message = format!("brackets are nested more than {NESTING_MAX} deep here");
            return Err(self.error("nested-too-deeply", message, span_of(&pair)));
        }
        let (mut row, mut operator) = (Row { joins_all: self.defaults.joins_all, clauses: Vec::new() }, None);
        for part in pair.into_inner() {
            if part.as_rule() != Rule::clause {
                operator = Some(part.as_rule());
                continue;
            }
            let (modifier, condition) = self.clause(part, target, nesting)?;
            row.add(operator.take(), modifier, condition);
        }
        Ok(row.finish())
    }

    fn clause(
        &mut self,
        pair: Pair<'_, Rule>,
        target: Option<&Target>,
        nesting: usize,
    ) -> Result<(Occurrence, Option<Expr>)> {
        self.n_clauses += 1;
        let span = span_of(&pair);
        if self.n_clauses > CLAUSES_MAX {
            return Err(self.error("too-many-clauses", format!("the query has more than {CLAUSES_MAX} clauses"), span));
        }
        let (mut occurrence, mut condition) = (Occurrence::Should, None);
        let fuzzy = pair.clone().into_inner().find(|part| part.as_rule() == Rule::fuzzy);
        if let Some(fuzzy) = &fuzzy {
            self.check_fuzzy(&pair, fuzzy)?;
        }
        self.is_fuzzy = fuzzy.is_some();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::modifier => {
                    let kind = part.into_inner().next().map(|kind| kind.as_rule());
                    occurrence = match (kind, occurrence) {
                        (Some(Rule::must), _) => Occurrence::Must,
                        (_, Occurrence::MustNot) => Occurrence::Should,
                        _ => Occurrence::MustNot,
                    };
                }
                Rule::paren => condition = self.paren(part, target, nesting)?,
                Rule::test => condition = self.test(part, nesting)?,
                Rule::bare => condition = self.bare(part, target)?,
                Rule::compared => condition = self.compared(part, target)?,
                _ => {}
            }
        }
        self.is_fuzzy = false;
        Ok((occurrence, condition))
    }

    /// Refuses to look for what is like anything but a word, or differs in more than one letter. `~` alone means one
    /// letter in words of up to five, as in Elasticsearch, and two in longer ones.
    fn check_fuzzy(&self, clause: &Pair<'_, Rule>, fuzzy: &Pair<'_, Rule>) -> Result<()> {
        let is_outer = |part: &Pair<'_, Rule>| matches!(part.as_rule(), Rule::test | Rule::bare);
        let mut inner = clause.clone().into_inner().find(is_outer);
        while let Some(part) = inner.clone().filter(is_outer) {
            inner = part.into_inner().next_back();
        }
        let word = inner.filter(|part| part.as_rule() == Rule::term);
        let n_letters = word.map_or(0, |term| unescaped(term.as_str()).chars().count());
        let message = match fuzzy.as_str() {
            _ if n_letters == 0 => "only a word can be looked for with similar ones (`~`)",
            _ if n_letters > FUZZY_LETTERS_MAX => "this word is too long to look for similar ones (`~`)",
            "~" if n_letters <= 5 => return Ok(()),
            "~1" => return Ok(()),
            _ => "words that differ in more than one letter are not looked for",
        };
        let error = self.error("not-supported", message, span_of(fuzzy));
        Err(error.with_hint("write word~1, or a regular expression for variants: /colou?r/"))
    }

    /// `>=5` among the values of a field.
    fn compared(&self, pair: Pair<'_, Rule>, target: Option<&Target>) -> Result<Option<Expr>> {
        let span = span_of(&pair);
        let mut parts = pair.into_inner();
        let (Some(sign), Some(scalar)) = (parts.next(), parts.next()) else { return Ok(None) };
        let (text, value) = (text_of(&scalar), scalar_of(&scalar));
        let targets: Vec<&Target> = match target {
            Some(target) => vec![target],
            None => self.defaults.targets.iter().filter(|target| matches!(target, Target::Field { .. })).collect(),
        };
        if targets.is_empty() {
            let error = self.error("no-field", "this comparison has no field", span);
            return Err(error.with_hint("write status:>=500"));
        }
        let comparison = comparison_of(sign.as_str());
        let found = targets.into_iter().map(|target| self.against(target, comparison, &text, value.clone(), span));
        Ok(Some(balanced(found.collect::<Result<_, _>>()?, Expr::Or)))
    }

    fn paren(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>, nesting: usize) -> Result<Option<Expr>> {
        match pair.into_inner().find(|part| part.as_rule() == Rule::clauses) {
            Some(clauses) => self.clauses(clauses, target, nesting + 1),
            None => Ok(None),
        }
    }

    /// `field:value` and its relatives.
    fn test(&mut self, pair: Pair<'_, Rule>, nesting: usize) -> Result<Option<Expr>> {
        let (mut target, mut comparison) = (Target::any(), Comparison::Equal);
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::field if part.as_str() == "_exists_" => target = Target::presence(),
                Rule::field => {
                    target = self.target(&unescaped(part.as_str()));
                }
                Rule::comparison => comparison = comparison_of(part.as_str()),
                Rule::scalar => {
                    let (text, value) = (text_of(&part), scalar_of(&part));
                    return self.against(&target, comparison, &text, value, span_of(&part)).map(Some);
                }
                Rule::paren => return self.paren(part, Some(&target), nesting),
                Rule::range => return self.range(&target, part),
                Rule::bare => return self.bare(part, Some(&target)),
                _ => {}
            }
        }
        Ok(None)
    }

    /// Returns a word, a text in quotes or a regular expression: of a field, or of any of those that are meant without
    /// one.
    fn bare(&mut self, pair: Pair<'_, Rule>, target: Option<&Target>) -> Result<Option<Expr>> {
        if let Some(target) = target {
            return self.bare_of(pair, target);
        }
        let mut found = Vec::new();
        for target in &self.defaults.targets {
            match self.bare_of(pair.clone(), target)? {
                Some(condition) => found.push(condition),
                None => return Ok(None),
            }
        }
        Ok((!found.is_empty()).then(|| balanced(found, Expr::Or)))
    }

    fn bare_of(&mut self, pair: Pair<'_, Rule>, target: &Target) -> Result<Option<Expr>> {
        let Some(inner) = pair.into_inner().next() else { return Ok(None) };
        let span = span_of(&inner);
        if matches!(inner.as_rule(), Rule::string | Rule::regex) {
            let text = unescaped(inside(inner.as_str()));
            let pattern = (inner.as_rule() == Rule::regex).then_some("regexp");
            let n_words = plan::words::words_of(&text).len();
            if let Some(answer) = self.misfit(target, &text, pattern, span) {
                return answer.map(Some);
            }
            if let Some(why) = target.misfit_of_phrase(n_words).filter(|_| pattern.is_none()) {
                return Err(self.error("no-positions", why, span));
            }
        }
        match inner.as_rule() {
            Rule::string if target.is_time() => {
                let text = text_of(&inner);
                self.against(target, Comparison::Equal, &text, Value::text(text.as_str()), span).map(Some)
            }
            Rule::string => {
                let text = unescaped(inside(inner.as_str()));
                Ok(Some(target.phrase(&text).unwrap_or_else(|| not(None))))
            }
            Rule::regex => {
                let source = inside(inner.as_str()).replace("\\/", "/");
                let source = target.expression(&source).map_err(|why| self.error("bad-regex", why, span))?;
                self.regex(&source, span).map(|regex| Some(target.matching(regex)))
            }
            _ => self.word(target, inner.as_str(), span),
        }
    }
}

/// Returns the words for a bracket that begins no range.
fn no_range(first: char) -> Option<SyntaxError> {
    let hint = Some("write status:[400 TO 499]");
    matches!(first, '[' | '{').then(|| SyntaxError { message: "this is no range".to_owned(), hint })
}
